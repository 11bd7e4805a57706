// SPDX-License-Identifier: Apache-2.0
// locks.h: profile `crowd`: when a cell may be shown, and what is then shown.
//
// Pure; integers only. A published people count is k·⌊n/k⌋; a cell is shown
// when that is ≥ k and R4 holds for everybody in it, and moves only when the
// multiple has grown and R4 holds for those who joined since (R4, R5).
// Tables with noise are passed over.
// After an epoch change a row is decided by its cell with the most people
// (the earlier epoch on a tie), never by a sum.
#pragma once

#include "crowd.h"
#include "fold.h"

typedef struct wn_lock_rules {
    uint32_t p_percent;    // 20..35, drawn at install, never exported
    const wn_sites *sites; // which sites declare organisations; an unknown site does
    // Tags of sites that declared organisations at any time of the window: a
    // lock is never loosened within one (R3).
    const uint64_t *declare;
    size_t declare_n;
    // A byte a cell, 1: somebody of it was purged (R16). It takes no further step, nor
    // does any other epoch's cell of its row; what is published of it stays; its table
    // shows no `other`. Cells from frozen_n on are not frozen.
    const uint8_t *frozen;
    size_t frozen_n;
} wn_lock_rules;

typedef struct wn_row { // one published row
    uint64_t site;
    uint8_t table;
    uint8_t is_other;
    uint64_t value[2];
    uint32_t people;           // multiple of k
    uint64_t events, sessions; // multiples of k
    // At the seal, where `locked` has the measure's bit (R4), and never of `other`:
    uint64_t bounces, seconds, number; // multiples of k, of 10 s, of k; or of coarser steps
    uint8_t locked;
} wn_row;

// A state of one window's published rows: rows never shrink before seal.
typedef struct wn_rows {
    wn_row *row;
    size_t n, cap;
} wn_rows;
void wn_rows_fini(wn_rows *r);

// A step a tick would take: cell index and its new baseline.
typedef struct wn_step {
    uint32_t cell;
    uint32_t baseline;
} wn_step;
typedef struct wn_steps {
    wn_step *step;
    size_t n, cap;
} wn_steps;
void wn_steps_fini(wn_steps *s);

// Computes which cells move and updates `rows` (the currently published rows of
// the window; grown in place). Changes no fold: the caller stores the steps as
// an intent first, then applies them with wn_fold_set_baseline, then publishes.
// out_steps ({0} or of an earlier tick) is emptied first. After an error both
// are as before, but for the emptied steps.
WN_MUST_USE wn_err wn_locks_tick(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                                 wn_rows *rows, wn_steps *out_steps);
// The last tick, plus `other` per table (set union of people in hidden rows of
// one epoch; absorbs the smallest shown row while it fails a lock).
WN_MUST_USE wn_err wn_locks_seal(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                                 wn_rows *rows, wn_steps *out_steps);

// The k in force for a table: its own, never under the floor compiled in.
#define WN_K_FLOOR 5
uint32_t wn_lock_k(const wn_table *table);
// Events are shown in steps of k, and of 35 % of what one person may add where that is more: else a table
// with a large clamp would show by a total less its rows what one hidden person did.
uint32_t wn_lock_events_step(const wn_table *table);
