// SPDX-License-Identifier: Apache-2.0
// confine.c: all daemons run as one user, so that the files' modes keep none of them from another's
// windows and keys; the kernel keeps those that talk to strangers. glibc wraps none of these three calls.
#include "confine.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// What the first version of Landlock knows.
#define EVERY_ACCESS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define READ_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_ACCESS                                                                                         \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |          \
     LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE) // a file has no others

static bool allow(int set, const wn_confine_rule *rule) {
    struct stat st;
    struct landlock_path_beneath_attr a = {
        .allowed_access = READ_ACCESS | (rule->write ? WRITE_ACCESS : 0),
        .parent_fd = open(rule->path, O_PATH | O_CLOEXEC),
    };
    if (a.parent_fd < 0) return true; // nothing there to be opened
    bool done = fstat(a.parent_fd, &st) == 0;
    if (done && !S_ISDIR(st.st_mode)) a.allowed_access &= OF_FILES;
    done = done && syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &a, 0) == 0;
    close(a.parent_fd);
    return done;
}

bool wn_confine_holds(const char *folder, const char *path) {
    char above[PATH_MAX], below[PATH_MAX];
    if (realpath(folder, above) == NULL || realpath(path, below) == NULL) return false;
    size_t n = strcmp(above, "/") == 0 ? 0 : strlen(above);
    return strncmp(above, below, n) == 0 && (below[n] == '/' || below[n] == '\0');
}

bool wn_confine(const wn_confine_rule *rules, size_t n) {
    const struct landlock_ruleset_attr all = {.handled_access_fs = EVERY_ACCESS};
    int set = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    bool done = set >= 0;
    for (size_t i = 0; i < n && done; i++) done = allow(set, &rules[i]);
    done = done && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, set, 0) == 0;
    if (set >= 0) close(set);
    return done;
}
