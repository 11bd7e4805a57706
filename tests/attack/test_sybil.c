// SPDX-License-Identifier: Apache-2.0
// SYBIL: one network invents as many people as it likes. No row opens, no shown
// row takes a step, and who is over the cap is counted as capped.
//
// WN_SYBIL_IDS: how many (100,000; `./check --long` 1,000,000).
#include "fold_kit.h"
#include "locks.h"

enum { IDS = 100000, CAP = 64, SITE = 7, HONEST = 18, FEW = 9, SHOWN = 10 };

static wn_plan plan;
static wn_fold *fold;
static wn_commit *commit;
static wn_table_keys keys;
static wn_site site = {.tag = SITE};
static wn_sites sites = {&site, 1};
static const wn_lock_rules rules = {.p_percent = 20, .sites = &sites};
static wn_rows rows;
static wn_steps steps;

static void setup(void) {
    const uint8_t k_core[32] = {9};
    kit_plan(&plan);
    wn_table_keys_derive(k_core, &keys);
    fold = kit_fold(&plan, CAP, 1000);
    cr_assert_eq(wn_commit_new(fold, &commit), WN_OK);
}

static void teardown(void) {
    wn_commit_free(commit);
    wn_fold_free(fold);
    wn_rows_fini(&rows);
    wn_steps_fini(&steps);
}

TestSuite(sybil, .init = setup, .fini = teardown);

static unsigned long ids(void) {
    const char *text = getenv("WN_SYBIL_IDS");
    return text != NULL ? strtoul(text, NULL, 10) : IDS;
}

// Somebody from a network, in country 1 (the victim's row) or 2.
static void view(uint64_t who, uint64_t prefix, uint16_t country, uint64_t route) {
    wn_observation o = kit_view(SITE, who, prefix);
    o.closed[WN_DIM_country] = country;
    o.open[WN_DIM_route] = route;
    wn_err err = wn_commit_observe(commit, &o, &keys, 0);
    if (err == WN_ERR_FULL) {
        kit_commit(commit);
        err = wn_commit_observe(commit, &o, &keys, 0);
    }
    cr_assert_eq(err, WN_OK);
}

static void tick(void) {
    kit_commit(commit);
    cr_assert_eq(wn_locks_tick(fold, &plan, &rules, &rows, &steps), WN_OK);
    for (size_t i = 0; i < steps.n; i++)
        wn_fold_set_baseline(fold, steps.step[i].cell, steps.step[i].baseline);
}

static uint32_t shown(unsigned table, uint64_t first) {
    for (size_t i = 0; i < rows.n; i++)
        if (rows.row[i].table == table && rows.row[i].value[0] == first && !rows.row[i].is_other)
            return rows.row[i].people;
    return 0;
}

// All from one /24, each with an id of its own.
static void swarm(unsigned long n, uint16_t country, uint64_t route) {
    for (unsigned long i = 0; i < n; i++) view(1000000 + i, 77, country, route);
}

Test(sybil, no_cell_opens_for_one_network, .timeout = 10000) {
    unsigned long n = ids();
    swarm(n, 2, 2002);
    tick();
    cr_assert_eq(rows.n, 0, "%zu rows", rows.n);
    cr_assert_eq(wn_fold_people(fold), CAP);
    cr_assert_eq(wn_fold_capped(fold, SITE), n - CAP);
    cr_assert_eq(wn_locks_seal(fold, &plan, &rules, &rows, &steps), WN_OK);
    cr_assert_eq(rows.n, 0, "nor at the seal");
}

// The victim's row lacks one person: neither it nor the swarm's neighbours open.
Test(sybil, a_victim_s_cell_is_not_opened, .timeout = 10000) {
    for (unsigned i = 0; i < FEW; i++) view(i, 200 + i, 1, 2001);
    // One lacks in country 1, and the swarm is one network: it can be that one, no more (R12 prices it).
    for (unsigned i = 0; i < FEW - 1; i++) view(100 + i, 300 + i, 3, 2003);
    swarm(ids(), 3, 2003);
    tick();
    cr_assert_eq(shown(KIT_T_COUNTRY, 1), 0);
    cr_assert_eq(shown(KIT_T_COUNTRY, 3), 0, "eight people and one network are nine");
    cr_assert_eq(shown(KIT_T_ROUTE, 2003), 0);
}

Test(sybil, no_step_is_forced, .timeout = 10000) {
    for (unsigned i = 0; i < HONEST; i++) view(i, 200 + i, 1, 2001);
    tick();
    cr_assert_eq(shown(KIT_T_COUNTRY, 1), SHOWN);
    size_t before = rows.n;
    swarm(ids(), 1, 2001);
    tick();
    cr_assert_eq(shown(KIT_T_COUNTRY, 1), SHOWN, "82 people, and the newcomers are one network");
    cr_assert_eq(shown(KIT_T_ALL, 0), SHOWN);
    cr_assert_eq(rows.n, before);
    cr_assert_eq(shown(KIT_T_ROUTE, 2001), 0, "18 people and one network are 19");
}
