// SPDX-License-Identifier: Apache-2.0
// gauss.h: exact draws of a discrete Gaussian (Canonne, Kamath, Steinke 2020) from named random bytes.
//
// Pure; integers and rationals only: no rounding, no table, no floating point in the object. The bytes are
// XChaCha20 of a seed under a nonce that names what is drawn for, so that neither order nor a restart
// matters.
#pragma once

#include "winnow/base.h"

#define WN_GAUSS_SEED_BYTES 32
#define WN_GAUSS_NAME_BYTES 24
#define WN_GAUSS_NUM_MAX (1u << 25) // of a variance; its square root must be at least 1
#define WN_GAUSS_DEN_MAX (1u << 20)

// Bytes of one name, as many as are asked for.
typedef struct wn_gauss_stream {
    uint8_t seed[WN_GAUSS_SEED_BYTES], name[WN_GAUSS_NAME_BYTES];
    uint64_t block; // next of XChaCha20
    uint8_t bytes[192];
    size_t at;
} wn_gauss_stream;
void wn_gauss_stream_init(wn_gauss_stream *s, const uint8_t seed[WN_GAUSS_SEED_BYTES],
                          const uint8_t name[WN_GAUSS_NAME_BYTES]);
void wn_gauss_stream_wipe(wn_gauss_stream *s);

// Uniform in [0, n), n >= 1, by rejection: no value is likelier than another.
uint64_t wn_gauss_below(wn_gauss_stream *s, uint64_t n);

// An integer x with probability proportional to exp(-x²·den/(2·num)): variance about num/den.
// About 30 bytes of the stream; its loops end with probability 1, and are asserted to end within bounds
// that a draw passes with probability below 2^-110.
int64_t wn_gauss_draw(wn_gauss_stream *s, uint64_t num, uint64_t den);
