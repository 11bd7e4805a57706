// SPDX-License-Identifier: Apache-2.0
// The fold taken by hand: clamps, caps, the bounded side table, order of joining.
#include "fold_kit.h"
#include "pool.h"

static wn_plan plan;
static void setup(void) {
    kit_plan(&plan);
}
TestSuite(fold, .init = setup);

Test(fold, refuses_a_plan_it_cannot_count) {
    wn_fold *f = NULL;
    wn_plan bad = plan;
    bad.n = 0;
    cr_assert_eq(wn_fold_new(&bad, 1, 1, &f), WN_ERR_CONFIG);
    bad = plan;
    bad.table[0].dims_n = 1;
    cr_assert_eq(wn_fold_new(&bad, 1, 1, &f), WN_ERR_CONFIG);
    bad = plan;
    bad.table[2].clamp = 0;
    cr_assert_eq(wn_fold_new(&bad, 1, 1, &f), WN_ERR_CONFIG);
    bad = plan;
    bad.table[KIT_T_ROUTE].number_clamp = 0;
    cr_assert_eq(wn_fold_new(&bad, 1, 1, &f), WN_ERR_CONFIG, "a sum without a clamp");
    bad = plan;
    bad.table[0].share = true;
    cr_assert_eq(wn_fold_new(&bad, 1, 1, &f), WN_ERR_CONFIG, "table 0 holds everybody");
    bad = plan;
    bad.table[0].profile = WN_PROFILE_NOISE;
    cr_assert_eq(wn_fold_new(&bad, 1, 1, &f), WN_ERR_CONFIG);
    cr_assert_null(f);
    wn_fold_free(NULL);
}

Test(fold, clamps_one_persons_share) {
    plan.table[KIT_T_COUNTRY].clamp = 200;
    wn_fold *f = kit_fold(&plan, 64, 16);
    for (unsigned i = 0; i < 300; i++) {
        kit_add(f, kit_inc(KIT_T_ALL, 0, 1, 5));
        kit_add(f, kit_inc(KIT_T_COUNTRY, 4, 1, 5));
        wn_increment s = kit_inc(KIT_T_COUNTRY, 4, 1, 5);
        s.events = 0;
        s.sessions = 1;
        kit_add(f, s);
        wn_cell all = kit_cell_at(f, 7, KIT_T_ALL, 0, 0), country = kit_cell_at(f, 7, KIT_T_COUNTRY, 4, 0);
        cr_assert_eq(all.events, i + 1 < 20 ? i + 1 : 20);
        cr_assert_eq(country.events, i + 1 < 200 ? i + 1 : 200);
        cr_assert_eq(country.sessions, i + 1 < 20 ? i + 1 : 20);
        cr_assert(all.people == 1 && country.people == 1);
    }
    cr_assert_eq(wn_fold_people(f), 1);
    wn_fold_free(f);
}

Test(fold, clamps_what_one_persons_sessions_add) {
    static kit_members all;
    wn_fold *f = kit_fold(&plan, 64, 16);
    kit_add(f, kit_inc(KIT_T_COUNTRY, 4, 1, 1001));
    kit_add(f, kit_inc(KIT_T_BOTH, 4, 1, 1001));
    for (unsigned i = 1; i <= 60; i++) {
        // The second twenty bounce: each amount has a clamp of its own, whatever came first.
        kit_add(f, kit_session(KIT_T_COUNTRY, 4, 1, 900, i > 20 && i <= 45));
        kit_add(f, kit_session(KIT_T_BOTH, 4, 1, 900, true));
        wn_increment number = kit_inc(KIT_T_BOTH, 4, 1, 1001);
        number.number = 3;
        kit_add(f, number);
        kit_members_of(f, kit_cell(f, 7, KIT_T_COUNTRY, 4, 0, 0), 0, &all);
        unsigned bounces = i <= 20 ? 0 : i - 20 < 20 ? i - 20 : 20;
        cr_assert(all.m[0].sessions == (i < 20 ? i : 20) && all.m[0].bounces == bounces);
        cr_assert_eq(all.m[0].seconds, 900 * i < WN_SECONDS_CLAMP ? 900 * i : WN_SECONDS_CLAMP);
        kit_members_of(f, kit_cell(f, 7, KIT_T_BOTH, 4, 0, 0), 0, &all);
        cr_assert(all.m[0].bounces == 0 && all.m[0].seconds == 0, "a table that does not measure them");
        cr_assert_eq(all.m[0].number, 3 * i < KIT_NUMBER_CLAMP ? 3 * i : KIT_NUMBER_CLAMP);
    }
    wn_fold_free(f);
}

Test(fold, session_adds_nobody_where_kinds_do_not_name_it) {
    wn_fold *f = kit_fold(&plan, 64, 16);
    wn_increment s = kit_inc(KIT_T_COUNTRY, 4, 1, 5);
    s.events = 0;
    s.sessions = 1;
    kit_add(f, s);
    cr_assert_eq(wn_fold_cells(f), 0);
    kit_add(f, kit_inc(KIT_T_COUNTRY, 4, 1, 5));
    kit_add(f, s);
    wn_cell c = kit_cell_at(f, 7, KIT_T_COUNTRY, 4, 0);
    cr_assert(c.people == 1 && c.events == 1 && c.sessions == 1);
    s.table = KIT_T_ENTRY; // names sessions
    kit_add(f, s);
    c = kit_cell_at(f, 7, KIT_T_ENTRY, 4, 0);
    cr_assert(c.people == 1 && c.events == 0 && c.sessions == 1);
    wn_fold_free(f);
}

Test(fold, cap_counts_unsigned_people_of_a_prefix_over_epochs) {
    wn_fold *f = kit_fold(&plan, 3, 16);
    for (uint64_t who = 1; who <= 3; who++) {
        wn_increment inc = kit_inc(KIT_T_ALL, 0, who, 5);
        inc.epoch = who == 3;
        cr_assert(wn_fold_admits(f, &inc));
        kit_add(f, inc);
    }
    wn_increment next = kit_inc(KIT_T_ALL, 0, 4, 5);
    cr_assert_not(wn_fold_admits(f, &next), "the fourth id of a prefix whose cap is 3");
    next.epoch = 1;
    cr_assert_not(wn_fold_admits(f, &next));
    next.prefix = 6;
    cr_assert(wn_fold_admits(f, &next), "another prefix has room");
    next.prefix = 5;
    next.site = 8;
    cr_assert(wn_fold_admits(f, &next), "caps are a site's own");
    next.site = 7;
    next.signed_id = 1;
    cr_assert(wn_fold_admits(f, &next), "a signed id needs no room");
    kit_add(f, next);
    wn_increment known = kit_inc(KIT_T_ALL, 0, 2, 5);
    cr_assert(wn_fold_admits(f, &known), "a known person stays");
    known.epoch = 1;
    cr_assert_not(wn_fold_admits(f, &known), "in another epoch nobody is known");
    wn_fold_free(f);
}

Test(fold, values_past_the_limit_share_the_overflow_cell) {
    wn_fold *f = kit_fold(&plan, 64, 2);
    for (uint64_t v = 1; v <= 5; v++) {
        wn_increment inc = kit_inc(KIT_T_ROUTE, 100 + v, v, 5);
        cr_assert_eq(wn_fold_add(f, &inc), WN_OK);
        bool over = v > 2;
        cr_assert_eq(inc.value[0], over ? WN_VALUE_OVERFLOW : 100 + v);
        cr_assert_eq(inc.value[1], over ? WN_VALUE_OVERFLOW : 0);
    }
    cr_assert_eq(kit_cell_at(f, 7, KIT_T_ROUTE, WN_VALUE_OVERFLOW, WN_VALUE_OVERFLOW).people, 3);
    kit_add(f, kit_inc(KIT_T_ROUTE, 101, 9, 5));
    cr_assert_eq(kit_cell_at(f, 7, KIT_T_ROUTE, 101, 0).people, 2, "a held value goes on counting");
    for (uint64_t v = 1; v <= 5; v++) kit_add(f, kit_inc(KIT_T_COUNTRY, v, v, 5));
    cr_assert_eq(kit_cell_at(f, 7, KIT_T_COUNTRY, 5, 0).people, 1, "closed values are never bounded");
    wn_increment elsewhere = kit_inc(KIT_T_ROUTE, 103, 3, 5);
    elsewhere.site = 8;
    kit_add(f, elsewhere);
    cr_assert_neq(kit_cell(f, 8, KIT_T_ROUTE, 103, 0, 0), SIZE_MAX, "bounded by site");
    wn_fold_free(f);
}

Test(fold, a_shown_value_frees_its_place) {
    wn_fold *f = kit_fold(&plan, 64, 1);
    kit_add(f, kit_inc(KIT_T_ROUTE, 101, 1, 5));
    kit_add(f, kit_inc(KIT_T_ROUTE, 102, 1, 5));
    cr_assert_eq(kit_cell(f, 7, KIT_T_ROUTE, 102, 0, 0), SIZE_MAX);
    size_t shown = kit_cell(f, 7, KIT_T_ROUTE, 101, 0, 0);
    wn_fold_set_baseline(f, shown, 1);
    kit_add(f, kit_inc(KIT_T_ROUTE, 101, 2, 5));
    wn_fold_set_baseline(f, shown, 2); // frees nothing more
    kit_add(f, kit_inc(KIT_T_ROUTE, 103, 1, 5));
    kit_add(f, kit_inc(KIT_T_ROUTE, 104, 1, 5));
    cr_assert_neq(kit_cell(f, 7, KIT_T_ROUTE, 103, 0, 0), SIZE_MAX);
    cr_assert_eq(kit_cell(f, 7, KIT_T_ROUTE, 104, 0, 0), SIZE_MAX);
    wn_fold_free(f);
}

Test(fold, session_of_an_overflowed_value_finds_its_person) {
    wn_fold *f = kit_fold(&plan, 64, 1);
    wn_increment a = kit_inc(KIT_T_BOTH, 1, 1, 5), b = kit_inc(KIT_T_BOTH, 2, 1, 5);
    a.value[1] = b.value[1] = 50;
    kit_add(f, a);
    wn_increment s = b;
    s.events = 0;
    s.sessions = 1;
    kit_add(f, s);
    cr_assert_eq(wn_fold_cells(f), 1, "a session opens no cell");
    kit_add(f, b);
    kit_add(f, s);
    wn_cell over = kit_cell_at(f, 7, KIT_T_BOTH, WN_VALUE_OVERFLOW, WN_VALUE_OVERFLOW);
    cr_assert(over.people == 1 && over.events == 1 && over.sessions == 1);
    wn_fold_free(f);
}

Test(fold, members_come_in_order_of_joining_and_first_sight_decides) {
    static kit_members all;
    wn_fold *f = kit_fold(&plan, 64, 16);
    for (uint64_t who = 1; who <= 9; who++) {
        wn_increment inc = kit_inc(KIT_T_COUNTRY, 4, who * 77 % 10, who / 2);
        inc.org = who > 5 ? 3 : 0;
        inc.signed_id = who == 9;
        kit_add(f, inc);
        kit_add(f, kit_inc(KIT_T_COUNTRY, 5, who, 5));
    }
    wn_increment again = kit_inc(KIT_T_COUNTRY, 4, 7, 99); // who = 1, elsewhere
    again.org = 8;
    again.signed_id = 1;
    kit_add(f, again);
    size_t cell = kit_cell(f, 7, KIT_T_COUNTRY, 4, 0, 0);
    kit_members_of(f, cell, 0, &all);
    cr_assert_eq(all.n, 9);
    for (uint64_t who = 1; who <= 9; who++) cr_assert_eq(all.m[who - 1].person, who * 77 % 10);
    cr_assert(all.m[0].org == 0 && all.m[0].signed_id == 0 && all.m[0].events == 2);
    cr_assert_eq(all.m[1].prefix, all.m[2].prefix);
    cr_assert_neq(all.m[2].prefix, all.m[3].prefix);
    cr_assert(all.m[5].org != 0 && all.m[5].org == all.m[8].org && all.m[8].signed_id == 1);
    kit_members_of(f, cell, 7, &all);
    cr_assert(all.n == 2 && all.m[0].person == 8 * 77 % 10);
    kit_members_of(f, cell, 9, &all);
    cr_assert_eq(all.n, 0);
    wn_fold_free(f);
}

Test(fold, epochs_sites_tables_and_values_are_cells_of_their_own) {
    wn_fold *f = kit_fold(&plan, 64, 16);
    cr_assert_eq(wn_fold_epochs(f), 1);
    wn_increment inc = kit_inc(KIT_T_COUNTRY, 4, 1, 5);
    kit_add(f, inc);
    inc.epoch = 1;
    kit_add(f, inc);
    inc.site = 8;
    kit_add(f, inc);
    inc.value[0] = 5;
    kit_add(f, inc);
    cr_assert_eq(wn_fold_cells(f), 4);
    cr_assert_eq(wn_fold_epochs(f), 2);
    for (size_t i = 0; i < 4; i++) {
        wn_cell c;
        wn_fold_cell(f, i, &c);
        cr_assert(c.index == i && c.people == 1 && c.baseline == 0);
    }
    wn_fold_free(f);
}

static wn_value value_of(uint64_t id, uint8_t n) {
    wn_value v = {.n = n};
    memcpy(v.nonce, &id, sizeof id);
    memset(v.bytes, (int)(id & 0xFF), n);
    return v;
}

Test(fold, texts_first_sight_wins_up_to_the_limit) {
    wn_fold *f = kit_fold(&plan, 64, 1);
    const size_t most = (size_t)WN_FOLD_VALUES_FACTOR * 1 * plan.n;
    bool fresh = true;
    wn_value none = value_of(1, 0);
    cr_assert(wn_fold_value(f, &none, &fresh) == WN_OK && !fresh);
    for (uint64_t id = 1; id <= most + 1; id++) {
        wn_value v = value_of(id, (uint8_t)(id == 2 ? WN_VALUE_SEALED_MAX : 48));
        cr_assert_eq(wn_fold_value(f, &v, &fresh), WN_OK);
        cr_assert_eq(fresh, id <= most);
    }
    wn_value again = value_of(1, 80);
    cr_assert(wn_fold_value(f, &again, &fresh) == WN_OK && !fresh);
    const wn_value *held = wn_fold_value_of(f, 1), *longest = wn_fold_value_of(f, 2);
    cr_assert(held != NULL && held->n == 48 && held->bytes[47] == 1 && wn_value_id(held) == 1);
    cr_assert(longest != NULL && longest->n == WN_VALUE_SEALED_MAX &&
              longest->bytes[WN_VALUE_SEALED_MAX - 1] == 2);
    cr_assert_null(wn_fold_value_of(f, most + 1));
    wn_fold_free(f);
}

Test(fold, refused_and_capped_add_up_by_site) {
    wn_fold *f = kit_fold(&plan, 64, 1);
    cr_assert(wn_fold_refused(f, 7) == 0 && wn_fold_capped(f, 7) == 0);
    for (unsigned i = 0; i < 3; i++) cr_assert_eq(wn_fold_count(f, 7, UINT32_MAX, 2), WN_OK);
    cr_assert_eq(wn_fold_count(f, 8, 1, 0), WN_OK);
    cr_assert(wn_fold_refused(f, 7) == 3ull * UINT32_MAX && wn_fold_capped(f, 7) == 6 &&
              wn_fold_refused(f, 8) == 1);
    wn_fold_free(f);
}

Test(fold, grows_and_says_how_much_it_holds) {
    wn_fold *f = kit_fold(&plan, UINT32_MAX, 16);
    size_t empty = wn_fold_bytes(f);
    for (uint64_t who = 0; who < 20000; who++)
        kit_add(f, kit_inc(KIT_T_ALL, 0, who * 0x9E3779B97F4A7C15u, who));
    cr_assert_eq(wn_fold_people(f), 20000);
    size_t each = (wn_fold_bytes(f) - empty) / 20000;
    cr_assert(each >= 32 && each < 100, "%zu bytes a person", each);
    for (uint64_t who = 0; who < 20000; who++)
        kit_add(f, kit_inc(KIT_T_ALL, 0, who * 0x9E3779B97F4A7C15u, who));
    cr_assert_eq(wn_fold_people(f), 20000);
    cr_assert_eq(kit_cell_at(f, 7, KIT_T_ALL, 0, 0).events, 40000);
    wn_fold_free(f);
}
