// SPDX-License-Identifier: Apache-2.0
// session_model.h: one life of a collector on shared memory, and what the
// sessions must be whatever ends that life.
#pragma once

#include <stdatomic.h>

#include "session.h"

enum { SESSIONS_MAX = 64, PEOPLE = 12, TXNS_MAX = 40000, TOUCHES = 3, OUT_MAX = TXNS_MAX * TOUCHES };

// What a spool would hold: both sides see it, like the table itself.
typedef struct fake_spool {
    _Atomic uint64_t durable;
    uint64_t out_n; // the writer's; cut back to what is durable at start
    struct {
        wn_observation obs;
        uint64_t txn;
    } out[OUT_MAX];
} fake_spool;

void *model_shared(size_t n); // zeroed, seen by children
// Runs the transactions after the durable one, `txns` of them. Not zero: which step failed.
int model_live(wn_kept *mem, fake_spool *s, uint64_t txns);
// Sessions of transactions 1..last without any kill, sorted; how many.
size_t model_sessions(uint64_t last, wn_observation *out);
// Those a killed life leaves (in `mem`, which is changed) and has handed out, sorted.
size_t model_left(wn_kept *mem, const fake_spool *s, wn_observation *out);
