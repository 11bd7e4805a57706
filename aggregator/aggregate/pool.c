// SPDX-License-Identifier: Apache-2.0
// pool.c: adding to the arrays and keeping their indexes half empty.
#include "pool.h"

#include <string.h>

enum { INDEX_CAP_MIN = 64, AHEAD = 16 };

typedef uint64_t (*hash_of)(const void *items, uint32_t i);

// Room for n entries. Slots hold numbers, not pseudonyms, but their places
// follow from pseudonyms: the old ones are wiped like the rest.
static wn_err index_reserve(wn_index *ix, size_t n, const void *items, hash_of hash) {
    if (n * 2 <= ix->cap) return WN_OK;
    wn_index bigger = {.cap = ix->cap > 0 ? ix->cap : INDEX_CAP_MIN};
    while (bigger.cap < n * 2) bigger.cap *= 2;
    WN_TRY(wn_growing_reserve(&bigger.slots, bigger.cap * sizeof(uint32_t)));
    uint64_t ahead[AHEAD]; // places on their way from memory: the index fits no cache
    for (uint32_t i = 0; i < ix->n + AHEAD; i++) {
        if (i >= AHEAD) wn_index_put(&bigger, ahead[i % AHEAD], i - AHEAD);
        if (i >= ix->n) continue;
        ahead[i % AHEAD] = hash(items, i);
        wn_index_prefetch(&bigger, ahead[i % AHEAD]);
    }
    wn_growing_fini(&ix->slots, ix->cap * sizeof(uint32_t));
    *ix = bigger;
    return WN_OK;
}

static void index_fini(wn_index *ix) {
    wn_growing_fini(&ix->slots, ix->cap * sizeof(uint32_t));
    *ix = (wn_index){0};
}

static void index_reset(wn_index *ix) {
    if (ix->cap > 0) memset(ix->slots.p, 0, ix->cap * sizeof(uint32_t));
    ix->n = 0;
}

static uint64_t site_hash(const void *items, uint32_t i) {
    return wn_pool_mix(((const wn_site_state *)items)[i].tag, 0);
}

static uint64_t network_hash(const void *items, uint32_t i) {
    const wn_network *n = (const wn_network *)items + i;
    return wn_pool_mix(n->id, n->site);
}

static uint64_t cell_hash(const void *items, uint32_t i) {
    const wn_cell_state *c = (const wn_cell_state *)items + i;
    return wn_cell_hash(c->site, c->table, c->epoch, c->value);
}

static uint64_t member_hash(const void *items, uint32_t i) {
    const wn_member_state *m = (const wn_member_state *)items + i;
    return wn_member_hash(m->cell, m->person);
}

static uint64_t naming_hash(const void *items, uint32_t i) {
    return wn_naming_hash((const wn_naming *)items + i);
}

static const wn_value *value_at(const wn_values *s, uint32_t i) {
    return (const wn_value *)(const void *)(s->bytes.p + ((const size_t *)(const void *)s->offsets.p)[i]);
}

static uint64_t value_hash(const void *items, uint32_t i) {
    return wn_pool_mix(wn_value_id(value_at(items, i)), 0);
}

static wn_err sites_reserve(wn_pool *p, size_t n) {
    if (n > WN_POOL_SITES_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&p->sites, n * sizeof(wn_site_state)));
    return index_reserve(&p->site_index, n, p->sites.p, site_hash);
}

static wn_err networks_reserve(wn_networks *s, size_t n) {
    if (n > WN_POOL_MEMBERS_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&s->items, n * sizeof(wn_network)));
    return index_reserve(&s->index, n, s->items.p, network_hash);
}

static wn_err cells_reserve(wn_pool *p, size_t n) {
    if (n > WN_POOL_CELLS_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&p->cells, n * sizeof(wn_cell_state)));
    return index_reserve(&p->cell_index, n, p->cells.p, cell_hash);
}

wn_err wn_pool_reserve_members(wn_pool *p, size_t n) {
    if (n > WN_POOL_MEMBERS_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&p->members, n * sizeof(wn_member_state)));
    return index_reserve(&p->member_index, n, p->members.p, member_hash);
}

static wn_err namings_reserve(wn_pool *p, size_t n) {
    if (n > WN_POOL_MEMBERS_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&p->namings, n * sizeof(wn_naming)));
    return index_reserve(&p->naming_index, n, p->namings.p, naming_hash);
}

// A packed value is read through a wn_value, so a whole one must fit behind the last.
static wn_err values_reserve(wn_values *s, size_t n, size_t bytes) {
    if (n > WN_POOL_MEMBERS_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&s->bytes, bytes + sizeof(wn_value)));
    WN_TRY(wn_growing_reserve(&s->offsets, n * sizeof(size_t)));
    return index_reserve(&s->index, n, s, value_hash);
}

wn_err wn_pool_reserve(wn_pool *p, const wn_pool *more) {
    WN_TRY(sites_reserve(p, (size_t)p->sites_n + more->sites_n));
    WN_TRY(networks_reserve(&p->prefixes, (size_t)p->prefixes.n + more->prefixes.n));
    WN_TRY(networks_reserve(&p->orgs, (size_t)p->orgs.n + more->orgs.n));
    WN_TRY(
        values_reserve(&p->values, (size_t)p->values.n + more->values.n, p->values.used + more->values.used));
    WN_TRY(cells_reserve(p, (size_t)p->cells_n + more->cells_n));
    if (more->namings_n > 0) WN_TRY(namings_reserve(p, (size_t)p->namings_n + more->namings_n));
    return wn_pool_reserve_members(p, (size_t)p->members_n + more->members_n);
}

uint32_t wn_pool_find_site(const wn_pool *p, uint64_t tag) {
    if (p->site_index.cap == 0) return WN_NONE;
    for (wn_index_walk w = wn_index_begin(&p->site_index, wn_pool_mix(tag, 0)); wn_index_next(&w);)
        if (wn_pool_site(p, w.at)->tag == tag) return w.at;
    return WN_NONE;
}

wn_err wn_pool_add_site(wn_pool *p, uint64_t tag, uint32_t *out) {
    WN_TRY(sites_reserve(p, (size_t)p->sites_n + 1));
    *wn_pool_site(p, p->sites_n) = (wn_site_state){.tag = tag};
    wn_index_put(&p->site_index, wn_pool_mix(tag, 0), p->sites_n);
    *out = p->sites_n++;
    return WN_OK;
}

uint32_t wn_networks_find(const wn_networks *s, uint32_t site, uint64_t id) {
    if (s->index.cap == 0) return WN_NONE;
    for (wn_index_walk w = wn_index_begin(&s->index, wn_pool_mix(id, site)); wn_index_next(&w);) {
        const wn_network *n = wn_network_at(s, w.at);
        if (n->id == id && n->site == site) return w.at;
    }
    return WN_NONE;
}

wn_err wn_networks_add(wn_networks *s, uint32_t site, uint64_t id, uint32_t *out) {
    WN_TRY(networks_reserve(s, (size_t)s->n + 1));
    *wn_network_at(s, s->n) = (wn_network){.id = id, .site = site};
    wn_index_put(&s->index, wn_pool_mix(id, site), s->n);
    *out = s->n++;
    return WN_OK;
}

const wn_value *wn_pool_value(const wn_pool *p, uint32_t i) {
    return value_at(&p->values, i);
}

const wn_value *wn_pool_find_value(const wn_pool *p, uint64_t id) {
    if (p->values.index.cap == 0) return NULL;
    for (wn_index_walk w = wn_index_begin(&p->values.index, wn_pool_mix(id, 0)); wn_index_next(&w);) {
        const wn_value *v = value_at(&p->values, w.at);
        if (wn_value_id(v) == id) return v;
    }
    return NULL;
}

wn_err wn_pool_add_value(wn_pool *p, const wn_value *v) {
    WN_ASSERT(v->n <= WN_VALUE_SEALED_MAX);
    wn_values *s = &p->values;
    size_t bytes = offsetof(wn_value, bytes) + v->n;
    WN_TRY(values_reserve(s, (size_t)s->n + 1, s->used + bytes));
    memcpy(s->bytes.p + s->used, v, bytes);
    ((size_t *)(void *)s->offsets.p)[s->n] = s->used;
    wn_index_put(&s->index, wn_pool_mix(wn_value_id(v), 0), s->n);
    s->used += bytes;
    s->n++;
    return WN_OK;
}

wn_err wn_pool_add_cell(wn_pool *p, const wn_cell_state *cell, uint32_t *out) {
    WN_TRY(cells_reserve(p, (size_t)p->cells_n + 1));
    *wn_pool_cell(p, p->cells_n) = *cell;
    wn_index_put(&p->cell_index, wn_cell_hash(cell->site, cell->table, cell->epoch, cell->value), p->cells_n);
    *out = p->cells_n++;
    return WN_OK;
}

wn_err wn_pool_add_naming(wn_pool *p, const wn_naming *n) {
    WN_TRY(namings_reserve(p, (size_t)p->namings_n + 1));
    *wn_pool_naming(p, p->namings_n) = *n;
    wn_index_put(&p->naming_index, wn_naming_hash(n), p->namings_n);
    p->namings_n++;
    return WN_OK;
}

uint32_t wn_pool_named_org(const wn_pool *p, const wn_naming *who) {
    const wn_naming *n;
    for (wn_index_walk w = wn_namings_begin(p, who); (n = wn_namings_next(p, who, &w)) != NULL;)
        if (n->counts != 0) return n->org;
    return WN_NONE;
}

void wn_networks_fini(wn_networks *s) {
    wn_growing_fini(&s->items, s->n * sizeof(wn_network));
    index_fini(&s->index);
    s->n = 0;
}

void wn_networks_reset(wn_networks *s) {
    wn_wipe(s->items.p, s->n * sizeof(wn_network));
    index_reset(&s->index);
    s->n = 0;
}

static void values_fini(wn_values *s) {
    wn_growing_fini(&s->bytes, s->used);
    wn_growing_fini(&s->offsets, s->n * sizeof(size_t));
    index_fini(&s->index);
    s->used = s->n = 0;
}

static void values_reset(wn_values *s) {
    wn_wipe(s->bytes.p, s->used);
    index_reset(&s->index);
    s->used = s->n = 0;
}

void wn_pool_fini(wn_pool *p) {
    values_fini(&p->values);
    wn_growing_fini(&p->sites, p->sites_n * sizeof(wn_site_state));
    wn_growing_fini(&p->cells, p->cells_n * sizeof(wn_cell_state));
    wn_growing_fini(&p->members, p->members_n * sizeof(wn_member_state));
    index_fini(&p->site_index);
    index_fini(&p->cell_index);
    wn_growing_fini(&p->namings, p->namings_n * sizeof(wn_naming));
    index_fini(&p->member_index);
    index_fini(&p->naming_index);
    wn_networks_fini(&p->prefixes);
    wn_networks_fini(&p->orgs);
    *p = (wn_pool){0};
}

void wn_pool_reset(wn_pool *p) {
    values_reset(&p->values);
    wn_wipe(p->sites.p, p->sites_n * sizeof(wn_site_state));
    wn_wipe(p->cells.p, p->cells_n * sizeof(wn_cell_state));
    wn_wipe(p->members.p, p->members_n * sizeof(wn_member_state));
    wn_wipe(p->namings.p, p->namings_n * sizeof(wn_naming));
    p->sites_n = p->cells_n = p->members_n = p->namings_n = 0;
    index_reset(&p->site_index);
    index_reset(&p->cell_index);
    index_reset(&p->member_index);
    index_reset(&p->naming_index);
    wn_networks_reset(&p->prefixes);
    wn_networks_reset(&p->orgs);
}

static size_t networks_bytes(const wn_networks *s) {
    return s->n * sizeof(wn_network) + s->index.cap * sizeof(uint32_t);
}

size_t wn_pool_bytes(const wn_pool *p) {
    return p->sites_n * sizeof(wn_site_state) + p->cells_n * sizeof(wn_cell_state) +
           p->members_n * sizeof(wn_member_state) + p->namings_n * sizeof(wn_naming) +
           (p->site_index.cap + p->cell_index.cap + p->member_index.cap + p->naming_index.cap) *
               sizeof(uint32_t) +
           networks_bytes(&p->prefixes) + networks_bytes(&p->orgs) + p->values.used +
           p->values.n * sizeof(size_t) + p->values.index.cap * sizeof(uint32_t);
}
