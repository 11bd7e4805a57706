// SPDX-License-Identifier: Apache-2.0
// pipeline.h: what every intake shares: filter → session → spool → durable.
//
// A request (an HTTP body, a ZeroMQ message, a part of a log chunk) holds its
// observations until it is whole; commit puts them into the transaction being
// filled and names the token that wn_pipeline_durable reaches once they are
// synced. An abandoned request leaves nothing. The loop thread only.
#pragma once

#include "edge.h"
#include "event_sink.h"
#include "session.h"
#include "sites.h"
#include "spool.h"

#define WN_REFUSED_LISTED_MAX 100
#define WN_REQUEST_EVENTS_MAX 1000  // HTTP and ZeroMQ
#define WN_REQUEST_LINES_MAX 4096   // a part of a log chunk: fits one transaction at its worst
#define WN_PIPELINE_BATCHES_MAX 250 // batches a transaction may hold open
#define WN_PIPELINE_BATCHES_KEPT 32 // more are closed early, and their builders freed after use

typedef struct wn_refused {
    uint32_t index;
    wn_verdict why;
} wn_refused;

typedef struct wn_outcome {
    uint32_t events;
    uint32_t accepted;  // as the sender is told: about persons nothing is said
    uint32_t kept;      // observations stored
    uint32_t repeated;  // events known by their batch_id
    uint32_t refused_n; // refused for their form
    bool repeat;        // the whole request is known by its batch_id
    uint32_t by_verdict[WN_VERDICT_N];
    uint32_t by_signal[WN_SIGNAL_N]; // of events whose consent was decided
    uint32_t refused_listed;
    wn_refused refused[WN_REFUSED_LISTED_MAX]; // the first ones
} wn_outcome;

// Running totals, exact. Person verdicts and signals are coarsened where they are shown.
typedef struct wn_pipeline_counts {
    uint64_t requests, events, kept, repeated, transactions, untracked;
    uint64_t by_verdict[WN_VERDICT_N], by_signal[WN_SIGNAL_N];
    int64_t last_kept_s;
} wn_pipeline_counts;

typedef struct wn_pipeline wn_pipeline;
typedef struct wn_request wn_request;

typedef struct wn_pipeline_parts { // all kept
    wn_edge *edge;
    wn_spool *spool;
    wn_sessions_table *sessions;
    const wn_purge_list *purges; // what the filter refuses; NULL: nothing
    uint8_t purge_key[32];
    uint8_t dedupe_key[32]; // storage key: must outlive a restart as the memory does
    uint64_t spool_bytes_max, request_bytes_total_max;
} wn_pipeline_parts;

WN_MUST_USE wn_err wn_pipeline_open(const wn_pipeline_parts *parts, wn_site_list *sites, wn_pipeline **out);
void wn_pipeline_close(wn_pipeline *p); // every request is gone by now
// Before a window's keys are wiped: what its events left in the filter's caches goes with them.
WN_MUST_USE wn_err wn_pipeline_forget_cached(wn_pipeline *p);
void wn_pipeline_sites(wn_pipeline *p, wn_site_list *sites); // drops the old, holds the new
const wn_site_list *wn_pipeline_site_list(const wn_pipeline *p);
// The second every event from now on is judged by.
void wn_pipeline_clock(wn_pipeline *p, int64_t now_s);
int64_t wn_pipeline_now(const wn_pipeline *p);
// The client behind `peer` by the proxy rule; false: nobody can say.
bool wn_pipeline_client(wn_pipeline *p, const wn_address *peer, wn_span forwarded_for, wn_address *out);

// True when `peer` is a proxy whose word about the browser counts.
bool wn_pipeline_trusts(const wn_pipeline *p, const wn_address *peer);

// ---- a request ----

// Begins one. NULL: memory of requests is used up, answer full.
//   sender  copied; its spans are borrowed until commit, its address until return
//   key     CURVE key of the peer: only sites that list it; NULL: any site
wn_request *wn_request_begin(wn_pipeline *p, const wn_sender *sender, const char *key);
// A request without a limit of its own on memory and with WN_REQUEST_LINES_MAX
// events: there is one log import, and it counts its bytes itself.
wn_request *wn_request_begin_lines(wn_pipeline *p, const wn_sender *sender);
void wn_request_address(wn_request *r, const wn_address *a, wn_span user_agent); // of the next log line
void wn_request_free(wn_request *r); // NULL fine. Before commit: nothing is kept
// Where decoders put its events.
wn_event_sink wn_request_sink(wn_request *r);
// An event that never became one (a bad log line).
void wn_request_refuse(wn_request *r, wn_verdict why);

typedef enum wn_commit {
    WN_COMMIT_DONE, // durable when wn_pipeline_durable reaches the token (0: now)
    WN_COMMIT_FULL, // spool or memory full: nothing is kept of it
    WN_COMMIT_WAIT, // too much is waiting for the disk; again after the next turn
} wn_commit;

//   batch_id  of the whole request; {NULL, 0}: none
//   scope     who may repeat it (0: anybody, else a tag of the sender)
WN_MUST_USE wn_commit wn_request_commit(wn_request *r, wn_span batch_id, uint64_t scope, uint64_t *out_token);
const wn_outcome *wn_request_outcome(const wn_request *r);

// ---- purges (R16) ----

#define WN_PIPELINE_PURGED_MAX 1024 // remembered for requests that were filtered before

// Ends, uncounted, what is of this site and organisation ({NULL, 0}: the whole site): sessions,
// requests not yet committed; and marks every window of the edge, with `name`. Done when
// wn_pipeline_durable reaches the token. WN_ERR_BUSY: no room just now.
WN_MUST_USE wn_err wn_pipeline_purge(wn_pipeline *p, uint64_t site, wn_span org, const uint8_t name[32],
                                     uint64_t *out_token);
bool wn_pipeline_purged_all(const wn_pipeline *p, uint64_t site, wn_span org); // no window opened since

// ---- the loop ----

// Hands what was committed, and finished sessions, to the sync thread unless it is busy.
void wn_pipeline_turn(wn_pipeline *p);
// What the last turn kept open for more senders wants another one after so long; -1: nothing was.
int64_t wn_pipeline_linger_ns(const wn_pipeline *p);
// After the spool's fd: WN_ERR_IO means that nothing will be durable any more.
WN_MUST_USE wn_err wn_pipeline_done(wn_pipeline *p);
uint64_t wn_pipeline_durable(const wn_pipeline *p);
// The token of everything committed so far; 0 when all of it is durable.
uint64_t wn_pipeline_pending(const wn_pipeline *p);
bool wn_pipeline_busy(const wn_pipeline *p);  // a transaction is being synced
bool wn_pipeline_dirty(const wn_pipeline *p); // something waits for a turn
// Closes sessions of a window: idle since before `idle_before_s`, or all
// (INT64_MAX). False: some are left for after the next turn.
bool wn_pipeline_expire(wn_pipeline *p, uint32_t slot, int64_t idle_before_s);
// Everything of the window committed so far is durable.
bool wn_pipeline_window_settled(const wn_pipeline *p, uint32_t slot);
// The batch of the window that was handed to the spool last; sequence 0: none since the start.
wn_batch_id wn_pipeline_newest(const wn_pipeline *p, uint32_t slot);
const wn_pipeline_counts *wn_pipeline_count(const wn_pipeline *p);
size_t wn_pipeline_request_bytes(const wn_pipeline *p);
// Counts memory that an intake holds for a request (or gives back: negative).
// False: above request_bytes_total_max; it is counted all the same.
bool wn_pipeline_charge(wn_pipeline *p, ptrdiff_t bytes);
bool wn_pipeline_stuck(const wn_pipeline *p); // the spool took no batch
// Keyed hash under the pipeline's dedupe key, domain-separated by `domain`.
void wn_pipeline_hash(const wn_pipeline *p, char domain, wn_span bytes, uint8_t out[16]);
// Remembers a hash with the transaction being filled (false: no room for it), and asks for it.
bool wn_pipeline_remember(wn_pipeline *p, wn_memory kind, const uint8_t hash[16]);
bool wn_pipeline_known(const wn_pipeline *p, wn_memory kind, const uint8_t hash[16]);
