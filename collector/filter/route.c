// SPDX-License-Identifier: Apache-2.0
// route.c: a page address becomes the route its visitors share: no query, no
// fragment, no parameters, and ":x" for each segment that may name somebody.
#include <string.h>

#include "filter.h"
#include "shape.h"
#include "url_parts.h"

#ifdef WN_MUTANT_DECODE_ONCE
enum { DECODE_ROUNDS = 1 };
#else
enum { DECODE_ROUNDS = 3 };
#endif

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// One round in place; returns the new length.
static size_t decode_round(uint8_t *p, size_t n) {
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        int high = p[i] == '%' && i + 2 < n ? hex_digit(p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(p[i + 2]) : -1;
        if (low >= 0) {
            p[to++] = (uint8_t)(high << 4 | low);
            i += 2;
        } else {
            p[to++] = p[i];
        }
    }
    return to;
}

// Once decoded and cut these are steps in a path, and a browser would resolve them: no page's name.
static bool is_dots(const uint8_t *s, size_t n) {
    return n <= 2 && s[0] == '.' && s[n - 1] == '.';
}

static bool hide(const uint8_t *s, size_t n) {
    if (is_dots(s, n)) return true;
#ifdef WN_MUTANT_DECODE_ONCE
    if (memchr(s, '%', n)) return false;
#endif
    return wn_shape_segment(s, n); // hides every '%' that decoding left
}

// Appends "/segment" for each segment while it fits whole.
static size_t join_segments(const uint8_t *p, size_t n, char *out) {
    size_t to = 0, i = 0;
    while (i < n && p[i] != '?' && p[i] != '#') {
        size_t begin = i, end = SIZE_MAX;
        for (; i < n && p[i] != '/' && p[i] != '\\' && p[i] != '?' && p[i] != '#'; i++)
            if (p[i] == ';' && end == SIZE_MAX) end = i;
        if (end == SIZE_MAX) end = i;
        if (i < n && p[i] != '?' && p[i] != '#') i++;
        if (end == begin) continue;
        const uint8_t *segment = p + begin;
        size_t bytes = end - begin;
        if (hide(segment, bytes)) {
            segment = (const uint8_t *)":x";
            bytes = 2;
        }
        if (to + 1 + bytes > WN_OPEN_TEXT_MAX) break;
        out[to++] = '/';
        memcpy(out + to, segment, bytes);
        to += bytes;
    }
    if (to == 0) out[to++] = '/';
    return to;
}

wn_span wn_path_plain(wn_span path, uint8_t *room) {
    if (path.n == 0 || memchr(path.p, '%', path.n) == NULL) return path;
    memcpy(room, path.p, path.n);
    size_t n = path.n;
    for (int round = 0; round < DECODE_ROUNDS; round++) n = decode_round(room, n);
    size_t end = 0;
    while (end < n && room[end] != '?' && room[end] != '#') end++;
    return (wn_span){room, end};
}

static size_t route_of_path(wn_span path, char *out) {
    uint8_t text[WN_URL_BYTES_MAX];
    wn_span plain = wn_path_plain(path, text);
    size_t to = join_segments(plain.p, plain.n, out);
    if (plain.p == text) wn_wipe(text, path.n);
    return to;
}

size_t wn_parts_route(const wn_url_parts *parts, char out[WN_OPEN_TEXT_MAX + 1]) {
    size_t to = route_of_path(parts->path, out);
#ifdef WN_MUTANT_QUERY_KEPT
    for (size_t i = 0; i <= parts->query.n && parts->query.n > 0 && to < WN_OPEN_TEXT_MAX; i++)
        out[to++] = i == 0 ? '?' : (char)parts->query.p[i - 1];
#endif
    out[to] = '\0';
    return to;
}

size_t wn_url_route(const char *url, size_t n, char out[WN_OPEN_TEXT_MAX + 1]) {
    wn_url_parts parts;
    return wn_url_split(url, n, &parts) ? wn_parts_route(&parts, out) : 0;
}
