// SPDX-License-Identifier: Apache-2.0
// closing.h: a window's last hours in this collector.
//
// closing(window) from the aggregator → its events are late from now on → its
// sessions end → all of it is durable, then delivered → its keys are wiped →
// only then closed(window) goes out. Asked again, a closed window is told again.
// A window whose closing this collector missed (it was down, or nothing of it
// was ever sent) is found by asking, and closed the same way: its keys die too.
#pragma once

#include "pipeline.h"
#include "uplink.h"

#define WN_CLOSING_MAX WN_EDGE_WINDOWS_MAX
#define WN_CLOSED_REMEMBERED 64
#define WN_CLOSING_REVIEW_S 3600 // how long past its grace a window is left to the aggregator

typedef struct wn_closing wn_closing;

typedef struct wn_closing_parts { // all kept; the last two are the uplink's but for tests
    wn_edge *edge;
    wn_spool *spool;
    wn_sessions_table *sessions;
    wn_pipeline *pipeline;
    void *ctx;
    void (*closed)(void *ctx, const wn_window *w, uint64_t generation, uint64_t sequence);
    void (*ask)(void *ctx, const wn_window *w);
} wn_closing_parts;

WN_MUST_USE wn_err wn_closing_open(const wn_closing_parts *parts, wn_closing **out);
void wn_closing_close(wn_closing *c);
void wn_closing_begin(wn_closing *c, const wn_window *w);
// One step for each window that is closing. Call after the pipeline's turn.
void wn_closing_turn(wn_closing *c);
// Asks about windows past their grace that nothing stands behind any more. Not
// while an import runs: it opens windows of which the aggregator has not heard.
void wn_closing_review(wn_closing *c, int64_t now_s);
void wn_closing_state(wn_closing *c, const wn_window *w, wn_window_state state);
size_t wn_closing_count(const wn_closing *c);
