// SPDX-License-Identifier: Apache-2.0
// collectors.h: the collectors' door: who is registered, what they ask, and
// the answers that wait for a sync.
#pragma once

#include "winnow/wire.h"
#include "zdoor.h"

#define WN_COLLECTORS_MAX 64

typedef struct wn_collectors wn_collectors;
typedef uint64_t wn_peer; // a connection, until it reconnects

// keys: Z85 public keys that may connect.
WN_MUST_USE wn_err wn_collectors_open(void *zmq_ctx, const char *endpoint, const wn_curve *own,
                                      wn_collectors **out);
void wn_collectors_close(wn_collectors *c);
void *wn_collectors_socket(wn_collectors *c);

// One message if there is one; the caller closes it with wn_msg_close.
bool wn_collectors_recv(wn_collectors *c, wn_peer *out_peer, zmq_msg_t *out);
void wn_collectors_answer(wn_collectors *c, wn_peer peer, const wn_uplink_msg *m);

// Binds a collector's id to its key on first sight; false when another key
// uses this id, or the registry is full.
bool wn_collectors_register(wn_collectors *c, const uint8_t id[16], const char *key, wn_peer peer);
size_t wn_collectors_count(const wn_collectors *c);
// Tells every registered collector; returns how many were told.
size_t wn_collectors_tell(wn_collectors *c, const wn_uplink_msg *m);
void wn_collectors_id(const wn_collectors *c, size_t i, uint8_t out[16]);

// Acks that may leave once the running commit is durable: hold while filling,
// turn when the commit starts, release when it is done.
WN_MUST_USE wn_err wn_collectors_hold(wn_collectors *c, wn_peer peer, const wn_uplink_msg *ack);
void wn_collectors_turn(wn_collectors *c);
void wn_collectors_release(wn_collectors *c);
