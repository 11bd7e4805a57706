// SPDX-License-Identifier: Apache-2.0
// growing.h: memory that grows without leaving copies of itself behind, stays
// out of core dumps and is wiped before it goes back (R13).
#pragma once

#include "winnow/base.h"

// Zero-initialised is empty. `p` moves when it grows; new bytes are zero.
typedef struct wn_growing {
    uint8_t *p;
    size_t bytes;
} wn_growing;

// At least `bytes`, at least doubled when it grows at all.
WN_MUST_USE wn_err wn_growing_reserve(wn_growing *g, size_t bytes);
// Wipes the first `used` bytes (the rest was never touched) and gives all back.
void wn_growing_fini(wn_growing *g, size_t used);
