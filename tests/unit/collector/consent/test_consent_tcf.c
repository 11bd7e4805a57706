// SPDX-License-Identifier: Apache-2.0
// test_consent_tcf.c: clocks, limits and flags of TC strings; what their fields
// mean is in the golden vectors.
#include <criterion/criterion.h>
#include <string.h>

#include "consent_rig.h"

enum { B = WN_SIGNAL_basic, M = WN_SIGNAL_measure, L = WN_SIGNAL_locate, S = WN_SIGNAL_share };
enum { UPDATED_S = 1793491200 }; // of the vectors

static rig_vector vectors[RIG_VECTORS_MAX];
static size_t vectors_n;

static void load(void) {
    vectors_n = rig_vectors_load(WN_GOLDEN_FILE, vectors);
}

TestSuite(consent_tcf, .init = load);

static rig_vector named(const char *name) {
    for (size_t i = 0; i < vectors_n; i++)
        if (strcmp(vectors[i].name, name) == 0) return vectors[i];
    cr_assert_fail("no vector %s", name);
    return vectors[0];
}

static wn_signal at(rig_vector v, int64_t now_s) {
    v.terms.now_s = now_s;
    return wn_tcf_read(rig_span(v.text), &v.terms);
}

Test(consent_tcf, absent_says_nothing_and_empty_is_a_doubt) {
    wn_tcf_terms t = {.now_s = UPDATED_S};
    cr_expect(rig_same(wn_tcf_read((wn_span){NULL, 0}, &t), WN_SIGNAL_SILENT));
    cr_expect(wn_tcf_read(rig_span(""), &t).doubt);
}

Test(consent_tcf, every_hostile_string_refuses_everything) {
    size_t n = 0;
    for (size_t i = 0; i < vectors_n; i++) {
        if (!vectors[i].hostile || strcmp(vectors[i].kind, "tcf") != 0) continue;
        wn_signal s = wn_tcf_read(rig_span(vectors[i].text), &vectors[i].terms);
        cr_expect(s.doubt && s.yes == 0 && s.no == WN_SIGNAL_ALL, "%s", vectors[i].name);
        n++;
    }
    cr_expect_geq(n, 30);
}

Test(consent_tcf, thirteen_months_to_the_second) {
    rig_vector v = named("tcf-all");
    cr_expect_eq(at(v, UPDATED_S + WN_TCF_AGE_S_MAX).yes, B | M | L | S);
    wn_signal old = at(v, UPDATED_S + WN_TCF_AGE_S_MAX + 1);
    cr_expect(rig_same(old, WN_SIGNAL_SILENT));
    cr_expect_eq(wn_signal_grants(old, B), B);
    cr_expect_eq(at(v, INT64_MAX).yes, 0);
}

Test(consent_tcf, an_old_refusal_stands) {
    rig_vector v = named("tcf-none");
    wn_signal s = at(v, UPDATED_S + WN_TCF_AGE_S_MAX + 1);
    cr_expect(!s.doubt && s.yes == 0 && s.no == (B | M | L | S));
}

Test(consent_tcf, a_day_ahead_to_the_second) {
    rig_vector v = named("tcf-all");
    cr_expect_eq(at(v, UPDATED_S - WN_TCF_AHEAD_S_MAX).yes, B | M | L | S);
    cr_expect(at(v, UPDATED_S - WN_TCF_AHEAD_S_MAX - 1).doubt);
    cr_expect(at(v, INT64_MIN).doubt);
}

Test(consent_tcf, as_long_as_the_limit_and_no_longer) {
    static char text[WN_SIGNAL_TEXT_BYTES_MAX + 1];
    rig_vector v = named("tcf-no-disclosed-segment");
    memset(text, 'A', sizeof text);
    memcpy(text, v.text, strlen(v.text));
    wn_signal s = wn_tcf_read((wn_span){(uint8_t *)text, WN_SIGNAL_TEXT_BYTES_MAX}, &v.terms);
    cr_expect(!s.doubt && s.yes == (B | M | L));
    cr_expect(wn_tcf_read((wn_span){(uint8_t *)text, sizeof text}, &v.terms).doubt);
}

Test(consent_tcf, shares_only_among_disclosed_vendors) {
    rig_vector v = named("tcf-vendor-undisclosed");
    cr_expect_eq(at(v, v.terms.now_s).no, S);
    v = named("tcf-no-disclosed-segment");
    cr_expect_eq(at(v, v.terms.now_s).no, S);
    v = named("tcf-all");
    cr_expect_eq(at(v, v.terms.now_s).no, 0);
}

Test(consent_tcf, every_vendor_named_must_be_agreed_to) {
    rig_vector v = named("tcf-all"); // 1, 2, 3, 8, 10, 755
    static const uint16_t agreed[WN_TCF_VENDORS_MAX] = {1, 2, 3, 8, 10, 755, 1, 2};
    memcpy(v.terms.vendors, agreed, sizeof agreed);
    cr_expect(at(v, v.terms.now_s).yes & S);
    for (size_t i = 0; i < WN_TCF_VENDORS_MAX; i++) {
        v.terms.vendors[i] = 9;
        cr_expect(at(v, v.terms.now_s).no & S, "place %zu", i);
        v.terms.vendors[i] = agreed[i];
    }
    memset(v.terms.vendors, 0, sizeof v.terms.vendors);
    cr_expect(at(v, v.terms.now_s).no & S);
}

Test(consent_tcf, nobody_speaks_of_profile_or_sensitive) {
    for (size_t i = 0; i < vectors_n; i++)
        cr_expect_eq(vectors[i].expect.yes & (WN_SIGNAL_profile | WN_SIGNAL_sensitive), 0);
}

Test(consent_tcf, the_gdpr_flag) {
    rig_vector v = named("tcf-none"), bad = named("tcf-bad-tail");
    wn_span none = {NULL, 0}, text = rig_span(v.text);
    cr_expect(rig_same(wn_gdpr_read(none, none, &v.terms), WN_SIGNAL_SILENT));
    cr_expect(rig_same(wn_gdpr_read(none, text, &v.terms), v.expect));
    cr_expect(rig_same(wn_gdpr_read(rig_span("1"), text, &v.terms), v.expect));
    cr_expect(wn_gdpr_read(rig_span("1"), none, &v.terms).doubt);
    // Where the law does not apply the string grants nothing; what it refuses it refuses.
    cr_expect(rig_same(wn_gdpr_read(rig_span("0"), text, &v.terms), (wn_signal){0, v.expect.no, false}));
    cr_expect(rig_same(wn_gdpr_read(rig_span("0"), none, &v.terms), WN_SIGNAL_SILENT));
    rig_vector all = named("tcf-all"); // where the law does not apply nothing was asked for
    cr_expect_neq(all.expect.yes, 0);
    cr_expect(rig_same(wn_gdpr_read(rig_span("0"), rig_span(all.text), &all.terms),
                       (wn_signal){0, all.expect.no, false}));
    cr_expect(wn_gdpr_read(rig_span("0"), rig_span(bad.text), &v.terms).doubt);
    cr_expect(wn_gdpr_read(rig_span(""), text, &v.terms).doubt);
    cr_expect(wn_gdpr_read(rig_span("2"), text, &v.terms).doubt);
    cr_expect(wn_gdpr_read(rig_span("10"), text, &v.terms).doubt);
}
