// SPDX-License-Identifier: Apache-2.0
// test_consent_signal.c: how signals combine. Rules R1, R2.
#include <criterion/criterion.h>

#include "consent_signals.h"

enum { B = WN_SIGNAL_basic, M = WN_SIGNAL_measure, L = WN_SIGNAL_locate, S = WN_SIGNAL_share };

static wn_signal said(uint8_t yes, uint8_t no) {
    return (wn_signal){yes, no, false};
}

Test(consent_signal, a_doubt_refuses_everything_whatever_else_is_said) {
    wn_signal s = wn_signal_strictest(said(WN_SIGNAL_ALL, 0), WN_SIGNAL_DOUBT);
    cr_expect(s.doubt);
    cr_expect_eq(s.yes, 0);
    cr_expect_eq(s.no, WN_SIGNAL_ALL);
    cr_expect(wn_signal_strictest(WN_SIGNAL_DOUBT, WN_SIGNAL_SILENT).doubt);
    cr_expect_eq(wn_signal_grants(s, WN_SIGNAL_ALL), 0);
}

Test(consent_signal, a_refusal_outweighs_a_grant_in_either_order) {
    for (unsigned a = 0; a <= WN_SIGNAL_ALL; a++)
        for (unsigned b = 0; b <= WN_SIGNAL_ALL; b++) {
            wn_signal s = wn_signal_strictest(said((uint8_t)a, 0), said(0, (uint8_t)b));
            wn_signal r = wn_signal_strictest(said(0, (uint8_t)b), said((uint8_t)a, 0));
            cr_assert_eq(s.yes, a & ~b);
            cr_assert_eq(s.no, b);
            cr_assert(r.yes == s.yes && r.no == s.no);
        }
}

Test(consent_signal, silence_leaves_the_default) {
    cr_expect_eq(wn_signal_grants(WN_SIGNAL_SILENT, B), B);
    cr_expect_eq(wn_signal_grants(WN_SIGNAL_SILENT, B | S), B | S);
    cr_expect_eq(wn_signal_grants(WN_SIGNAL_SILENT, 0), 0);
}

Test(consent_signal, without_basic_nothing_is_granted) {
    cr_expect_eq(wn_signal_grants(said(M | L | S, B), B), 0);
    cr_expect_eq(wn_signal_grants(said(M, 0), 0), 0);
    cr_expect_eq(wn_signal_grants(said(M | B, 0), 0), B | M);
}

Test(consent_signal, grants_add_to_the_default_and_refusals_take_from_it) {
    cr_expect_eq(wn_signal_grants(said(M, 0), B), B | M);
    cr_expect_eq(wn_signal_grants(said(M, S), B | S), B | M);
    cr_expect_eq(wn_signal_grants(wn_signal_refusing(0xff), WN_SIGNAL_ALL), 0);
}
