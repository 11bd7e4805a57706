// SPDX-License-Identifier: Apache-2.0
// forward_bound.h: one destination's state, between forward.c (what there is to bring) and
// forward_turn.c (bringing it).
#pragma once

#include "forward.h"

typedef struct job {
    char site[WN_SITE_NAME_BYTES], table[32];
    wn_window window;
    wn_progress progress;
} job;

typedef struct suspect { // sent to the end, and nothing of it taken
    wn_public_head head;
    uint32_t refused, pending; // of these not yet counted
    uint64_t rows;
    uint8_t content[32];
} suspect;

typedef struct owed { // to be told, in order, before anything else is sent
    wn_public_head head;
    wn_progress p;
    uint64_t rows;
    uint8_t content[32];
} owed;
#define OWED_MAX (WN_FORWARD_SUSPECTS_MAX + 1)

typedef struct bound {
    wn_destination *d;
    const wn_sink *sink;
    job *jobs; // by window, site, table
    size_t jobs_n, jobs_cap, at;
    bool loaded; // rows of jobs[at]
    bool gone;   // and they are published no more
    wn_public_head head;
    wn_public_row *rows;
    size_t rows_n;
    uint8_t content[32];
    wn_progress said; // of the loaded job: what is durable
    size_t batch_max;
    size_t under_way; // rows of the loaded job, from rows_done on, of which the answer is awaited
    uint32_t pending; // refused one by one since the last row that was taken
    suspect suspects[WN_FORWARD_SUSPECTS_MAX];
    size_t suspects_n;
    owed owed[OWED_MAX];
    size_t owed_n;
    unsigned failures;
    int64_t again_at_s;
    bool stopped;
    wn_reason reason;
    int last_status;
    uint64_t sent, refused, doubtful;
} bound;

struct wn_forward {
    wn_forward_env env;
    wn_destinations to;
    bound *bound;
};

bool wn_bound_is_of(const wn_public_head *a, const wn_public_head *b); // the same site, table, window
void wn_bound_unload(bound *b);
// What is due of one destination.
WN_MUST_USE wn_err wn_bound_turn(wn_forward *f, bound *b, const wn_published *p);
WN_MUST_USE wn_err wn_bound_answered(wn_forward *f, bound *b, const wn_sink_answer *a);
// Tells what is owed; WN_OK: nothing is owed any more.
WN_MUST_USE wn_err wn_bound_pay(wn_forward *f, bound *b);
