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

struct wn_transport {
    CURL *curl;
    char said[CURL_ERROR_SIZE];
    uint8_t body[WN_SINK_ANSWER_MAX];
    size_t body_bytes;
    const wn_destination *to;
    bool plain; // http
    bool refused_near;
};

wn_err wn_transport_open(wn_transport **out) {
    wn_transport *t = calloc(1, sizeof *t);
    if (t == NULL) return WN_ERR_NOMEM;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) t->curl = curl_easy_init();
    if (t->curl == NULL) {
        free(t);
        return WN_ERR_NOMEM;
    }
    *out = t;
    return WN_OK;
}

void wn_transport_close(wn_transport *t) {
    if (t == NULL) return;
    curl_easy_cleanup(t->curl);
    curl_global_cleanup();
    wn_wipe(t, sizeof *t);
    free(t);
}

const char *wn_transport_said(const wn_transport *t) {
    return t->said;
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
    wn_transport *t = ctx;
    bool allowed = purpose == CURLSOCKTYPE_IPCXN &&
                   (t->to->private_network || !wn_address_is_near(&a->addr)) &&
                   (!t->plain || is_loopback(&a->addr));
    if (!allowed) {
        t->refused_near = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx) {
    wn_transport *t = ctx;
    size_t bytes = size * n, room = sizeof t->body - t->body_bytes;
    size_t kept = bytes < room ? bytes : room;
    memcpy(t->body + t->body_bytes, p, kept);
    t->body_bytes += kept;
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

static bool never_sent(CURLcode code) {
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
           code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
           code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_SSL_CACERT_BADFILE;
}

static long total_ms(void) {
#ifdef WN_TEST_CLOCK
    const char *text = getenv("WINNOW_TEST_TRANSPORT_MS"); // tests wait for no half minute
    if (text != NULL) return strtol(text, NULL, 10);
#endif
    return WN_TRANSPORT_TOTAL_MS;
}

static void send_http(wn_transport *t, const wn_sink_request *r, wn_sink_answer *out) {
    struct curl_slist *headers = headers_of(r);
    if (headers == NULL) return;
    t->plain = strncmp(r->url, "http://", 7) == 0;
    curl_easy_reset(t->curl);
    curl_easy_setopt(t->curl, CURLOPT_URL, r->url);
    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, t->to->private_network ? "http,https" : "https");
    curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)WN_TRANSPORT_CONNECT_MS);
    curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, total_ms());
    // libcurl repeats a POST by itself where a kept connection had died: a repeat that nobody counts.
    curl_easy_setopt(t->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->said);
    curl_easy_setopt(t->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(t->curl, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "winnow");
    curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_bytes);
    curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, r->body);
    CURLcode code = curl_easy_perform(t->curl);
    long status = 0;
    curl_off_t after = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &after);
    curl_slist_free_all(headers);
    // A body cut in the middle is no answer, unless it is we who stopped reading.
    bool whole = code == CURLE_OK || (code == CURLE_WRITE_ERROR && t->body_bytes == sizeof t->body);
    out->status = whole ? (int)status : 0;
    out->maybe_sent = !whole && !never_sent(code) && !t->refused_near;
    if (after > 0) out->retry_after_s = (int64_t)after;
    if (t->refused_near) snprintf(t->said, sizeof t->said, "the address is private: see private_network");
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

static void write_file(wn_transport *t, const wn_destination *d, const wn_sink_request *r,
                       wn_sink_answer *out) {
    char beside[sizeof r->url + 8];
    snprintf(beside, sizeof beside, "%s.part", r->url);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool done = fd >= 0 && write_all(fd, r->body, r->body_bytes);
    if (fd >= 0) done = close(fd) == 0 && done;
    done = done && rename(beside, r->url) == 0;
    int folder = done ? open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) close(folder);
    if (!done) snprintf(t->said, sizeof t->said, "%s", strerror(errno));
    out->status = done ? 200 : 0;
}

void wn_transport_send(wn_transport *t, const wn_destination *d, const wn_sink *sink,
                       const wn_sink_request *r, wn_sink_answer *out) {
    *out = (wn_sink_answer){.retry_after_s = -1};
    wn_wipe(t->body, t->body_bytes);
    t->body_bytes = 0;
    t->to = d;
    t->refused_near = false;
    t->said[0] = '\0';
    if (sink->network) send_http(t, r, out);
    else write_file(t, d, r, out);
    out->body = (wn_span){t->body, t->body_bytes};
}
