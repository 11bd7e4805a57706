// SPDX-License-Identifier: Apache-2.0
// edge_window.c: what follows from a window's name and from its edge key.
#include "edge_window.h"

#include <string.h>

#include "clock.h"
#include "crypt.h"

enum { DATE_CHARS = 10, KIND_CHARS = 3, DERIVED_BYTES = 32 };

static bool parse_kind(const char *p, uint8_t *out) {
    if (strncmp(p, "web", KIND_CHARS) == 0) *out = WN_KIND_WEB;
    else if (strncmp(p, "app", KIND_CHARS) == 0) *out = WN_KIND_APP;
    else return false;
    return true;
}

// "__" is '_', a single '_' is '/'.
static bool parse_zone(const char *p, char out[WN_ZONE_BYTES]) {
    size_t n = 0;
    for (; *p != '\0' && n + 1 < WN_ZONE_BYTES; p++) {
        bool twice = p[0] == '_' && p[1] == '_';
        out[n++] = *p != '_' ? *p : twice ? '_' : '/';
        p += twice;
    }
    out[n] = '\0';
    return *p == '\0' && n > 0;
}

bool wn_edge_window_parse(const char *text, wn_window *out) {
    size_t n = strnlen(text, WN_WINDOW_TEXT_BYTES);
    int32_t day;
    uint8_t kind;
    char zone[WN_ZONE_BYTES];
    if (n < DATE_CHARS + KIND_CHARS + 3 || n == WN_WINDOW_TEXT_BYTES) return false;
    const char *kind_text = text + DATE_CHARS + 1, *zone_text = kind_text + KIND_CHARS + 1;
    if (text[DATE_CHARS] != '.' || kind_text[KIND_CHARS] != '.') return false;
    if (!wn_day_parse(text, DATE_CHARS, &day) || !parse_kind(kind_text, &kind) ||
        !parse_zone(zone_text, zone)) {
        return false;
    }
    const wn_zone *z = wn_zone_find(zone);
    if (z == NULL) return false;
    wn_window w;
    wn_zone_window_of_day(z, (wn_kind)kind, day, &w);
    char back[WN_WINDOW_TEXT_BYTES];
    wn_window_text(&w, back);
    if (strcmp(back, text) != 0) return false;
    *out = w;
    return true;
}

// 32 bytes, of which n are used: longer than a pseudonym, so that no person's
// text can ever make the same hash.
static void derive(const uint8_t key[WN_KEY_BYTES], const char *label, uint8_t *out, size_t n) {
    uint8_t whole[DERIVED_BYTES];
    wn_prf(key, (wn_span){(const uint8_t *)label, strlen(label)}, whole, sizeof whole);
    memcpy(out, whole, n);
    wn_wipe(whole, sizeof whole);
}

void wn_edge_window_derive(wn_edge_window *out) {
    derive(out->key_edge, "winnow prefix", out->key_prefix, sizeof out->key_prefix);
    derive(out->key_edge, "winnow organisation", out->key_org, sizeof out->key_org);
    derive(out->key_edge, "winnow epoch", out->epoch, sizeof out->epoch);
}
