// SPDX-License-Identifier: Apache-2.0
// http_intake.h: the beacon endpoint. POST /v1/events, GET /p.gif, GET /w.js,
// /v1/opt-out.
//
// An answer leaves when its events are durable: until then the handler queues
// no response and libmicrohttpd calls it again at each turn.
#pragma once

#include "metrics.h"
#include "pipeline.h"

typedef struct wn_http wn_http;

typedef struct wn_http_limits {
    unsigned connections_max, idle_s;
    size_t body_bytes_max;
    bool suspends; // the fallback: deferred connections are suspended and resumed
} wn_http_limits;

// pipeline and metrics are kept. listen: "address:port" or "[v6]:port"; port 0: any.
WN_MUST_USE wn_err wn_http_open(const char *listen, const wn_http_limits *limits, wn_pipeline *pipeline,
                                wn_metrics *metrics, wn_http **out);
void wn_http_close(wn_http *h);
int wn_http_fd(const wn_http *h); // to poll for input
unsigned wn_http_port(const wn_http *h);
// Reads what is there, answers what is durable. Call on readiness, after the
// pipeline reached another token, and at least once a second.
void wn_http_turn(wn_http *h);
// True when bytes already read wait for another turn.
bool wn_http_ready(const wn_http *h);
unsigned wn_http_waiting(const wn_http *h); // requests whose answer waits for the disk
void wn_http_quiesce(wn_http *h);           // accepts no more connections
void wn_http_reloaded(wn_http *h);          // the site list changed
