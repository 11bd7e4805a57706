// SPDX-License-Identifier: Apache-2.0
// The metrics' own port is for this machine only.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin.h"
#include "clock.h"
#include "endpoint.h"

static wn_metrics metrics;
static bool well = true;

static const wn_metrics *get(void *ctx) {
    (void)ctx;
    return &metrics;
}

static bool is_well(void *ctx) {
    (void)ctx;
    return well;
}

static const wn_admin_parts parts = {NULL, get, is_well};

Test(admin, refuses_what_others_could_reach) {
    static const char *const open[] = {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "10.0.0.1:9000",
                                       "[2001:db8::1]:0"};
    static const char *const nonsense[] = {
        "",       "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "localhost:0",
        "[::1:0", "::1:0",     "[]:1",       "127.0.0.1:-1"};
    wn_admin *a;
    for (size_t i = 0; i < WN_COUNT(open); i++)
        cr_expect_eq(wn_admin_open(open[i], &parts, &a), WN_ERR_CONFIG, "%s", open[i]);
    for (size_t i = 0; i < WN_COUNT(nonsense); i++)
        cr_expect_eq(wn_admin_open(nonsense[i], &parts, &a), WN_ERR_CONFIG, "%s", nonsense[i]);
}

Test(admin, a_taken_port_is_busy) {
    wn_admin *a, *b;
    char listen[32];
    cr_assert_eq(wn_admin_open("127.0.0.1:0", &parts, &a), WN_OK);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", wn_admin_port(a));
    cr_expect_eq(wn_admin_open(listen, &parts, &b), WN_ERR_BUSY);
    wn_admin_close(a);
}

static char answer[WN_METRICS_TEXT_MAX + 1024];

static void fetch(wn_admin *a, const char *what) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wn_admin_port(a))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char text[256];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", what);
    cr_assert_eq(send(fd, text, (size_t)n, 0), n);
    size_t got = 0;
    memset(answer, 0, sizeof answer);
    for (int64_t until = wn_monotonic_ms() + 5000; wn_monotonic_ms() < until;) {
        wn_admin_turn(a);
        ssize_t k = recv(fd, answer + got, sizeof answer - 1 - got, MSG_DONTWAIT);
        if (k == 0) break;
        if (k > 0) got += (size_t)k;
    }
    close(fd);
}

Test(admin, serves_metrics_and_health) {
    wn_admin *a;
    cr_assert_eq(wn_admin_open("127.0.0.1:0", &parts, &a), WN_OK);
    fetch(a, "GET /metrics");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 200", 12), 0);
    cr_expect_not_null(strstr(answer, "text/plain; version=0.0.4"));
    cr_expect_not_null(strstr(answer, "# EOF\n"));
    fetch(a, "GET /healthz");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 200", 12), 0);
    well = false;
    fetch(a, "GET /healthz");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 503", 12), 0);
    fetch(a, "GET /v1/events");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 404", 12), 0);
    fetch(a, "DELETE /metrics");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 405", 12), 0);
    wn_admin_close(a);
}
