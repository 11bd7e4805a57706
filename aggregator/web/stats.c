// SPDX-License-Identifier: Apache-2.0
// Why: clients of the Plausible Stats API v2 get published rows in the shape
// they know, a bucket of time a turn of the loop, with what the figures are said
// in `meta`.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "days.h"
#include "report_rows.h"
#include "report_text.h"
#include "stats_ask.h"
#include "web.h"

typedef struct result { // one row of the answer
    int32_t day;        // of its bucket
    char label[2][WN_OPEN_TEXT_MAX + 1];
    bool is_other;
    double metric[WN_STATS_METRICS_MAX];
    bool known[WN_STATS_METRICS_MAX]; // else null: not published
} result;

typedef struct stats {
    wn_web *web;
    wn_web_reader reader;
    wn_body body;
    wn_stats_ask ask;
    wn_table table;
    wn_site site;
    int32_t next_day; // first of the bucket that is read, or of the next
    bool reading;
    unsigned large; // its place in web->large
    wn_report_query query;
    wn_report_rows rows;
    bool visitor_days, corrupt;
    uint8_t k;
    result *row;
    size_t n, cap;
} stats;

static void stats_free(void *state) {
    stats *s = state;
    if (!s) return;
    wn_report_rows_fini(&s->rows);
    wn_web_room_end(s->web, s->large);
    free(s->row);
    free(s);
}

static bool reads(void *ctx, const wn_table *t) {
    const wn_web_ask *a = ctx;
    return wn_web_reads_table(&a->reader, &a->web->conf.plan, t);
}

static bool may_see(void *ctx, const wn_public_head *head) {
    const stats *s = ctx;
    return wn_web_reads_window(&s->reader, &s->web->conf.plan, head);
}

// ---- buckets ----

// The last day of the bucket that `day` lies in, within the range.
static int32_t bucket_end(const stats *s, int32_t day) {
    wn_date d = wn_day_date(day);
    int32_t end = s->ask.to_day;
    switch (s->ask.time) {
    case WN_STATS_HOUR:
    case WN_STATS_DAY: end = day; break;
    case WN_STATS_WEEK:
        end = day + 6 - (day + 3) % 7;
        break; // 1970-01-01 was a Thursday; weeks begin on Monday
    case WN_STATS_MONTH: end = day + (int32_t)(wn_month_days(d.y, d.m) - d.d); break;
    case WN_STATS_NO_TIME:
    case WN_STATS_AUTO: break;
    }
    return end < s->ask.to_day ? end : s->ask.to_day;
}

// What a bucket is called: its day, the Monday of its week, the first of its month.
static int32_t bucket_name(const stats *s, int32_t day) {
    if (s->ask.time == WN_STATS_WEEK) return day - (day + 3) % 7;
    if (s->ask.time == WN_STATS_MONTH) return day - (int32_t)(wn_day_date(day).d - 1);
    return day;
}

// ---- rows ----

static bool matches(const wn_stats_filter *f, const char *label) {
    for (size_t i = 0; i < f->values_n; i++) {
        wn_span v = f->value[i];
        bool is = v.n == strlen(label) && memcmp(v.p, label, v.n) == 0;
        bool holds = f->op == WN_STATS_IS || f->op == WN_STATS_IS_NOT
                         ? is
                         : memmem(label, strlen(label), v.p, v.n) != NULL;
        if (holds) return true;
    }
    return false;
}

static unsigned place_of(const stats *s, uint8_t dim) {
    return s->table.dims_n > 1 && s->table.dims[1] == dim ? 1 : 0;
}

static bool passes(const stats *s, const wn_report_row *row) {
    for (size_t i = 0; i < s->ask.filters_n; i++) {
        const wn_stats_filter *f = &s->ask.filter[i];
        bool negated = f->op == WN_STATS_IS_NOT || f->op == WN_STATS_CONTAINS_NOT;
        // Who is in `other` is not known by value.
        if (row->is_other || matches(f, row->label[place_of(s, f->dim->dim)]) == negated) return false;
    }
    return true;
}

static bool figure(const wn_report_row *row, wn_stats_metric m, double *out) {
    uint64_t part = 0, whole = 0;
    switch (m) {
    case WN_STATS_VISITORS: part = row->people, whole = 1; break;
    case WN_STATS_VISITS: whole = wn_report_value(row, WN_MEASURE_SESSIONS, &part); break;
    case WN_STATS_PAGEVIEWS:
    case WN_STATS_EVENTS: part = row->events, whole = 1; break;
    // A rate divides by the sessions of the very days that show its figure.
    case WN_STATS_BOUNCE_RATE:
        if (wn_report_value(row, WN_MEASURE_BOUNCES, &part)) whole = row->bounce_sessions;
        part *= 100;
        break;
    case WN_STATS_DURATION:
        if (wn_report_value(row, WN_MEASURE_TIME, &part)) whole = row->time_sessions;
        break;
    case WN_STATS_METRICS_N: break;
    }
    *out = whole ? (double)part / (double)whole : 0;
    return whole != 0;
}

static wn_err row_take(stats *s, int32_t day, const wn_report_row *row) {
    if (s->n == WN_WEB_ROWS_MAX) return WN_ERR_FULL;
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 64;
        result *grown = realloc(s->row, cap * sizeof *grown);
        if (!grown) return WN_ERR_NOMEM;
        s->row = grown;
        s->cap = cap;
    }
    result *r = &s->row[s->n++];
    *r = (result){.day = day, .is_other = row->is_other};
    memcpy(r->label, row->label, sizeof r->label);
    for (size_t m = 0; m < s->ask.metrics_n; m++) r->known[m] = figure(row, s->ask.metric[m], &r->metric[m]);
    return WN_OK;
}

static void bucket_begin(stats *s) {
    int32_t first = s->next_day, last = bucket_end(s, first);
    s->query = (wn_report_query){.site = s->site.name,
                                 .table = s->table.id,
                                 .from_day = first,
                                 .to_day = last,
                                 .shape = &s->table,
                                 .may = may_see,
                                 .may_ctx = s,
                                 .no_counts = true,
                                 .narrow = !wn_web_reads_all(&s->reader),
                                 .rows_max = WN_WEB_ROWS_MAX};
    wn_dates_bounds(&s->site, first, last, &s->query.from_s, &s->query.to_s);
    wn_report_rows_begin(&s->rows, &s->query);
    s->reading = true;
}

static wn_err bucket_take(stats *s) {
    wn_err err = wn_report_rows_end(&s->rows, s->web->store);
    s->corrupt = s->corrupt || err == WN_ERR_CORRUPT;
    if (err == WN_ERR_CORRUPT) err = WN_OK;
    for (size_t i = 0; !err && i < s->rows.rows_n; i++)
        if (passes(s, &s->rows.rows[i])) err = row_take(s, bucket_name(s, s->next_day), &s->rows.rows[i]);
    if (s->rows.windows_n > 1) s->visitor_days = true;
    if (s->rows.k > s->k) s->k = s->rows.k;
    s->next_day = s->query.to_day + 1;
    s->reading = false;
    wn_report_rows_fini(&s->rows);
    return err;
}

// Reads a day on; at the end of a bucket takes its rows.
static wn_err read_on(stats *s) {
    bool done;
    if (!s->reading) bucket_begin(s);
    WN_TRY(wn_report_rows_step(&s->rows, s->web->store, &done));
    return done ? bucket_take(s) : WN_OK;
}

// ---- order ----

static unsigned label_place(const stats *s, size_t dim) {
    return place_of(s, s->ask.dim[dim]->dim);
}

static int by_time(const stats *s, const result *a, const result *b) {
    if (a->day != b->day) return a->day < b->day ? -1 : 1;
    unsigned at = place_of(s, WN_DIM_hour);
    return s->ask.time == WN_STATS_HOUR ? strcmp(a->label[at], b->label[at]) : 0;
}

static int by_one(const stats *s, const wn_stats_order *o, const result *a, const result *b) {
    int order;
    if (o->by_metric) {
        double x = a->known[o->at] ? a->metric[o->at] : -1, y = b->known[o->at] ? b->metric[o->at] : -1;
        order = (x > y) - (x < y);
    } else if (s->ask.dim[o->at]->dim == WN_DIM_NONE) {
        order = by_time(s, a, b);
    } else {
        order = strcmp(a->label[label_place(s, o->at)], b->label[label_place(s, o->at)]);
    }
    return o->descending ? -order : order;
}

static int compare(const void *x, const void *y, void *ctx) {
    static const wn_stats_order first_metric = {.by_metric = true, .descending = true};
    const stats *s = ctx;
    const result *a = x, *b = y;
    int order = 0;
    for (size_t i = 0; !order && i < s->ask.orders_n; i++) order = by_one(s, &s->ask.order[i], a, b);
    if (!order && !s->ask.orders_n && s->ask.time) order = by_time(s, a, b);
    if (!order && !s->ask.orders_n) order = by_one(s, &first_metric, a, b);
    if (!order) order = by_time(s, a, b);
    for (unsigned i = 0; !order && i < 2; i++) order = strcmp(a->label[i], b->label[i]);
    return order;
}

// ---- the answer ----

static void number_write(const result *r, size_t m, wn_stats_metric metric, FILE *out) {
    if (!r->known[m]) fputs("null", out);
    else if (metric == WN_STATS_BOUNCE_RATE) fprintf(out, "%.1f", r->metric[m]);
    else fprintf(out, "%.0f", r->metric[m]);
}

static void time_write(const stats *s, int32_t day, const char *hour, FILE *out) {
    char text[11];
    wn_day_text(day, text);
    if (s->ask.time == WN_STATS_HOUR) fprintf(out, "\"%s %.5s:00\"", text, hour);
    else fprintf(out, "\"%s\"", text);
}

static void result_write(const stats *s, const result *r, FILE *out) {
    fputs("{\"metrics\":[", out);
    for (size_t m = 0; m < s->ask.metrics_n; m++) {
        if (m) fputc(',', out);
        number_write(r, m, s->ask.metric[m], out);
    }
    fputs("],\"dimensions\":[", out);
    for (size_t d = 0; d < s->ask.dims_n; d++) {
        if (d) fputc(',', out);
        if (s->ask.dim[d]->dim == WN_DIM_NONE) time_write(s, r->day, r->label[place_of(s, WN_DIM_hour)], out);
        else wn_report_text_json(out, r->is_other ? "(other)" : r->label[label_place(s, d)]);
    }
    fputs("]}", out);
}

static void labels_write(const stats *s, FILE *out) {
    bool first = true;
    char hour[16];
    fputs(",\"time_labels\":[", out);
    for (int32_t day = s->ask.from_day; day <= s->ask.to_day; day = bucket_end(s, day) + 1) {
        for (unsigned h = 0; h < (s->ask.time == WN_STATS_HOUR ? 24u : 1u); h++) {
            snprintf(hour, sizeof hour, "%02u:00", h);
            if (!first) fputc(',', out);
            time_write(s, bucket_name(s, day), hour, out);
            first = false;
        }
    }
    fputc(']', out);
}

static void warning(const char *metric, const char *code, const char *words, bool *first, FILE *out) {
    fprintf(out, "%s\"%s\":{\"code\":\"%s\",\"warning\":\"%s\"}", *first ? "" : ",", metric, code, words);
    *first = false;
}

static bool asked_for(const stats *s, wn_stats_metric m) {
    for (size_t i = 0; i < s->ask.metrics_n; i++)
        if (s->ask.metric[i] == m) return true;
    return false;
}

static void meta_write(const stats *s, FILE *out) {
    bool first = true, noise = s->table.profile == WN_PROFILE_NOISE;
    fprintf(out, "\"meta\":{\"table\":\"%s\",\"k\":%u,\"at_least\":%s", s->table.id, (unsigned)s->k,
            noise ? "false" : "true");
    if (s->ask.imports) fputs(",\"imports_included\":false", out);
    if (s->ask.total_rows) fprintf(out, ",\"total_rows\":%zu", s->n);
    if (s->ask.time_labels) labels_write(s, out);
    if (s->corrupt) fputs(",\"damaged\":true", out);
    fputs(",\"metric_warnings\":{", out);
    if (asked_for(s, WN_STATS_VISITORS) && s->visitor_days)
        warning("visitors", "visitor_days",
                "Adds up each day's visitors: who came on three days counts three times", &first, out);
    else if (asked_for(s, WN_STATS_VISITORS))
        warning("visitors", noise ? "noise" : "at_least",
                noise ? "An estimate: noise was added once, at the seal"
                      : "At least so many; rows too small to hide everybody in them are not shown",
                &first, out);
    if (asked_for(s, WN_STATS_VISITS))
        warning("visits", "sealed_days", "Of sealed days alone; null while none is sealed", &first, out);
    fputs("}}", out);
}

static void texts_write(const char *name, const char *const *text, size_t n, FILE *out) {
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) fprintf(out, "%s\"%s\"", i ? "," : "", text[i]);
    fputc(']', out);
}

static void filters_write(const stats *s, FILE *out) {
    static const char *const ops[] = {"is", "is_not", "contains", "contains_not"};
    fputs(",\"filters\":[", out);
    for (size_t i = 0; i < s->ask.filters_n; i++) {
        const wn_stats_filter *f = &s->ask.filter[i];
        fprintf(out, "%s[\"%s\",\"%s\",[", i ? "," : "", ops[f->op], f->dim->name);
        for (size_t v = 0; v < f->values_n; v++) {
            char text[WN_WEB_BODY_BYTES_MAX + 1];
            memcpy(text, f->value[v].p, f->value[v].n);
            text[f->value[v].n] = '\0';
            if (v) fputc(',', out);
            wn_report_text_json(out, text);
        }
        fputs("]]", out);
    }
    fputc(']', out);
}

// The query as it was understood.
static void query_write(const stats *s, FILE *out) {
    const char *name[WN_STATS_METRICS_MAX];
    char from[11], to[11];
    wn_day_text(s->ask.from_day, from);
    wn_day_text(s->ask.to_day, to);
    fprintf(out, "\"query\":{\"site_id\":\"%s\",\"date_range\":[\"%s\",\"%s\"]", s->site.name, from, to);
    for (size_t i = 0; i < s->ask.metrics_n; i++) name[i] = wn_stats_metric_name(s->ask.metric[i]);
    texts_write("metrics", name, s->ask.metrics_n, out);
    for (size_t i = 0; i < s->ask.dims_n; i++) name[i] = s->ask.dim[i]->name;
    texts_write("dimensions", name, s->ask.dims_n, out);
    filters_write(s, out);
    fputs(",\"order_by\":[", out);
    for (size_t i = 0; i < s->ask.orders_n; i++) {
        const wn_stats_order *o = &s->ask.order[i];
        fprintf(out, "%s[\"%s\",\"%s\"]", i ? "," : "",
                o->by_metric ? wn_stats_metric_name(s->ask.metric[o->at]) : s->ask.dim[o->at]->name,
                o->descending ? "desc" : "asc");
    }
    fprintf(out, "],\"include\":{},\"pagination\":{\"limit\":%zu,\"offset\":%zu}}", s->ask.limit,
            s->ask.offset);
}

static enum MHD_Result answer(wn_web_ask *a, stats *s) {
    char *text = NULL;
    size_t n = 0;
    // Everybody's row may be hidden, which is no zero: null says so.
    if (s->ask.dims_n == 0 && s->n == 0 && row_take(s, s->ask.from_day, &(wn_report_row){0}) == WN_OK)
        memset(s->row[0].known, 0, sizeof s->row[0].known);
    if (s->n) qsort_r(s->row, s->n, sizeof *s->row, compare, s);
    FILE *out = open_memstream(&text, &n);
    if (!out) return MHD_NO;
    size_t from = s->ask.offset < s->n ? s->ask.offset : s->n;
    size_t to = s->ask.limit < s->n - from ? from + s->ask.limit : s->n;
    fputs("{\"results\":[", out);
    for (size_t i = from; i < to; i++) {
        fputs(i > from ? ",\n" : "\n", out);
        result_write(s, &s->row[i], out);
    }
    fputs("],\n", out);
    meta_write(s, out);
    fputs(",\n", out);
    query_write(s, out);
    fputs("}\n", out);
    if (fclose(out) != 0) return free(text), MHD_NO;
    return wn_web_say_text(a, MHD_HTTP_OK, text, n, "application/json", NULL);
}

static bool begin(wn_web_ask *a, stats *s) {
    const char *why;
    if (!wn_body_parse((wn_span){(const uint8_t *)a->body, a->body_n}, &s->body, &why))
        return wn_problem_set(&a->problem, WN_PROBLEM_bad_body, "%s", why);
    if (!wn_stats_parse(&s->body, &s->ask, &a->problem)) return false;
    const wn_site *site = wn_web_site(a, s->ask.site, &a->problem);
    if (!site) return false;
    s->site = *site;
    wn_stats_settle(&s->ask, wn_dates_today(site));
    const wn_table *t = wn_stats_table(&s->ask, &a->web->conf.plan, reads, a, &a->problem);
    if (!t) return false;
    s->table = *t;
    s->next_day = s->ask.from_day;
    return true;
}

enum MHD_Result wn_web_stats(wn_web_ask *a) {
    stats *s = a->state;
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s) return MHD_NO;
        s->web = a->web;
        s->reader = a->reader;
        a->state = s;
        a->state_free = stats_free;
        if (!begin(a, s)) return wn_web_say_problem(a, &a->problem);
    }
    wn_err err = read_on(s);
    if (err == WN_ERR_FULL)
        (void)wn_problem_set(&a->problem, WN_PROBLEM_report_too_large, "Ask for fewer days, or without time");
    else if (err) (void)wn_problem_set(&a->problem, WN_PROBLEM_store_damaged, "%s", wn_err_text(err));
    if (err || !wn_web_room(a, &s->large, s->n + s->rows.rows_n)) return wn_web_say_problem(a, &a->problem);
    return s->next_day <= s->ask.to_day ? MHD_YES : answer(a, s);
}
