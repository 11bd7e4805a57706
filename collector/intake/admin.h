// SPDX-License-Identifier: Apache-2.0
// admin.h: /metrics and /healthz on a loopback port of their own.
#pragma once

#include "metrics.h"

typedef struct wn_admin wn_admin;

typedef struct wn_admin_parts {
    void *ctx;
    const wn_metrics *(*metrics)(void *ctx); // brought up to date
    bool (*well)(void *ctx);
} wn_admin_parts;

// WN_ERR_CONFIG unless `listen` is a loopback address.
WN_MUST_USE wn_err wn_admin_open(const char *listen, const wn_admin_parts *parts, wn_admin **out);
void wn_admin_close(wn_admin *a);
int wn_admin_fd(const wn_admin *a);
unsigned wn_admin_port(const wn_admin *a);
void wn_admin_turn(wn_admin *a);
