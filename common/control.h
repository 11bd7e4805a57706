// SPDX-License-Identifier: Apache-2.0
// control.h: the CLI talks to a running daemon over STATE/ROLE/control.sock.
//
// ipc, CURVE, 0600, peer uid checked (SO_PEERCRED by directory mode 0700).
// Request: msgpack map {"do": verb, …}. Answer: map {"ok": bool, "text": str, …}.
// A long task may send several answers; the last has "more": false.
#pragma once

#include <msgpack.h>
#include <zmq.h>

#include "mp.h"
#include "policy.h"
#include "purge_list.h"
#include "zdoor.h"

typedef struct wn_control wn_control; // daemon side

// Handles one request. `body` is a map already entered past "do"; the handler
// writes its answer map with msgpack-c into `packer` (msgpack_packer *).
typedef struct wn_control_verb {
    const char *verb;
    // token names the asker for a later wn_control_answer; return true when
    // the answer was written now, false when it comes later.
    bool (*run)(void *daemon, uint64_t token, wn_mp *body, void *packer);
} wn_control_verb;

// role_dir: STATE/collector or STATE/aggregator; keys "control" (server) and
// "cli" (the one listed client) stand in role_dir/keys and are made if missing.
WN_MUST_USE wn_err wn_control_open(void *zmq_ctx, wn_zap *zap, const char *role_dir,
                                   const wn_control_verb *verbs, size_t n, void *daemon, wn_control **out);
void wn_control_close(wn_control *c);
void *wn_control_socket(wn_control *c); // to poll
void wn_control_turn(wn_control *c);    // handle what is waiting
void wn_control_answer(wn_control *c, uint64_t token, wn_span body);
// Pieces of an answer map: a string, a pair, and the whole {"ok", "text"}.
void wn_put_str(msgpack_packer *pk, const char *s);
void wn_put_bin(msgpack_packer *pk, const void *p, size_t n); // a value alone
void wn_put_uint(msgpack_packer *pk, const char *name, uint64_t v);
void wn_put_flag(msgpack_packer *pk, const char *name, bool v);
void wn_put_result(msgpack_packer *pk, bool ok, const char *text);
// Three pairs: policy_version, policy_date, policy_digest (its first 16 hex digits).
void wn_put_policy(msgpack_packer *pk, const wn_policy *p);

// A whole answer: {ok, purges: [{site, organisation, asked_at_s, done_at_s}…]}. Of an organisation no name.
void wn_put_purges(msgpack_packer *pk, const wn_purge_list *l);

// CLI side: sends, waits at most timeout_ms (-1: for ever) for one answer.
// WN_ERR_NOTFOUND when no daemon listens there.
typedef struct wn_ask_line wn_ask_line;
WN_MUST_USE wn_err wn_ask_open(void *zmq_ctx, const char *role_dir, wn_ask_line **out);
void wn_ask_close(wn_ask_line *l);
WN_MUST_USE wn_err wn_ask_send(wn_ask_line *l, wn_span body);
WN_MUST_USE wn_err wn_ask_recv(wn_ask_line *l, int timeout_ms, zmq_msg_t *out);
