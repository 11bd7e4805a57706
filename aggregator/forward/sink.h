// SPDX-License-Identifier: Apache-2.0
// sink.h: what a destination is: a table of functions at the end of one file.
//
// A sink writes one request for some rows of one sealed (site, table, window)
// and says what an answer to it means. It never sees anything but published
// rows. Pure: no I/O, no clock; sending and repeating are forward.c's.
// Source: docs of the vendors, as each file names them. Privacy rules R8, R9.
#pragma once

#include <stdio.h>

#include "destinations.h"
#include "published.h"

#define WN_SINK_ROWS_MAX 2000             // in one request
#define WN_SINK_BODY_MAX (1800u * 1024u)  // bytes of a request's body
#define WN_SINK_ANSWER_MAX (256u * 1024u) // bytes of an answer that are read
#define WN_SINK_HEADERS_MAX 8
#define WN_ROW_ID_BYTES 37 // 36 hex digits and NUL

typedef struct wn_sink_batch { // borrowed
    const wn_destination *to;
    const wn_public_head *head;
    const wn_public_row *rows;
    size_t n;      // 1..rows_max of the sink
    size_t first;  // number of rows[0] in its (site, table, window)
    int64_t now_s; // of this attempt
} wn_sink_batch;

typedef struct wn_sink_request { // init to {0}; fini frees
    char url[1024];
    char header[WN_SINK_HEADERS_MAX][512]; // "Name: value"
    size_t headers_n;
    char *body; // malloc'ed
    size_t body_bytes;
} wn_sink_request;
void wn_sink_request_fini(wn_sink_request *r); // wipes: headers hold secrets

// What became of a request.
typedef enum wn_fate {
    WN_FATE_TAKEN,   // stored, but for the rows set aside
    WN_FATE_AGAIN,   // not now: again after a while, the same bytes but for the time of the attempt
    WN_FATE_SMALLER, // too large, or one row spoils it: fewer rows at once
    WN_FATE_STOP,    // nothing will be taken until the operator acts
    WN_FATE_N
} wn_fate;

// Why nothing was taken, in a closed list.
typedef enum wn_reason {
#define REASON(name, word, text) WN_REASON_##name,
#include "reasons.def"
#undef REASON
    WN_REASON_N
} wn_reason;
const char *wn_reason_word(wn_reason reason); // "" for WN_REASON_NONE
const char *wn_reason_text(wn_reason reason); // {1} stands for the HTTP status

typedef struct wn_sink_answer {
    int status;            // of HTTP; 0: none came
    wn_reason reason;      // status 0: why
    bool maybe_sent;       // no answer, though the request may have arrived
    int64_t retry_after_s; // -1: not said
    wn_span body;
} wn_sink_answer;

typedef struct wn_sink_verdict {
    wn_fate fate;
    int64_t wait_s;                     // AGAIN: at least so long; 0: the usual steps
    uint16_t refused[WN_SINK_ROWS_MAX]; // TAKEN: rows of the batch that will never be taken
    size_t refused_n;
    bool doubtful; // TAKEN, but nobody can know: counted apart
} wn_sink_verdict;

typedef struct wn_sink {
    const char *kind;
    const char *url; // where it goes unless the destination says; NULL: must be said
    size_t rows_max;
    bool network; // false: `file`
    bool once;    // the receiver knows no repeats: what may have come is never sent again
    // What the destination still lacks, in words; NULL when it is whole.
    const char *(*lacks)(const wn_destination *d);
    // WN_ERR_STATE: the vendor would misplace this window (too old): it is set aside whole.
    WN_MUST_USE wn_err (*write)(const wn_sink_batch *b, wn_sink_request *out);
    void (*judge)(const wn_sink_batch *b, const wn_sink_answer *a, wn_sink_verdict *out);
} wn_sink;

extern const wn_sink wn_sink_file, wn_sink_webhook, wn_sink_mixpanel, wn_sink_ga4, wn_sink_hubspot,
    wn_sink_clickhouse;
const wn_sink *wn_sink_by_kind(const char *kind); // NULL

// ---- shared by the sinks ----

// Names a row for ever: the same row of a sealed window has the same id, in every attempt and after
// every restart; 18 bytes of BLAKE2b over destination, site, table, window and labels, in hex.
void wn_row_id(const wn_sink_batch *b, size_t i, char out[WN_ROW_ID_BYTES]);
// The same for a request: over the ids of its rows.
void wn_batch_id_text(const wn_sink_batch *b, char out[WN_ROW_ID_BYTES]);
// "2026-11-20T00:00:00Z"
void wn_time_text(int64_t t_s, char out[24]);
// Appends "Name: value"; the value is printable ASCII of ours or the operator's.
void wn_sink_header(wn_sink_request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// A body under way: a memory stream that becomes r->body.
WN_MUST_USE wn_err wn_sink_body_begin(wn_sink_request *r, FILE **out);
WN_MUST_USE wn_err wn_sink_body_end(wn_sink_request *r, FILE *body);
// Writes the row's facts as JSON pairs, each with a comma before it: site, table, window, zone,
// dimensions by name, people and the other measures that are published, how people are to be read.
// text_max: labels are cut at so many bytes, whole characters (0: never). as_text: numbers in quotes.
void wn_row_json(const wn_sink_batch *b, size_t i, size_t text_max, bool as_text, FILE *out);
// One label as a JSON string ("" where there is none).
void wn_sink_label(const wn_sink_batch *b, size_t i, unsigned d, FILE *out);
// Standard Webhooks' signature under a key: "v1," and base64 of HMAC-SHA-256 over "id.timestamp.body".
void wn_webhook_sign(const uint8_t *key, size_t key_bytes, const char *id, int64_t now_s, wn_span body,
                     char out[64]);
// The meaning that most vendors give to a status; what differs is decided before.
void wn_judge_status(const wn_sink_answer *a, wn_sink_verdict *out);
