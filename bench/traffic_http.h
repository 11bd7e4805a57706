// SPDX-License-Identifier: Apache-2.0
// traffic_http.h: one keep-alive HTTP/1.1 connection to a collector on this
// machine. Only loopback: what is sent claims other people's addresses.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WN_TRAFFIC_REPLY_MAX 65536

typedef struct wn_traffic_http {
    char host[48];
    uint16_t port;
    int fd;             // -1: not connected
    uint32_t tries_max; // of one request
    uint64_t retried;   // requests sent again
    char reply[WN_TRAFFIC_REPLY_MAX];
    size_t reply_n;
} wn_traffic_http;

// url: http://127.0.0.1:PORT, http://localhost:PORT or http://[::1]:PORT. False: not one of these.
bool wn_traffic_http_init(wn_traffic_http *h, const char *url, uint32_t tries_max);
void wn_traffic_http_fini(wn_traffic_http *h);
// Sends a whole request (head and body) and reads the answer; again, with
// growing pauses, while the server is away or says 503. Answers the status, or
// 0 when it gave up. The body is then *out_body, NUL-terminated, until the next call.
int wn_traffic_http_send(wn_traffic_http *h, const char *request, size_t n, const char **out_body);
