// SPDX-License-Identifier: Apache-2.0
// recall.h: what the spool remembers to know a repeat: keyed hashes of batch
// ids, in two generations of 12 hours, and of imported pieces, for ever.
//
// The sets live on the loop's side, the files on the sync thread's; between
// them go ops. A hash reaches its file only after its transaction is durable
// in the log, so no file knows an id whose events are gone; the log carries
// the hash too, and a segment goes only after the files are synced.
#pragma once

#include "winnow/base.h"

#define WN_RECALL_LIFE_S (12 * 3600)
#define WN_RECALL_FILES 3 // ids.a, ids.b, imports
#define WN_RECALL_IMPORTS 2

typedef struct wn_recall_op {
    uint8_t file; // 0, 1: ids; WN_RECALL_IMPORTS
    bool rotate;  // empties the file first; `hash` is not used
    int64_t at_s;
    uint8_t hash[16];
} wn_recall_op;

typedef struct wn_recall_set {
    uint8_t (*slot)[16]; // open addressing; all zero: free
    size_t n, cap;       // cap is 0 or a power of two
} wn_recall_set;

typedef struct wn_recall {
    wn_recall_set set[WN_RECALL_FILES];
    int64_t start_s[2];
    uint8_t current; // the generation of ids that grows
} wn_recall;

typedef struct wn_recall_files {
    int fd[WN_RECALL_FILES];
    uint64_t end[WN_RECALL_FILES];
    bool dirty[WN_RECALL_FILES];
} wn_recall_files;

// Opens or makes the files and reads them. Ids that died before now_s are left
// out. A file that cannot be a memory is begun anew; another version: WN_ERR_VERSION.
WN_MUST_USE wn_err wn_recall_open(int dir_fd, int64_t now_s, wn_recall *out_r, wn_recall_files *out_f);
void wn_recall_close(wn_recall *r, wn_recall_files *f);

bool wn_recall_known(const wn_recall *r, bool import, const uint8_t hash[16]);
// Adds; gives the one or two ops that bring the files after. 0 ops: known
// already. WN_ERR_FULL when the imports' limit is reached.
WN_MUST_USE wn_err wn_recall_add(wn_recall *r, bool import, const uint8_t hash[16], int64_t now_s,
                                 wn_recall_op out_ops[2], size_t *out_n);

// The files' side. Write appends without syncing; *inout_done counts the ops that
// are written, so that a failed call goes on where it stopped.
WN_MUST_USE wn_err wn_recall_write(wn_recall_files *f, const wn_recall_op *ops, size_t n, size_t *inout_done);
WN_MUST_USE wn_err wn_recall_sync(wn_recall_files *f);
