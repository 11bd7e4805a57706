// SPDX-License-Identifier: Apache-2.0
// Against the days before and day by day: only like days count, and only what both show.
#include <stdlib.h>
#include <string.h>

#include "report_support.h"
#include "report_trend.h"

TestSuite(report_trend, .init = setup, .fini = teardown);

static void day(int32_t d, uint32_t de, uint32_t fr, bool sealed) {
    wn_public_head h = head_of("countries", WN_DIM_country, d);
    wn_public_row rows[2];
    size_t n = 0;
    h.sealed = sealed;
    if (de) rows[n++] = row_of("DE", de, 3 * de, sealed ? de : 0);
    if (fr) rows[n++] = row_of("FR", fr, fr, sealed ? fr : 0);
    publish(&h, rows, n);
}

static wn_report_query trend_of(int32_t from, int32_t to) {
    wn_report_query q = query_of("countries", from, to, WN_REPORT_TABLE);
    q.sparks = q.compare = true;
    q.before_s = window_of(from - (to - from + 1)).start_s;
    return q;
}

Test(report_trend, a_screen_shows_change_and_days) {
    day(DAY, 100, 40, true), day(DAY + 1, 50, 0, true), day(DAY + 2, 0, 20, true);
    day(DAY + 3, 120, 30, true), day(DAY + 4, 80, 10, true), day(DAY + 5, 10, 10, false);
    wn_report_query q = trend_of(DAY + 3, DAY + 5);
    golden(&q, "countries_trend.txt"); // DE 200 on 150; FR 30 on 40, one day of three
    q.sparks = false;
    golden(&q, "countries_change.txt");
    q.compare = false;
    output o = run(&q);
    cr_expect(!strstr(o.out, "change") && !strstr(o.out, "by day"), "%s", o.out);
    output_free(&o);
}

Test(report_trend, one_day_stands_against_the_day_before_without_marks) {
    day(DAY, 100, 40, true), day(DAY + 1, 110, 0, true);
    wn_report_query q = trend_of(DAY + 1, DAY + 1);
    output o = run(&q);
    cr_expect(strstr(o.out, "+10%\n") && !strstr(o.out, "by day") && strstr(o.out, "the day before"), "%s",
              o.out);
    output_free(&o);
}

static int64_t change_of(uint32_t was, uint32_t now, bool was_sealed, bool now_sealed, bool *out_known) {
    wn_report_rows rows;
    wn_report_trend t;
    int64_t percent = -1000;
    teardown(), setup();
    day(DAY, was, 10, was_sealed), day(DAY + 1, now, 10, now_sealed);
    wn_report_query q = trend_of(DAY + 1, DAY + 1);
    cr_assert_eq(wn_report_rows_read(&rows, store, &q), WN_OK);
    cr_assert_eq(wn_report_trend_read(&t, &rows, store), WN_OK);
    size_t de = 0;
    while (de < rows.rows_n && strcmp(rows.rows[de].label[0], "DE") != 0) de++;
    *out_known = de < rows.rows_n && wn_report_trend_change(&t, de, &percent);
    wn_report_trend_fini(&t);
    wn_report_rows_fini(&rows);
    return percent;
}

Test(report_trend, what_one_side_does_not_show_or_has_not_sealed_is_no_change) {
    bool known;
    cr_expect(change_of(100, 120, true, true, &known) == 20 && known);
    cr_expect(change_of(80, 70, true, true, &known) == -12 && known, "-12.5 rounds up, as on the dashboard");
    cr_expect(change_of(80, 90, true, true, &known) == 13 && known);
    cr_expect(change_of(30, 10, true, true, &known) == -67 && known);
    cr_expect(change_of(100, 100, true, true, &known) == 0 && known);
    (void)change_of(100, 120, true, false, &known);
    cr_expect(!known, "the day is open");
    (void)change_of(100, 120, false, true, &known);
    cr_expect(!known, "the day before is open");
    (void)change_of(0, 120, true, true, &known);
    cr_expect(!known, "a missing row is not zero");
}

// Sixty days have a mark each, and one more day lets two share one.
Test(report_trend, marks_are_never_more_than_sixty) {
    for (int32_t d = 0; d < 121; d++) day(DAY + d, d % 2 ? 40 : 20, 10, true);
    static const struct {
        int32_t days;
        size_t marks;
    } rows[] = {{2, 2}, {60, 60}, {61, 31}, {120, 60}, {121, 41}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_report_rows r;
        wn_report_trend t;
        char marks[WN_TREND_MARKS_BYTES];
        wn_report_query q = trend_of(DAY, DAY + rows[i].days - 1);
        cr_assert_eq(wn_report_rows_read(&r, store, &q), WN_OK);
        cr_assert_eq(wn_report_trend_read(&t, &r, store), WN_OK);
        cr_expect_eq(wn_report_trend_marks(&t, 0, marks), rows[i].marks, "%d days", rows[i].days);
        if (rows[i].days == 2) cr_expect_str_eq(marks, "▄█");
        wn_report_trend_fini(&t);
        wn_report_rows_fini(&r);
    }
}

Test(report_trend, days_of_another_shape_and_windows_not_seen_do_not_count) {
    wn_public_head h = head_of("countries", WN_DIM_language, DAY);
    wn_public_row row = row_of("DE", 1000, 1, 1);
    publish(&h, &row, 1);
    day(DAY + 1, 120, 10, true);
    wn_report_query q = trend_of(DAY + 1, DAY + 1);
    output o = run(&q);
    cr_expect(strstr(o.out, "–\n") && !strchr(o.out, '%'), "%s", o.out);
    output_free(&o);
}

Test(report_trend, too_many_rows_and_days_have_no_trend) {
    wn_report_rows r;
    wn_report_trend t;
    day(DAY, 100, 40, true);
    wn_report_query q = trend_of(DAY, DAY + (int32_t)WN_TREND_CELLS_MAX / 2 - 1);
    cr_assert_eq(wn_report_rows_read(&r, store, &q), WN_OK);
    cr_assert_eq(wn_report_trend_read(&t, &r, store), WN_OK);
    cr_expect_eq(t.days, WN_TREND_CELLS_MAX / 2, "two rows fit");
    wn_report_trend_fini(&t);
    q.to_day++;
    cr_assert_eq(wn_report_trend_read(&t, &r, store), WN_OK);
    cr_expect_eq(t.days, 0);
    wn_report_trend_fini(&t);
    wn_report_rows_fini(&r);
}
