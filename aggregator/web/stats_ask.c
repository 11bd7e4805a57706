// SPDX-License-Identifier: Apache-2.0
// Why: a query is taken whole or refused: what would be passed over would give
// a figure that looks like the one asked for.
#include "stats_ask.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "web_query.h"

static const char *const metrics[] = {
    [WN_STATS_VISITORS] = "visitors",       [WN_STATS_VISITS] = "visits",
    [WN_STATS_PAGEVIEWS] = "pageviews",     [WN_STATS_EVENTS] = "events",
    [WN_STATS_BOUNCE_RATE] = "bounce_rate", [WN_STATS_DURATION] = "visit_duration",
};
#define METRICS "visitors, visits, pageviews, events, bounce_rate and visit_duration"

#define OPEN(name) (uint8_t)(WN_CLOSED_N + WN_DIM_##name)
static const wn_stats_dim dims[] = {
    {"visit:source", OPEN(referrer), WN_STATS_NO_TIME},
    {"visit:referrer", OPEN(referrer), WN_STATS_NO_TIME},
    {"visit:channel", WN_DIM_channel, WN_STATS_NO_TIME},
    {"visit:utm_source", OPEN(source), WN_STATS_NO_TIME},
    {"visit:utm_medium", OPEN(medium), WN_STATS_NO_TIME},
    {"visit:utm_campaign", OPEN(campaign), WN_STATS_NO_TIME},
    {"visit:utm_term", OPEN(term), WN_STATS_NO_TIME},
    {"visit:country", WN_DIM_country, WN_STATS_NO_TIME},
    {"visit:region", OPEN(region), WN_STATS_NO_TIME},
    {"visit:device", WN_DIM_device, WN_STATS_NO_TIME},
    {"visit:browser", WN_DIM_browser, WN_STATS_NO_TIME},
    {"visit:browser_version", WN_DIM_browser_version, WN_STATS_NO_TIME},
    {"visit:os", WN_DIM_system, WN_STATS_NO_TIME},
    {"visit:os_version", WN_DIM_system_version, WN_STATS_NO_TIME},
    {"visit:screen", WN_DIM_screen, WN_STATS_NO_TIME},
    {"visit:language", WN_DIM_language, WN_STATS_NO_TIME},
    {"visit:entry_page", OPEN(entry), WN_STATS_NO_TIME},
    {"visit:exit_page", OPEN(exit), WN_STATS_NO_TIME},
    {"event:page", OPEN(route), WN_STATS_NO_TIME},
    {"event:name", OPEN(event), WN_STATS_NO_TIME},
    {"time", WN_DIM_NONE, WN_STATS_AUTO},
    {"time:hour", WN_DIM_NONE, WN_STATS_HOUR},
    {"time:day", WN_DIM_NONE, WN_STATS_DAY},
    {"time:week", WN_DIM_NONE, WN_STATS_WEEK},
    {"time:month", WN_DIM_NONE, WN_STATS_MONTH},
};

const char *wn_stats_metric_name(wn_stats_metric m) {
    return metrics[m];
}

static bool bad(wn_problem *p, const char *words) {
    return wn_problem_set(p, WN_PROBLEM_bad_query, "%s", words);
}

static bool is_string(const wn_body *b, uint16_t at) {
    return b->node[at].type == WN_BODY_STRING;
}

static const wn_stats_dim *dim_of(wn_span name) {
    for (size_t i = 0; i < WN_COUNT(dims); i++)
        if (wn_span_is(name, dims[i].name)) return &dims[i];
    return NULL;
}

static bool unknown_dim(wn_problem *p, const char *where, wn_span name) {
    return wn_problem_set(
        p, WN_PROBLEM_bad_query,
        "%s: \"%.*s\" is no dimension that a table here has; the dimensions of /api/v1/tables are"
        " visit:source, visit:referrer, visit:channel, visit:utm_source, visit:utm_campaign,"
        " visit:country, visit:device, visit:browser, visit:os, visit:entry_page, visit:exit_page,"
        " event:page and event:name, beside time:hour, time:day, time:week and time:month",
        where, (int)(name.n < 40 ? name.n : 40), name.n ? (const char *)name.p : "");
}

// ---- each key of the query ----

static bool take_site(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    wn_span text = b->node[at].text;
    if (!is_string(b, at) || text.n == 0 || text.n >= sizeof ask->site)
        return bad(p, "site_id: the name of a site, as /api/v1/sites lists them");
    memcpy(ask->site, text.p, text.n);
    ask->site[text.n] = '\0';
    return true;
}

static bool take_metrics(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    if (b->node[at].type != WN_BODY_ARRAY || b->node[at].end == wn_body_first(at))
        return bad(p, "metrics: a list of at least one of " METRICS);
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[i].end) {
        size_t m = 0;
        while (m < WN_STATS_METRICS_N && !(is_string(b, i) && wn_span_is(b->node[i].text, metrics[m]))) m++;
        if (m == WN_STATS_METRICS_N)
            return bad(p, "metrics: published rows have " METRICS
                          "; others would need events, which are not kept");
        for (size_t j = 0; j < ask->metrics_n; j++)
            if (ask->metric[j] == m) return bad(p, "metrics: each once");
        ask->metric[ask->metrics_n++] = (wn_stats_metric)m;
    }
    return true;
}

static bool take_dims(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    if (b->node[at].type != WN_BODY_ARRAY) return bad(p, "dimensions: a list");
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[i].end) {
        const wn_stats_dim *d = is_string(b, i) ? dim_of(b->node[i].text) : NULL;
        if (!d) return unknown_dim(p, "dimensions", b->node[i].text);
        if (ask->dims_n == WN_STATS_DIMS_MAX)
            return bad(p, "dimensions: at most 3, and a table has at most 2");
        for (size_t j = 0; j < ask->dims_n; j++)
            if (ask->dim[j] == d) return bad(p, "dimensions: each once");
        if (d->time && ask->time) return bad(p, "dimensions: one of time at most");
        if (d->time) ask->time = d->time;
        ask->dim[ask->dims_n++] = d;
    }
    return true;
}

static bool take_days(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    static const char allowed[] = "date_range: [\"2026-11-01\", \"2026-11-30\"], or one of " WN_WEB_PERIODS
                                  "; rows are of whole local days, so there are no times of day";
    int32_t day[2], from, to;
    size_t n = 0;
    if (is_string(b, at)) {
        wn_span text = b->node[at].text;
        if (text.n == 0 || text.n >= sizeof ask->period) return bad(p, allowed);
        memcpy(ask->period, text.p, text.n);
        ask->period[text.n] = '\0';
        return wn_web_period(ask->period, 20000, &from, &to) || bad(p, allowed);
    }
    if (b->node[at].type != WN_BODY_ARRAY) return bad(p, allowed);
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[i].end) {
        wn_span text = b->node[i].text;
        if (n == 2 || !is_string(b, i) || !wn_day_parse((const char *)text.p, text.n, &day[n]))
            return bad(p, allowed);
        n++;
    }
    if (n != 2 || day[0] > day[1])
        return bad(p, n == 2 ? "date_range: the first day lies after the last" : allowed);
    if (day[1] - day[0] >= WN_WEB_DAYS_MAX) return bad(p, "date_range: at most 3660 days");
    ask->from_day = day[0];
    ask->to_day = day[1];
    return true;
}

static bool take_filter(const wn_body *b, uint16_t at, wn_stats_filter *f, wn_problem *p) {
    static const char *const ops[] = {"is", "is_not", "contains", "contains_not"};
    static const char form[] =
        "filters: [[\"is\"|\"is_not\"|\"contains\"|\"contains_not\", DIMENSION, [VALUE, …]], …],"
        " all of which hold; patterns, and, or, not, goals and segments would need events";
    uint16_t op = wn_body_first(at), end = b->node[at].end;
    if (b->node[at].type != WN_BODY_ARRAY || op >= end || !is_string(b, op)) return bad(p, form);
    size_t o = 0;
    while (o < WN_COUNT(ops) && !wn_span_is(b->node[op].text, ops[o])) o++;
    uint16_t name = b->node[op].end;
    uint16_t values = name < end ? b->node[name].end : end;
    if (o == WN_COUNT(ops) || values >= end || b->node[values].end != end || !is_string(b, name) ||
        b->node[values].type != WN_BODY_ARRAY)
        return bad(p, form);
    f->op = (wn_stats_op)o;
    f->dim = dim_of(b->node[name].text);
    if (!f->dim) return unknown_dim(p, "filters", b->node[name].text);
    if (f->dim->time) return bad(p, "filters: time is chosen by date_range");
    for (uint16_t i = wn_body_first(values); i < end; i = b->node[i].end) {
        if (!is_string(b, i) || f->values_n == WN_STATS_VALUES_MAX)
            return bad(p, "filters: 1 to 32 values, as strings");
        f->value[f->values_n++] = b->node[i].text;
    }
    return f->values_n > 0 || bad(p, "filters: 1 to 32 values, as strings");
}

static bool take_filters(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    if (b->node[at].type != WN_BODY_ARRAY) return bad(p, "filters: a list");
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[i].end) {
        if (ask->filters_n == WN_STATS_FILTERS_MAX) return bad(p, "filters: at most 8");
        if (!take_filter(b, i, &ask->filter[ask->filters_n++], p)) return false;
    }
    return true;
}

static bool order_of(const wn_stats_ask *ask, wn_span name, wn_stats_order *out) {
    for (out->at = 0, out->by_metric = true; out->at < ask->metrics_n; out->at++)
        if (wn_span_is(name, metrics[ask->metric[out->at]])) return true;
    for (out->at = 0, out->by_metric = false; out->at < ask->dims_n; out->at++)
        if (wn_span_is(name, ask->dim[out->at]->name)) return true;
    return false;
}

static bool take_order(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    static const char form[] =
        "order_by: [[one of the metrics or dimensions asked for, \"asc\" or \"desc\"], …]";
    if (b->node[at].type != WN_BODY_ARRAY) return bad(p, form);
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[i].end) {
        uint16_t name = wn_body_first(i), end = b->node[i].end, way = name < end ? b->node[name].end : end;
        if (b->node[i].type != WN_BODY_ARRAY || way >= end || b->node[way].end != end ||
            !is_string(b, name) || !is_string(b, way) || ask->orders_n == WN_COUNT(ask->order))
            return bad(p, form);
        wn_stats_order *o = &ask->order[ask->orders_n++];
        o->descending = wn_span_is(b->node[way].text, "desc");
        if (!order_of(ask, b->node[name].text, o)) return bad(p, form);
        if (!o->descending && !wn_span_is(b->node[way].text, "asc")) return bad(p, form);
    }
    return true;
}

static bool take_include(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    static const char form[] = "include: {\"time_labels\": true, \"total_rows\": true, \"imports\": false}";
    if (b->node[at].type != WN_BODY_OBJECT) return bad(p, form);
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[b->node[i].end].end) {
        wn_body_type value = b->node[b->node[i].end].type;
        bool *flag = wn_span_is(b->node[i].text, "time_labels")  ? &ask->time_labels
                     : wn_span_is(b->node[i].text, "total_rows") ? &ask->total_rows
                     : wn_span_is(b->node[i].text, "imports")    ? &ask->imports
                                                                 : NULL;
        if (!flag || (value != WN_BODY_TRUE && value != WN_BODY_FALSE)) return bad(p, form);
        *flag = value == WN_BODY_TRUE;
    }
    if (ask->time_labels && !ask->time) return bad(p, "include.time_labels: needs a dimension of time");
    return true;
}

static bool number_of(const wn_body *b, uint16_t at, size_t max, size_t *out) {
    wn_span text = b->node[at].text;
    size_t value = 0;
    if (b->node[at].type != WN_BODY_NUMBER || text.n == 0 || text.n > 9) return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return false;
        value = value * 10 + (size_t)(text.p[i] - '0');
    }
    *out = value;
    return value <= max;
}

static bool take_page(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p) {
    static const char form[] = "pagination: {\"limit\": 1 to 10000, \"offset\": 0 or more}";
    if (b->node[at].type != WN_BODY_OBJECT) return bad(p, form);
    for (uint16_t i = wn_body_first(at); i < b->node[at].end; i = b->node[b->node[i].end].end) {
        uint16_t value = b->node[i].end;
        bool limit = wn_span_is(b->node[i].text, "limit"), offset = wn_span_is(b->node[i].text, "offset");
        if (limit && number_of(b, value, WN_STATS_LIMIT_MAX, &ask->limit) && ask->limit > 0) continue;
        if (offset && number_of(b, value, WN_REPORT_ROWS_MAX, &ask->offset)) continue;
        return bad(p, form);
    }
    return true;
}

// In this order: order_by and include look at what was asked for.
static const struct {
    const char *key;
    bool needed;
    bool (*take)(const wn_body *b, uint16_t at, wn_stats_ask *ask, wn_problem *p);
} keys[] = {
    {"site_id", true, take_site},     {"date_range", true, take_days},  {"metrics", true, take_metrics},
    {"dimensions", false, take_dims}, {"filters", false, take_filters}, {"order_by", false, take_order},
    {"include", false, take_include}, {"pagination", false, take_page},
};

static bool keys_known(const wn_body *b, wn_problem *p) {
    for (uint16_t i = wn_body_first(0); i < b->node[0].end; i = b->node[b->node[i].end].end) {
        size_t k = 0;
        while (k < WN_COUNT(keys) && !wn_span_is(b->node[i].text, keys[k].key)) k++;
        if (k == WN_COUNT(keys))
            return bad(
                p, "Allowed keys are site_id, date_range, metrics, dimensions, filters, order_by, include and"
                   " pagination");
    }
    return true;
}

bool wn_stats_parse(const wn_body *b, wn_stats_ask *out, wn_problem *out_problem) {
    wn_stats_ask ask = {.limit = WN_STATS_LIMIT_MAX};
    if (b->node[0].type != WN_BODY_OBJECT) return bad(out_problem, "The body is one JSON object");
    if (!keys_known(b, out_problem)) return false;
    for (size_t k = 0; k < WN_COUNT(keys); k++) {
        bool twice;
        uint16_t at = wn_body_field(b, 0, keys[k].key, &twice);
        if (twice || (!at && keys[k].needed))
            return wn_problem_set(out_problem, WN_PROBLEM_bad_query, "%s: %s", keys[k].key,
                                  twice ? "stands there twice" : "is missing");
        if (at && !keys[k].take(b, at, &ask, out_problem)) return false;
    }
    *out = ask;
    return true;
}

void wn_stats_settle(wn_stats_ask *ask, int32_t today) {
    if (ask->period[0]) (void)wn_web_period(ask->period, today, &ask->from_day, &ask->to_day);
    if (ask->time == WN_STATS_AUTO) ask->time = ask->from_day == ask->to_day ? WN_STATS_HOUR : WN_STATS_DAY;
}
