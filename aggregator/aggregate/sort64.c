// SPDX-License-Identifier: Apache-2.0
// sort64.c: a few counting passes; a commit sorts some 10^5 keys, where qsort
// would cost as much as all the lookups. A pass whose digit is the same in
// every key (high bits of numbers still small) is left out.
#include "sort64.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

uint64_t *wn_sort64(uint64_t *keys, uint64_t *spare, size_t n, unsigned low, unsigned high) {
    for (unsigned shift = low; shift < high && n > 1; shift += DIGIT_BITS) {
        unsigned bits = high - shift < DIGIT_BITS ? high - shift : DIGIT_BITS;
        uint64_t mask = (1u << bits) - 1;
        size_t at[DIGITS] = {0};
        for (size_t i = 0; i < n; i++) at[keys[i] >> shift & mask]++;
        if (at[keys[0] >> shift & mask] == n) continue;
        for (size_t d = 0, sum = 0; d < DIGITS; d++) {
            size_t count = at[d];
            at[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) spare[at[keys[i] >> shift & mask]++] = keys[i];
        uint64_t *swap = keys;
        keys = spare;
        spare = swap;
    }
    return keys;
}
