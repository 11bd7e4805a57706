// SPDX-License-Identifier: Apache-2.0
// pipeline_body.h: the inside of the pipeline, shared by pipeline.c (batches,
// transactions) and request.c (events of one request).
#pragma once

#include "linger.h"
#include "pipeline.h"

#define WN_CHUNK_BYTES 16384u  // a request's records lie in chunks of this
#define WN_CHUNKS_SPARE_MAX 64 // kept for the next requests
#define WN_REQUESTS_SPARE_MAX 1024

// One event that passed, or that its person refused; its sealed values follow.
typedef struct wn_record {
    uint32_t bytes;   // with the values, a multiple of 16
    uint32_t index;   // of the event in its request
    uint32_t slot;    // of the window
    uint8_t epoch[8]; // names the key it was made under: a window may close in between
    bool kept, has_batch_key;
    uint8_t values_n;
    uint8_t batch_key[16];
    int64_t at_s;
    uint64_t site;
    wn_verdict why;     // when not kept
    wn_observation obs; // when kept
} wn_record;

typedef struct wn_chunk {
    struct wn_chunk *next;
    size_t used;
    _Alignas(16) uint8_t bytes[WN_CHUNK_BYTES - 32];
} wn_chunk;

struct wn_request {
    wn_request *next; // among the spare ones
    wn_pipeline *p;
    wn_site_list *sites;
    wn_sender sender;
    wn_address address;
    char key[41];        // "": any site
    bool site_forbidden; // the event named a site that its key may not write to
    bool lines, full, committed;
    uint64_t site;    // tag of the last event's; 0: none has been named
    bool sites_mixed; // not all of one site
    wn_event *event;  // while one is being filled
    wn_chunk *first, *last;
    size_t records_n;
    size_t wire_bytes; // at most what they take encoded
    wn_outcome outcome;
};

typedef struct wn_open_batch {
    wn_batch_builder *builder;
    uint32_t slot;
    bool used;
} wn_open_batch;

// A request's batch_id at one of the sites it names.
typedef struct wn_named {
    uint64_t site;
    uint8_t hash[16];
    bool known; // its events of that site were counted before
} wn_named;

// What is no longer taken of requests that were filtered before a purge.
typedef struct wn_purged_one {
    uint32_t slot;
    uint64_t site, org; // org 0: the whole site
} wn_purged_one;

struct wn_pipeline {
    wn_pipeline_parts parts;
    wn_site_list *sites;
    int64_t now_s;
    wn_scratch *scratch;
    wn_event *event_spare;
    wn_chunk *chunk_spare;
    size_t chunk_spare_n;
    wn_request *request_spare;
    size_t request_spare_n;
    size_t request_bytes; // of requests not yet freed
    wn_open_batch batch[WN_PIPELINE_BATCHES_MAX];
    size_t batch_n;
    uint8_t batch_of[WN_EDGE_WINDOWS_MAX];        // 1 + index in `batch`; 0: none
    uint64_t txn_of[WN_EDGE_WINDOWS_MAX];         // the newest transaction with something of that window
    wn_batch_id newest[WN_EDGE_WINDOWS_MAX];      // the batch added last of that window
    uint8_t newest_epoch[WN_EDGE_WINDOWS_MAX][8]; // and whose it was: slots are used again
    size_t txn_bytes;                // upper bound of what the transaction being filled will take
    size_t touches, touches_syncing; // of the transaction being filled, and of the one before it
    bool dirty, stuck;
    wn_linger linger;
    int64_t linger_ns; // -1: the transaction being filled waits for nothing
    uint64_t submitted, durable;
    wn_named named[WN_REQUEST_EVENTS_MAX]; // sites of the request being committed
    size_t named_n;
    wn_purged_one purged[WN_PIPELINE_PURGED_MAX]; // a ring
    size_t purged_n;
    wn_pipeline_counts counts;
};

// request.c, for the commit.
wn_record *wn_request_record_first(wn_request *r);
wn_record *wn_request_record_next(wn_chunk **inout_chunk, const wn_record *at);
void wn_request_drop_records(wn_request *r);
void wn_request_turn(wn_request *r, wn_verdict why); // one kept event is none after all
void wn_request_spares_free(wn_pipeline *p);
