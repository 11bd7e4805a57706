// SPDX-License-Identifier: Apache-2.0
// bits.h: a cursor over base64url text as bits, most significant first.
//
// The first fault sticks and everything read after it is 0: a reader reads its
// whole layout, then asks once whether all of it stood there.
#pragma once

#include "winnow/base.h"

typedef struct wn_bits {
    const uint8_t *p; // characters, all of the alphabet
    size_t n;         // bits
    size_t at;
    bool bad;
} wn_bits;

// Bad when empty or when a character is not of the alphabet (padding is not).
wn_bits wn_bits_over(wn_span text);
uint64_t wn_bits_take(wn_bits *b, unsigned count); // at most 36
bool wn_bits_peek(const wn_bits *b, size_t ahead); // the bit `ahead` of the cursor; false past the end
void wn_bits_skip(wn_bits *b, size_t count);

// True when nothing was amiss and only padding, zero bits, is left.
bool wn_bits_ended(const wn_bits *b);

// Cuts what stands before the first `mark` off the front of *rest and gives it;
// *more says whether a mark stood there. Without one the whole is given.
wn_span wn_bits_cut(wn_span *rest, char mark, bool *more);
