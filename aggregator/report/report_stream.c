// SPDX-License-Identifier: Apache-2.0
// Why: one process answers many readers on one thread: no report may keep it
// from the others for longer than a day's rows take.
#include "report_stream.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define SLICE_S (20 * 3600) // shorter than any day, so that it holds the start of one window

typedef enum stage { READING, WRITING, ENDED } stage;

struct wn_report_stream {
    const wn_published *p;
    const wn_report_writer *writer;
    wn_report_query query, day_query;
    wn_report_rows rows;
    wn_report_piece piece;
    wn_report_page page;
    bool by_day, begun, any_row, corrupt;
    stage stage;
    size_t at; // next row
    char day[11];
    char site[WN_SITE_NAME_BYTES], table[32];
    // by day: every window that was read, and the columns that the first one set
    wn_public_head *windows;
    size_t windows_n, windows_cap;
    bool shaped;
    uint8_t dims_n, dims[2], measures, profile, k;
    bool share;
    uint32_t plan_version, policy_version;
    int64_t next_s;
    char *text;
    size_t text_n;
    FILE *out;
};

wn_err wn_report_stream_new(const wn_published *p, const wn_report_query *q, bool by_day,
                            wn_report_stream **out) {
    WN_ASSERT(q->format != WN_REPORT_TABLE && strlen(q->site) < WN_SITE_NAME_BYTES && strlen(q->table) < 32);
    wn_report_stream *s = calloc(1, sizeof *s);
    if (!s) return WN_ERR_NOMEM;
    s->p = p;
    s->query = *q;
    strcpy(s->site, q->site);
    strcpy(s->table, q->table);
    s->query.site = s->site;
    s->query.table = s->table;
    s->writer = wn_report_writer_of(q->format);
    s->by_day = by_day;
    s->next_s = q->from_s;
    s->piece = (wn_report_piece){.rows = &s->rows, .day = by_day ? s->day : NULL};
    wn_report_rows_begin(&s->rows, &s->query);
    s->out = open_memstream(&s->text, &s->text_n);
    if (!s->out) {
        wn_report_stream_free(s);
        return WN_ERR_NOMEM;
    }
    *out = s;
    return WN_OK;
}

void wn_report_stream_free(wn_report_stream *s) {
    if (!s) return;
    if (s->out) fclose(s->out);
    free(s->text);
    wn_report_rows_fini(&s->rows);
    free(s->windows);
    free(s);
}

int64_t wn_report_stream_until(const wn_report_stream *s) {
    return s->by_day ? s->next_s : s->rows.next_s;
}

size_t wn_report_stream_written(const wn_report_stream *s) {
    return s->piece.written;
}

bool wn_report_stream_ready(const wn_report_stream *s) {
    return s->stage == WRITING;
}

const wn_report_rows *wn_report_stream_rows(const wn_report_stream *s) {
    return &s->rows;
}

void wn_report_stream_page(wn_report_stream *s, const wn_report_page *page) {
    size_t n = s->rows.rows_n;
    WN_ASSERT(s->stage == WRITING && !s->begun && !s->by_day);
    s->page = *page;
    s->at = page->offset < n ? page->offset : n;
    if (!page->limit) return;
    s->piece.next = page->next;
    s->piece.has_total = true;
    s->piece.total = n;
    bool reached = page->limit >= n - s->at;
    if (!reached && n && s->rows.rows[n - 1].is_other) s->piece.other = &s->rows.rows[n - 1];
}

// ---- a day of its own ----

static wn_err windows_keep(wn_report_stream *s) {
    for (size_t i = 0; i < s->rows.windows_n; i++) {
        if (s->windows_n == WN_REPORT_WINDOWS_MAX) return WN_ERR_FULL;
        if (s->windows_n == s->windows_cap) {
            size_t cap = s->windows_cap ? 2 * s->windows_cap : 32;
            wn_public_head *grown = realloc(s->windows, cap * sizeof *grown);
            if (!grown) return WN_ERR_NOMEM;
            s->windows = grown;
            s->windows_cap = cap;
        }
        s->windows[s->windows_n++] = s->rows.windows[i];
    }
    return WN_OK;
}

// The first day with rows sets the columns; a later day of a plan that has others, or counts others, is left
// out.
static bool shape_fits(wn_report_stream *s) {
    const wn_report_rows *r = &s->rows;
    if (!s->shaped) {
        s->shaped = true;
        s->dims_n = r->dims_n;
        memcpy(s->dims, r->dims, sizeof s->dims);
        s->measures = r->measures;
        s->profile = r->profile;
        s->share = r->share;
    }
    return s->dims_n == r->dims_n && memcmp(s->dims, r->dims, s->dims_n) == 0 && s->profile == r->profile &&
           s->share == r->share;
}

static wn_err read_day(wn_report_stream *s, bool *out_ready) {
    wn_window w = {0};
    bool done;
    wn_report_rows_fini(&s->rows);
    s->day_query = s->query;
    s->day_query.from_s = s->next_s;
    if (s->query.to_s - s->next_s > SLICE_S) s->day_query.to_s = s->next_s + SLICE_S;
    s->day_query.no_counts = true; // said once, at the end
    wn_report_rows_begin(&s->rows, &s->day_query);
    WN_TRY(wn_report_rows_step(&s->rows, s->p, &done));
    s->next_s = s->day_query.to_s;
    wn_err err = wn_report_rows_end(&s->rows, s->p);
    if (err && err != WN_ERR_CORRUPT) return err;
    s->corrupt = s->corrupt || err == WN_ERR_CORRUPT;
    s->rows.many = false;
    s->at = 0;
    *out_ready = false;
    if (s->rows.windows_n == 0) return WN_OK;
    if (!shape_fits(s)) return WN_OK;
    s->rows.measures = s->measures;
    WN_TRY(windows_keep(s));
    w = s->rows.windows[0].window;
    wn_day_text(w.day, s->day);
    if (s->rows.k > s->k) s->k = s->rows.k;
    s->plan_version = s->rows.plan_version;
    s->policy_version = s->rows.policy_version;
    *out_ready = true;
    return WN_OK;
}

// What stands after the last row of all days.
static wn_err days_end(wn_report_stream *s) {
    wn_report_rows_fini(&s->rows);
    wn_report_rows_begin(&s->rows, &s->query); // no rows, but the counts of all days
    wn_err err = wn_report_rows_end(&s->rows, s->p);
    if (err && err != WN_ERR_CORRUPT) return err;
    s->rows.many = false;
    if (s->shaped) {
        s->rows.dims_n = s->dims_n;
        memcpy(s->rows.dims, s->dims, sizeof s->dims);
        s->rows.shaped = true;
        s->rows.profile = s->profile;
        s->rows.share = s->share;
        s->rows.k = s->k;
        s->rows.plan_version = s->plan_version;
        s->rows.policy_version = s->policy_version;
    }
    s->rows.windows = s->windows; // given to rows, which frees it
    s->rows.windows_n = s->windows_n;
    s->windows = NULL;
    s->rows.corrupt = s->corrupt || err == WN_ERR_CORRUPT;
    return WN_OK;
}

// ---- reading and writing ----

wn_err wn_report_stream_read(wn_report_stream *s, bool *out_ready) {
    bool done = false;
    *out_ready = s->stage != READING;
    if (s->stage != READING) return WN_OK;
    if (s->by_day) {
        WN_TRY(read_day(s, out_ready));
        if (*out_ready || s->next_s >= s->query.to_s) s->stage = WRITING;
        *out_ready = s->stage == WRITING;
        return WN_OK;
    }
    WN_TRY(wn_report_rows_step(&s->rows, s->p, &done));
    if (!done) return WN_OK;
    wn_err err = wn_report_rows_end(&s->rows, s->p);
    if (err && err != WN_ERR_CORRUPT) return err;
    s->stage = WRITING;
    *out_ready = true;
    return WN_OK;
}

static size_t rows_end(const wn_report_stream *s) {
    size_t n = s->rows.rows_n, limit = s->page.limit;
    return limit && limit < n - s->page.offset && s->page.offset < n ? s->page.offset + limit : n;
}

static wn_err end(wn_report_stream *s) {
    if (s->by_day) WN_TRY(days_end(s));
    if (!s->begun) s->writer->begin(&s->piece, s->out);
    s->writer->end(&s->piece, s->out);
    s->stage = ENDED;
    return WN_OK;
}

wn_err wn_report_stream_next(wn_report_stream *s, wn_span *out, bool *out_end) {
    bool ready;
    rewind(s->out);
    if (s->stage == READING) WN_TRY(wn_report_stream_read(s, &ready));
    if (s->stage == WRITING) {
        size_t to = rows_end(s);
        bool rows = s->at < to;
        if (!s->begun && (rows || !s->by_day)) {
            s->writer->begin(&s->piece, s->out);
            s->begun = true;
        }
        while (s->at < to && ftello(s->out) < WN_REPORT_PIECE_BYTES) {
            s->writer->row(&s->piece, &s->rows.rows[s->at++], !s->any_row, s->out);
            s->any_row = true;
            s->piece.written++;
        }
        if (s->at == to) {
            if (s->by_day && s->next_s < s->query.to_s) s->stage = READING;
            else WN_TRY(end(s));
        }
    }
    if (fflush(s->out) != 0 || ferror(s->out)) return WN_ERR_NOMEM;
    *out = (wn_span){(const uint8_t *)s->text, (size_t)ftello(s->out)};
    *out_end = s->stage == ENDED;
    return WN_OK;
}
