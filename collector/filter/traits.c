// SPDX-License-Identifier: Apache-2.0
// traits.c: bands by their least value, lists by their words.
#include "traits.h"

#include <string.h>

#include "clock.h"
#include "plain.h"

#define YEARS_MAX 120
#define TITLE_BYTES_MAX 128
#define WORD_BYTES_MAX 24

// ---- age ----

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool exists(wn_date a) {
    return a.y >= 1 && a.m >= 1 && a.m <= 12 && a.d >= 1 && a.d <= wn_month_days(a.y, a.m);
}

static bool later(wn_date a, wn_date b) {
    if (a.y != b.y) return a.y > b.y;
    return a.m != b.m ? a.m > b.m : a.d > b.d;
}

// Up to three numbers joined by one mark; what stands behind 'T' or ' ' is left.
static size_t numbers(wn_span text, unsigned value[3], size_t digits[3]) {
    size_t n = 0, i = 0;
    uint8_t mark = 0;
    for (; n < 3; n++) {
        value[n] = 0;
        digits[n] = 0;
        for (; i < text.n && is_digit(text.p[i]); i++) {
            if (++digits[n] > 8) return 0;
            value[n] = value[n] * 10 + (text.p[i] - '0');
        }
        if (digits[n] == 0) return 0;
        if (i == text.n) return n + 1;
        uint8_t c = text.p[i++];
        if (c == 'T' || c == ' ') return n == 2 ? 3 : 0;
        bool joins = (c == '-' || c == '/' || c == '.') && (mark == 0 || c == mark);
        if (!joins) return 0;
        mark = c;
    }
    return 0;
}

static bool youngest(wn_date a, wn_date b, wn_date *out) {
    if (!exists(a) && !exists(b)) return false;
    *out = !exists(b) || (exists(a) && later(a, b)) ? a : b;
    return true;
}

static bool birthday(wn_span text, wn_date *out) {
    unsigned v[3];
    size_t digits[3], n = numbers(text, v, digits);
    wn_date a = {0};
    if (n == 1 && digits[0] == 8) a = (wn_date){v[0] / 10000, v[0] / 100 % 100, v[0] % 100};
    else if (n == 1 && digits[0] == 4) a = (wn_date){v[0], 12, 31};
    else if (n == 2 && digits[0] == 4 && v[1] >= 1 && v[1] <= 12)
        a = (wn_date){v[0], v[1], wn_month_days(v[0], v[1])};
    else if (n == 3 && digits[0] == 4) a = (wn_date){v[0], v[1], v[2]};
    else if (n == 3 && digits[2] == 4) {
        wn_date month_first = {v[2], v[0], v[1]};
        bool dots = memchr(text.p, '.', text.n) != NULL;
        return youngest((wn_date){v[2], v[1], v[0]}, dots ? (wn_date){0} : month_first, out);
    }
    *out = a;
    return exists(a);
}

// "12", "12.0", "12.5": whole years, as programs write numbers.
static bool years_stated(wn_span text, unsigned *out) {
    unsigned years = 0;
    size_t i = 0;
    for (; i < text.n && i < 3 && is_digit(text.p[i]); i++) years = years * 10 + (text.p[i] - '0');
    if (i == 0) return false;
    if (i < text.n && text.p[i++] != '.') return false;
    size_t fraction = i;
    for (; i < text.n; i++)
        if (!is_digit(text.p[i])) return false;
    if (i - fraction > 6 || memchr(text.p + fraction, '.', i - fraction) != NULL) return false;
    *out = years;
    return true;
}

static wn_span trimmed(wn_span s) {
    while (s.n > 0 && s.p[0] == ' ') s = (wn_span){s.p + 1, s.n - 1};
    while (s.n > 0 && s.p[s.n - 1] == ' ') s.n--;
    return s;
}

static bool years_of(wn_span text, int32_t today, unsigned *out) {
    text = trimmed(text);
    if (years_stated(text, out)) return *out <= YEARS_MAX;
    wn_date born, now = wn_day_date(today);
    if (!birthday(text, &born)) return false;
    bool partial = text.n == 4 || text.n == 7; // read as its last day, which may be to come
    if (later(born, now) && !(partial && born.y == now.y)) return false;
    if (born.y > now.y) return false;
    bool had = now.m > born.m || (now.m == born.m && now.d >= born.d);
    *out = now.y - born.y - (had || now.y == born.y ? 0 : 1);
    return *out <= YEARS_MAX;
}

wn_age wn_age_band(wn_span text, int32_t today) {
    static const unsigned years_min[] = {
#define AGE_BAND(id, label, years_min) years_min,
#include "age_bands.def"
#undef AGE_BAND
    };
    unsigned years = 0, row = 0;
    if (text.n == 0 || !years_of(text, today, &years)) return WN_AGE_unknown;
    while (row < WN_COUNT(years_min) && years >= years_min[row]) row++;
    return (wn_age)row;
}

wn_age wn_birthday_band(wn_span text, int32_t today) {
    unsigned years = 0;
    return years_stated(trimmed(text), &years) ? WN_AGE_unknown : wn_age_band(text, today);
}

uint16_t wn_size_band(uint64_t count) {
    static const uint64_t count_min[] = {
#define SIZE_BAND(id, label, count_min) count_min,
#include "size_bands.def"
#undef SIZE_BAND
    };
    uint16_t row = 0;
    while (row < WN_COUNT(count_min) && count >= count_min[row]) row++;
    return row;
}

// ---- lists ----

typedef struct listed {
    const char *text;
    uint16_t value;
} listed;

enum {
    FAMILY_unknown,
#define JOB_FAMILY(id, label) FAMILY_##id,
#include "job_families.def"
};
static const listed job_words[] = {
#define JOB_WORD(text, id) {text, FAMILY_##id},
#include "job_families.def"
};

enum {
    CONNECTION_unknown,
#define CONNECTION(id, label) CONNECTION_##id,
#include "connections.def"
};
static const listed connection_words[] = {
#define CONNECTION_WORD(text, id) {text, CONNECTION_##id},
#include "connections.def"
};

enum {
    MAKER_unknown,
#define MAKER(id, label) MAKER_##id,
#include "makers.def"
};
static const listed maker_words[] = {
#define MAKER_WORD(text, id) {text, MAKER_##id},
#include "makers.def"
};

static uint16_t find(const listed *rows, size_t n, const char *word) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].text, word) == 0) return rows[i].value;
    return 0;
}

static bool is_wordy(uint8_t c) {
    return is_digit(c) || (wn_lower(c) >= 'a' && wn_lower(c) <= 'z') || c == WN_PLAIN_LETTER;
}

// The next word of letters and digits, lower case, accents gone; *out_n: its
// length, 0 at the end. A longer one is cut: no row is as long.
static size_t next_word(const uint8_t *t, size_t n, size_t i, char out[WORD_BYTES_MAX + 1], size_t *out_n) {
    size_t to = 0;
    while (i < n && !is_wordy(t[i])) i++;
    for (; i < n && is_wordy(t[i]); i++)
        if (to < WORD_BYTES_MAX) out[to++] = (char)wn_lower(t[i]);
    out[to] = '\0';
    *out_n = to;
    return i;
}

uint16_t wn_job_family(wn_span title) {
    uint8_t t[WN_PLAIN_MAX];
    char word[WORD_BYTES_MAX + 1];
    size_t n = 0, bytes = 0;
    if (title.n > TITLE_BYTES_MAX) return FAMILY_other;
    if (wn_plain(title, t, &n) != WN_PLAIN_DONE) return 0;
    uint16_t best = 0;
    for (size_t i = next_word(t, n, 0, word, &bytes); bytes > 0; i = next_word(t, n, i, word, &bytes)) {
        uint16_t family = find(job_words, WN_COUNT(job_words), word);
        if (family == 0) family = FAMILY_other;
        if (best == 0 || family < best) best = family;
    }
    wn_wipe(t, n);
    wn_wipe(word, sizeof word);
    return best;
}

// The whole text as one word.
static uint16_t find_joined(const listed *rows, size_t rows_n, wn_span text, uint16_t otherwise) {
    char word[WORD_BYTES_MAX + 1];
    size_t to = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = wn_lower(text.p[i]);
        if (c == '-' || c == '_' || c == ' ') continue;
        if (to == WORD_BYTES_MAX) return otherwise;
        word[to++] = (char)c;
    }
    word[to] = '\0';
    uint16_t value = to > 0 ? find(rows, rows_n, word) : 0;
    wn_wipe(word, sizeof word);
    return value != 0 || to == 0 ? value : otherwise;
}

uint16_t wn_connection(wn_span text) {
    return find_joined(connection_words, WN_COUNT(connection_words), text, 0);
}

uint16_t wn_maker(wn_span text) {
    return find_joined(maker_words, WN_COUNT(maker_words), text, MAKER_other);
}
