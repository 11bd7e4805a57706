// SPDX-License-Identifier: Apache-2.0
// Why: for people: what stands in the rows, and at the foot, once, what the
// figures mean and what is not there.
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "report_rows.h"
#include "report_text.h"

enum { LABEL_WIDTH_MAX = 60, GAP = 2 };

static void spaces(FILE *out, size_t n) {
    while (n--) fputc(' ', out);
}

static size_t digits(uint64_t x) {
    size_t n = 1;
    while (x /= 10) n++;
    return n;
}

// One figure, right-aligned; a dash where nothing is published yet.
static void figure(const wn_report_row *row, uint8_t measure, size_t width, FILE *out) {
    uint64_t value;
    if (wn_report_value(row, measure, &value)) {
        fprintf(out, "%*" PRIu64, (int)width, value);
    } else {
        spaces(out, width - 1);
        fputs("\u2013", out);
    }
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
    fputs("\n\n", out);
}

static void grid(const wn_report_rows *r, FILE *out) {
    wn_report_column column[3];
    size_t columns = wn_report_columns(r, column), label_width[2] = {0}, width[3];
    for (unsigned d = 0; d < r->dims_n; d++) {
        label_width[d] = strlen(wn_dim_name(r->dims[d]));
        for (size_t i = 0; i < r->rows_n; i++) {
            size_t n = wn_report_text_width(r->rows[i].label[d], LABEL_WIDTH_MAX);
            if (n > label_width[d]) label_width[d] = n;
        }
    }
    for (size_t c = 0; c < columns; c++) {
        width[c] = strlen(column[c].name);
        for (size_t i = 0; i < r->rows_n; i++) {
            uint64_t value = 0;
            size_t n = wn_report_value(&r->rows[i], column[c].measure, &value) ? digits(value) : 1;
            if (n > width[c]) width[c] = n;
        }
    }
    for (unsigned d = 0; d < r->dims_n; d++)
        fprintf(out, "%-*s", (int)(label_width[d] + GAP), wn_dim_name(r->dims[d]));
    for (size_t c = 0; c < columns; c++) fprintf(out, "%s%*s", c ? "  " : "", (int)width[c], column[c].name);
    fputc('\n', out);
    for (size_t i = 0; i < r->rows_n; i++) {
        for (unsigned d = 0; d < r->dims_n; d++)
            spaces(out,
                   label_width[d] + GAP - wn_report_text_plain(out, r->rows[i].label[d], LABEL_WIDTH_MAX));
        for (size_t c = 0; c < columns; c++) {
            if (c) fputs("  ", out);
            figure(&r->rows[i], column[c].measure, width[c], out);
        }
        fputc('\n', out);
    }
}

static void foot(const wn_report_rows *r, FILE *out) {
    size_t open = r->windows_n - wn_report_rows_sealed(r);
    fprintf(out, "\nEvery figure means \"at least\": people are counted in steps of %u, never rounded up.\n",
            (unsigned)r->k);
    fputs("Rows too small to hide everybody in them are not shown; a missing row is not zero.\n", out);
    if (r->rows_n && r->rows[r->rows_n - 1].is_other)
        fputs("other: everybody in the rows that are not shown.\n", out);
    if (r->many)
        fputs("visitor_days adds up the visitors of each day: who came on three days counts three times.\n",
              out);
    if (open && r->windows_n == 1) fputs("The day is not sealed yet: figures still grow.\n", out);
    if (open && r->windows_n > 1)
        fprintf(out, "%zu of %zu days %s not sealed yet: figures still grow.\n", open, r->windows_n,
                open == 1 ? "is" : "are");
    if (open && ((r->measures | r->query->foot_measures) & WN_MEASURE_SESSIONS))
        fprintf(out, "sessions appear when a day is sealed%s.\n",
                open < r->windows_n ? "; they add up the sealed days alone" : "");
    if (r->refused) fprintf(out, "Refused to be counted: at least %" PRIu64 " events.\n", r->refused);
    if (r->capped)
        fprintf(out, "Left out by the cap on one network: at least %" PRIu64 " events.\n", r->capped);
    if (wn_report_rows_has_country(r) || r->query->foot_has_country) fputs(WN_REPORT_ATTRIBUTION "\n", out);
}

void wn_report_table_write(const wn_report_rows *r, FILE *out) {
    title(r, out);
    if (!r->rows_n) return;
    grid(r, out);
    if (r->rows_cut) fprintf(out, "%zu more rows are published.\n", r->rows_cut);
    if (!r->query->no_foot) foot(r, out);
}
