// SPDX-License-Identifier: Apache-2.0
// inflate_body.h: a gzip or zlib body, inflated piece by piece as it arrives.
//
// Known by its first byte, never by Content-Encoding: some
// senders do not declare it, and no JSON begins so.
#pragma once

#include "winnow/base.h"

typedef struct wn_inflate wn_inflate;

static inline bool wn_inflate_wanted(uint8_t first) {
    return first == 0x1f || first == 0x78;
}

WN_MUST_USE wn_err wn_inflate_new(wn_inflate **out);
void wn_inflate_free(wn_inflate *z); // NULL fine; wipes
// Calls fn with each piece; fn answers false to stop. WN_ERR_FULL above
// bytes_max inflated bytes in all; WN_ERR_FORMAT when the bytes are no such
// stream, when something follows its end, or when fn stopped.
WN_MUST_USE wn_err wn_inflate_feed(wn_inflate *z, wn_span bytes, size_t bytes_max,
                                   bool (*fn)(void *ctx, wn_span piece), void *ctx);
bool wn_inflate_whole(const wn_inflate *z);   // its end was seen
size_t wn_inflate_bytes(const wn_inflate *z); // memory held
