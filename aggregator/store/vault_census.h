// SPDX-License-Identifier: Apache-2.0
// vault_census.h: which keys a store holds, as one number a database.
//
// A value is authentic only under its key, but a key that was damaged, or a name
// of a database, makes values disappear without a word: a sealed window would look
// as if nobody had sealed it. The sum of keyed hashes of all keys says so at opening.
// Databases that the kind calls chained are left out: a gap in them has a name of its own.
#pragma once

#include <lmdb.h>

#include "vault.h"

typedef struct wn_vault_census {
    uint64_t sum[WN_VAULT_DBS_MAX]; // modulo 2^64
} wn_vault_census;

// A key came, or went.
void wn_vault_census_add(wn_vault_census *c, const wn_vault_kind *kind, const uint8_t name_key[WN_KEY_BYTES],
                         unsigned db, wn_span key);
void wn_vault_census_take(wn_vault_census *c, const wn_vault_kind *kind, const uint8_t name_key[WN_KEY_BYTES],
                          unsigned db, wn_span key);
// Every key that the databases hold now. Answers LMDB's code, or MDB_CORRUPTED
// for a key that no vault wrote.
int wn_vault_census_count(MDB_txn *txn, const MDB_dbi *dbi, const wn_vault_kind *kind,
                          const uint8_t name_key[WN_KEY_BYTES], wn_vault_census *out);
