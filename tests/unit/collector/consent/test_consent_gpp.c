// SPDX-License-Identifier: Apache-2.0
// test_consent_gpp.c: headers, lists of sections in force and limits of GPP
// strings; what their fields mean is in the golden vectors.
#include <criterion/criterion.h>
#include <string.h>

#include "gpp_parts.h"

static wn_span span(const char *text) {
    return (wn_span){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static wn_signal read(const char *gpp, const char *sid) {
    wn_tcf_terms t = {0};
    return wn_gpp_read(span(gpp), span(sid), &t);
}

static bool silent(wn_signal s) {
    return !s.doubt && s.yes == 0 && s.no == 0;
}

#define USNAT "CEAqAAAAAABA" // nothing opted out
#define USCA "BUoAAABA"

Test(consent_gpp, absent_says_nothing_unless_a_section_is_in_force) {
    cr_expect(silent(read(NULL, NULL)));
    cr_expect(silent(read(NULL, "-1")));
    cr_expect(read(NULL, "7").doubt);
    cr_expect(read("", NULL).doubt);
    cr_expect(read("", "-1").doubt);
}

// The examples of the specification.
Test(consent_gpp, headers_of_the_specification) {
    static const struct {
        const char *text;
        uint64_t sections;
    } rows[] = {
        {"DBABM", 1u << 2},  {"DBABMA", 1u << 2},   {"DBACNY", 1u << 2 | 1u << 6},
        {"DBABLA", 1u << 7}, {"DBABLAAA", 1u << 7}, {"DBABBg", 1u << 8},
        {"DBAA", 0},         {"DBAAAA", 0},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        uint64_t got = 1;
        cr_expect(wn_gpp_header_read(span(rows[i].text), &got), "%s", rows[i].text);
        cr_expect_eq(got, rows[i].sections, "%s: %llx", rows[i].text, (unsigned long long)got);
    }
}

Test(consent_gpp, unreadable_headers) {
    static const char *const rows[] = {"",       "D",      "DB",   "DBA",          "DAABLA",  "DCABLA",
                                       "CBABLA", "DBABLB", "DBAB", "DBABAAAAAAAA", "DBABLA=", "DB BLA"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        uint64_t got;
        cr_expect_not(wn_gpp_header_read(span(rows[i]), &got), "%s", rows[i]);
    }
}

Test(consent_gpp, lists_of_sections_in_force) {
    static const struct {
        const char *text;
        uint64_t sections;
    } good[] = {{"-1", 0},        {"7", 1u << 7},   {"2,7", 1u << 2 | 1u << 7}, {"7_8", 3u << 7},
                {"8,7", 3u << 7}, {"7,7", 1u << 7}, {"63", UINT64_C(1) << 63},  {"1", 2}};
    static const char *const bad[] = {"",    "0",   "64",  "-",   "-2",    "-1,7", "7,",  ",7",   "7,,8",
                                      "7 8", "7;8", "007", "100", "usnat", "+7",   "7.0", "7\xff"};
    uint64_t got;
    for (size_t i = 0; i < WN_COUNT(good); i++) {
        cr_expect(wn_gpp_sid_read(span(good[i].text), &got), "%s", good[i].text);
        cr_expect_eq(got, good[i].sections, "%s", good[i].text);
    }
    for (size_t i = 0; i < WN_COUNT(bad); i++)
        cr_expect_not(wn_gpp_sid_read(span(bad[i]), &got), "%s", bad[i]);
}

Test(consent_gpp, a_section_in_force_must_be_there) {
    cr_expect(silent(read("DBABLA~" USNAT, "7")));
    cr_expect(read("DBABLA~" USNAT, "8").doubt);
    cr_expect(read("DBABLA~" USNAT, "7,8").doubt);
    cr_expect(silent(read("DBABLA~" USNAT, "-1")));
}

Test(consent_gpp, the_header_and_the_sections_must_agree) {
    cr_expect(read("DBABLA", "7").doubt);
    cr_expect(read("DBABLA", "-1").doubt);
    cr_expect(read("DBABLA~", "7").doubt);
    cr_expect(read("DBABLA~" USNAT "~" USCA, "7").doubt);
    cr_expect(read("DBABLA~" USNAT "~", "7").doubt);
    cr_expect(read("DBAA~" USNAT, NULL).doubt);
}

Test(consent_gpp, a_section_not_in_force_may_be_anything_but_illegible) {
    cr_expect(silent(read("DBABLA~AAAA", "-1")));
    cr_expect(read("DBABLA~AA+A", "-1").doubt);
    cr_expect(read("DBABLA~AA..A", "-1").doubt);
}

Test(consent_gpp, a_newer_version_refuses_share_and_locate) {
    bool whole = true;
    wn_signal s = wn_gpp_us_read(7, span("DEAqAAAAAABA.QA"), false, &whole);
    cr_expect(!whole && !s.doubt && s.yes == 0 && s.no == (WN_SIGNAL_share | WN_SIGNAL_locate));
    s = wn_gpp_us_read(7, span("DEAqAAAAAABA.YA"), false, &whole); // its Gpc is heard all the same
    cr_expect_eq(s.no, WN_SIGNAL_ALL & ~WN_SIGNAL_basic);
    s = wn_gpp_us_read(8, span("CUoAAABA"), false, &whole);
    cr_expect(!s.doubt && s.no == (WN_SIGNAL_share | WN_SIGNAL_locate));
}

Test(consent_gpp, unknown_sections_refuse_share_and_locate) {
    wn_signal s = wn_gpp_us_unknown(span("BAAA"), false);
    cr_expect(!s.doubt && s.yes == 0 && s.no == (WN_SIGNAL_share | WN_SIGNAL_locate));
    cr_expect_eq(wn_gpp_us_unknown(span("BAAA.QA"), false).no, WN_SIGNAL_share | WN_SIGNAL_locate);
    cr_expect_eq(wn_gpp_us_unknown(span("BAAA.QA.YA"), false).no, WN_SIGNAL_ALL & ~WN_SIGNAL_basic);
    cr_expect_not(wn_gpp_us_known(9));
    bool whole;
    cr_expect(wn_gpp_us_read(9, span("BAAA"), false, &whole).doubt);
}

Test(consent_gpp, as_long_as_the_limit_and_no_longer) {
    static char text[WN_SIGNAL_TEXT_BYTES_MAX + 1];
    memset(text, 'A', sizeof text);
    memcpy(text, "DBABLA~" USNAT, strlen("DBABLA~" USNAT));
    wn_tcf_terms t = {0};
    wn_span none = {NULL, 0};
    cr_expect(silent(wn_gpp_read((wn_span){(uint8_t *)text, WN_SIGNAL_TEXT_BYTES_MAX}, none, &t)));
    cr_expect(wn_gpp_read((wn_span){(uint8_t *)text, sizeof text}, none, &t).doubt);
}
