// SPDX-License-Identifier: Apache-2.0
// sink_ga4.c: Google Analytics' Measurement Protocol. One event a row, of a made-up client.
//
// client_id is constant for a shard of a site's table: no person, no device. No session, no
// engagement time, no user id, no address, both ad consents denied. Google says 2xx whatever
// it got and knows no repeats: rows are counted as doubtful before they leave and as taken once
// it has said so; what may have arrived is never sent again, after a kill neither.
// Source: Measurement Protocol reference; googleanalytics/ga-dev-tools.
#include <string.h>

#include "sink.h"

enum { ROWS_MAX = 25, TEXT_MAX = 100, NAME_MAX_BYTES = 40, SHARD_ROWS = 50000 };
#define OLDEST_S (72 * 3600)

static const char *lacks(const wn_destination *d) {
    const char *rest = d->account + 2;
    if (strncmp(d->account, "G-", 2) != 0 || *rest == '\0' ||
        rest[strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")] != '\0')
        return "account: the measurement id (G-…)";
    return d->secret_file[0] == '\0' ? "a secret_file with the API secret" : NULL;
}

static bool url_text(const char *s) {
    return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")] == '\0';
}

// Of the last second of its window: what Google takes is at most three days old.
static int64_t at_s(const wn_sink_batch *b) {
    return b->head->window.end_s - 1;
}

static void write_event(const wn_sink_batch *b, size_t i, FILE *f) {
    char id[WN_ROW_ID_BYTES], name[NAME_MAX_BYTES + 1];
    wn_row_id(b, i, id);
    snprintf(name, sizeof name, "winnow_%s", b->head->table);
    fprintf(f, "{\"name\":\"%s\",\"params\":{\"row_id\":\"%s\"", name, id);
    wn_row_json(b, i, TEXT_MAX, false, f);
    fputs("}}", f);
}

static wn_err write_request(const wn_sink_batch *b, wn_sink_request *out) {
    FILE *f;
    const wn_destination *d = b->to;
    if (b->now_s - at_s(b) > OLDEST_S) return WN_ERR_STATE;
    if (!url_text(d->account) || !url_text(d->secret)) return WN_ERR_CONFIG;
    int n = snprintf(out->url, sizeof out->url, "%s/mp/collect?measurement_id=%s&api_secret=%s",
                     d->url[0] ? d->url : wn_sink_ga4.url, d->account, d->secret);
    if (n < 0 || (size_t)n >= sizeof out->url) return WN_ERR_CONFIG;
    wn_sink_header(out, "Content-Type: application/json");
    WN_TRY(wn_sink_body_begin(out, &f));
    fprintf(
        f,
        "{\"client_id\":\"agg.%s.%s.%zu\",\"timestamp_micros\":%lld,\"consent\":{\"ad_user_data\":\"DENIED\","
        "\"ad_personalization\":\"DENIED\"},\"events\":[",
        b->head->site, b->head->table, b->first / SHARD_ROWS, (long long)at_s(b) * 1000000);
    for (size_t i = 0; i < b->n; i++) {
        if (i > 0) fputc(',', f);
        write_event(b, i, f);
    }
    fputs("]}", f);
    return wn_sink_body_end(out, f);
}

static void judge(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out) {
    (void)b;
    wn_judge_status(a, out);
    if (a->status != 0 || !a->maybe_sent) return;
    out->fate = WN_FATE_TAKEN;
    out->doubtful = true;
}

const wn_sink wn_sink_ga4 = {.kind = "ga4",
                             .url = "https://www.google-analytics.com",
                             .rows_max = ROWS_MAX,
                             .network = true,
                             .once = true,
                             .lacks = lacks,
                             .write = write_request,
                             .judge = judge};
