// SPDX-License-Identifier: Apache-2.0
// endpoint.c: sockets are made here, not by libmicrohttpd, so that a taken
// port has an error of its own.
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024

static bool port_parse(const char *text, in_port_t *out) {
    unsigned v = 0;
    size_t n = strlen(text);
    if (n == 0 || n > 5) return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        v = v * 10 + (unsigned)(text[i] - '0');
    }
    if (v > 65535) return false;
    *out = htons((uint16_t)v);
    return true;
}

wn_err wn_endpoint_parse(const char *text, wn_endpoint *out) {
    char host[64];
    wn_endpoint e = {.bytes = 0};
    in_port_t port;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !port_parse(colon + 1, &port)) return WN_ERR_CONFIG;
    bool v6 = text[0] == '[';
    const char *start = v6 ? text + 1 : text, *end = v6 ? colon - 1 : colon;
    if (end < start || (v6 && *end != ']') || (size_t)(end - start) >= sizeof host) return WN_ERR_CONFIG;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    if (v6) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)&e.address;
        a->sin6_family = AF_INET6;
        a->sin6_port = port;
        e.bytes = sizeof *a;
        if (inet_pton(AF_INET6, host, &a->sin6_addr) != 1) return WN_ERR_CONFIG;
    } else {
        struct sockaddr_in *a = (struct sockaddr_in *)&e.address;
        a->sin_family = AF_INET;
        a->sin_port = port;
        e.bytes = sizeof *a;
        if (inet_pton(AF_INET, host, &a->sin_addr) != 1) return WN_ERR_CONFIG;
    }
    *out = e;
    return WN_OK;
}

bool wn_endpoint_loopback(const wn_endpoint *e) {
    if (e->address.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&e->address)->sin_addr.s_addr) >> 24 == 127;
    return e->address.ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&e->address)->sin6_addr);
}

wn_err wn_endpoint_listen(const wn_endpoint *e, int *out_fd) {
    int fd = socket(e->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return WN_ERR_IO;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&e->address, e->bytes) != 0 || listen(fd, BACKLOG) != 0) {
        wn_err err = errno == EADDRINUSE ? WN_ERR_BUSY : WN_ERR_IO;
        close(fd);
        return err;
    }
    *out_fd = fd;
    return WN_OK;
}
