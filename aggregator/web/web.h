// SPDX-License-Identifier: Apache-2.0
// web.h: what winnow-web is made of: one thread, one store that it only reads,
// and requests that are answered at once or a piece at a turn.
#pragma once

#include <microhttpd.h>

#include "web_access.h"
#include "web_conn.h"
#include "web_facts.h"
#include "web_peer.h"
#include "web_query.h"

#define WN_WEB_URL_BYTES_MAX 2048
#define WN_WEB_BODY_BYTES_MAX 16384
#define WN_WEB_HEADER_BYTES_MAX 32768 // of a request, with its first line; above it 431
#define WN_WEB_ROWS_MAX (1u << 18)    // after merging, of one report
#define WN_WEB_LARGE_MAX 4            // of more than WN_WEB_ROWS_SMALL rows at once
#define WN_WEB_LARGE_EACH 2           // of these for one reader: a key, or without one an address
#define WN_WEB_ROWS_SMALL 4096
#define WN_WEB_STOP_MS 5000 // answers under way get so long when winnow-web is stopped

#define WN_WEB_WHO_BYTES 32
typedef struct wn_web {
    wn_options o;
    wn_web_conf conf;
    wn_published *store;
    wn_web_peers peers;
    wn_web_facts facts;
    struct {
        bool held; // by a request above WN_WEB_ROWS_SMALL
        uint8_t who[WN_WEB_WHO_BYTES];
    } large[WN_WEB_LARGE_MAX];
    bool large_freed; // since the last turn: who waits may try again
} wn_web;

typedef struct wn_web_ask wn_web_ask;

typedef struct wn_web_route {
    const char *path;
    bool post;       // POST, else GET and HEAD
    bool open;       // needs no key: says nothing of anybody's figures
    bool parameters; // reads a query string
    enum MHD_Result (*answer)(wn_web_ask *a);
} wn_web_route;

struct wn_web_ask {
    wn_web *web;
    struct MHD_Connection *connection;
    wn_web_conn *conn;
    const wn_web_route *route;
    wn_web_reader reader;
    uint8_t who[WN_WEB_WHO_BYTES]; // the key, or the address of who has none
    wn_web_pair pair[WN_WEB_PAIRS_MAX];
    size_t pairs_n;
    char *body; // WN_WEB_BODY_BYTES_MAX, NUL-terminated
    size_t body_n;
    bool url_long, url_escaped, body_long, judged; // judged: method, length and key were looked at
    wn_problem problem;
    // An endpoint that answered MHD_YES without a response is called again, with what it kept here.
    void *state;
    void (*state_free)(void *state);
};

bool wn_web_takes_gzip(const wn_web_ask *a);

// ---- answers: each queues one response ----
enum MHD_Result wn_web_say_problem(wn_web_ask *a, const wn_problem *p);
// Takes `text` (malloc); packs it for who takes gzip. etag: with its quotes, or NULL.
enum MHD_Result wn_web_say_text(wn_web_ask *a, unsigned status, char *text, size_t n, const char *type,
                                const char *etag);
// 304 when the reader has it already; then true and out_done is what the handler answers.
bool wn_web_unchanged(wn_web_ask *a, const char *etag, enum MHD_Result *out_done);
// Headers of every answer that holds figures.
void wn_web_private(struct MHD_Response *r, const char *type, const char *etag);
void wn_web_header(struct MHD_Response *r, const char *name, const char *value);
enum MHD_Result wn_web_send(wn_web_ask *a, unsigned status, struct MHD_Response *r);

#define WN_WEB_ETAG_BYTES 36
#define WN_WEB_STATE_BYTES 32
// Names what was asked for of a state of the store, as far as the reader may read it.
void wn_web_etag(const wn_web *w, const uint8_t state[WN_WEB_STATE_BYTES], wn_span asked,
                 char out[WN_WEB_ETAG_BYTES]);

void wn_web_etag_of(wn_span content, char out[WN_WEB_ETAG_BYTES]);

// ---- endpoints ----
enum MHD_Result wn_web_sites(wn_web_ask *a);
enum MHD_Result wn_web_tables(wn_web_ask *a);
enum MHD_Result wn_web_report(wn_web_ask *a);
enum MHD_Result wn_web_stats(wn_web_ask *a);
enum MHD_Result wn_web_public(wn_web_ask *a); // /.well-known/winnow.json
enum MHD_Result wn_web_health(wn_web_ask *a);

// Many rows in few hands: true while what all requests hold together, and this reader's, has room for
// one with so many; *inout_slot says which place is its own, 0 for none. False with a problem.
bool wn_web_room(wn_web_ask *a, unsigned *inout_slot, size_t rows);
bool wn_web_room_take(wn_web *w, const uint8_t who[WN_WEB_WHO_BYTES], unsigned *inout_slot,
                      size_t rows); // the same, without words
void wn_web_room_end(wn_web *w, unsigned slot);

// A site that the reader may read, by its name, or the only one. NULL with a problem.
const wn_site *wn_web_site(const wn_web_ask *a, const char *name, wn_problem *out_problem);

// ---- the server ----
typedef struct wn_web_http wn_web_http;
WN_MUST_USE wn_err wn_web_http_open(wn_web *w, int listen_fd, wn_web_http **out); // takes listen_fd
void wn_web_http_close(wn_web_http *h);
int wn_web_http_fd(const wn_web_http *h);
int wn_web_http_wait_ms(const wn_web_http *h, int most_ms);
void wn_web_http_turn(wn_web_http *h);
void wn_web_http_turn_at(wn_web_http *h, int64_t now_ms); // for a test
void wn_web_http_quiesce(wn_web_http *h);
unsigned wn_web_http_asks(const wn_web_http *h); // not yet answered whole
