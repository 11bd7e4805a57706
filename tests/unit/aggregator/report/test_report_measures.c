// SPDX-License-Identifier: Apache-2.0
// Reports of what has a lock of its own, of noise, and of whom a table counts:
// what is not shown is nowhere a figure, and what is unlike is nowhere added up.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_support.h"

TestSuite(report_measures, .init = setup, .fini = teardown);

// ---- locked measures ----

#define VISITS (ALL | WN_MEASURE_BOUNCES | WN_MEASURE_TIME)

static wn_public_row visits_of(const char *label, uint32_t people, uint64_t sessions, uint64_t bounces,
                               uint64_t seconds) {
    wn_public_row r = row_of(label, people, 3 * sessions, sessions);
    r.bounces = bounces;
    r.seconds = seconds;
    r.locked = WN_MEASURE_BOUNCES | WN_MEASURE_TIME;
    return r;
}

// Email's bounces would say who of the 40 did not bounce.
static void publish_visits(int32_t day, bool sealed) {
    wn_public_head h = head_of("channels", WN_DIM_channel, day);
    wn_public_row rows[] = {visits_of("search", 200, 250, 110, 31250), visits_of("email", 40, 50, 0, 4510),
                            visits_of("social", 10, 10, 0, 0)};
    h.measures = VISITS;
    h.sealed = sealed;
    rows[1].locked = WN_MEASURE_TIME;
    rows[2].locked = 0;
    for (size_t i = 0; i < WN_COUNT(rows) && !sealed; i++)
        rows[i].locked = 0, rows[i].bounces = rows[i].seconds = rows[i].sessions = 0;
    publish(&h, rows, WN_COUNT(rows));
}

Test(report_measures, golden_a_day_with_bounces_and_time_some_of_them_not_shown) {
    static const struct {
        wn_report_format format;
        const char *name;
    } cases[] = {{WN_REPORT_TABLE, "visits_day.txt"},
                 {WN_REPORT_CSV, "visits_day.csv"},
                 {WN_REPORT_JSON, "visits_day.json"},
                 {WN_REPORT_NDJSON, "visits_day.ndjson"}};
    publish_visits(DAY, true);
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_report_query q = query_of("channels", DAY, DAY, cases[i].format);
        golden(&q, cases[i].name);
    }
}

Test(report_measures, golden_days_add_up_those_that_show_a_figure) {
    wn_public_head h = head_of("channels", WN_DIM_channel, DAY + 1);
    const wn_public_row email = visits_of("email", 60, 70, 30, 700);
    h.measures = VISITS;
    publish_visits(DAY, true);
    publish(&h, &email, 1);
    publish_visits(DAY + 2, false);
    wn_report_query q = query_of("channels", DAY, DAY + 2, WN_REPORT_TABLE);
    golden(&q, "visits_days.txt");
    q.format = WN_REPORT_CSV;
    output o = run(&q);
    cr_assert(strstr(o.out, "channel,visitor_days,events,sessions,bounces,time_s\r\n"), "%s", o.out);
    cr_assert(strstr(o.out, "email,140,510,120,30,5210\r\n"), "%s", o.out);
    output_free(&o);
    q.format = WN_REPORT_TABLE; // 30 of the 70 sessions of the day that shows bounces, not of 120
    o = run(&q);
    cr_assert(strstr(o.out, " 43%"), "%s", o.out);
    output_free(&o);
}

Test(report_measures, no_locked_figure_before_the_seal_in_any_format) {
    static const char *const want[] = {
        [WN_REPORT_TABLE] =
            "search      200     750         \u2013        \u2013            \u2013       \u2013  "
            "             \u2013\n",
        [WN_REPORT_CSV] = "search,200,750,,,\r\n",
        [WN_REPORT_JSON] = "\"sessions\":null,\"bounces\":null,\"time_s\":null}",
        [WN_REPORT_NDJSON] = "\"sessions\":null,\"bounces\":null,\"time_s\":null}",
    };
    publish_visits(DAY, false);
    for (int f = WN_REPORT_TABLE; f <= WN_REPORT_NDJSON; f++) {
        wn_report_query q = query_of("channels", DAY, DAY, (wn_report_format)f);
        output o = run(&q);
        cr_assert(strstr(o.out, want[f]), "format %d:\n%s", f, o.out);
        output_free(&o);
    }
}

Test(report_measures, the_foot_speaks_of_locks_where_a_table_has_them) {
    wn_public_head h = head_of("pages", ROUTE, DAY);
    const wn_public_row row = row_of("/", 20, 20, 20);
    publish(&h, &row, 1);
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_TABLE);
    output o = run(&q);
    cr_assert(!strstr(o.out, "Bounces") && !strstr(o.out, "bounce_rate"), "%s", o.out);
    output_free(&o);
    q.foot_measures = WN_MEASURE_TIME; // of a table above
    o = run(&q);
    cr_assert(strstr(o.out, "they hide everybody.\n") && strstr(o.out, "divide such figures"));
    output_free(&o);
}

static void publish_sum(int32_t day, uint8_t measure, uint64_t sum) {
    wn_public_head h = head_of("orders", WN_DIM_country, day);
    wn_public_row r = row_of("DE", 100, 120, 0);
    h.measures = (uint8_t)(WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | measure);
    r.locked = measure;
    r.number = sum;
    publish(&h, &r, 1);
}

Test(report_measures, sums_are_added_up_by_the_number_they_are_of) {
    publish_sum(DAY, WN_MEASURE_NUMBER1, 700);
    publish_sum(DAY + 1, WN_MEASURE_NUMBER1, 77);
    publish_sum(DAY + 2, WN_MEASURE_NUMBER2, 5);
    wn_report_query q = query_of("orders", DAY, DAY + 1, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_str_eq(o.out, "country,visitor_days,events,number1_sum\r\nDE,200,240,777\r\n");
    output_free(&o);
    q = query_of("orders", DAY + 2, DAY + 2, WN_REPORT_CSV);
    o = run(&q);
    cr_assert_str_eq(o.out, "country,people,events,number2_sum\r\nDE,100,120,5\r\n");
    output_free(&o);
    q = query_of("orders", DAY, DAY + 2, WN_REPORT_CSV);
    o = run(&q);
    cr_assert_str_eq(o.out, "country,visitor_days,events\r\nDE,300,360\r\n", "neither is of all days");
    output_free(&o);
}

// ---- noise ----

static wn_public_head noise_head(int32_t day) {
    wn_public_head h = head_of("countries_ads", WN_DIM_country, day);
    h.profile = WN_PROFILE_NOISE;
    h.measures = WN_MEASURE_PEOPLE;
    h.share = true;
    h.receivers_n = 1;
    strcpy(h.receiver[0], "ads");
    h.k = 20;
    h.noise = (wn_noise_terms){.rho_micro = 30000,
                               .signed_only = true,
                               .l0 = 12,
                               .variance_num = 200,
                               .variance_den = 1,
                               .threshold_closed = 106,
                               .threshold_open = 136};
    return h;
}

static void publish_noise(int32_t day) {
    const wn_public_head h = noise_head(day);
    const wn_public_row rows[] = {row_of("DE", 1234, 0, 0), row_of("FR", 106, 0, 0), row_of("NL", 311, 0, 0)};
    publish(&h, rows, WN_COUNT(rows));
}

Test(report_measures, golden_noise_is_an_estimate_in_every_format) {
    static const struct {
        wn_report_format format;
        const char *name;
    } cases[] = {{WN_REPORT_TABLE, "noise_day.txt"},
                 {WN_REPORT_CSV, "noise_day.csv"},
                 {WN_REPORT_JSON, "noise_day.json"},
                 {WN_REPORT_NDJSON, "noise_day.ndjson"}};
    publish_noise(DAY);
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_report_query q = query_of("countries_ads", DAY, DAY, cases[i].format);
        golden(&q, cases[i].name);
        output o = run(&q);
        cr_assert_null(strstr(o.out, "at least"), "%s", o.out);
        output_free(&o);
    }
}

Test(report_measures, golden_noise_of_days_is_wider) {
    for (int32_t day = DAY; day < DAY + 3; day++) publish_noise(day);
    wn_report_query q = query_of("countries_ads", DAY, DAY + 2, WN_REPORT_TABLE);
    golden(&q, "noise_days.txt");
}

static uint64_t half_width(const char *table, int32_t from, int32_t to) {
    wn_report_query q = query_of(table, from, to, WN_REPORT_JSON);
    output o = run(&q);
    const char *at = strstr(o.out, "\"half_width\":");
    cr_assert(o.err == WN_OK && at, "%s", o.out);
    uint64_t w = strtoull(at + 13, NULL, 10);
    output_free(&o);
    return w;
}

// The table of R6: 39.2, 27.7 and 15.2, never rounded down; and roots that are
// whole, which a step too far would show.
Test(report_measures, the_half_width_is_the_least_that_is_wide_enough) {
    static const struct {
        uint32_t rho_micro, l0;
        uint64_t num, den, want;
    } cases[] = {{15000, 12, 400, 1, 40}, {30000, 12, 200, 1, 28},    {100000, 12, 60, 1, 16},
                 {30000, 24, 400, 1, 40}, {9600, 12, 625, 1, 49},     {2400, 12, 2500, 1, 98},
                 {70000, 12, 600, 7, 19}, {1, 24, 12000000, 1, 6790}, {100000, 1, 5, 1, 5}};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_public_head h = noise_head(DAY + 10 * (int32_t)i);
        h.noise.signed_only = cases[i].l0 <= WN_NOISE_CELLS_MAX;
        h.noise.rho_micro = cases[i].rho_micro;
        h.noise.l0 = cases[i].l0;
        h.noise.variance_num = cases[i].num;
        h.noise.variance_den = cases[i].den;
        publish(&h, &(wn_public_row){.people = 500}, 1);
        cr_assert_eq(half_width(h.table, h.window.day, h.window.day), cases[i].want, "case %zu", i);
    }
}

Test(report_measures, the_half_width_grows_by_the_root_of_the_days) {
    for (int32_t day = DAY; day < DAY + 30; day++) publish_noise(day);
    for (uint64_t days = 1; days <= 30; days++) {
        uint64_t w = half_width("countries_ads", DAY, DAY + (int32_t)days - 1), exact = 7683200 * days;
        cr_assert(10000 * w * w >= exact && 10000 * (w - 1) * (w - 1) < exact, "%" PRIu64 " days", days);
    }
    cr_assert_eq(half_width("countries_ads", DAY, DAY + 29), 152); // 27.72 * 5.477
}

Test(report_measures, a_day_that_is_open_has_no_noise_yet) {
    wn_table shape = {.id = "countries_ads", .dims_n = 1, .dims = {WN_DIM_country}, .profile = WN_PROFILE_NOISE};
    wn_report_query q = query_of("countries_ads", DAY, DAY, WN_REPORT_TABLE);
    q.shape = &shape;
    output o = run(&q);
    cr_assert(strstr(o.notes, "drawn once, when a day is sealed") && !strstr(o.notes, "10 visitors"), "%s",
              o.notes);
    output_free(&o);
    publish_noise(DAY - 1);
    cr_assert_eq(half_width("countries_ads", DAY - 1, DAY), 28, "of the sealed day");
}

// ---- like with like ----

static void newest_alone(const wn_public_head *old, const wn_public_row *old_row) {
    publish(old, old_row, 1);
    publish_noise(DAY);
    wn_report_query q = query_of("countries_ads", DAY - 1, DAY, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert_str_eq(o.out, "country,visitor_days,half_width\r\nDE,1234,28\r\nNL,311,28\r\nFR,106,28\r\n");
    cr_assert(strstr(o.notes, "Days of an older plan"));
    output_free(&o);
}

Test(report_measures, floors_and_estimates_are_not_added_up) {
    wn_public_head h = head_of("countries_ads", WN_DIM_country, DAY - 1);
    const wn_public_row row = row_of("DE", 100, 0, 0);
    h.measures = WN_MEASURE_PEOPLE;
    h.share = true;
    newest_alone(&h, &row);
}

Test(report_measures, noise_of_two_budgets_is_not_added_up) {
    wn_public_head h = noise_head(DAY - 1);
    const wn_public_row row = row_of("DE", 1000, 0, 0);
    h.noise.rho_micro = 15000;
    h.noise.variance_num = 400;
    h.noise.threshold_closed = 142;
    newest_alone(&h, &row);
}

Test(report_measures, people_who_agreed_are_not_added_to_everybody) {
    wn_public_head h = noise_head(DAY - 1);
    const wn_public_row row = row_of("DE", 1000, 0, 0);
    h.share = false;
    h.receivers_n = 0;
    newest_alone(&h, &row);
}

Test(report_measures, days_of_the_same_kind_are_added_up_whatever_their_receivers) {
    wn_public_head h = noise_head(DAY - 1);
    const wn_public_row row = row_of("DE", 1000, 0, 0);
    strcpy(h.receiver[0], "other");
    publish(&h, &row, 1);
    publish_noise(DAY);
    wn_report_query q = query_of("countries_ads", DAY - 1, DAY, WN_REPORT_CSV);
    output o = run(&q);
    cr_assert(strstr(o.out, "DE,2234,40\r\n") && !strstr(o.notes, "left out"), "%s", o.out);
    output_free(&o);
}

Test(report_measures, whose_consent_a_table_counts_stands_in_its_title) {
    wn_public_head h = head_of("countries", WN_DIM_country, DAY);
    const wn_public_row row = row_of("DE", 100, 100, 100);
    publish(&h, &row, 1);
    wn_report_query q = query_of("countries", DAY, DAY, WN_REPORT_TABLE);
    output o = run(&q);
    cr_assert_null(strstr(o.out, "agreed to sharing"));
    output_free(&o);
    h = head_of("countries", WN_DIM_country, DAY + 1);
    h.share = true;
    publish(&h, &row, 1);
    q = query_of("countries", DAY + 1, DAY + 1, WN_REPORT_TABLE);
    o = run(&q);
    cr_assert(strstr(o.out, "(Europe/Berlin), people who agreed to sharing\n"), "%s", o.out);
    output_free(&o);
}

// ---- what an export quotes (R9) ----

static void quoted(char out[160]) {
    wn_ledger_entry e = {.what = WN_LEDGER_INSTALL, .at_s = 1795000000};
    uint64_t number = 0;
    uint8_t head[32];
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_ledger(store, &e), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
    }
    cr_assert_eq(wn_published_ledger_head(store, &number, head), WN_OK);
    int n = snprintf(out, 160, "\"ledger_number\":%" PRIu64 ",\"ledger_head\":\"", number);
    for (size_t i = 0; i < sizeof head; i++) n += snprintf(out + n, 160 - (size_t)n, "%02x", head[i]);
    snprintf(out + n, 160 - (size_t)n, "\"");
}

Test(report_measures, json_and_ndjson_quote_the_ledger) {
    char want[160];
    publish_visits(DAY, true);
    wn_report_query q = query_of("channels", DAY, DAY, WN_REPORT_JSON);
    output o = run(&q);
    cr_assert(strstr(o.out, "\"ledger_number\":null,\"ledger_head\":null,"), "no entry yet: %s", o.out);
    output_free(&o);
    quoted(want);
    o = run(&q);
    cr_assert(strstr(o.out, want), "%s: %s", want, o.out);
    output_free(&o);
    q.format = WN_REPORT_NDJSON;
    o = run(&q);
    size_t lines = 0;
    for (const char *at = o.out; (at = strstr(at, want)) != NULL; at++) lines++;
    cr_assert_eq(lines, 3, "every row: %s", o.out);
    output_free(&o);
}

Test(report_measures, csv_has_its_facts_beside_it) {
    char want[160], *facts = NULL;
    size_t n = 0;
    publish_visits(DAY, true);
    quoted(want);
    wn_report_query q = query_of("channels", DAY, DAY, WN_REPORT_CSV);
    output plain = run(&q);
    q.meta = open_memstream(&facts, &n);
    output o = run(&q);
    fclose(q.meta);
    cr_assert_str_eq(o.out, plain.out, "the rows are the same");
    cr_assert(strstr(facts, want), "%s", facts);
    cr_assert(
        strstr(facts, "\"table\":\"channels\",\"from\":\"2026-11-20\",\"to\":\"2026-11-20\",\"k\":10,"));
    cr_assert(strstr(facts, "\"plan_version\":1,\"policy_version\":1,\"sealed\":true,"));
    cr_assert(strstr(facts, "\"rows_shown\":3,\"refused\":0,\"capped\":0}\n") && !strstr(facts, "search"), "%s", facts);
    output_free(&plain);
    output_free(&o);
    free(facts);
}

Test(report_measures, facts_that_cannot_be_written_are_an_error) {
    publish_visits(DAY, true);
    wn_report_query q = query_of("channels", DAY, DAY, WN_REPORT_CSV);
    q.meta = fopen("/dev/full", "w");
    if (!q.meta) cr_skip("no /dev/full here");
    output o = run(&q);
    cr_assert_eq(o.err, WN_ERR_IO);
    fclose(q.meta);
    output_free(&o);
}
