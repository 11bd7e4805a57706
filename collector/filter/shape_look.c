// SPDX-License-Identifier: Apache-2.0
// shape_look.c: what the piece rule of shape.c, which looks at one piece at a
// time and counts, cannot see: addresses cut in pieces, tokens of letters, and
// mail addresses in another alphabet.
#include "shape_look.h"

#include <string.h>

#include "identifiers.h"

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_upper(uint8_t c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(uint8_t c) {
    return c >= 'a' && c <= 'z';
}

static bool is_alnum(uint8_t c) {
    return is_digit(c) || is_upper(c) || is_lower(c);
}

static bool is_hex(uint8_t c) {
    return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}

// ---- tokens ----

#define TOKEN_CHARS_MIN 10

// CamelCase has capitals one by one and small letters in runs. Odd is a small
// letter alone, capitals together, or a digit inside; a token has many of them.
static bool is_token(const uint8_t *s, size_t n) {
    size_t turns = 0, odd = 0, run = 0;
    bool upper = false, lower = false;
    for (size_t i = 0; i < n; i++) {
        int kind = is_upper(s[i]) ? 2 : is_lower(s[i]) ? 1 : 0;
        upper |= kind == 2;
        lower |= kind == 1;
        run++;
        int next = i + 1 == n ? -1 : is_upper(s[i + 1]) ? 2 : is_lower(s[i + 1]) ? 1 : 0;
        if (next == kind) continue;
        turns += next >= 0;
        odd += kind == 1 ? run == 1 : kind == 2 ? run >= 2 : next >= 0;
        run = 0;
    }
    return upper && lower && turns * 3 >= n && odd * 5 >= n;
}

bool wn_shape_token(const uint8_t *s, size_t n) {
    size_t begin = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && is_alnum(s[i])) continue;
        if (i - begin >= TOKEN_CHARS_MIN && is_token(s + begin, i - begin)) return true;
        begin = i + 1;
    }
    return false;
}

// ---- numbers in pieces ----

#define QUAD_DIGITS_MIN 6 // "1.2.3.4" inside a name is a version
#define PHONE_DIGITS_MIN 8

typedef struct pieces {
    size_t pairs, fours, wild;  // hexadecimal pieces in a row; of the fours, neither a year nor a word
    size_t bytes, bytes_digits; // numbers up to 255 in a row
    size_t digits;              // of numbers in a row, whatever stands between
    bool year;
    uint8_t mark; // between the last two
} pieces;

typedef struct piece {
    size_t n, digits, tail; // tail: digits at its end
    unsigned tail_value;
    bool hex;
} piece;

static piece measure(const uint8_t *s, size_t n) {
    piece p = {.n = n, .hex = true};
    for (size_t i = 0; i < n; i++) {
        bool digit = is_digit(s[i]);
        p.digits += digit;
        p.hex = p.hex && is_hex(s[i]);
        p.tail = digit ? p.tail + 1 : 0;
        p.tail_value = digit ? (p.tail_value * 10 + (unsigned)(s[i] - '0')) % 100000 : 0;
    }
    return p;
}

static bool is_year(const piece *p) {
    return p->n == 4 && p->digits == 4 && p->tail_value >= 1900 && p->tail_value <= 2099;
}

// What needs one mark throughout.
static void join(pieces *r, const piece *p) {
    r->pairs = p->hex && p->n == 2 ? r->pairs + 1 : 0;
    bool four = p->hex && p->n == 4, number = p->n > 0 && p->digits == p->n;
    r->wild = four ? r->wild + (p->digits > 0 && !is_year(p)) : 0;
    r->fours = four ? r->fours + 1 : 0;
    bool byte = p->tail > 0 && p->tail <= 3 && p->tail_value <= 255;
    if (!number || !byte) r->bytes = r->bytes_digits = 0;
    if (!byte) return;
    r->bytes++; // "host81" begins an address, too
    r->bytes_digits += p->tail;
}

static void count(pieces *r, const piece *p) {
    bool number = p->n > 0 && p->digits == p->n;
    r->digits = number ? r->digits + p->n : 0;
    r->year = number && (r->year || is_year(p));
}

bool wn_shape_numbers(const uint8_t *s, size_t n) {
    pieces r = {0};
    piece before = {0};
    size_t begin = 0, dots = 0;
    bool whole = true; // nothing but numbers and dots
    for (size_t i = 0; i < n; i++) {
        dots += s[i] == '.';
        whole = whole && (is_digit(s[i]) || s[i] == '.');
    }
    whole = whole && dots == 3;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && is_alnum(s[i])) continue;
        piece p = measure(s + begin, i - begin);
        uint8_t mark = begin > 0 ? s[begin - 1] : 0, after = i < n ? s[i] : 0;
        if (mark != r.mark) {
            r = (pieces){.digits = r.digits, .year = r.year, .mark = mark};
            if (begin > 0) join(&r, &before);
        }
        join(&r, &p);
        count(&r, &p);
        bool fifth = after == mark && i + 1 < n && is_digit(s[i + 1]); // a version
        bool quad = r.bytes == 4 && !fifth && (whole || r.bytes_digits >= QUAD_DIGITS_MIN);
        if (r.pairs >= 6 || (r.fours >= 3 && r.wild > 0) || quad) return true;
        if (r.digits >= PHONE_DIGITS_MIN && !r.year) return true;
        before = p;
        begin = i + 1;
    }
    return whole; // as it did: any dotted four
}

// ---- mail addresses in another alphabet ----

#define PACKED_CHARS_MIN 8 // of "a@b.c"
#define PACKED_CHARS_MAX 64

// Value of a character; -1: none.
static int bits_of(uint8_t c, unsigned width) {
    if (width == 5) {
        if (is_upper(c) || is_lower(c)) return (c | 0x20) - 'a';
        return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
    }
    if (is_upper(c)) return c - 'A';
    if (is_lower(c)) return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    return c == '-' || c == '+' ? 62 : c == '_' ? 63 : -1;
}

static bool unpacks(const uint8_t *s, size_t n, unsigned width) {
    uint32_t bits = 0;
    unsigned held = 0;
    uint8_t before = 0, last = 0;
    bool at = false;
    for (size_t i = 0; i < n; i++) {
        int v = bits_of(s[i], width);
        if (v < 0) return false;
        bits = bits << width | (uint32_t)v;
        held += width;
        if (held < 8) continue;
        held -= 8;
        uint8_t c = (uint8_t)(bits >> held);
        if (c < 0x20 || c >= 0x7f) return false;
        at = at || (last == '@' && is_alnum(before) && is_alnum(c));
        before = last;
        last = c;
    }
    return at;
}

bool wn_shape_packed(const uint8_t *s, size_t n) {
    if (n < PACKED_CHARS_MIN || n > PACKED_CHARS_MAX) return false;
    return unpacks(s, n, 6) || unpacks(s, n, 5);
}

// ---- spelled addresses ----

bool wn_shape_address(const uint8_t *s, size_t n) {
    uint8_t text[80];
    if (n + 2 > sizeof text) return true;
    for (size_t i = 1; i + 4 < n; i++) {
        if ((s[i + 1] | 0x20) != 'a' || (s[i + 2] | 0x20) != 't' || is_alnum(s[i]) || is_alnum(s[i + 3]) ||
            !is_alnum(s[i - 1]) || !is_alnum(s[i + 4]))
            continue;
        if (s[i] == '(' || s[i] == '[' || s[i] == '{') return true;
        memcpy(text, s, n);
        text[i] = text[i + 3] = ' ';
        bool found = wn_identifier_in((wn_span){text, n}, NULL);
        wn_wipe(text, n);
        return found;
    }
    return false;
}
