// SPDX-License-Identifier: Apache-2.0
// base.c: the three functions behind base.h and err.h that every file links.
#include "winnow/base.h"

#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "walls.h"

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

void wn_wipe(void *p, size_t n) {
    if (WN_WALL_WIPE && n > 0) sodium_memzero(p, n);
}
