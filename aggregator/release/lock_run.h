// SPDX-License-Identifier: Apache-2.0
// lock_run.h: one tick or seal under way, for the files of release/ alone.
#pragma once

#include "row_list.h"

typedef struct wn_lock_run {
    const wn_fold *f;
    const wn_plan *plan;
    const wn_lock_rules *rules;
    wn_row_index index;      // of the rows as they were before
    wn_crowd *all, *joiners; // scratch
} wn_lock_run;

bool wn_lock_declares(const wn_lock_rules *rules, uint64_t site);
// The cell, or another epoch's of the same row, is frozen.
bool wn_lock_frozen(const wn_fold *f, const wn_lock_rules *rules, const wn_cell *c);
static inline uint64_t wn_lock_floor(uint64_t n, uint32_t k) {
    return n - n % k;
}
// Tables with noise have rows of their own making (R6): no steps, no `other`.
static inline bool wn_lock_of_crowd(const wn_plan *plan, const wn_cell *c) {
    return plan->table[c->table].profile == WN_PROFILE_CROWD;
}
static inline bool wn_lock_overflow(const wn_cell *c) {
    return c->value[0] == WN_VALUE_OVERFLOW;
}

// Replaces `rows` (after the last tick) by the final rows: each table with its
// `other` and without what that absorbed. `rows` is unchanged after an error.
WN_MUST_USE wn_err wn_other_add(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                                wn_rows *rows);
