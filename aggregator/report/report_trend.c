// SPDX-License-Identifier: Apache-2.0
// Why: a figure says little without the one before it; both periods are read once more, for the
// rows that are shown alone.
#include "report_trend.h"

#include <stdlib.h>
#include <string.h>

typedef struct reading {
    wn_report_trend *t;
    const wn_report_rows *r;
    int32_t first; // day of now[0]
} reading;

static bool visit(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    reading *x = ctx;
    wn_report_trend *t = x->t;
    const wn_report_query *q = x->r->query;
    int64_t at = (int64_t)head->window.day - x->first; // days before are below 0
    if (at >= (int64_t)t->days || at < -(int64_t)t->days || !wn_report_rows_like(x->r, head)) return true;
    if (q->may && !q->may(q->may_ctx, head)) return true;
    size_t day = (size_t)(at < 0 ? at + (int64_t)t->days : at);
    uint64_t *side = at < 0 ? t->was : t->now;
    if (!side) return true;
    t->sealed[at < 0 ? day : day + t->days] = head->sealed;
    for (size_t i = 0; i < n; i++) {
        const wn_report_row *row = wn_report_rows_find(x->r, &rows[i]);
        if (row) side[(size_t)(row - x->r->rows) * t->days + day] = rows[i].people + 1u;
    }
    return true;
}

wn_err wn_report_trend_read(wn_report_trend *t, wn_report_rows *r, const wn_published *p) {
    const wn_report_query *q = r->query;
    size_t days = (size_t)(q->to_day - q->from_day) + 1, cells = days * r->rows_n;
    *t = (wn_report_trend){.compare = q->compare, .sparks = q->sparks && days > 1};
    if ((!t->compare && !t->sparks) || r->rows_n == 0) return WN_OK;
    if (days > WN_TREND_CELLS_MAX || cells > WN_TREND_CELLS_MAX) return WN_OK;
    t->now = calloc(cells, sizeof *t->now);
    t->was = t->compare ? calloc(cells, sizeof *t->was) : NULL;
    t->sealed = calloc(2 * days, sizeof *t->sealed);
    if (!t->now || !t->sealed || (t->compare && !t->was)) return WN_ERR_NOMEM;
    WN_TRY(wn_report_rows_index(r));
    t->days = days;
    reading x = {t, r, q->from_day};
    wn_err err =
        wn_published_scan(p, q->site, q->table, t->compare ? q->before_s : q->from_s, q->to_s, visit, &x);
    return err == WN_ERR_CORRUPT ? WN_OK : err; // told by who read the rows
}

void wn_report_trend_fini(wn_report_trend *t) {
    free(t->now);
    free(t->was);
    free(t->sealed);
    *t = (wn_report_trend){0};
}

bool wn_report_trend_change(const wn_report_trend *t, size_t row, int64_t *out_percent) {
    uint64_t now = 0, was = 0;
    for (size_t d = 0; t->was && d < t->days; d++) {
        uint64_t a = t->now[row * t->days + d], b = t->was[row * t->days + d];
        if (!t->sealed[d] || !t->sealed[d + t->days] || a == 0 || b == 0) continue;
        now += a - 1;
        was += b - 1;
    }
    if (was == 0) return false;
    // floor(x + 1/2), as the dashboard rounds.
    int64_t up = ((int64_t)now - (int64_t)was) * 200 + (int64_t)was, by = 2 * (int64_t)was;
    *out_percent = up / by - (up % by < 0);
    return true;
}

size_t wn_report_trend_marks(const wn_report_trend *t, size_t row, char out[WN_TREND_MARKS_BYTES]) {
    size_t share = (t->days + WN_TREND_MARKS_MAX - 1) / WN_TREND_MARKS_MAX, marks = 0, bytes = 0;
    uint64_t mean[WN_TREND_MARKS_MAX] = {0}, most = 0;
    for (size_t at = 0; at < t->days; at += share, marks++) {
        uint64_t sum = 0, n = 0;
        for (size_t d = at; d < at + share && d < t->days; d++) {
            uint64_t v = t->now[row * t->days + d];
            if (v) sum += v - 1, n++;
        }
        if (n) mean[marks] = sum / n + 1;
        if (mean[marks] > most) most = mean[marks];
    }
    for (size_t i = 0; i < marks; i++) {
        if (mean[i] == 0) {
            out[bytes++] = ' ';
            continue;
        }
        uint64_t eighths = most > 1 ? ((mean[i] - 1) * 8 + most - 2) / (most - 1) : 1;
        memcpy(out + bytes, "\xe2\x96", 2); // U+2581 to U+2588
        out[bytes + 2] = (char)(0x80 + (eighths ? eighths : 1));
        bytes += 3;
    }
    out[bytes] = '\0';
    return marks;
}
