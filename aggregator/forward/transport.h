// SPDX-License-Identifier: Apache-2.0
// transport.h: carries a sink's request to where it goes and brings the answer back.
//
// TLS 1.2 or newer, certificates checked, redirects not followed, no proxy, bounded
// times and sizes. What a name resolves to is looked at before the first byte: loopback,
// link-local and private addresses are refused unless the destination says
// private_network; plain http goes to loopback alone. One thread.
#pragma once

#include "sink.h"

#define WN_TRANSPORT_CONNECT_MS 10000
#define WN_TRANSPORT_TOTAL_MS 30000

typedef struct wn_transport wn_transport;

WN_MUST_USE wn_err wn_transport_open(wn_transport **out);
void wn_transport_close(wn_transport *t); // NULL fine
// Fills *out; its body is the transport's until the next call. A `file` destination's request
// is written beside, synced and renamed: 200, or 0 with nothing changed.
void wn_transport_send(wn_transport *t, const wn_destination *d, const wn_sink *sink,
                       const wn_sink_request *r, wn_sink_answer *out);
// Why the last request got no answer: a word of curl's, for the operator's eyes.
const char *wn_transport_said(const wn_transport *t);
// True for addresses that a public destination must not have.
bool wn_address_is_near(const void *sockaddr);
