// SPDX-License-Identifier: Apache-2.0
// locks.c: which cells take a step, and what the rows say after it.
#include "locks.h"

#include <stdlib.h>
#include <string.h>

#include "lock_run.h"
#include "measures.h"
#include "walls.h"

uint32_t wn_lock_k(const wn_table *table) {
    if (!WN_WALL_LOCKS) return 1;
    uint32_t k = table->k > WN_K_FLOOR ? table->k : WN_K_FLOOR;
#ifdef WN_MUTANT_K_OFF_BY_ONE
    k--;
#endif
    return k;
}

uint32_t wn_lock_events_step(const wn_table *table) {
    enum { SHARE_PERCENT = 35 };
    uint32_t k = wn_lock_k(table);
#ifdef WN_MUTANT_EVENTS_STEP_OFF
    return k;
#endif
    if (!WN_WALL_LOCKS) return 1;
    return k * ((SHARE_PERCENT * table->clamp + 100 * k - 1) / (100 * k));
}

bool wn_lock_declares(const wn_lock_rules *rules, uint64_t site) {
    for (size_t i = 0; i < rules->declare_n; i++)
        if (rules->declare[i] == site) return true;
    const wn_site *s = wn_sites_by_tag(rules->sites, site);
    return s == NULL || s->organisations;
}

bool wn_lock_frozen(const wn_fold *f, const wn_lock_rules *rules, const wn_cell *c) {
#ifdef WN_MUTANT_PURGE_UNFROZEN
    return false;
#endif
    for (unsigned e = 0; rules->frozen_n > 0 && e < wn_fold_epochs(f); e++) {
        size_t at = wn_fold_find(f, c->site, c->table, c->value, (uint8_t)e);
        if (at < rules->frozen_n && rules->frozen[at] != 0) return true;
    }
    return false;
}

typedef struct visit {
    wn_lock_run *run;
    uint32_t seen, baseline;
    wn_err err;
} visit;

static void visit_member(void *ctx, const wn_member *m) {
    visit *v = ctx;
    if (v->err == WN_OK) v->err = wn_crowd_add(v->run->all, m);
    if (v->err == WN_OK && v->baseline > 0 && v->seen >= v->baseline)
        v->err = wn_crowd_add(v->run->joiners, m);
    v->seen++;
}

// R4 for everybody in the cell and for those who joined since its last step.
static wn_err cell_holds(wn_lock_run *run, const wn_cell *c, uint32_t k, bool *out) {
    bool declares = wn_lock_declares(run->rules, c->site);
    visit v = {.run = run, .baseline = c->baseline, .err = WN_OK};
    wn_crowd_reset(run->all, declares);
    wn_crowd_reset(run->joiners, declares);
    wn_fold_members(run->f, c->index, 0, visit_member, &v);
    WN_TRY(v.err);
    *out = wn_crowd_holds(run->all, k, run->rules->p_percent);
#ifndef WN_MUTANT_STEP_RULE_OFF
    // Before a first step everybody is a joiner.
    if (c->baseline > 0) *out = *out && wn_crowd_holds(run->joiners, k, run->rules->p_percent);
#endif
    return WN_OK;
}

// Has another epoch's cell of the same row more people, or as many and was first?
static bool outnumbered(const wn_fold *f, const wn_cell *c) {
    for (unsigned e = 0; e < wn_fold_epochs(f); e++) {
        size_t at = e == c->epoch ? SIZE_MAX : wn_fold_find(f, c->site, c->table, c->value, (uint8_t)e);
        if (at == SIZE_MAX) continue;
        wn_cell other;
        wn_fold_cell(f, at, &other);
        if (other.people > c->people || (other.people == c->people && e < c->epoch)) return true;
    }
    return false;
}

static uint32_t people_of(const wn_fold *f, const wn_cell *c) {
#ifdef WN_MUTANT_SECOND_EPOCH_ADDED
    uint32_t sum = 0;
    for (unsigned e = 0; e < wn_fold_epochs(f); e++) {
        size_t at = wn_fold_find(f, c->site, c->table, c->value, (uint8_t)e);
        wn_cell other = {0};
        if (at != SIZE_MAX) wn_fold_cell(f, at, &other);
        sum += other.people;
    }
    return sum;
#else
    (void)f;
    return c->people;
#endif
}

static wn_err cell_steps(wn_lock_run *run, const wn_cell *c, bool *out) {
    uint32_t k = wn_lock_k(&run->plan->table[c->table]);
    uint64_t shown = wn_lock_floor(people_of(run->f, c), k);
    *out = false;
    // Cheap refusals first: most cells did not grow since the last tick.
    if (!wn_lock_of_crowd(run->plan, c) || wn_lock_overflow(c) || shown < k ||
        shown <= wn_lock_floor(c->baseline, k))
        return WN_OK;
    if (outnumbered(run->f, c) || wn_lock_frozen(run->f, run->rules, c)) return WN_OK;
    size_t row = wn_row_index_find(&run->index, c->site, c->table, c->value);
    if (row != SIZE_MAX && shown <= run->index.rows->row[row].people) return WN_OK;
    return cell_holds(run, c, k, out);
}

static wn_err find_steps(wn_lock_run *run, wn_steps *steps) {
    size_t n = wn_fold_cells(run->f);
    for (size_t i = 0; i < n; i++) {
        wn_cell c;
        bool moves;
        wn_fold_cell(run->f, i, &c);
        WN_TRY(cell_steps(run, &c, &moves));
        if (moves) WN_TRY(wn_steps_add(steps, (wn_step){.cell = c.index, .baseline = c.people}));
    }
    return WN_OK;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

// One row a key: outnumbered() lets one epoch's cell through, so no two steps meet in a row.
static wn_err take_steps(const wn_lock_run *run, const wn_steps *steps, wn_rows *rows) {
    WN_TRY(wn_rows_reserve(rows, rows->n + steps->n));
    for (size_t i = 0; i < steps->n; i++) {
        wn_cell c;
        wn_fold_cell(run->f, steps->step[i].cell, &c);
        uint32_t k = wn_lock_k(&run->plan->table[c.table]);
        size_t at = wn_row_index_find(&run->index, c.site, c.table, c.value);
        if (at == SIZE_MAX) {
            at = rows->n++;
            rows->row[at] = (wn_row){.site = c.site, .table = c.table, .value = {c.value[0], c.value[1]}};
        }
        wn_row *r = &rows->row[at];
        r->people = (uint32_t)wn_lock_floor(people_of(run->f, &c), k);
        r->events = larger(r->events, wn_lock_floor(c.events, wn_lock_events_step(&run->plan->table[c.table])));
    }
    return WN_OK;
}

static void run_fini(wn_lock_run *run) {
    wn_row_index_fini(&run->index);
    wn_crowd_free(run->all);
    wn_crowd_free(run->joiners);
}

static wn_err run_tick(wn_lock_run *run, wn_rows *rows, wn_steps *steps) {
    WN_TRY(wn_row_index_make(rows, &run->index));
    WN_TRY(wn_crowd_new(&run->all));
    WN_TRY(wn_crowd_new(&run->joiners));
    WN_TRY(find_steps(run, steps));
    return take_steps(run, steps, rows);
}

wn_err wn_locks_tick(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules, wn_rows *rows,
                     wn_steps *out_steps) {
    wn_lock_run run = {.f = f, .plan = plan, .rules = rules};
    out_steps->n = 0;
    wn_err err = run_tick(&run, rows, out_steps);
    if (err != WN_OK) out_steps->n = 0;
    run_fini(&run);
    return err;
}

#ifdef WN_MUTANT_EXACT_AT_SEAL
static void make_exact(const wn_fold *f, wn_rows *rows) {
    for (size_t i = 0; i < rows->n; i++) {
        size_t at = wn_fold_find(f, rows->row[i].site, rows->row[i].table, rows->row[i].value, 0);
        wn_cell c;
        if (at == SIZE_MAX || rows->row[i].is_other != 0) continue;
        wn_fold_cell(f, at, &c);
        rows->row[i].people = c.people;
    }
}
#endif

static wn_err seal_copy(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules, wn_rows *rows,
                        wn_steps *steps) {
    WN_TRY(wn_locks_tick(f, plan, rules, rows, steps));
    WN_TRY(wn_measures_show(f, plan, rules, steps, rows));
    WN_TRY(wn_other_add(f, plan, rules, rows));
#ifdef WN_MUTANT_EXACT_AT_SEAL
    make_exact(f, rows);
#endif
    return WN_OK;
}

wn_err wn_locks_seal(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules, wn_rows *rows,
                     wn_steps *out_steps) {
    wn_rows copy = {0};
    out_steps->n = 0;
    WN_TRY(wn_rows_reserve(&copy, rows->n));
    if (rows->n > 0) memcpy(copy.row, rows->row, rows->n * sizeof *rows->row);
    copy.n = rows->n;
    wn_err err = seal_copy(f, plan, rules, &copy, out_steps);
    if (err == WN_OK) {
        wn_rows spare = *rows;
        *rows = copy;
        copy = spare;
    } else {
        out_steps->n = 0;
    }
    wn_rows_fini(&copy);
    return err;
}
