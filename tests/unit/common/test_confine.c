// SPDX-License-Identifier: Apache-2.0
// What a confined process can still open, write and make, and what it cannot.
#include "confine.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char base[] = "/tmp/wn_confine_XXXXXX";

static const char *at(const char *name) {
    static char path[4][80];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", base, name);
    return p;
}

static bool opens(const char *name, int flags) {
    int fd = open(at(name), flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

Test(confine, only_what_is_listed_is_opened_and_only_where_it_says_so_written) {
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) cr_skip_test("this kernel has no Landlock");
    cr_assert(mkdtemp(base) != NULL);
    cr_assert(mkdir(at("read"), 0700) == 0 && mkdir(at("write"), 0700) == 0 && mkdir(at("other"), 0700) == 0);
    cr_assert(opens("read/a", O_CREAT | O_WRONLY) && opens("other/a", O_CREAT | O_WRONLY) &&
              opens("key", O_CREAT | O_WRONLY) && opens("key2", O_CREAT | O_WRONLY));
    int held = open(at("other/a"), O_RDWR | O_CLOEXEC);
    char read[80], write_to[80], key[80];
    snprintf(read, sizeof read, "%s", at("read"));
    snprintf(write_to, sizeof write_to, "%s", at("write"));
    snprintf(key, sizeof key, "%s", at("key"));
    const wn_confine_rule rules[] = {
        {read, false}, {write_to, true}, {key, false}, {"/nowhere/at/all", true}};
    cr_assert(wn_confine(rules, WN_COUNT(rules)));

    cr_expect(opens("read/a", O_RDONLY) && opens("key", O_RDONLY) && opens("read", O_RDONLY | O_DIRECTORY));
    cr_expect(!opens("read/a", O_WRONLY) && !opens("key", O_WRONLY) && !opens("read/b", O_CREAT | O_WRONLY));
    cr_expect(!opens("other/a", O_RDONLY) && !opens("key2", O_RDONLY) &&
              !opens("other", O_RDONLY | O_DIRECTORY));
    cr_expect(opens("write/a.part", O_CREAT | O_EXCL | O_WRONLY));
    cr_expect(rename(at("write/a.part"), at("write/a")) == 0 && opens("write", O_RDONLY | O_DIRECTORY));
    cr_expect(rename(at("write/a"), at("other/b")) != 0 && link(at("write/a"), at("other/b")) != 0);
    cr_expect(mkdir(at("write/folder"), 0700) != 0 && symlink("/etc/passwd", at("write/link")) != 0);
    cr_expect(unlink(at("write/a")) == 0 && unlink(at("other/a")) != 0);
    cr_expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    cr_expect(write(held, "x", 1) == 1, "what is open stays open");
    close(held);
}

Test(confine, a_folder_holds_what_lies_below_it_and_itself_whatever_the_links_say) {
    static char link[] = "link";
    cr_assert(mkdtemp(base) != NULL);
    cr_assert(mkdir(at("conf"), 0700) == 0 && mkdir(at("conf/in"), 0700) == 0 &&
              mkdir(at("conf2"), 0700) == 0);
    cr_assert_eq(symlink("conf/in", at(link)), 0);
    cr_expect(wn_confine_holds(at("conf"), at("conf")) && wn_confine_holds(at("conf"), at("conf/in")));
    cr_expect(wn_confine_holds(base, at("conf/in")) && wn_confine_holds("/", at("conf")) &&
              wn_confine_holds("/", "/"));
    cr_expect(wn_confine_holds(at("conf"), at(link)) && wn_confine_holds(at(link), at("conf/in")));
    cr_expect(!wn_confine_holds(at("conf"), at("conf2")) && !wn_confine_holds(at("conf/in"), at("conf")));
    cr_expect(!wn_confine_holds(at("conf"), at("conf/none")) && !wn_confine_holds(at("none"), at("conf")));
    unlink(at(link)), rmdir(at("conf/in")), rmdir(at("conf")), rmdir(at("conf2")), rmdir(base);
}
