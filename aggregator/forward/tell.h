// SPDX-License-Identifier: Apache-2.0
// tell.h: the line to the aggregator, who writes how far each window has come.
#pragma once

#include "control.h"
#include "forward.h"

#define WN_TELL_MS 10000      // an aggregator that does not answer by then is away
#define WN_TELL_AGAIN_MS 2000 // and is not asked before so long
#define WN_TELL_SLICE_MS 20

typedef struct wn_tell { // init with {.zmq, .dir, .meanwhile, .ctx}
    void *zmq;
    const char *dir; // STATE/aggregator
    // Called at least every slice; false: leave it.
    bool (*meanwhile)(void *ctx);
    void *ctx;
    wn_ask_line *line; // NULL: not open
    int64_t not_before_ms;
} wn_tell;

// WN_OK: it is durable. Anything else: it may be or not; telling it again does no harm.
WN_MUST_USE wn_err wn_tell_progress(wn_tell *t, const wn_destination *d, const wn_public_head *head,
                                    const wn_progress *p, uint64_t rows, const uint8_t content[32]);
void wn_tell_close(wn_tell *t);
