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
    slot *slots;    // room for `room`; only the first `cap` are looked at, so that a
    size_t room;    // small cell after a large one stays in the processor's cache
    size_t cap, n;  // cap 0 or a power of two, at least twice n
    uint32_t stamp; // never 0
    uint32_t *at;   // slots in use, in order of arrival; room / 2 of them
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
    wn_wipe(t->slots, t->room * sizeof *t->slots);
    free(t->slots);
    free(t->at);
    *t = (tally){0};
}

static void tally_next_stamp(tally *t) {
    if (++t->stamp != 0) return;
    for (size_t i = 0; i < t->room; i++) t->slots[i].stamp = 0;
    t->stamp = 1;
}

static void tally_put(tally *t, const slot *old) {
    slot *s = slot_of(t, old->key);
    *s = *old;
    s->stamp = t->stamp;
    t->at[t->n++] = (uint32_t)(s - t->slots);
}

// Twice as many slots of the room there is.
static wn_err tally_widen(tally *t) {
    size_t n = t->n;
    slot *held = malloc(n * sizeof *held + 1);
    if (held == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) held[i] = t->slots[t->at[i]];
    tally_next_stamp(t);
    t->cap *= 2;
    t->n = 0;
    for (size_t i = 0; i < n; i++) tally_put(t, &held[i]);
    wn_wipe(held, n * sizeof *held);
    free(held);
    return WN_OK;
}

static wn_err tally_grow(tally *t) {
    if (t->cap > 0 && 2 * t->cap <= t->room) return tally_widen(t);
    size_t cap = t->cap > 0 ? t->cap * 2 : TALLY_CAP_MIN;
    tally bigger = {.cap = cap, .room = cap, .stamp = 1};
    bigger.slots = calloc(cap, sizeof *bigger.slots);
    bigger.at = calloc(cap / 2, sizeof *bigger.at);
    if (bigger.slots == NULL || bigger.at == NULL) {
        free(bigger.slots);
        free(bigger.at);
        return WN_ERR_NOMEM;
    }
    for (size_t i = 0; i < t->n; i++) tally_put(&bigger, &t->slots[t->at[i]]);
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
    t->cap = TALLY_CAP_MIN;
    tally_next_stamp(t);
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
