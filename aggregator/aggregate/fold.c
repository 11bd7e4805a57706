// SPDX-License-Identifier: Apache-2.0
// fold.c: what one more increment does to the open window.
#include "fold.h"

#include <stdlib.h>

#include "fold_state.h"

enum { NUMBERS = WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2 };

static bool countable(const wn_table *t) {
    bool clamps = t->clamp > 0 && t->clamp <= UINT8_MAX;
    return clamps && t->dims_n <= 2 && ((t->measures & NUMBERS) == 0 || t->number_clamp > 0);
}

static wn_amounts most_of(const wn_table *t) {
    wn_amounts most = {.events = t->clamp, .sessions = WN_SESSIONS_CLAMP};
#ifdef WN_MUTANT_SESSION_CLAMP_OFF
    most.sessions = UINT8_MAX;
#endif
    if ((t->measures & WN_MEASURE_BOUNCES) != 0) most.bounces = most.sessions;
    if ((t->measures & WN_MEASURE_TIME) != 0) most.seconds = WN_SECONDS_CLAMP;
    if ((t->measures & NUMBERS) != 0) most.number = t->number_clamp;
    return most;
}

wn_err wn_fold_new(const wn_plan *plan, uint32_t ids_per_prefix_max, uint32_t open_values_max,
                   wn_fold **out) {
    if (plan->n == 0 || plan->n > WN_TABLES_MAX) return WN_ERR_CONFIG;
    // Everybody is in table 0, or the cap by prefix would overlook somebody.
    const wn_table *all = &plan->table[0];
    if (all->dims_n != 0 || all->share || all->profile != WN_PROFILE_CROWD) return WN_ERR_CONFIG;
    for (size_t t = 0; t < plan->n; t++)
        if (!countable(&plan->table[t])) return WN_ERR_CONFIG;
    wn_fold *f = calloc(1, sizeof *f);
    if (f == NULL) return WN_ERR_NOMEM;
    f->plan = *plan;
    f->plan.text = NULL;
    f->plan.text_bytes = 0;
    f->ids_per_prefix_max = ids_per_prefix_max;
    f->open_values_max = open_values_max;
    f->values_max = (size_t)WN_FOLD_VALUES_FACTOR * open_values_max * plan->n;
    f->epochs = 1;
    for (size_t t = 0; t < plan->n; t++) f->most[t] = most_of(&plan->table[t]);
    for (size_t t = 0; t < plan->n; t++)
        for (unsigned d = 0; d < plan->table[t].dims_n; d++)
            f->open[t] |= wn_dim_is_open(plan->table[t].dims[d]);
    *out = f;
    return WN_OK;
}

void wn_fold_free(wn_fold *f) {
    if (f == NULL) return;
    wn_pool_fini(&f->pool);
    free(f);
}

wn_err wn_fold_new_cell(wn_fold *f, const wn_cell_state *key, uint32_t *out) {
    wn_cell_state cell = {.value = {key->value[0], key->value[1]},
                          .first = WN_NONE,
                          .last = WN_NONE,
                          .site = key->site,
                          .table = key->table,
                          .epoch = key->epoch};
    WN_TRY(wn_pool_add_cell(&f->pool, &cell, out));
    if (wn_fold_is_bounded(f, key->table, key->value))
        wn_pool_site(&f->pool, key->site)->open_cells[key->table]++;
    if (key->epoch >= f->epochs) f->epochs = key->epoch + 1u;
    return WN_OK;
}

void wn_fold_bump(wn_fold *f, uint32_t member, const wn_amounts *more) {
    wn_member_state *m = wn_pool_member(&f->pool, member);
    wn_cell_state *c = wn_pool_cell(&f->pool, m->cell);
    wn_amounts before = wn_member_amounts(m);
    wn_member_grow(m, more, &f->most[c->table]);
    wn_amounts after = wn_member_amounts(m);
    c->events += after.events - before.events;
    c->sessions += after.sessions - before.sessions;
    f->weight += wn_amounts_sum(&after) - wn_amounts_sum(&before);
}

wn_err wn_fold_join(wn_fold *f, const wn_member_state *member) {
    wn_member_state m = *member;
    m.next = WN_NONE;
    m.events = m.sessions = m.bounces = 0;
    m.seconds = m.number = 0;
    uint32_t at;
    WN_TRY(wn_pool_add_member(&f->pool, &m, &at));
    wn_cell_state *c = wn_pool_cell(&f->pool, m.cell);
    if (c->last != WN_NONE) wn_pool_member(&f->pool, c->last)->next = at;
    if (c->first == WN_NONE) c->first = at;
    c->last = at;
    c->people++;
    if (c->table == 0) f->everybody++;
    if (c->table == 0 && m.signed_id == 0) wn_network_at(&f->pool.prefixes, m.prefix)->people++;
    wn_amounts more = wn_member_amounts(member);
    wn_fold_bump(f, at, &more);
    return WN_OK;
}

bool wn_fold_admits(const wn_fold *f, const wn_increment *table0) {
#ifdef WN_MUTANT_CAP_OFF
    return true;
#endif
    const wn_pool *p = &f->pool;
    const uint64_t none[2] = {0, 0};
    if (table0->signed_id != 0) return true;
    uint32_t site = wn_pool_find_site(p, table0->site);
    if (site == WN_NONE) return f->ids_per_prefix_max > 0;
    uint32_t cell =
        wn_pool_find_cell(p, wn_cell_hash(site, 0, table0->epoch, none), site, 0, table0->epoch, none);
    if (cell != WN_NONE &&
        wn_pool_find_member(p, wn_member_hash(cell, table0->person), cell, table0->person) != WN_NONE)
        return true;
    uint32_t prefix = wn_networks_find(&p->prefixes, site, table0->prefix);
    uint32_t people = prefix == WN_NONE ? 0 : wn_network_at(&p->prefixes, prefix)->people;
    return people < f->ids_per_prefix_max;
}

static uint32_t find_cell(const wn_fold *f, uint32_t site, const wn_increment *inc) {
    uint64_t hash = wn_cell_hash(site, inc->table, inc->epoch, inc->value);
    return wn_pool_find_cell(&f->pool, hash, site, inc->table, inc->epoch, inc->value);
}

// The increment's cell, else the overflow cell when the value may open none.
static wn_err cell_of(wn_fold *f, uint32_t site, wn_increment *inc, bool joins, uint32_t *out) {
    *out = find_cell(f, site, inc);
    if (*out != WN_NONE) return WN_OK;
    bool room = wn_pool_site(&f->pool, site)->open_cells[inc->table] < f->open_values_max;
    if (wn_fold_is_bounded(f, inc->table, inc->value) && (!joins || !room)) {
        inc->value[0] = inc->value[1] = WN_VALUE_OVERFLOW;
        *out = find_cell(f, site, inc);
    }
    if (*out != WN_NONE || !joins) return WN_OK;
    wn_cell_state key = {
        .value = {inc->value[0], inc->value[1]}, .site = site, .table = inc->table, .epoch = inc->epoch};
    return wn_fold_new_cell(f, &key, out);
}

static wn_err network_of(wn_networks *s, uint32_t site, uint64_t id, uint32_t *out) {
    *out = wn_networks_find(s, site, id);
    return *out != WN_NONE ? WN_OK : wn_networks_add(s, site, id, out);
}

static wn_err site_of(wn_fold *f, uint64_t tag, uint32_t *out) {
    *out = wn_pool_find_site(&f->pool, tag);
    return *out != WN_NONE ? WN_OK : wn_pool_add_site(&f->pool, tag, out);
}

wn_err wn_fold_add(wn_fold *f, wn_increment *inc) {
    WN_ASSERT(inc->table < f->plan.n);
    bool joins = wn_increment_joins(inc, f->plan.table[inc->table].kinds);
    uint32_t site, cell;
    WN_TRY(site_of(f, inc->site, &site));
    WN_TRY(cell_of(f, site, inc, joins, &cell));
    if (cell == WN_NONE) return WN_OK;
    uint32_t member = wn_pool_find_member(&f->pool, wn_member_hash(cell, inc->person), cell, inc->person);
    if (member != WN_NONE) {
        wn_amounts more = wn_amounts_of(inc);
        wn_fold_bump(f, member, &more);
        return WN_OK;
    }
    if (!joins) return WN_OK;
    wn_member_state m = {.person = inc->person,
                         .cell = cell,
                         .org = WN_NONE,
                         .events = inc->events,
                         .sessions = inc->sessions,
                         .signed_id = inc->signed_id,
                         .bounces = inc->bounces,
                         .seconds = inc->seconds,
                         .number = inc->number};
    WN_TRY(network_of(&f->pool.prefixes, site, inc->prefix, &m.prefix));
    if (inc->org != 0) WN_TRY(network_of(&f->pool.orgs, site, inc->org, &m.org));
    return wn_fold_join(f, &m);
}

wn_err wn_fold_value(wn_fold *f, const wn_value *v, bool *out_new) {
    *out_new = false;
    if (v->n == 0 || v->n > WN_VALUE_SEALED_MAX || f->pool.values.n >= f->values_max) return WN_OK;
    if (wn_pool_find_value(&f->pool, wn_value_id(v)) != NULL) return WN_OK;
    WN_TRY(wn_pool_add_value(&f->pool, v));
    f->weight++;
    *out_new = true;
    return WN_OK;
}

const wn_value *wn_fold_value_of(const wn_fold *f, uint64_t id) {
    return wn_pool_find_value(&f->pool, id);
}

wn_err wn_fold_count(wn_fold *f, uint64_t site, uint32_t refused, uint32_t capped) {
    uint32_t at;
    WN_TRY(site_of(f, site, &at));
    wn_pool_site(&f->pool, at)->refused += refused;
    wn_pool_site(&f->pool, at)->capped += capped;
    f->weight += (uint64_t)refused + capped;
    return WN_OK;
}

uint64_t wn_fold_refused(const wn_fold *f, uint64_t site) {
    uint32_t at = wn_pool_find_site(&f->pool, site);
    return at == WN_NONE ? 0 : wn_pool_site(&f->pool, at)->refused;
}

uint64_t wn_fold_capped(const wn_fold *f, uint64_t site) {
    uint32_t at = wn_pool_find_site(&f->pool, site);
    return at == WN_NONE ? 0 : wn_pool_site(&f->pool, at)->capped;
}

size_t wn_fold_bytes(const wn_fold *f) {
    return sizeof *f + wn_pool_bytes(&f->pool);
}
uint64_t wn_fold_people(const wn_fold *f) {
    return f->everybody;
}
bool wn_fold_named_late(const wn_fold *f) {
    return f->pool.namings_n > 0;
}
size_t wn_fold_cells(const wn_fold *f) {
    return f->pool.cells_n;
}
unsigned wn_fold_epochs(const wn_fold *f) {
    return f->epochs;
}

void wn_fold_cell(const wn_fold *f, size_t i, wn_cell *out) {
    WN_ASSERT(i < f->pool.cells_n);
    const wn_cell_state *c = wn_pool_cell(&f->pool, (uint32_t)i);
    *out = (wn_cell){.index = (uint32_t)i,
                     .site = wn_pool_site(&f->pool, c->site)->tag,
                     .table = c->table,
                     .epoch = c->epoch,
                     .value = {c->value[0], c->value[1]},
                     .people = c->people,
                     .events = c->events,
                     .sessions = c->sessions,
                     .baseline = c->baseline};
}

size_t wn_fold_find(const wn_fold *f, uint64_t site, uint8_t table, const uint64_t value[2], uint8_t epoch) {
    uint32_t at = wn_pool_find_site(&f->pool, site);
    if (at == WN_NONE) return SIZE_MAX;
    uint32_t cell =
        wn_pool_find_cell(&f->pool, wn_cell_hash(at, table, epoch, value), at, table, epoch, value);
    return cell == WN_NONE ? SIZE_MAX : cell;
}

void wn_fold_set_baseline(wn_fold *f, size_t i, uint32_t baseline) {
    WN_ASSERT(i < f->pool.cells_n);
    wn_cell_state *c = wn_pool_cell(&f->pool, (uint32_t)i);
    WN_ASSERT(baseline >= c->baseline && baseline <= c->people);
    // Shown now: its value no longer needs one of the places below the lock.
    if (c->baseline == 0 && baseline > 0 && wn_fold_is_bounded(f, c->table, c->value))
        wn_pool_site(&f->pool, c->site)->open_cells[c->table]--;
    c->baseline = baseline;
}

// The from-th member. Steps are rare and cells are long, but a step visits the
// members after it anyway, so walking is at most twice the work.
void wn_fold_members(const wn_fold *f, size_t i, uint32_t from, void (*fn)(void *ctx, const wn_member *m),
                     void *ctx) {
    WN_ASSERT(i < f->pool.cells_n);
    uint32_t at = wn_pool_cell(&f->pool, (uint32_t)i)->first;
    for (uint32_t skipped = 0; at != WN_NONE; skipped++) {
        const wn_member_state *m = wn_pool_member(&f->pool, at);
        at = m->next;
        if (skipped < from) continue;
        uint32_t org = wn_fold_org(&f->pool, m);
        wn_member member = {.person = m->person,
                            .prefix = m->prefix + 1ull,
                            .org = org == WN_NONE ? 0 : org + 1ull,
                            .signed_id = m->signed_id,
                            .events = m->events,
                            .sessions = m->sessions,
                            .bounces = m->bounces,
                            .seconds = m->seconds,
                            .number = m->number};
        fn(ctx, &member);
    }
}
