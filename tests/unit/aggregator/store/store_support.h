// SPDX-License-Identifier: Apache-2.0
// store_support.h: a folder of its own for each test, and raw sight of an LMDB
// environment from outside the product's code.
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "winnow/window.h"

#define MAP_BYTES ((size_t)64 << 20)

static const uint8_t test_key[32] = {7,    1,    4,    9,    0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,
                                     0x58, 0x59, 0x5A, 0x5B, 0x5C, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6,
                                     0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 1};

static inline char *folder_new(void) {
    char *path = strdup("/tmp/wn_store_XXXXXX");
    cr_assert(path && mkdtemp(path));
    cr_assert_eq(wn_crypt_init(), WN_OK);
    return path;
}

static inline void folder_remove(const char *path) {
    DIR *d = opendir(path);
    if (!d) return;
    const struct dirent *e;
    while ((e = readdir(d))) {
        char *sub = NULL;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (asprintf(&sub, "%s/%s", path, e->d_name) < 0) continue;
        if (unlink(sub) != 0) folder_remove(sub);
        free(sub);
    }
    closedir(d);
    rmdir(path);
}

static inline void folder_free(char *path) {
    folder_remove(path);
    free(path);
}

static inline wn_window window_of_day(int32_t day) {
    return (wn_window){.zone = "Europe/Berlin",
                       .kind = WN_KIND_WEB,
                       .day = day,
                       .start_s = (int64_t)day * 86400 - 3600,
                       .end_s = (int64_t)day * 86400 + 82800};
}

static inline uint8_t *file_read(const char *folder, const char *name, size_t *out_n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    cr_assert(f);
    cr_assert_eq(fseek(f, 0, SEEK_END), 0);
    size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(n + 1);
    cr_assert(bytes && fread(bytes, 1, n, f) == n);
    fclose(f);
    *out_n = n;
    return bytes;
}

static inline bool file_holds(const char *folder, const char *name, const void *what, size_t what_n) {
    size_t n;
    uint8_t *bytes = file_read(folder, name, &n);
    bool found = memmem(bytes, n, what, what_n) != NULL;
    free(bytes);
    return found;
}

// Runs fn on the named database in a write transaction of its own.
static inline void raw_edit(const char *folder, const char *db,
                            void (*fn)(MDB_txn *txn, MDB_dbi dbi, void *ctx), void *ctx) {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, 8), 0);
    cr_assert_eq(mdb_env_set_mapsize(env, MAP_BYTES), 0);
    cr_assert_eq(mdb_env_open(env, folder, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, db, 0, &dbi), 0);
    fn(txn, dbi, ctx);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static inline void raw_delete(MDB_txn *txn, MDB_dbi dbi, void *ctx) {
    cr_assert_eq(mdb_del(txn, dbi, ctx, NULL), 0);
}
