// SPDX-License-Identifier: Apache-2.0
// Whom the forwarder connects to, and how a file comes to be.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "forward_kit.h"
#include "clock.h"
#include "transport.h"

// One request, and its answer.
static wn_sink_answer carry(wn_transport *t, const wn_destination *d, const wn_sink *sink, const char *url,
                            const char *body) {
    wn_sink_request r = {.body = strdup(body), .body_bytes = strlen(body)};
    wn_sink_answer a;
    size_t slot = 99;
    snprintf(r.url, sizeof r.url, "%s", url);
    wn_transport_start(t, 3, d, sink, &r);
    cr_assert(r.body == NULL && wn_transport_under_way(t) == 1, "it is the transport's now");
    for (int64_t until = wn_monotonic_ms() + 20000; !wn_transport_next(t, &slot, &a);) {
        cr_assert_lt(wn_monotonic_ms(), until);
        wn_transport_wait(t, NULL, 0, 1000);
    }
    cr_assert(slot == 3 && wn_transport_under_way(t) == 0);
    return a;
}

static bool is_near(const char *text) {
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) return wn_address_is_near(&in);
    cr_assert_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1, "%s", text);
    return wn_address_is_near(&in6);
}

Test(transport, knows_addresses_of_this_network) {
    static const char *const near[] = {"0.0.0.0",
                                       "0.255.255.255",
                                       "10.0.0.0",
                                       "10.255.255.255",
                                       "100.64.0.0",
                                       "100.127.255.255",
                                       "127.0.0.1",
                                       "127.255.255.255",
                                       "169.254.169.254",
                                       "172.16.0.0",
                                       "172.31.255.255",
                                       "192.0.0.8",
                                       "192.168.0.0",
                                       "192.168.255.255",
                                       "198.18.0.0",
                                       "198.19.255.255",
                                       "224.0.0.1",
                                       "239.255.255.255",
                                       "240.0.0.1",
                                       "255.255.255.255",
                                       "::",
                                       "::1",
                                       "fc00::1",
                                       "fdff::1",
                                       "fe80::1",
                                       "febf::1",
                                       "fec0::1",
                                       "ff02::1",
                                       "::ffff:127.0.0.1",
                                       "::ffff:10.1.2.3",
                                       "::10.0.0.1",
                                       "64:ff9b::7f00:1",
                                       "64:ff9b::a00:1",
                                       "2002:7f00:1::",
                                       "2002:a9fe:a9fe::1"};
    static const char *const far[] = {
        "1.1.1.1",          "9.255.255.255",   "11.0.0.0",        "100.63.255.255", "100.128.0.0",
        "126.255.255.255",  "128.0.0.0",       "169.253.255.255", "169.255.0.0",    "172.15.255.255",
        "172.32.0.0",       "192.0.1.0",       "192.167.255.255", "192.169.0.0",    "198.17.255.255",
        "198.20.0.0",       "223.255.255.255", "2001:4860::1",    "fbff::1",        "::ffff:1.1.1.1",
        "64:ff9b::101:101", "2002:101:101::1"};
    for (size_t i = 0; i < WN_COUNT(near); i++) cr_assert(is_near(near[i]), "%s", near[i]);
    for (size_t i = 0; i < WN_COUNT(far); i++) cr_assert_not(is_near(far[i]), "%s", far[i]);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    cr_assert(wn_address_is_near(&un));
}

// A listener that nobody may reach: connected to, it would say so.
static int listener(char url[64]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 4) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    snprintf(url, 64, "https://localhost:%u/", ntohs(at.sin_port));
    return fd;
}

Test(transport, a_name_that_leads_to_this_host_is_not_connected_to) {
    wn_transport *t;
    wn_destination d = destination_of("webhook");
    char url[64], other[80];
    int fd = listener(url);
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    wn_sink_answer a = carry(t, &d, &wn_sink_webhook, url, "{}");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_ADDRESS);
    cr_assert(accept(fd, NULL, NULL) < 0, "it was connected to");
    // Plain http is not spoken at all, and no other protocol either.
    static const char *const others[] = {"http", "ftp", "file", "gopher"};
    for (size_t i = 0; i < WN_COUNT(others); i++) {
        snprintf(other, sizeof other, "%s%s", others[i], url + 5);
        a = carry(t, &d, &wn_sink_webhook, other, "{}");
        cr_assert(a.status == 0 && !a.maybe_sent && accept(fd, NULL, NULL) < 0, "%s", other);
    }
    // Plain http with private_network goes to loopback alone.
    d.private_network = true;
    a = carry(t, &d, &wn_sink_webhook, "http://10.255.255.1:9/", "{}");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_ADDRESS);
    close(fd);
    wn_transport_close(t);
}

// ---- against a receiver that misbehaves ----

typedef struct receiver {
    FILE *says;
    int asks;
    unsigned plain, tls, old;
} receiver;

static receiver receiver_start(void) {
    receiver r = {0};
    int in[2], out[2];
    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0), dup2(out[1], 1);
        execlp("python3", "python3", "-B", "-W", "ignore", RECEIVER, (char *)NULL);
        _exit(127);
    }
    close(in[0]), close(out[1]);
    r.says = fdopen(out[0], "r");
    r.asks = in[1];
    char line[64] = "";
    cr_assert(fgets(line, sizeof line, r.says) != NULL &&
                  sscanf(line, "%u %u %u", &r.plain, &r.tls, &r.old) == 3,
              "python3 and openssl are needed");
    setenv("WINNOW_TEST_TRANSPORT_MS", "700", 1);
    return r;
}

static wn_sink_answer to(wn_transport *t, const char *scheme, unsigned port, const char *path) {
    static wn_destination d;
    char url[64];
    d = destination_of("webhook");
    d.private_network = true;
    snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", scheme, port, path);
    return carry(t, &d, &wn_sink_webhook, url, "{\"a\":1}");
}

// Closes; nobody was asked for anything but these, in this order.
static void receiver_end(receiver *r, const char *const *asked, size_t n) {
    char line[64];
    close(r->asks);
    for (size_t i = 0; i < n; i++) {
        cr_assert(fgets(line, sizeof line, r->says) != NULL, "%s was not asked for", asked[i]);
        line[strcspn(line, "\n")] = '\0';
        cr_assert_str_eq(line, asked[i]);
    }
    cr_assert(fgets(line, sizeof line, r->says) == NULL, "it was asked for %s, too", line);
    fclose(r->says);
}

Test(transport, answers_are_bounded_in_time_and_size) {
    static const struct {
        const char *path;
        int status;
        wn_reason reason;
        bool maybe;
        size_t bytes;
    } rows[] = {{"/ok", 200, WN_REASON_STATUS, false, 2},
                {"/silent", 0, WN_REASON_SILENT, true, 0},
                {"/drip", 0, WN_REASON_SILENT, true, SIZE_MAX},
                {"/cut", 0, WN_REASON_CUT, true, 4},
                {"/huge", 200, WN_REASON_STATUS, false, WN_SINK_ANSWER_MAX},
                {"/ok", 200, WN_REASON_STATUS, false, 2}};
    static const char *const asked[] = {"/ok", "/silent", "/drip", "/cut", "/huge", "/ok"};
    wn_transport *t;
    receiver r = receiver_start();
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        int64_t begun_ms = wn_monotonic_ms();
        wn_sink_answer a = to(t, "http", r.plain, rows[i].path);
        cr_assert(a.status == rows[i].status && a.reason == rows[i].reason && a.maybe_sent == rows[i].maybe,
                  "%s: %d, %s, %d", rows[i].path, a.status, wn_reason_word(a.reason), a.maybe_sent);
        if (rows[i].bytes != SIZE_MAX) cr_assert_eq(a.body.n, rows[i].bytes, "%s", rows[i].path);
        cr_assert_lt(wn_monotonic_ms() - begun_ms, 5000, "%s", rows[i].path);
    }
    receiver_end(&r, asked, WN_COUNT(asked));
    wn_transport_close(t);
}

Test(transport, a_redirect_is_an_answer_and_not_followed) {
    static const char *const asked[] = {"/redirect"};
    wn_transport *t;
    receiver r = receiver_start();
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    cr_assert_eq(to(t, "http", r.plain, "/redirect").status, 307);
    receiver_end(&r, asked, 1);
    wn_transport_close(t);
}

Test(transport, no_proxy_of_the_environment_gets_a_byte) {
    static const char *const names[] = {"http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"};
    static const char *const asked[] = {"/ok"};
    char url[64], proxy[64];
    wn_transport *t;
    receiver r = receiver_start();
    int fd = listener(url);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%s", strrchr(url, ':') + 1);
    for (size_t i = 0; i < WN_COUNT(names); i++) setenv(names[i], proxy, 1);
    unsetenv("no_proxy"), unsetenv("NO_PROXY");
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    cr_assert_eq(to(t, "http", r.plain, "/ok").status, 200);
    (void)to(t, "https", r.tls, "/ok");
    cr_assert(accept(fd, NULL, NULL) < 0, "the proxy was asked");
    receiver_end(&r, asked, 1);
    close(fd);
    wn_transport_close(t);
}

// No byte of a request goes to one whose certificate nobody vouches for, or who speaks no TLS of today.
Test(transport, whom_no_certificate_names_gets_nothing) {
    wn_transport *t;
    receiver r = receiver_start();
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    wn_sink_answer a = to(t, "https", r.tls, "/ok");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_CERTIFICATE, "%d, %s, %d", a.status,
              wn_reason_word(a.reason), a.maybe_sent);
    a = to(t, "https", r.old, "/ok");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_TLS, "%s", wn_reason_word(a.reason));
    a = to(t, "https", r.plain, "/ok");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_TLS, "%s", wn_reason_word(a.reason));
    receiver_end(&r, NULL, 0);
    wn_transport_close(t);
}

Test(transport, says_why_nobody_was_reached) {
    char url[64];
    wn_transport *t;
    wn_destination d = destination_of("webhook");
    int fd = listener(url);
    close(fd);
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    wn_sink_answer a = to(t, "http", (unsigned)strtoul(strrchr(url, ':') + 1, NULL, 10), "/");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_CONNECT, "%s",
              wn_reason_word(a.reason));
    a = carry(t, &d, &wn_sink_webhook, "https://nobody.invalid/", "{}");
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_NAME, "%s", wn_reason_word(a.reason));
    wn_transport_close(t);
}

// One that is silent keeps nobody waiting, and can be broken off at any time.
Test(transport, others_go_on_beside_a_silent_one) {
    wn_transport *t;
    wn_sink_answer a;
    wn_destination d = destination_of("webhook");
    size_t slot;
    receiver r = receiver_start();
    setenv("WINNOW_TEST_TRANSPORT_MS", "20000", 1);
    d.private_network = true;
    wn_sink_request silent = {.body = strdup("{}"), .body_bytes = 2};
    snprintf(silent.url, sizeof silent.url, "http://127.0.0.1:%u/silent", r.plain);
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    int64_t begun_ms = wn_monotonic_ms();
    wn_transport_start(t, 0, &d, &wn_sink_webhook, &silent);
    wn_sink_request ok = {.body = strdup("{}"), .body_bytes = 2};
    snprintf(ok.url, sizeof ok.url, "http://127.0.0.1:%u/ok", r.plain);
    wn_transport_start(t, 1, &d, &wn_sink_webhook, &ok);
    while (!wn_transport_next(t, &slot, &a)) wn_transport_wait(t, NULL, 0, 1000);
    cr_assert(slot == 1 && a.status == 200);
    char line[64];
    for (int i = 0; i < 2; i++) cr_assert(fgets(line, sizeof line, r.says) != NULL); // both have arrived
    wn_transport_break_off(t);
    cr_assert(wn_transport_next(t, &slot, &a) && slot == 0 && a.status == 0 && a.maybe_sent);
    cr_assert(!wn_transport_next(t, &slot, &a) && wn_transport_under_way(t) == 0);
    cr_assert_lt(wn_monotonic_ms() - begun_ms, 10000);
    receiver_end(&r, NULL, 0);
    wn_transport_close(t);
}

static size_t files_in(const char *folder) {
    size_t n = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

Test(transport, a_file_is_there_whole_or_not_at_all) {
    char folder[] = "/tmp/wn_out_XXXXXX", text[16] = "", path[64], beside[80], elsewhere[64];
    wn_transport *t;
    wn_sink_answer a;
    wn_destination d = destination_of("file");
    static const char body[] = "{\"a\":1}\n";
    struct stat st;
    cr_assert(wn_transport_open(&t) == WN_OK && mkdtemp(folder) != NULL);
    snprintf(d.path, sizeof d.path, "%s", folder);
    snprintf(path, sizeof path, "%s/rows.ndjson", folder);
    snprintf(beside, sizeof beside, "%s.part", path);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    for (int i = 0; i < 4; i++) { // over the first; over what a kill left; over a link that lies there
        if (i == 2) close(open(beside, O_WRONLY | O_CREAT, 0400));
        if (i == 3) cr_assert_eq(symlink(elsewhere, beside), 0);
        a = carry(t, &d, &wn_sink_file, path, body);
        cr_assert(a.status == 200, "%d", i);
        FILE *f = fopen(path, "r");
        cr_assert(f != NULL && fgets(text, sizeof text, f) != NULL);
        fclose(f);
        cr_assert_str_eq(text, body);
        cr_assert(lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
        cr_assert_eq(files_in(folder), 1);
    }
    unlink(path);
    rmdir(folder);
    a = carry(t, &d, &wn_sink_file, path, body);
    cr_assert(a.status == 0 && !a.maybe_sent && a.reason == WN_REASON_FOLDER);
    wn_transport_close(t);
}
