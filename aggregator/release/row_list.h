// SPDX-License-Identifier: Apache-2.0
// row_list.h: finding a published row by its key, for the files of release/ alone.
#pragma once

#include "locks.h"

// For sorting: below zero, zero, above.
static inline int wn_order(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

// Sorted row numbers by (site, table, value); `other` rows are not in it.
typedef struct wn_row_index {
    const wn_rows *rows;
    uint32_t *at;
    size_t n;
} wn_row_index;

WN_MUST_USE wn_err wn_row_index_make(const wn_rows *rows, wn_row_index *out);
void wn_row_index_fini(wn_row_index *ix);
// The part of `at` that is one table of one site: [*out_first, *out_end).
void wn_row_index_table(const wn_row_index *ix, uint64_t site, uint8_t table, size_t *out_first,
                        size_t *out_end);
// SIZE_MAX when there is none.
size_t wn_row_index_find(const wn_row_index *ix, uint64_t site, uint8_t table, const uint64_t value[2]);

WN_MUST_USE wn_err wn_rows_reserve(wn_rows *r, size_t n);
WN_MUST_USE wn_err wn_steps_add(wn_steps *s, wn_step step);
