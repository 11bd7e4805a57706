// SPDX-License-Identifier: Apache-2.0
// segment.h: the bytes of the spool's log: names and heads of segments, heads
// of records. Little endian, fixed sizes, a checksum on every head.
//
// A record is its head in the clear (nothing in it counts people) and a box
// bound to that head; a transaction is a run of records, the last one marked.
// Pure.
#pragma once

#include "winnow/window.h"

#define WN_SEGMENT_VERSION 1
#define WN_SEGMENT_BYTES (8u << 20) // a transaction that would end past this begins a new segment
#define WN_SEGMENT_HEAD_BYTES 48
#define WN_SEGMENT_NAME_BYTES 15 // "0000000001.seg" and its NUL
#define WN_RECORD_HEAD_BYTES 112
#define WN_RECORD_BOX_BYTES_MAX (2u << 20)

typedef struct wn_segment_head {
    uint32_t number;     // as in the file's name
    uint64_t txn_before; // newest transaction when it was made: numbers never go back
} wn_segment_head;

typedef enum wn_record_kind {
    WN_RECORD_BATCH = 1,
    WN_RECORD_MEMORY = 2, // hashes remembered with the transaction
    WN_RECORD_REBASE = 3, // a generation goes on under another name
} wn_record_kind;

typedef struct wn_record_head {
    uint8_t kind; // wn_record_kind
    bool last;    // ends its transaction
    uint32_t box_bytes;
    uint64_t txn, generation, sequence;
    char window[WN_WINDOW_TEXT_BYTES]; // wn_window_text; "" for a memory
} wn_record_head;

void wn_segment_name(uint32_t number, char out[WN_SEGMENT_NAME_BYTES]);
// False unless exactly a segment's name, number ≥ 1.
bool wn_segment_number(const char *name, uint32_t *out);

void wn_segment_head_encode(const wn_segment_head *h, uint8_t out[WN_SEGMENT_HEAD_BYTES]);
// WN_ERR_VERSION for another version's segment, WN_ERR_FORMAT for anything else.
WN_MUST_USE wn_err wn_segment_head_decode(wn_span bytes, wn_segment_head *out);

void wn_record_head_encode(const wn_record_head *h, uint8_t out[WN_RECORD_HEAD_BYTES]);
WN_MUST_USE wn_err wn_record_head_decode(wn_span bytes, wn_record_head *out);

// Little-endian integers at a place.
void wn_put32(uint8_t *p, uint32_t v);
void wn_put64(uint8_t *p, uint64_t v);
uint32_t wn_get32(const uint8_t *p);
uint64_t wn_get64(const uint8_t *p);
