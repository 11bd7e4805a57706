// SPDX-License-Identifier: Apache-2.0
// Why: grouping is chosen by the plan, never by a query (R3): a query is
// answered when one table has just its dimensions, and else told which come near.
#include <string.h>

#include "stats_ask.h"

#define DIMS_MAX (WN_STATS_DIMS_MAX + WN_STATS_FILTERS_MAX + 1)

// The dimensions that the table must have: grouped by, held fast by a filter, and the hour.
static size_t wanted(const wn_stats_ask *ask, uint8_t out[DIMS_MAX]) {
    size_t n = 0;
    if (ask->time == WN_STATS_HOUR) out[n++] = WN_DIM_hour;
    for (size_t i = 0; i < ask->dims_n; i++)
        if (ask->dim[i]->dim != WN_DIM_NONE) out[n++] = ask->dim[i]->dim;
    for (size_t i = 0; i < ask->filters_n; i++) {
        bool there = false;
        for (size_t j = 0; j < n; j++) there = there || out[j] == ask->filter[i].dim->dim;
        if (!there) out[n++] = ask->filter[i].dim->dim;
    }
    return n;
}

static bool has_dims(const wn_table *t, const uint8_t *dim, size_t n) {
    if (t->dims_n != n) return false;
    for (size_t i = 0; i < n; i++) {
        bool there = false;
        for (unsigned d = 0; d < t->dims_n; d++) there = there || t->dims[d] == dim[i];
        if (!there) return false;
    }
    return true;
}

static bool has_metric(const wn_table *t, wn_stats_metric m) {
    uint8_t has = t->measures;
    switch (m) {
    case WN_STATS_VISITORS: return true;
    case WN_STATS_VISITS: return has & WN_MEASURE_SESSIONS;
    case WN_STATS_EVENTS: return has & WN_MEASURE_EVENTS;
    case WN_STATS_PAGEVIEWS: return (has & WN_MEASURE_EVENTS) && t->kinds == 1u << WN_OBS_VIEW;
    case WN_STATS_BOUNCE_RATE: return (has & WN_MEASURE_BOUNCES) && (has & WN_MEASURE_SESSIONS);
    case WN_STATS_DURATION: return (has & WN_MEASURE_TIME) && (has & WN_MEASURE_SESSIONS);
    case WN_STATS_METRICS_N: break;
    }
    return false;
}

static const char *missing(const wn_stats_ask *ask, const wn_table *t) {
    for (size_t i = 0; i < ask->metrics_n; i++)
        if (!has_metric(t, ask->metric[i])) return wn_stats_metric_name(ask->metric[i]);
    return NULL;
}

// What a filter on a dimension that is not grouped by needs: one row, since
// people of two rows may be the same.
static bool filters_fit(const wn_stats_ask *ask, wn_problem *p) {
    for (size_t i = 0; i < ask->filters_n; i++) {
        const wn_stats_filter *f = &ask->filter[i];
        bool grouped = false;
        for (size_t d = 0; d < ask->dims_n; d++) grouped = grouped || ask->dim[d]->dim == f->dim->dim;
        if (grouped || (f->op == WN_STATS_IS && f->values_n == 1)) continue;
        return wn_problem_set(
            p, WN_PROBLEM_bad_query,
            "filters: put %s into dimensions too: people of several of its rows cannot be added up",
            f->dim->name);
    }
    return true;
}

static size_t names_with(const wn_plan *plan, uint8_t dim, bool (*reads)(void *ctx, const wn_table *t),
                         void *ctx, char *out, size_t cap) {
    size_t at = 0;
    for (size_t i = 0; i < plan->n; i++) {
        const wn_table *t = &plan->table[i];
        bool has = false;
        for (unsigned d = 0; d < t->dims_n; d++) has = has || t->dims[d] == dim;
        if (!has || !reads(ctx, t) || at + sizeof t->id + 2 >= cap) continue;
        at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? ", " : "", t->id);
    }
    return at;
}

const wn_table *wn_stats_table(const wn_stats_ask *ask, const wn_plan *plan,
                               bool (*reads)(void *ctx, const wn_table *t), void *ctx,
                               wn_problem *out_problem) {
    uint8_t dim[DIMS_MAX];
    size_t n = wanted(ask, dim);
    const wn_table *near = NULL, *best = NULL;
    char names[160] = "";
    if (!filters_fit(ask, out_problem)) return NULL;
    for (size_t i = 0; i < plan->n; i++) {
        const wn_table *t = &plan->table[i];
        if (!has_dims(t, dim, n) || !reads(ctx, t)) continue;
        near = near ? near : t;
        // Of several populations everybody's floors come first, and estimates last.
        if (missing(ask, t)) continue;
        if (!best || t->profile < best->profile || (t->profile == best->profile && t->share < best->share))
            best = t;
    }
    if (best) return best;
    if (near) {
        const char *lacks = missing(ask, near);
        (void)wn_problem_set(
            out_problem, WN_PROBLEM_bad_query,
            "The table %s has these dimensions, but no %s%s; /api/v1/tables says what each table has",
            near->id, lacks,
            strcmp(lacks, "pageviews") == 0 ? " alone: its events are page views and others" : "");
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; i < n && at + 8 < sizeof names; i++) {
        size_t more = names_with(plan, dim[i], reads, ctx, names + at + (at ? 2 : 0), sizeof names - at - 2);
        if (more && at) memcpy(names + at, ", ", 2);
        at += more + (more && at ? 2 : 0);
    }
    names[at] = '\0';
    (void)wn_problem_set(
        out_problem, WN_PROBLEM_bad_query,
        "No planned table has just these dimensions%s%s; the plan chooses what is grouped, see"
        " /api/v1/tables",
        at ? "; some of them have " : "", names);
    return NULL;
}
