// SPDX-License-Identifier: Apache-2.0
// bench_rig.h: the real filter behind the real edge (window keys, country
// database), fed with the events of bench_world.h.
#pragma once

#include "bench_full.h"
#include "bench_world.h"
#include "edge.h"
#include "sites.h"

typedef struct wn_bench_rig {
    wn_options options;
    wn_slots *slots;
    wn_kept identity;
    wn_policies *policies;
    wn_edge *edge;
    wn_site_list *sites;
    wn_event *event;
    wn_scratch *scratch;
    wn_sender sender;
    wn_address address;
    wn_lookups look;
    uint8_t dedupe_key[32];
    int64_t now_s;
    const wn_bench_full *full; // set: what an app says is added to each event
    bool unique;               // of it nothing occurs twice
} wn_bench_rig;

// Sites of kind app (their days stay open for 72 h) in UTC; now is noon of the day after day_s.
// policy: as CONFIG/policy.yaml; NULL: the built-in one.
WN_MUST_USE wn_err wn_bench_rig_open(const char *dir, const char *country_db, int64_t day_s,
                                     const char *policy, wn_bench_rig *out);
void wn_bench_rig_close(wn_bench_rig *r);
// Fills an event, filters it, wipes it. out->values live until the next call.
wn_verdict wn_bench_rig_filter(wn_bench_rig *r, const wn_bench_event *e, wn_filtered *out);
void wn_bench_rig_forget(wn_bench_rig *r); // caches begin empty again
