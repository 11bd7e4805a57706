// SPDX-License-Identifier: Apache-2.0
// visit.h: one session as the table keeps it, and the rules by which it grows.
// Pure. Every rule is commutative and associative, so that the order of events
// cannot change a session.
#pragma once

#include "winnow/observation.h"

// The dimensions of the earliest event; `org` is the largest pseudonym of any of its events, so that an
// organisation named later in the session is the session's, too.
typedef struct wn_visit_lead {
    uint16_t closed[WN_SESSION_CLOSED_N];
    uint64_t referrer, source, medium, campaign;
    uint64_t prefix, org;
} wn_visit_lead;

typedef struct wn_visit {
    uint8_t person[16];
    uint64_t site;
    uint32_t start_s, last_s;           // Unix seconds; 2106 is the limit
    uint32_t first_view_s, last_view_s; // valid when views > 0
    wn_visit_lead lead;
    uint64_t entry, exit;
    uint16_t slot; // window slot + 1; 0: free
    uint16_t views, customs;
    uint8_t flags;
    uint8_t several; // 1: its events name more than one organisation
} wn_visit;
_Static_assert(sizeof(wn_visit) <= 128, "the table's budget a session");

// The session of a single event.
void wn_visit_begin(wn_visit *v, uint32_t window_slot, const wn_observation *obs, int64_t at_s);
// Same person and window, and no more than 30 minutes between them.
bool wn_visit_joins(const wn_visit *a, const wn_visit *b);
// `into` becomes both.
void wn_visit_merge(wn_visit *into, const wn_visit *from);
// Does one of its events name this organisation, or may it have?
bool wn_visit_names(const wn_visit *v, uint64_t org);
void wn_visit_observation(const wn_visit *v, wn_observation *out);
