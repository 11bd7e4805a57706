// SPDX-License-Identifier: Apache-2.0
// pattern.c: does a page belong to a pattern of the policy? The page is read as
// route.c reads it, so that no spelling of an address slips past a pattern.
#include "pattern.h"

#include <string.h>
#include <utf8proc.h>

#include "url_parts.h"

// A segment of a page longer than this equals none of a pattern.
#define SEGMENT_BYTES_MAX 512

static bool separates(uint8_t c) {
    return c == '/' || c == '\\';
}

// The next segment of a page; false at its end. Parameters are cut off.
static bool next_segment(wn_span path, size_t *inout_at, wn_span *out) {
    size_t i = *inout_at;
    for (;;) {
        while (i < path.n && separates(path.p[i])) i++;
        size_t begin = i, end = SIZE_MAX;
        for (; i < path.n && !separates(path.p[i]); i++)
            if (path.p[i] == ';' && end == SIZE_MAX) end = i;
        if (end == SIZE_MAX) end = i;
        if (end > begin) {
            *inout_at = i;
            *out = (wn_span){path.p + begin, end - begin};
            return true;
        }
        if (i >= path.n) return false;
    }
}

static bool equal(wn_span a, wn_span b) {
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (wn_lower(a.p[i]) != wn_lower(b.p[i])) return false;
    return true;
}

// Blanks around a name and dots behind it are what some servers do not see.
static wn_span trimmed(wn_span s) {
    wn_span t = s;
    while (t.n > 0 && t.p[0] == ' ') t.p++, t.n--;
    while (t.n > 0 && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '.')) t.n--;
    return t.n > 0 ? t : s;
}

static bool is_ascii(wn_span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0x80) return false;
    return true;
}

// Every way to write the same letters, in one; below 0: no UTF-8, or too much of it.
static utf8proc_ssize_t fold(wn_span s, int32_t out[SEGMENT_BYTES_MAX]) {
    const utf8proc_option_t how = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_ssize_t n = utf8proc_decompose(s.p, (utf8proc_ssize_t)s.n, out, SEGMENT_BYTES_MAX, how);
    return n > SEGMENT_BYTES_MAX ? -1 : n;
}

static bool equal_folded(wn_span a, wn_span b) {
    int32_t left[SEGMENT_BYTES_MAX], right[SEGMENT_BYTES_MAX];
    if (a.n > SEGMENT_BYTES_MAX || b.n > SEGMENT_BYTES_MAX) return false;
    utf8proc_ssize_t n = fold(a, left), m = fold(b, right);
    bool same = n >= 0 && n == m && memcmp(left, right, (size_t)n * sizeof *left) == 0;
    wn_wipe(left, sizeof left);
    wn_wipe(right, sizeof right);
    return same;
}

// odd: of a page that is_odd
static bool same(const char *want, size_t n, wn_span have, bool odd) {
    if (n == 1 && want[0] == '*') return true;
    if (n > 1 && want[0] == ':') return true;
    wn_span text = {(const uint8_t *)want, n};
    if (equal(text, have)) return true;
    if (!odd && is_ascii(text)) return false;
    text = trimmed(text);
    have = trimmed(have);
    return equal(text, have) || (!(is_ascii(text) && is_ascii(have)) && equal_folded(text, have));
}

static bool match(const char *pattern, wn_span path, bool odd) {
    size_t at = 0;
    wn_span have;
    for (;;) {
        while (*pattern == '/') pattern++;
        size_t n = strcspn(pattern, "/");
        if (n == 0) return !next_segment(path, &at, &have);
        if (n == 2 && memcmp(pattern, "**", 2) == 0 && pattern[2] == '\0') return true;
        if (!next_segment(path, &at, &have) || !same(pattern, n, have, odd)) return false;
        pattern += n;
    }
}

// Bytes for which a name may be written in more ways than one.
static bool is_odd(wn_span path) {
    for (size_t i = 0; i < path.n; i++) {
        uint8_t c = path.p[i];
        if (c <= ' ' || c >= 0x7f) return true;
        bool last = i + 1 == path.n || separates(path.p[i + 1]) || path.p[i + 1] == ';';
        if (c == '.' && last) return true;
    }
    return false;
}

static bool is_control(uint8_t c) {
    return c < ' ' || c == 0x7f;
}

// Browsers drop some control characters of an address before they read it; no page's name holds one.
static wn_span without_controls(wn_span path, uint8_t *room) {
    size_t n = 0;
    for (size_t i = 0; i < path.n; i++)
        if (!is_control(path.p[i])) room[n++] = path.p[i];
    return (wn_span){room, n < path.n ? wn_path_steps(room, n) : n};
}

size_t wn_pattern_first(const char (*patterns)[WN_POLICY_TEXT_MAX + 1], size_t n, wn_span path) {
    uint8_t text[WN_URL_BYTES_MAX];
    if (n == 0 || path.n > sizeof text) return n;
    wn_span plain = wn_path_plain(path, text);
    bool odd = is_odd(plain);
    if (odd) plain = without_controls(plain, text);
    size_t i = 0;
    while (i < n && !match(patterns[i], plain, odd)) i++;
    wn_wipe(text, path.n);
    return i;
}
