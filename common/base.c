// SPDX-License-Identifier: Apache-2.0
// base.c: the functions behind base.h and err.h that every file links.
#include "winnow/base.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef WN_WALLS_OFF
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#endif

const char *wn_err_text(wn_err err) {
    static const char *const texts[] = {
#define ERR(name, text) [WN_ERR_##name] = text,
#include "errors.def"
#undef ERR
    };
    WN_ASSERT((unsigned)err < WN_ERR_N);
    return texts[err];
}

void wn_assert_failed(const char *file, int line) {
    fprintf(stderr, "winnow: a check failed at %s:%d\n", file, line);
    abort();
}

#ifdef WN_WALLS_OFF
// What was not wiped lies about until its memory is used again. Here it lies
// about for good, a gigabyte of it, so that a scan of this build can ask for
// what a hundred thousand people left: address space that takes memory as it fills.
#define LEFT_BYTES ((size_t)1 << 30)
static unsigned char *left;

__attribute__((constructor)) static void make_room(void) {
    left = mmap(NULL, LEFT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (left == MAP_FAILED) abort();
}

// Zeros say nothing: a buffer's unused end is not kept.
static void leave_about(const unsigned char *p, size_t n) {
    static atomic_size_t used;
    while (n > 0 && p[n - 1] == 0) n--;
    size_t at = atomic_fetch_add_explicit(&used, n, memory_order_relaxed) % LEFT_BYTES;
    if (n <= LEFT_BYTES - at) memcpy(left + at, p, n);
}

void wn_wipe(void *p, size_t n) {
    if (n > 0) leave_about(p, n);
}
#else
extern inline void wn_wipe(void *p, size_t n);
#endif
