// SPDX-License-Identifier: Apache-2.0
// Whom the forwarder connects to, and how a file comes to be.
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "forward_kit.h"
#include "transport.h"

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
    wn_sink_answer a;
    wn_destination d = destination_of("webhook");
    char url[64], body[] = "{}";
    int fd = listener(url);
    wn_sink_request r = {.body = body, .body_bytes = 2};
    cr_assert_eq(wn_transport_open(&t), WN_OK);
    snprintf(r.url, sizeof r.url, "%s", url);
    wn_transport_send(t, &d, &wn_sink_webhook, &r, &a);
    cr_assert(a.status == 0 && !a.maybe_sent);
    cr_assert_not_null(strstr(wn_transport_said(t), "private_network"), "%s", wn_transport_said(t));
    cr_assert(accept(fd, NULL, NULL) < 0, "it was connected to");
    // Plain http is not spoken at all, and no other protocol either.
    static const char *const others[] = {"http", "ftp", "file", "gopher"};
    for (size_t i = 0; i < WN_COUNT(others); i++) {
        snprintf(r.url, sizeof r.url, "%s%s", others[i], url + 5);
        wn_transport_send(t, &d, &wn_sink_webhook, &r, &a);
        cr_assert(a.status == 0 && !a.maybe_sent && accept(fd, NULL, NULL) < 0, "%s", r.url);
    }
    // Plain http with private_network goes to loopback alone.
    d.private_network = true;
    snprintf(r.url, sizeof r.url, "http://10.255.255.1:9/");
    wn_transport_send(t, &d, &wn_sink_webhook, &r, &a);
    cr_assert(a.status == 0 && !a.maybe_sent);
    cr_assert_not_null(strstr(wn_transport_said(t), "private"));
    close(fd);
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
    char folder[] = "/tmp/wn_out_XXXXXX", text[16] = "";
    wn_transport *t;
    wn_sink_answer a;
    wn_destination d = destination_of("file");
    char body[] = "{\"a\":1}\n";
    wn_sink_request r = {.body = body, .body_bytes = sizeof body - 1};
    struct stat st;
    cr_assert(wn_transport_open(&t) == WN_OK && mkdtemp(folder) != NULL);
    snprintf(d.path, sizeof d.path, "%s", folder);
    snprintf(r.url, sizeof r.url, "%s/rows.ndjson", folder);
    for (int i = 0; i < 2; i++) { // the second time over the first
        wn_transport_send(t, &d, &wn_sink_file, &r, &a);
        cr_assert_eq(a.status, 200, "%s", wn_transport_said(t));
        FILE *f = fopen(r.url, "r");
        cr_assert(f != NULL && fgets(text, sizeof text, f) != NULL);
        fclose(f);
        cr_assert_str_eq(text, body);
        cr_assert(stat(r.url, &st) == 0 && (st.st_mode & 0777) == 0600);
        cr_assert_eq(files_in(folder), 1);
    }
    // A link that lies where it would be written beside is not followed.
    char beside[1100], elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    snprintf(beside, sizeof beside, "%s.part", r.url);
    cr_assert_eq(symlink(elsewhere, beside), 0);
    wn_transport_send(t, &d, &wn_sink_file, &r, &a);
    cr_assert(a.status == 0 && access(elsewhere, F_OK) != 0);
    unlink(beside);
    unlink(r.url);
    rmdir(folder);
    wn_transport_send(t, &d, &wn_sink_file, &r, &a);
    cr_assert(a.status == 0 && !a.maybe_sent && wn_transport_said(t)[0] != '\0');
    wn_transport_close(t);
}
