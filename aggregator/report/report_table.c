// SPDX-License-Identifier: Apache-2.0
// Why: for people: what stands in the rows, and at the foot, once, what the
// figures mean and what is not there.
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "report_rows.h"
#include "report_text.h"
#include "report_trend.h"

enum { LABEL_WIDTH_MAX = 60, GAP = 2 };

static void spaces(FILE *out, size_t n) {
    while (n--) fputc(' ', out);
}

// A measure as published, or what can be divided from it and the sessions beside it.
typedef struct text_column {
    char name[40];
    uint8_t measure;
    bool divided;
} text_column;

#define TEXT_COLUMNS_MAX (WN_REPORT_COLUMNS_MAX + 2)
enum { CELL_BYTES = 24 };

static void rate_text(const wn_report_row *row, uint8_t measure, char out[CELL_BYTES]) {
    bool rate = measure == WN_MEASURE_BOUNCES;
    uint64_t sessions = rate ? row->bounce_sessions : row->time_sessions;
    if (!sessions) return;
    uint64_t time_s = row->seconds / sessions;
    if (rate) snprintf(out, CELL_BYTES, "%.0f%%", 100.0 * (double)row->bounces / (double)sessions);
    else snprintf(out, CELL_BYTES, "%" PRIu64 ":%02u", time_s / 60, (unsigned)(time_s % 60));
}

// A dash where nothing is published, or not yet.
static void cell_text(const text_column *c, const wn_report_row *row, char out[CELL_BYTES]) {
    uint64_t value;
    memcpy(out, "\u2013", sizeof "\u2013");
    if (!wn_report_value(row, c->measure, &value)) return;
    if (c->divided) rate_text(row, c->measure, out);
    else snprintf(out, CELL_BYTES, "%" PRIu64, value);
}

static size_t text_columns(const wn_report_rows *r, text_column out[TEXT_COLUMNS_MAX]) {
    wn_report_column column[WN_REPORT_COLUMNS_MAX];
    size_t columns = wn_report_columns(r, column), n = 0;
    for (size_t i = 0; i < columns; i++) {
        uint8_t m = column[i].measure;
        bool noise = m == WN_MEASURE_PEOPLE && r->profile == WN_PROFILE_NOISE;
        out[n] = (text_column){.measure = m};
        if (noise)
            snprintf(out[n].name, sizeof out[n].name, "%s (\u00b1%" PRIu64 ")", column[i].name,
                     wn_report_half_width(r));
        else snprintf(out[n].name, sizeof out[n].name, "%s", column[i].name);
        n++;
        bool divides = m == WN_MEASURE_BOUNCES || m == WN_MEASURE_TIME;
        if (!divides || !(r->measures & WN_MEASURE_SESSIONS)) continue;
        out[n] = (text_column){.measure = m, .divided = true};
        strcpy(out[n++].name, m == WN_MEASURE_TIME ? "time a session" : "bounce_rate");
    }
    return n;
}

static void right(FILE *out, const char *text, size_t width) {
    spaces(out, width - wn_report_text_width(text, 0));
    fputs(text, out);
}

static void title(const wn_report_rows *r, FILE *out) {
    char from[11], to[11];
    wn_day_text(r->query->from_day, from);
    wn_day_text(r->query->to_day, to);
    wn_report_text_plain(out, r->query->table, 0);
    fputs(" of ", out);
    wn_report_text_plain(out, r->query->site, 0);
    if (r->query->from_day == r->query->to_day) fprintf(out, ", %s", from);
    else fprintf(out, ", %s to %s", from, to);
    if (r->windows_n) {
        fputs(" (", out);
        wn_report_text_plain(out, r->windows[r->windows_n - 1].window.zone, 0);
        fputc(')', out);
    }
    fputs(r->share ? ", people who agreed to sharing\n\n" : "\n\n", out);
}

static void change_text(const wn_report_trend *t, size_t row, char out[CELL_BYTES]) {
    int64_t percent;
    if (!wn_report_trend_change(t, row, &percent)) memcpy(out, "\u2013", sizeof "\u2013");
    else snprintf(out, CELL_BYTES, "%s%" PRId64 "%%", percent > 0 ? "+" : "", percent);
}

static void trend_cells(const wn_report_trend *t, size_t row, size_t change_width, FILE *out) {
    char cell[CELL_BYTES], marks[WN_TREND_MARKS_BYTES];
    if (t->compare) {
        change_text(t, row, cell);
        spaces(out, GAP);
        right(out, cell, change_width);
    }
    if (!t->sparks) return;
    wn_report_trend_marks(t, row, marks);
    size_t n = strlen(marks);
    while (n && marks[n - 1] == ' ') n--; // nothing stands after it
    if (n) spaces(out, GAP);
    fwrite(marks, 1, n, out);
}

static size_t trend_head(const wn_report_trend *t, size_t rows, FILE *out) {
    size_t width = sizeof "change" - 1;
    char cell[CELL_BYTES];
    for (size_t i = 0; t->compare && i < rows; i++) {
        change_text(t, i, cell);
        size_t n = wn_report_text_width(cell, 0);
        if (n > width) width = n;
    }
    if (t->compare) {
        spaces(out, GAP);
        right(out, "change", width);
    }
    if (t->sparks) fprintf(out, "%*sby day", GAP, "");
    return width;
}

static void grid(const wn_report_rows *r, const wn_report_trend *t, FILE *out) {
    text_column column[TEXT_COLUMNS_MAX];
    char cell[CELL_BYTES];
    size_t columns = text_columns(r, column), label_width[2] = {0}, width[TEXT_COLUMNS_MAX];
    for (unsigned d = 0; d < r->dims_n; d++) {
        label_width[d] = strlen(wn_dim_name(r->dims[d]));
        for (size_t i = 0; i < r->rows_n; i++) {
            size_t n = wn_report_text_width(r->rows[i].label[d], LABEL_WIDTH_MAX);
            if (n > label_width[d]) label_width[d] = n;
        }
    }
    for (size_t c = 0; c < columns; c++) {
        width[c] = wn_report_text_width(column[c].name, 0);
        for (size_t i = 0; i < r->rows_n; i++) {
            cell_text(&column[c], &r->rows[i], cell);
            size_t n = wn_report_text_width(cell, 0);
            if (n > width[c]) width[c] = n;
        }
    }
    for (unsigned d = 0; d < r->dims_n; d++)
        fprintf(out, "%-*s", (int)(label_width[d] + GAP), wn_dim_name(r->dims[d]));
    for (size_t c = 0; c < columns; c++) {
        if (c) spaces(out, GAP);
        right(out, column[c].name, width[c]);
    }
    size_t change_width = t->days ? trend_head(t, r->rows_n, out) : 0;
    fputc('\n', out);
    for (size_t i = 0; i < r->rows_n; i++) {
        for (unsigned d = 0; d < r->dims_n; d++)
            spaces(out,
                   label_width[d] + GAP - wn_report_text_plain(out, r->rows[i].label[d], LABEL_WIDTH_MAX));
        for (size_t c = 0; c < columns; c++) {
            if (c) spaces(out, GAP);
            cell_text(&column[c], &r->rows[i], cell);
            right(out, cell, width[c]);
        }
        if (t->days) trend_cells(t, i, change_width, out);
        fputc('\n', out);
    }
}

static void foot_open(const wn_report_rows *r, FILE *out) {
    size_t open = r->windows_n - wn_report_rows_sealed(r);
    if (open && r->windows_n == 1) fputs("The day is not sealed yet: figures still grow.\n", out);
    if (open && r->windows_n > 1)
        fprintf(out, "%zu of %zu days %s not sealed yet: figures still grow.\n", open, r->windows_n,
                open == 1 ? "is" : "are");
    if (open && ((r->measures | r->query->foot_measures) & WN_MEASURE_SESSIONS))
        fprintf(out, "sessions appear when a day is sealed%s.\n",
                open < r->windows_n ? "; they add up the sealed days alone" : "");
}

static void foot_locked(const wn_report_rows *r, FILE *out) {
    unsigned locked = (r->measures | r->query->foot_measures) & WN_MEASURES_LOCKED;
    if (!locked) return;
    fputs("\u2013: nothing is shown of it. Bounces, time and sums appear when a day is sealed, where\n"
          "they hide everybody",
          out);
    fputs(r->many ? "; over several days they add up the days that show them.\n" : ".\n", out);
    if (locked & (WN_MEASURE_BOUNCES | WN_MEASURE_TIME))
        fputs("bounce_rate and time a session divide such figures: they are about right, not \"at least\".\n",
              out);
}

static void foot_rules(const wn_report_rows *r, FILE *out) {
    if (r->profile == WN_PROFILE_NOISE) {
        fprintf(out,
                "\n%s are estimates: they include noise, drawn once when a day was sealed, of which 95\n"
                "in 100 stay within \u00b1%" PRIu64
                ", and a day's rows below %u are missing, which is not zero.\n",
                r->many ? "visitor_days" : "people", wn_report_half_width(r),
                (unsigned)wn_report_threshold(r));
        return;
    }
    fprintf(out, "\nEvery figure means \"at least\": people are counted in steps of %u, never rounded up.\n",
            (unsigned)r->k);
    fputs("Rows too small to hide everybody in them are not shown; a missing row is not zero.\n", out);
    if (r->rows_n && r->rows[r->rows_n - 1].is_other)
        fputs("other: everybody in the rows that are not shown.\n", out);
}

static void foot_trend(const wn_report_rows *r, const wn_report_trend *t, FILE *out) {
    const char *people = r->many ? "visitor_days" : "people";
    size_t share = (t->days + WN_TREND_MARKS_MAX - 1) / WN_TREND_MARKS_MAX;
    if (!t->days) return;
    if (t->compare && t->days == 1)
        fputs("change: people against the day before, where both days are sealed.\n", out);
    if (t->compare && t->days > 1)
        fprintf(out, "change: %s of the sealed days that this period and the %zu days before both show.\n",
                people, t->days);
    if (t->sparks && share == 1)
        fputs("by day: a mark for each day, as high as against the row's largest; a gap: not shown.\n", out);
    if (t->sparks && share > 1)
        fprintf(out,
                "by day: a mark for each %zu days, as high as against the row's largest; a gap: not shown.\n",
                share);
}

static void foot(const wn_report_rows *r, const wn_report_trend *t, FILE *out) {
    foot_rules(r, out);
    if (r->many)
        fputs("visitor_days adds up the visitors of each day: who came on three days counts three times.\n",
              out);
    foot_open(r, out);
    foot_locked(r, out);
    foot_trend(r, t, out);
    if (r->refused) fprintf(out, "Refused to be counted: at least %" PRIu64 " events.\n", r->refused);
    if (r->capped)
        fprintf(out, "Left out by the cap on one network: at least %" PRIu64 " events.\n", r->capped);
    if (wn_report_rows_has_country(r) || r->query->foot_has_country) fputs(WN_REPORT_ATTRIBUTION "\n", out);
}

void wn_report_table_write(const wn_report_rows *r, const wn_report_trend *t, FILE *out) {
    title(r, out);
    if (!r->rows_n) return;
    grid(r, t, out);
    if (r->rows_cut) fprintf(out, "%zu more rows are published.\n", r->rows_cut);
    if (!r->query->no_foot) foot(r, t, out);
}
