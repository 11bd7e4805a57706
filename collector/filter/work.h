// SPDX-License-Identifier: Apache-2.0
// work.h: one event on its way through the filter, between two steps.
#pragma once

#include <string.h>

#include "consent.h"
#include "event_body.h"
#include "filter.h"
#include "url_parts.h"

// Coarsened text of one open dimension.
typedef struct wn_text {
    size_t n; // 0: absent
    char s[WN_OPEN_TEXT_MAX + 1];
} wn_text;

typedef struct wn_work {
    const wn_event *e;
    const wn_sender *sender;
    const wn_lookups *look;
    wn_scratch *scratch;
    const wn_site *site;
    const wn_site_policy *policy[2]; // of the window, and the newest
    const wn_edge_window *window;
    int64_t at_s;
    uint64_t permitted; // fields that consent and policy let through
    uint64_t readable;  // those of them that the event has
    wn_grants grants;
    wn_obs_kind kind;
    wn_span url;        // of the event, or the sender's page
    wn_url_parts parts; // when url.n > 0
    size_t page_n;      // bytes of `page`; 0: the address names no host
    wn_address address;
    bool has_address;
    wn_agent agent;
    bool mail;     // an opened mail: nothing but its campaign is read
    bool internal; // came from a page of the same site
    bool signed_id, org_believed;
    bool sensitive; // a page the policy calls so, with consent to it
    wn_text *text;  // WN_OPEN_N
    wn_observation *obs;
    char page[WN_HOST_BYTES]; // host of the page, lower case; last, because it is not zeroed
} wn_work;

// A field's value, {NULL, 0} when consent or policy keep it shut.
static inline wn_span wn_work_get(const wn_work *w, wn_field f) {
    return (w->readable >> f & 1) != 0 ? wn_event_get(w->e, f) : (wn_span){NULL, 0};
}
// The same question for what the request said in the field's stead.
static inline bool wn_work_permits(const wn_work *w, wn_field f) {
    return (w->permitted >> f & 1) != 0;
}
static inline bool wn_work_has(const wn_work *w, uint64_t fields) {
    return (w->readable & fields) != 0;
}
static inline void wn_work_text(wn_work *w, wn_dim_open dim, const char *s, size_t n) {
    memcpy(w->text[dim].s, s, n);
    w->text[dim].s[n] = '\0';
    w->text[dim].n = n;
}

// form.c: what must hold of every event before anybody asks about consent.
wn_verdict wn_form_check(wn_work *w);
bool wn_form_own_host(const wn_site *site, const char *host, size_t n);

// permit.c: consent, policy and age: whether the event counts, and which of its fields may be read.
wn_verdict wn_permit(wn_work *w);

// coarsen.c: fields become dimensions.
void wn_coarsen(wn_work *w);
// come_from.c: referrer, tags and channel.
void wn_come_from(wn_work *w);
// declared.c: properties and survey answers, as the policy declares them.
void wn_declared(wn_work *w);
// The decimal text of a JSON or msgpack number, cut towards zero and to `max`, in integers alone.
// False for what is below zero, and for what is no number.
bool wn_number_whole(wn_span text, uint16_t max, uint16_t *out);

// The id the person goes by: user_id, anonymous_id or device_id; WN_FIELD_N under no `measure`.
wn_field wn_person_field(const wn_work *w);
// Whether the id is signed and the organisation believed.
void wn_person_believe(wn_work *w);
// person, prefix, org and the signed flag.
void wn_person_set(wn_work *w);

// Takes the walls down (tests only): raw values as open text.
void wn_unwalled_texts(wn_work *w);

// Fills `explain`'s steps from what was decided.
void wn_explain(const wn_work *w, wn_verdict verdict, wn_trace *out);
