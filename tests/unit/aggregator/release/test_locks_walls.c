// SPDX-License-Identifier: Apache-2.0
// The wall-off build must show one person as one, or the canary scan that
// relies on it as its positive control is blind.
#include "fold_kit.h"
#include "noise.h"

Test(locks_walls, one_person_is_shown_when_the_walls_are_off) {
    wn_plan plan;
    wn_site site = {.tag = 7, .organisations = true};
    wn_sites sites = {&site, 1};
    wn_lock_rules rules = {.p_percent = 25, .sites = &sites};
    wn_rows rows = {0};
    wn_steps steps = {0};
    kit_plan(&plan);
    wn_fold *f = kit_fold(&plan, 64, 16);
    kit_add(f, kit_inc(KIT_T_ROUTE, 5, 1, 1));
    cr_assert_eq(wn_locks_tick(f, &plan, &rules, &rows, &steps), WN_OK);
    cr_assert(rows.n == 1 && rows.row[0].people == 1 && rows.row[0].events == 1);
    kit_add(f, kit_inc(KIT_T_COUNTRY, 5, 1, 1));
    kit_add(f, kit_session(KIT_T_COUNTRY, 5, 1, 7, true));
    cr_assert_eq(wn_locks_seal(f, &plan, &rules, &rows, &steps), WN_OK);
    const wn_row *r = &rows.row[1];
    cr_assert(rows.n == 2 && r->sessions == 1 && r->bounces == 1 && r->seconds == 7);
    cr_assert_eq(r->locked, KIT_OF_SESSIONS);
    wn_rows_fini(&rows);
    wn_steps_fini(&steps);
    wn_fold_free(f);
}

Test(locks_walls, and_without_noise_in_every_cell_of_a_table_that_has_it) {
    wn_plan plan;
    wn_site site = {.tag = 7, .organisations = true};
    wn_sites sites = {&site, 1};
    wn_lock_rules rules = {.p_percent = 25, .sites = &sites};
    wn_rows rows = {0};
    static const uint8_t seed[WN_NOISE_SEED_BYTES] = {1};
    kit_plan(&plan);
    plan.table[KIT_T_ROUTE].profile = WN_PROFILE_NOISE;
    plan.table[KIT_T_ROUTE].cells = 1;
    plan.noise = (wn_noise_terms){.rho_micro = WN_RHO_MICRO_DEFAULT,
                                  .variance_num = 200,
                                  .variance_den = 1,
                                  .threshold_closed = 106,
                                  .threshold_open = 136};
    wn_fold *f = kit_fold(&plan, 64, 16);
    for (uint64_t value = 1; value <= 5; value++) kit_add(f, kit_inc(KIT_T_ROUTE, value, 1, 1));
    cr_assert_eq(wn_noise_seal(f, &plan, &rules, seed, &rows), WN_OK);
    cr_assert_eq(rows.n, 5);
    for (size_t i = 0; i < rows.n; i++) cr_assert_eq(rows.row[i].people, 1);
    wn_rows_fini(&rows);
    wn_fold_free(f);
}
