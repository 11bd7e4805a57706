// SPDX-License-Identifier: Apache-2.0
// explain.c: tells, field by field, what became of an event. Reads what the
// filter decided and decides nothing; shows coarsened values, never the input.
#include <string.h>

#include "event_body.h"
#include "rows.h"
#include "work.h"

// Which dimensions a field becomes. A field without a row is keyed, read or dropped.
static const struct {
    wn_field field;
    uint8_t dim; // as wn_dim_name counts
} becomes[] = {
#define CLOSED(field, dim) {WN_FIELD_##field, WN_DIM_##dim},
#define OPEN(field, dim) {WN_FIELD_##field, WN_CLOSED_N + WN_DIM_##dim},
    OPEN(name, event) //
    OPEN(url, route) OPEN(url, source) OPEN(url, medium) OPEN(url, campaign) //
    OPEN(referrer, referrer) CLOSED(referrer, channel) //
    CLOSED(time, hour) //
    CLOSED(ip, country) OPEN(ip, region) //
    CLOSED(user_agent, browser) CLOSED(user_agent, browser_version) //
    CLOSED(user_agent, system) CLOSED(user_agent, system_version) CLOSED(user_agent, device) //
    CLOSED(language, language) CLOSED(screen, screen) CLOSED(country, country) //
    CLOSED(time_zone, area) CLOSED(os, system) CLOSED(os_version, system_version) //
    OPEN(app_version, app_version) CLOSED(maker, maker) OPEN(model, model) //
    CLOSED(connection, connection) OPEN(campaign, campaign) //
    OPEN(link, link) OPEN(exit_link, exit_link) OPEN(feature, feature) //
    CLOSED(interaction, size) OPEN(search_term, term) OPEN(crash, crash) //
    OPEN(props, prop1) OPEN(props, prop2) OPEN(props, prop3) OPEN(props, prop4) //
    CLOSED(age, age) CLOSED(birthday, age) CLOSED(job_title, job) //
    OPEN(survey, answer) OPEN(answer, answer) //
#undef CLOSED
#undef OPEN
};

static wn_trace_step *add(wn_trace *t, wn_field f, const char *outcome) {
    WN_ASSERT(t->n < WN_COUNT(t->step));
    wn_trace_step *step = &t->step[t->n++];
    *step = (wn_trace_step){
        .field = f, .transform = wn_field_transform(f), .purpose = wn_field_purpose(f), .outcome = outcome};
    return step;
}

static void add_dimension(const wn_work *w, wn_trace *t, wn_field f, unsigned dim) {
    char label[32];
    if (wn_dim_is_open(dim)) {
        const wn_text *text = &w->text[dim - WN_CLOSED_N];
        if (text->n > 0) memcpy(add(t, f, wn_dim_name(dim))->out, text->s, text->n);
        return;
    }
    if (w->obs->closed[dim] == 0) return;
    wn_closed_label(dim, w->obs->closed[dim], label);
    memcpy(add(t, f, wn_dim_name(dim))->out, label, strlen(label));
}

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static const char *shut_by(const wn_work *w, wn_field f) {
    unsigned needs = wn_field_purposes(f) & ~(unsigned)w->grants.bits;
    if (w->mail && needs == 0) return "dropped: of an opened mail only the campaign is read";
    if (needs == 0) return "dropped: the site's policy shuts it";
#define PURPOSE(name, dflt, doc)                                                                             \
    if (needs & 1u << WN_PURPOSE_##name) return "dropped: needs " #name;
#include "purposes.def"
#undef PURPOSE
    return "dropped";
}

static const char *person_outcome(const wn_work *w, wn_field f) {
    if (wn_person_field(w) != f) return "dropped: another id stands before it";
    return w->signed_id ? "keyed: person, an account" : "keyed: person";
}

// What is neither a dimension nor merely dropped.
static const char *other_outcome(const wn_work *w, wn_field f) {
    const char *transform = wn_field_transform(f);
    if (is(transform, "SITE")) return "kept: the site's tag";
    if (is(transform, "PERSON_KEY")) return person_outcome(w, f);
    if (is(transform, "SIGNATURE")) return w->signed_id ? "checked: valid" : "dropped: not valid here";
    if (is(transform, "ORG_KEY")) return w->org_believed ? "keyed: organisation" : "dropped: not believed";
    if (is(transform, "DEDUPLICATE")) return "keyed: to count a repeat once";
    if (is(transform, "IP_TO_COUNTRY")) return "keyed: network prefix";
    if (is(transform, "CHILD") || is(transform, "CONSENT")) return "read";
    if (is(transform, "ADVERTISING_ID") || is(transform, "IDENTIFIER")) return "dropped: an identifier";
    return NULL;
}

static const char *nothing_of(const wn_work *w, wn_field f) {
    if (f == WN_FIELD_referrer && w->internal) return "dropped: a page of the same site";
    if (f == WN_FIELD_referrer) return "dropped: no registrable domain";
    if (is(wn_field_transform(f), "DECLARED")) return "dropped: the policy does not declare it";
    return "dropped: not on its list, or shaped like an identifier";
}

static void explain_field(const wn_work *w, wn_trace *t, wn_field f) {
    if (!wn_work_permits(w, f)) {
        add(t, f, shut_by(w, f));
        return;
    }
    size_t before = t->n;
    if (f == WN_FIELD_referrer && w->text[WN_DIM_referrer].n == 0) add(t, f, nothing_of(w, f));
    for (size_t i = 0; i < WN_COUNT(becomes); i++)
        if (becomes[i].field == f) add_dimension(w, t, f, becomes[i].dim);
    const char *other = other_outcome(w, f);
    if (other != NULL) add(t, f, other);
    if (t->n == before) add(t, f, nothing_of(w, f));
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
    case WN_FIELD_tcf: return w->sender->tcf.n > 0;
    case WN_FIELD_us_privacy: return w->sender->us_privacy.n > 0;
    case WN_FIELD_time: return true;
    default: return false;
    }
}

static bool holds(const wn_text *text, wn_span id) {
    return id.n >= 6 && text->n >= id.n && memmem(text->s, text->n, id.p, id.n) != NULL;
}

// A fault if it ever answers true: an identifying value stands whole in what travels.
static bool stays(const wn_work *w) {
    static const char *const identifying[] = {"PERSON_KEY",      "SIGNATURE",      "ORG_KEY",
                                              "IP_TO_COUNTRY",   "DEDUPLICATE",    "AGENT_TO_FAMILY",
                                              "IDENTIFIER",      "ADVERTISING_ID", "CONSENT"};
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        bool names = false;
        for (size_t i = 0; i < WN_COUNT(identifying); i++)
            names |= is(wn_field_transform((wn_field)f), identifying[i]);
        for (unsigned dim = 0; names && dim < WN_OPEN_N; dim++)
            if (holds(&w->text[dim], wn_event_get(w->e, (wn_field)f))) return true;
    }
    return false;
}

void wn_explain(const wn_work *w, wn_verdict verdict, wn_trace *out) {
    out->n = 0;
    out->identifying = out->shared = false;
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        bool given = wn_event_has(w->e, (wn_field)f);
        if (verdict != WN_KEEP) {
            if (given) add(out, (wn_field)f, "dropped with the event");
        } else if (given || from_sender(w, (wn_field)f)) {
            explain_field(w, out, (wn_field)f);
        }
    }
    if (verdict != WN_KEEP) return;
    out->identifying = stays(w);
    out->shared = (w->obs->flags & WN_OBS_SHARE) != 0;
}
