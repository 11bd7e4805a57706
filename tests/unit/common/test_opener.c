// SPDX-License-Identifier: Apache-2.0
// What a process that may open nothing is handed over: the files that were named, as they are then.
#include "opener.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"

static const char *const names[] = {"a.yaml", "none.yaml", "folder", "large", NULL};
static char config[] = "/tmp/wn_opener_XXXXXX";
static wn_opener o;

static const char *at(const char *name) {
    static char path[4][80];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", config, name);
    return p;
}

static void put(const char *name, const char *text) {
    FILE *f = fopen(at(name), "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void up(void) {
    cr_assert(mkdtemp(config) != NULL && mkdir(at("folder"), 0700) == 0);
    put("a.yaml", "old");
    put("secret", "s3cret");
    put("large", "");
    cr_assert_eq(truncate(at("large"), WN_OPENER_BYTES_MAX), 0);
    cr_assert_eq(wn_opener_start(&o, config, names), WN_OK);
}

static void down(void) {
    wn_opener_stop(&o);
    unlink(at("a.yaml")), unlink(at("secret")), unlink(at("large")), rmdir(at("folder")), rmdir(config);
}

TestSuite(opener, .init = up, .fini = down);

// Answers its bytes; -1: there is none.
static ssize_t copied(size_t which, char out[64]) {
    char path[WN_OPENER_PATH];
    struct stat st;
    int held;
    memset(out, 0, 64);
    cr_assert_eq(wn_opener_copy(&o, which, path, &held), WN_OK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(fd >= 0, held >= 0, "%s", path);
    if (fd < 0) return -1;
    cr_assert(read(fd, out, 63) >= 0 && fstat(fd, &st) == 0);
    close(fd), close(held);
    return st.st_size;
}

Test(opener, a_confined_process_is_handed_what_was_named_as_it_is_then) {
    char text[64];
    int status = -1;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) cr_skip_test("this kernel has no Landlock");
    pid_t writer = fork(); // an operator, whom nothing confines
    if (writer == 0) {
        raise(SIGSTOP);
        _exit(truncate(at("a.yaml"), 0) || truncate(at("large"), WN_OPENER_BYTES_MAX + 1));
    }
    cr_assert(wn_confine(NULL, 0));
    cr_expect(open(at("a.yaml"), O_RDONLY | O_CLOEXEC) < 0 && open(at("secret"), O_RDONLY | O_CLOEXEC) < 0);
    cr_expect_eq(copied(0, text), 3);
    cr_expect_str_eq(text, "old");
    cr_expect_eq(copied(1, text), -1);
    cr_expect_eq(copied(3, text), WN_OPENER_BYTES_MAX);
    cr_assert_eq(waitpid(writer, &status, WUNTRACED), writer);
    kill(writer, SIGCONT);
    cr_assert(waitpid(writer, &status, 0) == writer && status == 0);
    cr_expect_eq(copied(0, text), 0);

    // What is not named, is none, or is too large: no copy, and the next is answered.
    static const size_t none[] = {2, 3, 4, 255, 256, SIZE_MAX};
    for (size_t i = 0; i < WN_COUNT(none); i++) {
        char path[WN_OPENER_PATH];
        int fd;
        cr_expect_eq(wn_opener_copy(&o, none[i], path, &fd), WN_ERR_IO, "%zu", none[i]);
        cr_expect_eq(fd, -1);
    }
    cr_expect_eq(copied(0, text), 0);
}

Test(opener, one_that_is_gone_is_told_from_a_file_that_cannot_be_read) {
    char path[WN_OPENER_PATH];
    int fd;
    cr_assert_eq(kill(o.pid, SIGKILL), 0);
    for (int i = 0; i < 2; i++) cr_expect_eq(wn_opener_copy(&o, 0, path, &fd), WN_ERR_STATE);
    cr_expect_eq(fd, -1);
}

// Whatever becomes of the one who asks, nobody stays behind.
Test(opener, it_ends_with_the_one_who_asks) {
    int ends[2];
    char c;
    cr_assert_eq(pipe(ends), 0);
    pid_t asks = fork();
    if (asks == 0) {
        wn_opener mine;
        if (wn_opener_start(&mine, config, names) != WN_OK) _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    cr_assert_eq(waitpid(asks, &status, 0), asks);
    cr_assert(WIFSIGNALED(status));
    close(ends[1]);
    cr_expect_eq(read(ends[0], &c, 1), 0, "it holds the pipe no more");
    close(ends[0]);
}
