// SPDX-License-Identifier: Apache-2.0
// backup_files.h: names of backups, the rolling set of them, and the file of their key.
#pragma once

#include "crypt.h"

// "winnow-20261128T020000Z.backup".
#define WN_BACKUP_NAME_BYTES 40
void wn_backup_name(int64_t at_s, char out[WN_BACKUP_NAME_BYTES]);
bool wn_backup_is_name(const char *name);
// Opens and locks the file that a backup is written to before it has a name, empty. WN_ERR_BUSY: another
// backup writes here. WN_ERR_IO: errno says.
#define WN_BACKUP_PART ".winnow-backup.part"
WN_MUST_USE wn_err wn_backup_part(int dir_fd, int *out_fd);
// Names it by its time, or by the next second that no backup has; never over another. Durable.
#define WN_BACKUP_NAMES_MAX 60
WN_MUST_USE wn_err wn_backup_finish(int dir_fd, int64_t at_s, char out_name[WN_BACKUP_NAME_BYTES]);

#define WN_BACKUP_KEEP 7 // unless `winnow backup --keep` says another number
// How many backups lie in the folder, and the oldest's and newest's names. 0: none, or no folder; -1: an
// error in errno.
int wn_backup_count(const char *dir, char out_oldest[WN_BACKUP_NAME_BYTES],
                    char out_newest[WN_BACKUP_NAME_BYTES]);
// Unlinks all but the `keep` newest by name; files of other names stay. -1: an error in errno.
int wn_backup_roll(int dir_fd, unsigned keep);

// What a restore needs beside the backup and the purge list. `purge` tells which organisation an entry of
// that list means: without it the list says of organisations only that there were some.
typedef struct wn_backup_keys {
    uint8_t backup[WN_KEY_BYTES], purge[WN_KEY_BYTES];
    bool has_purge;
} wn_backup_keys;

// A line of 64 hexadecimal digits each, 0600; never written over.
WN_MUST_USE wn_err wn_backup_keys_write(const char *path, const wn_backup_keys *keys);
WN_MUST_USE wn_err wn_backup_keys_read(const char *path, wn_backup_keys *out);
