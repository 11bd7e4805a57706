// SPDX-License-Identifier: Apache-2.0
// sort64.h: radix sort of 64-bit keys by a range of their bits; stable.
#pragma once

#include "winnow/base.h"

// Sorts by bits [low, high). Uses both arrays of n; answers the one that holds the result.
uint64_t *wn_sort64(uint64_t *keys, uint64_t *spare, size_t n, unsigned low, unsigned high);
