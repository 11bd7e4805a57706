// SPDX-License-Identifier: Apache-2.0
// consent.c: reads the purposes of an event; every doubt refuses.
#include "consent.h"

#include "event_body.h"

typedef enum signal { SIGNAL_OFF, SIGNAL_ON, SIGNAL_UNREADABLE } signal;

static signal read_signal(const wn_event *e, wn_field f) {
    if (!wn_event_has(e, f)) return SIGNAL_OFF;
    wn_span v = wn_event_get(e, f);
    if (v.n == 1 && v.p[0] == '0') return SIGNAL_OFF;
    if (v.n == 1 && v.p[0] == '1') return SIGNAL_ON;
    return SIGNAL_UNREADABLE;
}

wn_grants wn_consent_decide(const wn_event *e, bool gpc, bool dnt) {
    const uint8_t basic = 1u << WN_PURPOSE_basic;
    signal event_gpc = read_signal(e, WN_FIELD_gpc), event_dnt = read_signal(e, WN_FIELD_dnt);
    if (e->doubt || event_gpc == SIGNAL_UNREADABLE || event_dnt == SIGNAL_UNREADABLE)
        return (wn_grants){.refused = true};
    uint8_t bits = e->list_begun ? e->granted : basic;
    if (!(bits & basic)) return (wn_grants){.refused = true};
    if (gpc || dnt || event_gpc == SIGNAL_ON || event_dnt == SIGNAL_ON) bits = basic;
    return (wn_grants){.bits = bits};
}
