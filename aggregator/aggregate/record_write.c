// SPDX-License-Identifier: Apache-2.0
// record_write.c: items into runs, runs into records of bounded size.
#include "record.h"

#include <string.h>

#include "fold_state.h"

enum {
    VARINT_MAX = 10,
    ITEM_BYTES_MAX = sizeof(wn_value) + 32,
    RUN_HEAD = 5,
    RECORD_HEAD_MAX = 1 + 6 * VARINT_MAX
};

wn_record_state wn_record_state_of(const wn_fold *f) {
    const wn_pool *p = &f->pool;
    return (wn_record_state){.sites = p->sites_n,
                             .prefixes = p->prefixes.n,
                             .orgs = p->orgs.n,
                             .cells = p->cells_n,
                             .members = p->members_n,
                             .weight = f->weight};
}

void wn_record_reset(wn_record_out *o, const wn_table *tables, wn_record_state state) {
    wn_wipe(o->bytes.p, o->used);
    *o = (wn_record_out){.tables = tables, .bytes = o->bytes, .starts = o->starts, .state = state};
}

void wn_record_fini(wn_record_out *o) {
    wn_growing_fini(&o->bytes, o->used);
    wn_growing_fini(&o->starts, o->records * sizeof(size_t));
    *o = (wn_record_out){0};
}

static size_t start_of(const wn_record_out *o, size_t i) {
    return ((const size_t *)(const void *)o->starts.p)[i];
}

wn_span wn_record_at(const wn_record_out *o, size_t i) {
    WN_ASSERT(i < o->records);
    size_t end = i + 1 < o->records ? start_of(o, i + 1) : o->used;
    return (wn_span){o->bytes.p + start_of(o, i), end - start_of(o, i)};
}

static void put_byte(wn_record_out *o, unsigned v) {
    o->bytes.p[o->used++] = (uint8_t)v;
}

static void put_varint(wn_record_out *o, uint64_t v) {
    for (; v >= 0x80; v >>= 7) put_byte(o, (unsigned)(v & 0x7F) | 0x80u);
    put_byte(o, (unsigned)v);
}

static void put_u64(wn_record_out *o, uint64_t v) {
    for (unsigned i = 0; i < 8; i++) put_byte(o, (unsigned)(v >> (8 * i)) & 0xFFu);
}

static void close_run(wn_record_out *o) {
    if (o->run == 0) return;
    for (unsigned i = 0; i < 4; i++) o->bytes.p[o->count_at + i] = (uint8_t)(o->count >> (8 * i));
    o->run = 0;
}

static wn_err open_record(wn_record_out *o) {
    WN_TRY(wn_growing_reserve(&o->starts, (o->records + 1) * sizeof(size_t)));
    ((size_t *)(void *)o->starts.p)[o->records++] = o->used;
    put_byte(o, WN_RECORD_VERSION);
    put_varint(o, o->state.sites);
    put_varint(o, o->state.prefixes);
    put_varint(o, o->state.orgs);
    put_varint(o, o->state.cells);
    put_varint(o, o->state.members);
    put_varint(o, o->state.weight);
    return WN_OK;
}

// Makes room for one item of a run; a new run starts its differences from 0.
static wn_err begin(wn_record_out *o, wn_run run) {
    WN_TRY(wn_growing_reserve(&o->bytes, o->used + RECORD_HEAD_MAX + RUN_HEAD + ITEM_BYTES_MAX));
    size_t in_record = o->records > 0 ? o->used - start_of(o, o->records - 1) : WN_JOURNAL_BYTES_MAX;
    bool full = in_record + RUN_HEAD + ITEM_BYTES_MAX > WN_JOURNAL_BYTES_MAX;
    if (full || o->run != run) close_run(o);
    if (full) WN_TRY(open_record(o));
    if (o->run == 0) {
        put_byte(o, run);
        o->count_at = o->used;
        o->used += 4;
        o->run = (uint8_t)run;
        o->count = o->last_cell = o->last_member = 0;
    }
    o->count++;
    return WN_OK;
}

void wn_record_end(wn_record_out *o) {
    close_run(o);
}

wn_err wn_record_site(wn_record_out *o, uint64_t tag) {
    WN_TRY(begin(o, WN_RUN_SITE));
    put_u64(o, tag);
    o->state.sites++;
    return WN_OK;
}

wn_err wn_record_count(wn_record_out *o, uint32_t site, uint64_t refused, uint64_t capped) {
    WN_TRY(begin(o, WN_RUN_COUNT));
    put_varint(o, site);
    put_varint(o, refused);
    put_varint(o, capped);
    o->state.weight += refused + capped;
    return WN_OK;
}

wn_err wn_record_value(wn_record_out *o, const wn_value *v) {
    WN_TRY(begin(o, WN_RUN_VALUE));
    memcpy(o->bytes.p + o->used, v, offsetof(wn_value, bytes) + v->n);
    o->used += offsetof(wn_value, bytes) + v->n;
    o->state.weight++;
    return WN_OK;
}

wn_err wn_record_network(wn_record_out *o, wn_run run, const wn_network *n) {
    WN_TRY(begin(o, run));
    put_varint(o, n->site);
    put_u64(o, n->id);
    if (run == WN_RUN_PREFIX) o->state.prefixes++;
    if (run == WN_RUN_ORG) o->state.orgs++;
    return WN_OK;
}

wn_err wn_record_cell(wn_record_out *o, const wn_cell_state *c) {
    bool overflow = c->value[0] == WN_VALUE_OVERFLOW;
    const wn_table *table = &o->tables[c->table];
    WN_TRY(begin(o, WN_RUN_CELL));
    put_varint(o, c->site);
    put_byte(o, c->epoch);
    put_byte(o, c->table | (overflow ? WN_CELL_OVERFLOW : 0u));
    for (unsigned d = 0; d < table->dims_n && !overflow; d++) {
        if (wn_dim_is_open(table->dims[d])) put_u64(o, c->value[d]);
        else put_varint(o, c->value[d]);
    }
    o->state.cells++;
    return WN_OK;
}

wn_err wn_record_naming(wn_record_out *o, const wn_naming *n) {
    WN_TRY(begin(o, WN_RUN_NAMING));
    put_varint(o, n->org);
    put_byte(o, n->table | (n->counts != 0 ? 0u : WN_NAMING_BESIDE));
    put_byte(o, n->epoch);
    put_u64(o, n->person);
    o->state.weight++;
    return WN_OK;
}

static void put_amounts(wn_record_out *o, const wn_amounts *a) {
    const uint32_t amount[WN_AMOUNTS_N] = {a->events, a->sessions, a->bounces, a->seconds, a->number};
    unsigned which = 0;
    for (unsigned i = 0; i < WN_AMOUNTS_N; i++) which |= (amount[i] > 0 ? 1u : 0u) << i;
    put_byte(o, which);
    for (unsigned i = 0; i < WN_AMOUNTS_N; i++)
        if (amount[i] > 0) put_varint(o, amount[i]);
}

wn_err wn_record_join(wn_record_out *o, const wn_member_state *m) {
    WN_TRY(begin(o, WN_RUN_JOIN));
    wn_amounts more = wn_member_amounts(m);
    bool large = m->events > WN_JOIN_SMALL_MAX || m->sessions > WN_JOIN_SMALL_MAX ||
                 (m->bounces | m->seconds | m->number) != 0;
    bool moved = o->count == 1 || m->cell != o->last_cell;
    unsigned flags = m->signed_id != 0 ? WN_JOIN_SIGNED : 0u;
    if (m->org != WN_NONE) flags |= WN_JOIN_ORG;
    if (moved) flags |= WN_JOIN_CELL;
    if (large) {
        flags |= WN_JOIN_LARGE;
    } else {
        flags |= (unsigned)m->events << WN_JOIN_EVENTS_SHIFT;
        flags |= (unsigned)m->sessions << WN_JOIN_SESSIONS_SHIFT;
    }
    put_byte(o, flags);
    if (moved) {
        int64_t step = (int64_t)m->cell - (int64_t)o->last_cell; // zigzag: base order may go back
        put_varint(o, step < 0 ? (uint64_t)(-step) * 2 - 1 : (uint64_t)step * 2);
        o->last_cell = m->cell;
    }
    put_u64(o, m->person);
    put_varint(o, m->prefix);
    if (m->org != WN_NONE) put_varint(o, m->org);
    if (large) put_amounts(o, &more);
    o->state.members++;
    o->state.weight += wn_amounts_sum(&more);
    return WN_OK;
}

wn_err wn_record_repeat(wn_record_out *o, uint32_t member, const wn_amounts *more) {
    WN_TRY(begin(o, WN_RUN_REPEAT));
    bool plain = more->events == 1 && wn_amounts_sum(more) == 1;
    put_varint(o, (uint64_t)(member - o->last_member) << 1 | (plain ? 1u : 0u));
    if (!plain) put_amounts(o, more);
    o->last_member = member;
    o->state.weight += wn_amounts_sum(more);
    return WN_OK;
}
