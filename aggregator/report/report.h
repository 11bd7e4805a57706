// SPDX-License-Identifier: Apache-2.0
// report.h: one published table over a range of days, written for people or
// programs. Reads published/ alone and computes nothing that is not a sum of
// released rows.
//
// Sessions are published when a window is sealed: until then there is no figure
// (table –, JSON null, CSV empty), and a range adds up its sealed days.
//
// So are bounces, time and sums, and there only where they hide everybody (R4).
//
// A range of several days adds up each day's floors: the people column is then
// `visitor_days`, never visitors. A locked figure adds up the days that show it.
// What is hidden is said, never how much.
//
// Columns, in CSV, JSON and NDJSON by these names: one a dimension, `people` or
// `visitor_days`, then those that the table has of `events`, `sessions`,
// `bounces`, `time_s` (seconds), `number1_sum` or `number2_sum`. All of them are
// floors. A table of profile `noise` has people alone; they are estimates, so CSV
// and NDJSON add a column `half_width`, which the noise in a row stays within in
// 95 of 100 draws: of one day ceil(1.96 sigma), of several that times their root.
// JSON's rho, sigma2 and threshold are of one day. Text alone adds what can be divided: `bounce_rate`, `time
// a session`.
#pragma once

#include <stdio.h>

#include "published.h"

typedef enum wn_report_format {
    WN_REPORT_TABLE,  // aligned text with a foot that explains the figures
    WN_REPORT_CSV,    // RFC 4180, one header line, no comments; a label that begins as a formula
                      // (= + - @) gets a ' in front
    WN_REPORT_JSON,   // one object
    WN_REPORT_NDJSON, // one object a row, each with what it must be read with
    // Values one after another: a map that begins with `report`, one map a row, and at the end a map
    // that begins with `end` and holds what the rows must be read with; without it they are cut off.
    WN_REPORT_MSGPACK,
    WN_REPORT_META, // one JSON object: what the rows must be read with, without them
} wn_report_format;

#define WN_REPORT_WINDOWS_MAX 4096
#define WN_REPORT_ROWS_MAX (1u << 20) // after merging
#define WN_REPORT_ATTRIBUTION "Country data: DB-IP Lite, CC BY 4.0"

typedef struct wn_report_query { // all borrowed
    const char *site, *table;
    int32_t from_day, to_day; // local dates, both included: what is printed
    int64_t from_s, to_s;     // window starts in [from_s, to_s): what is read
    wn_report_format format;
    size_t limit;          // rows beside `other`; 0: all
    bool no_foot;          // TABLE: leaves the foot out (for all but the last of several tables)
    uint8_t foot_measures; // of the tables above that left it out: the foot speaks of them too
    bool foot_has_country;
    FILE *meta; // gets META beside the rows; may be NULL
    // TABLE: each row's people by day as a line of marks; and against as many days before, of which
    // windows start at before_s or later.
    bool sparks, compare;
    int64_t before_s;
    const wn_table *shape; // the plan's table, for the columns when nothing is published; may be NULL
    // Windows that the reader may see, by how they were published; NULL: all.
    bool (*may)(void *ctx, const wn_public_head *head);
    void *may_ctx;
    bool no_counts; // leaves out what was refused or capped
    // For who may not see all that is published: leaves out what moves with the rest of it, which is the
    // ledger's head, how often a window was published and, while it is open, when.
    bool narrow;
    size_t rows_max; // after merging, then WN_ERR_FULL; 0: WN_REPORT_ROWS_MAX
} wn_report_query;

typedef struct wn_report_result {
    size_t rows, windows; // shown; found
    bool all_sealed;
} wn_report_result;

// Writes the report to `out` and what a person should know about missing rows
// to `notes`. No rows is WN_OK with rows = 0. WN_ERR_CORRUPT: written, but some
// stored records failed their authentication and are left out. out_result may be NULL.
WN_MUST_USE wn_err wn_report_run(const wn_published *p, const wn_report_query *q, FILE *out, FILE *notes,
                                 wn_report_result *out_result);
// For programs, and long ranges: the same, written a piece at a time (no TABLE). by_day: each row of each
// day, as long as the range is, in the memory of its largest day. progress: after each piece; may be NULL.
WN_MUST_USE wn_err wn_report_export(const wn_published *p, const wn_report_query *q, bool by_day, FILE *out,
                                    FILE *notes,
                                    void (*progress)(void *ctx, int64_t read_until_s, uint64_t rows),
                                    void *ctx, wn_report_result *out_result);
// "table", "csv", "json", "ndjson", "msgpack", "meta"; false for others.
bool wn_report_format_parse(const char *text, wn_report_format *out);
