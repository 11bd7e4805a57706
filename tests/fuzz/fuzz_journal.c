// SPDX-License-Identifier: Apache-2.0
// Journal records from anywhere: refused, or a fold that still holds together.
// Input: records of 2-byte length and bytes; a first byte of 0 says that the
// rest are runs only, put behind the head that the fold expects at that point.
#include <stdlib.h>
#include <string.h>

#include "fold_state.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void table(wn_plan *p, unsigned kinds, unsigned measures, unsigned first, unsigned second) {
    wn_table *t = &p->table[p->n++];
    *t = (wn_table){.dims = {(uint8_t)first, (uint8_t)second},
                    .measures = (uint8_t)(7 | measures),
                    .kinds = (uint8_t)kinds,
                    .clamp = 20,
                    .number_clamp = 300,
                    .k = 10};
    t->dims_n = (uint8_t)((first != WN_DIM_NONE) + (second != WN_DIM_NONE));
}

static wn_fold *new_fold(void) {
    wn_plan p = {0};
    wn_fold *f = NULL;
    table(&p, 6, WN_MEASURE_NUMBER2, WN_DIM_NONE, WN_DIM_NONE);
    table(&p, 6, WN_MEASURES_LOCKED & ~WN_MEASURE_NUMBER2, WN_DIM_country, WN_DIM_NONE);
    table(&p, 2, 0, WN_CLOSED_N + WN_DIM_route, WN_DIM_NONE);
    table(&p, 6, WN_MEASURE_TIME, WN_DIM_country, WN_CLOSED_N + WN_DIM_route);
    WN_ASSERT(wn_fold_new(&p, 64, 16, &f) == WN_OK);
    return f;
}

static size_t put_varint(uint8_t *out, uint64_t v) {
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

static wn_err replay_runs(wn_fold *f, const uint8_t *runs, size_t n) {
    wn_record_state s = wn_record_state_of(f);
    const uint64_t head[] = {s.sites, s.prefixes, s.orgs, s.cells, s.members, s.weight};
    uint8_t *bytes = malloc(64 + n);
    if (bytes == NULL) abort();
    size_t at = 0;
    bytes[at++] = WN_RECORD_VERSION;
    for (size_t i = 0; i < WN_COUNT(head); i++) at += put_varint(bytes + at, head[i]);
    if (n > 0) memcpy(bytes + at, runs, n);
    wn_err err = wn_journal_replay(f, (wn_span){bytes, at + n});
    free(bytes);
    return err;
}

typedef struct sums {
    uint64_t people, events, sessions;
} sums;

static void add_member(void *ctx, const wn_member *m) {
    sums *s = ctx;
    s->people++;
    s->events += m->events;
    s->sessions += m->sessions;
    WN_ASSERT(m->events <= 20 && m->sessions <= WN_SESSIONS_CLAMP && m->bounces <= m->sessions);
    WN_ASSERT(m->seconds <= m->sessions * WN_SESSION_SECONDS_MAX && m->number <= 300);
}

// A cell says what its members sum up to, and those are within their clamps.
static void check(const wn_fold *f) {
    for (size_t i = 0; i < wn_fold_cells(f); i++) {
        wn_cell c;
        sums s = {0};
        wn_fold_cell(f, i, &c);
        wn_fold_members(f, i, 0, add_member, &s);
        WN_ASSERT(s.people == c.people && s.events == c.events && s.sessions == c.sessions);
        WN_ASSERT(wn_fold_find(f, c.site, c.table, c.value, c.epoch) == i);
    }
}

static wn_err unpack(void *ctx, wn_span part) {
    return wn_fold_unpack(ctx, part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wn_fold *f = new_fold();
    wn_err err = WN_OK;
    while (err == WN_OK && size >= 3) {
        size_t n = (size_t)data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        if (n > size) n = size;
        if (n == 0) break;
        err = data[0] == 0 ? replay_runs(f, data + 1, n - 1) : wn_journal_replay(f, (wn_span){data, n});
        data += n;
        size -= n;
    }
    check(f);
    if (err == WN_OK) { // what was taken whole survives a base
        wn_fold *again = new_fold();
        WN_ASSERT(wn_fold_pack(f, unpack, again) == WN_OK);
        WN_ASSERT(wn_fold_cells(again) == wn_fold_cells(f) && wn_fold_people(again) == wn_fold_people(f));
        check(again);
        wn_fold_free(again);
    }
    wn_fold_free(f);
    return 0;
}
