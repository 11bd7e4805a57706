// SPDX-License-Identifier: Apache-2.0
// people_union.h: the set union of people of several cells of one table and
// epoch: each person once, their share clamped as in a cell. Private to release/.
#pragma once

#include "crowd.h"

typedef struct wn_people_union wn_people_union;

WN_MUST_USE wn_err wn_people_union_new(wn_people_union **out);
void wn_people_union_free(wn_people_union *u); // wipes; NULL fine
void wn_people_union_reset(wn_people_union *u, bool site_declares, unsigned clamp);
WN_MUST_USE wn_err wn_people_union_add(wn_people_union *u, const wn_fold *f, size_t cell);
const wn_crowd *wn_people_union_crowd(const wn_people_union *u);
uint64_t wn_people_union_events(const wn_people_union *u);
uint64_t wn_people_union_sessions(const wn_people_union *u);
