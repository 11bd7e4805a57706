// SPDX-License-Identifier: Apache-2.0
// transport.h: carries sinks' requests to where they go and brings the answers back.
//
// One request a slot, all of them at once, so that a receiver that is silent keeps nobody else
// waiting. TLS 1.2 or newer, certificates checked, redirects not followed, no proxy, bounded
// times and sizes. What a name resolves to is looked at before the first byte: loopback,
// link-local and private addresses are refused unless the destination says
// private_network; plain http goes to loopback alone. One thread.
#pragma once

#include "sink.h"

#define WN_TRANSPORT_CONNECT_MS 10000
#define WN_TRANSPORT_TOTAL_MS 30000

typedef struct wn_transport wn_transport;

WN_MUST_USE wn_err wn_transport_open(wn_transport **out);
void wn_transport_close(wn_transport *t); // NULL fine; ends what is under way
// Begins; the slot (below WN_DESTINATIONS_MAX) has nothing under way. Takes *r and leaves {0}; keeps d
// until the answer. A `file` destination's request is written beside, synced and renamed: 200, or 0
// with nothing changed.
void wn_transport_start(wn_transport *t, size_t slot, const wn_destination *d, const wn_sink *sink,
                        wn_sink_request *r);
// Waits for answers, for one of `fds` to be readable, or so long; moves what is under way.
void wn_transport_wait(wn_transport *t, const int *fds, size_t n, int64_t wait_ms);
// The next answer that is there; its body is the transport's until the next call. False: none.
bool wn_transport_next(wn_transport *t, size_t *out_slot, wn_sink_answer *out);
size_t wn_transport_under_way(const wn_transport *t); // started, and not yet given by `next`
// Breaks off what is under way; `next` gives each, as one that got no answer.
void wn_transport_break_off(wn_transport *t);
// True for addresses that a public destination must not have.
bool wn_address_is_near(const void *sockaddr);
