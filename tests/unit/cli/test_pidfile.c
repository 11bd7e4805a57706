// SPDX-License-Identifier: Apache-2.0
// A pid is believed only while its file is locked.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pidfile.h"

static char folder[] = "/tmp/wn-pid-XXXXXX", path[64];

static void setup(void) {
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/up.pid", folder);
}

static void teardown(void) {
    unlink(path);
    rmdir(folder);
}

Test(pidfile, a_number_without_a_lock_is_nobody, .init = setup, .fini = teardown) {
    cr_assert_eq(wn_pidfile_holder(path), 0);
    FILE *f = fopen(path, "w");
    fprintf(f, "%d\n", (int)getpid());
    fclose(f);
    cr_assert_eq(wn_pidfile_holder(path), 0);
}

Test(pidfile, words_that_are_no_pid_are_nobody, .init = setup, .fini = teardown) {
    static const char *const bad[] = {"", "\n", "x\n", "1\n", "0\n", "-5\n", "99999999999\n", "77", "77x\n"};
    int fd;
    pid_t holder;
    cr_assert_eq(wn_pidfile_take(path, &fd, &holder), WN_OK);
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        FILE *f = fopen(path, "w");
        fputs(bad[i], f);
        fclose(f);
        cr_expect_eq(wn_pidfile_holder(path), 0, "%s", bad[i]);
    }
    wn_pidfile_drop(fd, path);
}

Test(pidfile, a_second_taker_learns_the_first_ones_pid, .init = setup, .fini = teardown) {
    int fd, second = -1;
    pid_t holder = 0;
    cr_assert_eq(wn_pidfile_take(path, &fd, &holder), WN_OK);
    cr_assert_eq(wn_pidfile_write(fd, 4711), WN_OK);
    cr_assert_eq(wn_pidfile_holder(path), 4711);
    cr_assert_eq(wn_pidfile_take(path, &second, &holder), WN_ERR_BUSY);
    cr_assert_eq(holder, 4711);
    cr_assert_eq(second, -1);
    wn_pidfile_drop(fd, path);
    cr_assert_eq(wn_pidfile_holder(path), 0);
    cr_assert_neq(access(path, F_OK), 0);
}
