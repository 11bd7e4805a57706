// SPDX-License-Identifier: Apache-2.0
// Steps, epochs, `other` and floods, one rule a test. The random worlds of
// test_worlds.c then check them together.
#include "fold_kit.h"
#include "locks.h"

enum { SITE = 7, DECLARING = 8, UNKNOWN = 9 };
static wn_plan plan;
static wn_site site[2];
static wn_sites sites = {site, 2};
static wn_lock_rules rules = {.p_percent = 25, .sites = &sites};
static wn_rows rows;
static wn_steps steps;
static wn_fold *f;

static void setup(void) {
    kit_plan(&plan);
    site[0].tag = SITE;
    site[1].tag = DECLARING;
    site[1].organisations = true;
    f = kit_fold(&plan, UINT32_MAX, 64);
}

static void teardown(void) {
    wn_rows_fini(&rows);
    wn_steps_fini(&steps);
    wn_fold_free(f);
}
TestSuite(locks, .init = setup, .fini = teardown);

// n new people of n new prefixes, from number `from` on.
static void crowd_of(unsigned table, uint64_t value, uint64_t from, uint64_t n) {
    for (uint64_t i = from; i < from + n; i++) kit_add(f, kit_inc(table, value, i, 1000 + i));
}

static void tick(void) {
    cr_assert_eq(wn_locks_tick(f, &plan, &rules, &rows, &steps), WN_OK);
    for (size_t i = 0; i < steps.n; i++) wn_fold_set_baseline(f, steps.step[i].cell, steps.step[i].baseline);
}

static void seal(void) {
    cr_assert_eq(wn_locks_seal(f, &plan, &rules, &rows, &steps), WN_OK);
}

static const wn_row *row_of(unsigned table, uint64_t value, bool other) {
    for (size_t i = 0; i < rows.n; i++)
        if (rows.row[i].table == table && rows.row[i].value[0] == value &&
            (rows.row[i].is_other != 0) == other)
            return &rows.row[i];
    return NULL;
}

static uint32_t people(unsigned table, uint64_t value) {
    const wn_row *r = row_of(table, value, false);
    return r == NULL ? 0 : r->people;
}

Test(locks, k_has_a_floor) {
    wn_table t = {.k = 1};
    cr_assert_eq(wn_lock_k(&t), WN_K_FLOOR);
    t.k = 6;
    cr_assert_eq(wn_lock_k(&t), 6);
}

Test(locks, empty_fold_publishes_nothing) {
    tick();
    seal();
    cr_assert(rows.n == 0 && steps.n == 0);
}

Test(locks, closed_cell_opens_at_ten_and_open_one_at_twenty) {
    crowd_of(KIT_T_COUNTRY, 1, 0, 9);
    crowd_of(KIT_T_ROUTE, 1, 0, 19);
    tick();
    cr_assert_eq(rows.n, 0);
    crowd_of(KIT_T_COUNTRY, 1, 9, 1);
    crowd_of(KIT_T_ROUTE, 1, 19, 1);
    tick();
    cr_assert(rows.n == 2 && people(KIT_T_COUNTRY, 1) == 10 && people(KIT_T_ROUTE, 1) == 20);
}

Test(locks, published_is_a_multiple_and_a_step_needs_k_joiners) {
    crowd_of(KIT_T_COUNTRY, 1, 0, 19);
    tick();
    cr_assert_eq(people(KIT_T_COUNTRY, 1), 10);
    crowd_of(KIT_T_COUNTRY, 1, 19, 9);
    tick(); // 28 people: the multiple is 20, but 9 joined since 19
    cr_assert(people(KIT_T_COUNTRY, 1) == 10 && steps.n == 0);
    crowd_of(KIT_T_COUNTRY, 1, 28, 1);
    tick();
    cr_assert(people(KIT_T_COUNTRY, 1) == 20 && steps.n == 1 && steps.step[0].baseline == 29);
    tick();
    cr_assert_eq(steps.n, 0);
}

Test(locks, events_move_only_with_people_and_sessions_appear_at_the_seal) {
    crowd_of(KIT_T_COUNTRY, 1, 0, 10);
    kit_add(f, kit_inc(KIT_T_COUNTRY, 1, 3, 1003));
    tick();
    const wn_row *r = row_of(KIT_T_COUNTRY, 1, false);
    cr_assert(r != NULL && r->events == 10 && r->sessions == 0);
    for (unsigned i = 0; i < 200; i++) {
        wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, i % 10, 1000 + i % 10);
        inc.sessions = 1;
        kit_add(f, inc);
    }
    tick();
    r = row_of(KIT_T_COUNTRY, 1, false);
    cr_assert(r->events == 10 && r->sessions == 0);
    crowd_of(KIT_T_COUNTRY, 1, 10, 10);
    tick();
    r = row_of(KIT_T_COUNTRY, 1, false);
    cr_assert(r->people == 20 && r->events == 210 && r->sessions == 0);
    seal();
    r = row_of(KIT_T_COUNTRY, 1, false);
    cr_assert(r->people == 20 && r->events == 210 && r->sessions == 200);
}

Test(locks, a_flood_from_one_prefix_opens_nothing_and_forces_no_step) {
    const uint64_t flood = 100000;
    for (uint64_t i = 0; i < flood; i++) {
        kit_add(f, kit_inc(KIT_T_COUNTRY, 2, 1u << 20 | i, 5));
        kit_add(f, kit_inc(KIT_T_ROUTE, 2, 1u << 20 | i, 5));
    }
    crowd_of(KIT_T_COUNTRY, 1, 0, 12);
    crowd_of(KIT_T_COUNTRY, 2, 0, 8);
    tick();
    cr_assert(rows.n == 1 && people(KIT_T_COUNTRY, 1) == 10);
    for (uint64_t i = 0; i < flood; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, 1, 1u << 20 | i, 5));
    tick();
    cr_assert(steps.n == 0 && people(KIT_T_COUNTRY, 1) == 10);
    crowd_of(KIT_T_COUNTRY, 1, 100, 9);
    tick(); // ten lock-counted joiners, but one prefix is nearly all of them
    cr_assert(steps.n == 0 && people(KIT_T_COUNTRY, 1) == 10);
    seal();
    cr_assert_eq(people(KIT_T_COUNTRY, 1), 10);
    for (size_t i = 0; i < rows.n; i++) cr_assert_eq(rows.row[i].people, 10);
}

Test(locks, intake_caps_the_flood_before_that) {
    wn_table_keys keys;
    const uint8_t k_core[32] = {3};
    wn_fold *capped = kit_fold(&plan, 64, 64);
    wn_commit *c = NULL;
    cr_assert_eq(wn_commit_new(capped, &c), WN_OK);
    wn_table_keys_derive(k_core, &keys);
    for (uint64_t i = 0; i < 100000; i++) {
        wn_observation o = kit_view(SITE, i, 5);
        kit_observe(c, &o, &keys, 0);
        if (i % 10000 == 9999) kit_commit(c);
    }
    cr_assert_eq(wn_fold_people(capped), 64);
    cr_assert_eq(wn_fold_capped(capped, SITE), 100000 - 64);
    cr_assert_eq(wn_locks_seal(capped, &plan, &rules, &rows, &steps), WN_OK);
    cr_assert_eq(rows.n, 0);
    wn_commit_free(c);
    wn_fold_free(capped);
}

Test(locks, undeclared_people_of_a_declaring_site_open_nothing) {
    for (uint64_t i = 0; i < 100; i++) {
        wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, i, 1000 + i);
        inc.site = DECLARING;
        kit_add(f, inc);
        inc.site = UNKNOWN; // not in the list of sites: the stricter rule
        kit_add(f, inc);
    }
    tick();
    cr_assert_eq(rows.n, 0);
    for (uint64_t i = 0; i < 60; i++) {
        wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, 1000 + i, 1000 + i);
        inc.site = DECLARING;
        inc.org = 1 + i % 6;
        kit_add(f, inc);
    }
    tick(); // 100 undeclared, then six of ten: 40 left of 160 is 40 % of the largest
    cr_assert(rows.n == 1 && rows.row[0].site == DECLARING && rows.row[0].people == 160);
}

static void epoch_crowd(uint64_t value, unsigned epoch, uint64_t from, uint64_t n) {
    for (uint64_t i = from; i < from + n; i++) {
        wn_increment inc = kit_inc(KIT_T_COUNTRY, value, 1u << 16 | i, 1000 + i);
        inc.epoch = (uint8_t)epoch;
        kit_add(f, inc);
    }
}

Test(locks, epochs_are_never_added) {
    epoch_crowd(1, 0, 0, 9);
    epoch_crowd(1, 1, 0, 9);
    tick();
    cr_assert_eq(rows.n, 0, "9 and 9 are no 18");
    epoch_crowd(1, 1, 9, 6);
    tick();
    cr_assert(rows.n == 1 && people(KIT_T_COUNTRY, 1) == 10);
    epoch_crowd(1, 0, 9, 10); // 19 against 15: its own baseline is 0
    tick();
    cr_assert(steps.n == 0 && people(KIT_T_COUNTRY, 1) == 10, "its multiple is no more than what is shown");
    epoch_crowd(1, 0, 19, 1);
    tick();
    cr_assert(steps.n == 1 && steps.step[0].baseline == 20 && people(KIT_T_COUNTRY, 1) == 20 && rows.n == 1);
}

Test(locks, the_larger_epoch_decides_even_when_it_fails) {
    for (uint64_t i = 0; i < 30; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, 1, i, i % 5)); // few prefixes
    epoch_crowd(1, 1, 0, 20);
    tick();
    cr_assert_eq(rows.n, 0);
}

Test(locks, other_is_the_set_union_of_hidden_people_at_seal_only) {
    crowd_of(KIT_T_COUNTRY, 1, 0, 30);
    for (uint64_t v = 2; v <= 4; v++) crowd_of(KIT_T_COUNTRY, v, 100, 9); // the same nine three times
    crowd_of(KIT_T_COUNTRY, 5, 105, 8);
    tick();
    cr_assert_null(row_of(KIT_T_COUNTRY, 0, true));
    seal();
    const wn_row *other = row_of(KIT_T_COUNTRY, 0, true);
    cr_assert(other != NULL && other->people == 10 && rows.n == 2, "13 people, not 35");
    cr_assert_eq(other->events, 30, "35 events in multiples of 10");
}

Test(locks, other_clamps_one_persons_share) {
    for (uint64_t v = 1; v <= 3; v++) {
        crowd_of(KIT_T_COUNTRY, v, 0, 9);
        crowd_of(KIT_T_COUNTRY, v, 10 * v, 2);
        for (unsigned i = 0; i < 30; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, v, 0, 1000));
    }
    rules.p_percent = 35;
    seal();
    // 11 people a value pass the people rule: shown; nothing hidden, no other.
    cr_assert(rows.n == 3 && row_of(KIT_T_COUNTRY, 0, true) == NULL);
    rows.n = 0;
    wn_fold_free(f);
    f = kit_fold(&plan, UINT32_MAX, 64);
    for (uint64_t v = 1; v <= 3; v++) {
        crowd_of(KIT_T_COUNTRY, v, 10 * v, 4);
        for (unsigned i = 0; i < 30; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, v, 0, 1000));
    }
    seal();
    const wn_row *other = row_of(KIT_T_COUNTRY, 0, true);
    cr_assert(other != NULL && other->people == 10 && other->events == 30, "12 + 20, not 12 + 60");
}

Test(locks, other_absorbs_the_smallest_shown_rows_until_it_holds) {
    crowd_of(KIT_T_COUNTRY, 1, 0, 40);
    crowd_of(KIT_T_COUNTRY, 2, 100, 10);
    crowd_of(KIT_T_COUNTRY, 3, 200, 10);
    crowd_of(KIT_T_COUNTRY, 4, 300, 3);
    tick();
    cr_assert_eq(rows.n, 3);
    seal(); // 3 hide nobody; with the smaller of two equal rows, by value, they are 13
    const wn_row *other = row_of(KIT_T_COUNTRY, 0, true);
    cr_assert(rows.n == 3 && other != NULL && other->people == 10);
    cr_assert(people(KIT_T_COUNTRY, 2) == 0 && people(KIT_T_COUNTRY, 3) == 10 &&
              people(KIT_T_COUNTRY, 1) == 40);
}

Test(locks, no_other_when_the_whole_table_fails_and_rows_stay) {
    crowd_of(KIT_T_COUNTRY, 1, 0, 10);
    for (uint64_t i = 0; i < 500; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, 2, 1u << 20 | i, 5));
    seal();
    cr_assert(rows.n == 1 && people(KIT_T_COUNTRY, 1) == 10);
}

Test(locks, other_has_the_larger_epoch_alone) {
    epoch_crowd(1, 0, 0, 9);
    epoch_crowd(2, 0, 20, 9);
    epoch_crowd(1, 1, 0, 9);
    epoch_crowd(2, 1, 0, 9);
    seal();
    const wn_row *other = row_of(KIT_T_COUNTRY, 0, true);
    cr_assert(other != NULL && other->people == 10, "18 people of epoch 0, never 27");
}

Test(locks, overflow_is_never_shown_but_counts_in_other) {
    wn_fold_free(f);
    f = kit_fold(&plan, UINT32_MAX, 1);
    crowd_of(KIT_T_ROUTE, 1, 0, 1);
    crowd_of(KIT_T_ROUTE, 2, 100, 50);
    tick();
    cr_assert_eq(rows.n, 0);
    seal();
    const wn_row *other = row_of(KIT_T_ROUTE, 0, true);
    cr_assert(rows.n == 1 && other != NULL && other->people == 40, "51 people in multiples of 20");
}

// R5: an open value is held in the side table until k lock-counted people
// reached it; a place is free again when its value is shown, and what did not
// fit before stays with `other` even when its value has a row of its own later.
Test(locks, what_did_not_fit_stays_in_other_for_the_whole_window) {
    wn_fold_free(f);
    f = kit_fold(&plan, UINT32_MAX, 1);
    for (uint64_t i = 0; i < 19; i++) kit_add(f, kit_inc(KIT_T_ROUTE, 1, i, 1000 + i));
    for (uint64_t i = 0; i < 500; i++)
        kit_add(f, kit_inc(KIT_T_ROUTE, 1, 1u << 20 | i, 1000)); // no more networks
    tick();
    cr_assert_eq(rows.n, 0);
    crowd_of(KIT_T_ROUTE, 2, 100, 25);
    cr_assert_eq(kit_cell(f, SITE, KIT_T_ROUTE, 2, 0, 0), SIZE_MAX,
                 "no place, for 519 people of 19 networks");
    tick();
    cr_assert_eq(rows.n, 0);
    crowd_of(KIT_T_ROUTE, 1, 2000, 600);
    tick();
    cr_assert(rows.n == 1 && people(KIT_T_ROUTE, 1) == 1100);
    crowd_of(KIT_T_ROUTE, 2, 200, 20);
    seal();
    cr_assert_eq(people(KIT_T_ROUTE, 2), 20, "not the 25 who came before there was a place");
    const wn_row *other = row_of(KIT_T_ROUTE, 0, true);
    cr_assert(other != NULL && other->people == 20 && rows.n == 3, "those 25 are here");
}

Test(locks, table_without_dimension_has_no_other) {
    crowd_of(KIT_T_ALL, 0, 0, 9);
    seal();
    cr_assert_eq(rows.n, 0);
    crowd_of(KIT_T_ALL, 0, 9, 90);
    seal();
    cr_assert(rows.n == 1 && people(KIT_T_ALL, 0) == 90, "never 99, sealed or not");
}
