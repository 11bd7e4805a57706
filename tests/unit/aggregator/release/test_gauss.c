// SPDX-License-Identifier: Apache-2.0
// The sampler against the distribution it claims. WN_DRAWS sets how many draws (10^6; tests/long.sh 4·10^7).
// What fails by chance fails less than once in 10^6 runs; seeds are fixed, so it is once and for all.
#include "gauss.h"

#include <criterion/criterion.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypt.h"

#define BINS_MAX 512
#define DRAWS_FULL 4e7   // at which an error of 0.1 % in σ must be seen
#define Z_ONE_SIDED 4.76 // normal quantile of 1e-6
#define Z_TWO_SIDED 4.90

static const uint8_t seed[WN_GAUSS_SEED_BYTES] = "a seed of the tests, thirty-two.";

static double draws(void) {
    const char *said = getenv("WN_DRAWS");
    double n = said != NULL ? atof(said) : 1e6;
    cr_assert(n >= 1e4, "WN_DRAWS is a number of at least 10,000");
    return n;
}

typedef struct sample {
    double n, sum, squares;
    double bin[2 * BINS_MAX + 1];
} sample;

static void take(sample *s, double n, uint64_t num, uint64_t den) {
    *s = (sample){.n = n};
    for (uint64_t i = 0; i < (uint64_t)s->n; i++) {
        uint8_t name[WN_GAUSS_NAME_BYTES] = {0};
        wn_gauss_stream stream;
        memcpy(name, &i, sizeof i);
        wn_gauss_stream_init(&stream, seed, name);
        int64_t x = wn_gauss_draw(&stream, num, den);
        double d = (double)x;
        s->sum += d;
        s->squares += d * d;
        cr_assert(x > -BINS_MAX && x < BINS_MAX);
        s->bin[x + BINS_MAX]++;
    }
}

// χ² against the distribution of variance num/den as a normal quantile (Wilson, Hilferty); tails of fewer
// than ten expected draws stand together.
static double chi_square_z(const sample *s, double variance) {
    double whole = 0, chi = 0, tail_seen = 0, tail_due = 0;
    int bins = 0;
    for (int x = -BINS_MAX; x <= BINS_MAX; x++) whole += exp(-x * x / (2 * variance));
    for (int x = -BINS_MAX; x <= BINS_MAX; x++) {
        double due = s->n * exp(-x * x / (2 * variance)) / whole, seen = s->bin[x + BINS_MAX];
        if (due < 10) {
            tail_due += due;
            tail_seen += seen;
            continue;
        }
        chi += (seen - due) * (seen - due) / due;
        bins++;
    }
    if (tail_due > 1) {
        chi += (tail_seen - tail_due) * (tail_seen - tail_due) / tail_due;
        bins++;
    }
    double df = bins - 1;
    return (cbrt(chi / df) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df));
}

// How many standard errors the sample's variance is off. (From σ = 2 on the discrete one's is the continuous
// one's to 10^-30.)
static double sd_z(const sample *s, double variance) {
    double mean = s->sum / s->n;
    return ((s->squares / s->n - mean * mean) / variance - 1) / sqrt(2 / s->n);
}

static sample s;

static const struct {
    uint64_t num, den;
} variances[] = {{200, 1}, {60, 1}, {400, 1}, {500000, 99999}, {5, 1}};

Test(gauss, draws_what_it_claims, .timeout = 3600) {
    for (size_t i = 0; i < WN_COUNT(variances); i++) {
        double variance = (double)variances[i].num / (double)variances[i].den;
        take(&s, i == 0 ? draws() : draws() / 4, variances[i].num, variances[i].den);
        double chi = chi_square_z(&s, variance), sd = sd_z(&s, variance);
        cr_log_info("variance %.4f: chi-square z %.2f, sd z %.2f", variance, chi, sd);
        cr_assert_lt(chi, Z_ONE_SIDED, "variance %g: chi-square at %g normal quantiles", variance, chi);
        cr_assert_lt(fabs(sd), Z_TWO_SIDED, "variance %g: sd off by %g standard errors", variance, sd);
        cr_assert_lt(fabs(s.sum / s.n) / sqrt(variance / s.n), Z_TWO_SIDED, "mean");
    }
}

// Judged as if it were 200: σ is wrong by 0.1 % at 4·10^7 draws, and by what is as visible at fewer.
Test(gauss, the_judge_sees_a_sigma_that_is_wrong_by_a_thousandth, .timeout = 3600) {
    double wrong = 1 + 0.001 * sqrt(DRAWS_FULL / draws());
    if (draws() >= DRAWS_FULL) wrong = 1.001;
    uint64_t num = (uint64_t)(200 * 100000 * wrong * wrong);
    take(&s, draws(), num, 100000);
    cr_assert_gt(sd_z(&s, 200), Z_TWO_SIDED);
    cr_assert_lt(fabs(sd_z(&s, (double)num / 100000)), Z_TWO_SIDED, "it is what was asked for");
}

Test(gauss, same_name_same_draw_and_another_name_another) {
    uint8_t name[WN_GAUSS_NAME_BYTES] = "name";
    int64_t same = 0;
    wn_gauss_stream a, b;
    wn_gauss_stream_init(&a, seed, name);
    wn_gauss_stream_init(&b, seed, name);
    for (int i = 0; i < 1000; i++) cr_assert_eq(wn_gauss_draw(&a, 200, 1), wn_gauss_draw(&b, 200, 1));
    name[23] ^= 1;
    wn_gauss_stream_init(&b, seed, name);
    for (int i = 0; i < 1000; i++) same += wn_gauss_draw(&a, 200, 1) == wn_gauss_draw(&b, 200, 1);
    cr_assert_lt(same, 100, "two draws meet once in 50");
}

Test(gauss, a_stream_goes_on_as_one_cipher_stream) {
    // Byte for byte, past the buffer: draws below 256 are the bytes themselves.
    uint8_t name[WN_GAUSS_NAME_BYTES] = "bytes", want[1000];
    wn_gauss_stream a;
    memset(want, 0, sizeof want);
    wn_gauss_stream_init(&a, seed, name);
    cr_assert_eq(crypto_stream_xchacha20(want, sizeof want, name, seed), 0);
    for (size_t i = 0; i < sizeof want; i++) cr_assert_eq(wn_gauss_below(&a, 256), want[i]);
    wn_gauss_stream_wipe(&a);
    for (size_t i = 0; i < sizeof a; i++) cr_assert_eq(((const uint8_t *)&a)[i], 0);
}

Test(gauss, below_is_uniform) {
    static const uint64_t of[] = {2, 3, 7, 129, 257};
    uint8_t name[WN_GAUSS_NAME_BYTES] = "uniform";
    wn_gauss_stream a;
    wn_gauss_stream_init(&a, seed, name);
    for (size_t i = 0; i < WN_COUNT(of); i++) {
        double seen[257] = {0}, chi = 0, n = 200000, df = (double)of[i] - 1;
        for (int j = 0; j < n; j++) seen[wn_gauss_below(&a, of[i])]++;
        for (uint64_t x = 0; x < of[i]; x++) {
            double due = n / (double)of[i];
            chi += (seen[x] - due) * (seen[x] - due) / due;
        }
        cr_assert_lt((cbrt(chi / df) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df)), Z_ONE_SIDED);
    }
    cr_assert_eq(wn_gauss_below(&a, 1), 0);
    cr_assert_lt(wn_gauss_below(&a, (1ull << 63) + 1), (1ull << 63) + 1);
}

Test(gauss, the_least_and_the_greatest_variance_draw) {
    uint8_t name[WN_GAUSS_NAME_BYTES] = "edges";
    wn_gauss_stream a;
    double squares = 0;
    wn_gauss_stream_init(&a, seed, name);
    for (int i = 0; i < 1000; i++) {
        int64_t small = wn_gauss_draw(&a, WN_GAUSS_DEN_MAX, WN_GAUSS_DEN_MAX);
        int64_t large = wn_gauss_draw(&a, WN_GAUSS_NUM_MAX, 1);
        cr_assert(small > -10 && small < 10);
        squares += (double)large * (double)large;
    }
    cr_assert(fabs(squares / 1000 / WN_GAUSS_NUM_MAX - 1) < 0.25);
}
