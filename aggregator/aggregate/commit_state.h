// SPDX-License-Identifier: Apache-2.0
// commit_state.h: inside of a commit, for the commit_*.c files alone.
#pragma once

#include "commit.h"
#include "fold_state.h"
#include "record.h"

#define BLOCK_OBS 32

typedef struct pending { // one observation
    wn_observation obs;
    const wn_table_keys *keys;
    uint8_t epoch;
} pending;

typedef struct refusal {
    uint64_t site;
    uint64_t refused;
} refusal;

typedef struct work { // one increment on its way
    wn_increment inc;
    uint64_t hash; // of the cell, then of the member
    uint32_t cell, hint;
} work;

typedef struct block {
    work item[BLOCK_OBS * WN_TABLES_MAX];
    size_t start[BLOCK_OBS + 1];
} block;

struct wn_commit {
    wn_fold *f;
    wn_growing obs, refusals; // pending, refusal
    size_t obs_n, refusals_n;
    wn_pool texts; // values alone: what the batches brought
    // made by encode:
    wn_pool add;                   // what is new, numbered on from the fold's
    wn_networks claims;            // unsigned people this commit adds, a prefix
    wn_growing capped, open_cells; // uint32 a site; uint32 a (site, table)
    size_t capped_n;
    wn_growing repeats, extras, order; // uint64 each
    size_t repeats_n, extras_n, order_n;
    block *block;
    wn_record_out out;
    wn_record_state base; // the fold's at encode
};

static inline pending *pending_at(const wn_commit *c, size_t i) {
    return (pending *)(void *)c->obs.p + i;
}
static inline refusal *refusal_at(const wn_commit *c, size_t i) {
    return (refusal *)(void *)c->refusals.p + i;
}
static inline uint32_t *u32_at(const wn_growing *g, size_t i) {
    return (uint32_t *)(void *)g->p + i;
}
static inline uint64_t *u64_at(const wn_growing *g, size_t i) {
    return (uint64_t *)(void *)g->p + i;
}

// A repeat in 64 bits: member, what the clamps leave room for, and the increment (0 or 1 of each).
enum {
    REPEAT_EVENT = 2,
    REPEAT_SESSION = 1,
    REPEAT_SESSIONS_AT = 2,
    REPEAT_EVENTS_AT = 8,
    REPEAT_MEMBER_AT = 16
};
_Static_assert(WN_SESSIONS_CLAMP < 1 << (REPEAT_EVENTS_AT - REPEAT_SESSIONS_AT), "sessions fit their bits");

// What repeats bring beside events and sessions is rarer and a word of its own: member,
// table, and a bounce and the seconds of a session, or the number of an event.
enum {
    EXTRA_NUMBER = 1u << 16, // else of a session
    EXTRA_BOUNCE = 1u << 11,
    EXTRA_SECONDS = EXTRA_BOUNCE - 1,
    EXTRA_TABLE_AT = 17,
    EXTRA_TABLE_BITS = 6,
    EXTRA_MEMBER_AT = 32
};
_Static_assert(WN_SESSION_SECONDS_MAX <= EXTRA_SECONDS, "seconds fit their bits");
_Static_assert(WN_TABLES_MAX <= 1 << EXTRA_TABLE_BITS, "a table fits its bits");

// The number of a site: the fold's, or one that the commit adds.
WN_MUST_USE wn_err wn_commit_site(wn_commit *c, uint64_t tag, uint32_t *out);
// Decides for all gathered observations what they add.
WN_MUST_USE wn_err wn_commit_take(wn_commit *c);
// Writes what was decided into records.
WN_MUST_USE wn_err wn_commit_write(wn_commit *c);
