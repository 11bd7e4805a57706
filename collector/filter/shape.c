// SPDX-License-Identifier: Apache-2.0
// shape.c: the piece rule. Beyond the row of R11 it also takes dotted
// quads, MAC and IPv6 addresses, nine digits in a segment however they are cut
// (phone numbers), "key=value" and escapes that are left: stricter, and on a
// real log it changes nothing more.
#include "shape.h"

#include <string.h>

#include "shape_look.h"

#define SEGMENT_BYTES_MAX 64
#define PIECE_BYTES_MAX 24
#define SEGMENT_DIGITS_MAX 8

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_hex(uint8_t c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The piece's only four digits, next to each other, are 1900..2099.
static bool holds_year(const uint8_t *s, size_t n) {
    for (size_t i = 0; i + 4 <= n; i++) {
        if (!is_digit(s[i])) continue;
        return ((s[i] == '1' && s[i + 1] == '9') || (s[i] == '2' && s[i + 1] == '0')) && is_digit(s[i + 1]) &&
               is_digit(s[i + 2]) && is_digit(s[i + 3]);
    }
    return false;
}

static bool hidden_piece(const uint8_t *s, size_t n, size_t *inout_digits) {
    size_t digits = 0, letters = 0, hex_run = 0;
    bool hex_digit = false, hex = false;
    for (size_t i = 0; i < n; i++) {
        digits += is_digit(s[i]);
        letters += is_letter(s[i]);
        if (is_hex(s[i])) {
            hex_run++;
            hex_digit |= is_digit(s[i]);
            hex |= hex_run >= 8 && hex_digit;
        } else {
            hex_run = 0;
            hex_digit = false;
        }
    }
    *inout_digits += digits;
    if (n > PIECE_BYTES_MAX || digits >= 5 || hex) return true;
    if (digits == 4 && !holds_year(s, n)) return true;
    return n >= 8 && letters >= 2 && digits >= 2;
}

static bool is_cut(uint8_t c, bool name) {
    return c == '-' || c == '_' || c == '.' || c == '~' || c == '+' || (name && (c == ' ' || c == ':'));
}

// What stands in a segment, one look a byte: most hold letters only.
enum { NN = 0, DD = 1, UU = 2, PP = 4, MM = 8, BB = 16, CC = 32, FF = 64 };
// Bytes that stand in no segment a site wrote for everybody are FF: control
// characters, '@', '%', '=', '&'; so are all from 0x80 on.
static const uint8_t kinds[128] = {
    FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF, FF,
    FF, FF, FF, FF, FF, FF, NN, NN, NN, NN, NN, FF, FF, NN, BB, NN, NN, MM, NN, MM, PP, NN, DD, DD, DD, DD,
    DD, DD, DD, DD, DD, DD, CC, NN, NN, FF, NN, NN, FF, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU,
    UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, UU, BB, NN, NN, NN, MM, NN, NN, NN, NN, NN, NN, NN, NN,
    NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, NN, BB, NN, NN, MM, FF,
};

// Without a digit only a piece's length can hide it; most segments end here.
static bool hidden_word(const uint8_t *s, size_t n, bool name) {
    size_t begin = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_letter(s[i]) || !is_cut(s[i], name)) continue;
        if (i - begin > PIECE_BYTES_MAX) return true;
        begin = i + 1;
    }
    return n - begin > PIECE_BYTES_MAX;
}

static bool second_look(const uint8_t *s, size_t n, unsigned seen) {
    bool address = (seen & PP && seen & MM) || seen & BB;
    if (address && wn_shape_address(s, n)) return true;
    return seen & (DD | UU) && (wn_shape_token(s, n) || wn_shape_packed(s, n));
}

static bool two_colons(const uint8_t *s, size_t n) {
    const uint8_t *first = memchr(s, ':', n);
    return first != NULL && memchr(first + 1, ':', n - 1 - (size_t)(first - s)) != NULL;
}

static bool hidden(const uint8_t *s, size_t n, bool name) {
    if (n > SEGMENT_BYTES_MAX) return true;
    if (n == 0) return false;
    unsigned seen = kinds[s[0] & 0x7f] & ~(unsigned)UU, high = s[0]; // a capital begins many a word
    for (size_t i = 1; i < n; i++) {
        seen |= kinds[s[i] & 0x7f];
        high |= s[i];
    }
    if (high & 0x80 || seen & FF) return true;
    if (seen & CC && !name && two_colons(s, n)) return true;
    if (seen & DD) {
        size_t begin = 0, digits = 0;
        for (size_t i = 0; i <= n; i++) {
            if (i < n && !is_cut(s[i], name)) continue;
            if (hidden_piece(s + begin, i - begin, &digits)) return true;
            begin = i + 1;
        }
        if (digits > SEGMENT_DIGITS_MAX || (seen & (PP | MM) && wn_shape_numbers(s, n))) return true;
    } else if (n > PIECE_BYTES_MAX && hidden_word(s, n, name)) {
        return true;
    }
    return seen & ~(unsigned)MM && second_look(s, n, seen);
}

bool wn_shape_segment(const uint8_t *s, size_t n) {
    return hidden(s, n, false);
}

bool wn_shape_name(const uint8_t *s, size_t n) {
    return hidden(s, n, true);
}

bool wn_shape_identifier(const char *s, size_t n) {
    const uint8_t *p = (const uint8_t *)s;
    size_t digits = 0, hex_run = 0;
    bool hex_digit = false;
    for (size_t i = 0; i < n; i++) {
        digits += is_digit(p[i]);
        if (is_hex(p[i])) {
            hex_run++;
            hex_digit |= is_digit(p[i]);
            if (hex_run >= 16 && hex_digit) return true;
        } else if (p[i] != '-') { // a UUID is one run
            hex_run = 0;
            hex_digit = false;
        }
    }
    return digits > SEGMENT_DIGITS_MAX;
}
