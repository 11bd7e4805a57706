// SPDX-License-Identifier: Apache-2.0
// Why: all daemons run as one user, so that the files' modes keep none of them
// from another's windows and keys; the kernel keeps this one. glibc wraps none
// of these three calls.
#include "web_confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

// What the first version of Landlock knows.
#define EVERY_ACCESS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static bool allow(int rules, const char *path) {
    struct landlock_path_beneath_attr a = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };
    if (a.parent_fd < 0) return true; // nothing there to be read
    bool done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0) == 0;
    close(a.parent_fd);
    return done;
}

void wn_web_confine(void) {
    const struct landlock_ruleset_attr all = {.handled_access_fs = EVERY_ACCESS};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    bool done =
        rules >= 0 && allow(rules, "/usr/share/zoneinfo") &&
#ifdef WN_TEST_CLOCK
        allow(rules, "/tmp") && allow(rules, "/proc") && // a test's clock; a sanitizer's look for leaks
#endif
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    if (rules >= 0) close(rules);
    if (!done) wn_log(WN_MSG_WEB_NO_LANDLOCK, 0, 0, 0);
}
