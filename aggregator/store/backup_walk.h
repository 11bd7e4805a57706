// SPDX-License-Identifier: Apache-2.0
// backup_walk.h: a backup's records one by one, for backup*.c only.
#pragma once

#include "backup.h"
#include "published_impl.h"

// What a record holds, taken apart. Borrowed for the call.
typedef struct wn_backup_record {
    unsigned db; // DB_ROWS, DB_LEDGER, DB_WINDOWS or DB_COUNTS
    wn_span value;
    wn_public_head head; // rows
    size_t rows;
    wn_ledger_entry entry; // ledger
    wn_window window;      // all but ledger
    uint64_t site;         // rows and counts: its tag
} wn_backup_record;

typedef wn_err (*wn_backup_visit)(void *ctx, const wn_backup_record *r);
// visit NULL: only looks. An error of visit ends the walk and is answered.
wn_err wn_backup_walk(int fd, const uint8_t key[WN_KEY_BYTES], wn_backup_visit visit, void *ctx,
                      wn_backup_progress progress, void *progress_ctx, wn_backup_info *out);
