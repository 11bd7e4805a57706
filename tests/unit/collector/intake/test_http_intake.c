// SPDX-License-Identifier: Apache-2.0
// The beacon endpoint over real sockets: what it says, and when.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "clock.h"
#include "http_intake.h"
#include "intake_rig.h"

static rig r;
static wn_metrics metrics;
static wn_http *http;
static wn_http_limits limits = {.connections_max = 64, .idle_s = 15, .body_bytes_max = 65536};

static void setup(void) {
    rig_open(&r);
    memset(&metrics, 0, sizeof metrics);
    cr_assert_eq(wn_http_open("127.0.0.1:0", &limits, r.pipeline, &metrics, &http), WN_OK);
}

static void teardown(void) {
    wn_http_close(http);
    rig_close(&r);
}

TestSuite(http_intake, .init = setup, .fini = teardown);

// ---- a client ----

static int dial(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wn_http_port(http))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void put(int fd, const char *text, size_t n) {
    while (n != 0) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k < 0) wn_http_turn(http); // the server reads in this thread, too
        else text += k, n -= (size_t)k;
    }
}

static void put_text(int fd, const char *text) {
    put(fd, text, strlen(text));
}

// The loop without its disk: turns until the server has seen all that was sent.
static void serve(void) {
    for (int i = 0; i < 6; i++) {
        struct pollfd p = {wn_http_fd(http), POLLIN, 0};
        poll(&p, 1, i == 0 ? 1000 : 5);
        wn_http_turn(http);
    }
}

static bool answer_there(int fd) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

static char answer[65536];

// Reads one answer, driving the server and the disk meanwhile.
static const char *hear(int fd, bool disk) {
    size_t n = 0;
    int64_t until = wn_monotonic_ms() + 5000;
    memset(answer, 0, sizeof answer);
    for (;;) {
        ssize_t k = recv(fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
        if (k == 0) break;
        if (k > 0) n += (size_t)k;
        const char *body = strstr(answer, "\r\n\r\n");
        const char *length = strstr(answer, "Content-Length: ");
        if (body != NULL && length != NULL && n >= (size_t)(body + 4 - answer) + (size_t)atoi(length + 16))
            break;
        if (body != NULL && length == NULL) break; // 204, 304
        cr_assert_lt(wn_monotonic_ms(), until, "no answer");
        wn_http_turn(http);
        if (disk) rig_sync(&r);
    }
    return answer;
}

static int status(void) {
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static const char *body_of(void) {
    const char *b = strstr(answer, "\r\n\r\n");
    return b == NULL ? "" : b + 4;
}

static const char *ask(const char *heads, const char *body) {
    char text[70000];
    int fd = dial();
    int n = snprintf(text, sizeof text,
                     "%s\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nContent-Length: %zu\r\n\r\n%s", heads,
                     strlen(body), body);
    put(fd, text, (size_t)n);
    hear(fd, true);
    close(fd);
    return answer;
}

static const char *fetch(const char *heads) {
    char text[9000];
    int fd = dial();
    int n = snprintf(text, sizeof text, "%s\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\n\r\n", heads);
    put(fd, text, (size_t)n);
    hear(fd, true);
    close(fd);
    return answer;
}

#define POST "POST /v1/events HTTP/1.1"
#define VIEW "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"https://shop.example/a\"}"

// ---- what it says ----

Test(http_intake, says_no_to_what_is_not_for_it) {
    ask(POST, "{");
    cr_expect_eq(status(), 400);
    cr_expect_str_eq(body_of(), "{\"error\":\"malformed\",\"accepted\":0,\"refused\":[]}");
    ask(POST, "");
    cr_expect_eq(status(), 400);
    ask(POST, "[" VIEW "," VIEW ",{\"bad\":1},{\"cut");
    cr_expect_eq(status(), 400);
    cr_expect_str_eq(
        body_of(),
        "{\"error\":\"malformed\",\"accepted\":2,\"refused\":[{\"index\":2,\"reason\":\"unknown_field\"},"
        "{\"index\":3,\"reason\":\"malformed\"}]}");
    cr_expect_eq(rig_read(&r).views, 2, "the events before it stay");
    ask(POST, "{\"site\":\"nobody\",\"name\":\"x\"}");
    cr_expect_eq(status(), 404);
    ask(POST, "[{\"site\":\"nobody\",\"name\":\"x\"},{\"site\":\"shop\",\"name\":\"x\"}]");
    cr_expect_eq(status(), 200);
    ask(POST, "[]");
    cr_expect_eq(status(), 200);
    fetch("GET /nothing HTTP/1.1");
    cr_expect_eq(status(), 404);
    cr_expect_not_null(strstr(body_of(), "/v1/events"));
    fetch("GET /v1/events HTTP/1.1");
    cr_expect_eq(status(), 405);
    cr_expect_not_null(strstr(answer, "Allow: POST, OPTIONS"));
    ask("POST /p.gif HTTP/1.1", "x");
    cr_expect_eq(status(), 405);
    ask("DELETE /w.js HTTP/1.1", "");
    cr_expect_eq(status(), 405);
}

Test(http_intake, a_body_may_be_as_large_as_the_limit) {
    char *text = malloc(limits.body_bytes_max + 16);
    memset(text, ' ', limits.body_bytes_max + 16);
    memcpy(text, VIEW, strlen(VIEW));
    text[limits.body_bytes_max] = '\0';
    ask(POST, text);
    cr_expect_eq(status(), 200);
    text[limits.body_bytes_max] = ' ';
    text[limits.body_bytes_max + 1] = '\0';
    ask(POST, text);
    cr_expect_eq(status(), 413);
    free(text);
}

Test(http_intake, a_chunked_body_is_measured_as_it_comes) {
    char piece[1024 + 1], head[16];
    for (int over = 0; over < 2; over++) {
        int fd = dial();
        put_text(fd, POST "\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nTransfer-Encoding: chunked\r\n\r\n");
        snprintf(head, sizeof head, "%zx\r\n", strlen(VIEW));
        put_text(fd, head), put_text(fd, VIEW "\r\n");
        memset(piece, ' ', 1024), piece[1024] = '\0';
        for (int i = 0; i < 63 + over; i++)
            put_text(fd, "400\r\n"), put_text(fd, piece), put_text(fd, "\r\n");
        put_text(fd, "0\r\n\r\n");
        hear(fd, true);
        cr_expect_eq(status(), over ? 413 : 200);
        close(fd);
    }
    cr_expect_eq(rig_read(&r).views, 1);
}

Test(http_intake, an_endless_chunked_body_is_cut_off) {
    char piece[1024 + 8];
    int fd = dial();
    put_text(fd, POST "\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    strcpy(piece, "400\r\n");
    memset(piece + 5, ' ', 1024);
    strcpy(piece + 1029, "\r\n");
    bool open = true;
    for (int i = 0; i < 4000 && open; i++) {
        ssize_t k = send(fd, piece, 1031, MSG_NOSIGNAL | MSG_DONTWAIT);
        wn_http_turn(http);
        char end;
        ssize_t left = recv(fd, &end, 1, MSG_DONTWAIT);
        open = left < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && (k >= 0 || errno == EAGAIN);
    }
    cr_expect_not(open);
    close(fd);
    serve();
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

Test(http_intake, the_content_type_does_not_matter) {
    ask(POST "\r\nContent-Type: application/x-www-form-urlencoded", VIEW);
    cr_expect_eq(status(), 200);
    cr_expect_str_eq(body_of(), "{\"accepted\":1,\"refused\":[]}");
    ask(POST "\r\nContent-Type: text/plain;charset=UTF-8", "[" VIEW "," VIEW "]");
    cr_expect_str_eq(body_of(), "{\"accepted\":2,\"refused\":[]}");
    cr_expect_eq(rig_read(&r).views, 3);
}

// The text as gzip (31) or zlib (15), cut after `keep` bytes.
static const char *ask_zipped(const char *text, size_t n, int form, size_t keep) {
    static uint8_t zipped[66000];
    char heads[256];
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)text,
                  .avail_in = (unsigned)n,
                  .next_out = zipped,
                  .avail_out = sizeof zipped};
    cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, form, 9, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t whole = sizeof zipped - z.avail_out;
    deflateEnd(&z);
    size_t send_n = whole < keep ? whole : keep;
    int fd = dial();
    int k = snprintf(heads, sizeof heads,
                     POST "\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nContent-Length: %zu\r\n\r\n", send_n);
    put(fd, heads, (size_t)k);
    put(fd, (const char *)zipped, send_n);
    hear(fd, true);
    close(fd);
    return answer;
}

Test(http_intake, a_compressed_body_need_not_be_declared) {
    for (int form = 15; form <= 31; form += 16) {
        ask_zipped(VIEW, strlen(VIEW), form, SIZE_MAX);
        cr_expect_eq(status(), 200);
        cr_expect_str_eq(body_of(), "{\"accepted\":1,\"refused\":[]}");
        ask_zipped(VIEW, strlen(VIEW), form, 30);
        cr_expect_eq(status(), 400, "cut off");
    }
    cr_expect_eq(rig_read(&r).views, 2);
    ask(POST, "x is no zlib");
    cr_expect_eq(status(), 400);
}

Test(http_intake, a_compressed_body_may_inflate_to_the_limit_and_no_further) {
    size_t n = limits.body_bytes_max + 1;
    char *text = malloc(n);
    memset(text, ' ', n);
    memcpy(text, VIEW, strlen(VIEW));
    ask_zipped(text, n - 1, 31, SIZE_MAX);
    cr_expect_eq(status(), 200);
    ask_zipped(text, n, 31, SIZE_MAX);
    cr_expect_eq(status(), 413);
    free(text);
    serve();
    cr_expect_eq(rig_read(&r).views, 1, "nothing is kept of a body too large");
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

Test(http_intake, says_nothing_about_persons) {
    ask(POST, "[{\"site\":\"shop\",\"name\":\"x\",\"purposes\":[]},{\"site\":\"shop\",\"name\":\"x\","
              "\"time\":1400000000},"
              "{\"site\":\"shop\",\"name\":\"x\",\"purposes\":7}]");
    cr_expect_eq(status(), 200);
    cr_expect_str_eq(body_of(), "{\"accepted\":3,\"refused\":[]}");
    cr_expect_eq(rig_read(&r).refusals, 2);
    cr_expect_eq(rig_read(&r).events, 0);
}

Test(http_intake, echoes_an_allowed_origin_and_no_other) {
    ask(POST "\r\nOrigin: https://anything.example", VIEW);
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Origin: https://anything.example\r\n"));
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Credentials: true\r\n"));
    cr_expect_not_null(strstr(answer, "Vary: Origin\r\n"));
    ask(POST "\r\nOrigin: https://other.example", VIEW);
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Origin: https://other.example\r\n"),
                       "not the cached one");
    ask(POST, VIEW);
    cr_expect_null(strstr(answer, "Access-Control-Allow-Origin"));
    // Without sites that take any host only the listed host remains.
    for (size_t i = 0; i < r.sites->sites.n; i++) {
        wn_site *s = &r.sites->sites.site[i];
        if (s->hosts_n == 0) strcpy(s->hosts[s->hosts_n++], "shop.example");
    }
    wn_http_reloaded(http);
    ask(POST "\r\nOrigin: https://anything.example", VIEW);
    cr_expect_null(strstr(answer, "Access-Control-Allow-Origin"));
    ask(POST "\r\nOrigin: https://www.shop.example:8443", VIEW);
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Origin: https://www.shop.example:8443\r\n"));
    ask(POST "\r\nOrigin: null", VIEW);
    cr_expect_null(strstr(answer, "Access-Control-Allow-Origin"));
    ask(POST "\r\nOrigin: https://shop.example", "{");
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Origin: https://shop.example\r\n"),
                       "on errors, too");
}

Test(http_intake, answers_a_preflight) {
    fetch("OPTIONS /v1/events HTTP/1.1\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: POST");
    cr_expect_eq(status(), 204);
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
    cr_expect_not_null(strstr(answer, "Access-Control-Max-Age: 7200\r\n"));
    cr_expect_not_null(strstr(answer, "Access-Control-Allow-Headers: content-type\r\n"));
    cr_expect_null(strstr(answer, "Set-Cookie"));
}

Test(http_intake, serves_the_script_once_and_then_not_again) {
    char tag[32], heads[128];
    fetch("GET /w.js HTTP/1.1");
    cr_expect_eq(status(), 200);
    cr_expect_not_null(strstr(answer, "text/javascript"));
    cr_expect_null(strstr(answer, "Content-Encoding"));
    cr_expect_not_null(strstr(body_of(), "winnow"));
    size_t plain = strlen(body_of());
    const char *at = strstr(answer, "ETag: ");
    cr_assert_not_null(at);
    snprintf(tag, sizeof tag, "%.18s", at + 6);
    snprintf(heads, sizeof heads, "GET /w.js HTTP/1.1\r\nIf-None-Match: %s", tag);
    fetch(heads);
    cr_expect_eq(status(), 304);
    fetch("GET /w.js HTTP/1.1\r\nIf-None-Match: \"0000\"");
    cr_expect_eq(status(), 200);
    fetch("GET /w.js HTTP/1.1\r\nAccept-Encoding: br, gzip");
    cr_expect_not_null(strstr(answer, "Content-Encoding: gzip"));
    cr_expect_lt((size_t)atoi(strstr(answer, "Content-Length: ") + 16), plain);
    fetch("GET /healthz HTTP/1.1");
    cr_expect_eq(status(), 200);
}

Test(http_intake, the_pixel_is_always_a_picture) {
    static const char *const targets[] = {
        "/p.gif",
        "/p.gif?site=nobody",
        "/p.gif?site=shop",
        "/p.gif?site=shop&u=%2Fa&n=",
        "/p.gif?site=shop&u=https%3A%2F%2Fx.example%2Fb",
        "/p.gif?site=shop&n=click&w=1024&r=https%3A%2F%2Fgoogle.com%2F",
    };
    char heads[256];
    for (size_t i = 0; i < WN_COUNT(targets); i++) {
        snprintf(heads, sizeof heads, "GET %s HTTP/1.1", targets[i]);
        fetch(heads);
        cr_expect_eq(status(), 200, "%s", targets[i]);
        cr_expect_not_null(strstr(answer, "Content-Length: 43\r\n"));
        cr_expect_not_null(strstr(answer, "Cache-Control: no-store"));
        cr_expect_eq(memcmp(body_of(), "GIF89a", 6), 0);
    }
    rig_stored s = rig_read(&r);
    cr_expect_eq(s.views, 2);
    cr_expect_eq(s.events, 1);
    fetch("GET /p.gif?site=shop HTTP/1.1\r\nReferer: https://shop.example/from-the-header");
    cr_expect_eq(rig_read(&r).views, 3, "the page is the Referer");
    ask(POST "\r\nReferer: https://shop.example/from-the-header",
        "{\"site\":\"shop\",\"name\":\"pageview\"}");
    cr_expect_eq(rig_read(&r).views, 3, "the pixel's alone");
}

Test(http_intake, a_pixel_without_room_is_a_picture_all_the_same) {
    wn_http_close(http);
    r.parts.request_bytes_total_max = 100;
    rig_restart(&r);
    cr_assert_eq(wn_http_open("127.0.0.1:0", &limits, r.pipeline, &metrics, &http), WN_OK);
    fetch("GET /p.gif?site=shop&u=%2Fa HTTP/1.1");
    cr_expect_eq(status(), 200);
    ask(POST, VIEW);
    cr_expect_eq(status(), 503);
    cr_expect_not_null(strstr(answer, "Retry-After: "));
    cr_expect_eq(rig_read(&r).batches, 0);
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

// ---- when it says it ----

static void answers_only_what_is_durable(void) {
    char text[512];
    int fd = dial();
    int n = snprintf(text, sizeof text,
                     POST "\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nContent-Length: %zu\r\n\r\n" VIEW,
                     strlen(VIEW));
    for (int round = 1; round <= 2; round++) { // and the connection lives on
        put(fd, text, (size_t)n);
        serve();
        cr_expect_eq(wn_http_waiting(http), 1);
        cr_expect_not(answer_there(fd), "acked before the sync");
        wn_pipeline_turn(r.pipeline);
        serve();
        rig_wait_done(&r);
        cr_expect_not(answer_there(fd));
        wn_http_turn(http);
        hear(fd, false);
        cr_expect_eq(status(), 200);
        cr_expect_eq(wn_http_waiting(http), 0);
        cr_expect_eq(rig_read(&r).views, (size_t)round);
    }
    close(fd);
    serve();
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

static void survives_a_client_that_leaves(void) {
    char text[512];
    int n = snprintf(text, sizeof text,
                     POST "\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nContent-Length: %zu\r\n\r\n" VIEW,
                     strlen(VIEW));
    for (int how = 0; how < 3; how++) {
        int fd = dial();
        put(fd, text, (size_t)n);
        serve();
        cr_expect_eq(wn_http_waiting(http), 1);
        struct linger reset = {1, 0};
        if (how == 1) setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (how == 2) shutdown(fd, SHUT_WR); // only half: it still listens
        else close(fd);
        serve();
        rig_sync(&r);
        serve();
        if (how == 2) {
            hear(fd, true);
            cr_expect_eq(status(), 200);
            close(fd);
        }
        cr_expect_eq(wn_http_waiting(http), 0);
        cr_expect_eq(rig_read(&r).views, (size_t)how + 1, "it was committed, so it counts");
    }
    serve();
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

Test(http_intake, answers_only_what_is_durable) {
    answers_only_what_is_durable();
}

static void suspending(void) {
    wn_http_close(http);
    limits.suspends = true;
    cr_assert_eq(wn_http_open("127.0.0.1:0", &limits, r.pipeline, &metrics, &http), WN_OK);
}

Test(http_intake, answers_only_what_is_durable_when_suspending) {
    suspending();
    answers_only_what_is_durable();
}

Test(http_intake, survives_a_client_that_leaves_before_the_sync) {
    survives_a_client_that_leaves();
}

Test(http_intake, survives_a_client_that_leaves_before_the_sync_when_suspending) {
    suspending();
    survives_a_client_that_leaves();
}

Test(http_intake, a_client_that_leaves_amid_its_body_leaves_nothing) {
    int fd = dial();
    put_text(fd, POST "\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nContent-Length: 1000\r\n\r\n[" VIEW
                      ",{\"site\":\"sh");
    serve();
    cr_expect_gt(wn_pipeline_request_bytes(r.pipeline), 0);
    close(fd);
    serve();
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).batches, 0);
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
    cr_expect_eq(metrics.v[WN_METRIC_http_abandoned], 1);
}

Test(http_intake, a_body_byte_by_byte_is_a_body) {
    char text[512];
    int fd = dial();
    int n = snprintf(text, sizeof text,
                     POST "\r\nHost: x\r\nUser-Agent: " RIG_UA "\r\nContent-Length: %zu\r\n\r\n" VIEW,
                     strlen(VIEW));
    for (int i = 0; i < n; i++) {
        put(fd, text + i, 1);
        wn_http_turn(http);
    }
    hear(fd, true);
    cr_expect_eq(status(), 200);
    close(fd);
    cr_expect_eq(rig_read(&r).views, 1);
}

// ---- who sent it ----

static uint64_t prefix_of(const char *heads) {
    char all[2000];
    snprintf(all, sizeof all, POST "%s", heads);
    ask(all, VIEW);
    cr_expect_eq(status(), 200);
    return rig_read(&r).last.prefix;
}

Test(http_intake, believes_the_rightmost_untrusted_address_of_all_lines) {
    uint64_t a = prefix_of("\r\nX-Forwarded-For: 203.0.113.7");
    uint64_t b = prefix_of("\r\nX-Forwarded-For: 198.51.100.9");
    cr_expect_neq(a, b);
    cr_expect_eq(prefix_of("\r\nX-Forwarded-For: 198.51.100.9, 203.0.113.7"), a);
    cr_expect_eq(prefix_of("\r\nX-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 203.0.113.7"), a,
                 "a second line follows the first");
    cr_expect_eq(prefix_of("\r\nX-Forwarded-For: 203.0.113.7, 127.0.0.1"), a);
    char longer[1900] = "\r\nX-Forwarded-For: ";
    while (strlen(longer) < 1200) strcat(longer, "198.51.100.9, ");
    strcat(longer, "198.51.100.9\r\nX-Forwarded-For: 203.0.113.7");
    cr_expect_eq(prefix_of(longer), a, "a list too long is read from its right end");
    strcpy(longer, "\r\nX-Forwarded-For: "); // leaves no room for the line that the proxy adds
    while (strlen(longer) < 1020) strcat(longer, "198.51.100.9, ");
    strcat(longer, "198.51.100.9\r\nX-Forwarded-For: 203.0.113.7");
    cr_expect_eq(prefix_of(longer), a, "and the proxy's line goes before a client's that fills the room");
}

Test(http_intake, obeys_the_signals_of_the_request) {
    const char *share =
        "{\"site\":\"shop\",\"name\":\"pageview\",\"url\":\"/\",\"purposes\":[\"basic\",\"share\"]}";
    ask(POST, share);
    cr_expect(rig_read(&r).last.flags & WN_OBS_SHARE);
    static const char *const off[] = {
        "\r\nSec-GPC: 1",    "\r\nDNT: 1",    "\r\nsec-gpc: 0\r\nSec-GPC: 1",
        "\r\nSec-GPC: 0, 1", "\r\nDNT: 1 ,0", "\r\nDNT: 0\r\nSec-GPC: 1\r\nSec-GPC: 0"};
    for (size_t i = 0; i < WN_COUNT(off); i++) {
        char heads[128];
        snprintf(heads, sizeof heads, POST "%s", off[i]);
        ask(heads, share);
        cr_expect_not(rig_read(&r).last.flags & WN_OBS_SHARE, "%s", off[i] + 2);
    }
    static const char *const on[] = {"\r\nSec-GPC: 0", "\r\nDNT: 0", "\r\nSec-GPC: 0,\t0\r\nDNT: 0"};
    for (size_t i = 0; i < WN_COUNT(on); i++) {
        char heads[128];
        snprintf(heads, sizeof heads, POST "%s", on[i]);
        ask(heads, share);
        cr_expect(rig_read(&r).last.flags & WN_OBS_SHARE, "%s", on[i] + 2);
    }
}

Test(http_intake, a_signal_it_cannot_read_refuses_everything) {
    static const char *const unreadable[] = {"Sec-GPC: true",
                                             "Sec-GPC: 11",
                                             "DNT: null",
                                             "DNT:",
                                             "Sec-GPC: 1, x",
                                             "DNT: 0,",
                                             "Sec-GPC: 0\r\nSec-GPC: ?1",
                                             "DNT: 1 0",
                                             "Sec-GPC: ,1"};
    for (size_t i = 0; i < WN_COUNT(unreadable); i++) {
        char heads[128];
        snprintf(heads, sizeof heads, POST "\r\n%s", unreadable[i]);
        ask(heads, "[" VIEW "," VIEW "]");
        cr_expect_str_eq(body_of(), "{\"accepted\":2,\"refused\":[]}", "%s", unreadable[i]);
        cr_expect_eq(rig_read(&r).views, 0, "%s", unreadable[i]);
        cr_expect_eq(rig_read(&r).refusals, 2 * i + 2 + i, "%s", unreadable[i]);
        snprintf(heads, sizeof heads, "GET /p.gif?site=shop&u=/a HTTP/1.1\r\n%s", unreadable[i]);
        fetch(heads);
        cr_expect_eq(rig_read(&r).views, 0, "%s", unreadable[i]);
        cr_expect_eq(rig_read(&r).refusals, 3 * i + 3, "%s", unreadable[i]);
    }
}

Test(http_intake, the_pixel_takes_purposes_as_a_body_does) {
    static const struct {
        const char *purposes;
        size_t views, refusals;
        bool share;
    } rows[] = {
        {"", 1, 0, false},
        {"&purposes=basic,share", 1, 0, true},
        {"&purposes=share%2C+basic%20", 1, 0, true},
        {"&purposes=basic", 1, 0, false},
        {"&purposes=basic,unheard-of", 1, 0, false},
        {"&purposes=", 0, 1, false},
        {"&purposes", 0, 1, false},
        {"&purposes=,", 0, 1, false},
        {"&purposes=share", 0, 1, false},
        {"&purposes=basic&purposes=share", 0, 0, false},
    };
    size_t views = 0, refusals = 0;
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        char heads[256];
        snprintf(heads, sizeof heads, "GET /p.gif?site=shop&u=/a%s HTTP/1.1", rows[i].purposes);
        fetch(heads);
        cr_expect_eq(status(), 200);
        rig_stored s = rig_read(&r);
        cr_expect_eq(s.views, views += rows[i].views, "%s", rows[i].purposes);
        cr_expect_eq(s.refusals, refusals += rows[i].refusals, "%s", rows[i].purposes);
        if (rows[i].views != 0)
            cr_expect_eq((s.last.flags & WN_OBS_SHARE) != 0, rows[i].share, "%s", rows[i].purposes);
    }
}

// The same on the pixel and beside a body.
Test(http_intake, the_query_says_who_is_not_to_be_counted_or_shared) {
    static const struct {
        const char *query;
        size_t views, refusals;
        bool share;
    } rows[] = {
        {"", 1, 0, true},         {"&child=1", 0, 0, false}, {"&child=what", 0, 0, false},
        {"&child=0", 1, 0, true}, {"&age=12", 0, 0, false},  {"&age=13", 1, 0, true},
        {"&gpc=1", 1, 0, false},  {"&gpc=0", 1, 0, true},    {"&gpc=x", 0, 1, false},
        {"&gpc=", 0, 1, false},   {"&dnt=1", 1, 0, false},   {"&dnt=y", 0, 1, false},
        {"&npa=1", 1, 0, false},  {"&npa=0", 1, 0, true},    {"&npa=x", 0, 1, false},
    };
    size_t views = 0, refusals = 0;
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        for (int post = 0; post < 2; post++) {
            char heads[256];
            snprintf(heads, sizeof heads, "%s?site=shop&u=/a&purposes=basic,share%s HTTP/1.1",
                     post ? "POST /v1/events" : "GET /p.gif", rows[i].query);
            if (post) ask(heads, VIEW);
            else fetch(heads);
            cr_expect_eq(status(), 200);
            rig_stored s = rig_read(&r);
            cr_expect_eq(s.views, views += rows[i].views, "%s", heads);
            cr_expect_eq(s.refusals, refusals += rows[i].refusals, "%s", heads);
            if (rows[i].views != 0)
                cr_expect_eq((s.last.flags & WN_OBS_SHARE) != 0, rows[i].share, "%s", heads);
        }
    fetch("GET /p.gif?site=shop&u=/a&purposes=basic,share&gpc=0 HTTP/1.1\r\nSec-GPC: 1");
    cr_expect_not(rig_read(&r).last.flags & WN_OBS_SHARE, "0 takes nothing back");
}

// A refusal by cookie or by a string of a consent platform, in the request or beside the body: plain success,
// one step of the counter, nothing of the event.
Test(http_intake, who_opted_out_is_not_counted) {
    static const char *const heads[] = {POST "\r\nCookie: a=b; winnow_opt_out=1",
                                        POST "\r\nCookie: usprivacy=what", POST "\r\nCookie: euconsent-v2=x",
                                        "POST /v1/events?gdpr_consent=x HTTP/1.1",
                                        "POST /v1/events?purposes= HTTP/1.1"};
    for (size_t i = 0; i < WN_COUNT(heads); i++) {
        ask(heads[i], "[" VIEW "," VIEW "]");
        cr_expect_eq(status(), 200);
        cr_expect_str_eq(body_of(), "{\"accepted\":2,\"refused\":[]}", "%s", heads[i]);
        cr_expect_null(strstr(answer, "Set-Cookie"));
        rig_stored s = rig_read(&r);
        cr_expect(s.views == 0 && s.refusals == 2 * (i + 1), "%s: %zu %zu", heads[i], s.views, s.refusals);
    }
    fetch("GET /p.gif?site=shop&u=/a HTTP/1.1\r\nCookie: winnow_opt_out=1");
    cr_expect_eq(status(), 200);
    cr_expect_eq(rig_read(&r).refusals, 11);
    const wn_pipeline_counts *c = wn_pipeline_count(r.pipeline);
    cr_expect_eq(c->by_signal[WN_SIGNAL_opt_out], 3);
    cr_expect_eq(c->by_signal[WN_SIGNAL_doubt], 6);
    cr_expect_eq(c->by_signal[WN_SIGNAL_purposes], 2);
    ask(POST "\r\nSec-GPC: 1", "[" VIEW ",{\"site\":\"shop\",\"colour\":1}]");
    ask(POST, VIEW);
    cr_expect_eq(c->by_signal[WN_SIGNAL_gpc], 1, "what is refused for its form was not asked");
    cr_expect_eq(c->by_signal[WN_SIGNAL_none], 1);
}

Test(http_intake, an_envelope_sent_twice_counts_once) {
    const char *body = "{\"batch_id\":\"b-1\",\"events\":[" VIEW "," VIEW "]}";
    for (int i = 0; i < 2; i++) {
        ask(POST, body);
        cr_expect_eq(status(), 200);
        cr_expect_str_eq(body_of(), "{\"accepted\":2,\"refused\":[]}");
    }
    cr_expect_eq(rig_read(&r).views, 2);
}
