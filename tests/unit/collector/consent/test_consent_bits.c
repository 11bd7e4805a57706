// SPDX-License-Identifier: Apache-2.0
// test_consent_bits.c: base64url text as bits.
#include <criterion/criterion.h>
#include <string.h>

#include "bits.h"

static wn_span span(const char *text) {
    return (wn_span){(const uint8_t *)text, strlen(text)};
}

Test(consent_bits, empty_text_is_bad) {
    wn_bits b = wn_bits_over((wn_span){NULL, 0});
    cr_expect(b.bad);
    cr_expect_eq(wn_bits_take(&b, 1), 0);
    cr_expect_not(wn_bits_ended(&b));
}

Test(consent_bits, every_other_byte_is_bad) {
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t text[3] = {'A', (uint8_t)c, 'A'};
        const char *at = memchr(good, (int)c, 64);
        wn_bits b = wn_bits_over((wn_span){text, 3});
        cr_assert_eq(b.bad, at == NULL, "byte %u", c);
        if (at != NULL) {
            wn_bits_skip(&b, 6);
            cr_assert_eq(wn_bits_take(&b, 6), (uint64_t)(at - good));
        }
    }
}

Test(consent_bits, takes_across_characters) {
    wn_bits b = wn_bits_over(span("_w-A")); // 111111 110000 111110 000000
    cr_expect_eq(wn_bits_take(&b, 1), 1);
    cr_expect_eq(wn_bits_take(&b, 7), 0x7f);
    cr_expect_eq(wn_bits_take(&b, 9), 0x1f);
    cr_expect(wn_bits_peek(&b, 0) == false && wn_bits_ended(&b));
    b = wn_bits_over(span("_w-A_w"));
    cr_expect_eq(wn_bits_take(&b, 36), 0xff0f80ff0);
}

Test(consent_bits, a_bit_too_many_is_bad_and_stays_bad) {
    wn_bits b = wn_bits_over(span("__"));
    cr_expect_eq(wn_bits_take(&b, 12), 0xfff);
    cr_expect_not(b.bad);
    cr_expect_eq(wn_bits_take(&b, 1), 0);
    cr_expect(b.bad);
    b = wn_bits_over(span("__"));
    cr_expect_eq(wn_bits_take(&b, 13), 0);
    cr_expect_eq(wn_bits_take(&b, 1), 0);
    b = wn_bits_over(span("__"));
    wn_bits_skip(&b, 13);
    cr_expect(b.bad);
    b = wn_bits_over(span("__"));
    wn_bits_skip(&b, SIZE_MAX);
    cr_expect(b.bad);
    b = wn_bits_over(span("__"));
    cr_expect(wn_bits_peek(&b, 11) && !wn_bits_peek(&b, 12) && !wn_bits_peek(&b, SIZE_MAX));
}

Test(consent_bits, has_ended_when_only_zeros_are_left) {
    wn_bits b = wn_bits_over(span("_AAA"));
    wn_bits_skip(&b, 5);
    cr_expect_not(wn_bits_ended(&b));
    wn_bits_skip(&b, 1);
    cr_expect(wn_bits_ended(&b));
    b = wn_bits_over(span("AAAB"));
    cr_expect_not(wn_bits_ended(&b));
    wn_bits_skip(&b, 24);
    cr_expect(wn_bits_ended(&b));
}

Test(consent_bits, cuts_at_each_mark) {
    wn_span rest = span("a..b"), part;
    bool more;
    part = wn_bits_cut(&rest, '.', &more);
    cr_expect(more && part.n == 1 && part.p[0] == 'a');
    part = wn_bits_cut(&rest, '.', &more);
    cr_expect(more && part.n == 0);
    part = wn_bits_cut(&rest, '.', &more);
    cr_expect(!more && part.n == 1 && part.p[0] == 'b');
    rest = span("a.");
    (void)wn_bits_cut(&rest, '.', &more);
    part = wn_bits_cut(&rest, '.', &more);
    cr_expect(!more && part.n == 0);
}
