// SPDX-License-Identifier: Apache-2.0
// Lines as servers write them, and lines that must not pass.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "logline.h"

static wn_line line;

static bool parse(wn_line_format f, const char *text) {
    return wn_line_parse(f, text, strlen(text), &line);
}

static bool is(const wn_line_text *t, const char *s) {
    return t->n == strlen(s) && memcmp(t->p, s, t->n) == 0;
}

#define GOOD_HEAD "1.2.3.4 - - [17/May/2015:10:05:03 +0000] "
#define TAIL " 200 12 \"-\" \"UA\""

Test(logline, refuses_what_is_no_line) {
    static const char *const bad[] = {
        "",
        " ",
        "-",
        "1.2.3.4",
        "1.2.3.4 - -",
        GOOD_HEAD,
        GOOD_HEAD "\"",
        GOOD_HEAD "\"GET / HTTP/1.1\"",
        GOOD_HEAD "\"GET / HTTP/1.1\" 200",
        GOOD_HEAD "\"GET / HTTP/1.1\" 200 12",
        GOOD_HEAD "\"GET / HTTP/1.1\" 200 12 \"-\"",
        GOOD_HEAD "\"GET / HTTP/1.1\" 200 12 \"-\" \"UA",
        GOOD_HEAD "\"GET / HTTP/1.1\" 200 12 \"-\" \"UA\"x",
        GOOD_HEAD "\"GET / HTTP/1.1\" 20 12 \"-\" \"UA\"",
        GOOD_HEAD "\"GET / HTTP/1.1\" 200 x \"-\" \"UA\"",
        GOOD_HEAD "\"GET / HTTP/1.1\" 2000 12 \"-\" \"UA\"",
        GOOD_HEAD "\"\"" TAIL,
        GOOD_HEAD "\"-\"" TAIL,
        GOOD_HEAD "\"GET\"" TAIL,
        GOOD_HEAD "\"GET \"" TAIL,
        GOOD_HEAD "\"get / HTTP/1.1\"" TAIL,
        GOOD_HEAD "\"\\x16\\x03\\x01 / HTTP/1.1\"" TAIL,
        GOOD_HEAD "\"GET /\\xzz HTTP/1.1\"" TAIL,
        GOOD_HEAD "\"GET /\\x4\"" TAIL,
        GOOD_HEAD "\"GET /\\q HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [31/Jun/2015:10:05:03 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [29/Feb/2015:10:05:03 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [00/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/May/2015:24:05:03 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/May/2015:10:60:03 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/May/2015:10:05:61 +0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/May/2015:10:05:03 0000] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/May/2015:10:05:03 +1500] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 - - [17/May/2015:10:05:03] \"GET / HTTP/1.1\"" TAIL,
        "1.2.3.4 -  [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\"" TAIL,
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++)
        cr_expect_not(parse(WN_LINE_COMBINED, bad[i]), "taken: %s", bad[i]);
}

Test(logline, reads_a_combined_line) {
    cr_assert(parse(WN_LINE_COMBINED,
                    "83.149.9.216 - frank [17/May/2015:10:05:03 +0000] \"GET /a/b?c=d HTTP/1.1\" 304 - "
                    "\"http://semicomplete.com/\" \"Mozilla/5.0 (X11)\" 0.02 \"extra\"\r"));
    cr_expect_eq(line.time_s, 1431857103);
    cr_expect_eq(line.status, 304);
    cr_expect_str_eq(line.method, "GET");
    cr_expect(is(&line.target, "/a/b?c=d"));
    cr_expect(is(&line.referrer, "http://semicomplete.com/"));
    cr_expect(is(&line.user_agent, "Mozilla/5.0 (X11)"));
    cr_expect_eq(line.client.n, 12);
}

Test(logline, reads_the_other_formats_and_corners) {
    cr_assert(
        parse(WN_LINE_COMMON, "2001:db8::1 - - [29/Feb/2016:23:59:60 -0130] \"HEAD * HTTP/1.0\" 200 0"));
    cr_expect_eq(line.time_s, 1456790399 + 5400);
    cr_expect_str_eq(line.method, "HEAD");
    cr_expect_eq(line.user_agent.n, 0);
    cr_assert(parse(WN_LINE_VHOST_COMBINED, "shop.example:443 " GOOD_HEAD "\"GET / HTTP/2.0\"" TAIL));
    cr_expect_eq(line.vhost.n, 12);
    cr_assert(parse(WN_LINE_VHOST_COMBINED, "[2001:db8::1]:80 " GOOD_HEAD "\"GET / HTTP/2.0\"" TAIL));
    cr_expect_eq(line.vhost.n, 13);
    cr_expect_not(parse(WN_LINE_VHOST_COMBINED, " " GOOD_HEAD "\"GET / HTTP/2.0\"" TAIL));
    cr_assert(parse(WN_LINE_COMBINED,
                    "1.2.3.4 - John Q Public [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\"" TAIL));
    cr_assert(parse(WN_LINE_COMBINED, GOOD_HEAD "\"GET /\\\"a\\x41\\\\ HTTP/1.1\" 200 1 \"-\" \"a\\\"b\""));
    cr_expect(is(&line.target, "/\"aA\\"));
    cr_expect(is(&line.user_agent, "a\"b"));
    cr_expect_eq(line.referrer.n, 0);
    cr_assert(parse(WN_LINE_COMBINED, GOOD_HEAD "\"GET /a b HTTP/1.1\"" TAIL));
    cr_expect(is(&line.target, "/a b"));
    cr_assert(parse(WN_LINE_COMBINED, GOOD_HEAD "\"GET /\"" TAIL), "HTTP/0.9");
    cr_expect(is(&line.target, "/"));
}

Test(logline, parts_have_a_longest_length) {
    char text[WN_LINE_BYTES_MAX + 200];
    for (int over = 0; over < 2; over++) {
        int n = snprintf(text, sizeof text, GOOD_HEAD "\"GET / HTTP/1.1\" 200 1 \"-\" \"");
        memset(text + n, 'u', WN_LINE_TEXT_MAX + (size_t)over);
        strcpy(text + n + WN_LINE_TEXT_MAX + over, "\"");
        cr_expect_eq(parse(WN_LINE_COMBINED, text), over == 0);
    }
    // An escape is one byte: three parts at the limit, and one above it.
    static char u[WN_LINE_TEXT_MAX + 1];
    memset(u, 'u', sizeof u - 1);
    for (int over = 0; over < 2; over++) {
        int rest = WN_LINE_TEXT_MAX - 1,
            m = snprintf(text, sizeof text, GOOD_HEAD "\"GET /%.*s\\x41\" 200 1 \"\\\"%.*s\" \"%.*s\\\\\"",
                         rest - 5, u, rest, u, rest + over, u);
        cr_expect_eq(wn_line_parse(WN_LINE_COMBINED, text, (size_t)m, &line), over == 0);
        if (over != 0) continue;
        cr_expect(line.target.n == WN_LINE_TEXT_MAX - 4 && line.target.p[line.target.n - 1] == 'A');
        cr_expect(line.referrer.n == WN_LINE_TEXT_MAX && line.referrer.p[0] == '"');
        cr_expect(line.user_agent.n == WN_LINE_TEXT_MAX && line.user_agent.p[rest] == '\\');
    }
    int n = snprintf(text, sizeof text, GOOD_HEAD "\"GET / HTTP/1.1\"" TAIL " ");
    memset(text + n, 'x', WN_LINE_BYTES_MAX - (size_t)n);
    cr_expect(wn_line_parse(WN_LINE_COMBINED, text, WN_LINE_BYTES_MAX, &line));
    text[WN_LINE_BYTES_MAX] = 'x';
    cr_expect_not(wn_line_parse(WN_LINE_COMBINED, text, WN_LINE_BYTES_MAX + 1, &line));
}

static wn_verdict judge(const char *method, const char *target, unsigned status, bool *out_download) {
    char text[600];
    snprintf(text, sizeof text, GOOD_HEAD "\"%s %s HTTP/1.1\" %u 1 \"-\" \"UA\"", method, target, status);
    cr_assert(parse(WN_LINE_COMBINED, text), "%s", text);
    return wn_line_judge(&line, out_download);
}

Test(logline, judges_in_the_order_of_the_rules) {
    bool download;
    cr_expect_eq(judge("POST", "/a.png", 404, &download), WN_VERDICT_method);
    cr_expect_eq(judge("HEAD", "/", 200, &download), WN_VERDICT_method);
    cr_expect_eq(judge("GET", "/a.png", 404, &download), WN_VERDICT_status);
    cr_expect_eq(judge("GET", "/", 199, &download), WN_VERDICT_status);
    cr_expect_eq(judge("GET", "/", 300, &download), WN_VERDICT_status);
    cr_expect_eq(judge("GET", "/", 303, &download), WN_VERDICT_status);
    cr_expect_eq(judge("GET", "/a.png", 200, &download), WN_VERDICT_asset);
    cr_expect_eq(judge("GET", "/A.PNG?v=1.2", 200, &download), WN_VERDICT_asset);
    cr_expect_eq(judge("GET", "/site.webmanifest", 200, &download), WN_VERDICT_asset, "the longest");
    cr_expect_eq(judge("GET", "/a.pngpngpngpngpngpng", 200, &download), WN_KEEP, "longer than any");
    cr_expect_eq(judge("GET", "/dir.png/", 200, &download), WN_KEEP);
    cr_expect_eq(judge("GET", "/page?f=a.png", 200, &download), WN_KEEP);
    cr_expect_eq(judge("GET", "/", 200, &download), WN_KEEP);
    cr_expect_eq(judge("GET", "/", 299, &download), WN_KEEP);
    cr_expect_eq(judge("GET", "/", 304, &download), WN_KEEP);
    cr_expect_not(download);
    cr_expect_eq(judge("GET", "/files/app.zip", 200, &download), WN_KEEP);
    cr_expect(download);
}

Test(logline, formats_have_names) {
    wn_line_format f;
    cr_expect(wn_line_format_by_name("combined", 8, &f) && f == WN_LINE_COMBINED);
    cr_expect(wn_line_format_by_name("vhost-combined", 14, &f) && f == WN_LINE_VHOST_COMBINED);
    cr_expect(wn_line_format_by_name("common", 6, &f) && f == WN_LINE_COMMON);
    cr_expect_not(wn_line_format_by_name("combine", 7, &f));
    cr_expect_not(wn_line_format_by_name("", 0, &f));
}
