// SPDX-License-Identifier: Apache-2.0
// spool_private.h: the loop's side of the spool, shared by its few files.
#pragma once

#include "crypt.h"
#include "spool.h"
#include "spool_sync.h"

// What stands before a batch inside its box; the batch's length is hidden there, too.
#define WN_PLAIN_HEAD_BYTES 80
#define WN_PLAIN_BYTES_MAX WN_RECORD_BOX_BYTES_MAX
#define WN_READ_AHEAD_BYTES 65536u

// One (window, generation). On disk sequences count on; when the aggregator has
// lost the generation they are sent as (alias, sequence - alias_base).
typedef struct wn_stream {
    char window[WN_WINDOW_TEXT_BYTES];
    uint64_t generation;
    uint64_t last;  // newest sequence in the log or on its way there
    uint64_t acked; // delivered up to here
    uint64_t seen;  // the cursor passed it since the last rewind
    uint64_t alias; // 0: none
    uint64_t alias_base;
    uint32_t alias_segment; // nothing is sent before the alias is durable: in this segment,
    uint64_t alias_end;     // up to here
    uint64_t order;         // grows with each record: the newest of a window has the most
    bool used;
    bool current; // new batches of the window go here
    bool dead;    // forgotten: what is left of it is noise
    uint8_t key[WN_KEY_BYTES];
} wn_stream;

typedef struct wn_segment {
    uint32_t number;
    uint64_t bytes;
    wn_spool_held *held;
    size_t held_n, held_cap;
    uint32_t *rebased; // streams whose alias stands here: outlives their records
    size_t rebased_n, rebased_cap;
} wn_segment;

// The record added last: sealed when it is known whether it ends its transaction.
typedef struct wn_pending {
    bool set;
    wn_record_head head;
    uint8_t key[WN_KEY_BYTES];
    uint8_t *plain; // WN_PLAIN_BYTES_MAX
} wn_pending;

struct wn_spool {
    wn_slots *keys;
    uint8_t collector[16];
    uint8_t memory_key[WN_KEY_BYTES];
    uint64_t bytes_max;
    uint64_t segment_bytes; // a segment ends here: WN_SEGMENT_BYTES, less in a small spool
    bool rolling;           // a segment was begun so that the one before can go
    uint64_t bytes;         // of all segments
    uint64_t waiting, unreadable;
    wn_stream *streams; // WN_SPOOL_STREAMS_MAX; never moved, since keys stand there
    size_t streams_n;
    uint64_t order;
    wn_segment *segments; // by number; the last one is written to
    size_t segments_n, segments_cap;
    wn_recall recall;
    wn_transaction txn[2];
    wn_transaction *fill;
    wn_transaction aside; // the spool's own word; spends no transaction number
    wn_pending pending;
    uint64_t reported_txn;
    int64_t reported_ns;
    wn_spool_sync sync;
    // delivery
    uint32_t at_segment; // number
    uint64_t at_offset;
    int read_fd; // of segment read_number; -1: none
    uint32_t read_number;
    uint8_t *ahead; // durable bytes of that segment, WN_READ_AHEAD_BYTES at most
    uint64_t ahead_at;
    size_t ahead_n;
    uint8_t *box, *plain, *rebuilt;
    size_t plain_n, rebuilt_n; // of each that the last record filled
    wn_batch_reader *reader;
    wn_batch_builder *builder;
};

// spool.c
WN_MUST_USE wn_err wn_spool_grow(void **p, size_t *cap, size_t need, size_t size);
wn_stream *wn_spool_stream(const wn_spool *s, const char *window, uint64_t generation); // NULL: none
WN_MUST_USE wn_err wn_spool_stream_new(wn_spool *s, const char *window, uint64_t generation, wn_stream **out);
WN_MUST_USE wn_err wn_spool_hold(wn_spool_held **held, size_t *n, size_t *cap, uint32_t stream,
                                 uint64_t last);
// Makes the plaintext in s->pending.plain the transaction's next record. Room for it
// in memory was reserved, and the record before was sealed: wn_spool_make_way does both.
WN_MUST_USE wn_err wn_spool_make_way(wn_spool *s, size_t box_bytes);
void wn_spool_append(wn_spool *s, const wn_record_head *head, const uint8_t key[WN_KEY_BYTES]);
static inline uint32_t wn_spool_stream_index(const wn_spool *s, const wn_stream *st) {
    return (uint32_t)(st - s->streams);
}

// The segment that takes n more bytes; a new one (not yet counted) when the last is full,
// there is none, or `fresh`.
WN_MUST_USE wn_err wn_spool_place(wn_spool *s, bool fresh, size_t n, wn_segment **out);
// Enters the transaction into its segment and gives it to the thread, which is not busy.
void wn_spool_enter(wn_spool *s, wn_transaction *t, wn_segment *seg);
// Ends the last segment, so that it can go. The thread is not busy.
WN_MUST_USE wn_err wn_spool_roll(wn_spool *s);

// spool_read.c
void wn_spool_reap(wn_spool *s); // unlinks segments that hold nothing undelivered
void wn_spool_read_close(wn_spool *s);

// spool_scan.c: reads the log into streams, segments and recall; cuts the tail.
WN_MUST_USE wn_err wn_spool_scan(wn_spool *s, int64_t now_s, uint64_t *out_txn, uint64_t *out_cut);

// Prefix of a batch's plaintext.
typedef struct wn_plain_head {
    wn_window window;
    uint32_t batch_bytes, observations;
} wn_plain_head;
void wn_plain_head_encode(const wn_plain_head *h, uint8_t out[WN_PLAIN_HEAD_BYTES]);
WN_MUST_USE wn_err wn_plain_head_decode(const uint8_t *p, size_t n, wn_plain_head *out);

// Ops of memories, as a record's plaintext: count, then 32 bytes each.
#define WN_MEMORY_RECORD_OPS_MAX 16384u
#define WN_MEMORY_OP_BYTES 32
