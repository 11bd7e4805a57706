// SPDX-License-Identifier: Apache-2.0
// forward.h: brings each published window to each destination once, through kills,
// refusals and slow receivers.
//
// A job is one sealed (site, table, window) for one destination: its rows go in
// requests of the sink's size, in order. Before the first byte leaves, the ledger durably
// says which rows go where; after each answer the progress is made durable before the next
// is sent: what cannot be remembered is owed, and owed again, while nothing more is sent.
// Killed in between, the request goes again with the same ids; to a receiver that knows no
// repeats it does not, for there the rows were counted as doubtful before they left; nor after a
// restore does it send what that found begun.
// Sealed windows never change, so a job is done once and for ever. One thread.
// Sending, remembering and the clock come in from outside.
#pragma once

#include "sink.h"

#define WN_FORWARD_WAIT_MAX_S 3600         // between two attempts, unless the receiver asks for more
#define WN_FORWARD_RETRY_AFTER_MAX_S 86400 // what a receiver may ask for
#define WN_FORWARD_SUSPECTS_MAX 3          // windows of which nothing was taken, one after the other: stop

typedef struct wn_progress { // of a job
    uint32_t rows_done;      // sent or set aside, from the first
    uint32_t refused, doubtful;
    bool begun; // the ledger says that its rows may have left
    bool done;
    bool unsure; // it began, and how far it came was lost by a restore
} wn_progress;

typedef struct wn_forward_env { // borrowed for the life of the forwarder
    void *ctx;
    // {0} when nothing is known.
    wn_err (*progress)(void *ctx, const wn_destination *d, const wn_public_head *head, wn_progress *out);
    // Durable when it returns. With p->begun the ledger names these rows as being sent, with p->done as
    // taken, in the same transaction.
    wn_err (*record)(void *ctx, const wn_destination *d, const wn_public_head *head, const wn_progress *p,
                     uint64_t rows, const uint8_t content[32]);
    // Takes *r and leaves {0}. True: *out is the answer. False: it comes by wn_forward_answered.
    bool (*send)(void *ctx, size_t destination, const wn_destination *d, const wn_sink *sink,
                 wn_sink_request *r, wn_sink_answer *out);
    int64_t (*now_s)(void *ctx);
} wn_forward_env;

typedef enum wn_forward_state {
    WN_FORWARD_IDLE,    // all that is published is there
    WN_FORWARD_SENDING, // there is more to do now
    WN_FORWARD_WAITING, // after a failure
    WN_FORWARD_STOPPED, // until the operator acts
} wn_forward_state;

typedef struct wn_forward_info {
    char name[WN_RECEIVER_BYTES], kind[16];
    wn_forward_state state;
    int64_t again_at_s;                                            // WAITING
    int last_status;                                               // of HTTP; 0: none, or no answer
    wn_reason reason;                                              // WAITING, STOPPED: why
    uint64_t windows_left, rows_sent, rows_refused, rows_doubtful; // since the start
} wn_forward_info;

typedef struct wn_forward wn_forward;

// Takes the destinations (and wipes them at the end); secrets are read here: one that cannot be
// read stops its destination, not the others.
WN_MUST_USE wn_err wn_forward_new(const wn_forward_env *env, wn_destinations *to, wn_forward **out);
void wn_forward_free(wn_forward *f);
// Looks for what is published and not yet brought. Sends nothing; what is under way or owed stays.
WN_MUST_USE wn_err wn_forward_look(wn_forward *f, const wn_published *p);
// Tells what is owed, then sends one request to each destination that is due and has none under way.
// *out_next_s: when there is something to do again (INT64_MAX: nothing until a look or an answer).
// An error: somebody's progress could not be told, or the store not be read; the others were served.
WN_MUST_USE wn_err wn_forward_turn(wn_forward *f, const wn_published *p, int64_t *out_next_s);
// The answer to a request that was not answered at once; `a` is borrowed.
WN_MUST_USE wn_err wn_forward_answered(wn_forward *f, size_t destination, const wn_sink_answer *a);
// Tells what is owed and sends nothing. WN_OK: nothing is owed.
WN_MUST_USE wn_err wn_forward_settle(wn_forward *f);
size_t wn_forward_count(const wn_forward *f);
void wn_forward_info_of(const wn_forward *f, size_t i, wn_forward_info *out);
// The operator has acted: waiting and stopped ones are due now, but those whose secret could not be read.
void wn_forward_again(wn_forward *f);
