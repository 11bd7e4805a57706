// SPDX-License-Identifier: Apache-2.0
// linger.h: whether the next transaction waits a moment for more senders.
//
// A sender that is answered and sends again would find the disk just taken by
// the few that came during the sync, and wait for two syncs; each sync would
// serve half of the senders. So what was answered is waited for: only when more
// than one sender waited, never longer than the last sync itself took, and not
// again soon after a wait that brought nothing. Pure: the caller has the clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WN_LINGER_SKIP_MAX 64 // transactions without a wait after several in vain

typedef struct wn_linger {
    uint32_t filling, syncing; // senders that wait for the transaction being filled, for the one on its way
    uint32_t began, want;      // of those filling: when the wait began, and worth waiting for
    int64_t wait_ns;           // not yet begun; 0: none
    int64_t until_ns;          // 0: no wait
    uint32_t skip, skip_next;
} wn_linger;

void wn_linger_sender(wn_linger *l); // one more waits for the transaction being filled
void wn_linger_submitted(wn_linger *l);
void wn_linger_done(wn_linger *l, int64_t sync_ns); // the sync took so long
// How long the transaction should still be filled; 0: hand it over. The first call after `done`
// begins the wait: by then the answers have left.
int64_t wn_linger_left(wn_linger *l, int64_t now_ns);
