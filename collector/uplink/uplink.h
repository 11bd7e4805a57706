// SPDX-License-Identifier: Apache-2.0
// uplink.h: carries spooled batches to the aggregator, at most
// WN_UPLINK_FLIGHT messages unacknowledged, and its words about windows back.
//
// Small batches gather while a message is under way and go as one (a bundle)
// when it is answered, or when they are WN_UPLINK_GATHER_BYTES.
#pragma once

#include "spool.h"
#include "zdoor.h"

#define WN_UPLINK_FLIGHT 8
#define WN_UPLINK_GATHER_BYTES (64u << 10) // a bundle's bytes at most; so much waiting goes at once
#define WN_UPLINK_ASKS_MAX 1024            // questions about windows not yet answered
#define WN_UPLINK_SILENCE_MS 5000          // without a word this long, what is in flight is sent again
#define WN_UPLINK_BUSY_MS 1000             // how long a busy aggregator is left alone

typedef struct wn_uplink wn_uplink;

typedef struct wn_uplink_events {
    void *ctx;
    void (*closing)(void *ctx, const wn_window *w);                      // drain, then wn_uplink_closed
    void (*state)(void *ctx, const wn_window *w, wn_window_state state); // answer to wn_uplink_ask
    void (*late)(void *ctx, const wn_window *w, uint32_t observations);  // a batch came after the seal
    void (*purged)(void *ctx, const uint8_t name[32]);                   // answer to wn_uplink_purge
    // A handler may call wn_uplink_ask and wn_uplink_closed, nothing else here. Any may be NULL.
} wn_uplink_events;

WN_MUST_USE wn_err wn_uplink_open(void *zmq_ctx, const char *endpoint, const char *server_key,
                                  const wn_curve *own, const uint8_t collector[16], wn_spool *spool,
                                  const wn_uplink_events *ev, wn_uplink **out);
void wn_uplink_close(wn_uplink *u);
void *wn_uplink_socket(wn_uplink *u);
// A PAIR that is readable when the connection comes or goes; poll it beside the
// socket, or hear of it up to a second later.
void *wn_uplink_monitor(wn_uplink *u);
// Receives what is there, sends what the flight allows. Call on readiness,
// after spool `done`, and at least once a second (resend after 5 s of silence, hello after reconnect).
void wn_uplink_turn(wn_uplink *u, int64_t now_ms);
// Its sending half, for a turn in which neither of the two had anything to read.
void wn_uplink_send(wn_uplink *u, int64_t now_ms);
// Asked again after a reconnect until `state` answers. A window already asked about is not asked twice.
// Beyond WN_UPLINK_ASKS_MAX: false, ask later.
bool wn_uplink_ask(wn_uplink *u, const wn_window *w);
void wn_uplink_closed(wn_uplink *u, const wn_window *w, uint64_t generation, uint64_t sequence);
// Tells of an open purge, at once; nothing is kept: tell again until `purged` answers.
//   what  WN_PURGE_ASK_…
void wn_uplink_purge(wn_uplink *u, const char *site, const uint8_t name[32], int64_t asked_at_s,
                     uint64_t what);
bool wn_uplink_up(const wn_uplink *u);          // connected, and nothing sent has waited 10 s for an answer
uint64_t wn_uplink_acked(const wn_uplink *u);   // batches
uint64_t wn_uplink_refused(const wn_uplink *u); // batches set aside because the aggregator cannot read them
uint64_t wn_uplink_resent(const wn_uplink *u);  // rewinds
