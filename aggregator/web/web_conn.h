// SPDX-License-Identifier: Apache-2.0
// web_conn.h: how long a connection may take, so that nobody keeps others out by taking for ever.
//
// A connection asks, then is answered. Asking ends with the whole request, and has WN_WEB_ASK_MS from the
// connection's beginning or the answer before; an answer must move on by a piece every WN_WEB_STALL_MS. When
// there are as many connections as there may be, the one that has asked longest gives way. No limit counts
// addresses: whoever connects is this machine or the proxy, and both stand for many.
#pragma once

#include <microhttpd.h>

#include "winnow/base.h"

#define WN_WEB_ASK_MS 30000
#define WN_WEB_STALL_MS 60000
#define WN_WEB_SPARE_MS 1000     // asking for less, a connection does not give way
#define WN_WEB_SEND_BYTES 262144 // the kernel's for one answer: else a piece that nobody takes looks taken

typedef struct wn_web_conn {
    struct wn_web_conn *next, *before;
    struct MHD_Connection *connection;
    int fd;
    int64_t since_ms; // when the step it is in began, or last moved on
    bool asking;
    bool waiting; // suspended until there is room for its rows
    bool late;    // past its time: what writes its answer ends it
    enum { WN_PEER_UNASKED, WN_PEER_OURS, WN_PEER_FOREIGN } peer;
} wn_web_conn;

typedef struct wn_web_conns {
    wn_web_conn *first, *last; // in order of their beginning
    unsigned n;
} wn_web_conns;

// NULL without memory.
wn_web_conn *wn_web_conn_begin(wn_web_conns *all, struct MHD_Connection *c, int64_t now_ms);
void wn_web_conn_end(wn_web_conns *all, wn_web_conn *c);
void wn_web_conn_asks(wn_web_conn *c, int64_t now_ms);  // the next request may come
void wn_web_conn_moves(wn_web_conn *c, int64_t now_ms); // the answer went on
void wn_web_conn_waits(wn_web_conn *c);                 // from a reader of content: suspends it
// Closes what took too long, and wakes who waits when `room`. max: of connections.
void wn_web_conns_sweep(wn_web_conns *all, unsigned max, bool room, int64_t now_ms);
void wn_web_conns_wake(wn_web_conns *all); // all, before the daemon stops
