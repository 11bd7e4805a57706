// SPDX-License-Identifier: Apache-2.0
// sinks.c: what all sinks need: names of rows, their facts as JSON, the usual meaning of a status.
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report_text.h"
#include "sink.h"

static const wn_sink *const sinks[] = {&wn_sink_clickhouse, &wn_sink_file,     &wn_sink_ga4,
                                       &wn_sink_hubspot,    &wn_sink_mixpanel, &wn_sink_webhook};

const wn_sink *wn_sink_by_kind(const char *kind) {
    for (size_t i = 0; i < WN_COUNT(sinks); i++)
        if (strcmp(sinks[i]->kind, kind) == 0) return sinks[i];
    return NULL;
}

static const char *const reason_words[] = {
#define REASON(name, word, text) [WN_REASON_##name] = word,
#include "reasons.def"
#undef REASON
};
static const char *const reason_texts[] = {
#define REASON(name, word, text) [WN_REASON_##name] = text,
#include "reasons.def"
#undef REASON
};

const char *wn_reason_word(wn_reason reason) {
    return reason < WN_REASON_N ? reason_words[reason] : "unknown";
}

const char *wn_reason_text(wn_reason reason) {
    return reason < WN_REASON_N ? reason_texts[reason] : "unknown";
}

void wn_sink_request_fini(wn_sink_request *r) {
    free(r->body);
    wn_wipe(r, sizeof *r);
    r->body = NULL; // a build without walls wipes nothing
}

// ---- names ----

static void add_text(crypto_generichash_state *h, const char *text) {
    crypto_generichash_update(h, (const uint8_t *)text, strlen(text) + 1);
}

static void begin_id(crypto_generichash_state *h, const wn_sink_batch *b) {
    char window[WN_WINDOW_TEXT_BYTES];
    wn_window_text(&b->head->window, window);
    crypto_generichash_init(h, NULL, 0, (WN_ROW_ID_BYTES - 1) / 2);
    add_text(h, b->to->name);
    add_text(h, b->head->site);
    add_text(h, b->head->table);
    add_text(h, window);
}

static void end_id(crypto_generichash_state *h, char out[WN_ROW_ID_BYTES]) {
    uint8_t digest[(WN_ROW_ID_BYTES - 1) / 2];
    crypto_generichash_final(h, digest, sizeof digest);
    sodium_bin2hex(out, WN_ROW_ID_BYTES, digest, sizeof digest);
}

void wn_row_id(const wn_sink_batch *b, size_t i, char out[WN_ROW_ID_BYTES]) {
    crypto_generichash_state h;
    const wn_public_row *r = &b->rows[i];
    begin_id(&h, b);
    add_text(&h, r->is_other ? "other" : "row");
    add_text(&h, r->label[0]);
    add_text(&h, r->label[1]);
    end_id(&h, out);
}

void wn_batch_id_text(const wn_sink_batch *b, char out[WN_ROW_ID_BYTES]) {
    crypto_generichash_state h;
    char id[WN_ROW_ID_BYTES];
    begin_id(&h, b);
    for (size_t i = 0; i < b->n; i++) {
        wn_row_id(b, i, id);
        add_text(&h, id);
    }
    end_id(&h, out);
}

void wn_time_text(int64_t t_s, char out[24]) {
    char day[11];
    int64_t s = t_s % 86400;
    if (s < 0) s += 86400;
    wn_day_text((int32_t)((t_s - s) / 86400), day);
    snprintf(out, 24, "%.10sT%02u:%02u:%02uZ", day, (unsigned)(s / 3600) % 24, (unsigned)(s / 60) % 60,
             (unsigned)s % 60);
}

// ---- requests ----

void wn_sink_header(wn_sink_request *r, const char *fmt, ...) {
    va_list args;
    WN_ASSERT(r->headers_n < WN_SINK_HEADERS_MAX);
    char *to = r->header[r->headers_n++];
    va_start(args, fmt);
    int n = vsnprintf(to, sizeof r->header[0], fmt, args);
    va_end(args);
    WN_ASSERT(n > 0 && (size_t)n < sizeof r->header[0]);
}

wn_err wn_sink_body_begin(wn_sink_request *r, FILE **out) {
    *out = open_memstream(&r->body, &r->body_bytes);
    return *out != NULL ? WN_OK : WN_ERR_NOMEM;
}

wn_err wn_sink_body_end(wn_sink_request *r, FILE *body) {
    bool failed = ferror(body) != 0;
    if (fclose(body) != 0 || failed) return WN_ERR_NOMEM;
    return r->body_bytes <= WN_SINK_BODY_MAX ? WN_OK : WN_ERR_FULL;
}

// ---- a row's facts ----

static void put_number(const char *name, uint64_t value, bool as_text, FILE *out) {
    const char *quote = as_text ? "\"" : "";
    fprintf(out, ",\"%s\":%s%" PRIu64 "%s", name, quote, value, quote);
}

static void put_text(const char *name, const char *text, size_t max, FILE *out) {
    char cut[WN_OPEN_TEXT_MAX + 1];
    snprintf(cut, sizeof cut, "%s", text);
    size_t n = strlen(cut);
    if (max != 0 && n > max) {
        while (max > 0 && ((uint8_t)cut[max] & 0xC0) == 0x80) max--; // whole characters
        cut[max] = '\0';
    }
    fprintf(out, ",\"%s\":", name);
    wn_report_text_json(out, cut);
}

typedef struct measure_name {
    uint8_t bit;
    const char *name;
    size_t at;
} measure_name;

void wn_row_json(const wn_sink_batch *b, size_t i, size_t text_max, bool as_text, FILE *out) {
    const wn_public_head *h = b->head;
    const wn_public_row *r = &b->rows[i];
    static const measure_name locked[] = {
        {WN_MEASURE_BOUNCES, "bounces", offsetof(wn_public_row, bounces)},
        {WN_MEASURE_TIME, "seconds", offsetof(wn_public_row, seconds)},
        {WN_MEASURE_NUMBER1, "number1", offsetof(wn_public_row, number)},
        {WN_MEASURE_NUMBER2, "number2", offsetof(wn_public_row, number)},
    };
    char day[11];
    wn_day_text(h->window.day, day);
    put_text("site", h->site, text_max, out);
    put_text("table", h->table, text_max, out);
    put_text("day", day, text_max, out);
    put_text("zone", h->window.zone, text_max, out);
    for (unsigned d = 0; d < h->dims_n && !r->is_other; d++)
        put_text(wn_dim_name(h->dims[d]), r->label[d], text_max, out);
    if (r->is_other) put_text("row", "other", text_max, out);
    put_number("people", r->people, as_text, out);
    if (h->measures & WN_MEASURE_EVENTS) put_number("events", r->events, as_text, out);
    if (h->measures & WN_MEASURE_SESSIONS) put_number("sessions", r->sessions, as_text, out);
    for (size_t m = 0; m < WN_COUNT(locked); m++) {
        uint64_t value;
        if (!(r->locked & locked[m].bit)) continue;
        memcpy(&value, (const uint8_t *)r + locked[m].at, sizeof value);
        put_number(locked[m].name, value, as_text, out);
    }
    // How `people` is to be read: at least so many, or with noise.
    put_text("profile", h->profile == WN_PROFILE_NOISE ? "noise" : "crowd", text_max, out);
    if (h->profile == WN_PROFILE_NOISE) put_number("rho_micro", h->noise.rho_micro, as_text, out);
    put_number("k", h->k, as_text, out);
    put_number("plan_version", h->plan_version, as_text, out);
    put_number("policy_version", h->policy_version, as_text, out);
}

void wn_sink_label(const wn_sink_batch *b, size_t i, unsigned d, FILE *out) {
    wn_report_text_json(out, d < b->head->dims_n ? b->rows[i].label[d] : "");
}

// ---- answers ----

void wn_judge_status(const wn_sink_answer *a, wn_sink_verdict *out) {
    *out = (wn_sink_verdict){.fate = WN_FATE_STOP};
    if (a->status >= 200 && a->status < 300) out->fate = WN_FATE_TAKEN;
    else if (a->status == 0 || a->status == 408 || a->status == 423 || a->status == 425 || a->status == 429 ||
             a->status >= 500)
        out->fate = WN_FATE_AGAIN;
    else if (a->status == 413 || a->status == 400 || a->status == 422) out->fate = WN_FATE_SMALLER;
    if (out->fate == WN_FATE_AGAIN && a->retry_after_s > 0) out->wait_s = a->retry_after_s;
}
