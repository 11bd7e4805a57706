// SPDX-License-Identifier: Apache-2.0
// open_store.h: one open window on disk: LMDB environment of an encrypted
// journal, a packed base and watermarks. Keys say nothing.
//
// One thread at a time; commit may run on another one while the owner waits.
// begin to abort only record in memory; commit alone touches the disk.
#pragma once

#include "crypt.h"
#include "fold.h"
#include "winnow/wire.h"

#define WN_OPEN_FORMAT 2
#define WN_OPEN_RECORD_BYTES_MAX (1u << 20)
#define WN_OPEN_FACT_BYTES_MAX (64u << 20)
#define WN_OPEN_FACT_NAME_MAX 64
#define WN_OPEN_HELD_BYTES_MAX (WN_BATCH_BYTES_MAX + 64) // a sealed batch
#define WN_OPEN_MARKS_MAX 65536                          // (collector, generation) of one window

typedef struct wn_open_store wn_open_store;

// Opens or makes DIR/<window>. `key` is borrowed for the life of the store.
// WN_ERR_CORRUPT when a record fails its authentication, WN_ERR_VERSION on
// another format. map_bytes: first map size; doubled on MAP_FULL.
WN_MUST_USE wn_err wn_open_store_open(const char *dir, const wn_window *w, const uint8_t key[32],
                                      size_t map_bytes, wn_open_store **out);
void wn_open_store_close(wn_open_store *s);
// Closes and unlinks files and folder; syncs the parent.
WN_MUST_USE wn_err wn_open_store_destroy(wn_open_store *s);
// The same by name, for a window whose key is already dead or whose store does
// not open. Not there: WN_OK.
WN_MUST_USE wn_err wn_open_store_remove(const char *dir, const wn_window *w);
// Visits the windows that have a folder in DIR, in no order. Other names are passed over.
WN_MUST_USE wn_err wn_open_store_each_window(const char *dir, void (*fn)(void *ctx, const wn_window *w),
                                             void *ctx);

// Small facts of the window, encrypted (plan text, epochs, text key, counters):
// what is committed. out NULL: only the size. WN_ERR_FULL when cap is too small.
WN_MUST_USE wn_err wn_open_store_get(wn_open_store *s, const char *name, uint8_t *out, size_t cap,
                                     size_t *out_bytes);

// One transaction: everything put since begin becomes durable at commit. When
// commit fails nothing is written and all is kept: commit again, or abort.
WN_MUST_USE wn_err wn_open_store_begin(wn_open_store *s);
WN_MUST_USE wn_err wn_open_store_put(wn_open_store *s, const char *name, wn_span value);
WN_MUST_USE wn_err wn_open_store_journal(wn_open_store *s, wn_span record); // ≤ 1 MiB
WN_MUST_USE wn_err wn_open_store_watermark(wn_open_store *s, const wn_batch_id *id);
WN_MUST_USE wn_err wn_open_store_commit(wn_open_store *s); // synced on return; retries a full map
void wn_open_store_abort(wn_open_store *s);
// Highest sequence of (collector, generation), that of the transaction now
// recorded included; 0 for none. each_watermark visits what is committed.
uint64_t wn_open_store_sequence(const wn_open_store *s, const uint8_t collector[16], uint64_t generation);
void wn_open_store_each_watermark(const wn_open_store *s, void (*fn)(void *ctx, const wn_batch_id *id),
                                  void *ctx);

// Replays base and then journal, in order.
WN_MUST_USE wn_err wn_open_store_replay(const wn_open_store *s, wn_err (*base)(void *ctx, wn_span part),
                                        wn_err (*journal)(void *ctx, wn_span record), void *ctx);
// The same in steps: goes on from *inout_at ({0} at first) until all is done or
// the monotonic clock says until_ms; at least one record. Between steps the
// window may hold batches, and nothing else may change.
typedef struct wn_open_replay {
    uint64_t done, all; // records
    uint64_t next;
    bool in_journal;
} wn_open_replay;
WN_MUST_USE wn_err wn_open_store_replay_step(const wn_open_store *s, wn_open_replay *inout_at,
                                             int64_t until_ms, wn_err (*base)(void *ctx, wn_span part),
                                             wn_err (*journal)(void *ctx, wn_span record), void *ctx,
                                             bool *out_done);

// Batches that came while the fold was being rebuilt wait here, in order, until
// it can take them. hold and drop (of the first n) belong to a transaction; the
// others see what is committed. fn answers false to stop; it then counts as visited.
WN_MUST_USE wn_err wn_open_store_hold(wn_open_store *s, wn_span value);
WN_MUST_USE wn_err wn_open_store_held_drop(wn_open_store *s, uint64_t n);
uint64_t wn_open_store_held(const wn_open_store *s);
WN_MUST_USE wn_err wn_open_store_held_each(const wn_open_store *s, bool (*fn)(void *ctx, wn_span value),
                                           void *ctx);
uint64_t wn_open_store_journal_bytes(const wn_open_store *s);
// Rewrites base from the fold and empties the journal, in one transaction of its
// own (WN_ERR_STATE inside another).
WN_MUST_USE wn_err wn_open_store_rebase(wn_open_store *s, const wn_fold *f);
// Ends the running transaction with that, as one: what was put and the new base
// become durable together. No journal record may have been put. Kept on failure, as by commit.
WN_MUST_USE wn_err wn_open_store_commit_rebased(wn_open_store *s, const wn_fold *f);
uint64_t wn_open_store_file_bytes(const wn_open_store *s);
