// SPDX-License-Identifier: Apache-2.0
// session.h: visits, made from filtered events and their exact second.
//
// The table stands in kept memory (keeper.h), so that a kill of the collector
// cuts no session; a reboot closes them and counts `cut`. It is applied only
// after the spool holds the events (`record` numbers), exactly once:
//   touch    appends to the pending log of transaction `txn`
//   apply    after the spool committed txn: moves pending touches into the
//            table; finished sessions go to the out queue
//   drain    takes finished sessions into transaction t; forgotten when t commits
// A kill at any instruction leaves a state that `open` repairs: pending
// touches of transactions the spool holds are applied, the others dropped;
// queued sessions the spool holds are dropped, the others kept.
// Order does not matter: a touch joins the session it lies within 30 minutes
// of, whatever came first; one that bridges two sessions of a
// person makes them one. Where two events share a second, the session takes the
// dimensions, entry and exit that compare lowest (exit: highest), not those that
// came first. A session is signed, or shared, only if all its events are.
#pragma once

#include "keeper.h"
#include "winnow/observation.h"

#define WN_SESSION_IDLE_S 1800
#define WN_SESSION_PENDING_MAX 32768u // touches not yet applied
#define WN_SESSION_QUEUE_MAX 16384u   // finished sessions not yet durable
#define WN_SESSION_WINDOWS_MAX 1024u  // window slots
// A session stands in one of two buckets; when both are full the one idle longest is closed early.
#define WN_SESSION_BUCKET 16u

typedef struct wn_sessions_table wn_sessions_table;

size_t wn_sessions_bytes(size_t sessions_max);
// last_txn: the newest transaction the spool holds (0: none). Memory laid out for another
// sessions_max is begun anew; by another version of Winnow: WN_ERR_VERSION.
WN_MUST_USE wn_err wn_sessions_open(wn_kept *mem, size_t sessions_max, uint64_t last_txn,
                                    wn_sessions_table **out);
void wn_sessions_close(wn_sessions_table *t);

// False when the pending log is full (commit first).
bool wn_sessions_touch(wn_sessions_table *t, uint64_t txn, uint32_t window_slot, const wn_observation *obs,
                       int64_t at_s);
// Applies all pending touches of transactions ≤ txn and forgets drained sessions of
// transactions ≤ txn. What would close a session early while the out queue is full
// stays pending: drain, commit, and the next apply goes on.
void wn_sessions_apply(wn_sessions_table *t, uint64_t txn);
// Closes sessions of a window: those idle since before `idle_before_s`, or all
// (INT64_MAX). They go to the out queue; false when the queue is full (drain, then again).
bool wn_sessions_expire(wn_sessions_table *t, uint32_t window_slot, int64_t idle_before_s);
// Drops, uncounted, what is of this site and of people who named this organisation in any session that is
// here (0: of the whole site) in a window: sessions, touches and finished ones, unless the spool holds them.
// A kill leaves each there or gone.
void wn_sessions_purge(wn_sessions_table *t, uint32_t window_slot, uint64_t site, uint64_t org);
// Next finished session not yet drained; marks it as belonging to txn.
bool wn_sessions_drain(wn_sessions_table *t, uint64_t txn, uint32_t *out_window_slot, wn_observation *out);
// Gives back the sessions drained into txn (the spool had no room for them).
void wn_sessions_undrain(wn_sessions_table *t, uint64_t txn);
// No session, pending touch or queued session of this window is left.
bool wn_sessions_window_empty(const wn_sessions_table *t, uint32_t window_slot);
size_t wn_sessions_count(const wn_sessions_table *t);
uint64_t wn_sessions_evicted(const wn_sessions_table *t); // closed early because the table was full
