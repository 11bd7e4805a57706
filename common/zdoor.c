// SPDX-License-Identifier: Apache-2.0
// zdoor.c: CURVE keys in files, the ZAP handler with its allow-lists, and
// sockets bound and connected one way only.
#include "zdoor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01" // fixed by ZeroMQ RFC 27
#define ZAP_STOP "inproc://winnow.zap.stop"
#define DOMAINS_MAX 4
#define DOMAIN_BYTES 16
#define DOOR_MESSAGE_BYTES_MAX ((1 << 20) + 4096)
#define DOOR_HWM 4

// ---- key files ----

typedef struct key_lines {
    const char *line[2]; // the second may be NULL
} key_lines;

static void write_keys(FILE *out, const void *ctx) {
    const key_lines *k = ctx;
    for (size_t i = 0; i < WN_COUNT(k->line); i++)
        if (k->line[i] != NULL) fprintf(out, "%s\n", k->line[i]);
}

// Reads `lines` lines of 40 characters each.
static wn_err read_keys(const char *path, size_t lines, char out[][WN_CURVE_TEXT]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    char text[2 * WN_CURVE_TEXT];
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    wn_err err = n == (ssize_t)(lines * WN_CURVE_TEXT) ? WN_OK : WN_ERR_FORMAT;
    for (size_t i = 0; i < lines && err == WN_OK; i++) {
        uint8_t raw[32];
        if (text[i * WN_CURVE_TEXT + 40] != '\n') {
            err = WN_ERR_FORMAT;
            break;
        }
        memcpy(out[i], text + i * WN_CURVE_TEXT, 40);
        out[i][40] = '\0';
        if (zmq_z85_decode(raw, out[i]) == NULL) err = WN_ERR_FORMAT;
        wn_wipe(raw, sizeof raw);
    }
    wn_wipe(text, sizeof text);
    return err;
}

static wn_err key_path(char *out, size_t cap, const char *dir, const char *name, const char *ending) {
    int n = snprintf(out, cap, "%s/%s.%s", dir, name, ending);
    return n > 0 && (size_t)n < cap ? WN_OK : WN_ERR_CONFIG;
}

wn_err wn_curve_load(const char *dir, const char *name, bool make, wn_curve *out) {
    char path[512], pub[512];
    char keys[2][WN_CURVE_TEXT];
    WN_TRY(key_path(path, sizeof path, dir, name, "curve"));
    WN_TRY(key_path(pub, sizeof pub, dir, name, "pub"));
    wn_err err = read_keys(path, 2, keys);
    if (err == WN_ERR_NOTFOUND && make) {
        if (zmq_curve_keypair(keys[0], keys[1]) != 0) return WN_ERR_STATE;
        err = wn_save_first(path, 0600, write_keys, &(key_lines){{keys[0], keys[1]}});
        if (err == WN_ERR_STATE) err = read_keys(path, 2, keys); // another process was first
    }
    if (err == WN_OK && make && access(pub, F_OK) != 0) {
        err = wn_save_first(pub, 0644, write_keys, &(key_lines){{keys[0], NULL}});
        if (err == WN_ERR_STATE) err = WN_OK;
    }
    if (err == WN_OK) {
        memcpy(out->public_key, keys[0], WN_CURVE_TEXT);
        memcpy(out->secret_key, keys[1], WN_CURVE_TEXT);
    }
    wn_wipe(keys, sizeof keys);
    return err;
}

wn_err wn_curve_load_public(const char *dir, const char *name, char out[WN_CURVE_TEXT]) {
    char path[512];
    WN_TRY(key_path(path, sizeof path, dir, name, "pub"));
    char key[1][WN_CURVE_TEXT];
    WN_TRY(read_keys(path, 1, key));
    memcpy(out, key[0], WN_CURVE_TEXT);
    return WN_OK;
}

// ---- ZAP ----

typedef struct domain {
    char name[DOMAIN_BYTES];
    char (*keys)[WN_CURVE_TEXT];
    size_t n;
} domain;

struct wn_zap {
    void *socket;  // REP, used by the thread alone
    void *stop_in; // PAIR, used by the thread alone
    void *stop_out;
    pthread_t thread;
    pthread_mutex_t lock; // over `domains`
    domain domains[DOMAINS_MAX];
    size_t domains_n;
    atomic_uint_fast64_t refused;
};

static domain *find_domain(wn_zap *z, const char *name, size_t n) {
    for (size_t i = 0; i < z->domains_n; i++)
        if (strlen(z->domains[i].name) == n && memcmp(z->domains[i].name, name, n) == 0)
            return &z->domains[i];
    return NULL;
}

static bool is_listed(wn_zap *z, const char *name, size_t n, const char *key) {
    pthread_mutex_lock(&z->lock);
    const domain *d = find_domain(z, name, n);
    bool listed = false;
    for (size_t i = 0; d != NULL && i < d->n && !listed; i++) listed = strcmp(d->keys[i], key) == 0;
    pthread_mutex_unlock(&z->lock);
    return listed;
}

// Request: version, id, domain, address, identity, mechanism, credentials.
enum {
    ZAP_VERSION,
    ZAP_ID,
    ZAP_DOMAIN,
    ZAP_ADDRESS,
    ZAP_IDENTITY,
    ZAP_MECHANISM,
    ZAP_CREDENTIALS,
    ZAP_FRAMES
};

static void zap_reply(wn_zap *z, const zmq_msg_t *version, const zmq_msg_t *id, const char *user) {
    const char *code = user != NULL ? "200" : "400";
    zmq_send(z->socket, zmq_msg_data((zmq_msg_t *)(uintptr_t)version), zmq_msg_size(version), ZMQ_SNDMORE);
    zmq_send(z->socket, zmq_msg_data((zmq_msg_t *)(uintptr_t)id), zmq_msg_size(id), ZMQ_SNDMORE);
    zmq_send(z->socket, code, 3, ZMQ_SNDMORE);
    zmq_send(z->socket, "", 0, ZMQ_SNDMORE);
    zmq_send(z->socket, user != NULL ? user : "", user != NULL ? strlen(user) : 0, ZMQ_SNDMORE);
    zmq_send(z->socket, "", 0, 0);
}

static void zap_turn(wn_zap *z) {
    zmq_msg_t frame[ZAP_FRAMES];
    size_t n = 0;
    bool more = true;
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *m = n < ZAP_FRAMES ? &frame[n] : &extra;
        zmq_msg_init(m);
        if (zmq_msg_recv(m, z->socket, 0) < 0) {
            zmq_msg_close(m);
            break;
        }
        more = zmq_msg_more(m) != 0;
        if (n < ZAP_FRAMES) n++;
        else zmq_msg_close(m);
    }
    char key[WN_CURVE_TEXT] = "";
    bool curve = n == ZAP_FRAMES && zmq_msg_size(&frame[ZAP_MECHANISM]) == 5 &&
                 memcmp(zmq_msg_data(&frame[ZAP_MECHANISM]), "CURVE", 5) == 0 &&
                 zmq_msg_size(&frame[ZAP_CREDENTIALS]) == 32 &&
                 zmq_z85_encode(key, zmq_msg_data(&frame[ZAP_CREDENTIALS]), 32) != NULL;
    bool listed =
        curve && is_listed(z, zmq_msg_data(&frame[ZAP_DOMAIN]), zmq_msg_size(&frame[ZAP_DOMAIN]), key);
    if (!listed) atomic_fetch_add(&z->refused, 1);
    if (n > ZAP_ID) zap_reply(z, &frame[ZAP_VERSION], &frame[ZAP_ID], listed ? key : NULL);
    for (size_t i = 0; i < n; i++) zmq_msg_close(&frame[i]);
}

static void *zap_run(void *ctx) {
    wn_zap *z = ctx;
    zmq_pollitem_t items[2] = {{z->socket, 0, ZMQ_POLLIN, 0}, {z->stop_in, 0, ZMQ_POLLIN, 0}};
    for (;;) {
        if (zmq_poll(items, 2, -1) < 0 && errno != EINTR) break;
        if ((items[1].revents & ZMQ_POLLIN) != 0) break;
        if ((items[0].revents & ZMQ_POLLIN) != 0) zap_turn(z);
    }
    return NULL;
}

static void zap_free(wn_zap *z) {
    if (z->socket != NULL) zmq_close(z->socket);
    if (z->stop_in != NULL) zmq_close(z->stop_in);
    if (z->stop_out != NULL) zmq_close(z->stop_out);
    for (size_t i = 0; i < z->domains_n; i++) free(z->domains[i].keys);
    pthread_mutex_destroy(&z->lock);
    free(z);
}

wn_err wn_zap_start(void *zmq_ctx, wn_zap **out) {
    wn_zap *z = calloc(1, sizeof *z);
    if (z == NULL) return WN_ERR_NOMEM;
    pthread_mutex_init(&z->lock, NULL);
    z->socket = zmq_socket(zmq_ctx, ZMQ_REP);
    z->stop_in = zmq_socket(zmq_ctx, ZMQ_PAIR);
    z->stop_out = zmq_socket(zmq_ctx, ZMQ_PAIR);
    bool ok = z->socket != NULL && z->stop_in != NULL && z->stop_out != NULL &&
              zmq_bind(z->socket, ZAP_ENDPOINT) == 0 && zmq_bind(z->stop_in, ZAP_STOP) == 0 &&
              zmq_connect(z->stop_out, ZAP_STOP) == 0 && pthread_create(&z->thread, NULL, zap_run, z) == 0;
    if (!ok) return zap_free(z), WN_ERR_STATE;
    *out = z;
    return WN_OK;
}

void wn_zap_stop(wn_zap *z) {
    if (z == NULL) return;
    zmq_send(z->stop_out, "", 0, 0);
    pthread_join(z->thread, NULL);
    zap_free(z);
}

wn_err wn_zap_allow(wn_zap *z, const char *name, const char *const *keys, size_t n) {
    size_t len = strlen(name);
    if (len >= DOMAIN_BYTES) return WN_ERR_CONFIG;
    char(*copy)[WN_CURVE_TEXT] = calloc(n != 0 ? n : 1, WN_CURVE_TEXT);
    if (copy == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (strlen(keys[i]) != WN_CURVE_TEXT - 1) return free(copy), WN_ERR_CONFIG;
        memcpy(copy[i], keys[i], WN_CURVE_TEXT);
    }
    pthread_mutex_lock(&z->lock);
    domain *d = find_domain(z, name, len);
    if (d == NULL && z->domains_n < DOMAINS_MAX) {
        d = &z->domains[z->domains_n++];
        memcpy(d->name, name, len + 1);
    }
    if (d != NULL) {
        free(d->keys);
        d->keys = copy;
        d->n = n;
    }
    pthread_mutex_unlock(&z->lock);
    if (d == NULL) free(copy);
    return d != NULL ? WN_OK : WN_ERR_FULL;
}

uint64_t wn_zap_refused(const wn_zap *z) {
    return atomic_load(&((wn_zap *)(uintptr_t)z)->refused);
}

// ---- doors ----

static wn_err door_limits(void *s) {
    int hwm = DOOR_HWM, linger = 0, ipv6 = 1, backlog = 128;
    int64_t bytes_max = DOOR_MESSAGE_BYTES_MAX;
    bool ok = zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof hwm) == 0 &&
              zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) == 0 &&
              zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
              zmq_setsockopt(s, ZMQ_BACKLOG, &backlog, sizeof backlog) == 0 &&
              zmq_setsockopt(s, ZMQ_IPV6, &ipv6, sizeof ipv6) == 0;
    return ok ? WN_OK : WN_ERR_STATE;
}

wn_err wn_door_bind(void *zmq_ctx, const char *endpoint, const char *name, const wn_curve *own,
                    void **out_socket) {
    void *s = zmq_socket(zmq_ctx, ZMQ_ROUTER);
    if (s == NULL) return WN_ERR_STATE;
    int server = 1, handover = 1, handshake_ms = 5000;
    bool ok = door_limits(s) == WN_OK && zmq_setsockopt(s, ZMQ_CURVE_SERVER, &server, sizeof server) == 0 &&
              zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, own->secret_key, 40) == 0 &&
              zmq_setsockopt(s, ZMQ_ZAP_DOMAIN, name, strlen(name)) == 0 &&
              zmq_setsockopt(s, ZMQ_ROUTER_HANDOVER, &handover, sizeof handover) == 0 &&
              zmq_setsockopt(s, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof handshake_ms) == 0;
    wn_err err = ok ? WN_OK : WN_ERR_STATE;
    if (ok && zmq_bind(s, endpoint) != 0) err = errno == EADDRINUSE ? WN_ERR_BUSY : WN_ERR_IO;
    if (err != WN_OK) return zmq_close(s), err;
    *out_socket = s;
    return WN_OK;
}

wn_err wn_door_connect(void *zmq_ctx, const char *endpoint, const char *server_key, const wn_curve *own,
                       void **out_socket) {
    void *s = zmq_socket(zmq_ctx, ZMQ_DEALER);
    if (s == NULL) return WN_ERR_STATE;
    // A peer that was killed is back soon: a longest wait of a second was half of the way to its first ack.
    int reconnect_ms = 20, reconnect_max_ms = 100;
    bool ok = door_limits(s) == WN_OK && zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, server_key, 40) == 0 &&
              zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, own->public_key, 40) == 0 &&
              zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, own->secret_key, 40) == 0 &&
              zmq_setsockopt(s, ZMQ_RECONNECT_IVL, &reconnect_ms, sizeof reconnect_ms) == 0 &&
              zmq_setsockopt(s, ZMQ_RECONNECT_IVL_MAX, &reconnect_max_ms, sizeof reconnect_max_ms) == 0 &&
              zmq_connect(s, endpoint) == 0;
    if (!ok) return zmq_close(s), WN_ERR_CONFIG;
    *out_socket = s;
    return WN_OK;
}

const char *wn_door_peer(zmq_msg_t *msg) {
    return zmq_msg_gets(msg, "User-Id");
}

wn_err wn_door_endpoint(void *socket, char *out, size_t cap) {
    return zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, out, &cap) == 0 ? WN_OK : WN_ERR_STATE;
}

void wn_msg_close(zmq_msg_t *msg) {
    wn_wipe(zmq_msg_data(msg), zmq_msg_size(msg));
    zmq_msg_close(msg);
}
