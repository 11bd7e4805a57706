// SPDX-License-Identifier: Apache-2.0
// spool_cut.c: a cut is the last sequence of each stream.
#include "spool_cut.h"

#include <stdlib.h>
#include <string.h>

#include "spool_private.h"

typedef struct end {
    char window[WN_WINDOW_TEXT_BYTES];
    uint64_t generation, last;
} end;

struct wn_spool_cut {
    size_t n;
    end at[];
};

wn_spool_cut *wn_spool_cut_take(const wn_spool *s) {
    wn_spool_cut *c = calloc(1, sizeof *c + s->streams_n * sizeof *c->at);
    for (size_t i = 0; c != NULL && i < s->streams_n; i++) {
        const wn_stream *st = &s->streams[i];
        if (!st->used || st->dead || st->acked >= st->last) continue;
        end *e = &c->at[c->n++];
        memcpy(e->window, st->window, sizeof e->window);
        e->generation = st->generation;
        e->last = st->last;
    }
    return c;
}

// A stream that is gone, or dead, has nothing left to deliver.
bool wn_spool_cut_delivered(const wn_spool *s, const wn_spool_cut *c) {
    for (size_t i = 0; i < c->n; i++) {
        const end *e = &c->at[i];
        for (size_t j = 0; j < s->streams_n; j++) {
            const wn_stream *st = &s->streams[j];
            bool same = st->used && !st->dead && st->generation == e->generation &&
                        strcmp(st->window, e->window) == 0;
            if (same && st->acked < e->last) return false;
        }
    }
    return true;
}
