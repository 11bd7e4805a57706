// SPDX-License-Identifier: Apache-2.0
// Why: LMDB neither encrypts nor erases freed pages, so nothing may reach it
// but boxes. Never MDB_WRITEMAP or MDB_NOMEMINIT: either would let memory of
// ours into the file.
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault_census.h"
#include "vault_pages.h"

typedef struct op { // one recorded put or, without plain, del
    struct op *next;
    unsigned db;
    size_t key_n, plain_n; // plain: length ‖ bytes ‖ zeros
    uint8_t key[WN_VAULT_KEY_MAX];
    uint8_t plain[];
} op;

struct wn_vault {
    MDB_env *env;
    const wn_vault_kind *kind;
    const uint8_t *key; // borrowed
    uint8_t name_key[WN_KEY_BYTES];
    MDB_dbi dbi[WN_VAULT_DBS_MAX];
    bool read_only, begun;
    op *first, **end;
    size_t recorded_bytes;
    wn_vault_buf scratch;
    char context[WN_WINDOW_TEXT_BYTES];
    char path[];
};

struct wn_vault_txn {
    wn_vault *v;
    MDB_txn *txn;
    wn_vault_census census; // as this transaction leaves it
    int code;               // LMDB's first error, or 0
    wn_err err;             // ours
};

#define LENGTH_BYTES 4
#define FORMAT_KEY "format"
#define CHECK_KEY "check"
#define CENSUS_KEY "census"

static wn_err err_of(int code) {
    switch (code) {
    case 0: return WN_OK;
    case MDB_NOTFOUND:
    case ENOENT: return WN_ERR_NOTFOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT: return WN_ERR_FULL;
    case ENOMEM: return WN_ERR_NOMEM;
    case MDB_READERS_FULL:
    case EAGAIN:
    case EBUSY: return WN_ERR_BUSY;
    case EACCES:
    case EPERM: return WN_ERR_AUTH;
    case MDB_VERSION_MISMATCH: return WN_ERR_VERSION;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_VALSIZE:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL: return WN_ERR_CORRUPT;
    default: return WN_ERR_IO;
    }
}

wn_err wn_vault_buf_fit(wn_vault_buf *b, size_t cap) {
    if (cap <= b->cap) return WN_OK;
    uint8_t *p = malloc(cap);
    if (!p) return WN_ERR_NOMEM;
    if (b->n) memcpy(p, b->p, b->n);
    wn_wipe(b->p, b->cap);
    free(b->p);
    b->p = p;
    b->cap = cap;
    return WN_OK;
}

void wn_vault_buf_fini(wn_vault_buf *b) {
    wn_wipe(b->p, b->cap);
    free(b->p);
    *b = (wn_vault_buf){0};
}

// ---- boxes ----

typedef struct aad {
    uint8_t bytes[WN_WINDOW_TEXT_BYTES + 16 + 4 + WN_VAULT_KEY_MAX];
    size_t n;
} aad;

// context NUL db NUL format key: where a value belongs, so that it cannot be moved.
static wn_span aad_of(const wn_vault *v, const char *db, wn_span key, aad *out) {
    size_t context_n = strlen(v->context) + 1, db_n = strlen(db) + 1;
    WN_ASSERT(key.n <= WN_VAULT_KEY_MAX && db_n <= 16);
    memcpy(out->bytes, v->context, context_n);
    memcpy(out->bytes + context_n, db, db_n);
    out->n = context_n + db_n;
    for (unsigned i = 0; i < 4; i++) out->bytes[out->n++] = (uint8_t)(v->kind->format >> (8 * i));
    memcpy(out->bytes + out->n, key.p, key.n);
    out->n += key.n;
    return (wn_span){out->bytes, out->n};
}

static size_t padded_for(const wn_vault_kind *kind, size_t n) {
    return kind->public_sizes ? (n + 15) / 16 * 16 : wn_padded(n);
}

static size_t plain_bytes(const wn_vault_kind *kind, size_t value_n) {
    return padded_for(kind, LENGTH_BYTES + value_n);
}

static void plain_write(uint8_t *out, size_t out_n, wn_span value) {
    for (unsigned i = 0; i < LENGTH_BYTES; i++) out[i] = (uint8_t)(value.n >> (8 * i));
    if (value.n) memcpy(out + LENGTH_BYTES, value.p, value.n);
    memset(out + LENGTH_BYTES + value.n, 0, out_n - LENGTH_BYTES - value.n);
}

static wn_err box_read(const wn_vault *v, unsigned db, wn_span key, const MDB_val *box, wn_vault_buf *out) {
    size_t n = box->mv_size - WN_BOX_OVERHEAD;
    if (box->mv_size <= WN_BOX_OVERHEAD || n != padded_for(v->kind, n) || n > WN_VAULT_VALUE_MAX * (size_t)2)
        return WN_ERR_CORRUPT;
    if (key.n > WN_VAULT_KEY_MAX) return WN_ERR_CORRUPT;
    if (n > wn_vault_file_bytes(v)) return WN_ERR_CORRUPT;
    out->n = 0;
    WN_TRY(wn_vault_buf_fit(out, n));
    aad a;
    WN_TRY(wn_box_open(v->key, aad_of(v, v->kind->db[db], key, &a), (wn_span){box->mv_data, box->mv_size},
                       out->p));
    size_t length = 0;
    for (unsigned i = 0; i < LENGTH_BYTES; i++) length |= (size_t)out->p[i] << (8 * i);
    if (length > n - LENGTH_BYTES) return WN_ERR_CORRUPT;
    memmove(out->p, out->p + LENGTH_BYTES, length);
    out->n = length;
    return WN_OK;
}

// ---- opening ----

static wn_err folder_sync(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_of(errno);
    int code = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return err_of(code);
}

static wn_err parent_sync(const char *path) {
    char parent[4096];
    size_t n = strlen(path);
    if (n >= sizeof parent) return WN_ERR_FULL;
    memcpy(parent, path, n + 1);
    char *slash = strrchr(parent, '/');
    if (slash == parent) slash++;
    if (!slash) return folder_sync(".");
    *slash = 0;
    return folder_sync(parent);
}

static wn_err file_path(const char *folder, const char *name, char out[4096]) {
    int n = snprintf(out, 4096, "%s/%s", folder, name);
    return n > 0 && n < 4096 ? WN_OK : WN_ERR_FULL;
}

static int format_text(const wn_vault_kind *kind, char out[32]) {
    return snprintf(out, 32, "winnow %s %u", kind->name, (unsigned)kind->format);
}

// Plain, for a later version must be able to read what it cannot open.
static wn_err format_check(wn_vault *v, MDB_txn *txn, MDB_dbi main) {
    char want[32];
    size_t n = (size_t)format_text(v->kind, want);
    size_t stem = (size_t)(strrchr(want, ' ') - want) + 1;
    MDB_val key = {sizeof FORMAT_KEY - 1, FORMAT_KEY}, val;
    int code = mdb_get(txn, main, &key, &val);
    if (code == MDB_NOTFOUND && !v->read_only) {
        MDB_stat st;
        WN_TRY(err_of(mdb_stat(txn, main, &st)));
        if (st.ms_entries) return WN_ERR_CORRUPT; // not new, and not one of ours
        val = (MDB_val){n, want};
        return err_of(mdb_put(txn, main, &key, &val, 0));
    }
    if (code) return err_of(code);
    if (val.mv_size == n && memcmp(val.mv_data, want, n) == 0) return WN_OK;
    if (val.mv_size <= stem || val.mv_size >= sizeof want || memcmp(val.mv_data, want, stem) != 0)
        return WN_ERR_CORRUPT;
    return WN_ERR_VERSION;
}

// An empty box that opens under the right key and context alone: an empty store
// must not be taken over, nor an old one be written to, under a wrong one.
static wn_err key_check(wn_vault *v, MDB_txn *txn, MDB_dbi main) {
    enum { PLAIN_BYTES = 512 };
    uint8_t plain[PLAIN_BYTES] = {0}, sealed[PLAIN_BYTES + WN_BOX_OVERHEAD];
    aad a;
    wn_span place = aad_of(v, "", (wn_span){(const uint8_t *)CHECK_KEY, sizeof CHECK_KEY - 1}, &a);
    MDB_val key = {sizeof CHECK_KEY - 1, CHECK_KEY}, box;
    int code = mdb_get(txn, main, &key, &box);
    if (code == MDB_NOTFOUND && !v->read_only) {
        wn_box_seal(v->key, place, (wn_span){plain, sizeof plain}, sealed);
        box = (MDB_val){sizeof sealed, sealed};
        return err_of(mdb_put(txn, main, &key, &box, 0));
    }
    if (code) return err_of(code);
    if (box.mv_size != sizeof sealed) return WN_ERR_CORRUPT;
    return wn_box_open(v->key, place, (wn_span){box.mv_data, box.mv_size}, plain);
}

static wn_err census_read(const wn_vault *v, MDB_txn *txn, wn_vault_census *out) {
    MDB_dbi main;
    WN_TRY(err_of(mdb_dbi_open(txn, NULL, 0, &main)));
    aad a;
    wn_span place = aad_of(v, "", (wn_span){(const uint8_t *)CENSUS_KEY, sizeof CENSUS_KEY - 1}, &a);
    MDB_val key = {sizeof CENSUS_KEY - 1, CENSUS_KEY}, box;
    WN_TRY(err_of(mdb_get(txn, main, &key, &box)));
    if (box.mv_size != sizeof *out + WN_BOX_OVERHEAD) return WN_ERR_CORRUPT;
    return wn_box_open(v->key, place, (wn_span){box.mv_data, box.mv_size}, (uint8_t *)out);
}

static int census_write(const wn_vault *v, MDB_txn *txn, const wn_vault_census *c) {
    MDB_dbi main;
    int code = mdb_dbi_open(txn, NULL, 0, &main);
    if (code) return code;
    aad a;
    uint8_t sealed[sizeof *c + WN_BOX_OVERHEAD];
    wn_span place = aad_of(v, "", (wn_span){(const uint8_t *)CENSUS_KEY, sizeof CENSUS_KEY - 1}, &a);
    wn_box_seal(v->key, place, (wn_span){(const uint8_t *)c, sizeof *c}, sealed);
    MDB_val key = {sizeof CENSUS_KEY - 1, CENSUS_KEY}, box = {sizeof sealed, sealed};
    return mdb_put(txn, main, &key, &box, 0);
}

// Every key that was written is there, and no other. A store of before there was a census gets one.
static wn_err census_check(const wn_vault *v, MDB_txn *txn) {
    wn_vault_census is, was;
    WN_TRY(err_of(wn_vault_census_count(txn, v->dbi, v->kind, v->name_key, &is)));
    wn_err err = census_read(v, txn, &was);
    if (err == WN_ERR_NOTFOUND) return v->read_only ? WN_OK : err_of(census_write(v, txn, &is));
    WN_TRY(err);
    return memcmp(&is, &was, sizeof is) == 0 ? WN_OK : WN_ERR_CORRUPT;
}

// Begins to read; what is read is looked at before LMDB believes it. A root that
// is just being written looks damaged: another look, with another state.
static wn_err checked_read_begin(wn_vault *v, MDB_txn **out) {
    enum { TRIES = 8 };
    char data[4096];
    WN_TRY(file_path(v->path, "data.mdb", data));
    wn_err err = WN_ERR_BUSY;
    for (int i = 0; i < TRIES && (err == WN_ERR_BUSY || err == WN_ERR_CORRUPT); i++) {
        if (i > 0) (void)sched_yield();
        WN_TRY(err_of(mdb_txn_begin(v->env, NULL, MDB_RDONLY, out)));
        err = wn_vault_pages_check_at(data, mdb_txn_id(*out));
        if (err != WN_OK) mdb_txn_abort(*out);
    }
    return err;
}

static wn_err dbs_open(wn_vault *v) {
    MDB_txn *txn = NULL;
    MDB_dbi main;
    WN_TRY(v->read_only ? checked_read_begin(v, &txn) : err_of(mdb_txn_begin(v->env, NULL, 0, &txn)));
    wn_err err = err_of(mdb_dbi_open(txn, NULL, 0, &main));
    if (!err) err = format_check(v, txn, main);
    if (!err) err = key_check(v, txn, main);
    for (unsigned i = 0; !err && i < v->kind->dbs_n; i++)
        err = err_of(mdb_dbi_open(txn, v->kind->db[i], v->read_only ? 0 : MDB_CREATE, &v->dbi[i]));
    if (!err) err = census_check(v, txn);
#ifdef WN_MUTANT_KEY_IN_STORE
    MDB_val name = {3, "key"}, key = {WN_KEY_BYTES, (void *)(uintptr_t)v->key};
    if (!err && !v->read_only) err = err_of(mdb_put(txn, main, &name, &key, 0));
#endif
    if (err) {
        mdb_txn_abort(txn);
        return err;
    }
    return err_of(mdb_txn_commit(txn));
}

static size_t whole_pages(size_t map_bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (map_bytes + page - 1) / page * page;
}

static wn_err env_open(wn_vault *v, size_t map_bytes) {
    char data[4096];
    struct stat st;
    bool made = false;
    WN_TRY(file_path(v->path, "data.mdb", data));
    if (v->read_only) {
        if (stat(data, &st) != 0) return err_of(errno); // before LMDB makes a lock file
    } else {
        if (mkdir(v->path, 0700) != 0 && errno != EEXIST) return err_of(errno);
        made = stat(data, &st) != 0;
        WN_TRY(wn_vault_pages_check(data));
    }
    WN_TRY(err_of(mdb_env_create(&v->env)));
    WN_TRY(err_of(mdb_env_set_maxdbs(v->env, WN_VAULT_DBS_MAX)));
    if (!v->read_only) WN_TRY(err_of(mdb_env_set_mapsize(v->env, whole_pages(map_bytes))));
    unsigned flags = MDB_NOTLS | (v->read_only ? MDB_RDONLY : 0u);
    WN_TRY(err_of(mdb_env_open(v->env, v->path, flags, 0600)));
    int dead;
    (void)mdb_reader_check(v->env, &dead); // readers that were killed hold back free pages
    wn_err err;
    while ((err = dbs_open(v)) == WN_ERR_FULL && !v->read_only) {
        if (map_bytes > WN_VAULT_MAP_MAX / 2) return err;
        map_bytes *= 2;
        WN_TRY(err_of(mdb_env_set_mapsize(v->env, whole_pages(map_bytes))));
    }
    WN_TRY(err);
    if (made) {
        WN_TRY(folder_sync(v->path));
        WN_TRY(parent_sync(v->path));
    }
    return WN_OK;
}

wn_err wn_vault_open(const wn_vault_kind *kind, const char *path, const char *context,
                     const uint8_t key[WN_KEY_BYTES], size_t map_bytes, bool read_only, wn_vault **out) {
    WN_ASSERT(kind->dbs_n <= WN_VAULT_DBS_MAX && strlen(context) < WN_WINDOW_TEXT_BYTES && map_bytes > 0);
    wn_vault *v = calloc(1, sizeof *v + strlen(path) + 1);
    if (!v) return WN_ERR_NOMEM;
    v->kind = kind;
    v->key = key;
    v->read_only = read_only;
    v->end = &v->first;
    memcpy(v->context, context, strlen(context) + 1);
    memcpy(v->path, path, strlen(path) + 1);
    static const char names[] = "names of a store";
    wn_prf(key, (wn_span){(const uint8_t *)names, sizeof names - 1}, v->name_key, sizeof v->name_key);
    wn_err err = env_open(v, map_bytes);
    if (err) {
        wn_vault_close(v);
        return err;
    }
    *out = v;
    return WN_OK;
}

void wn_vault_close(wn_vault *v) {
    if (!v) return;
    wn_vault_abort(v);
    if (v->env) mdb_env_close(v->env);
    wn_vault_buf_fini(&v->scratch);
    wn_wipe(v->name_key, sizeof v->name_key);
    free(v);
}

wn_err wn_vault_remove(const char *path) {
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    for (size_t i = 0; i < WN_COUNT(files); i++) {
        char file[4096];
        WN_TRY(file_path(path, files[i], file));
        if (unlink(file) != 0 && errno != ENOENT) return WN_ERR_IO;
    }
    if (rmdir(path) != 0 && errno != ENOENT) return WN_ERR_IO;
    return parent_sync(path);
}

uint64_t wn_vault_file_bytes(const wn_vault *v) {
    int fd;
    struct stat st;
    if (mdb_env_get_fd(v->env, &fd) != 0 || fstat(fd, &st) != 0) return 0;
    return (uint64_t)st.st_size;
}

uint64_t wn_vault_commits(const wn_vault *v) {
    MDB_envinfo info;
    return mdb_env_info(v->env, &info) == 0 ? (uint64_t)info.me_last_txnid : 0;
}

void wn_vault_name(const wn_vault *v, wn_span in, uint8_t *out, size_t out_bytes) {
    wn_prf(v->name_key, in, out, out_bytes);
}

// ---- writing ----

static MDB_val val_of(wn_span s) {
    return (MDB_val){s.n, (void *)(uintptr_t)s.p};
}

wn_err wn_vault_begin(wn_vault *v) {
    if (v->begun || v->read_only) return WN_ERR_STATE;
    v->begun = true;
    return WN_OK;
}

bool wn_vault_begun(const wn_vault *v) {
    return v->begun;
}

static wn_err record(wn_vault *v, unsigned db, wn_span key, size_t plain_n, op **out) {
    WN_ASSERT(db < v->kind->dbs_n && key.n > 0 && key.n <= WN_VAULT_KEY_MAX);
    if (!v->begun) return WN_ERR_STATE;
    if (plain_n > WN_VAULT_TXN_BYTES_MAX - v->recorded_bytes) return WN_ERR_FULL;
    op *o = malloc(sizeof *o + plain_n);
    if (!o) return WN_ERR_NOMEM;
    o->next = NULL;
    o->db = db;
    o->plain_n = plain_n;
    o->key_n = key.n;
    memcpy(o->key, key.p, key.n);
    v->recorded_bytes += plain_n;
    *v->end = o;
    v->end = &o->next;
    *out = o;
    return WN_OK;
}

wn_err wn_vault_put(wn_vault *v, unsigned db, wn_span key, wn_span value) {
    if (value.n > WN_VAULT_VALUE_MAX) return WN_ERR_FULL;
    op *o;
    WN_TRY(record(v, db, key, plain_bytes(v->kind, value.n), &o));
    plain_write(o->plain, o->plain_n, value);
    return WN_OK;
}

wn_err wn_vault_del(wn_vault *v, unsigned db, wn_span key) {
    op *o;
    return record(v, db, key, 0, &o);
}

static void fail(wn_vault_txn *t, int code, wn_err err) {
    if (t->err || !err) return;
    t->code = code;
    t->err = err;
}

// Seals straight into the page LMDB reserves: no second copy.
static void put_plain(wn_vault_txn *t, unsigned db, wn_span key, wn_span plain) {
    if (t->err) return;
    MDB_val k = val_of(key), box = {plain.n + WN_BOX_OVERHEAD, NULL};
    int code = mdb_put(t->txn, t->v->dbi[db], &k, &box, MDB_RESERVE | MDB_NOOVERWRITE);
    if (code == 0) {
        wn_vault_census_add(&t->census, t->v->kind, t->v->name_key, db, key);
    } else if (code == MDB_KEYEXIST) {
        box = (MDB_val){plain.n + WN_BOX_OVERHEAD, NULL};
        code = mdb_put(t->txn, t->v->dbi[db], &k, &box, MDB_RESERVE);
    }
    if (code) {
        fail(t, code, err_of(code));
        return;
    }
    aad a;
    wn_box_seal(t->v->key, aad_of(t->v, t->v->kind->db[db], key, &a), plain, box.mv_data);
}

void wn_vault_txn_put(wn_vault_txn *t, unsigned db, wn_span key, wn_span value) {
    if (t->err) return;
    if (value.n > WN_VAULT_VALUE_MAX) {
        fail(t, 0, WN_ERR_FULL);
        return;
    }
    size_t n = plain_bytes(t->v->kind, value.n);
    t->v->scratch.n = 0;
    fail(t, 0, wn_vault_buf_fit(&t->v->scratch, n));
    if (t->err) return;
    plain_write(t->v->scratch.p, n, value);
    put_plain(t, db, key, (wn_span){t->v->scratch.p, n});
}

void wn_vault_txn_empty(wn_vault_txn *t, unsigned db) {
    if (t->err) return;
    int code = mdb_drop(t->txn, t->v->dbi[db], 0);
    t->census.sum[db] = 0;
    fail(t, code, err_of(code));
}

uint64_t wn_vault_txn_count(wn_vault_txn *t, unsigned db) {
    MDB_stat st;
    if (t->err) return 0;
    int code = mdb_stat(t->txn, t->v->dbi[db], &st);
    fail(t, code, err_of(code));
    return code ? 0 : st.ms_entries;
}

static void apply(wn_vault_txn *t, const op *o) {
    wn_span key = {o->key, o->key_n};
    if (o->plain_n) {
        put_plain(t, o->db, key, (wn_span){o->plain, o->plain_n});
        return;
    }
    if (t->err) return;
    MDB_val k = val_of(key);
    int code = mdb_del(t->txn, t->v->dbi[o->db], &k, NULL);
    if (code == 0) wn_vault_census_take(&t->census, t->v->kind, t->v->name_key, o->db, key);
    if (code != MDB_NOTFOUND) fail(t, code, err_of(code));
}

static void write_once(wn_vault_txn *t, wn_vault_last last, void *ctx) {
    int code = mdb_txn_begin(t->v->env, NULL, 0, &t->txn);
    if (code) {
        fail(t, code, err_of(code));
        return;
    }
    fail(t, 0, census_read(t->v, t->txn, &t->census));
    for (const op *o = t->v->first; o; o = o->next) apply(t, o);
    if (!t->err && last) {
        wn_err err = last(ctx, t);
        fail(t, 0, err);
    }
    if (!t->err) {
        code = census_write(t->v, t->txn, &t->census);
        fail(t, code, err_of(code));
    }
    if (t->err) {
        mdb_txn_abort(t->txn);
        return;
    }
    code = mdb_txn_commit(t->txn);
    fail(t, code, err_of(code));
}

static wn_err map_grow(wn_vault *v) {
    MDB_envinfo info;
    WN_TRY(err_of(mdb_env_info(v->env, &info)));
    if (info.me_mapsize > WN_VAULT_MAP_MAX / 2) return WN_ERR_FULL;
    return err_of(mdb_env_set_mapsize(v->env, info.me_mapsize * 2));
}

wn_err wn_vault_commit(wn_vault *v, wn_vault_last last, void *ctx) {
    if (!v->begun) return WN_ERR_STATE;
    for (;;) {
        wn_vault_txn t = {.v = v};
        write_once(&t, last, ctx);
        if (t.code == MDB_MAP_FULL) {
            WN_TRY(map_grow(v));
            continue;
        }
        WN_TRY(t.err);
        wn_vault_abort(v); // nothing is left to do but to forget
        return WN_OK;
    }
}

void wn_vault_abort(wn_vault *v) {
    while (v->first) {
        op *o = v->first;
        v->first = o->next;
        wn_wipe(o->plain, o->plain_n);
        free(o);
    }
    v->end = &v->first;
    v->recorded_bytes = 0;
    v->begun = false;
    wn_wipe(v->scratch.p, v->scratch.cap);
}

// ---- reading ----

static wn_err read_begin(const wn_vault *v, MDB_txn **out) {
    int code = mdb_txn_begin(v->env, NULL, MDB_RDONLY, out);
    if (code == MDB_MAP_RESIZED) { // the writing process has grown it
        WN_TRY(err_of(mdb_env_set_mapsize(v->env, 0)));
        code = mdb_txn_begin(v->env, NULL, MDB_RDONLY, out);
    }
    return err_of(code);
}

wn_err wn_vault_get(const wn_vault *v, unsigned db, wn_span key, wn_vault_buf *out) {
    MDB_txn *txn = NULL;
    WN_TRY(read_begin(v, &txn));
    MDB_val k = val_of(key), box;
    wn_err err = err_of(mdb_get(txn, v->dbi[db], &k, &box));
    if (!err) err = box_read(v, db, key, &box, out);
    mdb_txn_abort(txn);
    return err;
}

static wn_err last_of(const wn_vault *v, unsigned db, MDB_cursor *cursor, uint8_t out_key[WN_VAULT_KEY_MAX],
                      size_t *out_key_n, wn_vault_buf *out) {
    MDB_val key, box;
    WN_TRY(err_of(mdb_cursor_get(cursor, &key, &box, MDB_LAST)));
    WN_TRY(box_read(v, db, (wn_span){key.mv_data, key.mv_size}, &box, out));
    memcpy(out_key, key.mv_data, key.mv_size);
    *out_key_n = key.mv_size;
    return WN_OK;
}

wn_err wn_vault_last_of(const wn_vault *v, unsigned db, uint8_t out_key[WN_VAULT_KEY_MAX], size_t *out_key_n,
                        wn_vault_buf *out) {
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    WN_TRY(read_begin(v, &txn));
    wn_err err = err_of(mdb_cursor_open(txn, v->dbi[db], &cursor));
    if (!err) {
        err = last_of(v, db, cursor, out_key, out_key_n, out);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return err;
}

static bool before(const MDB_val *key, wn_span to) {
    if (!to.n) return true;
    size_t n = key->mv_size < to.n ? key->mv_size : to.n;
    int order = memcmp(key->mv_data, to.p, n);
    return order < 0 || (order == 0 && key->mv_size < to.n);
}

static wn_err scan(const wn_vault *v, unsigned db, MDB_cursor *cursor, wn_span from, wn_span to,
                   wn_vault_visit fn, void *ctx) {
    wn_vault_buf plain = {0};
    MDB_val key = val_of(from), box;
    wn_err err = err_of(mdb_cursor_get(cursor, &key, &box, from.n ? MDB_SET_RANGE : MDB_FIRST));
    while (!err && before(&key, to)) {
        wn_span k = {key.mv_data, key.mv_size};
        wn_err state = box_read(v, db, k, &box, &plain);
        if (state && state != WN_ERR_CORRUPT) {
            err = state;
            break;
        }
        if (!fn(ctx, k, state, state ? (wn_span){NULL, 0} : (wn_span){plain.p, plain.n})) break;
        err = err_of(mdb_cursor_get(cursor, &key, &box, MDB_NEXT));
    }
    wn_vault_buf_fini(&plain);
    return err == WN_ERR_NOTFOUND ? WN_OK : err;
}

static wn_err scan_in(const wn_vault *v, MDB_txn *txn, unsigned db, wn_span from, wn_span to,
                      wn_vault_visit fn, void *ctx) {
    MDB_cursor *cursor = NULL;
    WN_TRY(err_of(mdb_cursor_open(txn, v->dbi[db], &cursor)));
    wn_err err = scan(v, db, cursor, from, to, fn, ctx);
    mdb_cursor_close(cursor);
    return err;
}

wn_err wn_vault_scan(const wn_vault *v, unsigned db, wn_span from, wn_span to, wn_vault_visit fn, void *ctx) {
    MDB_txn *txn = NULL;
    WN_TRY(read_begin(v, &txn));
    wn_err err = scan_in(v, txn, db, from, to, fn, ctx);
    mdb_txn_abort(txn);
    return err;
}

typedef struct snapshot {
    unsigned db;
    wn_vault_visit_db fn;
    void *ctx;
    bool stopped;
} snapshot;

static bool snapshot_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    snapshot *s = ctx;
    s->stopped = !s->fn(s->ctx, s->db, key, state, value);
    return !s->stopped;
}

wn_err wn_vault_snapshot(const wn_vault *v, const unsigned *dbs, size_t n, wn_vault_visit_db fn, void *ctx) {
    MDB_txn *txn = NULL;
    snapshot s = {.fn = fn, .ctx = ctx};
    WN_TRY(read_begin(v, &txn));
    wn_err err = WN_OK;
    for (size_t i = 0; i < n && err == WN_OK && !s.stopped; i++) {
        s.db = dbs[i];
        err = scan_in(v, txn, s.db, (wn_span){NULL, 0}, (wn_span){NULL, 0}, snapshot_visit, &s);
    }
    mdb_txn_abort(txn);
    return err;
}
