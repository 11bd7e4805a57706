// SPDX-License-Identifier: Apache-2.0
// address.c: reads an IP address as text. By hand, so that the filter needs no
// network library; a test compares it with the system's parser.
#include <string.h>

#include "filter.h"

static bool parse_v4(const char *s, size_t n, uint8_t out[4]) {
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (i >= n || s[i++] != '.')) return false;
        unsigned value = 0;
        size_t begin = i;
        while (i < n && i - begin < 3 && s[i] >= '0' && s[i] <= '9')
            value = value * 10 + (unsigned)(s[i++] - '0');
        if (i == begin || value > 255 || (i - begin > 1 && s[begin] == '0')) return false;
        out[part] = (uint8_t)value;
    }
    return i == n;
}

// Groups of up to four hex digits; `gap` is where "::" stood, the last group may be a dotted quad.
static bool parse_v6(const char *s, size_t n, uint8_t out[16]) {
    uint8_t bytes[16] = {0};
    size_t at = 0, gap = SIZE_MAX, i = 0;
    if (n >= 2 && s[0] == ':' && s[1] == ':') {
        gap = 0;
        i = 2;
    }
    while (i < n) {
        size_t begin = i;
        unsigned value = 0;
        while (i < n && i - begin < 4 && wn_hex_digit((uint8_t)s[i]) >= 0)
            value = value << 4 | (unsigned)wn_hex_digit((uint8_t)s[i++]);
        if (i < n && s[i] == '.') {
            if (at > 12 || !parse_v4(s + begin, n - begin, bytes + at)) return false;
            at += 4;
            i = n;
            break;
        }
        if (i == begin || at > 14) return false;
        bytes[at++] = (uint8_t)(value >> 8);
        bytes[at++] = (uint8_t)value;
        if (i == n) break;
        if (s[i++] != ':') return false;
        if (i == n) return false;
        if (s[i] != ':') continue;
        if (gap != SIZE_MAX) return false;
        gap = at;
        i++;
    }
    if (gap == SIZE_MAX) {
        if (at != 16) return false;
    } else {
        if (at == 16) return false;
        memmove(bytes + 16 - (at - gap), bytes + gap, at - gap);
        memset(bytes + gap, 0, 16 - at);
    }
    memcpy(out, bytes, 16);
    return true;
}

bool wn_address_parse(const char *text, size_t n, wn_address *out) {
    if (n == 0 || n > 45) return false;
    uint8_t bytes[16] = {0};
    bytes[10] = bytes[11] = 0xff;
    if (!parse_v4(text, n, bytes + 12) && !parse_v6(text, n, bytes)) return false;
    memcpy(out->b, bytes, 16);
    wn_wipe(bytes, sizeof bytes);
    return true;
}
