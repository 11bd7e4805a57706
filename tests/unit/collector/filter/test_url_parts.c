// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "filter.h"
#include "url_parts.h"

typedef struct row {
    const char *url, *want; // NULL: none
} row;

Test(url_parts, host_is_lower_without_userinfo_port_and_www) {
    static const row rows[] = {
        {"/a", NULL},
        {"", NULL},
        {"mailto:a@b.de", NULL},
        {"http://", NULL},
        {"http:///a", NULL},
        {"http://exa mple.com/", NULL},
        {"http://ex%61mple.com/", NULL},
        {"http://a..b/", NULL},
        {"http://.a/", NULL},
        {"http://caf\xc3\xa9.com/", NULL},
        {"http://[::1/", NULL},
        {"http://[::g]/", "[::g]"},
        {"http://[::1]:80/", "[::1]"},
        {"http://EXAMPLE.com./", "example.com"},
        {"http://www.example.com/", "example.com"},
        {"http://www.com/", "www.com"},
        {"http://www2.example.com", "www2.example.com"},
        {"http://bob:pw@www.example.com:80?x", "example.com"},
        {"http://evil.com\\@example.com/", "evil.com"},
        {"http://evil.com#@example.com/", "evil.com"},
        {"http://evil.com?@example.com/", "evil.com"},
        {"//cdn.example.com/x", "cdn.example.com"},
        {"http://localhost:3000/", "localhost"},
        {"http://127.0.0.1/", "127.0.0.1"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char host[256] = "";
        bool got = wn_url_host(rows[i].url, strlen(rows[i].url), host, sizeof host);
        cr_expect_eq(got, rows[i].want != NULL, "%s", rows[i].url);
        if (rows[i].want) cr_expect_str_eq(host, rows[i].want, "%s", rows[i].url);
    }
    char small[12] = "unchanged";
    cr_expect_not(wn_url_host("http://example.org/", 19, small, 11));
    cr_expect_str_eq(small, "unchanged");
    cr_expect(wn_url_host("http://example.org/", 19, small, 12));
}

Test(url_parts, utm_keeps_short_plain_tags_only) {
    static const row rows[] = {
        {"/?utm_source=news", "news"},
        {"/?a=1&utm_source=News_1-b&x", "news_1-b"},
        {"/?utm_source=", NULL},
        {"/?utm_source", NULL},
        {"/?utm_source=a.b", NULL},
        {"/?utm_source=a%62", NULL},
        {"/?utm_source=a+b", NULL},
        {"/?utm_source=caf\xc3\xa9", NULL},
        {"/?utm_source=abcdefghijklmnopqrstuvwxyzabcdef", "abcdefghijklmnopqrstuvwxyzabcdef"},
        {"/?utm_source=abcdefghijklmnopqrstuvwxyzabcdefg", NULL},
        {"/?xutm_source=a", NULL},
        {"/?utm_sourcex=a", NULL},
        {"/#?utm_source=a", NULL},
        {"/?utm_medium=a", NULL},
        {"/?utm_source=a#utm_source=b", "a"},
        {"/a&utm_source=b", NULL},
        {"/?utm_source=bob@example.com", NULL},
        {"/?utm_source=20240115_sale", "20240115_sale"},
        {"/?utm_source=4917012345678", NULL},
        {"/?utm_source=170-1234-567", NULL},
        {"/?utm_source=123e4567-e89b-12d3-a456-42661417", NULL},
        {"/?utm_source=a1b2c3d4e5f6a7b8", NULL},
        {"/?utm_source=deadbeefdeadbeef", "deadbeefdeadbeef"},
        {"/?utm_source=@&utm_source=b", NULL},
        // derived from the query as it is, keys and tokens do not become tags
        {"/?utm_source=k3j9x2m8q1w7z5v4", NULL},
        {"/?utm_source=sk_live_4ec39hqlyjwd", NULL},
        {"/?utm_source=ip-10-0-0-1", NULL},
        {"/?utm_source=reset-a1b2c3d4e5fa", NULL},
        {"/?utm_source=078-05-1120", NULL},
        {"/?utm_source=2024-05-17_sale", "2024-05-17_sale"},
        {"/?utm_source=web2_spring-24_v10", "web2_spring-24_v10"},
        // judged as written, too: capitals tell a token from a word
        {"/?utm_source=VbXqLmWzPtRkHsNdFgTy", NULL},
        {"/?utm_source=AKIAIOSFODNN7EXAMPLE", NULL},
        {"/?utm_source=sk_live_abcdefghijkl", NULL},
        {"/?utm_source=aBcDeFgHiJ", NULL},
        {"/?utm_source=SpringNewsletterSale", "springnewslettersale"},
        {"/?utm_source=SPRING_NEWSLETTER", "spring_newsletter"},
        {"/?utm_source=sk_live_music", "sk_live_music"},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char tag[33] = "";
        bool got = wn_url_utm(rows[i].url, strlen(rows[i].url), "source", tag);
        cr_expect_eq(got, rows[i].want != NULL, "%s", rows[i].url);
        if (rows[i].want) cr_expect_str_eq(tag, rows[i].want, "%s", rows[i].url);
    }
}

Test(url_parts, a_tag_with_four_digits_that_are_no_year_is_numbered) {
    static const char *const yes[] = {"1234",   "spring-1899", "a2100",     "20240115",
                                      "12-345", "1-2-3-4-5",   "2024-12345"};
    static const char *const no[] = {"",           "spring", "2024",  "spring-1999",
                                     "2024-05-17", "123",    "12-34", "v10-2024-2025"};
    for (size_t i = 0; i < WN_COUNT(yes); i++) cr_expect(wn_tag_numbered(yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < WN_COUNT(no); i++) cr_expect_not(wn_tag_numbered(no[i]), "%s", no[i]);
}
