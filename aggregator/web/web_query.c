// SPDX-License-Identifier: Apache-2.0
// Why: parameters by their rows: what is not one of them is refused by name,
// since a misspelled limit that is passed over gives a wrong figure.
#include "web_query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "days.h"

typedef bool (*take)(wn_web_report_ask *ask, const char *value, wn_problem *p);

static bool take_site(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    if (wn_site_name_check(value))
        return wn_problem_set(p, WN_PROBLEM_bad_parameter, "site: %s", wn_site_name_check(value));
    strcpy(ask->site, value);
    return true;
}

static bool take_table(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    size_t n = strlen(value);
    if (n == 0 || n >= sizeof ask->table || strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return wn_problem_set(p, WN_PROBLEM_bad_parameter,
                              "table: an id of the plan, as /api/v1/tables lists them; example: table=pages");
    strcpy(ask->table, value);
    return true;
}

static bool take_day(char out[32], const char *name, const char *value, wn_problem *p) {
    int32_t day;
    if (strlen(value) >= 32 || !wn_dates_day(value, 20000, &day))
        return wn_problem_set(p, WN_PROBLEM_bad_parameter,
                              "%s: a date (2026-11-20), today, yesterday or 1d to %dd", name,
                              WN_DAYS_BACK_MAX);
    strcpy(out, value);
    return true;
}

static bool take_from(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    return take_day(ask->from, "from", value, p);
}
static bool take_to(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    return take_day(ask->to, "to", value, p);
}

static bool take_period(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    int32_t from, to;
    if (strlen(value) >= sizeof ask->period || !wn_web_period(value, 20000, &from, &to))
        return wn_problem_set(p, WN_PROBLEM_bad_parameter, "period: allowed are " WN_WEB_PERIODS);
    strcpy(ask->period, value);
    return true;
}

static bool take_format(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    ask->has_format = wn_report_format_parse(value, &ask->format) && ask->format != WN_REPORT_TABLE;
    if (ask->has_format) return true;
    return wn_problem_set(p, WN_PROBLEM_bad_parameter,
                          "format: allowed are json, csv, ndjson, msgpack and meta");
}

static const struct {
    const char *type;
    wn_report_format format;
} types[] = {{"application/json", WN_REPORT_JSON},
             {"application/*", WN_REPORT_JSON},
             {"*/*", WN_REPORT_JSON},
             {"text/csv", WN_REPORT_CSV},
             {"text/*", WN_REPORT_CSV},
             {"application/x-ndjson", WN_REPORT_NDJSON},
             {"application/ndjson", WN_REPORT_NDJSON},
             {"application/vnd.msgpack", WN_REPORT_MSGPACK},
             {"application/msgpack", WN_REPORT_MSGPACK},
             {"application/x-msgpack", WN_REPORT_MSGPACK}};

// Thousandths of the weight in "; q=0.5"; 1000 without one.
static unsigned weight_of(const char *p, const char *end) {
    for (; p < end; p++) {
        if (*p != ';') continue;
        for (p++; p < end && (*p == ' ' || *p == '\t');) p++;
        if (end - p < 3 || (*p | 0x20) != 'q' || p[1] != '=') continue;
        unsigned q = 0, unit = 100;
        if (p[2] == '1') return 1000;
        for (p += 4; p < end && *p >= '0' && *p <= '9' && unit; p++, unit /= 10)
            q += (unsigned)(*p - '0') * unit;
        return q;
    }
    return 1000;
}

wn_report_format wn_web_accepted(const char *accept) {
    wn_report_format best = WN_REPORT_JSON;
    unsigned most = 0;
    for (const char *at = accept ? accept : ""; *at;) {
        const char *end = at + strcspn(at, ",");
        at += strspn(at, " \t");
        size_t n = at < end ? strcspn(at, ",; \t") : 0;
        unsigned q = at < end ? weight_of(at, end) : 0;
        for (size_t i = 0; i < WN_COUNT(types); i++) {
            if (n != strlen(types[i].type) || strncasecmp(at, types[i].type, n) != 0 || q <= most) continue;
            best = types[i].format;
            most = q;
        }
        at = *end ? end + 1 : end;
    }
    return best;
}

static bool take_by(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    ask->by_day = strcmp(value, "day") == 0;
    if (ask->by_day || strcmp(value, "range") == 0) return true;
    return wn_problem_set(p, WN_PROBLEM_bad_parameter,
                          "by: range adds the days up (the default), day gives each row of each day");
}

static bool number(const char *text, size_t max, size_t *out) {
    size_t n = strlen(text), value = 0;
    if (n == 0 || n > 10 || strspn(text, "0123456789") != n) return false;
    for (size_t i = 0; i < n; i++) value = value * 10 + (size_t)(text[i] - '0');
    *out = value;
    return value <= max;
}

static bool take_limit(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    if (number(value, WN_WEB_LIMIT_MAX, &ask->limit) && ask->limit > 0) return true;
    return wn_problem_set(p, WN_PROBLEM_bad_parameter,
                          "limit: rows a page, 1 to %d; without it all rows come", WN_WEB_LIMIT_MAX);
}

static bool take_cursor(wn_web_report_ask *ask, const char *value, wn_problem *p) {
    bool well = strlen(value) > 17 && value[16] == '-';
    for (size_t i = 0; well && i < 8; i++) {
        int high = wn_hex_digit((uint8_t)value[2 * i]), low = wn_hex_digit((uint8_t)value[2 * i + 1]);
        well = high >= 0 && low >= 0;
        if (well) ask->cursor_state[i] = (uint8_t)(high << 4 | low);
    }
    ask->has_cursor = well && number(value + 17, WN_REPORT_ROWS_MAX, &ask->offset);
    if (ask->has_cursor) return true;
    return wn_problem_set(p, WN_PROBLEM_bad_parameter, "cursor: what the page before calls `next`, as it is");
}

static const struct {
    const char *name;
    take take;
} parameters[] = {{"site", take_site}, {"table", take_table},   {"from", take_from},
                  {"to", take_to},     {"period", take_period}, {"format", take_format},
                  {"by", take_by},     {"limit", take_limit},   {"cursor", take_cursor}};

// One value each, and no byte that ends a text of C.
static bool take_pairs(const wn_web_pair *pair, size_t n, size_t known_n, const char *allowed,
                       wn_web_report_ask *ask, wn_problem *p) {
    unsigned seen = 0;
    char value[WN_WEB_VALUE_BYTES_MAX + 1];
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < known_n && !wn_span_is(pair[i].name, parameters[at].name)) at++;
        if (at == known_n)
            return wn_problem_set(p, WN_PROBLEM_bad_parameter,
                                  "There is no parameter %.*s here; allowed are %s",
                                  (int)(pair[i].name.n < 40 ? pair[i].name.n : 40),
                                  pair[i].name.n ? (const char *)pair[i].name.p : "", allowed);
        const char *name = parameters[at].name;
        if (seen & 1u << at)
            return wn_problem_set(p, WN_PROBLEM_bad_parameter, "%s stands there twice; once is enough", name);
        seen |= 1u << at;
        if (pair[i].value.n > WN_WEB_VALUE_BYTES_MAX ||
            (pair[i].value.n && memchr(pair[i].value.p, 0, pair[i].value.n)))
            return wn_problem_set(p, WN_PROBLEM_bad_parameter, "%s: at most %d bytes of text", name,
                                  WN_WEB_VALUE_BYTES_MAX);
        if (pair[i].value.n) memcpy(value, pair[i].value.p, pair[i].value.n);
        value[pair[i].value.n] = '\0';
        if (!parameters[at].take(ask, value, p)) return false;
    }
    return true;
}

bool wn_web_report_parse(const wn_web_pair *pair, size_t n, wn_web_report_ask *out, wn_problem *out_problem) {
    wn_web_report_ask ask = {.format = WN_REPORT_JSON};
    if (!take_pairs(pair, n, WN_COUNT(parameters),
                    "site, table, from, to, period, format, by, limit and cursor", &ask, out_problem))
        return false;
    if (!ask.table[0])
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter,
                              "Say which table with table=TABLE; /api/v1/tables lists them");
    if (ask.period[0] && (ask.from[0] || ask.to[0]))
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter,
                              "Give a period, or from and to, not both");
    if (ask.has_cursor && !ask.limit)
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter,
                              "A cursor goes with the limit it came from");
    if (ask.by_day && ask.limit)
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter,
                              "by=day comes as one answer however long it is; leave the limit out");
    *out = ask;
    return true;
}

bool wn_web_site_parse(const wn_web_pair *pair, size_t n, char out_site[WN_SITE_NAME_BYTES],
                       wn_problem *out_problem) {
    wn_web_report_ask ask = {0};
    if (!take_pairs(pair, n, 1, "site", &ask, out_problem)) return false;
    strcpy(out_site, ask.site);
    return true;
}

void wn_web_cursor_write(const uint8_t state[8], size_t offset, char out[WN_WEB_CURSOR_BYTES]) {
    for (size_t i = 0; i < 8; i++) snprintf(out + 2 * i, 3, "%02x", state[i]);
    snprintf(out + 16, WN_WEB_CURSOR_BYTES - 16, "-%zu", offset);
}

// ---- days ----

// The first of the month `back` months before today's.
static int32_t month_first(int32_t today, unsigned back) {
    wn_date d = wn_day_date(today);
    int32_t day = today - (int32_t)(d.d - 1);
    while (back-- > 0) {
        wn_date before = wn_day_date(day - 1);
        day -= (int32_t)wn_month_days(before.y, before.m);
    }
    return day;
}

bool wn_web_period(const char *text, int32_t today, int32_t *out_from, int32_t *out_to) {
    *out_to = today;
    if (strcmp(text, "day") == 0) *out_from = today;
    else if (strcmp(text, "yesterday") == 0) *out_from = *out_to = today - 1;
    else if (strcmp(text, "month") == 0) *out_from = month_first(today, 0);
    else if (strcmp(text, "6mo") == 0) *out_from = month_first(today, 5);
    else if (strcmp(text, "12mo") == 0) *out_from = month_first(today, 11);
    else if (strcmp(text, "year") == 0) *out_from = month_first(today, wn_day_date(today).m - 1);
    else if (strcmp(text, "all") == 0) *out_from = today - (WN_WEB_DAYS_MAX - 1);
    else return text[0] && text[strlen(text) - 1] == 'd' && wn_dates_day(text, today, out_from);
    return true;
}

bool wn_web_days(const wn_web_report_ask *ask, int32_t today, int32_t *out_from, int32_t *out_to,
                 wn_problem *out_problem) {
    if (ask->period[0]) return wn_web_period(ask->period, today, out_from, out_to);
    if (!wn_dates_day(ask->from[0] ? ask->from : "30d", today, out_from) ||
        !wn_dates_day(ask->to[0] ? ask->to : "today", today, out_to))
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter, "from and to are dates");
    if (*out_from > *out_to)
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter, "from lies after to");
    if (*out_to - *out_from >= WN_WEB_DAYS_MAX)
        return wn_problem_set(out_problem, WN_PROBLEM_bad_parameter, "At most %d days at once",
                              WN_WEB_DAYS_MAX);
    return true;
}
