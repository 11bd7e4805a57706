// SPDX-License-Identifier: Apache-2.0
// Why: for programs: rows together with the rules under which they were
// released, so that no figure travels without its meaning.
#include <inttypes.h>
#include <sodium.h>

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
    wn_report_column column[WN_REPORT_COLUMNS_MAX];
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

static void window_object(const wn_public_head *w, FILE *out) {
    char at[WN_REPORT_TIME_BYTES];
    fputc('{', out);
    field_day(out, "day", w->window.day);
    field_text(out, "zone", w->window.zone);
    fprintf(out, "\"kind\":\"%s\",", w->window.kind == WN_KIND_APP ? "app" : "web");
    fprintf(out, "\"sealed\":%s,", w->sealed ? "true" : "false");
    if (w->tick) fprintf(out, "\"tick\":%" PRIu64 ",", w->tick); // 0: not this reader's to know
    else fputs("\"tick\":null,", out);
    wn_report_time_text(w->published_s, at);
    if (w->published_s) fprintf(out, "\"published_at\":\"%s\"", at);
    else fputs("\"published_at\":null", out);
    fprintf(out, ",\"plan_version\":%u,\"policy_version\":%u}", (unsigned)w->plan_version,
            (unsigned)w->policy_version);
}

// Millionths as a decimal fraction without idle zeros.
static void field_micro(FILE *out, const char *name, uint64_t micro) {
    char rest[8];
    size_t n = 6;
    snprintf(rest, sizeof rest, "%06u", (unsigned)(micro % 1000000));
    while (n && rest[n - 1] == '0') n--;
    fprintf(out, "\"%s\":%" PRIu64 "%s%.*s,", name, micro / 1000000, n ? "." : "", (int)n, rest);
}

static void noise_fields(const wn_report_rows *r, FILE *out) {
    if (r->profile != WN_PROFILE_NOISE || !r->windows_n) return;
    const wn_noise_terms *t = &r->windows[r->windows_n - 1].noise;
    field_micro(out, "rho", t->rho_micro);
    field_micro(out, "sigma2", t->variance_num * 1000000 / t->variance_den);
    fprintf(out, "\"l0\":%u,\"signed_only\":%s,\"threshold\":%u,\"half_width\":%" PRIu64 ",", (unsigned)t->l0,
            t->signed_only ? "true" : "false", (unsigned)wn_report_threshold(r), wn_report_half_width(r));
}

// The rules that the rows were released by, and the ledger that says so (R9).
static void rule_fields(const wn_report_rows *r, FILE *out) {
    char hex[2 * sizeof r->ledger_head + 1];
    sodium_bin2hex(hex, sizeof hex, r->ledger_head, sizeof r->ledger_head);
    fprintf(out, "\"k\":%u,\"profile\":\"%s\",", (unsigned)r->k,
            r->profile == WN_PROFILE_NOISE ? "noise" : "crowd");
    noise_fields(r, out);
    fprintf(out, "\"share\":%s,\"plan_version\":%u,\"policy_version\":%u,", r->share ? "true" : "false",
            (unsigned)r->plan_version, (unsigned)r->policy_version);
    fprintf(out, "\"sealed\":%s,",
            r->windows_n && wn_report_rows_sealed(r) == r->windows_n ? "true" : "false");
    if (r->has_ledger) {
        fprintf(out, "\"ledger_number\":%" PRIu64 ",\"ledger_head\":\"%s\",", r->ledger_number, hex);
    } else {
        fputs("\"ledger_number\":null,\"ledger_head\":null,", out);
    }
}

static void windows_field(const wn_report_rows *r, FILE *out) {
    fputs("\"windows\":[", out);
    for (size_t i = 0; i < r->windows_n; i++) {
        fputs(i ? ",\n" : "\n", out);
        window_object(&r->windows[i], out);
    }
    fputc(']', out);
}

static void head_fields(const wn_report_rows *r, FILE *out) {
    char meaning[WN_REPORT_MEANING_BYTES];
    rule_fields(r, out);
    wn_report_meaning(r, meaning);
    fprintf(out, "\"at_least\":%s,", r->profile == WN_PROFILE_NOISE ? "false" : "true");
    field_text(out, "meaning", meaning);
    fputs("\"dimensions\":[", out);
    for (unsigned d = 0; d < r->dims_n; d++) fprintf(out, "%s\"%s\"", d ? "," : "", wn_dim_name(r->dims[d]));
    fputs("],", out);
}

static void tail_fields(const wn_report_rows *r, FILE *out) {
    if (r->rows_cut) fprintf(out, ",\"rows_cut\":%zu", r->rows_cut);
    if (r->has_counts) fprintf(out, ",\"refused\":%" PRIu64 ",\"capped\":%" PRIu64, r->refused, r->capped);
    if (r->corrupt) fputs(",\"damaged\":true", out);
    if (wn_report_rows_has_country(r)) fputs(",\"attribution\":\"" WN_REPORT_ATTRIBUTION "\"", out);
}

static void json_begin(const wn_report_piece *p, FILE *out) {
    const wn_report_rows *r = p->rows;
    fputc('{', out);
    range_fields(r, out);
    if (p->day) {
        fputs("\"by\":\"day\",\"rows\":[", out);
        return; // what holds for all days stands after the last of them
    }
    head_fields(r, out);
    windows_field(r, out);
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
    if (p->day) {
        fputc(',', out);
        head_fields(r, out);
        windows_field(r, out);
    }
    if (p->other) {
        fputs(",\"other\":{", out);
        row_fields(r, p->other, out);
        fputc('}', out);
    }
    if (p->has_total) fprintf(out, ",\"rows_total\":%zu", p->total);
    if (p->next) fprintf(out, ",\"next\":\"%s\"", p->next);
    tail_fields(r, out);
    fputs("}\n", out);
}

static void ndjson_row(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out) {
    (void)first;
    fputc('{', out);
    range_fields(p->rows, out);
    if (p->day) fprintf(out, "\"day\":\"%s\",", p->day);
    rule_fields(p->rows, out);
    row_fields(p->rows, row, out);
    fputs("}\n", out);
}

static void nothing(const wn_report_piece *p, FILE *out) {
    (void)p, (void)out;
}

const wn_report_writer wn_report_json = {json_begin, json_row, json_end};
const wn_report_writer wn_report_ndjson = {nothing, ndjson_row, nothing};

static void no_row(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out) {
    (void)p, (void)row, (void)first, (void)out;
}

static void meta_end(const wn_report_piece *p, FILE *out) {
    const wn_report_rows *r = p->rows;
    fputc('{', out);
    range_fields(r, out);
    if (p->day) fputs("\"by\":\"day\",", out);
    head_fields(r, out);
    windows_field(r, out);
    fprintf(out, ",\"rows_shown\":%zu", p->written);
    tail_fields(r, out);
    fputs("}\n", out);
}

// The report without its rows: what those in another format must be read with.
const wn_report_writer wn_report_meta = {nothing, no_row, meta_end};
