// SPDX-License-Identifier: Apache-2.0
// Why: for programs: rows together with the rules under which they were
// released, so that no figure travels without its meaning.
#include <inttypes.h>

#include "clock.h"
#include "report_rows.h"
#include "report_text.h"

static void field_text(FILE *out, const char *name, const char *text) {
    fprintf(out, "\"%s\":", name);
    wn_report_text_json(out, text);
    fputc(',', out);
}

static void field_day(FILE *out, const char *name, int32_t day) {
    char text[11];
    wn_day_text(day, text);
    fprintf(out, "\"%s\":\"%s\",", name, text);
}

static void range_fields(const wn_report_rows *r, FILE *out) {
    field_text(out, "site", r->query->site);
    field_text(out, "table", r->query->table);
    field_day(out, "from", r->query->from_day);
    field_day(out, "to", r->query->to_day);
}

static void row_fields(const wn_report_rows *r, const wn_report_row *row, FILE *out) {
    wn_report_column column[3];
    size_t columns = wn_report_columns(r, column);
    for (unsigned d = 0; d < r->dims_n; d++) field_text(out, wn_dim_name(r->dims[d]), row->label[d]);
    if (row->is_other) fputs("\"other\":true,", out);
    for (size_t c = 0; c < columns; c++) {
        uint64_t value;
        fprintf(out, "%s\"%s\":", c ? "," : "", column[c].name);
        if (wn_report_value(row, column[c].measure, &value)) fprintf(out, "%" PRIu64, value);
        else fputs("null", out);
    }
}

static void time_text(int64_t t_s, FILE *out) {
    char day[11];
    int64_t s = t_s % 86400;
    if (s < 0) s += 86400;
    wn_day_text((int32_t)((t_s - s) / 86400), day);
    fprintf(out, "\"%sT%02d:%02d:%02dZ\"", day, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

static void window_object(const wn_public_head *w, FILE *out) {
    fputc('{', out);
    field_day(out, "day", w->window.day);
    field_text(out, "zone", w->window.zone);
    fprintf(out, "\"kind\":\"%s\",", w->window.kind == WN_KIND_APP ? "app" : "web");
    fprintf(out, "\"sealed\":%s,\"tick\":%" PRIu64 ",\"published_at\":", w->sealed ? "true" : "false",
            w->tick);
    time_text(w->published_s, out);
    fprintf(out, ",\"plan_version\":%u,\"policy_version\":%u}", (unsigned)w->plan_version,
            (unsigned)w->policy_version);
}

static void windows(const wn_report_rows *r, FILE *out) {
    fputs(",\"windows\":[", out);
    for (size_t i = 0; i < r->windows_n; i++) {
        fputs(i ? ",\n" : "\n", out);
        window_object(&r->windows[i], out);
    }
    fputc(']', out);
}

static void json_begin(const wn_report_piece *p, FILE *out) {
    const wn_report_rows *r = p->rows;
    fputc('{', out);
    range_fields(r, out);
    if (p->day) fputs("\"by\":\"day\",", out);
    fprintf(out, "\"k\":%u,\"profile\":\"crowd\",", (unsigned)r->k);
    fprintf(out, "\"plan_version\":%u,\"policy_version\":%u,", (unsigned)r->plan_version,
            (unsigned)r->policy_version);
    fputs("\"at_least\":true,\"dimensions\":[", out);
    for (unsigned d = 0; d < r->dims_n; d++) fprintf(out, "%s\"%s\"", d ? "," : "", wn_dim_name(r->dims[d]));
    fputc(']', out);
    if (!p->windows_last) windows(r, out);
    fputs(",\"rows\":[", out);
}

static void json_row(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out) {
    fputs(first ? "\n{" : ",\n{", out);
    if (p->day) fprintf(out, "\"day\":\"%s\",", p->day);
    row_fields(p->rows, row, out);
    fputc('}', out);
}

static void json_end(const wn_report_piece *p, FILE *out) {
    const wn_report_rows *r = p->rows;
    fputc(']', out);
    if (p->windows_last) windows(r, out);
    if (p->other) {
        fputs(",\"other\":{", out);
        row_fields(r, p->other, out);
        fputc('}', out);
    }
    if (p->has_total) fprintf(out, ",\"rows_total\":%zu", p->total);
    if (p->next) fprintf(out, ",\"next\":\"%s\"", p->next);
    if (r->rows_cut) fprintf(out, ",\"rows_cut\":%zu", r->rows_cut);
    if (r->has_counts) fprintf(out, ",\"refused\":%" PRIu64 ",\"capped\":%" PRIu64, r->refused, r->capped);
    if (r->corrupt) fputs(",\"damaged\":true", out);
    if (wn_report_rows_has_country(r)) fputs(",\"attribution\":\"" WN_REPORT_ATTRIBUTION "\"", out);
    fputs("}\n", out);
}

static void ndjson_row(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out) {
    (void)first;
    fputc('{', out);
    range_fields(p->rows, out);
    if (p->day) fprintf(out, "\"day\":\"%s\",", p->day);
    row_fields(p->rows, row, out);
    fputs("}\n", out);
}

static void nothing(const wn_report_piece *p, FILE *out) {
    (void)p, (void)out;
}

const wn_report_writer wn_report_json = {json_begin, json_row, json_end};
const wn_report_writer wn_report_ndjson = {nothing, ndjson_row, nothing};
