// SPDX-License-Identifier: Apache-2.0
// Heads that can be read in two ways are refused and end the connection; nobody keeps others out by being
// slow.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "web_rig.h"

TestSuite(web_http, .init = rig_setup, .fini = rig_teardown);

#define HOST "Host: localhost\r\n"
#define NEXT "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
#define POST "POST /api/v2/query HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"

static size_t answers_in(const char *text) {
    size_t n = 0;
    for (; (text = strstr(text, "HTTP/1.1 ")); text += 9) n++;
    return n;
}

Test(web_http, a_head_of_two_meanings_ends_the_connection) {
    static const char *const heads[] = {
        "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 47\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 0, 47\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: +0\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "Content-Length : 47\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "Host: evil\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "X: a\rContent-Length: 47\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n" HOST "X: a\r\n Content-Length: 47\r\n\r\n" NEXT,
        POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
        POST "Content-Length: 2\r\nContent-Length: 6\r\n\r\n{}" NEXT,
        POST "Content-Length : 4\r\n\r\n{}{}" NEXT,
        POST "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" NEXT,
        POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT,
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
        "GET /healthz HTTP/1.1\r\n\r\n" NEXT,
    };
    rig_open();
    for (size_t i = 0; i < WN_COUNT(heads); i++) {
        bool closed;
        char *answer = rig_raw(heads[i], &closed);
        cr_expect_eq(rig_status(answer), 400, "%zu: %s", i, answer);
        cr_expect(closed, "%zu is open still", i);
        cr_expect(!strstr(answer, "HTTP/1.1 200") && !strstr(answer, "\nok"), "%zu: %s", i, answer);
        free(answer);
    }
    bool closed;
    char *two = rig_raw(NEXT NEXT, &closed);
    cr_expect_eq(answers_in(two), 2);
    cr_expect(!closed);
    free(two);
}

Test(web_http, an_escaped_path_is_none_of_ours) {
    static const char *const paths[] = {"/app.js%00", "/%61pp.js", "/app.js%2f", "/api/v1/sites%00x", "/%00"};
    rig_open();
    for (size_t i = 0; i < WN_COUNT(paths); i++) {
        char *answer = rig_get(paths[i], "");
        cr_expect_eq(rig_status(answer), 404, "%s: %s", paths[i], answer);
        free(answer);
    }
    char *answer = rig_get("/app.js?from=%32", "");
    cr_expect_eq(rig_status(answer), 200);
    free(answer);
}

// ---- whose program asks ----

Test(web_http, this_users_programs_read_without_a_key_and_no_proxys) {
    static const char *const added[] = {"X-Forwarded-For: 1.2.3.4", "X-Real-IP: 1.2.3.4",
                                        "Forwarded: for=1.2.3.4",   "Via: 1.1 x",
                                        "x-forwarded-proto: https", "X-Forwarded-Host: a"};
    rig_open();
    char *answer = rig_get("/api/v1/sites", "");
    cr_expect_eq(rig_status(answer), 200, "%s", answer);
    free(answer);
    for (size_t i = 0; i < WN_COUNT(added); i++) {
        char line[80];
        snprintf(line, sizeof line, "%s\r\n", added[i]);
        answer = rig_get("/api/v1/sites", line);
        cr_expect_eq(rig_status(answer), 401, "%s", added[i]);
        free(answer);
    }
}

// nginx as it comes: another user, the upstream's name, and no header that says so.
Test(web_http, a_proxy_that_says_nothing_needs_a_key) {
    if (geteuid() != 0) cr_skip_test("only root can be another user");
    rig_open();
    int fd = rig_connect(); // kept, as a local reader would
    pid_t child = fork();
    if (child == 0) {
        static const char ask[] =
            "GET /api/v1/sites HTTP/1.1\r\nHost: 127.0.0.1:8093\r\nConnection: close\r\n\r\n";
        char answer[256] = "";
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
        int s = rig_connect();
        if (!rig_put(s, ask, sizeof ask - 1)) _exit(2);
        while (recv(s, answer, sizeof answer - 1, 0) < 0) usleep(1000); // the parent answers
        _exit(rig_status(answer) == 401 ? 0 : 3);
    }
    int status = -1;
    while (waitpid(child, &status, WNOHANG) == 0) free(rig_take(fd, NULL, NULL));
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", WEXITSTATUS(status));
    close(fd);
}

// ---- time ----

static void turn_in(int64_t ms) {
    int64_t now_ms = wn_monotonic_ms();
    for (int i = 0; i < 3; i++) wn_web_http_turn_at(rig_http, now_ms + ms);
}

static bool closed_now(int fd) {
    bool closed;
    free(rig_take(fd, NULL, &closed));
    return closed;
}

Test(web_http, a_head_must_be_whole_in_time_however_it_trickles) {
    static const char begin[] = "GET / HTTP/1.1\r\nX: ";
    rig_open();
    int slow = rig_connect(), idle = rig_connect();
    cr_assert(rig_put(slow, begin, sizeof begin - 1) && rig_put(idle, NEXT, sizeof NEXT - 1));
    cr_expect(!closed_now(slow));
    cr_expect(!closed_now(idle)); // answered, and may ask again
    turn_in(WN_WEB_ASK_MS - 2000);
    cr_expect(rig_put(slow, "a", 1));
    cr_expect(!closed_now(slow));
    turn_in(WN_WEB_ASK_MS);
    cr_expect(closed_now(slow));
    cr_expect(closed_now(idle));
    close(slow), close(idle);
}

Test(web_http, a_body_that_trickles_is_no_answer) {
    static const char begin[] = POST "Content-Length: 100\r\n\r\n{";
    rig_open();
    int slow = rig_connect();
    cr_assert(rig_put(slow, begin, sizeof begin - 1));
    cr_expect(!closed_now(slow));
    turn_in(WN_WEB_ASK_MS);
    cr_expect(closed_now(slow));
    close(slow);
}

Test(web_http, who_asks_longest_gives_way_when_all_places_are_taken) {
    int fd[RIG_CONNECTIONS];
    rig_open();
    for (size_t i = 0; i < RIG_CONNECTIONS; i++) {
        fd[i] = rig_connect();
        cr_assert(rig_put(fd[i], "GET ", 4));
        cr_expect(!closed_now(fd[i]));
    }
    int late = rig_connect();
    size_t n = 0;
    cr_assert(rig_put(late, NEXT, sizeof NEXT - 1));
    turn_in(WN_WEB_SPARE_MS); // the first one is past it
    char *answer = rig_take(late, &n, NULL);
    cr_expect_eq(rig_status(answer), 200, "%s", answer);
    cr_expect(closed_now(fd[0]));
    cr_expect(!closed_now(fd[RIG_CONNECTIONS - 1]));
    free(answer);
    for (size_t i = 0; i < RIG_CONNECTIONS; i++) close(fd[i]);
    close(late);
}

// ---- many rows in few hands ----

#define MANY 6000
#define WHOLE "/api/v1/report?site=shop&table=pages&from=2026-11-20&to=2026-11-20&format=ndjson"
#define PAGE "/api/v1/report?site=shop&table=pages&from=2026-11-20&to=2026-11-20&limit=1"

static void many_rows(void) {
    char(*text)[16] = calloc(MANY, sizeof *text);
    const char **label = calloc(MANY, sizeof *label);
    uint32_t *people = calloc(MANY, sizeof *people);
    cr_assert(text && label && people && MANY > WN_WEB_ROWS_SMALL);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "/%05zu", i);
        label[i] = text[i];
        people[i] = 20;
    }
    rig_publish("shop", "pages", 0, 1, true, label, people, MANY);
    free(text), free(label), free(people);
}

// Asks for all rows and reads none; `bytes`: what the kernel takes for it meanwhile.
static int stall(const char *bearer, int bytes) {
    char request[500];
    int fd = rig_connect();
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    int n = snprintf(request, sizeof request, "GET " WHOLE " HTTP/1.1\r\n" HOST "Authorization: %s\r\n\r\n",
                     bearer);
    cr_assert(rig_put(fd, request, (size_t)n));
    for (int i = 0; i < 20; i++) wn_web_http_turn(rig_http);
    return fd;
}

static int status_of(const char *path, const char *bearer) {
    char line[100];
    snprintf(line, sizeof line, "Authorization: %s\r\n", bearer);
    char *answer = rig_get(path, line);
    int status = rig_status(answer);
    free(answer);
    return status;
}

Test(web_http, a_reader_who_stalls_keeps_no_other_out) {
    char bearer[4][64];
    int fd[WN_WEB_LARGE_MAX], n = 0;
    static const char *const names[] = {"a", "b", "c", "d"};
    many_rows();
    for (size_t i = 0; i < 4; i++) {
        wn_api_key key = {0};
        strcpy(key.name, names[i]);
        rig_key(&key, bearer[i]);
    }
    rig_open();
    for (; n < WN_WEB_LARGE_EACH; n++) fd[n] = stall(bearer[0], 4096);
    cr_expect_eq(status_of(PAGE, bearer[0]), 503); // its own are all it may have
    cr_expect_eq(status_of(PAGE, bearer[1]), 200);
    for (; n < WN_WEB_LARGE_MAX; n++) fd[n] = stall(bearer[1], 4096);
    cr_expect_eq(status_of(PAGE, bearer[2]), 503);
    int waits = stall(bearer[2], 1 << 20); // until there is room
    turn_in(WN_WEB_STALL_MS - 2000);
    cr_expect_eq(status_of(PAGE, bearer[2]), 503);
    for (int i = 0; i < WN_WEB_LARGE_MAX; i++) close(fd[i]);
    size_t got;
    char *rows = rig_take(waits, &got, NULL);
    cr_expect_eq(rig_status(rows), 200);
    cr_expect(strstr(rows, "/05999"), "%zu bytes", got);
    free(rows), close(waits);
    for (n = 0; n < WN_WEB_LARGE_MAX; n++) fd[n] = stall(bearer[n / WN_WEB_LARGE_EACH], 4096);
    cr_expect_eq(status_of(PAGE, bearer[3]), 503);
    turn_in(WN_WEB_STALL_MS);
    cr_expect_eq(status_of(PAGE, bearer[3]), 200);
    for (n = 0; n < WN_WEB_LARGE_MAX; n++) close(fd[n]);
}
