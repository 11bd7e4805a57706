// SPDX-License-Identifier: Apache-2.0
// bits.c: base64url text read as bits, without unpacking it.
#include "bits.h"

// The six bits of a character, or -1. Ranges, not a table: locale and charset play no part.
static int sextet(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '-') return 62;
    return c == '_' ? 63 : -1;
}

wn_bits wn_bits_over(wn_span text) {
    wn_bits b = {.p = text.p, .n = text.n * 6, .bad = text.n == 0};
    for (size_t i = 0; i < text.n && !b.bad; i++) b.bad = sextet(text.p[i]) < 0;
    return b;
}

uint64_t wn_bits_take(wn_bits *b, unsigned count) {
    if (b->bad || count > b->n - b->at) {
        b->bad = true;
        return 0;
    }
    uint64_t value = 0;
    while (count > 0) {
        unsigned in = (unsigned)(b->at % 6), here = 6 - in < count ? 6 - in : count;
        unsigned six = (unsigned)sextet(b->p[b->at / 6]);
        value = value << here | (six >> (6 - in - here) & ((1u << here) - 1));
        b->at += here;
        count -= here;
    }
    return value;
}

bool wn_bits_peek(const wn_bits *b, size_t ahead) {
    if (b->bad || ahead >= b->n - b->at) return false;
    size_t bit = b->at + ahead;
    return ((unsigned)sextet(b->p[bit / 6]) >> (5 - bit % 6) & 1u) != 0;
}

void wn_bits_skip(wn_bits *b, size_t count) {
    if (b->bad || count > b->n - b->at) {
        b->bad = true;
        return;
    }
    b->at += count;
}

bool wn_bits_ended(const wn_bits *b) {
    wn_bits rest = *b;
    while (!rest.bad && rest.at < rest.n)
        if (wn_bits_take(&rest, rest.at % 6 == 0 ? 6 : 1) != 0) return false;
    return !rest.bad;
}

wn_span wn_bits_cut(wn_span *rest, char mark, bool *more) {
    wn_span head = *rest;
    for (size_t i = 0; i < rest->n; i++)
        if (rest->p[i] == (uint8_t)mark) {
            head.n = i;
            *rest = (wn_span){rest->p + i + 1, rest->n - i - 1};
            *more = true;
            return head;
        }
    *rest = (wn_span){NULL, 0};
    *more = false;
    return head;
}
