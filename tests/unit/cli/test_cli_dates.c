// SPDX-License-Identifier: Apache-2.0
// Days as people write them.
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "cli_dates.h"

Test(cli_dates, refuses_what_is_no_day) {
    static const char *const bad[] = {"",           "d",        "0d",       "3661d", "-1d",    "1",
                                      "2026-02-30", "2026-2-3", "tomorrow", "30 d",  "99999d", "1dd"};
    int32_t day = 77;
    for (size_t i = 0; i < WN_COUNT(bad); i++) cr_expect(!wn_dates_day(bad[i], 20000, &day), "%s", bad[i]);
    cr_assert_eq(day, 77);
}

Test(cli_dates, reads_days) {
    int32_t day;
    cr_assert(wn_dates_day("today", 20000, &day) && day == 20000);
    cr_assert(wn_dates_day("yesterday", 20000, &day) && day == 19999);
    cr_assert(wn_dates_day("1d", 20000, &day) && day == 20000);
    cr_assert(wn_dates_day("30d", 20000, &day) && day == 19971);
    cr_assert(wn_dates_day("3660d", 20000, &day) && day == 20000 - 3659);
    cr_assert(wn_dates_day("1970-01-02", 20000, &day) && day == 1);
}

Test(cli_dates, a_range_covers_whole_local_days_through_a_change_of_clocks) {
    wn_site site = {.zone = "Europe/Berlin", .kind = WN_KIND_WEB};
    int32_t a, b;
    int64_t from, to;
    cr_assert(wn_dates_range(&wn_cmd_report, &site, "2026-03-29", "2026-03-29", &a, &b, &from, &to));
    cr_assert_eq(a, b);
    cr_assert_eq(to - from, 23 * 3600);
}

Test(cli_dates, a_range_may_not_run_backwards) {
    wn_site site = {.zone = "UTC", .kind = WN_KIND_WEB};
    int32_t a, b;
    int64_t from, to;
    cr_redirect_stderr();
    cr_assert(!wn_dates_range(&wn_cmd_report, &site, "2026-03-29", "2026-03-28", &a, &b, &from, &to));
}
