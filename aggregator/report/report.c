// SPDX-License-Identifier: Apache-2.0
// Why: the one way from published/ to a reader's screen or file.
#include "report.h"

#include <string.h>

#include "clock.h"
#include "report_rows.h"
#include "report_text.h"
#include "report_trend.h"

typedef struct format {
    const char *name;
    const wn_report_writer *writer; // NULL: written whole
    bool has_attribution;           // says itself where countries come from
} format;

static const format formats[] = {
    [WN_REPORT_TABLE] = {"table", NULL, true},
    [WN_REPORT_CSV] = {"csv", &wn_report_csv, false},
    [WN_REPORT_JSON] = {"json", &wn_report_json, true},
    [WN_REPORT_NDJSON] = {"ndjson", &wn_report_ndjson, false},
    [WN_REPORT_MSGPACK] = {"msgpack", &wn_report_msgpack, true},
    [WN_REPORT_META] = {"meta", &wn_report_meta, true},
};

const wn_report_writer *wn_report_writer_of(wn_report_format f) {
    return formats[f].writer;
}

static wn_err write_table(wn_report_rows *r, const wn_published *p, FILE *out) {
    wn_report_trend t = {0};
    wn_err err = wn_report_trend_read(&t, r, p);
    if (!err) wn_report_table_write(r, &t, out);
    wn_report_trend_fini(&t);
    return err;
}

static void write_all(const wn_report_rows *r, FILE *out) {
    const wn_report_writer *w = formats[r->query->format].writer;
    const wn_report_piece p = {.rows = r, .written = r->rows_n};
    w->begin(&p, out);
    for (size_t i = 0; i < r->rows_n; i++) w->row(&p, &r->rows[i], i == 0, out);
    w->end(&p, out);
}

bool wn_report_format_parse(const char *text, wn_report_format *out) {
    for (size_t i = 0; i < WN_COUNT(formats); i++) {
        if (strcmp(text, formats[i].name) != 0) continue;
        *out = (wn_report_format)i;
        return true;
    }
    return false;
}

typedef struct days {
    int32_t first, last;
    bool any;
} days;

static bool see_day(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    days *d = ctx;
    (void)rows, (void)n;
    if (!d->any || head->window.day < d->first) d->first = head->window.day;
    if (!d->any || head->window.day > d->last) d->last = head->window.day;
    d->any = true;
    return true;
}

// Other days may have rows: which is no more than they show themselves.
static void say_other_days(const wn_published *p, const wn_report_query *q, FILE *notes) {
    days d = {0};
    char first[11], last[11];
    wn_err err = wn_published_scan(p, q->site, q->table, INT64_MIN, INT64_MAX, see_day, &d);
    if ((err != WN_OK && err != WN_ERR_CORRUPT) || !d.any) return;
    wn_day_text(d.first, first);
    wn_day_text(d.last, last);
    fprintf(notes, "Days with rows of it: the first is %s, the last %s (--from %s --to %s).\n", first, last,
            first, last);
}

static void say_empty(const wn_published *p, const wn_report_rows *r, FILE *notes) {
    char from[11], to[11];
    wn_day_text(r->query->from_day, from);
    wn_day_text(r->query->to_day, to);
    fputs("No row is published of ", notes);
    wn_report_text_plain(notes, r->query->table, 0);
    fputs(" for ", notes);
    wn_report_text_plain(notes, r->query->site, 0);
    fprintf(notes, r->query->from_day == r->query->to_day ? " on %s" : " from %s to %s", from, to);
    fputs(".\n", notes);
    say_other_days(p, r->query, notes);
    if (r->profile == WN_PROFILE_NOISE) {
        fputs(
            "Rows of this table are drawn once, when a day is sealed; small ones stay away. A missing row is "
            "not zero.\n",
            notes);
        return;
    }
    fputs("Rows appear at 10 visitors (20 for pages and other open values), at the next tick after that many "
          "came.\n"
          "Visitors who share one network count as one here. A missing row is not zero.\n",
          notes);
}

void wn_report_notes(const wn_published *p, const wn_report_rows *r, size_t rows, wn_err err, FILE *notes) {
    if (!rows) say_empty(p, r, notes);
    if (r->reshaped)
        fputs("Days of an older plan with other columns, another profile or noise, or other people counted, "
              "are left out.\n",
              notes);
    if (err) fputs("Some stored records fail their authentication and are left out.\n", notes);
    if (rows && wn_report_rows_has_country(r) && !formats[r->query->format].has_attribution)
        fputs(WN_REPORT_ATTRIBUTION "\n", notes);
}

wn_err wn_report_run(const wn_published *p, const wn_report_query *q, FILE *out, FILE *notes,
                     wn_report_result *out_result) {
    wn_report_rows rows;
    WN_ASSERT(q->site && q->table && q->format < WN_COUNT(formats));
    wn_err err = wn_report_rows_read(&rows, p, q);
    if (!err || err == WN_ERR_CORRUPT) {
        const wn_report_piece all = {.rows = &rows, .written = rows.rows_n};
        wn_err other = q->format == WN_REPORT_TABLE ? write_table(&rows, p, out) : WN_OK;
        if (other) err = other;
        if (q->format != WN_REPORT_TABLE) write_all(&rows, out);
        if (q->meta) wn_report_meta.end(&all, q->meta);
        wn_report_notes(p, &rows, rows.rows_n, err, notes);
        if (fflush(out) != 0 || ferror(out)) err = WN_ERR_IO;
        if (q->meta && (fflush(q->meta) != 0 || ferror(q->meta))) err = WN_ERR_IO;
    }
    if (out_result && (!err || err == WN_ERR_CORRUPT)) {
        size_t sealed = wn_report_rows_sealed(&rows);
        *out_result = (wn_report_result){rows.rows_n, rows.windows_n, sealed == rows.windows_n};
    }
    wn_report_rows_fini(&rows);
    return err;
}
