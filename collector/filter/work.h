// SPDX-License-Identifier: Apache-2.0
// work.h: one event on its way through the filter, between two steps.
#pragma once

#include "consent.h"
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
    const wn_edge_window *window;
    int64_t at_s;
    wn_grants grants;
    wn_obs_kind kind;
    wn_span url;        // of the event, or the sender's page
    wn_url_parts parts; // when url.n > 0
    size_t page_n;      // bytes of `page`; 0: the address names no host
    wn_address address;
    bool has_address;
    wn_agent agent;
    bool internal; // came from a page of the same site
    bool signed_id, org_believed;
    wn_text *text; // WN_OPEN_N
    wn_observation *obs;
    char page[WN_HOST_BYTES]; // host of the page, lower case; last, because it is not zeroed
} wn_work;

// The id the person goes by: user_id, anonymous_id or device_id; WN_FIELD_N under no `measure`.
wn_field wn_person_field(const wn_work *w);
// person, prefix, org and the signed flag.
void wn_person_set(wn_work *w);

// Takes the walls down (tests only): raw values as open text.
void wn_unwalled_texts(wn_work *w);

// Fills `explain`'s steps from what was decided.
void wn_explain(const wn_work *w, wn_verdict verdict, wn_trace *out);
