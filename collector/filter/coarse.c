// SPDX-License-Identifier: Apache-2.0
// coarse.c: the coarsenings that need no more than their value and a list.
#include "coarse.h"

#include <string.h>

#include "clock.h"
#include "identifiers.h"
#include "shape.h"

// Rows are sorted; a test says so.
#define LANGUAGE(code) code,
static const char languages[][3] = {
#include "languages.def"
};
#undef LANGUAGE
#define COUNTRY(code) code,
static const char countries[][3] = {
#include "countries.def"
};
#undef COUNTRY

static uint16_t find_code(const char (*rows)[3], size_t n, char a, char b) {
    unsigned want = (unsigned)(uint8_t)a << 8 | (uint8_t)b;
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        unsigned have = (unsigned)(uint8_t)rows[mid][0] << 8 | (uint8_t)rows[mid][1];
        if (have == want) return (uint16_t)want;
        if (have < want) low = mid + 1;
        else high = mid;
    }
    return 0;
}

static char upper(uint8_t c) {
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

uint16_t wn_language_code(wn_span text) {
    size_t i = 0;
    while (i < text.n && text.p[i] == ' ') i++;
    if (text.n - i < 2) return 0;
    if (text.n - i > 2 && !strchr("-_,; ", text.p[i + 2])) return 0;
    return find_code(languages, WN_COUNT(languages), (char)wn_lower(text.p[i]),
                     (char)wn_lower(text.p[i + 1]));
}

uint16_t wn_country_code(wn_span two_letters) {
    if (two_letters.n != 2) return 0;
    return find_code(countries, WN_COUNT(countries), upper(two_letters.p[0]), upper(two_letters.p[1]));
}

uint16_t wn_zone_area(wn_span zone) {
#define AREA(id, label) label,
    static const char *const areas[] = {
#include "areas.def"
    };
#undef AREA
    const uint8_t *slash = zone.n > 0 ? memchr(zone.p, '/', zone.n) : NULL;
    if (slash == NULL) return 0;
    size_t n = (size_t)(slash - zone.p);
    for (uint16_t i = 0; i < WN_COUNT(areas); i++)
        if (strlen(areas[i]) == n && memcmp(areas[i], zone.p, n) == 0) return (uint16_t)(i + 1);
    return 0;
}

uint16_t wn_screen_class(wn_span text) {
    static const unsigned width_min[] = {
#define SCREEN(id, label, width) width,
#include "screens.def"
#undef SCREEN
    };
    unsigned width = 0;
    size_t i = 0;
    for (; i < text.n && i < 6 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        width = width * 10 + (text.p[i] - '0');
    if (i == 0) return 0;
    if (i < text.n) {
        if (text.p[i++] != 'x' || i == text.n) return 0;
        for (; i < text.n; i++)
            if (text.p[i] < '0' || text.p[i] > '9') return 0;
    }
    uint16_t class = 0;
    for (uint16_t row = 0; row < WN_COUNT(width_min); row++)
        if (width >= width_min[row]) class = (uint16_t)(row + 1);
    return class;
}

#define SECONDS_MAX 100000000000LL // larger numbers are milliseconds
bool wn_event_time(wn_span text, int64_t *out_s) {
    int64_t value = 0;
    size_t i = 0;
    for (; i < text.n && i < 16 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        value = value * 10 + (text.p[i] - '0');
    if (i > 0 && (i == text.n || text.p[i] == '.')) {
        for (size_t point = i; i < text.n; i++)
            if (i > point && (text.p[i] < '0' || text.p[i] > '9')) return false;
        *out_s = value > SECONDS_MAX ? value / 1000 : value;
        return true;
    }
    int64_t at_s = 0;
    if (text.n == 0 || !wn_time_parse((const char *)text.p, text.n, &at_s) || at_s < 0) return false;
    *out_s = at_s;
    return true;
}

static bool name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ' ' || c == '.' || c == ':' ||
           c == '-';
}

size_t wn_event_name(wn_span text, char out[WN_EVENT_NAME_MAX + 1]) {
    size_t begin = 0, end = text.n;
    if (end == 8 && memcmp(text.p, "pageview", 8) == 0) { // nearly all events
        memcpy(out, "pageview", 9);
        return 8;
    }
    while (begin < end && text.p[begin] == ' ') begin++;
    while (end > begin && text.p[end - 1] == ' ') end--;
    if (begin == end) return 0;
    size_t n = end - begin;
    bool fine = n <= WN_EVENT_NAME_MAX;
    for (size_t i = 0; fine && i < n; i++) {
        out[i] = (char)wn_lower(text.p[begin + i]);
        fine = name_byte(out[i]);
    }
    wn_span raw = {text.p + begin, n}; // some keys are known by their capitals
    if (!fine || wn_shape_name(raw.p, n) || wn_identifier_in(raw, NULL)) {
        wn_wipe(out, WN_EVENT_NAME_MAX + 1);
        memcpy(out, ":x", 3);
        return 2;
    }
    out[n] = '\0';
    return n;
}

bool wn_count(wn_span text, uint64_t *out) {
    uint64_t v = 0;
    size_t i = 0;
    for (; i < text.n && i < 18 && text.p[i] >= '0' && text.p[i] <= '9'; i++) v = v * 10 + (text.p[i] - '0');
    if (i == 0 || (i < text.n && text.p[i] != '.')) return false;
    *out = v;
    return true;
}

// Of a device's name and its owner's nothing tells which is which; so a model is
// a word of the list, what makers put behind it, and two words more.
#define MODEL_WORDS_MAX 3
#define MODEL_WORD_CHARS_MAX 8
#define MODEL_DIGITS_MAX 5 // of a word: "2201117TG" is lost, a serial number not kept

static bool is_model_mark(char c) {
    return c != '\0' && strchr(",-+().", c) != NULL;
}

// Bytes of the listed word that text begins with; 0: none.
static size_t model_word(const char *text, size_t n) {
    static const struct {
        const char *text;
        uint8_t n;
    } rows[] = {
#define MODEL_WORD(text) {text, sizeof(text) - 1},
#include "model_words.def"
#undef MODEL_WORD
    };
    size_t best = 0;
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if (rows[i].text[0] == text[0] && rows[i].n <= n && rows[i].n > best &&
            memcmp(text, rows[i].text, rows[i].n) == 0)
            best = rows[i].n;
    // "note" begins no "noted": behind letters stands a digit or a mark.
    bool edge = best > 0 && (best == n || text[best - 1] == '-' || text[best] < 'a' || text[best] > 'z');
    return edge ? best : 0;
}

static bool is_model_part(const char *s, size_t n) {
#define MODEL_PART(text) text,
    static const char *const parts[] = {
#include "model_words.def"
    };
#undef MODEL_PART
    if (n <= 2) return true;
    for (size_t i = 0; i < WN_COUNT(parts); i++)
        if (parts[i][0] == s[0] && strlen(parts[i]) == n && memcmp(parts[i], s, n) == 0) return true;
    return false;
}

// What stands behind the listed word, and each further word: with a digit, or
// one of the words makers use.
static bool model_rest(const char *s, size_t n) {
    size_t digits = 0, from = 0;
    if (n > MODEL_WORD_CHARS_MAX) return false;
    while (from < n && is_model_mark(s[from])) from++;
    for (size_t i = from; i < n; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9', letter = s[i] >= 'a' && s[i] <= 'z';
        if (!digit && !letter && !is_model_mark(s[i])) return false;
        digits += digit;
    }
    return digits <= MODEL_DIGITS_MAX && (digits > 0 || is_model_part(s + from, n - from));
}

static bool is_model(const char *s, size_t n) {
    size_t at = model_word(s, n), words = 1;
    if (at == 0) return false;
    for (size_t begin = at; at <= n; at++) {
        if (at < n && s[at] != ' ') continue;
        if (!model_rest(s + begin, at - begin) || words > MODEL_WORDS_MAX) return false;
        words++;
        begin = at + 1;
    }
    return true;
}

size_t wn_model(wn_span text, char out[WN_MODEL_MAX + 1]) {
    size_t n = text.n <= WN_MODEL_MAX ? text.n : 0;
    for (size_t i = 0; i < n; i++) out[i] = (char)wn_lower(text.p[i]);
    if (n > 0 && is_model(out, n) && !wn_identifier_in(text, NULL)) {
        out[n] = '\0';
        return n;
    }
    wn_wipe(out, n);
    out[0] = '\0';
    return 0;
}
