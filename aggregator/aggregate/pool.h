// SPDX-License-Identifier: Apache-2.0
// pool.h: sites, networks, cells and members as append-only arrays, each with
// an index from key to number. The fold is one pool; what a commit would add
// to it is another, numbered on from the first.
//
// Private to aggregate/. A number stays valid for the life of its pool.
#pragma once

#include "growing.h"
#include "increments.h"

#define WN_NONE UINT32_MAX                   // no such number
#define WN_POOL_SITES_MAX (4 * WN_SITES_MAX) // sites of one window; the catalogue may change under it
#define WN_POOL_CELLS_MAX (1u << 27)         // fits the sort key of a commit
#define WN_POOL_MEMBERS_MAX 0xFFFFFFF0u
#define WN_SESSIONS_CLAMP 20 // one person's sessions in a cell, and so their bounces
#define WN_SECONDS_CLAMP (WN_SESSIONS_CLAMP * WN_SESSION_SECONDS_MAX)
_Static_assert(WN_SECONDS_CLAMP <= UINT16_MAX, "a member's seconds fit");

// Open addressing. A slot holds number + 1 in the bits that cap needs, and what
// the hash has there in the bits above: one that lies here for another key is
// passed over without a look at its item, which is seldom in any cache. 0: empty.
typedef struct wn_index {
    wn_growing slots;
    size_t cap, n; // cap 0 or a power of two, at least twice n
} wn_index;

typedef struct wn_site_state {
    uint64_t tag, refused, capped;
    uint32_t open_cells[WN_TABLES_MAX]; // cells of an open dimension that were never shown
} wn_site_state;

typedef struct wn_network { // a prefix or an organisation of a site
    uint64_t id;
    uint32_t site;
    uint32_t people; // prefix: unsigned people in table 0
} wn_network;

typedef struct wn_cell_state {
    uint64_t value[2];
    uint64_t events, sessions;
    uint32_t first, last; // members, WN_NONE when empty
    uint32_t people, baseline;
    uint32_t site;
    uint8_t table, epoch;
} wn_cell_state;

typedef struct wn_member_state { // 32 bytes: two to a cache line
    uint64_t person;
    uint32_t cell;
    uint32_t next; // in the cell, in order of joining; WN_NONE at the end
    uint32_t prefix;
    uint32_t org; // WN_NONE: undeclared
    uint8_t events, sessions, signed_id, bounces;
    uint16_t seconds, number;
} wn_member_state;
_Static_assert(sizeof(wn_member_state) == 32, "two to a cache line");

// An organisation that somebody named after the window first saw them, or beside the one they named first:
// under the name that each table has for them, since nothing links those. Whoever is here is here with all
// organisations they named, exactly one of which counts.
typedef struct wn_naming {
    uint64_t person;
    uint32_t site, org;
    uint8_t table, epoch;
    uint8_t counts; // 1: the locks take them for its member; 0: a purge alone heeds it
} wn_naming;

// What somebody adds to a cell, or what is the most they may add to one.
typedef struct wn_amounts {
    uint32_t events, sessions, bounces, seconds, number;
} wn_amounts;

static inline wn_amounts wn_amounts_of(const wn_increment *inc) {
    return (wn_amounts){.events = inc->events,
                        .sessions = inc->sessions,
                        .bounces = inc->bounces,
                        .seconds = inc->seconds,
                        .number = inc->number};
}

static inline uint32_t wn_amounts_sum(const wn_amounts *a) {
    return a->events + a->sessions + a->bounces + a->seconds + a->number;
}

static inline uint32_t wn_clamped(uint32_t have, uint32_t more, uint32_t most) {
    return have + more < most ? have + more : most;
}

// Each amount is clamped by itself, so that what somebody adds does not depend on the order it comes in.
static inline void wn_member_grow(wn_member_state *m, const wn_amounts *more, const wn_amounts *most) {
    m->events = (uint8_t)wn_clamped(m->events, more->events, most->events);
    m->sessions = (uint8_t)wn_clamped(m->sessions, more->sessions, most->sessions);
    m->bounces = (uint8_t)wn_clamped(m->bounces, more->bounces, most->bounces);
    m->seconds = (uint16_t)wn_clamped(m->seconds, more->seconds, most->seconds);
    m->number = (uint16_t)wn_clamped(m->number, more->number, most->number);
}

static inline wn_amounts wn_member_amounts(const wn_member_state *m) {
    return (wn_amounts){.events = m->events,
                        .sessions = m->sessions,
                        .bounces = m->bounces,
                        .seconds = m->seconds,
                        .number = m->number};
}

typedef struct wn_networks {
    wn_growing items;
    uint32_t n;
    wn_index index;
} wn_networks;

// Sealed texts of open values, packed: only their n used bytes are kept.
typedef struct wn_values {
    wn_growing bytes, offsets; // offsets: size_t each
    size_t used;
    uint32_t n;
    wn_index index;
} wn_values;

typedef struct wn_pool {
    wn_growing sites, cells, members, namings;
    uint32_t sites_n, cells_n, members_n, namings_n;
    wn_index site_index, cell_index, member_index, naming_index;
    wn_networks prefixes, orgs;
    wn_values values;
} wn_pool;

static inline wn_site_state *wn_pool_site(const wn_pool *p, uint32_t i) {
    return (wn_site_state *)(void *)p->sites.p + i;
}
static inline wn_cell_state *wn_pool_cell(const wn_pool *p, uint32_t i) {
    return (wn_cell_state *)(void *)p->cells.p + i;
}
static inline wn_member_state *wn_pool_member(const wn_pool *p, uint32_t i) {
    return (wn_member_state *)(void *)p->members.p + i;
}
static inline wn_naming *wn_pool_naming(const wn_pool *p, uint32_t i) {
    return (wn_naming *)(void *)p->namings.p + i;
}
static inline wn_network *wn_network_at(const wn_networks *s, uint32_t i) {
    return (wn_network *)(void *)s->items.p + i;
}

void wn_pool_fini(wn_pool *p);
void wn_pool_reset(wn_pool *p); // empty, keeps capacity; wipes
size_t wn_pool_bytes(const wn_pool *p);
// Room for so many more of each, so that adding them cannot fail.
WN_MUST_USE wn_err wn_pool_reserve(wn_pool *p, const wn_pool *more);

uint32_t wn_pool_find_site(const wn_pool *p, uint64_t tag);
WN_MUST_USE wn_err wn_pool_add_site(wn_pool *p, uint64_t tag, uint32_t *out);

uint32_t wn_networks_find(const wn_networks *s, uint32_t site, uint64_t id);
WN_MUST_USE wn_err wn_networks_add(wn_networks *s, uint32_t site, uint64_t id, uint32_t *out);
void wn_networks_fini(wn_networks *s);
void wn_networks_reset(wn_networks *s);

// Valid until the next add; of `bytes` only the first n.
const wn_value *wn_pool_value(const wn_pool *p, uint32_t i);
const wn_value *wn_pool_find_value(const wn_pool *p, uint64_t id);
WN_MUST_USE wn_err wn_pool_add_value(wn_pool *p, const wn_value *v);

// The caller has looked: the key must not be there yet.
WN_MUST_USE wn_err wn_pool_add_cell(wn_pool *p, const wn_cell_state *cell, uint32_t *out);
// Here, too: nobody names an organisation twice.
WN_MUST_USE wn_err wn_pool_add_naming(wn_pool *p, const wn_naming *n);
// The organisation that counts for `who` (site, table, epoch and person are read); WN_NONE.
uint32_t wn_pool_named_org(const wn_pool *p, const wn_naming *who);
WN_MUST_USE wn_err wn_pool_reserve_members(wn_pool *p, size_t n);

// ---- the two lookups of the hot path ----
static inline uint64_t wn_pool_mix(uint64_t a, uint64_t b) {
    // Both words are keyed pseudonyms or small numbers of ours: spreading is enough.
    uint64_t h = (a ^ 0x9E3779B97F4A7C15u) * 0xFF51AFD7ED558CCDu;
    h = ((h ^ (h >> 32)) ^ b) * 0xC4CEB9FE1A85EC53u;
    return h ^ (h >> 29);
}

static inline uint64_t wn_cell_hash(uint32_t site, uint8_t table, uint8_t epoch, const uint64_t value[2]) {
    return wn_pool_mix(wn_pool_mix(site | (uint64_t)table << 32 | (uint64_t)epoch << 40, value[0]), value[1]);
}

static inline uint64_t wn_member_hash(uint32_t cell, uint64_t person) {
    return wn_pool_mix(person, cell);
}

static inline uint32_t wn_index_number_bits(const wn_index *ix) {
    return (uint32_t)(ix->cap - 1);
}

// A walk over the slots whose item may be the one of this hash:
// for (wn_index_walk w = wn_index_begin(ix, hash); wn_index_next(&w);) … w.at
typedef struct wn_index_walk {
    const uint32_t *slot;
    size_t s, mask;
    uint32_t number_bits, tag, at; // at: the item's number
} wn_index_walk;

static inline wn_index_walk wn_index_begin(const wn_index *ix, uint64_t hash) {
    uint32_t bits = wn_index_number_bits(ix);
    return (wn_index_walk){.slot = (const uint32_t *)(const void *)ix->slots.p,
                           .s = hash & (ix->cap - 1),
                           .mask = ix->cap - 1,
                           .number_bits = bits,
                           .tag = (uint32_t)(hash >> 32) & ~bits};
}

// The index must have slots: cap > 0.
static inline bool wn_index_next(wn_index_walk *w) {
    for (uint32_t slot; (slot = w->slot[w->s]) != 0;) {
        w->s = (w->s + 1) & w->mask;
        if ((slot & ~w->number_bits) != w->tag) continue;
        w->at = (slot & w->number_bits) - 1;
        return true;
    }
    return false;
}

// What probably is the item of `hash`: for prefetching. WN_NONE when there is none.
static inline uint32_t wn_index_peek(const wn_index *ix, uint64_t hash) {
    if (ix->cap == 0) return WN_NONE;
    wn_index_walk w = wn_index_begin(ix, hash);
    return wn_index_next(&w) ? w.at : WN_NONE;
}

static inline void wn_index_prefetch(const wn_index *ix, uint64_t hash) {
    if (ix->cap > 0) __builtin_prefetch(ix->slots.p + (hash & (ix->cap - 1)) * sizeof(uint32_t));
}

// There must be room.
static inline void wn_index_put(wn_index *ix, uint64_t hash, uint32_t i) {
    uint32_t *slot = (uint32_t *)(void *)ix->slots.p;
    size_t s = hash & (ix->cap - 1);
    while (slot[s] != 0) s = (s + 1) & (ix->cap - 1);
    slot[s] = ((uint32_t)(hash >> 32) & ~wn_index_number_bits(ix)) | (i + 1);
    ix->n++;
}

static inline uint32_t wn_pool_find_cell(const wn_pool *p, uint64_t hash, uint32_t site, uint8_t table,
                                         uint8_t epoch, const uint64_t value[2]) {
    if (p->cell_index.cap == 0) return WN_NONE;
    for (wn_index_walk w = wn_index_begin(&p->cell_index, hash); wn_index_next(&w);) {
        const wn_cell_state *c = wn_pool_cell(p, w.at);
        if (c->value[0] == value[0] && c->value[1] == value[1] && c->site == site && c->table == table &&
            c->epoch == epoch)
            return w.at;
    }
    return WN_NONE;
}

static inline uint32_t wn_pool_find_member(const wn_pool *p, uint64_t hash, uint32_t cell, uint64_t person) {
    if (p->member_index.cap == 0) return WN_NONE;
    for (wn_index_walk w = wn_index_begin(&p->member_index, hash); wn_index_next(&w);) {
        const wn_member_state *m = wn_pool_member(p, w.at);
        if (m->person == person && m->cell == cell) return w.at;
    }
    return WN_NONE;
}

static inline uint64_t wn_naming_hash(const wn_naming *n) {
    return wn_pool_mix(n->person, n->site | (uint64_t)n->table << 32 | (uint64_t)n->epoch << 40);
}

// Goes through what `who` named:
// for (wn_index_walk w = wn_namings_begin(p, who); (n = wn_namings_next(p, who, &w)) != NULL;) …
static inline wn_index_walk wn_namings_begin(const wn_pool *p, const wn_naming *who) {
    return p->naming_index.cap == 0 ? (wn_index_walk){0}
                                    : wn_index_begin(&p->naming_index, wn_naming_hash(who));
}

static inline const wn_naming *wn_namings_next(const wn_pool *p, const wn_naming *who, wn_index_walk *w) {
    while (w->slot != NULL && wn_index_next(w)) {
        const wn_naming *n = wn_pool_naming(p, w->at);
        if (n->person == who->person && n->site == who->site && n->table == who->table &&
            n->epoch == who->epoch)
            return n;
    }
    return NULL;
}

// The key must not be there yet. Field by field: a whole struct that was just
// put together in parts would be waited for.
static inline wn_err wn_pool_add_member(wn_pool *p, const wn_member_state *member, uint32_t *out) {
    size_t n = (size_t)p->members_n + 1;
    if (n * sizeof(wn_member_state) > p->members.bytes || n * 2 > p->member_index.cap ||
        n > WN_POOL_MEMBERS_MAX)
        WN_TRY(wn_pool_reserve_members(p, n));
    wn_member_state *m = wn_pool_member(p, p->members_n);
    m->person = member->person;
    m->cell = member->cell;
    m->next = member->next;
    m->prefix = member->prefix;
    m->org = member->org;
    m->events = member->events;
    m->sessions = member->sessions;
    m->signed_id = member->signed_id;
    m->bounces = member->bounces;
    m->seconds = member->seconds;
    m->number = member->number;
    wn_index_put(&p->member_index, wn_member_hash(m->cell, m->person), p->members_n);
    *out = p->members_n++;
    return WN_OK;
}
