// SPDX-License-Identifier: Apache-2.0
// The expected numbers were summed directly in 60 decimal digits (Python's decimal module);
// tests/support/noise_doc.py does the same once more for the table of docs/noise.md.
#include "noise_terms.h"

#include <criterion/criterion.h>

Test(noise_terms, are_those_of_the_rules_table) {
    static const struct {
        uint32_t rho_micro, signed_closed, signed_open, unsigned_closed, unsigned_open;
    } rows[] = {
        {WN_RHO_MICRO_STRICT, 142, 172, 195, 225},
        {WN_RHO_MICRO_DEFAULT, 106, 136, 144, 174},
        {WN_RHO_MICRO_MAX, 68, 98, 88, 118},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_noise_terms t;
        cr_assert_eq(wn_noise_terms_make(rows[i].rho_micro, true, 12, &t), WN_OK);
        cr_assert_eq(t.threshold_closed, rows[i].signed_closed);
        cr_assert_eq(t.threshold_open, rows[i].signed_open);
        cr_assert_eq(t.l0, 12);
        cr_assert(t.signed_only && t.rho_micro == rows[i].rho_micro);
        cr_assert_eq(wn_noise_terms_make(rows[i].rho_micro, false, 12, &t), WN_OK);
        cr_assert_eq(t.threshold_closed, rows[i].unsigned_closed);
        cr_assert_eq(t.threshold_open, rows[i].unsigned_open);
        cr_assert_eq(t.l0, 24);
        cr_assert_not(t.signed_only);
    }
}

Test(noise_terms, agree_with_direct_sums_over_the_whole_range) {
    static const struct {
        uint32_t rho_micro, cells;
        bool signed_only;
        uint32_t m; // T - k
    } rows[] = {
        {1, 1, true, 3969},     {1, 12, false, 21265}, {50, 1, true, 562},     {50, 1, false, 811},
        {50, 12, true, 2089},   {50, 12, false, 3008}, {1000, 1, true, 126},   {1000, 1, false, 182},
        {1000, 12, false, 673}, {15000, 1, true, 33},  {30000, 1, false, 34},  {99999, 1, true, 13},
        {99999, 12, false, 68}, {100000, 1, true, 13}, {100000, 1, false, 19},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_noise_terms t;
        cr_assert_eq(wn_noise_terms_make(rows[i].rho_micro, rows[i].signed_only, rows[i].cells, &t), WN_OK);
        cr_assert_eq(t.threshold_closed, rows[i].m + WN_K_NOISE_CLOSED, "row %zu", i);
        cr_assert_eq(t.threshold_open, rows[i].m + WN_K_NOISE_OPEN, "row %zu", i);
    }
}

Test(noise_terms, give_the_variance_in_lowest_terms) {
    wn_noise_terms t;
    cr_assert_eq(wn_noise_terms_make(WN_RHO_MICRO_DEFAULT, true, 12, &t), WN_OK);
    cr_assert(t.variance_num == 200 && t.variance_den == 1);
    cr_assert_eq(wn_noise_terms_make(99999, true, 1, &t), WN_OK);
    cr_assert(t.variance_num == 500000 && t.variance_den == 99999);
}

Test(noise_terms, are_decided_for_every_budget_of_a_plan) {
    wn_noise_terms t, before = {.threshold_closed = UINT32_MAX};
    for (uint32_t rho = 100; rho <= WN_RHO_MICRO_MAX; rho += 97) {
        cr_assert_eq(wn_noise_terms_make(rho, false, 12, &t), WN_OK, "%u", rho);
        cr_assert_leq(t.threshold_closed, before.threshold_closed, "more budget, less noise");
        before = t;
    }
}

Test(noise_terms, refuse_what_is_outside_of_the_limits) {
    wn_noise_terms t;
    cr_assert_eq(wn_noise_terms_make(0, true, 12, &t), WN_ERR_CONFIG);
    cr_assert_eq(wn_noise_terms_make(WN_RHO_MICRO_MAX + 1, true, 12, &t), WN_ERR_CONFIG);
    cr_assert_eq(wn_noise_terms_make(1, true, 0, &t), WN_ERR_CONFIG);
    cr_assert_eq(wn_noise_terms_make(1, true, WN_NOISE_CELLS_MAX + 1, &t), WN_ERR_CONFIG);
    cr_assert_eq(wn_noise_terms_make(1, true, WN_NOISE_CELLS_MAX, &t), WN_OK);
    cr_assert_eq(wn_noise_terms_make(WN_RHO_MICRO_MAX, true, 1, &t), WN_OK);
}
