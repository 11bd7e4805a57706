// SPDX-License-Identifier: Apache-2.0
// terms.c: refused is refused whole: a text is judged as it came, then as it
// reads, then as it would be counted.
#include "terms.h"

#include <string.h>
#include <utf8proc.h>

#include "plain.h"
#include "identifiers.h"

// A character decomposes to 18 at most.
#define POINTS_MAX (WN_TERM_INPUT_MAX * 4)
#define TEXT_BYTES_MAX (POINTS_MAX * 4)
// Sorting marks costs the square of their run; no language has more in one.
// Source: UAX 15, Stream-Safe Text.
#define MARKS_MAX 30

#define OPTIONS                                                                                              \
    (UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |            \
     UTF8PROC_REJECTNA)

static bool is_blank(int32_t c) {
    utf8proc_category_t k = utf8proc_category(c);
    return k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL || k == UTF8PROC_CATEGORY_ZP ||
           k == UTF8PROC_CATEGORY_CC;
}

// No character of private use (nobody reads it) and no run of marks.
static bool is_plain(const uint8_t *p, size_t n) {
    size_t marks = 0;
    for (size_t i = 0; i < n;) {
        int32_t c = 0;
        utf8proc_ssize_t bytes = utf8proc_iterate(p + i, (utf8proc_ssize_t)(n - i), &c);
        if (bytes <= 0) return false;
        utf8proc_category_t k = utf8proc_category(c);
        if (k == UTF8PROC_CATEGORY_CO || k == UTF8PROC_CATEGORY_CS) return false;
        bool mark = k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_MC ||
                    k == UTF8PROC_CATEGORY_CF;
        marks = mark ? marks + 1 : 0;
        if (marks > MARKS_MAX) return false;
        i += (size_t)bytes;
    }
    return true;
}

// Normalised and case folded, blanks evened out; 0: none, or it cannot be.
static size_t normalise(const uint8_t *p, size_t n, uint8_t out[TEXT_BYTES_MAX]) {
    int32_t points[POINTS_MAX];
    utf8proc_ssize_t got = utf8proc_decompose(p, (utf8proc_ssize_t)n, points, POINTS_MAX, OPTIONS);
    size_t to = 0, used = got < 0 || got > POINTS_MAX ? POINTS_MAX : (size_t)got;
    bool blank = false;
    if (got > 0 && got <= POINTS_MAX) {
        got = utf8proc_normalize_utf32(points, got, OPTIONS);
        for (utf8proc_ssize_t i = 0; i < got; i++) {
            if (is_blank(points[i])) {
                blank = to > 0;
                continue;
            }
            if (blank) out[to++] = ' ';
            blank = false;
            to += (size_t)utf8proc_encode_char(points[i], out + to);
        }
    }
    wn_wipe(points, used * sizeof points[0]);
    return to;
}

// Bytes of the first tokens that fit.
static size_t cut(const uint8_t *p, size_t n) {
    size_t end = 0;
    for (size_t i = 0, tokens = 0; i <= n && tokens < WN_TERM_TOKENS_MAX; i++) {
        if (i < n && p[i] != ' ') continue;
        if (i > WN_TERM_BYTES_MAX) break;
        end = i;
        tokens++;
    }
    return end;
}

static bool is_wordy(uint8_t c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (uint8_t)((c | 0x20) - 'a') < 26;
}

// In what is searched for, '@' beside a word is an address or a handle, however far it was typed.
static bool has_at(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '@') continue;
        size_t a = i, b = i + 1;
        while (a > 0 && (p[a - 1] == ' ' || p[a - 1] == '@')) a--;
        while (b < n && (p[b] == ' ' || p[b] == '@')) b++;
        if ((a > 0 && is_wordy(p[a - 1])) || (b < n && is_wordy(p[b]))) return true;
    }
    return false;
}

static bool is_refused(const uint8_t *p, size_t n) {
    return wn_identifier_in((wn_span){p, n}, NULL);
}

// Of a normalised text. same: as it came, and so judged already.
static size_t term(const uint8_t *text, size_t bytes, bool same, char *out) {
    // A full-width percent sign makes an escape only here.
    if (bytes == 0 || wn_plain_has_escape(text, bytes) || has_at(text, bytes)) return 0;
#ifdef WN_MUTANT_TERM_CUT_FIRST
    same = true;
#endif
    if (!same && is_refused(text, bytes)) return 0;
    size_t end = cut(text, bytes);
    if (end == 0 || (end < bytes && is_refused(text, end))) return 0;
    memcpy(out, text, end);
    out[end] = '\0';
    return end;
}

size_t wn_term(wn_span text, char out[WN_TERM_BYTES_MAX + 1]) {
    if (text.n == 0 || text.n > WN_TERM_INPUT_MAX) return 0;
#ifndef WN_MUTANT_TERM_CUT_FIRST
    if (is_refused(text.p, text.n)) return 0;
#endif
    uint8_t raw[WN_TERM_INPUT_MAX], normal[TEXT_BYTES_MAX];
    bool left = false;
    memcpy(raw, text.p, text.n);
    size_t n = wn_plain_decode(raw, text.n, &left);
    size_t bytes = left || !is_plain(raw, n) ? 0 : normalise(raw, n, normal);
    bool same = bytes == text.n && memcmp(normal, text.p, bytes) == 0;
    size_t said = term(normal, bytes, same, out);
    wn_wipe(raw, text.n);
    wn_wipe(normal, bytes);
    return said;
}
