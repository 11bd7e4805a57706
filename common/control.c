// SPDX-License-Identifier: Apache-2.0
// control.c: both ends of a daemon's control socket.
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL_DOMAIN "control"
#define VERB_BYTES_MAX 32
#define TURN_MESSAGES_MAX 16
#define IDENTITY_BYTES 5 // what a ROUTER gives a peer that names itself not

struct wn_control {
    void *socket;
    void *daemon;
    const wn_control_verb *verbs;
    size_t verbs_n;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static wn_err socket_path(const char *role_dir, char *out, size_t cap) {
    int n = snprintf(out, cap, "%s/control.sock", role_dir);
    return n > 0 && (size_t)n < cap ? WN_OK : WN_ERR_CONFIG;
}

wn_err wn_control_open(void *zmq_ctx, wn_zap *zap, const char *role_dir, const wn_control_verb *verbs,
                       size_t n, void *daemon, wn_control **out) {
    char keys[256], endpoint[128];
    wn_curve own, client;
    wn_control *c = calloc(1, sizeof *c);
    if (c == NULL) return WN_ERR_NOMEM;
    wn_err err = socket_path(role_dir, c->path, sizeof c->path);
    if (err != WN_OK) goto fail;
    snprintf(endpoint, sizeof endpoint, "ipc://%s", c->path);
    if ((size_t)snprintf(keys, sizeof keys, "%s/keys", role_dir) >= sizeof keys) {
        err = WN_ERR_CONFIG;
        goto fail;
    }
    err = wn_curve_load(keys, "control", true, &own);
    if (err == WN_OK) err = wn_curve_load(keys, "cli", true, &client);
    const char *listed[1] = {client.public_key};
    if (err == WN_OK) err = wn_zap_allow(zap, CONTROL_DOMAIN, listed, 1);
    if (err == WN_OK) err = wn_door_bind(zmq_ctx, endpoint, CONTROL_DOMAIN, &own, &c->socket);
    wn_wipe(&own, sizeof own);
    wn_wipe(&client, sizeof client);
    if (err != WN_OK) goto fail;
    chmod(c->path, 0600);
    c->verbs = verbs;
    c->verbs_n = n;
    c->daemon = daemon;
    *out = c;
    return WN_OK;
fail:
    free(c);
    return err;
}

void wn_control_close(wn_control *c) {
    if (c == NULL) return;
    zmq_close(c->socket);
    unlink(c->path);
    free(c);
}

void *wn_control_socket(wn_control *c) {
    return c->socket;
}

void wn_control_answer(wn_control *c, uint64_t token, wn_span body) {
    uint8_t identity[IDENTITY_BYTES];
    for (size_t i = 0; i < sizeof identity; i++) identity[i] = (uint8_t)(token >> (8 * i));
    if (zmq_send(c->socket, identity, sizeof identity, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return;
    zmq_send(c->socket, body.p, body.n, ZMQ_DONTWAIT);
}

void wn_put_str(msgpack_packer *pk, const char *s) {
    msgpack_pack_str_with_body(pk, s, strlen(s));
}

void wn_put_bin(msgpack_packer *pk, const void *p, size_t n) {
    msgpack_pack_bin(pk, n);
    msgpack_pack_bin_body(pk, p, n);
}

void wn_put_uint(msgpack_packer *pk, const char *name, uint64_t v) {
    wn_put_str(pk, name);
    msgpack_pack_uint64(pk, v);
}

void wn_put_flag(msgpack_packer *pk, const char *name, bool v) {
    wn_put_str(pk, name);
    if (v) msgpack_pack_true(pk);
    else msgpack_pack_false(pk);
}

void wn_put_result(msgpack_packer *pk, bool ok, const char *text) {
    msgpack_pack_map(pk, 2);
    wn_put_flag(pk, "ok", ok);
    wn_put_str(pk, "text");
    wn_put_str(pk, text);
}

void wn_put_purges(msgpack_packer *pk, const wn_purge_list *l) {
    size_t n = wn_purge_list_count(l);
    msgpack_pack_map(pk, 2);
    wn_put_flag(pk, "ok", true);
    wn_put_str(pk, "purges");
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++) {
        const wn_purge *p = wn_purge_list_at(l, i);
        msgpack_pack_map(pk, 4);
        wn_put_str(pk, "site");
        wn_put_str(pk, p->site);
        wn_put_flag(pk, "organisation", p->kind == WN_PURGE_ORG);
        wn_put_uint(pk, "asked_at_s", (uint64_t)p->asked_at_s);
        wn_put_uint(pk, "done_at_s", (uint64_t)p->done_at_s);
    }
}

void wn_put_policy(msgpack_packer *pk, const wn_policy *p) {
    char id[17];
    wn_policy_id_text(p->id, id);
    wn_put_uint(pk, "policy_version", p->version);
    wn_put_str(pk, "policy_date");
    wn_put_str(pk, p->date);
    wn_put_str(pk, "policy_digest");
    wn_put_str(pk, id);
}

static void say_no(wn_control *c, uint64_t token, const char *text) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    wn_put_result(&pk, false, text);
    wn_control_answer(c, token, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
}

// The verb is the first pair, {"do": verb, …}, so that one pass suffices.
static void handle(wn_control *c, uint64_t token, wn_span bytes) {
    wn_mp m;
    uint32_t pairs = 0;
    wn_span key = {NULL, 0}, verb = {NULL, 0};
    wn_mp_init(&m, bytes);
    bool ok = wn_mp_map(&m, 16, &pairs) && pairs >= 1 && wn_mp_str(&m, 2, &key) && key.n == 2 &&
              memcmp(key.p, "do", 2) == 0 && wn_mp_str(&m, VERB_BYTES_MAX, &verb);
    if (!ok) {
        say_no(c, token, "not a request");
        return;
    }
    for (size_t i = 0; i < c->verbs_n; i++) {
        if (strlen(c->verbs[i].verb) != verb.n || memcmp(c->verbs[i].verb, verb.p, verb.n) != 0) continue;
        msgpack_sbuffer buf;
        msgpack_packer pk;
        msgpack_sbuffer_init(&buf);
        msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
        if (c->verbs[i].run(c->daemon, token, &m, &pk))
            wn_control_answer(c, token, (wn_span){(const uint8_t *)buf.data, buf.size});
        msgpack_sbuffer_destroy(&buf);
        return;
    }
    say_no(c, token, "unknown request; are winnow and the daemon of one version?");
}

void wn_control_turn(wn_control *c) {
    for (int i = 0; i < TURN_MESSAGES_MAX; i++) {
        zmq_msg_t identity, body;
        zmq_msg_init(&identity);
        if (zmq_msg_recv(&identity, c->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&identity);
            return;
        }
        zmq_msg_init(&body);
        bool whole = zmq_msg_more(&identity) && zmq_msg_recv(&body, c->socket, ZMQ_DONTWAIT) >= 0 &&
                     !zmq_msg_more(&body);
        while (!whole && zmq_msg_more(&body))
            if (zmq_msg_recv(&body, c->socket, ZMQ_DONTWAIT) < 0) break;
        if (whole && zmq_msg_size(&identity) == IDENTITY_BYTES) {
            const uint8_t *id = zmq_msg_data(&identity);
            uint64_t token = 0;
            for (size_t j = 0; j < IDENTITY_BYTES; j++) token |= (uint64_t)id[j] << (8 * j);
            handle(c, token, (wn_span){zmq_msg_data(&body), zmq_msg_size(&body)});
        }
        wn_msg_close(&body);
        zmq_msg_close(&identity);
    }
}

// ---- the CLI's end ----

struct wn_ask_line {
    void *socket;
};

// A socket file may be left over from a killed daemon: only a listener counts.
static bool somebody_listens(const char *path) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, path, strlen(path) + 1);
    bool ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return ok;
}

wn_err wn_ask_open(void *zmq_ctx, const char *role_dir, wn_ask_line **out) {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)], endpoint[128], keys[256], server[WN_CURVE_TEXT];
    wn_curve own;
    WN_TRY(socket_path(role_dir, path, sizeof path));
    if (!somebody_listens(path)) return WN_ERR_NOTFOUND;
    snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
    if ((size_t)snprintf(keys, sizeof keys, "%s/keys", role_dir) >= sizeof keys) return WN_ERR_CONFIG;
    WN_TRY(wn_curve_load_public(keys, "control", server));
    WN_TRY(wn_curve_load(keys, "cli", false, &own));
    wn_ask_line *l = calloc(1, sizeof *l);
    wn_err err = l == NULL ? WN_ERR_NOMEM : wn_door_connect(zmq_ctx, endpoint, server, &own, &l->socket);
    wn_wipe(&own, sizeof own);
    if (err != WN_OK) return free(l), err;
    *out = l;
    return WN_OK;
}

void wn_ask_close(wn_ask_line *l) {
    if (l == NULL) return;
    zmq_close(l->socket);
    free(l);
}

wn_err wn_ask_send(wn_ask_line *l, wn_span body) {
    return zmq_send(l->socket, body.p, body.n, 0) >= 0 ? WN_OK : WN_ERR_IO;
}

wn_err wn_ask_recv(wn_ask_line *l, int timeout_ms, zmq_msg_t *out) {
    zmq_pollitem_t item = {l->socket, 0, ZMQ_POLLIN, 0};
    int n = zmq_poll(&item, 1, timeout_ms);
    if (n < 0) return errno == EINTR ? WN_ERR_TIMEOUT : WN_ERR_IO;
    if (n == 0) return WN_ERR_TIMEOUT;
    zmq_msg_init(out);
    if (zmq_msg_recv(out, l->socket, ZMQ_DONTWAIT) >= 0) return WN_OK;
    zmq_msg_close(out);
    return WN_ERR_IO;
}
