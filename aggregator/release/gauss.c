// SPDX-License-Identifier: Apache-2.0
// gauss.c: algorithms 1 to 3 of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy"
// (2020). A floating-point sampler leaks through its rounding (Mironov 2012); here every probability is a
// rational number, and a coin of it is one uniform integer compared with another.
#include "gauss.h"

#include <sodium.h>

__extension__ typedef unsigned __int128 u128;

enum {
    // Chances to go on: at most 1/2 in `below` and 0.63 in the others, so 192 turns are passed with
    // probability below 2^-128; a series of exp(-γ) goes on past 40 with 1/40! < 2^-159.
    TURNS_MAX = 192,
    SERIES_MAX = 40,
    BLOCK_BYTES = 64,
};
_Static_assert(WN_GAUSS_SEED_BYTES == crypto_stream_xchacha20_KEYBYTES, "seed");
_Static_assert(WN_GAUSS_NAME_BYTES == crypto_stream_xchacha20_NONCEBYTES, "name");
_Static_assert(sizeof((wn_gauss_stream *)0)->bytes % BLOCK_BYTES == 0, "whole blocks");

void wn_gauss_stream_init(wn_gauss_stream *s, const uint8_t seed[WN_GAUSS_SEED_BYTES],
                          const uint8_t name[WN_GAUSS_NAME_BYTES]) {
    memcpy(s->seed, seed, sizeof s->seed);
    memcpy(s->name, name, sizeof s->name);
    s->block = 0;
    s->at = sizeof s->bytes;
}

void wn_gauss_stream_wipe(wn_gauss_stream *s) {
    wn_wipe(s, sizeof *s);
}

static uint8_t next_byte(wn_gauss_stream *s) {
    if (s->at == sizeof s->bytes) {
        memset(s->bytes, 0, sizeof s->bytes);
        (void)crypto_stream_xchacha20_xor_ic(s->bytes, s->bytes, sizeof s->bytes, s->name, s->block, s->seed);
        s->block += sizeof s->bytes / BLOCK_BYTES;
        s->at = 0;
    }
    return s->bytes[s->at++];
}

uint64_t wn_gauss_below(wn_gauss_stream *s, uint64_t n) {
    WN_ASSERT(n > 0);
    if (n == 1) return 0;
    unsigned bits = 64 - (unsigned)__builtin_clzll(n - 1);
    uint64_t mask = UINT64_MAX >> (64 - bits);
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        uint64_t x = 0;
        for (unsigned have = 0; have < bits; have += 8) x = x << 8 | next_byte(s);
        x &= mask;
        if (x < n) return x;
    }
    WN_ASSERT(!"the stream is no random stream");
    return 0;
}

// True with probability exp(-num/den), num <= den: of the first k with a lost coin of num/(den·k), is k odd?
static bool coin_exp_small(wn_gauss_stream *s, uint64_t num, uint64_t den) {
    for (unsigned k = 1; k <= SERIES_MAX; k++)
        if (wn_gauss_below(s, den * k) >= num) return k % 2 != 0;
    WN_ASSERT(!"the stream is no random stream");
    return false;
}

// The same for any num: exp(-1) as often as den goes into it, then the rest.
static bool coin_exp(wn_gauss_stream *s, u128 num, uint64_t den) {
    for (; num >= den; num -= den)
        if (!coin_exp_small(s, 1, 1)) return false;
    return coin_exp_small(s, (uint64_t)num, den);
}

// Magnitude and sign with probability proportional to exp(-|x|/scale); zero has one sign only.
static int64_t laplace(wn_gauss_stream *s, uint64_t scale) {
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        uint64_t part = wn_gauss_below(s, scale), whole = 0;
        if (!coin_exp_small(s, part, scale)) continue;
        while (coin_exp_small(s, 1, 1)) whole++;
        WN_ASSERT(whole < TURNS_MAX);
        int64_t x = (int64_t)(part + scale * whole);
        bool negative = wn_gauss_below(s, 2) != 0;
        if (negative && x == 0) continue;
        return negative ? -x : x;
    }
    WN_ASSERT(!"the stream is no random stream");
    return 0;
}

// Largest t with t² <= num/den, found bit by bit.
static uint64_t root_of(uint64_t num, uint64_t den) {
    uint64_t t = 0;
    for (uint64_t bit = 1u << 13; bit != 0; bit >>= 1)
        if ((t + bit) * (t + bit) <= num / den) t += bit;
    return t;
}

int64_t wn_gauss_draw(wn_gauss_stream *s, uint64_t num, uint64_t den) {
    WN_ASSERT(den > 0 && num >= den && num <= WN_GAUSS_NUM_MAX && den <= WN_GAUSS_DEN_MAX);
    uint64_t scale = root_of(num, den) + 1, unit = scale * den;
    // A Laplace draw y stays with probability exp(-(|y| - σ²/scale)²/(2σ²)); over one denominator:
    // (|y|·scale·den - num)² / (2·num·den·scale²). |y| < 2^21, unit < 2^27, and den·scale² <= 4·num.
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        int64_t y = laplace(s, scale);
        uint64_t far = (uint64_t)(y < 0 ? -y : y) * unit;
        uint64_t off = far > num ? far - num : num - far;
        if (coin_exp(s, (u128)off * off, 2 * num * unit * scale)) return y;
    }
    WN_ASSERT(!"the stream is no random stream");
    return 0;
}
