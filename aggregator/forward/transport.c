// SPDX-License-Identifier: Apache-2.0
// transport.c: libcurl with everything that could surprise turned off.
#include "transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_FDS_MAX = 8 };

typedef struct flight {
    wn_transport *t;
    CURL *curl; // NULL: not of HTTP
    struct curl_slist *headers;
    wn_sink_request request;
    const wn_destination *to;
    wn_sink_answer answer;
    uint8_t *body; // WN_SINK_ANSWER_MAX; NULL until something comes
    size_t body_bytes;
    bool used, over;
    bool plain; // http
    bool refused_near;
} flight;

struct wn_transport {
    CURLM *multi;
    flight flight[WN_DESTINATIONS_MAX];
    uint8_t *given; // the body of the last answer
};

wn_err wn_transport_open(wn_transport **out) {
    wn_transport *t = calloc(1, sizeof *t);
    if (t == NULL) return WN_ERR_NOMEM;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) t->multi = curl_multi_init();
    if (t->multi == NULL) return free(t), WN_ERR_NOMEM;
    *out = t;
    return WN_OK;
}

// Lets go of all but the answer.
static void land(flight *f) {
    if (f->curl != NULL) {
        curl_multi_remove_handle(f->t->multi, f->curl);
        curl_easy_cleanup(f->curl);
    }
    curl_slist_free_all(f->headers);
    wn_sink_request_fini(&f->request);
    f->curl = NULL;
    f->headers = NULL;
    f->over = true;
}

void wn_transport_close(wn_transport *t) {
    if (t == NULL) return;
    for (size_t i = 0; i < WN_COUNT(t->flight); i++) {
        if (t->flight[i].used) land(&t->flight[i]);
        free(t->flight[i].body);
    }
    free(t->given);
    curl_multi_cleanup(t->multi);
    curl_global_cleanup();
    free(t);
}

// ---- whom we talk to ----

static bool near_v4(uint32_t a) {
    static const struct {
        uint32_t net;
        unsigned bits;
    } rows[] = {{0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
                {0xAC100000, 12}, {0xC0000000, 24}, {0xC0A80000, 16}, {0xC6120000, 15}, {0xE0000000, 3}};
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if ((a ^ rows[i].net) >> (32 - rows[i].bits) == 0) return true;
    return false;
}

static bool near_v6(const struct in6_addr *a) {
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    const uint8_t *b = a->s6_addr;
    uint32_t last = (uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15];
    if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a)) return near_v4(last);
    if (memcmp(b, nat64, sizeof nat64) == 0) return near_v4(last);
    if (b[0] == 0x20 && b[1] == 0x02) // 6to4: the IPv4 address comes second
        return near_v4((uint32_t)b[2] << 24 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 8 | b[5]);
    return (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && (b[1] & 0x80) != 0) || b[0] == 0xFF ||
           IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LOOPBACK(a);
}

bool wn_address_is_near(const void *sockaddr) {
    const struct sockaddr *s = sockaddr;
    if (s->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sockaddr, sizeof in);
        return near_v4(ntohl(in.sin_addr.s_addr));
    }
    if (s->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sockaddr, sizeof in6);
        return near_v6(&in6.sin6_addr);
    }
    return true; // what is no internet address is none of a receiver
}

static bool is_loopback(const struct sockaddr *s) {
    if (s->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, s, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, s, sizeof in6);
    return s->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

// After the name was resolved, before anything connects.
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a) {
    flight *f = ctx;
    bool allowed = purpose == CURLSOCKTYPE_IPCXN &&
                   (f->to->private_network || !wn_address_is_near(&a->addr)) &&
                   (!f->plain || is_loopback(&a->addr));
    if (!allowed) {
        f->refused_near = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx) {
    flight *f = ctx;
    if (f->body == NULL) f->body = malloc(WN_SINK_ANSWER_MAX);
    if (f->body == NULL) return 0;
    size_t bytes = size * n, room = WN_SINK_ANSWER_MAX - f->body_bytes;
    size_t kept = bytes < room ? bytes : room;
    memcpy(f->body + f->body_bytes, p, kept);
    f->body_bytes += kept;
    return kept; // less than all ends the transfer: the status is known by then
}

static struct curl_slist *headers_of(const wn_sink_request *r) {
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"), *more;
    for (size_t i = 0; list != NULL && i < r->headers_n; i++) {
        more = curl_slist_append(list, r->header[i]);
        if (more == NULL) curl_slist_free_all(list);
        list = more;
    }
    return list;
}

static long total_ms(void) {
#ifdef WN_TEST_CLOCK
    const char *text = getenv("WINNOW_TEST_TRANSPORT_MS"); // tests wait for no half minute
    if (text != NULL) return strtol(text, NULL, 10);
#endif
    return WN_TRANSPORT_TOTAL_MS;
}

static wn_reason reason_of(const flight *f, CURLcode code) {
    static const struct {
        CURLcode code;
        wn_reason reason;
    } rows[] = {{CURLE_COULDNT_RESOLVE_HOST, WN_REASON_NAME},
                {CURLE_COULDNT_CONNECT, WN_REASON_CONNECT},
                {CURLE_PEER_FAILED_VERIFICATION, WN_REASON_CERTIFICATE},
                {CURLE_SSL_CACERT_BADFILE, WN_REASON_CERTIFICATE},
                {CURLE_SSL_CONNECT_ERROR, WN_REASON_TLS},
                {CURLE_SSL_CIPHER, WN_REASON_TLS},
                {CURLE_OPERATION_TIMEDOUT, WN_REASON_SILENT},
                {CURLE_URL_MALFORMAT, WN_REASON_REQUEST},
                {CURLE_UNSUPPORTED_PROTOCOL, WN_REASON_REQUEST}};
    if (f->refused_near) return WN_REASON_ADDRESS;
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if (rows[i].code == code) return rows[i].reason;
    return WN_REASON_CUT;
}

static void set_options(flight *f) {
    CURL *c = f->curl;
    const wn_sink_request *r = &f->request;
    f->plain = strncmp(r->url, "http://", 7) == 0;
    curl_easy_setopt(c, CURLOPT_URL, r->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, f->to->private_network ? "http,https" : "https");
#ifdef WN_MUTANT_FOLLOW_REDIRECTS
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
#else
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
#endif
#ifndef WN_MUTANT_PROXY_FROM_ENV
    curl_easy_setopt(c, CURLOPT_PROXY, "");
#endif
#ifdef WN_MUTANT_VERIFY_PEER_OFF
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
#endif
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); // a name that nobody resolves must not hold up a stop
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)WN_TRANSPORT_CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, total_ms());
    // libcurl repeats a POST by itself where a kept connection had died: a repeat that nobody counts.
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_PRIVATE, f);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "winnow");
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_bytes);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
}

// Whether one byte of the request may have left: it begins when the line, and TLS on it, stand.
static bool was_begun(CURL *curl) {
    curl_off_t at_us = 0;
    return curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &at_us) != CURLE_OK || at_us > 0;
}

static void arrived(flight *f, CURLcode code) {
    long status = 0;
    curl_off_t after = 0;
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(f->curl, CURLINFO_RETRY_AFTER, &after);
    // A body cut in the middle is no answer, unless it is we who stopped reading.
    bool whole = code == CURLE_OK || (code == CURLE_WRITE_ERROR && f->body_bytes == WN_SINK_ANSWER_MAX);
    f->answer.status = whole ? (int)status : 0;
    f->answer.maybe_sent = !whole && !f->refused_near && was_begun(f->curl);
    f->answer.reason = whole ? WN_REASON_STATUS : reason_of(f, code);
    if (after > 0) f->answer.retry_after_s = (int64_t)after;
    land(f);
}

static void start_http(flight *f) {
    f->headers = headers_of(&f->request);
    f->curl = f->headers != NULL ? curl_easy_init() : NULL;
    if (f->curl != NULL) set_options(f);
    if (f->curl == NULL || curl_multi_add_handle(f->t->multi, f->curl) != CURLM_OK) land(f);
}

// ---- files ----

static bool write_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        p += done;
        n -= (size_t)done;
    }
    return fsync(fd) == 0;
}

static void write_file(flight *f) {
    const char *to = f->request.url;
    char beside[sizeof f->request.url + 8];
    snprintf(beside, sizeof beside, "%s.part", to);
    (void)unlink(beside); // of a kill, or laid there: never written through
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool done = fd >= 0 && write_all(fd, f->request.body, f->request.body_bytes);
    if (fd >= 0) done = close(fd) == 0 && done;
    done = done && rename(beside, to) == 0;
    if (!done && fd >= 0) (void)unlink(beside);
    int folder = done ? open(f->to->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) close(folder);
    f->answer.status = done ? 200 : 0;
    f->answer.reason = done ? WN_REASON_STATUS : WN_REASON_FOLDER;
    land(f);
}

// ---- all of them at once ----

void wn_transport_start(wn_transport *t, size_t slot, const wn_destination *d, const wn_sink *sink,
                        wn_sink_request *r) {
    flight *f = &t->flight[slot];
    WN_ASSERT(slot < WN_COUNT(t->flight) && !f->used);
    *f = (flight){.t = t,
                  .request = *r,
                  .to = d,
                  .used = true,
                  .answer = {.retry_after_s = -1, .reason = WN_REASON_REQUEST}};
    wn_wipe(r, sizeof *r);
    r->body = NULL; // now the flight's
    if (sink->network) start_http(f);
    else write_file(f);
}

static void collect(wn_transport *t) {
    int left = 0;
    curl_multi_perform(t->multi, &left);
    for (CURLMsg *m = curl_multi_info_read(t->multi, &left); m != NULL;
         m = curl_multi_info_read(t->multi, &left)) {
        char *ctx = NULL;
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result; // the message dies with its handle
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &ctx);
        arrived((flight *)(void *)ctx, code);
    }
}

void wn_transport_wait(wn_transport *t, const int *fds, size_t n, int64_t wait_ms) {
    struct curl_waitfd extra[WAIT_FDS_MAX];
    WN_ASSERT(n <= WN_COUNT(extra));
    for (size_t i = 0; i < n; i++) extra[i] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
    collect(t);
    for (size_t i = 0; i < WN_COUNT(t->flight); i++)
        if (t->flight[i].over) return;
    curl_multi_poll(t->multi, extra, (unsigned)n, (int)wait_ms, NULL);
    collect(t);
}

bool wn_transport_next(wn_transport *t, size_t *out_slot, wn_sink_answer *out) {
    for (size_t i = 0; i < WN_COUNT(t->flight); i++) {
        flight *f = &t->flight[i];
        if (!f->over) continue;
        free(t->given);
        t->given = f->body;
        *out = f->answer;
        out->body = (wn_span){f->body, f->body_bytes};
        *out_slot = i;
        *f = (flight){0};
        return true;
    }
    return false;
}

size_t wn_transport_under_way(const wn_transport *t) {
    size_t n = 0;
    for (size_t i = 0; i < WN_COUNT(t->flight); i++) n += t->flight[i].used;
    return n;
}

void wn_transport_break_off(wn_transport *t) {
    collect(t);
    for (size_t i = 0; i < WN_COUNT(t->flight); i++) {
        flight *f = &t->flight[i];
        if (!f->used || f->over) continue;
        f->answer.reason = WN_REASON_SILENT;
        f->answer.maybe_sent = was_begun(f->curl);
        land(f);
    }
}
