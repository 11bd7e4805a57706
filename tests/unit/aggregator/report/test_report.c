// SPDX-License-Identifier: Apache-2.0
// Reports: goldens of each format (tests/golden/report; WN_GOLDEN_WRITE=1 writes
// them anew), and what a sum over days may and may not say.
#include "report_support.h"

#include <stdlib.h>
#include <string.h>

TestSuite(report, .init = setup, .fini = teardown);

static void publish_pages(void) {
    wn_public_head h = head_of("pages", ROUTE, DAY);
    h.measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS;
    const wn_public_row rows[] = {row_of("/pricing", 100, 180, 0), row_of("/", 240, 600, 0),
                                  other_of(300, 400), row_of("/about, us", 20, 20, 0),
                                  row_of("/blog/\"quoted\"", 20, 40, 0)};
    publish(&h, rows, WN_COUNT(rows));
}

Test(report, golden_one_sealed_day_in_every_format) {
    static const struct {
        wn_report_format format;
        const char *name;
    } cases[] = {{WN_REPORT_TABLE, "pages_day.txt"},
                 {WN_REPORT_CSV, "pages_day.csv"},
                 {WN_REPORT_JSON, "pages_day.json"},
                 {WN_REPORT_NDJSON, "pages_day.ndjson"}};
    publish_pages();
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_report_query q = query_of("pages", DAY, DAY, cases[i].format);
        golden(&q, cases[i].name);
    }
}

static void publish_countries(void) {
    for (int32_t day = DAY; day < DAY + 3; day++) {
        wn_public_head h = head_of("countries", WN_DIM_country, day);
        h.sealed = day < DAY + 2;
        const wn_public_row rows[] = {row_of("DE", 100, 300, 120), row_of("FR", 50, 100, 60),
                                      row_of("unknown", 10, 10, 10)};
        publish(&h, rows, day == DAY + 1 ? 2 : 3);
        wn_window w = window_of(day);
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_counts(store, wn_site_tag("shop.example"), &w, 20, 10), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
    }
}

Test(report, golden_several_days_are_visitor_days) {
    publish_countries();
    wn_report_query q = query_of("countries", DAY, DAY + 2, WN_REPORT_TABLE);
    golden(&q, "countries_days.txt");
    q.format = WN_REPORT_JSON;
    golden(&q, "countries_days.json");
    q.format = WN_REPORT_CSV;
    golden(&q, "countries_days.csv");
}

Test(report, golden_hours_are_a_series) {
    wn_public_head h = head_of("hours", WN_DIM_hour, DAY);
    h.sealed = false;
    const wn_public_row rows[] = {row_of("14:00", 90, 200, 95), row_of("09:00", 20, 30, 20),
                                  row_of("23:00", 10, 10, 10), row_of("10:00", 120, 220, 130)};
    publish(&h, rows, WN_COUNT(rows));
    wn_report_query q = query_of("hours", DAY, DAY, WN_REPORT_TABLE);
    golden(&q, "hours_day.txt");
}

Test(report, golden_a_table_without_dimension) {
    wn_public_head h = head_of("traffic", WN_DIM_NONE, DAY);
    const wn_public_row row = row_of("", 1000, 5000, 1200);
    publish(&h, &row, 1);
    wn_report_query q = query_of("traffic", DAY, DAY, WN_REPORT_TABLE);
    golden(&q, "traffic_day.txt");
    q.format = WN_REPORT_CSV;
    golden(&q, "traffic_day.csv");
    q.format = WN_REPORT_JSON;
    golden(&q, "traffic_day.json");
}

Test(report, nothing_published_says_why) {
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_TABLE);
    output o = run(&q);
    cr_assert(o.err == WN_OK && o.result.rows == 0 && o.result.windows == 0);
    cr_assert(strstr(o.notes, "No row is published of pages for shop.example on 2026-11-20."));
    cr_assert(strstr(o.notes, "Rows appear at 10 visitors (20 for pages and other open values)"));
    output_free(&o);
    q.format = WN_REPORT_JSON;
    o = run(&q);
    cr_assert(strstr(o.out, "\"rows\":[]"));
    output_free(&o);
}

Test(report, of_a_range_without_rows_it_names_the_days_that_have_some) {
    wn_public_row row = row_of("/", 240, 600, 0);
    for (int32_t day = DAY - 40; day < DAY - 30; day += 3) {
        wn_public_head h = head_of("pages", ROUTE, day);
        publish(&h, &row, day == DAY - 40 ? 0 : 1); // of the first day nothing may be shown
    }
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_TABLE);
    output o = run(&q);
    cr_assert(o.err == WN_OK && o.result.rows == 0);
    cr_assert(
        strstr(o.notes, "the first is 2026-10-14, the last 2026-10-20 (--from 2026-10-14 --to 2026-10-20)"),
        "%s", o.notes);
    output_free(&o);
    q = query_of("traffic", DAY, DAY, WN_REPORT_TABLE);
    o = run(&q);
    cr_assert_null(strstr(o.notes, "--from"), "rows of another table: %s", o.notes);
    output_free(&o);
}

Test(report, csv_has_its_header_line_even_without_rows) {
    wn_table shape = {.dims = {ROUTE, WN_DIM_NONE},
                      .dims_n = 1,
                      .measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS,
                      .k = 20};
    wn_report_query q = query_of("pages", DAY, DAY + 1, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_str_eq(o.out, "", "columns are not known");
    output_free(&o);
    q.shape = &shape;
    o = run(&q);
    cr_assert_str_eq(o.out, "route,visitor_days,events\r\n");
    output_free(&o);
}

Test(report, a_label_other_is_not_the_row_other) {
    wn_public_head h = head_of("pages", ROUTE, DAY);
    const wn_public_row rows[] = {other_of(500, 500), row_of("other", 40, 40, 0), row_of("/", 60, 60, 0)};
    publish(&h, rows, 3);
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_NDJSON);
    output o = run(&q);
    cr_assert_eq(o.result.rows, 3);
    const char *flagged = strstr(o.out, "\"other\":true");
    cr_assert(flagged && strstr(flagged, "\"people\":500") && !strchr(strchr(flagged, '\n') + 1, '\n'),
              "last, and flagged");
    output_free(&o);
}

Test(report, the_limit_keeps_the_greatest_rows_and_other) {
    publish_pages();
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_CSV);
    static const struct { size_t limit, rows; } cases[] = {{0, 5}, {1, 2}, {3, 4}, {4, 5}, {99, 5}};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        q.limit = cases[i].limit;
        output o = run(&q);
        cr_assert_eq(o.result.rows, cases[i].rows);
        cr_assert(strncmp(o.out, "route,people,events\r\n/,240,600\r\n", 32) == 0);
        cr_assert(strstr(o.out, "other,300,400\r\n"));
        output_free(&o);
    }
    q.limit = 1;
    q.format = WN_REPORT_TABLE;
    output o = run(&q);
    cr_assert(strstr(o.out, "3 more rows are published.\n"));
    output_free(&o);
}

Test(report, never_says_how_many_rows_are_hidden_nor_an_exact_count) {
    publish_pages();
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_TABLE);
    output o = run(&q);
    cr_assert(strstr(o.out, "Rows too small to hide everybody in them are not shown"));
    cr_assert_null(strstr(o.out, "hidden"));
    output_free(&o);
    q.no_foot = true;
    o = run(&q);
    cr_assert_null(strstr(o.out, "at least"));
    output_free(&o);
}

Test(report, days_of_other_columns_are_not_added_up) {
    wn_public_head old = head_of("pages", WN_DIM_device, DAY), now = head_of("pages", ROUTE, DAY + 1);
    const wn_public_row row = row_of("same", 20, 20, 20);
    publish(&old, &row, 1);
    publish(&now, &row, 1);
    wn_report_query q = query_of("pages", DAY, DAY + 1, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_str_eq(o.out, "route,visitor_days,events,sessions\r\nsame,20,20,20\r\n");
    cr_assert(strstr(o.notes, "other columns"));
    output_free(&o);
}

static void publish_visits(int32_t day, bool sealed, uint64_t sessions) {
    wn_public_head h = head_of("channels", WN_DIM_channel, day);
    h.sealed = sealed;
    const wn_public_row rows[] = {row_of("search", 40, 90, sessions), row_of("email", 20, 30, 0)};
    publish(&h, rows, 2);
}

Test(report, no_figure_of_sessions_before_the_seal_in_any_format) {
    static const char *const want[] = {
        [WN_REPORT_TABLE] =
            "search       40      90         \u2013\nemail        20      30         \u2013\n",
        [WN_REPORT_CSV] = "channel,people,events,sessions\r\nsearch,40,90,\r\nemail,20,30,\r\n",
        [WN_REPORT_JSON] = "{\"channel\":\"search\",\"people\":40,\"events\":90,\"sessions\":null}",
        [WN_REPORT_NDJSON] = "\"channel\":\"email\",\"people\":20,\"events\":30,\"sessions\":null}",
    };
    publish_visits(DAY, false, 0);
    for (int f = WN_REPORT_TABLE; f <= WN_REPORT_NDJSON; f++) {
        wn_report_query q = query_of("channels", DAY, DAY, (wn_report_format)f);
        output o = run(&q);
        cr_assert(strstr(o.out, want[f]), "format %d:\n%s", f, o.out);
        output_free(&o);
    }
}

Test(report, a_sealed_window_without_a_crowd_of_sessions_says_0_which_is_at_least) {
    publish_visits(DAY, true, 50);
    wn_report_query q = query_of("channels", DAY, DAY, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_str_eq(o.out, "channel,people,events,sessions\r\nsearch,40,90,50\r\nemail,20,30,0\r\n");
    output_free(&o);
}

Test(report, a_range_adds_up_the_sessions_of_its_sealed_days_alone) {
    publish_visits(DAY, true, 50);
    publish_visits(DAY + 1, true, 40);
    publish_visits(DAY + 2, false, 70); // whatever an open window holds is not read
    wn_report_query q = query_of("channels", DAY, DAY + 2, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert(strstr(o.out, "search,120,270,90\r\n"), "%s", o.out);
    output_free(&o);
    q = query_of("channels", DAY + 2, DAY + 3, WN_REPORT_CSV);
    o = run(&q);
    cr_assert(strstr(o.out, "search,40,90,\r\n"), "%s", o.out);
    output_free(&o);
}

Test(report, a_row_that_stands_in_open_windows_alone_has_no_sessions) {
    wn_public_head h = head_of("channels", WN_DIM_channel, DAY + 1);
    const wn_public_row fresh = row_of("social", 10, 10, 0);
    publish_visits(DAY, true, 50);
    h.sealed = false;
    publish(&h, &fresh, 1);
    wn_report_query q = query_of("channels", DAY, DAY + 1, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert(strstr(o.out, "search,40,90,50\r\n") && strstr(o.out, "social,10,10,\r\n"), "%s", o.out);
    output_free(&o);
}

Test(report, the_foot_says_when_sessions_appear) {
    static const char words[] = "sessions appear when a day is sealed";
    publish_visits(DAY, true, 50);
    publish_visits(DAY + 1, false, 0);
    wn_report_query q = query_of("channels", DAY, DAY, WN_REPORT_TABLE);
    output o = run(&q);
    cr_assert_null(strstr(o.out, words), "all days are sealed");
    output_free(&o);
    q = query_of("channels", DAY + 1, DAY + 1, WN_REPORT_TABLE);
    o = run(&q);
    cr_assert(strstr(o.out, "sessions appear when a day is sealed.\n"));
    output_free(&o);
    wn_public_head h = head_of("pages", ROUTE, DAY + 1);
    const wn_public_row row = row_of("/", 20, 20, 0);
    h.measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS;
    h.sealed = false;
    publish(&h, &row, 1);
    q.table = "pages";
    o = run(&q);
    cr_assert_null(strstr(o.out, words), "a table without sessions");
    output_free(&o);
    q.foot_measures = WN_MEASURE_SESSIONS; // the foot of several tables
    q.foot_has_country = true;
    o = run(&q);
    cr_assert(strstr(o.out, words) && strstr(o.out, WN_REPORT_ATTRIBUTION));
    output_free(&o);
}

Test(report, a_measure_that_one_day_lacks_is_left_out_of_the_sum) {
    wn_public_head old = head_of("pages", ROUTE, DAY), now = head_of("pages", ROUTE, DAY + 1);
    const wn_public_row row = row_of("/", 20, 20, 20);
    old.measures = WN_MEASURE_PEOPLE;
    publish(&old, &row, 1);
    publish(&now, &row, 1);
    wn_report_query q = query_of("pages", DAY, DAY + 1, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_str_eq(o.out, "route,visitor_days\r\n/,40\r\n");
    output_free(&o);
}

Test(report, thousands_of_labels_are_added_up_once_each) {
    enum { LABELS = 3000, DAYS = 5 };
    wn_public_row *rows = calloc(LABELS, sizeof *rows);
    for (unsigned i = 0; i < LABELS; i++) {
        rows[i] = row_of("", 20, i, 1);
        snprintf(rows[i].label[0], sizeof rows[i].label[0], "/p/%u", i);
    }
    for (int32_t day = DAY; day < DAY + DAYS; day++) {
        wn_public_head h = head_of("pages", ROUTE, day);
        publish(&h, rows, LABELS);
    }
    wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_eq(o.result.rows, LABELS);
    cr_assert(strstr(o.out, "/p/2999,100,14995,5\r\n"));
    cr_assert(strstr(o.out, "/p/7,100,35,5\r\n"));
    output_free(&o);
    free(rows);
}

Test(report, names_where_countries_come_from_in_every_format) {
    publish_countries();
    for (int f = WN_REPORT_TABLE; f <= WN_REPORT_NDJSON; f++) {
        wn_report_query q = query_of("countries", DAY, DAY, (wn_report_format)f);
        output o = run(&q);
        cr_assert(strstr(o.out, WN_REPORT_ATTRIBUTION) || strstr(o.notes, WN_REPORT_ATTRIBUTION), "format %d",
                  f);
        output_free(&o);
    }
}

Test(report, a_full_disk_is_an_error) {
    publish_pages();
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_JSON);
    FILE *full = fopen("/dev/full", "w");
    if (!full) cr_skip("no /dev/full here");
    cr_assert_eq(wn_report_run(store, &q, full, stderr, NULL), WN_ERR_IO);
    fclose(full);
}

Test(report, formats_have_names) {
    wn_report_format f = WN_REPORT_TABLE;
    cr_assert(wn_report_format_parse("ndjson", &f) && f == WN_REPORT_NDJSON);
    cr_assert(wn_report_format_parse("csv", &f) && f == WN_REPORT_CSV);
    cr_assert_not(wn_report_format_parse("CSV", &f));
    cr_assert_not(wn_report_format_parse("", &f));
    cr_assert_eq(f, WN_REPORT_CSV);
}
