// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "traits.h"

enum { TODAY = 20590 }; // 2026-05-17

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

Test(traits, birthdays_become_bands_and_doubt_makes_younger) {
    static const struct {
        const char *text;
        wn_age want;
    } rows[] = {
        {"", WN_AGE_unknown},
        {"bob", WN_AGE_unknown},
        {"-1", WN_AGE_unknown},
        {"121", WN_AGE_unknown},
        {"120", WN_AGE_from_80},
        {"1000", WN_AGE_unknown},
        {"0", WN_AGE_child},
        {"12", WN_AGE_child},
        {"13", WN_AGE_from_13},
        {"19", WN_AGE_from_13},
        {"20", WN_AGE_from_20},
        {"79", WN_AGE_from_70},
        {"80", WN_AGE_from_80},
        {"42 years", WN_AGE_unknown},
        {"4.2", WN_AGE_child},
        {"2026-05-18", WN_AGE_unknown}, // to come
        {"2026-05-17", WN_AGE_child},
        {"2013-05-18", WN_AGE_child}, // 13 tomorrow
        {"2013-05-17", WN_AGE_from_13},
        {"20130517", WN_AGE_from_13},
        {"20130518", WN_AGE_child},
        {"2013/05/17", WN_AGE_from_13},
        {"17.05.2013", WN_AGE_from_13},
        {"18.05.2013", WN_AGE_child},
        {"05.17.2013", WN_AGE_unknown}, // no such month
        {"05/17/2013", WN_AGE_from_13},
        {"17/05/2013", WN_AGE_from_13},
        {"05/06/2013", WN_AGE_child}, // 5 June or 6 May: the younger
        {"2013-05-17T00:00:00Z", WN_AGE_from_13},
        {"2013-05-17 10:00", WN_AGE_from_13},
        {"2013-05", WN_AGE_child}, // 31 May
        {"2013-04", WN_AGE_from_13},
        {"2013", WN_AGE_child}, // 31 December
        {"2012", WN_AGE_from_13},
        {"2026", WN_AGE_child},
        {"2026-06", WN_AGE_child},
        {"2027", WN_AGE_unknown},
        {"1990-02-29", WN_AGE_unknown},
        {"1992-02-29", WN_AGE_from_30},
        {"1900-02-29", WN_AGE_unknown},
        {"1990-13-01", WN_AGE_unknown},
        {"1990-00-01", WN_AGE_unknown},
        {"1990-04-31", WN_AGE_unknown},
        {"1990-04-00", WN_AGE_unknown},
        {"1905-05-18", WN_AGE_from_80},
        {"1905-05-16", WN_AGE_unknown}, // over 120
        {"1906-05-17", WN_AGE_from_80},
        {"0000-01-01", WN_AGE_unknown},
        {"1990-05/17", WN_AGE_unknown},
        {"90-05-17", WN_AGE_unknown},
        {"199005", WN_AGE_unknown},
        {"123456789", WN_AGE_unknown},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(wn_age_band(span(rows[i].text), TODAY), rows[i].want, "%s: %d", rows[i].text,
                     (int)wn_age_band(span(rows[i].text), TODAY));
}

Test(traits, a_leap_day_birthday_counts_from_march) {
    cr_expect_eq(wn_age_band(span("2012-02-29"), 20147), WN_AGE_child);   // 2025-02-28
    cr_expect_eq(wn_age_band(span("2012-02-29"), 20148), WN_AGE_from_13); // 2025-03-01
    cr_expect_eq(wn_age_band(span("1970-01-01"), 0), WN_AGE_child);
    cr_expect_eq(wn_age_band(span("1950-01-01"), -1), WN_AGE_from_13); // 1969-12-31: 19
}

Test(traits, sizes_fall_into_bands) {
    static const struct {
        uint64_t count;
        uint16_t want;
    } rows[] = {{0, 0},  {1, 1},  {2, 2},  {3, 3},  {5, 3},         {6, 4},
                {10, 4}, {11, 5}, {50, 5}, {51, 6}, {UINT64_MAX, 6}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) cr_expect_eq(wn_size_band(rows[i].count), rows[i].want);
}

#define JOB_FAMILY(id, label) #id,
static const char *const families[] = {
    "",
#include "job_families.def"
};
#define MAKER(id, label) #id,
static const char *const makers[] = {
    "",
#include "makers.def"
};
#define CONNECTION(id, label) #id,
static const char *const connections[] = {
    "",
#include "connections.def"
};

typedef struct row {
    const char *text, *want;
} row;

Test(traits, titles_belong_to_a_listed_family) {
    static const row rows[] = {
        {"", ""},
        {" - ", ""},
        {"\xff", ""},
        {"Chief Bottle Washer of Acme", "executive"},
        {"Bob Smith", "other"},
        {"Engineered", "other"},
        {"Senior Software Engineer", "engineering"},
        {"SALES-MANAGER", "sales"},
        {"Sales Engineer", "sales"},
        {"General Manager", "management"},
        {"M\xc3\xa9"
         "decin",
         "healthcare"},
        {"Krankenpfleger (m/w/d)", "healthcare"},
        {"Data Scientist", "science"},
        {"IT Administrator", "it"},
        {"\xe5\x8c\xbb\xe7\x94\x9f", "other"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_str_eq(families[wn_job_family(span(rows[i].text))], rows[i].want, "%s", rows[i].text);
    static char title[129];
    memset(title, 'a', sizeof title);
    memcpy(title, "nurse ", 6);
    cr_expect_str_eq(families[wn_job_family((wn_span){(uint8_t *)title, 128})], "healthcare");
    cr_expect_str_eq(families[wn_job_family((wn_span){(uint8_t *)title, 129})], "other");
}

Test(traits, makers_and_connections_are_listed) {
    static const row maker_rows[] = {{"", ""},
                                     {"-", ""},
                                     {"Apple", "apple"},
                                     {"SAMSUNG", "samsung"},
                                     {"One Plus", "oneplus"},
                                     {"Redmi", "xiaomi"},
                                     {"Bob's", "other"},
                                     {"applepie", "other"},
                                     {"abcdefghijklmnopqrstuvwxyz", "other"}};
    static const row connection_rows[] = {{"", ""},
                                          {"bob", ""},
                                          {"wifi", "wifi"},
                                          {"Wi-Fi", "wifi"},
                                          {"4g", "cellular"},
                                          {"slow-2g", "cellular"},
                                          {"ethernet", "cable"},
                                          {"192.0.2.7", ""},
                                          {"abcdefghijklmnopqrstuvwxyz", ""}};
    for (size_t i = 0; i < WN_COUNT(maker_rows); i++)
        cr_expect_str_eq(makers[wn_maker(span(maker_rows[i].text))], maker_rows[i].want, "%s",
                         maker_rows[i].text);
    for (size_t i = 0; i < WN_COUNT(connection_rows); i++)
        cr_expect_str_eq(connections[wn_connection(span(connection_rows[i].text))], connection_rows[i].want,
                         "%s", connection_rows[i].text);
}
