// SPDX-License-Identifier: Apache-2.0
// explain_check.h: does anything that identifies stand in what would travel?
// Knows nothing of the filter's rules, so that a fault there is not repeated here.
#pragma once

#include "winnow/base.h"

#define WN_CHECK_RUN_BYTES 6    // a run this long of an identifying value is a leak
#define WN_CHECK_AGENT_BYTES 16 // of a user agent: family names are its words

typedef struct wn_check {
    const uint8_t *out[24]; // what would travel
    size_t out_n[24];
    size_t outs;
} wn_check;

void wn_check_output(wn_check *c, const void *p, size_t n);
// True when a run of `run` bytes of the value stands in an output, in any letter case.
bool wn_check_holds(const wn_check *c, const char *value, size_t n, size_t run);
// True when a value of this field leaves something identifying: whole ids, query
// values but utm_source/medium/campaign, user info, fragments.
bool wn_check_field(const wn_check *c, const char *field, const char *value, size_t n);
