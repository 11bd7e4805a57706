// SPDX-License-Identifier: Apache-2.0
// commit_take.c: finds for each increment whether it is a new cell, a new
// member or a repeat, against the fold and what the commit itself already adds.
//
// Observations are taken in blocks and every lookup is announced to the cache
// before it is made: a window's index does not fit any cache.
#include "commit_state.h"

// ---- numbers: the fold's first, then the commit's ----
wn_err wn_commit_site(wn_commit *c, uint64_t tag, uint32_t *out) {
    *out = wn_pool_find_site(&c->f->pool, tag);
    if (*out != WN_NONE) return WN_OK;
    uint32_t at = wn_pool_find_site(&c->add, tag);
    if (at == WN_NONE) {
        if (c->base.sites + c->add.sites_n >= WN_POOL_SITES_MAX) return WN_ERR_FULL;
        WN_TRY(wn_pool_add_site(&c->add, tag, &at));
    }
    *out = c->base.sites + at;
    // Counters of a site the commit sees first; growth comes zeroed, reuse is cleared by encode.
    size_t n = (size_t)*out + 1;
    if (n <= c->capped_n) return WN_OK;
    WN_TRY(wn_growing_reserve(&c->capped, n * sizeof(uint32_t)));
    WN_TRY(wn_growing_reserve(&c->open_cells, n * WN_TABLES_MAX * sizeof(uint32_t)));
    c->capped_n = n;
    return WN_OK;
}

static uint32_t find_network(const wn_networks *have, const wn_networks *add, uint32_t site, uint64_t id) {
    uint32_t at = wn_networks_find(have, site, id);
    if (at != WN_NONE) return at;
    at = wn_networks_find(add, site, id);
    return at == WN_NONE ? WN_NONE : have->n + at;
}

static wn_err network_of(const wn_networks *have, wn_networks *add, uint32_t site, uint64_t id,
                         uint32_t *out) {
    uint32_t at;
    *out = find_network(have, add, site, id);
    if (*out != WN_NONE) return WN_OK;
    WN_TRY(wn_networks_add(add, site, id, &at));
    *out = have->n + at;
    return WN_OK;
}

static uint32_t find_cell(const wn_commit *c, uint32_t site, const wn_increment *inc) {
    uint64_t hash = wn_cell_hash(site, inc->table, inc->epoch, inc->value);
    uint32_t at = wn_pool_find_cell(&c->f->pool, hash, site, inc->table, inc->epoch, inc->value);
    if (at != WN_NONE) return at;
    at = wn_pool_find_cell(&c->add, hash, site, inc->table, inc->epoch, inc->value);
    return at == WN_NONE ? WN_NONE : c->base.cells + at;
}

static uint32_t open_cells_of(const wn_commit *c, uint32_t site, uint8_t table) {
    uint32_t held = site < c->base.sites ? wn_pool_site(&c->f->pool, site)->open_cells[table] : 0;
    return held + *u32_at(&c->open_cells, (size_t)site * WN_TABLES_MAX + table);
}

// As cell_of in fold.c, but the new cell is only planned.
static wn_err cell_of(wn_commit *c, uint32_t site, wn_increment *inc, bool joins, uint32_t *out) {
    *out = find_cell(c, site, inc);
    if (*out != WN_NONE) return WN_OK;
    bool room = open_cells_of(c, site, inc->table) < c->f->open_values_max;
    if (wn_fold_is_bounded(c->f, inc->table, inc->value) && (!joins || !room)) {
        inc->value[0] = inc->value[1] = WN_VALUE_OVERFLOW;
        *out = find_cell(c, site, inc);
    }
    if (*out != WN_NONE || !joins) return WN_OK;
    if (c->base.cells + c->add.cells_n >= WN_POOL_CELLS_MAX) return WN_ERR_FULL;
    wn_cell_state key = {
        .value = {inc->value[0], inc->value[1]}, .site = site, .table = inc->table, .epoch = inc->epoch};
    uint32_t at;
    WN_TRY(wn_pool_add_cell(&c->add, &key, &at));
    if (wn_fold_is_bounded(c->f, inc->table, inc->value))
        ++*u32_at(&c->open_cells, (size_t)site * WN_TABLES_MAX + inc->table);
    *out = c->base.cells + at;
    return WN_OK;
}

// ---- one increment ----
static unsigned room_of(unsigned have, unsigned most) {
    return have < most ? most - have : 0;
}

// What the clamps leave room for is seen here, while the member is at hand, and again when all are summed.
static wn_err extra(wn_commit *c, uint32_t member, const wn_increment *inc) {
    const wn_member_state *m = wn_pool_member(&c->f->pool, member);
    const wn_amounts *most = &c->f->most[inc->table];
    bool adds = (inc->bounces > 0 && m->bounces < most->bounces) ||
                (inc->seconds > 0 && m->seconds < most->seconds) ||
                (inc->number > 0 && m->number < most->number);
    if (!adds) return WN_OK;
    uint64_t what = inc->sessions > 0 ? inc->seconds | (inc->bounces > 0 ? EXTRA_BOUNCE : 0u)
                                      : inc->number | EXTRA_NUMBER;
    WN_TRY(wn_growing_reserve(&c->extras, (c->extras_n + 1) * sizeof(uint64_t)));
    *u64_at(&c->extras, c->extras_n++) =
        (uint64_t)member << EXTRA_MEMBER_AT | (uint64_t)inc->table << EXTRA_TABLE_AT | what;
    return WN_OK;
}

static wn_err repeat(wn_commit *c, uint32_t member, const wn_increment *inc) {
    const wn_member_state *m = wn_pool_member(&c->f->pool, member);
    const wn_amounts *most = &c->f->most[inc->table];
    unsigned events_room = room_of(m->events, most->events),
             sessions_room = room_of(m->sessions, most->sessions);
    if ((inc->bounces | inc->seconds | inc->number) != 0) WN_TRY(extra(c, member, inc));
    if ((inc->events == 0 || events_room == 0) && (inc->sessions == 0 || sessions_room == 0)) return WN_OK;
    WN_TRY(wn_growing_reserve(&c->repeats, (c->repeats_n + 1) * sizeof(uint64_t)));
    *u64_at(&c->repeats, c->repeats_n++) =
        (uint64_t)member << REPEAT_MEMBER_AT | (uint64_t)events_room << REPEAT_EVENTS_AT |
        (uint64_t)sessions_room << REPEAT_SESSIONS_AT | (inc->events > 0 ? REPEAT_EVENT : 0u) |
        (inc->sessions > 0 ? REPEAT_SESSION : 0u);
    return WN_OK;
}

static void more_of(const wn_commit *c, wn_member_state *m, const wn_increment *inc) {
    wn_amounts more = wn_amounts_of(inc);
    wn_member_grow(m, &more, &c->f->most[inc->table]);
}

// Who an observation is of. What table 0 first saw of a person holds for all
// tables, so that nobody is of two networks in one window, and `other` may
// unite cells in any order.
typedef struct whose {
    uint32_t site, prefix, org;
    uint8_t signed_id;
    bool known;
} whose;

// The organisation that counts for somebody of table 0, named whenever.
static uint32_t counted_org(const wn_commit *c, const wn_member_state *everybody, const wn_naming *who) {
    const wn_pool *held = &c->f->pool, *add = &c->add;
    uint32_t org = everybody->org;
    if (org == WN_NONE && held->namings_n > 0) org = wn_pool_named_org(held, who);
    if (org == WN_NONE && add->namings_n > 0) org = wn_pool_named_org(add, who);
    return org;
}

static void recall(const wn_commit *c, whose *of, const wn_member_state *everybody, const wn_increment *inc) {
    wn_naming who = {.person = inc->person, .site = of->site, .epoch = inc->epoch};
    of->prefix = everybody->prefix;
    of->org = counted_org(c, everybody, &who);
    of->signed_id = everybody->signed_id;
    of->known = true;
}

static wn_err meet(wn_commit *c, whose *of, const wn_increment *inc) {
    WN_TRY(network_of(&c->f->pool.prefixes, &c->add.prefixes, of->site, inc->prefix, &of->prefix));
    if (inc->org != 0) WN_TRY(network_of(&c->f->pool.orgs, &c->add.orgs, of->site, inc->org, &of->org));
    of->signed_id = inc->signed_id;
    of->known = true;
    return WN_OK;
}

static wn_err join(wn_commit *c, whose *of, uint32_t cell, const wn_increment *inc) {
    if (inc->table == 0) WN_TRY(meet(c, of, inc));
    WN_ASSERT(of->known);
    wn_member_state m = {.person = inc->person,
                         .cell = cell,
                         .prefix = of->prefix,
                         .org = of->org,
                         .signed_id = of->signed_id};
    uint32_t at;
    if ((uint64_t)c->base.members + c->add.members_n >= WN_POOL_MEMBERS_MAX) return WN_ERR_FULL;
    more_of(c, &m, inc);
    return wn_pool_add_member(&c->add, &m, &at);
}

static wn_err take(wn_commit *c, whose *of, work *w) {
    wn_fold *f = c->f;
    bool joins = wn_increment_joins(&w->inc, f->plan.table[w->inc.table].kinds);
    if (w->cell == WN_NONE) {
        WN_TRY(cell_of(c, of->site, &w->inc, joins, &w->cell));
        if (w->cell == WN_NONE) return WN_OK;
        w->hash = wn_member_hash(w->cell, w->inc.person);
    }
    bool held = w->cell < c->base.cells;
    uint32_t at = held ? wn_pool_find_member(&f->pool, w->hash, w->cell, w->inc.person) : WN_NONE;
    if (at != WN_NONE) {
        if (w->inc.table == 0) recall(c, of, wn_pool_member(&f->pool, at), &w->inc);
        return repeat(c, at, &w->inc);
    }
    at = wn_pool_find_member(&c->add, w->hash, w->cell, w->inc.person);
    if (at != WN_NONE) {
        if (w->inc.table == 0) recall(c, of, wn_pool_member(&c->add, at), &w->inc);
        more_of(c, wn_pool_member(&c->add, at), &w->inc);
        return WN_OK;
    }
    return joins ? join(c, of, w->cell, &w->inc) : WN_OK;
}

static const wn_member_state *find_person(const wn_commit *c, uint32_t site, const work *w) {
    uint32_t cell = w->cell != WN_NONE ? w->cell : find_cell(c, site, &w->inc);
    if (cell == WN_NONE) return NULL;
    uint64_t hash = wn_member_hash(cell, w->inc.person);
    uint32_t at = wn_pool_find_member(&c->f->pool, hash, cell, w->inc.person);
    if (at != WN_NONE) return wn_pool_member(&c->f->pool, at);
    at = wn_pool_find_member(&c->add, hash, cell, w->inc.person);
    return at != WN_NONE ? wn_pool_member(&c->add, at) : NULL;
}

// R12: is there room for this person under their prefix? Table 0 knows everybody.
static wn_err admit(wn_commit *c, uint32_t site, const work *w, bool *out) {
    *out = true;
#ifdef WN_MUTANT_CAP_OFF
    return WN_OK;
#endif
    if (w->inc.signed_id != 0) return WN_OK;
    if (find_person(c, site, w) != NULL) return WN_OK;
    uint32_t held = wn_networks_find(&c->f->pool.prefixes, site, w->inc.prefix);
    uint32_t people = held == WN_NONE ? 0 : wn_network_at(&c->f->pool.prefixes, held)->people;
    uint32_t claim = wn_networks_find(&c->claims, site, w->inc.prefix);
    if (claim != WN_NONE) people += wn_network_at(&c->claims, claim)->people;
    if (people >= c->f->ids_per_prefix_max) {
        *out = false;
        return WN_OK;
    }
    if (claim == WN_NONE) WN_TRY(wn_networks_add(&c->claims, site, w->inc.prefix, &claim));
    wn_network_at(&c->claims, claim)->people++;
    return WN_OK;
}

// ---- organisations named after first sight (R4, R16) ----
// In every table the plan has: where else they stand, nothing tells.
static wn_err name(wn_commit *c, const pending *p, uint32_t site, uint32_t org, bool counts) {
    wn_naming n = {.site = site, .org = org, .epoch = p->epoch, .counts = counts};
    for (unsigned t = 0; t < c->f->plan.n; t++) {
        n.table = (uint8_t)t;
        n.person = wn_table_person(p->keys, t, p->obs.person);
        WN_TRY(wn_pool_add_naming(&c->add, &n));
    }
    return WN_OK;
}

// How many organisations they named, if more than one or not at first sight; is `org` one of them?
static unsigned named(const wn_pool *p, const wn_naming *who, uint32_t org, bool *inout_known) {
    const wn_naming *n;
    unsigned some = 0;
    for (wn_index_walk w = wn_namings_begin(p, who); (n = wn_namings_next(p, who, &w)) != NULL; some++)
        *inout_known |= n->org == org;
    return some;
}

// An observation that names an organisation. The first that somebody names counts, also for what was seen of
// them before; any further one is kept for a purge. Not admitted: one beyond the most.
static wn_err hear(wn_commit *c, const pending *p, uint32_t site, const work *w, bool *out_admitted) {
    const wn_member_state *m = find_person(c, site, w);
    wn_naming who = {.person = w->inc.person, .site = site, .epoch = w->inc.epoch};
    if (m == NULL) return WN_OK; // it joins with them
#ifdef WN_MUTANT_ORG_AFTER_FIRST_SIGHT
    return WN_OK;
#endif
    uint32_t org = find_network(&c->f->pool.orgs, &c->add.orgs, site, p->obs.org),
             first = counted_org(c, m, &who);
    if (org != WN_NONE && org == first) return WN_OK;
    bool known = false;
    unsigned some = named(&c->f->pool, &who, org, &known) + named(&c->add, &who, org, &known);
    if (known) return WN_OK;
    if (some >= WN_ORGS_OF_PERSON_MAX) {
        *out_admitted = false;
        return WN_OK;
    }
    WN_TRY(network_of(&c->f->pool.orgs, &c->add.orgs, site, p->obs.org, &org));
    if (first != WN_NONE && some == 0) WN_TRY(name(c, p, site, first, true));
    return name(c, p, site, org, first == WN_NONE);
}

// ---- a block of observations ----
// Asks the caches for cells, then index slots, then members.
static void announce(const wn_commit *c, block *b, size_t n) {
    const wn_pool *p = &c->f->pool;
    for (size_t i = 0; i < n; i++) {
        work *w = &b->item[i];
        uint32_t site = w->hint;
        w->hash = wn_cell_hash(site, w->inc.table, w->inc.epoch, w->inc.value);
        wn_index_prefetch(&p->cell_index, w->hash);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t hint = wn_index_peek(&p->cell_index, b->item[i].hash);
        if (hint != WN_NONE) __builtin_prefetch(wn_pool_cell(p, hint));
    }
    for (size_t i = 0; i < n; i++) {
        work *w = &b->item[i];
        w->cell = wn_pool_find_cell(p, w->hash, w->hint, w->inc.table, w->inc.epoch, w->inc.value);
        if (w->cell == WN_NONE) continue;
        w->hash = wn_member_hash(w->cell, w->inc.person);
        wn_index_prefetch(&p->member_index, w->hash);
        wn_index_prefetch(&c->add.member_index, w->hash);
    }
    for (size_t i = 0; i < n; i++) {
        if (b->item[i].cell == WN_NONE) continue;
        uint32_t hint = wn_index_peek(&p->member_index, b->item[i].hash);
        if (hint != WN_NONE) {
            __builtin_prefetch(wn_pool_member(p, hint));
            continue;
        }
        hint = wn_index_peek(&c->add.member_index, b->item[i].hash);
        if (hint != WN_NONE) __builtin_prefetch(wn_pool_member(&c->add, hint), 1);
    }
}

static wn_err take_block(wn_commit *c, size_t from, size_t obs_n) {
    block *b = c->block;
    uint32_t site[BLOCK_OBS];
    wn_increment inc[WN_TABLES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < obs_n; i++) {
        const pending *p = pending_at(c, from + i);
        WN_TRY(wn_commit_site(c, p->obs.site, &site[i]));
        b->start[i] = n;
        size_t of = wn_increments_of(&p->obs, &c->f->plan, p->keys, p->epoch, inc);
        for (size_t j = 0; j < of; j++) b->item[n++] = (work){.inc = inc[j], .hint = site[i]};
    }
    b->start[obs_n] = n;
    announce(c, b, n);
    for (size_t i = 0; i < obs_n; i++) {
        bool admitted;
        const pending *p = pending_at(c, from + i);
        const work *everybody = &b->item[b->start[i]];
        WN_TRY(admit(c, site[i], everybody, &admitted));
        if (admitted && p->obs.org != 0) WN_TRY(hear(c, p, site[i], everybody, &admitted));
        if (!admitted) {
            if (p->obs.kind != WN_OBS_SESSION) ++*u32_at(&c->capped, site[i]); // a visit's end is no event
            continue;
        }
        whose of = {.site = site[i], .org = WN_NONE};
        for (size_t j = b->start[i]; j < b->start[i + 1]; j++) WN_TRY(take(c, &of, &b->item[j]));
    }
    return WN_OK;
}

wn_err wn_commit_take(wn_commit *c) {
    for (size_t i = 0; i < c->refusals_n; i++) {
        uint32_t site;
        WN_TRY(wn_commit_site(c, refusal_at(c, i)->site, &site));
    }
    for (size_t i = 0; i < c->obs_n; i += BLOCK_OBS)
        WN_TRY(take_block(c, i, c->obs_n - i < BLOCK_OBS ? c->obs_n - i : BLOCK_OBS));
    wn_wipe(c->block, sizeof *c->block);
    return WN_OK;
}
