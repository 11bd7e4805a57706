// SPDX-License-Identifier: Apache-2.0
// What a request says beside its body: parameters, cookies, and the opt-out.
// The filter is a fake that writes down what it was told.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fake_event.h"
#include "http_intake.h"
#include "intake_rig.h"

static rig r;
static wn_metrics metrics;
static wn_http *http;
static const wn_http_limits limits = {.connections_max = 64, .idle_s = 15, .body_bytes_max = 65536};

// ---- a filter that is told and remembers ----

#define TOLD_MAX 4
static wn_event told[TOLD_MAX];
static size_t told_n;
static wn_sender sender;
static char cookies[2][4200]; // tcf, us_privacy

static void copy(wn_span s, char to[4200]) {
    if (s.n != 0) memcpy(to, s.p, s.n);
    to[s.n] = '\0';
}

wn_verdict wn_filter(const wn_event *e, const wn_sender *from, const wn_lookups *look,
                     const uint8_t dedupe_key[32], wn_scratch *scratch, wn_trace *trace, wn_filtered *out) {
    (void)look, (void)dedupe_key, (void)scratch, (void)trace, (void)out;
    if (told_n < TOLD_MAX) told[told_n++] = *e;
    sender = *from;
    copy(from->tcf, cookies[0]);
    copy(from->us_privacy, cookies[1]);
    return e->why != WN_KEEP ? e->why : WN_VERDICT_bot;
}

static void serve_again(void) {
    cr_assert_eq(wn_http_open("127.0.0.1:0", &limits, r.pipeline, &metrics, &http), WN_OK);
}

static void setup(void) {
    rig_open(&r);
    serve_again();
}

static void teardown(void) {
    wn_http_close(http);
    rig_close(&r);
}

TestSuite(http_consent, .init = setup, .fini = teardown);

// ---- a client ----

static char answer[16384];

static const char *ask(const char *first, const char *heads, const char *body) {
    char text[12000];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wn_http_port(http))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = 0;
    int64_t until = wn_monotonic_ms() + 5000;
    int k = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: count.example\r\nConnection: close\r\n%s",
                     first, heads);
    cr_assert_lt((size_t)k, sizeof text - 100);
    snprintf(text + k, sizeof text - (size_t)k,
             strncmp(first, "POST", 4) == 0 ? "Content-Length: %zu\r\n\r\n%s" : "\r\n", strlen(body), body);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    memset(answer, 0, sizeof answer);
    told_n = 0;
    for (ssize_t got = -1; got != 0;) {
        cr_assert_lt(wn_monotonic_ms(), until, "no answer");
        wn_http_turn(http);
        got = recv(fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
        if (got > 0) n += (size_t)got;
    }
    close(fd);
    return answer;
}

static int status(void) {
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static bool says(const char *text) {
    return strstr(answer, text) != NULL;
}

#define VIEW "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"https://shop.example/\"}"

// ---- parameters ----

static const struct {
    const char *name;
    wn_field field;
} parameters[] = {
#define PIXEL(name, field) {name, WN_FIELD_##field},
#include "pixel.def"
#undef PIXEL
};

Test(http_consent, each_parameter_of_the_pixel_is_a_field) {
    char target[128], twice[512];
    for (size_t i = 0; i < WN_COUNT(parameters); i++) {
        wn_field f = parameters[i].field;
        bool list = wn_filling_shape(f) == WN_SHAPE_LIST;
        if (wn_filling_shape(f) == WN_SHAPE_BOOL) continue; // below
        size_t at = (size_t)snprintf(target, sizeof target, "GET /p.gif?%s=", parameters[i].name);
        ask(target, "", "");
        cr_assert_eq(told_n, 1);
        cr_expect_eq(told[0].has[f], wn_filling_about_consent(f) || f == WN_FIELD_name, "%s, empty", target);
        cr_expect_eq(told[0].n[f], f == WN_FIELD_name ? 8 : 0);
        strcpy(target + at, "v%2Fx%20%26");
        ask(target, "", "");
        cr_assert_eq(told_n, 1);
        if (list) cr_expect_str_eq(told[0].items[0], "v/x &");
        else if (wn_field_bytes_max(f) < 5) cr_expect_eq(told[0].why, WN_VERDICT_too_long, "%s", target);
        else cr_expect_str_eq(fake_text(&told[0], f), "v/x &", "%s", target);
        snprintf(twice, sizeof twice, "%s&%s", target, strchr(target, '?') + 1);
        ask(twice, "", "");
        if (wn_field_bytes_max(f) >= 5) cr_expect_eq(told[0].why, WN_VERDICT_duplicate_field, "%s", twice);
        cr_expect_eq(status(), 200);
    }
    ask("GET /p.gif?site=shop&n=email_open&c=spring&rand=77&user_id=u&tcf=x", "", "");
    for (unsigned f = 0; f < WN_FIELD_N; f++)
        cr_expect_eq(told[0].has[f], f == WN_FIELD_site || f == WN_FIELD_name || f == WN_FIELD_campaign, "%s",
                     wn_field_name((wn_field)f));
    cr_expect_str_eq(fake_text(&told[0], WN_FIELD_name), "email_open");
}

// What the filter reads where the parameter stands; NULL: as if it did not.
Test(http_consent, yes_and_no_on_the_query_deny_when_in_doubt) {
    static const struct {
        const char *query;
        wn_field field;
        const char *text;
    } rows[] = {
        {"child=1", WN_FIELD_child, "1"},
        {"child=true", WN_FIELD_child, "1"},
        {"child=TRUE", WN_FIELD_child, "1"},
        {"child=0", WN_FIELD_child, "0"},
        {"child=false", WN_FIELD_child, "0"},
        {"child=yes", WN_FIELD_child, "?"},
        {"child=", WN_FIELD_child, NULL},
        {"child", WN_FIELD_child, NULL},
        {"age=9", WN_FIELD_age, "9"},
        {"age=", WN_FIELD_age, NULL},
        {"npa=1", WN_FIELD_ad_tracking, "0"},
        {"npa=0", WN_FIELD_ad_tracking, "1"},
        {"npa=2", WN_FIELD_ad_tracking, "?"},
        {"npa=", WN_FIELD_ad_tracking, "?"},
        {"npa", WN_FIELD_ad_tracking, "?"},
        {"gpc=1", WN_FIELD_gpc, "1"},
        {"gpc=0", WN_FIELD_gpc, "0"},
        {"gpc=x", WN_FIELD_gpc, "x"},
        {"gpc=", WN_FIELD_gpc, ""},
        {"dnt=1", WN_FIELD_dnt, "1"},
        {"dnt", WN_FIELD_dnt, ""},
    };
    char first[128];
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        for (int post = 0; post < 2; post++) {
            snprintf(first, sizeof first, "%s?site=shop&%s", post ? "POST /v1/events" : "GET /p.gif",
                     rows[i].query);
            ask(first, "", post ? VIEW : "");
            cr_assert_eq(told_n, 1, "%s", first);
            cr_expect_eq(told[0].why, WN_KEEP, "%s", first);
            cr_assert_eq(told[0].has[rows[i].field], rows[i].text != NULL, "%s", first);
            if (rows[i].text == NULL) continue;
            cr_expect_eq(told[0].n[rows[i].field], strlen(rows[i].text), "%s", first);
            cr_expect_eq(memcmp(told[0].text[rows[i].field], rows[i].text, strlen(rows[i].text)), 0, "%s",
                         first);
        }
    ask("POST /v1/events?child=1&age=9&npa=1", "",
        "[{\"site\":\"shop\",\"name\":\"a\",\"child\":false,\"age\":30,\"ad_tracking\":true}]");
    cr_expect_str_eq(fake_text(&told[0], WN_FIELD_child), "0", "who states it is asked first");
    cr_expect_str_eq(fake_text(&told[0], WN_FIELD_age), "30");
    ask("GET /p.gif?site=shop&child=0&child=1", "", "");
    cr_expect_eq(told[0].why, WN_VERDICT_duplicate_field);
}

Test(http_consent, what_the_query_of_a_body_says_counts_for_events_that_do_not) {
    const char *all =
        "POST /v1/events?gdpr=1&gdpr_consent=CPtcf&gpp=DB&gpp_sid=7&us_privacy=1YYN&gcs=G100&gcd=13p"
        "&purposes=basic,share&u=/x&n=y&site=other&user_id=z";
    ask(all, "",
        "[" VIEW ",{\"site\":\"shop\",\"name\":\"a\",\"tcf\":\"own\",\"purposes\":[],\"us_privacy\":null,"
        "\"gdpr\":0}]");
    cr_assert_eq(told_n, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(told[i].why, WN_KEEP);
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_tcf), i == 0 ? "CPtcf" : "own");
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_gdpr), i == 0 ? "1" : "0");
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_us_privacy), "1YYN", "null says nothing");
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_gpp), "DB");
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_gpp_sid), "7");
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_gcs), "G100");
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_gcd), "13p");
        cr_expect_eq(told[i].items_n, i == 0 ? 2 : 0);
        cr_expect_str_eq(fake_text(&told[i], WN_FIELD_site), "shop");
        cr_expect_not(told[i].has[WN_FIELD_user_id]);
    }
    cr_expect_not(told[1].has[WN_FIELD_url]);
    ask("POST /v1/events?gpp=a&gpp=a", "", "[" VIEW ",{\"site\":\"shop\",\"name\":\"a\",\"gpp\":\"own\"}]");
    cr_expect_eq(told[0].why, WN_VERDICT_duplicate_field);
    cr_expect_eq(told[1].why, WN_KEEP, "it does not need them");
    ask("POST /v1/events?purposes=&us_privacy", "", VIEW);
    cr_expect(told[0].has[WN_FIELD_purposes] && told[0].items_n == 0, "standing there empty refuses");
    cr_expect(told[0].has[WN_FIELD_us_privacy] && told[0].n[WN_FIELD_us_privacy] == 0);
    ask("POST /v1/events", "", "{\"batch_id\":\"b\",\"events\":[" VIEW "]}");
    cr_expect_not(told[0].has[WN_FIELD_us_privacy], "another request");
}

// ---- cookies ----

Test(http_consent, three_cookies_are_read_and_no_other) {
    static const struct {
        const char *heads, *tcf, *us;
        bool opted_out, doubt;
    } rows[] = {
        {"", "", "", false, false},
        {"Cookie: session=u-1; uid=euconsent-v2; usprivacy2=1YYN; winnow_opt_outs=1; a; =b\r\n", "", "",
         false, false},
        {"Cookie: euconsent-v2=CPabc.DEF\r\n", "CPabc.DEF", "", false, false},
        {"Cookie: a=b;euconsent-v2=\"CP\" ; usprivacy = 1YNN\r\n", "CP", "1YNN", false, false},
        {"Cookie: usprivacy=1YNN\r\ncookie: usprivacy=1YNN; winnow_opt_out=1\r\n", "", "1YNN", true, false},
        {"Cookie: winnow_opt_out=0\r\n", "", "", true, false},
        {"Cookie: winnow_opt_out=\r\n", "", "", true, false},
        {"Cookie: EUCONSENT-V2=x; USPRIVACY=1YYN\r\n", "", "", false, false}, // their names are exact
        // ours is read however it is written
        {"Cookie: Winnow_Opt_Out=1\r\n", "", "", true, false},
        {"Cookie: winnow_opt_out\r\n", "", "", true, false},
        {"Cookie: a=b; WINNOW_OPT_OUT ;c\r\n", "", "", true, false},
        {"Cookie: a=b, winnow_opt_out=1\r\n", "", "", true, false},
        {"Cookie: winnow_opt_out,a=b\r\n", "", "", true, false},
        {"Cookie: usprivacy=1YNN,winnow_opt_out=1\r\n", "", "", true, true},
        {"Cookie: a=winnow_opt_out; winnow_opt_outs; xwinnow_opt_out=1; a=b,\r\n", "", "", false, false},
        {"Cookie: usprivacy=1YNN; usprivacy=1YYN\r\n", "", "1YNN", false, true},
        {"Cookie: usprivacy=1YNN\r\nCookie: usprivacy=1YYN\r\n", "", "1YNN", false, true},
        {"Cookie: euconsent-v2=\r\n", "", "", false, true},
        {"Cookie: usprivacy=\"\"\r\n", "", "", false, true},
        {"Cookie: usprivacy=1YNN1YNN1YNN1YNN\r\n", "", "1YNN1YNN1YNN1YNN", false, false},
        {"Cookie: usprivacy=1YNN1YNN1YNN1YNN1\r\n", "", "", false, true},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        for (int pixel = 0; pixel < 2; pixel++) {
            ask(pixel ? "GET /p.gif?site=shop" : "POST /v1/events", rows[i].heads, VIEW);
            cr_assert_eq(told_n, 1, "%s", rows[i].heads);
            cr_expect_str_eq(cookies[0], rows[i].tcf, "%s", rows[i].heads);
            cr_expect_str_eq(cookies[1], rows[i].us, "%s", rows[i].heads);
            cr_expect_eq(sender.opted_out, rows[i].opted_out, "%s", rows[i].heads);
            cr_expect_eq(sender.doubt, rows[i].doubt, "%s", rows[i].heads);
            cr_expect_eq(told[0].doubt, rows[i].doubt);
        }
    }
    char heads[4300] = "Cookie: euconsent-v2=";
    size_t at = strlen(heads), most = wn_field_bytes_max(WN_FIELD_tcf);
    for (size_t over = 0; over < 2; over++) {
        memset(heads + at, 'C', most + over);
        strcpy(heads + at + most + over, "\r\n");
        ask("POST /v1/events", heads, VIEW);
        cr_expect_eq(strlen(cookies[0]), over ? 0 : most);
        cr_expect_eq(sender.doubt, over);
    }
}

// ---- opting out ----

#define NOT_COUNTED "<strong>has opted out</strong>"
#define COUNTED "<strong>has not opted out here</strong>"
#define SET "Set-Cookie: winnow_opt_out=1; Max-Age=315360000; Path=/; HttpOnly; SameSite="
#define CLEAR "Set-Cookie: winnow_opt_out=; Max-Age=0; Path=/; HttpOnly; SameSite="

Test(http_consent, the_page_says_the_state_and_needs_nothing) {
    ask("GET /v1/opt-out", "", "");
    cr_expect_eq(status(), 200);
    cr_expect(says(COUNTED) && !says(NOT_COUNTED) && !says("Set-Cookie"));
    cr_expect(says("Content-Type: text/html; charset=utf-8\r\n") && says("Cache-Control: no-store\r\n"));
    cr_expect(says("Content-Security-Policy: default-src 'none'; form-action 'self'; base-uri 'none'; "
                   "frame-ancestors 'none'\r\n"));
    cr_expect(says("<form method=\"post\" action=\"opt-out\">") &&
              says("<form method=\"post\" action=\"opt-in\">"));
    cr_expect_not(says("<script") || says("<style") || says("style=") || says("src=") || says("://"),
                  "resources");
    ask("GET /v1/opt-out", "Cookie: a=b; winnow_opt_out=1\r\n", "");
    cr_expect(says(NOT_COUNTED) && !says(COUNTED));
    ask("GET /v1/opt-in", "", "");
    cr_expect_eq(status(), 405);
    cr_expect(says("Allow: POST, OPTIONS\r\n"));
    ask("PUT /v1/opt-out", "", "");
    cr_expect_eq(status(), 405);
    cr_expect(says("Allow: GET, POST, DELETE, OPTIONS\r\n") && !says("Set-Cookie"));
    cr_expect_eq(told_n, 0);
}

Test(http_consent, opting_out_sets_a_cookie_that_is_the_same_for_everybody) {
    ask("POST /v1/opt-out", "", "");
    cr_expect_eq(status(), 200);
    cr_expect(says(SET "Lax\r\n") && says("\r\n\r\n{\"opted_out\":true}\n"), "%s", answer);
    ask("POST /v1/opt-out", "X-Forwarded-Proto: https\r\n", "");
    cr_expect(says(SET "None; Secure\r\n"));
    ask("POST /v1/opt-out", "X-Forwarded-Proto: HTTPS , http\r\n", "user=u-1");
    cr_expect(says(SET "None; Secure\r\n") && !says("u-1"));
    ask("POST /v1/opt-out", "X-Forwarded-Proto: http\r\nAccept: text/html,*/*\r\nOrigin: null\r\n", "");
    cr_expect_eq(status(), 303, "refusing is anybody's");
    cr_expect(says("Location: opt-out\r\n") && says(SET "Lax\r\n"));
    ask("DELETE /v1/opt-out", "X-Forwarded-Proto: https\r\n", "");
    cr_expect(says(CLEAR "None; Secure\r\n") && says("{\"opted_out\":false}"));
    ask("POST /v1/opt-in", "Accept: text/html\r\n", "");
    cr_expect_eq(status(), 303);
    cr_expect(says("Location: opt-out\r\n") && says(CLEAR "Lax\r\n"));
    cr_expect_eq(told_n, 0, "nothing is counted");
    cr_expect_eq(rig_read(&r).batches, 0);
    // Whoever is no proxy of ours cannot say what the browser spoke.
    wn_http_close(http);
    r.options.trusted_proxies[0] = '\0';
    rig_restart(&r);
    serve_again();
    ask("POST /v1/opt-out", "X-Forwarded-Proto: https\r\n", "");
    cr_expect(says(SET "Lax\r\n"));
}

Test(http_consent, a_strange_page_cannot_opt_anybody_in) {
    static const struct {
        const char *heads;
        bool may;
    } rows[] = {
        {"", true}, // no page at all
        {"Origin: https://count.example\r\n", true},
        {"Origin: https://shop.example:8443\r\n", true},
        {"Origin: https://evil.example\r\n", false},
        {"Origin: null\r\n", false},
        {"Origin: HTTPS://count.example\r\n", true},
        {"Origin: http://count.example\r\n", true},
        {"Origin: evil://count.example\r\n", false},
        {"Origin: evil://shop.example\r\n", false},
        {"Origin: evilhttps://count.example\r\n", false},
        {"Origin: ://count.example\r\n", false},
        {"Origin: count.example\r\n", false},
        {"Origin: https://count.example.evil.example\r\n", false},
        {"Origin: https://behind.proxy\r\nSec-Fetch-Site: same-origin\r\n", true},
        {"Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n", false},
        {"Origin: https://evil.count.example\r\nSec-Fetch-Site: same-site\r\n", false}, // a neighbour
        {"Sec-Fetch-Site: cross-site\r\n", false},
        {"Sec-Fetch-Site: none\r\n", true},
        {"Origin: https://shop.example\r\nSec-Fetch-Site: cross-site\r\n", true},
    };
    for (size_t i = 0; i < r.sites->sites.n; i++) {
        wn_site *s = &r.sites->sites.site[i];
        // One site lists no host: pages of any may send events, none may opt in by that.
        if (s->hosts_n == 0 && i > 0) strcpy(s->hosts[s->hosts_n++], "shop.example");
    }
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        for (int how = 0; how < 2; how++) {
            ask(how ? "DELETE /v1/opt-out" : "POST /v1/opt-in", rows[i].heads, "");
            cr_expect_eq(status(), rows[i].may ? 200 : 403, "%s", rows[i].heads);
            cr_expect_eq(says(CLEAR), rows[i].may, "%s", rows[i].heads);
        }
        ask("POST /v1/opt-out", rows[i].heads, "");
        cr_expect(says(SET), "%s", rows[i].heads);
        bool site = strstr(rows[i].heads, "https://shop.example") != NULL;
        cr_expect_eq(says("Access-Control-Allow-Origin: https://shop.example"), site);
        cr_expect_eq(says("Access-Control-Allow-Credentials: true\r\n"), site);
    }
    ask("OPTIONS /v1/opt-out", "Origin: https://shop.example\r\nAccess-Control-Request-Method: DELETE\r\n",
        "");
    cr_expect_eq(status(), 204);
    cr_expect(says("Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"));
    ask("OPTIONS /v1/opt-out", "Origin: https://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n",
        "");
    cr_expect_not(says("Access-Control-Allow"));
}
