// SPDX-License-Identifier: Apache-2.0
// bytes.h: whole numbers in files, least byte first.
#pragma once

#include <stdint.h>

static inline void wn_put_le(uint8_t *out, uint64_t x, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) out[i] = (uint8_t)(x >> (8 * i));
}

static inline uint64_t wn_get_le(const uint8_t *in, unsigned bytes) {
    uint64_t x = 0;
    for (unsigned i = 0; i < bytes; i++) x |= (uint64_t)in[i] << (8 * i);
    return x;
}
