// SPDX-License-Identifier: Apache-2.0
// cli_ask.h: asks a running daemon over its control socket, reads its answer.
#pragma once

#include <msgpack.h>
#include <sys/types.h>

#include "cli.h"
#include "control.h"

// A request being written: {"do": verb, …pairs…}.
typedef struct wn_question {
    msgpack_sbuffer buffer;
    msgpack_packer packer;
} wn_question;
void wn_question_init(wn_question *q, const char *verb, uint32_t more_pairs);
void wn_question_text(wn_question *q, const char *key, const char *value);
void wn_question_flag(wn_question *q, const char *key, bool value);
void wn_question_number(wn_question *q, const char *key, uint64_t value);
void wn_question_bin(wn_question *q, const char *key, wn_span value);
void wn_question_texts(wn_question *q, const char *key, const char *const *value, size_t n);
void wn_question_fini(wn_question *q); // wipes

typedef struct wn_reply {
    zmq_msg_t msg;
    bool held;
} wn_reply;
void wn_reply_fini(wn_reply *r);
// Puts the cursor at the value of `key`. False when there is none.
bool wn_reply_find(const wn_reply *r, const char *key, wn_mp *out);
bool wn_reply_flag(const wn_reply *r, const char *key); // false when absent
bool wn_reply_number(const wn_reply *r, const char *key, int64_t *out);
bool wn_reply_text(const wn_reply *r, const char *key, char *out, size_t cap);

// Pid of the daemon that listens in this role's directory; 0: none. A kill and
// a restart are seen by it.
pid_t wn_ask_pid(const char *role_dir);

// One question, one answer. WN_ERR_NOTFOUND: nobody listens. WN_OK says only
// that an answer came: look at wn_reply_flag(r, "ok").
WN_MUST_USE wn_err wn_cli_ask(wn_cli *c, const char *role_dir, const wn_question *q, int timeout_ms,
                              wn_reply *out);
// The same with its words: false after a message on stderr, also when the daemon said no.
bool wn_cli_ask_ok(wn_cli *c, const char *role_dir, const wn_question *q, int timeout_ms, wn_reply *out);
// Tells running daemons to read the configuration again, and says what happened.
bool wn_cli_reload(wn_cli *c);
