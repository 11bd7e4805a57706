// SPDX-License-Identifier: Apache-2.0
// Why this file: what leaks is rarely the bytes that came in. Texts are first
// rewritten as people and programs do (case, separators), then encoded.
#include "canary_forms.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <glib.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

typedef struct out {
    wn_canary_pattern_fn fn;
    void *ctx;
} out;

const char *wn_canary_form_name(wn_canary_form form) {
    static const char *const names[] = {
#define X(name) #name,
        CANARY_FORMS(X)
#undef X
    };
    return form < WN_CANARY_FORM_N ? names[form] : "";
}

static void give(const out *o, wn_canary_form form, const void *p, size_t n) {
    if (n >= WN_CANARY_PATTERN_MIN && n <= WN_CANARY_PATTERN_MAX) o->fn(o->ctx, form, p, n);
}

// Each byte that is neither letter nor digit through `format`; `plain` bytes stay.
static void give_escaped(const out *o, wn_canary_form form, const char *t, const char *format,
                         const char *plain) {
    char buf[WN_CANARY_PATTERN_MAX];
    size_t n = 0;
    for (; *t && n + 8 < sizeof buf; t++) {
        if (isalnum((unsigned char)*t) || strchr(plain, *t)) buf[n++] = *t;
        else n += (size_t)snprintf(buf + n, sizeof buf - n, format, (unsigned)(unsigned char)*t);
    }
    give(o, form, buf, n);
}

static void give_hex(const out *o, wn_canary_form form, const uint8_t *p, size_t n) {
    char lower[WN_CANARY_PATTERN_MAX], upper[WN_CANARY_PATTERN_MAX];
    if (n * 2 >= sizeof lower) return;
    for (size_t i = 0; i < n; i++) {
        snprintf(lower + 2 * i, 3, "%02x", p[i]);
        snprintf(upper + 2 * i, 3, "%02X", p[i]);
    }
    give(o, form, lower, 2 * n);
    give(o, form, upper, 2 * n);
}

// What base64 writes for the text wherever it stands: with 0, 1 and 2 unknown
// bytes before it, and less the letters that its neighbours have a part in.
static void give_base64(const out *o, wn_canary_form form, const char *t, int variant) {
    size_t n = strlen(t);
    for (size_t before = 0; before < 3; before++) {
        uint8_t plain[WN_CANARY_TEXT_MAX + 8] = {0};
        char code[2 * WN_CANARY_TEXT_MAX + 16];
        memcpy(plain + before, t, n);
        sodium_bin2base64(code, sizeof code, plain, before + n, variant);
        size_t first = (before * 8 + 5) / 6, last = (before + n) * 8 / 6;
        if (last > first) give(o, form, code + first, last - first);
    }
}

static void give_digests(const out *o, const char *t) {
    static const struct {
        wn_canary_form form;
        GChecksumType type;
    } list[] = {{WN_CANARY_FORM_md5, G_CHECKSUM_MD5},
                {WN_CANARY_FORM_sha1, G_CHECKSUM_SHA1},
                {WN_CANARY_FORM_sha256, G_CHECKSUM_SHA256}};
    uint8_t digest[32];
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        GChecksum *sum = g_checksum_new(list[i].type);
        gsize n = sizeof digest;
        g_checksum_update(sum, (const guchar *)t, (gssize)strlen(t));
        g_checksum_get_digest(sum, digest, &n);
        g_checksum_free(sum);
        give(o, list[i].form, digest, n);
        give_hex(o, list[i].form, digest, n);
    }
    crypto_generichash(digest, 32, (const uint8_t *)t, strlen(t), NULL, 0);
    give(o, WN_CANARY_FORM_blake2b, digest, 32);
    give_hex(o, WN_CANARY_FORM_blake2b, digest, 32);
}

// Every encoding of one text.
static void give_text(const out *o, wn_canary_form plain, const char *t) {
    size_t n = strlen(t);
    give(o, plain, t, n);
    give_escaped(o, WN_CANARY_FORM_url, t, "%%%02X", "-_.~");
    give_escaped(o, WN_CANARY_FORM_url, t, "%%%02x", "-_.~");
    give_escaped(o, WN_CANARY_FORM_url, t, "%%%02X", "-_.~@:");
    give_escaped(o, WN_CANARY_FORM_url, t, "%%%02X", "");
    if (strchr(t, ' ')) {
        char plus[WN_CANARY_TEXT_MAX];
        snprintf(plus, sizeof plus, "%s", t);
        for (char *p = plus; *p; p++) *p = *p == ' ' ? '+' : *p;
        give(o, WN_CANARY_FORM_url, plus, n);
        give_escaped(o, WN_CANARY_FORM_url, plus, "%%%02X", "-_.~");
    }
    give_escaped(o, WN_CANARY_FORM_html, t, "&#%u;", "-_. :");
    give_escaped(o, WN_CANARY_FORM_html, t, "&#x%x;", "-_. :");
    give_escaped(o, WN_CANARY_FORM_json, t, "\\u%04x", "-_. :");
    give_escaped(o, WN_CANARY_FORM_json, t, "\\u%04X", "");
    give_hex(o, WN_CANARY_FORM_hex, (const uint8_t *)t, n);
    give_base64(o, WN_CANARY_FORM_base64, t, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    give_base64(o, WN_CANARY_FORM_base64url, t, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char wide[2 * WN_CANARY_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        wide[2 * i] = t[i];
        wide[2 * i + 1] = 0;
    }
    give(o, WN_CANARY_FORM_utf16, wide, 2 * n - 1);
    give_digests(o, t);
}

static void give_cases(const out *o, wn_canary_form plain, const char *t) {
    char lower[WN_CANARY_TEXT_MAX], upper[WN_CANARY_TEXT_MAX];
    size_t n = strlen(t);
    for (size_t i = 0; i <= n; i++) {
        lower[i] = (char)tolower((unsigned char)t[i]);
        upper[i] = (char)toupper((unsigned char)t[i]);
    }
    give_text(o, plain, t);
    if (strcmp(lower, t) != 0) give_text(o, WN_CANARY_FORM_cased, lower);
    if (strcmp(upper, t) != 0) give_text(o, WN_CANARY_FORM_cased, upper);
}

// The text with only its letters and digits: "+44 7911 1" is also stored as "4479111".
static void give_bare(const out *o, const char *t) {
    char bare[WN_CANARY_TEXT_MAX];
    size_t n = 0;
    for (const char *p = t; *p; p++) {
        if (isalnum((unsigned char)*p)) bare[n++] = *p;
    }
    bare[n] = 0;
    if (n >= WN_CANARY_PATTERN_MIN && strcmp(bare, t) != 0) give_cases(o, WN_CANARY_FORM_cased, bare);
}

static void give_uuid(const out *o, const char *t) {
    char hex[33];
    uint8_t packed[16], mixed[16];
    size_t n = 0;
    for (const char *p = t; *p && n < 32; p++) {
        if (*p != '-') hex[n++] = *p;
    }
    hex[n] = 0;
    if (sodium_hex2bin(packed, 16, hex, n, NULL, &n, NULL) != 0 || n != 16) return;
    give(o, WN_CANARY_FORM_packed, packed, 16);
    // As Windows packs it: the first three groups little-endian.
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < 16; i++) mixed[i] = packed[order[i]];
    give(o, WN_CANARY_FORM_packed, mixed, 16);
}

static void give_ipv6(const out *o, const char *t) {
    uint8_t b[16];
    char full[40];
    if (inet_pton(AF_INET6, t, b) != 1) return;
    give(o, WN_CANARY_FORM_packed, b, 16);
    snprintf(full, sizeof full, "%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x:%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    give_cases(o, WN_CANARY_FORM_cased, full);
    // The network half is as good as the whole: a household.
    give(o, WN_CANARY_FORM_packed, b, 8);
    give(o, WN_CANARY_FORM_cased, full, 19);
}

static void give_card(const out *o, const char *t) {
    char spaced[24];
    for (size_t i = 0; i < 2; i++) {
        snprintf(spaced, sizeof spaced, i ? "%.4s-%.4s-%.4s-%.4s" : "%.4s %.4s %.4s %.4s", t, t + 4, t + 8,
                 t + 12);
        give_text(o, WN_CANARY_FORM_cased, spaced);
    }
}

static void give_mapped(const out *o, const char *t) {
    uint8_t b[16] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, t, b + 12) == 1) give(o, WN_CANARY_FORM_packed, b, 16);
}

void wn_canary_forms(wn_canary_kind kind, const char *text, wn_canary_pattern_fn fn, void *ctx) {
    out o = {.fn = fn, .ctx = ctx};
    give_cases(&o, WN_CANARY_FORM_raw, text);
    switch (kind) {
    case WN_CANARY_phone: give_bare(&o, text); return;
    case WN_CANARY_idfa:
    case WN_CANARY_gaid:
        give_bare(&o, text);
        give_uuid(&o, text);
        return;
    case WN_CANARY_ipv4: give_mapped(&o, text); return;
    case WN_CANARY_ipv6: give_ipv6(&o, text); return;
    case WN_CANARY_card: give_card(&o, text); return;
    case WN_CANARY_email:
    case WN_CANARY_user_id:
    case WN_CANARY_name:
    case WN_CANARY_token:
    case WN_CANARY_consent:
    case WN_CANARY_KIND_N: return;
    }
}
