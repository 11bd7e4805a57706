// SPDX-License-Identifier: Apache-2.0
// main.c: the collector daemon. One loop thread for all doors and timers; the
// spool has a thread that syncs, ZeroMQ's ZAP one that answers.
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "collector.h"
#include "crypt.h"
#include "doors.h"
#include "endpoint.h"
#include "log.h"
#include "walls.h"

#define SECOND_MS 1000
#define MS_NS 1000000
#define PEERS_REPORT_MS 60000
#define OTHER_FILES 256        // beside HTTP connections: ZeroMQ, spool, logs
#define STACK_WIPE_BYTES 65536 // deeper than any handler goes

typedef struct loop_state {
    int64_t now_ms, second_at_ms, sweep_at_ms, review_at_ms, peers_at_ms, stop_at_ms;
    uint64_t peers_refused;
    bool quiet; // doors no longer take anything new
} loop_state;

// In the order of the doors; the uplink comes last because it may be missing.
enum { P_SPOOL, P_HTTP, P_ADMIN, P_SIGNAL, P_SDK, P_CONTROL, P_UPLINK, P_LINK, P_N };

static void fail(wn_collector *d, wn_err err, int place) {
    wn_log(WN_MSG_ERROR, err, place, 0);
    d->failed = d->stopping = true;
}

static void read_signals(wn_collector *d) {
    struct signalfd_siginfo info;
    while (read(d->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            wn_collector_reload(d);
            continue;
        }
        wn_log(WN_MSG_STOPPING, (int64_t)info.ssi_signo, 0, 0);
        d->stopping = true;
    }
}

// Visits end 30 minutes after their last event. Windows past their grace wait
// for `closing`: an import may still be filling them.
static void sweep_sessions(wn_collector *d, int64_t idle_before_s) {
    int64_t now_s = wn_pipeline_now(d->pipeline);
    for (uint32_t i = 0; i < WN_EDGE_WINDOWS_MAX; i++) {
        const wn_edge_window *w = wn_edge_slot(d->edge, i);
        if (w == NULL) continue;
        bool live = now_s < w->window.end_s + wn_grace_s((wn_kind)w->window.kind);
        if (live || idle_before_s == INT64_MAX) (void)wn_pipeline_expire(d->pipeline, i, idle_before_s);
    }
}

static void every_second(wn_collector *d, loop_state *l) {
    wn_collector_try_uplink(d);
    if (l->now_ms >= l->sweep_at_ms && !l->quiet) {
        sweep_sessions(d, wn_pipeline_now(d->pipeline) - WN_SESSION_IDLE_S);
        l->sweep_at_ms = l->now_ms + WN_SESSION_SWEEP_MS;
    }
    if (l->now_ms >= l->review_at_ms && !wn_import_active(d->import)) {
        wn_closing_review(d->closing, wn_pipeline_now(d->pipeline));
        l->review_at_ms = l->now_ms + WN_REVIEW_MS;
    }
    if (l->now_ms >= l->peers_at_ms) {
        uint64_t refused = wn_zap_refused(d->zap);
        if (refused != l->peers_refused)
            wn_log(WN_MSG_PEER_REFUSED, (int64_t)(refused - l->peers_refused), 0, 0);
        l->peers_refused = refused;
        l->peers_at_ms = l->now_ms + PEERS_REPORT_MS;
    }
}

static void begin_stop(wn_collector *d, loop_state *l) {
    if (!d->stopping || l->quiet) return;
    l->quiet = true;
    l->stop_at_ms = l->now_ms + WN_STOP_MS;
    wn_http_quiesce(d->http);
    wn_sdk_quiesce(d->sdk);
    // Without a keeper the session table ends with this process: better short visits than none.
    if (!d->session_memory.kept) sweep_sessions(d, INT64_MAX);
}

// Nobody waits for an answer and everything taken is durable, or time is up.
static bool stopped(const wn_collector *d, const loop_state *l) {
    if (!l->quiet) return false;
    if (d->failed || l->now_ms >= l->stop_at_ms) return true;
    return wn_http_waiting(d->http) == 0 && wn_sdk_waiting(d->sdk) == 0 && !wn_pipeline_dirty(d->pipeline) &&
           !wn_pipeline_busy(d->pipeline);
}

static int64_t wait_ns(const wn_collector *d, const loop_state *l) {
    if (wn_http_ready(d->http) || wn_sdk_ready(d->sdk) || wn_import_ready(d->import)) return 0;
    int64_t ms = l->second_at_ms - wn_monotonic_ms();
    int64_t ns = ms < 0 ? 0 : ms * MS_NS, linger_ns = wn_pipeline_linger_ns(d->pipeline);
    return linger_ns >= 0 && linger_ns < ns ? linger_ns : ns;
}

static void uplink_turn(wn_collector *d, const loop_state *l, wn_loop_door *doors, bool durable,
                        bool second) {
    if (d->uplink == NULL) return;
    if (doors[P_UPLINK].ready || doors[P_LINK].ready || second) {
        wn_uplink_turn(d->uplink, l->now_ms);
        doors[P_LINK].used = true;
    } else if (durable) {
        wn_uplink_send(d->uplink, l->now_ms);
    } else {
        return;
    }
    doors[P_UPLINK].used = true;
}

static void turn(wn_collector *d, loop_state *l, wn_loop_door *doors) {
    bool durable = doors[P_SPOOL].ready, second = l->now_ms >= l->second_at_ms;
    if (durable) {
        wn_err err = wn_pipeline_done(d->pipeline);
        if (err != WN_OK) {
            fail(d, err, 1);
            return;
        }
    }
    if (doors[P_HTTP].ready || durable || second || wn_http_ready(d->http)) wn_http_turn(d->http);
    if (doors[P_SDK].ready || second || wn_sdk_ready(d->sdk) || (durable && wn_sdk_waiting(d->sdk) != 0)) {
        wn_sdk_turn(d->sdk);
        doors[P_SDK].used = true;
    }
    if (doors[P_CONTROL].ready) wn_control_turn(d->control);
    if (doors[P_ADMIN].ready || second) wn_admin_turn(d->admin);
    bool heard = doors[P_UPLINK].ready || doors[P_LINK].ready;
    uplink_turn(d, l, doors, durable, second);
    // After the aggregator's words and before the pipeline's turn: what these two set free goes at once.
    doors[P_CONTROL].used |= second || wn_import_active(d->import); // it answers there
    wn_import_turn(d->import);
    if (wn_closing_count(d->closing) != 0 && (heard || durable || second)) wn_closing_turn(d->closing);
    if (durable || second) {
        wn_purging_turn(d->purging, l->now_ms);
        doors[P_CONTROL].used = doors[P_UPLINK].used = true;
    }
    if (d->uplink_waits) uplink_turn(d, l, doors, false, true);
    d->uplink_waits = false;
    if (second) {
        every_second(d, l);
        l->second_at_ms = l->now_ms + SECOND_MS;
    }
    begin_stop(d, l);
    wn_pipeline_turn(d->pipeline);
}

// The uplink's doors are there when it is.
static bool uplink_doors(const wn_collector *d, wn_loop_door *doors) {
    if (d->uplink == NULL || doors[P_UPLINK].socket != NULL) return true;
    return wn_loop_door_open(wn_uplink_socket(d->uplink), &doors[P_UPLINK]) &&
           wn_loop_door_open(wn_uplink_monitor(d->uplink), &doors[P_LINK]);
}

static void loop(wn_collector *d) {
    wn_loop_door doors[P_N] = {
        [P_SPOOL] = {.fd = wn_spool_fd(d->spool)},
        [P_HTTP] = {.fd = wn_http_fd(d->http)},
        [P_ADMIN] = {.fd = wn_admin_fd(d->admin)},
        [P_SIGNAL] = {.fd = d->signal_fd},
        [P_UPLINK] = {.fd = -1},
        [P_LINK] = {.fd = -1},
    };
    bool sound = wn_loop_door_open(wn_sdk_socket(d->sdk), &doors[P_SDK]) &&
                 wn_loop_door_open(wn_control_socket(d->control), &doors[P_CONTROL]);
    loop_state l = {.now_ms = wn_monotonic_ms()};
    l.sweep_at_ms = l.now_ms + WN_SESSION_SWEEP_MS;
    l.peers_at_ms = l.now_ms + PEERS_REPORT_MS;
    l.review_at_ms = l.now_ms + PEERS_REPORT_MS;
    while (!stopped(d, &l)) {
        if (!sound || !uplink_doors(d, doors) || !wn_doors_wait(doors, P_N, wait_ns(d, &l))) {
            fail(d, WN_ERR_IO, 2);
            return;
        }
        l.now_ms = wn_monotonic_ms();
        wn_pipeline_clock(d->pipeline, wn_now_s());
        if (doors[P_SIGNAL].ready) read_signals(d);
        turn(d, &l, doors);
        // What hashing and parsing left of events in dead frames.
        if (WN_WALL_WIPE) sodium_stackzero(STACK_WIPE_BYTES);
    }
}

static int check_config(const wn_collector *d) {
    wn_endpoint e;
    const char *bad = NULL;
    if (wn_endpoint_parse(d->o.http_listen, &e) != WN_OK) bad = "http_listen is not ADDRESS:PORT";
    else if (wn_endpoint_parse(d->o.admin_listen, &e) != WN_OK) bad = "admin_listen is not ADDRESS:PORT";
    else if (!wn_endpoint_loopback(&e)) bad = "admin_listen must be a loopback address";
    if (bad != NULL) {
        fprintf(stderr, "winnow-collector: %s\n", bad);
        return 2;
    }
    if (d->o.check_config)
        printf("configuration is valid: sites %zu, policy version %u\n", d->sites->sites.n,
               d->policy.version);
    return 0;
}

// The usual limit of 1,024 files is just below what a thousand connections need.
static void allow_files(const wn_collector *d) {
    struct rlimit l;
    rlim_t want = (rlim_t)d->o.http_connections_max + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= want) return;
    l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &l);
}

static int run(wn_collector *d) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    wn_log(WN_MSG_STARTED, getpid(), 0, 0);
    allow_files(d);
    if (d->signal_fd < 0 || wn_collector_open(d) != WN_OK) {
        wn_collector_close(d);
        return 1;
    }
    wn_log(WN_MSG_READY, 0, 0, 0);
    loop(d);
    wn_collector_close(d);
    close(d->signal_fd);
    wn_log(WN_MSG_STOPPED, 0, 0, 0);
    return d->failed ? 1 : 0;
}

int main(int argc, char **argv) {
    wn_harden_allocator(argv);
    static wn_collector d;
    bool done = false;
    size_t rest = 0;
    char why[256] = "";
    const char *file = "";
    int line = 0;
    if (wn_options_read(WN_PROG_COLLECTOR, argc, argv, &d.o, NULL, &rest, &done) != WN_OK) return 2;
    if (done) return 0;
    wn_harden();
    if (wn_crypt_init() != WN_OK) {
        fprintf(stderr, "winnow-collector: the system gives no randomness\n");
        return 1;
    }
    if (d.o.verbose) wn_log_level(WN_LEVEL_DEBUG);
    if (wn_collector_load(&d, why, sizeof why, &line, &file) != WN_OK) {
        fprintf(stderr, "winnow-collector: %s/%s, line %d: %s\n", d.o.config_dir, file, line, why);
        return 2;
    }
    int code = check_config(&d);
    if (code != 0 || d.o.check_config) {
        wn_site_list_drop(d.sites);
        wn_policy_fini(&d.policy);
        return code;
    }
    return run(&d);
}
