// SPDX-License-Identifier: Apache-2.0
// Why: for spreadsheets and scripts: one header line, then nothing but rows.
#include <inttypes.h>

#include "report_rows.h"
#include "report_text.h"

static void begin(const wn_report_piece *p, FILE *out) {
    wn_report_column column[WN_REPORT_COLUMNS_MAX];
    size_t columns = wn_report_columns(p->rows, column);
    if (!p->rows->shaped) return;
    if (p->day) fputs("day,", out);
    for (unsigned d = 0; d < p->rows->dims_n; d++) fprintf(out, "%s,", wn_dim_name(p->rows->dims[d]));
    for (size_t c = 0; c < columns; c++) fprintf(out, "%s%s", c ? "," : "", column[c].name);
    fputs(p->rows->profile == WN_PROFILE_NOISE ? ",half_width\r\n" : "\r\n", out);
}

static void row(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out) {
    wn_report_column column[WN_REPORT_COLUMNS_MAX];
    size_t columns = wn_report_columns(p->rows, column);
    (void)first;
    if (p->day) fprintf(out, "%s,", p->day);
    for (unsigned d = 0; d < p->rows->dims_n; d++) {
        wn_report_text_csv(out, row->label[d]);
        fputc(',', out);
    }
    for (size_t c = 0; c < columns; c++) {
        uint64_t value;
        if (c) fputc(',', out);
        if (wn_report_value(row, column[c].measure, &value)) fprintf(out, "%" PRIu64, value);
    }
    if (p->rows->profile == WN_PROFILE_NOISE) fprintf(out, ",%" PRIu64, wn_report_half_width(p->rows));
    fputs("\r\n", out);
}

static void end(const wn_report_piece *p, FILE *out) {
    (void)p, (void)out;
}

const wn_report_writer wn_report_csv = {begin, row, end};
