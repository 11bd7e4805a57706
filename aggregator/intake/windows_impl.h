// SPDX-License-Identifier: Apache-2.0
// windows_impl.h: the open window's insides, for windows.c and window_seal.c only.
#pragma once

#include "commit.h"
#include "open_store.h"
#include "windows.h"

#define WN_EPOCHS_MAX 16
#define WN_STREAMS_MAX 256  // (collector, generation) pairs of a window

typedef struct epoch {
    uint8_t edge[8], core[8];
} epoch;

typedef struct stream {       // a collector's batches of one spool generation
    wn_batch_id durable;      // sequence: newest that is durable
    uint64_t staged;          // newest taken
    uint64_t committing;      // newest in the running commit
} stream;

typedef struct closed_by {    // a collector that has drained
    uint8_t collector[16];
    uint64_t generation, sequence;  // its last batch; 0: it sent none
} closed_by;

typedef struct open_window {
    wn_window window;
    char text[WN_WINDOW_TEXT_BYTES];
    wn_open_store *store;
    wn_fold *fold;
    wn_plan plan;             // the plan in force when the window opened
    wn_table_keys keys;
    uint8_t key_store[32], text_key[32], core_name[8];
    bool has_text_key;
    epoch epochs[WN_EPOCHS_MAX];
    size_t epochs_n;
    stream streams[WN_STREAMS_MAX];
    size_t streams_n;
    closed_by closed[64];
    size_t closed_n;
    wn_rows rows;             // as published
    uint64_t tick;
    uint32_t policy_version;
    bool backfilled, closing, meta_dirty;
    bool dirty;               // something waits in `filling`
    bool in_commit;           // `storing` is being made durable
    int64_t closing_since_s, last_batch_s;
    wn_commit *filling, *storing;
    uint32_t filling_obs;
} open_window;

struct wn_windows {
    wn_windows_env env;
    open_window **open;
    size_t n, cap;
    uint64_t late;
};

open_window *wn_windows_find(const wn_windows *ws, const wn_window *w);
// Forgets the window: closes its store, wipes, frees, takes it from the table.
void wn_windows_drop(wn_windows *ws, open_window *o);
// Publishes rows (a tick or, with `sealed`, the end) in one transaction.
wn_err wn_windows_publish(wn_windows *ws, open_window *o, bool sealed, int64_t now_s);
// One entry of its own; `o` gives the versions (NULL: none).
wn_err wn_windows_ledger(wn_windows *ws, const char text[WN_WINDOW_TEXT_BYTES], uint8_t what, const open_window *o,
                         int64_t now_s);
// Destroys what is left of a sealed window: files, keys, and says so in the ledger.
wn_err wn_windows_bury(wn_windows *ws, const wn_window *w, int64_t now_s);
