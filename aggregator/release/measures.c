// SPDX-License-Identifier: Apache-2.0
// measures.c: one walk over the people whom a row shows, for all that appears at the seal only.
//
// Whose: a session is known when it ends, half an hour after its person was
// counted, and may not move a row that no newcomer moves (R5). So nothing of
// this is live, and all of it is over the very people of the row: those who
// had joined at its last step, of the one epoch that took it (a later step
// always shows more, so that epoch is the larger one). Who came after is in
// no measure, as they are in no people count.
//
// Sessions need no lock beside their row's, which held for the very same people,
// unless some of them named their organisation since: then it must hold again.
//
// When: R4 for those who contribute and for those who do not. Of bounces those
// who do not are people with a session that was none: without them
// `sessions − bounces` would be theirs alone. Both sides are crowds to the
// full, organisations included. Time needs no other side, and `other` has none
// of these measures: its rule would be a second one, and it has people enough
// without.
//
// How much: floors. Sessions and bounces are both in multiples of k, so their
// difference says what was no bounce only to ± (k − 1), and never exactly; that
// it is of k people at least is the other side's lock, and `time`, which is
// nearly all theirs, has a lock of its own. A sum whose units are small against
// one person's share is another matter: a total less all rows but one, each to
// 10 s, would give that row's people away to a minute although its lock hides
// it, or the one person who joined after its last step. So the unit grows with
// the largest share in the sum, to STEP_PERCENT of it: whichever published
// sums contain a person, none of them is known closer than that.
#include "measures.h"

#include <stdlib.h>

#include "lock_run.h"
#include "walls.h"

enum {
    SECONDS_STEP = 10,
    STEP_PERCENT = 35, // the most that p may be: a unit that followed p would tell it
};

typedef enum measure { BOUNCES, TIME, NUMBER, MEASURES_N } measure;
static const uint8_t bits_of[MEASURES_N] = {[BOUNCES] = WN_MEASURE_BOUNCES,
                                            [TIME] = WN_MEASURE_TIME,
                                            [NUMBER] = WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2};

typedef struct shown { // whose people a row shows
    uint32_t cell;
    uint32_t people; // the first so many
} shown;

typedef struct walk {
    wn_crowd *with[MEASURES_N], *without[MEASURES_N], *all;
    uint64_t sessions;
    bool late;        // somebody named an organisation after first sight
    uint32_t left;    // members still to count
    uint8_t measures; // of the table
    wn_err err;
} walk;

static uint32_t amount_of(const wn_member *m, measure of) {
    if (of == BOUNCES) return m->bounces;
    return of == TIME ? m->seconds : m->number;
}

static wn_err sort_person(walk *w, const wn_member *m, measure of) {
    uint32_t amount = amount_of(m, of);
    if (amount > 0) return wn_crowd_add_amount(w->with[of], m, amount);
    if (of == BOUNCES && m->sessions == 0) return WN_OK;
    return wn_crowd_add(w->without[of], m);
}

static void visit_member(void *ctx, const wn_member *m) {
    walk *w = ctx;
    if (w->left == 0 || w->err != WN_OK) return;
    w->left--;
    w->sessions += m->sessions;
    if (w->late) w->err = wn_crowd_add(w->all, m);
    for (measure of = 0; of < MEASURES_N; of++)
        if ((w->measures & bits_of[of]) != 0 && w->err == WN_OK) w->err = sort_person(w, m, of);
}

static bool holds(const walk *w, measure of, uint32_t k, uint32_t p_percent) {
    if (!WN_WALL_LOCKS) return true;
    if (!wn_crowd_holds(w->with[of], k, p_percent)) return false;
#ifndef WN_MUTANT_MEASURE_COMPLEMENT_OFF
    if (of != TIME && !wn_crowd_holds(w->without[of], k, p_percent)) return false;
#endif
    return wn_crowd_sum_holds(w->with[of], p_percent);
}

static uint64_t floored(const wn_crowd *c, uint64_t least) {
    uint64_t sum = wn_crowd_sum(c), step = least;
#ifndef WN_MUTANT_MEASURE_STEP_FIXED
    while (100 * step < STEP_PERCENT * wn_crowd_largest(c)) step *= 2;
#endif
    return WN_WALL_LOCKS ? sum - sum % step : sum;
}

static void show(const walk *w, uint32_t k, uint32_t p_percent, wn_row *r) {
    uint64_t *const to[MEASURES_N] = {[BOUNCES] = &r->bounces, [TIME] = &r->seconds, [NUMBER] = &r->number};
    bool still = !w->late || !WN_WALL_LOCKS || wn_crowd_holds(w->all, k, p_percent);
#ifdef WN_MUTANT_SESSIONS_OF_THEN
    still = true;
#endif
    if (still) r->sessions = wn_lock_floor(w->sessions, k);
    for (measure of = 0; of < MEASURES_N; of++) {
        if ((w->measures & bits_of[of]) == 0 || !holds(w, of, k, p_percent)) continue;
        *to[of] = floored(w->with[of], of == TIME ? SECONDS_STEP : k);
        r->locked |= w->measures & bits_of[of];
    }
}

static wn_err measure_row(walk *w, const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                          const shown *s, wn_row *r) {
    bool declares = wn_lock_declares(rules, r->site);
    for (measure of = 0; of < MEASURES_N; of++) {
        wn_crowd_reset(w->with[of], declares);
        wn_crowd_reset(w->without[of], declares);
    }
    wn_crowd_reset(w->all, declares);
    w->measures = plan->table[r->table].measures;
    w->sessions = 0;
    w->left = s->people;
    wn_fold_members(f, s->cell, 0, visit_member, w);
    if (w->err == WN_OK) show(w, wn_lock_k(&plan->table[r->table]), rules->p_percent, r);
    return w->err;
}

// A cell shows its people as of its step in `steps`, else as of an earlier one.
static void find_shown(const wn_fold *f, const wn_lock_rules *rules, const wn_steps *steps,
                       const wn_row_index *index, uint32_t *people, shown *out) {
    for (size_t i = 0; i < steps->n; i++) people[steps->step[i].cell] = steps->step[i].baseline;
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_cell c;
        wn_fold_cell(f, i, &c);
        if (wn_lock_frozen(f, rules, &c)) continue; // its first people are no longer those it shows
        uint32_t n = people[i] > 0 ? people[i] : c.baseline;
        size_t row = n > 0 ? wn_row_index_find(index, c.site, c.table, c.value) : SIZE_MAX;
        if (row != SIZE_MAX && n > out[row].people) out[row] = (shown){.cell = c.index, .people = n};
    }
}

static wn_err walk_init(walk *w) {
    WN_TRY(wn_crowd_new(&w->all));
    for (measure of = 0; of < MEASURES_N; of++) {
        WN_TRY(wn_crowd_new(&w->with[of]));
        WN_TRY(wn_crowd_new(&w->without[of]));
    }
    return WN_OK;
}

static void walk_fini(walk *w) {
    for (measure of = 0; of < MEASURES_N; of++) {
        wn_crowd_free(w->with[of]);
        wn_crowd_free(w->without[of]);
    }
    wn_crowd_free(w->all);
}

wn_err wn_measures_show(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                        const wn_steps *steps, wn_rows *rows) {
    enum { AT_THE_SEAL = WN_MEASURE_SESSIONS | WN_MEASURES_LOCKED };
    walk w = {.late = wn_fold_named_late(f), .err = WN_OK};
    wn_row_index index = {0};
    uint32_t *people = calloc(wn_fold_cells(f) + 1, sizeof *people);
    shown *of_row = calloc(rows->n + 1, sizeof *of_row);
    wn_err err = people == NULL || of_row == NULL ? WN_ERR_NOMEM : walk_init(&w);
    if (err == WN_OK) err = wn_row_index_make(rows, &index);
    if (err == WN_OK) find_shown(f, rules, steps, &index, people, of_row);
    for (size_t i = 0; err == WN_OK && i < rows->n; i++) {
        wn_row *r = &rows->row[i];
        if (of_row[i].people > 0 && (plan->table[r->table].measures & AT_THE_SEAL) != 0)
            err = measure_row(&w, f, plan, rules, &of_row[i], r);
    }
    wn_row_index_fini(&index);
    walk_fini(&w);
    free(of_row);
    free(people);
    return err;
}
