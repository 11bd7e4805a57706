// SPDX-License-Identifier: Apache-2.0
// /metrics tells of persons only in steps, and of nothing by name.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"

static wn_metrics m;
static wn_pipeline_counts c;

Test(metrics, counters_about_persons_move_in_steps_and_rarely) {
    c.by_verdict[WN_VERDICT_refused] = 39;
    c.by_verdict[WN_VERDICT_late] = 19;
    c.by_verdict[WN_KEEP] = 20;
    wn_metrics_refresh(&m, &c, 39, 1000);
    cr_expect_eq(m.by_verdict[WN_VERDICT_refused], 20);
    cr_expect_eq(m.by_verdict[WN_VERDICT_late], 0);
    cr_expect_eq(m.by_verdict[WN_KEEP], 20);
    cr_expect_eq(m.v[WN_METRIC_sessions_open], 20);
    c.by_verdict[WN_VERDICT_refused] = 400;
    wn_metrics_refresh(&m, &c, 60, 1000 + WN_METRICS_REFRESH_S - 1);
    cr_expect_eq(m.by_verdict[WN_VERDICT_refused], 20);
    cr_expect_eq(m.v[WN_METRIC_sessions_open], 20);
    wn_metrics_refresh(&m, &c, 60, 1000 + WN_METRICS_REFRESH_S);
    cr_expect_eq(m.by_verdict[WN_VERDICT_refused], 400);
    cr_expect_eq(m.v[WN_METRIC_sessions_open], 60);
}

Test(metrics, what_decided_about_consent_moves_in_steps_and_rarely) {
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) c.by_signal[i] = 19 + i;
    wn_metrics_refresh(&m, &c, 0, 1000);
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) cr_expect_eq(m.by_signal[i], i == 0 ? 0 : 20);
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) c.by_signal[i] = 59;
    wn_metrics_refresh(&m, &c, 0, 1000 + WN_METRICS_REFRESH_S - 1);
    cr_expect_eq(m.by_signal[1], 20);
    wn_metrics_refresh(&m, &c, 0, 1000 + WN_METRICS_REFRESH_S);
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) cr_expect_eq(m.by_signal[i], 40);
}

Test(metrics, counters_about_form_are_exact_and_fresh) {
    c.by_verdict[WN_VERDICT_bot] = 7;
    wn_metrics_refresh(&m, &c, 39, 1000);
    cr_expect_eq(m.by_verdict[WN_VERDICT_bot], 7);
    c.by_verdict[WN_VERDICT_bot] = 8;
    wn_metrics_refresh(&m, &c, 39, 1001);
    cr_expect_eq(m.by_verdict[WN_VERDICT_bot], 8);
}

Test(metrics, totals_do_not_give_persons_away_by_difference) {
    c.by_verdict[WN_KEEP] = 105;
    c.by_verdict[WN_VERDICT_refused] = 3;
    c.events = 108;
    wn_metrics_refresh(&m, &c, 39, 1000);
    cr_expect_eq(m.by_verdict[WN_KEEP], 100);
    cr_expect_eq(m.v[WN_METRIC_events], 100);
    c.events = 141;
    c.by_verdict[WN_KEEP] = 138;
    wn_metrics_refresh(&m, &c, 39, 1001);
    cr_expect_eq(m.v[WN_METRIC_events], 100);
    cr_expect_eq(m.by_verdict[WN_KEEP], 100, "both move at one time");
    wn_metrics_refresh(&m, &c, 39, 1000 + WN_METRICS_REFRESH_S);
    cr_expect_eq(m.v[WN_METRIC_events], 140);
    cr_expect_eq(m.by_verdict[WN_KEEP], 120);
}

Test(metrics, the_text_is_openmetrics) {
    char text[WN_METRICS_TEXT_MAX];
    memset(&m, 0xff, sizeof m); // the widest numbers there are
    size_t n = wn_metrics_text(&m, text, sizeof text);
    cr_assert_lt(n, sizeof text);
    text[n] = '\0';
    cr_expect_eq(strcmp(text + n - 6, "# EOF\n"), 0);
    cr_expect_not_null(strstr(text, "# TYPE winnow_http_requests counter\n"));
    cr_expect_not_null(strstr(text, "\nwinnow_http_requests_total 18446744073709551615\n"));
    cr_expect_not_null(strstr(text, "# UNIT winnow_spool_bytes bytes\n"));
    cr_expect_not_null(strstr(text, "\nwinnow_spool_bytes 1844"));
    cr_expect_not_null(strstr(text, "\nwinnow_verdicts_total{reason=\"malformed\"} 1844"));
    cr_expect_not_null(strstr(text, "# TYPE winnow_collector_consent_signals counter\n"));
    cr_expect_not_null(strstr(text, "\nwinnow_collector_consent_signals_total{by=\"gpc\"} 1844"));
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) {
        char row[96];
        snprintf(row, sizeof row, "{by=\"%s\"}", wn_signal_name((wn_signal_kind)i));
        cr_expect_not_null(strstr(text, row));
    }
    for (const char *at = text; (at = strchr(at, '{')) != NULL; at++)
        cr_expect(strncmp(at, "{reason=\"", 9) == 0 || strncmp(at, "{by=\"", 5) == 0);
}
