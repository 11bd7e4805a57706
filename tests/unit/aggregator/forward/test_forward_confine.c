// SPDX-License-Identifier: Apache-2.0
// What winnow-forward can open once it is confined: its folders, two keys, the system's files; nothing of
// CONFIG, whose destinations.yaml it is handed.
#include "forward_confine.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/wn_fwd_confine_XXXXXX", config[64], state[64], aggregator[80], role[80];
static wn_opener opener;
static wn_watch w;
static pid_t operator; // whom nothing confines
static int line_to[2];

static const char *at(const char *name) {
    static char path[4][120];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", base, name);
    return p;
}

static void put(const char *name, const char *text) { // as an editor does: another file in its place
    FILE *f = fopen(at("new"), "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(at("new"), 0600) == 0);
    cr_assert_eq(rename(at("new"), at(name)), 0);
}

static bool opens(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool opened(const char *name) {
    return opens(at(name), O_RDONLY);
}

enum { GOOD, BAD, FOLDER_FOR_FILE, HOSTS_EDITED, HOSTS_REPLACED, RESOLV_REPLACED, KEY_REPLACED };

static void act(char what) {
    FILE *f;
    if (what == GOOD) put("config/destinations.yaml", "destinations: []\n");
    if (what == BAD) put("config/destinations.yaml", "destinations:\n  - {name: hook, kind: webhook}\n");
    if (what == FOLDER_FOR_FILE)
        cr_assert(unlink(at("config/destinations.yaml")) == 0 &&
                  mkdir(at("config/destinations.yaml"), 0700) == 0);
    if (what == HOSTS_EDITED)
        cr_assert((f = fopen(at("hosts"), "a")) != NULL && fputs("more", f) >= 0 && fclose(f) == 0);
    if (what == HOSTS_REPLACED) put("hosts", "another");
    if (what == RESOLV_REPLACED) put("config/out/resolv.conf", "another");
    if (what == KEY_REPLACED) put("state/aggregator/keys/cli.curve", "another");
}

static void start_operator(void) {
    char what;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line_to), 0);
    operator= fork();
    cr_assert_geq(operator, 0);
    if (operator> 0) return;
    close(line_to[0]);
    while (read(line_to[1], &what, 1) == 1) {
        act(what);
        if (write(line_to[1], &what, 1) != 1) break;
    }
    _exit(0);
}

static void done_by_operator(char what) {
    cr_assert(write(line_to[0], &what, 1) == 1 && read(line_to[0], &what, 1) == 1);
}

static void up(void) {
    static const char *const folders[] = {"config",   "config/keys",      "config/out",           "state",
                                          "state/fw", "state/aggregator", "state/aggregator/keys"};
    static const char *const files[] = {"config/sites.yaml",
                                        "config/api_keys.yaml",
                                        "config/keys/other",
                                        "config/hook.secret",
                                        "config/out/row",
                                        "state/fw/mine",
                                        "state/aggregator/keys/slots",
                                        "state/aggregator/keys/control.pub",
                                        "state/aggregator/keys/cli.curve"};
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) cr_skip_test("this kernel has no Landlock");
    cr_assert(mkdtemp(base) != NULL);
    for (size_t i = 0; i < WN_COUNT(folders); i++) cr_assert_eq(mkdir(at(folders[i]), 0700), 0);
    for (size_t i = 0; i < WN_COUNT(files); i++) put(files[i], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    snprintf(config, sizeof config, "%s", at("config"));
    snprintf(state, sizeof state, "%s", at("state"));
    snprintf(aggregator, sizeof aggregator, "%s", at("state/aggregator"));
    snprintf(role, sizeof role, "%s", at("state/fw"));
}

// Begins by these destinations, with `secret` for the first's.
static void begin(const char *secret) {
    char text[600], why[300];
    int line;
    wn_destinations to;
    snprintf(text, sizeof text,
             "destinations:\n  - {name: hook, kind: webhook, basis: b, url: 'https://a.example/', "
             "secret_file: %s}\n  - {name: fold, kind: file, basis: b, path: %s/out}\n",
             secret, config);
    put("config/destinations.yaml", text);
    cr_assert_eq(wn_opener_start(&opener, config, wn_watch_files), WN_OK);
    cr_assert_eq(wn_watch_begin(&w, config, state, &opener, &to, why, sizeof why, &line), WN_OK, "%s", why);
    cr_assert_eq(to.n, 2);
    wn_destinations_fini(&to);
}

static void confine(void) {
    wn_forward_confine(&w, config, role, aggregator);
}

static void down(void) {
    if (operator> 0) {
        close(line_to[0]); // its line's end is its own
        (void)waitpid(operator, NULL, 0);
    }
    wn_opener_stop(&opener);
}

TestSuite(forward_confine, .init = up, .fini = down);

static void nothing_of_config(void) {
    cr_expect(!opened("config/sites.yaml") && !opened("config/api_keys.yaml") &&
              !opened("config/keys/other"));
    cr_expect(!opened("config/destinations.yaml") && !opened("config/hook.secret"));
    cr_expect(!opens(config, O_RDONLY | O_DIRECTORY) && !opens(at("config/new"), O_CREAT | O_WRONLY));
}

Test(forward_confine, nothing_of_config_is_opened_and_of_state_two_keys) {
    begin(at("config/hook.secret"));
    confine();
    nothing_of_config();
    cr_expect(!opened("state/aggregator/keys/slots") && !opens(state, O_RDONLY | O_DIRECTORY));
    cr_expect(!opens("/etc/passwd", O_RDONLY) && !opens("/etc", O_RDONLY | O_DIRECTORY) &&
              !opens("/", O_RDONLY));
    // And what it needs is there.
    cr_expect(opened("state/aggregator/keys/control.pub") && opened("state/aggregator/keys/cli.curve"));
    cr_expect(!opens(at("state/aggregator/keys/cli.curve"), O_WRONLY));
    cr_expect(opens(at("config/out/row.part"), O_CREAT | O_WRONLY) &&
              opens(at("state/fw/x"), O_CREAT | O_WRONLY));
}

Test(forward_confine, what_resolves_names_and_proves_certificates_is_opened) {
    static const char *const needed[] = {"/etc/resolv.conf",
                                         "/etc/hosts",
                                         "/etc/nsswitch.conf",
                                         "/etc/ld.so.cache",
                                         "/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/ssl/openssl.cnf",
                                         "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/dev/urandom"};
    begin(at("config/hook.secret"));
    bool before[WN_COUNT(needed)];
    for (size_t i = 0; i < WN_COUNT(needed); i++) before[i] = opens(needed[i], O_RDONLY);
    confine();
    for (size_t i = 0; i < WN_COUNT(needed); i++)
        cr_expect_eq(opens(needed[i], O_RDONLY), before[i], "%s", needed[i]);
    struct addrinfo *found = NULL;
    cr_expect_eq(getaddrinfo("localhost", "443", NULL, &found), 0);
    if (found) freeaddrinfo(found);
}

// A folder, or a file of Winnow's own, named where a secret or a folder should be, opens nothing.
Test(forward_confine, a_folder_of_secrets_opens_none_of_them) {
    begin(at("config/keys"));
    confine();
    nothing_of_config();
}

Test(forward_confine, a_folder_that_holds_config_is_refused) {
    char why[300], text[300], keys[120];
    int line = 0;
    wn_destinations to;
    const char *const wrong[] = {base, config, state, aggregator, keys};
    snprintf(keys, sizeof keys, "%s", at("state/aggregator/keys"));
    for (size_t i = 0; i < WN_COUNT(wrong); i++) {
        snprintf(text, sizeof text, "destinations:\n  - {name: fold, kind: file, basis: b, path: %s}\n",
                 wrong[i]);
        put("config/destinations.yaml", text);
        cr_expect_eq(wn_watch_begin(&w, config, state, NULL, &to, why, sizeof why, &line), WN_ERR_CONFIG,
                     "%s", wrong[i]);
        cr_expect(line == 2 && strstr(why, "would open Winnow's own") && to.n == 0, "%s", why);
    }
    put("config/destinations.yaml", "destinations: []\n");
    cr_assert_eq(wn_watch_begin(&w, config, state, NULL, &to, why, sizeof why, &line), WN_OK);
    wn_destinations_fini(&to);
    put("config/destinations.yaml", text); // the same while it runs: nothing is sent any more
    cr_expect(wn_watch_look(&w) == WN_WATCH_BAD && w.line == 2);
    opener.fd = -1;
}

// Confined, it still sees that the file is another, and what it says; and what may be opened no more.
Test(forward_confine, what_changes_is_read_through_the_opener) {
    begin(at("config/hook.secret"));
    start_operator();
    confine();
    nothing_of_config();
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
    done_by_operator(BAD);
    for (int i = 0; i < 2; i++) cr_assert(wn_watch_look(&w) == WN_WATCH_BAD && w.line == 2, "%d", w.state);
    done_by_operator(FOLDER_FOR_FILE);
    cr_assert(wn_watch_look(&w) == WN_WATCH_BAD && w.line == 0);
    kill(opener.pid, SIGKILL); // without it, only another process can know
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
}

Test(forward_confine, a_file_that_is_right_again_or_another_key_begins_anew) {
    begin(at("config/hook.secret"));
    start_operator();
    confine();
    done_by_operator(GOOD);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
    w.state = WN_WATCH_SAME;
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
    done_by_operator(KEY_REPLACED);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
}

// resolv.conf and the like: replaced by one that may not be opened, and only then.
Test(forward_confine, a_file_of_the_system_matters_when_it_cannot_be_opened_any_more) {
    put("hosts", "x");
    put("config/out/resolv.conf", "x"); // in a folder that is open: as a link into /run is
    begin(at("config/hook.secret"));
    cr_assert(wn_watch_add(&w, at("hosts"), WN_WATCH_SYSTEM));
    cr_assert(wn_watch_add(&w, at("config/out/resolv.conf"), WN_WATCH_SYSTEM));
    start_operator();
    confine();
    cr_expect(opened("hosts") && opened("config/out/resolv.conf"));
    done_by_operator(HOSTS_EDITED);
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
    done_by_operator(RESOLV_REPLACED);
    for (int i = 0; i < 2; i++) cr_assert_eq(wn_watch_look(&w), WN_WATCH_SAME);
    cr_expect(opened("config/out/resolv.conf"));
    done_by_operator(HOSTS_REPLACED);
    cr_expect(!opened("hosts"));
    cr_assert_eq(wn_watch_look(&w), WN_WATCH_ANEW);
}
