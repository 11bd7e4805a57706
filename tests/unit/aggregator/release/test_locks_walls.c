// SPDX-License-Identifier: Apache-2.0
// The wall-off build must show one person as one, or the canary scan that
// relies on it as its positive control is blind.
#include "fold_kit.h"
#include "locks.h"

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
