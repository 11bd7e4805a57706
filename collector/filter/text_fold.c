// SPDX-License-Identifier: Apache-2.0
// text_fold.c: compatibility forms come from utf8proc's data; digits of other
// scripts, which have none, from the rows below.
#include "text_fold.h"

#include <string.h>
#include <utf8proc.h>

#define EXPANSION_MAX 4 // code points; a ligature of more is one letter

// U+0030's siblings: each row is the zero of ten digits in order.
static const int32_t zeros[] = {
    0x0660, 0x06f0, 0x07c0,  0x0966,  0x09e6,  0x0a66,  0x0ae6,  0x0b66,  0x0be6,  0x0c66,  0x0ce6,
    0x0d66, 0x0de6, 0x0e50,  0x0ed0,  0x0f20,  0x1040,  0x1090,  0x17e0,  0x1810,  0x1946,  0x19d0,
    0x1a80, 0x1a90, 0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,  0xa8d0,  0xa900,  0xa9d0,  0xa9f0,
    0xaa50, 0xabf0, 0x104a0, 0x11066, 0x11136, 0x111d0, 0x114d0, 0x11650, 0x116c0, 0x1e950,
};

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(const uint8_t *p, size_t n, size_t i) {
    return p[i] == '%' && n - i > 2 && hex_digit(p[i + 1]) >= 0 && hex_digit(p[i + 2]) >= 0;
}

bool wn_fold_has_escape(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (is_escape(p, n, i)) return true;
    return false;
}

static size_t decode_round(uint8_t *p, size_t n) {
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_escape(p, n, i)) {
            p[to++] = (uint8_t)(hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2]));
            i += 2;
        } else {
            p[to++] = p[i];
        }
    }
    return to;
}

size_t wn_fold_decode(uint8_t *p, size_t n, bool *out_escapes_left) {
    for (int round = 0; round < WN_DECODE_ROUNDS; round++) {
        size_t less = decode_round(p, n);
        if (less == n) break;
        n = less;
    }
    *out_escapes_left = wn_fold_has_escape(p, n);
    return n;
}

// Letters by their category that show nothing.
static bool is_filler(int32_t c) {
    return c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0 || c == 0x2800;
}

static uint8_t digit_of(int32_t c) {
    for (size_t i = 0; i < WN_COUNT(zeros); i++)
        if (c >= zeros[i] && c <= zeros[i] + 9) return (uint8_t)('0' + (c - zeros[i]));
    return 0;
}

// One code point of a decomposition.
static uint8_t plain(int32_t c) {
    if (c >= 0x20 && c < 0x7f) return (uint8_t)c;
    utf8proc_category_t category = utf8proc_category(c);
    bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    return letter || category == UTF8PROC_CATEGORY_MC ? WN_FOLDED_LETTER : WN_FOLDED_OTHER;
}

// What a character is by its looks alone; 0: ask its decomposition.
static uint8_t look(int32_t c) {
    switch (c) {
    case 0x2212: return '-';
    case 0xb0:
    case 0xba: return WN_FOLDED_DEGREE;
    case 0x2032:
    case 0x2019:
    case 0xb4: return '\'';
    case 0x3002:
    case 0xff61: return '.';
    case 0x3001: return ',';
    default: return 0;
    }
}

static bool is_mark(utf8proc_category_t category) {
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
           category == UTF8PROC_CATEGORY_CF;
}

static size_t fold_wide(int32_t c, uint8_t out[EXPANSION_MAX]) {
    utf8proc_category_t category = utf8proc_category(c);
    if (is_mark(category) || is_filler(c)) return 0;
    uint8_t known = look(c);
    if (known == 0 && category == UTF8PROC_CATEGORY_PD) known = '-';
    if (known == 0 && category == UTF8PROC_CATEGORY_SC) known = '$';
    if (known == 0 && category == UTF8PROC_CATEGORY_ND) known = digit_of(c);
    if (category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
        category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CC)
        known = ' ';
    if (known != 0) {
        out[0] = known;
        return 1;
    }
    int32_t parts[EXPANSION_MAX];
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(c, parts, EXPANSION_MAX, UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
    if (n <= 0 || n > EXPANSION_MAX || (c < 0x800 && n > 2)) {
        out[0] = plain(c);
        return 1;
    }
    size_t to = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        if (!is_mark(utf8proc_category(parts[i]))) out[to++] = plain(parts[i]);
    return to;
}

static bool fold_text(const uint8_t *p, size_t n, uint8_t *out, size_t *out_n) {
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        if (p[i] < 0x80) {
            out[to++] = p[i] < 0x20 || p[i] == 0x7f ? ' ' : p[i];
            i++;
            continue;
        }
        int32_t c = 0;
        utf8proc_ssize_t bytes = utf8proc_iterate(p + i, (utf8proc_ssize_t)(n - i), &c);
        if (bytes <= 0) return false;
        to += fold_wide(c, out + to);
        i += (size_t)bytes;
    }
    *out_n = to;
    return true;
}

wn_fold_result wn_fold(wn_span text, uint8_t out[WN_FOLDED_MAX], size_t *out_n) {
    if (text.n > WN_FOLD_BYTES_MAX) return WN_FOLD_TOO_LONG;
    *out_n = 0;
    if (text.n == 0) return WN_FOLD_DONE;
    uint8_t decoded[WN_FOLD_BYTES_MAX];
    const uint8_t *p = text.p;
    size_t n = text.n;
    bool left = false, escaped = memchr(p, '%', n) != NULL;
    if (escaped) {
        memcpy(decoded, p, n);
        n = wn_fold_decode(decoded, n, &left);
        p = decoded;
    }
    bool read = !left && fold_text(p, n, out, out_n);
    if (escaped) wn_wipe(decoded, text.n);
    if (left) return WN_FOLD_ESCAPED;
    if (!read) return WN_FOLD_UNREADABLE;
    // A full-width percent sign begins an escape only now.
    return wn_fold_has_escape(out, *out_n) ? WN_FOLD_ESCAPED : WN_FOLD_DONE;
}
