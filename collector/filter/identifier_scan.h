// SPDX-License-Identifier: Apache-2.0
// identifier_scan.h: what the detectors share. Every look at a character is counted.
#pragma once

#include "plain.h"
#include "identifiers.h"

typedef struct wn_scan {
    const uint8_t *t; // folded
    size_t n;
    size_t steps;
    size_t jwt_end;  // up to here a token was looked for
    bool any_equals; // '=' stands somewhere
} wn_scan;

// 0 past the end.
static inline uint8_t wn_at(wn_scan *s, size_t i) {
    s->steps++;
    return i < s->n ? s->t[i] : 0;
}

// 0 before the beginning.
static inline uint8_t wn_before(wn_scan *s, size_t i) {
    return i > 0 ? wn_at(s, i - 1) : 0;
}

static inline bool wn_is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static inline bool wn_is_lower(uint8_t c) {
    return c >= 'a' && c <= 'z';
}

static inline bool wn_is_upper(uint8_t c) {
    return c >= 'A' && c <= 'Z';
}

static inline bool wn_is_alpha(uint8_t c) {
    return wn_is_lower(c) || wn_is_upper(c);
}

static inline bool wn_is_hex(uint8_t c) {
    return wn_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// A letter of any script or a digit.
static inline bool wn_is_word(uint8_t c) {
    return wn_is_digit(c) || wn_is_alpha(c) || c == WN_PLAIN_LETTER;
}

// True when the lower-case `word` stands at i, whatever its case there.
static inline bool wn_word_at(wn_scan *s, size_t i, const char *word) {
    for (; *word != '\0'; word++, i++)
        if (wn_lower(wn_at(s, i)) != (uint8_t)*word) return false;
    return true;
}

// Detectors that begin at i, where a word begins. They look at a bounded number of characters.
bool wn_scan_mail_words(wn_scan *s, size_t i); // "at" between a name and a host
bool wn_scan_ip4(wn_scan *s, size_t i);
bool wn_scan_ip6(wn_scan *s, size_t i);
bool wn_scan_mac(wn_scan *s, size_t i);
bool wn_scan_gps(wn_scan *s, size_t i);
bool wn_scan_uuid(wn_scan *s, size_t i);
bool wn_scan_iban(wn_scan *s, size_t i);
// At '=' of "=40", which mail programs write for '@'.
bool wn_scan_mail_quoted(wn_scan *s, size_t i);
// At '@'; looks no further than the next.
bool wn_scan_mail(wn_scan *s, size_t i);
// At the first character of a word, once each: keys and tokens, hex of known lengths.
bool wn_scan_secret(wn_scan *s, size_t i, wn_identifier_kind *out);
// At a digit: the whole run of digits and separators; *out_end: where it ends.
bool wn_scan_number(wn_scan *s, size_t i, size_t *out_end, wn_identifier_kind *out);
// The same of digits joined by single marks that otherwise stand in lists: , : * |
bool wn_scan_wide(wn_scan *s, size_t i, size_t *out_end, wn_identifier_kind *out);
