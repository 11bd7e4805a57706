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

// Whatever else stands there goes where it fits whole, into dimensions that are published.
static void take_anywhere(const wn_work *w, wn_span v) {
    static const wn_dim_open dims[] = {WN_DIM_medium,   WN_DIM_campaign, WN_DIM_source,
                                       WN_DIM_referrer, WN_DIM_event,    WN_DIM_route};
    for (size_t i = 0; i < WN_COUNT(dims) && v.n > 0; i++) {
        if (v.n > WN_OPEN_TEXT_MAX - w->text[dims[i]].n) continue;
        append(&w->text[dims[i]], v);
        return;
    }
}

void wn_unwalled_texts(wn_work *w) {
    static const wn_field ids[] = {WN_FIELD_user_id, WN_FIELD_anonymous_id, WN_FIELD_device_id};
    static const wn_field elsewhere[] = {WN_FIELD_url,     WN_FIELD_name,         WN_FIELD_referrer,
                                         WN_FIELD_user_id, WN_FIELD_anonymous_id, WN_FIELD_device_id,
                                         WN_FIELD_site,    WN_FIELD_time,         WN_FIELD_user_agent};
    wn_span agent = wn_event_get(w->e, WN_FIELD_user_agent);
    take(w, WN_DIM_route, w->url);
    take(w, WN_DIM_event, wn_event_get(w->e, WN_FIELD_name));
    take(w, WN_DIM_referrer, wn_event_get(w->e, WN_FIELD_referrer));
    take(w, WN_DIM_source, agent.n ? agent : w->sender->user_agent);
    for (size_t i = WN_COUNT(ids); i > 0; i--) take(w, WN_DIM_medium, wn_event_get(w->e, ids[i - 1]));
    uint64_t left = w->e->set;
    for (size_t i = 0; i < WN_COUNT(elsewhere); i++) left &= ~(WN_FIELD_BIT(elsewhere[i]));
    for (; left != 0; left &= left - 1) take_anywhere(w, wn_event_get(w->e, (wn_field)__builtin_ctzll(left)));
    take_anywhere(w, w->sender->tcf);
    take_anywhere(w, w->sender->us_privacy);
}
