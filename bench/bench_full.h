// SPDX-License-Identifier: Apache-2.0
// bench_full.h: what an app says beside a page view: fields of the whole
// catalogue, under a policy that declares some and with two consent strings.
#pragma once

#include "filter.h"

extern const char wn_bench_full_policy[]; // as CONFIG/policy.yaml

#define WN_BENCH_TCF_BYTES 160
typedef struct wn_bench_full {
    char tcf[WN_BENCH_TCF_BYTES]; // updated on the day of the events, else it would be too old one day
    size_t tcf_n;
} wn_bench_full;

void wn_bench_full_init(int64_t day_s, wn_bench_full *out);
// Adds the fields to an event. unique: no search term and no model occurs twice.
void wn_bench_full_set(const wn_bench_full *f, uint32_t serial, bool unique, wn_event *e);
