// SPDX-License-Identifier: Apache-2.0
// coarse.c: the coarsenings that need no more than their value and a list.
#include "coarse.h"

#include <string.h>

#include "clock.h"
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

static char lower(uint8_t c) {
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static char upper(uint8_t c) {
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

uint16_t wn_language_code(wn_span text) {
    size_t i = 0;
    while (i < text.n && text.p[i] == ' ') i++;
    if (text.n - i < 2) return 0;
    if (text.n - i > 2 && !strchr("-_,; ", text.p[i + 2])) return 0;
    return find_code(languages, WN_COUNT(languages), lower(text.p[i]), lower(text.p[i + 1]));
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
        out[i] = lower(text.p[begin + i]);
        fine = name_byte(out[i]);
    }
    if (!fine || wn_shape_name((const uint8_t *)out, n)) {
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

#define MODEL_DIGITS_MAX 6 // "iPhone14,5" has 3, "2201117TG" of Xiaomi has 7: better lost than a serial kept

size_t wn_model(wn_span text, char out[WN_MODEL_MAX + 1]) {
    size_t n = 0, digits = 0;
    bool fine = text.n > 0 && text.n <= WN_MODEL_MAX;
    for (size_t i = 0; fine && i < text.n; i++) {
        char c = lower(text.p[i]);
        bool digit = c >= '0' && c <= '9';
        fine = digit || (c >= 'a' && c <= 'z') || (c != '\0' && strchr(" ,._+()-/", c) != NULL);
        digits += digit;
        out[n++] = c;
    }
    out[n] = '\0';
    if (fine && digits <= MODEL_DIGITS_MAX) return n;
    wn_wipe(out, n);
    return 0;
}
