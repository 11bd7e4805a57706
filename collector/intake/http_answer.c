// SPDX-License-Identifier: Apache-2.0
// http_answer.c: responses. The ones that are alike for many requests (a pixel,
// the script, "one event accepted") are made once and queued again and again.
#include "http_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "crypt.h"

#define ORIGINS_MAX 64 // origins whose usual answer is kept
#define ORIGIN_BYTES_MAX 128
#define SCRIPT_AGE "public, max-age=3600"

// The script is part of the binary: one file to install, one version to serve.
__asm__(".pushsection .rodata\n"
        ".global wn_script_start\n.global wn_script_end\n"
        "wn_script_start: .incbin \"" WN_SCRIPT_FILE "\"\n"
        "wn_script_end: .byte 0\n"
        ".popsection\n");
extern const char wn_script_start[], wn_script_end[];

// The smallest transparent picture.
static const uint8_t pixel[43] = {
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4,
    1,    0,    0,    0,    0,    0x2c, 0, 0, 0, 0, 1,    0, 1, 0, 0, 2, 2,    0x44, 1,    0,    0x3b,
};

typedef struct usual {
    char origin[ORIGIN_BYTES_MAX]; // "": none sent, or none allowed
    struct MHD_Response *accepted;
} usual;

struct wn_answers {
    struct MHD_Response *pixel, *script, *script_gzip, *unchanged;
    char etag[2 + 16 + 1];
    usual none;
    usual by_origin[ORIGINS_MAX];
};

// ---- making responses ----

static void header(struct MHD_Response *r, const char *name, const char *value) {
    MHD_add_response_header(r, name, value);
}

struct MHD_Response *wn_answer_new(const void *bytes, size_t n, const char *type) {
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    if (r != NULL && type != NULL) header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return r;
}

// A header's value that is safe to send back: an origin is a URL without control characters.
static bool origin_plain(const char *origin) {
    size_t n = strlen(origin);
    if (n == 0 || n >= ORIGIN_BYTES_MAX) return false;
    for (size_t i = 0; i < n; i++)
        if (origin[i] <= ' ' || origin[i] > '~') return false;
    return true;
}

bool wn_answer_origin_allowed(const wn_site_list *sites, const char *origin) {
    return origin != NULL && origin_plain(origin) && wn_site_list_origin(sites, origin, strlen(origin));
}

void wn_answer_cors(struct MHD_Response *r, const wn_site_list *sites, const char *origin) {
    header(r, MHD_HTTP_HEADER_VARY, "Origin");
    if (!wn_answer_origin_allowed(sites, origin)) return;
    header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
}

enum MHD_Result wn_answer_send(struct MHD_Connection *c, unsigned status, struct MHD_Response *r) {
    if (r == NULL) return MHD_NO;
    enum MHD_Result done = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return done;
}

// ---- outcomes ----

size_t wn_outcome_text(const wn_outcome *o, const char *error, char *out, size_t cap) {
    size_t n = 0;
    if (error != NULL)
        n +=
            (size_t)snprintf(out, cap, "{\"error\":\"%s\",\"accepted\":%u,\"refused\":[", error, o->accepted);
    else n += (size_t)snprintf(out, cap, "{\"accepted\":%u,\"refused\":[", o->accepted);
    for (uint32_t i = 0; i < o->refused_listed; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s{\"index\":%u,\"reason\":\"%s\"}", i == 0 ? "" : ",",
                              o->refused[i].index, wn_verdict_name(o->refused[i].why));
    n += (size_t)snprintf(out + n, cap - n, o->refused_n > o->refused_listed ? "],\"more\":%u}" : "]}",
                          o->refused_n - o->refused_listed);
    WN_ASSERT(n < cap);
    return n;
}

static const char *outcome_error(unsigned status) {
    if (status == MHD_HTTP_BAD_REQUEST) return "malformed";
    return status == MHD_HTTP_NOT_FOUND ? "unknown_site" : NULL;
}

static usual *usual_slot(wn_answers *a, const char *origin) {
    if (origin == NULL) return &a->none;
    uint32_t h = 2166136261u;
    size_t n = 0;
    for (; origin[n] != '\0'; n++) h = (h ^ (uint8_t)origin[n]) * 16777619u;
    return n < ORIGIN_BYTES_MAX ? &a->by_origin[h % ORIGINS_MAX] : NULL;
}

static bool usual_is(const usual *u, const char *origin) {
    return u->accepted != NULL && strcmp(u->origin, origin == NULL ? "" : origin) == 0;
}

static struct MHD_Response *outcome_response(const wn_site_list *sites, const char *origin, unsigned status,
                                             const wn_outcome *o) {
    char text[WN_OUTCOME_TEXT_MAX];
    size_t n = wn_outcome_text(o, outcome_error(status), text, sizeof text);
    struct MHD_Response *r = wn_answer_new(text, n, "application/json");
    if (r != NULL) wn_answer_cors(r, sites, origin);
    return r;
}

enum MHD_Result wn_answer_outcome(wn_answers *a, struct MHD_Connection *c, const wn_site_list *sites,
                                  const char *origin, unsigned status, const wn_outcome *o) {
    bool alike = status == MHD_HTTP_OK && o->accepted == 1 && o->refused_n == 0;
    usual *u = alike ? usual_slot(a, origin) : NULL;
    if (u != NULL && !usual_is(u, origin) && !wn_answer_origin_allowed(sites, origin)) {
        origin = NULL; // nothing of it would be said, and nothing of it is kept
        u = &a->none;
    }
    if (u == NULL) return wn_answer_send(c, status, outcome_response(sites, origin, status, o));
    if (!usual_is(u, origin)) {
        struct MHD_Response *r = outcome_response(sites, origin, status, o);
        if (r == NULL) return MHD_NO;
        if (u->accepted != NULL) MHD_destroy_response(u->accepted);
        u->accepted = r;
        strcpy(u->origin, origin == NULL ? "" : origin); // usual_slot measured it
    }
    return MHD_queue_response(c, status, u->accepted);
}

enum MHD_Result wn_answer_error(struct MHD_Connection *c, const wn_site_list *sites, const char *origin,
                                unsigned status, const char *text, const char *allow, unsigned retry_s) {
    char body[512], seconds[16];
    int n = snprintf(body, sizeof body, "{\"error\":\"%s\"}\n", text);
    struct MHD_Response *r = wn_answer_new(body, (size_t)n, "application/json");
    if (r == NULL) return MHD_NO;
    wn_answer_cors(r, sites, origin);
    if (allow != NULL) header(r, MHD_HTTP_HEADER_ALLOW, allow);
    if (retry_s != 0) {
        snprintf(seconds, sizeof seconds, "%u", retry_s);
        header(r, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    return wn_answer_send(c, status, r);
}

enum MHD_Result wn_answer_preflight(struct MHD_Connection *c, const wn_site_list *sites, const char *origin,
                                    const char *methods) {
    struct MHD_Response *r = wn_answer_new("", 0, NULL);
    if (r == NULL) return MHD_NO;
    wn_answer_cors(r, sites, origin);
    if (wn_answer_origin_allowed(sites, origin)) {
        header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_METHODS, methods);
        header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_HEADERS, "content-type");
        header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_MAX_AGE, "7200");
    }
    return wn_answer_send(c, MHD_HTTP_NO_CONTENT, r);
}

enum MHD_Result wn_answer_health(struct MHD_Connection *c, bool well) {
    struct MHD_Response *r =
        well ? wn_answer_new("ok\n", 3, "text/plain") : wn_answer_new("spool failed\n", 13, "text/plain");
    return wn_answer_send(c, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, r);
}

// ---- what is always the same ----

enum MHD_Result wn_answer_pixel(wn_answers *a, struct MHD_Connection *c) {
    return MHD_queue_response(c, MHD_HTTP_OK, a->pixel);
}

enum MHD_Result wn_answer_script(wn_answers *a, struct MHD_Connection *c, const char *if_none_match,
                                 bool gzip) {
    if (if_none_match != NULL && strstr(if_none_match, a->etag) != NULL)
        return MHD_queue_response(c, MHD_HTTP_NOT_MODIFIED, a->unchanged);
    return MHD_queue_response(c, MHD_HTTP_OK, gzip ? a->script_gzip : a->script);
}

static struct MHD_Response *script_response(const wn_answers *a, const void *bytes, size_t n, bool gzip) {
    struct MHD_Response *r = wn_answer_new(bytes, n, n != 0 ? "text/javascript; charset=utf-8" : NULL);
    if (r == NULL) return NULL;
    header(r, MHD_HTTP_HEADER_ETAG, a->etag);
    header(r, MHD_HTTP_HEADER_CACHE_CONTROL, SCRIPT_AGE);
    header(r, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    header(r, "Cross-Origin-Resource-Policy", "cross-origin");
    if (gzip) header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return r;
}

static struct MHD_Response *script_zipped(const wn_answers *a, const void *bytes, size_t n) {
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)bytes, .avail_in = (uInt)n};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) return NULL;
    size_t cap = deflateBound(&z, (uLong)n);
    uint8_t *zipped = malloc(cap);
    struct MHD_Response *r = NULL;
    if (zipped != NULL) {
        z.next_out = zipped;
        z.avail_out = (uInt)cap;
        if (deflate(&z, Z_FINISH) == Z_STREAM_END) r = script_response(a, zipped, cap - z.avail_out, true);
    }
    deflateEnd(&z);
    free(zipped);
    return r;
}

static void make_etag(wn_answers *a, const void *bytes, size_t n) {
    static const uint8_t key[32]; // no secret: it names a version
    uint8_t hash[8];
    wn_prf(key, (wn_span){bytes, n}, hash, sizeof hash);
    a->etag[0] = '"';
    for (size_t i = 0; i < sizeof hash; i++) snprintf(a->etag + 1 + 2 * i, 3, "%02x", hash[i]);
    a->etag[17] = '"';
    a->etag[18] = '\0';
}

wn_err wn_answers_new(wn_answers **out) {
    wn_answers *a = calloc(1, sizeof *a);
    if (a == NULL) return WN_ERR_NOMEM;
    size_t n = (size_t)(wn_script_end - wn_script_start);
    make_etag(a, wn_script_start, n);
    a->script = script_response(a, wn_script_start, n, false);
    a->script_gzip = script_zipped(a, wn_script_start, n);
    a->unchanged = script_response(a, "", 0, false);
    a->pixel = wn_answer_new(pixel, sizeof pixel, "image/gif");
    if (a->script == NULL || a->script_gzip == NULL || a->unchanged == NULL || a->pixel == NULL) {
        wn_answers_free(a);
        return WN_ERR_NOMEM;
    }
    header(a->pixel, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    header(a->pixel, "Cross-Origin-Resource-Policy", "cross-origin");
    *out = a;
    return WN_OK;
}

static void usual_forget(usual *u) {
    if (u->accepted != NULL) MHD_destroy_response(u->accepted);
    memset(u, 0, sizeof *u);
}

void wn_answers_forget(wn_answers *a) {
    usual_forget(&a->none);
    for (size_t i = 0; i < ORIGINS_MAX; i++) usual_forget(&a->by_origin[i]);
}

void wn_answers_free(wn_answers *a) {
    if (a == NULL) return;
    wn_answers_forget(a);
    struct MHD_Response *all[] = {a->pixel, a->script, a->script_gzip, a->unchanged};
    for (size_t i = 0; i < WN_COUNT(all); i++)
        if (all[i] != NULL) MHD_destroy_response(all[i]);
    free(a);
}
