// SPDX-License-Identifier: Apache-2.0
// windows.h: the open windows of the aggregator, from first batch to seal.
//
// One loop thread. Batches are staged; stage() folds them and hands the
// records to the stores; commit() (any one thread) makes them durable;
// committed() moves the watermarks. Ticks and seals run only between commits.
#pragma once

#include "keeper.h"
#include "purge_list.h"
#include "published.h"
#include "slots.h"

typedef struct wn_windows wn_windows;

typedef struct wn_windows_env { // all borrowed for the life of wn_windows
    const wn_options *options;
    const wn_sites *const *sites; // follows a reload
    const wn_plan *plan;          // for windows opened from now on
    wn_slots *slots;
    wn_kept *identity;
    wn_published *published;
    const char *open_dir;
    uint32_t p_percent;
    int64_t replay_ms; // how long opening may replay before it returns (0: not); work does the rest
} wn_windows_env;

// Opens every window found on disk, begins to replay it, finishes a seal that
// was cut off. A window that fails its authentication is set aside: what comes
// for it is late.
WN_MUST_USE wn_err wn_windows_open(const wn_windows_env *env, int64_t now_s, wn_windows **out);
void wn_windows_close(wn_windows *ws);

// Takes a batch: answers ACK (deferred when it counts or waits for the running
// commit), EXPECT, SEALED, REFUSED or BUSY. *out_sequence goes into the answer.
// `bytes` is what the reader was begun with.
wn_answer wn_windows_take(wn_windows *ws, wn_batch_reader *batch, wn_span bytes, int64_t now_s,
                          uint64_t *out_sequence, bool *out_deferred);
wn_window_state wn_windows_state(const wn_windows *ws, const wn_window *w);

// A window whose fold is not rebuilt yet takes batches, durable and acked like
// any; they wait in its store. It publishes nothing until it is whole. work goes
// on with the replays until the monotonic clock says until_ms; only between commits.
bool wn_windows_replaying(const wn_windows *ws);
WN_MUST_USE wn_err wn_windows_work(wn_windows *ws, int64_t until_ms);

bool wn_windows_staged(const wn_windows *ws); // something waits for a commit
bool wn_windows_full(const wn_windows *ws);   // take no more until the commit is done
WN_MUST_USE wn_err wn_windows_stage(wn_windows *ws, int64_t now_s);
WN_MUST_USE wn_err wn_windows_commit(wn_windows *ws); // sync thread
void wn_windows_committed(wn_windows *ws);

// Publishes the steps that every open window may take now; one that is still
// being replayed takes none.
WN_MUST_USE wn_err wn_windows_tick(wn_windows *ws, int64_t now_s, size_t *out_rows_moved);

// ---- seal ----
// Marks a window as closing; WN_ERR_NOTFOUND when it is not open. forced: no
// waiting for collectors that have not been heard of since this daemon started.
WN_MUST_USE wn_err wn_windows_close_begin(wn_windows *ws, const wn_window *w, bool forced, int64_t now_s);
// A collector has drained: its stream ended with `sequence`.
void wn_windows_collector_closed(wn_windows *ws, const uint8_t collector[16], const wn_window *w,
                                 uint64_t generation, uint64_t sequence);
// False while the window is replayed. True when every collector named in `ids` (and every one that ever sent
// to this window) has said closed, or seal_hold has passed.
bool wn_windows_drained(const wn_windows *ws, const wn_window *w, const uint8_t (*ids)[16], size_t n,
                        int64_t now_s);
// Publishes for the last time, then destroys keys and files. Nothing staged.
WN_MUST_USE wn_err wn_windows_seal(wn_windows *ws, const wn_window *w, int64_t now_s, uint64_t *out_rows);

// ---- purges (R16) ----
// Batches carry marks (WN_OBS_PURGE). From a mark on what it names counts no more; this takes what
// counted before out of the windows that are whole. Only between commits.
WN_MUST_USE wn_err wn_windows_purge(wn_windows *ws);
// The ledger's word that one was asked for.
WN_MUST_USE wn_err wn_windows_purge_asked(wn_windows *ws, const wn_purge *p, int64_t now_s);
// Searches every open window for what was purged, in memory and as read back from disk. When nothing
// is found: deletes a site's published rows, writes PURGED, *out_done. Else: later, again. Only between
// commits.
WN_MUST_USE wn_err wn_windows_purge_end(wn_windows *ws, const wn_purge *p, int64_t now_s, bool *out_done);

// Destroys, unpublished, the windows that failed their authentication and whose time is over.
WN_MUST_USE wn_err wn_windows_bury_bad(wn_windows *ws, int64_t now_s);
size_t wn_windows_bad(const wn_windows *ws);

// Iteration for status and the seal timer.
typedef struct wn_window_info {
    wn_window window;
    int64_t seals_at_s; // 0: on request or after an idle seal_hold (backfilled)
    int64_t due_ms;     // the same on the monotonic clock
    bool closing;
    unsigned replayed_percent; // 100: whole
    uint64_t people, fold_bytes, file_bytes;
    int64_t last_batch_s;
} wn_window_info;
size_t wn_windows_count(const wn_windows *ws);
void wn_windows_info(const wn_windows *ws, size_t i, wn_window_info *out);
uint64_t wn_windows_late(const wn_windows *ws);  // observations for sealed windows
uint64_t wn_windows_bytes(const wn_windows *ws); // memory of all folds
