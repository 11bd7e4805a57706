// SPDX-License-Identifier: Apache-2.0
// cli_ask.c: the CLI's half of the control socket.
#include "cli_ask.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RELOAD_MS 6000
#define RELOAD_TRIES 3

static void put(wn_question *q, const char *text) {
    msgpack_pack_str(&q->packer, strlen(text));
    msgpack_pack_str_body(&q->packer, text, strlen(text));
}

void wn_question_init(wn_question *q, const char *verb, uint32_t more_pairs) {
    msgpack_sbuffer_init(&q->buffer);
    msgpack_packer_init(&q->packer, &q->buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&q->packer, 1 + (size_t)more_pairs);
    put(q, "do");
    put(q, verb);
}

void wn_question_text(wn_question *q, const char *key, const char *value) {
    put(q, key);
    put(q, value);
}

void wn_question_flag(wn_question *q, const char *key, bool value) {
    put(q, key);
    if (value) msgpack_pack_true(&q->packer);
    else msgpack_pack_false(&q->packer);
}

void wn_question_number(wn_question *q, const char *key, uint64_t value) {
    put(q, key);
    msgpack_pack_uint64(&q->packer, value);
}

void wn_question_bin(wn_question *q, const char *key, wn_span value) {
    put(q, key);
    msgpack_pack_bin(&q->packer, value.n);
    msgpack_pack_bin_body(&q->packer, value.p, value.n);
}

void wn_question_texts(wn_question *q, const char *key, const char *const *value, size_t n) {
    put(q, key);
    msgpack_pack_array(&q->packer, n);
    for (size_t i = 0; i < n; i++) put(q, value[i]);
}

void wn_question_fini(wn_question *q) {
    if (q->buffer.data) wn_wipe(q->buffer.data, q->buffer.size);
    msgpack_sbuffer_destroy(&q->buffer);
}

void wn_reply_fini(wn_reply *r) {
    if (r->held) wn_msg_close(&r->msg);
    r->held = false;
}

bool wn_reply_find(const wn_reply *r, const char *key, wn_mp *out) {
    wn_mp m;
    uint32_t pairs = 0;
    if (!r->held) return false;
    zmq_msg_t *msg = (zmq_msg_t *)(uintptr_t)&r->msg; // libzmq reads, though its type says otherwise
    wn_mp_init(&m, (wn_span){zmq_msg_data(msg), zmq_msg_size(msg)});
    if (!wn_mp_map(&m, 256, &pairs)) return false;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span name;
        if (!wn_mp_str(&m, 128, &name)) return false;
        if (name.n == strlen(key) && memcmp(name.p, key, name.n) == 0) {
            *out = m;
            return true;
        }
        if (!wn_mp_skip(&m, 8)) return false;
    }
    return false;
}

bool wn_reply_flag(const wn_reply *r, const char *key) {
    wn_mp m;
    bool value = false;
    return wn_reply_find(r, key, &m) && wn_mp_bool(&m, &value) && value;
}

bool wn_reply_number(const wn_reply *r, const char *key, int64_t *out) {
    wn_mp m;
    return wn_reply_find(r, key, &m) && wn_mp_int(&m, out);
}

bool wn_reply_text(const wn_reply *r, const char *key, char *out, size_t cap) {
    wn_mp m;
    wn_span text;
    if (!wn_reply_find(r, key, &m) || !wn_mp_str(&m, cap - 1, &text)) return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

pid_t wn_ask_pid(const char *role_dir) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct ucred peer = {0};
    socklen_t n = sizeof peer;
    int len = snprintf(a.sun_path, sizeof a.sun_path, "%s/control.sock", role_dir);
    if (len <= 0 || (size_t)len >= sizeof a.sun_path) return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 0;
    bool there = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
                 getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0;
    close(fd);
    return there ? peer.pid : 0;
}

wn_err wn_cli_ask(wn_cli *c, const char *role_dir, const wn_question *q, int timeout_ms, wn_reply *out) {
    wn_ask_line *line = NULL;
    *out = (wn_reply){0};
    WN_TRY(wn_ask_open(wn_cli_zmq(c), role_dir, &line));
    wn_err err = wn_ask_send(line, (wn_span){(const uint8_t *)q->buffer.data, q->buffer.size});
    if (err == WN_OK) err = wn_ask_recv(line, timeout_ms, &out->msg);
    out->held = err == WN_OK;
    wn_ask_close(line);
    return err;
}

static const char *role_of(const char *role_dir) {
    const char *slash = strrchr(role_dir, '/');
    return slash ? slash + 1 : role_dir;
}

bool wn_cli_ask_ok(wn_cli *c, const char *role_dir, const wn_question *q, int timeout_ms, wn_reply *out) {
    char text[400] = "";
    wn_err err = wn_cli_ask(c, role_dir, q, timeout_ms, out);
    if (err == WN_OK && wn_reply_flag(out, "ok")) return true;
    if (err == WN_ERR_NOTFOUND) {
        (void)wn_cli_failed("the %s does not run; start it with `winnow up%s`", role_of(role_dir), c->again);
    } else if (err == WN_ERR_AUTH || err == WN_ERR_IO) {
        (void)wn_cli_failed("cannot talk to the %s: %s; run this as the user who runs it", role_of(role_dir),
                            wn_err_text(err));
    } else if (err != WN_OK) {
        (void)wn_cli_failed("the %s: %s", role_of(role_dir), wn_err_text(err));
    } else {
        bool said = wn_reply_text(out, "text", text, sizeof text);
        (void)wn_cli_failed("the %s says: %s", role_of(role_dir), said ? text : "no, without a reason");
    }
    wn_reply_fini(out);
    return false;
}

static bool tell_reload(wn_cli *c, const char *dir) {
    wn_question q;
    wn_reply r;
    wn_question_init(&q, "reload", 0);
    bool well = wn_cli_ask_ok(c, dir, &q, RELOAD_MS, &r);
    if (well) wn_reply_fini(&r);
    wn_question_fini(&q);
    return well;
}

// It starts anew when its file has changed: who asks it at that moment asks again.
static bool tell_forward(wn_cli *c, const char *dir) {
    for (int i = 0; i < RELOAD_TRIES; i++) {
        wn_question q;
        wn_reply r;
        if (wn_ask_pid(dir) == 0) return true; // it reads it when it starts
        wn_question_init(&q, "reload", 0);
        wn_err err = wn_cli_ask(c, dir, &q, RELOAD_MS / RELOAD_TRIES, &r);
        wn_question_fini(&q);
        bool well = err == WN_OK && wn_reply_flag(&r, "ok");
        if (err == WN_OK) wn_reply_fini(&r);
        if (well) return true;
        if (err == WN_OK) break;
    }
    return tell_reload(c, dir); // and says what is wrong
}

bool wn_cli_reload(wn_cli *c) {
    const char *const dirs[] = {c->collector_dir, c->aggregator_dir};
    char forward_dir[300];
    bool any = false, bad = false;
    snprintf(forward_dir, sizeof forward_dir, "%.250s/forward", c->o.state_dir);
    for (size_t i = 0; i < WN_COUNT(dirs); i++) {
        if (wn_ask_pid(dirs[i]) == 0) continue;
        any = true;
        if (!tell_reload(c, dirs[i])) bad = true;
    }
    if (!tell_forward(c, forward_dir)) bad = true;
    if (!any) puts("It takes effect when Winnow starts (`winnow up`).");
    else if (!bad) puts("The running daemons know it.");
    return !bad;
}
