// SPDX-License-Identifier: Apache-2.0
// commit_write.c: what a commit adds, in an order that says nothing of arrival:
// joins by cell and pseudonym, repeats by number, each person of a cell once.
#include <stdlib.h>

#include "commit_state.h"
#include "sort64.h"

static wn_err write_counts(wn_commit *c) {
    for (size_t i = 0; i < c->refusals_n; i++) {
        uint32_t site;
        WN_TRY(wn_commit_site(c, refusal_at(c, i)->site, &site));
        WN_TRY(wn_record_count(&c->out, site, refusal_at(c, i)->refused, 0));
    }
    for (uint32_t site = 0; site < c->capped_n; site++) {
        uint32_t capped = *u32_at(&c->capped, site);
        if (capped > 0) WN_TRY(wn_record_count(&c->out, site, 0, capped));
    }
    return WN_OK;
}

static wn_err write_values(wn_commit *c) {
    const wn_pool *have = &c->f->pool;
    size_t n = have->values.n;
    for (uint32_t i = 0; i < c->texts.values.n && n < c->f->values_max; i++) {
        const wn_value *v = wn_pool_value(&c->texts, i);
        if (wn_pool_find_value(have, wn_value_id(v)) != NULL) continue;
        WN_TRY(wn_record_value(&c->out, v));
        n++;
    }
    return WN_OK;
}

// New members by cell, in a cell by pseudonym: 27 bits of cell, 16 of the
// person, 21 to find them again (WN_COMMIT_OBS_MAX × WN_TABLES_MAX of them).
enum { JOIN_AT_BITS = 21, JOIN_PERSON_BITS = 16 };
_Static_assert(WN_COMMIT_OBS_MAX *WN_TABLES_MAX <= 1 << JOIN_AT_BITS, "a join's number fits its key");
_Static_assert(WN_POOL_CELLS_MAX <= 1u << (64 - JOIN_AT_BITS - JOIN_PERSON_BITS),
               "a cell's number fits its key");

static wn_err reserve_order(wn_commit *c, size_t n) {
    WN_TRY(wn_growing_reserve(&c->order, n * sizeof(uint64_t)));
    if (n > c->order_n) c->order_n = n;
    return WN_OK;
}

static uint64_t person_of(const wn_commit *c, uint64_t key) {
    return wn_pool_member(&c->add, (uint32_t)(key & ((1u << JOIN_AT_BITS) - 1)))->person;
}

// Two whose 16 bits are the same would else stand in the order they came.
static void settle_ties(const wn_commit *c, uint64_t *key, size_t n) {
    for (size_t i = 1; i < n; i++) {
        for (size_t j = i; j > 0 && key[j] >> JOIN_AT_BITS == key[j - 1] >> JOIN_AT_BITS &&
                           person_of(c, key[j]) < person_of(c, key[j - 1]);
             j--) {
            uint64_t t = key[j];
            key[j] = key[j - 1];
            key[j - 1] = t;
        }
    }
}

static wn_err write_joins(wn_commit *c) {
    uint32_t n = c->add.members_n;
    WN_TRY(reserve_order(c, (size_t)n * 2));
    uint64_t *key = u64_at(&c->order, 0);
    for (uint32_t i = 0; i < n; i++) {
        const wn_member_state *m = wn_pool_member(&c->add, i);
        uint64_t place = (uint64_t)m->cell << JOIN_PERSON_BITS | m->person >> (64 - JOIN_PERSON_BITS);
        key[i] = place << JOIN_AT_BITS | i;
    }
    key = wn_sort64(key, key + n, n, JOIN_AT_BITS, 64);
    settle_ties(c, key, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)(key[i] & ((1u << JOIN_AT_BITS) - 1));
        WN_TRY(wn_record_join(&c->out, wn_pool_member(&c->add, at)));
    }
    return WN_OK;
}

// Extras come back to their members, which are in no cache by now.
enum { AHEAD = 16 };

static void add_extra(wn_amounts *sum, uint64_t extra) {
    if ((extra & EXTRA_NUMBER) != 0) {
        sum->number += (uint32_t)(extra & (EXTRA_NUMBER - 1));
        return;
    }
    sum->bounces += (extra & EXTRA_BOUNCE) != 0;
    sum->seconds += (uint32_t)(extra & EXTRA_SECONDS);
}

// What the clamps leave of the sum of a member's extras.
static void clamp_extras(const wn_commit *c, uint32_t member, uint64_t extra, wn_amounts *sum) {
    const wn_member_state *m = wn_pool_member(&c->f->pool, member);
    const wn_amounts *most = &c->f->most[extra >> EXTRA_TABLE_AT & ((1u << EXTRA_TABLE_BITS) - 1)];
    sum->bounces = wn_clamped(m->bounces, sum->bounces, most->bounces) - m->bounces;
    sum->seconds = wn_clamped(m->seconds, sum->seconds, most->seconds) - m->seconds;
    sum->number = wn_clamped(m->number, sum->number, most->number) - m->number;
}

typedef struct merge { // repeats and extras, each by member
    const uint64_t *r, *x;
    size_t r_n, x_n;
} merge;

static wn_err write_member(wn_commit *c, merge *m) {
    uint32_t of_r = m->r_n > 0 ? (uint32_t)(*m->r >> REPEAT_MEMBER_AT) : WN_NONE;
    uint32_t of_x = m->x_n > 0 ? (uint32_t)(*m->x >> EXTRA_MEMBER_AT) : WN_NONE;
    uint32_t member = of_r < of_x ? of_r : of_x;
    wn_amounts sum = {0};
    if (of_r == member) {
        unsigned events_room = *m->r >> REPEAT_EVENTS_AT & 0xFF;
        unsigned sessions_room = *m->r >> REPEAT_SESSIONS_AT & 0x3F;
        for (; m->r_n > 0 && *m->r >> REPEAT_MEMBER_AT == member; m->r++, m->r_n--) {
            sum.events += (*m->r & REPEAT_EVENT) != 0;
            sum.sessions += (*m->r & REPEAT_SESSION) != 0;
        }
        if (sum.events > events_room) sum.events = events_room;
        if (sum.sessions > sessions_room) sum.sessions = sessions_room;
    }
    if (of_x == member) {
        uint64_t first = *m->x;
        for (; m->x_n > 0 && *m->x >> EXTRA_MEMBER_AT == member; m->x++, m->x_n--) {
            if (m->x_n > AHEAD)
                __builtin_prefetch(wn_pool_member(&c->f->pool, (uint32_t)(m->x[AHEAD] >> EXTRA_MEMBER_AT)));
            add_extra(&sum, *m->x);
        }
        clamp_extras(c, member, first, &sum);
    }
    return wn_record_repeat(&c->out, member, &sum);
}

static wn_err write_repeats(wn_commit *c) {
    size_t n = c->repeats_n, x = c->extras_n;
    WN_TRY(reserve_order(c, n + x));
    uint64_t *spare = u64_at(&c->order, 0);
    merge m = {.r = wn_sort64(u64_at(&c->repeats, 0), spare, n, REPEAT_MEMBER_AT, REPEAT_MEMBER_AT + 32),
               .x = wn_sort64(u64_at(&c->extras, 0), spare + n, x, EXTRA_MEMBER_AT, EXTRA_MEMBER_AT + 32),
               .r_n = n,
               .x_n = x};
    while (m.r_n > 0 || m.x_n > 0) WN_TRY(write_member(c, &m));
    return WN_OK;
}

// By table, then person: one who names two organisations, the one that counts first.
static int compare_namings(const void *a, const void *b) {
    const wn_naming *x = a, *y = b;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    if (x->person != y->person) return x->person < y->person ? -1 : 1;
    if (x->site != y->site) return x->site < y->site ? -1 : 1;
    if (x->epoch != y->epoch) return x->epoch < y->epoch ? -1 : 1;
    if (x->counts != y->counts) return x->counts > y->counts ? -1 : 1;
    return (x->org > y->org) - (x->org < y->org);
}

// Their index is of no use any more, and made anew when they are read back.
static wn_err write_namings(wn_commit *c) {
    uint32_t n = c->add.namings_n;
    if (n > 1) qsort(wn_pool_naming(&c->add, 0), n, sizeof(wn_naming), compare_namings);
    for (uint32_t i = 0; i < n; i++) WN_TRY(wn_record_naming(&c->out, wn_pool_naming(&c->add, i)));
    return WN_OK;
}

wn_err wn_commit_write(wn_commit *c) {
    wn_record_out *o = &c->out;
    const wn_pool *add = &c->add;
    for (uint32_t i = 0; i < add->sites_n; i++) WN_TRY(wn_record_site(o, wn_pool_site(add, i)->tag));
    WN_TRY(write_counts(c));
    WN_TRY(write_values(c));
    for (uint32_t i = 0; i < add->prefixes.n; i++)
        WN_TRY(wn_record_network(o, WN_RUN_PREFIX, wn_network_at(&add->prefixes, i)));
    for (uint32_t i = 0; i < add->orgs.n; i++)
        WN_TRY(wn_record_network(o, WN_RUN_ORG, wn_network_at(&add->orgs, i)));
    for (uint32_t i = 0; i < add->cells_n; i++) WN_TRY(wn_record_cell(o, wn_pool_cell(add, i)));
    WN_TRY(write_joins(c));
    WN_TRY(write_repeats(c));
    WN_TRY(write_namings(c));
    wn_record_end(o);
    return WN_OK;
}
