// SPDX-License-Identifier: Apache-2.0
// plain.c: compatibility forms and the digits of every script come from utf8proc's data.
#include "plain.h"

#include <string.h>
#include <utf8proc.h>

#define EXPANSION_MAX 4 // code points; a ligature of more is one letter

// ---- escapes: "%40"; "&#64;", "&#x40;", "&commat;" of HTML; "\u0040", "\x40", "%u0040" of scripts ----

#define ENTITY_DIGITS_MAX 8

typedef struct escape {
    size_t n; // characters of it; 0: none
    int32_t c;
    bool byte; // of UTF-8, not a character
} escape;

static escape numbered(const uint8_t *p, size_t n) {
    bool hex = n > 2 && (p[2] | 0x20) == 'x';
    size_t from = hex ? 3 : 2, i = from;
    int32_t c = 0;
    for (; i < n && i - from < ENTITY_DIGITS_MAX; i++) {
        int v = wn_hex_digit(p[i]);
        if (v < 0 || (!hex && v > 9)) break;
        if (c < 0x110000) c = c * (hex ? 16 : 10) + v;
    }
    if (i == from || c == 0 || !utf8proc_codepoint_valid(c)) return (escape){0};
    return (escape){i + (i < n && p[i] == ';' ? 1 : 0), c, false};
}

static escape named(const uint8_t *p, size_t n) {
    static const struct {
        const char *text;
        uint8_t n;
        char c;
    } rows[] = {{"&commat;", 8, '@'}, {"&period;", 8, '.'}, {"&amp;", 5, '&'}, {"&num;", 5, '#'}};
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if (n >= rows[i].n && memcmp(p, rows[i].text, rows[i].n) == 0)
            return (escape){rows[i].n, rows[i].c, false};
    return (escape){0};
}

// `digits` hexadecimal digits from `at` on.
static escape hexadecimal(const uint8_t *p, size_t n, size_t at, size_t digits) {
    escape e = {at + digits, 0, digits == 2};
    if (n < e.n) return (escape){0};
    for (; at < e.n; at++) {
        int v = wn_hex_digit(p[at]);
        if (v < 0) return (escape){0};
        e.c = e.c << 4 | v;
    }
    return e.byte || utf8proc_codepoint_valid(e.c) ? e : (escape){0};
}

static bool begins_escape(uint8_t c) {
    return c == '%' || c == '&' || c == '\\';
}

static escape escape_at(const uint8_t *p, size_t n) {
    uint8_t kind = n > 2 ? p[1] | 0x20 : 0;
    if (!begins_escape(p[0]) || n <= 2) return (escape){0};
    if (p[0] == '&') return p[1] == '#' ? numbered(p, n) : named(p, n);
    if (kind == 'u') return hexadecimal(p, n, 2, 4);
    if (p[0] == '%') return hexadecimal(p, n, 1, 2);
    return kind == 'x' ? hexadecimal(p, n, 2, 2) : (escape){0};
}

bool wn_plain_has_escape(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (begins_escape(p[i]) && escape_at(p + i, n - i).n > 0) return true;
    return false;
}

// A percent sign brings a byte, an entity a character: of at most as many bytes as its digits are.
static size_t decode_round(uint8_t *p, size_t n) {
    size_t to = 0;
    for (size_t i = 0; i < n;) {
        escape e = escape_at(p + i, n - i);
        if (e.n == 0) {
            p[to++] = p[i++];
            continue;
        }
        if (e.byte) p[to++] = (uint8_t)e.c;
        else to += (size_t)utf8proc_encode_char(e.c, p + to);
        i += e.n;
    }
    return to;
}

#ifdef WN_MUTANT_NET_DECODE_ONCE
enum { DECODE_ROUNDS = 1 };
#else
enum { DECODE_ROUNDS = WN_ESCAPE_ROUNDS };
#endif

size_t wn_plain_decode(uint8_t *p, size_t n, bool *out_escapes_left) {
    for (int round = 0; round < DECODE_ROUNDS; round++) {
        size_t less = decode_round(p, n);
        if (less == n) break;
        n = less;
    }
#ifdef WN_MUTANT_NET_DECODE_ONCE
    *out_escapes_left = false;
#else
    *out_escapes_left = wn_plain_has_escape(p, n);
#endif
    return n;
}

// Letters by their category that show nothing.
static bool is_filler(int32_t c) {
    return c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0 || c == 0x2800;
}

// Digits of a script stand in order from zero; sets of ten may touch each other.
#define DIGITS_TOUCHING_MAX 50
static uint8_t digit_of(int32_t c) {
    int32_t k = 0;
    while (k < DIGITS_TOUCHING_MAX && utf8proc_category(c - k - 1) == UTF8PROC_CATEGORY_ND) k++;
    return (uint8_t)('0' + k % 10);
}

// One code point of a decomposition.
static uint8_t plain(int32_t c) {
    if (c >= 0x20 && c < 0x7f) return (uint8_t)c;
    utf8proc_category_t category = utf8proc_category(c);
    bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    return letter || category == UTF8PROC_CATEGORY_MC ? WN_PLAIN_LETTER : WN_PLAIN_OTHER;
}

// What a character is by its looks alone; 0: ask its decomposition.
static uint8_t look(int32_t c) {
    switch (c) {
    case 0x2212: return '-';
    case 0xb0:
    case 0xba: return WN_PLAIN_DEGREE;
    case 0x2032:
    case 0x2019:
    case 0xb4: return '\'';
    case 0x3002:
    case 0xff61: return '.';
    case 0x3001: return ',';
    case 0xb7:
    case 0x2022:
    case 0x2027:
    case 0x22c5: return '*';
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
    utf8proc_ssize_t n = utf8proc_decompose_char(
        c, parts, EXPANSION_MAX, UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
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

wn_plain_result wn_plain(wn_span text, uint8_t out[WN_PLAIN_MAX], size_t *out_n) {
    if (text.n > WN_PLAIN_BYTES_MAX) return WN_PLAIN_TOO_LONG;
    *out_n = 0;
    if (text.n == 0) return WN_PLAIN_DONE;
    uint8_t decoded[WN_PLAIN_BYTES_MAX];
    const uint8_t *p = text.p;
    size_t n = text.n;
    bool left = false, escaped = false;
    for (size_t i = 0; i < n && !escaped; i++) escaped = begins_escape(p[i]);
    if (escaped) {
        memcpy(decoded, p, n);
        n = wn_plain_decode(decoded, n, &left);
        p = decoded;
    }
    bool read = !left && fold_text(p, n, out, out_n);
    if (escaped) wn_wipe(decoded, text.n);
    if (left) return WN_PLAIN_ESCAPED;
    if (!read) return WN_PLAIN_UNREADABLE;
        // A full-width percent sign begins an escape only now.
#ifdef WN_MUTANT_NET_DECODE_ONCE
    return WN_PLAIN_DONE;
#else
    return wn_plain_has_escape(out, *out_n) ? WN_PLAIN_ESCAPED : WN_PLAIN_DONE;
#endif
}
