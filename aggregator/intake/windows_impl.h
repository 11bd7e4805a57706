// SPDX-License-Identifier: Apache-2.0
// windows_impl.h: the open window's insides, for the window*.c files only.
#pragma once

#include "commit.h"
#include "noise.h"
#include "open_store.h"
#include "window_purge.h"
#include "windows.h"

#define WN_EPOCHS_MAX 16
#define WN_TEXT_KEYS_MAX 4

typedef struct epoch {
    uint8_t edge[8], core[8];
} epoch;

typedef struct stream {  // a collector's batches of one spool generation
    wn_batch_id durable; // sequence: newest that is durable
    uint64_t staged;     // newest taken
    uint64_t committing; // newest in the running commit
} stream;

typedef struct closed_by { // a collector that has drained
    uint8_t collector[16];
    uint64_t generation, sequence; // its last batch; 0: it sent none
} closed_by;

typedef struct held_batch { // sealed
    uint8_t *box;
    size_t bytes;
} held_batch;

typedef struct seal_record { // what makes a seal that was cut off end as it began
    uint8_t seed[WN_NOISE_SEED_BYTES];
    int64_t at_s;
    bool made; // it is in the store
} seal_record;

typedef struct open_window {
    wn_window window;
    char text[WN_WINDOW_TEXT_BYTES];
    wn_open_store *store;
    wn_fold *fold;
    wn_plan plan; // the plan in force when the window opened
    wn_table_keys keys;
    uint8_t key_store[32], core_name[8];
    uint8_t text_key[WN_TEXT_KEYS_MAX][32]; // more than one when a collector lost its state
    size_t text_keys_n;
    uint64_t declare[WN_SITES_MAX]; // sites that declared organisations while it was open
    size_t declare_n;
    epoch epochs[WN_EPOCHS_MAX];
    size_t epochs_n;
    stream *streams; // at most WN_OPEN_MARKS_MAX
    size_t streams_n, streams_cap;
    closed_by closed[64];
    size_t closed_n;
    wn_rows rows;  // as published
    wn_rows noise; // drawn at the seal
    seal_record seal;
    uint64_t tick;
    uint32_t policy_version; // of its first batch: rows and ledger carry one
    uint64_t policy_id;
    bool backfilled, closing, forced, meta_dirty, policies_told;
    bool policy_noted; // the ledger knows the policy
    bool dirty;     // something waits in `filling`
    bool in_commit; // `storing` is being made durable
    int64_t closing_since_s, last_batch_s;
    int64_t due_ms; // on the monotonic clock: a wall clock that leaps seals nothing early (R7)
    wn_commit *filling, *storing;
    uint32_t filling_obs; // held ones included
    bool replayed;        // the fold is whole: from here on it may be read
    bool applies;         // `storing` has records
    wn_open_replay replay;
    held_batch *held; // taken before that, not yet in the store
    size_t held_n, held_cap;
    uint64_t held_left; // in the store
    wn_window_purges purges;
} open_window;

struct wn_windows {
    wn_windows_env env;
    open_window **open;
    size_t n, cap;
    uint64_t late;
    wn_window
        bad[WN_IDENTITIES_MAX]; // on disk, but not authentic: never served, destroyed when their time is over
    size_t bad_n;
    wn_batch_reader reader; // of what was held
    uint8_t held_key[32];
    bool has_held_key;
};

open_window *wn_windows_find(const wn_windows *ws, const wn_window *w);
// Forgets the window: closes its store, wipes, frees, takes it from the table.
void wn_windows_drop(wn_windows *ws, open_window *o);
// The stream of a collector's generation, made on first sight; NULL at the limit or without memory.
stream *wn_windows_stream(open_window *o, const wn_batch_id *id);
// Puts a window aside that is not as it was written.
void wn_windows_set_aside(wn_windows *ws, open_window *o);
// The key of what an earlier start held, if there is one.
wn_err wn_windows_held_key(wn_windows *ws);
// Keeps a batch, sealed, for a fold that is still being rebuilt.
wn_err wn_windows_hold(wn_windows *ws, open_window *o, wn_span batch);
// Puts what was held so far into the running transaction of the window's store.
wn_err wn_windows_put_held(open_window *o);
void wn_windows_free_held(open_window *o);
// Gathers what the store holds, as much as fits, and says how many batches that
// was. WN_ERR_CORRUPT: set the window aside.
wn_err wn_windows_take_held(wn_windows *ws, open_window *o, int64_t now_s, uint64_t *out_n);
// What both ways of taking a batch do.
wn_err wn_windows_epoch(wn_windows *ws, open_window *o, const uint8_t edge[8], int64_t now_s, uint8_t *out);
wn_err wn_windows_gather(open_window *o, wn_batch_reader *batch, uint8_t e);
// window_purge.c: a mark among the observations; the fact "purge" out and in.
void wn_windows_purge_mark(open_window *o, const wn_observation *mark, const uint8_t edge[8]);
wn_err wn_windows_put_purges(open_window *o);
wn_err wn_windows_get_purges(open_window *o);
// Opens a window that nobody has seen; in the table when WN_OK.
wn_err wn_windows_open_new(wn_windows *ws, const wn_window *w, int64_t now_s, open_window **out);
// Puts text key, epochs and such into the running transaction of the window's store.
wn_err wn_windows_put_meta(open_window *o);
// The lock rules of this window: p%, sites, and what they declared so far.
wn_lock_rules wn_windows_rules(const wn_windows *ws, open_window *o);
int64_t wn_windows_seals_at(const open_window *o); // 0: backfilled
// Reads the record of a seal that an earlier start began; makes one, durable, before anything is drawn.
wn_err wn_windows_seal_find(open_window *o);
wn_err wn_windows_seal_make(open_window *o, int64_t now_s);
// Publishes rows (a tick or, with `sealed`, the end) in one transaction.
wn_err wn_windows_publish(wn_windows *ws, open_window *o, bool sealed, int64_t now_s);
// One entry of its own; `o` gives the versions (NULL: none).
wn_err wn_windows_ledger(wn_windows *ws, const char text[WN_WINDOW_TEXT_BYTES], uint8_t what,
                         const open_window *o, int64_t now_s);
// Destroys what is left of a sealed window: files, keys, and says so in the ledger.
wn_err wn_windows_bury(wn_windows *ws, const wn_window *w, int64_t now_s);
