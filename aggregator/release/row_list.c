// SPDX-License-Identifier: Apache-2.0
// row_list.c: lists of rows and steps, and the order in which rows are found.
#include "row_list.h"

#include <stdlib.h>

enum { LIST_MIN = 64 };

void wn_rows_fini(wn_rows *r) {
    free(r->row);
    *r = (wn_rows){0};
}

void wn_steps_fini(wn_steps *s) {
    free(s->step);
    *s = (wn_steps){0};
}

wn_err wn_rows_reserve(wn_rows *r, size_t n) {
    if (n <= r->cap) return WN_OK;
    size_t cap = r->cap > 0 ? r->cap : LIST_MIN;
    while (cap < n) cap *= 2;
    wn_row *row = realloc(r->row, cap * sizeof *row); // published already: nothing to wipe
    if (row == NULL) return WN_ERR_NOMEM;
    r->row = row;
    r->cap = cap;
    return WN_OK;
}

wn_err wn_steps_add(wn_steps *s, wn_step step) {
    if (s->n == s->cap) {
        size_t cap = s->cap > 0 ? s->cap * 2 : LIST_MIN;
        wn_step *grown = realloc(s->step, cap * sizeof *grown);
        if (grown == NULL) return WN_ERR_NOMEM;
        s->step = grown;
        s->cap = cap;
    }
    s->step[s->n++] = step;
    return WN_OK;
}

static int compare_key(const wn_row *r, uint64_t site, uint8_t table, const uint64_t value[2]) {
    int d = wn_order(r->site, site);
    if (d == 0) d = wn_order(r->table, table);
    if (d == 0) d = wn_order(r->value[0], value[0]);
    return d != 0 ? d : wn_order(r->value[1], value[1]);
}

static int compare_rows(const void *a, const void *b, void *rows) {
    const wn_row *x = (const wn_row *)rows + *(const uint32_t *)a;
    const wn_row *y = (const wn_row *)rows + *(const uint32_t *)b;
    return compare_key(x, y->site, y->table, y->value);
}

wn_err wn_row_index_make(const wn_rows *rows, wn_row_index *out) {
    wn_row_index ix = {.rows = rows, .at = calloc(rows->n + 1, sizeof *ix.at)};
    if (ix.at == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->row[i].is_other == 0) ix.at[ix.n++] = (uint32_t)i;
    qsort_r(ix.at, ix.n, sizeof *ix.at, compare_rows, rows->row);
    *out = ix;
    return WN_OK;
}

void wn_row_index_fini(wn_row_index *ix) {
    free(ix->at);
    *ix = (wn_row_index){0};
}

void wn_row_index_table(const wn_row_index *ix, uint64_t site, uint8_t table, size_t *out_first,
                        size_t *out_end) {
    const uint64_t least[2] = {0, 0};
    size_t low = 0, high = ix->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_key(&ix->rows->row[ix->at[mid]], site, table, least) < 0) low = mid + 1;
        else high = mid;
    }
    *out_first = low;
    while (low < ix->n && ix->rows->row[ix->at[low]].site == site &&
           ix->rows->row[ix->at[low]].table == table)
        low++;
    *out_end = low;
}

size_t wn_row_index_find(const wn_row_index *ix, uint64_t site, uint8_t table, const uint64_t value[2]) {
    size_t low = 0, high = ix->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = compare_key(&ix->rows->row[ix->at[mid]], site, table, value);
        if (d == 0) return ix->at[mid];
        if (d < 0) low = mid + 1;
        else high = mid;
    }
    return SIZE_MAX;
}
