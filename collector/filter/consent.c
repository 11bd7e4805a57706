// SPDX-License-Identifier: Apache-2.0
// consent.c: all signals of an event come together. Each says which purposes it
// grants and which it denies; denials win, and every doubt refuses.
#include "consent.h"

#include <string.h>

#include "consent_signals.h"
#include "event_body.h"
#include "rows.h"

#define BASIC (1u << WN_PURPOSE_basic)
#define ALL_DENIED ((wn_signal){.no = WN_PURPOSES_ALL})

typedef struct gathered {
    uint8_t yes, no;
    bool doubt;
    bool any;           // a signal about grants stood there
    uint8_t by, denied; // the kind that decided so far, and what it denied
} gathered;

static void add(gathered *g, wn_signal_kind kind, wn_signal s) {
    g->doubt |= s.doubt;
    if (s.doubt || (s.yes | s.no) == 0) return;
    unsigned denied = (unsigned)__builtin_popcount(s.no), before = g->denied;
    if (!g->any || denied > before) {
        g->by = (uint8_t)kind;
        g->denied = (uint8_t)denied;
    }
    g->any = true;
    g->yes |= s.yes;
    g->no |= s.no;
}

// ---- what the request and the event say themselves ----

static wn_signal flag_signal(wn_signal_mode mode) {
    if (mode == WN_SIGNAL_IGNORE) return (wn_signal){0};
    if (mode == WN_SIGNAL_DROP) return ALL_DENIED;
    return (wn_signal){.no = (uint8_t)(WN_PURPOSES_ALL & ~BASIC)};
}

static wn_signal_mode stricter(wn_signal_mode a, wn_signal_mode b) {
    return a > b ? a : b;
}

static wn_signal read_purposes(const wn_event *e) {
    if (!e->list_begun) return (wn_signal){0};
    return (wn_signal){.yes = e->granted, .no = (uint8_t)(WN_PURPOSES_ALL & ~e->granted)};
}

// ---- strings of consent platforms ----

static wn_tcf_terms terms_of(const wn_sender *sender, const wn_site_policy *p) {
    return (wn_tcf_terms){.now_s = sender->now_s,
                          .li_allowed = p->legitimate_interest,
                          .vendors = p->vendors,
                          .vendors_n = p->vendors_n};
}

static wn_signal read_tcf(const wn_event *e, const wn_sender *sender, const wn_site_policy *const policy[2]) {
    wn_span text = wn_event_get(e, WN_FIELD_tcf), gdpr = wn_event_get(e, WN_FIELD_gdpr);
    bool stands = wn_event_has(e, WN_FIELD_tcf);
    if (!stands && sender->tcf.n > 0) text = sender->tcf, stands = true;
    bool applies = gdpr.n == 1 && gdpr.p[0] == '1';
    if (gdpr.n > 0 && !applies && !(gdpr.n == 1 && gdpr.p[0] == '0')) return (wn_signal){.doubt = true};
    if (!stands) return applies ? flag_signal(WN_SIGNAL_LIMIT) : (wn_signal){0};
    wn_tcf_terms terms = terms_of(sender, policy[0]);
    wn_signal s = wn_tcf_read(text, &terms);
    if (policy[0] == policy[1]) return s;
    terms = terms_of(sender, policy[1]);
    return wn_signal_strictest(s, wn_tcf_read(text, &terms));
}

static wn_signal read_us_privacy(const wn_event *e, const wn_sender *sender) {
    if (wn_event_has(e, WN_FIELD_us_privacy)) return wn_usp_read(wn_event_get(e, WN_FIELD_us_privacy));
    return sender->us_privacy.n > 0 ? wn_usp_read(sender->us_privacy) : (wn_signal){0};
}

static wn_signal read_gpp(const wn_event *e, const wn_sender *sender, const wn_site_policy *const policy[2]) {
    if (!wn_event_has(e, WN_FIELD_gpp) && !wn_event_has(e, WN_FIELD_gpp_sid)) return (wn_signal){0};
    wn_span gpp = wn_event_get(e, WN_FIELD_gpp), sid = wn_event_get(e, WN_FIELD_gpp_sid);
    wn_tcf_terms terms = terms_of(sender, policy[0]);
    wn_signal s = wn_gpp_read(gpp, sid, &terms);
    if (policy[0] == policy[1]) return s;
    terms = terms_of(sender, policy[1]);
    return wn_signal_strictest(s, wn_gpp_read(gpp, sid, &terms));
}

static wn_signal read_gcm(const wn_event *e) {
    if (!wn_event_has(e, WN_FIELD_gcs) && !wn_event_has(e, WN_FIELD_gcd)) return (wn_signal){0};
    return wn_gcm_read(wn_event_get(e, WN_FIELD_gcs), wn_event_get(e, WN_FIELD_gcd));
}

// A zero advertising id says that its owner deleted it; it is never a key.
static wn_signal read_att(const wn_event *e) {
    static const wn_field ids[] = {WN_FIELD_idfa, WN_FIELD_gaid, WN_FIELD_windows_id};
    wn_signal s = {0};
    if (wn_event_has(e, WN_FIELD_att) || wn_event_has(e, WN_FIELD_ad_tracking))
        s = wn_att_read(wn_event_get(e, WN_FIELD_att), wn_event_get(e, WN_FIELD_ad_tracking));
    for (size_t i = 0; i < WN_COUNT(ids); i++)
        if (wn_zero_advertising_id(wn_event_get(e, ids[i]))) s.no |= 1u << WN_PURPOSE_share;
    return s;
}

// ---- categories ----

static bool is(wn_span s, const char *word) {
    size_t n = strlen(word);
    return s.n == n && memcmp(s.p, word, n) == 0;
}

// What a category stands for: by the policy's own list, else by schemas/.
static uint8_t category_purposes(const wn_site_policy *p, wn_span id) {
    for (size_t i = 0; i < p->categories_n; i++)
        if (is(id, p->categories[i].id)) return p->categories[i].purposes;
    return wn_category_purposes(id);
}

typedef struct categories {
    uint8_t granted, denied; // by categories that were named
    bool begun;              // categoryPreferences or a list of ids stood there
    bool doubt;
} categories;

static void add_category(categories *c, const wn_site_policy *const policy[2], wn_span id, bool yes) {
    uint8_t first = category_purposes(policy[0], id), second = category_purposes(policy[1], id);
    c->begun = true;
    if (yes) c->granted |= first & second;
    else c->denied |= first | second;
}

static void read_pair(categories *c, const wn_site_policy *const policy[2], const wn_pair *p) {
    bool allowed = is(p->key, "allowedConsentIds"), denied = is(p->key, "deniedConsentIds");
    switch (p->type) {
    case WN_PAIR_TRUE: add_category(c, policy, p->key, true); return;
    case WN_PAIR_FALSE: add_category(c, policy, p->key, false); return;
    case WN_PAIR_OPEN:
        c->begun = true;
        c->doubt |= !allowed && !denied && !is(p->key, "categoryPreferences");
        return;
    case WN_PAIR_TEXT:
        if (allowed || denied) add_category(c, policy, p->value, allowed);
        // Rudder says beside its lists who asked and how they are put together.
        else c->doubt |= !is(p->key, "provider") && !is(p->key, "resolutionStrategy");
        return;
    default: c->doubt = true; return;
    }
}

// A category nobody granted is denied: an empty list denies all.
static wn_signal read_categories(const wn_event *e, const wn_site_policy *const policy[2]) {
    categories c = {0};
    wn_pair p;
    for (size_t at = 0; wn_event_pair_next(e, WN_FIELD_consent, &at, &p);) read_pair(&c, policy, &p);
    if (c.doubt) return (wn_signal){.doubt = true};
    if (!c.begun) return (wn_signal){0};
    uint8_t yes = c.granted & (uint8_t)~c.denied;
    return (wn_signal){.yes = yes, .no = (uint8_t)(WN_PURPOSES_ALL & ~yes)};
}

// ---- all together ----

#define ANY_STRING                                                                                           \
    (UINT64_C(1) << WN_FIELD_tcf | UINT64_C(1) << WN_FIELD_gdpr | UINT64_C(1) << WN_FIELD_gpp |              \
     UINT64_C(1) << WN_FIELD_gpp_sid | UINT64_C(1) << WN_FIELD_us_privacy | UINT64_C(1) << WN_FIELD_gcs |    \
     UINT64_C(1) << WN_FIELD_gcd | UINT64_C(1) << WN_FIELD_att | UINT64_C(1) << WN_FIELD_ad_tracking |       \
     UINT64_C(1) << WN_FIELD_consent | UINT64_C(1) << WN_FIELD_idfa | UINT64_C(1) << WN_FIELD_gaid |         \
     UINT64_C(1) << WN_FIELD_windows_id)

static void add_strings(gathered *g, const wn_event *e, const wn_sender *sender,
                        const wn_site_policy *const policy[2]) {
    if ((e->set & ANY_STRING) == 0 && sender->tcf.n == 0 && sender->us_privacy.n == 0) return;
    add(g, WN_SIGNAL_tcf, read_tcf(e, sender, policy));
    add(g, WN_SIGNAL_gpp, read_gpp(e, sender, policy));
    add(g, WN_SIGNAL_us_privacy, read_us_privacy(e, sender));
    add(g, WN_SIGNAL_gcm, read_gcm(e));
    add(g, WN_SIGNAL_att, read_att(e));
    add(g, WN_SIGNAL_categories, read_categories(e, policy));
}

// GPC or DNT as header, or as field of the event.
static wn_signal read_flag(const wn_event *e, wn_field f, bool header, wn_signal_mode a, wn_signal_mode b) {
    wn_span v = wn_event_get(e, f);
    bool one = v.n == 1 && v.p[0] == '1', zero = v.n == 1 && v.p[0] == '0';
    if (wn_event_has(e, f) && !one && !zero) return (wn_signal){.doubt = true};
    return one || header ? flag_signal(stricter(a, b)) : (wn_signal){0};
}

wn_grants wn_consent_decide(const wn_event *e, const wn_sender *sender,
                            const wn_site_policy *const policy[2]) {
    gathered g = {.doubt = e->doubt};
    if (sender->opted_out) add(&g, WN_SIGNAL_opt_out, ALL_DENIED);
    add(&g, WN_SIGNAL_gpc, read_flag(e, WN_FIELD_gpc, sender->gpc, policy[0]->gpc, policy[1]->gpc));
    add(&g, WN_SIGNAL_dnt, read_flag(e, WN_FIELD_dnt, sender->dnt, policy[0]->dnt, policy[1]->dnt));
    add(&g, WN_SIGNAL_purposes, read_purposes(e));
    add_strings(&g, e, sender, policy);
    if (g.doubt) return (wn_grants){.refused = true, .by = WN_SIGNAL_doubt};
    uint8_t bits = g.yes;
    if (policy[0]->counts_unknown && policy[1]->counts_unknown) bits |= BASIC;
    bits &= (uint8_t)~g.no;
    return (wn_grants){.bits = bits, .refused = !(bits & BASIC), .by = g.by};
}
