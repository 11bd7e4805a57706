// SPDX-License-Identifier: Apache-2.0
// tcf.c: what a TC string's fields mean for Winnow's purposes.
//
// `share` needs the DisclosedVendors segment, mandatory since TCF 2.3. So a
// string cut off at any byte grants nothing that the whole string does not: the
// core grants nothing unless whole, and what follows it can only add `share`.
#include "tcf_fields.h"

static bool has(uint32_t set, unsigned id) {
    return (set >> (id - 1) & 1u) != 0;
}

// Purpose 1 was agreed to, or is not asked for where the publisher sits.
static bool may_store(const wn_tcf_fields *f, const wn_tcf_terms *t) {
    if (!f->one_treatment) return has(f->purposes, 1);
    for (size_t i = 0; i < WN_TCF_COUNTRIES_MAX; i++) {
        const char *country = t->purpose_one_countries[i];
        if (country[0] == f->country[0] && country[1] == f->country[1]) return true;
    }
    return false;
}

// Every vendor named may have it by consent: for purpose 1, and for 8 or 9.
static bool vendors_agreed(const wn_tcf_fields *f, const wn_tcf_terms *t) {
    bool any = false;
    unsigned agreed = (unsigned)f->vendors & f->disclosed;
#ifdef WN_MUTANT_UNDISCLOSED_SHARED
    agreed = f->vendors;
#endif
    for (unsigned v = 0; v < WN_TCF_VENDORS_MAX; v++) {
        if (t->vendors[v] == 0) continue;
        bool measured = (has(f->purposes, 8) && !has(f->unconsentable[7], v + 1)) ||
                        (has(f->purposes, 9) && !has(f->unconsentable[8], v + 1));
        if (!has(agreed, v + 1) || has(f->unconsentable[0], v + 1) || !measured) return false;
        any = true;
    }
    return any;
}

wn_signal wn_tcf_read(wn_span text, const wn_tcf_terms *t) {
    wn_tcf_fields f;
    if (text.p == NULL) return WN_SIGNAL_SILENT;
    if (!wn_tcf_fields_read(text, t->vendors, &f)) return WN_SIGNAL_DOUBT;
    int64_t updated_s = (int64_t)(f.updated_ds / 10);
    if (updated_s - WN_TCF_AHEAD_S_MAX > t->now_s) return WN_SIGNAL_DOUBT;

    bool consent = has(f.purposes, 8) || has(f.purposes, 9);
    bool interest = t->li_allowed && (has(f.purposes_li, 8) || has(f.purposes_li, 9));
    bool measure = consent && may_store(&f, t);
    unsigned yes = 0;
    if (consent || interest) yes |= WN_SIGNAL_basic;
    if (measure) yes |= WN_SIGNAL_measure;
    if (measure && vendors_agreed(&f, t)) yes |= WN_SIGNAL_share;
    if (has(f.features, 1)) yes |= WN_SIGNAL_locate;
    unsigned spoken = WN_SIGNAL_basic | WN_SIGNAL_measure | WN_SIGNAL_share | WN_SIGNAL_locate;
    wn_signal s = {(uint8_t)yes, (uint8_t)(spoken & ~yes), false};
    bool old = updated_s + WN_TCF_AGE_S_MAX < t->now_s;
#ifdef WN_MUTANT_AGE_IGNORED
    old = false;
#endif
    if (old || f.policy < WN_TCF_POLICY_MIN || f.policy > WN_TCF_POLICY_MAX) s.yes = 0;
    return s;
}

wn_signal wn_gdpr_read(wn_span gdpr, wn_span text, const wn_tcf_terms *t) {
    wn_signal s = wn_tcf_read(text, t);
    if (gdpr.p == NULL) return s;
    if (gdpr.n != 1 || (gdpr.p[0] != '0' && gdpr.p[0] != '1')) return WN_SIGNAL_DOUBT;
    if (gdpr.p[0] == '1') return text.p == NULL ? WN_SIGNAL_DOUBT : s;
    if (s.doubt) return s;
    s.yes = 0; // where the law does not apply nothing was asked for; a refusal is one all the same
    return s;
}
