// SPDX-License-Identifier: Apache-2.0
// A pattern that a policy may hold finds the pages it was written for, however
// their address is spelled, and no neighbour.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "url_parts.h"

static char why[200];

static wn_err load(const char *pattern, wn_policy *out) {
    char text[512];
    int line;
    snprintf(text, sizeof text,
             "version: 1\ndate: 2026-11-20\nsites:\n  - site: shop\n    sensitive: ['%s']\n", pattern);
    return wn_policy_load(text, strlen(text), out, why, sizeof why, &line);
}

static bool finds(const wn_policy *p, const char *page) {
    wn_url_parts parts;
    const wn_site_policy *s = wn_policy_of(p, "shop");
    cr_assert(wn_url_split(page, strlen(page), &parts), "%s", page);
    return wn_pattern_first((const char(*)[WN_POLICY_TEXT_MAX + 1]) s->sensitive, s->sensitive_n,
                            parts.path) < s->sensitive_n;
}

static const struct {
    const char *pattern, *page;
    bool found;
} rows[] = {
    {"/health", "/healthy", false},
    {"/health", "/health/x", false},
    {"/health/**", "/x/health", false},
    {"/health/**", "/health/../x", false}, // a browser asks for /x
    {"/health/**", "/healthx/", false},
    {"/health/**", "/heal/th", false},
    {"/health/**", "/heal.th", false},
    {"/health/**", "/.health", false},
    {"/health/**", "/", false},
    {"/a/*/c", "/a/c", false},
    {"/a/*/c", "/a/b/../c", false},
    {"/a/*/c", "/a/./b/c", true},
    {"/%C3%A4rzte/**", "/arzte", false},
    {"/%C3%A4rzte/**", "/%c3%a4rzte/x", true},
    {"/%C3%A4rzte/**", "/\xc3\xa4rzte/x", true},
    {"/%C3%A4rzte/**", "/%C3%84RZTE", true},
    {"/%C3%A4rzte/**", "/a%CC%88rzte", true}, // decomposed
    {"/\xc3\xa4rzte/**", "/%25C3%25A4rzte/x", true},
    {"/\xc3\xa4rzte/**", "/\xc3\xa4rzt/x", false},
    {"/%ce%a3", "/\xcf\x82", true}, // the sigma of a word's end
    {"/stra%C3%9Fe", "/STRASSE", true},
    {"/stra%C3%9Fe",
     "/stra\xc3\x9f"
     "E",
     true},
    {"/krank%20heit/**", "/krank%20heit/x", true},
    {"/krank%20heit/**", "/krank heit", true},
    {"/krank%20heit/**", "/krankheit", false},
    {"/%68ealth", "/health", true},
    {"/a%25b", "/a%25b", true},
    {"/a./b", "/a./b", true},
    {"/.../b", "/.../b", true},
    {"/health/**", "/health\xff/x", false}, // no UTF-8, and another name
};

Test(pattern, finds_its_pages_and_no_others) {
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_policy p;
        cr_assert_eq(load(rows[i].pattern, &p), WN_OK, "%s: %s", rows[i].pattern, why);
        cr_expect_eq(finds(&p, rows[i].page), rows[i].found, "%s on %s", rows[i].pattern, rows[i].page);
        wn_policy_fini(&p);
    }
}

Test(pattern, a_segment_has_a_size_beyond_which_it_is_no_name) {
    wn_policy p;
    cr_assert_eq(load("/%C3%A4", &p), WN_OK);
    for (size_t n = 511; n <= 2000; n++) { // of letters, none of which may be written past its room
        static char page[2048];
        memset(page, 'a', sizeof page);
        page[0] = '/';
        page[1] = '\xc3', page[2] = '\xa4';
        page[n] = '\0';
        cr_expect_not(finds(&p, page));
    }
    wn_policy_fini(&p);
}

// What cannot find even itself would be a promise without effect.
Test(pattern, each_that_is_taken_finds_itself) {
    static const char *const pieces[] = {"/",        "/",   "/",   "a",      "B",         ".",         "..",
                                         "%2e",      "%20", ";",   "%3b",    "%",         "%25",       "41",
                                         "\xc3\xa4", "%C3", "%A4", "%c3%84", "-",         "~",         "+",
                                         "%2f",      "\\",  "%5c", "%00",    "e\xcc\x81", "%25%34%31", "="};
    size_t taken = 0, beyond_ascii = 0, escaped = 0;
    srand(3);
    for (int i = 0; i < 60000; i++) {
        char text[128] = "/";
        for (int k = 1 + rand() % 9; k > 0; k--) strcat(text, pieces[(size_t)rand() % WN_COUNT(pieces)]);
        wn_policy p;
        if (load(text, &p) != WN_OK) continue;
        if (text[1] == '/' || text[1] == '\\') continue;
        cr_expect(finds(&p, text), "%s is taken and never found", text);
        taken++;
        beyond_ascii += strstr(text, "\xc3") != NULL;
        escaped += strchr(text, '%') != NULL;
        wn_policy_fini(&p);
    }
    cr_expect(taken > 3000 && beyond_ascii > 300 && escaped > 1000, "%zu %zu %zu", taken, beyond_ascii,
              escaped);
}
