// SPDX-License-Identifier: Apache-2.0
// Why: headers of an answer stand in one place, so that none is forgotten.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"
#include "web.h"

#define PROBLEM_TYPE "application/problem+json"

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

enum MHD_Result wn_web_say_text(wn_web_ask *a, unsigned status, char *text, size_t n, const char *type,
                                const char *etag) {
    struct MHD_Response *r = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(text);
        return MHD_NO;
    }
    wn_web_private(r, type, etag);
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

bool wn_web_etag(const wn_web *w, wn_span asked, char out[WN_WEB_ETAG_BYTES], uint8_t out_state[8]) {
    crypto_generichash_state hash;
    uint8_t state[32], digest[16];
    if (wn_published_state(w->store, state) != WN_OK) return false;
    crypto_generichash_init(&hash, NULL, 0, sizeof digest);
    crypto_generichash_update(&hash, state, sizeof state);
    crypto_generichash_update(&hash, (const uint8_t *)WN_VERSION, sizeof WN_VERSION);
    crypto_generichash_update(&hash, w->conf.plan.digest, sizeof w->conf.plan.digest);
    crypto_generichash_update(&hash, asked.p, asked.n);
    crypto_generichash_final(&hash, digest, sizeof digest);
    etag_write(digest, out);
    memcpy(out_state, state, 8);
    return true;
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

bool wn_web_room_take(wn_web *w, bool *inout_held, size_t rows) {
    if (*inout_held || rows <= WN_WEB_ROWS_SMALL) return true;
    if (w->large == WN_WEB_LARGE_MAX) return false;
    w->large++;
    *inout_held = true;
    return true;
}

bool wn_web_room(wn_web_ask *a, bool *inout_held, size_t rows) {
    if (wn_web_room_take(a->web, inout_held, rows)) return true;
    (void)wn_problem_set(&a->problem, WN_PROBLEM_busy, "Ask again in a moment, or for fewer days");
    a->problem.retry_s = 1;
    return false;
}

void wn_web_room_end(wn_web *w, bool held) {
    if (held) w->large--;
}
