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
enum { DECODE_ROUNDS = WN_ESCAPE_ROUNDS };
#endif

// One round in place; returns the new length.
static size_t decode_round(uint8_t *p, size_t n) {
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        int high = p[i] == '%' && i + 2 < n ? wn_hex_digit(p[i + 1]) : -1;
        int low = high >= 0 ? wn_hex_digit(p[i + 2]) : -1;
        if (low >= 0) {
            p[to++] = (uint8_t)(high << 4 | low);
            i += 2;
        } else {
            p[to++] = p[i];
        }
    }
    return to;
}

static bool hide(const uint8_t *s, size_t n) {
#ifdef WN_MUTANT_DECODE_ONCE
    if (memchr(s, '%', n)) return false;
#endif
    return wn_shape_segment(s, n); // hides every '%' that decoding left
}

// ---- numbers side by side ----

#define NUMBERS_MAX 2 // "/192/168/1/1" is an address, "/2024/05/17" a day

typedef struct numbers {
    size_t row, since_year;
} numbers;

// True when this segment is one number too many behind the others.
static bool one_too_many(numbers *r, const uint8_t *s, size_t n) {
    size_t digits = 0;
    while (digits < n && s[digits] >= '0' && s[digits] <= '9') digits++;
    if (digits < n) {
        *r = (numbers){0};
        return false;
    }
    bool year = n == 4 && (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0);
    r->since_year = year ? 0 : r->row == 0 ? NUMBERS_MAX + 1 : r->since_year + 1;
    return ++r->row > NUMBERS_MAX && r->since_year > NUMBERS_MAX;
}

// Appends "/segment" for each segment while it fits whole.
static size_t join_segments(const uint8_t *p, size_t n, char *out) {
    size_t to = 0, i = 0;
    numbers row = {0};
    while (i < n && p[i] != '?' && p[i] != '#') {
        size_t begin = i, end = SIZE_MAX;
        for (; i < n && p[i] != '/' && p[i] != '\\' && p[i] != '?' && p[i] != '#'; i++)
            if (p[i] == ';' && end == SIZE_MAX) end = i;
        if (end == SIZE_MAX) end = i;
        if (i < n && p[i] != '?' && p[i] != '#') i++;
        if (end == begin) continue;
        const uint8_t *segment = p + begin;
        size_t bytes = end - begin;
        if (one_too_many(&row, segment, bytes) || hide(segment, bytes)) {
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

// ---- steps: "." and "..", which name no page ----

static bool separates(uint8_t c) {
    return c == '/' || c == '\\';
}

// Most paths hold no dot at all, and few one that a segment begins with.
static bool may_step(wn_span path) {
    const uint8_t *end = path.p + path.n;
    for (const uint8_t *p = path.p; p < end && (p = memchr(p, '.', (size_t)(end - p))) != NULL; p++)
        if (p == path.p || separates(p[-1])) return true;
    return false;
}

// 1: stays, 2: goes up; 0: a name. Servers that know parameters cut them first: "..;v=1" goes up.
static int step_of(const uint8_t *s, size_t n) {
    const uint8_t *cut = n == 0 ? NULL : memchr(s, ';', n);
    if (cut != NULL) n = (size_t)(cut - s);
    if (n == 1 && s[0] == '.') return 1;
    return n == 2 && s[0] == '.' && s[1] == '.' ? 2 : 0;
}

size_t wn_path_steps(uint8_t *p, size_t n) {
    size_t floor = 0;
    while (floor < n && !separates(p[floor])) floor++; // an app's host, from which nothing goes up
    size_t i = floor;
    if (step_of(p, floor) != 0) floor = 0; // no host is called so
    size_t to = floor;
    while (i < n) {
        size_t begin = i++;
        while (i < n && !separates(p[i])) i++;
        int step = step_of(p + begin + 1, i - begin - 1);
        if (step == 0) {
            memmove(p + to, p + begin, i - begin);
            to += i - begin;
        }
        while (step == 2 && to > floor && !separates(p[--to])) continue;
    }
    return to;
}

wn_span wn_path_plain(wn_span path, uint8_t *room) {
    bool escaped = path.n > 0 && memchr(path.p, '%', path.n) != NULL;
    if (!escaped && (path.n == 0 || !may_step(path))) return path;
    memcpy(room, path.p, path.n);
    size_t n = path.n;
    for (int round = 0; escaped && round < DECODE_ROUNDS; round++) n = decode_round(room, n);
    size_t end = 0;
    while (end < n && room[end] != '?' && room[end] != '#') end++;
    return (wn_span){room, may_step((wn_span){room, end}) ? wn_path_steps(room, end) : end};
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
