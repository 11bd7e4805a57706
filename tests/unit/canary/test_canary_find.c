// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "canary_find.h"

typedef struct seen {
    unsigned hits;
    uint32_t needle;
    unsigned forms;
    size_t at;
} seen;

static void on_hit(void *ctx, uint32_t needle, wn_canary_form form, size_t at) {
    seen *s = ctx;
    s->hits++;
    s->needle = needle;
    s->forms |= 1u << form;
    s->at = at;
}

static seen scan(const wn_canary_set *set, const void *p, size_t n) {
    seen s = {0};
    // A copy of exact size, so that a read past the end is seen by the sanitizer.
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, p, n);
    wn_canary_set_scan(set, copy, n, on_hit, &s);
    free(copy);
    return s;
}

static wn_canary_set *set_of(const char *const *texts, size_t n) {
    wn_canary_set *set = wn_canary_set_new();
    for (uint32_t i = 0; i < n; i++) {
        wn_canary_set_add(set, i, WN_CANARY_FORM_raw, (const uint8_t *)texts[i], strlen(texts[i]));
    }
    wn_canary_set_close(set);
    return set;
}

Test(canary_find, nothing_in_nothing) {
    wn_canary_set *set = set_of((const char *[]){"12345678"}, 1);
    cr_assert_eq(scan(set, "", 0).hits, 0u);
    cr_assert_eq(scan(set, "1234567", 7).hits, 0u);
    cr_assert_eq(scan(set, "12345679", 8).hits, 0u);
    wn_canary_set_free(set);
    wn_canary_set_free(NULL);
}

Test(canary_find, an_empty_set_finds_nothing) {
    wn_canary_set *set = wn_canary_set_new();
    wn_canary_set_close(set);
    cr_assert_eq(scan(set, "anything at all, and zeros\0\0\0\0\0\0\0\0", 34).hits, 0u);
    wn_canary_set_free(set);
}

Test(canary_find, at_the_first_and_at_the_last_byte) {
    wn_canary_set *set = set_of((const char *[]){"12345678", "a needle of some length"}, 2);
    cr_assert_eq(scan(set, "12345678", 8).hits, 1u);
    seen s = scan(set, "12345678 in hay, then a needle of some length", 45);
    cr_assert_eq(s.hits, 2u);
    cr_assert_eq(s.needle, 1u);
    cr_assert_eq(s.at, 22u);
    cr_assert_eq(scan(set, "12345678 in hay, then a needle of some lengt", 44).hits, 1u);
    wn_canary_set_free(set);
}

Test(canary_find, patterns_that_begin_end_or_overlap_alike_are_all_found) {
    wn_canary_set *set = set_of((const char *[]){"same start, one", "same start, two", "one and the same end",
                                                 "two and the same end", "start, t", "AAAAAAAAAAAAAAAAAAAA"},
                                6);
    cr_assert_eq(scan(set, "same start, two", 15).hits, 2u); // and "start, t"
    cr_assert_eq(scan(set, "same start, one and the same end", 32).hits, 2u);
    cr_assert_eq(scan(set, "AAAAAAAAAAAAAAAAAAAAA", 21).hits, 2u);
    wn_canary_set_free(set);
}

Test(canary_find, a_pattern_given_twice_counts_once_and_short_or_long_ones_are_dropped) {
    wn_canary_set *set = wn_canary_set_new();
    static uint8_t large[WN_CANARY_PATTERN_MAX + 1];
    for (size_t i = 0; i < sizeof large; i++) large[i] = (uint8_t)(i * 7);
    wn_canary_set_add(set, 0, WN_CANARY_FORM_raw, large, 8);
    wn_canary_set_add(set, 1, WN_CANARY_FORM_raw, large, 8);
    wn_canary_set_add(set, 2, WN_CANARY_FORM_raw, large, 7);
    wn_canary_set_add(set, 3, WN_CANARY_FORM_raw, large, sizeof large);
    wn_canary_set_add(set, 4, WN_CANARY_FORM_raw, large, sizeof large - 1);
    cr_assert_eq(wn_canary_set_patterns(set), 2u);
    wn_canary_set_close(set);
    wn_canary_set_free(set);
}

// Every pattern of every kind, planted between random bytes, leads back to its identifier.
Test(canary_find, every_form_of_every_kind_is_found_where_planted) {
    enum { N = 40 };
    wn_canary_set *set = wn_canary_set_new();
    for (uint32_t i = 0; i < N; i++) {
        for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
            char id[WN_CANARY_TEXT_MAX];
            wn_canary_make(9, (wn_canary_kind)k, i, id);
            wn_canary_set_add_needle(set, i * WN_CANARY_KIND_N + k, (wn_canary_kind)k, id);
        }
    }
    wn_canary_set_close(set);
    uint64_t r = 1;
    for (uint32_t i = 0; i < N; i++) {
        char id[WN_CANARY_TEXT_MAX];
        uint8_t hay[1000];
        wn_canary_make(9, WN_CANARY_token, i, id);
        for (size_t j = 0; j < sizeof hay; j++) hay[j] = (uint8_t)wn_canary_random(&r);
        cr_assert_eq(scan(set, hay, sizeof hay).hits, 0u);
        memcpy(hay + wn_canary_below(&r, 800), id, strlen(id));
        seen s = scan(set, hay, sizeof hay);
        cr_assert_geq(s.hits, 1u);
        cr_assert_eq(s.needle, i * WN_CANARY_KIND_N + WN_CANARY_token);
    }
    wn_canary_set_free(set);
}

typedef struct planting {
    const wn_canary_set *set;
    uint32_t needle;
    unsigned forms;
} planting;

static void plant(void *ctx, wn_canary_form form, const uint8_t *p, size_t n) {
    planting *x = ctx;
    uint8_t hay[WN_CANARY_PATTERN_MAX + 100] = "before";
    memcpy(hay + 37, p, n);
    seen s = scan(x->set, hay, n + 50);
    cr_assert_geq(s.hits, 1u, "needle %u form %s", x->needle, wn_canary_form_name(form));
    x->forms |= 1u << form;
}

Test(canary_find, each_pattern_given_by_forms_is_found_and_all_forms_occur) {
    unsigned all = 0;
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        char id[WN_CANARY_TEXT_MAX];
        wn_canary_make(4, (wn_canary_kind)k, 11, id);
        wn_canary_set *set = wn_canary_set_new();
        wn_canary_set_add_needle(set, k, (wn_canary_kind)k, id);
        wn_canary_set_close(set);
        planting x = {.set = set, .needle = k};
        wn_canary_forms((wn_canary_kind)k, id, plant, &x);
        all |= x.forms;
        wn_canary_set_free(set);
    }
    cr_assert_eq(all, (1u << WN_CANARY_FORM_N) - 1);
}

Test(canary_find, packed_addresses_count_in_both_orders_against_decoys) {
    wn_canary_set *set = wn_canary_set_new();
    wn_canary_set_add_needle(set, 0, WN_CANARY_ipv4, "84.150.200.7");
    wn_canary_set_add_decoy(set, "84.150.200.8");
    wn_canary_set_add_decoy(set, "84.150.200.7"); // was sent: no decoy
    wn_canary_set_add_decoy(set, "not an address");
    wn_canary_set_close(set);
    wn_canary_ipv4_counts c = {0};
    wn_canary_set_count_ipv4(
        set, (const uint8_t *)"\x54\x96\xc8\x07..\x07\xc8\x96\x54\x08\xc8\x96\x54\x54\x96\xc8", 17, &c);
    cr_assert_eq(c.sent, 2u);
    cr_assert_eq(c.decoys, 1u);
    wn_canary_set_free(set);
}

Test(canary_find, packed_addresses_leak_past_four_sigma_only) {
    cr_assert_not(wn_canary_ipv4_leaks(&(wn_canary_ipv4_counts){0, 0}));
    cr_assert_not(wn_canary_ipv4_leaks(&(wn_canary_ipv4_counts){10, 400}));
    cr_assert_not(wn_canary_ipv4_leaks(&(wn_canary_ipv4_counts){16, 0}));
    cr_assert(wn_canary_ipv4_leaks(&(wn_canary_ipv4_counts){17, 0}));
    cr_assert_not(wn_canary_ipv4_leaks(&(wn_canary_ipv4_counts){1088, 912}));
    cr_assert(wn_canary_ipv4_leaks(&(wn_canary_ipv4_counts){1200, 900}));
}
