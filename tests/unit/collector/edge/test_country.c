// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "country.h"
#include "log.h"
#include "mmdb_make.h"

static const mmdb_network networks[] = {
    {{[12] = 1, 2, 3, 0}, 96 + 24, "DE", NULL},  {{[12] = 1, 2, 4, 0}, 96 + 24, NULL, "FR"},
    {{[12] = 1, 2, 5, 0}, 96 + 24, "US", "CA"},  {{[12] = 1, 2, 6, 0}, 96 + 24, "us", "CA"},
    {{[12] = 1, 2, 7, 0}, 96 + 24, "USA", NULL}, {{[12] = 1, 2, 8, 0}, 96 + 24, NULL, NULL},
    {{[12] = 1, 2, 9, 0}, 96 + 24, "", "J\xc3"}, {{0x20, 0x01, 0x0d, 0xb8}, 32, "NL", NULL},
    {{[12] = 1, 3, 1, 0}, 96 + 24, NULL, "DE-BY"}, {{[12] = 1, 3, 2, 0}, 96 + 24, NULL, "CH-AI"},
    {{[12] = 1, 3, 3, 0}, 96 + 24, NULL, "GB-ENG"}, {{[12] = 1, 3, 4, 0}, 96 + 24, NULL, "US-BY"},
    {{[12] = 1, 3, 5, 0}, 96 + 24, NULL, "LI-01"}, {{[12] = 1, 3, 6, 0}, 96 + 24, "DE", NULL},
};

static char path[] = "/tmp/winnow-country-XXXXXX";

static void write_database(void) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert(mmdb_make(path, networks, sizeof networks / sizeof networks[0]));
}

static const char *look(wn_country *c, const char *text) {
    static char out[3];
    wn_address a;
    cr_assert(wn_address_parse(text, strlen(text), &a));
    memcpy(out, "--", 3);
    if (!wn_country_of(c, &a, out)) cr_assert_str_eq(out, "--", "written without success");
    return out;
}

Test(country, the_first_usable_code_wins_in_both_layouts) {
    write_database();
    wn_country *c = wn_country_open(path);
    cr_assert_not_null(c);
    static const struct {
        const char *address, *code;
    } want[] = {{"1.2.3.4", "DE"},        {"1.2.4.0", "FR"},       {"1.2.4.255", "FR"},
                {"1.2.5.1", "US"},        {"1.2.6.1", "CA"},       {"1.2.7.1", "--"},
                {"1.2.8.1", "--"},        {"1.2.9.1", "--"},       {"1.2.10.1", "--"},
                {"9.9.9.9", "--"},        {"2001:db8::1", "NL"},   {"2001:db9::1", "--"},
                {"::ffff:1.2.3.4", "DE"}, {"::ffff:102:304", "DE"}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        cr_expect_str_eq(look(c, want[i].address), want[i].code, "%s", want[i].address);
    }
    wn_country_close(c);
    unlink(path);
}

// Appenzell Innerrhoden has 16,000 people, Liechtenstein's Balzers 5,000.
Test(country, a_region_is_named_only_where_100_000_people_live) {
    write_database();
    wn_country *c = wn_country_open(path);
    cr_assert_not_null(c);
    static const struct {
        const char *address, *region;
    } want[] = {{"1.3.1.1", "DE-BY"}, {"1.3.2.1", ""}, {"1.3.3.1", "GB-ENG"}, {"1.3.4.1", ""},
                {"1.3.5.1", ""},      {"1.3.6.1", ""}, {"1.2.3.4", ""},       {"9.9.9.9", ""}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char out[WN_REGION_BYTES] = "";
        wn_address a;
        cr_assert(wn_address_parse(want[i].address, strlen(want[i].address), &a));
        size_t n = wn_country_region(c, &a, out);
        cr_expect_eq(n, strlen(want[i].region));
        cr_expect_str_eq(out, want[i].region, "%s", want[i].address);
    }
    cr_expect_str_eq(look(c, "1.3.2.1"), "CH", "the country is known all the same");
    wn_country_close(c);
    unlink(path);
}

Test(country, a_region_s_code_is_matched_whole) {
    cr_expect(wn_region_listed("US", "CA", 2));
    cr_expect_not(wn_region_listed("US", "C", 1));
    cr_expect_not(wn_region_listed("US", "", 0));
    cr_expect_not(wn_region_listed("US", "A CO", 4));
    cr_expect_not(wn_region_listed("GB", "NG", 2));
    cr_expect(wn_region_listed("ZA", "WC", 2), "the last of all");
    cr_expect(wn_region_listed("AR", "A", 1), "the first of all");
}

Test(country, a_missing_file_is_no_database) {
    cr_assert_null(wn_country_open("/nonexistent/country.mmdb"));
    wn_country_close(NULL);
}

Test(country, a_file_cut_anywhere_never_reads_past_its_end) {
    write_database();
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    unsigned refused = 0;
    wn_log_level(WN_LEVEL_ERROR);
    for (off_t n = st.st_size - 1; n > 0; n -= 37) {
        cr_assert_eq(truncate(path, n), 0);
        wn_country *c = wn_country_open(path);
        if (c == NULL) {
            refused++;
            continue;
        }
        look(c, "1.2.3.4");
        look(c, "2001:db8::1");
        wn_country_close(c);
    }
    cr_assert_gt(refused, 0);
    unlink(path);
}

Test(country, garbage_is_no_database) {
    int fd = mkstemp(path);
    srandom(5);
    for (int i = 0; i < 4000; i++) {
        uint8_t b = (uint8_t)random();
        cr_assert_eq(write(fd, &b, 1), 1);
    }
    close(fd);
    cr_assert_null(wn_country_open(path));
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert_null(wn_country_open(path));
    unlink(path);
}
