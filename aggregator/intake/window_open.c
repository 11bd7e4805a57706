// SPDX-License-Identifier: Apache-2.0
// window_open.c: making a window, finding it again after a restart, letting it go.
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "control.h"
#include "log.h"
#include "mp.h"
#include "windows_impl.h"

#define META_BYTES_MAX (1u << 20)

static void free_window(open_window *o) {
    wn_windows_free_held(o);
    wn_commit_free(o->filling);
    wn_commit_free(o->storing);
    wn_open_store_close(o->store);
    wn_fold_free(o->fold);
    wn_window_purges_fini(&o->purges);
    wn_plan_fini(&o->plan);
    wn_rows_fini(&o->rows);
    wn_rows_fini(&o->noise);
    free(o->streams);
    wn_wipe(o, sizeof *o);
    free(o);
}

void wn_windows_drop(wn_windows *ws, open_window *o) {
    for (size_t i = 0; i < ws->n; i++) {
        if (ws->open[i] != o) continue;
        ws->open[i] = ws->open[--ws->n];
        break;
    }
    free_window(o);
}

// ---- meta: what of the window is neither journal nor watermark ----

// [[text_key…], [[edge, core]…], policy_version, backfilled, [declaring site…], policy_id]
wn_err wn_windows_put_meta(open_window *o) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, 6);
    msgpack_pack_array(&pk, o->text_keys_n);
    for (size_t i = 0; i < o->text_keys_n; i++) wn_put_bin(&pk, o->text_key[i], sizeof o->text_key[i]);
    msgpack_pack_array(&pk, o->epochs_n);
    for (size_t i = 0; i < o->epochs_n; i++) {
        msgpack_pack_array(&pk, 2);
        wn_put_bin(&pk, o->epochs[i].edge, 8);
        wn_put_bin(&pk, o->epochs[i].core, 8);
    }
    msgpack_pack_uint32(&pk, o->policy_version);
    if (o->backfilled) msgpack_pack_true(&pk);
    else msgpack_pack_false(&pk);
    msgpack_pack_array(&pk, o->declare_n);
    for (size_t i = 0; i < o->declare_n; i++) msgpack_pack_uint64(&pk, o->declare[i]);
    msgpack_pack_uint64(&pk, o->policy_id);
    wn_err err = wn_open_store_put(o->store, "meta", (wn_span){(const uint8_t *)buf.data, buf.size});
    wn_wipe(buf.data, buf.size);
    msgpack_sbuffer_destroy(&buf);
    return err == WN_OK ? wn_windows_put_purges(o) : err;
}

static wn_err get_meta(open_window *o) {
    uint8_t bytes[WN_SITES_MAX * 9 + 4096];
    size_t n = 0;
    wn_err err = wn_open_store_get(o->store, "meta", bytes, sizeof bytes, &n);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    WN_TRY(err);
    wn_mp m;
    uint32_t k = 0;
    uint64_t version = 0;
    wn_mp_init(&m, (wn_span){bytes, n});
    if (!wn_mp_array(&m, 6, &k) || k < 5) return WN_ERR_FORMAT;
    uint32_t fields = k, epochs = 0, keys = 0, declare = 0;
    wn_mp_array(&m, WN_TEXT_KEYS_MAX, &keys);
    for (uint32_t i = 0; i < keys && !m.bad; i++) wn_mp_bin_exact(&m, sizeof o->text_key[i], o->text_key[i]);
    wn_mp_array(&m, WN_EPOCHS_MAX, &epochs);
    for (uint32_t i = 0; i < epochs && !m.bad; i++) {
        wn_mp_array(&m, 2, &k);
        wn_mp_bin_exact(&m, 8, o->epochs[i].edge);
        wn_mp_bin_exact(&m, 8, o->epochs[i].core);
    }
    wn_mp_uint(&m, UINT32_MAX, &version);
    wn_mp_bool(&m, &o->backfilled);
    wn_mp_array(&m, WN_SITES_MAX, &declare);
    for (uint32_t i = 0; i < declare && !m.bad; i++) wn_mp_uint(&m, UINT64_MAX, &o->declare[i]);
    if (fields == 6) wn_mp_uint(&m, UINT64_MAX, &o->policy_id); // 5: written before windows named it
    wn_wipe(bytes, sizeof bytes);
    if (!wn_mp_done(&m)) return WN_ERR_FORMAT;
    o->text_keys_n = keys;
    o->declare_n = declare;
    o->epochs_n = epochs;
    o->policy_version = (uint32_t)version;
    return WN_OK;
}

// ---- opening ----

// K_core from kept memory; names it, derives the tables' keys.
static wn_err take_core_key(wn_windows *ws, open_window *o) {
    uint8_t k_core[32];
    bool fresh = false;
    WN_TRY(wn_identity_key(ws->env.identity, o->text, k_core, &fresh));
    wn_table_keys_derive(k_core, &o->keys);
    wn_prf(k_core, (wn_span){(const uint8_t *)"epoch", 5}, o->core_name, sizeof o->core_name);
    wn_wipe(k_core, sizeof k_core);
    return WN_OK;
}

// A window keeps the plan it began with.
static wn_err take_plan(wn_windows *ws, open_window *o) {
    char why[128];
    int line = 0;
    size_t n = 0;
    char *text = malloc(META_BYTES_MAX);
    if (text == NULL) return WN_ERR_NOMEM;
    wn_err err = wn_open_store_get(o->store, "plan", (uint8_t *)text, META_BYTES_MAX, &n);
#ifdef WN_MUTANT_PLAN_MIDWINDOW
    if (err == WN_OK) err = WN_ERR_NOTFOUND;
#endif
    if (err == WN_ERR_NOTFOUND) {
        err = wn_plan_load(ws->env.plan->text, ws->env.plan->text_bytes, &o->plan, why, sizeof why, &line);
        wn_span plan = {(const uint8_t *)ws->env.plan->text, ws->env.plan->text_bytes};
        if (err == WN_OK) err = wn_open_store_begin(o->store);
        if (err == WN_OK) err = wn_open_store_put(o->store, "plan", plan);
        if (err == WN_OK) err = wn_open_store_commit(o->store);
    } else if (err == WN_OK) {
        err = wn_plan_load(text, n, &o->plan, why, sizeof why, &line);
    }
    free(text);
    return err;
}

static wn_err add(wn_windows *ws, open_window *o, int64_t now_s) {
    int64_t wait_s = wn_windows_seals_at(o) - now_s,
            longest_s = o->window.end_s - o->window.start_s + wn_grace_s((wn_kind)o->window.kind);
    if (wait_s > longest_s) wait_s = longest_s; // the wall clock was wrong when this daemon started
    o->due_ms = wn_monotonic_ms() + (wait_s > 0 ? wait_s * 1000 : 0);
    if (ws->n == ws->cap) {
        size_t cap = ws->cap != 0 ? 2 * ws->cap : 16;
        open_window **p = realloc(ws->open, cap * sizeof(open_window *));
        if (p == NULL) return WN_ERR_NOMEM;
        ws->open = p;
        ws->cap = cap;
    }
    ws->open[ws->n++] = o;
    return WN_OK;
}

// Opens or makes the window's store, plan, keys and fold; not yet in the table.
static wn_err open_one(wn_windows *ws, const wn_window *w, open_window **out) {
    char name[WN_WINDOW_TEXT_BYTES + 8];
    open_window *o = calloc(1, sizeof *o);
    if (o == NULL) return WN_ERR_NOMEM;
    o->window = *w;
    wn_window_text(w, o->text);
    snprintf(name, sizeof name, "open/%s", o->text);
    const wn_options *opt = ws->env.options;
    wn_err err = wn_slots_make(ws->env.slots, name, o->key_store);
    if (err == WN_OK)
        err = wn_open_store_open(ws->env.open_dir, w, o->key_store, (size_t)opt->map_mib << 20, &o->store);
    if (err == WN_OK) err = take_plan(ws, o);
    if (err == WN_OK) err = get_meta(o);
    if (err == WN_OK) err = wn_windows_seal_find(o);
    if (err == WN_OK) err = wn_windows_get_purges(o);
    if (err == WN_OK) err = take_core_key(ws, o);
    if (err == WN_OK)
        err = wn_fold_new(&o->plan, (uint32_t)opt->ids_per_prefix_max, (uint32_t)opt->open_values_max,
                          &o->fold);
    if (err == WN_OK) err = wn_commit_new(o->fold, &o->filling);
    if (err == WN_OK) err = wn_commit_new(o->fold, &o->storing);
    if (err != WN_OK) return free_window(o), err;
    *out = o;
    return WN_OK;
}

wn_err wn_windows_open_new(wn_windows *ws, const wn_window *w, int64_t now_s, open_window **out) {
    if (ws->n >= (size_t)ws->env.options->open_windows_max) return WN_ERR_FULL;
    WN_TRY(wn_window_check(w));
    open_window *o;
    WN_TRY(open_one(ws, w, &o));
    o->backfilled = now_s >= w->end_s + wn_grace_s((wn_kind)w->kind);
    o->meta_dirty = true;
    o->replayed = true;
    wn_err err = wn_published_plan(ws->env.published, &o->plan, now_s);
    if (err == WN_OK) err = wn_windows_ledger(ws, o->text, WN_LEDGER_KEYS_BORN, o, now_s);
    if (err == WN_OK) err = add(ws, o, now_s);
    if (err != WN_OK) return free_window(o), err;
    wn_log(WN_MSG_WINDOW_OPEN, w->day, 0, 0);
    *out = o;
    return WN_OK;
}

// ---- recovery ----

static void take_watermark(void *ctx, const wn_batch_id *id) {
    open_window *o = ctx;
    stream *s = wn_windows_stream(o, id);
    WN_ASSERT(s != NULL); // without its watermark a batch could count twice
    s->durable.sequence = s->staged = s->committing = id->sequence;
}

// When this window was last written to: an idle backfill ends though the daemon restarts.
static int64_t last_written(const wn_windows *ws, const open_window *o, int64_t now_s) {
    char path[600];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s/data.mdb", ws->env.open_dir, o->text);
    return stat(path, &st) == 0 && st.st_mtime < now_s ? (int64_t)st.st_mtime : now_s;
}

static wn_err recover_one(wn_windows *ws, const wn_window *w, int64_t now_s) {
    open_window *o;
    wn_err err = open_one(ws, w, &o);
    if (err == WN_ERR_CORRUPT || err == WN_ERR_FORMAT) {
        wn_log(WN_MSG_WINDOW_CORRUPT, w->day, 0, 0);
        ws->bad[ws->bad_n++] = *w;
        return WN_OK;
    }
    WN_TRY(err);
    wn_open_store_each_watermark(o->store, take_watermark, o);
    o->held_left = wn_open_store_held(o->store);
    o->last_batch_s = last_written(ws, o, now_s);
    err = add(ws, o, now_s);
    if (err != WN_OK) free_window(o);
    return err;
}

void wn_windows_set_aside(wn_windows *ws, open_window *o) {
    wn_window w = o->window;
    wn_log(WN_MSG_WINDOW_CORRUPT, w.day, 0, 0);
    wn_windows_drop(ws, o);
    if (ws->bad_n < WN_COUNT(ws->bad)) ws->bad[ws->bad_n++] = w;
}

// The windows whose storage key is still there: open, or sealed but not yet buried.
typedef struct found {
    wn_window at[WN_IDENTITIES_MAX];
    size_t n;
} found;

static void collect(void *ctx, const wn_window *w) {
    found *f = ctx;
    if (f->n < WN_COUNT(f->at)) f->at[f->n++] = *w;
}

static void collect_slot(void *ctx, const char *name) {
    wn_window w;
    if (strncmp(name, "open/", 5) == 0 && wn_window_parse(name + 5, &w)) collect(ctx, &w);
}

wn_err wn_windows_open(const wn_windows_env *env, int64_t now_s, wn_windows **out) {
    wn_windows *ws = calloc(1, sizeof *ws);
    found *f = calloc(1, sizeof *f);
    wn_err err = ws == NULL || f == NULL ? WN_ERR_NOMEM : WN_OK;
    if (err == WN_OK) {
        ws->env = *env;
        wn_slots_each(env->slots, collect_slot, f);
        err = wn_windows_held_key(ws);
    }
    for (size_t i = 0; err == WN_OK && i < f->n; i++) {
        uint64_t tick = 0;
        bool is_sealed = false;
        err = wn_published_window(env->published, &f->at[i], &tick, &is_sealed);
        if (err != WN_OK) break;
        if (is_sealed) err = wn_windows_bury(ws, &f->at[i], now_s);
        else err = recover_one(ws, &f->at[i], now_s);
    }
    free(f);
    if (err == WN_OK && env->replay_ms > 0) err = wn_windows_work(ws, wn_monotonic_ms() + env->replay_ms);
    if (err != WN_OK) return wn_windows_close(ws), err;
    *out = ws;
    return WN_OK;
}

void wn_windows_close(wn_windows *ws) {
    if (ws == NULL) return;
    for (size_t i = 0; i < ws->n; i++) free_window(ws->open[i]);
    free(ws->open);
    wn_wipe(ws, sizeof *ws);
    free(ws);
}
