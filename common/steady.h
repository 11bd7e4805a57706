// SPDX-License-Identifier: Apache-2.0
// steady.h: whether the wall clock can be believed, for what nobody can take back.
//
// A seal waits until both clocks are past a window's end. What lies years back has no such end on the
// monotonic clock; so its deletion waits until the wall clock has gone along with it for hours: a clock that
// was set ahead by mistake, or a machine that starts with a wrong one, deletes nothing meanwhile.
#pragma once

#include "winnow/base.h"

#define WN_STEADY_JUMP_S 60         // more than this between two looks is no correction
#define WN_STEADY_WAIT_S (6 * 3600) // until it is believed

typedef struct wn_steady { // {0} before the first look
    bool looked;
    int64_t wall_s, monotonic_ms; // of the last look
    int64_t since_ms;             // of the last jump, or of the first look
} wn_steady;

// Looks at both clocks, often. Answers the seconds until the wall clock is believed; 0: it is.
int64_t wn_steady_wait_s(wn_steady *s, int64_t wall_s, int64_t monotonic_ms);
