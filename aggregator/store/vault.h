// SPDX-License-Identifier: Apache-2.0
// vault.h: an LMDB environment whose values are sealed and padded boxes.
//
// What both stores stand on, and the one file that knows LMDB. A transaction is
// recorded in memory and written by commit alone, on whichever thread calls it:
// so a full map is grown and the same transaction tried again.
// One thread at a time; at most one opening of a path in a process (LMDB's rule).
#pragma once

#include "crypt.h"
#include "winnow/window.h"

#define WN_VAULT_DBS_MAX 8
#define WN_VAULT_KEY_MAX 64
#define WN_VAULT_VALUE_MAX (256u << 20)
#define WN_VAULT_TXN_BYTES_MAX ((size_t)512 << 20) // recorded and not yet committed
#define WN_VAULT_MAP_MAX ((size_t)1 << 42)

typedef struct wn_vault wn_vault;
typedef struct wn_vault_txn wn_vault_txn;

typedef struct wn_vault_kind { // static storage
    const char *name;          // stands in the format entry
    uint32_t format;
    bool public_sizes; // values say nothing by their length: padded to 16 bytes, not to powers of two
    unsigned dbs_n;
    const char *db[WN_VAULT_DBS_MAX];
    unsigned chained; // bits: databases whose readers see a gap themselves; of the others a census is kept
} wn_vault_kind;

// Memory that held plain text: wiped when it grows and at the end.
typedef struct wn_vault_buf {
    uint8_t *p;
    size_t n, cap;
} wn_vault_buf;
WN_MUST_USE wn_err wn_vault_buf_fit(wn_vault_buf *b, size_t cap); // keeps the first n bytes
void wn_vault_buf_fini(wn_vault_buf *b);

// Opens the environment in folder `path`, making it (0700, files 0600) unless
// read_only. `context` enters the authentication of every value. Keeps `key`
// (borrowed) and `kind` until close. WN_ERR_NOTFOUND: read_only and not there.
// WN_ERR_CORRUPT: damaged, or made under another key or context.
WN_MUST_USE wn_err wn_vault_open(const wn_vault_kind *kind, const char *path, const char *context,
                                 const uint8_t key[WN_KEY_BYTES], size_t map_bytes, bool read_only,
                                 wn_vault **out);
void wn_vault_close(wn_vault *v); // NULL fine; aborts
// Unlinks the files and the folder, then syncs the parent. Missing ones are fine.
WN_MUST_USE wn_err wn_vault_remove(const char *path);
uint64_t wn_vault_file_bytes(const wn_vault *v);
// Grows with every commit of any process.
uint64_t wn_vault_commits(const wn_vault *v);

// A keyed name for what must not stand in the clear as an LMDB key.
void wn_vault_name(const wn_vault *v, wn_span in, uint8_t *out, size_t out_bytes);

// ---- writing: begin, then put, del and drop record; commit writes and syncs ----
WN_MUST_USE wn_err wn_vault_begin(wn_vault *v); // WN_ERR_STATE when begun or read_only
bool wn_vault_begun(const wn_vault *v);
WN_MUST_USE wn_err wn_vault_put(wn_vault *v, unsigned db, wn_span key, wn_span value);
WN_MUST_USE wn_err wn_vault_del(wn_vault *v, unsigned db, wn_span key);
// `last` (may be NULL) runs after what was recorded, in the same transaction;
// again from the start when the map was full. On an error nothing is written
// and all stays recorded: commit again, or abort.
typedef wn_err (*wn_vault_last)(void *ctx, wn_vault_txn *t);
WN_MUST_USE wn_err wn_vault_commit(wn_vault *v, wn_vault_last last, void *ctx);
void wn_vault_abort(wn_vault *v);
// Inside `last` only. The first error stays and is what commit answers.
void wn_vault_txn_put(wn_vault_txn *t, unsigned db, wn_span key, wn_span value);
void wn_vault_txn_empty(wn_vault_txn *t, unsigned db);
// Records of a database as this transaction leaves them; 0 after an error.
uint64_t wn_vault_txn_count(wn_vault_txn *t, unsigned db);

// ---- reading: what is committed ----
// Fills out (out->n bytes). WN_ERR_NOTFOUND, WN_ERR_CORRUPT.
WN_MUST_USE wn_err wn_vault_get(const wn_vault *v, unsigned db, wn_span key, wn_vault_buf *out);
// The record with the highest key: its key's bytes go to out_key.
WN_MUST_USE wn_err wn_vault_last_of(const wn_vault *v, unsigned db, uint8_t out_key[WN_VAULT_KEY_MAX],
                                    size_t *out_key_n, wn_vault_buf *out);
// Visits keys in [from, to) in order; an empty span is no bound. A value that is
// not authentic comes as state WN_ERR_CORRUPT and an empty span; the others are
// unaffected. fn answers false to stop. key and value are borrowed for the call.
typedef bool (*wn_vault_visit)(void *ctx, wn_span key, wn_err state, wn_span value);
WN_MUST_USE wn_err wn_vault_scan(const wn_vault *v, unsigned db, wn_span from, wn_span to, wn_vault_visit fn,
                                 void *ctx);

// The same over several databases, one after the other, as one and the same
// transaction left them all. fn gets which of them.
typedef bool (*wn_vault_visit_db)(void *ctx, unsigned db, wn_span key, wn_err state, wn_span value);
WN_MUST_USE wn_err wn_vault_snapshot(const wn_vault *v, const unsigned *dbs, size_t n, wn_vault_visit_db fn,
                                     void *ctx);

// Big endian, so that LMDB's byte order is the numbers' order.
static inline void wn_vault_be64(uint64_t x, uint8_t out[8]) {
    for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(x >> (56 - 8 * i));
}

static inline uint64_t wn_vault_of_be64(const uint8_t in[8]) {
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; i++) x = x << 8 | in[i];
    return x;
}
