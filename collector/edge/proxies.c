// SPDX-License-Identifier: Apache-2.0
// proxies.c: reads X-Forwarded-For from the right, since only what a trusted
// proxy appended is believed; everything left of that anybody may have written.
#include "proxies.h"

#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void trim(const char **p, size_t *n) {
    while (*n > 0 && (**p == ' ' || **p == '\t')) (*p)++, (*n)--;
    while (*n > 0 && ((*p)[*n - 1] == ' ' || (*p)[*n - 1] == '\t')) (*n)--;
}

// A bare number of at most three digits.
static bool read_bits(const char *p, size_t n, unsigned max, unsigned *out) {
    unsigned v = 0;
    if (n == 0 || n > 3) return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        v = v * 10 + (unsigned)(p[i] - '0');
    }
    if (v > max) return false;
    *out = v;
    return true;
}

static bool same_bits(const wn_address *a, const wn_address *b, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->b, b->b, whole) != 0) return false;
    return rest == 0 || ((a->b[whole] ^ b->b[whole]) >> (8 - rest)) == 0;
}

static bool read_network(const char *p, size_t n, wn_address *out, unsigned *out_bits) {
    const char *slash = memchr(p, '/', n);
    size_t address_n = slash != NULL ? (size_t)(slash - p) : n;
    if (!wn_address_parse(p, address_n, out)) return false;
    bool v4 = memcmp(out->b, mapped, sizeof mapped) == 0 && memchr(p, ':', address_n) == NULL;
    unsigned max = v4 ? 32 : 128, bits = max;
    if (slash != NULL && !read_bits(slash + 1, n - address_n - 1, max, &bits)) return false;
    *out_bits = v4 ? 96 + bits : bits;
    return true;
}

wn_err wn_proxies_parse(const char *text, wn_proxies *out) {
    wn_proxies p = {.n = 0};
    size_t left = strlen(text);
    const char *at = text;
    trim(&at, &left);
    if (left == 0) {
        *out = p;
        return WN_OK;
    }
    for (bool more = true; more;) {
        const char *comma = memchr(at, ',', left);
        const char *word = at;
        size_t n = comma != NULL ? (size_t)(comma - at) : left;
        more = comma != NULL;
        if (more) {
            at = comma + 1;
            left -= n + 1;
        }
        trim(&word, &n);
        if (p.n == WN_PROXIES_MAX || !read_network(word, n, &p.list[p.n].net, &p.list[p.n].bits))
            return WN_ERR_CONFIG;
        p.n++;
    }
    *out = p;
    return WN_OK;
}

bool wn_proxies_trusted(const wn_proxies *p, const wn_address *a) {
    for (size_t i = 0; i < p->n; i++) {
        if (same_bits(&p->list[i].net, a, p->list[i].bits)) return true;
    }
    return false;
}

// An element as proxies write it: an address, "1.2.3.4:5678", "[::1]" or "[::1]:5678".
static bool read_element(const char *p, size_t n, wn_address *out) {
    trim(&p, &n);
    if (n > 0 && p[0] == '[') {
        const char *end = memchr(p, ']', n);
        if (end == NULL) return false;
        size_t rest = n - (size_t)(end - p) - 1;
        if (rest != 0 && end[1] != ':') return false;
        return wn_address_parse(p + 1, (size_t)(end - p) - 1, out);
    }
    const char *colon = n > 0 ? memchr(p, ':', n) : NULL;
    bool port = colon != NULL && memchr(p, '.', n) != NULL &&
                memchr(colon + 1, ':', n - (size_t)(colon - p) - 1) == NULL;
    return wn_address_parse(p, port ? (size_t)(colon - p) : n, out);
}

bool wn_proxies_client(const wn_proxies *p, const wn_address *peer, const char *forwarded_for, size_t n,
                       wn_address *out) {
    if (!wn_proxies_trusted(p, peer) || forwarded_for == NULL || n == 0) {
        *out = *peer;
        return true;
    }
    size_t end = n;
    for (;;) {
        size_t start = end;
        while (start > 0 && forwarded_for[start - 1] != ',') start--;
        wn_address a;
        if (!read_element(forwarded_for + start, end - start, &a)) return false;
        if (!wn_proxies_trusted(p, &a)) {
            *out = a;
            return true;
        }
        if (start == 0) return false; // nobody but proxies
        end = start - 1;
    }
}
