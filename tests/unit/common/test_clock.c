// SPDX-License-Identifier: Apache-2.0
// Local days against the C library's idea of them, and the days that break rules.
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

static const char *const names[] = {
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Kiev",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/St_Johns",
    "America/Halifax",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Asuncion",
    "America/Santiago",
    "America/Caracas",
    "America/Argentina/Buenos_Aires",
    "America/North_Dakota/New_Salem",
    "America/Scoresbysund",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Juba",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Gaza",
    "Asia/Pyongyang",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Auckland",
    "Antarctica/Troll",
};

static int32_t day(const char *text) {
    int32_t out;
    cr_assert(wn_day_parse(text, strlen(text), &out), "%s", text);
    return out;
}

static int64_t at(const char *text) {
    int64_t out;
    cr_assert(wn_time_parse(text, strlen(text), &out), "%s", text);
    return out;
}

static wn_window window_of(const char *zone, const char *date) {
    wn_window w;
    const wn_zone *z = wn_zone_find(zone);
    cr_assert_not_null(z, "%s", zone);
    wn_zone_window_of_day(z, WN_KIND_WEB, day(date), &w);
    return w;
}

// glibc's local date, the oracle.
static int32_t libc_day(int64_t t_s) {
    struct tm tm;
    time_t t = t_s;
    cr_assert_not_null(localtime_r(&t, &tm));
    tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
    return (int32_t)(timegm(&tm) / 86400);
}

static void libc_zone(const char *name) {
    setenv("TZ", name, 1);
    tzset();
}

Test(clock, knows_only_names_of_zone_files) {
    static const char *const bad[] = {
        "",
        "Europe",
        "Europe/",
        "/Europe/Berlin",
        "Europe//Berlin",
        "Europe/Berlin/",
        "Europe/Nowhere",
        "EST5EDT4",
        "+01:00",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "./UTC",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "leap-seconds.list",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "Europe/Berlin\n",
        "Europe Berlin",
        "_Europe",
        "Europe_/Berlin",
        "America/_x",
        "<+01>-1",
        ":Europe/Berlin",
        "%s%n",
        "America/Argentina/ComodRivadavia_xxxxxxx",
        "a_b_c_d_e_f_g_h_i_j_k_l_m_n_o_p_q_r_s_t",
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) cr_assert_null(wn_zone_find(bad[i]), "%s", bad[i]);
    cr_assert_eq(wn_zone_find("Europe/Berlin"), wn_zone_find("Europe/Berlin"));
    cr_assert_not_null(wn_zone_find("America/Argentina/ComodRivadavia"));
    cr_assert_not_null(wn_zone_find("Etc/GMT+5"));
}

static unsigned found, refused;

static int find_one(const char *path, const struct stat *st, int type, struct FTW *info) {
    (void)st;
    (void)info;
    const char *name = path + strlen("/usr/share/zoneinfo/");
    if (type != FTW_F || strncmp(name, "right/", 6) == 0 || strncmp(name, "posix/", 6) == 0) return 0;
    if (wn_zone_find(name) != NULL) {
        found++;
    } else {
        refused++;
    }
    return 0;
}

Test(clock, holds_at_most_its_limit_of_zones) {
    const wn_zone *first = wn_zone_find("Europe/Berlin");
    cr_assert_eq(nftw("/usr/share/zoneinfo", find_one, 16, FTW_PHYS), 0);
    cr_assert_geq(found, WN_ZONES_MAX - 1);
    cr_assert_leq(found, WN_ZONES_MAX);
    cr_assert_gt(refused, 50);
    cr_assert_eq(wn_zone_find("Europe/Berlin"), first, "what is known stays known");
}

Test(clock, days_of_23_and_25_hours) {
    wn_window w = window_of("Europe/Berlin", "2026-03-29");
    cr_assert_eq(w.start_s, at("2026-03-29T00:00:00+01:00"));
    cr_assert_eq(w.end_s - w.start_s, 23 * 3600);
    w = window_of("Europe/Berlin", "2026-10-25");
    cr_assert_eq(w.start_s, at("2026-10-25T00:00:00+02:00"));
    cr_assert_eq(w.end_s, at("2026-10-26T00:00:00+01:00"));
    cr_assert_eq(w.end_s - w.start_s, 25 * 3600);
    w = window_of("Australia/Lord_Howe", "2026-10-04");
    cr_assert_eq(w.end_s - w.start_s, 23 * 3600 + 1800);
    w = window_of("Europe/Berlin", "2050-07-01");
    cr_assert_eq(w.start_s, at("2050-07-01T00:00:00+02:00"), "past the last listed year");
}

Test(clock, a_day_without_midnight_begins_at_its_first_instant) {
    wn_window w = window_of("America/Sao_Paulo", "2018-11-04");
    cr_assert_eq(w.start_s, at("2018-11-04T01:00:00-02:00"));
    cr_assert_eq(w.end_s - w.start_s, 23 * 3600);
    w = window_of("Africa/Cairo", "2023-04-28");
    cr_assert_eq(w.start_s, at("2023-04-28T01:00:00+03:00"));
}

Test(clock, a_skipped_day_is_empty_and_never_found) {
    wn_window skipped = window_of("Pacific/Apia", "2011-12-30"), w;
    cr_assert_eq(skipped.start_s, skipped.end_s);
    cr_assert_eq(wn_window_check(&skipped), WN_ERR_CONFIG);
    const wn_zone *z = wn_zone_find("Pacific/Apia");
    wn_zone_window(z, WN_KIND_WEB, skipped.start_s, &w);
    cr_assert_eq(w.day, day("2011-12-31"));
    cr_assert_eq(w.start_s, skipped.start_s);
    wn_zone_window(z, WN_KIND_WEB, skipped.start_s - 1, &w);
    cr_assert_eq(w.day, day("2011-12-29"));
    cr_assert_eq(w.end_s, skipped.start_s);
}

Test(clock, a_day_that_comes_back_keeps_its_second_part_in_the_next) {
    // At 00:01 of the 7th clocks went back to 23:01 of the 6th.
    wn_window w = window_of("America/St_Johns", "2010-11-07");
    cr_assert_eq(w.start_s, at("2010-11-07T00:00:00-02:30"));
    const wn_zone *z = wn_zone_find("America/St_Johns");
    wn_window back;
    wn_zone_window(z, WN_KIND_WEB, at("2010-11-06T23:30:00-03:30"), &back);
    cr_assert(wn_window_same(&w, &back));
    // Alaska was already in 1867-10-19 when its clocks went back a whole day.
    w = window_of("America/Sitka", "1867-10-19");
    cr_assert_eq(w.end_s - w.start_s, 48 * 3600);
}

Test(clock, days_tile_time_in_all_zones) {
    static const char *const years[] = {"2010-01-01", "2011-01-01", "2018-01-01", "2026-01-01"};
    cr_assert_geq(WN_COUNT(names), 40);
    for (size_t i = 0; i < WN_COUNT(names); i++) {
        const wn_zone *z = wn_zone_find(names[i]);
        cr_assert_not_null(z, "%s", names[i]);
        libc_zone(names[i]);
        for (size_t y = 0; y < WN_COUNT(years); y++) {
            wn_window w, by_time;
            int32_t first = day(years[y]);
            wn_zone_window_of_day(z, WN_KIND_APP, first - 1, &w);
            for (int32_t d = first; d < first + 366; d++) {
                int64_t last_end_s = w.end_s;
                wn_zone_window_of_day(z, WN_KIND_APP, d, &w);
                cr_assert_eq(w.start_s, last_end_s, "%s %d", names[i], d);
                cr_assert_geq(w.end_s, w.start_s);
                if (w.end_s == w.start_s) continue;
                cr_assert_leq(w.end_s - w.start_s, 26 * 3600, "%s %d", names[i], d);
                cr_assert_eq(libc_day(w.start_s), d, "%s %d", names[i], d);
                cr_assert_lt(libc_day(w.start_s - 1), d, "%s %d", names[i], d);
                int64_t inside_s[] = {w.start_s, w.start_s + (w.end_s - w.start_s) / 3, w.end_s - 1};
                for (size_t k = 0; k < WN_COUNT(inside_s); k++) {
                    wn_zone_window(z, WN_KIND_APP, inside_s[k], &by_time);
                    cr_assert(wn_window_same(&w, &by_time), "%s %d", names[i], d);
                    cr_assert_eq(by_time.start_s, w.start_s);
                    cr_assert_eq(by_time.end_s, w.end_s);
                    cr_assert_leq(libc_day(inside_s[k]), d, "%s %d", names[i], d);
                }
            }
        }
    }
}

Test(clock, any_order_of_asking_gives_the_same_windows) {
    uint64_t seed = 88172645463325252u;
    const wn_zone *z[] = {wn_zone_find("Europe/Berlin"), wn_zone_find("Pacific/Apia")};
    for (int i = 0; i < 20000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        wn_window by_time, by_day;
        int64_t t_s = at("2011-12-20T00:00:00Z") + (int64_t)(seed % (20 * 86400));
        wn_zone_window(z[seed >> 32 & 1], (wn_kind)(i % 2), t_s, &by_time);
        wn_zone_window_of_day(z[seed >> 32 & 1], (wn_kind)(i % 2), by_time.day, &by_day);
        cr_assert(t_s >= by_time.start_s && t_s < by_time.end_s);
        cr_assert_eq(by_time.kind, i % 2);
        cr_assert_str_eq(by_time.zone, by_day.zone);
        cr_assert(by_day.start_s == by_time.start_s && by_day.end_s == by_time.end_s);
    }
}

Test(clock, seconds_far_away_do_no_harm) {
    wn_window w;
    const wn_zone *z = wn_zone_find("America/New_York");
    wn_zone_window(z, WN_KIND_WEB, INT64_MAX, &w);
    cr_assert_eq(w.day, day("9999-12-31"));
    wn_zone_window(z, WN_KIND_WEB, INT64_MIN, &w);
    cr_assert_leq(w.day, day("0001-01-01"));
    wn_zone_window_of_day(z, WN_KIND_WEB, INT32_MAX, &w);
    wn_zone_window_of_day(z, WN_KIND_WEB, INT32_MIN, &w);
}

Test(clock, check_refuses_what_another_zone_file_would_say) {
    wn_window good = window_of("Europe/Berlin", "2026-11-20"), w = good;
    cr_assert_eq(wn_window_check(&good), WN_OK);
    w.start_s--;
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
    w = good;
    w.end_s++;
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
    w = good;
    w.day++;
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
    w = good;
    w.kind = WN_KIND_N;
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
    w = good;
    memset(w.zone, 'a', sizeof w.zone);
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
    w = good;
    strcpy(w.zone, "Europe/Atlantis");
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
    w = good;
    w.day = INT32_MAX;
    cr_assert_eq(wn_window_check(&w), WN_ERR_CONFIG);
}

Test(clock, grace_is_two_hours_on_the_web_and_three_days_in_apps) {
    cr_assert_eq(wn_grace_s(WN_KIND_WEB), 7200);
    cr_assert_eq(wn_grace_s(WN_KIND_APP), 259200);
}

Test(clock, product_clock_has_no_test_door) {
    char path[] = "/tmp/winnow_clock_XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "86400\n", 6), 6);
    close(fd);
    setenv("WINNOW_TEST_CLOCK", path, 1);
    cr_assert_leq(llabs((long long)(wn_now_s() - time(NULL))), 2);
    unlink(path);
    int64_t a_ms = wn_monotonic_ms();
    cr_assert_leq(a_ms, wn_monotonic_ms());
}

Test(window, text_is_a_file_name_that_says_everything) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window w = window_of("Europe/Berlin", "2026-11-20");
    wn_window_text(&w, text);
    cr_assert_str_eq(text, "2026-11-20.web.Europe_Berlin");
    w = window_of("America/North_Dakota/New_Salem", "0999-01-02");
    w.kind = WN_KIND_APP;
    wn_window_text(&w, text);
    cr_assert_str_eq(text, "0999-01-02.app.America_North__Dakota_New__Salem");
    memset(w.zone, '_', sizeof w.zone);
    wn_window_text(&w, text);
    cr_assert_lt(strnlen(text, sizeof text), sizeof text, "an unchecked zone stays inside");
}

Test(window, same_compares_zone_kind_and_day_only) {
    wn_window a = window_of("Europe/Berlin", "2026-11-20"), b = a;
    b.start_s = 0;
    cr_assert(wn_window_same(&a, &b));
    b.kind = WN_KIND_APP;
    cr_assert_not(wn_window_same(&a, &b));
    b = a;
    b.day++;
    cr_assert_not(wn_window_same(&a, &b));
    b = window_of("Europe/Vienna", "2026-11-20");
    cr_assert_not(wn_window_same(&a, &b));
}

Test(day, refuses_what_is_no_date) {
    static const char *const bad[] = {
        "",           "2026-11-2",  "2026-11-200", "2026-02-29", "2100-02-29", "2026-13-01",
        "2026-00-01", "2026-01-00", "2026-04-31",  "2026/11/20", "2026-11_20", "26-11-20",
        "0000-01-01", "+026-11-20", "2026-11- 1",  "２026-11-2", "2026-1a-01",
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        int32_t out = 7;
        cr_assert_not(wn_day_parse(bad[i], strlen(bad[i]), &out), "%s", bad[i]);
        cr_assert_eq(out, 7);
    }
    cr_assert_eq(day("1970-01-01"), 0);
    cr_assert_eq(day("2000-02-29"), 11016);
}

Test(day, text_and_parse_are_inverse_over_all_years) {
    char last[11] = "", text[11];
    int32_t from = day("0001-01-01"), to = day("9999-12-31"), back;
    for (int32_t d = from; d <= to; d++) {
        wn_day_text(d, text);
        bool ok = wn_day_parse(text, 10, &back) && back == d && strcmp(text, last) > 0;
        if (!ok) cr_assert_fail("day %d: %s", d, text); // cr_assert is slow, days are many
        memcpy(last, text, sizeof last);
    }
    wn_day_text(INT32_MAX, text);
    cr_assert_str_eq(text, "9999-12-31");
    wn_day_text(INT32_MIN, text);
    cr_assert_str_eq(text, "0001-01-01");
    for (int32_t d = -200000; d < 200000; d += 97) {
        char by_libc[32];
        time_t t = (time_t)d * 86400;
        struct tm tm;
        strftime(by_libc, sizeof by_libc, "%Y-%m-%d", gmtime_r(&t, &tm));
        wn_day_text(d, text);
        cr_assert_str_eq(text, by_libc);
    }
}

Test(time, refuses_what_is_not_rfc_3339) {
    static const char *const bad[] = {
        "",
        "2026-11-20",
        "2026-11-20T10:00:00",
        "2026-11-20 10:00:00Z",
        "2026-11-20T10:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:60:00Z",
        "2026-11-20T10:00:61Z",
        "2026-11-20T10:00:00.Z",
        "2026-11-20T10:00:00.5",
        "2026-11-20T10:00:00+0100",
        "2026-11-20T10:00:00+01",
        "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00+01:60",
        "2026-11-20T10:00:00Zx",
        "2026-11-20T10:00:00ZZ",
        "2026-02-29T10:00:00Z",
        "2026-11-20T1:00:00Z",
        "2026-11-20T10:00:00,5Z",
        "2026-11-20T-1:00:00Z",
        " 2026-11-20T10:00:00Z",
        "2026-11-20T10:00:00 Z",
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        int64_t out = 7;
        cr_assert_not(wn_time_parse(bad[i], strlen(bad[i]), &out), "%s", bad[i]);
        cr_assert_eq(out, 7);
    }
}

Test(time, reads_offsets_fractions_and_leap_seconds) {
    int64_t noon_s = at("2026-11-20T12:00:00Z");
    cr_assert_eq(noon_s, 1795176000);
    cr_assert_eq(at("2026-11-20t12:00:00z"), noon_s);
    cr_assert_eq(at("2026-11-20T12:00:00.999999999Z"), noon_s);
    cr_assert_eq(at("2026-11-20T13:30:00+01:30"), noon_s);
    cr_assert_eq(at("2026-11-20T04:00:00.25-08:00"), noon_s);
    cr_assert_eq(at("2026-11-20T12:00:00-00:00"), noon_s);
    cr_assert_eq(at("2016-12-31T23:59:60Z"), at("2016-12-31T23:59:59Z"));
    cr_assert_eq(at("1969-12-31T23:59:59Z"), -1);
}

Test(time, reads_no_byte_past_its_length) {
    const char text[] = "2026-11-20T12:00:00.123+01:00";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *exact = malloc(n + 1);
        int64_t out;
        memcpy(exact, text, n);
        char *shrunk = n > 0 ? realloc(exact, n) : exact;
        cr_assert_not(wn_time_parse(shrunk, n, &out), "%zu", n);
        free(shrunk);
    }
}
