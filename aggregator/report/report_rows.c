// SPDX-License-Identifier: Apache-2.0
// Why: a month is thirty short records; equal labels are added up through one
// hash index, and order is set once at the end.
#include "report_rows.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define STEP_S 86400

static uint64_t hash_text(uint64_t h, const char *text) {
    for (; *text; text++) h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (h ^ 0xFF) * UINT64_C(0x100000001b3);
}

static uint64_t hash_row(const wn_public_row *row) {
    uint64_t h = hash_text(UINT64_C(0xcbf29ce484222325) + row->is_other, row->label[0]);
    return hash_text(h, row->label[1]);
}

static bool same_row(const wn_report_row *a, const wn_public_row *b) {
    return a->is_other == b->is_other && strcmp(a->label[0], b->label[0]) == 0 &&
           strcmp(a->label[1], b->label[1]) == 0;
}

static size_t slot_of(const wn_report_rows *r, const wn_public_row *row) {
    size_t mask = r->index_cap - 1, at = (size_t)hash_row(row) & mask;
    while (r->index[at] && !same_row(&r->rows[r->index[at] - 1], row)) at = (at + 1) & mask;
    return at;
}

static wn_err index_grow(wn_report_rows *r) {
    size_t cap = r->index_cap ? 2 * r->index_cap : 256;
    uint32_t *index = calloc(cap, sizeof *index);
    if (!index) return WN_ERR_NOMEM;
    free(r->index);
    r->index = index;
    r->index_cap = cap;
    for (size_t i = 0; i < r->rows_n; i++) {
        wn_public_row key = {.is_other = r->rows[i].is_other};
        memcpy(key.label, r->rows[i].label, sizeof key.label);
        r->index[slot_of(r, &key)] = (uint32_t)i + 1;
    }
    return WN_OK;
}

wn_err wn_report_rows_index(wn_report_rows *r) {
    size_t half = 128;
    while (half <= r->rows_n) half *= 2;
    r->index_cap = half; // and grows to twice that
    r->indexed = true;
    return index_grow(r);
}

const wn_report_row *wn_report_rows_find(const wn_report_rows *r, const wn_public_row *row) {
    if (!r->indexed) return NULL;
    uint32_t at = r->index[slot_of(r, row)];
    return at ? &r->rows[at - 1] : NULL;
}

static wn_err rows_hold(wn_report_rows *r, size_t cap) {
    wn_report_row *grown = realloc(r->rows, cap * sizeof *grown);
    if (!grown) return WN_ERR_NOMEM;
    r->rows = grown;
    r->rows_cap = cap;
    return WN_OK;
}

static wn_err row_room(wn_report_rows *r) {
    if (r->rows_n == (r->query->rows_max ? r->query->rows_max : WN_REPORT_ROWS_MAX)) return WN_ERR_FULL;
    if (r->indexed && 2 * (r->rows_n + 1) > r->index_cap) WN_TRY(index_grow(r));
    return r->rows_n < r->rows_cap ? WN_OK : rows_hold(r, 2 * r->rows_cap);
}

static void locked_add(wn_report_row *sum, const wn_public_row *row) {
    sum->locked |= row->locked;
    sum->bounces += row->bounces;
    sum->seconds += row->seconds;
    sum->number += row->number;
    if (row->locked & WN_MEASURE_BOUNCES) sum->bounce_sessions += row->sessions;
    if (row->locked & WN_MEASURE_TIME) sum->time_sessions += row->sessions;
}

static wn_err row_add(wn_report_rows *r, const wn_public_row *row, bool sealed) {
    WN_TRY(row_room(r));
    size_t slot = r->indexed ? slot_of(r, row) : 0;
    size_t at = r->indexed && r->index[slot] ? r->index[slot] - 1 : r->rows_n;
    if (at == r->rows_n) {
        wn_report_row *fresh = &r->rows[r->rows_n];
        memset(fresh, 0, sizeof *fresh);
        memcpy(fresh->label, row->label, sizeof fresh->label);
        fresh->is_other = row->is_other;
        r->rows_n++;
        if (r->indexed) r->index[slot] = (uint32_t)r->rows_n;
    }
    wn_report_row *sum = &r->rows[at];
    sum->people += row->people;
    sum->events += row->events;
    if (!sealed) return WN_OK;
    sum->sessions += row->sessions;
    sum->has_sessions = true;
    locked_add(sum, row);
    return WN_OK;
}

static wn_err window_add(wn_report_rows *r, const wn_public_head *head) {
    if (r->windows_n == WN_REPORT_WINDOWS_MAX) return WN_ERR_FULL;
    if (r->windows_n == r->windows_cap) {
        size_t cap = r->windows_cap ? 2 * r->windows_cap : 32;
        wn_public_head *grown = realloc(r->windows, cap * sizeof *grown);
        if (!grown) return WN_ERR_NOMEM;
        r->windows = grown;
        r->windows_cap = cap;
    }
    r->windows[r->windows_n++] = *head;
    return WN_OK;
}

static bool same_noise(const wn_noise_terms *a, const wn_noise_terms *b) {
    return a->rho_micro == b->rho_micro && a->signed_only == b->signed_only && a->l0 == b->l0 &&
           a->threshold_closed == b->threshold_closed && a->threshold_open == b->threshold_open;
}

static bool same_shape(const wn_report_rows *r, const wn_public_head *head) {
    if (r->dims_n != head->dims_n || r->profile != head->profile || r->share != head->share) return false;
    if (!same_noise(&r->windows[r->windows_n - 1].noise, &head->noise)) return false;
    for (unsigned i = 0; i < r->dims_n; i++)
        if (r->dims[i] != head->dims[i]) return false;
    return true;
}

bool wn_report_rows_like(const wn_report_rows *r, const wn_public_head *head) {
    return r->windows_n && same_shape(r, head);
}

// Windows come in order of time: a plan's change of columns, of profile or of who
// is counted starts anew, for only like and like are added up.
static void shape_take(wn_report_rows *r, const wn_public_head *head) {
    if (r->windows_n && !same_shape(r, head)) {
        r->reshaped = true;
        r->rows_n = r->windows_n = 0;
        r->k = 0;
        r->indexed = false;
    }
    if (!r->windows_n) r->measures = head->measures;
    r->measures &= head->measures; // a column that one day lacks would be a sum of fewer days
    r->shaped = true;
    r->dims_n = head->dims_n;
    memcpy(r->dims, head->dims, sizeof r->dims);
    r->profile = head->profile;
    r->share = head->share;
    if (head->k > r->k) r->k = head->k;
    r->plan_version = head->plan_version;
    r->policy_version = head->policy_version;
}

static bool take_window(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    wn_report_rows *r = ctx;
    if (r->query->may && !r->query->may(r->query->may_ctx, head)) return true;
    shape_take(r, head);
    r->err = window_add(r, head);
    if (r->query->narrow && !r->err) {
        wn_public_head *kept = &r->windows[r->windows_n - 1];
        kept->tick = 0;
        if (!kept->sealed) kept->published_s = 0;
    }
    if (!r->err && !r->rows_cap && n) r->err = rows_hold(r, n); // of later ones most are the same
    // The rows of one window differ; only those of a second one may be the same.
    if (!r->err && r->windows_n > 1 && !r->indexed) r->err = wn_report_rows_index(r);
    for (size_t i = 0; i < n && !r->err; i++) r->err = row_add(r, &rows[i], head->sealed);
    return r->err == WN_OK;
}

static void take_counts(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped) {
    wn_report_rows *r = ctx;
    (void)start_s;
    r->refused += refused;
    r->capped += capped;
}

static int by_label(const wn_report_row *a, const wn_report_row *b) {
    int order = strcmp(a->label[0], b->label[0]);
    return order ? order : strcmp(a->label[1], b->label[1]);
}

static int by_people(const void *x, const void *y) {
    const wn_report_row *a = x, *b = y;
    if (a->is_other != b->is_other) return a->is_other ? 1 : -1;
    if (a->people != b->people) return a->people < b->people ? 1 : -1;
    return by_label(a, b);
}

// A table by hour is a series: "00:00" to "24:00" sort as text.
static int by_hour(const void *x, const void *y) {
    const wn_report_row *a = x, *b = y;
    if (a->is_other != b->is_other) return a->is_other ? 1 : -1;
    int order = strcmp(a->label[0], b->label[0]);
    return order ? order : by_people(x, y);
}

// One window's rows mostly are as they were published: found out in one pass.
static void rows_sort(wn_report_rows *r, int (*by)(const void *, const void *)) {
    size_t in_order = 1;
    while (in_order < r->rows_n && by(&r->rows[in_order - 1], &r->rows[in_order]) <= 0) in_order++;
    if (in_order < r->rows_n) qsort(r->rows, r->rows_n, sizeof *r->rows, by);
}

static void rows_order(wn_report_rows *r) {
    bool series = r->dims_n && r->dims[0] == WN_DIM_hour;
    rows_sort(r, series ? by_hour : by_people);
    size_t others = r->rows_n && r->rows[r->rows_n - 1].is_other ? 1 : 0, plain = r->rows_n - others;
    size_t limit = r->query->limit;
    if (!limit || plain <= limit) return;
    r->rows_cut = plain - limit;
    if (others) r->rows[limit] = r->rows[r->rows_n - 1];
    r->rows_n = limit + others;
}

void wn_report_rows_begin(wn_report_rows *r, const wn_report_query *q) {
    *r = (wn_report_rows){.query = q, .next_s = q->from_s};
    if (!q->shape) return;
    r->shaped = true;
    r->dims_n = q->shape->dims_n;
    memcpy(r->dims, q->shape->dims, sizeof r->dims);
    r->measures = q->shape->measures;
    r->profile = q->shape->profile;
    r->share = q->shape->share;
}

static wn_err read_until(wn_report_rows *r, const wn_published *p, int64_t to_s) {
    const wn_report_query *q = r->query;
    wn_err err = wn_published_scan(p, q->site, q->table, r->next_s, to_s, take_window, r);
    if (r->err) err = r->err;
    r->corrupt = r->corrupt || err == WN_ERR_CORRUPT;
    r->next_s = to_s;
    return err == WN_ERR_CORRUPT ? WN_OK : err;
}

wn_err wn_report_rows_step(wn_report_rows *r, const wn_published *p, bool *out_done) {
    int64_t to_s = r->query->to_s;
    if (to_s - r->next_s > STEP_S) to_s = r->next_s + STEP_S;
    if (r->next_s < to_s) WN_TRY(read_until(r, p, to_s));
    *out_done = r->next_s >= r->query->to_s;
    return WN_OK;
}

wn_err wn_report_rows_end(wn_report_rows *r, const wn_published *p) {
    const wn_report_query *q = r->query;
    wn_err err =
        q->no_counts ? WN_OK : wn_published_counts_scan(p, q->site, q->from_s, q->to_s, take_counts, r);
    if (err && err != WN_ERR_CORRUPT) return err;
    r->corrupt = r->corrupt || err == WN_ERR_CORRUPT;
    r->has_counts = !q->no_counts; // where nobody came, too
    if (!q->narrow) {
        err = wn_published_ledger_head(p, &r->ledger_number, r->ledger_head);
        if (err && err != WN_ERR_CORRUPT) return err;
        r->corrupt = r->corrupt || err == WN_ERR_CORRUPT;
        r->has_ledger = !err && r->ledger_number != 0;
    }
    r->measures |= WN_MEASURE_PEOPLE;
    r->many = q->from_day != q->to_day || r->windows_n > 1;
    if (!r->k && q->shape) r->k = q->shape->k;
    rows_order(r);
    return r->corrupt ? WN_ERR_CORRUPT : WN_OK;
}

wn_err wn_report_rows_read(wn_report_rows *r, const wn_published *p, const wn_report_query *q) {
    wn_report_rows_begin(r, q);
    WN_TRY(read_until(r, p, q->to_s));
    return wn_report_rows_end(r, p);
}

void wn_report_rows_fini(wn_report_rows *r) {
    free(r->windows);
    free(r->rows);
    free(r->index);
    r->windows = NULL;
    r->rows = NULL;
    r->index = NULL;
}

size_t wn_report_rows_sealed(const wn_report_rows *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->windows_n; i++) n += r->windows[i].sealed;
    return n;
}

bool wn_report_rows_has_country(const wn_report_rows *r) {
    for (unsigned i = 0; r->shaped && i < r->dims_n; i++)
        if (r->dims[i] == WN_DIM_country) return true;
    return false;
}

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

// Least w with w * w >= x, for x < 2^62: found from the highest bit down.
static uint64_t ceil_root(uint64_t x) {
    uint64_t w = 0;
    for (unsigned bit = 31; bit-- > 0;) {
        uint64_t next = w | UINT64_C(1) << bit;
        if (next * next < x) w = next;
    }
    return x == 0 ? 0 : w + 1;
}

// 1.96 standard deviations of a normal hold 95 of 100: w = ceil(1.96 sqrt(days * variance)).
// A head's variance is at most 24 / (2 * 10^-6), so all of it fits.
uint64_t wn_report_half_width(const wn_report_rows *r) {
    static const uint64_t square_num = 38416, square_den = 10000; // 1.96 squared
    uint64_t days = wn_report_rows_sealed(r);
    if (r->profile != WN_PROFILE_NOISE || !r->windows_n) return 0;
    const wn_noise_terms *t = &r->windows[r->windows_n - 1].noise;
    return ceil_root(
        ceil_div(square_num * t->variance_num * (days ? days : 1), square_den * t->variance_den));
}

uint32_t wn_report_threshold(const wn_report_rows *r) {
    bool known = r->profile == WN_PROFILE_NOISE && r->windows_n;
    return known ? wn_public_threshold(&r->windows[r->windows_n - 1]) : 0;
}

void wn_report_meaning(const wn_report_rows *r, char out[WN_REPORT_MEANING_BYTES]) {
    const char *people = r->many ? "visitor_days" : "people";
    const char *sum = r->many ? "; visitor_days adds up the visitors of each day" : "";
    if (r->profile == WN_PROFILE_NOISE)
        snprintf(
            out, WN_REPORT_MEANING_BYTES,
            "%s are estimates with noise that stays within half_width in 95 of 100 draws; a row below the "
            "threshold is not there, which is not zero%s.",
            people, sum);
    else
        snprintf(
            out, WN_REPORT_MEANING_BYTES,
            "Every figure is \"at least\": people are counted in steps of k, never rounded up; a row too "
            "small to hide everybody in it is not there, which is not zero%s.",
            sum);
}

void wn_report_time_text(int64_t t_s, char out[WN_REPORT_TIME_BYTES]) {
    char day[11];
    int64_t s = t_s % 86400;
    if (s < 0) s += 86400;
    wn_day_text((int32_t)((t_s - s) / 86400), day);
    snprintf(out, WN_REPORT_TIME_BYTES, "%sT%02d:%02d:%02dZ", day, (int)(s / 3600), (int)(s / 60 % 60),
             (int)(s % 60));
}

size_t wn_report_columns(const wn_report_rows *r, wn_report_column out[WN_REPORT_COLUMNS_MAX]) {
    static const wn_report_column all[] = {
        {"events", WN_MEASURE_EVENTS},       {"sessions", WN_MEASURE_SESSIONS},
        {"bounces", WN_MEASURE_BOUNCES},     {"time_s", WN_MEASURE_TIME},
        {"number1_sum", WN_MEASURE_NUMBER1}, {"number2_sum", WN_MEASURE_NUMBER2},
    };
    size_t n = 0;
    out[n++] = (wn_report_column){r->many ? "visitor_days" : "people", WN_MEASURE_PEOPLE};
    for (size_t i = 0; i < WN_COUNT(all) && n < WN_REPORT_COLUMNS_MAX; i++)
        if (r->measures & all[i].measure) out[n++] = all[i];
    return n;
}

bool wn_report_value(const wn_report_row *row, uint8_t measure, uint64_t *out) {
    if (measure == WN_MEASURE_SESSIONS && !row->has_sessions) return false;
    if (measure & WN_MEASURES_LOCKED & ~row->locked) return false;
    switch (measure) {
    case WN_MEASURE_EVENTS: *out = row->events; return true;
    case WN_MEASURE_SESSIONS: *out = row->sessions; return true;
    case WN_MEASURE_BOUNCES: *out = row->bounces; return true;
    case WN_MEASURE_TIME: *out = row->seconds; return true;
    case WN_MEASURE_NUMBER1:
    case WN_MEASURE_NUMBER2: *out = row->number; return true;
    default: *out = row->people; return true;
    }
}
