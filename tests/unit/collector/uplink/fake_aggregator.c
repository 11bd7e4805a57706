// SPDX-License-Identifier: Apache-2.0
// fake_aggregator.c: see fake_aggregator.h.
#include "fake_aggregator.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static const uint8_t collector[16] = "rig collector id";

static void on_closing(void *ctx, const wn_window *w) {
    fake_aggregator *f = ctx;
    f->closings++;
    wn_uplink_closed(f->uplink, w, 77, 88);
}

static void on_state(void *ctx, const wn_window *w, wn_window_state state) {
    (void)w;
    fake_aggregator *f = ctx;
    f->states++;
    f->state = state;
}

static void on_late(void *ctx, const wn_window *w, uint32_t observations) {
    (void)w;
    fake_aggregator *f = ctx;
    f->late_calls++;
    f->late += observations;
}

void fake_up(fake_aggregator *f) {
    cr_assert_eq(wn_door_bind(f->ctx, f->endpoint, "collectors", &f->server, &f->door), WN_OK);
}

void fake_down(fake_aggregator *f) {
    zmq_close(f->door);
    f->door = NULL;
    f->held_n = 0;
    for (unsigned i = 0; i < f->streams_n; i++) f->streams[i].staged = f->streams[i].durable;
}

void fake_make(fake_aggregator *f, spool_rig *r) {
    *f = (fake_aggregator){.rig = r, .now_ms = 1000, .sealed_day = -1};
    wn_log_level(WN_LEVEL_ERROR);
    rig_make(r);
    f->ctx = zmq_ctx_new();
    cr_assert_eq(zmq_curve_keypair(f->server.public_key, f->server.secret_key), 0);
    cr_assert_eq(zmq_curve_keypair(f->client.public_key, f->client.secret_key), 0);
    cr_assert_eq(wn_zap_start(f->ctx, &f->zap), WN_OK);
    const char *keys[] = {f->client.public_key};
    cr_assert_eq(wn_zap_allow(f->zap, "collectors", keys, 1), WN_OK);
    snprintf(f->endpoint, sizeof f->endpoint, "ipc://%s/uplink", r->dir);
    fake_up(f);
    wn_uplink_events ev = {f, on_closing, on_state, on_late, NULL};
    cr_assert_eq(wn_uplink_open(f->ctx, f->endpoint, f->server.public_key, &f->client, collector, r->spool,
                                &ev, &f->uplink),
                 WN_OK);
}

void fake_end(fake_aggregator *f) {
    wn_uplink_close(f->uplink);
    if (f->door != NULL) zmq_close(f->door);
    wn_zap_stop(f->zap);
    zmq_ctx_term(f->ctx);
    rig_end(f->rig);
}

static bool chance(unsigned percent) {
    return (unsigned)(random() % 100) < percent;
}

static void send_held(fake_aggregator *f, unsigned i) {
    uint8_t bytes[WN_UPLINK_MSG_BYTES_MAX];
    size_t n = wn_uplink_msg_encode(&f->held[i].msg, bytes);
    zmq_send(f->door, f->held[i].peer, f->held[i].peer_n, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(f->door, bytes, n, ZMQ_DONTWAIT);
    memmove(&f->held[i], &f->held[i + 1], (--f->held_n - i) * sizeof f->held[0]);
}

void fake_tell(fake_aggregator *f, const wn_uplink_msg *m) {
    cr_assert_lt(f->held_n, FAKE_HELD_MAX);
    f->held[f->held_n] = f->last_peer;
    f->held[f->held_n++].msg = *m;
}

static void answer(fake_aggregator *f, const wn_uplink_msg *m) {
    if (!chance(f->lose_answers)) fake_tell(f, m);
}

static fake_stream *stream_of(fake_aggregator *f, const wn_batch_head *h) {
    for (unsigned i = 0; i < f->streams_n; i++) {
        fake_stream *s = &f->streams[i];
        if (s->generation == h->id.generation && wn_window_same(&s->window, &h->window)) return s;
    }
    cr_assert_lt(f->streams_n, FAKE_STREAMS_MAX);
    f->streams[f->streams_n] = (fake_stream){.window = h->window, .generation = h->id.generation};
    return &f->streams[f->streams_n++];
}

static bool lost_once(fake_aggregator *f, uint64_t mark) {
    for (unsigned i = 0; i < 8; i++) {
        if (f->lose_marks[i] == 0 || f->lose_marks[i] != mark) continue;
        f->lose_marks[i] = 0;
        return true;
    }
    return false;
}

static void take_batch(fake_aggregator *f, wn_span bytes) {
    static wn_batch_reader r;
    wn_observation o = {.org = 0};
    cr_assert_eq(wn_batch_reader_init(&r, bytes), WN_OK);
    cr_assert_eq(memcmp(r.head.id.collector, collector, 16), 0);
    cr_assert(wn_batch_reader_next(&r, &o));
    cr_assert_lt(o.org, FAKE_MARKS_MAX);
    f->batches++;
    f->observations += r.head.observations;
    wn_uplink_msg a = {.what = WN_ANSWER_ACK,
                       .window = r.head.window,
                       .generation = r.head.id.generation,
                       .sequence = r.head.id.sequence};
    if (f->mute || chance(f->lose_batches) || lost_once(f, o.org)) return;
    fake_stream *s = stream_of(f, &r.head);
    if (f->busy > 0) {
        f->busy--;
        a.what = WN_ANSWER_BUSY;
    } else if (o.org == f->unnamed_mark) {
        a = (wn_uplink_msg){.what = WN_ANSWER_REFUSED};
    } else if (o.org == f->refuse_mark) {
        a.what = WN_ANSWER_REFUSED;
    } else if (r.head.window.day == f->sealed_day) {
        a.what = WN_ANSWER_SEALED;
    } else if (r.head.id.sequence > s->staged + 1) {
        a.what = WN_ANSWER_EXPECT;
        f->expects++;
        a.sequence = s->staged + 1;
    } else if (r.head.id.sequence == s->staged + 1) {
        s->staged++;
        f->counted[o.org]++;
    }
    answer(f, &a);
}

static void take_bundle(fake_aggregator *f, wn_span rest) {
    wn_span batch;
    unsigned before = f->batches, observations = f->observations;
    cr_assert_leq(rest.n, WN_UPLINK_GATHER_BYTES);
    while (wn_bundle_next(&rest, &batch)) take_batch(f, batch);
    cr_assert_eq(rest.n, 0);
    cr_assert_gt(f->batches - before, 0);
    cr_assert_leq(f->batches - before, WN_BUNDLE_BATCHES_MAX);
    cr_assert_leq(f->observations - observations, WN_BATCH_OBS_MAX);
    f->bundles++;
    f->bundled += f->batches - before;
    if (f->batches - before > f->bundled_most) f->bundled_most = f->batches - before;
}

static void take(fake_aggregator *f, wn_span bytes) {
    wn_uplink_msg m;
    if (f->messages++ == 0) f->first_was_hello = !wn_wire_is_batch(bytes) && !wn_wire_is_bundle(bytes);
    bool batches = wn_wire_is_batch(bytes) || wn_wire_is_bundle(bytes);
    if (batches && chance(f->lose_messages)) return;
    if (wn_wire_is_bundle(bytes)) {
        take_bundle(f, bytes);
        return;
    }
    if (wn_wire_is_batch(bytes)) {
        take_batch(f, bytes);
        return;
    }
    cr_assert_eq(wn_uplink_msg_decode(bytes, &m), WN_OK);
    cr_assert_eq(memcmp(m.collector, collector, 16), 0);
    if (m.what == WN_ASK_HELLO) f->hellos++;
    if (m.what == WN_ASK_CLOSED) f->closed = m;
    if (m.what != WN_ASK_STATE) return;
    f->asks++;
    if (!f->mute)
        answer(f, &(wn_uplink_msg){.what = WN_ANSWER_STATE, .window = m.window, .sequence = WN_WINDOW_NEVER});
}

static void receive(fake_aggregator *f) {
    for (;;) {
        zmq_msg_t peer, body;
        zmq_msg_init(&peer);
        zmq_msg_init(&body);
        if (zmq_msg_recv(&peer, f->door, ZMQ_DONTWAIT) < 0) return;
        cr_assert_geq(zmq_msg_recv(&body, f->door, 0), 0);
        f->last_peer.peer_n = zmq_msg_size(&peer);
        memcpy(f->last_peer.peer, zmq_msg_data(&peer), f->last_peer.peer_n);
        take(f, (wn_span){zmq_msg_data(&body), zmq_msg_size(&body)});
        zmq_msg_close(&peer);
        zmq_msg_close(&body);
    }
}

// Acks leave when what they name is durable; the rest at once.
static void answer_some(fake_aggregator *f) {
    if (f->hold) return;
    for (unsigned i = 0; i < f->streams_n; i++) f->streams[i].durable = f->streams[i].staged;
    while (f->held_n > 0) send_held(f, chance(f->shuffle) ? (unsigned)random() % f->held_n : 0);
}

void fake_turn(fake_aggregator *f) {
    zmq_pollitem_t items[4] = {{wn_uplink_socket(f->uplink), 0, ZMQ_POLLIN, 0},
                               {wn_uplink_monitor(f->uplink), 0, ZMQ_POLLIN, 0},
                               {NULL, wn_spool_fd(f->rig->spool), ZMQ_POLLIN, 0},
                               {f->door, 0, ZMQ_POLLIN, 0}};
    zmq_poll(items, f->door != NULL ? 4 : 3, 1);
    uint64_t txn;
    (void)!wn_spool_done(f->rig->spool, &txn);
    f->now_ms += 10;
    wn_uplink_turn(f->uplink, f->now_ms);
    if (f->door == NULL) return;
    receive(f);
    answer_some(f);
}

void fake_deliver(fake_aggregator *f) {
    int turns = 0;
    while (wn_spool_waiting(f->rig->spool) > 0) {
        fake_turn(f);
        cr_assert_lt(turns++, 30000, "%lu batches still wait",
                     (unsigned long)wn_spool_waiting(f->rig->spool));
    }
}
