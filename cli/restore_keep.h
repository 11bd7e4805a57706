// SPDX-License-Identifier: Apache-2.0
// restore_keep.h: what a restore must have kept before it brings a row back (R16).
//
// An installation that begins from a backup knows nothing of what was purged before:
// the next restore, or a collector that goes on, would bring it back.
#pragma once

#include "backup_files.h"
#include "purge_list.h"
#include "slots.h"

typedef struct wn_restore_kept {
    bool other_backup_key; // another one is here, and stays: backups are made under that
    size_t orgs_unknown;   // entries of organisations that nobody can recognise: their key is not here
} wn_restore_kept;

// Both roles' keys/purges hold what they held and what stands in `purges`; the keys given stay where the
// daemons look for them, unless there are others. Folders of keys exist; no daemon runs.
//   borrows  slots: the aggregator's. keys NULL: none were given.
//   errors   WN_ERR_FULL: more purges than a list holds. WN_ERR_CORRUPT: a list or the slots here are
//            damaged. WN_ERR_BUSY: the collector runs. All of it is durable when it returns WN_OK.
WN_MUST_USE wn_err wn_restore_keep(const char *aggregator_dir, const char *collector_dir, wn_slots *slots,
                                   const wn_purge_list *purges, const wn_backup_keys *keys,
                                   wn_restore_kept *out);
