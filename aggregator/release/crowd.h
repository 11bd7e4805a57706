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
uint32_t wn_crowd_people(const wn_crowd *c);
// The people rule in signed ids plus prefixes ≥ k, and ≥ 4 organisations with
// n − x1 − x2 − x3 ≥ p/100 · x1.
bool wn_crowd_holds(const wn_crowd *c, uint32_t k, uint32_t p_percent);
