// SPDX-License-Identifier: Apache-2.0
// uplink.c: sends in order, believes only ACK, and starts over from the oldest
// batch not acked whenever it is in doubt: the aggregator counts each batch once.
#include "uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "log.h"

_Static_assert(WN_UPLINK_FLIGHT == WN_FLIGHT_MESSAGES_MAX, "one limit");

enum {
    OUTBOX_MAX = 512,     // CLOSED answers waiting for the socket: one a window
    RECEIVES_MAX = 64,    // a turn
    BACKOFF_MIN_MS = 250, // between two rewinds that brought nothing
    BACKOFF_MAX_MS = 4000,
    LOST_ROUNDS = 3, // so often asked for what is gone, before a new generation
    UP_SILENCE_MS = 10000,
};

typedef struct ask {
    wn_window window;
    int64_t sent_ms; // -1: not yet
} ask;

struct wn_uplink {
    void *socket, *monitor;
    uint8_t collector[16];
    wn_spool *spool;
    wn_uplink_events ev;
    bool connected, hello, up;
    wn_flight flight;
    uint64_t messages; // of batches; numbers them
    uint8_t *bundle;   // WN_UPLINK_GATHER_BYTES
    wn_uplink_msg *outbox;
    size_t outbox_n;
    ask *asks;
    size_t asks_n;
    uint64_t acked, refused, resent;
    int64_t opened_ms, now_ms; // 0: no turn yet
    int64_t wait_since_ms;     // something is unanswered since; -1: nothing
    int64_t busy_until_ms;
    int64_t rewound_ms, rewind_at_ms; // -1: not planned
    int64_t backoff_ms;
    bool single;           // one batch in flight: a refusal did not say which it meant
    wn_window lost_window; // the generation that is asked for in vain
    uint64_t lost_generation;
    unsigned lost_rounds;
};

// ---- sending ----

static void wipe_body(void *data, void *hint) {
    wn_wipe(data, (size_t)(uintptr_t)hint);
    free(data);
}

static bool writable(wn_uplink *u) {
    int events = 0;
    size_t n = sizeof events;
    return zmq_getsockopt(u->socket, ZMQ_EVENTS, &events, &n) == 0 && (events & ZMQ_POLLOUT) != 0;
}

// The body is wiped when libzmq is done with it: a batch holds its window's text key.
static bool send_bytes(wn_uplink *u, const uint8_t *p, size_t n) {
    void *copy = malloc(n);
    if (copy == NULL) return false;
    memcpy(copy, p, n);
    zmq_msg_t msg;
    if (zmq_msg_init_data(&msg, copy, n, wipe_body, (void *)(uintptr_t)n) != 0) {
        wipe_body(copy, (void *)(uintptr_t)n);
        return false;
    }
    if (zmq_msg_send(&msg, u->socket, ZMQ_DONTWAIT) >= 0) return true;
    zmq_msg_close(&msg);
    return false;
}

static bool send_message(wn_uplink *u, const wn_uplink_msg *m) {
    uint8_t bytes[WN_UPLINK_MSG_BYTES_MAX];
    wn_uplink_msg own = *m;
    memcpy(own.collector, u->collector, sizeof own.collector);
    return writable(u) && send_bytes(u, bytes, wn_uplink_msg_encode(&own, bytes));
}

static void send_small(wn_uplink *u) {
    if (!u->hello) u->hello = send_message(u, &(wn_uplink_msg){.what = WN_ASK_HELLO});
    if (!u->hello) return;
    while (u->outbox_n > 0 && send_message(u, &u->outbox[0])) {
        u->outbox_n--;
        memmove(u->outbox, u->outbox + 1, u->outbox_n * sizeof *u->outbox);
    }
    for (size_t i = 0; i < u->asks_n; i++) {
        ask *a = &u->asks[i];
        if (a->sent_ms >= 0 && u->now_ms - a->sent_ms < WN_UPLINK_SILENCE_MS) continue;
        if (!send_message(u, &(wn_uplink_msg){.what = WN_ASK_STATE, .window = a->window})) return;
        a->sent_ms = u->now_ms;
        if (u->wait_since_ms < 0) u->wait_since_ms = u->now_ms;
    }
}

// The next batch to go that fits beside the others; false: none.
static bool next_batch(wn_uplink *u, size_t bytes_max, uint32_t observations_max, wn_spool_record *out) {
    while (wn_spool_next_within(u->spool, bytes_max, observations_max, out)) {
        // Answered while one before it was not: it need not go again.
        if (wn_flight_find(&u->flight, &out->window, out->id.generation, out->id.sequence) != NULL) continue;
        wn_flown b = {.window = out->window,
                      .generation = out->id.generation,
                      .sequence = out->id.sequence,
                      .observations = out->observations,
                      .message = u->messages,
                      .sent_ms = u->now_ms};
        wn_flight_push(&u->flight, &b);
        if (u->wait_since_ms < 0) u->wait_since_ms = u->now_ms;
        return true;
    }
    return false;
}

// A batch, and behind it what is small enough and waits as well. False: nothing waits, or it did not go.
static bool send_next(wn_uplink *u) {
    wn_spool_record r;
    size_t n = 0, batches = 1;
    u->messages++;
    if (!next_batch(u, WN_BATCH_BYTES_MAX, WN_BATCH_OBS_MAX, &r)) return false;
    bool alone = u->single || wn_spool_ready(u->spool) == 0 || r.n > WN_UPLINK_GATHER_BYTES / 2;
    uint32_t observations = r.observations;
    bool sent;
    if (alone) {
        sent = send_bytes(u, r.bytes, r.n);
    } else {
        do {
            bool room = wn_bundle_add(u->bundle, WN_UPLINK_GATHER_BYTES, &n, (wn_span){r.bytes, r.n});
            WN_ASSERT(room);
            if (batches++ == WN_BUNDLE_BATCHES_MAX || u->flight.n == WN_FLIGHT_MAX) break;
            if (n + WN_BUNDLE_HEAD_BYTES >= WN_UPLINK_GATHER_BYTES) break;
        } while (next_batch(u, WN_UPLINK_GATHER_BYTES - WN_BUNDLE_HEAD_BYTES - n,
                            WN_BATCH_OBS_MAX - observations, &r) &&
                 (observations += r.observations, true));
        sent = send_bytes(u, u->bundle, n);
        wn_wipe(u->bundle, n);
    }
    if (!sent) u->rewind_at_ms = u->now_ms + BACKOFF_MIN_MS;
    return sent;
}

// Nothing waits while nothing is under way. Otherwise what is little waits for the answer, and goes
// with what comes until then: the aggregator gathers for its sync meanwhile, too.
static bool worth_sending(const wn_uplink *u) {
    size_t messages = wn_flight_messages(&u->flight);
    if (messages == 0) return true;
    if (u->flight.n == WN_FLIGHT_MAX || messages >= (u->single ? 1 : WN_UPLINK_FLIGHT)) return false;
    return wn_spool_ready(u->spool) >= WN_UPLINK_GATHER_BYTES;
}

static void send_batches(wn_uplink *u) {
    if (u->now_ms < u->busy_until_ms || u->rewind_at_ms >= 0) return;
    bool sent = true;
    while (sent && wn_spool_ready(u->spool) != 0 && worth_sending(u) && writable(u)) sent = send_next(u);
    wn_spool_forget_record(u->spool);
}

// ---- starting over ----

static void rewind_now(wn_uplink *u) {
    wn_flight_drop_unsettled(&u->flight);
    wn_spool_rewind(u->spool);
    u->rewind_at_ms = -1;
    u->rewound_ms = u->now_ms;
    u->resent++;
    u->backoff_ms = u->backoff_ms * 2 < BACKOFF_MAX_MS ? u->backoff_ms * 2 : BACKOFF_MAX_MS;
}

// Now, or when the last one is long enough past: answers to what was sent before
// it are still on their way, and each would ask for the same again.
static void rewind_soon(wn_uplink *u) {
    if (u->rewind_at_ms >= 0) return;
    u->rewind_at_ms = u->rewound_ms < 0 ? u->now_ms : u->rewound_ms + u->backoff_ms;
    if (u->rewind_at_ms <= u->now_ms) rewind_now(u);
}

static void progress(wn_uplink *u) {
    u->rewind_at_ms = -1;
    u->backoff_ms = BACKOFF_MIN_MS;
    u->single = false;
}

// ---- answers ----

// Acks to the spool what is settled, as far as nothing unsettled lies before it.
static void ack_settled(wn_uplink *u) {
    for (size_t i = 0; i < u->flight.n;) {
        const wn_flown b = u->flight.list[i];
        uint64_t oldest = wn_spool_oldest(u->spool, &b.window, b.generation);
        if (!b.settled || (oldest != 0 && b.sequence > oldest)) {
            i++;
            continue;
        }
        wn_spool_ack(u->spool, &b.window, b.generation, b.sequence);
        wn_flight_take_out(&u->flight, i);
        i = 0;
    }
}

static bool is_lost(const wn_uplink *u, const wn_uplink_msg *m) {
    return u->lost_rounds > 0 && u->lost_generation == m->generation &&
           wn_window_same(&u->lost_window, &m->window);
}

static void take_ack(wn_uplink *u, const wn_uplink_msg *m) {
    size_t n = wn_flight_settle(&u->flight, &m->window, m->generation, m->sequence);
    u->acked += n;
    if (is_lost(u, m)) u->lost_rounds = 0;
    wn_spool_ack(u->spool, &m->window, m->generation, m->sequence);
    ack_settled(u);
    if (n > 0) progress(u);
}

// A gap. What the aggregator holds beyond the last ACK may not be durable yet, so
// nothing is taken as delivered. When it asks for what is gone, and again after
// each rewind, it has lost the generation: what is left goes on under another.
static void take_expect(wn_uplink *u, const wn_uplink_msg *m) {
    uint64_t oldest = wn_spool_oldest(u->spool, &m->window, m->generation);
    if (oldest == 0) return; // an answer to an older life
    bool planned = u->rewind_at_ms >= 0;
    if (m->sequence < oldest && !planned) {
        if (!is_lost(u, m)) u->lost_rounds = 0;
        u->lost_window = m->window;
        u->lost_generation = m->generation;
        if (++u->lost_rounds > LOST_ROUNDS) {
            wn_err err = wn_spool_restart(u->spool, &m->window, m->generation);
            if (err == WN_OK) u->lost_rounds = 0;
            else if (err != WN_ERR_BUSY) wn_log(WN_MSG_ERROR, err, m->window.day, 0);
        }
    }
    rewind_soon(u);
}

// One batch is out of the way although it was not counted.
static void set_aside(wn_uplink *u, wn_flown *b, bool late) {
    uint32_t observations = b->observations;
    wn_window window = b->window;
    b->settled = true;
    if (!late) u->refused++;
    // How many came late says something about persons; how many we encoded badly does not.
    wn_log(late ? WN_MSG_UPLINK_SEALED : WN_MSG_UPLINK_REFUSED, late ? 0 : observations, 0, 0);
    ack_settled(u);
    progress(u);
    if (late && u->ev.late != NULL) u->ev.late(u->ev.ctx, &window, observations);
}

// A refusal without an id: the batch could not be read at all. Sent alone, it is
// known which one it was; what was in flight beside it is waited out first.
static void take_unnamed_refusal(wn_uplink *u) {
    if (u->now_ms < u->busy_until_ms || wn_flight_unsettled(&u->flight) == 0) return;
    if (!u->single) {
        u->single = true;
        u->busy_until_ms = u->now_ms + WN_UPLINK_BUSY_MS;
        rewind_now(u);
        return;
    }
    for (size_t i = 0; i < u->flight.n; i++) {
        if (u->flight.list[i].settled) continue;
        set_aside(u, &u->flight.list[i], false);
        return;
    }
}

static void take_refusal(wn_uplink *u, const wn_uplink_msg *m) {
    wn_flown *b = wn_flight_find(&u->flight, &m->window, m->generation, m->sequence);
    if (m->sequence == 0) take_unnamed_refusal(u);
    else if (b != NULL && !b->settled) set_aside(u, b, m->what == WN_ANSWER_SEALED);
}

static void take_state(wn_uplink *u, const wn_uplink_msg *m) {
    if (m->sequence > WN_WINDOW_SEALED) return;
    for (size_t i = 0; i < u->asks_n; i++) {
        if (!wn_window_same(&u->asks[i].window, &m->window)) continue;
        u->asks[i] = u->asks[--u->asks_n];
        if (u->ev.state != NULL) u->ev.state(u->ev.ctx, &m->window, (wn_window_state)m->sequence);
        return;
    }
}

static void take_busy(wn_uplink *u, const wn_uplink_msg *m) {
    if (wn_flight_find(&u->flight, &m->window, m->generation, m->sequence) == NULL) return;
    u->busy_until_ms = u->now_ms + WN_UPLINK_BUSY_MS;
    rewind_now(u);
}

static void take(wn_uplink *u, const wn_uplink_msg *m) {
    switch (m->what) {
    case WN_ANSWER_ACK: take_ack(u, m); break;
    case WN_ANSWER_EXPECT: take_expect(u, m); break;
    case WN_ANSWER_SEALED:
    case WN_ANSWER_REFUSED: take_refusal(u, m); break;
    case WN_ANSWER_CLOSING:
        if (u->ev.closing != NULL) u->ev.closing(u->ev.ctx, &m->window);
        break;
    case WN_ANSWER_STATE: take_state(u, m); break;
    case WN_ANSWER_PURGED:
        if (u->ev.purged != NULL) u->ev.purged(u->ev.ctx, m->name);
        break;
    case WN_ANSWER_BUSY: take_busy(u, m); break;
    default: break; // an answer of a newer aggregator: silence will tell
    }
}

static void receive(wn_uplink *u) {
    for (int i = 0; i < RECEIVES_MAX; i++) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, u->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&msg);
            return;
        }
        wn_uplink_msg m;
        wn_span bytes = {zmq_msg_data(&msg), zmq_msg_size(&msg)};
        bool ok = zmq_msg_more(&msg) == 0 && wn_uplink_msg_decode(bytes, &m) == WN_OK;
        wn_msg_close(&msg);
        if (!ok) continue;
        take(u, &m);
        u->wait_since_ms = wn_flight_unsettled(&u->flight) + u->asks_n > 0 ? u->now_ms : -1;
    }
}

// ---- the connection ----

static void connected(wn_uplink *u) {
    u->connected = true;
    u->hello = false;
    u->busy_until_ms = 0;
    for (size_t i = 0; i < u->asks_n; i++) u->asks[i].sent_ms = -1;
    u->backoff_ms = BACKOFF_MIN_MS;
    if (u->flight.n > 0) rewind_now(u);
    u->rewound_ms = u->rewind_at_ms = -1;
}

static void watch(wn_uplink *u) {
    for (;;) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, u->monitor, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&msg);
            return;
        }
        // The second frame (an address) is not looked at.
        uint16_t event = 0;
        if (zmq_msg_more(&msg) != 0 && zmq_msg_size(&msg) >= sizeof event) {
            memcpy(&event, zmq_msg_data(&msg), sizeof event);
        }
        zmq_msg_close(&msg);
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED && !u->connected) connected(u);
        else if (event == ZMQ_EVENT_DISCONNECTED) u->connected = false;
    }
}

static bool oldest_waits(const wn_uplink *u) {
    for (size_t i = 0; i < u->flight.n; i++) {
        const wn_flown *b = &u->flight.list[i];
        if (!b->settled && u->now_ms - b->sent_ms >= WN_UPLINK_SILENCE_MS) return true;
    }
    return false;
}

static void tell_change(wn_uplink *u) {
    bool up = wn_uplink_up(u);
    if (up == u->up) return;
    u->up = up;
    wn_log(up ? WN_MSG_UPLINK_UP : WN_MSG_UPLINK_DOWN, 0, 0, 0);
}

void wn_uplink_turn(wn_uplink *u, int64_t now_ms) {
    u->now_ms = now_ms;
    watch(u);
    receive(u);
    wn_uplink_send(u, now_ms);
}

void wn_uplink_send(wn_uplink *u, int64_t now_ms) {
    u->now_ms = now_ms;
    if (oldest_waits(u)) rewind_now(u);
    if (u->rewind_at_ms >= 0 && u->rewind_at_ms <= now_ms) rewind_now(u);
    if (u->connected) send_small(u);
    if (u->connected && u->hello) send_batches(u);
    tell_change(u);
}

bool wn_uplink_ask(wn_uplink *u, const wn_window *w) {
    for (size_t i = 0; i < u->asks_n; i++) {
        if (wn_window_same(&u->asks[i].window, w)) return true;
    }
    if (u->asks_n == WN_UPLINK_ASKS_MAX) return false;
    u->asks[u->asks_n++] = (ask){*w, -1};
    return true;
}

void wn_uplink_closed(wn_uplink *u, const wn_window *w, uint64_t generation, uint64_t sequence) {
    wn_uplink_msg m = {.what = WN_ASK_CLOSED, .window = *w, .generation = generation, .sequence = sequence};
    size_t i = 0;
    while (i < u->outbox_n && !wn_window_same(&u->outbox[i].window, w)) i++;
    if (i == OUTBOX_MAX) return; // the aggregator says `closing` again at the next hello
    u->outbox[i] = m;
    if (i == u->outbox_n) u->outbox_n++;
}

void wn_uplink_purge(wn_uplink *u, const char *site, const uint8_t name[32], int64_t asked_at_s,
                     uint64_t what) {
    wn_uplink_msg m = {.what = WN_ASK_PURGE, .generation = (uint64_t)asked_at_s, .sequence = what};
    memcpy(m.name, name, sizeof m.name);
    memcpy(m.site, site, strnlen(site, sizeof m.site - 1));
    if (u->connected && u->hello) (void)!send_message(u, &m);
}

bool wn_uplink_up(const wn_uplink *u) {
    bool silent = u->wait_since_ms >= 0 && u->now_ms - u->wait_since_ms >= UP_SILENCE_MS;
    return u->connected && !silent;
}

uint64_t wn_uplink_acked(const wn_uplink *u) {
    return u->acked;
}

uint64_t wn_uplink_refused(const wn_uplink *u) {
    return u->refused;
}

uint64_t wn_uplink_resent(const wn_uplink *u) {
    return u->resent;
}

void *wn_uplink_socket(wn_uplink *u) {
    return u->socket;
}

void *wn_uplink_monitor(wn_uplink *u) {
    return u->monitor;
}

// ---- start and end ----

// The door connects as it opens, which may succeed before anybody watches: so it
// connects once more under the monitor's eyes.
static wn_err open_monitor(wn_uplink *u, void *zmq_ctx, const char *server) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://winnow-uplink-%p", (void *)u);
    int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED, linger = 0;
    if (zmq_socket_monitor(u->socket, endpoint, events) != 0) return WN_ERR_STATE;
    u->monitor = zmq_socket(zmq_ctx, ZMQ_PAIR);
    if (u->monitor == NULL) return WN_ERR_STATE;
    bool ok = zmq_setsockopt(u->monitor, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
              zmq_connect(u->monitor, endpoint) == 0 && zmq_disconnect(u->socket, server) == 0 &&
              zmq_connect(u->socket, server) == 0;
    return ok ? WN_OK : WN_ERR_STATE;
}

wn_err wn_uplink_open(void *zmq_ctx, const char *endpoint, const char *server_key, const wn_curve *own,
                      const uint8_t collector[16], wn_spool *spool, const wn_uplink_events *ev,
                      wn_uplink **out) {
    wn_uplink *u = calloc(1, sizeof *u);
    if (u == NULL) return WN_ERR_NOMEM;
    memcpy(u->collector, collector, sizeof u->collector);
    u->spool = spool;
    u->ev = *ev;
    u->wait_since_ms = u->rewound_ms = u->rewind_at_ms = -1;
    u->backoff_ms = BACKOFF_MIN_MS;
    u->bundle = malloc(WN_UPLINK_GATHER_BYTES);
    u->outbox = calloc(OUTBOX_MAX, sizeof *u->outbox);
    u->asks = calloc(WN_UPLINK_ASKS_MAX, sizeof *u->asks);
    wn_err err = u->bundle != NULL && u->outbox != NULL && u->asks != NULL ? WN_OK : WN_ERR_NOMEM;
    if (err == WN_OK) err = wn_door_connect(zmq_ctx, endpoint, server_key, own, &u->socket);
    if (err == WN_OK) err = open_monitor(u, zmq_ctx, endpoint);
    if (err != WN_OK) {
        wn_uplink_close(u);
        return err;
    }
    wn_spool_rewind(spool);
    *out = u;
    return WN_OK;
}

void wn_uplink_close(wn_uplink *u) {
    if (u == NULL) return;
    if (u->monitor != NULL) zmq_socket_monitor(u->socket, NULL, 0);
    if (u->socket != NULL) zmq_close(u->socket);
    if (u->monitor != NULL) zmq_close(u->monitor);
    free(u->bundle);
    free(u->outbox);
    free(u->asks);
    free(u);
}
