// SPDX-License-Identifier: Apache-2.0
// web_query.h: what a reader asks in an address. Pure.
#pragma once

#include "report.h"
#include "web_problem.h"

#define WN_WEB_PAIRS_MAX 16
#define WN_WEB_VALUE_BYTES_MAX 128
#define WN_WEB_DAYS_MAX 3660
#define WN_WEB_LIMIT_MAX 10000 // rows a page

typedef struct wn_web_pair { // borrowed, unescaped
    wn_span name, value;
} wn_web_pair;

typedef struct wn_web_report_ask {
    char site[WN_SITE_NAME_BYTES]; // "": not said
    char table[32];                // "": not said
    char from[32], to[32];         // words for days, or "" (period: see wn_web_days)
    char period[16];
    wn_report_format format; // JSON unless has_format
    bool has_format;
    bool by_day;
    size_t limit, offset; // limit 0: all rows, as one answer
    bool has_cursor;
    uint8_t cursor_state[8]; // of the store when its first page was written
} wn_web_report_ask;

// False with a problem. What is not said has its default; nothing is looked up yet.
bool wn_web_report_parse(const wn_web_pair *pair, size_t n, wn_web_report_ask *out, wn_problem *out_problem);
// Only `site`, and that not needed.
bool wn_web_site_parse(const wn_web_pair *pair, size_t n, char out_site[WN_SITE_NAME_BYTES],
                       wn_problem *out_problem);

#define WN_WEB_CURSOR_BYTES 40
void wn_web_cursor_write(const uint8_t state[8], size_t offset, char out[WN_WEB_CURSOR_BYTES]);

// First day of a period that ends today: day, yesterday, 7d, 28d, 30d, 91d (any Nd), month, 6mo, 12mo,
// year, all. False for others. *out_to is today, of `yesterday` the day before.
bool wn_web_period(const char *text, int32_t today, int32_t *out_from, int32_t *out_to);
#define WN_WEB_PERIODS "day, yesterday, 7d (any 1d to 3660d), month, 6mo, 12mo, year and all"
// The days that are asked for, by today's date in the site's zone. False with a problem.
bool wn_web_days(const wn_web_report_ask *ask, int32_t today, int32_t *out_from, int32_t *out_to,
                 wn_problem *out_problem);

// What a header Accept likes best of the formats there are, the first of equals; JSON for NULL and for what
// is none.
wn_report_format wn_web_accepted(const char *accept);
