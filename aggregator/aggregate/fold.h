// SPDX-License-Identifier: Apache-2.0
// fold.h: the open window in memory: cells, who is in them, in order of joining.
//
// Deterministic: the same journal records in the same order give the same fold,
// cell numbers and joining order included, so that a replayed journal gives
// back every baseline index. Holds open texts sealed.
// Changes come through commit.h; wn_fold_add and its kin change it directly.
// Memory: about 45 bytes a (cell, person) and 70 a cell.
#pragma once

#include "increments.h"

typedef struct wn_fold wn_fold;

// Limits from options: ids_per_prefix_max, open_values_max. The plan is
// borrowed for the call. WN_ERR_CONFIG: table 0 does not hold everybody (it has
// a dimension, `share` or noise), or a table has no clamp.
WN_MUST_USE wn_err wn_fold_new(const wn_plan *plan, uint32_t ids_per_prefix_max, uint32_t open_values_max,
                               wn_fold **out);
void wn_fold_free(wn_fold *f); // wipes; NULL fine

// Would table 0 take this person? False: the prefix is at its cap (unsigned ids
// only, both epochs together): count it as capped, drop the whole observation.
bool wn_fold_admits(const wn_fold *f, const wn_increment *table0);
// Applies one increment. An open value for which the side table is full folds
// into the table's overflow cell (counts in `other` only): `inc->value` is
// rewritten to WN_VALUE_OVERFLOW, both of it. Tables with noise have no such
// limit (R6). The first sight of a person in a cell decides prefix,
// organisation and signature here (commit.h: in the window, and organisations that
// are named later).
WN_MUST_USE wn_err wn_fold_add(wn_fold *f, wn_increment *inc);
#define WN_VALUE_OVERFLOW UINT64_MAX
// Sealed text of an open value, first sight wins. Ignored past the limit, and
// when v->n is 0 (its text was sent before).
WN_MUST_USE wn_err wn_fold_value(wn_fold *f, const wn_value *v, bool *out_new);
#define WN_FOLD_VALUES_FACTOR 4 // texts held: 4 × open_values_max × tables
// NULL when not held. Valid until the next change; of `bytes` only the first n.
const wn_value *wn_fold_value_of(const wn_fold *f, uint64_t id);
WN_MUST_USE wn_err wn_fold_count(wn_fold *f, uint64_t site, uint32_t refused, uint32_t capped);
uint64_t wn_fold_refused(const wn_fold *f, uint64_t site);
uint64_t wn_fold_capped(const wn_fold *f, uint64_t site);
size_t wn_fold_bytes(const wn_fold *f);
uint64_t wn_fold_people(const wn_fold *f); // entries of table 0, for the memory line of `status`

// ---- reading, for release/ and the journal's base ----
typedef struct wn_member { // one person in one cell
    uint64_t person;
    uint64_t prefix, org;                // handles: equal iff the same in this site; org 0 undeclared, so far
    uint8_t signed_id, events, sessions; // events clamped by the table
    uint8_t bounces;                     // at most `sessions`
    uint16_t seconds;                    // on site, in all sessions (20 × 1,800 at most)
    uint16_t number;                     // clamped by the table
} wn_member;

typedef struct wn_cell { // by value; valid until the next add
    uint32_t index;
    uint64_t site;
    uint8_t table, epoch;
    uint64_t value[2];
    uint32_t people;
    uint64_t events, sessions; // clamped sums
    uint32_t baseline;         // people at the last published step (0: hidden)
} wn_cell;
size_t wn_fold_cells(const wn_fold *f);
void wn_fold_cell(const wn_fold *f, size_t i, wn_cell *out);
// Never lower than before, at most `people`.
void wn_fold_set_baseline(wn_fold *f, size_t i, uint32_t baseline);
// Did anybody name an organisation after first sight? Then a row's people may be others' than they were at
// its step.
bool wn_fold_named_late(const wn_fold *f);
unsigned wn_fold_epochs(const wn_fold *f); // highest epoch seen + 1
// Number of a cell; SIZE_MAX when there is none.
size_t wn_fold_find(const wn_fold *f, uint64_t site, uint8_t table, const uint64_t value[2], uint8_t epoch);
// Visits members of cell i from the from-th to join on, in order of joining.
void wn_fold_members(const wn_fold *f, size_t i, uint32_t from, void (*fn)(void *ctx, const wn_member *m),
                     void *ctx);

// The whole fold as journal records, order kept (packed base; baselines are
// not in it), each at most WN_JOURNAL_BYTES_MAX, and back into a new fold.
// Plain bytes: the store encrypts.
#define WN_JOURNAL_BYTES_MAX ((1u << 20) - 4096) // leaves the store room for its overhead in 1 MiB
WN_MUST_USE wn_err wn_fold_pack(const wn_fold *f, wn_err (*sink)(void *ctx, wn_span part), void *ctx);
WN_MUST_USE wn_err wn_fold_unpack(wn_fold *f, wn_span part);

// Applies one journal record. It names the state it follows: WN_ERR_STATE,
// and nothing changed, when a record is missing, repeated or out of order;
// WN_ERR_VERSION for another format. After WN_ERR_FORMAT or WN_ERR_NOMEM the
// fold is half changed: free it.
WN_MUST_USE wn_err wn_journal_replay(wn_fold *f, wn_span record);
