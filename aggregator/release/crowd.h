// SPDX-License-Identifier: Apache-2.0
// crowd.h: does a set of people hide each of its people and organisations (R4)?
//
// Pure; integers only. The caller adds each person once.
#pragma once

#include "fold.h"

typedef struct wn_crowd wn_crowd; // accumulates a set; reusable

WN_MUST_USE wn_err wn_crowd_new(wn_crowd **out);
void wn_crowd_free(wn_crowd *c); // NULL fine
void wn_crowd_reset(wn_crowd *c, bool site_declares);
WN_MUST_USE wn_err wn_crowd_add(wn_crowd *c, const wn_member *m);
// The same, and what this person adds to a sum.
WN_MUST_USE wn_err wn_crowd_add_amount(wn_crowd *c, const wn_member *m, uint32_t amount);
uint64_t wn_crowd_sum(const wn_crowd *c);
uint64_t wn_crowd_largest(const wn_crowd *c); // what one person adds at most
uint32_t wn_crowd_people(const wn_crowd *c);
// The people rule in signed ids plus prefixes ≥ k, and ≥ 4 organisations with
// n − x1 − x2 − x3 ≥ p/100 · x1.
bool wn_crowd_holds(const wn_crowd *c, uint32_t k, uint32_t p_percent);
// The p% rule on the sum: what all but the three largest add is ≥ p/100 of what
// the largest adds, of people and of organisations alike.
bool wn_crowd_sum_holds(const wn_crowd *c, uint32_t p_percent);
