// SPDX-License-Identifier: Apache-2.0
// other.c: the row `other` of each table at seal: everybody in a hidden row,
// and, while those do not hide each other, the smallest shown row with them.
#include <stdlib.h>

#include "lock_run.h"
#include "people_union.h"

typedef struct ref { // a cell under its table
    uint64_t site;
    uint32_t cell;
    uint8_t table, epoch;
    bool hidden, frozen;
} ref;

typedef struct sealing {
    const wn_fold *f;
    const wn_plan *plan;
    const wn_lock_rules *rules;
    wn_rows *rows;
    wn_row_index index;
    ref *refs; // by site, table, cell
    size_t refs_n;
    wn_people_union **unions; // one an epoch
    unsigned epochs;
    uint32_t *shown; // rows of the table at hand, smallest first
    bool *gone;      // rows that were absorbed
    wn_rows others;
} sealing;

static int compare_refs(const void *a, const void *b) {
    const ref *x = a, *y = b;
    int d = wn_order(x->site, y->site);
    if (d == 0) d = wn_order(x->table, y->table);
    return d != 0 ? d : wn_order(x->cell, y->cell);
}

static int compare_shown(const void *a, const void *b, void *rows) {
    const wn_row *x = (const wn_row *)rows + *(const uint32_t *)a;
    const wn_row *y = (const wn_row *)rows + *(const uint32_t *)b;
    int d = wn_order(x->people, y->people);
    if (d == 0) d = wn_order(x->value[0], y->value[0]);
    return d != 0 ? d : wn_order(x->value[1], y->value[1]);
}

static wn_err collect(sealing *s) {
    size_t n = wn_fold_cells(s->f);
    s->refs = calloc(n + 1, sizeof *s->refs);
    s->shown = calloc(s->rows->n + 1, sizeof *s->shown);
    s->gone = calloc(s->rows->n + 1, sizeof *s->gone);
    s->unions = calloc(s->epochs, sizeof *s->unions);
    if (s->refs == NULL || s->shown == NULL || s->gone == NULL || s->unions == NULL) return WN_ERR_NOMEM;
    for (unsigned e = 0; e < s->epochs; e++) WN_TRY(wn_people_union_new(&s->unions[e]));
    for (size_t i = 0; i < n; i++) {
        wn_cell c;
        wn_fold_cell(s->f, i, &c);
        if (c.table == 0 || !wn_lock_of_crowd(s->plan, &c)) continue; // one row: nothing to hide behind
        bool hidden = wn_row_index_find(&s->index, c.site, c.table, c.value) == SIZE_MAX;
        s->refs[s->refs_n++] =
            (ref){.site = c.site, .cell = c.index, .table = c.table, .epoch = c.epoch, .hidden = hidden};
        s->refs[s->refs_n - 1].frozen = wn_lock_frozen(s->f, s->rules, &c);
    }
    qsort(s->refs, s->refs_n, sizeof *s->refs, compare_refs);
    return WN_OK;
}

// The epoch with the most people, never the sum (R4).
static wn_people_union *largest(const sealing *s) {
    wn_people_union *best = s->unions[0];
    for (unsigned e = 1; e < s->epochs; e++) {
        wn_people_union *u = s->unions[e];
        if (wn_crowd_people(wn_people_union_crowd(u)) > wn_crowd_people(wn_people_union_crowd(best)))
            best = u;
    }
    return best;
}

static wn_err absorb(sealing *s, const wn_row *row) {
    for (unsigned e = 0; e < s->epochs; e++) {
        size_t cell = wn_fold_find(s->f, row->site, row->table, row->value, (uint8_t)e);
        if (cell != SIZE_MAX) WN_TRY(wn_people_union_add(s->unions[e], s->f, cell));
    }
    return WN_OK;
}

static wn_err add_other(sealing *s, const ref *at, const wn_people_union *u, uint32_t k) {
    WN_TRY(wn_rows_reserve(&s->others, s->others.n + 1));
    s->others.row[s->others.n++] = (wn_row){
        .site = at->site,
        .table = at->table,
        .is_other = 1,
        .people = (uint32_t)wn_lock_floor(wn_crowd_people(wn_people_union_crowd(u)), k),
        .events = wn_lock_floor(wn_people_union_events(u), wn_lock_events_step(&s->plan->table[at->table])),
        .sessions = wn_lock_floor(wn_people_union_sessions(u), k)};
    return WN_OK;
}

// One table of one site: n cells from `at` on.
static wn_err seal_table(sealing *s, const ref *at, size_t n) {
    const wn_table *table = &s->plan->table[at->table];
    uint32_t k = wn_lock_k(table);
    size_t first, end, shown_n = 0;
    bool declares = wn_lock_declares(s->rules, at->site), any = false;
    for (unsigned e = 0; e < s->epochs; e++) wn_people_union_reset(s->unions[e], declares, table->clamp);
    for (size_t i = 0; i < n; i++) {
        if (at[i].frozen) return WN_OK; // the rest beside it would tell who was purged
        if (!at[i].hidden) continue;
        any = true;
        WN_TRY(wn_people_union_add(s->unions[at[i].epoch], s->f, at[i].cell));
    }
    if (!any) return WN_OK;
    wn_row_index_table(&s->index, at->site, at->table, &first, &end);
    for (size_t i = first; i < end; i++) s->shown[shown_n++] = s->index.at[i];
    qsort_r(s->shown, shown_n, sizeof *s->shown, compare_shown, s->rows->row);
    size_t absorbed = 0;
    while (!wn_crowd_holds(wn_people_union_crowd(largest(s)), k, s->rules->p_percent)) {
        if (absorbed == shown_n) return WN_OK; // not even the whole table: no `other`, the rows stay
        WN_TRY(absorb(s, &s->rows->row[s->shown[absorbed++]]));
    }
    for (size_t i = 0; i < absorbed; i++) s->gone[s->shown[i]] = true;
    return add_other(s, at, largest(s), k);
}

static wn_err seal_tables(sealing *s) {
    WN_TRY(wn_row_index_make(s->rows, &s->index));
    WN_TRY(collect(s));
    for (size_t i = 0, n; i < s->refs_n; i += n) {
        for (n = 1; i + n < s->refs_n; n++)
            if (s->refs[i + n].site != s->refs[i].site || s->refs[i + n].table != s->refs[i].table) break;
        WN_TRY(seal_table(s, &s->refs[i], n));
    }
    return wn_rows_reserve(s->rows, s->rows->n + s->others.n);
}

static void replace_rows(sealing *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->rows->n; i++)
        if (!s->gone[i]) s->rows->row[kept++] = s->rows->row[i];
    for (size_t i = 0; i < s->others.n; i++) s->rows->row[kept++] = s->others.row[i];
    s->rows->n = kept;
}

wn_err wn_other_add(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules, wn_rows *rows) {
    sealing s = {.f = f, .plan = plan, .rules = rules, .rows = rows, .epochs = wn_fold_epochs(f)};
    wn_err err = seal_tables(&s);
    if (err == WN_OK) replace_rows(&s);
    for (unsigned e = 0; s.unions != NULL && e < s.epochs; e++) wn_people_union_free(s.unions[e]);
    free(s.unions);
    free(s.refs);
    free(s.shown);
    free(s.gone);
    wn_row_index_fini(&s.index);
    wn_rows_fini(&s.others);
    return err;
}
