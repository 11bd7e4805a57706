// SPDX-License-Identifier: Apache-2.0
// conf_plan_check.c: what must hold of a table before anything counts in it:
// by itself, and beside those before it. Rules R3 to R6, R9.
#include <string.h>

#include "conf_plan.h"

wn_purpose wn_dim_purpose(unsigned dim) {
    static const uint8_t purposes[WN_DIM_N] = {
#define DIM_CLOSED(name, purpose, doc) WN_PURPOSE_##purpose,
#include "dims.def"
#define DIM_OPEN(name, purpose, doc) WN_PURPOSE_##purpose,
#include "dims.def"
    };
    WN_ASSERT(dim < WN_DIM_N);
    return (wn_purpose)purposes[dim];
}

const char *wn_purpose_name(wn_purpose purpose) {
    static const char *const names[WN_PURPOSE_N] = {
#define PURPOSE(name, dflt, doc) #name,
#include "purposes.def"
#undef PURPOSE
    };
    WN_ASSERT(purpose < WN_PURPOSE_N);
    return names[purpose];
}

// Where a key stands, or else its table.
static const yaml_node_t *where(const wn_plan_row *row, wn_plan_key key) {
    return row->at[key] != NULL ? row->at[key] : row->item;
}

static bool of_sessions_alone(const wn_table *t) {
    return t->kinds == 1u << WN_OBS_SESSION;
}

// The purpose of a table is no more and no less than what its values were given for (L-P1).
static bool check_purpose(wn_nodes *d, const wn_plan_row *row) {
    const wn_table *t = row->table;
    wn_purpose needs = WN_PURPOSE_basic;
    unsigned by = WN_DIM_NONE;
    for (unsigned i = 0; i < t->dims_n; i++) {
        wn_purpose purpose = wn_dim_purpose(t->dims[i]);
        if (purpose == WN_PURPOSE_basic || purpose == needs) continue;
        if (needs != WN_PURPOSE_basic)
            return wn_nodes_no(
                d, where(row, WN_PLAN_dimensions),
                "table %s: %s needs %s and %s needs %s: a table has one purpose; make it two tables", t->id,
                wn_dim_name(by), wn_purpose_name(needs), wn_dim_name(t->dims[i]), wn_purpose_name(purpose));
        needs = purpose;
        by = t->dims[i];
    }
#ifdef WN_MUTANT_ANY_TABLE_PURPOSE
    return true;
#endif
    if (t->purpose == needs) return true;
    return wn_nodes_no(d, where(row, WN_PLAN_purpose),
                       "table %s is of purpose %s, but %s%s: write purpose: %s", t->id,
                       wn_purpose_name((wn_purpose)t->purpose),
                       by != WN_DIM_NONE ? wn_dim_name(by) : "its values are given for basic",
                       by != WN_DIM_NONE ? " needs another" : " alone", wn_purpose_name(needs));
}

static bool check_dimensions(wn_nodes *d, const wn_plan_row *row) {
    const wn_table *t = row->table;
    bool sessions = (t->measures & WN_MEASURE_SESSIONS) != 0 || (t->kinds & 1u << WN_OBS_SESSION) != 0;
    for (unsigned i = 0; i < t->dims_n; i++) {
        bool of_session = t->dims[i] == WN_CLOSED_N + WN_DIM_entry || t->dims[i] == WN_CLOSED_N + WN_DIM_exit;
        if (of_session && !of_sessions_alone(t))
            return wn_nodes_no(d, where(row, WN_PLAN_of),
                               "table %s: %s is known of finished sessions only; write of: [session]", t->id,
                               wn_dim_name(t->dims[i]));
        if (sessions && !wn_dim_of_session(t->dims[i]))
            return wn_nodes_no(d, where(row, WN_PLAN_dimensions),
                               "table %s: sessions do not carry %s; take sessions out of `measures` and `of`",
                               t->id, wn_dim_name(t->dims[i]));
    }
    return true;
}

static bool check_measures(wn_nodes *d, const wn_plan_row *row) {
    const wn_table *t = row->table;
    const yaml_node_t *at = where(row, WN_PLAN_measures);
    const uint8_t numbers = WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2;
    if (!(t->measures & WN_MEASURE_PEOPLE))
        return wn_nodes_no(d, at, "table %s: measures must hold people; example: [people, events]", t->id);
    if (t->profile == WN_PROFILE_NOISE && t->measures != WN_MEASURE_PEOPLE)
        return wn_nodes_no(
            d, at, "table %s: with profile noise nothing but people is shown; write measures: [people]",
            t->id);
    if (t->measures & (WN_MEASURE_BOUNCES | WN_MEASURE_TIME) && !(t->measures & WN_MEASURE_SESSIONS))
        return wn_nodes_no(d, at, "table %s: bounces and time are of sessions; add sessions to `measures`",
                           t->id);
    if ((t->measures & numbers) == numbers)
        return wn_nodes_no(
            d, at, "table %s: number1 and number2 cannot both be summed in one table; make it two", t->id);
    if (t->measures & numbers && of_sessions_alone(t))
        return wn_nodes_no(d, at, "table %s: sessions carry no number; add view or event to `of`", t->id);
    if (row->at[WN_PLAN_number_clamp] != NULL && !(t->measures & numbers))
        return wn_nodes_no(
            d, row->at[WN_PLAN_number_clamp],
            "table %s: number_clamp is of number1 or number2; add one to `measures`, or remove it", t->id);
    return true;
}

static bool check_noise(wn_nodes *d, const wn_plan_row *row) {
    const wn_table *t = row->table;
    bool noise = t->profile == WN_PROFILE_NOISE;
    if (noise && t->cells == 0)
        return wn_nodes_no(d, row->item,
                           "table %s: with profile noise `cells` says in how many cells a person may count; "
                           "example: cells: 1",
                           t->id);
    if (!noise && t->cells != 0)
        return wn_nodes_no(d, where(row, WN_PLAN_cells), "table %s: cells is of profile noise; remove it",
                           t->id);
    if (noise && t->dims_n == 0 && t->cells > 1)
        return wn_nodes_no(d, where(row, WN_PLAN_cells), "table %s has one cell; write cells: 1", t->id);
    if (noise && row->at[WN_PLAN_clamp] != NULL)
        return wn_nodes_no(d, row->at[WN_PLAN_clamp],
                           "table %s: clamp is of events; with profile noise remove it", t->id);
    return true;
}

// What may leave is of people who agreed to that, from the first day on: a table with noise is made to be
// handed out, whoever receives it yet.
static bool leaves(const wn_table *t) {
    return t->receivers != 0 || t->profile == WN_PROFILE_NOISE;
}

static bool check_share(wn_nodes *d, const wn_plan_row *row) {
    if (!leaves(row->table) || row->at[WN_PLAN_share] == NULL || row->table->share) return true;
    return wn_nodes_no(
        d, row->at[WN_PLAN_share],
        "table %s: a table with receivers or with noise counts those alone who agreed to share; "
        "remove share: false",
        row->table->id);
}

// A crowd hides nobody from who knows everybody else in it, so it takes somebody's word to hand one out.
static bool check_receivers(wn_nodes *d, const wn_plan_row *row) {
    const wn_table *t = row->table;
    bool bound = row->at[WN_PLAN_contract] != NULL, given = t->receivers != 0;
#ifdef WN_MUTANT_CROWD_LEAVES
    return true;
#endif
    if (given && t->profile == WN_PROFILE_CROWD && !bound)
        return wn_nodes_no(
            d, where(row, WN_PLAN_receivers),
            "table %s: receivers get profile noise, or by a named contract a crowd: who knows all the "
            "others in it learns whether one more was there; write profile: noise, or contract: \"...\"",
            t->id);
    if (bound && !(given && t->profile == WN_PROFILE_CROWD))
        return wn_nodes_no(d, row->at[WN_PLAN_contract],
                           "table %s: contract is of a crowd table with receivers; remove it", t->id);
    return true;
}

bool wn_plan_check_table(wn_nodes *d, const wn_plan_row *row) {
    wn_table *t = row->table;
    if (!check_measures(d, row) || !check_dimensions(d, row) || !check_purpose(d, row) ||
        !check_noise(d, row) || !check_share(d, row) || !check_receivers(d, row))
        return false;
    bool open = false, noise = t->profile == WN_PROFILE_NOISE;
    for (unsigned i = 0; i < t->dims_n; i++) open = open || wn_dim_is_open(t->dims[i]);
    t->k = noise ? open ? WN_K_NOISE_OPEN : WN_K_NOISE_CLOSED : open ? WN_K_OPEN : WN_K_CLOSED;
    t->share = t->share || leaves(t);
    return true;
}

// Counts the same people by the same dimensions.
static bool same_population(const wn_table *a, const wn_table *b) {
    if (a->kinds != b->kinds || a->dims_n != b->dims_n || a->share != b->share || a->profile != b->profile)
        return false;
    return (a->dims[0] == b->dims[0] && a->dims[1] == b->dims[1]) ||
           (a->dims_n == 2 && a->dims[0] == b->dims[1] && a->dims[1] == b->dims[0]);
}

bool wn_plan_check_place(wn_nodes *d, const wn_plan *p, size_t i, const wn_plan_row *row) {
    const wn_table *t = row->table;
    if (i == 0 && (t->dims_n != 0 || t->profile != WN_PROFILE_CROWD || t->share))
        return wn_nodes_no(
            d,
            where(row, t->dims_n != 0                   ? WN_PLAN_dimensions
                       : t->profile != WN_PROFILE_CROWD ? WN_PLAN_profile
                       : t->receivers != 0              ? WN_PLAN_receivers
                                                        : WN_PLAN_share),
            "table %s comes first and must have no dimension, profile crowd and no share: it counts "
            "everybody; example: {id: traffic, doc: Everybody, purpose: basic, dimensions: [], of: "
            "[view, event], measures: [people]}",
            t->id);
    unsigned cells = t->cells;
    for (size_t j = 0; j < i; j++) {
        const wn_table *before = &p->table[j];
        if (strcmp(before->id, t->id) == 0)
            return wn_nodes_no(d, where(row, WN_PLAN_id), "two tables are called %s", t->id);
        if (same_population(before, t))
            return wn_nodes_no(
                d, where(row, WN_PLAN_dimensions),
                "table %s has the dimensions, `of`, share and profile of table %s: a population is "
                "released once; remove one",
                t->id, before->id);
        cells += before->cells;
    }
    if (t->cells != 0 && cells > WN_NOISE_CELLS_MAX)
        return wn_nodes_no(
            d, where(row, WN_PLAN_cells),
            "table %s makes %u cells a person in all noise tables: at most %d are allowed; give one "
            "fewer, or make a table a crowd",
            t->id, cells, WN_NOISE_CELLS_MAX);
    return true;
}
