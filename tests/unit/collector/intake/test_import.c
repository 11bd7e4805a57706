// SPDX-License-Identifier: Apache-2.0
// Every line once: counted, refused for a reason, late, or known already.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "import.h"
#include "intake_rig.h"

static rig r;
static wn_metrics metrics;
static wn_import *import;
static uint64_t token;
static size_t asked, answers;
static wn_window_state aggregator_says;
static bool aggregator_up;
static wn_import_result result;
static size_t windows_told;

static void on_ask(void *ctx, const wn_window *w) {
    (void)ctx;
    asked++;
    if (aggregator_up) wn_import_state(import, w, aggregator_says);
}

static void on_done(void *ctx, uint64_t asker, const wn_import_result *res) {
    (void)ctx;
    cr_expect_eq(asker, 77);
    answers++;
    result = *res;
}

static void open_import(void) {
    wn_import_parts parts = {r.pipeline, r.edge, r.spool, &metrics, NULL, on_ask, on_done};
    cr_assert_eq(wn_import_open(&parts, &import), WN_OK);
}

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

static void begin(const char *site, const char *format) {
    const char *no = wn_import_begin(import, span(site), span(format), 0, &token);
    cr_assert_null(no, "%s", no);
}

static void setup(void) {
    rig_open(&r);
    memset(&metrics, 0, sizeof metrics);
    asked = answers = windows_told = 0;
    aggregator_up = true;
    aggregator_says = WN_WINDOW_NEVER;
    open_import();
}

static void teardown(void) {
    wn_import_close(import);
    rig_close(&r);
}

TestSuite(import, .init = setup, .fini = teardown);

static void add(const char *lines) {
    const char *no = wn_import_lines(import, token, span(lines));
    cr_assert_null(no, "%s", no);
}

// One line of day `day` of May 2015, second `s` of it.
static void view_line(char *out, size_t cap, int day, int s, const char *target, const char *ua) {
    snprintf(out, cap,
             "203.0.113.%d - - [%02d/May/2015:%02d:%02d:%02d +0000] \"GET %s HTTP/1.1\" 200 5 \"-\" \"%s\"\n",
             s % 250, day, s / 3600, s / 60 % 60, s % 60, target, ua);
}

static void add_views(int day, int from, int n) {
    char line[400], target[32];
    for (int i = from; i < from + n; i++) {
        snprintf(target, sizeof target, "/p/%d", i % 10);
        view_line(line, sizeof line, day, i, target, RIG_UA);
        add(line);
    }
}

static void turn(void) {
    wn_import_turn(import);
    wn_pipeline_turn(r.pipeline);
    if (wn_pipeline_busy(r.pipeline)) rig_wait_done(&r);
}

// Counts the chunk; everything is delivered as soon as it is durable.
static const wn_import_result *chunk(void) {
    size_t before = answers;
    const char *no = wn_import_chunk(import, token, 77);
    cr_assert_null(no, "%s", no);
    for (int i = 0; i < 10000 && answers == before; i++) {
        turn();
        if (wn_pipeline_pending(r.pipeline) == 0) rig_deliver(&r);
    }
    cr_assert_eq(answers, before + 1, "no end");
    return &result;
}

static uint64_t sum(const wn_import_result *res) {
    uint64_t n = res->counted + res->repeated;
    for (unsigned v = 0; v < WN_VERDICT_N; v++)
        if (v != WN_KEEP) n += res->by_verdict[v];
    return n;
}

static void count_window(void *ctx, const wn_window *w) {
    (void)ctx, (void)w;
    windows_told++;
}

Test(import, says_no_to_what_it_cannot_do) {
    uint64_t t;
    cr_expect_not_null(wn_import_begin(import, span("nobody"), span("combined"), 0, &t));
    cr_expect_not_null(wn_import_begin(import, span("shop"), span("xml"), 0, &t));
    cr_expect_not_null(wn_import_lines(import, 123, span("x")));
    cr_expect_not_null(wn_import_chunk(import, 123, 1));
    cr_expect_not_null(wn_import_end(import, 123, count_window, NULL));
}

Test(import, accounts_for_every_line) {
    char line[400];
    begin("shop", "combined");
    add_views(17, 0, 3);
    add("no line at all\n\n");
    add("1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"POST /a HTTP/1.1\" 200 5 \"-\" \"" RIG_UA "\"\n");
    add("1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 404 5 \"-\" \"" RIG_UA "\"\n");
    view_line(line, sizeof line, 17, 100, "/a.png", RIG_UA), add(line);
    view_line(line, sizeof line, 17, 101, "/", "Googlebot/2.1 (+http://www.google.com/bot.html)"), add(line);
    view_line(line, sizeof line, 17, 102, "/a.zip", RIG_UA),
        line[strlen(line) - 1] = '\0', add(line); // the last line may lack its end
    const wn_import_result *res = chunk();
    cr_expect_null(res->error);
    cr_expect_eq(res->lines, 10);
    cr_expect_eq(res->counted, 4);
    cr_expect_eq(res->by_verdict[WN_VERDICT_malformed], 2);
    cr_expect_eq(res->by_verdict[WN_VERDICT_method], 1);
    cr_expect_eq(res->by_verdict[WN_VERDICT_status], 1);
    cr_expect_eq(res->by_verdict[WN_VERDICT_asset], 1);
    cr_expect_eq(res->by_verdict[WN_VERDICT_bot], 1);
    cr_expect_eq(sum(res), res->lines);
    cr_expect_null(wn_import_end(import, token, count_window, NULL));
    cr_expect_eq(windows_told, 1);
    cr_expect_eq(wn_pipeline_count(r.pipeline)->kept, 4);
}

Test(import, asks_before_it_counts_in_the_past) {
    begin("shop", "combined");
    add_views(17, 0, 2), add_views(18, 0, 2);
    aggregator_up = false;
    cr_assert_null(wn_import_chunk(import, token, 77));
    for (int i = 0; i < 5; i++) turn();
    cr_expect_eq(asked, 2);
    cr_expect_eq(answers, 0);
    cr_expect_eq(rig_read(&r).batches, 0);
    wn_window w;
    for (int day = 17; day <= 18; day++) {
        wn_zone_window(wn_zone_find("UTC"), WN_KIND_WEB, 1431820800 + (day - 17) * 86400, &w);
        wn_import_state(import, &w, day == 17 ? WN_WINDOW_SEALED : WN_WINDOW_OPEN);
    }
    for (int i = 0; i < 50 && answers == 0; i++) {
        turn();
        if (wn_pipeline_pending(r.pipeline) == 0) rig_deliver(&r);
    }
    cr_assert_eq(answers, 1);
    cr_expect_eq(result.counted, 2);
    cr_expect_eq(result.late, 2);
    cr_expect_eq(sum(&result), result.lines);
}

Test(import, answers_only_when_it_is_delivered) {
    begin("shop", "combined");
    add_views(17, 0, 2);
    cr_assert_null(wn_import_chunk(import, token, 77));
    for (int i = 0; i < 20; i++) turn();
    cr_expect_eq(rig_read(&r).views, 2, "durable");
    cr_expect_eq(answers, 0, "not delivered");
    rig_deliver(&r);
    turn();
    cr_expect_eq(answers, 1);
}

Test(import, the_same_bytes_count_once) {
    for (int i = 0; i < 3; i++) {
        if (i == 2) {
            wn_import_close(import);
            rig_restart(&r);
            open_import();
        }
        begin("shop", "combined");
        add_views(17, 0, 5000);
        const wn_import_result *res = chunk();
        cr_expect_eq(res->counted, i == 0 ? 5000 : 0);
        cr_expect_eq(res->repeat, i > 0);
        cr_expect_eq(sum(res), 5000);
        cr_expect_null(wn_import_end(import, token, count_window, NULL));
    }
    begin("app", "combined");
    add_views(17, 0, 5000);
    cr_expect_eq(chunk()->counted, 5000, "another site");
    begin("shop", "common");
    add_views(17, 0, 5000);
    cr_expect(chunk()->repeat, "another format is no other log");
}

Test(import, a_log_that_has_grown_counts_from_where_it_was) {
    static const int before[] = {0, 60, 90, 90, 5000, 9100}, now[] = {60, 90, 90, 5000, 9100, 9100};
    for (size_t i = 0; i < WN_COUNT(now); i++) {
        if (i == 3) {
            wn_import_close(import);
            rig_restart(&r);
            open_import();
        }
        begin("shop", i == 1 ? "common" : "combined");
        add_views(17, 0, now[i]);
        const wn_import_result *res = chunk();
        cr_expect_eq(res->repeated, before[i], "%zu", i);
        cr_expect_eq(res->counted, now[i] - before[i], "%zu", i);
        cr_expect_eq(res->repeat, now[i] == before[i], "%zu", i);
        cr_expect_eq(sum(res), res->lines);
        windows_told = 0;
        cr_expect_null(wn_import_end(import, token, count_window, NULL));
        cr_expect_eq(windows_told, 1);
    }
    cr_expect_eq(rig_read(&r).views, 0, "all delivered");
}

Test(import, a_last_line_that_was_being_written_does_not_hide_those_before) {
    begin("shop", "combined");
    add_views(17, 0, 60);
    add("203.0.113.9 - - [17/May/2015:09:00:00 +0000] \"GET /cut-o");
    cr_expect_eq(chunk()->counted, 60);
    begin("shop", "combined");
    add_views(17, 0, 60);
    add("203.0.113.9 - - [17/May/2015:09:00:00 +0000] \"GET /cut-off HTTP/1.1\" 200 5 \"-\" \"" RIG_UA "\"");
    const wn_import_result *res = chunk();
    cr_expect_eq(res->repeated, 60);
    cr_expect_eq(res->counted, 1);
    begin("shop", "combined"); // and now its end has come, too
    add_views(17, 0, 60);
    add("203.0.113.9 - - [17/May/2015:09:00:00 +0000] \"GET /cut-off HTTP/1.1\" 200 5 \"-\" \"" RIG_UA
        "\"\n");
    add_views(17, 60, 2);
    res = chunk();
    cr_expect_eq(res->repeated, 61);
    cr_expect_eq(res->counted, 2);
}

Test(import, new_lines_of_an_earlier_day_count_beside_known_ones) {
    begin("shop", "combined");
    add_views(18, 0, 60);
    cr_expect_eq(chunk()->counted, 60);
    begin("shop", "combined");
    add_views(18, 0, 60), add_views(17, 0, 5), add_views(18, 60, 5);
    const wn_import_result *res = chunk();
    cr_expect_eq(res->repeated, 60);
    cr_expect_eq(res->counted, 10);
    cr_expect_null(wn_import_end(import, token, count_window, NULL));
    cr_expect_eq(windows_told, 2);
}

Test(import, what_no_line_could_be_read_of_is_not_remembered) {
    begin("shop", "vhost-combined");
    add_views(17, 0, 60);
    cr_expect_eq(chunk()->by_verdict[WN_VERDICT_malformed], 60);
    begin("shop", "combined");
    add_views(17, 0, 60);
    cr_expect_eq(chunk()->counted, 60);
}

Test(import, a_kill_amid_the_rest_of_a_grown_log_goes_on_where_it_stopped) {
    size_t grown = 60 + 3 * WN_REQUEST_LINES_MAX;
    begin("shop", "combined");
    add_views(17, 0, 60);
    cr_assert_eq(chunk()->counted, 60);
    begin("shop", "combined");
    add_views(17, 0, (int)grown);
    cr_assert_null(wn_import_chunk(import, token, 77));
    uint64_t from = wn_pipeline_durable(r.pipeline);
    while (wn_pipeline_durable(r.pipeline) < from + 2) turn();
    size_t before = rig_read(&r).views;
    cr_assert(before > 0 && before < grown - 60);
    wn_import_close(import);
    rig_restart(&r);
    open_import();
    begin("shop", "combined");
    add_views(17, 0, (int)grown);
    rig_deliver(&r);
    const wn_import_result *res = chunk();
    cr_expect_eq(res->repeated, 60 + before);
    cr_expect_eq(res->counted, grown - 60 - before);
    cr_expect_eq(sum(res), res->lines);
    begin("shop", "combined");
    add_views(17, 0, (int)grown);
    cr_expect_eq(chunk()->repeated, grown);
}

Test(import, two_imports_of_one_log_at_a_time_count_it_once) {
    uint64_t counted = 0, repeated = 0;
    begin("shop", "combined");
    add_views(17, 0, 60);
    cr_assert_null(wn_import_chunk(import, token, 77));
    begin("shop", "combined");
    add_views(17, 0, 90);
    cr_assert_null(wn_import_chunk(import, token, 77));
    for (int i = 0; i < 10000 && answers < 2; i++) {
        size_t seen = answers;
        turn();
        if (answers != seen) counted += result.counted, repeated += result.repeated;
        if (wn_pipeline_pending(r.pipeline) == 0) rig_deliver(&r);
    }
    cr_expect_eq(answers, 2);
    cr_expect_eq(counted, 90);
    cr_expect_eq(repeated, 60);
}

Test(import, a_kill_in_the_middle_goes_on_where_it_stopped) {
    begin("shop", "combined");
    add_views(17, 0, 3 * WN_REQUEST_LINES_MAX);
    cr_assert_null(wn_import_chunk(import, token, 77));
    while (wn_pipeline_durable(r.pipeline) < 2) turn();
    size_t before = rig_read(&r).views;
    cr_assert(before > 0 && before < 3 * WN_REQUEST_LINES_MAX);
    wn_import_close(import);
    rig_restart(&r);
    open_import();
    cr_assert_eq(rig_read(&r).views, before);
    begin("shop", "combined");
    add_views(17, 0, 3 * WN_REQUEST_LINES_MAX);
    rig_deliver(&r);
    const wn_import_result *res = chunk();
    cr_expect_eq(res->repeated, before);
    cr_expect_eq(res->counted, 3 * WN_REQUEST_LINES_MAX - before);
    cr_expect_not(res->repeat);
    cr_expect_eq(sum(res), res->lines);
}

Test(import, counts_in_the_order_of_time) {
    // Shuffled lines of one person are one visit when sorted, several when taken as they come.
    static const int order[] = {5400, 0, 3600, 1800, 7200};
    char line[400];
    begin("shop", "combined");
    for (size_t i = 0; i < WN_COUNT(order); i++) {
        snprintf(
            line, sizeof line,
            "203.0.113.1 - - [17/May/2015:%02d:%02d:00 +0000] \"GET /%zu HTTP/1.1\" 200 5 \"-\" \"" RIG_UA
            "\"\n",
            order[i] / 3600, order[i] / 60 % 60, i);
        add(line);
    }
    cr_expect_eq(chunk()->counted, 5);
    cr_expect_eq(wn_sessions_count(r.sessions), 1);
}

// Visits end by what is read: the lines behind must not be counted first, however they came.
Test(import, a_chunk_waits_for_the_lines_before_it) {
    uint64_t first = 0, second = 0, none = 0;
    cr_assert_null(wn_import_begin(import, span("shop"), span("combined"), 0, &first));
    cr_assert_null(wn_import_begin(import, span("shop"), span("combined"), first, &second));
    token = second;
    add_views(17, 4000, 50);
    cr_assert_null(wn_import_chunk(import, second, 77));
    for (int i = 0; i < 200; i++) {
        turn();
        if (wn_pipeline_pending(r.pipeline) == 0) rig_deliver(&r);
    }
    cr_expect_eq(answers, 0, "counted before the lines that stand before it");
    cr_expect_eq(metrics.v[WN_METRIC_import_lines], 0);
    token = first;
    add_views(17, 0, 50);
    cr_expect_eq(chunk()->counted, 50);
    for (int i = 0; i < 10000 && answers < 2; i++) {
        turn();
        if (wn_pipeline_pending(r.pipeline) == 0) rig_deliver(&r);
    }
    cr_expect_eq(answers, 2);
    // One that is not there, as after a kill: the lines before must be sent again first.
    cr_expect_not_null(wn_import_begin(import, span("shop"), span("combined"), second + 1000, &none));
}

Test(import, a_chunk_has_limits_in_lines_and_bytes) {
    begin("shop", "combined");
    size_t n = WN_IMPORT_LINES_MAX;
    char *newlines = malloc(n + 1);
    memset(newlines, '\n', n + 1);
    cr_expect_null(wn_import_lines(import, token, (wn_span){(const uint8_t *)newlines, n - 1}));
    cr_expect_null(wn_import_lines(import, token, span("x")));
    cr_expect_not_null(wn_import_lines(import, token, span("\nx")));
    cr_expect_null(wn_import_lines(import, token, span("\n")));
    cr_expect_not_null(wn_import_lines(import, token, span("x")));
    free(newlines);
    begin("shop", "combined");
    size_t mib = 1u << 20;
    uint8_t *bytes = malloc(mib);
    memset(bytes, 'x', mib);
    for (size_t i = 0; i < WN_IMPORT_BYTES_MAX / mib; i++)
        cr_assert_null(wn_import_lines(import, token, (wn_span){bytes, mib}));
    cr_expect_not_null(wn_import_lines(import, token, (wn_span){bytes, 1}));
    free(bytes);
}

Test(import, one_import_too_many_takes_the_place_of_an_idle_one) {
    uint64_t begun[WN_IMPORTS_MAX];
    for (size_t i = 0; i < WN_IMPORTS_MAX; i++) {
        begin("shop", "combined"), begun[i] = token;
        if (i != 0) add_views(17, 0, 1);
    }
    begin("app", "combined");
    cr_expect_not_null(wn_import_lines(import, begun[0], span("x")));
    for (size_t i = 1; i < WN_IMPORTS_MAX; i++) cr_expect_null(wn_import_lines(import, begun[i], span("x")));
}

// As `winnow import` sends: the second chunk is there while the first is counted, and both come again
// after a kill, wherever it falls.
Test(import, a_kill_with_two_chunks_under_way_loses_and_doubles_no_line) {
    int n = 2 * WN_REQUEST_LINES_MAX + 100;
    for (uint64_t kill_at = 1; kill_at <= 6; kill_at++) {
        int day = 10 + (int)kill_at;
        uint64_t tokens[2], from = wn_pipeline_durable(r.pipeline),
                            kept = wn_pipeline_count(r.pipeline)->kept;
        answers = 0;
        for (int c = 0; c < 2; c++) {
            begin("shop", "combined"), tokens[c] = token;
            add_views(day, c * n, n);
            cr_assert_null(wn_import_chunk(import, tokens[c], 77));
        }
        for (int i = 0; i < 10000 && answers < 2 && wn_pipeline_durable(r.pipeline) < from + kill_at; i++)
            turn();
        size_t before = rig_read(&r).views;
        cr_expect_eq(wn_pipeline_count(r.pipeline)->kept - kept, before,
                     "what is counted is what is durable");
        cr_expect(kill_at > 1 || before < 2 * (size_t)n, "amid them");
        wn_import_close(import);
        rig_restart(&r);
        open_import();
        rig_deliver(&r);
        uint64_t counted = 0, repeated = 0;
        for (int c = 0; c < 2; c++) {
            begin("shop", "combined");
            add_views(day, c * n, n);
            const wn_import_result *res = chunk();
            counted += res->counted, repeated += res->repeated;
            cr_expect_eq(sum(res), (uint64_t)n);
            cr_expect_null(wn_import_end(import, token, count_window, NULL));
        }
        cr_expect_eq(repeated, before, "kill at %d", (int)kill_at);
        cr_expect_eq(counted, 2 * (uint64_t)n - before, "kill at %d", (int)kill_at);
    }
}

// The first line alone decides whether a chunk before is looked for.
Test(import, a_log_that_begins_alike_and_goes_on_otherwise_is_another) {
    begin("shop", "combined");
    add_views(17, 0, 60);
    cr_expect_eq(chunk()->counted, 60);
    begin("shop", "combined");
    add_views(17, 0, 30), add_views(17, 100, 60);
    cr_expect_eq(chunk()->counted, 90);
    begin("shop", "combined");
    add_views(17, 1, 59);
    cr_expect_eq(chunk()->counted, 59);
    for (int n = 1; n <= 3; n++) { // of one line, and grown by one each time
        begin("blog", "combined");
        add_views(17, 0, n);
        const wn_import_result *res = chunk();
        cr_expect_eq(res->repeated, n - 1);
        cr_expect_eq(res->counted, 1);
    }
}

Test(import, lines_late_by_two_chunks_are_taken_off_once) {
    wn_window w;
    wn_zone_window(wn_zone_find("UTC"), WN_KIND_WEB, 1431820800, &w);
    for (int c = 0; c < 2; c++) {
        begin("shop", "combined");
        add_views(17, 10 * c, 10);
        cr_assert_null(wn_import_chunk(import, token, 77));
    }
    for (int i = 0; i < 20; i++) turn();
    cr_assert_eq(answers, 0);
    wn_import_late(import, &w, 13);
    for (int i = 0; i < 10000 && answers < 2; i++) {
        if (wn_pipeline_pending(r.pipeline) == 0) rig_deliver(&r);
        wn_import_turn(import);
    }
    cr_assert_eq(answers, 2);
    cr_expect_eq(result.late, 3, "the first took ten of them");
    cr_expect_eq(result.counted, 7);
}

Test(import, late_deliveries_are_late_lines) {
    wn_window w;
    wn_zone_window(wn_zone_find("UTC"), WN_KIND_WEB, 1431820800, &w);
    begin("shop", "combined");
    add_views(17, 0, 4);
    cr_assert_null(wn_import_chunk(import, token, 77));
    for (int i = 0; i < 20; i++) turn();
    wn_import_late(import, &w, 3);
    rig_deliver(&r);
    turn();
    cr_assert_eq(answers, 1);
    cr_expect_eq(result.counted, 1);
    cr_expect_eq(result.late, 3);
}

Test(import, hosts_of_virtual_servers_are_checked) {
    char line[400], vhost[460];
    begin("blog", "vhost-combined");
    view_line(line, sizeof line, 17, 1, "/a", RIG_UA);
    snprintf(vhost, sizeof vhost, "www.blog.example:443 %s", line), add(vhost);
    snprintf(vhost, sizeof vhost, "shop.example:443 %s", line), add(vhost);
    const wn_import_result *res = chunk();
    cr_expect_eq(res->counted, 1);
    cr_expect_eq(res->by_verdict[WN_VERDICT_foreign_host], 1);
}

Test(import, a_path_of_two_slashes_is_a_path) {
    char line[400];
    begin("blog", "combined");
    view_line(line, sizeof line, 17, 1, "//other.example/a", RIG_UA), add(line);
    cr_expect_eq(chunk()->counted, 1);
}

Test(import, recent_lines_need_no_question) {
    char line[400], day[32];
    time_t now = (time_t)r.now_s - 60;
    struct tm tm;
    strftime(day, sizeof day, "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&now, &tm));
    snprintf(line, sizeof line, "203.0.113.1 - - [%s] \"GET / HTTP/1.1\" 200 5 \"-\" \"" RIG_UA "\"\n", day);
    aggregator_up = false;
    begin("shop", "combined");
    add(line);
    cr_expect_eq(chunk()->counted, 1);
    cr_expect_eq(asked, 0);
}
