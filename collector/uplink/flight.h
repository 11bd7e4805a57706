// SPDX-License-Identifier: Apache-2.0
// flight.h: batches sent and not yet accounted for, in the order they went.
//
// Several may have gone in one message. An answer settles a batch. It stays here until the spool's oldest
// batch of its (window, generation) is this one, since acks to the spool say "everything up to". Pure.
#pragma once

#include "winnow/wire.h"

#define WN_FLIGHT_MESSAGES_MAX 8
#define WN_FLIGHT_MAX (WN_FLIGHT_MESSAGES_MAX * WN_BUNDLE_BATCHES_MAX)

typedef struct wn_flown {
    wn_window window;
    uint64_t generation, sequence;
    uint32_t observations;
    uint64_t message; // the number of the one it went with
    int64_t sent_ms;
    bool settled;
} wn_flown;

typedef struct wn_flight {
    wn_flown list[WN_FLIGHT_MAX];
    size_t n;
} wn_flight;

void wn_flight_push(wn_flight *f, const wn_flown *b); // n < WN_FLIGHT_MAX
// The entry of this batch, NULL when there is none.
wn_flown *wn_flight_find(wn_flight *f, const wn_window *w, uint64_t generation, uint64_t sequence);
// Settles all of (window, generation) up to `sequence`; how many that were not.
size_t wn_flight_settle(wn_flight *f, const wn_window *w, uint64_t generation, uint64_t sequence);
void wn_flight_take_out(wn_flight *f, size_t i);
size_t wn_flight_unsettled(const wn_flight *f);
size_t wn_flight_messages(const wn_flight *f); // that hold something unsettled
// Forgets the unsettled: they will be sent again.
void wn_flight_drop_unsettled(wn_flight *f);
