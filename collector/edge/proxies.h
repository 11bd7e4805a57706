// SPDX-License-Identifier: Apache-2.0
// proxies.h: which networks' X-Forwarded-For is believed, and what it says.
#pragma once

#include "filter.h"

#define WN_PROXIES_MAX 32

typedef struct wn_proxies {
    struct {
        wn_address net;
        unsigned bits; // of 128; IPv4 counts from 96
    } list[WN_PROXIES_MAX];
    size_t n;
} wn_proxies;

// A comma-separated list of networks ("10.0.0.0/8, ::1/128", a bare address is
// itself). Empty: none. WN_ERR_CONFIG for anything else or too many.
WN_MUST_USE wn_err wn_proxies_parse(const char *text, wn_proxies *out);
bool wn_proxies_trusted(const wn_proxies *p, const wn_address *a);
// wn_edge_client's rule.
bool wn_proxies_client(const wn_proxies *p, const wn_address *peer, const char *forwarded_for, size_t n,
                       wn_address *out);
