// SPDX-License-Identifier: Apache-2.0
// intent.c: [tick, [[cell, baseline]…], [[site, table, v0, v1, people, events, sessions]…]]
#include "intent.h"

#include <msgpack.h>
#include <stdlib.h>

#include "mp.h"

wn_err wn_intent_encode(uint64_t tick, const wn_fold *f, const wn_steps *steps, const wn_rows *rows,
                        uint8_t **out, size_t *out_bytes) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, 3);
    msgpack_pack_uint64(&pk, tick);
    // Earlier baselines that no step of this tick moves, then the steps.
    size_t cells = wn_fold_cells(f), old = 0;
    wn_cell c;
    uint8_t *moves = calloc(cells != 0 ? cells : 1, 1);
    if (moves == NULL) return msgpack_sbuffer_destroy(&buf), WN_ERR_NOMEM;
    for (size_t i = 0; i < steps->n; i++) moves[steps->step[i].cell] = 1;
    for (size_t i = 0; i < cells; i++) {
        wn_fold_cell(f, i, &c);
        old += c.baseline != 0 && !moves[i];
    }
    msgpack_pack_array(&pk, old + steps->n);
    for (size_t i = 0; i < cells; i++) {
        wn_fold_cell(f, i, &c);
        if (c.baseline == 0 || moves[i]) continue;
        msgpack_pack_array(&pk, 2);
        msgpack_pack_uint32(&pk, (uint32_t)i);
        msgpack_pack_uint32(&pk, c.baseline);
    }
    for (size_t i = 0; i < steps->n; i++) {
        msgpack_pack_array(&pk, 2);
        msgpack_pack_uint32(&pk, steps->step[i].cell);
        msgpack_pack_uint32(&pk, steps->step[i].baseline);
    }
    free(moves);
    msgpack_pack_array(&pk, rows->n);
    for (size_t i = 0; i < rows->n; i++) {
        const wn_row *r = &rows->row[i];
        msgpack_pack_array(&pk, 7);
        msgpack_pack_uint64(&pk, r->site);
        msgpack_pack_uint8(&pk, r->table);
        msgpack_pack_uint64(&pk, r->value[0]);
        msgpack_pack_uint64(&pk, r->value[1]);
        msgpack_pack_uint32(&pk, r->people);
        msgpack_pack_uint64(&pk, r->events);
        msgpack_pack_uint64(&pk, r->sessions);
    }
    *out_bytes = buf.size;
    *out = (uint8_t *)msgpack_sbuffer_release(&buf);
    return WN_OK;
}

wn_err wn_intent_tick(wn_span bytes, uint64_t *out_tick) {
    wn_mp m;
    uint32_t n = 0;
    wn_mp_init(&m, bytes);
    return wn_mp_array(&m, 3, &n) && n == 3 && wn_mp_uint(&m, UINT64_MAX, out_tick) ? WN_OK : WN_ERR_FORMAT;
}

wn_err wn_intent_apply(wn_span bytes, wn_fold *f, wn_rows *rows) {
    wn_mp m;
    uint32_t n = 0, k = 0;
    uint64_t tick = 0, cell = 0, baseline = 0, table = 0, people = 0;
    wn_mp_init(&m, bytes);
    if (!wn_mp_array(&m, 3, &n) || n != 3 || !wn_mp_uint(&m, UINT64_MAX, &tick)) return WN_ERR_FORMAT;
    if (!wn_mp_array(&m, UINT32_MAX, &n)) return WN_ERR_FORMAT;
    for (uint32_t i = 0; i < n; i++) {
        wn_cell c;
        bool ok = wn_mp_array(&m, 2, &k) && k == 2 && wn_mp_uint(&m, UINT32_MAX, &cell) &&
                  cell < wn_fold_cells(f) && wn_mp_uint(&m, UINT32_MAX, &baseline);
        if (!ok) return WN_ERR_FORMAT;
        wn_fold_cell(f, (size_t)cell, &c);
        if (baseline < c.baseline || baseline > c.people) return WN_ERR_FORMAT; // not of this fold
        wn_fold_set_baseline(f, (size_t)cell, (uint32_t)baseline);
    }
    if (!wn_mp_array(&m, UINT32_MAX, &n)) return WN_ERR_FORMAT;
    wn_row *row = calloc(n != 0 ? n : 1, sizeof *row);
    if (row == NULL) return WN_ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        wn_row *r = &row[i];
        bool ok = wn_mp_array(&m, 7, &k) && k == 7 && wn_mp_uint(&m, UINT64_MAX, &r->site) &&
                  wn_mp_uint(&m, WN_TABLES_MAX - 1, &table) && wn_mp_uint(&m, UINT64_MAX, &r->value[0]) &&
                  wn_mp_uint(&m, UINT64_MAX, &r->value[1]) && wn_mp_uint(&m, UINT32_MAX, &people) &&
                  wn_mp_uint(&m, UINT64_MAX, &r->events) && wn_mp_uint(&m, UINT64_MAX, &r->sessions);
        if (!ok) return free(row), WN_ERR_FORMAT;
        r->table = (uint8_t)table;
        r->people = (uint32_t)people;
    }
    if (!wn_mp_done(&m)) return free(row), WN_ERR_FORMAT;
    free(rows->row);
    *rows = (wn_rows){row, n, n};
    return WN_OK;
}
