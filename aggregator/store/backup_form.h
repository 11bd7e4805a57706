// SPDX-License-Identifier: Apache-2.0
// backup_form.h: the bytes that writing and reading a backup agree on.
//
// Inside the boxes: records of kind u8, length u32, bytes. The first is
// WN_BACKUP_FIRST (when it was made), the last WN_BACKUP_LAST (ledger's number and
// head, rows, windows); between them a store's databases by number.
#pragma once

#include <string.h>

#include "backup.h"
#include "bytes.h"

enum {
    WN_BACKUP_HEAD_BYTES = 16,
    WN_BACKUP_RECORD_BYTES = 5,
    WN_BACKUP_LAST_BYTES = 8 + 32 + 8 + 8,
    WN_BACKUP_FIRST = 0xF0,
    WN_BACKUP_LAST = 0xF1,
};
static const uint8_t wn_backup_magic[8] = {'W', 'N', 'B', 'A', 'C', 'K', 'U', 'P'};

// Magic, format of the file, format of the records.
static inline void wn_backup_head(uint8_t out[WN_BACKUP_HEAD_BYTES]) {
    memcpy(out, wn_backup_magic, sizeof wn_backup_magic);
    wn_put_le(out + 8, WN_BACKUP_FORMAT, 4);
    wn_put_le(out + 12, WN_PUBLISHED_FORMAT, 4);
}
