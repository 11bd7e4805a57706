// SPDX-License-Identifier: Apache-2.0
// spool_rig.h: a spool in a directory of its own, for tests.
#pragma once

#include "spool.h"

typedef struct spool_rig {
    char dir[64]; // holds `slots` and `spool/`
    char spool_dir[80];
    wn_slots *keys;
    wn_spool *spool;
    wn_batch_builder *builder;
    uint64_t bytes_max, cut;
    int64_t sync_delay_ms, now_s;
} spool_rig;

// Fails the test on any error.
void rig_make(spool_rig *r);  // makes the directory, opens the spool
void rig_open(spool_rig *r);  // opens again what is there
void rig_close(spool_rig *r); // keeps the files
void rig_end(spool_rig *r);   // closes and removes the files

// Day `day` of UTC web sites.
wn_window rig_window(int32_t day);
// Adds a batch of n observations whose org is `mark`.
wn_err rig_try_add(spool_rig *r, const wn_window *w, uint64_t mark, unsigned n, wn_batch_id *out);
wn_batch_id rig_add(spool_rig *r, const wn_window *w, uint64_t mark, unsigned n);
// Submits and waits until it is durable; its number.
uint64_t rig_commit(spool_rig *r);
// Waits until the eventfd tells; what wn_spool_done says.
wn_err rig_wait(spool_rig *r, uint64_t *out_txn);
// The next record, whose batch must be whole and of one mark; false: none.
bool rig_next(spool_rig *r, wn_spool_record *out, uint64_t *out_mark);
// Files in the spool's directory that end in `suffix`.
unsigned rig_files(const spool_rig *r, const char *suffix);
void rig_path(const spool_rig *r, const char *name, char out[160]);
