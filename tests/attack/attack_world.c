// SPDX-License-Identifier: Apache-2.0
#include "attack_world.h"

#define SITE 7

const size_t attack_first[ATTACK_TABLES + 1] = {0, 1, 6, 10, 30, 34, 42, 48};
_Static_assert(ATTACK_CELLS == 48, "as attack_first says");

attack_cell attack_cell_at(size_t i) {
    attack_cell c = {0};
    while (i >= attack_first[c.table + 1]) c.table++;
    uint64_t n = i - attack_first[c.table];
    switch (c.table) {
    case ATTACK_T_ALL: break;
    case ATTACK_T_CROSS:
        c.value[0] = 1 + n / ATTACK_DEVICES;
        c.value[1] = 1 + n % ATTACK_DEVICES;
        break;
    case ATTACK_T_ROUTE: c.value[0] = ATTACK_ROUTE + 1 + n; break;
    default: c.value[0] = 1 + n;
    }
    return c;
}

static void make_plan(wn_plan *p) {
    unsigned seen = KIT_VIEW | KIT_EVENT, measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS;
    *p = (wn_plan){.version = 1};
    kit_table(p, seen, measures, WN_DIM_NONE, WN_DIM_NONE);
    kit_table(p, seen, measures, WN_DIM_country, WN_DIM_NONE);
    kit_table(p, seen, measures, WN_DIM_device, WN_DIM_NONE);
    kit_table(p, seen, measures, WN_DIM_country, WN_DIM_device);
    kit_table(p, seen, measures, WN_DIM_browser, WN_DIM_NONE);
    kit_table(p, seen, measures, WN_DIM_hour, WN_DIM_NONE);
    kit_table(p, KIT_VIEW, measures, KIT_ROUTE, WN_DIM_NONE);
}

typedef struct living {
    const attack_kind *kind;
    uint64_t rnd;
    wn_plan plan;
    wn_fold *f;
    wn_commit *c;
    wn_table_keys keys;
    attack_day *out;
    wn_site site;
    wn_sites sites;
    wn_lock_rules rules;
    wn_rows rows;
    wn_steps steps;
    unsigned first[ATTACK_PEOPLE];                 // hour; ATTACK_HOURS: does not come
    uint64_t named[ATTACK_PEOPLE];                 // so far; 0: none
    uint64_t person[ATTACK_TABLES][ATTACK_PEOPLE]; // names
} living;

// Small numbers come up more often, so that some rows are large and most are hidden.
static uint64_t skewed(uint64_t *state, uint64_t n) {
    uint64_t a = kit_below(state, n), b = kit_below(state, n);
    return a < b ? a : b;
}

// Organisations gather in a country, so that some rows are mostly one organisation's.
static unsigned org_of(uint64_t *self, uint64_t country) {
    return (unsigned)(kit_below(self, 2) == 0 ? country - 1 : kit_below(self, ATTACK_ORGS));
}

// What somebody does in one hour: a few pages, always from the same place.
static void visit(living *l, uint64_t who, unsigned hour) {
    uint64_t self = l->kind->seed * 1000003 + who; // traits stay through all days
    wn_observation o = kit_view(SITE, who + 1000 * l->kind->seed, 0);
    o.prefix = kit_below(&self, 20) == 0 ? 1 : 100 + who; // some sit behind one network
    o.closed[WN_DIM_country] = (uint16_t)(1 + skewed(&self, ATTACK_COUNTRIES));
    o.closed[WN_DIM_device] = (uint16_t)(1 + skewed(&self, ATTACK_DEVICES));
    o.closed[WN_DIM_browser] = (uint16_t)(1 + skewed(&self, ATTACK_BROWSERS));
    o.closed[WN_DIM_hour] = (uint16_t)(1 + hour);
    o.org = 1 + org_of(&self, o.closed[WN_DIM_country]);
    if (l->kind->late && kit_below(&self, 3) == 0 && hour <= l->first[who] + kit_below(&self, 2)) o.org = 0;
    if (o.org != 0) l->named[who] = o.org;
    for (unsigned t = 0; t < ATTACK_TABLES; t++) l->person[t][who] = wn_table_person(&l->keys, t, o.person);
    for (uint64_t n = 1 + kit_below(&l->rnd, 2); n > 0; n--) {
        o.open[WN_DIM_route] = ATTACK_ROUTE + 1 + skewed(&l->rnd, ATTACK_ROUTES);
        kit_observe(l->c, &o, &l->keys, 0);
    }
}

typedef struct counting {
    uint32_t *org;
} counting;

static void count_org(void *ctx, const wn_member *m) {
    const counting *c = ctx;
    cr_assert_leq(m->org, ATTACK_ORGS);
    c->org[m->org]++;
}

// Rows and truth of this moment. Organisations' handles are numbered by first
// sight: which is which does not matter, only that they stay the same in a day.
static void look(living *l, unsigned state) {
    attack_day *d = l->out;
    static uint32_t by_handle[ATTACK_ORGS + 2];
    for (size_t i = 0; i < ATTACK_CELLS; i++) {
        attack_cell c = attack_cell_at(i);
        size_t at = wn_fold_find(l->f, SITE, c.table, c.value, 0);
        if (at == SIZE_MAX) continue;
        wn_cell cell;
        wn_fold_cell(l->f, at, &cell);
        d->people[state][i] = cell.people;
        d->events[state][i] = cell.events;
        memset(by_handle, 0, sizeof by_handle);
        wn_fold_members(l->f, at, 0, count_org, &(counting){by_handle});
        for (unsigned g = 0; g < ATTACK_ORGS; g++) d->org[state][i][g] = by_handle[g + 1];
    }
    for (size_t r = 0; r < l->rows.n; r++) {
        const wn_row *row = &l->rows.row[r];
        attack_row is = {row->people, row->events};
        if (row->is_other) d->other[row->table] = is;
        for (size_t i = attack_first[row->table]; i < attack_first[row->table + 1] && !row->is_other; i++) {
            attack_cell c = attack_cell_at(i);
            if (c.value[0] == row->value[0] && c.value[1] == row->value[1]) d->shown[state][i] = is;
        }
    }
}

static void begin(living *l) {
    uint8_t k_core[32] = {3};
    make_plan(&l->plan);
    wn_table_keys_derive(k_core, &l->keys);
    l->f = kit_fold(&l->plan, 1000, 1000);
    cr_assert_eq(wn_commit_new(l->f, &l->c), WN_OK);
    l->site = (wn_site){.tag = SITE, .organisations = l->kind->declares};
    l->sites = (wn_sites){&l->site, 1};
    l->rules = (wn_lock_rules){.p_percent = l->out->p_percent, .sites = &l->sites};
}

static void end(living *l) {
    wn_commit_free(l->c);
    wn_fold_free(l->f);
    wn_rows_fini(&l->rows);
    wn_steps_fini(&l->steps);
}

typedef struct joining {
    const living *l;
    unsigned table;
    uint32_t *org;
} joining;

static void count_joiner(void *ctx, const wn_member *m) {
    const joining *j = ctx;
    for (size_t who = 0; who < ATTACK_PEOPLE; who++) {
        if (j->l->person[j->table][who] != m->person) continue;
        uint64_t org = j->l->named[who];
        j->org[org == 0 ? ATTACK_ORGS : org - 1]++;
        return;
    }
    cr_assert_fail("a stranger");
}

static void note_step(living *l, unsigned state, const wn_cell *c) {
    for (size_t i = attack_first[c->table]; i < attack_first[c->table + 1]; i++) {
        attack_cell is = attack_cell_at(i);
        if (is.value[0] != c->value[0] || is.value[1] != c->value[1]) continue;
        joining j = {l, c->table, l->out->joined[state][i]};
        wn_fold_members(l->f, c->index, c->baseline, count_joiner, &j);
    }
}

static void tick(living *l, unsigned state, bool seal) {
    if (seal) cr_assert_eq(wn_locks_seal(l->f, &l->plan, &l->rules, &l->rows, &l->steps), WN_OK);
    else cr_assert_eq(wn_locks_tick(l->f, &l->plan, &l->rules, &l->rows, &l->steps), WN_OK);
    for (size_t i = 0; i < l->steps.n; i++) {
        wn_cell c;
        wn_fold_cell(l->f, l->steps.step[i].cell, &c);
        note_step(l, state, &c);
        wn_fold_set_baseline(l->f, l->steps.step[i].cell, l->steps.step[i].baseline);
    }
}

void attack_live(const attack_kind *kind, unsigned number, attack_day *out) {
    static living l;
    l = (living){.kind = kind, .out = out, .rnd = kind->seed * 7919 + number + 1};
    memset(out, 0, sizeof *out);
    out->p_percent = 20 + (uint32_t)(kind->seed % 16); // drawn at install: the same on all days
    begin(&l);
    cr_assert(kind->declares || !kind->late, "elsewhere prefixes stand in for who names none");
    for (unsigned t = 0; t < ATTACK_TABLES; t++) out->k[t] = l.plan.table[t].k;
    for (unsigned who = 0; who < ATTACK_PEOPLE; who++) {
        bool comes = kind->always || kit_below(&l.rnd, 4) != 0;
        l.first[who] = comes ? (unsigned)kit_below(&l.rnd, ATTACK_HOURS) : ATTACK_HOURS;
    }
    for (unsigned hour = 0; hour < ATTACK_HOURS; hour++) {
        for (unsigned who = 0; who < ATTACK_PEOPLE; who++)
            if (l.first[who] == hour || (l.first[who] < hour && kit_below(&l.rnd, 4) == 0))
                visit(&l, who, hour);
        kit_commit(l.c);
        tick(&l, hour, hour + 1 == ATTACK_HOURS);
        look(&l, hour);
        if (kind->late && hour == ATTACK_HOURS / 2) kit_restart(&l.plan, 1000, 1000, &l.f, &l.c);
    }
    end(&l);
}
