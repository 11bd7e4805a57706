// SPDX-License-Identifier: Apache-2.0
// What the seal adds to a row, one rule a test and each at its edge.
#include "fold_kit.h"
#include "locks.h"

enum { SITE = 7, DECLARING = 8 };
static wn_plan plan;
static wn_site site[2];
static wn_sites sites = {site, 2};
static wn_lock_rules rules = {.p_percent = 25, .sites = &sites};
static wn_rows rows;
static wn_steps steps;
static wn_fold *f;

static void setup(void) {
    kit_plan(&plan);
    plan.table[KIT_T_BOTH].k = 10;
    plan.table[KIT_T_BOTH].number_clamp = UINT16_MAX;
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
TestSuite(measures, .init = setup, .fini = teardown);

static void again(void) {
    teardown();
    f = kit_fold(&plan, UINT32_MAX, 64);
    rows = (wn_rows){0};
    steps = (wn_steps){0};
}

static void tick(void) {
    cr_assert_eq(wn_locks_tick(f, &plan, &rules, &rows, &steps), WN_OK);
    for (size_t i = 0; i < steps.n; i++) wn_fold_set_baseline(f, steps.step[i].cell, steps.step[i].baseline);
}

static const wn_row *row_of(unsigned table, uint64_t value, bool other) {
    for (size_t i = 0; i < rows.n; i++)
        if (rows.row[i].table == table && rows.row[i].value[0] == value &&
            (rows.row[i].is_other != 0) == other)
            return &rows.row[i];
    return NULL;
}

static const wn_row *seal_row(unsigned table, uint64_t value) {
    cr_assert_eq(wn_locks_seal(f, &plan, &rules, &rows, &steps), WN_OK);
    const wn_row *r = row_of(table, value, false);
    cr_assert_not_null(r);
    return r;
}

// n people of country 1, from number `from` on, each of a prefix of their own.
static void come(uint64_t from, uint64_t n) {
    for (uint64_t i = from; i < from + n; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, 1, i, 1000 + i));
}

static void sessions(uint64_t from, uint64_t n, unsigned seconds, bool bounced) {
    for (uint64_t i = from; i < from + n; i++) kit_add(f, kit_session(KIT_T_COUNTRY, 1, i, seconds, bounced));
}

// The same people in country × route, each adding `number`.
static void numbers(uint64_t from, uint64_t n, unsigned number) {
    for (uint64_t i = from; i < from + n; i++) {
        wn_increment inc = kit_inc(KIT_T_BOTH, 1, i, 1000 + i);
        inc.value[1] = 5;
        inc.number = (uint16_t)number;
        kit_add(f, inc);
    }
}

Test(measures, bounces_need_k_on_each_side) {
    const struct {
        unsigned bounced, stayed;
        bool shown;
    } edge[] = {{9, 30, false}, {10, 30, true}, {30, 9, false},
                {30, 10, true}, {40, 0, false}, {0, 40, false}};
    for (size_t i = 0; i < WN_COUNT(edge); i++) {
        again();
        come(0, edge[i].bounced + edge[i].stayed);
        sessions(0, edge[i].bounced, 0, true);
        sessions(edge[i].bounced, edge[i].stayed, 0, false);
        const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
        cr_assert_eq((r->locked & WN_MEASURE_BOUNCES) != 0, edge[i].shown, "%u and %u", edge[i].bounced,
                     edge[i].stayed);
        cr_assert_eq(r->bounces, edge[i].shown ? edge[i].bounced / 10 * 10 : 0);
        cr_assert_eq(r->sessions, (edge[i].bounced + edge[i].stayed) / 10 * 10);
    }
}

Test(measures, who_had_no_session_is_not_the_other_side_of_bounces) {
    come(0, 60);
    sessions(0, 30, 0, true);
    sessions(30, 9, 100, false);
    const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->people == 60 && r->sessions == 30 && r->locked == 0 && r->bounces == 0,
              "else sessions − bounces would be nine people's");
    again();
    come(0, 60);
    sessions(0, 30, 0, true);
    sessions(30, 10, 100, false);
    r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->bounces == 30 && r->sessions == 40);
}

Test(measures, time_needs_k_with_some_and_no_other_side) {
    come(0, 40);
    sessions(0, 9, 60, false);
    sessions(9, 31, 0, false);
    cr_assert_eq(seal_row(KIT_T_COUNTRY, 1)->locked, 0);
    again();
    come(0, 40);
    sessions(0, 10, 60, false);
    sessions(10, 30, 0, false);
    const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->locked == WN_MEASURE_TIME && r->seconds == 600, "%u %llu", r->locked,
              (unsigned long long)r->seconds);
    again();
    come(0, 40);
    sessions(0, 40, 60, false);
    r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->locked == WN_MEASURE_TIME && r->seconds == 2400, "everybody");
}

Test(measures, a_number_needs_k_on_each_side) {
    for (unsigned with = 9; with <= 31; with++) {
        again();
        numbers(0, with, 4);
        numbers(with, 40 - with, 0);
        const wn_row *r = seal_row(KIT_T_BOTH, 1);
        bool shown = with >= 10 && 40 - with >= 10;
        cr_assert_eq(r->locked, shown ? WN_MEASURE_NUMBER1 : 0, "%u of 40", with);
        cr_assert_eq(r->number, shown ? 4 * with / 10 * 10 : 0);
    }
}

// Both sides are crowds to the full: networks and organisations count, not heads.
Test(measures, each_side_hides_its_networks_and_organisations) {
    for (unsigned few = 0; few < 2; few++) {
        again();
        for (uint64_t i = 0; i < 80; i++) {
            wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, i, i), s = inc;
            bool bounces = i < 40;
            // 40 people of nine prefixes on one side
            if (bounces == (few == 0)) inc.prefix = s.prefix = 1000 + i % 9;
            s.events = 0;
            s.sessions = 1;
            s.bounces = bounces;
            kit_add(f, inc);
            kit_add(f, s);
        }
        cr_assert_eq(seal_row(KIT_T_COUNTRY, 1)->locked, 0);
        again();
        for (uint64_t i = 0; i < 80; i++) {
            wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, i, i), s;
            bool bounces = i < 40;
            inc.site = DECLARING;
            inc.org = bounces == (few == 0) ? 1 + i % 3 : 10 + i % 8;
            s = inc;
            s.events = 0;
            s.sessions = 1;
            s.bounces = bounces;
            kit_add(f, inc);
            kit_add(f, s);
        }
        cr_assert_eq(seal_row(KIT_T_COUNTRY, 1)->locked, 0, "three organisations");
    }
}

// 1,800 s, two of 100 and the rest: shown when the rest is 450 s at least.
Test(measures, nobody_s_time_dominates) {
    for (unsigned rest = 449; rest <= 450; rest++) {
        again();
        come(0, 40);
        sessions(0, 1, 1800, false);
        sessions(1, 2, 100, false);
        sessions(3, 9, 49, false);
        sessions(12, 1, rest - 441, false);
        const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
        cr_assert_eq(r->locked, rest == 450 ? WN_MEASURE_TIME : 0);
    }
}

Test(measures, no_organisation_s_bounces_dominate) {
    // By people: 10 of each of 6 organisations. By bounces: one has 20 each.
    for (unsigned each = 2; each <= 20; each += 18) {
        again();
        for (uint64_t i = 0; i < 120; i++) {
            wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, i, i), s;
            inc.site = DECLARING;
            inc.org = 1 + i % 6;
            s = inc;
            s.events = 0;
            s.sessions = 1;
            s.bounces = i < 60;
            kit_add(f, inc);
            for (unsigned j = 0; j < (inc.org == 1 ? each : 1); j++) kit_add(f, s);
        }
        const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
        cr_assert_eq(r->locked, each == 2 ? WN_MEASURE_BOUNCES : 0, "200 against 30 without the next two");
    }
}

Test(measures, are_of_the_people_whom_the_row_shows) {
    come(0, 20);
    sessions(0, 20, 60, false);
    tick();
    cr_assert_eq(rows.row[0].people, 20);
    come(20, 9); // too few for a step: not in the row, so not in its measures
    sessions(20, 9, 1800, true);
    const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->people == 20 && r->sessions == 20 && r->seconds == 1200 && r->locked == WN_MEASURE_TIME);
    wn_rows_fini(&rows);
    again();
    come(0, 20);
    sessions(0, 20, 60, false);
    tick();
    come(20, 10); // a step at the seal
    sessions(20, 10, 60, true);
    r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->people == 30 && r->sessions == 30 && r->seconds == 1800 && r->bounces == 10);
}

Test(measures, are_of_the_larger_epoch_alone) {
    come(0, 20);
    sessions(0, 20, 100, false);
    tick();
    for (uint64_t i = 0; i < 30; i++) {
        wn_increment inc = kit_inc(KIT_T_COUNTRY, 1, 5000 + i, 1000 + i);
        inc.epoch = 1;
        kit_add(f, inc);
        inc.events = 0;
        inc.sessions = 1;
        inc.seconds = i < 9 ? 60 : 0;
        kit_add(f, inc);
    }
    tick();
    const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->people == 30 && r->sessions == 30, "the second epoch's");
    cr_assert(r->locked == 0 && r->seconds == 0,
              "its nine with time fail; the first epoch's 20 are not asked");
}

Test(measures, appear_at_the_seal_and_where_the_table_measures_them) {
    come(0, 40);
    sessions(0, 20, 60, true);
    sessions(20, 20, 60, false);
    numbers(0, 20, 3);
    numbers(20, 20, 0);
    tick();
    cr_assert_eq(rows.n, 2);
    for (size_t i = 0; i < rows.n; i++) {
        const wn_row *r = &rows.row[i];
        cr_assert(r->locked == 0 && r->sessions == 0 && r->bounces + r->seconds + r->number == 0);
    }
    const wn_row *r = seal_row(KIT_T_COUNTRY, 1);
    cr_assert(r->locked == (WN_MEASURE_BOUNCES | WN_MEASURE_TIME) && r->number == 0);
    r = row_of(KIT_T_BOTH, 1, false);
    cr_assert(r != NULL && r->locked == WN_MEASURE_NUMBER1 && r->number == 60 && r->seconds == 0);
}

Test(measures, other_has_none) {
    for (uint64_t i = 0; i < 40; i++) {
        wn_increment s = kit_session(KIT_T_COUNTRY, 2 + i / 8, i, 60, i % 2 == 0);
        kit_add(f, kit_inc(KIT_T_COUNTRY, 2 + i / 8, i, 1000 + i));
        kit_add(f, s);
    }
    cr_assert_eq(wn_locks_seal(f, &plan, &rules, &rows, &steps), WN_OK);
    const wn_row *other = row_of(KIT_T_COUNTRY, 0, true);
    cr_assert(rows.n == 1 && other != NULL && other->people == 40 && other->sessions == 40);
    cr_assert(other->locked == 0 && other->bounces == 0 && other->seconds == 0);
}

// A total less the rows shown leaves whom the rows do not show, here the one
// person who joined country 1 after its step. In steps of 10 s that would be
// their time; in steps of the largest share it is known to 35 % of it at best.
Test(measures, a_difference_of_sums_hides_who_joined_after_the_step) {
    plan.table[KIT_T_ALL].measures |= WN_MEASURE_TIME;
    again();
    for (uint64_t i = 0; i < 31; i++) {
        uint64_t country = i < 20 ? 1 : 2;
        if (i == 19) tick();
        for (unsigned t = KIT_T_ALL; t <= KIT_T_COUNTRY; t++) {
            uint64_t value = t == KIT_T_ALL ? 0 : country;
            kit_add(f, kit_inc(t, value, i, 1000 + i));
            kit_add(f, kit_session(t, value, i, i == 19 ? 1800 : 300, false));
        }
    }
    const wn_row *one = seal_row(KIT_T_COUNTRY, 1), *two = row_of(KIT_T_COUNTRY, 2, false),
                 *all = row_of(KIT_T_ALL, 0, false);
    cr_assert(two != NULL && all != NULL && all->people == 30 && one->people == 10 && two->people == 10);
    cr_assert(one->seconds == 19 * 300 / 160 * 160 && two->seconds == 11 * 300 / 160 * 160,
              "300 s is the largest share: 35 %% are 105, the step 160");
    cr_assert_eq(all->seconds, (30 * 300 + 1800) / 640 * 640);
    // Whoever knows the other thirty to the second still has 640 s of doubt.
    cr_assert(all->seconds - 30 * 300 <= 1800 && all->seconds + 640 - 30 * 300 > 1800);
}

// The step doubles from 10 s, or k, until it is 35 % of the largest share.
Test(measures, steps_follow_the_largest_share) {
    const struct {
        unsigned largest;
        uint64_t step;
    } edge[] = {{1, 10}, {28, 10}, {29, 20}, {57, 20}, {58, 40}, {914, 320}, {915, 640}, {1800, 640}};
    for (size_t i = 0; i < WN_COUNT(edge); i++) {
        again();
        come(0, 50);
        sessions(0, 49, edge[i].largest, false);
        sessions(49, 1, 1, false);
        uint64_t sum = 49ull * edge[i].largest + 1;
        cr_assert_eq(seal_row(KIT_T_COUNTRY, 1)->seconds, sum / edge[i].step * edge[i].step, "%u s",
                     edge[i].largest);
        again();
        numbers(0, 49, edge[i].largest);
        numbers(49, 1, 1);
        numbers(50, 20, 0);
        cr_assert_eq(seal_row(KIT_T_BOTH, 1)->number, sum / edge[i].step * edge[i].step, "k is 10 too");
    }
    again();
    numbers(0, 40, UINT16_MAX);
    numbers(40, 40, 0);
    const uint64_t step = 10 << 12; // 40,960 ≥ 22,937
    cr_assert_eq(seal_row(KIT_T_BOTH, 1)->number, 40ull * UINT16_MAX / step * step);
}

Test(measures, noise_tables_are_passed_over) {
    plan.table[KIT_T_COUNTRY].profile = WN_PROFILE_NOISE;
    come(0, 100);
    sessions(0, 50, 60, false);
    sessions(50, 50, 60, true);
    for (uint64_t i = 0; i < 5; i++) kit_add(f, kit_inc(KIT_T_COUNTRY, 2, i, 1000 + i));
    tick();
    cr_assert(rows.n == 0 && steps.n == 0);
    cr_assert_eq(wn_locks_seal(f, &plan, &rules, &rows, &steps), WN_OK);
    cr_assert(rows.n == 0 && steps.n == 0, "no step, no row, no `other`");
}
