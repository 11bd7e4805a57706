// SPDX-License-Identifier: Apache-2.0
// main.c: winnow-forward: the one process that talks to third parties. It opens
// published/ to read, confines itself to that and to what destinations.yaml names, and only
// then speaks to anybody; how far it has come, and the ledger's entry of each transfer, are
// written by the aggregator, whom it tells. Whatever of its files changes, it ends with
// ANEW_STATUS, and `winnow up` or systemd starts it again.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "crypt.h"
#include "forward_confine.h"
#include "keeper.h"
#include "log.h"
#include "tell.h"
#include "transport.h"

#define ANEW_STATUS 75 // not success: so that whoever started it starts it again
#define LEAVE_MS 1000  // what is under way at the end may still be answered
#define PAY_MS 1000    // and what is owed be told
#define STORE_MS 200   // between looks for a store that is not made yet
#define STORE_TRIES 25 // of one that is there and cannot be read: it may be being made
#define ALONE_MS 2000

typedef struct forwarder {
    wn_options o;
    char aggregator_dir[300], role_dir[300];
    int signal_fd;
    void *zmq;
    wn_zap *zap;
    wn_control *control;
    wn_tell tell;
    wn_transport *transport;
    wn_published *store;
    wn_forward *forward;
    wn_opener opener;
    wn_watch watch;
    uint8_t seen[32];                        // the store's state at the last look
    bool look, again, asked, anew, stopping; // asked: to start anew, by SIGHUP
    int64_t leave_by_ms;                     // 0: not leaving
} forwarder;

// ---- what the forwarder is given ----

static wn_err get_progress(void *ctx, const wn_destination *d, const wn_public_head *head, wn_progress *out) {
    forwarder *f = ctx;
    wn_transfer t;
    WN_TRY(wn_published_transfer(f->store, d->name, head->site, head->table, &head->window, &t));
    *out = (wn_progress){t.rows_done, t.refused, t.doubtful, t.begun, t.done, t.unsure};
    return WN_OK;
}

static wn_err record(void *ctx, const wn_destination *d, const wn_public_head *head, const wn_progress *p,
                     uint64_t rows, const uint8_t content[32]) {
    return wn_tell_progress(&((forwarder *)ctx)->tell, d, head, p, rows, content);
}

static bool send_request(void *ctx, size_t destination, const wn_destination *d, const wn_sink *sink,
                         wn_sink_request *r, wn_sink_answer *out) {
    (void)out;
    wn_transport_start(((forwarder *)ctx)->transport, destination, d, sink, r);
    return false;
}

static int64_t now_s(void *ctx) {
    (void)ctx;
    return wn_now_s();
}

// ---- what `winnow forward` asks ----

static bool verb_ping(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)ctx, (void)token, (void)body;
    wn_put_result(packer, true, WN_VERSION);
    return true;
}

static void put_text(msgpack_packer *pk, const char *name, const char *text) {
    wn_put_str(pk, name);
    wn_put_str(pk, text);
}

static bool verb_status(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    static const char *const states[] = {"idle", "sending", "waiting", "stopped"};
    forwarder *f = ctx;
    msgpack_packer *pk = packer;
    (void)token, (void)body;
    size_t n = wn_forward_count(f->forward);
    msgpack_pack_map(pk, 3);
    wn_put_flag(pk, "ok", true);
    wn_put_flag(pk, "file_bad", f->watch.state == WN_WATCH_BAD);
    wn_put_str(pk, "destinations");
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++) {
        wn_forward_info info;
        wn_forward_info_of(f->forward, i, &info);
        msgpack_pack_map(pk, 10);
        put_text(pk, "name", info.name);
        put_text(pk, "kind", info.kind);
        put_text(pk, "state", states[info.state]);
        put_text(pk, "reason", wn_reason_word(info.reason));
        wn_put_uint(pk, "again_at_s", (uint64_t)(info.again_at_s > 0 ? info.again_at_s : 0));
        wn_put_uint(pk, "last_status", (uint64_t)(info.last_status > 0 ? info.last_status : 0));
        wn_put_uint(pk, "windows_left", info.windows_left);
        wn_put_uint(pk, "rows_sent", info.rows_sent);
        wn_put_uint(pk, "rows_refused", info.rows_refused);
        wn_put_uint(pk, "rows_doubtful", info.rows_doubtful);
    }
    return true;
}

static bool verb_retry(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    forwarder *f = ctx;
    (void)token, (void)body;
    f->again = true; // not here: something of it may be under way
    for (size_t i = 0; i < wn_forward_count(f->forward); i++) {
        wn_forward_info info;
        wn_forward_info_of(f->forward, i, &info);
        if (info.reason == WN_REASON_SECRET) f->asked = true; // it is read at the start alone
    }
    wn_put_result(packer, true, "all destinations are tried again now");
    return true;
}

static bool verb_reload(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    forwarder *f = ctx;
    char why[100] = "destinations.yaml is the one in force";
    (void)token, (void)body;
    wn_watch_state state = wn_watch_look(&f->watch);
    if (state == WN_WATCH_ANEW) snprintf(why, sizeof why, "destinations.yaml is read again");
    if (state == WN_WATCH_BAD)
        snprintf(why, sizeof why, "destinations.yaml, line %d, is not valid: nothing is sent to anybody",
                 f->watch.line);
    wn_put_result(packer, state != WN_WATCH_BAD, why);
    return true;
}

static bool verb_stop(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    ((forwarder *)ctx)->stopping = true;
    wn_put_result(packer, true, "stopping");
    return true;
}

static const wn_control_verb verbs[] = {{"ping", verb_ping},
                                        {"status", verb_status},
                                        {"retry", verb_retry},
                                        {"reload", verb_reload},
                                        {"stop", verb_stop}};

// ---- life ----

static void signals_turn(forwarder *f) {
    struct signalfd_siginfo info;
    while (read(f->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            f->asked = true;
            continue;
        }
        wn_log(WN_MSG_STOPPING, (int64_t)info.ssi_signo, 0, 0);
        f->stopping = true;
    }
}

// While the aggregator is asked: whoever asks us is answered, and what is under way moves on.
static bool meanwhile(void *ctx) {
    forwarder *f = ctx;
    wn_control_turn(f->control);
    signals_turn(f);
    wn_transport_wait(f->transport, NULL, 0, 0);
    return f->leave_by_ms == 0 ? !f->stopping : wn_monotonic_ms() < f->leave_by_ms;
}

static wn_err look_turn(forwarder *f) {
    uint8_t state[32];
    WN_TRY(wn_published_state(f->store, state));
    if (!f->look && memcmp(state, f->seen, sizeof state) == 0) return WN_OK;
    memcpy(f->seen, state, sizeof state);
    f->look = false;
    return wn_forward_look(f->forward, f->store);
}

static wn_err answers_turn(forwarder *f) {
    size_t destination;
    wn_sink_answer a;
    wn_err first = WN_OK;
    while (wn_transport_next(f->transport, &destination, &a)) {
        wn_err err = wn_forward_answered(f->forward, destination, &a);
        if (first == WN_OK) first = err;
    }
    return first;
}

typedef struct trouble { // of a destination, in the log
    wn_forward_state state;
    wn_reason reason;
    uint64_t doubtful;
} trouble;

// Once for each trouble, not for each attempt.
static void tell_log(const forwarder *f, trouble *inout) {
    for (size_t i = 0; i < wn_forward_count(f->forward); i++) {
        wn_forward_info info;
        trouble *t = &inout[i];
        wn_forward_info_of(f->forward, i, &info);
        int64_t number = (int64_t)i + 1;
        if (info.rows_doubtful > t->doubtful)
            wn_log(WN_MSG_FORWARD_DOUBTFUL, number, (int64_t)(info.rows_doubtful - t->doubtful), 0);
        t->doubtful = info.rows_doubtful;
        if (info.state == WN_FORWARD_IDLE) *t = (trouble){.state = info.state, .doubtful = t->doubtful};
        bool troubled = info.state == WN_FORWARD_STOPPED || info.state == WN_FORWARD_WAITING;
        if (!troubled || (info.state == t->state && info.reason == t->reason)) continue;
        t->state = info.state;
        t->reason = info.reason;
        wn_log(info.state == WN_FORWARD_STOPPED ? WN_MSG_FORWARD_STOPPED : WN_MSG_FORWARD_WAITS, number,
               info.last_status, 0);
        wn_log(WN_MSG_FORWARD_WHY_NONE + info.reason, number, info.last_status, 0);
    }
}

// Nothing leaves while the file is bad, and nothing new before a fresh start with one that has changed.
static bool may_send(forwarder *f) {
    wn_watch_state before = f->watch.state, state = wn_watch_look(&f->watch);
    if (state == WN_WATCH_BAD && before != state) wn_log(WN_MSG_FORWARD_BAD_FILE, f->watch.line, 0, 0);
    // After a restore the store is another: what is done is known there.
    bool other = state == WN_WATCH_ANEW || wn_published_replaced(f->store);
    f->anew = state != WN_WATCH_BAD && (f->asked || other);
    return state == WN_WATCH_SAME && !f->anew;
}

static void sleep_until(forwarder *f, int64_t at_ms) {
    int fds[2] = {f->signal_fd, -1};
    size_t n = sizeof fds[1];
    int64_t wait_ms = at_ms - wn_monotonic_ms();
    WN_ASSERT(zmq_getsockopt(wn_control_socket(f->control), ZMQ_FD, &fds[1], &n) == 0);
    wn_control_turn(f->control); // its descriptor tells of what comes after this alone
    wn_transport_wait(f->transport, fds, 2, wait_ms > 0 ? wait_ms : 0);
    wn_control_turn(f->control);
    signals_turn(f);
}

static void loop(forwarder *f) {
    trouble told[WN_DESTINATIONS_MAX] = {{0}};
    int64_t look_at_ms = 0, turn_at_ms = 0;
    bool alone = false;
    while (!f->stopping) {
        int64_t now_ms = wn_monotonic_ms(), next_s = INT64_MAX;
        wn_err err = answers_turn(f);
        bool sends = may_send(f);
        if (f->anew) break;
        if (f->again) wn_forward_again(f->forward);
        f->look = f->look || f->again;
        if (f->again) turn_at_ms = 0;
        f->again = false;
        if (now_ms >= look_at_ms || f->look) {
            wn_err seen = look_turn(f);
            if (seen != WN_OK) wn_log(WN_MSG_ERROR, seen, 20, 0);
            look_at_ms = now_ms + f->o.forward_s * 1000;
        }
        if (now_ms >= turn_at_ms) {
            wn_err turned =
                sends ? wn_forward_turn(f->forward, f->store, &next_s) : wn_forward_settle(f->forward);
            if (err == WN_OK) err = turned;
        }
        if (err != WN_OK && !alone) wn_log(WN_MSG_FORWARD_ALONE, 0, 0, 0);
        if (err != WN_OK) turn_at_ms = wn_monotonic_ms() + ALONE_MS, next_s = INT64_MAX;
        if (err != WN_OK || now_ms >= turn_at_ms) alone = err != WN_OK;
        tell_log(f, told);
        int64_t until_ms = look_at_ms;
        if (next_s != INT64_MAX) {
            int64_t due_ms = now_ms + (next_s - wn_now_s()) * 1000;
            if (due_ms < until_ms) until_ms = due_ms;
        }
        if (turn_at_ms > now_ms && turn_at_ms < until_ms) until_ms = turn_at_ms;
        sleep_until(f, until_ms);
    }
}

// What is under way has a second to be answered; what is known by then has another to be told.
static void leave(forwarder *f) {
    wn_control_turn(f->control);
    f->leave_by_ms = wn_monotonic_ms() + LEAVE_MS;
    while (wn_transport_under_way(f->transport) > 0 && wn_monotonic_ms() < f->leave_by_ms) {
        (void)!answers_turn(f); // what it owes is told below
        if (wn_transport_under_way(f->transport) > 0) sleep_until(f, f->leave_by_ms);
    }
    wn_transport_break_off(f->transport);
    f->leave_by_ms = wn_monotonic_ms() + PAY_MS;
    (void)!answers_turn(f);
    (void)!wn_forward_settle(f->forward);
    wn_control_turn(f->control);
}

static bool wait_a_while(forwarder *f) {
    struct pollfd p = {f->signal_fd, POLLIN, 0};
    (void)poll(&p, 1, STORE_MS);
    signals_turn(f);
    return !f->stopping;
}

static bool keys_there(const forwarder *f) {
    char path[WN_FORWARD_KEY_PATH];
    bool there = true;
    for (size_t i = 0; wn_forward_key(f->aggregator_dir, i, path); i++)
        there = there && access(path, F_OK) == 0;
    return there;
}

// The aggregator makes its store and these keys; once all are there, they are opened.
static wn_err open_store(forwarder *f) {
    bool told = false;
    int failures = 0;
    for (;;) {
        wn_err err = wn_published_read(f->aggregator_dir, &f->store);
        if (err == WN_OK && keys_there(f)) return WN_OK;
        if (err == WN_OK) wn_published_close(f->store);
        f->store = NULL;
        if (err == WN_ERR_VERSION) return err;
        if (err != WN_OK && err != WN_ERR_NOTFOUND && ++failures == STORE_TRIES) return err;
        if (!told) wn_log(WN_MSG_FORWARD_WAITS_STORE, 0, 0, 0);
        told = true;
        if (!wait_a_while(f)) return WN_OK;
    }
}

static wn_err load(forwarder *f) {
    const wn_forward_env env = {f, get_progress, record, send_request, now_s};
    wn_destinations to;
    char why[400] = "";
    const char *path = f->watch.file.path;
    int line = 0;
    wn_err err =
        wn_watch_begin(&f->watch, f->o.config_dir, f->o.state_dir, &f->opener, &to, why, sizeof why, &line);
    if (err != WN_OK) {
        if (line > 0) fprintf(stderr, "winnow-forward: %s, line %d: %s\n", path, line, why);
        else fprintf(stderr, "winnow-forward: %s: %s\n", path, why);
        return err;
    }
    if (to.n == 0) wn_log(WN_MSG_FORWARD_NONE, 0, 0, 0);
    err = wn_forward_new(&env, &to, &f->forward);
    wn_destinations_fini(&to);
    f->look = true;
    return err;
}

static wn_err open_all(forwarder *f) {
    snprintf(f->aggregator_dir, sizeof f->aggregator_dir, "%.250s/aggregator", f->o.state_dir);
    snprintf(f->role_dir, sizeof f->role_dir, "%.250s/forward", f->o.state_dir);
    char keys[320];
    snprintf(keys, sizeof keys, "%s/keys", f->role_dir);
    if (mkdir(f->role_dir, 0700) != 0 && errno != EEXIST) return WN_ERR_IO;
    if (mkdir(keys, 0700) != 0 && errno != EEXIST) return WN_ERR_IO;
    WN_TRY(load(f));
    WN_TRY(open_store(f));
    if (f->store == NULL) return WN_OK; // told to end before there was one
    wn_forward_confine(&f->watch, f->o.config_dir, f->role_dir, f->aggregator_dir);
    f->zmq = zmq_ctx_new();
    if (f->zmq == NULL) return WN_ERR_NOMEM;
    f->tell = (wn_tell){.zmq = f->zmq, .dir = f->aggregator_dir, .meanwhile = meanwhile, .ctx = f};
    WN_TRY(wn_transport_open(&f->transport));
    WN_TRY(wn_zap_start(f->zmq, &f->zap));
    return wn_control_open(f->zmq, f->zap, f->role_dir, verbs, WN_COUNT(verbs), f, &f->control);
}

static void close_all(forwarder *f) {
    wn_control_close(f->control);
    wn_tell_close(&f->tell);
    wn_zap_stop(f->zap);
    if (f->zmq != NULL) zmq_ctx_term(f->zmq);
    wn_transport_close(f->transport); // it borrows destinations
    wn_forward_free(f->forward);
    if (f->store != NULL) wn_published_close(f->store);
    wn_opener_stop(&f->opener);
}

static int check_config(const forwarder *f) {
    wn_destinations to;
    if (wn_destinations_check(f->o.config_dir, f->o.state_dir, stderr, &to) != WN_OK) return 2;
    printf("configuration is valid: destinations %zu\n", to.n);
    wn_destinations_fini(&to);
    return 0;
}

int main(int argc, char **argv) {
    static forwarder f;
    bool done = false;
    size_t rest = 0;
    sigset_t set;
    if (wn_options_read(WN_PROG_FORWARD, argc, argv, &f.o, NULL, &rest, &done) != WN_OK) return 2;
    if (done) return 0;
    wn_harden();
    if (wn_crypt_init() != WN_OK) {
        fprintf(stderr, "winnow-forward: the system gives no randomness\n");
        return 1;
    }
    if (f.o.verbose) wn_log_level(WN_LEVEL_DEBUG);
    if (f.o.check_config) return check_config(&f);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    // Forked before there is anything in memory that it should not have.
    if (wn_opener_start(&f.opener, f.o.config_dir, wn_watch_files) != WN_OK) {
        fprintf(stderr, "winnow-forward: no process can be made: %s\n", strerror(errno));
        return 1;
    }
    f.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    wn_log(WN_MSG_STARTED, getpid(), 0, 0);
    wn_err err = f.signal_fd < 0 ? WN_ERR_STATE : open_all(&f);
    if (err == WN_OK && f.control != NULL) {
        wn_log(WN_MSG_READY, 0, 0, 0);
        loop(&f);
        leave(&f);
    } else if (err != WN_OK && err != WN_ERR_CONFIG) {
        wn_log(WN_MSG_ERROR, err, 21, 0);
    }
    close_all(&f);
    if (f.signal_fd >= 0) close(f.signal_fd);
    if (err == WN_OK && f.anew && !f.stopping) {
        wn_log(WN_MSG_FORWARD_ANEW, 0, 0, 0);
        return ANEW_STATUS;
    }
    wn_log(WN_MSG_STOPPED, 0, 0, 0);
    return err == WN_OK ? 0 : err == WN_ERR_CONFIG ? 2 : 1;
}
