// SPDX-License-Identifier: Apache-2.0
// flight.c: a few hundred entries at most, mostly one or two: every search is a loop.
#include "flight.h"

#include <string.h>

static bool same_stream(const wn_flown *b, const wn_window *w, uint64_t generation) {
    return b->generation == generation && wn_window_same(&b->window, w);
}

void wn_flight_take_out(wn_flight *f, size_t i) {
    WN_ASSERT(i < f->n);
    f->n--;
    memmove(&f->list[i], &f->list[i + 1], (f->n - i) * sizeof f->list[0]);
}

void wn_flight_push(wn_flight *f, const wn_flown *b) {
    WN_ASSERT(f->n < WN_FLIGHT_MAX);
    f->list[f->n++] = *b;
}

wn_flown *wn_flight_find(wn_flight *f, const wn_window *w, uint64_t generation, uint64_t sequence) {
    for (size_t i = 0; i < f->n; i++) {
        if (f->list[i].sequence == sequence && same_stream(&f->list[i], w, generation)) return &f->list[i];
    }
    return NULL;
}

size_t wn_flight_settle(wn_flight *f, const wn_window *w, uint64_t generation, uint64_t sequence) {
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        wn_flown *b = &f->list[i];
        if (b->settled || b->sequence > sequence || !same_stream(b, w, generation)) continue;
        b->settled = true;
        n++;
    }
    return n;
}

size_t wn_flight_unsettled(const wn_flight *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) n += !f->list[i].settled;
    return n;
}

void wn_flight_drop_unsettled(wn_flight *f) {
    for (size_t i = 0; i < f->n;) {
        if (f->list[i].settled) i++;
        else wn_flight_take_out(f, i);
    }
}

size_t wn_flight_messages(const wn_flight *f) {
    size_t n = 0;
    uint64_t newest = 0; // they are numbered from 1 and stand in order
    for (size_t i = 0; i < f->n; i++) {
        if (f->list[i].settled || f->list[i].message == newest) continue;
        newest = f->list[i].message;
        n++;
    }
    return n;
}
