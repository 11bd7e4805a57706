// SPDX-License-Identifier: Apache-2.0
// The radix sort against qsort, for every range a commit uses.
#include "fold_kit.h"
#include "sort64.h"

static unsigned low_bit, high_bit;

static uint64_t digits(uint64_t v) {
    v >>= low_bit;
    return high_bit - low_bit == 64 ? v : v & ((1ull << (high_bit - low_bit)) - 1);
}

static void check(size_t n, uint64_t mask, uint64_t *state) {
    uint64_t *a = calloc(2 * n + 1, sizeof *a), *was = calloc(n + 1, sizeof *was);
    for (size_t i = 0; i < n; i++) was[i] = a[i] = kit_random(state) & mask;
    const uint64_t *s = wn_sort64(a, a + n, n, low_bit, high_bit);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += was[i] - s[i];
        cr_assert(i == 0 || digits(s[i - 1]) <= digits(s[i]));
    }
    cr_assert_eq(sum, 0);
    free(a);
    free(was);
}

Test(sort64, orders_any_range_of_bits) {
    const unsigned ranges[][2] = {{0, 64}, {21, 64}, {16, 48}, {0, 1}, {63, 64}};
    const size_t sizes[] = {0, 1, 2, 3, 100, 5000};
    uint64_t state = 1;
    for (size_t r = 0; r < WN_COUNT(ranges); r++) {
        low_bit = ranges[r][0];
        high_bit = ranges[r][1];
        for (size_t i = 0; i < WN_COUNT(sizes); i++) {
            check(sizes[i], UINT64_MAX, &state);
            check(sizes[i], 0xFF0000FF00u, &state);
        }
    }
}

Test(sort64, is_stable) {
    uint64_t a[200], spare[200];
    for (uint64_t i = 0; i < 200; i++) a[i] = (i % 3) << 32 | i;
    const uint64_t *s = wn_sort64(a, spare, 200, 32, 64);
    for (size_t i = 1; i < 200; i++) cr_assert_lt(s[i - 1], s[i]);
}
