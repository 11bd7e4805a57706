// SPDX-License-Identifier: Apache-2.0
// A commit must leave the fold as if each observation had been added alone,
// and its records must rebuild that fold to the last number.
#include "fold_kit.h"

static wn_plan plan;
static wn_table_keys keys[2];

static void setup(void) {
    kit_plan(&plan);
    for (unsigned e = 0; e < 2; e++) {
        uint8_t k_core[32] = {(uint8_t)(e + 1)};
        wn_table_keys_derive(k_core, &keys[e]);
    }
}
TestSuite(commit, .init = setup);

static wn_commit *new_commit(wn_fold *f) {
    wn_commit *c = NULL;
    cr_assert_eq(wn_commit_new(f, &c), WN_OK);
    return c;
}

static wn_observation random_observation(uint64_t *rnd) {
    wn_observation o = kit_view(7 + kit_below(rnd, 2), kit_below(rnd, 40), kit_below(rnd, 6));
    o.kind = (uint8_t)(1 + kit_below(rnd, 3));
    o.closed[WN_DIM_country] = (uint16_t)kit_below(rnd, 4);
    o.open[WN_DIM_route] = kit_below(rnd, 12);
    o.open[WN_DIM_entry] = kit_below(rnd, 12);
    o.org = kit_below(rnd, 3);
    o.flags = kit_below(rnd, 4) == 0 ? WN_OBS_SIGNED : 0;
    if (kit_below(rnd, 2) == 0) o.flags |= WN_OBS_SHARE;
    if (o.kind == WN_OBS_SESSION) {
        if (kit_below(rnd, 2) == 0) o.flags |= WN_OBS_BOUNCED;
        o.seconds = (uint16_t)kit_below(rnd, WN_SESSION_SECONDS_MAX + 1);
        return o;
    }
    for (unsigned i = 0; i < WN_NUMBERS_N; i++)
        if (kit_below(rnd, 2) == 0) o.number[i] = (uint16_t)kit_below(rnd, KIT_NUMBER_CLAMP);
    return o;
}

// What was first seen of each person of a site and epoch (site 0: nobody yet), and the organisation they
// named first, whenever that was.
static wn_observation first_sight[2][2][40];
static uint64_t first_org[2][2][40];

// The same by hand, one observation after the other.
static void add_alone(wn_fold *f, const wn_observation *o, unsigned epoch) {
    wn_increment inc[WN_TABLES_MAX];
    size_t n = wn_increments_of(o, &plan, &keys[epoch], (uint8_t)epoch, inc);
    if (!wn_fold_admits(f, &inc[0])) {
        cr_assert_eq(wn_fold_count(f, o->site, 0, o->kind != WN_OBS_SESSION), WN_OK);
        return;
    }
    wn_observation *first = &first_sight[epoch][o->site - 7][o->person[0]];
    uint64_t *org = &first_org[epoch][o->site - 7][o->person[0]];
    if (first->site == 0) *first = *o;
    if (*org == 0) *org = o->org;
    for (size_t i = 0; i < n; i++) {
        inc[i].prefix = first->prefix;
        inc[i].signed_id = (first->flags & WN_OBS_SIGNED) != 0;
    }
    for (size_t i = 0; i < n; i++) cr_assert_eq(wn_fold_add(f, &inc[i]), WN_OK);
}

static int by_person(const void *a, const void *b) {
    const wn_member *x = a, *y = b;
    return (x->person > y->person) - (x->person < y->person);
}

// Same cells and people, whatever their numbers and order.
static void same_people(const wn_fold *a, const wn_fold *b) {
    static kit_members x, y;
    cr_assert_eq(wn_fold_cells(a), wn_fold_cells(b));
    for (size_t i = 0; i < wn_fold_cells(a); i++) {
        wn_cell p, q;
        wn_fold_cell(a, i, &p);
        size_t at = wn_fold_find(b, p.site, p.table, p.value, p.epoch);
        cr_assert_neq(at, SIZE_MAX);
        wn_fold_cell(b, at, &q);
        cr_assert(p.people == q.people && p.events == q.events && p.sessions == q.sessions);
        kit_members_of(a, i, 0, &x);
        kit_members_of(b, at, 0, &y);
        qsort(x.m, x.n, sizeof x.m[0], by_person);
        qsort(y.m, y.n, sizeof y.m[0], by_person);
        for (size_t j = 0; j < x.n; j++)
            cr_assert(x.m[j].person == y.m[j].person && x.m[j].signed_id == y.m[j].signed_id &&
                      kit_same_amounts(&x.m[j], &y.m[j]));
        cr_assert(wn_fold_capped(a, p.site) == wn_fold_capped(b, p.site));
    }
}

// Each member is of the organisation that their person named first, be it after they joined the cell: its
// handle is the same wherever it is, and another organisation's another.
static void check_orgs(const wn_fold *f) {
    static kit_members all;
    uint64_t handle[2][3] = {{0}};
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_cell c;
        wn_fold_cell(f, i, &c);
        kit_members_of(f, i, 0, &all);
        for (size_t j = 0; j < all.n; j++) {
            unsigned who = 0;
            for (; who < 40; who++) {
                uint8_t person[16] = {(uint8_t)who};
                if (wn_table_person(&keys[c.epoch], c.table, person) == all.m[j].person) break;
            }
            cr_assert_lt(who, 40);
            uint64_t org = first_org[c.epoch][c.site - 7][who], *is = &handle[c.site - 7][org];
            if (org != 0 && *is == 0) *is = all.m[j].org;
            cr_assert_eq(all.m[j].org, *is, "cell %zu, person %u: named %d first", i, who, (int)org);
        }
    }
    for (unsigned s = 0; s < 2; s++) cr_assert(handle[s][1] == 0 || handle[s][1] != handle[s][2]);
}

static void replay_all(const wn_commit *c, wn_fold *into) {
    for (size_t i = 0; i < wn_commit_records(c); i++)
        cr_assert_eq(wn_journal_replay(into, wn_commit_record(c, i)), WN_OK);
}

Test(commit, equals_one_by_one_and_its_records_rebuild_it) {
    for (uint64_t world = 0; world < 60; world++) {
        uint64_t rnd = world;
        uint32_t cap = (uint32_t)(1 + kit_below(&rnd, 8)), open = (uint32_t)(1 + kit_below(&rnd, 10));
        wn_fold *f = kit_fold(&plan, cap, open), *alone = kit_fold(&plan, cap, open),
                *replayed = kit_fold(&plan, 1, 1);
        wn_commit *c = new_commit(f);
        memset(first_sight, 0, sizeof first_sight);
        memset(first_org, 0, sizeof first_org);
        for (unsigned turn = 0; turn < 12; turn++) {
            for (uint64_t i = kit_below(&rnd, 120); i > 0; i--) {
                wn_observation o = random_observation(&rnd);
                unsigned epoch = turn > 8;
                kit_observe(c, &o, &keys[epoch], epoch);
                add_alone(alone, &o, epoch);
            }
            cr_assert_eq(wn_commit_refuse(c, 7, turn), WN_OK);
            cr_assert_eq(wn_fold_count(alone, 7, turn, 0), WN_OK);
            cr_assert_eq(wn_commit_encode(c), WN_OK);
            // Replay must not ask the options: they may have changed before a restart.
            replay_all(c, replayed);
            wn_commit_apply(c);
            cr_assert(wn_commit_empty(c));
            kit_same(f, replayed);
            same_people(f, alone);
            check_orgs(f);
            if (turn % 4 == 1) { // a value shown frees its place on both sides
                for (size_t i = 0; i < wn_fold_cells(f); i++) {
                    wn_cell x;
                    wn_fold_cell(f, i, &x);
                    if (x.people < 6 || x.value[0] == WN_VALUE_OVERFLOW) continue;
                    wn_fold_set_baseline(f, i, x.people);
                    wn_fold_set_baseline(alone, wn_fold_find(alone, x.site, x.table, x.value, x.epoch),
                                         x.people);
                }
            }
        }
        wn_fold *unpacked = kit_fold(&plan, 1, 1);
        cr_assert_eq(wn_fold_pack(f, kit_unpack, unpacked), WN_OK);
        kit_same(f, unpacked);
        check_orgs(unpacked);
        // And goes on from there: a base is followed by the journal of the running process.
        wn_observation o = random_observation(&rnd);
        kit_observe(c, &o, &keys[0], 0);
        cr_assert_eq(wn_commit_encode(c), WN_OK);
        replay_all(c, unpacked);
        wn_commit_apply(c);
        kit_same(f, unpacked);
        wn_commit_free(c);
        wn_fold_free(f);
        wn_fold_free(alone);
        wn_fold_free(replayed);
        wn_fold_free(unpacked);
    }
}

Test(commit, cap_holds_within_one_commit) {
    wn_fold *f = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(f);
    for (uint64_t who = 0; who < 1000; who++) {
        wn_observation o = kit_view(7, who, 5);
        o.flags = who % 10 == 9 ? WN_OBS_SIGNED : 0;
        kit_observe(c, &o, &keys[0], 0);
        kit_observe(c, &o, &keys[0], 0);
        o.kind = WN_OBS_SESSION; // a visit's end is no event that was left out
        kit_observe(c, &o, &keys[0], 0);
    }
    kit_commit(c);
    cr_assert_eq(wn_fold_people(f), 64 + 100);
    cr_assert_eq(wn_fold_capped(f, 7), 2 * (900 - 64));
    cr_assert_eq(kit_cell_at(f, 7, KIT_T_COUNTRY, 1, 0).people, 164, "a capped observation is dropped whole");
    wn_commit_free(c);
    wn_fold_free(f);
}

Test(commit, encoding_changes_nothing_and_may_be_repeated) {
    wn_fold *f = kit_fold(&plan, 64, 16), *empty = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(f);
    cr_assert(wn_commit_empty(c));
    for (uint64_t who = 0; who < 100; who++) {
        wn_observation o = kit_view(7, who, who);
        kit_observe(c, &o, &keys[0], 0);
    }
    cr_assert_not(wn_commit_empty(c));
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    kit_same(f, empty);
    wn_span first = wn_commit_record(c, 0);
    uint8_t *was = malloc(first.n);
    memcpy(was, first.p, first.n);
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    wn_span second = wn_commit_record(c, 0);
    cr_assert(first.n == second.n && memcmp(was, second.p, second.n) == 0);
    free(was);
    wn_commit_reset(c);
    cr_assert(wn_commit_empty(c) && wn_commit_records(c) == 0);
    kit_commit(c);
    kit_same(f, empty);
    wn_commit_free(c);
    wn_commit_free(NULL);
    wn_fold_free(f);
    wn_fold_free(empty);
}

Test(commit, order_within_a_cell_says_nothing_of_arrival) {
    static kit_members forth, back;
    wn_fold *a = kit_fold(&plan, 64, 16), *b = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(a), *d = new_commit(b);
    for (uint64_t i = 0; i < 200; i++) {
        wn_observation x = kit_view(7, i, i), y = kit_view(7, 199 - i, 199 - i);
        kit_observe(c, &x, &keys[0], 0);
        kit_observe(d, &y, &keys[0], 0);
    }
    kit_commit(c);
    kit_commit(d);
    kit_members_of(a, kit_cell(a, 7, KIT_T_COUNTRY, 1, 0, 0), 0, &forth);
    kit_members_of(b, kit_cell(b, 7, KIT_T_COUNTRY, 1, 0, 0), 0, &back);
    cr_assert(forth.n == 200 && back.n == 200);
    for (size_t i = 0; i < 200; i++) cr_assert_eq(forth.m[i].person, back.m[i].person);
    wn_commit_free(c);
    wn_commit_free(d);
    wn_fold_free(a);
    wn_fold_free(b);
}

Test(commit, nobody_is_of_two_networks_in_one_window) {
    static kit_members all;
    wn_fold *f = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(f);
    for (unsigned turn = 0; turn < 4; turn++) { // in one commit and in the next
        wn_observation o = kit_view(7, 1, 50 + turn);
        o.closed[WN_DIM_country] = (uint16_t)(1 + turn);
        o.org = turn; // none, then three: the first of those counts
        o.flags = turn > 0 ? WN_OBS_SIGNED : 0;
        kit_observe(c, &o, &keys[0], 0);
        if (turn == 1) kit_commit(c);
    }
    kit_commit(c);
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        kit_members_of(f, i, 0, &all);
        cr_assert(all.n == 1 && all.m[0].prefix == 1 && all.m[0].org == 1 && all.m[0].signed_id == 0);
    }
    wn_commit_free(c);
    wn_fold_free(f);
}

Test(commit, nobody_names_more_organisations_than_the_most) {
    for (unsigned late = 0; late < 2; late++) { // the first of them at first sight, or not
        wn_fold *f = kit_fold(&plan, 64, 16);
        wn_commit *c = new_commit(f);
        wn_observation o = kit_view(7, 1, 1);
        if (late) kit_observe(c, &o, &keys[0], 0);
        for (unsigned i = 1; i <= WN_ORGS_OF_PERSON_MAX + 2; i++) {
            o.org = 100 + i;
            kit_observe(c, &o, &keys[0], 0);
            if (i % 3 == 0) kit_commit(c);
        }
        kit_commit(c);
        cr_expect_eq(wn_fold_capped(f, 7), 2);
        cr_expect_eq(kit_cell_at(f, 7, KIT_T_COUNTRY, 1, 0).events, late + WN_ORGS_OF_PERSON_MAX);
        o.org = 101; // those they named stay theirs, and so do they
        kit_observe(c, &o, &keys[0], 0);
        o.org = 0;
        kit_observe(c, &o, &keys[0], 0);
        kit_commit(c);
        cr_expect_eq(kit_cell_at(f, 7, KIT_T_COUNTRY, 1, 0).events, late + WN_ORGS_OF_PERSON_MAX + 2);
        wn_commit_free(c);
        wn_fold_free(f);
    }
}

Test(commit, a_record_of_namings_alone_is_not_taken_twice) {
    wn_fold *f = kit_fold(&plan, 64, 16), *replayed = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(f);
    wn_observation o = kit_view(7, 1, 1);
    for (unsigned i = 0; i < 30; i++) { // past every clamp
        kit_observe(c, &o, &keys[0], 0);
        o.org = i < 10 ? 0 : i < 20 ? 5 : 6; // 6 was named by another before: nothing new but who
        if (i == 5) {
            wn_observation other = kit_view(7, 2, 2);
            other.org = 6;
            kit_observe(c, &other, &keys[0], 0);
        }
    }
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    replay_all(c, replayed);
    wn_commit_apply(c);
    o.org = 7;
    wn_observation other = kit_view(7, 3, 3);
    other.org = 7;
    kit_observe(c, &other, &keys[0], 0);
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    replay_all(c, replayed);
    wn_commit_apply(c);
    kit_observe(c, &o, &keys[0], 0); // only the naming is new
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    cr_assert_eq(wn_commit_records(c), 1);
    replay_all(c, replayed);
    cr_assert_eq(wn_journal_replay(replayed, wn_commit_record(c, 0)), WN_ERR_STATE);
    wn_commit_apply(c);
    kit_same(f, replayed);
    wn_commit_free(c);
    wn_fold_free(f);
    wn_fold_free(replayed);
}

// Who names when must not show in what is written.
Test(commit, namings_of_one_commit_say_nothing_of_arrival) {
    wn_fold *f[2] = {kit_fold(&plan, 64, 16), kit_fold(&plan, 64, 16)};
    for (unsigned back = 0; back < 2; back++) {
        wn_commit *c = new_commit(f[back]);
        for (uint64_t i = 0; i < 20; i++) {
            wn_observation o = kit_view(7, i, i);
            kit_observe(c, &o, &keys[0], 0);
            o = kit_view(7, 100 + i, i);
            o.org = 1 + i;
            kit_observe(c, &o, &keys[0], 0);
        }
        kit_commit(c);
        for (uint64_t i = 0; i < 20; i++) {
            uint64_t who = back ? 19 - i : i;
            wn_observation o = kit_view(7, who, who);
            o.org = 1 + who;
            kit_observe(c, &o, &keys[0], 0);
        }
        cr_assert_eq(wn_commit_encode(c), WN_OK);
        static uint8_t was[1 << 16];
        static size_t n;
        wn_span r = wn_commit_record(c, 0);
        if (back) cr_assert(r.n == n && memcmp(was, r.p, n) == 0);
        cr_assert_leq(r.n, sizeof was);
        memcpy(was, r.p, n = r.n);
        wn_commit_free(c);
    }
    wn_fold_free(f[0]), wn_fold_free(f[1]);
}

Test(commit, is_full_at_its_limit) {
    wn_fold *f = kit_fold(&plan, UINT32_MAX, 16);
    wn_commit *c = new_commit(f);
    for (uint64_t who = 0; who < WN_COMMIT_OBS_MAX; who++) {
        wn_observation o = kit_view(7, who, who % 100);
        kit_observe(c, &o, &keys[0], 0);
    }
    wn_observation o = kit_view(7, 1, 1);
    cr_assert_eq(wn_commit_observe(c, &o, &keys[0], 0), WN_ERR_FULL);
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    cr_assert_gt(wn_commit_records(c), 1, "more than a record holds");
    wn_fold *replayed = kit_fold(&plan, 64, 16);
    for (size_t i = 0; i < wn_commit_records(c); i++)
        cr_assert_leq(wn_commit_record(c, i).n, WN_JOURNAL_BYTES_MAX);
    cr_assert_eq(wn_journal_replay(replayed, wn_commit_record(c, 1)), WN_ERR_STATE, "the first is missing");
    replay_all(c, replayed);
    cr_assert_eq(wn_journal_replay(replayed, wn_commit_record(c, 0)), WN_ERR_STATE, "applied already");
    wn_commit_apply(c);
    cr_assert(wn_fold_people(f) == WN_COMMIT_OBS_MAX && wn_fold_people(replayed) == WN_COMMIT_OBS_MAX);
    wn_fold *unpacked = kit_fold(&plan, 64, 16);
    cr_assert_eq(wn_fold_pack(f, kit_unpack, unpacked), WN_OK);
    cr_assert_eq(wn_fold_people(unpacked), WN_COMMIT_OBS_MAX);
    wn_commit_free(c);
    wn_fold_free(f);
    wn_fold_free(replayed);
    wn_fold_free(unpacked);
}

Test(commit, a_record_of_repeats_alone_is_not_taken_twice) {
    wn_fold *f = kit_fold(&plan, 64, 16), *replayed = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(f);
    wn_observation o = kit_view(7, 1, 1);
    for (unsigned turn = 0; turn < 2; turn++) {
        kit_observe(c, &o, &keys[0], 0);
        cr_assert_eq(wn_commit_encode(c), WN_OK);
        replay_all(c, replayed);
        cr_assert_eq(wn_journal_replay(replayed, wn_commit_record(c, 0)), WN_ERR_STATE);
        wn_commit_apply(c);
        kit_same(f, replayed);
    }
    wn_commit_free(c);
    wn_fold_free(f);
    wn_fold_free(replayed);
}

Test(commit, what_the_clamp_takes_is_not_written) {
    wn_fold *f = kit_fold(&plan, 64, 16);
    wn_commit *c = new_commit(f);
    wn_observation o = kit_view(7, 1, 1);
    for (unsigned i = 0; i < 25; i++) {
        kit_observe(c, &o, &keys[0], 0);
        cr_assert_eq(wn_commit_encode(c), WN_OK);
        cr_assert_eq(wn_commit_records(c), i < 20 ? 1 : 0);
        wn_commit_apply(c);
    }
    cr_assert_eq(kit_cell_at(f, 7, KIT_T_ALL, 0, 0).events, 20);
    wn_commit_free(c);
    wn_fold_free(f);
}

// One member's amounts in a cell of table `t`.
static wn_member only_member(const wn_fold *f, unsigned t, uint64_t first, uint64_t second) {
    static kit_members all;
    kit_members_of(f, kit_cell(f, 7, t, first, second, 0), 0, &all);
    cr_assert_eq(all.n, 1);
    return all.m[0];
}

// A person's measures reach their clamps over joins and repeats, in one commit
// and over several, and a repeat that brings only what the clamps take is not written.
Test(commit, measures_are_summed_and_clamped_for_good) {
    for (unsigned at_once = 1; at_once <= 64; at_once *= 8) {
        wn_fold *f = kit_fold(&plan, 64, 16), *replayed = kit_fold(&plan, 64, 16);
        wn_commit *c = new_commit(f);
        wn_observation view = kit_view(7, 1, 1), session = kit_view(7, 1, 1);
        view.number[0] = 3;
        view.number[1] = 7;
        session.kind = WN_OBS_SESSION;
        session.flags = WN_OBS_BOUNCED;
        session.seconds = WN_SESSION_SECONDS_MAX;
        for (unsigned i = 1; i <= 64; i++) {
            kit_observe(c, &view, &keys[0], 0);
            kit_observe(c, &session, &keys[0], 0);
            if (i % at_once != 0) continue;
            cr_assert_eq(wn_commit_encode(c), WN_OK);
            if (i - at_once >= 34) cr_assert_eq(wn_commit_records(c), 0, "34 × 3 passes the clamp of 100");
            replay_all(c, replayed);
            wn_commit_apply(c);
            unsigned n = i < 20 ? i : 20;
            wn_member m = only_member(f, KIT_T_COUNTRY, 1, 0);
            cr_assert(m.events == n && m.sessions == n && m.bounces == n && m.number == 0);
            cr_assert_eq(m.seconds, n * WN_SESSION_SECONDS_MAX);
            cr_assert_eq(only_member(f, KIT_T_ROUTE, 1001, 0).number, 7 * i < 100 ? 7 * i : 100);
            m = only_member(f, KIT_T_BOTH, 1, 1001);
            cr_assert(m.number == (3 * i < 100 ? 3 * i : 100) && m.sessions == n && m.bounces == 0 &&
                      m.seconds == 0);
            m = only_member(f, KIT_T_ALL, 0, 0);
            cr_assert(m.sessions == n && m.bounces == 0 && m.seconds == 0 && m.number == 0);
        }
        kit_same(f, replayed);
        wn_commit_free(c);
        wn_fold_free(f);
        wn_fold_free(replayed);
    }
}

Test(commit, texts_travel_once_and_within_the_limit) {
    wn_fold *f = kit_fold(&plan, 64, 1), *replayed = kit_fold(&plan, 64, 1);
    wn_commit *c = new_commit(f);
    wn_value none = {.nonce = {200}};
    cr_assert_eq(wn_commit_value(c, &none), WN_OK);
    cr_assert(wn_commit_empty(c));
    for (unsigned turn = 0; turn < 2; turn++) {
        for (uint8_t i = 0; i < 30; i++) {
            wn_value v = {.nonce = {i}, .n = 48, .bytes = {(uint8_t)(i + turn)}};
            cr_assert_eq(wn_commit_value(c, &v), WN_OK);
            cr_assert_eq(wn_commit_value(c, &v), WN_OK);
        }
        cr_assert_eq(wn_commit_encode(c), WN_OK);
        cr_assert_eq(wn_commit_records(c), turn == 0 ? 1 : 0);
        replay_all(c, replayed);
        wn_commit_apply(c);
    }
    for (uint64_t id = 0; id < 30; id++) {
        const wn_value *v = wn_fold_value_of(f, id), *w = wn_fold_value_of(replayed, id);
        bool held = id < WN_FOLD_VALUES_FACTOR * plan.n;
        cr_assert_eq(v != NULL, held);
        cr_assert_eq(w != NULL, held);
        if (held) cr_assert(v->bytes[0] == id && w->bytes[0] == id && w->n == 48);
    }
    wn_commit_free(c);
    wn_fold_free(f);
    wn_fold_free(replayed);
}
