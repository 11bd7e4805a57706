// SPDX-License-Identifier: Apache-2.0
// A report in pieces says what the whole one says; by day and by page it says all of it, once.
#include "report_stream.h"

#include <stdlib.h>
#include <string.h>

#include "report_support.h"

TestSuite(report_stream, .init = setup, .fini = teardown);

#define DAYS 3
#define PAGES 700 // of each day: more than one piece

static void fill(void) {
    static wn_public_row rows[PAGES + 1];
    for (int32_t d = 0; d < DAYS; d++) {
        for (size_t i = 0; i < PAGES; i++) {
            char label[120];
            snprintf(label, sizeof label, "/%0*zu", 100, i + (size_t)d * 100);
            rows[i] = row_of(label, (uint32_t)(20 * (1 + i % 7)), 40, 20);
        }
        rows[PAGES] = other_of(20, 40);
        wn_public_head h = head_of("pages", ROUTE, DAY + d);
        publish(&h, rows, PAGES + 1);
    }
}

// Everything that next gives, malloc'ed; counts pieces.
static char *all_of(wn_report_stream *s, size_t *out_pieces) {
    char *text = NULL;
    size_t n = 0;
    bool end = false;
    FILE *out = open_memstream(&text, &n);
    cr_assert(out);
    for (*out_pieces = 0; !end;) {
        wn_span piece;
        cr_assert_eq(wn_report_stream_next(s, &piece, &end), WN_OK);
        cr_assert(piece.n < WN_REPORT_PIECE_BYTES + 4096);
        *out_pieces += piece.n > 0;
        fwrite(piece.p, 1, piece.n, out);
    }
    fclose(out);
    return text;
}

static wn_report_stream *stream_of(const wn_report_query *q, bool by_day) {
    wn_report_stream *s;
    cr_assert_eq(wn_report_stream_new(store, q, by_day, &s), WN_OK);
    return s;
}

Test(report_stream, says_what_the_whole_report_says) {
    static const wn_report_format formats[] = {WN_REPORT_CSV, WN_REPORT_JSON, WN_REPORT_NDJSON};
    fill();
    for (size_t i = 0; i < WN_COUNT(formats); i++) {
        size_t pieces;
        wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, formats[i]);
        output whole = run(&q);
        wn_report_stream *s = stream_of(&q, false);
        char *text = all_of(s, &pieces);
        cr_expect_str_eq(text, whole.out);
        cr_expect_gt(pieces, 1);
        free(text);
        wn_report_stream_free(s);
        output_free(&whole);
    }
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what)) n++;
    return n;
}

Test(report_stream, by_day_gives_each_row_of_each_day) {
    fill();
    size_t pieces;
    wn_report_query q = query_of("pages", DAY - 5, DAY + DAYS + 5, WN_REPORT_CSV);
    wn_report_stream *s = stream_of(&q, true);
    char *text = all_of(s, &pieces);
    cr_expect_eq(strncmp(text, "day,route,people,events,sessions\r\n2026-11-20,", 45), 0, "%.60s", text);
    cr_expect_eq(count(text, "\r\n"), 1 + DAYS * (PAGES + 1));
    cr_expect_eq(count(text, "\n2026-11-21,"), PAGES + 1);
    cr_expect_eq(count(text, "day,"), 1);
    free(text);
    wn_report_stream_free(s);
    q.format = WN_REPORT_JSON;
    s = stream_of(&q, true);
    text = all_of(s, &pieces);
    cr_expect_eq(count(text, "\"sealed\":true,\"tick\""), DAYS);
    cr_expect_eq(count(text, "\"day\":\"2026-11-22\",\"route\""), PAGES + 1);
    cr_expect_eq(count(text, "visitor_days"), 0);
    cr_expect(strstr(text, "],\"k\":20,\"profile\":\"crowd\""));
    free(text);
    wn_report_stream_free(s);
}

Test(report_stream, a_day_of_other_columns_is_left_out_by_day) {
    fill();
    size_t pieces;
    wn_public_head h = head_of("pages", WN_DIM_country, DAY + DAYS);
    wn_public_row row = row_of("DE", 10, 10, 10);
    publish(&h, &row, 1);
    wn_report_query q = query_of("pages", DAY, DAY + DAYS, WN_REPORT_NDJSON);
    wn_report_stream *s = stream_of(&q, true);
    char *text = all_of(s, &pieces);
    cr_expect_eq(count(text, "\n"), DAYS * (PAGES + 1));
    cr_expect(!strstr(text, "DE"));
    free(text);
    wn_report_stream_free(s);
}

Test(report_stream, nothing_published_is_a_report_without_rows) {
    static const char *const whole[] = {"day,people\r\n", "\"rows\":[],"};
    static const wn_table shape = {.id = "traffic", .measures = WN_MEASURE_PEOPLE, .k = 10};
    for (size_t i = 0; i < WN_COUNT(whole); i++) {
        size_t pieces;
        wn_report_query q = query_of("traffic", DAY, DAY + 1, i ? WN_REPORT_JSON : WN_REPORT_CSV);
        q.shape = &shape;
        wn_report_stream *s = stream_of(&q, true);
        char *text = all_of(s, &pieces);
        cr_expect(strstr(text, whole[i]), "%s", text);
        free(text);
        wn_report_stream_free(s);
    }
}

static void ready(wn_report_stream *s) {
    for (bool done = false; !done;) cr_assert_eq(wn_report_stream_read(s, &done), WN_OK);
    cr_assert(wn_report_stream_ready(s));
}

Test(report_stream, pages_together_are_all_rows_in_order) {
    fill();
    size_t pieces, limit = 97;
    wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, WN_REPORT_NDJSON);
    output whole = run(&q);
    char *together = calloc(1, strlen(whole.out) + 1);
    cr_assert(together);
    size_t n = 1;
    for (size_t at = 0; at < n; at += limit) {
        wn_report_stream *s = stream_of(&q, false);
        ready(s);
        n = wn_report_stream_rows(s)->rows_n;
        wn_report_stream_page(s, &(wn_report_page){at, limit, NULL});
        char *text = all_of(s, &pieces);
        cr_expect_eq(count(text, "\n"), n - at < limit ? n - at : limit);
        strcat(together, text);
        free(text);
        wn_report_stream_free(s);
    }
    cr_expect_str_eq(together, whole.out);
    free(together);
    output_free(&whole);
}

Test(report_stream, a_page_says_where_it_stands) {
    fill();
    size_t pieces, n;
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_JSON);
    struct {
        size_t offset;
        const char *next;
        bool other_apart;
        size_t rows;
    } cases[] = {{0, "x-10", true, 10},
                 {PAGES - 9, NULL, false, 10},
                 {PAGES + 1, NULL, false, 0},
                 {PAGES + 9, NULL, false, 0}};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_report_stream *s = stream_of(&q, false);
        ready(s);
        n = wn_report_stream_rows(s)->rows_n;
        cr_assert_eq(n, PAGES + 1);
        wn_report_stream_page(s, &(wn_report_page){cases[i].offset, 10, cases[i].next});
        char *text = all_of(s, &pieces);
        cr_expect_eq(count(text, "{\"route\":"), cases[i].rows + cases[i].other_apart, "%zu", i);
        cr_expect_eq(count(text, "\"other\":{"), cases[i].other_apart, "%zu", i);
        cr_expect_eq(count(text, "\"next\":\"x-10\""), cases[i].next != NULL, "%zu", i);
        cr_expect(strstr(text, "\"rows_total\":701"), "%zu", i);
        free(text);
        wn_report_stream_free(s);
    }
}

static bool odd_days(void *ctx, const wn_public_head *head) {
    (void)ctx;
    return head->window.day % 2;
}

Test(report_stream, windows_that_may_not_be_seen_are_as_if_they_were_not) {
    fill();
    size_t pieces;
    wn_report_query q = query_of("pages", DAY, DAY + DAYS - 1, WN_REPORT_JSON);
    q.may = odd_days;
    for (int by_day = 0; by_day < 2; by_day++) {
        wn_report_stream *s = stream_of(&q, by_day);
        char *text = all_of(s, &pieces);
        cr_expect_eq(count(text, "\"tick\""), 2);
        cr_expect(!strstr(text, "2026-11-21\",\"zone"));
        free(text);
        wn_report_stream_free(s);
    }
}

Test(report_stream, rows_have_a_bound) {
    fill();
    bool done = false;
    wn_report_query q = query_of("pages", DAY, DAY, WN_REPORT_JSON);
    q.rows_max = PAGES + 1;
    wn_report_stream *s = stream_of(&q, false);
    ready(s);
    wn_report_stream_free(s);
    q.rows_max = PAGES;
    s = stream_of(&q, false);
    wn_err err = WN_OK;
    while (!done && !err) err = wn_report_stream_read(s, &done);
    cr_expect_eq(err, WN_ERR_FULL);
    wn_report_stream_free(s);
}
