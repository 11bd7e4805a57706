// SPDX-License-Identifier: Apache-2.0
// identifier_numbers.c: runs of digits and what separates them. First what has
// a check digit or a form of its own; then dates, prices, versions and years
// are let go; any other 7 digits are a telephone number, or another's number.
#include <string.h>

#include "identifier_scan.h"

#define GROUPS_MAX 32
#define DIGITS_MAX 64
#define MARKS_MAX 3 // characters between two groups

#define PHONE_DIGITS_MIN 7
#define PHONE_DIGITS_MAX 15
#define TEL_DIGITS_MIN 5
#define GLUED_DIGITS_MIN 9   // of digits that touch a letter
#define DECIMAL_DIGITS_MAX 9 // a telephone number without its country has ten where a dot follows the area
#define PRICE_DIGITS_MAX 9   // a telephone number of the shortest kind that has its country is longer

typedef struct run {
    uint8_t digit[DIGITS_MAX]; // 0..9
    uint8_t from[GROUPS_MAX];  // group's first digit
    uint8_t len[GROUPS_MAX];
    uint8_t mark[GROUPS_MAX]; // before the group: the separator, '~' when there are several
    size_t groups, digits;
    bool more; // too long for this
    bool plus, tel, glued, price;
} run;

static bool is_mark(uint8_t c) {
    return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' || c == '_' || c == '+';
}

static size_t marks_at(wn_scan *s, size_t i, uint8_t *out_mark) {
    size_t n = 0;
    uint8_t first = wn_at(s, i);
    for (uint8_t c = first; n < MARKS_MAX && is_mark(c); c = wn_at(s, i + n)) n++;
    *out_mark = n > 1 ? '~' : first;
    return n > 0 && wn_is_digit(wn_at(s, i + n)) ? n : 0;
}

static bool is_currency(wn_scan *s, size_t i) {
    uint8_t c = wn_at(s, i);
    if (c == ' ') c = wn_at(s, i + 1);
    return c == '$';
}

static size_t read_run(wn_scan *s, size_t i, run *r) {
    size_t begin = i, marks = 0;
    uint8_t mark = 0;
    uint8_t before = wn_before(s, i);
    if (before == '(') before = wn_before(s, --begin);
    r->plus = before == '+';
    r->tel = i >= 4 && wn_word_at(s, i - 4, "tel:");
    r->glued = wn_is_word(before);
    r->price = before == '$' || (before == ' ' && begin >= 2 && wn_at(s, begin - 2) == '$');
    do {
        i += marks;
        size_t n = 0;
        bool room = r->groups < GROUPS_MAX;
        if (room) {
            r->from[r->groups] = (uint8_t)r->digits;
            r->mark[r->groups] = mark;
        }
        for (uint8_t c = wn_at(s, i); wn_is_digit(c); c = wn_at(s, ++i), n++) {
            room = room && r->digits < DIGITS_MAX;
            if (room) r->digit[r->digits++] = (uint8_t)(c - '0');
        }
        if (room) r->len[r->groups++] = (uint8_t)n;
        else r->more = true;
        marks = marks_at(s, i, &mark);
    } while (marks > 0);
    r->glued |= wn_is_word(wn_at(s, i));
    r->price |= is_currency(s, i);
    return i;
}

static unsigned group_value(const run *r, size_t g) {
    unsigned v = 0;
    for (size_t k = 0; k < r->len[g] && k < 8; k++) v = v * 10 + r->digit[r->from[g] + k];
    return v;
}

// ---- with a check digit or a form ----

static bool luhn(const uint8_t *d, size_t n) {
    unsigned sum = 0;
    for (size_t k = 0; k < n; k++) {
        unsigned v = d[n - 1 - k];
        if (k % 2 == 1) v = v * 2 > 9 ? v * 2 - 9 : v * 2;
        sum += v;
    }
    return sum % 10 == 0;
}

static bool all_same(const uint8_t *d, size_t n) {
    for (size_t k = 1; k < n; k++)
        if (d[k] != d[0]) return false;
    return true;
}

static bool is_book(const uint8_t *d, size_t n) {
    unsigned sum = 0;
    if (n != 13 || d[0] != 9 || d[1] != 7 || (d[2] != 8 && d[2] != 9)) return false;
    for (size_t k = 0; k < 13; k++) sum += d[k] * (k % 2 == 1 ? 3u : 1u);
    return sum % 10 == 0;
}

static bool card_or_imei(const uint8_t *d, size_t n, wn_identifier_kind *out) {
    if (n < 13 || n > 19 || all_same(d, n) || !luhn(d, n)) return false;
    bool amex = d[0] == 3 && (d[1] == 4 || d[1] == 7);
    *out = n == 15 && !amex ? WN_IDENTIFIER_imei : WN_IDENTIFIER_card;
    return true;
}

// "99.999999"; with more digits only behind a single one that is no country's: "3.14159265".
static bool is_decimal(const run *r) {
    if (r->len[0] == 1) return r->digit[0] != 1 || r->len[1] != 10;
    return r->digit[0] != 0 && r->digits <= DECIMAL_DIGITS_MAX;
}

// A decimal number, or "10.0.19045.3803", "0.1 0.2 0.3 0.4": a dot before a single digit.
static bool is_decimal_or_version(const run *r) {
    if (r->groups == 2 && r->mark[1] == '.') return is_decimal(r);
    for (size_t g = 1; g < r->groups; g++)
        if (r->len[g] == 1 && r->mark[g] == '.') return true;
    return false;
}

// Windows of whole groups: a card's number followed by its date still is one.
// A single digit stands at an end if at all: lists of small numbers pass Luhn too.
static bool checked_number(wn_scan *s, const run *r, wn_identifier_kind *out) {
    bool list = r->groups > 2 && is_decimal_or_version(r);
    if (!list && card_or_imei(r->digit, r->digits, out)) return true;
    for (size_t g = 0; g < r->groups; g++) {
        size_t n = 0;
        for (size_t k = g; k < r->groups && n <= 19; k++) {
            n += r->len[k];
            s->steps += n;
            if (card_or_imei(r->digit + r->from[g], n, out)) return true;
            if (k > g && r->len[k] == 1) break;
        }
    }
    return false;
}

static bool has_ssn(const run *r) {
    for (size_t g = 0; g + 2 < r->groups; g++) {
        bool form = r->len[g] == 3 && r->len[g + 1] == 2 && r->len[g + 2] == 4 &&
                    r->mark[g + 1] == r->mark[g + 2] && (r->mark[g + 1] == '-' || r->mark[g + 1] == ' ');
        unsigned area = form ? group_value(r, g) : 0;
        if (area > 0 && area != 666 && area < 900 && group_value(r, g + 1) > 0 && group_value(r, g + 2) > 0)
            return true;
    }
    return false;
}

// ---- what is let go ----

static bool is_year(unsigned v) {
    return v >= 1900 && v <= 2099;
}

static bool is_day(unsigned y, unsigned m, unsigned d) {
    return is_year(y) && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

// How many groups from g on are one date; 0: none.
static size_t date_groups(const run *r, size_t g) {
    unsigned a = group_value(r, g);
    if (r->len[g] == 8 && is_day(a / 10000, a / 100 % 100, a % 100)) return 1;
    if (g + 2 >= r->groups) return 0;
    unsigned b = group_value(r, g + 1), c = group_value(r, g + 2);
    bool small = r->len[g + 1] <= 2;
    if (r->len[g] == 4 && small && r->len[g + 2] <= 2) return is_day(a, b, c) ? 3 : 0;
    if (r->len[g] <= 2 && small && r->len[g + 2] == 4) return is_day(c, b, a) || is_day(c, a, b) ? 3 : 0;
    return 0;
}

// Nothing but dates, and at most as many digits as a time of day has.
static bool is_dates(const run *r) {
    size_t g = 0, dates = 0, rest = 0;
    while (g < r->groups) {
        size_t n = date_groups(r, g);
        dates += n > 0;
        rest += n > 0 ? 0 : r->len[g];
        g += n > 0 ? n : 1;
    }
    return dates > 0 && rest <= 6;
}

// 14 digits: a date and a time.
static bool is_stamp(const run *r) {
    if (r->groups != 1 || (r->digits != 14 && r->digits != 12)) return false;
    unsigned v[6] = {0};
    v[0] = r->digit[0] * 1000u + r->digit[1] * 100u + r->digit[2] * 10u + r->digit[3];
    for (size_t k = 1; k * 2 + 3 < r->digits; k++) v[k] = r->digit[k * 2 + 2] * 10u + r->digit[k * 2 + 3];
    return is_day(v[0], v[1], v[2]) && v[3] < 24 && v[4] < 60 && v[5] < 61;
}

// Years, and up to four more digits apart from them: "1914-1918", "top 100 2024".
static bool is_years(const run *r) {
    size_t others = 0, years = 0;
    bool loose = r->digit[0] != 0;
    bool before = true;
    for (size_t g = 0; g < r->groups; g++) {
        bool year = r->len[g] == 4 && group_value(r, g) >= 1000 && group_value(r, g) <= 2099; // history's too
        bool apart = g == 0 || r->mark[g] == ' ' || r->mark[g] == '/' || r->mark[g] == '~';
        years += year;
        others += year ? 0 : r->len[g];
        loose &= apart || (year && before);
        before = year;
    }
    return years > 0 && (others == 0 || (loose && others <= 4));
}

// "1.234.567", "12 345 678"; 3-3-3 with blanks or dots is how some countries write telephone numbers.
static bool is_thousands(const run *r) {
    if (r->groups < 3 || r->digit[0] == 0 || r->len[0] > 2) return false;
    for (size_t g = 1; g < r->groups; g++)
        if (r->len[g] != 3 || r->mark[g] != r->mark[1] || (r->mark[g] != '.' && r->mark[g] != ' '))
            return false;
    return true;
}

// "1250000": at most three digits and zeros.
static bool is_round(const run *r) {
    if (r->groups != 1 || r->digit[0] == 0) return false;
    for (size_t k = 3; k < r->digits; k++)
        if (r->digit[k] != 0) return false;
    return true;
}

static bool is_ordinary(const run *r) {
    if (is_book(r->digit, r->digits)) return true;
    if (r->price && r->digits <= PRICE_DIGITS_MAX) return true;
    return is_dates(r) || is_stamp(r) || is_years(r) || is_thousands(r) || is_decimal_or_version(r) ||
           is_round(r);
}

static bool judge(wn_scan *s, const run *r, wn_identifier_kind *out) {
    bool book = is_book(r->digit, r->digits);
    *out = r->more || r->digits > PHONE_DIGITS_MAX ? WN_IDENTIFIER_number : WN_IDENTIFIER_phone;
    if (!book && checked_number(s, r, out)) return true;
    if (r->more) return true;
    if (has_ssn(r)) {
        *out = WN_IDENTIFIER_ssn;
        return true;
    }
    if (r->tel) return r->digits >= TEL_DIGITS_MIN;
    if (r->digits < PHONE_DIGITS_MIN) return false;
    if (r->plus) return true;
    if (r->glued && r->digits < GLUED_DIGITS_MIN) return false;
    return !is_ordinary(r);
}

bool wn_scan_number(wn_scan *s, size_t i, size_t *out_end, wn_identifier_kind *out) {
    run r = {0};
    *out_end = read_run(s, i, &r);
    bool hit = judge(s, &r, out);
    wn_wipe(&r, sizeof r);
    return hit;
}

// ---- marks of lists ----

#define WIDE_DIGITS_MIN 10

static bool is_wide(uint8_t c) {
    return c != 0 && strchr(",:*|", c) != NULL;
}

// "192,168,1,1": four bytes, not all written alike.
static bool is_quad(const run *r) {
    if (r->groups != 4 || r->digits < 7) return false;
    bool alike = true;
    for (size_t g = 0; g < 4; g++) {
        if (r->len[g] > 3 || group_value(r, g) > 255) return false;
        alike = alike && r->len[g] == r->len[0];
    }
    return !alike && group_value(r, 0) > 0 && group_value(r, 0) < 224;
}

// "1,234,567,890"; "10,20,30,40,50"; "2024,2025,2026"; "17.05.2024:10:30:00".
static bool is_listed(const run *r) {
    size_t longest = 0, threes = 0, years = 0;
    for (size_t g = 0; g < r->groups; g++) {
        longest = r->len[g] > longest ? r->len[g] : longest;
        threes += g > 0 && r->len[g] == 3;
        years += r->len[g] == 4 && is_year(group_value(r, g));
    }
    if (r->digit[0] != 0 && r->len[0] <= 3 && threes == r->groups - 1) return true;
    return (longest <= 2 && r->digit[0] != 0) || years == r->groups || is_dates(r);
}

bool wn_scan_wide(wn_scan *s, size_t i, size_t *out_end, wn_identifier_kind *out) {
    run r = {0};
    bool wide = false, commas = true;
    for (;;) {
        size_t n = 0;
        bool room = r.groups < GROUPS_MAX;
        if (room) r.from[r.groups] = (uint8_t)r.digits;
        for (uint8_t c = wn_at(s, i); wn_is_digit(c); c = wn_at(s, ++i), n++) {
            room = room && r.digits < DIGITS_MAX;
            if (room) r.digit[r.digits++] = (uint8_t)(c - '0');
        }
        if (room) r.len[r.groups++] = (uint8_t)n;
        else r.more = true;
        uint8_t mark = wn_at(s, i);
        if ((!is_wide(mark) && mark != '-' && mark != '.') || !wn_is_digit(wn_at(s, i + 1))) break;
        wide |= is_wide(mark);
        commas = commas && mark == ',';
        i++;
    }
    *out_end = i;
    *out = WN_IDENTIFIER_number;
    bool hit = false;
    if (wide && commas && is_quad(&r)) {
        *out = WN_IDENTIFIER_ip;
        hit = true;
    } else if (wide && r.digits >= WIDE_DIGITS_MIN) {
        hit = card_or_imei(r.digit, r.digits, out) || !(r.more || is_listed(&r));
    }
    wn_wipe(&r, sizeof r);
    return hit;
}
