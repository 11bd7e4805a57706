// SPDX-License-Identifier: Apache-2.0
// record_read.c: a record's bytes back into the fold, nothing taken on trust:
// each number is checked against what the fold holds when it is read.
#include "record.h"

#include <string.h>

#include "fold_state.h"

typedef struct cursor {
    const uint8_t *p, *end;
} cursor;

static bool get_byte(cursor *c, unsigned *out) {
    if (c->p == c->end) return false;
    *out = *c->p++;
    return true;
}

// Shortest form only, at most `max`.
static bool get_varint(cursor *c, uint64_t max, uint64_t *out) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte;
        if (!get_byte(c, &byte)) return false;
        if (shift == 63 && byte > 1) return false;
        v |= (uint64_t)(byte & 0x7Fu) << shift;
        if (byte >= 0x80) continue;
        if ((byte == 0 && shift > 0) || v > max) return false;
        *out = v;
        return true;
    }
    return false;
}

// A number below n.
static bool get_number(cursor *c, uint32_t n, uint32_t *out) {
    uint64_t v;
    if (n == 0 || !get_varint(c, n - 1u, &v)) return false;
    *out = (uint32_t)v;
    return true;
}

static bool get_u64(cursor *c, uint64_t *out) {
    if (c->end - c->p < 8) return false;
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) v |= (uint64_t)c->p[i] << (8 * i);
    c->p += 8;
    *out = v;
    return true;
}

static wn_err read_site(wn_fold *f, cursor *c) {
    uint64_t tag;
    uint32_t at;
    if (!get_u64(c, &tag) || wn_pool_find_site(&f->pool, tag) != WN_NONE) return WN_ERR_FORMAT;
    return wn_pool_add_site(&f->pool, tag, &at);
}

static wn_err read_count(wn_fold *f, cursor *c) {
    uint32_t site;
    uint64_t refused, capped;
    if (!get_number(c, f->pool.sites_n, &site) || !get_varint(c, UINT64_MAX, &refused) ||
        !get_varint(c, UINT64_MAX, &capped))
        return WN_ERR_FORMAT;
    wn_pool_site(&f->pool, site)->refused += refused;
    wn_pool_site(&f->pool, site)->capped += capped;
    f->weight += refused + capped;
    return WN_OK;
}

// The limit was applied when the record was written: options may have changed since.
static wn_err read_value(wn_fold *f, cursor *c) {
    const size_t head = offsetof(wn_value, bytes);
    wn_value v = {0};
    if ((size_t)(c->end - c->p) < head) return WN_ERR_FORMAT;
    memcpy(&v, c->p, head);
    c->p += head;
    if (v.n == 0 || v.n > WN_VALUE_SEALED_MAX || c->end - c->p < v.n) return WN_ERR_FORMAT;
    memcpy(v.bytes, c->p, v.n);
    c->p += v.n;
    if (wn_pool_find_value(&f->pool, wn_value_id(&v)) != NULL) return WN_ERR_FORMAT;
    f->weight++;
    return wn_pool_add_value(&f->pool, &v);
}

static wn_err read_network(wn_fold *f, cursor *c, wn_networks *into) {
    uint32_t site, at;
    uint64_t id;
    if (!get_number(c, f->pool.sites_n, &site) || !get_u64(c, &id)) return WN_ERR_FORMAT;
    if (wn_networks_find(into, site, id) != WN_NONE) return WN_ERR_FORMAT;
    return wn_networks_add(into, site, id, &at);
}

static bool get_value(cursor *c, unsigned dim, uint64_t *out) {
    uint64_t v;
    if (wn_dim_is_open(dim) ? !get_u64(c, &v) : !get_varint(c, UINT16_MAX, &v)) return false;
    if (v == 0 || v == WN_VALUE_OVERFLOW) return false;
    *out = v;
    return true;
}

static wn_err read_cell(wn_fold *f, cursor *c) {
    wn_cell_state key = {0};
    unsigned epoch, table;
    uint32_t at;
    if (!get_number(c, f->pool.sites_n, &key.site) || !get_byte(c, &epoch) || !get_byte(c, &table))
        return WN_ERR_FORMAT;
    bool overflow = (table & WN_CELL_OVERFLOW) != 0;
    table &= ~WN_CELL_OVERFLOW;
    if (table >= f->plan.n || (overflow && !f->open[table])) return WN_ERR_FORMAT;
    key.epoch = (uint8_t)epoch;
    key.table = (uint8_t)table;
    if (overflow) key.value[0] = key.value[1] = WN_VALUE_OVERFLOW;
    for (unsigned d = 0; d < f->plan.table[table].dims_n && !overflow; d++)
        if (!get_value(c, f->plan.table[table].dims[d], &key.value[d])) return WN_ERR_FORMAT;
    uint64_t hash = wn_cell_hash(key.site, key.table, key.epoch, key.value);
    if (wn_pool_find_cell(&f->pool, hash, key.site, key.table, key.epoch, key.value) != WN_NONE)
        return WN_ERR_FORMAT;
    return wn_fold_new_cell(f, &key, &at);
}

// Once each, and the one that counts before all others.
static wn_err read_naming(wn_fold *f, cursor *c) {
    wn_naming n = {0};
    const wn_naming *has;
    unsigned table, epoch;
    if (!get_number(c, f->pool.orgs.n, &n.org) || !get_byte(c, &table) || !get_byte(c, &epoch) ||
        !get_u64(c, &n.person))
        return WN_ERR_FORMAT;
    n.counts = (table & WN_NAMING_BESIDE) == 0;
    table &= ~WN_NAMING_BESIDE;
    if (table >= f->plan.n) return WN_ERR_FORMAT;
    n.site = wn_network_at(&f->pool.orgs, n.org)->site;
    n.table = (uint8_t)table;
    n.epoch = (uint8_t)epoch;
    bool known = false;
    for (wn_index_walk w = wn_namings_begin(&f->pool, &n);
         (has = wn_namings_next(&f->pool, &n, &w)) != NULL;) {
        if (has->org == n.org) return WN_ERR_FORMAT;
        known = true;
    }
    if (known == (n.counts != 0)) return WN_ERR_FORMAT;
    f->weight++;
    return wn_pool_add_naming(&f->pool, &n);
}

static bool get_amounts(cursor *c, wn_amounts *out) {
    uint64_t amount[WN_AMOUNTS_N] = {0};
    unsigned which;
    if (!get_byte(c, &which) || which == 0 || which >= 1u << WN_AMOUNTS_N) return false;
    for (unsigned i = 0; i < WN_AMOUNTS_N; i++) {
        if ((which >> i & 1u) == 0) continue;
        if (!get_varint(c, UINT16_MAX, &amount[i]) || amount[i] == 0) return false;
    }
    *out = (wn_amounts){.events = (uint32_t)amount[0],
                        .sessions = (uint32_t)amount[1],
                        .bounces = (uint32_t)amount[2],
                        .seconds = (uint32_t)amount[3],
                        .number = (uint32_t)amount[4]};
    return true;
}

// The writer clamps: more than the clamp is another plan's record, or none.
// And nothing of a session comes without one.
static bool within_clamp(const wn_fold *f, const wn_member_state *m, const wn_amounts *more) {
    const wn_amounts *most = &f->most[wn_pool_cell(&f->pool, m->cell)->table];
    uint32_t sessions = m->sessions + more->sessions, bounces = m->bounces + more->bounces,
             seconds = m->seconds + more->seconds;
    return m->events + more->events <= most->events && sessions <= most->sessions &&
           bounces <= most->bounces && bounces <= sessions && seconds <= most->seconds &&
           seconds <= sessions * WN_SESSION_SECONDS_MAX && m->number + more->number <= most->number;
}

static wn_err read_join(const wn_fold *f, cursor *c, bool first, uint32_t *cell, wn_member_state *out) {
    wn_member_state m = {.org = WN_NONE};
    unsigned flags;
    if (!get_byte(c, &flags)) return WN_ERR_FORMAT;
    if ((flags & WN_JOIN_CELL) != 0) {
        uint64_t zigzag;
        if (!get_varint(c, (uint64_t)UINT32_MAX * 2, &zigzag)) return WN_ERR_FORMAT;
        int64_t step = (zigzag & 1) != 0 ? -(int64_t)(zigzag / 2) - 1 : (int64_t)(zigzag / 2);
        int64_t to = (int64_t)*cell + step;
        if (to < 0 || to >= (int64_t)f->pool.cells_n) return WN_ERR_FORMAT;
        *cell = (uint32_t)to;
    } else if (first) {
        return WN_ERR_FORMAT;
    }
    m.cell = *cell;
    uint32_t site = wn_pool_cell(&f->pool, m.cell)->site;
    if (!get_u64(c, &m.person) || !get_number(c, f->pool.prefixes.n, &m.prefix)) return WN_ERR_FORMAT;
    if (wn_network_at(&f->pool.prefixes, m.prefix)->site != site) return WN_ERR_FORMAT;
    if ((flags & WN_JOIN_ORG) != 0) {
        if (!get_number(c, f->pool.orgs.n, &m.org) || wn_network_at(&f->pool.orgs, m.org)->site != site)
            return WN_ERR_FORMAT;
    }
    wn_amounts more = {.events = flags >> WN_JOIN_EVENTS_SHIFT & WN_JOIN_SMALL_MAX,
                       .sessions = flags >> WN_JOIN_SESSIONS_SHIFT & WN_JOIN_SMALL_MAX};
    if ((flags & WN_JOIN_LARGE) != 0 && (flags >> WN_JOIN_EVENTS_SHIFT != 0 || !get_amounts(c, &more)))
        return WN_ERR_FORMAT;
    if (!within_clamp(f, &m, &more)) return WN_ERR_FORMAT;
    m.events = (uint8_t)more.events;
    m.sessions = (uint8_t)more.sessions;
    m.bounces = (uint8_t)more.bounces;
    m.seconds = (uint16_t)more.seconds;
    m.number = (uint16_t)more.number;
    m.signed_id = (flags & WN_JOIN_SIGNED) != 0;
    *out = m;
    return WN_OK;
}

// Joins and repeats are read a block ahead of what is done with them, so that
// the index, the members and the cells are on their way from memory meanwhile.
enum { AHEAD = 32 };

static wn_err read_joins(wn_fold *f, cursor *c, uint32_t count) {
    wn_member_state block[AHEAD];
    uint32_t cell = 0;
    for (uint32_t done = 0, n; done < count; done += n) {
        n = count - done < AHEAD ? count - done : AHEAD;
        for (uint32_t i = 0; i < n; i++) {
            wn_member_state *m = &block[i];
            WN_TRY(read_join(f, c, done + i == 0, &cell, m));
            wn_index_prefetch(&f->pool.member_index, wn_member_hash(m->cell, m->person));
            uint32_t last = wn_pool_cell(&f->pool, m->cell)->last;
            if (last != WN_NONE) __builtin_prefetch(wn_pool_member(&f->pool, last), 1);
        }
        for (uint32_t i = 0; i < n; i++) {
            const wn_member_state *m = &block[i];
            uint64_t hash = wn_member_hash(m->cell, m->person);
            if (wn_pool_find_member(&f->pool, hash, m->cell, m->person) != WN_NONE) return WN_ERR_FORMAT;
            WN_TRY(wn_fold_join(f, m));
        }
    }
    return WN_OK;
}

typedef struct repeated {
    uint32_t member;
    wn_amounts more;
} repeated;

static wn_err read_repeat(const wn_fold *f, cursor *c, bool first, uint32_t *member, repeated *out) {
    uint64_t gap;
    wn_amounts more = {.events = 1};
    if (!get_varint(c, (uint64_t)UINT32_MAX * 2 + 1, &gap)) return WN_ERR_FORMAT;
    if ((gap & 1) == 0 && !get_amounts(c, &more)) return WN_ERR_FORMAT;
    uint64_t to = *member + (gap >> 1);
    if ((!first && gap >> 1 == 0) || to >= f->pool.members_n) return WN_ERR_FORMAT;
    *member = (uint32_t)to;
    *out = (repeated){.member = *member, .more = more};
    return WN_OK;
}

static wn_err read_repeats(wn_fold *f, cursor *c, uint32_t count) {
    repeated block[AHEAD];
    uint32_t member = 0;
    for (uint32_t done = 0, n; done < count; done += n) {
        n = count - done < AHEAD ? count - done : AHEAD;
        for (uint32_t i = 0; i < n; i++) {
            WN_TRY(read_repeat(f, c, done + i == 0, &member, &block[i]));
            __builtin_prefetch(wn_pool_member(&f->pool, member), 1);
        }
        for (uint32_t i = 0; i < n; i++)
            __builtin_prefetch(wn_pool_cell(&f->pool, wn_pool_member(&f->pool, block[i].member)->cell), 1);
        for (uint32_t i = 0; i < n; i++) {
            const repeated *r = &block[i];
            if (!within_clamp(f, wn_pool_member(&f->pool, r->member), &r->more)) return WN_ERR_FORMAT;
            wn_fold_bump(f, r->member, &r->more);
        }
    }
    return WN_OK;
}

static wn_err read_item(wn_fold *f, cursor *c, unsigned run) {
    switch (run) {
    case WN_RUN_SITE: return read_site(f, c);
    case WN_RUN_COUNT: return read_count(f, c);
    case WN_RUN_VALUE: return read_value(f, c);
    case WN_RUN_PREFIX: return read_network(f, c, &f->pool.prefixes);
    case WN_RUN_ORG: return read_network(f, c, &f->pool.orgs);
    case WN_RUN_CELL: return read_cell(f, c);
    case WN_RUN_NAMING: return read_naming(f, c);
    default: return WN_ERR_FORMAT;
    }
}

static wn_err read_run(wn_fold *f, cursor *c) {
    unsigned run = *c->p++;
    uint32_t count = 0;
    if (c->end - c->p < 4) return WN_ERR_FORMAT;
    for (unsigned i = 0; i < 4; i++) count |= (uint32_t)c->p[i] << (8 * i);
    c->p += 4;
    // Every item has at least one byte, so a lying count ends with the bytes.
    if (count == 0) return WN_ERR_FORMAT;
    if (run == WN_RUN_JOIN) return read_joins(f, c, count);
    if (run == WN_RUN_REPEAT) return read_repeats(f, c, count);
    for (uint32_t i = 0; i < count; i++) WN_TRY(read_item(f, c, run));
    return WN_OK;
}

static wn_err read_head(const wn_fold *f, cursor *c) {
    wn_record_state now = wn_record_state_of(f);
    uint64_t sites, prefixes, orgs, cells, members, weight;
    unsigned version;
    if (!get_byte(c, &version)) return WN_ERR_FORMAT;
    if (version != WN_RECORD_VERSION) return WN_ERR_VERSION;
    if (!get_varint(c, UINT32_MAX, &sites) || !get_varint(c, UINT32_MAX, &prefixes) ||
        !get_varint(c, UINT32_MAX, &orgs) || !get_varint(c, UINT32_MAX, &cells) ||
        !get_varint(c, UINT32_MAX, &members) || !get_varint(c, UINT64_MAX, &weight))
        return WN_ERR_FORMAT;
    bool follows = sites == now.sites && prefixes == now.prefixes && orgs == now.orgs && cells == now.cells &&
                   members == now.members && weight == now.weight;
    return follows ? WN_OK : WN_ERR_STATE;
}

wn_err wn_journal_replay(wn_fold *f, wn_span record) {
    if (record.n > WN_JOURNAL_BYTES_MAX) return WN_ERR_FORMAT;
    cursor c = {.p = record.p, .end = record.p + record.n};
    WN_TRY(read_head(f, &c));
    while (c.p < c.end) WN_TRY(read_run(f, &c));
    return WN_OK;
}

wn_err wn_fold_unpack(wn_fold *f, wn_span part) {
    return wn_journal_replay(f, part);
}
