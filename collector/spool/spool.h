// SPDX-License-Identifier: Apache-2.0
// spool.h: filtered batches on disk, encrypted, until the aggregator has them.
//
// One log of segments; a record is one encoded batch under its window's
// storage key; records of one turn of the loop form a transaction, taken whole
// or not at all after a crash. Two buffers: while the sync thread writes and
// fdatasyncs one, the loop fills the other. Nothing is acknowledged to a
// sender before `done` names its transaction.
#pragma once

#include "slots.h"
#include "winnow/wire.h"

typedef struct wn_spool wn_spool;

#define WN_SPOOL_IDS_MAX (1u << 19) // ids in one 12-hour generation; more begin the next one early
#define WN_SPOOL_IMPORTS_MAX 65536u // pieces of imports remembered
#define WN_SPOOL_STREAMS_MAX 4096u  // (window, generation) pairs in the log
#define WN_SPOOL_TXN_BYTES_MAX (16u << 20)

typedef struct wn_spool_record { // what the uplink sends
    wn_batch_id id;
    wn_window window;
    uint32_t observations;
    const uint8_t *bytes; // the batch, decrypted; borrowed until the next call
    size_t n;
} wn_spool_record;

// A keyed hash remembered with a transaction: the same one within its life is a repeat.
typedef enum wn_memory { WN_MEMORY_12H = 0, WN_MEMORY_IMPORT = 1 } wn_memory;

// Opens DIR (0700), drops an unfinished tail, reads the memories back.
//   keys     keeps; names "spool/<window>" are made and forgotten there
//   out_cut  bytes dropped
WN_MUST_USE wn_err wn_spool_open(const char *dir, wn_slots *keys, const uint8_t collector[16],
                                 uint64_t bytes_max, int64_t sync_delay_ms, int64_t now_s, wn_spool **out,
                                 uint64_t *out_cut);
// Before a clean end: a newest segment that holds nothing undelivered goes as the others do, so that
// the next start has only what waits. Waits for the sync thread.
WN_MUST_USE wn_err wn_spool_settle(wn_spool *s);
void wn_spool_close(wn_spool *s); // waits for the sync thread; what was not submitted is dropped; NULL fine
uint64_t wn_spool_last_txn(const wn_spool *s); // newest whole transaction on disk
int wn_spool_fd(const wn_spool *s);            // eventfd: readable when a transaction is done

// The transaction being filled.
uint64_t wn_spool_txn(const wn_spool *s);
// Numbers and encrypts a batch into the current transaction. head's id is set here.
// WN_ERR_FULL above bytes_max, above WN_SPOOL_TXN_BYTES_MAX (submit first) and
// while the disk is full: nothing added.
WN_MUST_USE wn_err wn_spool_add(wn_spool *s, wn_batch_builder *b, wn_batch_head *head);
// False when the memory has no room (WN_MEMORY_IMPORT at its limit, no memory left):
// a repeat would not be known, so an import should not begin.
bool wn_spool_remember(wn_spool *s, wn_memory kind, const uint8_t hash[16], int64_t now_s);
// Known from this or an earlier transaction.
bool wn_spool_known(const wn_spool *s, wn_memory kind, const uint8_t hash[16]);
// Hands the current transaction to the sync thread; false while it is still
// busy with the one before (call again after `done`). True and no-op when empty.
bool wn_spool_submit(wn_spool *s);
bool wn_spool_idle(const wn_spool *s); // nothing unsynced
// The newest transaction that is durable; clears the eventfd.
// A failure of the sync thread stands here: WN_ERR_FULL while the disk has no room (the
// transaction waits and is tried again, the eventfd tells when it is durable), WN_ERR_IO
// for good after a failed sync: nothing more will be acked until the spool is opened anew.
WN_MUST_USE wn_err wn_spool_done(wn_spool *s, uint64_t *out_txn);

int64_t wn_spool_sync_took(const wn_spool *s); // the last transaction's fdatasync, in nanoseconds

// Delivery. Reads durable records in order from a cursor of its own.
bool wn_spool_next(wn_spool *s, wn_spool_record *out); // false: nothing more now
// Only if it is of at most so many bytes and observations; else it stays the next one.
bool wn_spool_next_within(wn_spool *s, size_t bytes_max, uint32_t observations_max, wn_spool_record *out);
// Wipes what the last record was read into: a batch holds its window's text key.
void wn_spool_forget_record(wn_spool *s);
// Bytes of the log between the cursor and what is durable: 0: there is no next one now.
uint64_t wn_spool_ready(const wn_spool *s);
void wn_spool_rewind(wn_spool *s); // to the oldest record not acked
// All records of (window, generation) up to sequence are delivered; whole segments go.
void wn_spool_ack(wn_spool *s, const wn_window *w, uint64_t generation, uint64_t sequence);
// The aggregator has lost (window, generation) and asks for records that are gone, for ever:
// those not acked go on under a new generation, from 1, once that is durable.
// WN_ERR_BUSY while the thread is: try again.
WN_MUST_USE wn_err wn_spool_restart(wn_spool *s, const wn_window *w, uint64_t generation);
// The first sequence of (window, generation) not acked; 0 when there is no such generation.
uint64_t wn_spool_oldest(const wn_spool *s, const wn_window *w, uint64_t generation);
uint64_t wn_spool_waiting(const wn_spool *s);    // records not acked
uint64_t wn_spool_unreadable(const wn_spool *s); // records that failed authentication, skipped
uint64_t wn_spool_bytes(const wn_spool *s);
// Nothing of this window is unacked. Its newest generation and last sequence; 0, 0: it has none.
bool wn_spool_window_drained(const wn_spool *s, const wn_window *w, uint64_t *out_generation,
                             uint64_t *out_sequence);
// Forgets the window: its storage key (rotating the wrapping key) and any segment that holds it
// and nothing undelivered of another window (else the segment goes with that delivery; what it
// holds of this one is noise by then). Waits for the sync thread.
WN_MUST_USE wn_err wn_spool_forget(wn_spool *s, const wn_window *w);
