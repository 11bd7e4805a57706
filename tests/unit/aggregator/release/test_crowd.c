// SPDX-License-Identifier: Apache-2.0
// R4 at its edges: k − 1 and k, three and four organisations, p per cent exactly.
#include "crowd.h"
#include "fold_kit.h"

static wn_crowd *crowd;

static void setup(void) {
    cr_assert_eq(wn_crowd_new(&crowd), WN_OK);
}
static void teardown(void) {
    wn_crowd_free(crowd);
}
TestSuite(crowd, .init = setup, .fini = teardown);

static void add(uint64_t prefix, uint64_t org, bool is_signed, unsigned times) {
    const wn_member m = {.prefix = prefix, .org = org, .signed_id = is_signed};
    for (unsigned i = 0; i < times; i++) cr_assert_eq(wn_crowd_add(crowd, &m), WN_OK);
}

Test(crowd, nobody_hides_nobody) {
    wn_crowd_reset(crowd, false);
    cr_assert_not(wn_crowd_holds(crowd, 1, 20));
    cr_assert_eq(wn_crowd_people(crowd), 0);
}

Test(crowd, counts_prefixes_not_people) {
    wn_crowd_reset(crowd, false);
    for (uint64_t prefix = 1; prefix <= 9; prefix++) add(prefix, 0, false, 1);
    add(9, 0, false, 2);
    cr_assert_eq(wn_crowd_people(crowd), 11);
    cr_assert_not(wn_crowd_holds(crowd, 10, 20), "11 people of 9 prefixes are no ten");
    add(10, 0, false, 1);
    cr_assert(wn_crowd_holds(crowd, 10, 20));
    cr_assert_not(wn_crowd_holds(crowd, 11, 20));
}

Test(crowd, signed_ids_count_each) {
    wn_crowd_reset(crowd, false);
    for (uint64_t org = 1; org <= 5; org++) add(1, org, true, 2);
    cr_assert(wn_crowd_holds(crowd, 10, 20), "ten signed ids behind one prefix");
    cr_assert_not(wn_crowd_holds(crowd, 11, 20));
    add(1, 1, false, 1);
    cr_assert(wn_crowd_holds(crowd, 11, 20), "their prefix counts once for an unsigned one");
    add(1, 2, false, 1);
    cr_assert_not(wn_crowd_holds(crowd, 12, 20));
}

Test(crowd, needs_four_organisations) {
    wn_crowd_reset(crowd, true);
    for (uint64_t i = 0; i < 30; i++) add(i, 1 + i % 3, false, 1);
    cr_assert_not(wn_crowd_holds(crowd, 10, 0));
    add(30, 4, false, 1);
    cr_assert(wn_crowd_holds(crowd, 10, 0));
}

Test(crowd, undeclared_people_of_a_declaring_site_are_one_organisation) {
    wn_crowd_reset(crowd, true);
    for (uint64_t i = 0; i < 30; i++) add(i, 0, i % 2 == 0, 1);
    cr_assert_not(wn_crowd_holds(crowd, 10, 0));
    for (uint64_t org = 1; org <= 2; org++) add(org, org, false, 5);
    cr_assert_not(wn_crowd_holds(crowd, 10, 0));
    add(3, 3, false, 5);
    cr_assert(wn_crowd_holds(crowd, 10, 0), "the undeclared are the fourth");
}

Test(crowd, prefixes_stand_in_elsewhere_also_for_signed_ids) {
    wn_crowd_reset(crowd, false);
    add(1, 0, true, 10);
    cr_assert_not(wn_crowd_holds(crowd, 10, 0), "one prefix is one organisation");
    add(2, 0, true, 10);
    add(1, 77, true, 10);
    cr_assert_not(wn_crowd_holds(crowd, 10, 0), "a declared one beside two stand-ins makes three");
    add(3, 0, true, 10);
    cr_assert(wn_crowd_holds(crowd, 10, 20));
}

Test(crowd, p_rule_is_exact) {
    // x = 100, 50, 40, and the rest: 100·rest ≥ p·100, so rest ≥ p.
    for (uint32_t p = 20; p <= 35; p++) {
        for (uint32_t rest = p - 1; rest <= p; rest++) {
            wn_crowd_reset(crowd, true);
            for (uint64_t i = 0; i < 100; i++) add(i, 1, false, 1);
            for (uint64_t i = 0; i < 50; i++) add(i, 2, false, 1);
            for (uint64_t i = 0; i < 40; i++) add(i, 3, false, 1);
            for (uint64_t i = 0; i < rest; i++) add(i, 4 + i / 7, false, 1);
            cr_assert_eq(wn_crowd_holds(crowd, 10, p), rest >= p);
        }
    }
}

static void add_amount(uint64_t prefix, uint64_t org, uint32_t amount) {
    const wn_member m = {.prefix = prefix, .org = org};
    cr_assert_eq(wn_crowd_add_amount(crowd, &m, amount), WN_OK);
}

// Shares of 1000, 50, 40 and the rest: 100·rest ≥ p·1000, so rest ≥ 10·p.
Test(crowd, p_rule_holds_of_a_sum_by_person) {
    for (uint32_t p = 20; p <= 35; p++) {
        for (uint32_t rest = 10 * p - 1; rest <= 10 * p; rest++) {
            const uint32_t share[] = {40, 1000, 0, 50};
            wn_crowd_reset(crowd, true);
            for (uint64_t i = 0; i < WN_COUNT(share); i++) add_amount(i, 1 + i, share[i]);
            for (uint32_t left = rest, i = 9; left > 0; i++) {
                uint32_t part = left < 30 ? left : 30;
                add_amount(i, i, part);
                left -= part;
            }
            cr_assert_eq(wn_crowd_sum_holds(crowd, p), rest >= 10 * p);
            cr_assert(wn_crowd_sum(crowd) == 1090 + rest && wn_crowd_largest(crowd) == 1000);
        }
    }
}

// Nobody leads, their organisation does: a hundred of 1 each against p others.
Test(crowd, p_rule_holds_of_a_sum_by_organisation) {
    for (unsigned declares = 0; declares < 2; declares++) {
        for (uint32_t rest = 24; rest <= 25; rest++) {
            wn_crowd_reset(crowd, declares != 0);
            for (uint32_t i = 0; i < 100 + rest; i++) {
                // Stand-ins: a prefix is an organisation where none is declared.
                uint64_t of = i < 100 ? 1 : 4 + i % 5;
                add_amount(declares != 0 ? i : of, declares != 0 ? of : 0, 1);
            }
            for (uint64_t of = 2; of <= 3; of++) // the second and the third, one person each
                add_amount(of, declares != 0 ? of : 0, 20);
            cr_assert_eq(wn_crowd_sum_holds(crowd, 25), rest >= 25);
        }
    }
}

Test(crowd, the_largest_sums_do_not_overflow) {
    wn_crowd_reset(crowd, true);
    for (uint64_t i = 0; i < 100; i++) add_amount(i, 1 + i, UINT32_MAX);
    cr_assert_eq(wn_crowd_sum(crowd), 100 * (uint64_t)UINT32_MAX);
    cr_assert(wn_crowd_sum_holds(crowd, 35) && wn_crowd_holds(crowd, 100, 35));
    wn_crowd_reset(crowd, true);
    cr_assert(wn_crowd_sum(crowd) == 0 && wn_crowd_largest(crowd) == 0);
}

Test(crowd, largest_three_are_found_in_any_order) {
    const unsigned size[] = {1, 9, 5, 30, 2, 30, 7, 20}; // 104 people; 104 − 80 = 24 ≥ 0.8 · 30
    for (unsigned turn = 0; turn < WN_COUNT(size); turn++) {
        wn_crowd_reset(crowd, turn % 2 == 0);
        uint64_t prefix = 0;
        for (unsigned i = 0; i < WN_COUNT(size); i++) {
            unsigned org = (i + turn) % WN_COUNT(size);
            for (unsigned j = 0; j < size[org]; j++) add(++prefix, org + 1, false, 1);
        }
        cr_assert(wn_crowd_holds(crowd, 10, 80));
        cr_assert_not(wn_crowd_holds(crowd, 10, 81));
    }
}

Test(crowd, reset_forgets_and_growth_does_not) {
    for (unsigned turn = 0; turn < 3; turn++) {
        wn_crowd_reset(crowd, false);
        for (uint64_t i = 0; i < 5000; i++) add(i * 977, 0, false, 1);
        for (uint64_t i = 0; i < 5000; i++) add(i * 977, 0, false, 1);
        cr_assert(wn_crowd_holds(crowd, 5000, 35));
        cr_assert_not(wn_crowd_holds(crowd, 5001, 35));
    }
    wn_crowd_reset(crowd, false);
    cr_assert_not(wn_crowd_holds(crowd, 1, 0));
    wn_crowd_free(NULL);
}
