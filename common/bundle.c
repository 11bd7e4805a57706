// SPDX-License-Identifier: Apache-2.0
// bundle.c: several batches in one message. Each stands there as it would have
// gone alone; the message only spares both sides one of their own for each.
#include <string.h>

#include "mp.h"
#include "winnow/wire.h"

#define BIN32 0xc6

bool wn_bundle_add(uint8_t *bundle, size_t cap, size_t *inout_n, wn_span batch) {
    if (batch.n > cap || cap - batch.n < *inout_n + WN_BUNDLE_HEAD_BYTES) return false;
    uint8_t *p = bundle + *inout_n;
    *p++ = BIN32;
    for (int shift = 24; shift >= 0; shift -= 8) *p++ = (uint8_t)(batch.n >> shift);
    if (batch.n != 0) memcpy(p, batch.p, batch.n);
    *inout_n += WN_BUNDLE_HEAD_BYTES + batch.n;
    return true;
}

bool wn_wire_is_bundle(wn_span bytes) {
    return bytes.n != 0 && bytes.p[0] == BIN32;
}

bool wn_bundle_next(wn_span *inout_rest, wn_span *out) {
    wn_mp m;
    wn_mp_init(&m, *inout_rest);
    if (!wn_wire_is_bundle(*inout_rest) || !wn_mp_bin(&m, WN_BATCH_BYTES_MAX, out)) return false;
    *inout_rest = (wn_span){m.p, (size_t)(m.end - m.p)};
    return true;
}
