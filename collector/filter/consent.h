// SPDX-License-Identifier: Apache-2.0
// consent.h: what an event's person agreed to.
#pragma once

#include "filter.h"

typedef struct wn_grants {
    uint8_t bits; // of wn_purpose
    bool refused; // not to be counted at all
} wn_grants;

// Absent: `basic`. A list without `basic`, an empty one, or a signal that
// cannot be read refuses. GPC and DNT leave `basic`. Source: privacy.md R1, R2.
wn_grants wn_consent_decide(const wn_event *e, bool gpc, bool dnt);

static inline bool wn_granted(wn_grants g, wn_purpose p) {
    return ((unsigned)g.bits >> p & 1u) != 0;
}
