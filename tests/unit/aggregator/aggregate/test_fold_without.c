// SPDX-License-Identifier: Apache-2.0
// A fold without an organisation is the fold that never saw it (R16): same people,
// same order, same counts; cell numbers stay; a journal goes on behind it.
#include "fold_kit.h"
#include "fold_without.h"
#include "record.h"

enum { SITE = 7, OTHER_SITE = 8, ACME = 501, BOLT = 502 };

typedef struct wish {
    uint64_t site, org;
    bool whole;
} wish;

static bool gone(void *ctx, uint64_t site, uint8_t epoch, uint64_t org) {
    const wish *w = ctx;
    (void)epoch;
    return site == w->site && (w->whole || org == w->org);
}

static wn_plan plan;
static wn_table_keys keys;

static void begin(void) {
    uint8_t k_core[32] = {1};
    kit_plan(&plan);
    wn_table_keys_derive(k_core, &keys);
}
TestSuite(fold_without, .init = begin);

// Person i: of ACME, of BOLT, of nobody, by turns; from 20 prefixes; some of another site.
static wn_observation of(uint64_t i) {
    wn_observation o = kit_view(i % 7 == 0 ? OTHER_SITE : SITE, i, i % 20);
    o.org = i % 3 == 0 ? ACME : i % 3 == 1 ? BOLT : 0;
    o.closed[WN_DIM_country] = (uint16_t)(1 + i % 3);
    o.open[WN_DIM_route] = 1000 + i % 5;
    o.flags = i % 4 == 0 ? WN_OBS_SIGNED : 0;
    return o;
}

static bool leaves(const wish *w, uint64_t i) {
    wn_observation o = of(i);
    return o.site == w->site && (w->whole || o.org == w->org);
}

static wn_fold *fold_of(uint64_t from, uint64_t n, const wish *without) {
    wn_fold *f = kit_fold(&plan, 1000, 1000);
    wn_commit *c = NULL;
    cr_assert_eq(wn_commit_new(f, &c), WN_OK);
    for (uint64_t i = from; i < n; i++) {
        wn_observation o = of(i);
        if (without == NULL || !leaves(without, i)) kit_observe(c, &o, &keys, 0);
        if (i % 3 == 2) kit_observe(c, &o, &keys, 0);
        kit_commit(c);
    }
    wn_commit_free(c);
    return f;
}

// The people of each cell of `a` are those of the same cell of `b`, which may have it under another
// number, or not at all when nobody is left.
static void same_people(const wn_fold *a, const wn_fold *b) {
    static kit_members x, y;
    for (size_t i = 0; i < wn_fold_cells(a); i++) {
        wn_cell c, d = {0};
        wn_fold_cell(a, i, &c);
        size_t at = wn_fold_find(b, c.site, c.table, c.value, c.epoch);
        y.n = 0;
        if (at != SIZE_MAX) wn_fold_cell(b, at, &d), kit_members_of(b, at, 0, &y);
        kit_members_of(a, i, 0, &x);
        cr_assert_eq(x.n, y.n, "cell %zu: %zu people, %zu expected", i, x.n, y.n);
        cr_assert(c.people == d.people && c.events == d.events && c.sessions == d.sessions);
        for (size_t j = 0; j < x.n; j++) {
            cr_assert(x.m[j].person == y.m[j].person && x.m[j].events == y.m[j].events &&
                      x.m[j].sessions == y.m[j].sessions && x.m[j].signed_id == y.m[j].signed_id);
            // Handles are numbers of each fold's own: equal among themselves or not, alike.
            cr_assert((x.m[j].prefix == x.m[0].prefix) == (y.m[j].prefix == y.m[0].prefix));
            cr_assert((x.m[j].org == 0) == (y.m[j].org == 0));
        }
    }
}

Test(fold_without, is_the_fold_that_never_saw_them) {
    wish acme = {SITE, ACME, false};
    for (uint64_t n = 0; n < 120; n += 17) {
        wn_fold *f = fold_of(0, n, NULL), *never = fold_of(0, n, &acme), *out = NULL;
        uint8_t *touched = calloc(wn_fold_cells(f) + 1, 1);
        cr_assert_eq(wn_fold_without(f, gone, &acme, touched, &out), WN_OK);
        cr_assert_eq(wn_fold_cells(out), wn_fold_cells(f));
        cr_assert_eq(wn_fold_people(out), wn_fold_people(never));
        same_people(out, never);
        cr_expect_not(wn_fold_holds(out, gone, &acme));
        cr_expect_not(wn_fold_knows_org(out, SITE, ACME));
        cr_expect_eq(wn_fold_knows_org(out, OTHER_SITE, ACME), wn_fold_knows_org(f, OTHER_SITE, ACME));
        for (size_t i = 0; i < wn_fold_cells(f); i++) {
            wn_cell c, d;
            wn_fold_cell(f, i, &c);
            wn_fold_cell(out, i, &d);
            cr_assert_eq(touched[i] != 0, c.people != d.people, "cell %zu", i);
        }
        free(touched);
        wn_fold_free(f), wn_fold_free(never), wn_fold_free(out);
    }
}

Test(fold_without, a_whole_site_goes_with_its_counters) {
    wish site = {.site = SITE, .whole = true};
    wn_fold *f = fold_of(0, 60, NULL), *out = NULL;
    cr_assert_eq(wn_fold_count(f, SITE, 30, 20), WN_OK);
    cr_assert_eq(wn_fold_count(f, OTHER_SITE, 3, 2), WN_OK);
    uint8_t *touched = calloc(wn_fold_cells(f), 1);
    cr_assert_eq(wn_fold_without(f, gone, &site, touched, &out), WN_OK);
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_cell c;
        wn_fold_cell(out, i, &c);
        cr_assert_eq(c.people == 0, c.site == SITE);
    }
    cr_expect_eq(wn_fold_refused(out, SITE) + wn_fold_capped(out, SITE), 0);
    cr_expect_eq(wn_fold_refused(out, OTHER_SITE), 3);
    cr_expect_not(wn_fold_holds(out, gone, &site));
    free(touched);
    wn_fold_free(f), wn_fold_free(out);
}

Test(fold_without, baselines_stay_but_never_above_the_people_left) {
    wish acme = {SITE, ACME, false};
    wn_fold *f = fold_of(0, 90, NULL), *out = NULL;
    wn_cell c, d;
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_fold_cell(f, i, &c);
        wn_fold_set_baseline(f, i, c.people);
    }
    uint8_t *touched = calloc(wn_fold_cells(f), 1);
    cr_assert_eq(wn_fold_without(f, gone, &acme, touched, &out), WN_OK);
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_fold_cell(f, i, &c);
        wn_fold_cell(out, i, &d);
        cr_assert_eq(d.baseline, touched[i] ? d.people : c.baseline);
    }
    free(touched);
    wn_fold_free(f), wn_fold_free(out);
}

// Persons 0..9 are seen without an organisation, in another country, before they name one; 3..5 name BOLT and
// ACME, in this order, 6..8 the other way round. 9 names BOLT alone.
Test(fold_without, takes_out_who_named_it_late_or_beside_another) {
    const wish acme = {SITE, ACME, false}, bolt = {SITE, BOLT, false};
    for (unsigned round = 0; round < 2; round++) {
        const wish *goes = round == 0 ? &acme : &bolt;
        wn_fold *f = kit_fold(&plan, 1000, 1000), *out = NULL;
        wn_commit *c = NULL;
        cr_assert_eq(wn_commit_new(f, &c), WN_OK);
        for (unsigned turn = 0; turn < 4; turn++) {
            for (uint64_t who = 0; who < 10; who++) {
                wn_observation o = kit_view(SITE, who, who);
                const uint64_t first = who < 3 || (who >= 6 && who < 9) ? ACME : BOLT,
                               second = first == ACME ? BOLT : ACME;
                o.closed[WN_DIM_country] = (uint16_t)(1 + turn);
                if (turn == 1) o.org = first;
                if (turn == 2 && who >= 3 && who < 9) o.org = second;
                kit_observe(c, &o, &keys, 0);
            }
            if (turn % 2 == 1) kit_commit(c);
        }
        kit_commit(c);
        wn_commit_free(c);
        static kit_members before, after;
        uint8_t *touched = calloc(wn_fold_cells(f), 1);
        cr_assert(wn_fold_holds(f, gone, (void *)(uintptr_t)goes) && wn_fold_knows_org(f, SITE, goes->org));
        cr_assert_eq(wn_fold_without(f, gone, (void *)(uintptr_t)goes, touched, &out), WN_OK);
        cr_expect_not(wn_fold_holds(out, gone, (void *)(uintptr_t)goes));
        cr_expect_not(wn_fold_knows_org(out, SITE, goes->org));
        cr_expect(wn_fold_knows_org(out, SITE, goes == &acme ? BOLT : ACME));
        for (size_t i = 0; i < wn_fold_cells(f); i++) {
            cr_expect_eq(touched[i], 1);
            kit_members_of(f, i, 0, &before);
            kit_members_of(out, i, 0, &after);
            cr_assert_eq(before.n, 10);
            cr_assert_eq(after.n, goes == &acme ? 1 : 3, "9 alone, or 0..2");
            for (size_t j = 0; j < after.n; j++) cr_expect_eq(after.m[j].org, 1, "that of the others");
        }
        // A base and a journal of it are the same fold, and a later purge still finds who named the other.
        wn_fold *base = kit_fold(&plan, 1000, 1000);
        cr_assert_eq(wn_fold_pack(out, kit_unpack, base), WN_OK);
        kit_same(out, base);
        cr_expect(wn_fold_holds(base, gone, (void *)(uintptr_t)(goes == &acme ? &bolt : &acme)));
        free(touched);
        wn_fold_free(f), wn_fold_free(out), wn_fold_free(base);
    }
}

Test(fold_without, a_journal_goes_on_behind_its_packed_base) {
    wish acme = {SITE, ACME, false};
    wn_fold *f = fold_of(0, 80, NULL), *out = NULL, *base = kit_fold(&plan, 1000, 1000);
    uint8_t *touched = calloc(wn_fold_cells(f), 1);
    cr_assert_eq(wn_fold_without(f, gone, &acme, touched, &out), WN_OK);
    cr_assert_eq(wn_fold_pack(out, kit_unpack, base), WN_OK);
    wn_commit *c = NULL;
    cr_assert_eq(wn_commit_new(out, &c), WN_OK);
    for (uint64_t i = 80; i < 140; i++) {
        wn_observation o = of(i);
        if (!leaves(&acme, i)) kit_observe(c, &o, &keys, 0);
    }
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    for (size_t i = 0; i < wn_commit_records(c); i++)
        cr_assert_eq(wn_journal_replay(base, wn_commit_record(c, i)), WN_OK);
    wn_commit_apply(c);
    kit_same(out, base);
    wn_fold *never = fold_of(0, 140, &acme);
    cr_expect_eq(wn_fold_people(out), wn_fold_people(never));
    wn_commit_free(c);
    free(touched);
    wn_fold_free(f), wn_fold_free(out), wn_fold_free(base), wn_fold_free(never);
}
