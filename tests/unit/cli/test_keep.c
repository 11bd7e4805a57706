// SPDX-License-Identifier: Apache-2.0
// How long the keeper waits before it starts a dead daemon again.
#include <criterion/criterion.h>

#include "keep.h"

Test(keep, waits_double_up_to_a_bound) {
    int64_t wait = 0, expect = WN_KEEP_WAIT_FIRST_MS;
    for (int i = 0; i < 20; i++) {
        wait = wn_keep_wait_next(wait, 0);
        cr_expect_eq(wait, expect);
        expect = expect * 2 > WN_KEEP_WAIT_MAX_MS ? WN_KEEP_WAIT_MAX_MS : expect * 2;
    }
    cr_assert_eq(wait, WN_KEEP_WAIT_MAX_MS);
}

Test(keep, a_steady_life_forgives) {
    cr_assert_eq(wn_keep_wait_next(WN_KEEP_WAIT_MAX_MS, WN_KEEP_STEADY_MS), WN_KEEP_WAIT_FIRST_MS);
    cr_assert_eq(wn_keep_wait_next(WN_KEEP_WAIT_MAX_MS, WN_KEEP_STEADY_MS - 1), WN_KEEP_WAIT_MAX_MS);
}
