// SPDX-License-Identifier: Apache-2.0
// tell.c: one question at a time, while everything else goes on.
#include "tell.h"

#include "clock.h"

void wn_tell_close(wn_tell *t) {
    if (t->line != NULL) wn_ask_close(t->line);
    t->line = NULL;
}

static wn_err wait_for_answer(wn_tell *t, zmq_msg_t *out) {
    wn_err err = WN_ERR_TIMEOUT;
    for (int64_t until = wn_monotonic_ms() + WN_TELL_MS;
         err == WN_ERR_TIMEOUT && wn_monotonic_ms() < until && t->meanwhile(t->ctx);)
        err = wn_ask_recv(t->line, WN_TELL_SLICE_MS, out);
    return err;
}

static wn_err ask(wn_tell *t, wn_span body) {
    zmq_msg_t answer;
    bool ok = false;
    if (wn_monotonic_ms() < t->not_before_ms) return WN_ERR_TIMEOUT;
    wn_err err = t->line != NULL ? WN_OK : wn_ask_open(t->zmq, t->dir, &t->line);
    if (err == WN_OK) err = wn_ask_send(t->line, body);
    if (err == WN_OK) err = wait_for_answer(t, &answer);
    if (err != WN_OK) {
        wn_tell_close(t); // a late answer must not be taken for the next one's
        t->not_before_ms = wn_monotonic_ms() + WN_TELL_AGAIN_MS;
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
    if (!ok) t->not_before_ms = wn_monotonic_ms() + WN_TELL_AGAIN_MS;
    return ok ? WN_OK : WN_ERR_STATE;
}

static void put_text(msgpack_packer *pk, const char *name, const char *text) {
    wn_put_str(pk, name);
    wn_put_str(pk, text);
}

wn_err wn_tell_progress(wn_tell *t, const wn_destination *d, const wn_public_head *head, const wn_progress *p,
                        uint64_t rows, const uint8_t content[32]) {
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
    wn_err err = ask(t, (wn_span){(const uint8_t *)buf.data, buf.size});
    msgpack_sbuffer_destroy(&buf);
    return err;
}
