// SPDX-License-Identifier: Apache-2.0
// sdk_intake.c: messages of listed peers, one request each, and their answers
// in the order of the transactions.
#include "sdk_intake.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "event_mp.h"

#define TURN_MESSAGES_MAX 64
#define ROUTING_ID_BYTES_MAX 255

typedef struct pending {
    wn_request *request;
    uint64_t token;
    uint8_t routing_id[ROUTING_ID_BYTES_MAX];
    uint8_t routing_id_n;
    uint8_t batch_id_n;
    uint8_t batch_id[64];
} pending;

struct wn_sdk {
    void *socket;
    wn_zap *zap;
    wn_pipeline *pipeline;
    wn_metrics *metrics;
    bool quiet, more;
    size_t head, n; // a ring: tokens only grow
    pending ring[WN_SDK_PENDING_MAX];
};

// ---- answers ----

static void pack_text(msgpack_packer *pk, const char *text) {
    msgpack_pack_str_with_body(pk, text, strlen(text));
}

static void pack_batch_id(msgpack_packer *pk, wn_span id) {
    pack_text(pk, "batch_id");
    msgpack_pack_str_with_body(pk, id.n != 0 ? (const void *)id.p : "", id.n);
}

// A peer that is gone or does not read loses its answer and will ask again.
static void send_answer(wn_sdk *s, wn_span routing_id, const msgpack_sbuffer *buf) {
    if (zmq_send(s->socket, routing_id.p, routing_id.n, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return;
    zmq_send(s->socket, buf->data, buf->size, ZMQ_DONTWAIT);
}

static void answer_error(wn_sdk *s, wn_span routing_id, wn_span batch_id, const char *error) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 2);
    pack_batch_id(&pk, batch_id);
    pack_text(&pk, "error");
    pack_text(&pk, error);
    send_answer(s, routing_id, &buf);
    msgpack_sbuffer_destroy(&buf);
}

static void answer_outcome(wn_sdk *s, wn_span routing_id, wn_span batch_id, const wn_outcome *o) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 4);
    pack_batch_id(&pk, batch_id);
    pack_text(&pk, "accepted");
    msgpack_pack_uint32(&pk, o->accepted);
    pack_text(&pk, "refused");
    msgpack_pack_array(&pk, o->refused_listed);
    for (uint32_t i = 0; i < o->refused_listed; i++) {
        msgpack_pack_array(&pk, 2);
        msgpack_pack_uint32(&pk, o->refused[i].index);
        pack_text(&pk, wn_verdict_name(o->refused[i].why));
    }
    pack_text(&pk, "repeat");
    if (o->repeat) msgpack_pack_true(&pk);
    else msgpack_pack_false(&pk);
    send_answer(s, routing_id, &buf);
    msgpack_sbuffer_destroy(&buf);
}

static void answer_due(wn_sdk *s) {
    while (s->n != 0) {
        pending *p = &s->ring[s->head];
        if (p->token > wn_pipeline_durable(s->pipeline)) return;
        answer_outcome(s, (wn_span){p->routing_id, p->routing_id_n}, (wn_span){p->batch_id, p->batch_id_n},
                       wn_request_outcome(p->request));
        wn_request_free(p->request);
        wn_wipe(p, sizeof *p);
        s->head = (s->head + 1) % WN_SDK_PENDING_MAX;
        s->n--;
    }
}

// ---- messages ----

static const char *open_error(wn_err err) {
    if (err == WN_ERR_VERSION) return "version";
    return err == WN_ERR_FULL ? "too_many" : "malformed";
}

// One sender's ids mean nothing to another: nobody can use up those of somebody else.
static uint64_t key_scope(const char *key) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *key != '\0'; key++) h = (h ^ (uint8_t)*key) * UINT64_C(1099511628211);
    return h | 1;
}

static wn_request *request_begin(wn_sdk *s, const char *key) {
    wn_key_rights rights = wn_site_list_rights(wn_pipeline_site_list(s->pipeline), key);
    wn_sender sender = {.site = rights.only, .server_key = rights.server, .scope = key_scope(key)};
    return wn_request_begin(s->pipeline, &sender, key);
}

// Full now does not mean full after the next sync, but a sender that waits is better than one that piles up.
static void take(wn_sdk *s, wn_request *r, wn_span routing_id, const wn_message *m, uint64_t scope) {
    wn_event_sink sink = wn_request_sink(r);
    uint64_t token = 0;
    wn_message_events(m, &sink);
    if (wn_request_commit(r, m->batch_id, scope, &token) != WN_COMMIT_DONE) {
        wn_metric_add(s->metrics, WN_METRIC_sdk_full);
        answer_error(s, routing_id, m->batch_id, "full");
        wn_request_free(r);
        return;
    }
    pending *p = &s->ring[(s->head + s->n++) % WN_SDK_PENDING_MAX];
    p->request = r;
    // In order behind what came before, though it might be durable already.
    p->token = token;
    p->routing_id_n = (uint8_t)routing_id.n;
    memcpy(p->routing_id, routing_id.p, routing_id.n);
    p->batch_id_n = (uint8_t)m->batch_id.n;
    memcpy(p->batch_id, m->batch_id.p, m->batch_id.n);
}

static void handle(wn_sdk *s, wn_span routing_id, zmq_msg_t *body) {
    wn_message m = {.events_n = 0};
    wn_span bytes = {zmq_msg_data(body), zmq_msg_size(body)};
    wn_metric_add(s->metrics, WN_METRIC_sdk_messages);
    const char *key = wn_door_peer(body);
    wn_err err = key == NULL ? WN_ERR_AUTH : wn_message_open(bytes, WN_REQUEST_EVENTS_MAX, &m);
    if (err != WN_OK) {
        wn_metric_add(s->metrics, WN_METRIC_sdk_malformed);
        answer_error(s, routing_id, m.batch_id, err == WN_ERR_AUTH ? "not_allowed" : open_error(err));
        return;
    }
    wn_request *r = request_begin(s, key);
    if (r == NULL) {
        wn_metric_add(s->metrics, WN_METRIC_sdk_full);
        answer_error(s, routing_id, m.batch_id, "full");
        return;
    }
    take(s, r, routing_id, &m, key_scope(key));
}

// One message: routing id and one frame; whatever else a peer adds is not read.
static bool receive(wn_sdk *s) {
    zmq_msg_t id, body, extra;
    zmq_msg_init(&id);
    if (zmq_msg_recv(&id, s->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&id);
        return false;
    }
    wn_span routing_id = {zmq_msg_data(&id), zmq_msg_size(&id)};
    zmq_msg_init(&body);
    bool whole = zmq_msg_more(&id) && zmq_msg_recv(&body, s->socket, ZMQ_DONTWAIT) >= 0;
    bool more = whole && zmq_msg_more(&body);
    while (more) {
        zmq_msg_init(&extra);
        more = zmq_msg_recv(&extra, s->socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&extra);
        wn_msg_close(&extra);
        whole = false;
    }
    if (whole) {
        handle(s, routing_id, &body);
    } else {
        wn_metric_add(s->metrics, WN_METRIC_sdk_malformed);
        answer_error(s, routing_id, (wn_span){NULL, 0}, "malformed");
    }
    wn_msg_close(&body);
    zmq_msg_close(&id);
    return true;
}

void wn_sdk_turn(wn_sdk *s) {
    answer_due(s);
    s->more = false;
    for (int i = 0; !s->quiet && s->n < WN_SDK_PENDING_MAX; i++) {
        s->more = i == TURN_MESSAGES_MAX;
        if (s->more || !receive(s)) break;
    }
    answer_due(s);
}

bool wn_sdk_ready(const wn_sdk *s) {
    return s->more && s->n < WN_SDK_PENDING_MAX;
}

unsigned wn_sdk_waiting(const wn_sdk *s) {
    return (unsigned)s->n;
}

void wn_sdk_quiesce(wn_sdk *s) {
    s->quiet = true;
}

// ---- life ----

wn_err wn_sdk_reloaded(wn_sdk *s) {
    const wn_sites *sites = &wn_pipeline_site_list(s->pipeline)->sites;
    size_t n = 0;
    const char **keys = calloc(sites->n * WN_SITE_KEYS_MAX + 1, sizeof *keys);
    if (keys == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < sites->n; i++)
        for (size_t k = 0; k < sites->site[i].keys_n; k++) keys[n++] = sites->site[i].keys[k].key;
    wn_err err = wn_zap_allow(s->zap, WN_SDK_DOMAIN, keys, n);
    free(keys);
    return err;
}

wn_err wn_sdk_open(void *zmq_ctx, wn_zap *zap, const char *endpoint, const wn_curve *own,
                   wn_pipeline *pipeline, wn_metrics *metrics, wn_sdk **out) {
    wn_sdk *s = calloc(1, sizeof *s);
    if (s == NULL) return WN_ERR_NOMEM;
    s->zap = zap;
    s->pipeline = pipeline;
    s->metrics = metrics;
    wn_err err = wn_sdk_reloaded(s);
    if (err == WN_OK) err = wn_door_bind(zmq_ctx, endpoint, WN_SDK_DOMAIN, own, &s->socket);
    if (err != WN_OK) {
        free(s);
        return err;
    }
    *out = s;
    return WN_OK;
}

void wn_sdk_close(wn_sdk *s) {
    if (s == NULL) return;
    while (s->n != 0) {
        wn_request_free(s->ring[s->head].request);
        s->head = (s->head + 1) % WN_SDK_PENDING_MAX;
        s->n--;
    }
    zmq_close(s->socket);
    free(s);
}

void *wn_sdk_socket(const wn_sdk *s) {
    return s->socket;
}
