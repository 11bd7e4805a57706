// SPDX-License-Identifier: Apache-2.0
// closing.c: each turn asks of each closing window what still stands in its way.
#include "closing.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

typedef struct closed {
    wn_window window;
    uint64_t generation, sequence;
} closed;

struct wn_closing {
    wn_closing_parts parts;
    wn_window window[WN_CLOSING_MAX];
    size_t n;
    closed done[WN_CLOSED_REMEMBERED]; // a ring
    size_t done_n;
    bool asked[WN_EDGE_WINDOWS_MAX];
};

wn_err wn_closing_open(const wn_closing_parts *parts, wn_closing **out) {
    wn_closing *c = calloc(1, sizeof *c);
    if (c == NULL) return WN_ERR_NOMEM;
    c->parts = *parts;
    *out = c;
    return WN_OK;
}

void wn_closing_close(wn_closing *c) {
    free(c);
}

size_t wn_closing_count(const wn_closing *c) {
    return c->n;
}

static const closed *find_closed(const wn_closing *c, const wn_window *w) {
    size_t n = c->done_n < WN_CLOSED_REMEMBERED ? c->done_n : WN_CLOSED_REMEMBERED;
    for (size_t i = 0; i < n; i++)
        if (wn_window_same(&c->done[i].window, w)) return &c->done[i];
    return NULL;
}

void wn_closing_begin(wn_closing *c, const wn_window *w) {
    for (size_t i = 0; i < c->n; i++)
        if (wn_window_same(&c->window[i], w)) return;
    const closed *before = find_closed(c, w);
    bool here = wn_edge_find(c->parts.edge, w) != NULL;
    if (before != NULL && !here) {
        c->parts.closed(c->parts.ctx, w, before->generation, before->sequence);
        return;
    }
    if (c->n == WN_CLOSING_MAX) return; // the aggregator asks again
    wn_edge_stop(c->parts.edge, w);
    c->window[c->n++] = *w;
}

static void remember(wn_closing *c, const wn_window *w, uint64_t generation, uint64_t sequence) {
    c->done[c->done_n++ % WN_CLOSED_REMEMBERED] = (closed){*w, generation, sequence};
}

// True when the window is closed and gone.
static bool step(wn_closing *c, const wn_window *w) {
    const wn_edge_window *open = wn_edge_find(c->parts.edge, w);
    uint64_t generation = 0, sequence = 0;
    if (open != NULL) {
        if (!wn_pipeline_window_settled(c->parts.pipeline, open->slot)) return false;
        if (!wn_sessions_window_empty(c->parts.sessions, open->slot)) {
            (void)wn_pipeline_expire(c->parts.pipeline, open->slot,
                                     INT64_MAX); // what the queue has no room for: next turn
            return false;
        }
    }
    if (!wn_spool_window_drained(c->parts.spool, w, &generation, &sequence)) return false;
    // A failure leaves the window closing, and its keys to the next turn.
    if (wn_pipeline_forget_cached(c->parts.pipeline) != WN_OK) return false;
    if (wn_edge_forget(c->parts.edge, w) != WN_OK || wn_spool_forget(c->parts.spool, w) != WN_OK)
        return false;
    remember(c, w, generation, sequence);
    c->parts.closed(c->parts.ctx, w, generation, sequence);
    return true;
}

void wn_closing_turn(wn_closing *c) {
    for (size_t i = 0; i < c->n;) {
        if (step(c, &c->window[i])) c->window[i] = c->window[--c->n];
        else i++;
    }
}

// ---- windows whose closing was missed ----

static bool at_rest(const wn_closing *c, const wn_edge_window *w) {
    uint64_t generation, sequence;
    return wn_pipeline_window_settled(c->parts.pipeline, w->slot) &&
           wn_spool_window_drained(c->parts.spool, &w->window, &generation, &sequence);
}

void wn_closing_review(wn_closing *c, int64_t now_s) {
    for (uint32_t i = 0; i < WN_EDGE_WINDOWS_MAX; i++) {
        const wn_edge_window *w = wn_edge_slot(c->parts.edge, i);
        c->asked[i] = false;
        if (w == NULL || !w->open) continue;
        if (now_s < w->window.end_s + wn_grace_s((wn_kind)w->window.kind) + WN_CLOSING_REVIEW_S) continue;
        if (!at_rest(c, w)) continue;
        c->asked[i] = true;
        c->parts.ask(c->parts.ctx, &w->window);
    }
}

void wn_closing_state(wn_closing *c, const wn_window *w, wn_window_state state) {
    const wn_edge_window *here = wn_edge_find(c->parts.edge, w);
    if (here == NULL || !c->asked[here->slot]) return;
    c->asked[here->slot] = false;
    if (state != WN_WINDOW_OPEN) wn_closing_begin(c, w);
}
