// SPDX-License-Identifier: Apache-2.0
// backup_files.h: names of backups, the rolling set of them, and the file of their key.
#pragma once

#include "crypt.h"

// "winnow-20261128T020000Z.backup".
#define WN_BACKUP_NAME_BYTES 40
void wn_backup_name(int64_t at_s, char out[WN_BACKUP_NAME_BYTES]);
bool wn_backup_is_name(const char *name);
// Unlinks all but the `keep` newest by name; files of other names stay. -1: an error in errno.
int wn_backup_roll(int dir_fd, unsigned keep);

// 64 hexadecimal digits and a newline, 0600; never written over.
WN_MUST_USE wn_err wn_backup_key_write(const char *path, const uint8_t key[WN_KEY_BYTES]);
WN_MUST_USE wn_err wn_backup_key_read(const char *path, uint8_t out[WN_KEY_BYTES]);
