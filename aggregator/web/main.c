// SPDX-License-Identifier: Apache-2.0
// main.c: winnow-web: what readers' HTTP is parsed by. It opens published/ to
// read and nothing else: no pseudonym, no open window and no identity key is
// ever in this process.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "crypt.h"
#include "endpoint.h"
#include "keeper.h"
#include "log.h"
#include "web.h"
#include "web_confine.h"

#define WAIT_MS 1000
#define RETRY_MS 100
#define RETRIES_MAX 100 // of a store that is there and cannot be read, as while it is being made
#define OTHER_FILES 32

static bool check_listen(const wn_options *o, wn_endpoint *out) {
    if (strcmp(o->web_listen, "off") == 0) {
        fprintf(stderr, "winnow-web: web_listen is off: nothing to serve\n");
        return false;
    }
    if (wn_endpoint_parse(o->web_listen, out) != WN_OK) {
        fprintf(stderr, "winnow-web: web_listen is not ADDRESS:PORT\n");
        return false;
    }
    if (wn_endpoint_loopback(out) || o->web_behind_proxy) return true;
    fprintf(
        stderr,
        "winnow-web: web_listen %s is off this machine, and figures and keys would travel in the clear\n"
        "  allowed: a loopback address, or web_behind_proxy: true once a proxy of yours speaks TLS for it\n",
        o->web_listen);
    return false;
}

static void allow_files(const wn_options *o) {
    struct rlimit l;
    rlim_t want = (rlim_t)o->web_connections_max + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= want) return;
    l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &l);
}

// True when a signal asks to stop.
static bool stop_asked(int signal_fd) {
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) continue; // files are looked at with every request
        wn_log(WN_MSG_STOPPING, (int64_t)info.ssi_signo, 0, 0);
        stop = true;
    }
    return stop;
}

// Waits for the aggregator to make its store: readers wait in the listening socket meanwhile.
static wn_err open_store(wn_web *w, int signal_fd) {
    char dir[300];
    struct pollfd p = {signal_fd, POLLIN, 0};
    snprintf(dir, sizeof dir, "%.250s/aggregator", w->o.state_dir);
    wn_err err = wn_published_read(dir, &w->store);
    if (err == WN_ERR_NOTFOUND) wn_log(WN_MSG_WEB_WAITS, 0, 0, 0);
    for (int tries = 0; err != WN_OK && err != WN_ERR_VERSION && tries < RETRIES_MAX;) {
        if (poll(&p, 1, RETRY_MS) > 0 && stop_asked(signal_fd)) return WN_ERR_STATE;
        err = wn_published_read(dir, &w->store);
        if (err != WN_ERR_NOTFOUND) tries++;
    }
    return err;
}

// False when it ended because the store is another one now: this process, which may open no file any
// more, cannot follow.
static bool loop(const wn_web *w, wn_web_http *h, int signal_fd) {
    struct pollfd p[2] = {{wn_web_http_fd(h), POLLIN, 0}, {signal_fd, POLLIN, 0}};
    int64_t stop_at_ms = 0, look_at_ms = 0;
    bool replaced = false;
    while (stop_at_ms == 0 || (wn_web_http_asks(h) > 0 && wn_monotonic_ms() < stop_at_ms)) {
        if (poll(p, 2, wn_web_http_wait_ms(h, stop_at_ms ? RETRY_MS : WAIT_MS)) < 0 && errno != EINTR) break;
        bool stop = stop_asked(signal_fd);
        if (!replaced && wn_monotonic_ms() >= look_at_ms) {
            look_at_ms = wn_monotonic_ms() + WAIT_MS;
            replaced = wn_published_replaced(w->store);
            if (replaced) wn_log(WN_MSG_WEB_REPLACED, 0, 0, 0);
        }
        if ((stop || replaced) && stop_at_ms == 0) {
            stop_at_ms = wn_monotonic_ms() + WN_WEB_STOP_MS;
            wn_web_http_quiesce(h);
        }
        wn_web_http_turn(h);
    }
    return !replaced;
}

static int serve(wn_web *w, const wn_endpoint *e, int signal_fd) {
    int listen_fd = -1;
    wn_web_http *h = NULL;
    wn_err err = wn_endpoint_listen(e, &listen_fd);
    if (err != WN_OK) {
        fprintf(stderr, "winnow-web: cannot listen on %s: %s\n  choose another with --web-listen HOST:PORT\n",
                w->o.web_listen, wn_err_text(err));
        return 1;
    }
    err = open_store(w, signal_fd);
    if (err == WN_ERR_STATE) return close(listen_fd), 0;
    if (err != WN_OK) {
        fprintf(stderr, "winnow-web: the published store in %s: %s\n", w->o.state_dir, wn_err_text(err));
        return close(listen_fd), 1;
    }
    wn_web_peers_open(&w->peers);
    wn_web_confine();
    err = wn_web_http_open(w, listen_fd, &h);
    if (err == WN_OK) {
        if (w->o.web_public) wn_log(WN_MSG_WEB_PUBLIC, 0, 0, 0);
        else if (!w->conf.keys.there && !w->o.web_behind_proxy) wn_log(WN_MSG_WEB_OPEN, 0, 0, 0);
        wn_log(WN_MSG_READY, 0, 0, 0);
        wn_keeper_ready();
        if (!loop(w, h, signal_fd)) err = WN_ERR_STATE;
    } else {
        wn_log(WN_MSG_ERROR, err, 1, 0);
    }
    wn_web_http_close(h);
    wn_web_peers_close(&w->peers);
    wn_web_facts_fini(&w->facts);
    wn_published_close(w->store);
    wn_log(WN_MSG_STOPPED, 0, 0, 0);
    return err == WN_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    static wn_web w;
    wn_endpoint e;
    bool done = false;
    size_t rest = 0;
    char why[400] = "";
    sigset_t set;
    wn_opener opener;
    if (wn_options_read(WN_PROG_WEB, argc, argv, &w.o, NULL, &rest, &done) != WN_OK) return 2;
    if (done) return 0;
    wn_harden();
    if (wn_crypt_init() != WN_OK) {
        fprintf(stderr, "winnow-web: the system gives no randomness\n");
        return 1;
    }
    if (w.o.verbose) wn_log_level(WN_LEVEL_DEBUG);
    if (!check_listen(&w.o, &e)) return 2;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    // Forked before there is anything in memory that it should not have.
    if (wn_opener_start(&opener, w.o.config_dir, wn_web_conf_files) != WN_OK) {
        fprintf(stderr, "winnow-web: no process can be made: %s\n", strerror(errno));
        return 1;
    }
    if (wn_web_conf_open(&w.conf, w.o.config_dir, &opener, why, sizeof why) != WN_OK) {
        fprintf(stderr, "winnow-web: %s/%s\n", w.o.config_dir, why);
        return wn_opener_stop(&opener), 2;
    }
    if (w.o.check_config) {
        printf("configuration is valid: sites %zu, plan version %u with %zu tables, %s\n", w.conf.sites.n,
               w.conf.plan.version, w.conf.plan.n,
               w.conf.keys.there ? "readers need a key" : "no keys of readers");
        wn_web_conf_close(&w.conf);
        return wn_opener_stop(&opener), 0;
    }
    signal(SIGPIPE, SIG_IGN);
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    wn_log(WN_MSG_STARTED, getpid(), 0, 0);
    allow_files(&w.o);
    int code = signal_fd < 0 ? 1 : serve(&w, &e, signal_fd);
    wn_web_conf_close(&w.conf);
    wn_opener_stop(&opener);
    if (signal_fd >= 0) close(signal_fd);
    return code;
}
