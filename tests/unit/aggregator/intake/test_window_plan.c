// SPDX-License-Identifier: Apache-2.0
// A plan takes effect at the next window: one that is open keeps what it began
// with, whatever the daemon was started with since (R3).
#include "window_rig.h"

static const char one_table[] = "version: 9\ntables:\n"
                                "  - {id: traffic, doc: Everybody, purpose: basic, dimensions: [], of: "
                                "[view, event], measures: [people, events]}\n"
                                "  - {id: regions, doc: Another, purpose: basic, dimensions: [language], of: "
                                "[view], measures: [people, events]}\n";

Test(window_plan, an_open_window_keeps_the_plan_it_began_with) {
    static window_rig rig;
    char *home = folder_new(), why[100];
    int line = 0;
    size_t moved = 0;
    wn_window day = window_of_day(20777), next = window_of_day(20778);
    rig_init(&rig);
    cr_assert_eq(rig_open(&rig, home), WN_OK);
    rig_send(&rig, &day, 1, 0, 40);
    size_t tables = rig.plan.n;
    uint32_t version = rig.plan.version;
    rig_close(&rig);

    wn_plan_fini(&rig.plan);
    cr_assert_eq(wn_plan_load(one_table, strlen(one_table), &rig.plan, why, sizeof why, &line), WN_OK, "%s",
                 why);
    cr_assert_eq(rig_open(&rig, home), WN_OK);
    const open_window *o = wn_windows_find(rig.ws, &day);
    cr_assert(o != NULL && o->plan.n == tables && o->plan.version == version, "the plan moved in mid-window");
    rig_send(&rig, &day, 2, 40, 40);
    rig_send(&rig, &next, 1, 0, 40);
    o = wn_windows_find(rig.ws, &next);
    cr_assert(o != NULL && o->plan.n == 2 && o->plan.version == 9, "a new window begins with the new plan");
    cr_assert_eq(wn_windows_tick(rig.ws, RIG_NOW, &moved), WN_OK);
    cr_assert_gt(moved, 5);
    rig_close(&rig);
    rig_fini(&rig);
    folder_free(home);
}
