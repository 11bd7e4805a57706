// SPDX-License-Identifier: Apache-2.0
// text_fold.h: a text as a detector should see it: escapes undone, look-alikes of
// ASCII as ASCII, what nobody sees left out; one byte a character.
#pragma once

#include "winnow/base.h"

#define WN_FOLD_BYTES_MAX 4096
// A character of one to four bytes becomes at most as many, but "⑽" "(10)": 3 to 4.
#define WN_FOLDED_MAX (WN_FOLD_BYTES_MAX / 3 * 4 + 4)
#define WN_DECODE_ROUNDS 3

// What non-ASCII becomes when it looks like no ASCII.
enum {
    WN_FOLDED_LETTER = 0x80, // of any script
    WN_FOLDED_DEGREE = 0x81,
    WN_FOLDED_OTHER = 0x82, // symbols, punctuation
};

typedef enum wn_fold_result {
    WN_FOLD_DONE,
    WN_FOLD_ESCAPED,    // more layers of %XX than WN_DECODE_ROUNDS
    WN_FOLD_UNREADABLE, // no UTF-8
    WN_FOLD_TOO_LONG,   // over WN_FOLD_BYTES_MAX
} wn_fold_result;

// Undoes %XX in place until nothing changes, WN_DECODE_ROUNDS times at most; returns the new length.
size_t wn_fold_decode(uint8_t *p, size_t n, bool *out_escapes_left);
bool wn_fold_has_escape(const uint8_t *p, size_t n);

// out_n: bytes of `out`, which the caller wipes. Nothing is promised of `out` unless DONE.
wn_fold_result wn_fold(wn_span text, uint8_t out[WN_FOLDED_MAX], size_t *out_n);
