// SPDX-License-Identifier: Apache-2.0
// report_stream.h: a report for somebody who reads it slowly, beside others who
// want theirs: read a day at a time, written a piece at a time.
//
// Merged (by_day false): days are added up, so rows are written when all are
// read. By day: rows of one day at a time, so that a year needs the memory of
// its largest day; each row says which day it is of.
#pragma once

#include "report_rows.h"

#define WN_REPORT_PIECE_BYTES 65536 // about: a row more

typedef struct wn_report_page {
    size_t offset, limit; // limit 0: all rows, as one page
    const char *next;     // what to say of the next page; NULL: there is none
} wn_report_page;

typedef struct wn_report_stream wn_report_stream;

// Copies q and what it names, but keeps q->shape and q->may_ctx until free. No TABLE.
WN_MUST_USE wn_err wn_report_stream_new(const wn_published *p, const wn_report_query *q, bool by_day,
                                        wn_report_stream **out);
void wn_report_stream_free(wn_report_stream *s); // NULL fine
// Reads on by a day. *out_ready: rows may be written (by day: of this one).
WN_MUST_USE wn_err wn_report_stream_read(wn_report_stream *s, bool *out_ready);
bool wn_report_stream_ready(const wn_report_stream *s);
// Of a merged one that is ready: what its rows are; and which of them to write (keeps page.next).
const wn_report_rows *wn_report_stream_rows(const wn_report_stream *s);
void wn_report_stream_page(wn_report_stream *s, const wn_report_page *page);
// The next piece, borrowed until the next call: may be empty while days are read
// (of one that is not ready, or by day). *out_end: there is no more after it.
WN_MUST_USE wn_err wn_report_stream_next(wn_report_stream *s, wn_span *out, bool *out_end);
int64_t wn_report_stream_until(const wn_report_stream *s);  // days that begin before it are read
size_t wn_report_stream_written(const wn_report_stream *s); // rows so far
