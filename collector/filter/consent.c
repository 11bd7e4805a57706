// SPDX-License-Identifier: Apache-2.0
// consent.c: all signals of an event come together. Each says which purposes it
// grants and which it denies; denials win, and every doubt refuses.
#include "consent.h"

#include <string.h>
#include <strings.h>

#include "consent_signals.h"
#include "event_body.h"

#define BASIC (1u << WN_PURPOSE_basic)

_Static_assert(WN_POLICY_VENDORS_MAX == WN_TCF_VENDORS_MAX, "a policy's vendors are the string reader's");
_Static_assert((int)WN_SIGNAL_BITS == (int)WN_PURPOSE_N, "signals speak of the same purposes");

typedef struct gathered {
    uint8_t yes, no;
    bool doubt;
    bool any;           // a signal about grants stood there
    uint8_t by, denied; // the kind that decided so far, and what it denied
} gathered;

static void add_bits(gathered *g, wn_signal_kind kind, uint8_t yes, uint8_t no) {
    if ((yes | no) == 0) return;
    unsigned denied = (unsigned)__builtin_popcount(no), before = g->denied;
    if (!g->any || denied > before) {
        g->by = (uint8_t)kind;
        g->denied = (uint8_t)denied;
    }
    g->any = true;
    g->yes |= yes;
    g->no |= no;
}

static void add(gathered *g, wn_signal_kind kind, wn_signal s) {
    g->doubt |= s.doubt;
    if (!s.doubt) add_bits(g, kind, s.yes, s.no);
}

// ---- what the request and the event say themselves ----

static wn_signal flag_signal(wn_signal_mode mode) {
#ifdef WN_MUTANT_GPC_IGNORED
    mode = WN_SIGNAL_IGNORE;
#endif
    if (mode == WN_SIGNAL_IGNORE) return (wn_signal){0};
    if (mode == WN_SIGNAL_DROP) return wn_signal_refusing(WN_PURPOSES_ALL);
    return wn_signal_refusing((uint8_t)~BASIC);
}

static void add_purposes(gathered *g, const wn_event *e) {
    if (!e->list_begun) return;
    add_bits(g, WN_SIGNAL_purposes, e->granted, (uint8_t)(WN_PURPOSES_ALL & ~e->granted));
}

// ---- strings of consent platforms ----

static wn_tcf_terms terms_of(const wn_sender *sender, const wn_site_policy *p) {
    wn_tcf_terms t = {
        .now_s = sender->now_s, .gpc_drops = p->gpc == WN_SIGNAL_DROP, .li_allowed = p->legitimate_interest};
    for (size_t i = 0; i < p->vendors_n; i++) t.vendors[i] = p->vendors[i];
    return t;
}

// Present but empty is present: the readers take it for a doubt.
static wn_span stated(const wn_event *e, wn_field f, wn_span otherwise) {
    if (!wn_event_has(e, f)) return otherwise;
    return (wn_span){e->arena + e->off[f], e->n[f]};
}
#define ABSENT ((wn_span){NULL, 0})

static void add_iab(gathered *g, const wn_event *e, const wn_sender *sender, const wn_site_policy *policy) {
    wn_tcf_terms terms = terms_of(sender, policy);
    wn_span gdpr = stated(e, WN_FIELD_gdpr, ABSENT), tcf = stated(e, WN_FIELD_tcf, sender->tcf);
#ifndef WN_MUTANT_COOKIE_HIDDEN
    if (sender->tcf.n > 0 && tcf.p != sender->tcf.p) // the cookie and the event's own: either may deny
        add(g, WN_SIGNAL_tcf, wn_tcf_read(sender->tcf, &terms));
#endif
    wn_span gpp = stated(e, WN_FIELD_gpp, ABSENT), sid = stated(e, WN_FIELD_gpp_sid, ABSENT);
    add(g, WN_SIGNAL_tcf, wn_gdpr_read(gdpr, tcf, &terms));
    add(g, WN_SIGNAL_gpp, wn_gpp_read(gpp, sid, &terms));
}

// A zero advertising id says that its owner deleted it.
static wn_signal read_mobile(const wn_event *e) {
    static const wn_field ids[] = {WN_FIELD_idfa, WN_FIELD_gaid, WN_FIELD_windows_id};
    wn_signal s = wn_att_read(stated(e, WN_FIELD_att, ABSENT), stated(e, WN_FIELD_ad_tracking, ABSENT));
    for (size_t i = 0; i < WN_COUNT(ids); i++)
        if (wn_zero_advertising_id(wn_event_get(e, ids[i])))
            s = wn_signal_strictest(s, wn_signal_refusing(1u << WN_PURPOSE_share));
    return s;
}

// ---- categories ----

// The policy's own list goes before that of schemas/.
static void add_category(wn_categories *c, const wn_site_policy *p, wn_span id, bool yes) {
    while (id.n > 0 && id.p[0] == ' ') id = (wn_span){id.p + 1, id.n - 1};
    while (id.n > 0 && id.p[id.n - 1] == ' ') id.n--;
    for (size_t i = 0; i < p->categories_n; i++) {
        const char *name = p->categories[i].id; // without case, as those of schemas/
        if (strlen(name) != id.n || strncasecmp(name, (const char *)id.p, id.n) != 0) continue;
        wn_categories_grant(c, p->categories[i].purposes, yes);
        return;
    }
    wn_categories_add(c, id, yes);
}

// What a pair stands inside of. A denial must not be read as a grant because it was written in
// another shape: whatever is not one of the known shapes is a doubt.
typedef enum place { TOP, PREFERENCES, ALLOWED, DENIED } place;

static place enter(wn_categories *c, const wn_pair *p) {
    if (p->type == WN_PAIR_MAP && wn_span_is(p->key, "categoryPreferences")) {
        wn_categories_begin(c, true);
        return PREFERENCES;
    }
    bool allowed = wn_span_is(p->key, "allowedConsentIds");
    if (p->type != WN_PAIR_LIST || (!allowed && !wn_span_is(p->key, "deniedConsentIds"))) {
        wn_categories_doubt(c);
        return TOP;
    }
    wn_categories_begin(c, allowed); // whom a list of the allowed leaves out is not allowed
    return allowed ? ALLOWED : DENIED;
}

static void read_scalar(wn_categories *c, const wn_site_policy *policy, place in, const wn_pair *p) {
    bool flag = p->type == WN_PAIR_TRUE || p->type == WN_PAIR_FALSE;
    if (flag && (in == TOP || in == PREFERENCES)) {
        wn_categories_begin(c, true);
        add_category(c, policy, p->key, p->type == WN_PAIR_TRUE);
    } else if (p->type == WN_PAIR_TEXT && (in == ALLOWED || in == DENIED)) {
        add_category(c, policy, p->value, in == ALLOWED);
    } else if (p->type != WN_PAIR_TEXT || in != TOP ||
               // Rudder says beside its lists who asked and how they are put together.
               (!wn_span_is(p->key, "provider") && !wn_span_is(p->key, "resolutionStrategy"))) {
        wn_categories_doubt(c);
    }
}

static wn_signal read_categories(const wn_event *e, const wn_site_policy *policy) {
    wn_categories c;
    wn_pair p;
    place in = TOP;
    wn_categories_init(&c);
    for (size_t at = 0; wn_event_pair_next(e, WN_FIELD_consent, &at, &p);) {
        bool opens = p.type == WN_PAIR_MAP || p.type == WN_PAIR_LIST;
        if (opens && in != TOP) wn_categories_doubt(&c); // nothing stands inside these
        else if (opens) in = enter(&c, &p);
        else if (p.type == WN_PAIR_END) in = TOP;
        else read_scalar(&c, policy, in, &p);
    }
    // Something was said, and nothing of it is known; an empty object too.
    if (wn_event_has(e, WN_FIELD_consent) && !c.begun) wn_categories_doubt(&c);
    return wn_categories_end(&c);
}

// ---- all together ----

#define ANY_STRING                                                                                           \
    (WN_FIELD_BIT(WN_FIELD_tcf) | WN_FIELD_BIT(WN_FIELD_gdpr) | WN_FIELD_BIT(WN_FIELD_gpp) |                 \
     WN_FIELD_BIT(WN_FIELD_gpp_sid) | WN_FIELD_BIT(WN_FIELD_us_privacy) | WN_FIELD_BIT(WN_FIELD_gcs) |       \
     WN_FIELD_BIT(WN_FIELD_gcd) | WN_FIELD_BIT(WN_FIELD_att) | WN_FIELD_BIT(WN_FIELD_ad_tracking) |          \
     WN_FIELD_BIT(WN_FIELD_consent) | WN_FIELD_BIT(WN_FIELD_idfa) | WN_FIELD_BIT(WN_FIELD_gaid) |            \
     WN_FIELD_BIT(WN_FIELD_windows_id))

static void add_strings(gathered *g, const wn_event *e, const wn_sender *sender,
                        const wn_site_policy *policy) {
    if ((e->set & ANY_STRING) == 0 && sender->tcf.n == 0 && sender->us_privacy.n == 0) return;
    add_iab(g, e, sender, policy);
    // The event's own and the cookie: what either denies is denied.
    add(g, WN_SIGNAL_us_privacy, wn_usp_read(stated(e, WN_FIELD_us_privacy, ABSENT)));
    if (sender->us_privacy.n > 0) add(g, WN_SIGNAL_us_privacy, wn_usp_read(sender->us_privacy));
    add(g, WN_SIGNAL_gcm,
        wn_gcm_read(stated(e, WN_FIELD_gcs, ABSENT), stated(e, WN_FIELD_gcd, ABSENT),
                    !policy->counts_unknown));
    add(g, WN_SIGNAL_att, read_mobile(e));
    add(g, WN_SIGNAL_categories, read_categories(e, policy));
}

// GPC or DNT as header, or as field of the event.
static void add_flag(gathered *g, wn_signal_kind kind, const wn_event *e, wn_field f, bool header,
                     wn_signal_mode mode) {
    wn_span v = wn_event_get(e, f);
    bool one = v.n == 1 && v.p[0] == '1', zero = v.n == 1 && v.p[0] == '0';
    if (wn_event_has(e, f) && !one && !zero) g->doubt = true;
    else if (one || header) add(g, kind, flag_signal(mode));
}

static wn_grants decide(const wn_event *e, const wn_sender *sender, const wn_site_policy *policy) {
    gathered g = {.doubt = e->doubt};
    bool opted_out = sender->opted_out;
#ifdef WN_MUTANT_OPT_OUT_IGNORED
    opted_out = false;
#endif
    if (opted_out) add(&g, WN_SIGNAL_opt_out, wn_signal_refusing(WN_PURPOSES_ALL));
    add_flag(&g, WN_SIGNAL_gpc, e, WN_FIELD_gpc, sender->gpc, policy->gpc);
    add_flag(&g, WN_SIGNAL_dnt, e, WN_FIELD_dnt, sender->dnt, policy->dnt);
    add_purposes(&g, e);
    add_strings(&g, e, sender, policy);
#ifdef WN_MUTANT_DOUBT_GRANTS
    g.doubt = false;
#endif
    if (g.doubt) return (wn_grants){.refused = true, .by = WN_SIGNAL_doubt};
    uint8_t bits = wn_signal_grants((wn_signal){g.yes, g.no, false}, policy->counts_unknown ? BASIC : 0);
    return (wn_grants){.bits = bits, .refused = bits == 0, .by = g.by};
}

// Under each policy by itself, and granted is what both grant: nothing in the one widens the other.
wn_grants wn_consent_decide(const wn_event *e, const wn_sender *sender,
                            const wn_site_policy *const policy[2]) {
    wn_grants a = decide(e, sender, policy[0]);
    if (policy[1] == policy[0] || a.refused) return a;
    wn_grants b = decide(e, sender, policy[1]);
    if (b.refused) return b;
    uint8_t both = a.bits & b.bits;
    return (wn_grants){.bits = both, .by = both == a.bits ? a.by : b.by};
}
