// SPDX-License-Identifier: Apache-2.0
// purging.h: a purge in this collector (R16).
//
// Asked: sessions of it end uncounted, every open window gets a mark in the spool
// (behind all that was taken before), requests not yet committed lose what is of it.
// Marks durable: it stands in the list, the filter refuses it from now on, the asker
// is answered. From then on, also after a kill: all that the spool held is delivered,
// and the aggregator is asked until it says that it is done.
// A kill before the list has it: nobody was answered, so it is asked for again.
#pragma once

#include "pipeline.h"
#include "purge_list.h"

#define WN_PURGING_ASK_MS 2000

typedef struct wn_purging wn_purging;

typedef struct wn_purging_parts { // all kept
    wn_purge_list *list;
    const uint8_t *key;
    wn_edge *edge;
    wn_spool *spool;
    wn_pipeline *pipeline;
    void *ctx;
    void (*ask)(void *ctx, const wn_purge *p, bool drained);  // the aggregator
    void (*begun)(void *ctx, uint64_t asker, const char *no); // no: NULL, or why it did not begin
} wn_purging_parts;

WN_MUST_USE wn_err wn_purging_open(const wn_purging_parts *parts, wn_purging **out);
void wn_purging_close(wn_purging *g); // NULL fine
// org {NULL, 0}: the whole site. NULL: `begun` says how it went; else why not, in static words.
const char *wn_purging_begin(wn_purging *g, wn_span site, wn_span org, uint64_t asker);
// After the spool's word, and at least once a second.
void wn_purging_turn(wn_purging *g, int64_t now_ms);
void wn_purging_done(wn_purging *g, const uint8_t name[32]); // the aggregator's answer
