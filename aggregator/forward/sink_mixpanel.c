// SPDX-License-Identifier: Apache-2.0
// sink_mixpanel.c: Mixpanel's import endpoint. One event a row, of nobody.
//
// distinct_id "" keeps the event out of every analysis of persons (left out, Mixpanel
// would make one of the sender's address); ip 0 keeps our server's address from
// becoming a place. Repeats agree in event, time, distinct_id and $insert_id, by which
// Mixpanel knows them. Source: mixpanel/docs, import-events, 2026-08.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"

enum { ROWS_MAX = 2000, TEXT_MAX = 255 };

static const char *lacks(const wn_destination *d) {
    if (d->account[0] == '\0' || strspn(d->account, "0123456789") != strlen(d->account))
        return "account: the project's number";
    if (d->user[0] == '\0') return "user: the service account's name";
    return d->secret_file[0] == '\0' ? "a secret_file with the service account's secret" : NULL;
}

static void write_event(const wn_sink_batch *b, size_t i, FILE *f) {
    char id[WN_ROW_ID_BYTES];
    wn_row_id(b, i, id);
    fprintf(f,
            "{\"event\":\"winnow_%s\",\"properties\":{\"time\":%lld,\"distinct_id\":\"\",\"$insert_id\":\"%"
            "s\",\"ip\":0",
            b->head->table, (long long)b->head->window.start_s, id);
    wn_row_json(b, i, TEXT_MAX, false, f);
    fputs("}}", f);
}

static wn_err authorize(const wn_destination *d, wn_sink_request *out) {
    char plain[sizeof d->user + WN_SECRET_BYTES_MAX + 2], text[sizeof out->header[0]];
    int n = snprintf(plain, sizeof plain, "%s:%s", d->user, d->secret);
    bool fits = sodium_base64_encoded_len((size_t)n, sodium_base64_VARIANT_ORIGINAL) < sizeof text - 32;
    if (fits) {
        sodium_bin2base64(text, sizeof text, (const uint8_t *)plain, (size_t)n,
                          sodium_base64_VARIANT_ORIGINAL);
        wn_sink_header(out, "Authorization: Basic %s", text);
    }
    wn_wipe(plain, sizeof plain);
    wn_wipe(text, sizeof text);
    return fits ? WN_OK : WN_ERR_CONFIG;
}

static wn_err write_request(const wn_sink_batch *b, wn_sink_request *out) {
    FILE *f;
    const wn_destination *d = b->to;
    snprintf(out->url, sizeof out->url, "%s/import?strict=1&project_id=%s",
             d->url[0] ? d->url : wn_sink_mixpanel.url, d->account);
    wn_sink_header(out, "Content-Type: application/json");
    WN_TRY(authorize(d, out));
    WN_TRY(wn_sink_body_begin(out, &f));
    for (size_t i = 0; i < b->n; i++) {
        fputc(i == 0 ? '[' : ',', f);
        write_event(b, i, f);
    }
    fputc(']', f);
    return wn_sink_body_end(out, f);
}

// The answer's failed_records name rows by index: {"index":3,…}. The rest was stored.
static void read_refused(const wn_sink_batch *b, wn_span body, wn_sink_verdict *out) {
    static const char key[] = "\"index\"";
    const uint8_t *p = body.p, *end = body.n != 0 ? body.p + body.n : body.p;
    while (p != NULL && p < end && out->refused_n < b->n) {
        p = memmem(p, (size_t)(end - p), key, sizeof key - 1);
        if (p == NULL) break;
        p += sizeof key - 1;
        while (p < end && (*p == ' ' || *p == ':')) p++;
        size_t index = 0, digits = 0;
        for (; p < end && *p >= '0' && *p <= '9' && digits < 5; digits++)
            index = index * 10 + (size_t)(*p++ - '0');
        bool known = digits == 0 || index >= b->n;
        for (size_t i = 0; i < out->refused_n && !known; i++) known = out->refused[i] == index;
        if (!known) out->refused[out->refused_n++] = (uint16_t)index;
    }
}

static void judge(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out) {
    wn_judge_status(a, out);
    if (a->status != 400) return;
    // Partial: what was not named is there, and to send it again would be for nothing.
    read_refused(b, a->body, out);
    if (out->refused_n > 0) out->fate = WN_FATE_TAKEN;
}

const wn_sink wn_sink_mixpanel = {.kind = "mixpanel",
                                  .url = "https://api.mixpanel.com",
                                  .rows_max = ROWS_MAX,
                                  .network = true,
                                  .lacks = lacks,
                                  .write = write_request,
                                  .judge = judge};
