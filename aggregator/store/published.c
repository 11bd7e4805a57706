// SPDX-License-Identifier: Apache-2.0
// Why: the one door out. What is here was released; it is kept under a key of
// the installation, and a sealed window is never written again.
#include "published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "published_impl.h"

static const wn_vault_kind kind = {"published",
                                   WN_PUBLISHED_FORMAT,
                                   true,
                                   DBS_N,
                                   {"rows", "ledger", "windows", "finals", "counts", "meta", "transfers"},
                                   .chained = 1u << DB_LEDGER};

#define READ_MAP_BYTES ((size_t)1 << 20) // a reader takes the map as large as it is
enum { P_PERCENT_MIN = 20, P_PERCENT_MAX = 35 };

// ---- opening ----

// 16 values, so four random bits are uniform.
static wn_err p_percent_draw(wn_published *p) {
    uint8_t name[NAME_BYTES], value;
    uint32_t old;
    wn_err err = wn_published_p_percent(p, &old);
    if (err != WN_ERR_NOTFOUND) return err;
    WN_TRY(wn_random(&value, 1));
    _Static_assert(P_PERCENT_MAX - P_PERCENT_MIN + 1 == 16, "draw");
    value = (uint8_t)(P_PERCENT_MIN + (value & 15));
    wn_published_fact_name(p, "p_percent", name);
    WN_TRY(wn_vault_begin(p->vault));
    WN_TRY(wn_vault_put(p->vault, DB_FACTS, SPAN_OF(name), (wn_span){&value, 1}));
    return wn_vault_commit(p->vault, NULL, NULL);
}

wn_err wn_published_open(const char *dir, const uint8_t key[32], bool read_only, size_t map_bytes,
                         wn_published **out) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/published", dir);
    if (n < 0 || (size_t)n >= sizeof path) return WN_ERR_FULL;
    wn_published *p = calloc(1, sizeof *p);
    if (!p) return WN_ERR_NOMEM;
    memcpy(p->key, key, sizeof p->key);
    wn_err err = wn_vault_open(&kind, path, "published", p->key, map_bytes, read_only, &p->vault);
    if (!err && !read_only) err = p_percent_draw(p);
    if (err) {
        wn_published_close(p);
        return err;
    }
    *out = p;
    return WN_OK;
}

wn_err wn_published_read(const char *dir, wn_published **out) {
    char path[4096];
    uint8_t key[WN_KEY_BYTES];
    wn_slots *slots = NULL;
    struct stat st = {0}; // before it is opened: what takes its place in between is seen later
    char file[sizeof((wn_published *)0)->read_path];
    if (snprintf(path, sizeof path, "%s/keys/slots", dir) >= (int)sizeof path ||
        snprintf(file, sizeof file, "%s/published/data.mdb", dir) >= (int)sizeof file)
        return WN_ERR_FULL;
    (void)stat(file, &st);
    wn_err err = wn_slots_open(path, true, &slots);
    if (!err) err = wn_slots_get(slots, "published", key);
    wn_slots_close(slots);
    if (!err) err = wn_published_open(dir, key, true, READ_MAP_BYTES, out);
    wn_wipe(key, sizeof key);
    if (err) return err;
    memcpy((*out)->read_path, file, sizeof file);
    (*out)->read_dev = st.st_dev;
    (*out)->read_ino = st.st_ino;
    return WN_OK;
}

bool wn_published_replaced(const wn_published *p) {
    struct stat st;
    if (p->read_path[0] == '\0') return false;
    return stat(p->read_path, &st) != 0 || st.st_dev != p->read_dev || st.st_ino != p->read_ino;
}

void wn_published_close(wn_published *p) {
    if (!p) return;
    wn_vault_close(p->vault);
    wn_vault_buf_fini(&p->buf);
    wn_public_codec_fini(&p->codec);
    wn_wipe(p->key, sizeof p->key);
    free(p);
}

wn_err wn_published_state(const wn_published *p, uint8_t out[32]) {
    uint8_t in[8 + 8 + 32] = {0};
    uint64_t number;
    wn_put_le(in, wn_vault_commits(p->vault), 8);
    WN_TRY(wn_published_ledger_head(p, &number, in + 16));
    wn_put_le(in + 8, number, 8);
    wn_prf(p->key, SPAN_OF(in), out, 32); // says nothing of how often was committed
    return WN_OK;
}

uint64_t wn_published_file_bytes(const wn_published *p) {
    return wn_vault_file_bytes(p->vault);
}

wn_err wn_published_p_percent(wn_published *p, uint32_t *out) {
    uint8_t name[NAME_BYTES];
    wn_published_fact_name(p, "p_percent", name);
    WN_TRY(wn_vault_get(p->vault, DB_FACTS, SPAN_OF(name), &p->buf));
    if (p->buf.n != 1 || p->buf.p[0] < P_PERCENT_MIN || p->buf.p[0] > P_PERCENT_MAX) return WN_ERR_CORRUPT;
    *out = p->buf.p[0];
    return WN_OK;
}

// ---- a transaction ----

wn_err wn_published_begin(wn_published *p) {
    p->ledger_loaded = false;
    return wn_vault_begin(p->vault);
}

static wn_err marker_of(const wn_published *p, const wn_window *w, bool *out_known, uint64_t *out_tick,
                        bool *out_sealed);

static wn_err not_sealed(const wn_published *p, const wn_window *w) {
    uint64_t tick;
    bool known, sealed;
    WN_TRY(marker_of(p, w, &known, &tick, &sealed));
    return sealed ? WN_ERR_SEALED : WN_OK;
}

wn_err wn_published_rows(wn_published *p, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    row_key key;
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    WN_TRY(not_sealed(p, &head->window));
    p->buf.n = 0;
    WN_TRY(wn_public_rows_encode(&p->codec, head, rows, n, &p->buf));
    wn_published_row_key(p, head, &key);
#ifndef WN_MUTANT_ROWLESS_WINDOW
    if (n == 0) return wn_vault_del(p->vault, DB_ROWS, SPAN_OF(key));
#endif
    return wn_vault_put(p->vault, DB_ROWS, SPAN_OF(key), (wn_span){p->buf.p, p->buf.n});
}

wn_err wn_published_ledger_head(const wn_published *p, uint64_t *out_number, uint8_t out_digest[32]) {
    uint8_t key[WN_VAULT_KEY_MAX];
    size_t key_n = 0;
    wn_ledger_entry last = {0}; // before the first: number 0, digest of zeros
    wn_vault_buf buf = {0};
    wn_err err = wn_vault_last_of(p->vault, DB_LEDGER, key, &key_n, &buf);
    if (!err) err = wn_ledger_decode((wn_span){buf.p, buf.n}, &last);
    if (!err && (key_n != 8 || wn_vault_of_be64(key) != last.number)) err = WN_ERR_CORRUPT;
    wn_vault_buf_fini(&buf);
    if (err && err != WN_ERR_NOTFOUND) return err;
    *out_number = last.number;
    memcpy(out_digest, last.digest, sizeof last.digest);
    return WN_OK;
}

wn_err wn_published_ledger(wn_published *p, const wn_ledger_entry *e) {
    uint8_t key[8], bytes[WN_LEDGER_BYTES_MAX];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    if (!p->ledger_loaded) WN_TRY(wn_published_ledger_head(p, &p->ledger_number, p->ledger_digest));
    p->ledger_loaded = true;
    wn_ledger_entry entry = *e;
    entry.number = p->ledger_number + 1;
    wn_ledger_chain(&entry, p->ledger_digest);
    size_t n = wn_ledger_encode(&entry, bytes);
    wn_vault_be64(entry.number, key);
    WN_TRY(wn_vault_put(p->vault, DB_LEDGER, SPAN_OF(key), (wn_span){bytes, n}));
    p->ledger_number = entry.number;
    memcpy(p->ledger_digest, entry.digest, sizeof p->ledger_digest);
    return WN_OK;
}

wn_err wn_published_tick(wn_published *p, const wn_window *w, uint64_t tick, bool sealed, int64_t now_s) {
    uint8_t key[NAME_BYTES], value[MARKER_BYTES + WINDOW_BYTES_MAX];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    WN_TRY(not_sealed(p, w));
    wn_published_window_name(p, w, key, sizeof key);
    wn_put_le(value, tick, 8);
    wn_put_le(value + 8, (uint64_t)now_s, 8);
    value[16] = sealed;
    size_t n = MARKER_BYTES + wn_published_put_window(w, value + MARKER_BYTES);
    return wn_vault_put(p->vault, DB_WINDOWS, SPAN_OF(key), (wn_span){value, n});
}

wn_err wn_published_final_watermark(wn_published *p, const wn_window *w, const wn_batch_id *id,
                                    int64_t now_s) {
    uint8_t key[NAME_BYTES], value[16];
    wn_published_final_name(p, w, id->collector, id->generation, key);
    wn_put_le(value, id->sequence, 8);
    wn_put_le(value + 8, (uint64_t)now_s, 8);
    return wn_vault_put(p->vault, DB_FINALS, SPAN_OF(key), SPAN_OF(value));
}

wn_err wn_published_counts(wn_published *p, uint64_t site, const wn_window *w, uint64_t refused_floored,
                           uint64_t capped_floored) {
    count_key key;
    uint8_t value[COUNT_BYTES + WINDOW_BYTES_MAX];
    wn_published_count_key(p, site, w, &key);
    wn_put_le(value, refused_floored, 8);
    wn_put_le(value + 8, capped_floored, 8);
    wn_put_le(value + 16, site, 8);
    size_t n = COUNT_BYTES + wn_published_put_window(w, value + COUNT_BYTES);
    return wn_vault_put(p->vault, DB_COUNTS, SPAN_OF(key), (wn_span){value, n});
}

typedef struct expire {
    wn_published *p;
    int64_t before_s;
    wn_err err;
} expire;

static bool expire_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    expire *x = ctx;
    if (state || value.n != 16 || (int64_t)wn_get_le(value.p + 8, 8) >= x->before_s) return true;
    x->err = wn_vault_del(x->p->vault, DB_FINALS, key);
    return x->err == WN_OK;
}

wn_err wn_published_expire(wn_published *p, int64_t now_s) {
    expire x = {p, now_s - WN_FINAL_KEEP_S, WN_OK};
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    WN_TRY(wn_vault_scan(p->vault, DB_FINALS, (wn_span){NULL, 0}, (wn_span){NULL, 0}, expire_visit, &x));
    return x.err;
}

typedef struct forget {
    wn_vault *vault;
    unsigned db;
    wn_err err;
} forget;

// What cannot be read goes as well.
static bool forget_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    forget *g = ctx;
    (void)state, (void)value;
    g->err = wn_vault_del(g->vault, g->db, key);
    return g->err == WN_OK;
}

// Both keys begin with the site.
wn_err wn_published_forget_site(wn_published *p, uint64_t tag) {
    static const unsigned dbs[] = {DB_ROWS, DB_COUNTS};
    uint8_t from[PART_BYTES], to[sizeof(row_key)];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    memset(to, 0xFF, sizeof to);
    wn_published_site_part(p, tag, from);
    memcpy(to, from, sizeof from);
    for (size_t i = 0; i < WN_COUNT(dbs); i++) {
        forget g = {p->vault, dbs[i], WN_OK};
        WN_TRY(wn_vault_scan(p->vault, dbs[i], SPAN_OF(from), SPAN_OF(to), forget_visit, &g));
        WN_TRY(g.err);
    }
    return WN_OK;
}

wn_err wn_published_commit(wn_published *p) {
    WN_TRY(wn_vault_commit(p->vault, NULL, NULL));
    if (!p->ledger_loaded || p->head_path[0] == 0) return WN_OK;
#ifdef WN_MUTANT_HEAD_NOT_KEPT
    return WN_OK;
#else
    return wn_head_write(p->head_path, p->ledger_number, p->ledger_digest);
#endif
}

void wn_published_abort(wn_published *p) {
    wn_vault_abort(p->vault);
}

// ---- reading ----

// When the newest restore took place: whatever began before it is over. INT64_MIN: never.
static wn_err restored_at(const wn_published *p, int64_t *out) {
    uint8_t name[NAME_BYTES];
    wn_vault_buf buf = {0};
    *out = INT64_MIN;
    wn_published_fact_name(p, "restored", name);
    wn_err err = wn_vault_get(p->vault, DB_FACTS, SPAN_OF(name), &buf);
    if (!err && buf.n != 8) err = WN_ERR_CORRUPT;
    if (!err) *out = (int64_t)wn_get_le(buf.p, 8);
    wn_vault_buf_fini(&buf);
    return err == WN_ERR_NOTFOUND ? WN_OK : err;
}

wn_err wn_published_restored(wn_published *p, int64_t now_s) {
    uint8_t name[NAME_BYTES], value[8];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    wn_published_fact_name(p, "restored", name);
    wn_put_le(value, (uint64_t)now_s, 8);
    return wn_vault_put(p->vault, DB_FACTS, SPAN_OF(name), SPAN_OF(value));
}

static wn_err marker_of(const wn_published *p, const wn_window *w, bool *out_known, uint64_t *out_tick,
                        bool *out_sealed) {
    uint8_t key[NAME_BYTES];
    wn_vault_buf buf = {0};
    wn_published_window_name(p, w, key, sizeof key);
    wn_err err = wn_vault_get(p->vault, DB_WINDOWS, SPAN_OF(key), &buf);
    if (!err && buf.n <= MARKER_BYTES) err = WN_ERR_CORRUPT;
    *out_known = !err;
    *out_tick = err ? 0 : wn_get_le(buf.p, 8);
    *out_sealed = !err && buf.p[16] != 0;
    wn_vault_buf_fini(&buf);
    return err == WN_ERR_NOTFOUND ? WN_OK : err;
}

wn_err wn_published_window(const wn_published *p, const wn_window *w, uint64_t *out_tick, bool *out_sealed) {
    bool known;
    int64_t at_s;
    WN_TRY(marker_of(p, w, &known, out_tick, out_sealed));
    if (known) return WN_OK;
    WN_TRY(restored_at(p, &at_s));
    *out_sealed = w->start_s < at_s;
    return WN_OK;
}

uint64_t wn_published_final_sequence(const wn_published *p, const wn_window *w, const uint8_t collector[16],
                                     uint64_t generation) {
    uint8_t key[NAME_BYTES];
    wn_vault_buf buf = {0};
    wn_published_final_name(p, w, collector, generation, key);
    wn_err err = wn_vault_get(p->vault, DB_FINALS, SPAN_OF(key), &buf);
    uint64_t sequence = !err && buf.n == 16 ? wn_get_le(buf.p, 8) : 0;
    wn_vault_buf_fini(&buf);
    return sequence;
}
