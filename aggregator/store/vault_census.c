// SPDX-License-Identifier: Apache-2.0
#include "vault_census.h"

#include <sodium.h>
#include <string.h>

// Guards against chance, not against somebody who has the installation's key.
static uint64_t hash_of(const uint8_t name_key[WN_KEY_BYTES], unsigned db, wn_span key) {
    uint8_t in[1 + WN_VAULT_KEY_MAX], out[crypto_shorthash_BYTES];
    uint64_t h;
    _Static_assert(crypto_shorthash_KEYBYTES <= WN_KEY_BYTES && sizeof out == sizeof h, "SipHash");
    in[0] = (uint8_t)db;
    memcpy(in + 1, key.p, key.n);
    crypto_shorthash(out, in, 1 + key.n, name_key);
    memcpy(&h, out, sizeof h);
    return h;
}

void wn_vault_census_add(wn_vault_census *c, const wn_vault_kind *kind, const uint8_t name_key[WN_KEY_BYTES],
                         unsigned db, wn_span key) {
    if ((kind->chained >> db & 1) == 0) c->sum[db] += hash_of(name_key, db, key);
}

void wn_vault_census_take(wn_vault_census *c, const wn_vault_kind *kind, const uint8_t name_key[WN_KEY_BYTES],
                          unsigned db, wn_span key) {
    if ((kind->chained >> db & 1) == 0) c->sum[db] -= hash_of(name_key, db, key);
}

static int count_one(MDB_cursor *cursor, unsigned db, const wn_vault_kind *kind,
                     const uint8_t name_key[WN_KEY_BYTES], wn_vault_census *out) {
    MDB_val key, value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (key.mv_size == 0 || key.mv_size > WN_VAULT_KEY_MAX) return MDB_CORRUPTED;
        wn_vault_census_add(out, kind, name_key, db, (wn_span){key.mv_data, key.mv_size});
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

int wn_vault_census_count(MDB_txn *txn, const MDB_dbi *dbi, const wn_vault_kind *kind,
                          const uint8_t name_key[WN_KEY_BYTES], wn_vault_census *out) {
    *out = (wn_vault_census){0};
    for (unsigned db = 0; db < kind->dbs_n; db++) {
        MDB_cursor *cursor;
        if ((kind->chained >> db & 1) != 0) continue;
        int code = mdb_cursor_open(txn, dbi[db], &cursor);
        if (code != 0) return code;
        code = count_one(cursor, db, kind, name_key, out);
        mdb_cursor_close(cursor);
        if (code != 0) return code;
    }
    return 0;
}
