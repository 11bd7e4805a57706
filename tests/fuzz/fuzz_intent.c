// SPDX-License-Identifier: Apache-2.0
// fuzz_intent.c: any bytes as a tick's stored intent, over a small fold:
// refused, or baselines that fit it and rows that are written the same again.
#include <stdlib.h>
#include <string.h>

#include "intent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CELLS = 3 };

// Cells of 30, 20 and 10 people.
static wn_fold *make_fold(void) {
    wn_plan p = {.n = 1};
    wn_fold *f = NULL;
    p.table[0] =
        (wn_table){.dims = {WN_DIM_NONE, WN_DIM_NONE}, .measures = 7, .kinds = 6, .clamp = 20, .k = 10};
    WN_ASSERT(wn_fold_new(&p, 64, 16, &f) == WN_OK);
    for (uint64_t site = 1; site <= CELLS; site++) {
        for (uint64_t who = 1; who <= 40 - 10 * site; who++) {
            wn_increment inc = {.site = site, .person = who, .prefix = who, .events = 1};
            WN_ASSERT(wn_fold_add(f, &inc) == WN_OK);
        }
    }
    WN_ASSERT(wn_fold_cells(f) == CELLS);
    return f;
}

// A fold of which nothing is released: an intent sets nothing but that.
static wn_fold *unreleased(wn_fold **inout) {
    for (size_t i = 0; i < CELLS && *inout != NULL; i++) {
        wn_cell c;
        wn_fold_cell(*inout, i, &c);
        if (c.baseline == 0) continue;
        wn_fold_free(*inout);
        *inout = NULL;
    }
    if (*inout == NULL) *inout = make_fold();
    return *inout;
}

static void check(wn_span bytes, const wn_fold *f, const wn_rows *rows) {
    uint64_t tick = 0, again_tick = 0;
    wn_steps none = {0};
    wn_rows again = {0};
    uint8_t *out = NULL;
    size_t out_bytes = 0;
    WN_ASSERT(wn_intent_tick(bytes, &tick) == WN_OK);
    for (size_t i = 0; i < CELLS; i++) {
        wn_cell c;
        wn_fold_cell(f, i, &c);
        WN_ASSERT(c.baseline <= c.people);
    }
    WN_ASSERT(wn_intent_encode(tick, f, &none, rows, &out, &out_bytes) == WN_OK);
    static wn_fold *kept;
    wn_fold *second = unreleased(&kept);
    WN_ASSERT(wn_intent_tick((wn_span){out, out_bytes}, &again_tick) == WN_OK && again_tick == tick);
    WN_ASSERT(wn_intent_apply((wn_span){out, out_bytes}, second, &again) == WN_OK);
    WN_ASSERT(again.n == rows->n);
    for (size_t i = 0; i < again.n; i++) {
        const wn_row *a = &rows->row[i], *b = &again.row[i];
        WN_ASSERT(a->site == b->site && a->table == b->table && a->people == b->people);
        WN_ASSERT(memcmp(a->value, b->value, sizeof a->value) == 0);
        WN_ASSERT(a->events == b->events && a->sessions == b->sessions);
    }
    wn_rows_fini(&again);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_span bytes = {data, n};
    static wn_fold *kept;
    wn_fold *f = unreleased(&kept);
    wn_rows rows = {0};
    if (wn_intent_apply(bytes, f, &rows) == WN_OK) check(bytes, f, &rows);
    else WN_ASSERT(rows.n == 0);
    wn_rows_fini(&rows);
    return 0;
}
