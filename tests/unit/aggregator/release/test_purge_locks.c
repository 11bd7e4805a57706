// SPDX-License-Identifier: Apache-2.0
// What an onlooker sees of a purge (R16): random worlds in which an organisation is
// purged between two ticks, beside the same worlds in which it never was. A row
// that one of its people touched stays what it was, to the end; its table shows no
// `other`; every other row is the same in both worlds, at every state. So no
// difference of two publications has the organisation's people on one side alone.
// Some name it late; some of its people name another organisation as well.
// WN_WORLDS sets how many worlds (400; `./check --long` 100,000).
#include "fold_kit.h"
#include "fold_without.h"
#include "locks.h"

enum { WORLDS = 400, STATES = 6, PEOPLE = 120, SITE = 7, ACME = 99 };

typedef struct world {
    wn_fold *f;
    wn_commit *c;
    wn_rows rows;
    wn_steps steps;
} world;

static wn_plan plan;
static wn_site site = {.tag = SITE};
static wn_sites sites = {&site, 1};
static wn_table_keys keys[2];

static bool gone(void *ctx, uint64_t tag, uint8_t epoch, uint64_t org) {
    (void)ctx, (void)tag, (void)epoch;
    return org == ACME;
}

static void begin(world *w) {
    *w = (world){.f = kit_fold(&plan, 1000, 1000)};
    cr_assert_eq(wn_commit_new(w->f, &w->c), WN_OK);
}

static void end(world *w) {
    wn_commit_free(w->c);
    wn_fold_free(w->f);
    wn_rows_fini(&w->rows);
    wn_steps_fini(&w->steps);
}

static wn_observation observation(uint64_t *rnd) {
    uint64_t who = kit_below(rnd, PEOPLE), self = who * 977 + 13;
    wn_observation o = kit_view(SITE, who, kit_random(&self) % 60);
    o.org = kit_random(&self) % 8 == 0 ? ACME : 1 + kit_random(&self) % 9;
    uint64_t a = kit_below(rnd, 5), b = kit_below(rnd, 5);
    o.kind = (uint8_t)(1 + kit_below(rnd, 3));
    o.closed[WN_DIM_country] = (uint16_t)(1 + (a < b ? a : b));
    o.open[WN_DIM_route] = 100 + (a > b ? a : b);
    // ACME's people go to some places only.
    if (o.org == ACME)
        o.closed[WN_DIM_country] = 1 + o.closed[WN_DIM_country] % 2, o.open[WN_DIM_route] = 100;
    return o;
}

// What ACME's person says they are of: some say nothing yet, or another organisation, until they must.
typedef struct saying {
    bool came[2][PEOPLE], said[2][PEOPLE];
} saying;

static wn_observation as_said(const wn_observation *o, unsigned epoch, saying *s) {
    wn_observation said = *o;
    unsigned who = o->person[0];
    if (o->org != ACME) return said;
    if (!s->said[epoch][who]) said.org = who % 3 == 0 ? ACME : who % 3 == 1 ? 0 : 1 + who % 9;
    s->came[epoch][who] = true;
    s->said[epoch][who] |= said.org == ACME;
    return said;
}

// All of ACME's who came in this epoch name it before it ends, or the purge comes.
static void own_up(world *w, unsigned epoch, saying *s, size_t *inout_late) {
    for (uint64_t who = 0; who < PEOPLE; who++) {
        if (!s->came[epoch][who] || s->said[epoch][who]) continue;
        wn_observation o = kit_view(SITE, who, 1);
        o.org = ACME;
        o.open[WN_DIM_route] = 100;
        kit_observe(w->c, &o, &keys[epoch], epoch);
        s->said[epoch][who] = true;
        ++*inout_late;
    }
}

static const wn_row *find(const wn_rows *rows, const wn_row *as) {
    for (size_t i = 0; i < rows->n; i++) {
        const wn_row *r = &rows->row[i];
        if (r->table == as->table && r->is_other == as->is_other && r->value[0] == as->value[0] &&
            r->value[1] == as->value[1])
            return r;
    }
    return NULL;
}

static bool same(const wn_row *a, const wn_row *b) {
    return a->people == b->people && a->events == b->events && a->sessions == b->sessions;
}

typedef struct purged { // keys of the rows that ACME touched, as they stood then
    wn_row row[512];
    bool shown[512], table[WN_TABLES_MAX];
    size_t n;
} purged;

static void note(purged *p, const world *w, const uint8_t *touched, size_t n) {
    *p = (purged){.n = 0};
    for (size_t i = 0; i < n; i++) {
        wn_cell c;
        wn_fold_cell(w->f, i, &c);
        wn_row key = {.site = SITE, .table = c.table, .value = {c.value[0], c.value[1]}};
        if (!touched[i]) continue;
        const wn_row *r = find(&w->rows, &key);
        cr_assert_lt(p->n, WN_COUNT(p->row));
        p->shown[p->n] = r != NULL;
        p->row[p->n++] = r != NULL ? *r : key;
        p->table[c.table] = true;
    }
}

static bool is_touched(const purged *p, const wn_row *r) {
    if (r->is_other) return p->table[r->table];
    for (size_t i = 0; i < p->n; i++)
        if (p->row[i].table == r->table && p->row[i].value[0] == r->value[0] &&
            p->row[i].value[1] == r->value[1])
            return true;
    return false;
}

static void compare(const purged *p, const world *a, const world *never, uint64_t number, unsigned turn) {
    for (size_t i = 0; i < p->n; i++) {
        const wn_row *r = find(&a->rows, &p->row[i]);
        cr_assert_eq(r != NULL, p->shown[i], "world %llu state %u: a frozen row came or went",
                     (unsigned long long)number, turn);
        cr_assert(r == NULL || same(r, &p->row[i]), "world %llu state %u: a frozen row moved",
                  (unsigned long long)number, turn);
    }
    for (size_t i = 0; i < a->rows.n; i++) {
        const wn_row *r = &a->rows.row[i];
        cr_assert_not(r->is_other && p->table[r->table], "`other` in a purged table");
        if (is_touched(p, r)) continue;
        const wn_row *s = find(&never->rows, r),
                     *other = find(&never->rows, &(wn_row){.table = r->table, .is_other = 1});
        if (s == NULL && other != NULL && p->table[r->table])
            continue; // absorbed there, where `other` is shown
        cr_assert(s != NULL && same(r, s), "world %llu state %u: an untouched row differs",
                  (unsigned long long)number, turn);
    }
    for (size_t i = 0; i < never->rows.n; i++)
        if (!is_touched(p, &never->rows.row[i])) cr_assert_not_null(find(&a->rows, &never->rows.row[i]));
}

static void step(world *w, wn_lock_rules *rules, bool last) {
    if (last) {
        cr_assert_eq(wn_locks_seal(w->f, &plan, rules, &w->rows, &w->steps), WN_OK);
        return;
    }
    cr_assert_eq(wn_locks_tick(w->f, &plan, rules, &w->rows, &w->steps), WN_OK);
    for (size_t i = 0; i < w->steps.n; i++)
        wn_fold_set_baseline(w->f, w->steps.step[i].cell, w->steps.step[i].baseline);
}

typedef struct exercised {
    size_t frozen, shown, free_rows, others, late;
} exercised;

static void purge(world *w, uint8_t **frozen, size_t *frozen_n) {
    wn_fold *out = NULL;
    *frozen_n = wn_fold_cells(w->f);
    *frozen = calloc(*frozen_n + 1, 1);
    cr_assert_eq(wn_fold_without(w->f, gone, NULL, *frozen, &out), WN_OK);
    wn_commit_free(w->c);
    wn_fold_free(w->f);
    w->f = out;
    cr_assert_eq(wn_commit_new(w->f, &w->c), WN_OK);
}

static void live(uint64_t number, exercised *sum) {
    static purged p;
    world a, never;
    uint64_t rnd = number * 0x9E3779B97F4A7C15u + 5;
    begin(&a), begin(&never);
    site.organisations = kit_below(&rnd, 2) == 0;
    wn_lock_rules rules = {.p_percent = 20, .sites = &sites}, open = rules;
    unsigned when = (unsigned)kit_below(&rnd, STATES - 1), second = (unsigned)kit_below(&rnd, 2 * STATES);
    uint8_t *frozen = NULL;
    saying said = {0};
    for (unsigned turn = 0; turn < STATES; turn++) {
        unsigned epoch = turn >= second;
        for (uint64_t i = 40 + kit_below(&rnd, 160); i > 0; i--) {
            wn_observation o = observation(&rnd);
            if (o.org != ACME) kit_observe(never.c, &o, &keys[epoch], epoch);
            wn_observation says = as_said(&o, epoch, &said);
            if (o.org != ACME || turn <= when) kit_observe(a.c, &says, &keys[epoch], epoch);
        }
        if (turn == when || (turn < when && turn + 1 == second)) own_up(&a, epoch, &said, &sum->late);
        kit_commit(a.c), kit_commit(never.c);
        step(&a, &rules, turn + 1 == STATES);
        step(&never, &open, turn + 1 == STATES);
        if (turn == when) {
            size_t cells = 0;
            purge(&a, &frozen, &cells);
            note(&p, &a, frozen, cells);
            rules.frozen = frozen;
            rules.frozen_n = cells;
        }
        if (turn > when) compare(&p, &a, &never, number, turn);
    }
    sum->frozen += p.n;
    for (size_t i = 0; i < p.n; i++) sum->shown += p.shown[i];
    for (size_t i = 0; i < a.rows.n; i++) sum->free_rows += !is_touched(&p, &a.rows.row[i]);
    for (size_t i = 0; i < never.rows.n; i++) sum->others += never.rows.row[i].is_other;
    free(frozen);
    end(&a), end(&never);
}

Test(purge_locks, no_published_difference_isolates_the_organisation, .timeout = 100000) {
    for (unsigned e = 0; e < 2; e++) {
        uint8_t k_core[32] = {(uint8_t)(e + 1)};
        wn_table_keys_derive(k_core, &keys[e]);
    }
    kit_plan(&plan);
    for (size_t t = 0; t < plan.n; t++) plan.table[t].k = 5;
    exercised sum = {0};
    const char *wanted = getenv("WN_WORLDS");
    uint64_t n = wanted != NULL ? strtoull(wanted, NULL, 10) : WORLDS;
    for (uint64_t number = 0; number < n; number++) live(number, &sum);
    if (n < WORLDS) return;
    // Worlds in which nothing is frozen, shown or goes on would prove nothing.
    cr_assert_gt(sum.frozen, 5 * n, "frozen %zu", sum.frozen);
    cr_assert_gt(sum.shown, 2 * n, "shown %zu", sum.shown);
    cr_assert_gt(sum.free_rows, 2 * n, "free %zu", sum.free_rows);
    cr_assert_gt(sum.late, 2 * n, "late %zu", sum.late);
    cr_assert_gt(sum.others, n / 10, "others %zu", sum.others);
}
