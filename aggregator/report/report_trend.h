// SPDX-License-Identifier: Apache-2.0
// report_trend.h: how the people of each row went, by day, and against as many days before.
//
// Days against days: of both periods only what is sealed and published on both sides counts,
// for a row that is missing is not zero. Sums of released rows, as everything in a report.
#pragma once

#include "report_rows.h"

#define WN_TREND_CELLS_MAX (1u << 20) // rows times days; above it there is none
#define WN_TREND_MARKS_MAX 60         // of a line; more days share a mark
#define WN_TREND_MARKS_BYTES (3 * WN_TREND_MARKS_MAX + 1)

typedef struct wn_report_trend {
    size_t days; // of each period; 0: nothing was asked, or it is too much
    bool sparks, compare;
    uint64_t *now, *was; // row by row, day by day: people + 1; 0 where nothing is published
    bool *sealed;        // both periods' days, the earlier ones first
} wn_report_trend;

// What r->query asks of rows that were read. fini in any case.
WN_MUST_USE wn_err wn_report_trend_read(wn_report_trend *t, wn_report_rows *r, const wn_published *p);
void wn_report_trend_fini(wn_report_trend *t);
// False when no day can be compared. In percent, to the nearest.
bool wn_report_trend_change(const wn_report_trend *t, size_t row, int64_t *out_percent);
// One mark for one or more days, as high as against the row's largest; a space where nothing is
// published. Answers how many characters.
size_t wn_report_trend_marks(const wn_report_trend *t, size_t row, char out[WN_TREND_MARKS_BYTES]);
