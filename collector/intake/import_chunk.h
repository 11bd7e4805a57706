// SPDX-License-Identifier: Apache-2.0
// import_chunk.h: the raw lines of one chunk and their order in time.
#pragma once

#include "logline.h"

typedef struct wn_chunk_line {
    int64_t time_s; // WN_LINE_UNREADABLE sorts first
    uint32_t offset, n;
} wn_chunk_line;

#define WN_LINE_UNREADABLE INT64_MIN

typedef struct wn_import_raw {
    uint8_t *bytes;
    size_t n, bytes_max;
    size_t newlines;
    wn_chunk_line *line;
    size_t lines_n, lines_max;
    size_t cut_at; // how far the bytes are cut into lines
} wn_import_raw;

// Address space for the named limits; memory is taken as it fills and kept out of dumps.
WN_MUST_USE wn_err wn_import_raw_open(wn_import_raw *r, size_t bytes_max, size_t lines_max);
void wn_import_raw_close(wn_import_raw *r);
// WN_ERR_FULL above either limit: nothing added.
WN_MUST_USE wn_err wn_import_raw_add(wn_import_raw *r, wn_span bytes);
// Cuts at most `lines` more lines and reads their times; true when all are cut.
bool wn_import_raw_cut(wn_import_raw *r, wn_line_format format, size_t lines, wn_line *scratch);
// Lines from..to by time, and as they stood where times are equal.
void wn_import_raw_sort(wn_import_raw *r, size_t from, size_t to);
void wn_import_raw_wipe(wn_import_raw *r); // and gives the memory back
