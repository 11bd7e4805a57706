// SPDX-License-Identifier: Apache-2.0
// zdoor.h: ZeroMQ sockets that only listed keys can open.
//
// CURVE on every link, ipc and loopback too; ZAP answers from an allow-list;
// RCVHWM 4 (unless asked otherwise), MAXMSGSIZE 1 MiB + slack, no linger.
#pragma once

#include <zmq.h>

#include "winnow/base.h"

#define WN_CURVE_TEXT 41 // Z85 key and its NUL

typedef struct wn_curve { // Z85 text, as libzmq takes it
    char public_key[WN_CURVE_TEXT];
    char secret_key[WN_CURVE_TEXT];
} wn_curve;

// Reads DIR/NAME.curve (0600: line 1 public, line 2 secret), or makes it when
// `make`. The public key also stands alone in DIR/NAME.pub (0644).
WN_MUST_USE wn_err wn_curve_load(const char *dir, const char *name, bool make, wn_curve *out);
WN_MUST_USE wn_err wn_curve_load_public(const char *dir, const char *name, char out[WN_CURVE_TEXT]);

// One ZAP handler a context: a thread that knows domains and their lists.
typedef struct wn_zap wn_zap;
WN_MUST_USE wn_err wn_zap_start(void *zmq_ctx, wn_zap **out);
void wn_zap_stop(wn_zap *z); // after the doors are closed, before zmq_ctx_term
// Replaces the list of a domain (keys copied; Z85 public keys).
WN_MUST_USE wn_err wn_zap_allow(wn_zap *z, const char *domain, const char *const *keys, size_t n);
uint64_t wn_zap_refused(const wn_zap *z); // connections refused so far

// A bound ROUTER whose peers must be listed for `domain`. The peer's key is
// readable on each message: wn_door_peer.
WN_MUST_USE wn_err wn_door_bind(void *zmq_ctx, const char *endpoint, const char *domain, const wn_curve *own,
                                void **out_socket);
// A connected DEALER.
WN_MUST_USE wn_err wn_door_connect(void *zmq_ctx, const char *endpoint, const char *server_key,
                                   const wn_curve *own, void **out_socket);
// Z85 public key of the peer that sent `msg` (ZAP puts it in User-Id).
const char *wn_door_peer(zmq_msg_t *msg);
// The endpoint the door is really bound to (port 0 resolved).
WN_MUST_USE wn_err wn_door_endpoint(void *socket, char *out, size_t cap);
// Wipes the body, then closes it.
void wn_msg_close(zmq_msg_t *msg);
