// SPDX-License-Identifier: Apache-2.0
// noise_terms.c: the threshold of a discrete Gaussian in interval arithmetic.
//
// The weights are exp(-x²/(2σ²)) = q^(x²), q = exp(-ρ/L0). Every number is a pair of bounds in units of
// 2^-110, rounded outwards; the sum of all weights is below 2^14, so it fits 128 bits. A comparison that the
// bounds leave open is an error, not a guess.
#include "noise_terms.h"

__extension__ typedef unsigned __int128 u128;

enum { FRACTION_BITS = 110, SERIES_TERMS = 40, NEGLIGIBLE_BITS = 30 };
#define ONE ((u128)1 << FRACTION_BITS)
#define MICRO 1000000u
#define NANO 1000000000u

typedef struct bounds {
    u128 lo, hi;
} bounds;

// a·b in the fraction's unit, rounded down; a and b at most ONE.
static u128 mul_down(u128 a, u128 b) {
    u128 a1 = a >> 64, a0 = (uint64_t)a, b1 = b >> 64, b0 = (uint64_t)b;
    u128 low = a0 * b0, mid1 = a1 * b0, mid0 = a0 * b1;
    u128 carry = (low >> 64) + (uint64_t)mid1 + (uint64_t)mid0;
    u128 high = a1 * b1 + (mid1 >> 64) + (mid0 >> 64) + (carry >> 64);
    return (high << (128 - FRACTION_BITS)) | ((uint64_t)carry >> (FRACTION_BITS - 64));
}

static bounds mul(bounds a, bounds b) {
    u128 hi = mul_down(a.hi, b.hi) + 1;
    return (bounds){mul_down(a.lo, b.lo), hi < ONE ? hi : ONE};
}

static bounds ratio(u128 num, u128 den) {
    return (bounds){num / den, num / den + 1};
}

// exp(-y) for 0 < y < 1: partial sums of the series lie on alternating sides of it.
static bounds exp_minus(bounds y) {
    bounds term = {ONE, ONE}, sum = {ONE, ONE};
    for (unsigned i = 1; i <= SERIES_TERMS; i++) {
        term = mul(term, y);
        term = (bounds){term.lo / i, term.hi / i + 1};
        if (i % 2 != 0) sum = (bounds){sum.lo - term.hi, sum.hi - term.lo};
        else sum = (bounds){sum.lo + term.lo, sum.hi + term.hi};
    }
    return (bounds){sum.lo - term.hi, sum.hi + term.hi};
}

// The weights of x = 0, 1, 2, …: each is the one before times q^(2x-1).
typedef struct weights {
    bounds now, step, square; // q^(x²), q^(2x+1), q²
} weights;

static weights weights_begin(bounds q) {
    return (weights){.now = {ONE, ONE}, .step = q, .square = mul(q, q)};
}

static void weights_next(weights *w) {
    w->now = mul(w->now, w->step);
    w->step = mul(w->step, w->square);
}

// Σ of the weights of x >= 1. The rest behind the last one is less than a geometric series.
static bounds tail_from_one(bounds q) {
    weights w = weights_begin(q);
    bounds sum = {0, 0};
    while (weights_next(&w), w.now.hi >> NEGLIGIBLE_BITS != 0) {
        sum.lo += w.now.lo;
        sum.hi += w.now.hi;
    }
    sum.hi += w.now.hi * (ONE / (ONE - w.step.hi) + 1);
    return sum;
}

// Least m with Pr[X >= m] <= delta_nano / (10^9·l0).
static wn_err least_tail(bounds q, uint32_t l0, uint32_t *out) {
    bounds tail = tail_from_one(q);
    u128 parts = (u128)l0 * NANO / WN_DELTA_THRESHOLD_NANO; // of the whole, one may lie in the tail
    u128 most_lo = (2 * tail.lo + ONE) / parts, most_hi = (2 * tail.hi + ONE) / parts;
    weights w = weights_begin(q);
    uint32_t m = 1;
    for (; tail.hi > most_lo; m++) {
        if (tail.lo <= most_hi) return WN_ERR_CONFIG; // the bounds do not decide
        weights_next(&w);
        tail.lo = tail.lo > w.now.hi ? tail.lo - w.now.hi : 0;
        tail.hi -= w.now.lo;
    }
    *out = m;
    return WN_OK;
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

wn_err wn_noise_terms_make(uint32_t rho_micro, bool signed_only, uint32_t cells, wn_noise_terms *out) {
    if (rho_micro == 0 || rho_micro > WN_RHO_MICRO_MAX || cells == 0 || cells > WN_NOISE_CELLS_MAX)
        return WN_ERR_CONFIG;
    uint32_t l0 = signed_only ? cells : 2 * cells, m;
    WN_TRY(least_tail(exp_minus(ratio((u128)rho_micro << FRACTION_BITS, (u128)l0 * MICRO)), l0, &m));
    uint64_t num = (uint64_t)l0 * MICRO, den = 2 * (uint64_t)rho_micro;
    uint64_t d = common_divisor(num, den);
    *out = (wn_noise_terms){
        .rho_micro = rho_micro,
        .signed_only = signed_only,
        .l0 = l0,
        .variance_num = num / d,
        .variance_den = den / d,
        .threshold_closed = m + WN_K_NOISE_CLOSED,
        .threshold_open = m + WN_K_NOISE_OPEN,
    };
    return WN_OK;
}
