// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"
#include "scratch.h"

static wn_scratch *fresh(uint8_t fill) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    wn_scratch *s = malloc(wn_scratch_bytes());
    uint8_t key[32];
    memset(key, fill, sizeof key);
    wn_scratch_init(s, key);
    return s;
}

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

static void expect_value(const uint8_t key[32], const wn_value *got, const char *text) {
    wn_value want;
    wn_value_seal(key, span(text), &want);
    cr_assert_eq(got->n, want.n, "%s", text);
    cr_assert_arr_eq(got->nonce, want.nonce, 24, "%s", text);
    cr_assert_arr_eq(got->bytes, want.bytes, want.n, "%s", text);
}

Test(scratch, values_are_right_cold_warm_and_evicted) {
    wn_scratch *s = fresh(1);
    uint8_t key[32] = {9};
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 10000; i++) {
            char text[32];
            snprintf(text, sizeof text, "/page/%d", i % 9000);
            wn_scratch_begin(s, key);
            expect_value(key, wn_scratch_value(s, 0, key, span(text)), text);
        }
    free(s);
}

Test(scratch, two_windows_never_share_a_value) {
    wn_scratch *s = fresh(1);
    for (int at = 0; at < 32; at++) {
        uint8_t a[32] = {0}, b[32] = {0};
        b[at] = 1;
        for (int round = 0; round < 2; round++) {
            wn_scratch_begin(s, a);
            expect_value(a, wn_scratch_value(s, 0, a, span("/x")), "/x");
            wn_scratch_begin(s, b);
            expect_value(b, wn_scratch_value(s, 0, b, span("/x")), "/x");
        }
    }
    free(s);
}

Test(scratch, handed_out_values_live_until_the_next_call) {
    wn_scratch *s = fresh(1);
    uint8_t key[32] = {9};
    // More values in one call than any set has ways, so that some must spill.
    for (int i = 0; i < 3000; i++) {
        const wn_value *got[WN_OPEN_N];
        char text[WN_OPEN_N][32];
        wn_scratch_begin(s, key);
        for (unsigned d = 0; d < WN_OPEN_N; d++) {
            snprintf(text[d], sizeof text[d], "/v/%d", rand());
            got[d] = wn_scratch_value(s, d, key, span(text[d]));
        }
        for (unsigned d = 0; d < WN_OPEN_N; d++) expect_value(key, got[d], text[d]);
    }
    free(s);
}

Test(scratch, values_of_one_set_do_not_evict_each_other_within_a_call) {
    wn_scratch *s = fresh(1);
    uint8_t key[32] = {9};
    // Find texts that share a set: after a warm-up with A, texts which evict A do.
    const char *first = "/first";
    char in_set[WN_OPEN_N][32];
    unsigned found = 0;
    const wn_value *home[2] = {NULL, NULL};
    wn_scratch_begin(s, key);
    home[0] = wn_scratch_value(s, 0, key, span(first));
    for (int i = 0; found < 4 && i < 2000000; i++) {
        char text[32];
        snprintf(text, sizeof text, "/c/%d", i);
        wn_scratch_begin(s, key);
        const wn_value *v = wn_scratch_value(s, 1, key, span(text));
        size_t gap = (size_t)(v > home[0] ? (const char *)v - (const char *)home[0]
                                          : (const char *)home[0] - (const char *)v);
        if (gap < 2 * sizeof(wn_value)) strcpy(in_set[found++], text);
    }
    cr_assert_eq(found, 4);
    wn_scratch_begin(s, key);
    const wn_value *got[4];
    for (unsigned d = 0; d < 4; d++) got[d] = wn_scratch_value(s, d, key, span(in_set[d]));
    for (unsigned d = 0; d < 4; d++) expect_value(key, got[d], in_set[d]);
    free(s);
}

Test(scratch, agents_and_hosts_equal_the_uncached_ones) {
    wn_scratch *s = fresh(1);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 6000; i++) {
            char ua[64], host[64], domain[WN_OPEN_TEXT_MAX + 1] = "";
            snprintf(ua, sizeof ua, "Mozilla/5.0 (%s) x%d", i % 2 ? "X11; Linux" : "Macintosh", i);
            wn_agent want, got;
            wn_agent_parse(ua, strlen(ua), &want);
            wn_scratch_agent(s, span(ua), &got);
            cr_assert(want.browser == got.browser && want.system == got.system && want.device == got.device &&
                      want.bot == got.bot);
            snprintf(host, sizeof host, i % 3 ? "a%d.b.example%d.co.uk" : "h%d", i, i);
            wn_host_class c = wn_scratch_host(s, host, strlen(host));
            bool has = wn_domain_registrable(host, strlen(host), domain);
            cr_assert_eq(has, c.start != WN_HOST_NO_DOMAIN);
            if (has) cr_assert_str_eq(host + c.start, domain);
        }
    free(s);
}

Test(scratch, holds_no_text) {
    wn_scratch *s = fresh(1);
    uint8_t key[32] = {9};
    wn_agent a;
    wn_scratch_begin(s, key);
    wn_scratch_value(s, 0, key, span("/marked-route"));
    wn_scratch_agent(s, span("marked-agent"), &a);
    wn_scratch_host(s, "marked-host.example.com", 23);
    cr_expect_null(memmem(s, wn_scratch_bytes(), "marked", 6));
    wn_scratch_wipe(s);
    const uint8_t *p = (const uint8_t *)s;
    for (size_t i = 0; i < wn_scratch_bytes() - 16; i++) cr_assert_eq(p[i], 0);
    free(s);
}

// What is a pattern in memory of one run must not be there in the next: entries and keys alike.
Test(scratch, renewed_it_holds_nothing_of_before) {
    wn_scratch *s = fresh(1), *untouched = fresh(2);
    size_t n = wn_scratch_bytes();
    uint8_t key[32] = {9}, other[32];
    for (int round = 0; round < 2; round++) {
        wn_agent a;
        wn_scratch_begin(s, key);
        for (int i = 0; i < 3000; i++) {
            char text[32];
            snprintf(text, sizeof text, "h%d.example.com", i);
            wn_scratch_host(s, text, strlen(text));
            wn_scratch_agent(s, span(text), &a);
            wn_scratch_begin(s, key);
            wn_scratch_value(s, 0, key, span(text));
        }
        cr_assert_neq(memcmp(s, untouched, n), 0);
        memset(other, 2 + round, sizeof other);
        wn_scratch_renew(s, other);
        if (round == 0) cr_expect_eq(memcmp(s, untouched, n), 0, "as if it had only just begun");
        else cr_expect_neq(memcmp(s, untouched, n), 0, "another key is another beginning");
    }
    free(s);
    free(untouched);
}
