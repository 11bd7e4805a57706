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
