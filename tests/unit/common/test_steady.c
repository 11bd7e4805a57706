// SPDX-License-Identifier: Apache-2.0
// The wall clock is believed when it has gone along with the other for six hours, to the second.
#include <criterion/criterion.h>

#include "steady.h"

static int64_t wait_at(wn_steady *s, int64_t wall_s, int64_t monotonic_s) {
    return wn_steady_wait_s(s, wall_s, monotonic_s * 1000);
}

Test(steady, a_start_is_believed_after_six_hours) {
    wn_steady s = {.looked = false};
    int64_t wall = 1795300000, up = 777;
    cr_assert_eq(wait_at(&s, wall, up), WN_STEADY_WAIT_S);
    cr_assert_eq(wait_at(&s, wall + WN_STEADY_WAIT_S - 1, up + WN_STEADY_WAIT_S - 1), 1);
    cr_assert_eq(wait_at(&s, wall + WN_STEADY_WAIT_S, up + WN_STEADY_WAIT_S), 0);
    cr_assert_eq(wait_at(&s, wall + 3 * WN_STEADY_WAIT_S, up + 3 * WN_STEADY_WAIT_S), 0, "a sleep of both");
}

Test(steady, a_jump_either_way_begins_anew) {
    static const int64_t jumps[] = {WN_STEADY_JUMP_S + 1, 10 * 365 * 86400, -WN_STEADY_JUMP_S - 1};
    for (size_t i = 0; i < WN_COUNT(jumps); i++) {
        wn_steady s = {.looked = false};
        int64_t wall = 1795300000, up = 0;
        (void)wait_at(&s, wall, up);
        wall += WN_STEADY_WAIT_S, up += WN_STEADY_WAIT_S;
        cr_assert_eq(wait_at(&s, wall, up), 0);
        wall += jumps[i] + 1, up += 1;
        cr_assert_eq(wait_at(&s, wall, up), WN_STEADY_WAIT_S, "jump %zu", i);
        cr_assert_eq(wait_at(&s, wall + 100, up + 100), WN_STEADY_WAIT_S - 100);
        // Put right again: also a jump.
        cr_assert_eq(wait_at(&s, wall + 200 - jumps[i], up + 200), WN_STEADY_WAIT_S);
    }
}

Test(steady, corrections_are_no_jumps) {
    wn_steady s = {.looked = false};
    int64_t wall = 1795300000, up = 0;
    (void)wait_at(&s, wall, up);
    for (int64_t i = 1; i <= 400; i++) {
        up += 60;
        wall += i % 2 ? 60 + WN_STEADY_JUMP_S : 60 - WN_STEADY_JUMP_S;
        int64_t want = WN_STEADY_WAIT_S - i * 60;
        cr_assert_eq(wait_at(&s, wall, up), want > 0 ? want : 0);
    }
}
