// SPDX-License-Identifier: Apache-2.0
// plain.h: a text as a detector should see it: escapes undone, look-alikes of
// ASCII as ASCII, what nobody sees left out; one byte a character.
#pragma once

#include "winnow/base.h"

#define WN_PLAIN_BYTES_MAX 4096
// A character of one to four bytes becomes at most as many, but "⑽" "(10)": 3 to 4.
#define WN_PLAIN_MAX (WN_PLAIN_BYTES_MAX / 3 * 4 + 4)

// What non-ASCII becomes when it looks like no ASCII.
enum {
    WN_PLAIN_LETTER = 0x80, // of any script
    WN_PLAIN_DEGREE = 0x81,
    WN_PLAIN_OTHER = 0x82, // symbols, punctuation
};

typedef enum wn_plain_result {
    WN_PLAIN_DONE,
    WN_PLAIN_ESCAPED,    // more layers of escapes than WN_ESCAPE_ROUNDS
    WN_PLAIN_UNREADABLE, // no UTF-8
    WN_PLAIN_TOO_LONG,   // over WN_PLAIN_BYTES_MAX
} wn_plain_result;

// Undoes %XX, &#N; and &commat; in place until nothing changes, WN_ESCAPE_ROUNDS times at most; returns the
// new length.
size_t wn_plain_decode(uint8_t *p, size_t n, bool *out_escapes_left);
bool wn_plain_has_escape(const uint8_t *p, size_t n);

// out_n: bytes of `out`, which the caller wipes. Nothing is promised of `out` unless DONE.
wn_plain_result wn_plain(wn_span text, uint8_t out[WN_PLAIN_MAX], size_t *out_n);
