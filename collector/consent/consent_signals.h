// SPDX-License-Identifier: Apache-2.0
// consent_signals.h: what the consent strings of browsers, apps and SDKs say,
// as grants and refusals of Winnow's purposes.
//
// Pure: no I/O, clock, allocation, locale or global state. Any thread.
// A span with p == NULL is absent and says nothing; one that stands there but
// cannot be read (an empty one too) is a doubt, and a doubt refuses everything.
// A reader grants only what it read whole. No reader ever speaks of `profile`
// or `sensitive`, but to refuse them. Rules R1, R2.
#pragma once

#include "winnow/base.h"

// The bits of `yes` and `no`: in the order of purposes.def, as in wn_grants.bits.
enum {
#define PURPOSE(name, dflt, doc) WN_SIGNAL_BIT_##name,
#include "purposes.def"
#undef PURPOSE
    WN_SIGNAL_BITS
};
enum {
#define PURPOSE(name, dflt, doc) WN_SIGNAL_##name = 1u << WN_SIGNAL_BIT_##name,
#include "purposes.def"
#undef PURPOSE
    WN_SIGNAL_ALL = (1u << WN_SIGNAL_BITS) - 1
};

// Longest string of any kind that is read; a longer one is a doubt. A TC string
// with bit fields for a thousand vendors has about 600 bytes.
#define WN_SIGNAL_TEXT_BYTES_MAX 16384

// A purpose in neither set was not spoken of: the site's default decides. None is in both.
typedef struct wn_signal {
    uint8_t yes, no;
    bool doubt; // present but unreadable: yes is 0, no is all
} wn_signal;

#define WN_SIGNAL_SILENT ((wn_signal){0, 0, false})
#define WN_SIGNAL_DOUBT ((wn_signal){0, WN_SIGNAL_ALL, true})

// A refusal of these purposes: for a flag that an intake reads by itself.
static inline wn_signal wn_signal_refusing(uint8_t bits) {
    return (wn_signal){0, (uint8_t)(bits & WN_SIGNAL_ALL), false};
}

// What both together say: a refusal by one outweighs a grant by the other.
wn_signal wn_signal_strictest(wn_signal a, wn_signal b);

// The purposes granted where `dflt` holds unless spoken of. Without `basic` in
// the answer the answer is 0: the event is refused.
static inline uint8_t wn_signal_grants(wn_signal s, uint8_t dflt) {
    if (s.doubt) return 0;
    uint8_t bits = (uint8_t)((dflt | s.yes) & ~s.no);
    return bits & WN_SIGNAL_basic ? bits : 0;
}

// ---- IAB TCF 2.2 and 2.3 ----
#define WN_TCF_VENDORS_MAX 8
#define WN_TCF_COUNTRIES_MAX 8
#define WN_TCF_POLICY_MIN 4            // TCF 2.2: what an older one asked for is asked for no more
#define WN_TCF_POLICY_MAX 5            // TCF 2.3; purposes of a newer policy may mean other things
#define WN_TCF_AGE_S_MAX (395 * 86400) // 13 months; older strings grant nothing, their refusals stand
#define WN_TCF_AHEAD_S_MAX 86400       // last updated later than this from now: a doubt

typedef struct wn_tcf_terms {
    int64_t now_s;
    bool gpc_drops;  // Gpc = 1 in a GPP string refuses everything, as a site may ask for the header
    bool li_allowed; // `basic` may rest on legitimate interest in purpose 8 or 9
    // The vendors among whom `share` would share: all must have consent, be
    // disclosed and unrestricted. 0 names nobody; with nobody named `share` is refused.
    uint16_t vendors[WN_TCF_VENDORS_MAX];
    // Publisher countries where purpose 1 need not be asked (PurposeOneTreatment); "" names none.
    char purpose_one_countries[WN_TCF_COUNTRIES_MAX][3];
} wn_tcf_terms;

// A TC string: purposes 8 and 9 are `basic`, with purpose 1 `measure`, special
// feature 1 `locate`. Speaks of all four, always.
wn_signal wn_tcf_read(wn_span text, const wn_tcf_terms *t);

// The same beside the flag `gdpr`: 1 without a string is a doubt; 0 says that the string is not in
// force: it grants nothing, and what it refuses, or a doubt about it, counts. Anything else is a doubt.
wn_signal wn_gdpr_read(wn_span gdpr, wn_span text, const wn_tcf_terms *t);

// ---- IAB GPP ----
// `sid` names the sections in force ("7", "2,7", "2_7", "-1" for none); absent,
// all sections of the string are. Read whole: 2 (a TC string), 6 (US Privacy), 7 usnat, 8 usca.
// Any other section in force, or a newer version of 7 or 8: its opt-outs are
// unknown, so `share` and `locate` are refused and nothing is granted; nor is it
// by a string with a 7 or 8 in force that lacks the GPC sub-section. A section in
// force that the string lacks: a doubt. Gpc = 1: all but `basic` refused, or all. A known child
// under 13: all refused.
wn_signal wn_gpp_read(wn_span gpp, wn_span sid, const wn_tcf_terms *t);

// ---- others ----
// US Privacy ("1YNN"): an opt-out of sale refuses `share`; it never grants.
wn_signal wn_usp_read(wn_span text);

// Google Consent Mode: analytics_storage is `measure` (and `basic`, where
// analytics_opt_in says that the site counts by opt-in), ad_user_data is `share`.
wn_signal wn_gcm_read(wn_span gcs, wn_span gcd, bool analytics_opt_in);
// GA4's consent.ad_user_data (GRANTED or DENIED) in a body.
wn_signal wn_gcm_word_read(wn_span ad_user_data);

// iOS tracking status (0..3 or its name) and "ad tracking enabled" (true, false,
// 1, 0; Android's isLimitAdTrackingEnabled is its opposite): refuse `share`, never grant.
wn_signal wn_att_read(wn_span status, wn_span ad_tracking);
// The id of somebody who has none, noughts however many and spaced: never a key, and a refusal of `share`.
bool wn_zero_advertising_id(wn_span id);

// ---- consent categories: Segment categoryPreferences, Rudder consentManagement ----
// Begin where the object stands, add its entries in any order, end. An id no row of
// consent_categories.def knows says nothing. A purpose is granted when none of its
// named categories was refused and at least one agreed.
typedef struct wn_categories {
    uint8_t agreed, refused;
    bool begun, doubt;
    bool missing_refuses;
} wn_categories;

void wn_categories_init(wn_categories *c); // nothing stands there yet
// missing_refuses: a mapped purpose none of whose categories is named is refused,
// as Segment has it (an empty categoryPreferences refuses all); Rudder and Countly: false.
void wn_categories_begin(wn_categories *c, bool missing_refuses);
void wn_categories_add(wn_categories *c, wn_span id, bool agreed);
// A category that a policy lists itself.
void wn_categories_grant(wn_categories *c, uint8_t purposes, bool agreed);
void wn_categories_doubt(wn_categories *c); // a value of the wrong type, or the object itself
wn_signal wn_categories_end(const wn_categories *c);
