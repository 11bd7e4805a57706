// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

typedef struct row {
    const char *url, *route;
} row;

static void expect(const row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char out[WN_OPEN_TEXT_MAX + 1] = "";
        size_t bytes = wn_url_route(rows[i].url, strlen(rows[i].url), out);
        cr_expect_eq(bytes, strlen(rows[i].route), "%s", rows[i].url);
        cr_expect_str_eq(bytes ? out : "", rows[i].route, "%s", rows[i].url);
    }
}

Test(route, refuses_what_is_no_page_address) {
    static const row rows[] = {
        {"", ""},
        {"about:blank", ""},
        {"mailto:bob@example.com", ""},
        {"file:///home/bob/diary.html", ""},
        {"data:text/html,bob", ""},
        {"javascript:alert(1)", ""},
        {"example.com/a", ""},
        {"a/b", ""},
        {"?q=bob", ""},
        {"#bob", ""},
        {"ftp://example.com/a", ""},
        {"http:/example.com/a", ""},
        {"blob:https://example.com/a", ""},
    };
    expect(rows, WN_COUNT(rows));
    static char long_url[2100];
    memset(long_url, 'a', sizeof long_url);
    long_url[0] = '/';
    char out[WN_OPEN_TEXT_MAX + 1];
    cr_expect_eq(wn_url_route(long_url, 2048, out), 3);
    cr_expect_eq(wn_url_route(long_url, 2049, out), 0);
}

Test(route, drops_userinfo_host_port_query_fragment_and_parameters) {
    static const row rows[] = {
        {"https://bob:secret@example.com:8443/a?token=1#bob", "/a"},
        {"HTTPS://EXAMPLE.COM/A", "/A"},
        {"//bob@example.com/a", "/a"},
        {"app://com.example/home", "/com.example/home"},
        {"https://example.com", "/"},
        {"https://example.com?email=bob@example.com", "/"},
        {"https://example.com#bob", "/"},
        {"https://a@b@example.com/c", "/c"},
        {"/a;sid=77/b;x", "/a/b"},
        {"/;sid=1", "/"},
        {"/a#b?c", "/a"},
        {"/a%3Fq=bob", "/a"},
        {"/a%23bob", "/a"},
        {"/a%3Bsid=bob/c", "/a/c"},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, evens_out_slashes) {
    static const row rows[] = {
        {"/", "/"},        {"//", "/"},        {"/a/", "/a"},      {"/a//b///c/", "/a/b/c"},
        {"/a\\b", "/a/b"}, {"/a%2Fb", "/a/b"}, {"/a%5Cb", "/a/b"}, {"/index.html", "/index.html"},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, hides_the_third_of_numbers_side_by_side_that_are_no_day) {
    static const row rows[] = {
        {"/192/168/1/7", "/192/168/:x/:x"},         {"/555/123/456/", "/555/123/:x"},
        {"/tel/030/12/34/56", "/tel/030/12/:x/:x"}, {"/555/a/123/456", "/555/a/123/456"},
        {"/2024/05/17/slug", "/2024/05/17/slug"},   {"/17/05/2024", "/17/05/2024"},
        {"/2024/05/17/3", "/2024/05/17/:x"},        {"/1/2/3/2024", "/1/2/:x/2024"},
        {"/page/2/of/7", "/page/2/of/7"},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, hides_segments_that_may_name_somebody) {
    static const row rows[] = {
        {"/u/12345", "/u/:x"},
        {"/u/1234", "/u/:x"},
        {"/u/a1b2c3d4e5", "/u/:x"},
        {"/u/1899", "/u/:x"},
        {"/u/2100", "/u/:x"},
        {"/u/bob@example.com", "/u/:x"},
        {"/u/bob%40example.com", "/u/:x"},
        {"/u/deadbee1", "/u/:x"},
        {"/u/xdeadbee1x", "/u/:x"},
        {"/u/ab12cd34", "/u/:x"},
        {"/u/abcdefghijklmnopqrstuvwxy", "/u/:x"},
        {"/u/caf\xc3\xa9", "/u/:x"},
        {"/u/%C3%A9", "/u/:x"},
        {"/u/123e4567-e89b-12d3-a456-426614174000", "/u/:x"},
        {"/u/555-0123", "/u/:x"},
        {"/u/+49-30-901820", "/u/:x"},
        {"/u/170-123-45-67", "/u/:x"},
        {"/u/2012-2013-2014", "/u/:x"},
        {"/u/192.0.2.7", "/u/:x"},
        {"/u/1.2.3.4", "/u/:x"},
        {"/u/fe80::1", "/u/:x"},
        {"/u/0:1:a:b:c:d", "/u/:x"},
        {"/u/a%00b", "/u/:x"},
        {"/u/a%0Ab", "/u/:x"},
        {"/u/a\x7f", "/u/:x"},
        {"/u/email=bob", "/u/:x"},
        {"/u/a&name=bob", "/u/:x"},
        {"/u/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.abc", "/u/:x"},
        {"/reset/x7f9k2m4", "/reset/:x"},
        {"/dev/00-1a-2b-3c-4d-5e", "/dev/:x"},
        {"/dev/001a.2b3c.4d5e", "/dev/:x"},
        {"/dev/a1_b2_c3_d4_e5_f6", "/dev/:x"},
        {"/from/81-2-69-14", "/from/:x"},
        {"/from/host81.2.69.14", "/from/:x"},
        {"/from/ip-81.2.69.14.html", "/from/:x"},
        {"/call/22-33-44-55", "/call/:x"},
        {"/call/22~33~44~55", "/call/:x"},
        {"/call/+47+22+33+44", "/call/:x"},
        {"/u/Ym9iQGdtYWlsLmNvbQ", "/u/:x"}, // bob@gmail.com
        {"/u/YUBiLmRl", "/u/:x"},           // a@b.de
        {"/u/MFAGELTEMU", "/u/:x"},         // the same
        {"/u/alice(at)example.com", "/u/:x"},
        {"/u/alice-at-example.com", "/u/:x"},
        {"/u/alice_at_mail.example.com", "/u/:x"},
        {"/t/VbXqLmWzPtRkHsNdFgTy", "/t/:x"},
        {"/t/aBcDeFgHiJ", "/t/:x"}, // 10 characters
        {"/t/qZ-aBcDeFgHiJ", "/t/:x"},
        {"/u/a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z-a-b-c-d-e-f-g", "/u/:x"},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, keeps_words_years_and_small_numbers) {
    static const row rows[] = {
        {"/blog/2024/05/how-to-brew", "/blog/2024/05/how-to-brew"},
        {"/2014-01-15", "/2014-01-15"},
        {"/page/123", "/page/123"},
        {"/v1.2.3", "/v1.2.3"},
        {"/a~b+c.d_e-f", "/a~b+c.d_e-f"},
        {"/1900", "/1900"},
        {"/2099", "/2099"},
        {"/logstash-1.4.2", "/logstash-1.4.2"},
        {"/abcdefghijklmnopqrstuvwx", "/abcdefghijklmnopqrstuvwx"},
        {"/deadbeef", "/deadbeef"},
        {"/abc123", "/abc123"},
        {"/abcdefg1", "/abcdefg1"},
        {"/iphone5", "/iphone5"},
        {"/a%20b", "/a b"},
        {"/:x", "/:x"},
        {"/u/a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z-a-b-c-d-e-f",
         "/u/a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z-a-b-c-d-e-f"},
    };
    expect(rows, WN_COUNT(rows));
}

// Every clause of R11, URL row, on both sides of its edge.
Test(route, each_clause_holds_at_its_edge) {
    static const row rows[] = {
        // >= 5 digits in a piece
        {"/1a2b3c4", "/:x"}, // four digits that are no year
        {"/1x2x3x", "/1x2x3x"},
        {"/x12345", "/:x"},
        {"/x123", "/x123"},
        {"/12345", "/:x"},
        {"/123-456", "/123-456"},
        // 4 digits that are no year
        {"/x1234", "/:x"},
        {"/x1900", "/x1900"},
        {"/2099x", "/2099x"},
        {"/x1899", "/:x"},
        {"/x2100", "/:x"},
        {"/19x99", "/:x"},
        {"/2024-2025", "/2024-2025"},
        {"/2024-0042", "/:x"},
        // >= 8 hexadecimal with a digit
        {"/deadbee1", "/:x"},
        {"/deadbe1", "/deadbe1"},
        {"/deadbeef", "/deadbeef"},
        {"/DEADBEE1", "/:x"},
        {"/deadbeg1", "/deadbeg1"},
        // >= 8 characters with >= 2 letters and >= 2 digits
        {"/ghijkl12", "/:x"},
        {"/ghijk12", "/ghijk12"},
        {"/ghijklm1", "/ghijklm1"},
        {"/g!!!!!12", "/g!!!!!12"},
        {"/gh!!!!12", "/:x"},
        // > 24 characters
        {"/ghijklmnopqrstuvwxyzghij", "/ghijklmnopqrstuvwxyzghij"},
        {"/ghijklmnopqrstuvwxyzghijk", "/:x"},
        {"/ghijklmnopqrstuvwxyzghijk-a", "/:x"},
        {"/ghijklmnopqrstuvwxyzghij-klmn", "/ghijklmnopqrstuvwxyzghij-klmn"},
        // '@', a non-ASCII byte
        {"/a@", "/:x"},
        {"/@a", "/:x"},
        {"/a\x7e", "/a\x7e"},
        {"/a\x80", "/:x"},
        {"/a%80", "/:x"},
        // each mark cuts
        {"/a12-34_b56.78~90", "/:x"}, // ten digits in one segment
        {"/a12-34_b56.78", "/a12-34_b56.78"},
        {"/ab+cd12", "/ab+cd12"},
        // matrix parameters
        {"/a;id=4815162342/b;jsessionid=1", "/a/b"},
        {"/a;b;c", "/a"},
        {"/a%3bid=1", "/a"},
        {"/a%253bid=1", "/a"},
        {"/a%25253bid=1", "/a"},
    };
    expect(rows, WN_COUNT(rows));
}

// What other products let through in the text of an address.
Test(route, leaks_seen_elsewhere_stay_shut) {
    static const row rows[] = {
        // IPv6, also where a path holds it
        {"https://[2001:db8::7]/a", "/a"},
        {"https://bob@[2001:db8::7]:8443/a", "/a"},
        {"/host/2001:db8::7", "/host/:x"},
        {"/host/[2001:db8::7]", "/host/:x"},
        {"/host/%5B2001%3Adb8%3A%3A7%5D", "/host/:x"},
        {"/host/2001-0db8-0000-0000-0000-0000-0000-0007", "/host/:x"},
        // reset tokens
        {"/reset/k3j9x2m8q1w7z5v4", "/reset/:x"},
        {"/reset/dGhpc2lzYXRva2VuMTIz", "/reset/:x"},
        {"/password/reset/MQ/5xk-8c1e5d2f7a90b3d4", "/password/reset/MQ/:x"},
        {"/confirm/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/confirm/:x"},
        {"/invite/4eC39HqLyjWDarjtT1zdp7dc/accept", "/invite/:x/accept"},
        {"/magic;token=k3j9x2m8q1w7z5v4", "/magic"},
        // an id in a second input path: a path in the path, a path in the fragment
        {"/go//example.com/u/48151623", "/go/example.com/u/:x"},
        {"/go/https%3A%2F%2Fbob%40example.com%2Fu%2F48151623", "/go/https:/:x/u/:x"},
        {"/app#/u/48151623", "/app"},
        {"/app#!/u/bob@example.com", "/app"},
        // userinfo that holds the marks of what follows it
        {"https://bob:p%2Fw@example.com/a", "/a"},
        {"https://bob:p?w@example.com/a", "/"},
        {"https://bob:p#w@example.com/a", "/"},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, takes_the_steps_that_a_browser_would_take) {
    static const row rows[] = {
        {"/..", "/"},
        {"/.", "/"},
        {"/a/..", "/"},
        {"/a/.", "/a"},
        {"/./a/b", "/a/b"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/../../a", "/a"},
        {"/a/b/../../../c", "/c"},
        {"/a\\..\\b", "/b"},
        {"/a//../b", "/a/b"},
        {"/%2e/a", "/a"},
        {"/a/%2E%2e/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a/..%2fb", "/b"},
        {"/a%5C..%5Cb", "/b"},
        {"/a/%252e%252e/b", "/b"},
        {"/a;x/%252e%252e/b", "/b"},
        {"/a/%2e;v=1/b", "/a/b"},
        {"/a/..;/b", "/b"},
        {"/a;x/%252e%252e/b/.;y/c", "/b/c"},
        {"/a/.%2525252e/b", "/a/:x/b"},
        {"/a/..?b", "/"},
        {"https://example.com/../a", "/a"},
        {"/...", "/..."},
        {"/.a/a.", "/.a/a."},
        {"/..a/.a.", "/..a/.a."},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, an_apps_host_is_its_first_segment) {
    static const row rows[] = {
        {"app://health/hiv-test", "/health/hiv-test"},
        {"APP://Health", "/Health"},
        {"app://bob:pw@health/x", "/health/x"},
        {"app://health/../x", "/health/x"},
        {"app://health/..%2f..%2fx", "/health/x"},
        {"app://../x/y", "/x/y"}, // no host is called so
        {"app://%2e%2e/x", "/x"},
        {"app://.", "/"},
        {"app://a4815162342/x", "/:x/x"},
        {"app:///x", "/x"},
        {"app://health:80/x", ""},
        {"app://[health/x", ""},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, decodes_to_a_fixed_point_and_hides_what_is_deeper) {
    static const row rows[] = {
        {"/bob%2540example.com", "/:x"},     // twice
        {"/bob%252540example.com", "/:x"},   // three times
        {"/bob%25252540example.com", "/:x"}, // four times
        {"/a%2525252fb", "/:x"},
        {"/%2563%2561t", "/cat"},
        {"/100%25", "/:x"},
        {"/a%zz", "/:x"},
        {"/a%", "/:x"},
        {"/a%4", "/:x"},
        {"/a%252Fb", "/a/b"},
        {"/a%253Fq=bob", "/a"},
    };
    expect(rows, WN_COUNT(rows));
}

Test(route, ends_at_the_last_whole_segment_that_fits) {
    char url[300] = "", out[WN_OPEN_TEXT_MAX + 1];
    for (int i = 0; i < 13; i++) strcat(url, "/abcdefghi");
    cr_expect_eq(wn_url_route(url, strlen(url), out), 120);
    strcpy(url, "");
    for (int i = 0; i < 16; i++) strcat(url, "/abcdefg");
    cr_expect_eq(wn_url_route(url, strlen(url), out), 128);
    cr_expect_str_eq(out, url);
    strcat(url, "/a");
    cr_expect_eq(wn_url_route(url, strlen(url), out), 128);
}

Test(route, twice_equals_once_and_holds_no_escape) {
    srand(2);
    for (int i = 0; i < 300000; i++) {
        static const char alphabet[] = "abcABC0129/%%%%23Ff45;?#-_...//~+@= \\\x01\xc3:";
        char url[80], once[WN_OPEN_TEXT_MAX + 1], twice[WN_OPEN_TEXT_MAX + 1];
        size_t n = 1 + (size_t)rand() % 60;
        url[0] = '/';
        for (size_t k = 1; k < n; k++) url[k] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        if (n > 1 && (url[1] == '/' || url[1] == '\\')) url[1] = 'a';
        size_t a = wn_url_route(url, n, once);
        cr_assert(a > 0 && a <= WN_OPEN_TEXT_MAX && strlen(once) == a && once[0] == '/');
        cr_assert_null(strpbrk(once, "%@;?#=&\\\x01\xc3"), "%s", once);
        cr_assert(strstr(once, "/./") == NULL && strstr(once, "/../") == NULL, "%s", once);
        cr_assert_eq(wn_url_route(once, a, twice), a);
        cr_assert_str_eq(once, twice);
    }
}

// What a second look must leave alone.
Test(route, keeps_camel_case_versions_dates_and_words_with_at) {
    static const char *const same[] = {
        "/GettingStartedGuide",
        "/JavaScript",
        "/phpMyAdmin",
        "/PhpMyAdminDocs",
        "/XMLHttpRequest",
        "/getElementById",
        "/iPhone6Plus",
        "/HTML5Games",
        "/Log4jConfiguration",
        "/aBcDeFgHi",
        "/file-1.2.3.4.tar",
        "/2014-01-15",
        "/15.01.2014",
        "/2012-2013",
        "/report-2014-01-15",
        "/look-at-this.html",
        "/good-at-node.js",
        "/meet-at-noon",
        "/ab-cd-ef-ab-cd-ef",
        "/face-2014-cafe",
        "/1-2-3-4",
        "/22-33-44",
        "/introduction",
        "/v1.2.3",
        "/README",
        "/INTRODUCTION",
        "/README.TXT",
        "/Getting(Started)",
        "/256.1.1.1-x",
        "/a1_b2_c3",
        "/chapter-12-page-34",
    };
    for (size_t i = 0; i < WN_COUNT(same); i++) {
        char out[WN_OPEN_TEXT_MAX + 1] = "";
        (void)wn_url_route(same[i], strlen(same[i]), out);
        cr_expect_str_eq(out, same[i], "%s", same[i]);
    }
}

// Random words of letters and digits: how many of 10,000 pass, of each length.
Test(route, few_random_tokens_pass) {
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    srand(3);
    for (size_t n = 12; n <= 24; n++) {
        size_t passed = 0, most = n < 14 ? 1100 : n < 18 ? 800 : 400; // of a hundredth of a per cent
        for (int round = 0; round < 10000; round++) {
            char url[32] = "/", out[WN_OPEN_TEXT_MAX + 1] = "";
            for (size_t i = 1; i <= n; i++) url[i] = all[(size_t)rand() % 62];
            (void)wn_url_route(url, n + 1, out);
            passed += strcmp(out, "/:x") != 0;
        }
        cr_expect_leq(passed, most, "%zu of 10000 with %zu characters", passed, n);
    }
}
