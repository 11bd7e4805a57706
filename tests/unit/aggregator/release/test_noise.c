// SPDX-License-Identifier: Apache-2.0
// Noise tables, one rule a test. Most worlds have a variance of 1, so that a count is seen through its noise:
// |X| < FUZZ fails less than once in 10^15 draws.
#include "noise.h"

#include <math.h>

#include "fold_kit.h"
#include "noise_terms.h"

enum { SITE = 7, DECLARING = 8, FUZZ = 9 };
enum { T_ALL, T_COUNTRY, T_ROUTE, T_BOTH, TABLES };
static wn_plan plan;
static wn_site site[2] = {{.tag = SITE}, {.tag = DECLARING, .organisations = true}};
static wn_sites sites = {site, 2};
static wn_lock_rules rules = {.p_percent = 25, .sites = &sites};
static uint8_t seed[WN_NOISE_SEED_BYTES] = "a seed of the tests, thirty-two.";
static wn_rows rows;
static wn_fold *f;

static void with_noise(wn_table *t, uint8_t cells) {
    t->profile = WN_PROFILE_NOISE;
    t->cells = cells;
    t->k = t->k == WN_K_OPEN ? WN_K_NOISE_OPEN : WN_K_NOISE_CLOSED;
}

static void setup(void) {
    plan = (wn_plan){.version = 1};
    kit_table(&plan, KIT_VIEW, WN_MEASURE_PEOPLE, WN_DIM_NONE, WN_DIM_NONE);
    with_noise(kit_table(&plan, KIT_VIEW, WN_MEASURE_PEOPLE, WN_DIM_country, WN_DIM_NONE), 1);
    with_noise(kit_table(&plan, KIT_VIEW, WN_MEASURE_PEOPLE, KIT_ROUTE, WN_DIM_NONE), 3);
    kit_table(&plan, KIT_VIEW, WN_MEASURE_PEOPLE, WN_DIM_country, KIT_ROUTE);
    cr_assert_eq(wn_noise_terms_make(WN_RHO_MICRO_DEFAULT, true, 4, &plan.noise), WN_OK);
    f = kit_fold(&plan, UINT32_MAX, 2);
}

// Little noise and no threshold beyond k.
static void quiet(void) {
    plan.noise.variance_num = plan.noise.variance_den = 1;
    plan.noise.threshold_closed = plan.noise.threshold_open = 1;
}

static void teardown(void) {
    wn_rows_fini(&rows);
    wn_fold_free(f);
}
TestSuite(noise, .init = setup, .fini = teardown);

static void crowd_of(unsigned table, uint64_t value, uint64_t from, uint64_t n) {
    for (uint64_t i = from; i < from + n; i++) kit_add(f, kit_inc(table, value, i, 1000 + i));
}

static void seal(void) {
    cr_assert_eq(wn_noise_seal(f, &plan, &rules, seed, &rows), WN_OK);
}

static const wn_row *row_of(unsigned table, uint64_t value) {
    for (size_t i = 0; i < rows.n; i++)
        if (rows.row[i].table == table && rows.row[i].value[0] == value) return &rows.row[i];
    return NULL;
}

static uint32_t people(unsigned table, uint64_t value) {
    const wn_row *r = row_of(table, value);
    return r == NULL ? 0 : r->people;
}

static bool about(uint32_t seen, uint32_t n) {
    return seen + FUZZ > n && seen < n + FUZZ;
}

Test(noise, a_person_keeps_as_many_cells_as_the_table_says_and_which_is_chance) {
    quiet();
    for (uint64_t value = 1; value <= 10; value++) crowd_of(T_ROUTE, value, 0, 1000);
    seal();
    cr_assert_eq(rows.n, 10);
    uint32_t sum = 0;
    for (uint64_t value = 1; value <= 10; value++) {
        // 1,000 times three of ten: 300, standard deviation 14.5.
        cr_assert(people(T_ROUTE, value) > 200 && people(T_ROUTE, value) < 400, "%u", people(T_ROUTE, value));
        sum += people(T_ROUTE, value);
    }
    cr_assert(sum > 3000 - 40 && sum < 3000 + 40, "%u", sum); // noise: standard deviation 3.2
}

Test(noise, who_has_no_more_cells_than_that_keeps_them_all) {
    quiet();
    for (uint64_t value = 1; value <= 3; value++) crowd_of(T_ROUTE, value, 0, 500);
    crowd_of(T_ROUTE, 4, 500, 80);
    seal();
    for (uint64_t value = 1; value <= 3; value++) cr_assert(about(people(T_ROUTE, value), 500));
    cr_assert(about(people(T_ROUTE, 4), 80));
}

Test(noise, each_table_and_site_has_a_choice_of_its_own) {
    quiet();
    for (uint64_t value = 1; value <= 4; value++) crowd_of(T_COUNTRY, value, 0, 800);
    crowd_of(T_ROUTE, 1, 0, 800);
    for (uint64_t i = 0; i < 60; i++) {
        wn_increment inc = kit_inc(T_COUNTRY, 1, i, 1000 + i);
        inc.site = DECLARING + 1; // unknown: it declares, and all of these are undeclared
        kit_add(f, inc);
        inc.site = DECLARING;
        inc.org = 1 + i % 6;
        kit_add(f, inc);
    }
    seal();
    uint32_t sum = 0;
    for (size_t i = 0; i < rows.n; i++) {
        const wn_row *r = &rows.row[i];
        if (r->site == SITE && r->table == T_COUNTRY) sum += r->people;
        if (r->site == DECLARING) cr_assert(about(r->people, 60));
        cr_assert_neq(r->site, DECLARING + 1);
    }
    cr_assert(sum > 800 - 25 && sum < 800 + 25);
    cr_assert(about(people(T_ROUTE, 1), 800));
    cr_assert_eq(rows.n, 4 + 1 + 1);
}

Test(noise, fewer_than_k_are_never_shown_whatever_is_drawn) {
    quiet();
    crowd_of(T_COUNTRY, 1, 0, WN_K_NOISE_CLOSED - 1);
    crowd_of(T_COUNTRY, 2, 100, WN_K_NOISE_CLOSED);
    crowd_of(T_ROUTE, 1, 0, WN_K_NOISE_OPEN - 1);
    crowd_of(T_ROUTE, 2, 100, WN_K_NOISE_OPEN);
    for (int i = 0; i < 200; i++) {
        seed[0] = (uint8_t)i;
        seal();
        cr_assert_eq(rows.n, 2);
        cr_assert(about(people(T_COUNTRY, 2), WN_K_NOISE_CLOSED));
        cr_assert(about(people(T_ROUTE, 2), WN_K_NOISE_OPEN));
    }
}

Test(noise, k_is_of_people_who_keep_the_cell) {
    quiet();
    for (uint64_t value = 1; value <= 50; value++) crowd_of(T_COUNTRY, value, 0, 200); // one of fifty: 4 each
    seal();
    cr_assert_eq(rows.n, 0);
}

Test(noise, values_below_the_threshold_are_not_shown) {
    // 200 countries' worth of draws about the threshold, then far above it: σ² = 4 / 0.06.
    uint32_t t = plan.noise.threshold_closed, shown = 0;
    double squares = 0;
    for (uint64_t value = 1; value <= 100; value++) crowd_of(T_COUNTRY, value, 1000 * value, t);
    for (uint64_t value = 101; value <= 200; value++) crowd_of(T_COUNTRY, value, 1000 * value, 2 * t);
    for (int i = 0; i < 20; i++) {
        seed[0] = (uint8_t)i;
        seal();
        uint32_t high = 0;
        for (size_t r = 0; r < rows.n; r++) {
            cr_assert_geq(rows.row[r].people, t);
            if (rows.row[r].value[0] <= 100) {
                shown++;
                continue;
            }
            double x = (double)rows.row[r].people - 2.0 * t;
            squares += x * x;
            high++;
        }
        cr_assert_eq(high, 100);
    }
    cr_assert(shown > 850 && shown < 1250, "half of 2,000, and the draws that are 0: %u", shown);
    double variance = squares / 2000, due = (double)plan.noise.variance_num / (double)plan.noise.variance_den;
    cr_assert(fabs(variance / due - 1) < 0.16, "%g is not %g", variance, due); // standard error 0.032
}

Test(noise, open_values_need_the_larger_threshold) {
    crowd_of(T_ROUTE, 1, 0, plan.noise.threshold_closed + 25);
    crowd_of(T_COUNTRY, 1, 0, plan.noise.threshold_closed + 25);
    cr_assert_eq(plan.noise.threshold_open, plan.noise.threshold_closed + 30);
    unsigned open = 0, closed = 0;
    for (int i = 0; i < 200; i++) {
        seed[0] = (uint8_t)i;
        seal();
        open += row_of(T_ROUTE, 1) != NULL;
        closed += row_of(T_COUNTRY, 1) != NULL;
    }
    cr_assert(closed > 190 && open > 20 && open < 110, "%u %u", closed, open); // 3.1 σ above, 0.6 σ below
}

Test(noise, a_second_epoch_adds_nothing) {
    quiet();
    crowd_of(T_COUNTRY, 1, 0, 300);
    crowd_of(T_COUNTRY, 2, 1000, 100);
    for (uint64_t i = 0; i < 200; i++)
        for (uint64_t value = 1; value <= 2; value++) {
            wn_increment inc = kit_inc(T_COUNTRY, value, 5000 * value + i, 1000 + i);
            inc.epoch = 1;
            kit_add(f, inc);
        }
    seal();
    cr_assert_eq(rows.n, 2);
    cr_assert(about(people(T_COUNTRY, 1), 300));
    cr_assert(about(people(T_COUNTRY, 2), 200), "the larger epoch's");
}

Test(noise, the_same_number_in_another_epoch_is_another_person) {
    quiet();
    crowd_of(T_COUNTRY, 1, 0, 300);
    for (uint64_t i = 0; i < 300; i++) {
        wn_increment inc = kit_inc(T_COUNTRY, 2, i, 1000 + i);
        inc.epoch = 1;
        kit_add(f, inc);
    }
    seal();
    cr_assert(about(people(T_COUNTRY, 1), 300) && about(people(T_COUNTRY, 2), 300));
}

Test(noise, organisations_hide_as_elsewhere_among_those_who_keep_the_cell) {
    quiet();
    for (uint64_t i = 0; i < 400; i++) {
        kit_add(f, kit_inc(T_COUNTRY, 1, i, 1 + i % 3));                                // three networks
        kit_add(f, kit_inc(T_COUNTRY, 2, 1000 + i, i < 300 ? 2000 + i % 3 : 3000 + i)); // one has 100 of 400
        kit_add(f, kit_inc(T_COUNTRY, 3, 2000 + i, i < 380 ? 1 : 3000 + i));            // one has nearly all
    }
    seal();
    cr_assert_null(row_of(T_COUNTRY, 1));
    cr_assert(about(people(T_COUNTRY, 2), 400));
    cr_assert_null(row_of(T_COUNTRY, 3));
}

Test(noise, the_overflow_cell_is_never_released_and_no_value_is_driven_into_it) {
    quiet();
    // The fold holds two values below the lock: crowd's table overflows, the table with noise does not.
    for (uint64_t value = 1; value <= 5; value++) crowd_of(T_ROUTE, value, 1000 * value, 100);
    crowd_of(T_ROUTE, WN_VALUE_OVERFLOW, 9000, 500);
    seal();
    cr_assert_eq(rows.n, 5);
    for (uint64_t value = 1; value <= 5; value++) cr_assert(about(people(T_ROUTE, value), 100));
}

Test(noise, neither_order_nor_a_second_asking_changes_anything) {
    uint64_t state = 3;
    wn_increment inc[4000];
    for (size_t i = 0; i < WN_COUNT(inc); i++)
        inc[i] = kit_inc(T_ROUTE, 1 + kit_below(&state, 8), kit_below(&state, 900), kit_below(&state, 900));
    for (size_t i = 0; i < WN_COUNT(inc); i++) inc[i].prefix = inc[i].person;
    for (size_t i = 0; i < WN_COUNT(inc); i++) kit_add(f, inc[i]);
    seal();
    wn_rows first = rows;
    rows = (wn_rows){0};
    seal();
    cr_assert(first.n > 0 && first.n == rows.n &&
              memcmp(first.row, rows.row, rows.n * sizeof *rows.row) == 0);
    wn_fold_free(f);
    f = kit_fold(&plan, UINT32_MAX, 2);
    crowd_of(T_COUNTRY, 1, 0, 300); // a cell more, before them all
    for (size_t i = WN_COUNT(inc); i-- > 0;) kit_add(f, inc[i]);
    seal();
    cr_assert_eq(rows.n, first.n + 1);
    cr_assert_eq(rows.row[0].table, T_COUNTRY);
    cr_assert_eq(memcmp(first.row, rows.row + 1, first.n * sizeof *rows.row), 0);
    seed[31] ^= 1;
    seal();
    bool same = rows.n == first.n + 1 && memcmp(first.row, rows.row + 1, first.n * sizeof *rows.row) == 0;
    cr_assert_not(same, "another seed, other noise");
    wn_rows_fini(&first);
}

Test(noise, crowd_takes_no_step_there_and_makes_no_other) {
    wn_steps steps = {0};
    crowd_of(T_COUNTRY, 1, 0, 300);
    crowd_of(T_COUNTRY, 2, 1000, 15);
    crowd_of(T_ROUTE, 1, 0, 300);
    cr_assert_eq(wn_locks_tick(f, &plan, &rules, &rows, &steps), WN_OK);
    cr_assert(rows.n == 0 && steps.n == 0);
    cr_assert_eq(wn_locks_seal(f, &plan, &rules, &rows, &steps), WN_OK);
    cr_assert(rows.n == 0 && steps.n == 0);
    wn_steps_fini(&steps);
}

Test(noise, tables_of_crowd_and_plans_without_a_budget_draw_nothing) {
    quiet();
    crowd_of(T_BOTH, 1, 0, 300);
    seal();
    cr_assert_eq(rows.n, 0);
    crowd_of(T_COUNTRY, 1, 0, 300);
    seal();
    cr_assert_eq(rows.n, 1);
    plan.noise = (wn_noise_terms){0};
    seal();
    cr_assert_eq(rows.n, 0);
}
