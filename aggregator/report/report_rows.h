// SPDX-License-Identifier: Apache-2.0
// report_rows.h: what a report shows, gathered from published/ and merged.
#pragma once

#include "report.h"

typedef struct wn_report_row {
    char label[2][WN_OPEN_TEXT_MAX + 1];
    bool is_other;
    uint64_t people, events, sessions;       // sums of floors; with noise people are estimates
    bool has_sessions;                       // stands in a sealed window: they are published at the seal
    uint8_t locked;                          // measures that a day shows
    uint64_t bounces, seconds, number;       // sums of the days that show them
    uint64_t bounce_sessions, time_sessions; // of those same days: what a rate divides by
} wn_report_row;

typedef struct wn_report_rows {
    const wn_report_query *query;
    bool shaped; // the following eight are known
    uint8_t dims_n, dims[2];
    uint8_t measures, k;
    uint8_t profile;
    bool share;                            // people who agreed to sharing
    uint32_t plan_version, policy_version; // the newest window's
    bool many;                             // people are visitor_days
    wn_public_head *windows;
    size_t windows_n, windows_cap;
    wn_report_row *rows; // shown ones, in order, `other` last
    size_t rows_n, rows_cap;
    size_t rows_cut; // published, left out by the limit
    bool reshaped;   // windows of an older plan that are not like these are left out
    bool has_ledger; // a head is there to be quoted; read after the rows, so it covers them
    uint64_t ledger_number;
    uint8_t ledger_head[32];
    bool has_counts;
    uint64_t refused, capped;
    bool indexed;    // from the second window on
    uint32_t *index; // open addressing over rows: number + 1; 0 free
    size_t index_cap;
    bool corrupt;   // some stored records fail their authentication and are left out
    int64_t next_s; // where the next slice of time begins
    wn_err err;
} wn_report_rows;

// On an error other than WN_ERR_CORRUPT nothing is to be shown. fini in any case.
WN_MUST_USE wn_err wn_report_rows_read(wn_report_rows *r, const wn_published *p, const wn_report_query *q);
// The same a day at a time, for who has other things to do: begin, step until
// it says so, end. Each step is a short transaction of its own.
void wn_report_rows_begin(wn_report_rows *r, const wn_report_query *q);
WN_MUST_USE wn_err wn_report_rows_step(wn_report_rows *r, const wn_published *p, bool *out_done);
WN_MUST_USE wn_err wn_report_rows_end(wn_report_rows *r, const wn_published *p);
void wn_report_rows_fini(wn_report_rows *r);
size_t wn_report_rows_sealed(const wn_report_rows *r); // windows
bool wn_report_rows_has_country(const wn_report_rows *r);

// Of a noise table with windows, all of one kind of noise: least whole w that
// the noise of its sealed days together stays within in 95 of 100 draws. Else 0.
uint64_t wn_report_half_width(const wn_report_rows *r);
uint32_t wn_report_threshold(const wn_report_rows *r); // 0: not known

// The measures of a table in the order of columns.
#define WN_REPORT_COLUMNS_MAX 6
typedef struct wn_report_column {
    const char *name;
    uint8_t measure;
} wn_report_column;
size_t wn_report_columns(const wn_report_rows *r, wn_report_column out[WN_REPORT_COLUMNS_MAX]);
// What the figures mean, for who sees them alone.
#define WN_REPORT_MEANING_BYTES 320
void wn_report_meaning(const wn_report_rows *r, char out[WN_REPORT_MEANING_BYTES]);
#define WN_REPORT_TIME_BYTES 24
void wn_report_time_text(int64_t t_s, char out[WN_REPORT_TIME_BYTES]); // "2026-11-21T01:00:00Z"

// After the rows are in order: finds one by its labels; NULL when it is none of them. index sets that up
// anew.
WN_MUST_USE wn_err wn_report_rows_index(wn_report_rows *r);
const wn_report_row *wn_report_rows_find(const wn_report_rows *r, const wn_public_row *row);
// True for a window whose rows may be added up with these.
bool wn_report_rows_like(const wn_report_rows *r, const wn_public_head *head);
// False when nothing of it is published yet: never to be shown as 0.
bool wn_report_value(const wn_report_row *row, uint8_t measure, uint64_t *out);

// One file a format. A table's columns are as wide as its rows, so it is written
// whole; the others piece by piece.
struct wn_report_trend;
void wn_report_table_write(const wn_report_rows *r, const struct wn_report_trend *trend, FILE *out);

typedef struct wn_report_piece {
    const wn_report_rows *rows;
    const char *day;  // of rows that stand for one day of several; else NULL
    const char *next; // JSON: where the next page begins; else NULL
    bool has_total;
    size_t total;               // rows of all pages
    size_t written;             // rows, once at the end
    const wn_report_row *other; // JSON: of a page that does not reach it
} wn_report_piece;

typedef struct wn_report_writer {
    void (*begin)(const wn_report_piece *p, FILE *out);
    void (*row)(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out);
    void (*end)(const wn_report_piece *p, FILE *out);
} wn_report_writer;
extern const wn_report_writer wn_report_csv, wn_report_json, wn_report_ndjson, wn_report_msgpack,
    wn_report_meta;
const wn_report_writer *wn_report_writer_of(wn_report_format format); // NULL: TABLE, which is written whole
// What a person should know of missing rows, and of what the format does not say itself.
void wn_report_notes(const wn_published *p, const wn_report_rows *r, size_t rows, wn_err err, FILE *notes);
