// SPDX-License-Identifier: Apache-2.0
// Addresses as readers write them, and the words that refuse them.
#include "web_query.h"

#include <criterion/criterion.h>
#include <string.h>

#include "clock.h"

static wn_web_report_ask ask;
static wn_problem problem;

// "name=value&…", as the server splits it.
static size_t split(const char *text, wn_web_pair out[WN_WEB_PAIRS_MAX]) {
    size_t n = 0;
    while (*text && n < WN_WEB_PAIRS_MAX) {
        size_t name = strcspn(text, "=&"), value = text[name] == '=' ? strcspn(text + name + 1, "&") : 0;
        out[n++] = (wn_web_pair){{(const uint8_t *)text, name}, {(const uint8_t *)text + name + 1, value}};
        text += name + (text[name] == '=') + value;
        text += *text == '&';
    }
    return n;
}

static bool parse(const char *text) {
    wn_web_pair pair[WN_WEB_PAIRS_MAX];
    problem = (wn_problem){0};
    bool well = wn_web_report_parse(pair, split(text, pair), &ask, &problem);
    cr_assert_eq(well, problem.kind == WN_PROBLEM_none, "%s", text);
    return well;
}

Test(web_query, refuses_by_name_and_says_what_is_allowed) {
    static const char *const bad[][2] = {
        {"", "table=TABLE"},
        {"table=pages&limt=5", "no parameter limt"},
        {"table=pages&table=pages", "twice"},
        {"table=", "example: table=pages"},
        {"table=Pages", "example: table=pages"},
        {"table=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "example: table=pages"},
        {"table=pages&site=-", "a site's name"},
        {"table=pages&from=tomorrow", "from: a date"},
        {"table=pages&to=2026-02-30", "to: a date"},
        {"table=pages&from=3661d", "from: a date"},
        {"table=pages&period=week", "period: allowed"},
        {"table=pages&period=7d&from=2026-11-01", "not both"},
        {"table=pages&format=table", "json, csv, ndjson, msgpack and meta"},
        {"table=pages&format=xml", "json, csv, ndjson, msgpack and meta"},
        {"table=pages&limit=0", "1 to 10000"},
        {"table=pages&limit=10001", "1 to 10000"},
        {"table=pages&limit=-1", "1 to 10000"},
        {"table=pages&limit=99999999999999999999", "1 to 10000"},
        {"table=pages&by=week", "by: range"},
        {"table=pages&by=day&limit=5", "leave the limit out"},
        {"table=pages&cursor=0123456789abcdef-5", "goes with the limit"},
        {"table=pages&limit=5&cursor=0123456789abcdef", "cursor:"},
        {"table=pages&limit=5&cursor=0123456789abcdeg-5", "cursor:"},
        {"table=pages&limit=5&cursor=0123456789abcdef-", "cursor:"},
        {"table=pages&limit=5&cursor=0123456789abcdef-1048577", "cursor:"},
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        cr_expect(!parse(bad[i][0]), "%s", bad[i][0]);
        cr_expect_eq(problem.kind, WN_PROBLEM_bad_parameter);
        cr_expect(strstr(problem.detail, bad[i][1]), "%s: %s", bad[i][0], problem.detail);
    }
}

Test(web_query, limits_stand_where_they_are_named) {
    char text[300] = "table=pages&site=";
    cr_expect(parse("table=pages&limit=10000") && ask.limit == WN_WEB_LIMIT_MAX);
    cr_expect(parse("table=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    cr_expect(parse("table=pages&from=3660d"));
    memset(text + strlen(text), 'a', 63);
    cr_expect(parse(text) && strlen(ask.site) == 63);
    memset(text + strlen(text), 'a', 66);
    cr_expect(!parse(text) && strstr(problem.detail, "at most 128 bytes"));
    wn_web_pair pair[] = {{{(const uint8_t *)"table", 5}, {(const uint8_t *)"pa\0ges", 6}}};
    cr_expect(!wn_web_report_parse(pair, 1, &ask, &problem));
}

Test(web_query, reads_what_is_right) {
    cr_assert(
        parse("site=shop.example&table=pages&from=2026-11-01&to=2026-11-30&format=csv&by=range&limit=20"));
    cr_expect_str_eq(ask.site, "shop.example");
    cr_expect_str_eq(ask.table, "pages");
    cr_expect(ask.format == WN_REPORT_CSV && !ask.by_day && ask.limit == 20 && ask.offset == 0 &&
              !ask.has_cursor);
    cr_assert(parse("table=pages"));
    cr_expect(ask.format == WN_REPORT_JSON && ask.limit == 0 && ask.site[0] == '\0');
    cr_assert(parse("table=pages&by=day&format=ndjson"));
    cr_expect(ask.by_day && ask.format == WN_REPORT_NDJSON);
}

Test(web_query, a_cursor_comes_back_as_it_was_written) {
    static const uint8_t state[8] = {0xde, 0xad, 0, 1, 2, 3, 4, 0xff};
    char cursor[WN_WEB_CURSOR_BYTES], text[100];
    wn_web_cursor_write(state, 1u << 20, cursor);
    snprintf(text, sizeof text, "table=pages&limit=5&cursor=%s", cursor);
    cr_assert(parse(text));
    cr_expect(ask.has_cursor && ask.offset == 1u << 20 && memcmp(ask.cursor_state, state, 8) == 0);
}

static int32_t day(const char *text) {
    int32_t d;
    cr_assert(wn_day_parse(text, 10, &d));
    return d;
}

Test(web_query, periods_begin_where_their_names_say) {
    static const char *const periods[][3] = {
        {"day", "2026-03-31", "2026-03-31"},   {"yesterday", "2026-03-30", "2026-03-30"},
        {"7d", "2026-03-25", "2026-03-31"},    {"91d", "2025-12-31", "2026-03-31"},
        {"month", "2026-03-01", "2026-03-31"}, {"6mo", "2025-10-01", "2026-03-31"},
        {"12mo", "2025-04-01", "2026-03-31"},  {"year", "2026-01-01", "2026-03-31"},
    };
    int32_t from, to, today = day("2026-03-31");
    for (size_t i = 0; i < WN_COUNT(periods); i++) {
        cr_expect(wn_web_period(periods[i][0], today, &from, &to), "%s", periods[i][0]);
        cr_expect_eq(from, day(periods[i][1]), "%s", periods[i][0]);
        cr_expect_eq(to, day(periods[i][2]), "%s", periods[i][0]);
    }
    cr_expect(wn_web_period("all", today, &from, &to) && to - from + 1 == WN_WEB_DAYS_MAX);
    static const char *const bad[] = {"", "d", "0d", "3661d", "today", "2026-03-01", "24h", "7", "1mo"};
    for (size_t i = 0; i < WN_COUNT(bad); i++)
        cr_expect(!wn_web_period(bad[i], today, &from, &to), "%s", bad[i]);
}

Test(web_query, days_run_forwards_and_are_bounded) {
    int32_t from, to, today = day("2026-03-31");
    cr_assert(parse("table=pages"));
    cr_expect(wn_web_days(&ask, today, &from, &to, &problem) && to == today && from == today - 29);
    cr_assert(parse("table=pages&from=2026-03-02&to=2026-03-01"));
    cr_expect(!wn_web_days(&ask, today, &from, &to, &problem) && strstr(problem.detail, "after"));
    cr_assert(parse("table=pages&from=2000-01-01&to=2010-01-07"));
    cr_expect(wn_web_days(&ask, today, &from, &to, &problem) && to - from + 1 == WN_WEB_DAYS_MAX);
    cr_assert(parse("table=pages&from=2000-01-01&to=2010-01-08"));
    cr_expect(!wn_web_days(&ask, today, &from, &to, &problem) && strstr(problem.detail, "3660"));
}

Test(web_query, a_problem_is_json_whatever_was_asked) {
    char *text = NULL;
    size_t n = 0;
    (void)parse("\"\\\x01<=1");
    FILE *out = open_memstream(&text, &n);
    cr_assert(out);
    wn_problem_write(&problem, out);
    fclose(out);
    cr_expect(strstr(text, "\"type\":\"urn:winnow:problem:bad-parameter\""));
    cr_expect(strstr(text, "There is no parameter \\\"\\\\\\u0001< here"), "%s", text);
    free(text);
}

Test(web_query, accept_chooses_what_it_likes_best) {
    static const struct {
        const char *accept;
        wn_report_format format;
    } rows[] = {
        {NULL, WN_REPORT_JSON},
        {"", WN_REPORT_JSON},
        {"*/*", WN_REPORT_JSON},
        {"image/png", WN_REPORT_JSON},
        {"text/csv", WN_REPORT_CSV},
        {"Text/CSV; charset=utf-8", WN_REPORT_CSV},
        {"text/*", WN_REPORT_CSV},
        {"text/csvx", WN_REPORT_JSON},
        {"application/x-ndjson,text/csv", WN_REPORT_NDJSON},
        {"application/x-ndjson;q=0.5 , text/csv;q=0.501", WN_REPORT_CSV},
        {"application/json;q=0.9,application/msgpack;q=1.0", WN_REPORT_MSGPACK},
        {"application/json;q=0.9,application/vnd.msgpack ; v=2 ; q=0.95", WN_REPORT_MSGPACK},
        {"text/csv;q=0", WN_REPORT_JSON},
        {"text/csv;q=0.000,*/*;q=0.1", WN_REPORT_JSON},
        {"text/csv;q=", WN_REPORT_CSV},
        {"text/csv;q=x", WN_REPORT_JSON},
        {",,;q=1,text/csv", WN_REPORT_CSV},
        {"text/csv;q=9", WN_REPORT_JSON},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(wn_web_accepted(rows[i].accept), rows[i].format, "%s", rows[i].accept);
}
