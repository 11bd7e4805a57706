// SPDX-License-Identifier: Apache-2.0
// collectors.c: see collectors.h. An ack never leaves from here before
// release, which the loop calls only after the sync thread's word.
#include "collectors.h"

#include <stdlib.h>
#include <string.h>

#define IDENTITY_BYTES 5

typedef struct collector {
    uint8_t id[16];
    char key[WN_CURVE_TEXT];
    wn_peer peer;
} collector;

typedef struct held {
    wn_peer peer;
    wn_uplink_msg ack;
} held;

typedef struct held_list {
    held *at;
    size_t n, cap;
} held_list;

struct wn_collectors {
    void *socket;
    collector known[WN_COLLECTORS_MAX];
    size_t known_n;
    held_list filling, syncing;
};

wn_err wn_collectors_open(void *zmq_ctx, const char *endpoint, const wn_curve *own, wn_collectors **out) {
    wn_collectors *c = calloc(1, sizeof *c);
    if (c == NULL) return WN_ERR_NOMEM;
    wn_err err = wn_door_bind(zmq_ctx, endpoint, "uplink", own, &c->socket);
    if (err != WN_OK) return free(c), err;
    *out = c;
    return WN_OK;
}

void wn_collectors_close(wn_collectors *c) {
    if (c == NULL) return;
    zmq_close(c->socket);
    free(c->filling.at);
    free(c->syncing.at);
    free(c);
}

void *wn_collectors_socket(wn_collectors *c) {
    return c->socket;
}

bool wn_collectors_recv(wn_collectors *c, wn_peer *out_peer, zmq_msg_t *out) {
    for (;;) {
        zmq_msg_t identity;
        zmq_msg_init(&identity);
        if (zmq_msg_recv(&identity, c->socket, ZMQ_DONTWAIT) < 0) return zmq_msg_close(&identity), false;
        zmq_msg_init(out);
        bool whole = zmq_msg_more(&identity) && zmq_msg_recv(out, c->socket, ZMQ_DONTWAIT) >= 0;
        bool single = whole && !zmq_msg_more(out);
        while (whole && zmq_msg_more(out))
            if (zmq_msg_recv(out, c->socket, ZMQ_DONTWAIT) < 0) break;
        bool good = single && zmq_msg_size(&identity) == IDENTITY_BYTES;
        if (good) {
            const uint8_t *p = zmq_msg_data(&identity);
            wn_peer peer = 0;
            for (size_t i = 0; i < IDENTITY_BYTES; i++) peer |= (uint64_t)p[i] << (8 * i);
            *out_peer = peer;
        }
        zmq_msg_close(&identity);
        if (good) return true;
        wn_msg_close(out);
    }
}

void wn_collectors_answer(wn_collectors *c, wn_peer peer, const wn_uplink_msg *m) {
    uint8_t identity[IDENTITY_BYTES], body[WN_UPLINK_MSG_BYTES_MAX];
    for (size_t i = 0; i < sizeof identity; i++) identity[i] = (uint8_t)(peer >> (8 * i));
    size_t n = wn_uplink_msg_encode(m, body);
    if (zmq_send(c->socket, identity, sizeof identity, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return;
    zmq_send(c->socket, body, n, ZMQ_DONTWAIT);
}

bool wn_collectors_register(wn_collectors *c, const uint8_t id[16], const char *key, wn_peer peer) {
    if (key == NULL) return false;
    for (size_t i = 0; i < c->known_n; i++) {
        if (memcmp(c->known[i].id, id, 16) != 0) continue;
        if (strcmp(c->known[i].key, key) != 0) return false;
        c->known[i].peer = peer;
        return true;
    }
    if (c->known_n == WN_COLLECTORS_MAX || strlen(key) != WN_CURVE_TEXT - 1) return false;
    collector *k = &c->known[c->known_n++];
    memcpy(k->id, id, sizeof k->id);
    memcpy(k->key, key, sizeof k->key);
    k->peer = peer;
    return true;
}

size_t wn_collectors_count(const wn_collectors *c) {
    return c->known_n;
}

void wn_collectors_id(const wn_collectors *c, size_t i, uint8_t out[16]) {
    memcpy(out, c->known[i].id, 16);
}

size_t wn_collectors_tell(wn_collectors *c, const wn_uplink_msg *m) {
    for (size_t i = 0; i < c->known_n; i++) wn_collectors_answer(c, c->known[i].peer, m);
    return c->known_n;
}

wn_err wn_collectors_hold(wn_collectors *c, wn_peer peer, const wn_uplink_msg *ack) {
    held_list *l = &c->filling;
    // Acks are cumulative: the newest of one stream says it all.
    for (size_t i = l->n; i-- > 0;) {
        held *h = &l->at[i];
        if (h->peer != peer || h->ack.generation != ack->generation ||
            !wn_window_same(&h->ack.window, &ack->window))
            continue;
        if (h->ack.sequence < ack->sequence) h->ack.sequence = ack->sequence;
        return WN_OK;
    }
    if (l->n == l->cap) {
        size_t cap = l->cap != 0 ? 2 * l->cap : 64;
        held *at = realloc(l->at, cap * sizeof *at);
        if (at == NULL) return WN_ERR_NOMEM;
        l->at = at;
        l->cap = cap;
    }
    l->at[l->n++] = (held){peer, *ack};
    return WN_OK;
}

void wn_collectors_turn(wn_collectors *c) {
    WN_ASSERT(c->syncing.n == 0);
    held_list t = c->syncing;
    c->syncing = c->filling;
    c->filling = t;
}

void wn_collectors_release(wn_collectors *c) {
    for (size_t i = 0; i < c->syncing.n; i++)
        wn_collectors_answer(c, c->syncing.at[i].peer, &c->syncing.at[i].ack);
    c->syncing.n = 0;
}
