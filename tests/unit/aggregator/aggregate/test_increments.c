// SPDX-License-Identifier: Apache-2.0
// Which tables an observation counts in, and that no two tables share a name for a person.
#include "fold_kit.h"

static wn_plan plan;
static wn_table_keys keys;

static void setup(void) {
    const uint8_t k_core[32] = {9};
    kit_plan(&plan);
    wn_table_keys_derive(k_core, &keys);
}

TestSuite(increments, .init = setup);

static const wn_increment *of_table(const wn_increment *inc, size_t n, unsigned table) {
    for (size_t i = 0; i < n; i++)
        if (inc[i].table == table) return &inc[i];
    return NULL;
}

Test(increments, absent_dimension_gives_no_increment) {
    wn_increment inc[WN_TABLES_MAX];
    wn_observation o = kit_view(7, 1, 5);
    o.closed[WN_DIM_country] = 0;
    size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_eq(n, 2);
    cr_assert_eq(inc[0].table, KIT_T_ALL);
    cr_assert_eq(inc[1].table, KIT_T_ROUTE);
    o.closed[WN_DIM_country] = 1;
    o.open[WN_DIM_route] = 0;
    n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_eq(n, 2);
    cr_assert_eq(inc[1].table, KIT_T_COUNTRY);
}

Test(increments, kinds_decide_where_events_count) {
    wn_increment inc[WN_TABLES_MAX];
    wn_observation o = kit_view(7, 1, 5);
    o.kind = WN_OBS_EVENT;
    size_t n = wn_increments_of(&o, &plan, &keys, 3, inc);
    cr_assert_null(of_table(inc, n, KIT_T_ROUTE));
    cr_assert_null(of_table(inc, n, KIT_T_ENTRY));
    const wn_increment *both = of_table(inc, n, KIT_T_BOTH);
    cr_assert(both != NULL && both->events == 1 && both->sessions == 0 && both->epoch == 3);
    cr_assert(both->value[0] == 1 && both->value[1] == 1001);
}

Test(increments, session_counts_where_measured_or_named) {
    wn_increment inc[WN_TABLES_MAX];
    wn_observation o = kit_view(7, 1, 5);
    o.kind = WN_OBS_SESSION;
    size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_null(of_table(inc, n, KIT_T_ROUTE));
    const unsigned with[] = {KIT_T_ALL, KIT_T_COUNTRY, KIT_T_ENTRY, KIT_T_BOTH};
    cr_assert_eq(n, WN_COUNT(with));
    for (size_t i = 0; i < WN_COUNT(with); i++) {
        const wn_increment *x = of_table(inc, n, with[i]);
        cr_assert(x != NULL && x->events == 0 && x->sessions == 1);
        cr_assert_eq(wn_increment_joins(x, plan.table[with[i]].kinds),
                     with[i] == KIT_T_ALL || with[i] == KIT_T_ENTRY);
    }
}

Test(increments, measures_are_filled_where_a_table_asks_for_them) {
    wn_increment inc[WN_TABLES_MAX];
    wn_observation o = kit_view(7, 1, 5);
    o.number[0] = 11;
    o.number[1] = 22;
    o.seconds = 33; // of a view: not believed
    o.flags = WN_OBS_BOUNCED;
    size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_eq(n, 4);
    for (size_t i = 0; i < n; i++) {
        unsigned number = inc[i].table == KIT_T_ROUTE ? 22 : inc[i].table == KIT_T_BOTH ? 11 : 0;
        cr_assert(inc[i].number == number && inc[i].bounces == 0 && inc[i].seconds == 0);
    }
    o.kind = WN_OBS_SESSION;
    o.seconds = WN_SESSION_SECONDS_MAX + 1;
    n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_eq(n, 4);
    for (size_t i = 0; i < n; i++) {
        bool asks = inc[i].table == KIT_T_COUNTRY || inc[i].table == KIT_T_ENTRY;
        cr_assert(inc[i].number == 0 && inc[i].bounces == asks && inc[i].sessions == 1);
        cr_assert_eq(inc[i].seconds, asks ? WN_SESSION_SECONDS_MAX : 0);
    }
    o.flags = 0;
    wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_eq(inc[1].bounces, 0);
    plan.table[KIT_T_ROUTE].measures |= WN_MEASURE_TIME;
    n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert(n == 5 && of_table(inc, n, KIT_T_ROUTE)->seconds == WN_SESSION_SECONDS_MAX,
              "a table that measures time of sessions takes them");
    plan.table[0].kinds = KIT_EVENT;
    o = kit_view(7, 1, 5);
    o.number[0] = 5;
    plan.table[0].measures |= WN_MEASURE_NUMBER1;
    wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert(inc[0].table == 0 && inc[0].number == 0, "what a table does not count adds no number");
}

Test(increments, a_share_table_counts_what_carries_share) {
    wn_increment inc[WN_TABLES_MAX];
    plan.table[KIT_T_COUNTRY].share = plan.table[KIT_T_ENTRY].share = true;
    wn_observation o = kit_view(7, 1, 5);
    for (unsigned kind = WN_OBS_VIEW; kind <= WN_OBS_SESSION; kind++) {
        o.kind = (uint8_t)kind;
        o.flags = WN_OBS_FLAGS_ALL & ~WN_OBS_SHARE;
        size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
        cr_assert(of_table(inc, n, KIT_T_COUNTRY) == NULL && of_table(inc, n, KIT_T_ENTRY) == NULL);
        cr_assert(n > 0 && inc[0].table == 0, "everybody is in table 0");
        o.flags = WN_OBS_SHARE;
        n = wn_increments_of(&o, &plan, &keys, 0, inc);
        cr_assert_not_null(of_table(inc, n, KIT_T_COUNTRY));
        cr_assert_eq(of_table(inc, n, KIT_T_ENTRY) != NULL, kind == WN_OBS_SESSION);
    }
}

Test(increments, noise_counts_signed_ids_alone_where_the_plan_says_so) {
    wn_increment inc[WN_TABLES_MAX];
    plan.table[KIT_T_COUNTRY].profile = WN_PROFILE_NOISE;
    wn_observation o = kit_view(7, 1, 5);
    size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_not_null(of_table(inc, n, KIT_T_COUNTRY));
    plan.noise.signed_only = true;
    n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert(of_table(inc, n, KIT_T_COUNTRY) == NULL && of_table(inc, n, KIT_T_ROUTE) != NULL);
    o.flags = WN_OBS_SIGNED;
    n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_not_null(of_table(inc, n, KIT_T_COUNTRY));
}

Test(increments, table_0_sees_everybody) {
    wn_increment inc[WN_TABLES_MAX];
    plan.table[0].kinds = KIT_VIEW;
    wn_observation o = kit_view(7, 1, 5);
    o.kind = WN_OBS_EVENT;
    size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert(n > 1 && inc[0].table == 0 && inc[0].events == 0 && inc[0].sessions == 0);
    cr_assert(wn_increment_joins(&inc[0], plan.table[0].kinds));
}

Test(increments, no_two_tables_share_a_pseudonym) {
    wn_increment inc[WN_TABLES_MAX];
    wn_observation o = kit_view(7, 1, 5);
    size_t n = wn_increments_of(&o, &plan, &keys, 0, inc);
    cr_assert_eq(n, 4);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) cr_assert_neq(inc[i].person, inc[j].person);
    for (unsigned t = 0; t < WN_TABLES_MAX; t++)
        for (unsigned u = t + 1; u < WN_TABLES_MAX; u++) cr_assert(memcmp(keys.key[t], keys.key[u], 16) != 0);
}

Test(increments, pseudonym_depends_on_key_and_person_alone) {
    wn_increment a[WN_TABLES_MAX], b[WN_TABLES_MAX];
    wn_table_keys other;
    const uint8_t k_other[32] = {8};
    wn_table_keys_derive(k_other, &other);
    wn_observation o = kit_view(7, 1, 5), p = kit_view(7, 1, 6), q = kit_view(7, 2, 5);
    p.org = 77;
    p.flags = WN_OBS_SIGNED;
    wn_increments_of(&o, &plan, &keys, 0, a);
    wn_increments_of(&p, &plan, &keys, 0, b);
    cr_assert_eq(a[0].person, b[0].person);
    cr_assert(b[0].signed_id == 1 && b[0].org == 77 && b[0].prefix == 6 && a[0].signed_id == 0);
    wn_increments_of(&q, &plan, &keys, 0, b);
    cr_assert_neq(a[0].person, b[0].person);
    wn_increments_of(&o, &plan, &other, 0, b);
    cr_assert_neq(a[0].person, b[0].person);
}
