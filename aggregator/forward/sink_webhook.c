// SPDX-License-Identifier: Apache-2.0
// sink_webhook.c: any receiver: Standard Webhooks' signature and CloudEvents' headers on one request.
// Source: standard-webhooks/spec, CloudEvents HTTP binding (binary mode).
#include <sodium.h>
#include <string.h>

#include "report_text.h"
#include "sink.h"

enum { ROWS_MAX = 50, SECRET_MIN = 24, SECRET_MAX = 64 }; // about 20 kB, which the specification advises

// whsec_ and base64. 0: not of that form.
static size_t key_of(const char *secret, uint8_t out[SECRET_MAX]) {
    size_t n = 0;
    if (strncmp(secret, "whsec_", 6) != 0) return 0;
    if (sodium_base642bin(out, SECRET_MAX, secret + 6, strlen(secret + 6), NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return 0;
    return n >= SECRET_MIN ? n : 0;
}

static const char *lacks(const wn_destination *d) {
    return d->secret_file[0] == '\0' ? "a secret_file (whsec_ and base64 of 24 to 64 random bytes)" : NULL;
}

// HMAC-SHA-256 of "id.timestamp.body".
void wn_webhook_sign(const uint8_t *key, size_t key_bytes, const char *id, int64_t now_s, wn_span body,
                     char out[64]) {
    crypto_auth_hmacsha256_state h;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    char head[96];
    snprintf(head, sizeof head, "%s.%lld.", id, (long long)now_s);
    crypto_auth_hmacsha256_init(&h, key, key_bytes);
    crypto_auth_hmacsha256_update(&h, (const uint8_t *)head, strlen(head));
    crypto_auth_hmacsha256_update(&h, body.p, body.n);
    crypto_auth_hmacsha256_final(&h, mac);
    memcpy(out, "v1,", 3);
    sodium_bin2base64(out + 3, 61, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
    wn_wipe(&h, sizeof h);
}

static wn_err write_body(const wn_sink_batch *b, const char *id, wn_sink_request *out) {
    FILE *f;
    char at[24], row[WN_ROW_ID_BYTES];
    wn_time_text(b->head->window.end_s, at);
    WN_TRY(wn_sink_body_begin(out, &f));
    fprintf(f, "{\"type\":\"winnow.rows\",\"timestamp\":\"%s\",\"id\":\"%s\",\"data\":[", at, id);
    for (size_t i = 0; i < b->n; i++) {
        wn_row_id(b, i, row);
        fprintf(f, "%s{\"id\":\"%s\"", i != 0 ? "," : "", row);
        wn_row_json(b, i, 0, false, f);
        fputc('}', f);
    }
    fputs("]}", f);
    return wn_sink_body_end(out, f);
}

static wn_err write_request(const wn_sink_batch *b, wn_sink_request *out) {
    uint8_t key[SECRET_MAX];
    char id[WN_ROW_ID_BYTES], signature[64], at[24];
    size_t n = key_of(b->to->secret, key);
    if (n == 0) return WN_ERR_CONFIG;
    wn_batch_id_text(b, id);
    snprintf(out->url, sizeof out->url, "%s", b->to->url);
    wn_err err = write_body(b, id, out);
    if (err == WN_OK) {
        wn_webhook_sign(key, n, id, b->now_s, (wn_span){(const uint8_t *)out->body, out->body_bytes},
                        signature);
        wn_time_text(b->head->window.end_s, at);
        wn_sink_header(out, "Content-Type: application/json");
        wn_sink_header(out, "webhook-id: %s", id);
        wn_sink_header(out, "webhook-timestamp: %lld", (long long)b->now_s);
        wn_sink_header(out, "webhook-signature: %s", signature);
        wn_sink_header(out, "ce-specversion: 1.0");
        wn_sink_header(out, "ce-id: %s", id);
        wn_sink_header(out, "ce-source: /winnow/%s/%s", b->head->site, b->head->table);
        wn_sink_header(out, "ce-type: winnow.rows");
    }
    wn_wipe(key, sizeof key);
    return err;
}

static void judge(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out) {
    (void)b;
    wn_judge_status(a, out);
}

const wn_sink wn_sink_webhook = {.kind = "webhook",
                                 .rows_max = ROWS_MAX,
                                 .network = true,
                                 .lacks = lacks,
                                 .write = write_request,
                                 .judge = judge};
