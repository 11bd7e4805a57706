// SPDX-License-Identifier: Apache-2.0
// explain.c: tells, field by field, what became of an event. Reads what the
// filter decided and decides nothing; shows coarsened values, never the input.
#include <string.h>

#include "event_body.h"
#include "rows.h"
#include "work.h"

static wn_trace_step *add(wn_trace *t, wn_field f, const char *outcome) {
    WN_ASSERT(t->n < WN_COUNT(t->step));
    wn_trace_step *step = &t->step[t->n++];
    *step = (wn_trace_step){
        .field = f, .transform = wn_field_transform(f), .purpose = wn_field_purpose(f), .outcome = outcome};
    return step;
}

static void add_open(const wn_work *w, wn_trace *t, wn_field f, wn_dim_open dim) {
    const wn_text *text = &w->text[dim];
    if (text->n == 0) return;
    wn_trace_step *step = add(t, f, wn_dim_name(WN_CLOSED_N + dim));
    memcpy(step->out, text->s, text->n);
}

static void add_closed(const wn_work *w, wn_trace *t, wn_field f, wn_dim_closed dim) {
    char label[32];
    wn_closed_label(dim, w->obs->closed[dim], label);
    wn_trace_step *step = add(t, f, wn_dim_name(dim));
    memcpy(step->out, label, strlen(label));
}

static void explain_url(const wn_work *w, wn_trace *t) {
    add_open(w, t, WN_FIELD_url, WN_DIM_route);
    add_open(w, t, WN_FIELD_url, WN_DIM_source);
    add_open(w, t, WN_FIELD_url, WN_DIM_medium);
    add_open(w, t, WN_FIELD_url, WN_DIM_campaign);
}

static void explain_referrer(const wn_work *w, wn_trace *t) {
    if (w->internal) add(t, WN_FIELD_referrer, "dropped: a page of the same site");
    else if (w->text[WN_DIM_referrer].n == 0) add(t, WN_FIELD_referrer, "dropped: no registrable domain");
    add_open(w, t, WN_FIELD_referrer, WN_DIM_referrer);
    if (w->obs->closed[WN_DIM_channel] != 0) add_closed(w, t, WN_FIELD_referrer, WN_DIM_channel);
}

static void explain_agent(const wn_work *w, wn_trace *t) {
    add_closed(w, t, WN_FIELD_user_agent, WN_DIM_browser);
    add_closed(w, t, WN_FIELD_user_agent, WN_DIM_system);
    add_closed(w, t, WN_FIELD_user_agent, WN_DIM_device);
}

static const char *person_outcome(const wn_work *w, wn_field f) {
    if (!wn_granted(w->grants, WN_PURPOSE_measure)) return "dropped: needs measure";
    if (wn_person_field(w) != f) return "dropped: another id stands before it";
    return w->signed_id ? "keyed: person, an account" : "keyed: person";
}

static void explain_field(const wn_work *w, wn_trace *t, wn_field f) {
    switch (f) {
    case WN_FIELD_site: add(t, f, "kept: the site's tag"); return;
    case WN_FIELD_name: add_open(w, t, f, WN_DIM_event); return;
    case WN_FIELD_url: explain_url(w, t); return;
    case WN_FIELD_referrer: explain_referrer(w, t); return;
    case WN_FIELD_time: add_closed(w, t, f, WN_DIM_hour); return;
    case WN_FIELD_user_id:
    case WN_FIELD_anonymous_id:
    case WN_FIELD_device_id: add(t, f, person_outcome(w, f)); return;
    case WN_FIELD_user_sig: add(t, f, w->signed_id ? "checked: valid" : "dropped: not valid here"); return;
    case WN_FIELD_org: add(t, f, w->org_believed ? "keyed: organisation" : "dropped: not believed"); return;
    case WN_FIELD_language: add_closed(w, t, f, WN_DIM_language); return;
    case WN_FIELD_screen: add_closed(w, t, f, WN_DIM_screen); return;
    case WN_FIELD_country: add_closed(w, t, f, WN_DIM_country); return;
    case WN_FIELD_batch_id: add(t, f, "keyed: to count a repeat once"); return;
    case WN_FIELD_ip:
        add_closed(w, t, f, WN_DIM_country);
        add(t, f, "keyed: network prefix");
        return;
    case WN_FIELD_user_agent: explain_agent(w, t); return;
    case WN_FIELD_purposes:
    case WN_FIELD_gpc:
    case WN_FIELD_dnt: add(t, f, "read"); return;
    default: add(t, f, "dropped"); return;
    }
}

// Values the event did not hold and the sender's request gave.
static bool from_sender(const wn_work *w, wn_field f) {
    switch (f) {
    case WN_FIELD_ip: return w->sender->address != NULL;
    case WN_FIELD_user_agent: return w->sender->user_agent.n > 0;
    case WN_FIELD_language: return w->sender->accept_language.n > 0;
    case WN_FIELD_url: return w->sender->page.n > 0;
    case WN_FIELD_gpc: return w->sender->gpc;
    case WN_FIELD_dnt: return w->sender->dnt;
    case WN_FIELD_time: return true;
    default: return false;
    }
}

static bool holds(const wn_text *text, wn_span id) {
    return id.n >= 6 && text->n >= id.n && memmem(text->s, text->n, id.p, id.n) != NULL;
}

// A fault if it ever answers true: an identifying value stands whole in what travels.
static bool stays(const wn_work *w) {
    static const wn_field identifying[] = {WN_FIELD_user_id,  WN_FIELD_anonymous_id, WN_FIELD_device_id,
                                           WN_FIELD_user_sig, WN_FIELD_org,          WN_FIELD_ip,
                                           WN_FIELD_batch_id, WN_FIELD_user_agent};
    for (size_t i = 0; i < WN_COUNT(identifying); i++)
        for (unsigned dim = 0; dim < WN_OPEN_N; dim++)
            if (holds(&w->text[dim], wn_event_get(w->e, identifying[i]))) return true;
    return false;
}

void wn_explain(const wn_work *w, wn_verdict verdict, wn_trace *out) {
    out->n = 0;
    out->identifying = false;
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        bool given = wn_event_has(w->e, (wn_field)f);
        if (verdict != WN_KEEP) {
            if (given) add(out, (wn_field)f, "dropped with the event");
        } else if (given || from_sender(w, (wn_field)f)) {
            explain_field(w, out, (wn_field)f);
        }
    }
    if (verdict == WN_KEEP) out->identifying = stays(w);
}
