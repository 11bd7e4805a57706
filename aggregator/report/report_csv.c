// SPDX-License-Identifier: Apache-2.0
// Why: for spreadsheets and scripts: one header line, then nothing but rows.
#include <inttypes.h>

#include "report_rows.h"
#include "report_text.h"

void wn_report_csv_write(const wn_report_rows *r, FILE *out) {
    wn_report_column column[WN_REPORT_COLUMNS_MAX];
    size_t columns = wn_report_columns(r, column);
    bool noise = r->profile == WN_PROFILE_NOISE;
    if (!r->shaped) return;
    for (unsigned d = 0; d < r->dims_n; d++) fprintf(out, "%s,", wn_dim_name(r->dims[d]));
    for (size_t c = 0; c < columns; c++) fprintf(out, "%s%s", c ? "," : "", column[c].name);
    fputs(noise ? ",half_width\r\n" : "\r\n", out);
    for (size_t i = 0; i < r->rows_n; i++) {
        for (unsigned d = 0; d < r->dims_n; d++) {
            wn_report_text_csv(out, r->rows[i].label[d]);
            fputc(',', out);
        }
        for (size_t c = 0; c < columns; c++) {
            uint64_t value;
            if (c) fputc(',', out);
            if (wn_report_value(&r->rows[i], column[c].measure, &value)) fprintf(out, "%" PRIu64, value);
        }
        if (noise) fprintf(out, ",%" PRIu64, wn_report_half_width(r));
        fputs("\r\n", out);
    }
}
