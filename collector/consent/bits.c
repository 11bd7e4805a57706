// SPDX-License-Identifier: Apache-2.0
// bits.c: base64url text read as bits, without unpacking it.
#include "bits.h"

// The six bits of a character, plus one; 0: not of the alphabet.
static const uint8_t sextets[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64};

static unsigned sextet(uint8_t c) {
    return sextets[c] - 1u;
}

wn_bits wn_bits_over(wn_span text) {
    wn_bits b = {.p = text.p, .n = text.n * 6, .bad = text.n == 0};
    for (size_t i = 0; i < text.n; i++) b.bad |= sextets[text.p[i]] == 0;
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
        unsigned six = sextet(b->p[b->at / 6]);
        value = value << here | (six >> (6 - in - here) & ((1u << here) - 1));
        b->at += here;
        count -= here;
    }
    return value;
}

bool wn_bits_peek(const wn_bits *b, size_t ahead) {
    if (b->bad || ahead >= b->n - b->at) return false;
    size_t bit = b->at + ahead;
    return (sextet(b->p[bit / 6]) >> (5 - bit % 6) & 1u) != 0;
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
#ifdef WN_MUTANT_TAIL_IGNORED
    return !rest.bad;
#endif
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
