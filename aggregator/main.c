// SPDX-License-Identifier: Apache-2.0
// main.c: the aggregator daemon: one loop thread for messages, timers and
// ticks, one thread that syncs.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aggregator.h"
#include "backup.h"
#include "clock.h"
#include "crypt.h"
#include "log.h"

#define BATCHES_A_TURN 256 // then timers and control get their turn
#define POLL_MS 250
#define DAY_S 86400
#define RETAIN_AT_S (3 * 3600 + 600) // UTC
#define HELLO_MS 10000
#define REPLAY_FIRST_MS 100 // before the doors open: enough for most installations
#define REPLAY_SLICE_MS 10  // then between commits

// ---- sync thread ----

static void *sync_run(void *ctx) {
    sync_thread *s = ctx;
    uint64_t v;
    while (read(s->wake_fd, &v, sizeof v) == sizeof v && !atomic_load(&s->stop)) {
        s->result = wn_windows_commit(s->windows);
        v = 1;
        if (write(s->done_fd, &v, sizeof v) != sizeof v) break;
    }
    return NULL;
}

static wn_err sync_start(sync_thread *s, wn_windows *ws) {
    s->windows = ws;
    s->wake_fd = eventfd(0, EFD_CLOEXEC);
    s->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = s->wake_fd >= 0 && s->done_fd >= 0 && pthread_create(&s->thread, NULL, sync_run, s) == 0;
    return ok ? WN_OK : WN_ERR_STATE;
}

static void poke(int fd) {
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) != sizeof one) WN_ASSERT(errno == EAGAIN);
}

static void sync_stop(sync_thread *s) {
    atomic_store(&s->stop, true);
    poke(s->wake_fd);
    pthread_join(s->thread, NULL);
    close(s->wake_fd);
    close(s->done_fd);
}

static void fail_as(aggregator *d, wn_msg msg, wn_err err, int place) {
    wn_log(msg, err, place, 0);
    d->failed = d->stopping = true;
}

static void fail(aggregator *d, wn_err err, int place) {
    fail_as(d, WN_MSG_ERROR, err, place);
}

// Test builds can have a replay that lasts: a record a turn.
static bool slow_replay(void) {
#ifdef WN_TEST_CLOCK
    return getenv("WINNOW_TEST_SLOW_REPLAY") != NULL;
#else
    return false;
#endif
}

static void replay_turn(aggregator *d) {
    wn_err err = wn_windows_work(d->windows, slow_replay() ? 0 : wn_monotonic_ms() + REPLAY_SLICE_MS);
    if (err != WN_OK) fail(d, err, 9);
}

// Starts the next commit when the thread is free, finishes the one that is done.
static void sync_turn(aggregator *d) {
    uint64_t v;
    if (d->sync.busy && read(d->sync.done_fd, &v, sizeof v) == sizeof v) {
        d->sync.busy = false;
        if (d->sync.result != WN_OK) {
            fail(d, d->sync.result, 1);
            return;
        }
        wn_windows_committed(d->windows);
        wn_collectors_release(d->collectors);
    }
    if (!d->sync.busy && !d->stopping) replay_turn(d);
    if (d->sync.busy || !wn_windows_staged(d->windows)) return;
    wn_err err = wn_windows_stage(d->windows, wn_now_s());
    if (err != WN_OK) {
        fail(d, err, 2);
        return;
    }
    wn_collectors_turn(d->collectors);
    d->sync.busy = true;
    poke(d->sync.wake_fd);
}

static bool quiet(const aggregator *d) {
    return !d->sync.busy && !wn_windows_staged(d->windows);
}

// ---- collectors ----

static void take_batch(aggregator *d, wn_peer peer, const char *key, wn_span bytes) {
    wn_uplink_msg a = {.what = WN_ANSWER_REFUSED};
    bool deferred = false;
    wn_err err = wn_batch_reader_init(&d->reader, bytes);
    if (err == WN_OK && !wn_collectors_register(d->collectors, d->reader.head.id.collector, key, peer))
        err = WN_ERR_AUTH;
    if (err == WN_OK) {
        a.window = d->reader.head.window;
        a.generation = d->reader.head.id.generation;
        a.sequence = d->reader.head.id.sequence;
        d->batches++;
        d->last_batch_s = wn_now_s();
        d->observations += d->reader.head.observations;
        a.what =
            (uint8_t)wn_windows_take(d->windows, &d->reader, bytes, d->last_batch_s, &a.sequence, &deferred);
    }
    wn_wipe(&d->reader.head, sizeof d->reader.head); // it held the window's text key
    // An ack that cannot wait for its sync does not leave at all: the batch comes again.
    if (deferred) {
        (void)!wn_collectors_hold(d->collectors, peer, &a);
        return;
    }
    wn_collectors_answer(d->collectors, peer, &a);
}

// Who sends more than a bundle may hold loses the rest without an answer, and sends it again.
static void take_bundle(aggregator *d, wn_peer peer, const char *key, wn_span rest) {
    wn_span batch;
    for (int i = 0; i < WN_BUNDLE_BATCHES_MAX && !wn_windows_full(d->windows); i++) {
        if (!wn_bundle_next(&rest, &batch)) break;
        take_batch(d, peer, key, batch);
    }
    if (rest.n != 0 && !wn_wire_is_bundle(rest))
        wn_collectors_answer(d->collectors, peer, &(wn_uplink_msg){.what = WN_ANSWER_REFUSED});
}

static void take_message(aggregator *d, wn_peer peer, const char *key, const wn_uplink_msg *m) {
    if (!wn_collectors_register(d->collectors, m->collector, key, peer)) return;
    switch ((wn_ask)m->what) {
    case WN_ASK_STATE: {
        wn_uplink_msg a = {.what = WN_ANSWER_STATE, .window = m->window};
        a.sequence = wn_windows_state(d->windows, &m->window);
        wn_collectors_answer(d->collectors, peer, &a);
        break;
    }
    case WN_ASK_CLOSED:
        wn_windows_collector_closed(d->windows, m->collector, &m->window, m->generation, m->sequence);
        break;
    case WN_ASK_HELLO:
        // A collector that was away learns again which windows are closing.
        for (size_t i = 0; i < wn_windows_count(d->windows); i++) {
            wn_window_info info;
            wn_windows_info(d->windows, i, &info);
            if (!info.closing) continue;
            wn_uplink_msg c = {.what = WN_ANSWER_CLOSING, .window = info.window};
            wn_collectors_answer(d->collectors, peer, &c);
        }
        break;
    case WN_ASK_PURGE: {
        wn_uplink_msg a;
        bool answers = false;
        wn_err err = wn_aggregator_purge_ask(d, m, &a, &answers);
        if (err != WN_OK) fail_as(d, WN_MSG_PURGE_FAILED, err, 0);
        else if (answers) wn_collectors_answer(d->collectors, peer, &a);
        break;
    }
    case WN_ASK_BATCH: break;
    }
}

static void collectors_turn(aggregator *d) {
    for (int i = 0; i < BATCHES_A_TURN && !wn_windows_full(d->windows); i++) {
        wn_peer peer;
        zmq_msg_t msg;
        if (!wn_collectors_recv(d->collectors, &peer, &msg)) return;
        wn_span bytes = {zmq_msg_data(&msg), zmq_msg_size(&msg)};
        const char *key = wn_door_peer(&msg);
        wn_uplink_msg m;
        if (wn_wire_is_batch(bytes)) take_batch(d, peer, key, bytes);
        else if (wn_wire_is_bundle(bytes)) take_bundle(d, peer, key, bytes);
        else if (wn_uplink_msg_decode(bytes, &m) == WN_OK) take_message(d, peer, key, &m);
        wn_msg_close(&msg);
    }
}

static void answer_asker(aggregator *d, const asker *a) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 3);
    wn_put_flag(&pk, "ok", true);
    wn_put_uint(&pk, "rows", a->rows);
    wn_put_uint(&pk, "sealed", a->sealed);
    wn_control_answer(d->control, a->token, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
}

// ---- seals and ticks ----

void wn_aggregator_begin_closing(aggregator *d, const wn_window *w, bool forced) {
    if (wn_windows_close_begin(d->windows, w, forced, wn_now_s()) != WN_OK) return;
    wn_uplink_msg m = {.what = WN_ANSWER_CLOSING, .window = *w};
    wn_collectors_tell(d->collectors, &m);
}

// Tells who waits for this window that it is no longer open.
static void closed(aggregator *d, const char *text, bool is_sealed, uint64_t rows) {
    for (size_t i = 0; i < d->askers_n;) {
        asker *a = &d->askers[i];
        for (size_t j = 0; j < a->n; j++) {
            if (strcmp(a->windows[j], text) != 0) continue;
            memmove(a->windows[j], a->windows[--a->n], sizeof a->windows[j]);
            a->rows += rows;
            a->sealed += is_sealed;
            break;
        }
        if (a->n != 0) {
            i++;
            continue;
        }
        answer_asker(d, a);
        *a = d->askers[--d->askers_n];
    }
}

// A window may turn out damaged while somebody waits for its seal.
static void set_aside_turn(aggregator *d) {
    for (size_t i = d->askers_n; i-- > 0;) {
        for (size_t j = d->askers[i].n; j-- > 0;) {
            wn_window w;
            char text[WN_WINDOW_TEXT_BYTES];
            memcpy(text, d->askers[i].windows[j], sizeof text);
            if (wn_window_parse(text, &w) && wn_windows_state(d->windows, &w) == WN_WINDOW_OPEN) continue;
            closed(d, text, false, 0);
            return; // the list has changed; the next turn goes on
        }
    }
}

// Windows that are due begin to close; those that have drained are sealed.
// A seal needs the wall clock and the monotonic clock past the end (R7).
static void seals_turn(aggregator *d) {
    int64_t now = wn_now_s();
    // Collectors that were away while this daemon was get time to say hello.
    if (d->askers_n == 0 && wn_monotonic_ms() - d->started_ms < HELLO_MS) return;
    set_aside_turn(d);
    wn_err buried = wn_windows_bury_bad(d->windows, now);
    if (buried != WN_OK) {
        fail(d, buried, 8);
        return;
    }
    uint8_t ids[WN_COLLECTORS_MAX][16];
    size_t ids_n = wn_collectors_count(d->collectors);
    for (size_t i = 0; i < ids_n; i++) wn_collectors_id(d->collectors, i, ids[i]);
    for (size_t i = wn_windows_count(d->windows); i-- > 0;) {
        wn_window_info info;
        wn_windows_info(d->windows, i, &info);
        int64_t idle_s = now - info.last_batch_s;
        bool past = now >= info.seals_at_s && wn_monotonic_ms() >= info.due_ms;
        bool due = info.seals_at_s != 0 ? past : idle_s > d->o.seal_hold_s;
        if (due && !info.closing) wn_aggregator_begin_closing(d, &info.window, false);
        wn_windows_info(d->windows, i, &info);
        if (!info.closing || !quiet(d)) continue;
        if (!wn_windows_drained(d->windows, &info.window, (const uint8_t(*)[16])ids, ids_n, now)) continue;
        uint64_t rows = 0;
        wn_err err = wn_windows_seal(d->windows, &info.window, now, &rows);
        if (err != WN_OK) {
            fail(d, err, 3);
            return;
        }
        wn_log(WN_MSG_WINDOW_SEALED, info.window.day, (int64_t)rows, 0);
        char text[WN_WINDOW_TEXT_BYTES];
        wn_window_text(&info.window, text);
        closed(d, text, true, rows);
    }
}

static void answer_tick(aggregator *d, size_t moved) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 2);
    wn_put_flag(&pk, "ok", true);
    wn_put_uint(&pk, "moved", moved);
    wn_control_answer(d->control, d->tick_token, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
}

static void ticks_turn(aggregator *d) {
    int64_t now = wn_now_s();
    bool due = now >= d->next_tick_s;
    if ((!due && !d->tick_asked) || !quiet(d) || wn_windows_replaying(d->windows)) return;
    size_t moved = 0;
    wn_err err = wn_windows_tick(d->windows, now, &moved);
    if (err != WN_OK) {
        fail(d, err, 4);
        return;
    }
    wn_log(WN_MSG_TICK, (int64_t)moved, 0, 0);
    if (d->tick_asked) answer_tick(d, moved);
    d->tick_asked = false;
    if (due) d->next_tick_s = now - now % d->o.tick_s + d->o.tick_s;
}

// As soon as the clock is believed, then once a day at a fixed wall time: what is past its retention goes.
static void retain_turn(aggregator *d) {
    int64_t now = wn_now_s();
    uint64_t rows = 0;
    d->steady_wait_s = wn_steady_wait_s(&d->steady, now, wn_monotonic_ms());
    if (d->steady_wait_s != 0 || now < d->next_retain_s || !quiet(d)) return;
    wn_err err = wn_published_begin(d->published);
    if (err == WN_OK) err = wn_published_retain(d->published, &d->policy, now, &rows);
    if (err == WN_OK) err = wn_published_commit(d->published);
    if (err != WN_OK) {
        wn_published_abort(d->published);
        fail_as(d, WN_MSG_EXPIRY_FAILED, err, 0);
        return;
    }
    if (rows != 0) wn_log(WN_MSG_EXPIRED, (int64_t)rows, 0, 0);
    d->next_retain_s = (now - RETAIN_AT_S) / DAY_S * DAY_S + DAY_S + RETAIN_AT_S;
}

// ---- start and stop ----

static void make_dir(const char *path) {
    if (mkdir(path, 0700) != 0 && errno != EEXIST) wn_log(WN_MSG_ERROR, WN_ERR_IO, 5, 0);
}

static wn_err load_plan(aggregator *d) {
    char path[400], why[400] = "";
    int line = 0;
    snprintf(path, sizeof path, "%s/plan.yaml", d->o.config_dir);
    wn_err err = access(path, F_OK) == 0 ? wn_plan_load_file(path, &d->plan, why, sizeof why, &line)
                                         : wn_plan_load(wn_plan_default, strlen(wn_plan_default), &d->plan,
                                                        why, sizeof why, &line);
    if (err != WN_OK) fprintf(stderr, "winnow-aggregator: %s, line %d: %s\n", path, line, why);
    else (void)wn_plan_warn(&d->plan, stderr);
    return err;
}

// The collectors that may connect: the local one's key, or the operator's list.
static wn_err allow_collectors(aggregator *d) {
    char local[400], key[WN_CURVE_TEXT];
    const char *keys[WN_COLLECTORS_MAX];
    static char listed[WN_COLLECTORS_MAX][WN_CURVE_TEXT];
    size_t n = 0;
    if (d->o.collector_keys[0] == '\0') {
        wn_curve made;
        snprintf(local, sizeof local, "%s/collector", d->o.state_dir);
        make_dir(local);
        snprintf(local, sizeof local, "%s/collector/keys", d->o.state_dir);
        make_dir(local);
        WN_TRY(wn_curve_load(local, "uplink", true, &made));
        memcpy(listed[n], made.public_key, WN_CURVE_TEXT);
        wn_wipe(&made, sizeof made);
        keys[n] = listed[n];
        n++;
    } else {
        FILE *f = fopen(d->o.collector_keys, "re");
        if (f == NULL) return WN_ERR_CONFIG;
        while (n < WN_COLLECTORS_MAX && fscanf(f, "%40s", key) == 1) {
            memcpy(listed[n], key, WN_CURVE_TEXT);
            keys[n] = listed[n];
            n++;
        }
        fclose(f);
        if (n > 1) {
            fprintf(stderr,
                    "winnow-aggregator: %s lists %zu collectors; this version takes one, as collectors "
                    "cannot yet "
                    "share the identity keys\n",
                    d->o.collector_keys, n);
            return WN_ERR_CONFIG;
        }
    }
    return wn_zap_allow(d->zap, "uplink", keys, n);
}

static wn_err open_doors(aggregator *d) {
    char keys[400], endpoint[400];
    wn_curve own;
    snprintf(keys, sizeof keys, "%s/keys", d->role_dir);
    d->zmq = zmq_ctx_new();
    if (d->zmq == NULL) return WN_ERR_NOMEM;
    WN_TRY(wn_zap_start(d->zmq, &d->zap));
    WN_TRY(wn_curve_load(keys, "uplink", true, &own));
    WN_TRY(allow_collectors(d));
    if (d->o.listen[0] != '\0') snprintf(endpoint, sizeof endpoint, "%s", d->o.listen);
    else snprintf(endpoint, sizeof endpoint, "ipc://%s/uplink.sock", d->role_dir);
    wn_err err = wn_collectors_open(d->zmq, endpoint, &own, &d->collectors);
    wn_wipe(&own, sizeof own);
    WN_TRY(err);
    return wn_control_open(d->zmq, d->zap, d->role_dir, wn_aggregator_verbs, wn_aggregator_verbs_n, d,
                           &d->control);
}

// Without a word of the operator nothing is published on a store that was cut or swapped.
static wn_err keep_head(aggregator *d, const char *keys) {
    char path[450];
    wn_ledger_check check = {.ok = true};
    snprintf(path, sizeof path, "%s/head", keys);
    wn_err err = wn_published_keep_head(d->published, path, &check);
    if (err == WN_ERR_NOTFOUND) {
        fprintf(stderr,
                "winnow-aggregator: %s is missing, so nobody can tell whether the ledger is whole.\n"
                "  Put it back; or look at `winnow ledger verify --head` with a head you wrote down, and "
                "then take "
                "the ledger as it is: winnow ledger accept\n",
                path);
    } else if (err == WN_ERR_CORRUPT) {
        fprintf(stderr,
                "winnow-aggregator: the published store is not the one that %s was written for: %s%s.\n"
                "  Put the right one back, or move %s/published away and bring a backup back: winnow restore "
                "FILE.\n"
                "  To go on with what is there, after you know why: winnow ledger accept\n",
                path, check.ok ? "the file is damaged" : "the ledger is ",
                check.ok ? "" : wn_ledger_fault_text(check.fault), d->role_dir);
    }
    return err;
}

static wn_err make_backup_key(aggregator *d) {
    uint8_t key[32];
    wn_err err = wn_slots_make(d->slots, WN_BACKUP_SLOT, key); // `winnow backup` only reads
    wn_wipe(key, sizeof key);
    return err;
}

static wn_err open_purges(aggregator *d) {
    char path[400];
    uint8_t key[WN_KEY_BYTES]; // names come from the collector, under its own key
    snprintf(path, sizeof path, "%s/keys/purges", d->role_dir);
    wn_err err = wn_purge_list_begin(path, d->slots, key, &d->purges);
    wn_wipe(key, sizeof key);
    if (err == WN_ERR_STATE) wn_log(WN_MSG_PURGES_LOST, 0, 0, 0);
    return err;
}

static wn_err open_state(aggregator *d) {
    static char open_dir[400];
    uint8_t published_key[32];
    char path[400], keys[320];
    snprintf(d->role_dir, sizeof d->role_dir, "%s/aggregator", d->o.state_dir);
    make_dir(d->o.state_dir);
    make_dir(d->role_dir);
    snprintf(keys, sizeof keys, "%s/keys", d->role_dir);
    make_dir(keys);
    snprintf(path, sizeof path, "%s/slots", keys);
    WN_TRY(wn_slots_open(path, false, &d->slots));
    WN_TRY(open_purges(d));
    WN_TRY(wn_slots_make(d->slots, "published", published_key));
    size_t map_bytes = (size_t)d->o.map_mib << 20;
    wn_err err = wn_published_open(d->role_dir, published_key, false, map_bytes, &d->published);
    wn_wipe(published_key, sizeof published_key);
    WN_TRY(err);
    WN_TRY(keep_head(d, keys));
    WN_TRY(wn_published_install(d->published, wn_now_s()));
    WN_TRY(make_backup_key(d));
    uint32_t p_percent = 0;
    WN_TRY(wn_published_p_percent(d->published, &p_percent));
    WN_TRY(wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &d->identity));
    snprintf(open_dir, sizeof open_dir, "%s/open", d->role_dir);
    make_dir(open_dir);
    wn_windows_env env = {
        .options = &d->o,
        .sites = (const wn_sites *const *)&d->sites,
        .plan = &d->plan,
        .slots = d->slots,
        .identity = &d->identity,
        .published = d->published,
        .open_dir = open_dir,
        .p_percent = p_percent,
        .replay_ms = slow_replay() ? 0 : REPLAY_FIRST_MS,
    };
    return wn_windows_open(&env, wn_now_s(), &d->windows);
}

static void close_all(aggregator *d) {
    wn_control_close(d->control);
    wn_collectors_close(d->collectors);
    wn_zap_stop(d->zap);
    if (d->zmq != NULL) zmq_ctx_term(d->zmq);
    wn_windows_close(d->windows);
    wn_published_close(d->published);
    wn_purge_list_close(d->purges);
    wn_slots_close(d->slots);
    wn_plan_fini(&d->plan);
    wn_policy_fini(&d->policy);
    if (d->sites != NULL) wn_sites_fini(d->sites);
    free(d->sites);
}

static void read_signals(aggregator *d, int fd) {
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            wn_aggregator_reload(d);
            continue;
        }
        wn_log(WN_MSG_STOPPING, (int64_t)info.ssi_signo, 0, 0);
        d->stopping = true;
    }
}

static void loop(aggregator *d, int signal_fd) {
    zmq_pollitem_t items[] = {
        {wn_collectors_socket(d->collectors), 0, ZMQ_POLLIN, 0},
        {wn_control_socket(d->control), 0, ZMQ_POLLIN, 0},
        {NULL, d->sync.done_fd, ZMQ_POLLIN, 0},
        {NULL, signal_fd, ZMQ_POLLIN, 0},
    };
    int64_t next_seal_ms = 0, next_expire_ms = 0;
    while (!d->stopping || d->sync.busy) {
        // While the staged batches are full only the sync's end can help.
        items[0].events = wn_windows_full(d->windows) ? 0 : ZMQ_POLLIN;
        bool work = wn_windows_replaying(d->windows) && !d->sync.busy;
        if (zmq_poll(items, (int)WN_COUNT(items), work ? (slow_replay() ? 5 : 0) : POLL_MS) < 0 &&
            errno != EINTR) {
            fail(d, WN_ERR_IO, 6);
            return;
        }
        read_signals(d, signal_fd);
        if (!d->stopping) collectors_turn(d);
        wn_control_turn(d->control);
        sync_turn(d);
        if (d->stopping) continue;
        if (quiet(d)) {
            wn_err err = wn_aggregator_purge_turn(d);
            if (err != WN_OK) fail_as(d, WN_MSG_PURGE_FAILED, err, 0);
        }
        ticks_turn(d);
        int64_t now_ms = wn_monotonic_ms();
        bool someone_waits = d->askers_n != 0;
        if (someone_waits || now_ms >= next_seal_ms) {
            seals_turn(d);
            next_seal_ms = now_ms + 1000;
        }
        retain_turn(d);
        if (now_ms >= next_expire_ms && quiet(d)) {
            wn_err err = wn_published_begin(d->published);
            if (err == WN_OK) err = wn_published_expire(d->published, wn_now_s());
            if (err == WN_OK) err = wn_published_commit(d->published);
            if (err != WN_OK) fail_as(d, WN_MSG_EXPIRY_FAILED, err, 0);
            next_expire_ms = now_ms + 3600 * 1000;
        }
    }
    if (!d->failed && wn_windows_staged(d->windows)) {
        sync_turn(d); // what was taken is made durable and acknowledged
        while (d->sync.busy && !d->failed) {
            zmq_poll(&items[2], 1, POLL_MS);
            sync_turn(d);
        }
    }
}

static int run(aggregator *d) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    wn_log(WN_MSG_STARTED, getpid(), 0, 0);
    d->started_s = wn_now_s();
    d->started_ms = wn_monotonic_ms();
    d->next_tick_s = d->started_s - d->started_s % d->o.tick_s + d->o.tick_s;
    wn_err err = open_state(d);
    if (err == WN_OK) err = open_doors(d);
    if (err == WN_OK) err = sync_start(&d->sync, d->windows);
    if (err != WN_OK) {
        fprintf(stderr, "winnow-aggregator: cannot start in %s: %s\n", d->o.state_dir, wn_err_text(err));
        close_all(d);
        return 1;
    }
    wn_log(WN_MSG_READY, 0, 0, 0);
    loop(d, signal_fd);
    sync_stop(&d->sync);
    close_all(d);
    close(signal_fd);
    wn_log(WN_MSG_STOPPED, 0, 0, 0);
    return d->failed ? 1 : 0;
}

int main(int argc, char **argv) {
    wn_harden_allocator(argv);
    static aggregator d;
    bool done = false;
    size_t rest = 0;
    if (wn_options_read(WN_PROG_AGGREGATOR, argc, argv, &d.o, NULL, &rest, &done) != WN_OK) return 2;
    if (done) return 0;
    if (wn_crypt_init() != WN_OK) {
        fprintf(stderr, "winnow-aggregator: the system gives no randomness\n");
        return 1;
    }
    wn_harden();
    if (d.o.verbose) wn_log_level(WN_LEVEL_DEBUG);
    wn_reload_error bad;
    wn_err err = load_plan(&d);
    if (err == WN_OK && wn_aggregator_load(&d, &bad) != WN_OK) {
        fprintf(stderr, "winnow-aggregator: %s/%s, line %d: %s\n", d.o.config_dir, bad.file, bad.line,
                bad.why);
        err = WN_ERR_CONFIG;
    }
    if (err != WN_OK) return 2;
    if (d.o.check_config) {
        printf("configuration is valid: sites %zu, policy version %u, plan version %u with %zu tables\n",
               d.sites->n, d.policy.version, d.plan.version, d.plan.n);
        return 0;
    }
    return run(&d);
}
