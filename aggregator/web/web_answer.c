// SPDX-License-Identifier: Apache-2.0
// Why: headers of an answer stand in one place, so that none is forgotten.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "crypt.h"
#include "web.h"

#define PROBLEM_TYPE "application/problem+json"
#define GZIP_BYTES_MIN 1024        // below, headers outweigh it
#define GZIP_WINDOW_BITS (15 + 16) // 16: gzip, not zlib

void wn_web_header(struct MHD_Response *r, const char *name, const char *value) {
    MHD_add_response_header(r, name, value);
}

// Nothing is loaded from elsewhere, nothing is shown inside of elsewhere, and no address is told on.
static void shield(struct MHD_Response *r) {
    wn_web_header(
        r, "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'");
    wn_web_header(r, "X-Content-Type-Options", "nosniff");
    wn_web_header(r, "Referrer-Policy", "no-referrer");
    wn_web_header(r, "Cross-Origin-Resource-Policy", "same-origin");
    wn_web_header(r, "Cross-Origin-Opener-Policy", "same-origin");
}

enum MHD_Result wn_web_send(wn_web_ask *a, unsigned status, struct MHD_Response *r) {
    if (!r) return MHD_NO;
    shield(r);
    enum MHD_Result done = MHD_queue_response(a->connection, status, r);
    MHD_destroy_response(r);
    return done;
}

void wn_web_private(struct MHD_Response *r, const char *type, const char *etag) {
    if (type) wn_web_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (etag) wn_web_header(r, MHD_HTTP_HEADER_ETAG, etag);
    wn_web_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, etag ? "private, no-cache" : "no-store");
    wn_web_header(r, MHD_HTTP_HEADER_VARY, "Authorization");
}

bool wn_web_takes_gzip(const wn_web_ask *a) {
    const char *takes =
        MHD_lookup_connection_value(a->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    return takes && strstr(takes, "gzip");
}

// The text as gzip in its place; false, and nothing is changed, when that gains nothing.
static bool pack(char **inout_text, size_t *inout_n) {
    z_stream z = {.next_in = (Bytef *)*inout_text, .avail_in = (uInt)*inout_n, .avail_out = (uInt)*inout_n};
    if (*inout_n < GZIP_BYTES_MIN || *inout_n > UINT32_MAX) return false;
    char *to = malloc(*inout_n);
    z.next_out = (Bytef *)to;
    if (!to ||
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return free(to), false;
    bool smaller = deflate(&z, Z_FINISH) == Z_STREAM_END;
    size_t n = z.total_out;
    deflateEnd(&z);
    if (!smaller) return free(to), false;
    free(*inout_text);
    *inout_text = to;
    *inout_n = n;
    return true;
}

enum MHD_Result wn_web_say_text(wn_web_ask *a, unsigned status, char *text, size_t n, const char *type,
                                const char *etag) {
    bool packed = wn_web_takes_gzip(a) && pack(&text, &n);
    struct MHD_Response *r = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(text);
        return MHD_NO;
    }
    wn_web_private(r, type, etag);
    wn_web_header(r, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    if (packed) wn_web_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return wn_web_send(a, status, r);
}

enum MHD_Result wn_web_say_problem(wn_web_ask *a, const wn_problem *p) {
    char *text = NULL, seconds[16];
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out) return MHD_NO;
    wn_problem_write(p, out);
    if (fclose(out) != 0) return free(text), MHD_NO;
    struct MHD_Response *r = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
    if (!r) return free(text), MHD_NO;
    wn_web_private(r, PROBLEM_TYPE, NULL);
    unsigned status = wn_problem_status(p->kind);
    if (status == MHD_HTTP_UNAUTHORIZED)
        wn_web_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"winnow\"");
    if (p->kind == WN_PROBLEM_bad_framing) wn_web_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    if (p->allow) wn_web_header(r, MHD_HTTP_HEADER_ALLOW, p->allow);
    if (p->retry_s) {
        snprintf(seconds, sizeof seconds, "%u", p->retry_s);
        wn_web_header(r, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    return wn_web_send(a, status, r);
}

static void etag_write(const uint8_t digest[16], char out[WN_WEB_ETAG_BYTES]) {
    out[0] = '"';
    sodium_bin2hex(out + 1, 33, digest, 16);
    out[33] = '"';
    out[34] = '\0';
}

void wn_web_etag_of(wn_span content, char out[WN_WEB_ETAG_BYTES]) {
    uint8_t digest[16];
    WN_ASSERT(crypto_generichash(digest, sizeof digest, content.p, content.n, NULL, 0) == 0);
    etag_write(digest, out);
}

void wn_web_etag(const wn_web *w, const uint8_t state[WN_WEB_STATE_BYTES], wn_span asked,
                 char out[WN_WEB_ETAG_BYTES]) {
    crypto_generichash_state hash;
    uint8_t digest[16];
    crypto_generichash_init(&hash, NULL, 0, sizeof digest);
    crypto_generichash_update(&hash, state, WN_WEB_STATE_BYTES);
    crypto_generichash_update(&hash, (const uint8_t *)WN_VERSION, sizeof WN_VERSION);
    crypto_generichash_update(&hash, w->conf.plan.digest, sizeof w->conf.plan.digest);
    crypto_generichash_update(&hash, asked.p, asked.n);
    crypto_generichash_final(&hash, digest, sizeof digest);
    etag_write(digest, out);
}

// Weak and strong tags alike, as If-None-Match compares them.
static bool etag_in(const char *list, const char *etag) {
    return list && (strcmp(list, "*") == 0 || strstr(list, etag) != NULL);
}

bool wn_web_unchanged(wn_web_ask *a, const char *etag, enum MHD_Result *out_done) {
    const char *list =
        MHD_lookup_connection_value(a->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (!etag_in(list, etag)) return false;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (r) wn_web_private(r, NULL, etag);
    *out_done = wn_web_send(a, MHD_HTTP_NOT_MODIFIED, r);
    return true;
}

bool wn_web_room_take(wn_web *w, const uint8_t who[WN_WEB_WHO_BYTES], unsigned *inout_slot, size_t rows) {
    unsigned own = 0, free_slot = 0;
    if (*inout_slot || rows <= WN_WEB_ROWS_SMALL) return true;
    for (unsigned i = 0; i < WN_WEB_LARGE_MAX; i++) {
        if (!w->large[i].held) free_slot = i + 1;
        else if (memcmp(w->large[i].who, who, WN_WEB_WHO_BYTES) == 0) own++;
    }
    if (!free_slot || own >= WN_WEB_LARGE_EACH) return false;
    w->large[free_slot - 1].held = true;
    memcpy(w->large[free_slot - 1].who, who, WN_WEB_WHO_BYTES);
    *inout_slot = free_slot;
    return true;
}

bool wn_web_room(wn_web_ask *a, unsigned *inout_slot, size_t rows) {
    if (wn_web_room_take(a->web, a->who, inout_slot, rows)) return true;
    (void)wn_problem_set(&a->problem, WN_PROBLEM_busy,
                         "Ask again in a moment, or for fewer days; one reader has at most %d large answers",
                         WN_WEB_LARGE_EACH);
    a->problem.retry_s = 1;
    return false;
}

void wn_web_room_end(wn_web *w, unsigned slot) {
    if (!slot) return;
    w->large[slot - 1].held = false;
    w->large_freed = true;
}
