// SPDX-License-Identifier: Apache-2.0
// Queries of the Stats API v2: what is taken, what is refused with which words,
// and which table answers.
#include "stats_ask.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static wn_body body;
static wn_stats_ask ask;
static wn_problem problem;

static bool parse(const char *text) {
    const char *why;
    problem = (wn_problem){0};
    cr_assert(wn_body_parse((wn_span){(const uint8_t *)text, strlen(text)}, &body, &why), "%s: %s", text,
              why);
    return wn_stats_parse(&body, &ask, &problem);
}

// With the three keys that are needed.
static bool parse_with(const char *more) {
    char text[2000];
    snprintf(text, sizeof text, "{\"site_id\":\"shop\",\"date_range\":\"7d\",\"metrics\":[\"visitors\"]%s%s}",
             more[0] ? "," : "", more);
    return parse(text);
}

static bool body_ok(const char *text, size_t n) {
    const char *why;
    return wn_body_parse((wn_span){(const uint8_t *)text, n}, &body, &why);
}

Test(stats, a_body_is_one_json_value_of_bounded_shape) {
    static const char *const bad[] = {
        "", "{", "{}{}", "[1,]", "{\"a\":1,}", "nul", "[[[[[[[[[]]]]]]]]]", "\"\\u0000\"", "\"\xff\""};
    for (size_t i = 0; i < WN_COUNT(bad); i++) cr_expect(!body_ok(bad[i], strlen(bad[i])), "%zu", i);
    static const char *const good[] = {"{}", " [[[[[[[[]]]]]]]] ",
                                       "{\"a\":[1,2.5,true,false,null,\"\\u00e9\"]}"};
    for (size_t i = 0; i < WN_COUNT(good); i++) cr_expect(body_ok(good[i], strlen(good[i])), "%zu", i);
    char many[2 * WN_BODY_NODES_MAX + 4] = "[";
    for (size_t i = 1; i < WN_BODY_NODES_MAX; i++) strcat(many, i == 1 ? "1" : ",1");
    strcat(many, "]");
    cr_expect(body_ok(many, strlen(many)) && body.n == WN_BODY_NODES_MAX);
    strcpy(many + strlen(many) - 1, ",1]");
    cr_expect(!body_ok(many, strlen(many)));
    char *text = malloc(WN_BODY_TEXT_MAX + 4);
    cr_assert(text);
    memset(text, 'a', WN_BODY_TEXT_MAX + 4);
    text[0] = text[WN_BODY_TEXT_MAX + 1] = text[WN_BODY_TEXT_MAX + 2] = '"';
    cr_expect(body_ok(text, WN_BODY_TEXT_MAX + 2));
    text[WN_BODY_TEXT_MAX + 1] = 'a';
    cr_expect(!body_ok(text, WN_BODY_TEXT_MAX + 3));
    free(text);
}

Test(stats, a_whole_query_is_read) {
    cr_assert(
        parse_with(
            "\"dimensions\":[\"time:day\",\"visit:country\"],\"filters\":[[\"is_not\",\"visit:country\","
            "[\"DE\",\"FR\"]]],\"order_by\":[[\"visitors\",\"asc\"],[\"time:day\",\"desc\"]],"
            "\"include\":{\"time_labels\":true,\"total_rows\":true,\"imports\":false},"
            "\"pagination\":{\"limit\":5,\"offset\":10}"),
        "%s", problem.detail);
    cr_expect_str_eq(ask.site, "shop");
    cr_expect(ask.metrics_n == 1 && ask.dims_n == 2 && ask.time == WN_STATS_DAY);
    cr_expect(ask.filters_n == 1 && ask.filter[0].op == WN_STATS_IS_NOT && ask.filter[0].values_n == 2);
    cr_expect(ask.orders_n == 2 && ask.order[0].by_metric && !ask.order[0].descending &&
              ask.order[1].descending);
    cr_expect(ask.time_labels && ask.total_rows && !ask.imports && ask.limit == 5 && ask.offset == 10);
    wn_stats_settle(&ask, 20000);
    cr_expect(ask.from_day == 19994 && ask.to_day == 20000);
}

Test(stats, what_would_be_passed_over_is_refused) {
    static const char *const bad[][2] = {
        {"\"nothing\":1", "Allowed keys"},
        {"\"site_id\":\"again\"", "twice"},
        {"\"dimensions\":[\"event:goal\"]", "is no dimension"},
        {"\"dimensions\":[1]", "is no dimension"},
        {"\"dimensions\":\"event:page\"", "a list"},
        {"\"dimensions\":[\"event:page\",\"event:page\"]", "each once"},
        {"\"dimensions\":[\"time:day\",\"time:hour\"]", "one of time"},
        {"\"dimensions\":[\"event:page\",\"event:name\",\"visit:os\",\"visit:device\"]", "at most 3"},
        {"\"filters\":[[\"matches\",\"event:page\",[\"a\"]]]", "filters: [["},
        {"\"filters\":[[\"or\",[[\"is\",\"event:page\",[\"a\"]]]]]", "filters: [["},
        {"\"filters\":[[\"is\",\"event:page\",\"a\"]]", "filters: [["},
        {"\"filters\":[[\"is\",\"event:page\",[\"a\"],{\"case_sensitive\":false}]]", "filters: [["},
        {"\"filters\":[[\"is\",\"event:page\",[]]]", "1 to 32"},
        {"\"filters\":[[\"is\",\"event:page\",[1]]]", "1 to 32"},
        {"\"filters\":[[\"is\",\"time:day\",[\"2026-11-01\"]]]", "date_range"},
        {"\"filters\":[[]]", "filters: [["},
        {"\"filters\":[[\"is\"]]", "filters: [["},
        {"\"order_by\":[[\"visits\",\"asc\"]]", "order_by"},
        {"\"order_by\":[[\"visitors\",\"up\"]]", "order_by"},
        {"\"order_by\":[[\"visitors\"]]", "order_by"},
        {"\"include\":{\"comparisons\":true}", "include"},
        {"\"include\":{\"total_rows\":1}", "include"},
        {"\"include\":{\"time_labels\":true}", "needs a dimension of time"},
        {"\"pagination\":{\"limit\":0}", "pagination"},
        {"\"pagination\":{\"limit\":10001}", "pagination"},
        {"\"pagination\":{\"limit\":1.5}", "pagination"},
        {"\"pagination\":{\"page\":1}", "pagination"},
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        cr_expect(!parse_with(bad[i][0]), "%s", bad[i][0]);
        cr_expect_eq(problem.kind, WN_PROBLEM_bad_query);
        cr_expect(strstr(problem.detail, bad[i][1]), "%s: %s", bad[i][0], problem.detail);
    }
    static const char *const whole[][2] = {
        {"[]", "one JSON object"},
        {"{\"date_range\":\"7d\",\"metrics\":[\"visitors\"]}", "site_id: is missing"},
        {"{\"site_id\":\"s\",\"metrics\":[\"visitors\"]}", "date_range: is missing"},
        {"{\"site_id\":\"s\",\"date_range\":\"7d\"}", "metrics: is missing"},
        {"{\"site_id\":\"s\",\"date_range\":\"7d\",\"metrics\":[]}", "at least one"},
        {"{\"site_id\":\"s\",\"date_range\":\"7d\",\"metrics\":[\"visitors\",\"visitors\"]}", "each once"},
        {"{\"site_id\":\"s\",\"date_range\":\"7d\",\"metrics\":[\"conversion_rate\"]}", "would need events"},
        {"{\"site_id\":\"s\",\"date_range\":\"24h\",\"metrics\":[\"visitors\"]}", "whole local days"},
        {"{\"site_id\":\"s\",\"date_range\":[\"2026-11-01\"],\"metrics\":[\"visitors\"]}",
         "whole local days"},
        {"{\"site_id\":\"s\",\"date_range\":[\"2026-11-02\",\"2026-11-01\"],\"metrics\":[\"visitors\"]}",
         "after"},
        {"{\"site_id\":\"s\",\"date_range\":[\"2000-01-01\",\"2026-11-01\"],\"metrics\":[\"visitors\"]}",
         "3660"},
        {"{\"site_id\":\"s\",\"date_range\":[\"2026-11-01T00:00:00Z\",\"2026-11-01T01:00:00Z\"],\"metrics\":["
         "\"visitors\"]}",
         "whole local days"},
        {"{\"site_id\":5,\"date_range\":\"7d\",\"metrics\":[\"visitors\"]}", "site_id"},
    };
    for (size_t i = 0; i < WN_COUNT(whole); i++) {
        cr_expect(!parse(whole[i][0]), "%s", whole[i][0]);
        cr_expect(strstr(problem.detail, whole[i][1]), "%s: %s", whole[i][0], problem.detail);
    }
}

// ---- which table answers ----

static wn_plan plan;
static const char *hidden; // a table that this reader does not read

static bool reads(void *ctx, const wn_table *t) {
    (void)ctx;
    return !hidden || strcmp(t->id, hidden) != 0;
}

static void add(const char *id, uint8_t first, uint8_t second, uint8_t measures, uint8_t kinds,
                uint8_t profile) {
    wn_table *t = &plan.table[plan.n++];
    *t = (wn_table){.dims = {first, second}, .measures = measures, .kinds = kinds, .profile = profile};
    t->dims_n = (uint8_t)((first != WN_DIM_NONE) + (second != WN_DIM_NONE));
    strcpy(t->id, id);
}

#define ROUTE (uint8_t)(WN_CLOSED_N + WN_DIM_route)
#define USUAL (WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | WN_MEASURE_SESSIONS)
#define BOTH (uint8_t)(1u << WN_OBS_VIEW | 1u << WN_OBS_EVENT)

static const char *table_of(const char *more, const char *metrics) {
    char text[1000];
    plan = (wn_plan){0};
    add("traffic", WN_DIM_NONE, WN_DIM_NONE, USUAL | WN_MEASURE_BOUNCES | WN_MEASURE_TIME, BOTH,
        WN_PROFILE_CROWD);
    add("hours", WN_DIM_hour, WN_DIM_NONE, USUAL, BOTH, WN_PROFILE_CROWD);
    add("pages_noise", ROUTE, WN_DIM_NONE, WN_MEASURE_PEOPLE, 1u << WN_OBS_VIEW, WN_PROFILE_NOISE);
    add("pages", ROUTE, WN_DIM_NONE, WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS, 1u << WN_OBS_VIEW,
        WN_PROFILE_CROWD);
    add("countries", WN_DIM_country, WN_DIM_NONE, USUAL, BOTH, WN_PROFILE_CROWD);
    add("both", WN_DIM_country, WN_DIM_device, USUAL, BOTH, WN_PROFILE_CROWD);
    snprintf(text, sizeof text, "{\"site_id\":\"shop\",\"date_range\":\"7d\",\"metrics\":[%s]%s}", metrics,
             more);
    cr_assert(parse(text), "%s", problem.detail);
    wn_stats_settle(&ask, 20000);
    const wn_table *t = wn_stats_table(&ask, &plan, reads, NULL, &problem);
    return t ? t->id : "";
}

Test(stats, the_table_with_just_these_dimensions_answers) {
    static const char *const right[][3] = {
        {"", "\"visitors\",\"visits\",\"bounce_rate\",\"visit_duration\",\"events\"", "traffic"},
        {",\"dimensions\":[\"time:day\"]", "\"visitors\"", "traffic"},
        {",\"dimensions\":[\"time\"]", "\"visitors\"", "traffic"},
        {",\"dimensions\":[\"time:hour\"]", "\"visitors\"", "hours"},
        {",\"dimensions\":[\"event:page\"]", "\"visitors\",\"pageviews\"", "pages"},
        {",\"dimensions\":[\"visit:country\",\"time:month\"]", "\"visitors\"", "countries"},
        {",\"dimensions\":[\"visit:device\",\"visit:country\"]", "\"visits\"", "both"},
        {",\"filters\":[[\"is\",\"visit:country\",[\"DE\"]]]", "\"visitors\"", "countries"},
        {",\"dimensions\":[\"visit:device\"],\"filters\":[[\"is\",\"visit:country\",[\"DE\"]]]",
         "\"visitors\"", "both"},
    };
    hidden = NULL;
    for (size_t i = 0; i < WN_COUNT(right); i++)
        cr_expect_str_eq(table_of(right[i][0], right[i][1]), right[i][2], "%s: %s", right[i][0],
                         problem.detail);
    hidden = "pages";
    cr_expect_str_eq(table_of(",\"dimensions\":[\"event:page\"]", "\"visitors\""), "pages_noise");
}

Test(stats, what_no_table_answers_is_told_which_come_near) {
    static const char *const wrong[][3] = {
        {"", "\"pageviews\"", "traffic has these dimensions, but no pageviews"},
        {",\"dimensions\":[\"event:page\"]", "\"visits\"", "but no visits"},
        {",\"dimensions\":[\"visit:country\"]", "\"bounce_rate\"",
         "countries has these dimensions, but no bounce_rate"},
        {",\"dimensions\":[\"visit:os\"]", "\"visitors\"", "No planned table"},
        {",\"dimensions\":[\"event:page\",\"visit:country\"]", "\"visitors\"",
         "pages_noise, pages, countries, both"},
        {",\"dimensions\":[\"time:hour\",\"visit:country\"]", "\"visitors\"", "hours, countries, both"},
        {",\"filters\":[[\"is\",\"visit:country\",[\"DE\",\"FR\"]]]", "\"visitors\"", "cannot be added up"},
        {",\"filters\":[[\"is_not\",\"visit:country\",[\"DE\"]]]", "\"visitors\"", "cannot be added up"},
    };
    hidden = NULL;
    for (size_t i = 0; i < WN_COUNT(wrong); i++) {
        cr_expect_str_eq(table_of(wrong[i][0], wrong[i][1]), "", "%s", wrong[i][0]);
        cr_expect(strstr(problem.detail, wrong[i][2]), "%s: %s", wrong[i][0], problem.detail);
    }
    hidden = "countries";
    (void)table_of(",\"dimensions\":[\"event:page\",\"visit:country\"]", "\"visitors\"");
    cr_expect(!strstr(problem.detail, "countries"), "names what is not read");
}
