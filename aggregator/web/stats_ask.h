// SPDX-License-Identifier: Apache-2.0
// stats_ask.h: a query of the Plausible Stats API v2 as far as published rows
// can answer it: grouping by the dimensions of a planned table, and nothing
// that would need events. Pure. Shape of query and answer: plausible.io/docs/stats-api.
#pragma once

#include "conf.h"
#include "stats_body.h"
#include "web_problem.h"

#define WN_STATS_METRICS_MAX 6
#define WN_STATS_DIMS_MAX 3
#define WN_STATS_FILTERS_MAX 8
#define WN_STATS_VALUES_MAX 32
#define WN_STATS_LIMIT_MAX 10000

typedef enum wn_stats_metric {
    WN_STATS_VISITORS,
    WN_STATS_VISITS,
    WN_STATS_PAGEVIEWS,
    WN_STATS_EVENTS,
    WN_STATS_BOUNCE_RATE,
    WN_STATS_DURATION,
    WN_STATS_METRICS_N
} wn_stats_metric;

typedef enum wn_stats_time {
    WN_STATS_NO_TIME,
    WN_STATS_HOUR,
    WN_STATS_DAY,
    WN_STATS_WEEK,
    WN_STATS_MONTH,
    WN_STATS_AUTO, // `time`: by the length of the range; see wn_stats_settle
} wn_stats_time;

typedef struct wn_stats_dim {
    const char *name; // as the query has it; static
    uint8_t dim;      // of ours; WN_DIM_NONE: time
    wn_stats_time time;
} wn_stats_dim;

typedef enum wn_stats_op {
    WN_STATS_IS,
    WN_STATS_IS_NOT,
    WN_STATS_CONTAINS,
    WN_STATS_CONTAINS_NOT
} wn_stats_op;

typedef struct wn_stats_filter {
    wn_stats_op op;
    const wn_stats_dim *dim;
    wn_span value[WN_STATS_VALUES_MAX]; // borrowed from the body
    size_t values_n;
} wn_stats_filter;

typedef struct wn_stats_order {
    bool by_metric, descending;
    size_t at; // in metric or dim
} wn_stats_order;

typedef struct wn_stats_ask {
    char site[WN_SITE_NAME_BYTES];
    wn_stats_metric metric[WN_STATS_METRICS_MAX];
    size_t metrics_n;
    const wn_stats_dim *dim[WN_STATS_DIMS_MAX];
    size_t dims_n;
    wn_stats_time time; // of the one time dimension among them
    wn_stats_filter filter[WN_STATS_FILTERS_MAX];
    size_t filters_n;
    wn_stats_order order[WN_STATS_METRICS_MAX + WN_STATS_DIMS_MAX];
    size_t orders_n;
    char period[16];          // "": the two days
    int32_t from_day, to_day; // given, or by wn_stats_settle
    bool time_labels, total_rows, imports;
    size_t limit, offset;
} wn_stats_ask;

// False with a problem that says what is allowed. out borrows from b.
bool wn_stats_parse(const wn_body *b, wn_stats_ask *out, wn_problem *out_problem);
// Fixes the days by today's date, and what `time` stands for.
void wn_stats_settle(wn_stats_ask *ask, int32_t today);
const char *wn_stats_metric_name(wn_stats_metric m);
// The table of the plan that answers it; `reads` says which may be read. NULL with a problem
// that names the tables that come near.
const wn_table *wn_stats_table(const wn_stats_ask *ask, const wn_plan *plan,
                               bool (*reads)(void *ctx, const wn_table *t), void *ctx,
                               wn_problem *out_problem);
