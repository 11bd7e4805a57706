// SPDX-License-Identifier: Apache-2.0
// aggregator.h: the daemon's one struct, for main.c and verbs.c only.
#pragma once

#include <msgpack.h>
#include <pthread.h>
#include <stdatomic.h>

#include "collectors.h"
#include "control.h"
#include "policy.h"
#include "steady.h"
#include "windows.h"

#define ASKERS_MAX 16 // CLI commands waiting for seals

typedef struct asker { // a `winnow seal` that waits
    uint64_t token;
    char windows[64][WN_WINDOW_TEXT_BYTES];
    size_t n;
    uint64_t rows;
    uint32_t sealed;
} asker;

typedef struct sync_thread {
    pthread_t thread;
    int wake_fd, done_fd; // eventfds
    wn_windows *windows;
    wn_err result;
    bool busy; // loop thread's view
    atomic_bool stop;
} sync_thread;

typedef struct aggregator {
    wn_options o;
    wn_sites *sites;
    wn_plan plan;
    wn_policy policy; // what collectors run under; known here for `status`, and so that a mistake is told
    wn_slots *slots;
    wn_kept identity;
    wn_published *published;
    wn_purge_list *purges;
    bool purge_drained[WN_PURGES_MAX]; // of the list's entries: its collector has delivered all
    int64_t purge_at_ms, purge_told_s; // the next search; when a late one was last told about
    wn_windows *windows;
    wn_collectors *collectors;
    wn_control *control;
    wn_zap *zap;
    void *zmq;
    sync_thread sync;
    asker askers[ASKERS_MAX];
    size_t askers_n;
    int64_t started_s, started_ms, next_tick_s, next_retain_s, last_batch_s;
    wn_steady steady;
    int64_t steady_wait_s; // until the wall clock is believed
    uint64_t batches, observations;
    bool tick_asked, stopping, failed;
    uint64_t tick_token;
    wn_batch_reader reader;
    char role_dir[300];
} aggregator;

// The verb "transferred", told by winnow-forward.
bool wn_aggregator_transferred(void *ctx, uint64_t token, wn_mp *body, void *packer);
// Tells every collector to drain this window.
void wn_aggregator_begin_closing(aggregator *d, const wn_window *w, bool forced);
// purges.c: what a collector says of a purge; windows and list, between commits.
WN_MUST_USE wn_err wn_aggregator_purge_ask(aggregator *d, const wn_uplink_msg *m, wn_uplink_msg *out_answer,
                                           bool *out_answers);
WN_MUST_USE wn_err wn_aggregator_purge_turn(aggregator *d);
typedef struct wn_reload_error {
    const char *file; // static words
    int line;         // 0: none
    char why[256];
} wn_reload_error;

// Reads sites.yaml and policy.yaml; on a mistake in either both old ones stay.
WN_MUST_USE wn_err wn_aggregator_load(aggregator *d, wn_reload_error *out);
void wn_aggregator_reload(aggregator *d);

extern const wn_control_verb wn_aggregator_verbs[];
extern const size_t wn_aggregator_verbs_n;
