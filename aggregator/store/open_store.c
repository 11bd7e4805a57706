// SPDX-License-Identifier: Apache-2.0
// Why: the fold of an open window lives in memory, so what was acked must come
// back from here, whole and in order, after any kill.
//
// A state record goes with every commit. It names the journal's and the base's
// serial numbers and counts the rest: a record that is missing is seen.
#include "open_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "clock.h"
#include "open_store_impl.h"

static const wn_vault_kind kind = {"open",
                                   WN_OPEN_FORMAT,
                                   false,
                                   5,
                                   {"journal", "base", "meta", "marks", "held"},
                                   1u << 0 | 1u << 1 | 1u << 4};

enum { NAME_BYTES = 16, STATE_BYTES = 80, MARK_BYTES = 32, PART_HEAD_BYTES = WN_PART_HEAD_BYTES };
#define BUNDLE_BYTES (256u << 10) // small parts of the base share a record up to this

// ---- bytes ----

static void state_write(const state *s, uint8_t out[STATE_BYTES]) {
    const uint64_t field[] = {s->commits,    s->journal_first, s->journal_next, s->journal_bytes,
                              s->base_first, s->base_next,     s->facts,        s->marks,
                              s->held_first, s->held_next};
    _Static_assert(sizeof field == STATE_BYTES, "state");
    for (size_t i = 0; i < WN_COUNT(field); i++) wn_put_le(out + 8 * i, field[i], 8);
}

static wn_err state_read(wn_span in, state *out) {
    if (in.n != STATE_BYTES) return WN_ERR_CORRUPT;
    const uint8_t *p = in.p;
    *out = (state){wn_get_le(p, 8),      wn_get_le(p + 8, 8),  wn_get_le(p + 16, 8), wn_get_le(p + 24, 8),
                   wn_get_le(p + 32, 8), wn_get_le(p + 40, 8), wn_get_le(p + 48, 8), wn_get_le(p + 56, 8),
                   wn_get_le(p + 64, 8), wn_get_le(p + 72, 8)};
    return WN_OK;
}

// Names within a store, keyed: 's' the state, 'm' a watermark, 'f' a fact.
static void name_of(const wn_open_store *s, char what, wn_span rest, uint8_t out[NAME_BYTES]) {
    uint8_t in[1 + WN_OPEN_FACT_NAME_MAX];
    WN_ASSERT(rest.n <= WN_OPEN_FACT_NAME_MAX);
    in[0] = (uint8_t)what;
    if (rest.n) memcpy(in + 1, rest.p, rest.n);
    wn_vault_name(s->vault, (wn_span){in, 1 + rest.n}, out, NAME_BYTES);
}

static void mark_name(const wn_open_store *s, const uint8_t collector[16], uint64_t generation,
                      uint8_t out[NAME_BYTES]) {
    uint8_t in[24];
    memcpy(in, collector, 16);
    wn_put_le(in + 16, generation, 8);
    name_of(s, 'm', (wn_span){in, sizeof in}, out);
}

// ---- watermarks ----

static mark *mark_find(const wn_open_store *s, const uint8_t collector[16], uint64_t generation) {
    for (size_t i = 0; i < s->marks_n; i++) {
        mark *m = &s->marks[i];
        if (m->id.generation == generation && memcmp(m->id.collector, collector, 16) == 0) return m;
    }
    return NULL;
}

static wn_err mark_add(wn_open_store *s, const wn_batch_id *id, uint64_t committed) {
    if (s->marks_n == WN_OPEN_MARKS_MAX) return WN_ERR_FULL;
    if (s->marks_n == s->marks_cap) {
        size_t cap = s->marks_cap ? 2 * s->marks_cap : 8;
        mark *grown = realloc(s->marks, cap * sizeof *grown);
        if (!grown) return WN_ERR_NOMEM;
        s->marks = grown;
        s->marks_cap = cap;
    }
    s->marks[s->marks_n++] = (mark){*id, committed};
    return WN_OK;
}

static void marks_settle(wn_open_store *s, bool committed) {
    size_t kept = 0;
    for (size_t i = 0; i < s->marks_n; i++) {
        mark m = s->marks[i];
        if (committed) m.committed = m.id.sequence;
        m.id.sequence = m.committed;
        if (m.committed) s->marks[kept++] = m;
    }
    s->marks_n = kept;
}

// ---- opening ----

static wn_err path_make(const char *dir, const wn_window *w, wn_open_store **out) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, text);
    size_t bytes = strlen(dir) + 1 + strlen(text) + 1;
    wn_open_store *s = calloc(1, sizeof *s + bytes);
    if (!s) return WN_ERR_NOMEM;
    snprintf(s->path, bytes, "%s/%s", dir, text);
    *out = s;
    return WN_OK;
}

typedef struct load {
    wn_open_store *s;
    uint8_t state_name[NAME_BYTES];
    uint64_t n;
    wn_err err;
} load;

static wn_err load_mark(load *l, wn_span key, wn_span value) {
    if (key.n == NAME_BYTES && memcmp(key.p, l->state_name, NAME_BYTES) == 0)
        return state_read(value, &l->s->now);
    if (value.n != MARK_BYTES) return WN_ERR_CORRUPT;
    wn_batch_id id = {.generation = wn_get_le(value.p + 16, 8), .sequence = wn_get_le(value.p + 24, 8)};
    memcpy(id.collector, value.p, 16);
    return mark_add(l->s, &id, id.sequence);
}

static bool load_mark_visit(void *ctx, wn_span key, wn_err opened, wn_span value) {
    load *l = ctx;
    l->n++;
    l->err = opened ? opened : load_mark(l, key, value);
    return l->err == WN_OK;
}

static bool load_fact_visit(void *ctx, wn_span key, wn_err opened, wn_span value) {
    load *l = ctx;
    (void)key;
    (void)value;
    l->n++;
    l->err = opened;
    return l->err == WN_OK;
}

static wn_err load_db(load *l, unsigned db, wn_vault_visit fn) {
    l->n = 0;
    WN_TRY(wn_vault_scan(l->s->vault, db, (wn_span){NULL, 0}, (wn_span){NULL, 0}, fn, l));
    return l->err;
}

// A fact whose LMDB key is damaged would be taken for one that never was, so all
// are looked at and counted.
static wn_err load_all(wn_open_store *s) {
    load l = {.s = s};
    name_of(s, 's', (wn_span){NULL, 0}, l.state_name);
    s->now = (state){.journal_first = 1,
                     .journal_next = 1,
                     .base_first = 1,
                     .base_next = 1,
                     .held_first = 1,
                     .held_next = 1};
    WN_TRY(load_db(&l, DB_MARKS, load_mark_visit));
    if (l.n != s->now.marks) return WN_ERR_CORRUPT;
    WN_TRY(load_db(&l, DB_FACTS, load_fact_visit));
    if (l.n != s->now.facts) return WN_ERR_CORRUPT;
    s->recorded = s->now;
    return WN_OK;
}

wn_err wn_open_store_open(const char *dir, const wn_window *w, const uint8_t key[32], size_t map_bytes,
                          wn_open_store **out) {
    wn_open_store *s;
    char context[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, context);
    WN_TRY(path_make(dir, w, &s));
    wn_err err = wn_vault_open(&kind, s->path, context, key, map_bytes, false, &s->vault);
    if (!err) err = load_all(s);
    if (err) {
        wn_open_store_close(s);
        return err;
    }
    *out = s;
    return WN_OK;
}

void wn_open_store_close(wn_open_store *s) {
    if (!s) return;
    wn_vault_close(s->vault);
    wn_wipe(s->marks, s->marks_cap * sizeof *s->marks);
    free(s->marks);
    free(s);
}

wn_err wn_open_store_destroy(wn_open_store *s) {
    wn_vault_close(s->vault);
    s->vault = NULL;
    wn_err err = wn_vault_remove(s->path);
    wn_open_store_close(s);
    return err;
}

wn_err wn_open_store_remove(const char *dir, const wn_window *w) {
    wn_open_store *s;
    WN_TRY(path_make(dir, w, &s));
    struct stat st;
    wn_err err = stat(s->path, &st) == 0 ? wn_vault_remove(s->path) : WN_OK;
    free(s);
    return err;
}

// "2026-11-20.web.Europe_Berlin" back to a window. The text made from the
// result must be the same again: nothing else is believed.
static bool window_of(const char *text, wn_window *out) {
    int32_t day;
    size_t n = strlen(text);
    if (n < 16 || n >= WN_WINDOW_TEXT_BYTES || !wn_day_parse(text, 10, &day)) return false;
    const char *at = strchr(text + 11, '.');
    if (!at) return false;
    char zone[WN_ZONE_BYTES];
    size_t zone_n = 0;
    for (at++; *at; at++) {
        if (zone_n == sizeof zone - 1) return false;
        bool twice = at[0] == '_' && at[1] == '_';
        zone[zone_n++] = *at != '_' ? *at : twice ? '_' : '/';
        if (twice) at++;
    }
    zone[zone_n] = 0;
    const wn_zone *z = wn_zone_find(zone);
    for (int k = 0; z && k < WN_KIND_N; k++) {
        char again[WN_WINDOW_TEXT_BYTES];
        wn_window w;
        wn_zone_window_of_day(z, (wn_kind)k, day, &w);
        wn_window_text(&w, again);
        if (strcmp(again, text) != 0) continue;
        *out = w;
        return true;
    }
    return false;
}

wn_err wn_open_store_each_window(const char *dir, void (*fn)(void *ctx, const wn_window *w), void *ctx) {
    DIR *d = opendir(dir);
    if (!d) return errno == ENOENT ? WN_OK : WN_ERR_IO;
    const struct dirent *e;
    wn_window w;
    while ((e = readdir(d)))
        if (window_of(e->d_name, &w)) fn(ctx, &w);
    closedir(d);
    return WN_OK;
}

// ---- facts ----

static wn_err fact_name(const wn_open_store *s, const char *name, uint8_t out[NAME_BYTES]) {
    size_t n = strlen(name);
    if (n > WN_OPEN_FACT_NAME_MAX) return WN_ERR_FULL;
    name_of(s, 'f', (wn_span){(const uint8_t *)name, n}, out);
    return WN_OK;
}

wn_err wn_open_store_get(wn_open_store *s, const char *name, uint8_t *out, size_t cap, size_t *out_bytes) {
    uint8_t key[NAME_BYTES];
    wn_vault_buf buf = {0};
    WN_TRY(fact_name(s, name, key));
    wn_err err = wn_vault_get(s->vault, DB_FACTS, (wn_span){key, sizeof key}, &buf);
    if (!err && out && buf.n > cap) err = WN_ERR_FULL;
    if (!err && out && buf.n) memcpy(out, buf.p, buf.n);
    if (!err) *out_bytes = buf.n;
    wn_vault_buf_fini(&buf);
    return err;
}

// ---- a transaction ----

wn_err wn_open_store_begin(wn_open_store *s) {
    return wn_vault_begin(s->vault);
}

wn_err wn_open_store_put(wn_open_store *s, const char *name, wn_span value) {
    uint8_t key[NAME_BYTES];
    if (value.n > WN_OPEN_FACT_BYTES_MAX) return WN_ERR_FULL;
    WN_TRY(fact_name(s, name, key));
    return wn_vault_put(s->vault, DB_FACTS, (wn_span){key, sizeof key}, value);
}

wn_err wn_open_store_journal(wn_open_store *s, wn_span record) {
    uint8_t key[8];
    if (record.n > WN_OPEN_RECORD_BYTES_MAX) return WN_ERR_FULL;
    wn_vault_be64(s->recorded.journal_next, key);
    WN_TRY(wn_vault_put(s->vault, DB_JOURNAL, (wn_span){key, sizeof key}, record));
    s->recorded.journal_next++;
    s->recorded.journal_bytes += record.n;
    return WN_OK;
}

wn_err wn_open_store_watermark(wn_open_store *s, const wn_batch_id *id) {
    if (!wn_vault_begun(s->vault)) return WN_ERR_STATE;
    if (id->sequence == 0) return WN_ERR_FORMAT;
    mark *m = mark_find(s, id->collector, id->generation);
    if (m && m->id.sequence >= id->sequence) return WN_OK;
    uint8_t key[NAME_BYTES], value[MARK_BYTES];
    mark_name(s, id->collector, id->generation, key);
    memcpy(value, id->collector, 16);
    wn_put_le(value + 16, id->generation, 8);
    wn_put_le(value + 24, id->sequence, 8);
    if (!m) {
        wn_batch_id none = *id;
        none.sequence = 0;
        WN_TRY(mark_add(s, &none, 0));
        m = &s->marks[s->marks_n - 1];
    }
    WN_TRY(wn_vault_put(s->vault, DB_MARKS, (wn_span){key, sizeof key}, (wn_span){value, sizeof value}));
    m->id.sequence = id->sequence;
    return WN_OK;
}

// Written twice: the first makes the record, the second counts it too.
static void state_put(wn_open_store *s, wn_vault_txn *t) {
    uint8_t key[NAME_BYTES], value[STATE_BYTES] = {0};
    wn_span k = {key, sizeof key}, v = {value, sizeof value};
    name_of(s, 's', (wn_span){NULL, 0}, key);
    wn_vault_txn_put(t, DB_MARKS, k, v);
    s->recorded.facts = wn_vault_txn_count(t, DB_FACTS);
    s->recorded.marks = wn_vault_txn_count(t, DB_MARKS);
    state_write(&s->recorded, value);
    wn_vault_txn_put(t, DB_MARKS, k, v);
}

static wn_err commit_last(void *ctx, wn_vault_txn *t) {
    state_put(ctx, t);
    return WN_OK;
}

wn_err wn_open_store_commit(wn_open_store *s) {
    s->recorded.commits = s->now.commits + 1;
    WN_TRY(wn_vault_commit(s->vault, commit_last, s));
    s->now = s->recorded;
    marks_settle(s, true);
    return WN_OK;
}

void wn_open_store_abort(wn_open_store *s) {
    wn_vault_abort(s->vault);
    s->recorded = s->now;
    marks_settle(s, false);
}

uint64_t wn_open_store_sequence(const wn_open_store *s, const uint8_t collector[16], uint64_t generation) {
    const mark *m = mark_find(s, collector, generation);
    return m ? m->id.sequence : 0;
}

void wn_open_store_each_watermark(const wn_open_store *s, void (*fn)(void *ctx, const wn_batch_id *id),
                                  void *ctx) {
    for (size_t i = 0; i < s->marks_n; i++) {
        wn_batch_id id = s->marks[i].id;
        id.sequence = s->marks[i].committed;
        if (id.sequence) fn(ctx, &id);
    }
}

// ---- rebase ----

uint64_t wn_open_store_journal_bytes(const wn_open_store *s) {
    return s->now.journal_bytes;
}

uint64_t wn_open_store_file_bytes(const wn_open_store *s) {
    return wn_vault_file_bytes(s->vault);
}

typedef struct rebase {
    wn_open_store *s;
    const wn_fold *fold;
    wn_vault_txn *txn;
    wn_vault_buf bundle;
} rebase;

static void bundle_flush(rebase *r) {
    if (!r->bundle.n) return;
    uint8_t key[8];
    wn_vault_be64(r->s->recorded.base_next++, key);
    wn_vault_txn_put(r->txn, DB_BASE, (wn_span){key, sizeof key}, (wn_span){r->bundle.p, r->bundle.n});
    r->bundle.n = 0;
}

static wn_err rebase_part(void *ctx, wn_span part) {
    rebase *r = ctx;
    size_t n = PART_HEAD_BYTES + part.n;
    if (n > WN_VAULT_VALUE_MAX) return WN_ERR_FULL;
    if (r->bundle.n + n > BUNDLE_BYTES) bundle_flush(r);
    WN_TRY(wn_vault_buf_fit(&r->bundle, n > BUNDLE_BYTES ? n : BUNDLE_BYTES));
    uint8_t *out = r->bundle.p + r->bundle.n;
    for (unsigned i = 0; i < PART_HEAD_BYTES; i++) out[i] = (uint8_t)(part.n >> (8 * i));
    if (part.n) memcpy(out + PART_HEAD_BYTES, part.p, part.n);
    r->bundle.n += n;
    return WN_OK;
}

// Numbers go on and are never used twice, so an old page cannot pass for a new one.
static wn_err rebase_last(void *ctx, wn_vault_txn *t) {
    rebase *r = ctx;
    state *to = &r->s->recorded;
    *to = r->s->now;
    to->commits++;
    to->journal_first = to->journal_next;
    to->journal_bytes = 0;
    to->base_first = to->base_next;
    r->txn = t;
    r->bundle.n = 0;
    wn_vault_txn_empty(t, DB_JOURNAL);
    wn_vault_txn_empty(t, DB_BASE);
    WN_TRY(wn_fold_pack(r->fold, rebase_part, r));
    bundle_flush(r);
    state_put(r->s, t);
    return WN_OK;
}

wn_err wn_open_store_commit_rebased(wn_open_store *s, const wn_fold *f) {
    WN_ASSERT(s->recorded.journal_next == s->now.journal_next);
    rebase r = {.s = s, .fold = f};
    wn_err err = wn_vault_commit(s->vault, rebase_last, &r);
    if (!err) s->now = s->recorded;
    s->recorded = s->now;
    if (!err) marks_settle(s, true);
    wn_vault_buf_fini(&r.bundle);
    return err;
}

wn_err wn_open_store_rebase(wn_open_store *s, const wn_fold *f) {
    WN_TRY(wn_vault_begin(s->vault));
    wn_err err = wn_open_store_commit_rebased(s, f);
    if (err) wn_vault_abort(s->vault);
    return err;
}
