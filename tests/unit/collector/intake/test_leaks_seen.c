// SPDX-License-Identifier: Apache-2.0
// Leaks that other collectors of statistics had, one test each, through real
// doors: what was sent must be in nothing that is said, stored or passed on.
// test_leaks_keys.c has those of keys and ids.
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "leak_rig.h"
#include "log.h"

static leak_rig l;

static void setup(void) {
    leak_open(&l);
}

static void teardown(void) {
    leak_close(&l);
}

TestSuite(leaks, .init = setup, .fini = teardown);

#define MARK "kq7x93zt4m1p8w2c"
#define MAIL "anna.keller7q2x@mail-k3.xyz"
#define RUN 7 // bytes of an identifier in a row that would be one too many
#define AGREED "\"purposes\":[\"basic\",\"measure\",\"locate\",\"share\",\"profile\"]"

static const char *const marks[] = {MARK, MAIL};

// What passes is there to be seen, and nothing of an identifier is.
static void expect_clean(const char *control) {
    leak_heap all = leak_all(&l);
    cr_expect(leak_holds(&all, control, strlen(control)), "\"%s\" is not even there: nothing was seen",
              control);
    for (size_t i = 0; i < WN_COUNT(marks); i++) {
        size_t at = leak_find(&all, marks[i], RUN);
        cr_expect_eq(at, all.n, "%s: %.*s", marks[i], 60, at > 20 ? (const char *)all.p + at - 20 : "");
    }
}

static void log_line(char *out, size_t cap, const char *client, const char *user, const char *target,
                     const char *referrer, const char *agent) {
    char when[40];
    time_t t = (time_t)l.r.now_s - 60;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", &tm);
    snprintf(out, cap, "%s - %s [%s] \"GET %s HTTP/1.1\" 200 5 \"%s\" \"%s\"\n", client, user, when, target,
             referrer, agent);
}

// An id that the body may not carry on must not come in beside it: query, header, cookie, log.
Test(leaks, second_input_path) {
    static const char *const heads[] = {"Referer: https://from.example/?id=%s\r\n",
                                        "User-Agent: " RIG_UA " (%s)\r\n",
                                        "Accept-Language: de-%s\r\n",
                                        "Cookie: session=%s; _ga=%s\r\n",
                                        "Authorization: Bearer %s\r\n",
                                        "X-Device-Id: %s\r\n",
                                        "Origin: https://%s.example\r\n",
                                        "X-Forwarded-Proto: %s\r\n",
                                        "Accept: %s\r\n",
                                        "Sec-Fetch-Site: %s\r\n"};
    static const char *const parameters[] = {
#define PIXEL(name, field) name,
#include "pixel.def"
#undef PIXEL
    };
    char text[2048], line[1024];
    for (size_t m = 0; m < WN_COUNT(marks); m++) {
        const char *id = marks[m];
        snprintf(text, sizeof text,
                 "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"https://shop.example/"
                 "welcome?id=%s&utm_x=%s#%s\","
                 "\"user_id\":\"%s\",\"anonymous_id\":\"%s\",\"device_id\":\"%s\",\"props\":{\"id\":\"%s\","
                 "\"%s\":1},"
                 "\"idfa\":\"%s\",\"batch_id\":\"%s\"," AGREED "}",
                 id, id, id, id, id, id, id, id, id, id);
        leak_post(&l, "/v1/events", "", text);
        snprintf(line, sizeof line, "/v1/events?email=%s&%s=1&user_id=%s", id, id, id);
        leak_post(&l, line, "", "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome\"}");
        for (size_t i = 0; i < WN_COUNT(heads); i++) {
            snprintf(text, sizeof text, heads[i], id, id);
            leak_post(&l, "/v1/events", text,
                      "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome\"}");
            leak_get(&l, "/p.gif?site=shop&u=/welcome", text);
        }
        for (size_t i = 0; i < WN_COUNT(parameters); i++) {
            snprintf(line, sizeof line, "/p.gif?site=shop&%s=%s&purposes=basic,measure", parameters[i], id);
            leak_get(&l, line, "");
        }
        snprintf(text, sizeof text, "/welcome?id=%s", id);
        log_line(line, sizeof line, "203.0.113.9", id, text, "https://from.example/?id=1", RIG_UA);
        leak_import(&l, "combined", line);
        snprintf(text, sizeof text, "https://from.example/%s?id=%s", id, id);
        log_line(line, sizeof line, id, "-", "/welcome", text, id);
        leak_import(&l, "combined", line);
    }
    expect_clean("/welcome");
}

// A field that is made from another must be as clean as that one: campaign, entry page, domain, term, class.
Test(leaks, derived_field) {
    static const char *const fields[] = {"campaign", "link",      "exit_link",   "feature",  "search_term",
                                         "crash",    "model",     "app_version", "referrer", "os_version",
                                         "maker",    "time_zone", "job_title",   "survey",   "answer",
                                         "language", "screen",    "name"};
    static const char *const shapes[] = {
        "%s", "https://shop.example/a/%s", "https://%s.example.org/", "v-%s", "a %s b", "/welcome/%s/x"};
    char text[2048], value[256];
    for (size_t m = 0; m < WN_COUNT(marks); m++) {
        for (size_t i = 0; i < WN_COUNT(fields); i++)
            for (size_t k = 0; k < WN_COUNT(shapes); k++) {
                snprintf(value, sizeof value, shapes[k], marks[m]);
                snprintf(text, sizeof text,
                         "{\"site\":\"shop\",%s\"url\":\"https://shop.example/welcome\",\"%s\":\"%s\"," AGREED
                         "}",
                         strcmp(fields[i], "name") ? "\"name\":\"pageview\"," : "", fields[i], value);
                leak_post(&l, "/v1/events", "", text);
            }
        snprintf(text, sizeof text,
                 "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"https://shop.example/u/"
                 "%s?utm_source=%s&utm_medium=%s&"
                 "utm_campaign=%s&q=%s\",\"referrer\":\"https://search.example/?q=%s\"," AGREED "}",
                 marks[m], marks[m], marks[m], marks[m], marks[m], marks[m]);
        leak_post(&l, "/v1/events", "", text);
    }
    wn_window w = leak_window(&l);
    cr_expect(wn_pipeline_expire(l.r.pipeline, wn_edge_find(l.r.edge, &w)->slot, INT64_MAX));
    rig_sync(&l.r);
    cr_expect_gt(rig_read(&l.r).sessions, 0, "entry and exit pages are derived, too");
    expect_clean("/welcome");
}

static void view_from(const char *address) {
    char heads[128];
    snprintf(heads, sizeof heads, "X-Forwarded-For: %s\r\n", address);
    leak_post(&l, "/v1/events", heads, "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome\"}");
}

// The last 64 bits name a device: they are not even part of the key; and the text is known in any writing.
Test(leaks, ipv6) {
    static const char *const from[] = {"2a02:8388:1d41:7b00:9c1f:22ff:fe4e:b1a7",
                                       "2a02:8388:1d41:7b00::7",
                                       "2a02:8388:1d41:7b01:9c1f:22ff:fe4e:b1a7",
                                       "2a02:8388:1d42:7b00:9c1f:22ff:fe4e:b1a7",
                                       "::ffff:203.0.113.7",
                                       "203.0.113.7"};
    static const uint8_t device[8] = {0x9c, 0x1f, 0x22, 0xff, 0xfe, 0x4e, 0xb1, 0xa7},
                         network[6] = {0x2a, 0x02, 0x83, 0x88, 0x1d, 0x41};
    wn_observation o[64];
    for (size_t i = 0; i < WN_COUNT(from); i++) view_from(from[i]);
    cr_assert_eq(leak_observations(&l, o, WN_COUNT(o)), WN_COUNT(from));
    cr_expect_arr_eq(o[0].person, o[1].person, 16, "one /64, one person");
    cr_expect_arr_neq(o[0].person, o[2].person, 16);
    cr_expect_eq(o[0].prefix, o[2].prefix, "one /48");
    cr_expect_neq(o[0].prefix, o[3].prefix);
    cr_expect_arr_eq(o[4].person, o[5].person, 16, "an IPv4 address in IPv6's clothes");
    for (size_t i = 0; i < 3; i++) {
        static const char *const ways[] = {"/at/%s/x", "/welcome?ip=%s", "/[%s]/x", "/at-%s"};
        char text[1024], target[128];
        for (size_t k = 0; k < WN_COUNT(ways); k++) {
            snprintf(target, sizeof target, ways[k], from[i]);
            snprintf(text, sizeof text,
                     "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"%s\",\"search_term\":\"from %s\","
                     "\"campaign\":\"%s\",\"link\":\"%s\",\"anonymous_id\":\"%s\"," AGREED "}",
                     target, from[i], "x", target, from[i]);
            leak_post(&l, "/v1/events", "", text);
            log_line(text, sizeof text, from[i], "-", target, "-", RIG_UA);
            leak_import(&l, "combined", text);
        }
    }
    leak_heap all = leak_all(&l);
    cr_expect(leak_holds(&all, "/welcome", 8));
    cr_expect_not(leak_holds(&all, "9c1f:22ff:fe4e:b1a7", RUN));
    cr_expect_not(leak_holds(&all, "2a02:8388:1d41:7b00", 9));
    cr_expect_not(leak_holds_bytes(&all, device, sizeof device));
    cr_expect_not(leak_holds_bytes(&all, network, sizeof network));
}

// A host of one's own (anna.example.org, one container a customer) is a name.
Test(leaks, virtual_host) {
    char text[1024], line[900];
    leak_post(&l, "/v1/events", "Host: " MARK ".count.example\r\nX-Forwarded-Host: " MARK ".shop.example\r\n",
              "{\"site\":\"shop\",\"url\":\"https://" MARK ".shop.example/welcome\",\"name\":\"pageview\","
              "\"referrer\":\"https://" MARK ".github.io/a\",\"exit_link\":\"https://" MARK
              ".blog.example.net/\"," AGREED "}");
    leak_get(&l, "/p.gif?site=shop",
             "Host: " MARK ".count.example\r\nReferer: https://" MARK ".shop.example:8443/welcome\r\n");
    leak_get(&l, "/p.gif?site=shop&u=//" MARK ".shop.example/welcome&r=https://" MARK ".wordpress.com/", "");
    leak_get(&l, "/nothing", "Host: " MARK ".count.example\r\n");
    leak_get(&l, "/v1/opt-out", "Host: " MARK ".count.example\r\nAccept: text/html\r\n");
    leak_get(&l, "http://" MARK ".count.example/w.js", "");
    log_line(line, sizeof line, "203.0.113.9", "-", "/welcome", "https://" MARK ".github.io/", RIG_UA);
    snprintf(text, sizeof text, MARK ".shop.example:443 %s", line);
    leak_import(&l, "vhost-combined", text);
    wn_observation o[16];
    size_t n = leak_observations(&l, o, WN_COUNT(o));
    cr_expect_eq(n, 4, "%zu", n);
    expect_clean("github.io");
}

// A row of messages.def with integers in its places, and nothing else.
static bool is_message(const char *line, size_t n) {
    static const char *const texts[] = {
#define MSG(name, level, text) text,
#include "messages.def"
#undef MSG
    };
    for (size_t i = 0; i < WN_COUNT(texts); i++) {
        const char *t = texts[i], *p = line, *end = line + n;
        while (*t != '\0') {
            if (t[0] == '{') {
                if (p < end && *p == '-') p++;
                while (p < end && isdigit((unsigned char)*p)) p++;
                t += 3;
            } else if (p < end && *p == *t) {
                p++, t++;
            } else {
                break;
            }
        }
        if (*t == '\0' && p == end) return true;
    }
    return false;
}

// At its most talkative the log knows messages and integers.
Test(leaks, debug_log) {
    char line[600];
    leak_post(&l, "/v1/events?u=" MARK, "Cookie: " MARK "\r\n",
              "[{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/welcome/" MARK "\",\"user_id\":\"" MAIL
              "\"," AGREED "},"
              "{\"" MARK "\":1},{\"site\":\"" MARK "\"}]");
    leak_post(&l, "/v1/events", "", "{\"" MARK);
    leak_get(&l, "/" MARK, "User-Agent: " MARK "\r\n");
    log_line(line, sizeof line, MARK, MAIL, "/welcome", "-", MARK);
    leak_import(&l, "combined", line);
    wn_log(WN_MSG_TICK, 1, 2, 3); // the level lets it through
    leak_seal(&l);
    rig_restart(&l.r);
    const char *log = leak_log(&l);
    size_t lines = 0, debug = 0;
    for (const char *at = log; *at != '\0'; lines++) {
        const char *end = strchr(at, '\n'), *level = strchr(at, ' '),
                   *words = level ? strchr(level + 1, ' ') : NULL;
        cr_assert(end != NULL && words != NULL && words < end, "a line of another hand: %s", at);
        debug += strncmp(level, " debug", 6) == 0;
        cr_expect(is_message(words + 1, (size_t)(end - words - 1)), "no message: %.*s", (int)(end - at), at);
        at = end + 1;
    }
    cr_expect(lines >= 2 && debug == 1, "%zu lines, %zu of them debug: %s", lines, debug, log);
}

// What cannot be taken is answered without saying it back.
Test(leaks, error_stream) {
    static const char *const bodies[] = {"{\"site\":\"" MARK "\",\"name\":\"x\"}",
                                         "{\"site\":\"shop\",\"name\":\"x\",\"" MARK "\":1}",
                                         "{\"" MARK,
                                         "[{\"site\":\"shop\",\"name\":[\"" MARK "\"]}]",
                                         MARK,
                                         "\"" MARK "\"",
                                         "[\"" MAIL "\",{\"site\":\"shop\",\"ip\":\"" MARK "\"}]",
                                         "{\"site\":\"shop\",\"name\":\"x\",\"name\":\"" MARK "\"}",
                                         "{\"site\":\"shop\",\"name\":\"x\",\"time\":\"" MARK "\"}",
                                         "{\"site\":\"shop\",\"name\":\"x\",\"child\":\"" MARK "\"}",
                                         "{\"batch_id\":{\"" MARK "\":1}}",
                                         "{\"site\":\"blog\",\"name\":\"x\",\"url\":\"https://" MARK
                                         ".example/\"}"};
    size_t refused = 0;
    for (size_t i = 0; i < WN_COUNT(bodies); i++) {
        leak_post(&l, "/v1/events", "", bodies[i]);
        refused += strstr(l.answer, "\"refused\":[{") != NULL || strstr(l.answer, "\"error\"") != NULL;
    }
    cr_expect_eq(refused, WN_COUNT(bodies));
    leak_get(&l, "/" MARK "/" MAIL, "");
    leak_get(&l, "/v1/events?" MARK, "");
    leak_post(&l, "/p.gif?" MARK, "", MARK);
    leak_ask(&l, MARK " /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    leak_ask(&l, "GET /" MARK " NONE/1\r\n" MARK ": " MARK "\r\n\r\n");
    leak_ask(&l, "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " MARK
                 "\r\n\r\n" MARK);
    leak_ask(&l, "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: " MARK
                 "\r\nContent-Length: 16\r\n\r\n" MARK);
    leak_post(&l, "/v1/opt-out?" MARK, "Origin: https://" MARK ".example\r\nAccept: " MARK "\r\n", MARK);
    uint64_t token;
    const char *no = wn_import_begin(l.import, (wn_span){(const uint8_t *)MARK, 16},
                                     (wn_span){(const uint8_t *)"combined", 8}, 0, &token);
    cr_expect(no != NULL && strstr(no, MARK) == NULL);
    expect_clean("unknown_field");
}

// Who resets a password is known to who reads the page's path.
Test(leaks, reset_tokens_in_paths) {
    static const char *const paths[] = {"/reset/" MARK,
                                        "/reset/9f86d081884c7d659a2feaa0c55ad015",
                                        "/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.c2lnbg",
                                        "/reset/550e8400-e29b-41d4-a716-446655440000",
                                        "/reset/%6bq7x93zt4m1p8w2c",
                                        "/reset/%256bq7x93zt4m1p8w2c",
                                        "/reset/" MARK "/new",
                                        "/reset/x;token=" MARK,
                                        "/reset/" MARK ".html",
                                        "/reset/anna.keller7q2x%40mail-k3.xyz",
                                        "/reset//" MARK,
                                        "/reset/KQ7X93ZT-4M1P8W2C",
                                        "/reset/0123456789",
                                        "/reset/?token=" MARK,
                                        "/reset/#/" MARK};
    static const char *const parts[] = {MARK,
                                        MAIL,
                                        "9f86d081884c7d659a2feaa0c55ad015",
                                        "eyJhbGciOiJIUzI1NiJ9",
                                        "eyJzdWIiOiI0NzExIn0",
                                        "550e8400",
                                        "446655440000",
                                        "0123456789",
                                        "KQ7X93ZT",
                                        "4M1P8W2C"};
    char text[1024], line[900];
    for (size_t i = 0; i < WN_COUNT(paths); i++) {
        snprintf(text, sizeof text,
                 "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"https://"
                 "shop.example%s\",\"link\":\"%s\",\"user_id\":\"p%zu\"," AGREED "}",
                 paths[i], paths[i], i);
        leak_post(&l, "/v1/events", "", text);
        if (strchr(paths[i], '#') == NULL && strchr(paths[i], '?') == NULL) {
            snprintf(text, sizeof text, "/p.gif?site=shop&u=%s", paths[i]);
            leak_get(&l, text, "");
            log_line(line, sizeof line, "203.0.113.9", "-", paths[i], "-", RIG_UA);
            leak_import(&l, "combined", line);
        }
        snprintf(text, sizeof text, "Referer: https://shop.example%s\r\n", paths[i]);
        leak_get(&l, "/p.gif?site=shop", text);
    }
    leak_heap all = leak_all(&l);
    cr_expect(leak_holds(&all, "/reset/:x", 9));
    for (size_t i = 0; i < WN_COUNT(parts); i++)
        cr_expect_not(leak_holds(&all, parts[i], RUN), "%s", parts[i]);
}
