// SPDX-License-Identifier: Apache-2.0
// Why: the one door out. What is here was released; it is kept under a key of
// the installation, and a sealed window is never written again.
#include "published.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void name_of(const wn_published *p, char what, wn_span rest, uint8_t *out, size_t out_bytes) {
    uint8_t in[1 + WN_WINDOW_TEXT_BYTES + 24];
    WN_ASSERT(rest.n < sizeof in);
    in[0] = (uint8_t)what;
    memcpy(in + 1, rest.p, rest.n);
    wn_vault_name(p->vault, (wn_span){in, 1 + rest.n}, out, out_bytes);
}

void wn_published_site_part(const wn_published *p, uint64_t tag, uint8_t out[PART_BYTES]) {
    uint8_t bytes[8];
    wn_put_le(bytes, tag, 8);
    name_of(p, 's', SPAN_OF(bytes), out, PART_BYTES);
}

static void table_part(const wn_published *p, const char *table, uint8_t out[PART_BYTES]) {
    size_t n = strnlen(table, WN_WINDOW_TEXT_BYTES);
    name_of(p, 't', (wn_span){(const uint8_t *)table, n}, out, PART_BYTES);
}

// Times before 1970 sort first.
static void start_part(int64_t start_s, uint8_t out[PART_BYTES]) {
    wn_vault_be64((uint64_t)start_s ^ UINT64_C(1) << 63, out);
}

int64_t wn_published_start_of(const uint8_t part[PART_BYTES]) {
    return (int64_t)(wn_vault_of_be64(part) ^ UINT64_C(1) << 63);
}

void wn_published_window_name(const wn_published *p, const wn_window *w, uint8_t *out, size_t out_bytes) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    name_of(p, 'w', (wn_span){(const uint8_t *)text, strlen(text)}, out, out_bytes);
}

void wn_published_row_key(const wn_published *p, const wn_public_head *head, row_key *out) {
    wn_published_site_part(p, wn_site_tag(head->site), out->site);
    table_part(p, head->table, out->table);
    start_part(head->window.start_s, out->start);
    wn_published_window_name(p, &head->window, out->window, sizeof out->window);
}

void wn_published_count_key(const wn_published *p, uint64_t site, const wn_window *w, count_key *out) {
    wn_published_site_part(p, site, out->site);
    start_part(w->start_s, out->start);
    wn_published_window_name(p, w, out->window, sizeof out->window);
}

// A keyed name tells nobody its window, so values carry it: for backups and for what expires.
static size_t put_window(const wn_window *w, uint8_t *out) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    size_t n = strlen(text);
    wn_put_le(out, (uint64_t)w->start_s, 8);
    wn_put_le(out + 8, (uint64_t)w->end_s, 8);
    memcpy(out + 16, text, n);
    return 16 + n;
}

bool wn_published_take_window(wn_span in, wn_window *out) {
    char text[WN_WINDOW_TEXT_BYTES];
    if (in.n <= 16 || in.n - 16 >= sizeof text) return false;
    memcpy(text, in.p + 16, in.n - 16);
    text[in.n - 16] = 0;
    if (!wn_window_parse(text, out)) return false;
    out->start_s = (int64_t)wn_get_le(in.p, 8); // as it was counted, whatever the zone's data say today
    out->end_s = (int64_t)wn_get_le(in.p + 8, 8);
    return true;
}

static void final_name(const wn_published *p, const wn_window *w, const uint8_t collector[16],
                       uint64_t generation, uint8_t out[NAME_BYTES]) {
    char text[WN_WINDOW_TEXT_BYTES];
    uint8_t in[WN_WINDOW_TEXT_BYTES + 24];
    wn_window_text(w, text);
    size_t n = strlen(text);
    memcpy(in, collector, 16);
    wn_put_le(in + 16, generation, 8);
    memcpy(in + 24, text, n);
    name_of(p, 'f', (wn_span){in, 24 + n}, out, NAME_BYTES);
}

static void p_percent_name(const wn_published *p, uint8_t out[NAME_BYTES]) {
    static const uint8_t name[] = "p_percent";
    name_of(p, 'm', (wn_span){name, sizeof name - 1}, out, NAME_BYTES);
}

static void restored_name(const wn_published *p, uint8_t out[NAME_BYTES]) {
    static const uint8_t name[] = "restored";
    name_of(p, 'm', (wn_span){name, sizeof name - 1}, out, NAME_BYTES);
}

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
    p_percent_name(p, name);
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
    if (snprintf(path, sizeof path, "%s/keys/slots", dir) >= (int)sizeof path) return WN_ERR_FULL;
    wn_err err = wn_slots_open(path, true, &slots);
    if (!err) err = wn_slots_get(slots, "published", key);
    wn_slots_close(slots);
    if (!err) err = wn_published_open(dir, key, true, READ_MAP_BYTES, out);
    wn_wipe(key, sizeof key);
    return err;
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
    p_percent_name(p, name);
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
    size_t n = MARKER_BYTES + put_window(w, value + MARKER_BYTES);
    return wn_vault_put(p->vault, DB_WINDOWS, SPAN_OF(key), (wn_span){value, n});
}

wn_err wn_published_final_watermark(wn_published *p, const wn_window *w, const wn_batch_id *id,
                                    int64_t now_s) {
    uint8_t key[NAME_BYTES], value[16];
    final_name(p, w, id->collector, id->generation, key);
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
    size_t n = COUNT_BYTES + put_window(w, value + COUNT_BYTES);
    return wn_vault_put(p->vault, DB_COUNTS, SPAN_OF(key), (wn_span){value, n});
}

// ---- transfers ----

enum { TRANSFER_BYTES = 13 };

static void transfer_name(const wn_published *p, const char *receiver, const char *site, const char *table,
                          const wn_window *w, uint8_t out[NAME_BYTES]) {
    char window[WN_WINDOW_TEXT_BYTES];
    uint8_t digest[24];
    crypto_generichash_state h;
    wn_window_text(w, window);
    crypto_generichash_init(&h, NULL, 0, sizeof digest);
    const char *const parts[] = {receiver, site, table, window};
    for (size_t i = 0; i < WN_COUNT(parts); i++)
        crypto_generichash_update(&h, (const uint8_t *)parts[i], strlen(parts[i]) + 1);
    crypto_generichash_final(&h, digest, sizeof digest);
    name_of(p, 'x', SPAN_OF(digest), out, NAME_BYTES);
}

wn_err wn_published_transfer(wn_published *p, const char *receiver, const char *site, const char *table,
                             const wn_window *w, wn_transfer *out) {
    uint8_t key[NAME_BYTES];
    transfer_name(p, receiver, site, table, w, key);
    *out = (wn_transfer){0};
    wn_err err = wn_vault_get(p->vault, DB_TRANSFERS, SPAN_OF(key), &p->buf);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    WN_TRY(err);
    if (p->buf.n != TRANSFER_BYTES || p->buf.p[12] > 1) return WN_ERR_CORRUPT;
    *out = (wn_transfer){.rows_done = (uint32_t)wn_get_le(p->buf.p, 4),
                         .refused = (uint32_t)wn_get_le(p->buf.p + 4, 4),
                         .doubtful = (uint32_t)wn_get_le(p->buf.p + 8, 4),
                         .done = p->buf.p[12]};
    return WN_OK;
}

wn_err wn_published_transfer_put(wn_published *p, const char *receiver, const char *site, const char *table,
                                 const wn_window *w, const wn_transfer *t) {
    uint8_t key[NAME_BYTES], value[TRANSFER_BYTES];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    transfer_name(p, receiver, site, table, w, key);
    wn_put_le(value, t->rows_done, 4);
    wn_put_le(value + 4, t->refused, 4);
    wn_put_le(value + 8, t->doubtful, 4);
    value[12] = t->done;
    return wn_vault_put(p->vault, DB_TRANSFERS, SPAN_OF(key), SPAN_OF(value));
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
    restored_name(p, name);
    wn_err err = wn_vault_get(p->vault, DB_FACTS, SPAN_OF(name), &buf);
    if (!err && buf.n != 8) err = WN_ERR_CORRUPT;
    if (!err) *out = (int64_t)wn_get_le(buf.p, 8);
    wn_vault_buf_fini(&buf);
    return err == WN_ERR_NOTFOUND ? WN_OK : err;
}

wn_err wn_published_restored(wn_published *p, int64_t now_s) {
    uint8_t name[NAME_BYTES], value[8];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    restored_name(p, name);
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
    final_name(p, w, collector, generation, key);
    wn_err err = wn_vault_get(p->vault, DB_FINALS, SPAN_OF(key), &buf);
    uint64_t sequence = !err && buf.n == 16 ? wn_get_le(buf.p, 8) : 0;
    wn_vault_buf_fini(&buf);
    return sequence;
}

typedef struct scan {
    wn_public_visit fn;
    void *ctx;
    const char *site, *table; // NULL: all
    int64_t from_s, to_s;
    wn_public_codec codec;
    wn_public_row *rows;
    size_t rows_cap;
    bool corrupt;
    wn_err err;
} scan;

static bool scan_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    scan *s = ctx;
    wn_public_head head;
    size_t n;
    row_key k;
    if (key.n == sizeof k) memcpy(&k, key.p, sizeof k);
    if (key.n == sizeof k &&
        (wn_published_start_of(k.start) < s->from_s || wn_published_start_of(k.start) >= s->to_s))
        return true;
    wn_err err = key.n == sizeof k ? state : WN_ERR_CORRUPT;
    if (!err) err = wn_public_rows_decode(&s->codec, value, &head, &s->rows, &s->rows_cap, &n);
    if (err == WN_ERR_CORRUPT || err == WN_ERR_FORMAT) {
        s->corrupt = true;
        return true;
    }
    s->err = err;
    if (err) return false;
    if ((s->site && strcmp(s->site, head.site) != 0) || (s->table && strcmp(s->table, head.table) != 0))
        return true;
    return s->fn(s->ctx, &head, s->rows, n);
}

wn_err wn_published_scan(const wn_published *p, const char *site, const char *table, int64_t from_s,
                         int64_t to_s, wn_public_visit fn, void *ctx) {
    row_key from, to;
    scan s = {.fn = fn, .ctx = ctx, .site = site, .table = table, .from_s = from_s, .to_s = to_s};
    memset(&from, 0, sizeof from);
    memset(&to, 0xFF, sizeof to);
    if (site) {
        wn_published_site_part(p, wn_site_tag(site), from.site);
        memcpy(to.site, from.site, sizeof to.site);
    }
    if (site && table) {
        table_part(p, table, from.table);
        memcpy(to.table, from.table, sizeof to.table);
        start_part(from_s, from.start);
        start_part(to_s, to.start);
        memset(to.window, 0, sizeof to.window);
    }
    wn_err err = wn_vault_scan(p->vault, DB_ROWS, SPAN_OF(from), SPAN_OF(to), scan_visit, &s);
    free(s.rows);
    wn_public_codec_fini(&s.codec);
    if (!err) err = s.err;
    return err ? err : s.corrupt ? WN_ERR_CORRUPT : WN_OK;
}

typedef struct counts_scan {
    void (*fn)(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped);
    void *ctx;
    bool corrupt;
} counts_scan;

static bool counts_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    counts_scan *s = ctx;
    if (state || key.n != sizeof(count_key) || value.n <= COUNT_BYTES) {
        s->corrupt = true;
        return true;
    }
    s->fn(s->ctx, wn_published_start_of(key.p + offsetof(count_key, start)), wn_get_le(value.p, 8),
          wn_get_le(value.p + 8, 8));
    return true;
}

wn_err wn_published_counts_scan(const wn_published *p, const char *site, int64_t from_s, int64_t to_s,
                                void (*fn)(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped),
                                void *ctx) {
    count_key from, to;
    counts_scan s = {fn, ctx, false};
    memset(&from, 0, sizeof from);
    wn_published_site_part(p, wn_site_tag(site), from.site);
    to = from;
    start_part(from_s, from.start);
    start_part(to_s, to.start);
    WN_TRY(wn_vault_scan(p->vault, DB_COUNTS, SPAN_OF(from), SPAN_OF(to), counts_visit, &s));
    return s.corrupt ? WN_ERR_CORRUPT : WN_OK;
}

typedef struct ledger_scan {
    bool (*fn)(void *ctx, const wn_ledger_entry *e);
    void *ctx;
    bool corrupt;
} ledger_scan;

static bool ledger_visit(void *ctx, wn_span key, wn_err state, wn_span value) {
    ledger_scan *s = ctx;
    wn_ledger_entry e;
    if (state || wn_ledger_decode(value, &e) || key.n != 8 || wn_vault_of_be64(key.p) != e.number) {
        s->corrupt = true;
        return true;
    }
    return s->fn(s->ctx, &e);
}

wn_err wn_published_ledger_each(const wn_published *p, bool (*fn)(void *ctx, const wn_ledger_entry *e),
                                void *ctx) {
    ledger_scan s = {fn, ctx, false};
    WN_TRY(wn_vault_scan(p->vault, DB_LEDGER, (wn_span){NULL, 0}, (wn_span){NULL, 0}, ledger_visit, &s));
    return s.corrupt ? WN_ERR_CORRUPT : WN_OK;
}

static bool check_visit(void *ctx, const wn_ledger_entry *e) {
    return wn_ledger_check_entry(ctx, e);
}

wn_err wn_published_ledger_verify(const wn_published *p, const uint8_t quoted[32], wn_ledger_check *out) {
    wn_ledger_check c;
    wn_ledger_check_begin(&c, quoted);
    wn_err err = wn_published_ledger_each(p, check_visit, &c);
    if (err && err != WN_ERR_CORRUPT) return err;
    wn_ledger_check_end(&c);
    if (err && c.ok) { // the damaged entry was the last
        c.ok = false;
        c.fault = WN_LEDGER_MISSING;
        c.bad_number = c.count + 1;
    }
    *out = c;
    return WN_OK;
}
