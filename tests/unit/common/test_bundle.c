// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "winnow/wire.h"

Test(bundle, gives_back_what_was_put_in_and_in_that_order) {
    uint8_t bytes[64];
    size_t n = 0;
    static const char *const put[] = {"a", "", "bcd"};
    for (size_t i = 0; i < WN_COUNT(put); i++)
        cr_assert(wn_bundle_add(bytes, sizeof bytes, &n, (wn_span){(const uint8_t *)put[i], strlen(put[i])}));
    wn_span rest = {bytes, n}, one;
    cr_assert(wn_wire_is_bundle(rest));
    cr_assert_not(wn_wire_is_batch(rest));
    for (size_t i = 0; i < WN_COUNT(put); i++) {
        cr_assert(wn_bundle_next(&rest, &one));
        cr_assert(one.n == strlen(put[i]) && (one.n == 0 || memcmp(one.p, put[i], one.n) == 0));
    }
    cr_assert_not(wn_bundle_next(&rest, &one));
    cr_assert_eq(rest.n, 0);
}

Test(bundle, is_full_at_the_byte) {
    uint8_t bytes[2 * WN_BUNDLE_HEAD_BYTES + 7];
    size_t n = 0;
    wn_span four = {(const uint8_t *)"four", 4};
    cr_assert_not(wn_bundle_add(bytes, WN_BUNDLE_HEAD_BYTES + 3, &n, four));
    cr_assert(wn_bundle_add(bytes, WN_BUNDLE_HEAD_BYTES + 4, &n, four));
    cr_assert_eq(n, WN_BUNDLE_HEAD_BYTES + 4);
    cr_assert_not(wn_bundle_add(bytes, sizeof bytes, &n, four));
    cr_assert_eq(n, WN_BUNDLE_HEAD_BYTES + 4, "changed without success");
    four.n = 3;
    cr_assert(wn_bundle_add(bytes, sizeof bytes, &n, four));
    cr_assert_eq(n, sizeof bytes);
}

Test(bundle, what_is_cut_or_too_long_or_something_else_is_no_batch) {
    uint8_t bytes[32];
    size_t n = 0;
    cr_assert(wn_bundle_add(bytes, sizeof bytes, &n, (wn_span){(const uint8_t *)"seven77", 7}));
    for (size_t cut = 0; cut < n; cut++) {
        wn_span rest = {bytes, cut}, one;
        cr_expect_not(wn_bundle_next(&rest, &one), "%zu bytes", cut);
        cr_expect_eq(rest.n, cut, "bytes must be left");
    }
    static const uint8_t other[][6] = {{0xc4, 1, 'x'}, {0xc5, 0, 1, 'x'}, {0x9c, 1}, {0xc6, 0, 0x10, 0, 1}};
    for (size_t i = 0; i < WN_COUNT(other); i++) {
        wn_span rest = {other[i], sizeof other[i]}, one;
        cr_expect_not(wn_bundle_next(&rest, &one), "%zu", i);
    }
    cr_assert_not(wn_wire_is_bundle((wn_span){NULL, 0}));
}
