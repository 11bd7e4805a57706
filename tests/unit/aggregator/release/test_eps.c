// SPDX-License-Identifier: Apache-2.0
// The privacy claim, measured: the pipeline from fold to rows, with and without the one pseudonym that it
// protects worst, often; how far apart the best statistic's two distributions are, against the claim.
//
// ρ-zCDP by Gaussian noise is µ-Gaussian-DP with µ = √(2ρ) = √(L0/σ²). The best statistic against a known
// shift is the sum over the shifted cells. Organisation rule off: what it hides is not covered by the claim.
// WN_EPS_RUNS sets how often (4,000; tests/long.sh 10^6).
#include <math.h>

#include "fold_kit.h"
#include "noise.h"
#include "noise_terms.h"

enum { SITE = 7, ROOM = 7 }; // ROOM: σ above the threshold, so that every row is there
#define Z_95 1.645
#define Z_SURE 4.76 // one-sided 1e-6

// Table 0 is everybody, a crowd; R6: 12 in all others.
static const uint8_t cells_of[] = {1, 1, 1, 1, 1, 3, 3, 1, 1};
static const bool is_open[] = {false, false, false, false, false, true, true, true, true};
static wn_plan plan;
static wn_site site = {.tag = SITE};
static wn_sites sites = {&site, 1};
static wn_lock_rules rules = {.p_percent = 25, .sites = &sites};
static wn_rows rows;

static double runs(void) {
    const char *said = getenv("WN_EPS_RUNS");
    double n = said != NULL ? atof(said) : 4000;
    cr_assert(n >= 1000, "WN_EPS_RUNS is a number of at least 1,000");
    return n;
}

static void make_plan(bool signed_only) {
    plan = (wn_plan){.version = 1};
    kit_table(&plan, KIT_VIEW, WN_MEASURE_PEOPLE, WN_DIM_NONE, WN_DIM_NONE);
    for (size_t i = 1; i < WN_COUNT(cells_of); i++) {
        wn_table *t = kit_table(&plan, KIT_VIEW, WN_MEASURE_PEOPLE,
                                i == 1       ? WN_DIM_NONE
                                : is_open[i] ? KIT_ROUTE
                                             : WN_DIM_country,
                                WN_DIM_NONE);
        t->profile = WN_PROFILE_NOISE;
        t->cells = cells_of[i];
        t->k = is_open[i] ? WN_K_NOISE_OPEN : WN_K_NOISE_CLOSED;
    }
    cr_assert_eq(wn_noise_terms_make(WN_RHO_MICRO_MAX, signed_only, WN_NOISE_CELLS_MAX, &plan.noise), WN_OK);
}

static double variance(void) {
    return (double)plan.noise.variance_num / (double)plan.noise.variance_den;
}

// Enough people of one cell each in every cell that the worst pseudonym has or may have.
static wn_fold *crowd(unsigned values_per_cell, uint32_t ids_per_prefix_max) {
    wn_fold *f = kit_fold(&plan, ids_per_prefix_max, 1000);
    uint64_t person = 1000;
    for (unsigned t = 0; t < plan.n; t++) {
        uint32_t n = (is_open[t] ? plan.noise.threshold_open : plan.noise.threshold_closed) +
                     (uint32_t)(ROOM * sqrt(variance()));
        for (uint64_t value = 1; value <= cells_of[t] * values_per_cell; value++)
            for (uint32_t i = 0; i < n; i++, person++) kit_add(f, kit_inc(t, value, person, person));
    }
    return f;
}

// `who` from network 1 in `times` as many cells as are kept, from the block-th such lot on, if the cap lets
// them in.
static void join(wn_fold *f, uint64_t who, unsigned block, unsigned times) {
    for (unsigned t = 0; t < plan.n; t++)
        for (uint64_t value = 0; value < cells_of[t] * times; value++) {
            wn_increment inc = kit_inc(t, block * cells_of[t] + 1 + value, who, 1);
            if (t == 0 && value == 0 && !wn_fold_admits(f, &inc)) return;
            kit_add(f, inc);
        }
}

typedef struct moments {
    double n, sum, squares;
} moments;

// What a reader sums: cells in which the worst pseudonym may be, less those in which one they displaced was.
static double statistic(bool displaced) {
    double sum = 0;
    for (size_t i = 0; i < rows.n; i++) {
        const wn_row *r = &rows.row[i];
        bool minus = displaced && r->value[0] > cells_of[r->table];
        sum += minus ? -(double)r->people : (double)r->people;
    }
    return sum;
}

static moments run(const wn_fold *f, uint64_t from, unsigned expect, bool displaced) {
    moments m = {.n = runs()};
    for (uint64_t i = from; i < from + (uint64_t)m.n; i++) {
        uint8_t seed[WN_NOISE_SEED_BYTES] = "seeds of test_eps";
        memcpy(seed + 24, &i, sizeof i);
        cr_assert_eq(wn_noise_seal(f, &plan, &rules, seed, &rows), WN_OK);
        cr_assert_eq(rows.n, expect);
        double x = statistic(displaced) - 4000; // near its mean, for the squares' sake
        m.sum += x;
        m.squares += x * x;
    }
    return m;
}

typedef struct estimate {
    double mu, error; // and its standard error
} estimate;

static estimate apart(moments without, moments with) {
    double mean0 = without.sum / without.n, mean1 = with.sum / with.n;
    double var0 = without.squares / without.n - mean0 * mean0, var1 = with.squares / with.n - mean1 * mean1;
    double sd = sqrt((var0 + var1) / 2), mu = (mean1 - mean0) / sd;
    return (estimate){mu, sqrt(2 / without.n + mu * mu / (4 * without.n))};
}

static estimate measure(const wn_fold *without, const wn_fold *with, unsigned expect, bool displaced) {
    moments a = run(without, 1, expect, displaced), b = run(with, 1000000000, expect, displaced);
    estimate e = apart(a, b);
    cr_log_info("mu %.4f ± %.4f, claim %.4f", e.mu, e.error, sqrt(plan.noise.l0 / variance()));
    return e;
}

static void teardown(void) {
    wn_rows_fini(&rows);
}
TestSuite(eps, .fini = teardown, .timeout = 36000);

Test(eps, one_pseudonym_moves_what_the_claim_says_and_no_more) {
    make_plan(true);
    wn_fold *without = crowd(1, UINT32_MAX), *with = crowd(1, UINT32_MAX);
    join(with, 1, 0, 1);
    double claim = sqrt(plan.noise.l0 / variance());
    cr_assert_float_eq(claim, sqrt(2 * 0.1), 1e-9);
    estimate e = measure(without, with, WN_NOISE_CELLS_MAX, false);
    cr_assert_geq(e.mu - Z_95 * e.error, 0.8 * claim, "the test does not see what it is about");
    cr_assert_leq(e.mu - Z_SURE * e.error, claim, "more privacy is lost than claimed");
    wn_fold_free(without);
    wn_fold_free(with);
}

Test(eps, somebody_in_twice_as_many_cells_moves_no_more) {
    make_plan(true);
    wn_fold *without = crowd(2, UINT32_MAX), *with = crowd(2, UINT32_MAX);
    join(with, 1, 0, 2);
    double claim = sqrt(plan.noise.l0 / variance());
    estimate e = measure(without, with, 2 * WN_NOISE_CELLS_MAX, false);
    cr_assert_geq(e.mu - Z_95 * e.error, 0.8 * claim / sqrt(2), "twice the noise about the same shift");
    cr_assert_leq(e.mu - Z_SURE * e.error, claim, "more privacy is lost than claimed");
    wn_fold_free(without);
    wn_fold_free(with);
}

// The cap by prefix is one person here: who comes first keeps the other out.
Test(eps, an_unsigned_pseudonym_that_displaces_another_is_covered_by_twice_the_cells) {
    make_plan(false);
    wn_fold *without = crowd(2, 1), *with = crowd(2, 1);
    join(without, 2, 1, 1);
    join(with, 1, 0, 1);
    join(with, 2, 1, 1);
    cr_assert_eq(wn_fold_people(without), wn_fold_people(with), "one came, one had to stay away");
    double claim = sqrt(plan.noise.l0 / variance());
    cr_assert_float_eq(claim, sqrt(2 * 0.1), 1e-9);
    estimate e = measure(without, with, 2 * WN_NOISE_CELLS_MAX, true);
    cr_assert_geq(e.mu - Z_95 * e.error, 0.8 * claim);
    cr_assert_leq(e.mu - Z_SURE * e.error, claim);
    wn_fold_free(without);
    wn_fold_free(with);
}

// Pr[X >= m] by summing all of it.
static long double tail(long double var, int m) {
    long double whole = 0, part = 0;
    for (int x = 2000; x >= -2000; x--) {
        long double w = expl(-(long double)x * x / (2 * var));
        whole += w;
        if (x >= m) part += w;
    }
    return part / whole;
}

// One pseudonym takes a cell from k - 1 people, where it never shows, to k, where it hardly ever does.
Test(eps, the_threshold_hides_the_kth_person_but_for_delta) {
    static const uint32_t rho[] = {WN_RHO_MICRO_STRICT, WN_RHO_MICRO_DEFAULT, WN_RHO_MICRO_MAX};
    for (size_t i = 0; i < WN_COUNT(rho); i++)
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            wn_noise_terms n;
            cr_assert_eq(wn_noise_terms_make(rho[i], is_signed != 0, WN_NOISE_CELLS_MAX, &n), WN_OK);
            long double var = (long double)n.variance_num / (long double)n.variance_den, part = 1e-8L / n.l0;
            int m = (int)n.threshold_closed - WN_K_NOISE_CLOSED;
            cr_assert_eq(m, (int)n.threshold_open - WN_K_NOISE_OPEN);
            cr_assert(tail(var, m) <= part && tail(var, m - 1) > part);
        }
}
