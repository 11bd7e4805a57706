// SPDX-License-Identifier: Apache-2.0
// Why this file: a scan is worth what its needles are worth. Shapes vary within
// a kind, so that no single pattern of the filter could hide all of them.
#include "canary_kinds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *wn_canary_kind_name(wn_canary_kind kind) {
    static const char *const names[] = {
#define X(name, looks) #name,
        CANARY_KINDS(X)
#undef X
    };
    return kind < WN_CANARY_KIND_N ? names[kind] : "";
}

wn_canary_kind wn_canary_kind_by_name(const char *name, size_t n) {
    for (unsigned i = 0; i < WN_CANARY_KIND_N; i++) {
        const char *known = wn_canary_kind_name((wn_canary_kind)i);
        if (strlen(known) == n && memcmp(known, name, n) == 0) return (wn_canary_kind)i;
    }
    return WN_CANARY_KIND_N;
}

uint64_t wn_canary_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545F4914F6CDD1Dull;
}

uint32_t wn_canary_below(uint64_t *state, uint32_t n) {
    return (uint32_t)(((wn_canary_random(state) >> 32) * n) >> 32);
}

static void letters(uint64_t *r, const char *alphabet, size_t n, char *out) {
    uint32_t size = (uint32_t)strlen(alphabet);
    for (size_t i = 0; i < n; i++) out[i] = alphabet[wn_canary_below(r, size)];
    out[n] = 0;
}

static void syllables(uint64_t *r, int n, char *out) {
    static const char *const parts[] = {"bra", "vel",  "tor", "min", "kas", "lune", "dov", "rik",
                                        "sha", "pel",  "gor", "wyn", "zha", "mir",  "oss", "tek",
                                        "fla", "quin", "hul", "erd", "jav", "nox",  "bel", "ruz"};
    out[0] = 0;
    for (int i = 0; i < n; i++) strcat(out, parts[wn_canary_below(r, sizeof parts / sizeof parts[0])]);
}

static const char base36[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char base62[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char digits[] = "0123456789";

static void make_email(uint64_t *r, char *out) {
    char first[32], mark[16], host[16];
    syllables(r, 2, first);
    letters(r, base36, 6, mark);
    letters(r, base36, 4, host);
    static const char *const shapes[] = {"%s.%s@mail-%s.example", "%s+%s@%s.example.org", "%s_%s@%s.example"};
    snprintf(out, WN_CANARY_TEXT_MAX, shapes[wn_canary_below(r, 3)], first, mark, host);
}

static void make_phone(uint64_t *r, char *out) {
    char number[16];
    letters(r, digits, 9, number);
    static const char *const shapes[] = {"+4915%s", "+1917%.7s", "+44 7911 %s"};
    snprintf(out, WN_CANARY_TEXT_MAX, shapes[wn_canary_below(r, 3)], number);
}

static void make_user_id(uint64_t *r, char *out) {
    char number[16], mark[16];
    letters(r, digits, 9, number);
    letters(r, base36, 10, mark);
    switch (wn_canary_below(r, 3)) {
    case 0: snprintf(out, WN_CANARY_TEXT_MAX, "user-%s", number); break;
    case 1: snprintf(out, WN_CANARY_TEXT_MAX, "7%s", number); break;
    default: snprintf(out, WN_CANARY_TEXT_MAX, "acct_%s", mark); break;
    }
}

static void make_uuid(uint64_t *r, const char *alphabet, char *out) {
    char hex[33];
    letters(r, alphabet, 32, hex);
    hex[12] = '4';
    snprintf(out, WN_CANARY_TEXT_MAX, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

static void make_ipv4(uint64_t *r, char *out) {
    static const uint8_t first[] = {73, 84, 90, 117, 126, 177, 189};
    uint32_t b[4] = {first[wn_canary_below(r, sizeof first)]};
    b[1] = 128 + wn_canary_below(r, 126); // no ASCII: four packed bytes are then no word
    b[2] = 100 + wn_canary_below(r, 155);
    b[3] = 100 + wn_canary_below(r, 155);
    snprintf(out, WN_CANARY_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

static void make_ipv6(uint64_t *r, char *out) {
    uint8_t b[16] = {0x2a, 0x02};
    for (int i = 2; i < 16; i++) b[i] = (uint8_t)wn_canary_below(r, 256);
    if (wn_canary_below(r, 2)) memset(b + 8, 0, 6);
    inet_ntop(AF_INET6, b, out, WN_CANARY_TEXT_MAX);
}

static void make_card(uint64_t *r, char *out) {
    letters(r, digits, 16, out);
    out[0] = '4';
    int sum = 0;
    for (int i = 0; i < 15; i++) {
        int d = out[i] - '0';
        if (i % 2 == 0) d = d * 2 > 9 ? d * 2 - 9 : d * 2;
        sum += d;
    }
    out[15] = (char)('0' + (10 - sum % 10) % 10);
}

static void make_name(uint64_t *r, char *out) {
    char first[32], last[32];
    syllables(r, 2, first);
    syllables(r, 3, last);
    first[0] = (char)(first[0] - 32);
    last[0] = (char)(last[0] - 32);
    snprintf(out, WN_CANARY_TEXT_MAX, "%s %s", first, last);
}

static void make_token(uint64_t *r, char *out) {
    char a[48], b[48];
    switch (wn_canary_below(r, 3)) {
    case 0: letters(r, "0123456789abcdef", 32, out); break;
    case 1:
        letters(r, base62, 24, a);
        snprintf(out, WN_CANARY_TEXT_MAX, "sk_live_%s", a);
        break;
    default:
        letters(r, base62, 30, a);
        letters(r, base62, 43, b);
        snprintf(out, WN_CANARY_TEXT_MAX, "eyJhbGciOiJIUzI1NiJ9.eyJ%s.%s", a, b);
        break;
    }
}

// ---- consent strings ----

static int64_t now_s = 1793491200;

void wn_canary_now(int64_t unix_s) {
    now_s = unix_s;
}

typedef struct bits {
    char *out;
    unsigned n; // bits so far
} bits;

static void put_bits(bits *b, unsigned count, uint64_t value) {
    static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    while (count-- > 0) {
        char *c = b->out + b->n / 6;
        unsigned six = b->n % 6 == 0 ? 0 : (unsigned)(strchr(base64url, *c) - base64url);
        *c = base64url[six | (unsigned)(value >> count & 1) << (5 - b->n % 6)];
        b->n++;
    }
    b->out[(b->n + 5) / 6] = 0;
}

static void put_letters(bits *b, const char *two) {
    put_bits(b, 6, (uint64_t)(two[0] - 'A'));
    put_bits(b, 6, (uint64_t)(two[1] - 'A'));
}

static void put_vendors(bits *b, uint64_t *r) {
    put_bits(b, 16, 48);
    put_bits(b, 1, 0);
    put_bits(b, 48, wn_canary_random(r) >> 16 | 1);
}

// All purposes are agreed to: what differs from person to person is when, and to which vendors.
static void make_consent(uint64_t *r, char *out) {
    bits core = {out, 0};
    uint64_t given_ds = (uint64_t)(now_s - 86400) * 10 - wn_canary_below(r, 3000000000u);
    put_bits(&core, 6, 2);
    put_bits(&core, 36, given_ds);
    put_bits(&core, 36, given_ds);
    put_bits(&core, 12, 31 + wn_canary_below(r, 300)); // who asked
    put_bits(&core, 12, 7);
    put_bits(&core, 6, 2);
    put_letters(&core, "EN");
    put_bits(&core, 12, 150);
    put_bits(&core, 6, 5);
    put_bits(&core, 2, 2); // of this service
    put_bits(&core, 12, 0xc00);
    put_bits(&core, 24, 0xffe000);
    put_bits(&core, 24, 0);
    put_bits(&core, 1, 0);
    put_letters(&core, "AT");
    put_vendors(&core, r);
    put_bits(&core, 17, 0);
    put_bits(&core, 12, 0);
    strcat(out, ".");
    bits disclosed = {out + strlen(out), 0};
    put_bits(&disclosed, 3, 1);
    put_vendors(&disclosed, r);
}

void wn_canary_make(uint64_t seed, wn_canary_kind kind, uint32_t n, char out[WN_CANARY_TEXT_MAX]) {
    uint64_t r = (seed + 1) * 0x9E3779B97F4A7C15ull + ((uint64_t)kind << 40) + n * 0xD1342543DE82EF95ull;
    r |= r == 0;
    for (int i = 0; i < 6; i++) wn_canary_random(&r);
    switch (kind) {
    case WN_CANARY_email: make_email(&r, out); return;
    case WN_CANARY_phone: make_phone(&r, out); return;
    case WN_CANARY_user_id: make_user_id(&r, out); return;
    case WN_CANARY_idfa: make_uuid(&r, "0123456789ABCDEF", out); return;
    case WN_CANARY_gaid: make_uuid(&r, "0123456789abcdef", out); return;
    case WN_CANARY_ipv4: make_ipv4(&r, out); return;
    case WN_CANARY_ipv6: make_ipv6(&r, out); return;
    case WN_CANARY_card: make_card(&r, out); return;
    case WN_CANARY_name: make_name(&r, out); return;
    case WN_CANARY_token: make_token(&r, out); return;
    case WN_CANARY_consent: make_consent(&r, out); return;
    case WN_CANARY_KIND_N: break;
    }
    out[0] = 0;
}
