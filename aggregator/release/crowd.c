// SPDX-License-Identifier: Apache-2.0
// crowd.c: counts distinct prefixes and the sizes of organisations, exactly.
#include "crowd.h"

#include <stdlib.h>

#include "walls.h"

#define ORGS_MIN 4

// Counts by key. A slot belongs to the set only under the present stamp, so
// emptying it for the next of 10^5 cells costs nothing.
typedef struct slot {
    uint64_t key, sum;
    uint32_t count, stamp;
} slot;

typedef struct tally {
    slot *slots;
    size_t cap, n;  // cap 0 or a power of two, at least twice n
    uint32_t stamp; // never 0
    uint32_t *at;   // slots in use, in order of arrival; cap / 2 of them
} tally;

struct wn_crowd {
    bool site_declares;
    uint32_t people, signed_ids;
    uint64_t sum, most[3]; // of amounts; the three largest of one person, descending
    tally prefixes;        // of unsigned people
    tally orgs;            // declared, and 0 for all undeclared of a site that declares
    tally stand_ins;       // prefixes in place of organisations
};

enum { TALLY_CAP_MIN = 64 };

static uint64_t hash_of(uint64_t key) {
    uint64_t h = key * 0x9E3779B97F4A7C15u;
    return h ^ h >> 32;
}

static slot *slot_of(const tally *t, uint64_t key) {
    size_t s = hash_of(key) & (t->cap - 1);
    while (t->slots[s].stamp == t->stamp && t->slots[s].key != key) s = (s + 1) & (t->cap - 1);
    return &t->slots[s];
}

static void tally_fini(tally *t) {
    wn_wipe(t->slots, t->cap * sizeof *t->slots);
    free(t->slots);
    free(t->at);
    *t = (tally){0};
}

static wn_err tally_grow(tally *t) {
    tally bigger = {.cap = t->cap > 0 ? t->cap * 2 : TALLY_CAP_MIN, .stamp = 1};
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    bigger.at = calloc(bigger.cap / 2, sizeof *bigger.at);
    if (bigger.slots == NULL || bigger.at == NULL) {
        free(bigger.slots);
        free(bigger.at);
        return WN_ERR_NOMEM;
    }
    for (size_t i = 0; i < t->n; i++) {
        const slot *old = &t->slots[t->at[i]];
        slot *s = slot_of(&bigger, old->key);
        *s = (slot){.key = old->key, .sum = old->sum, .count = old->count, .stamp = bigger.stamp};
        bigger.at[bigger.n++] = (uint32_t)(s - bigger.slots);
    }
    tally_fini(t);
    *t = bigger;
    return WN_OK;
}

static wn_err tally_add(tally *t, uint64_t key, uint32_t amount) {
    if (t->n * 2 >= t->cap) WN_TRY(tally_grow(t));
    slot *s = slot_of(t, key);
    if (s->stamp != t->stamp) {
        *s = (slot){.key = key, .stamp = t->stamp};
        t->at[t->n++] = (uint32_t)(s - t->slots);
    }
    s->count++;
    s->sum += amount;
    return WN_OK;
}

static void tally_reset(tally *t) {
    t->n = 0;
    if (t->cap == 0) return;
    if (++t->stamp != 0) return;
    for (size_t i = 0; i < t->cap; i++) t->slots[i].stamp = 0;
    t->stamp = 1;
}

wn_err wn_crowd_new(wn_crowd **out) {
    wn_crowd *c = calloc(1, sizeof *c);
    if (c == NULL) return WN_ERR_NOMEM;
    *out = c;
    return WN_OK;
}

void wn_crowd_free(wn_crowd *c) {
    if (c == NULL) return;
    tally_fini(&c->prefixes);
    tally_fini(&c->orgs);
    tally_fini(&c->stand_ins);
    free(c);
}

void wn_crowd_reset(wn_crowd *c, bool site_declares) {
    tally_reset(&c->prefixes);
    tally_reset(&c->orgs);
    tally_reset(&c->stand_ins);
    c->site_declares = site_declares;
    c->people = c->signed_ids = 0;
    c->sum = c->most[0] = c->most[1] = c->most[2] = 0;
}

// Keeps the three largest, descending.
static void keep_largest(uint64_t v, uint64_t x[3]) {
    if (v > x[0]) {
        x[2] = x[1];
        x[1] = x[0];
        x[0] = v;
    } else if (v > x[1]) {
        x[2] = x[1];
        x[1] = v;
    } else if (v > x[2]) {
        x[2] = v;
    }
}

wn_err wn_crowd_add(wn_crowd *c, const wn_member *m) {
    return wn_crowd_add_amount(c, m, 0);
}

wn_err wn_crowd_add_amount(wn_crowd *c, const wn_member *m, uint32_t amount) {
    bool declares = c->site_declares;
#ifdef WN_MUTANT_UNDECLARED_MANY
    declares = false;
#endif
    c->people++;
    c->signed_ids += m->signed_id != 0;
    c->sum += amount;
    keep_largest(amount, c->most);
    if (m->signed_id == 0) WN_TRY(tally_add(&c->prefixes, m->prefix, amount));
    if (m->org != 0 || declares) return tally_add(&c->orgs, m->org, amount);
    return tally_add(&c->stand_ins, m->prefix, amount);
}

uint32_t wn_crowd_people(const wn_crowd *c) {
    return c->people;
}

uint64_t wn_crowd_sum(const wn_crowd *c) {
    return c->sum;
}
uint64_t wn_crowd_largest(const wn_crowd *c) {
    return c->most[0];
}

// Three largest organisations, by people or by what they add.
static void largest(const wn_crowd *c, bool by_sum, uint64_t x[3]) {
    const tally *const both[] = {&c->orgs, &c->stand_ins};
    x[0] = x[1] = x[2] = 0;
    for (size_t t = 0; t < WN_COUNT(both); t++) {
        for (size_t i = 0; i < both[t]->n; i++) {
            const slot *s = &both[t]->slots[both[t]->at[i]];
            keep_largest(by_sum ? s->sum : s->count, x);
        }
    }
}

// A sum is at most 2^32 people's 2^16: a hundred of it fit 64 bits.
static bool undominated(uint64_t sum, const uint64_t x[3], uint32_t p_percent) {
    return 100 * (sum - x[0] - x[1] - x[2]) >= p_percent * x[0];
}

static bool organisations_hold(const wn_crowd *c, uint32_t p_percent) {
#ifdef WN_MUTANT_ORG_RULE_OFF
    return true;
#endif
    uint64_t x[3];
    if (c->orgs.n + c->stand_ins.n < ORGS_MIN) return false;
    largest(c, false, x);
    return undominated(c->people, x, p_percent);
}

bool wn_crowd_holds(const wn_crowd *c, uint32_t k, uint32_t p_percent) {
    if (!WN_WALL_LOCKS) return c->people >= k;
    uint64_t distinct = c->signed_ids + c->prefixes.n;
#ifdef WN_MUTANT_PEOPLE_NOT_PREFIXES
    distinct = c->people;
#endif
    return distinct >= k && organisations_hold(c, p_percent);
}

bool wn_crowd_sum_holds(const wn_crowd *c, uint32_t p_percent) {
    uint64_t x[3];
#ifdef WN_MUTANT_MEASURE_P_RULE_OFF
    return true;
#endif
    largest(c, true, x);
    return undominated(c->sum, c->most, p_percent) && undominated(c->sum, x, p_percent);
}
