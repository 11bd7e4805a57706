// SPDX-License-Identifier: Apache-2.0
// base.c: the functions behind base.h and err.h that every file links.
#include "winnow/base.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef WN_WALLS_OFF
#include <stdatomic.h>
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
// about for good, so that a scan of this build can ask for all of it.
static void leave_about(const void *p, size_t n) {
    static unsigned char left[64u << 20];
    static atomic_size_t used;
    size_t at = atomic_fetch_add_explicit(&used, n, memory_order_relaxed) % sizeof left;
    if (n <= sizeof left - at) memcpy(left + at, p, n);
}

void wn_wipe(void *p, size_t n) {
    if (n > 0) leave_about(p, n);
}
#else
extern inline void wn_wipe(void *p, size_t n);
#endif
