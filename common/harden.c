// SPDX-License-Identifier: Apache-2.0
// harden.c: what a daemon gives up before it holds anything worth taking.
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "walls.h"

#define FREED_BYTE 0x5a

// /proc/swaps has a line of titles and one for each device.
static bool swap_is_on(void) {
    char text[1024];
    int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n <= 0) return false;
    const char *newline = memchr(text, '\n', (size_t)n);
    return newline != NULL && newline + 1 < text + n;
}

// glibc's M_PERTURB passes over what goes to a thread's cache of small chunks:
// without such caches there is nothing it passes over.
#define TUNABLE "glibc.malloc.tcache_count=0"

void wn_harden_allocator(char **argv) {
    const char *old = getenv("GLIBC_TUNABLES");
    if (!WN_WALL_WIPE || (old != NULL && strstr(old, TUNABLE) != NULL)) return;
    char all[512];
    int n = snprintf(all, sizeof all, "%s%s%s", old ? old : "", old && *old ? ":" : "", TUNABLE);
    if (n >= (int)sizeof all || setenv("GLIBC_TUNABLES", all, 1) != 0) return;
    char self[4096]; // by its own path, so that it keeps its name in lists of processes
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    if (bytes > 0) {
        self[bytes] = '\0';
        execv(self, argv);
    }
    wn_log(WN_MSG_FREED_KEPT, 0, 0, 0);
}

void wn_harden(void) {
    umask(077);
    // Libraries free buffers with plaintext in them (libzmq's CURVE does): the
    // allocator overwrites whatever is freed.
    if (WN_WALL_WIPE) (void)mallopt(M_PERTURB, FREED_BYTE); // a sanitizer's allocator has no such knob
    if (swap_is_on()) wn_log(WN_MSG_SWAP_ON, 0, 0, 0);
#ifdef WN_TEST_CLOCK
    if (getenv("WINNOW_TEST_DUMPABLE") != NULL) return; // the canary scan takes a core of each process
#endif
    WN_ASSERT(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
    WN_ASSERT(prctl(PR_SET_DUMPABLE, 0) == 0);
}
