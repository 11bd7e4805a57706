// SPDX-License-Identifier: Apache-2.0
#include "attack_solve.h"

#include <glpk.h>
#include <math.h>

// Finest cells: people of all of them, events of those that add up to the total.
enum {
    CROSS = ATTACK_COUNTRIES * ATTACK_DEVICES,
    FINE_SUMMED = CROSS + ATTACK_BROWSERS,
    FINE = FINE_SUMMED + ATTACK_HOURS + ATTACK_ROUTES,
    PER_STATE = FINE + FINE_SUMMED,
    UNIONS = 2, // people in hidden hours, in hidden routes: they overlap
    PER_DAY = PER_STATE * ATTACK_STATES + UNIONS,
    LAST = ATTACK_STATES - 1,
    TERMS_MAX = 256,
};
#define SLACK 1e-6

struct attack {
    glp_prob *lp;
    const attack_day *days;
    unsigned n;
    attack_mood mood;
    bool solved;
    int column[TERMS_MAX + 1]; // a line under way
    double weight[TERMS_MAX + 1];
    int terms;
};

// ---- unknowns ----

static int people_of(unsigned day, unsigned state, unsigned fine) {
    return 1 + (int)(day * PER_DAY + state * PER_STATE + fine);
}
static int events_of(unsigned day, unsigned state, unsigned fine) {
    return people_of(day, state, FINE + fine);
}
static int union_of(unsigned day, unsigned table) {
    return 1 + (int)(day * PER_DAY + ATTACK_STATES * PER_STATE + (table == ATTACK_T_HOUR ? 0 : 1));
}

static void begin_line(attack *a) {
    a->terms = 0;
}
static void term(attack *a, double weight, int column) {
    cr_assert_lt(a->terms, TERMS_MAX);
    for (int i = 1; i <= a->terms; i++) // a column may come once
        if (a->column[i] == column) {
            a->weight[i] += weight;
            return;
        }
    a->column[++a->terms] = column;
    a->weight[a->terms] = weight;
}

// The finest cells that a cell is the sum of.
static void each_fine(size_t cell, void (*fn)(void *ctx, unsigned fine), void *ctx) {
    attack_cell c = attack_cell_at(cell);
    unsigned at = (unsigned)(cell - attack_first[c.table]);
    switch (c.table) {
    case ATTACK_T_ALL:
        for (unsigned f = 0; f < CROSS; f++) fn(ctx, f);
        break;
    case ATTACK_T_COUNTRY:
        for (unsigned d = 0; d < ATTACK_DEVICES; d++) fn(ctx, at * ATTACK_DEVICES + d);
        break;
    case ATTACK_T_DEVICE:
        for (unsigned y = 0; y < ATTACK_COUNTRIES; y++) fn(ctx, y * ATTACK_DEVICES + at);
        break;
    case ATTACK_T_CROSS: fn(ctx, at); break;
    case ATTACK_T_BROWSER: fn(ctx, CROSS + at); break;
    case ATTACK_T_HOUR: fn(ctx, FINE_SUMMED + at); break;
    default: fn(ctx, FINE_SUMMED + ATTACK_HOURS + at);
    }
}

typedef struct adding {
    attack *a;
    unsigned day, state;
    double weight;
    bool events;
} adding;

static void add_fine(void *ctx, unsigned fine) {
    const adding *x = ctx;
    term(x->a, x->weight, x->events ? events_of(x->day, x->state, fine) : people_of(x->day, x->state, fine));
}

static void add_cell(attack *a, double weight, unsigned day, unsigned state, size_t cell, bool events) {
    each_fine(cell, add_fine, &(adding){a, day, state, weight, events});
}

static bool has_events(unsigned table) {
    return table != ATTACK_T_HOUR && table != ATTACK_T_ROUTE;
}

// least ≤ line ≤ most; HUGE_VAL: no bound.
static void close_line(attack *a, double least, double most) {
    int row = glp_add_rows(a->lp, 1);
    bool low = least > -HUGE_VAL, high = most < HUGE_VAL;
    int type = !low ? GLP_UP : !high ? GLP_LO : least < most ? GLP_DB : GLP_FX;
    glp_set_mat_row(a->lp, row, a->terms, a->column, a->weight);
    glp_set_row_bnds(a->lp, row, type, least, most);
}

// ---- what is known beforehand ----

static void know_growth(attack *a, unsigned day, unsigned state) {
    for (unsigned f = 0; f < PER_STATE; f++) {
        int now = people_of(day, state, f);
        bool hour = f >= FINE_SUMMED && f < FINE_SUMMED + ATTACK_HOURS;
        unsigned of_hour = f - FINE_SUMMED;
        glp_set_col_bnds(a->lp, now, hour && of_hour > state ? GLP_FX : GLP_LO, 0, 0);
        if (state == 0) continue;
        // An hour that is over grows no more: nobody sent anything late, and the attacker knows.
        begin_line(a);
        term(a, 1, now);
        term(a, -1, people_of(day, state - 1, f));
        close_line(a, 0, hour && of_hour < state ? 0 : HUGE_VAL);
    }
}

static void know_sums(attack *a, unsigned day, unsigned state) {
    for (int events = 0; events < 2; events++) {
        begin_line(a); // everybody has one browser and one pair of country and device
        add_cell(a, 1, day, state, 0, events != 0);
        for (size_t b = 0; b < ATTACK_BROWSERS; b++)
            add_cell(a, -1, day, state, attack_first[ATTACK_T_BROWSER] + b, events != 0);
        close_line(a, 0, 0);
    }
    begin_line(a);
    add_cell(a, 1, day, state, 0, false);
    close_line(a, 0, ATTACK_KNOWN_AT_MOST);
    begin_line(a); // everybody came in some hour
    for (size_t h = 0; h < ATTACK_HOURS; h++)
        add_cell(a, 1, day, state, attack_first[ATTACK_T_HOUR] + h, false);
    add_cell(a, -1, day, state, 0, false);
    close_line(a, 0, HUGE_VAL);
    if (state > 0) { // who is new has come in this hour
        begin_line(a);
        add_cell(a, 1, day, state, attack_first[ATTACK_T_HOUR] + state, false);
        add_cell(a, -1, day, state, 0, false);
        add_cell(a, 1, day, state - 1, 0, false);
        close_line(a, 0, HUGE_VAL);
    }
    for (unsigned f = FINE_SUMMED; f < FINE; f++) { // and is one of all
        begin_line(a);
        add_cell(a, 1, day, state, 0, false);
        term(a, -1, people_of(day, state, f));
        close_line(a, 0, HUGE_VAL);
    }
    for (unsigned f = 0; f < FINE_SUMMED; f++) { // with one event at least and twenty counted at most
        begin_line(a);
        term(a, 1, events_of(day, state, f));
        term(a, -1, people_of(day, state, f));
        close_line(a, 0, HUGE_VAL);
        begin_line(a);
        term(a, ATTACK_CLAMP, people_of(day, state, f));
        term(a, -1, events_of(day, state, f));
        close_line(a, 0, HUGE_VAL);
    }
}

// ---- what is published ----

// A figure that is no multiple of k is no floor: then all of its state are exact.
static bool exact_at(const attack_day *d, unsigned state) {
    for (size_t i = 0; i < ATTACK_CELLS; i++)
        if (d->shown[state][i].people % d->k[attack_cell_at(i).table] != 0) return true;
    return false;
}

static bool stepped(const attack_day *d, unsigned state, size_t cell) {
    uint32_t before = state > 0 ? d->shown[state - 1][cell].people : 0;
    return d->shown[state][cell].people > before;
}

static void read_step(attack *a, unsigned day, unsigned state, size_t cell, int *inout_last) {
    const attack_day *d = &a->days[day];
    unsigned table = attack_cell_at(cell).table;
    const attack_row *row = &d->shown[state][cell];
    double k = d->k[table], most = exact_at(d, state) ? 0 : k - 1;
    begin_line(a);
    add_cell(a, 1, day, state, cell, false);
    close_line(a, row->people, row->people + most);
    if (has_events(table)) { // an exact figure may stand beside events of an earlier step
        begin_line(a);
        add_cell(a, 1, day, state, cell, true);
        close_line(a, (double)row->events, exact_at(d, state) ? HUGE_VAL : (double)row->events + k - 1);
    }
    if (*inout_last >= 0 && !exact_at(d, state)) {
        begin_line(a); // k newcomers at least
        add_cell(a, 1, day, state, cell, false);
        add_cell(a, -1, day, (unsigned)*inout_last, cell, false);
        close_line(a, k, HUGE_VAL);
    }
    *inout_last = (int)state;
}

// Nothing moved: to the bold that means that fewer than k have come since.
static void read_rest(attack *a, unsigned day, unsigned state, size_t cell, int last) {
    const attack_day *d = &a->days[day];
    double k = d->k[attack_cell_at(cell).table];
    if (a->mood != ATTACK_BOLD) return;
    begin_line(a);
    add_cell(a, 1, day, state, cell, false);
    if (last >= 0) add_cell(a, -1, day, (unsigned)last, cell, false);
    close_line(a, -HUGE_VAL, k - 1);
}

static void read_cell(attack *a, unsigned day, size_t cell) {
    const attack_day *d = &a->days[day];
    int last = -1;
    for (unsigned s = 0; s < ATTACK_STATES; s++) {
        bool gone = s > 0 && d->shown[s - 1][cell].people > 0 && d->shown[s][cell].people == 0;
        if (gone) continue; // into `other`: it may have moved unseen
        bool all_exact = exact_at(d, s) && d->shown[s][cell].people > 0;
        if (stepped(d, s, cell) || all_exact) read_step(a, day, s, cell, &last);
        else read_rest(a, day, s, cell, last);
    }
}

// `other`: the union of who is in no row that the seal shows.
static void read_other(attack *a, unsigned day, unsigned table) {
    const attack_day *d = &a->days[day];
    const attack_row *row = &d->other[table];
    double k = d->k[table];
    bool overlaps = !has_events(table);
    if (overlaps) {
        int u = union_of(day, table);
        glp_set_col_bnds(a->lp, u, GLP_LO, 0, 0);
        begin_line(a);
        add_cell(a, 1, day, LAST, 0, false);
        term(a, -1, u);
        close_line(a, 0, HUGE_VAL);
        begin_line(a); // everybody is in a row or in no row
        term(a, 1, u);
        for (size_t i = attack_first[table]; i < attack_first[table + 1]; i++)
            if (d->shown[LAST][i].people > 0) add_cell(a, 1, day, LAST, i, false);
        add_cell(a, -1, day, LAST, 0, false);
        close_line(a, 0, HUGE_VAL);
        for (size_t i = attack_first[table]; i < attack_first[table + 1]; i++) {
            if (d->shown[LAST][i].people > 0) continue;
            begin_line(a);
            term(a, 1, u);
            add_cell(a, -1, day, LAST, i, false);
            close_line(a, 0, HUGE_VAL);
        }
    }
    if (row->people == 0) return; // no hidden people, or a table that cannot hide them: who knows
    begin_line(a);
    if (overlaps) term(a, 1, union_of(day, table));
    for (size_t i = attack_first[table]; i < attack_first[table + 1] && !overlaps; i++)
        if (d->shown[LAST][i].people == 0) add_cell(a, 1, day, LAST, i, false);
    close_line(a, row->people, row->people + k - 1);
    if (overlaps) return;
    begin_line(a);
    for (size_t i = attack_first[table]; i < attack_first[table + 1]; i++)
        if (d->shown[LAST][i].people == 0) add_cell(a, 1, day, LAST, i, true);
    close_line(a, (double)row->events, (double)row->events + k - 1);
}

static void link_days(attack *a, unsigned day) {
    for (unsigned f = 0; f < FINE_SUMMED; f++) {
        begin_line(a);
        term(a, 1, people_of(day, LAST, f));
        term(a, -1, people_of(0, LAST, f));
        close_line(a, 0, 0);
    }
}

attack *attack_new(const attack_kind *kind, const attack_day *days, unsigned n, attack_mood mood) {
    attack *a = calloc(1, sizeof *a);
    cr_assert_not_null(a);
    a->lp = glp_create_prob();
    a->days = days;
    a->n = n;
    a->mood = mood;
    glp_term_out(GLP_OFF);
    glp_add_cols(a->lp, (int)(n * PER_DAY));
    for (unsigned day = 0; day < n; day++) {
        for (unsigned s = 0; s < ATTACK_STATES; s++) {
            know_growth(a, day, s);
            know_sums(a, day, s);
        }
        for (size_t i = 0; i < ATTACK_CELLS; i++) read_cell(a, day, i);
        for (unsigned t = 1; t < ATTACK_TABLES; t++) read_other(a, day, t);
        if (kind->always && day > 0) link_days(a, day);
    }
    glp_scale_prob(a->lp, GLP_SF_EQ);
    glp_adv_basis(a->lp, 0);
    return a;
}

void attack_free(attack *a) {
    glp_delete_prob(a->lp);
    free(a);
}

// ---- asking ----

// The line under way, at its least (GLP_MIN) or most. False: nothing fits.
static bool optimum(attack *a, int sense, double *out) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    how.meth = a->solved ? GLP_PRIMAL : GLP_DUALP;
    for (int i = 1; i <= a->terms; i++) glp_set_obj_coef(a->lp, a->column[i], a->weight[i]);
    glp_set_obj_dir(a->lp, sense);
    int err = glp_simplex(a->lp, &how);
    if (err != 0) { // a basis that numbers spoilt: from the start
        glp_std_basis(a->lp);
        err = glp_simplex(a->lp, &how);
    }
    cr_assert_eq(err, 0);
    int status = glp_get_status(a->lp);
    *out = status == GLP_UNBND ? HUGE_VAL : glp_get_obj_val(a->lp);
    for (int i = 1; i <= a->terms; i++) glp_set_obj_coef(a->lp, a->column[i], 0);
    bool fits = status == GLP_OPT || status == GLP_UNBND;
    a->solved = fits;
    return fits;
}

static attack_bounds bounds(attack *a) {
    double least = 0, most = HUGE_VAL;
    cr_assert(optimum(a, GLP_MIN, &least) && optimum(a, GLP_MAX, &most), "nothing fits");
    return (attack_bounds){(int64_t)ceil(least - SLACK),
                           most < HUGE_VAL ? (int64_t)floor(most + SLACK) : INT64_MAX};
}

bool attack_contradicts(attack *a) {
    double ignored;
    begin_line(a);
    add_cell(a, 1, 0, LAST, 0, false);
    return !optimum(a, GLP_MIN, &ignored);
}

attack_bounds attack_cell_people(attack *a, unsigned day, unsigned state, size_t cell) {
    begin_line(a);
    add_cell(a, 1, day, state, cell, false);
    return bounds(a);
}

attack_bounds attack_joined(attack *a, unsigned day, unsigned from, unsigned to, size_t cell) {
    begin_line(a);
    add_cell(a, 1, day, to, cell, false);
    add_cell(a, -1, day, from, cell, false);
    return bounds(a);
}

attack_bounds attack_hidden_people(attack *a, unsigned day, unsigned table) {
    begin_line(a);
    if (!has_events(table)) term(a, 1, union_of(day, table));
    for (size_t i = attack_first[table]; i < attack_first[table + 1] && has_events(table); i++)
        if (a->days[day].shown[LAST][i].people == 0) add_cell(a, 1, day, LAST, i, false);
    return bounds(a);
}
