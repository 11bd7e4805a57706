// SPDX-License-Identifier: Apache-2.0
// spool_sync.h: the spool's one thread, which makes transactions durable.
//
// The loop gives it a filled transaction and takes word of it; the thread
// touches nothing else of the spool. A full disk keeps the transaction and is
// tried again; a failed sync ends all acknowledgement, since nobody knows what
// the kernel then holds.
#pragma once

#include <pthread.h>

#include "recall.h"
#include "segment.h"

typedef struct wn_spool_held { // the newest record of one stream in a segment
    uint32_t stream;
    uint64_t last;
} wn_spool_held;

typedef struct wn_transaction {
    uint64_t number;
    uint8_t *bytes; // encrypted records
    size_t n, cap;
    wn_recall_op *ops;
    size_t ops_n, ops_cap;
    wn_spool_held *held;
    size_t held_n, held_cap;
    // where it goes; set when it is submitted
    uint32_t segment;
    uint64_t offset;
    bool create; // the segment begins with it
    uint64_t txn_before;
} wn_transaction;

typedef struct wn_spool_sync {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, calm;
    bool started;
    int dir_fd, event_fd;
    int64_t delay_ms;
    wn_recall_files files; // the thread's alone
    int fd;                // of segment `number`; the thread's alone
    uint32_t number;
    // under the lock
    wn_transaction *job; // NULL: at rest
    uint32_t *unlinks;
    size_t unlinks_n, unlinks_cap;
    bool stop, unlinking;
    wn_err err;
    uint64_t done_txn;
    int64_t took_ns; // its fdatasync
    uint32_t done_segment;
    uint64_t done_end;
} wn_spool_sync;

// `files`, done_* and dir_fd are set by the caller before.
WN_MUST_USE wn_err wn_spool_sync_start(wn_spool_sync *y);
void wn_spool_sync_stop(wn_spool_sync *y); // finishes the job unless the disk refuses it
bool wn_spool_sync_busy(wn_spool_sync *y);
wn_err wn_spool_sync_error(wn_spool_sync *y);
// Keeps `t` until the thread is no longer busy.
void wn_spool_sync_give(wn_spool_sync *y, wn_transaction *t);
// Unlinks a segment after the memories are synced.
WN_MUST_USE wn_err wn_spool_sync_unlink(wn_spool_sync *y, uint32_t number);
// Until everything given is done, or fails.
WN_MUST_USE wn_err wn_spool_sync_wait(wn_spool_sync *y);
