// SPDX-License-Identifier: Apache-2.0
// unwalled.c: what would travel without the filter. Only the wall-off test
// build calls it, so that the canary scan can show that it finds identifiers.
#include <string.h>

#include "event_body.h"
#include "work.h"

static void append(wn_text *t, wn_span v) {
    size_t n = v.n < WN_OPEN_TEXT_MAX - t->n ? v.n : WN_OPEN_TEXT_MAX - t->n;
    if (n > 0) memcpy(t->s + t->n, v.p, n);
    t->n += n;
    t->s[t->n] = '\0';
}

static void take(const wn_work *w, wn_dim_open dim, wn_span v) {
    if (v.n == 0) return;
    w->text[dim].n = 0;
    append(&w->text[dim], v);
}

void wn_unwalled_texts(wn_work *w) {
    static const wn_field ids[] = {WN_FIELD_user_id, WN_FIELD_anonymous_id, WN_FIELD_device_id};
    wn_span agent = wn_event_get(w->e, WN_FIELD_user_agent);
    take(w, WN_DIM_route, w->url);
    take(w, WN_DIM_event, wn_event_get(w->e, WN_FIELD_name));
    take(w, WN_DIM_referrer, wn_event_get(w->e, WN_FIELD_referrer));
    take(w, WN_DIM_source, agent.n ? agent : w->sender->user_agent);
    for (size_t i = WN_COUNT(ids); i > 0; i--) take(w, WN_DIM_medium, wn_event_get(w->e, ids[i - 1]));
    take(w, WN_DIM_campaign, wn_event_get(w->e, WN_FIELD_ip));
    append(&w->text[WN_DIM_campaign], wn_event_get(w->e, WN_FIELD_org));
}
