// SPDX-License-Identifier: Apache-2.0
// Test K: random worlds through commit, tick and seal, each published state
// compared row by row with an oracle that counts everything again (R4, R5).
// WN_WORLDS sets how many (1,000; `./check --long` 100,000).
#include "fold_kit.h"
#include "locks.h"
#include "oracle.h"

enum { WORLDS = 1000 };

typedef struct world {
    uint64_t rnd;
    wn_plan plan;
    wn_site site[2];
    wn_sites sites;
    wn_lock_rules rules;
    oracle o;
    wn_fold *f;
    wn_commit *c;
    wn_table_keys keys[3];
    wn_rows rows, before;
    wn_steps steps;
    // how its people are
    uint64_t people, prefixes, orgs, countries, routes;
    unsigned signed_in_100, declared_in_100, late_in_100, adding_in_100;
    uint64_t heavy_person, heavy_org; // who adds most, if anybody
} world;

static void choose_plan(world *w) {
    wn_plan *p = &w->plan;
    const unsigned number = kit_below(&w->rnd, 2) == 0 ? WN_MEASURE_NUMBER1 : WN_MEASURE_NUMBER2;
    kit_table(p, KIT_VIEW | KIT_EVENT, KIT_ALL | KIT_OF_SESSIONS | number, WN_DIM_NONE, WN_DIM_NONE);
    kit_table(p, KIT_VIEW | KIT_EVENT, KIT_ALL | KIT_OF_SESSIONS, WN_DIM_country, WN_DIM_NONE);
    kit_table(p, KIT_VIEW, WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | number, KIT_ROUTE, WN_DIM_NONE);
    if (kit_below(&w->rnd, 2) == 0)
        kit_table(p, KIT_SESSION, WN_MEASURE_PEOPLE | WN_MEASURE_SESSIONS | WN_MEASURE_TIME, KIT_ENTRY,
                  WN_DIM_NONE);
    else kit_table(p, KIT_VIEW, KIT_ALL | WN_MEASURE_BOUNCES, WN_DIM_country, KIT_ROUTE);
    if (kit_below(&w->rnd, 2) == 0)
        kit_table(p, KIT_VIEW | KIT_EVENT, KIT_ALL | KIT_OF_SESSIONS, WN_DIM_country, WN_DIM_NONE)->share =
            true;
    if (kit_below(&w->rnd, 2) == 0)
        kit_table(p, KIT_VIEW, WN_MEASURE_PEOPLE, KIT_ROUTE, WN_DIM_NONE)->profile = WN_PROFILE_NOISE;
    p->noise.signed_only = kit_below(&w->rnd, 2) == 0;
    for (size_t t = 0; t < p->n; t++) {
        p->table[t].k = (uint8_t)(5 + kit_below(&w->rnd, 6));
        p->table[t].number_clamp = (uint16_t)(kit_below(&w->rnd, 2) == 0 ? 60000 : 20);
        p->table[t].clamp = (uint16_t)(kit_below(&w->rnd, 2) == 0 ? 20 : 1 + kit_below(&w->rnd, 200));
    }
}

static void begin(world *w, uint64_t number) {
    *w = (world){.rnd = number * 0x9E3779B97F4A7C15u + 1};
    choose_plan(w);
    w->site[0] = (wn_site){.tag = 7};
    w->site[1] = (wn_site){.tag = 8, .organisations = true};
    w->sites = (wn_sites){.site = w->site, .n = 2};
    w->rules = (wn_lock_rules){.p_percent = (uint32_t)(20 + kit_below(&w->rnd, 16)), .sites = &w->sites};
    w->people = 10 + kit_below(&w->rnd, 90);
    w->prefixes = 1 + kit_below(&w->rnd, w->people);
    w->orgs = 1 + kit_below(&w->rnd, 12);
    w->countries = 1 + kit_below(&w->rnd, 5);
    w->routes = 1 + kit_below(&w->rnd, 6);
    w->signed_in_100 = (unsigned)(kit_below(&w->rnd, 3) * 40);
    w->declared_in_100 = (unsigned)(kit_below(&w->rnd, 3) * 50);
    w->late_in_100 = (unsigned)(kit_below(&w->rnd, 3) * 45);
    w->adding_in_100 = (unsigned)(20 + kit_below(&w->rnd, 4) * 25);
    if (kit_below(&w->rnd, 2) == 0) w->heavy_person = 1 + kit_below(&w->rnd, w->people);
    if (kit_below(&w->rnd, 2) == 0) w->heavy_org = 1 + kit_below(&w->rnd, w->orgs);
    uint32_t cap = (uint32_t)(kit_below(&w->rnd, 2) == 0 ? 1000 : 1 + kit_below(&w->rnd, 8));
    uint32_t open = (uint32_t)(kit_below(&w->rnd, 2) == 0 ? 1000 : 1 + kit_below(&w->rnd, 4));
    w->o = (oracle){.plan = &w->plan, .rules = &w->rules, .ids_per_prefix_max = cap, .open_values_max = open};
    w->f = kit_fold(&w->plan, cap, open);
    cr_assert_eq(wn_commit_new(w->f, &w->c), WN_OK);
    for (unsigned e = 0; e < 3; e++) {
        uint8_t k_core[32] = {(uint8_t)(e + 1)};
        wn_table_keys_derive(k_core, &w->keys[e]);
    }
}

static void end(world *w) {
    oracle_fini(&w->o);
    wn_commit_free(w->c);
    wn_fold_free(w->f);
    wn_rows_fini(&w->rows);
    wn_rows_fini(&w->before);
    wn_steps_fini(&w->steps);
}

// Small numbers come up more often, so that one organisation or route leads.
static uint64_t skewed(world *w, uint64_t n) {
    uint64_t a = kit_below(&w->rnd, n), b = kit_below(&w->rnd, n);
    return a < b ? a : b;
}

// Whether somebody adds to a sum follows from who they are, else all would, soon.
static void measure(world *w, uint64_t who, uint64_t *self, wn_observation *o) {
    bool adds = kit_random(self) % 100 < w->adding_in_100;
    bool heavy = who + 1 == w->heavy_person || (o->org != 0 && o->org == w->heavy_org);
    if (o->kind == WN_OBS_SESSION && !adds && kit_below(&w->rnd, 3) > 0) o->flags |= WN_OBS_BOUNCED;
    if (o->kind == WN_OBS_SESSION && adds)
        o->seconds = (uint16_t)(heavy ? WN_SESSION_SECONDS_MAX : kit_below(&w->rnd, 200));
    for (unsigned i = 0; i < WN_NUMBERS_N && o->kind != WN_OBS_SESSION && adds; i++)
        o->number[i] = (uint16_t)(heavy ? 20000 : kit_below(&w->rnd, 30));
}

// Who somebody is follows from their number; where they are may change.
static wn_observation observation(world *w) {
    uint64_t who = kit_below(&w->rnd, w->people), self = who * 977 + 13;
    wn_observation o = kit_view(7 + who % 2, who, kit_random(&self) % w->prefixes);
    if (kit_below(&w->rnd, 20) == 0) o.prefix = kit_below(&w->rnd, w->prefixes);
    if (kit_random(&self) % 100 < w->signed_in_100) o.flags = WN_OBS_SIGNED;
    if (kit_random(&self) % 100 < w->declared_in_100) {
        uint64_t a = kit_random(&self) % w->orgs, b = kit_random(&self) % w->orgs;
        o.org = 1 + (a < b ? a : b);
    }
    o.kind = (uint8_t)(1 + kit_below(&w->rnd, 3));
    if (kit_random(&self) % 100 < 70 && kit_below(&w->rnd, 20) > 0) o.flags |= WN_OBS_SHARE;
    measure(w, who, &self, &o);
    // Some sign in later than they come, or not every time, and some for another organisation, too.
    bool late = kit_random(&self) % 100 < w->late_in_100;
    if (kit_below(&w->rnd, 25) == 0) o.org = 1 + o.org % w->orgs;
    else if (late && kit_below(&w->rnd, 3) > 0) o.org = 0;
    o.closed[WN_DIM_country] = (uint16_t)skewed(w, w->countries + 1);
    o.open[WN_DIM_route] = 100 + skewed(w, w->routes);
    o.open[WN_DIM_entry] = 100 + skewed(w, w->routes);
    return o;
}

static int by_key(const void *a, const void *b) {
    const wn_row *x = a, *y = b;
    if (x->site != y->site) return x->site < y->site ? -1 : 1;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    if (x->is_other != y->is_other) return x->is_other < y->is_other ? -1 : 1;
    if (x->value[0] != y->value[0]) return x->value[0] < y->value[0] ? -1 : 1;
    return x->value[1] < y->value[1] ? -1 : x->value[1] > y->value[1];
}

static void compare(const world *w, uint64_t number, unsigned turn) {
    size_t n = w->rows.n;
    cr_assert_eq(n, w->o.rows_n, "world %llu state %u: %zu rows, the oracle has %zu",
                 (unsigned long long)number, turn, n, w->o.rows_n);
    wn_row *ours = calloc(n + 1, sizeof *ours), *theirs = calloc(n + 1, sizeof *theirs);
    if (n > 0) memcpy(ours, w->rows.row, n * sizeof *ours);
    if (n > 0) memcpy(theirs, w->o.row, n * sizeof *theirs);
    qsort(ours, n, sizeof *ours, by_key);
    qsort(theirs, n, sizeof *theirs, by_key);
    for (size_t i = 0; i < n; i++) {
        const wn_row *a = &ours[i], *b = &theirs[i];
        cr_assert(by_key(a, b) == 0 && a->people == b->people && a->events == b->events &&
                      a->sessions == b->sessions,
                  "world %llu state %u: row %zu differs", (unsigned long long)number, turn, i);
        cr_assert(a->locked == b->locked && a->bounces == b->bounces && a->seconds == b->seconds &&
                      a->number == b->number,
                  "world %llu state %u: row %zu's measures differ", (unsigned long long)number, turn, i);
    }
    free(ours);
    free(theirs);
}

// What an onlooker sees of two states in a row: multiples of k, at least one
// k apart when they differ, nothing that shrinks or vanishes.
static void look(const world *w) {
    for (size_t i = 0; i < w->rows.n; i++) {
        const wn_row *r = &w->rows.row[i];
        uint32_t k = w->plan.table[r->table].k;
        cr_assert(r->people >= k && r->people % k == 0 && r->events % k == 0 && r->sessions % k == 0);
        cr_assert(r->locked == 0 && r->bounces == 0 && r->seconds == 0 && r->number == 0, "live");
    }
    for (size_t i = 0; i < w->before.n; i++) {
        const wn_row *was = &w->before.row[i], *is = NULL;
        for (size_t j = 0; j < w->rows.n && is == NULL; j++)
            if (by_key(&w->rows.row[j], was) == 0) is = &w->rows.row[j];
        cr_assert_not_null(is);
        cr_assert(is->people >= was->people && is->events >= was->events && is->sessions >= was->sessions);
        cr_assert(is->people > was->people || (is->events == was->events && is->sessions == was->sessions));
    }
}

static void keep_state(world *w) {
    wn_rows_fini(&w->before);
    w->before = (wn_rows){.row = calloc(w->rows.n + 1, sizeof(wn_row)), .n = w->rows.n, .cap = w->rows.n + 1};
    if (w->rows.n > 0) memcpy(w->before.row, w->rows.row, w->rows.n * sizeof(wn_row));
}

// The true number of people between two shown states of a cell is at least k.
static void take_steps(world *w) {
    for (size_t i = 0; i < w->steps.n; i++) {
        wn_cell c;
        wn_fold_cell(w->f, w->steps.step[i].cell, &c);
        cr_assert_geq(w->steps.step[i].baseline - c.baseline, w->plan.table[c.table].k);
        cr_assert_eq(w->steps.step[i].baseline, c.people);
        wn_fold_set_baseline(w->f, c.index, w->steps.step[i].baseline);
    }
}

typedef struct exercised {
    size_t steps, absorbed, others, overflowed, capped, unshared, unsigned_noise, named_late, named_another;
    size_t why[ORACLE_MEASURES_N][ORACLE_WHY_N];
} exercised;

static void add_up(const oracle *o, exercised *sum) {
    sum->steps += o->steps;
    sum->absorbed += o->absorbed;
    sum->others += o->others;
    sum->overflowed += o->overflowed;
    sum->capped += o->capped;
    sum->unshared += o->unshared;
    sum->unsigned_noise += o->unsigned_noise;
    sum->named_late += o->named_late;
    sum->named_another += o->named_another;
    for (unsigned m = 0; m < ORACLE_MEASURES_N; m++)
        for (unsigned y = 0; y < ORACLE_WHY_N; y++) sum->why[m][y] += o->why[m][y];
}

// Tables that have no rows to compare: everybody who counts is in the fold.
static void compare_noise(const world *w, uint64_t number) {
    const unsigned t = (unsigned)w->plan.n - 1;
    if (w->plan.table[t].profile != WN_PROFILE_NOISE) return;
    uint64_t ours = 0, theirs = 0;
    for (size_t i = 0; i < wn_fold_cells(w->f); i++) {
        wn_cell c;
        wn_fold_cell(w->f, i, &c);
        if (c.table == t) ours += c.people;
    }
    for (size_t i = 0; i < w->o.n; i++) theirs += w->o.entry[i].table == t;
    cr_assert_eq(ours, theirs, "world %llu", (unsigned long long)number);
}

static void live(uint64_t number, exercised *sum) {
    static world w;
    begin(&w, number);
    unsigned states = (unsigned)(1 + kit_below(&w.rnd, 6)), epochs = (unsigned)(1 + kit_below(&w.rnd, 3));
    for (unsigned turn = 0; turn < states; turn++) {
        unsigned epoch = turn * epochs / states;
        for (uint64_t i = kit_below(&w.rnd, 2 * w.people); i > 0; i--) {
            wn_observation o = observation(&w);
            oracle_observe(&w.o, &o, epoch);
            kit_observe(w.c, &o, &w.keys[epoch], epoch);
        }
        kit_commit(w.c);
        bool last = turn + 1 == states;
        if (last) {
            oracle_seal(&w.o);
            cr_assert_eq(wn_locks_seal(w.f, &w.plan, &w.rules, &w.rows, &w.steps), WN_OK);
            compare(&w, number, turn);
            break;
        }
        oracle_tick(&w.o);
        cr_assert_eq(wn_locks_tick(w.f, &w.plan, &w.rules, &w.rows, &w.steps), WN_OK);
        take_steps(&w);
        compare(&w, number, turn);
        look(&w);
        keep_state(&w);
        if (kit_below(&w.rnd, 3) == 0)
            kit_restart(&w.plan, w.o.ids_per_prefix_max, w.o.open_values_max, &w.f, &w.c);
    }
    cr_assert_eq(wn_fold_capped(w.f, 7) + wn_fold_capped(w.f, 8), w.o.capped);
    compare_noise(&w, number);
    add_up(&w.o, sum);
    end(&w);
}

Test(worlds, every_published_state_is_what_the_oracle_says, .timeout = 100000) {
    const char *wanted = getenv("WN_WORLDS");
    uint64_t n = wanted != NULL ? strtoull(wanted, NULL, 10) : WORLDS;
    exercised sum = {0};
    for (uint64_t number = 0; number < n; number++) live(number, &sum);
    // Worlds in which nothing happens would prove nothing.
    if (n < WORLDS) return;
    cr_assert_gt(sum.steps, n, "steps %zu", sum.steps);
    cr_assert_gt(sum.others, n / 10, "others %zu", sum.others);
    cr_assert_gt(sum.absorbed, n / 100, "absorbed %zu", sum.absorbed);
    cr_assert_gt(sum.overflowed, n, "overflowed %zu", sum.overflowed);
    cr_assert_gt(sum.capped, n, "capped %zu", sum.capped);
    cr_assert_gt(sum.unshared, n, "without share %zu", sum.unshared);
    cr_assert_gt(sum.unsigned_noise, n, "without signature %zu", sum.unsigned_noise);
    cr_assert_gt(sum.named_late, n, "named late %zu", sum.named_late);
    cr_assert_gt(sum.named_another, n, "named another %zu", sum.named_another);
    for (unsigned m = 0; m < ORACLE_MEASURES_N; m++) {
        const size_t *why = sum.why[m];
        cr_assert_gt(why[ORACLE_SHOWN], n / 20, "measure %u shown %zu", m, why[ORACLE_SHOWN]);
        cr_assert_gt(why[ORACLE_FEW], n / 2, "of few %zu", why[ORACLE_FEW]);
        if (m != ORACLE_TIME)
            cr_assert_gt(why[ORACLE_OTHERS], n / 50, "by the others %zu", why[ORACLE_OTHERS]);
        if (m == ORACLE_BOUNCES) continue; // nobody bounces often enough to lead: test_measures.c
        cr_assert_gt(why[ORACLE_PERSON], n / 50, "by one person %zu", why[ORACLE_PERSON]);
        cr_assert_gt(why[ORACLE_ORG], n / 50, "by one organisation %zu", why[ORACLE_ORG]);
    }
}
