// SPDX-License-Identifier: Apache-2.0
// winnow-bench-load: sends the work to a collector over ZeroMQ as SDKs do, as
// fast as it answers: 100 events a message, CURVE, a window of messages
// unanswered. Every event must be accepted.
//
//   --form key   makes the key pair in --dir and prints its public half
// Else prints "ready", waits for a line, sends, and prints what it took.
#include <errno.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_line.h"
#include "bench_world.h"
#include "crypt.h"
#include "mp.h"
#include "zdoor.h"

#define EVENTS 100
#define WINDOW 16
#define SILENCE_MS 30000

static void put(msgpack_packer *pk, const char *text, size_t n) {
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

static void put_event(msgpack_packer *pk, const wn_bench_event *e) {
    static const char *const names[WN_BENCH_FIELD_N] = {
        "site", "name", "url", "referrer", "time", "anonymous_id", "language", "screen", "ip", "user_agent"};
    unsigned n = e->measures;
    for (unsigned f = 0; f < WN_BENCH_FIELD_N; f++) n += e->n[f] > 0;
    msgpack_pack_map(pk, n);
    for (unsigned f = 0; f < WN_BENCH_FIELD_N; f++) {
        if (!e->n[f]) continue;
        put(pk, names[f], strlen(names[f]));
        if (f == WN_BENCH_TIME) msgpack_pack_int64(pk, strtoll(e->text + e->at[f], NULL, 10));
        else put(pk, e->text + e->at[f], e->n[f]);
    }
    if (!e->measures) return;
    put(pk, "purposes", 8);
    msgpack_pack_array(pk, 2);
    put(pk, "basic", 5);
    put(pk, "measure", 7);
}

static void make_message(const wn_bench_world *w, size_t from, size_t n, const char *prefix,
                         msgpack_sbuffer *out) {
    msgpack_packer pk;
    char id[64];
    msgpack_sbuffer_init(out);
    msgpack_packer_init(&pk, out, msgpack_sbuffer_write);
    int id_n = snprintf(id, sizeof id, "%s-%zu", prefix, from);
    msgpack_pack_map(&pk, 3);
    put(&pk, "v", 1);
    msgpack_pack_int(&pk, 1);
    put(&pk, "batch_id", 8);
    put(&pk, id, (size_t)id_n);
    put(&pk, "events", 6);
    msgpack_pack_array(&pk, n);
    for (size_t i = 0; i < n; i++) put_event(&pk, &w->event[from + i]);
}

// What an answer accepts; -1: an error, or one that cannot be read.
static int64_t accepted(const void *p, size_t n) {
    wn_mp m;
    uint32_t pairs;
    int64_t got = -1;
    wn_mp_init(&m, (wn_span){p, n});
    if (!wn_mp_map(&m, 16, &pairs)) return -1;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key;
        if (!wn_mp_str(&m, 32, &key)) return -1;
        uint64_t v = 0;
        if (key.n == 8 && memcmp(key.p, "accepted", 8) == 0 && wn_mp_uint(&m, UINT32_MAX, &v))
            got = (int64_t)v;
        else if (!wn_mp_skip(&m, 8)) return -1;
    }
    return got;
}

static bool send_all(void *socket, msgpack_sbuffer *message, size_t n, uint64_t *out_accepted) {
    size_t sent = 0, answered = 0;
    *out_accepted = 0;
    while (answered < n) {
        zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
        while (sent < n && sent - answered < WINDOW) {
            if (zmq_send(socket, message[sent].data, message[sent].size, ZMQ_DONTWAIT) < 0) {
                if (errno != EAGAIN) return false;
                item.events |= ZMQ_POLLOUT;
                break;
            }
            sent++;
        }
        if (zmq_poll(&item, 1, SILENCE_MS) <= 0)
            return fprintf(stderr, "winnow-bench-load: no answer\n"), false;
        for (;;) {
            zmq_msg_t msg;
            zmq_msg_init(&msg);
            if (zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) < 0) break;
            int64_t got = accepted(zmq_msg_data(&msg), zmq_msg_size(&msg));
            zmq_msg_close(&msg);
            if (got < 0)
                return fprintf(stderr, "winnow-bench-load: a message was answered with an error\n"), false;
            *out_accepted += (uint64_t)got;
            answered++;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_bench_world w;
    wn_curve own;
    char prefix[24], line[16];
    uint64_t raw, got = 0;
    if (!wn_bench_options_read(argc, argv, &o) || !o.dir) return 2;
    if (wn_crypt_init() != WN_OK || wn_curve_load(o.dir, "sdk", true, &own) != WN_OK) return 1;
    if (strcmp(o.form, "key") == 0) return puts(own.public_key), 0;
    if (!o.endpoint || !o.server_key || wn_random(&raw, sizeof raw) != WN_OK) return 2;
    if (!wn_bench_world_make(o.events, o.day_s, o.days, false, &w)) return 1;
    snprintf(prefix, sizeof prefix, "%016llx", (unsigned long long)raw);
    size_t n = (w.n + EVENTS - 1) / EVENTS, bytes = 0;
    msgpack_sbuffer *message = calloc(n, sizeof *message);
    if (!message) return 1;
    for (size_t i = 0; i < n; i++) {
        make_message(&w, i * EVENTS, i + 1 < n ? EVENTS : w.n - i * EVENTS, prefix, &message[i]);
        bytes += message[i].size;
    }
    void *ctx = zmq_ctx_new(), *socket = NULL;
    if (wn_door_connect(ctx, o.endpoint, o.server_key, &own, &socket) != WN_OK) return 1;
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;
    double from = wn_bench_wall_s(), cpu = wn_bench_cpu_s();
    bool well = send_all(socket, message, n, &got);
    printf("{\"events\":%zu,\"bytes\":%zu,\"accepted\":%llu,\"wall_s\":%.6f,\"cpu_s\":%.6f}\n", w.n, bytes,
           (unsigned long long)got, wn_bench_wall_s() - from, wn_bench_cpu_s() - cpu);
    fflush(stdout);
    zmq_close(socket);
    zmq_ctx_term(ctx);
    return well && got == w.n ? 0 : 1;
}
