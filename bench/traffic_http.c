// SPDX-License-Identifier: Apache-2.0
// Why this file: a client small enough to read, which sends the same batch
// again until it is answered, as the promise "counted once" asks of a sender.
#include "traffic_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPLY_TIMEOUT_S 30
#define PAUSE_MAX_MS 2000

bool wn_traffic_http_init(wn_traffic_http *h, const char *url, uint32_t tries_max) {
    static const struct {
        const char *start, *host;
    } known[] = {
        {"http://127.0.0.1:", "127.0.0.1"}, {"http://localhost:", "127.0.0.1"}, {"http://[::1]:", "::1"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t n = strlen(known[i].start);
        if (strncmp(url, known[i].start, n) != 0) continue;
        char *end;
        unsigned long port = strtoul(url + n, &end, 10);
        if (port == 0 || port > 65535 || (*end && *end != '/')) return false;
        memset(h, 0, sizeof *h);
        snprintf(h->host, sizeof h->host, "%s", known[i].host);
        h->port = (uint16_t)port;
        h->fd = -1;
        h->tries_max = tries_max;
        return true;
    }
    return false;
}

void wn_traffic_http_fini(wn_traffic_http *h) {
    if (h->fd >= 0) close(h->fd);
    h->fd = -1;
}

static bool join(wn_traffic_http *h) {
    if (h->fd >= 0) return true;
    bool v6 = strchr(h->host, ':') != NULL;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(h->port)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(h->port)};
    inet_pton(v6 ? AF_INET6 : AF_INET, h->host, v6 ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr);
    const struct sockaddr *a = v6 ? (const struct sockaddr *)&a6 : (const struct sockaddr *)&a4;
    struct timeval limit = {.tv_sec = REPLY_TIMEOUT_S};
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, a, v6 ? sizeof a6 : sizeof a4) != 0) {
        close(fd);
        return false;
    }
    h->fd = fd;
    return true;
}

static bool put_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

// The value of a header in the head that ends at `end`, or NULL.
static const char *header(const char *head, const char *end, const char *name) {
    size_t n = strlen(name);
    for (const char *p = head; p && p < end; p = strstr(p, "\r\n")) {
        if (p != head) p += 2;
        if (strncasecmp(p, name, n) == 0 && p[n] == ':') return p + n + 1 + strspn(p + n + 1, " ");
    }
    return NULL;
}

// Reads one answer with a Content-Length (or none: no body). 0 when it is cut or too large.
static int read_answer(wn_traffic_http *h, const char **out_body, bool *out_close) {
    h->reply_n = 0;
    size_t want = 0;
    const char *body = NULL;
    int status = 0;
    for (;;) {
        h->reply[h->reply_n] = 0;
        if (!body) {
            char *end = strstr(h->reply, "\r\n\r\n");
            if (end) {
                const char *length = header(h->reply, end, "Content-Length");
                const char *connection = header(h->reply, end, "Connection");
                if (sscanf(h->reply, "HTTP/1.%*1d %3d", &status) != 1) return 0;
                body = end + 4;
                want = (size_t)(body - h->reply) + (length ? strtoul(length, NULL, 10) : 0);
                *out_close = connection && strncasecmp(connection, "close", 5) == 0;
                if (want >= sizeof h->reply) return 0;
            }
        }
        if (body && h->reply_n >= want) {
            *out_body = body;
            return status;
        }
        size_t room = sizeof h->reply - 1 - h->reply_n;
        ssize_t got = room ? recv(h->fd, h->reply + h->reply_n, room, 0) : 0;
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        h->reply_n += (size_t)got;
    }
}

int wn_traffic_http_send(wn_traffic_http *h, const char *request, size_t n, const char **out_body) {
    long pause_ms = 20;
    for (uint32_t i = 0; i < h->tries_max; i++) {
        if (i > 0) {
            struct timespec t = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000};
            nanosleep(&t, NULL);
            pause_ms = pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms * 2;
            h->retried++;
        }
        if (!join(h)) continue;
        bool hang_up = false;
        int status = put_all(h->fd, request, n) ? read_answer(h, out_body, &hang_up) : 0;
        if (status == 0 || hang_up) wn_traffic_http_fini(h);
        if (status != 0 && status != 503) return status;
    }
    return 0;
}
