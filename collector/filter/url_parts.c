// SPDX-License-Identifier: Apache-2.0
// url_parts.c: cuts page addresses the way browsers do, backslashes included.
#include "url_parts.h"

#include <string.h>

#include "filter.h"
#include "identifiers.h"
#include "shape.h"
#include "shape_look.h"

static bool is_slash(uint8_t c) {
    return c == '/' || c == '\\';
}

// Bytes of a scheme we take and its "://"; 0 when there is none of them.
static size_t scheme_bytes(const uint8_t *p, size_t n, bool *out_web) {
    static const struct {
        const char *text;
        uint8_t n;
        bool web;
    } schemes[] = {
        {"https://", 8, true},
        {"http://", 7, true},
        {"app://", 6, false},
    };
    for (size_t i = 0; i < WN_COUNT(schemes); i++) {
        size_t bytes = schemes[i].n, at = 0;
        if (n < bytes) continue;
        while (at < bytes && wn_lower(p[at]) == (uint8_t)schemes[i].text[at]) at++;
        if (at < bytes) continue;
        *out_web = schemes[i].web;
        return bytes;
    }
    return 0;
}

static wn_span host_of(const uint8_t *p, size_t n) {
    for (size_t i = n; i > 0; i--) {
        if (p[i - 1] != '@') continue;
        p += i;
        n -= i;
        break;
    }
    const uint8_t *end = NULL;
    if (n > 0 && p[0] == '[') {
        end = memchr(p, ']', n);
        return (wn_span){p, end ? (size_t)(end - p) + 1 : 0};
    }
    end = memchr(p, ':', n);
    return (wn_span){p, end ? (size_t)(end - p) : n};
}

bool wn_url_split(const char *url, size_t n, wn_url_parts *out) {
    const uint8_t *p = (const uint8_t *)url;
    if (n == 0 || n > WN_URL_BYTES_MAX) return false;
    wn_url_parts parts = {0};
    bool app = false;
    size_t i = 0;
    if (is_slash(p[0])) {
        if (n > 1 && is_slash(p[1])) {
            i = 2;
            parts.web = true;
        }
    } else {
        i = scheme_bytes(p, n, &parts.web);
        if (i == 0) return false;
        app = !parts.web;
    }
    const uint8_t *end = p + n, *hash = memchr(p, '#', n);
    if (hash != NULL) end = hash;
    const uint8_t *at = p + i, *ask = memchr(at, '?', (size_t)(end - at));
    const uint8_t *path_end = ask ? ask : end;
    if (i > 0) {
        const uint8_t *host = at;
        while (at < path_end && !is_slash(*at)) at++;
        parts.host = host_of(host, (size_t)(at - host));
        if (app && parts.host.p + parts.host.n != at) return false; // a port is in no app's page
        if (app) at = parts.host.p;
    }
    parts.path = (wn_span){at, (size_t)(path_end - at)};
    if (ask != NULL) parts.query = (wn_span){ask + 1, (size_t)(end - ask) - 1};
    *out = parts;
    return true;
}

// Bytes of names, tags and addresses in lower case; 0: none of them.
#define LETTER(c) [c] = (c) + ('a' - 'A'), [(c) + ('a' - 'A')] = (c) + ('a' - 'A')
#define SAME(c) [c] = (c)
static const uint8_t host_bytes[256] = {
    LETTER('A'), LETTER('B'), LETTER('C'), LETTER('D'), LETTER('E'), LETTER('F'), LETTER('G'), LETTER('H'),
    LETTER('I'), LETTER('J'), LETTER('K'), LETTER('L'), LETTER('M'), LETTER('N'), LETTER('O'), LETTER('P'),
    LETTER('Q'), LETTER('R'), LETTER('S'), LETTER('T'), LETTER('U'), LETTER('V'), LETTER('W'), LETTER('X'),
    LETTER('Y'), LETTER('Z'), SAME('0'),   SAME('1'),   SAME('2'),   SAME('3'),   SAME('4'),   SAME('5'),
    SAME('6'),   SAME('7'),   SAME('8'),   SAME('9'),   SAME('-'),   SAME('_'),   SAME('.'),
};

bool wn_host_lower(wn_span host, char out[WN_HOST_BYTES], size_t *out_bytes) {
    size_t n = host.n;
    bool bracketed = n > 2 && host.p[0] == '[' && host.p[n - 1] == ']';
    if (!bracketed && n > 0 && host.p[n - 1] == '.') n--;
    if (n == 0 || n >= WN_HOST_BYTES) return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = host_bytes[host.p[i]];
        if (c == 0 && bracketed && (i == 0 || i == n - 1 || host.p[i] == ':')) c = host.p[i];
        if (c == 0 || (c == '.' && (i == 0 || out[i - 1] == '.'))) {
            wn_wipe(out, i);
            return false;
        }
        out[i] = (char)c;
    }
    out[n] = '\0';
    *out_bytes = n;
    return true;
}

size_t wn_host_www(const char *host, size_t n) {
    return n > 4 && memcmp(host, "www.", 4) == 0 && memchr(host + 4, '.', n - 4) ? 4 : 0;
}

bool wn_url_host(const char *url, size_t n, char *out, size_t cap) {
    wn_url_parts parts;
    char host[WN_HOST_BYTES];
    size_t bytes = 0;
    if (!wn_url_split(url, n, &parts) || !wn_host_lower(parts.host, host, &bytes)) return false;
    size_t www = wn_host_www(host, bytes);
    bool fits = bytes - www < cap;
    if (fits) memcpy(out, host + www, bytes - www + 1);
    wn_wipe(host, bytes);
    return fits;
}

// Shorter than any key, and letters only: there is nothing to look for.
#define TAG_LOOK_MIN 12

// Long numbers, hex, UUIDs and keys are ids of people or devices, whatever the tag says.
// Judged as written (a token's capitals tell) and as it would be counted.
static bool is_id(const uint8_t *raw, const char *text, size_t n) {
    bool digit = false, upper = false;
    for (size_t i = 0; i < n; i++) {
        digit |= text[i] >= '0' && text[i] <= '9';
        upper |= raw[i] != (uint8_t)text[i];
    }
    if (wn_shape_identifier(text, n)) return true;
    if (!digit && !upper && n < TAG_LOOK_MIN) return false;
    if (wn_identifier_in((wn_span){(const uint8_t *)text, n}, NULL)) return true;
    return upper && (wn_shape_token(raw, n) || wn_identifier_in((wn_span){raw, n}, NULL));
}

bool wn_tag(wn_span v, char out[33]) {
    if (v.n == 0 || v.n > 32) return false;
    char text[33];
    bool plain = true;
    for (size_t i = 0; i < v.n && plain; i++) {
        uint8_t c = host_bytes[v.p[i]];
        plain = c != 0 && c != '.';
        text[i] = (char)c;
    }
    plain = plain && !is_id(v.p, text, v.n);
    if (plain) {
        memcpy(out, text, v.n);
        out[v.n] = '\0';
    }
    wn_wipe(text, sizeof text);
    return plain;
}

bool wn_query_utm(wn_span query, const char *key, char out[33]) {
    size_t key_bytes = strlen(key);
    const uint8_t *p = query.p, *end = query.p ? query.p + query.n : NULL;
    while (p < end) {
        const uint8_t *stop = memchr(p, '&', (size_t)(end - p));
        if (stop == NULL) stop = end;
        size_t n = (size_t)(stop - p);
        if (n > 5 + key_bytes && p[0] == 'u' && memcmp(p, "utm_", 4) == 0 &&
            memcmp(p + 4, key, key_bytes) == 0 && p[4 + key_bytes] == '=')
            return wn_tag((wn_span){p + 5 + key_bytes, n - 5 - key_bytes}, out);
        p = stop == end ? end : stop + 1;
    }
    return false;
}

bool wn_url_utm(const char *url, size_t n, const char *key, char out[33]) {
    wn_url_parts parts;
    return wn_url_split(url, n, &parts) && wn_query_utm(parts.query, key, out);
}

// A year is four digits that say nothing; other four, or five in all, may number a recipient.
bool wn_tag_numbered(const char *tag) {
    size_t others = 0;
    for (const char *p = tag; *p != '\0';) {
        size_t n = strspn(p, "0123456789");
        bool year = n == 4 && ((p[0] == '1' && p[1] == '9') || (p[0] == '2' && p[1] == '0'));
        if (n >= 4 && !year) return true;
        others += year ? 0 : n;
        p += n > 0 ? n : 1;
    }
    return others > 4;
}
