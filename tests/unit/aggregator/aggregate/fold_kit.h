// SPDX-License-Identifier: Apache-2.0
// fold_kit.h: plans, people and comparisons for the tests of aggregate/ and release/.
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "crypt.h"

enum {
    KIT_VIEW = 1 << WN_OBS_VIEW,
    KIT_EVENT = 1 << WN_OBS_EVENT,
    KIT_SESSION = 1 << WN_OBS_SESSION,
    KIT_ROUTE = WN_CLOSED_N + WN_DIM_route,
    KIT_ENTRY = WN_CLOSED_N + WN_DIM_entry,
};
#define KIT_ALL (WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | WN_MEASURE_SESSIONS)

static inline wn_table *kit_table(wn_plan *p, unsigned kinds, unsigned measures, unsigned first,
                                  unsigned second) {
    wn_table *t = &p->table[p->n++];
    *t = (wn_table){.dims = {(uint8_t)first, (uint8_t)second},
                    .measures = (uint8_t)measures,
                    .kinds = (uint8_t)kinds,
                    .clamp = 20};
    t->dims_n = (uint8_t)((first != WN_DIM_NONE) + (second != WN_DIM_NONE));
    bool open =
        (first != WN_DIM_NONE && wn_dim_is_open(first)) || (second != WN_DIM_NONE && wn_dim_is_open(second));
    t->k = open ? 20 : 10;
    return t;
}

// everybody · country · route (views) · entry (sessions) · country × route;
// bounces and time of country and entry, the numbers of route and country × route
#define KIT_OF_SESSIONS (WN_MEASURE_BOUNCES | WN_MEASURE_TIME)
#define KIT_NUMBER_CLAMP 100
enum { KIT_T_ALL, KIT_T_COUNTRY, KIT_T_ROUTE, KIT_T_ENTRY, KIT_T_BOTH, KIT_TABLES };
static inline void kit_plan(wn_plan *p) {
    *p = (wn_plan){.version = 1};
    kit_table(p, KIT_VIEW | KIT_EVENT, KIT_ALL, WN_DIM_NONE, WN_DIM_NONE);
    kit_table(p, KIT_VIEW | KIT_EVENT, KIT_ALL, WN_DIM_country, WN_DIM_NONE);
    kit_table(p, KIT_VIEW, WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS, KIT_ROUTE, WN_DIM_NONE);
    kit_table(p, KIT_SESSION, WN_MEASURE_PEOPLE | WN_MEASURE_SESSIONS, KIT_ENTRY, WN_DIM_NONE);
    kit_table(p, KIT_VIEW | KIT_EVENT, KIT_ALL, WN_DIM_country, KIT_ROUTE);
    p->table[KIT_T_COUNTRY].measures |= KIT_OF_SESSIONS;
    p->table[KIT_T_ENTRY].measures |= KIT_OF_SESSIONS;
    p->table[KIT_T_ROUTE].measures |= WN_MEASURE_NUMBER2;
    p->table[KIT_T_BOTH].measures |= WN_MEASURE_NUMBER1;
    p->table[KIT_T_ROUTE].number_clamp = p->table[KIT_T_BOTH].number_clamp = KIT_NUMBER_CLAMP;
}

static inline wn_fold *kit_fold(const wn_plan *p, uint32_t ids_per_prefix_max, uint32_t open_values_max) {
    wn_fold *f = NULL;
    cr_assert_eq(wn_fold_new(p, ids_per_prefix_max, open_values_max, &f), WN_OK);
    return f;
}

static inline uint64_t kit_random(uint64_t *state) // splitmix64
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}
static inline uint64_t kit_below(uint64_t *state, uint64_t n) {
    return kit_random(state) % n;
}

// A view by person number `who` of `site` from `prefix`.
static inline wn_observation kit_view(uint64_t site, uint64_t who, uint64_t prefix) {
    wn_observation o = {.prefix = prefix, .site = site, .kind = WN_OBS_VIEW};
    for (unsigned i = 0; i < 8; i++) o.person[i] = (uint8_t)(who >> (8 * i));
    o.closed[WN_DIM_country] = 1;
    o.open[WN_DIM_route] = 1001;
    o.open[WN_DIM_entry] = 1001;
    return o;
}

// An increment made by hand.
static inline wn_increment kit_inc(unsigned table, uint64_t value, uint64_t person, uint64_t prefix) {
    return (wn_increment){.site = 7,
                          .value = {value, 0},
                          .person = person,
                          .prefix = prefix,
                          .table = (uint8_t)table,
                          .events = 1};
}

// A session of `seconds`, made by hand.
static inline wn_increment kit_session(unsigned table, uint64_t value, uint64_t person, unsigned seconds,
                                       bool bounced) {
    wn_increment inc = kit_inc(table, value, person, 1000 + person);
    inc.events = 0;
    inc.sessions = 1;
    inc.seconds = (uint16_t)seconds;
    inc.bounces = bounced;
    return inc;
}

static inline void kit_add(wn_fold *f, wn_increment inc) {
    cr_assert_eq(wn_fold_add(f, &inc), WN_OK);
}

static inline void kit_observe(wn_commit *c, const wn_observation *o, const wn_table_keys *keys,
                               unsigned epoch) {
    cr_assert_eq(wn_commit_observe(c, o, keys, (uint8_t)epoch), WN_OK);
}

static inline void kit_commit(wn_commit *c) {
    cr_assert_eq(wn_commit_encode(c), WN_OK);
    wn_commit_apply(c);
}

static inline wn_err kit_unpack(void *ctx, wn_span part) {
    return wn_fold_unpack(ctx, part);
}

// As after a kill: a fold of the base alone, with the baselines of the newest intent, and a commit for it.
static inline void kit_restart(const wn_plan *p, uint32_t ids_per_prefix_max, uint32_t open_values_max,
                               wn_fold **inout_f, wn_commit **inout_c) {
    wn_fold *f = kit_fold(p, ids_per_prefix_max, open_values_max);
    cr_assert_eq(wn_fold_pack(*inout_f, kit_unpack, f), WN_OK);
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_cell c;
        wn_fold_cell(*inout_f, i, &c);
        wn_fold_set_baseline(f, i, c.baseline);
    }
    wn_commit_free(*inout_c);
    wn_fold_free(*inout_f);
    *inout_f = f;
    cr_assert_eq(wn_commit_new(f, inout_c), WN_OK);
}

typedef struct kit_members {
    wn_member m[4096];
    size_t n;
} kit_members;

static inline void kit_take_member(void *ctx, const wn_member *m) {
    kit_members *all = ctx;
    cr_assert_lt(all->n, WN_COUNT(all->m));
    all->m[all->n++] = *m;
}

static inline void kit_members_of(const wn_fold *f, size_t cell, uint32_t from, kit_members *out) {
    out->n = 0;
    wn_fold_members(f, cell, from, kit_take_member, out);
}

static inline bool kit_same_amounts(const wn_member *a, const wn_member *b) {
    return a->events == b->events && a->sessions == b->sessions && a->bounces == b->bounces &&
           a->seconds == b->seconds && a->number == b->number;
}

// Same cells under the same numbers, same members in the same order.
static inline void kit_same(const wn_fold *a, const wn_fold *b) {
    static kit_members x, y;
    cr_assert_eq(wn_fold_cells(a), wn_fold_cells(b));
    cr_assert_eq(wn_fold_people(a), wn_fold_people(b));
    cr_assert_eq(wn_fold_epochs(a), wn_fold_epochs(b));
    for (size_t i = 0; i < wn_fold_cells(a); i++) {
        wn_cell p, q;
        wn_fold_cell(a, i, &p);
        wn_fold_cell(b, i, &q);
        cr_assert(p.site == q.site && p.table == q.table && p.epoch == q.epoch && p.value[0] == q.value[0] &&
                  p.value[1] == q.value[1]);
        cr_assert(p.people == q.people && p.events == q.events && p.sessions == q.sessions);
        cr_assert_eq(wn_fold_capped(a, p.site), wn_fold_capped(b, p.site));
        cr_assert_eq(wn_fold_refused(a, p.site), wn_fold_refused(b, p.site));
        kit_members_of(a, i, 0, &x);
        kit_members_of(b, i, 0, &y);
        cr_assert_eq(x.n, p.people);
        cr_assert_eq(y.n, q.people);
        for (size_t j = 0; j < x.n; j++)
            cr_assert(x.m[j].person == y.m[j].person && x.m[j].prefix == y.m[j].prefix &&
                      x.m[j].org == y.m[j].org && x.m[j].signed_id == y.m[j].signed_id &&
                      kit_same_amounts(&x.m[j], &y.m[j]));
    }
}

static inline size_t kit_cell(const wn_fold *f, uint64_t site, unsigned table, uint64_t first,
                              uint64_t second, unsigned epoch) {
    const uint64_t value[2] = {first, second};
    return wn_fold_find(f, site, (uint8_t)table, value, (uint8_t)epoch);
}

static inline wn_cell kit_cell_at(const wn_fold *f, uint64_t site, unsigned table, uint64_t first,
                                  uint64_t second) {
    wn_cell c = {0};
    size_t at = kit_cell(f, site, table, first, second, 0);
    if (at != SIZE_MAX) wn_fold_cell(f, at, &c);
    return c;
}
