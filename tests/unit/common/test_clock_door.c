// SPDX-License-Identifier: Apache-2.0
// The settable clock of test builds; compiles its own clock.c with WN_TEST_CLOCK.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

static char path[] = "/tmp/winnow_clock_XXXXXX";

static void setup(void) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    setenv("WINNOW_TEST_CLOCK", path, 1);
}

static void teardown(void) {
    unlink(path);
}

static void set(const char *text) {
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static int64_t real_ms(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

// Asks until the clock stands near the offset: it reads its file each 50 ms.
static bool comes_to(clockid_t id, int64_t offset_s) {
    for (int64_t from_ms = real_ms(CLOCK_MONOTONIC); real_ms(CLOCK_MONOTONIC) - from_ms < 5000;) {
        int64_t now_ms = id == CLOCK_REALTIME ? wn_now_ms() : wn_monotonic_ms();
        int64_t off_ms = now_ms - real_ms(id) - offset_s * 1000;
        if (off_ms > -1000 && off_ms < 1000) return true;
    }
    return false;
}

TestSuite(clock_door, .init = setup, .fini = teardown);

Test(clock_door, adds_nothing_without_a_number) {
    cr_assert(comes_to(CLOCK_REALTIME, 0));
    set("no number");
    cr_assert(comes_to(CLOCK_REALTIME, 0));
}

Test(clock_door, moves_both_clocks) {
    set("86400\n");
    cr_assert(comes_to(CLOCK_REALTIME, 86400));
    cr_assert(comes_to(CLOCK_MONOTONIC, 86400));
    cr_assert_leq(wn_now_s() - (real_ms(CLOCK_REALTIME) / 1000 + 86400), 1);
}

Test(clock_door, moves_the_wall_alone_when_told) {
    set("-7200 0\n");
    cr_assert(comes_to(CLOCK_REALTIME, -7200));
    cr_assert(comes_to(CLOCK_MONOTONIC, 0));
}

Test(clock_door, keeps_its_offset_when_the_file_goes) {
    set("3600");
    cr_assert(comes_to(CLOCK_REALTIME, 3600));
    unlink(path);
    for (int64_t from_ms = real_ms(CLOCK_MONOTONIC); real_ms(CLOCK_MONOTONIC) - from_ms < 120;) {
        cr_assert_geq(wn_now_ms() - real_ms(CLOCK_REALTIME), 3599000);
    }
}

Test(clock_door, monotonic_time_never_runs_back) {
    set("1000");
    cr_assert(comes_to(CLOCK_MONOTONIC, 1000));
    int64_t before_ms = wn_monotonic_ms();
    set("0");
    cr_assert(comes_to(CLOCK_REALTIME, 0));
    cr_assert_geq(wn_monotonic_ms(), before_ms);
}
