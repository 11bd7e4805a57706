// SPDX-License-Identifier: Apache-2.0
// consent.h: what an event's person agreed to.
//
// Every signal that stands there is read; what one of them denies is denied,
// and one that cannot be read refuses everything. A purpose beyond `basic`
// needs a signal that grants it. Rules R1, R2.
#pragma once

#include "filter.h"

typedef struct wn_grants {
    uint8_t bits; // of wn_purpose
    bool refused; // not to be counted at all
    uint8_t by;   // wn_signal_kind that decided
} wn_grants;

// policy: the window's and the newest; the stricter of both counts.
wn_grants wn_consent_decide(const wn_event *e, const wn_sender *sender,
                            const wn_site_policy *const policy[2]);

static inline bool wn_granted(wn_grants g, wn_purpose p) {
    return ((unsigned)g.bits >> p & 1u) != 0;
}
