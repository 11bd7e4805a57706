// SPDX-License-Identifier: Apache-2.0
// main.c: winnow-forward: the one process that talks to third parties. It opens
// published/ to read and nothing else; how far it has come, and the ledger's entry of
// each transfer, are written by the aggregator, whom it tells.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "crypt.h"
#include "forward.h"
#include "keeper.h"
#include "log.h"
#include "transport.h"

#define TELL_MS 10000 // an aggregator that does not answer by then is away

typedef struct forwarder {
    wn_options o;
    char aggregator_dir[300], role_dir[300];
    void *zmq;
    wn_zap *zap;
    wn_control *control;
    wn_ask_line *line; // to the aggregator; NULL: not open
    wn_transport *transport;
    wn_published *store;
    wn_forward *forward;
    uint8_t seen[32]; // the store's state at the last look
    bool look, stopping;
} forwarder;

// ---- what the forwarder is given ----

static wn_err get_progress(void *ctx, const wn_destination *d, const wn_public_head *head, wn_progress *out) {
    forwarder *f = ctx;
    wn_transfer t;
    WN_TRY(wn_published_transfer(f->store, d->name, head->site, head->table, &head->window, &t));
    *out = (wn_progress){t.rows_done, t.refused, t.doubtful, t.begun, t.done};
    return WN_OK;
}

static void put_text(msgpack_packer *pk, const char *name, const char *text) {
    wn_put_str(pk, name);
    wn_put_str(pk, text);
}

static wn_err ask(forwarder *f, wn_span body) {
    zmq_msg_t answer;
    bool ok = false;
    if (f->line == NULL) WN_TRY(wn_ask_open(f->zmq, f->aggregator_dir, &f->line));
    wn_err err = wn_ask_send(f->line, body);
    if (err == WN_OK) err = wn_ask_recv(f->line, TELL_MS, &answer);
    if (err != WN_OK) {
        wn_ask_close(f->line); // a late answer must not be taken for the next one's
        f->line = NULL;
        return err;
    }
    wn_mp m;
    uint32_t pairs = 0;
    wn_mp_init(&m, (wn_span){zmq_msg_data(&answer), zmq_msg_size(&answer)});
    (void)wn_mp_map(&m, 16, &pairs);
    for (uint32_t i = 0; i < pairs && !m.bad; i++) {
        wn_span key = {NULL, 0};
        if (!wn_mp_str(&m, 32, &key)) break;
        if (wn_span_is(key, "ok")) (void)wn_mp_bool(&m, &ok);
        else (void)wn_mp_skip(&m, 4);
    }
    wn_msg_close(&answer);
    return ok ? WN_OK : WN_ERR_STATE;
}

// Told again and again until the aggregator has it: without that a row could go twice.
static wn_err record(void *ctx, const wn_destination *d, const wn_public_head *head, const wn_progress *p,
                     uint64_t rows, const uint8_t content[32]) {
    forwarder *f = ctx;
    char window[WN_WINDOW_TEXT_BYTES];
    msgpack_sbuffer buf;
    msgpack_packer pk;
    wn_window_text(&head->window, window);
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 15);
    put_text(&pk, "do", "transferred");
    put_text(&pk, "receiver", d->name);
    put_text(&pk, "site", head->site);
    put_text(&pk, "table", head->table);
    put_text(&pk, "window", window);
    wn_put_uint(&pk, "rows_done", p->rows_done);
    wn_put_uint(&pk, "refused", p->refused);
    wn_put_uint(&pk, "doubtful", p->doubtful);
    wn_put_flag(&pk, "begun", p->begun);
    wn_put_flag(&pk, "done", p->done);
    wn_put_uint(&pk, "rows", rows);
    wn_put_uint(&pk, "profile", head->profile);
    wn_put_uint(&pk, "plan_version", head->plan_version);
    wn_put_uint(&pk, "policy_version", head->policy_version);
    wn_put_str(&pk, "content");
    msgpack_pack_bin(&pk, 32);
    msgpack_pack_bin_body(&pk, content, 32);
    wn_err err = ask(f, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
    return err;
}

static void send_request(void *ctx, const wn_destination *d, const wn_sink *sink, const wn_sink_request *r,
                         wn_sink_answer *out) {
    wn_transport_send(((forwarder *)ctx)->transport, d, sink, r, out);
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

static bool verb_status(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    static const char *const states[] = {"idle", "sending", "waiting", "stopped"};
    forwarder *f = ctx;
    msgpack_packer *pk = packer;
    (void)token, (void)body;
    size_t n = wn_forward_count(f->forward);
    msgpack_pack_map(pk, 2);
    wn_put_flag(pk, "ok", true);
    wn_put_str(pk, "destinations");
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++) {
        wn_forward_info info;
        wn_forward_info_of(f->forward, i, &info);
        msgpack_pack_map(pk, 9);
        put_text(pk, "name", info.name);
        put_text(pk, "kind", info.kind);
        put_text(pk, "state", states[info.state]);
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
    wn_forward_again(f->forward);
    f->look = true;
    wn_put_result(packer, true, "all destinations are tried again now");
    return true;
}

static bool verb_stop(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    (void)token, (void)body;
    ((forwarder *)ctx)->stopping = true;
    wn_put_result(packer, true, "stopping");
    return true;
}

static const wn_control_verb verbs[] = {
    {"ping", verb_ping}, {"status", verb_status}, {"retry", verb_retry}, {"stop", verb_stop}};

// ---- life ----

static wn_err load(forwarder *f, bool at_start) {
    const wn_forward_env env = {f, get_progress, record, send_request, now_s};
    wn_destinations to;
    wn_forward *fresh = NULL;
    char path[400], why[400] = "";
    int line = 0;
    snprintf(path, sizeof path, "%s/destinations.yaml", f->o.config_dir);
    wn_err err = wn_destinations_load(path, &to, why, sizeof why, &line);
    if (err != WN_OK) {
        if (at_start) fprintf(stderr, "winnow-forward: %s, line %d: %s\n", path, line, why);
        else wn_log(WN_MSG_RELOAD_BAD_DESTINATIONS, line, 0, 0);
        return err;
    }
    if (to.n == 0) wn_log(WN_MSG_FORWARD_NONE, 0, 0, 0);
    err = wn_forward_new(&env, &to, &fresh);
    wn_destinations_fini(&to);
    if (err != WN_OK) return err;
    wn_forward_free(f->forward);
    f->forward = fresh;
    f->look = true;
    return WN_OK;
}

static void signals_turn(forwarder *f, int fd) {
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            (void)!load(f, false); // told in the log; the old ones stay
            continue;
        }
        wn_log(WN_MSG_STOPPING, (int64_t)info.ssi_signo, 0, 0);
        f->stopping = true;
    }
}

// Opened anew for each look: what was read before may have been grown by its writer.
static wn_err look_turn(forwarder *f) {
    uint8_t state[32];
    if (f->store != NULL && wn_published_replaced(f->store)) { // a restore: what is done is known there
        wn_published_close(f->store);
        f->store = NULL;
        f->look = true;
    }
    if (f->store == NULL) {
        wn_err err = wn_published_read(f->aggregator_dir, &f->store);
        if (err == WN_ERR_NOTFOUND) return WN_OK; // the aggregator has not made it yet
        WN_TRY(err);
    }
    WN_TRY(wn_published_state(f->store, state));
    if (!f->look && memcmp(state, f->seen, sizeof state) == 0) return WN_OK;
    memcpy(f->seen, state, sizeof state);
    f->look = false;
    return wn_forward_look(f->forward, f->store);
}

static void tell_stopped(const forwarder *f, uint32_t *inout_told) {
    for (size_t i = 0; i < wn_forward_count(f->forward) && i < 32; i++) {
        wn_forward_info info;
        wn_forward_info_of(f->forward, i, &info);
        uint32_t bit = 1u << i;
        if (info.state != WN_FORWARD_STOPPED) *inout_told &= ~bit;
        else if (!(*inout_told & bit)) wn_log(WN_MSG_FORWARD_STOPPED, (int64_t)i + 1, info.last_status, 0);
        if (info.state == WN_FORWARD_STOPPED) *inout_told |= bit;
    }
}

static void loop(forwarder *f, int signal_fd) {
    int64_t look_at_ms = 0, next_s = INT64_MAX;
    uint32_t told = 0;
    bool alone = false;
    while (!f->stopping) {
        int64_t now_ms = wn_monotonic_ms();
        if (now_ms >= look_at_ms || f->look) {
            wn_err err = look_turn(f);
            if (err != WN_OK) wn_log(WN_MSG_ERROR, err, 20, 0);
            look_at_ms = now_ms + f->o.forward_s * 1000;
        }
        next_s = INT64_MAX;
        wn_err err = f->store == NULL ? WN_OK : wn_forward_turn(f->forward, f->store, &next_s);
        if (err != WN_OK) { // the aggregator is away, or the store cannot be read: look again later
            if (!alone) wn_log(WN_MSG_FORWARD_ALONE, 0, 0, 0);
            f->look = true;
            next_s = wn_now_s() + 2;
        }
        alone = err != WN_OK;
        tell_stopped(f, &told);
        int64_t wait_ms = next_s == INT64_MAX ? f->o.forward_s * 1000 : (next_s - wn_now_s()) * 1000;
        if (wait_ms > look_at_ms - now_ms && !alone) wait_ms = look_at_ms - now_ms;
        if (wait_ms < 0) wait_ms = 0;
        if (wait_ms > f->o.forward_s * 1000) wait_ms = f->o.forward_s * 1000;
        zmq_pollitem_t items[] = {{wn_control_socket(f->control), 0, ZMQ_POLLIN, 0},
                                  {NULL, signal_fd, ZMQ_POLLIN, 0}};
        (void)zmq_poll(items, 2, (long)wait_ms);
        wn_control_turn(f->control);
        signals_turn(f, signal_fd);
    }
}

static wn_err open_all(forwarder *f) {
    snprintf(f->aggregator_dir, sizeof f->aggregator_dir, "%.250s/aggregator", f->o.state_dir);
    snprintf(f->role_dir, sizeof f->role_dir, "%.250s/forward", f->o.state_dir);
    char keys[320];
    snprintf(keys, sizeof keys, "%s/keys", f->role_dir);
    if (mkdir(f->role_dir, 0700) != 0 && errno != EEXIST) return WN_ERR_IO;
    if (mkdir(keys, 0700) != 0 && errno != EEXIST) return WN_ERR_IO;
    f->zmq = zmq_ctx_new();
    if (f->zmq == NULL) return WN_ERR_NOMEM;
    WN_TRY(wn_transport_open(&f->transport));
    WN_TRY(load(f, true));
    WN_TRY(wn_zap_start(f->zmq, &f->zap));
    return wn_control_open(f->zmq, f->zap, f->role_dir, verbs, WN_COUNT(verbs), f, &f->control);
}

static void close_all(forwarder *f) {
    wn_control_close(f->control);
    if (f->line != NULL) wn_ask_close(f->line);
    wn_zap_stop(f->zap);
    if (f->zmq != NULL) zmq_ctx_term(f->zmq);
    wn_forward_free(f->forward);
    if (f->store != NULL) wn_published_close(f->store);
    wn_transport_close(f->transport);
}

static int check_config(const forwarder *f) {
    wn_destinations to;
    if (wn_destinations_check(f->o.config_dir, stderr, &to) != WN_OK) return 2;
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
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    wn_log(WN_MSG_STARTED, getpid(), 0, 0);
    wn_err err = signal_fd < 0 ? WN_ERR_STATE : open_all(&f);
    if (err == WN_OK) {
        wn_log(WN_MSG_READY, 0, 0, 0);
        loop(&f, signal_fd);
    } else if (err != WN_ERR_CONFIG) {
        wn_log(WN_MSG_ERROR, err, 21, 0);
    }
    close_all(&f);
    if (signal_fd >= 0) close(signal_fd);
    wn_log(WN_MSG_STOPPED, 0, 0, 0);
    return err == WN_OK ? 0 : err == WN_ERR_CONFIG ? 2 : 1;
}
