// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "linger.h"

enum { SYNC = 1000 };

static void senders(wn_linger *l, unsigned n) {
    while (n-- > 0) wn_linger_sender(l);
}

// `a` are being synced and `b` came meanwhile, at time 0.
static wn_linger synced(unsigned a, unsigned b) {
    wn_linger l = {0};
    senders(&l, a);
    wn_linger_submitted(&l);
    senders(&l, b);
    wn_linger_done(&l, SYNC);
    (void)wn_linger_left(&l, 0);
    return l;
}

Test(linger, one_sender_never_waits) {
    wn_linger l = {0};
    senders(&l, 1);
    cr_assert_eq(wn_linger_left(&l, 0), 0, "nothing was synced before");
    l = synced(1, 0);
    senders(&l, 1);
    cr_assert_eq(wn_linger_left(&l, 1), 0);
}

Test(linger, waits_for_those_just_answered_and_no_longer) {
    wn_linger l = synced(4, 4);
    cr_assert_eq(wn_linger_left(&l, 1), SYNC - 1);
    senders(&l, 3);
    cr_assert_eq(wn_linger_left(&l, 2), SYNC - 2);
    senders(&l, 1);
    cr_assert_eq(wn_linger_left(&l, 3), 0, "all are there");
    cr_assert_eq(wn_linger_left(&l, 4), 0, "it began to wait again");
    cr_assert_eq(l.skip, 0);
}

Test(linger, never_waits_longer_than_the_last_sync_took) {
    wn_linger l = synced(4, 4);
    for (int64_t now = 0; now < SYNC; now++) cr_assert_eq(wn_linger_left(&l, now), SYNC - now);
    cr_assert_eq(wn_linger_left(&l, SYNC), 0);
    l = synced(4, 0);
    senders(&l, 1);
    cr_assert_eq(wn_linger_left(&l, 5 * SYNC), 0, "who comes late finds no wait");
    l = synced(4, 4);
    wn_linger_submitted(&l);
    senders(&l, 1);
    cr_assert_eq(wn_linger_left(&l, 1), 0, "a wait ends with its transaction");
}

Test(linger, waits_in_vain_become_rare) {
    wn_linger l = {0};
    unsigned waits = 0, transactions = 10000;
    for (unsigned i = 0; i < transactions; i++) {
        senders(&l, 4);
        wn_linger_submitted(&l);
        senders(&l, 4);
        wn_linger_done(&l, SYNC);
        waits += wn_linger_left(&l, 0) > 0;
        cr_assert_eq(wn_linger_left(&l, SYNC), 0);
        cr_assert_leq(l.skip, WN_LINGER_SKIP_MAX);
    }
    cr_assert_lt(waits, transactions / WN_LINGER_SKIP_MAX + 10);
    cr_assert_gt(waits, transactions / WN_LINGER_SKIP_MAX / 2, "it must try again");
    // One that pays makes them common again.
    l.skip = 0;
    for (int i = 0; i < 3; i++) {
        wn_linger_submitted(&l);
        senders(&l, 4);
        wn_linger_done(&l, SYNC);
        cr_assert_gt(wn_linger_left(&l, 0), 0);
        senders(&l, l.want - l.filling);
        cr_assert_eq(wn_linger_left(&l, 1), 0);
        cr_assert_eq(l.skip, 0);
    }
}
