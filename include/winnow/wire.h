// SPDX-License-Identifier: Apache-2.0
// wire.h: collector to aggregator, batches and answers. msgpack, version first.
//
// A batch holds one window's observations, at most WN_BATCH_OBS_MAX and
// WN_BATCH_BYTES_MAX. Decoding builds no object tree: it walks the bytes with
// a bounded cursor, checks counts before use and requires the exact end.
#pragma once

#include "winnow/observation.h"

#define WN_WIRE_VERSION                                                                                      \
    3 // 3: observations carry numbers; 2: the head names the policy, what is absent takes no room
#define WN_BATCH_OBS_MAX 1024
#define WN_BATCH_BYTES_MAX (1u << 20)
#define WN_BATCH_SITES_MAX 64
#define WN_BATCH_VALUES_MAX 4096

// Identifies a batch for ever: the aggregator counts each (collector, window,
// generation, sequence) once. Sequences count from 1 within (window, generation).
typedef struct wn_batch_id {
    uint8_t collector[16]; // random, made at install
    uint64_t generation;   // of the spool; random, new when a spool starts empty of this window
    uint64_t sequence;
} wn_batch_id;

typedef struct wn_batch_head {
    wn_batch_id id;
    wn_window window;
    uint32_t policy_version; // of the policy the window began with
    uint64_t policy_id;      // and the first 8 bytes of its digest
    uint8_t edge_epoch[8];   // names K_edge[window] (hash of it); another one means a second epoch
    uint8_t text_key[32];    // K_text[window]: the aggregator needs it to open values past k
    uint32_t observations;   // how many follow
} wn_batch_head;

// Events refused by their person: one counter a site and window.
typedef struct wn_refusals {
    uint64_t site;
    uint32_t refused;
} wn_refusals;

// Builds one batch. Fixed capacity; add answers WN_ERR_FULL when the batch is
// full (then close it and start the next).
typedef struct wn_batch_builder wn_batch_builder;
WN_MUST_USE wn_err wn_batch_builder_new(wn_batch_builder **out);
void wn_batch_builder_free(wn_batch_builder *b); // NULL fine; wipes
void wn_batch_builder_reset(wn_batch_builder *b);
bool wn_batch_builder_empty(const wn_batch_builder *b);
uint32_t wn_batch_builder_count(const wn_batch_builder *b);
// values: WN_OPEN_N entries; values[i] is read where obs->open[i] != 0; NULL
// there means that the text went with an earlier batch of the window.
WN_MUST_USE wn_err wn_batch_builder_add(wn_batch_builder *b, const wn_observation *obs,
                                        const wn_value *const values[WN_OPEN_N]);
WN_MUST_USE wn_err wn_batch_builder_refuse(wn_batch_builder *b, uint64_t site, uint32_t events);
// Encodes all into `out` (cap bytes; WN_BATCH_BYTES_MAX always suffices).
// head->observations is taken from the builder.
WN_MUST_USE wn_err wn_batch_builder_finish(wn_batch_builder *b, const wn_batch_head *head, uint8_t *out,
                                           size_t cap, size_t *out_bytes);

// Walks one batch. The reader borrows `bytes` until done.
typedef struct wn_batch_reader {
    const uint8_t *p, *end;
    wn_batch_head head;
    uint64_t sites[WN_BATCH_SITES_MAX];
    uint32_t sites_n;
    wn_refusals refusals[WN_BATCH_SITES_MAX];
    uint32_t refusals_n;
    uint32_t values_n;
    uint32_t obs_left;
    uint64_t value_id[WN_BATCH_VALUES_MAX];
    const uint8_t *value_at[WN_BATCH_VALUES_MAX]; // where each value begins
} wn_batch_reader;

// Checks the whole shape of the batch (every observation, every index, exact
// end) before returning WN_OK, so that a batch is taken whole or not at all.
WN_MUST_USE wn_err wn_batch_reader_init(wn_batch_reader *r, wn_span bytes);
uint32_t wn_batch_reader_values(const wn_batch_reader *r);
// i < wn_batch_reader_values
void wn_batch_reader_value(const wn_batch_reader *r, uint32_t i, wn_value *out);
// False after the last observation.
bool wn_batch_reader_next(wn_batch_reader *r, wn_observation *out);

// Small batches that go together: a frame of batches one behind the other, each as msgpack's bin 32.
// Each is answered as if it had come alone. All of a bundle hold WN_BATCH_OBS_MAX observations at most,
// so that whoever has room for a batch has room for a bundle.
#define WN_BUNDLE_BATCHES_MAX 32
#define WN_BUNDLE_HEAD_BYTES 5
// False: no room for it. `cap` is at most WN_BATCH_BYTES_MAX.
bool wn_bundle_add(uint8_t *bundle, size_t cap, size_t *inout_n, wn_span batch);
bool wn_wire_is_bundle(wn_span bytes);
// The next batch, unchecked. False at the end, and where the rest is no batch: bytes are left then.
bool wn_bundle_next(wn_span *inout_rest, wn_span *out);

// Answers, aggregator to collector.
typedef enum wn_answer {
    WN_ANSWER_ACK = 1,     // everything up to `sequence` of (window, generation) is durable
    WN_ANSWER_EXPECT = 2,  // a gap or an unknown generation: send `sequence` next
    WN_ANSWER_SEALED = 3,  // window sealed: drop the batch, count it late
    WN_ANSWER_REFUSED = 4, // malformed or unknown version/zone mismatch: set aside, counted
    WN_ANSWER_CLOSING = 5, // drain this window, answer CLOSED, wipe K_edge
    WN_ANSWER_STATE = 6,   // reply to WN_ASK_STATE: `sequence` = wn_window_state
    WN_ANSWER_BUSY = 7,    // memory_max reached: try again in a second
    WN_ANSWER_PURGED = 8,  // reply to WN_ASK_PURGE: this purge (`name`) is done and verified
} wn_answer;

typedef enum wn_window_state {
    WN_WINDOW_OPEN = 0,
    WN_WINDOW_NEVER = 1,
    WN_WINDOW_SEALED = 2
} wn_window_state;

// What a collector sends: a message is one frame.
typedef enum wn_ask {
    WN_ASK_BATCH = 1,  // frame is a batch, or a bundle of them
    WN_ASK_HELLO = 2,  // {collector, wire version}: registers the collector
    WN_ASK_STATE = 3,  // {window}: sealed? (imports ask before they count)
    WN_ASK_CLOSED = 4, // {window, generation, last sequence}: drained; K_edge wiped
    WN_ASK_PURGE =
        5, // {site, name, generation: when it was asked for, sequence: wn_purge_ask}: until answered
} wn_ask;

enum {                              // sequence of a WN_ASK_PURGE
    WN_PURGE_ASK_ORG = 1u << 0,     // of one organisation; else of the whole site
    WN_PURGE_ASK_DRAINED = 1u << 1, // all that this collector had of it has been delivered, its marks too
    WN_PURGE_ASK_ALL = (1u << 2) - 1
};

typedef struct wn_uplink_msg { // every message but a batch, both ways
    uint8_t what;              // wn_ask or wn_answer
    uint8_t collector[16];     // asks only
    wn_window window;
    uint64_t generation, sequence;
    uint8_t name[32]; // of a purge; else zeros and ""
    char site[64];
} wn_uplink_msg;

#define WN_UPLINK_MSG_BYTES_MAX 256
size_t wn_uplink_msg_encode(const wn_uplink_msg *m, uint8_t out[WN_UPLINK_MSG_BYTES_MAX]);
WN_MUST_USE wn_err wn_uplink_msg_decode(wn_span bytes, wn_uplink_msg *out);
// The first element tells which: true when `bytes` begins as a batch.
bool wn_wire_is_batch(wn_span bytes);
