// SPDX-License-Identifier: Apache-2.0
// harden.c: what a daemon gives up before it holds anything worth taking.
#include <fcntl.h>
#include <malloc.h>
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
