// SPDX-License-Identifier: Apache-2.0
// Why: for programs that read many rows: values one after another, none of which says how many
// follow, so that a reader needs room for one and the writer for none.
#include <msgpack.h>
#include <msgpack/fbuffer.h>
#include <sodium.h>
#include <string.h>

#include "clock.h"
#include "report_rows.h"

enum { FORM_VERSION = 1 };

static void text(msgpack_packer *pk, const char *s) {
    size_t n = strlen(s);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, s, n);
}

static void field_text(msgpack_packer *pk, const char *name, const char *value) {
    text(pk, name);
    text(pk, value);
}

static void field_uint(msgpack_packer *pk, const char *name, uint64_t value) {
    text(pk, name);
    msgpack_pack_uint64(pk, value);
}

static void field_flag(msgpack_packer *pk, const char *name, bool value) {
    text(pk, name);
    if (value) msgpack_pack_true(pk);
    else msgpack_pack_false(pk);
}

static void field_day(msgpack_packer *pk, const char *name, int32_t day) {
    char of[11];
    wn_day_text(day, of);
    field_text(pk, name, of);
}

static void begin(const wn_report_piece *p, FILE *out) {
    const wn_report_query *q = p->rows->query;
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, msgpack_fbuffer_write);
    msgpack_pack_map(&pk, p->day ? 6 : 5);
    field_uint(&pk, "report", FORM_VERSION);
    field_text(&pk, "site", q->site);
    field_text(&pk, "table", q->table);
    field_day(&pk, "from", q->from_day);
    field_day(&pk, "to", q->to_day);
    if (p->day) field_text(&pk, "by", "day");
}

static void row(const wn_report_piece *p, const wn_report_row *row, bool first, FILE *out) {
    wn_report_column column[WN_REPORT_COLUMNS_MAX];
    size_t columns = wn_report_columns(p->rows, column);
    msgpack_packer pk;
    (void)first;
    msgpack_packer_init(&pk, out, msgpack_fbuffer_write);
    msgpack_pack_map(&pk, columns + p->rows->dims_n + (p->day != NULL) + row->is_other);
    if (p->day) field_text(&pk, "day", p->day);
    for (unsigned d = 0; d < p->rows->dims_n; d++)
        field_text(&pk, wn_dim_name(p->rows->dims[d]), row->label[d]);
    if (row->is_other) field_flag(&pk, "other", true);
    for (size_t c = 0; c < columns; c++) {
        uint64_t value;
        text(&pk, column[c].name);
        if (wn_report_value(row, column[c].measure, &value)) msgpack_pack_uint64(&pk, value);
        else msgpack_pack_nil(&pk);
    }
}

static void windows(msgpack_packer *pk, const wn_report_rows *r) {
    text(pk, "windows");
    msgpack_pack_array(pk, r->windows_n);
    for (size_t i = 0; i < r->windows_n; i++) {
        const wn_public_head *w = &r->windows[i];
        char at[WN_REPORT_TIME_BYTES];
        wn_report_time_text(w->published_s, at);
        msgpack_pack_map(pk, 8);
        field_day(pk, "day", w->window.day);
        field_text(pk, "zone", w->window.zone);
        field_text(pk, "kind", w->window.kind == WN_KIND_APP ? "app" : "web");
        field_flag(pk, "sealed", w->sealed);
        text(pk, "tick"); // 0: not this reader's to know
        if (w->tick) msgpack_pack_uint64(pk, w->tick);
        else msgpack_pack_nil(pk);
        text(pk, "published_at");
        if (w->published_s) text(pk, at);
        else msgpack_pack_nil(pk);
        field_uint(pk, "plan_version", w->plan_version);
        field_uint(pk, "policy_version", w->policy_version);
    }
}

static void noise(msgpack_packer *pk, const wn_report_rows *r) {
    const wn_noise_terms *t = &r->windows[r->windows_n - 1].noise;
    text(pk, "rho");
    msgpack_pack_double(pk, (double)t->rho_micro / 1e6);
    text(pk, "sigma2");
    msgpack_pack_double(pk, (double)t->variance_num / (double)t->variance_den);
    field_uint(pk, "l0", t->l0);
    field_flag(pk, "signed_only", t->signed_only);
    field_uint(pk, "threshold", wn_report_threshold(r));
    field_uint(pk, "half_width", wn_report_half_width(r));
}

// By their names in JSON. Last, because a report by day knows its windows then.
static void end(const wn_report_piece *p, FILE *out) {
    const wn_report_rows *r = p->rows;
    char hex[2 * sizeof r->ledger_head + 1], meaning[WN_REPORT_MEANING_BYTES];
    bool noisy = r->profile == WN_PROFILE_NOISE, has_noise = noisy && r->windows_n != 0;
    bool country = wn_report_rows_has_country(r);
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, msgpack_fbuffer_write);
    msgpack_pack_map(&pk, 14 + (has_noise ? 6u : 0u) + (r->rows_cut != 0) + (r->has_counts ? 2u : 0u) +
                              r->corrupt + country);
    field_flag(&pk, "end", true);
    field_uint(&pk, "rows_shown", p->written);
    field_uint(&pk, "k", r->k);
    field_text(&pk, "profile", noisy ? "noise" : "crowd");
    if (has_noise) noise(&pk, r);
    field_flag(&pk, "share", r->share);
    field_uint(&pk, "plan_version", r->plan_version);
    field_uint(&pk, "policy_version", r->policy_version);
    field_flag(&pk, "sealed", r->windows_n && wn_report_rows_sealed(r) == r->windows_n);
    text(&pk, "ledger_number");
    if (r->has_ledger) msgpack_pack_uint64(&pk, r->ledger_number);
    else msgpack_pack_nil(&pk);
    text(&pk, "ledger_head");
    sodium_bin2hex(hex, sizeof hex, r->ledger_head, sizeof r->ledger_head);
    if (r->has_ledger) text(&pk, hex);
    else msgpack_pack_nil(&pk);
    field_flag(&pk, "at_least", !noisy);
    wn_report_meaning(r, meaning);
    field_text(&pk, "meaning", meaning);
    text(&pk, "dimensions");
    msgpack_pack_array(&pk, r->dims_n);
    for (unsigned d = 0; d < r->dims_n; d++) text(&pk, wn_dim_name(r->dims[d]));
    windows(&pk, r);
    if (r->rows_cut) field_uint(&pk, "rows_cut", r->rows_cut);
    if (r->has_counts) {
        field_uint(&pk, "refused", r->refused);
        field_uint(&pk, "capped", r->capped);
    }
    if (r->corrupt) field_flag(&pk, "damaged", true);
    if (country) field_text(&pk, "attribution", WN_REPORT_ATTRIBUTION);
}

const wn_report_writer wn_report_msgpack = {begin, row, end};
