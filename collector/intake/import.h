// SPDX-License-Identifier: Apache-2.0
// import.h: access logs, streamed raw by the CLI over the control socket and
// counted here chunk by chunk.
//
// A chunk is kept raw until it is whole, then parsed, sorted by time, and
// filtered in parts; each part and the keyed hash that remembers it go into one
// transaction. The same bytes of a site count once, however they are read: with
// the last part of a chunk its bytes are remembered, and a chunk that begins as
// one before it did (a log that has grown) counts from there on; whether any
// did, its first line tells, which is remembered too. A kill in between resumes
// with the first part that is not remembered, if the chunk is the same. Where
// no line of it could be read nothing is remembered: perhaps the format was the
// wrong one. Raw bytes are wiped with the chunk.
#pragma once

#include "logline.h"
#include "metrics.h"
#include "pipeline.h"

#define WN_IMPORTS_MAX 4               // `winnow import` sends one chunk while another is counted
#define WN_IMPORT_LINES_MAX (1u << 17) // a chunk
#define WN_IMPORT_BYTES_MAX ((size_t)64 << 20)
#define WN_IMPORT_WINDOWS_MAX 400 // days a chunk, and an import, may touch

typedef struct wn_import wn_import;

typedef struct wn_import_result {
    const char *error; // NULL: fine
    uint64_t lines, counted, late, repeated;
    bool repeat; // all of it was counted before
    uint64_t by_verdict[WN_VERDICT_N];
} wn_import_result;

typedef struct wn_import_parts { // all kept
    wn_pipeline *pipeline;
    wn_edge *edge;
    wn_spool *spool;
    wn_metrics *metrics;
    void *ctx;
    void (*ask)(void *ctx, const wn_window *w);                         // the aggregator, about a past window
    void (*done)(void *ctx, uint64_t asker, const wn_import_result *r); // a chunk is delivered, or failed
} wn_import_parts;

WN_MUST_USE wn_err wn_import_open(const wn_import_parts *parts, wn_import **out);
void wn_import_close(wn_import *i);

// Each answers NULL, or what to tell the operator (static words).
//   after  token of the import of the lines before, which must still be there; 0: none
const char *wn_import_begin(wn_import *i, wn_span site, wn_span format, uint64_t after, uint64_t *out_token);
const char *wn_import_lines(wn_import *i, uint64_t token, wn_span bytes);
const char *wn_import_chunk(wn_import *i, uint64_t token, uint64_t asker);
// Calls fn for each window that this import filled; the import is over.
const char *wn_import_end(wn_import *i, uint64_t token, void (*fn)(void *ctx, const wn_window *w), void *ctx);

void wn_import_state(wn_import *i, const wn_window *w, wn_window_state state);
void wn_import_late(wn_import *i, const wn_window *w, uint32_t observations); // came after the seal
void wn_import_turn(wn_import *i);
bool wn_import_active(const wn_import *i);
bool wn_import_ready(const wn_import *i); // has work that waits for nobody
