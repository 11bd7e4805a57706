// SPDX-License-Identifier: Apache-2.0
// window.c: windows and dates as text.
//
// Dates are computed here, because the C library's functions take locks, read
// TZ and accept dates that do not exist.
#include "winnow/window.h"

#include <string.h>

#include "clock.h"

enum { YEAR_MIN = 1, YEAR_MAX = 9999, DATE_CHARS = 10, TIME_CHARS_MIN = 20 }; // "2026-11-20T10:00:00Z"

static const char kinds[WN_KIND_N][4] = {[WN_KIND_WEB] = "web", [WN_KIND_APP] = "app"};

static bool is_leap(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned wn_month_days(int64_t year, unsigned month) {
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29u : days[month - 1];
}

// Days from 1970-01-01 to January 1st of `year` (year ≥ 1).
static int64_t year_start(int64_t year) {
    int64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static int32_t day_of(int64_t year, unsigned month, unsigned day) {
    int64_t days = year_start(year) + day - 1;
    for (unsigned m = 1; m < month; m++) days += wn_month_days(year, m);
    return (int32_t)days;
}

static void put_digits(char *out, unsigned n, int64_t value) {
    while (n > 0) {
        out[--n] = (char)('0' + value % 10);
        value /= 10;
    }
}

// False unless all n characters are digits.
static bool take_digits(const char *text, unsigned n, unsigned *out) {
    unsigned value = 0;
    for (unsigned i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return true;
}

wn_date wn_day_date(int32_t day) {
    int64_t days = day;
    if (days < year_start(YEAR_MIN)) days = year_start(YEAR_MIN);
    if (days >= year_start(YEAR_MAX + 1)) days = year_start(YEAR_MAX + 1) - 1;
    int64_t year = (days + 719162) / 366 + 1; // never too late
    while (year_start(year + 1) <= days) year++;
    int64_t rest = days - year_start(year);
    unsigned month = 1;
    while (rest >= wn_month_days(year, month)) rest -= wn_month_days(year, month++);
    return (wn_date){(unsigned)year, month, (unsigned)rest + 1};
}

void wn_day_text(int32_t day, char out[11]) {
    wn_date date = wn_day_date(day);
    put_digits(out, 4, date.y);
    out[4] = '-';
    put_digits(out + 5, 2, date.m);
    out[7] = '-';
    put_digits(out + 8, 2, date.d);
    out[10] = '\0';
}

bool wn_day_parse(const char *text, size_t n, int32_t *out) {
    unsigned year, month, day;
    if (n != DATE_CHARS || text[4] != '-' || text[7] != '-') return false;
    if (!take_digits(text, 4, &year) || !take_digits(text + 5, 2, &month) ||
        !take_digits(text + 8, 2, &day)) {
        return false;
    }
    if (year < YEAR_MIN || month < 1 || month > 12 || day < 1 || day > wn_month_days(year, month))
        return false;
    *out = day_of(year, month, day);
    return true;
}

// "Z", "+01:00", "-08:30": all that may follow the seconds.
static bool take_offset(const char *text, size_t n, int64_t *out_s) {
    if (n == 1 && (text[0] == 'Z' || text[0] == 'z')) {
        *out_s = 0;
        return true;
    }
    unsigned hours, minutes;
    if (n != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
    if (!take_digits(text + 1, 2, &hours) || !take_digits(text + 4, 2, &minutes)) return false;
    if (hours > 23 || minutes > 59) return false;
    int64_t offset_s = (int64_t)hours * 3600 + minutes * 60;
    *out_s = text[0] == '-' ? -offset_s : offset_s;
    return true;
}

bool wn_time_parse(const char *text, size_t n, int64_t *out_s) {
    int32_t day;
    unsigned hour, minute, second;
    if (n < TIME_CHARS_MIN || !wn_day_parse(text, DATE_CHARS, &day)) return false;
    if ((text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') return false;
    if (!take_digits(text + 11, 2, &hour) || !take_digits(text + 14, 2, &minute) ||
        !take_digits(text + 17, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60) return false;
    if (second == 60) second = 59;
    size_t at = 19;
    if (text[at] == '.') {
        size_t first = ++at;
        while (at < n && text[at] >= '0' && text[at] <= '9') at++;
        if (at == first) return false;
    }
    int64_t offset_s;
    if (!take_offset(text + at, n - at, &offset_s)) return false;
    *out_s = (int64_t)day * 86400 + hour * 3600 + minute * 60 + second - offset_s;
    return true;
}

void wn_window_text(const wn_window *w, char out[WN_WINDOW_TEXT_BYTES]) {
    WN_ASSERT(w->kind < WN_KIND_N);
    wn_day_text(w->day, out);
    size_t at = DATE_CHARS;
    out[at++] = '.';
    memcpy(out + at, kinds[w->kind], 3);
    at += 3;
    out[at++] = '.';
    // Names of real zones always fit and never have '_' beside '/'
    // (wn_zone_find refuses others), so two of them never give one text.
    for (size_t i = 0; i < WN_ZONE_BYTES && w->zone[i] != '\0' && at + 2 < WN_WINDOW_TEXT_BYTES; i++) {
        if (w->zone[i] == '_') out[at++] = '_';
        out[at++] = w->zone[i] == '/' ? '_' : w->zone[i];
    }
    out[at] = '\0';
}

bool wn_window_same(const wn_window *a, const wn_window *b) {
    return a->day == b->day && a->kind == b->kind && strncmp(a->zone, b->zone, WN_ZONE_BYTES) == 0;
}

bool wn_window_parse(const char *text, wn_window *out) {
    size_t n = strlen(text);
    int32_t day;
    if (n < DATE_CHARS + 6 || n >= WN_WINDOW_TEXT_BYTES || !wn_day_parse(text, DATE_CHARS, &day))
        return false;
    if (text[10] != '.' || text[14] != '.') return false;
    unsigned kind = 0;
    while (kind < WN_KIND_N && memcmp(text + 11, kinds[kind], 3) != 0) kind++;
    if (kind == WN_KIND_N) return false;
    char zone[WN_ZONE_BYTES];
    size_t z = 0;
    for (size_t i = 15; i < n; i++) {
        if (z + 1 == sizeof zone) return false;
        bool pair = text[i] == '_' && text[i + 1] == '_';
        zone[z++] = text[i] == '_' && !pair ? '/' : text[i];
        i += pair;
    }
    zone[z] = '\0';
    const wn_zone *found = wn_zone_find(zone);
    if (found == NULL) return false;
    wn_zone_window_of_day(found, (wn_kind)kind, day, out);
    return true;
}
