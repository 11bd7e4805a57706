// SPDX-License-Identifier: Apache-2.0
// linger.c: see linger.h.
#include "linger.h"

void wn_linger_sender(wn_linger *l) {
    l->filling++;
}

void wn_linger_submitted(wn_linger *l) {
    l->syncing = l->filling;
    l->filling = 0;
    l->wait_ns = l->until_ns = 0;
}

void wn_linger_done(wn_linger *l, int64_t sync_ns) {
    l->began = l->filling;
    l->want = l->filling + l->syncing;
    l->syncing = 0;
    l->wait_ns = l->until_ns = 0;
    if (l->skip > 0) l->skip--;
    else if (l->want > 1) l->wait_ns = sync_ns;
}

// A wait pays when it ends with twice the senders, or with nearly all.
static void judge(wn_linger *l) {
    bool paid = l->filling >= 2 * l->began || l->filling >= l->want - l->want / 4;
    l->skip_next = paid ? 0 : l->skip_next == 0 ? 1 : l->skip_next * 2;
    if (l->skip_next > WN_LINGER_SKIP_MAX) l->skip_next = WN_LINGER_SKIP_MAX;
    l->skip = l->skip_next;
}

int64_t wn_linger_left(wn_linger *l, int64_t now_ns) {
    if (l->wait_ns > 0) {
        l->until_ns = now_ns + l->wait_ns;
        l->wait_ns = 0;
    }
    if (l->until_ns == 0 || l->filling == 0) return 0;
    if (l->filling < l->want && now_ns < l->until_ns) return l->until_ns - now_ns;
    judge(l);
    l->until_ns = 0;
    return 0;
}
