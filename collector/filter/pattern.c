// SPDX-License-Identifier: Apache-2.0
// pattern.c: does a page belong to a pattern of the policy? The page is read as
// route.c reads it, so that no spelling of an address slips past a pattern.
#include "pattern.h"

#include <string.h>

#include "url_parts.h"

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

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

static bool same(const char *want, size_t n, wn_span have) {
    if (n == 1 && want[0] == '*') return true;
    if (n > 1 && want[0] == ':') return true;
    if (n != have.n) return false;
    for (size_t i = 0; i < n; i++)
        if (lower((uint8_t)want[i]) != lower(have.p[i])) return false;
    return true;
}

static bool match(const char *pattern, wn_span path) {
    size_t at = 0;
    wn_span have;
    for (;;) {
        while (*pattern == '/') pattern++;
        size_t n = strcspn(pattern, "/");
        if (n == 0) return !next_segment(path, &at, &have);
        if (n == 2 && memcmp(pattern, "**", 2) == 0 && pattern[2] == '\0') return true;
        if (!next_segment(path, &at, &have) || !same(pattern, n, have)) return false;
        pattern += n;
    }
}

size_t wn_pattern_first(const char (*patterns)[WN_POLICY_TEXT_MAX + 1], size_t n, wn_span path) {
    uint8_t text[WN_URL_BYTES_MAX];
    if (n == 0 || path.n > sizeof text) return n;
    wn_span plain = wn_path_plain(path, text);
    size_t i = 0;
    while (i < n && !match(patterns[i], plain)) i++;
    wn_wipe(text, path.n);
    return i;
}
