// SPDX-License-Identifier: Apache-2.0
// identifier_addresses.c: where a machine or a person is: IPv4, IPv6, hardware
// addresses, coordinates.
#include <string.h>

#include "identifier_scan.h"

// ---- IPv4 ----

// Decimal, octal or 0x hexadecimal byte; false when there is none up to 255.
static bool byte_at(wn_scan *s, size_t *inout_i) {
    size_t i = *inout_i, n = 0;
    unsigned value = 0, octal = 0;
    bool zero = wn_at(s, i) == '0';
    if (zero && wn_lower(wn_at(s, i + 1)) == 'x') {
        i += 2;
        for (uint8_t c = wn_at(s, i); n < 3 && wn_is_hex(c); n++, c = wn_at(s, ++i))
            value = value * 16 + (unsigned)(wn_is_digit(c) ? c - '0' : wn_lower(c) - 'a' + 10);
    } else {
        for (uint8_t c = wn_at(s, i); n < 4 && wn_is_digit(c); n++, c = wn_at(s, ++i)) {
            value = value * 10 + (unsigned)(c - '0');
            octal = octal * 8 + (unsigned)(c - '0');
        }
        if (zero) value = octal;
    }
    *inout_i = i;
    return n > 0 && value <= 255;
}

static bool quad_at(wn_scan *s, size_t i, uint8_t mark) {
    for (int part = 0; part < 4; part++) {
        if (part > 0 && wn_at(s, i++) != mark) return false;
        if (!byte_at(s, &i)) return false;
    }
    // Five numbers are a version or an object id, unless the fifth is the end of a sentence.
    uint8_t after = wn_at(s, i);
    if (after == mark) return !wn_is_digit(wn_at(s, i + 1));
    return !wn_is_word(after);
}

bool wn_scan_ip4(wn_scan *s, size_t i) {
    if (wn_word_at(s, i, "ip-")) return quad_at(s, i + 3, '-');
    if (!wn_is_digit(wn_at(s, i))) return false;
    uint8_t before = wn_before(s, i);
    return !(before == '.' && i >= 2 && wn_is_digit(wn_at(s, i - 2))) && quad_at(s, i, '.');
}

// ---- IPv6 ----

#define IP6_GROUPS 8
bool wn_scan_ip6(wn_scan *s, size_t i) {
    size_t groups = 0, doubles = 0, digits = 0;
    uint8_t before = wn_before(s, i);
    if (before == ':' && i >= 2 && (wn_is_hex(wn_at(s, i - 2)) || wn_at(s, i - 2) == ':')) return false;
    if (wn_at(s, i) == ':') {
        if (wn_at(s, i + 1) != ':') return false;
        i += 2;
        doubles = 1;
    }
    for (; groups < IP6_GROUPS; groups++) {
        size_t n = 0;
        for (uint8_t c = wn_at(s, i + n); n < 5 && wn_is_hex(c); c = wn_at(s, i + n)) {
            digits += wn_is_digit(c);
            n++;
        }
        if (n == 0) break; // after "::"
        if (wn_at(s, i + n) == '.' && groups + doubles > 0 && quad_at(s, i, '.'))
            return doubles == 1 || groups == 6;
        if (n > 4) return false;
        i += n;
        if (wn_at(s, i) != ':') {
            groups++;
            break;
        }
        i++;
        if (wn_at(s, i) == ':') {
            i++;
            doubles++;
        }
    }
    uint8_t after = wn_at(s, i);
    if (doubles > 1 || wn_is_word(after) || after == ':') return false;
    if (digits == 0 && groups < IP6_GROUPS) return false; // "std::dead": words
    return doubles == 1 ? groups >= 1 && groups < IP6_GROUPS : groups == IP6_GROUPS;
}

// ---- hardware addresses ----

static bool pairs_at(wn_scan *s, size_t i, size_t groups, size_t each, uint8_t mark) {
    for (size_t g = 0; g < groups; g++) {
        if (g > 0 && wn_at(s, i++) != mark) return false;
        for (size_t k = 0; k < each; k++)
            if (!wn_is_hex(wn_at(s, i++))) return false;
    }
    uint8_t after = wn_at(s, i);
    return !wn_is_word(after) && after != mark;
}

#define MAC_GROUPS 6
#define MAC_DIGITS_MIN 3

// Groups of one or two behind a mark that stands between words, too: letters
// and decimal digits must be among them.
static bool loose_pairs_at(wn_scan *s, size_t i) {
    size_t digits = 0, letters = 0;
    uint8_t mark = 0;
    for (size_t g = 0; g < MAC_GROUPS; g++) {
        uint8_t between = g > 0 ? wn_at(s, i++) : 0;
        if (g == 1) mark = between;
        if (between != mark || wn_is_word(mark)) return false;
        size_t n = 0;
        for (uint8_t c = wn_at(s, i); n < 2 && wn_is_hex(c); n++, c = wn_at(s, ++i)) {
            digits += wn_is_digit(c);
            letters += !wn_is_digit(c);
        }
        if (n == 0) return false;
    }
    return !wn_is_word(wn_at(s, i)) && digits >= MAC_DIGITS_MIN && letters > 0;
}

bool wn_scan_mac(wn_scan *s, size_t i) {
    uint8_t before = wn_before(s, i);
    if (before != ':' && pairs_at(s, i, MAC_GROUPS, 2, ':')) return true;
    if (before != '-' && pairs_at(s, i, MAC_GROUPS, 2, '-')) return true;
    if (before != '.' && pairs_at(s, i, 3, 4, '.')) return true;
    return loose_pairs_at(s, i);
}

// ---- coordinates ----

// Four decimals are 11 m. Of a pair one must have them, the other three: prices
// and amounts have two, thousands in German three. Behind "geo:" and "@" any do.
#define DECIMALS_MIN 3
#define DECIMALS_FINE 4
#define DECIMALS_MAX 20

static bool degrees_at(wn_scan *s, size_t *inout_i, uint8_t point, size_t *out_decimals) {
    const unsigned most = 180;
    size_t i = *inout_i, n = 0;
    unsigned value = 0;
    if (wn_at(s, i) == '-' || wn_at(s, i) == '+') i++;
    for (uint8_t c = wn_at(s, i); n < 4 && wn_is_digit(c); n++, c = wn_at(s, ++i))
        value = value * 10 + (unsigned)(c - '0');
    if (n == 0 || value > most || wn_at(s, i) != point) return false;
    for (n = 0, i++; n < DECIMALS_MAX && wn_is_digit(wn_at(s, i)); n++) i++;
    *out_decimals = n;
    *inout_i = i;
    return n > 0;
}

static bool is_between(uint8_t c) {
    return c != 0 && (strchr(" ,;/|_NSEWnsew", c) != NULL || c == WN_PLAIN_DEGREE);
}

// "52°31'": degrees and minutes.
static bool minutes_at(wn_scan *s, size_t i) {
    size_t n = 0;
    while (n < 4 && wn_is_digit(wn_at(s, i + n))) n++;
    if (n > 3 || wn_at(s, i + n) != WN_PLAIN_DEGREE) return false;
    i += n + 1;
    if (wn_at(s, i) == ' ') i++;
    for (n = 0; n < 3 && wn_is_digit(wn_at(s, i)); n++) i++;
    if (n == 0 || n > 2) return false;
    for (n = 0; n < 7 && (wn_is_digit(wn_at(s, i)) || wn_at(s, i) == '.'); n++) i++;
    return wn_at(s, i) == '\'';
}

// Two numbers side by side, "52.52,13.405": together as many decimals as a street needs.
#define DECIMALS_CLOSE 5

static bool pair_at(wn_scan *s, size_t i, size_t begin, uint8_t point) {
    size_t first = 0, second = 0, at = i, marks = 0;
    if (!degrees_at(s, &at, point, &first)) return false;
    bool close = point == '.' && wn_at(s, at) == ',' && wn_at(s, at + 1) != ' ';
    while (marks < 6 && is_between(wn_at(s, at))) {
        at++;
        marks++;
    }
    if (marks == 0 || !degrees_at(s, &at, point, &second)) return false;
    bool named = begin >= 4 && wn_word_at(s, begin - 4, "geo:");
    if (named || (begin > 0 && wn_at(s, begin - 1) == '@')) return true;
    if (close && first >= 2 && second >= 2 && first + second >= DECIMALS_CLOSE) return true;
    return first >= DECIMALS_MIN && second >= DECIMALS_MIN &&
           (first >= DECIMALS_FINE || second >= DECIMALS_FINE);
}

bool wn_scan_gps(wn_scan *s, size_t i) {
    if (minutes_at(s, i)) return true;
    bool sign = i > 0 && (wn_before(s, i) == '-' || wn_before(s, i) == '+');
    size_t begin = sign ? i - 1 : i;
    return pair_at(s, i, begin, '.') || pair_at(s, i, begin, ',');
}
