// SPDX-License-Identifier: Apache-2.0
// backup.h: the published store as one encrypted file, and back (R16, L-R2).
//
// What is in it: rows, counts, windows' markers and the ledger. What is not: open windows,
// keys, the secret p%, the purge list. A record says what it is of, so that it
// can be put into a store under another key.
//
//   magic and format, 16 bytes      and in every box's authentication
//   head of the stream, 24 bytes
//   boxes: length u32, then bytes   XChaCha20-Poly1305, in order; the last says so
#pragma once

#include "published.h"
#include "purge_list.h"

#define WN_BACKUP_FORMAT 1
#define WN_BACKUP_RECEIVER "backup"     // as the ledger names it
#define WN_BACKUP_SLOT "backup"         // its key, among the storage keys
#define WN_BACKUP_BOX_BYTES (64u << 10) // plain bytes of a box

typedef struct wn_backup_info {
    int64_t made_at_s;
    uint64_t ledger_number;        // entries in it …
    uint8_t ledger_head[32];       // … and the digest of the last
    uint64_t rows, windows, bytes; // bytes: of the file
    uint8_t digest[32];            // BLAKE2b-256 of the file
} wn_backup_info;

// Called now and then with the bytes done so far.
typedef void (*wn_backup_progress)(void *ctx, uint64_t bytes);

// Writes what one transaction left, whoever writes meanwhile, and syncs. A record
// that fails its authentication ends it: WN_ERR_CORRUPT.
WN_MUST_USE wn_err wn_backup_write(const wn_published *p, const uint8_t key[WN_KEY_BYTES], int fd,
                                   int64_t now_s, wn_backup_progress progress, void *ctx,
                                   wn_backup_info *out);
// Reads the whole file: every box is authentic, every record is one, the ledger is
// sound and ends as it says. WN_ERR_FORMAT: no backup; WN_ERR_VERSION: of another
// version; WN_ERR_CORRUPT: damaged, cut, or under another key.
WN_MUST_USE wn_err wn_backup_check(int fd, const uint8_t key[WN_KEY_BYTES], wn_backup_progress progress,
                                   void *ctx, wn_backup_info *out);

typedef struct wn_restored {
    uint64_t rows, windows;
    uint64_t rows_purged;  // not brought back
    uint64_t windows_kept; // were here already
    uint64_t entries;      // of the ledger, that were not here
} wn_restored;

typedef enum wn_restore_fault {
    WN_RESTORE_WELL,
    WN_RESTORE_NO_PURGE_LIST,
    WN_RESTORE_LEDGER_HERE, // the ledger that is here is not sound
    WN_RESTORE_FORK,        // neither ledger is the beginning of the other
    WN_RESTORE_FILE,        // the file, as wn_backup_check has it
    WN_RESTORE_READY,       // `ready` said so
    WN_RESTORE_STORE,       // writing failed
} wn_restore_fault;

#define WN_RESTORE_LISTS 3

typedef struct wn_restore_ask { // all borrowed
    int fd;
    const uint8_t *key;                            // 32 bytes
    const wn_purge_list *purges[WN_RESTORE_LISTS]; // what one of them names stays away; all NULL: refused
    const wn_window *kinds;                        // zones and kinds whose windows may have been open
    size_t kinds_n;
    int64_t now_s;
    wn_backup_progress progress; // NULL fine, as is `ready`
    // The file is authentic and nothing is changed yet: keeps what must outlast the restore. An error ends
    // it.
    wn_err (*ready)(void *ctx);
    void *ctx;
} wn_restore_ask;

// Brings back what is not here, in one transaction; nothing is changed before the whole
// file was found authentic. Windows known here stay as they are. Sites purged since
// the backup, or still being purged, stay away. No window begun before now_s can be
// published again: those in either ledger, those of `kinds` since the backup, and any other.
// `p` must be the only opening of the store.
WN_MUST_USE wn_err wn_restore(wn_published *p, const wn_restore_ask *ask, wn_restored *out,
                              wn_restore_fault *out_fault);
