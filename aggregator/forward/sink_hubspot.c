// SPDX-License-Identifier: Apache-2.0
// sink_hubspot.c: HubSpot, as records of a custom object that is no person: upserted by a key
// of ours, so that a repeat writes the same again; or, with object_id, as events on one record
// of the site. Never an e-mail address, never a visitor's token.
// Source: @hubspot/api-client 13.5.0; "Send custom event occurrences".
#include <string.h>

#include "report_text.h"
#include "sink.h"

enum { ROWS_MAX = 100, TEXT_MAX = 200 };

static const char *lacks(const wn_destination *d) {
    if (d->account[0] == '\0') {
        return d->object_id[0] == '\0' ? "account: the custom object's type, with the unique property agg_key"
                                       : "account: the event's full name (pe…_name)";
    }
    if (d->account[strspn(d->account, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] !=
        '\0')
        return "account: letters, digits, _ and - alone";
    return d->secret_file[0] == '\0' ? "a secret_file with the private app's token" : NULL;
}

static void write_record(const wn_sink_batch *b, size_t i, FILE *f) {
    char id[WN_ROW_ID_BYTES];
    wn_row_id(b, i, id);
    fprintf(f, "{\"idProperty\":\"agg_key\",\"id\":\"%s\",\"properties\":{\"agg_key\":\"%s\"", id, id);
    wn_row_json(b, i, TEXT_MAX, true, f);
    fputs("}}", f);
}

static void write_event(const wn_sink_batch *b, size_t i, FILE *f) {
    char id[WN_ROW_ID_BYTES], at[24];
    wn_row_id(b, i, id);
    wn_time_text(b->head->window.end_s - 1, at);
    fputs("{\"eventName\":", f);
    wn_report_text_json(f, b->to->account);
    fputs(",\"objectId\":", f);
    wn_report_text_json(f, b->to->object_id);
    fprintf(
        f, ",\"occurredAt\":\"%s\",\"uuid\":\"%.8s-%.4s-%.4s-%.4s-%.12s\",\"properties\":{\"agg_key\":\"%s\"",
        at, id, id + 8, id + 12, id + 16, id + 20, id);
    wn_row_json(b, i, TEXT_MAX, true, f);
    fputs("}}", f);
}

static wn_err write_request(const wn_sink_batch *b, wn_sink_request *out) {
    FILE *f;
    const wn_destination *d = b->to;
    const char *host = d->url[0] ? d->url : wn_sink_hubspot.url;
    bool events = d->object_id[0] != '\0';
    if (events) snprintf(out->url, sizeof out->url, "%s/events/v3/send/batch", host);
    else snprintf(out->url, sizeof out->url, "%s/crm/v3/objects/%s/batch/upsert", host, d->account);
    if (strlen(d->secret) > sizeof out->header[0] - 32) return WN_ERR_CONFIG;
    wn_sink_header(out, "Content-Type: application/json");
    wn_sink_header(out, "Authorization: Bearer %s", d->secret);
    WN_TRY(wn_sink_body_begin(out, &f));
    fputs("{\"inputs\":[", f);
    for (size_t i = 0; i < b->n; i++) {
        if (i > 0) fputc(',', f);
        if (events) write_event(b, i, f);
        else write_record(b, i, f);
    }
    fputs("]}", f);
    return wn_sink_body_end(out, f);
}

static bool says(wn_span body, const char *text) {
    return body.n != 0 && memmem(body.p, body.n, text, strlen(text)) != NULL;
}

static int64_t to_midnight_s(int64_t now_s) {
    return 86400 - now_s % 86400;
}

static void judge(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out) {
    wn_judge_status(a, out);
    // Partial: some rows are there. Each alone then, to find which never will be; repeats are harmless.
    if (a->status == 207) out->fate = b->n > 1 ? WN_FATE_SMALLER : WN_FATE_TAKEN;
    if (a->status == 207 && b->n == 1 && says(a->body, "\"errors\"")) out->refused[out->refused_n++] = 0;
    if (a->status == 429 && out->wait_s == 0)
        out->wait_s = says(a->body, "DAILY") ? to_midnight_s(b->now_s) : 10;
}

const wn_sink wn_sink_hubspot = {.kind = "hubspot",
                                 .url = "https://api.hubapi.com",
                                 .rows_max = ROWS_MAX,
                                 .network = true,
                                 .lacks = lacks,
                                 .write = write_request,
                                 .judge = judge};
