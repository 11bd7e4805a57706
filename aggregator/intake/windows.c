// SPDX-License-Identifier: Apache-2.0
// windows.c: opening, recovering, filling and ticking the open windows.
#include "windows.h"

#include <msgpack.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "intent.h"
#include "log.h"
#include "mp.h"
#include "windows_impl.h"

#define FILLING_OBS_MAX (WN_COMMIT_OBS_MAX - WN_BATCH_OBS_MAX)
#define JOURNAL_REBASE_BYTES (64u << 20)
#define META_BYTES_MAX (1u << 20)

open_window *wn_windows_find(const wn_windows *ws, const wn_window *w) {
    for (size_t i = 0; i < ws->n; i++)
        if (wn_window_same(&ws->open[i]->window, w)) return ws->open[i];
    return NULL;
}

static void free_window(open_window *o) {
    wn_commit_free(o->filling);
    wn_commit_free(o->storing);
    wn_open_store_close(o->store);
    wn_fold_free(o->fold);
    wn_plan_fini(&o->plan);
    wn_rows_fini(&o->rows);
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

static void pack_bin(msgpack_packer *pk, const void *p, size_t n) {
    msgpack_pack_bin(pk, n);
    msgpack_pack_bin_body(pk, p, n);
}

// [text_key or nil, [[edge, core]…], policy_version, backfilled]
static wn_err put_meta(open_window *o) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, 4);
    if (o->has_text_key) pack_bin(&pk, o->text_key, sizeof o->text_key);
    else msgpack_pack_nil(&pk);
    msgpack_pack_array(&pk, o->epochs_n);
    for (size_t i = 0; i < o->epochs_n; i++) {
        msgpack_pack_array(&pk, 2);
        pack_bin(&pk, o->epochs[i].edge, 8);
        pack_bin(&pk, o->epochs[i].core, 8);
    }
    msgpack_pack_uint32(&pk, o->policy_version);
    if (o->backfilled) msgpack_pack_true(&pk);
    else msgpack_pack_false(&pk);
    wn_err err = wn_open_store_put(o->store, "meta", (wn_span){(const uint8_t *)buf.data, buf.size});
    wn_wipe(buf.data, buf.size);
    msgpack_sbuffer_destroy(&buf);
    return err;
}

static wn_err get_meta(open_window *o) {
    uint8_t bytes[4096];
    size_t n = 0;
    wn_err err = wn_open_store_get(o->store, "meta", bytes, sizeof bytes, &n);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    WN_TRY(err);
    wn_mp m;
    uint32_t k = 0;
    uint64_t version = 0;
    wn_mp_init(&m, (wn_span){bytes, n});
    if (!wn_mp_array(&m, 4, &k) || k != 4) return WN_ERR_FORMAT;
    o->has_text_key = !wn_mp_nil(&m);
    if (o->has_text_key) wn_mp_bin_exact(&m, sizeof o->text_key, o->text_key);
    uint32_t epochs = 0;
    wn_mp_array(&m, WN_EPOCHS_MAX, &epochs);
    for (uint32_t i = 0; i < epochs && !m.bad; i++) {
        wn_mp_array(&m, 2, &k);
        wn_mp_bin_exact(&m, 8, o->epochs[i].edge);
        wn_mp_bin_exact(&m, 8, o->epochs[i].core);
    }
    wn_mp_uint(&m, UINT32_MAX, &version);
    wn_mp_bool(&m, &o->backfilled);
    wn_wipe(bytes, sizeof bytes);
    if (!wn_mp_done(&m)) return WN_ERR_FORMAT;
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

static wn_err add(wn_windows *ws, open_window *o) {
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
    if (err == WN_OK) err = take_core_key(ws, o);
    if (err == WN_OK)
        err = wn_fold_new(&o->plan, (uint32_t)opt->ids_per_prefix_max, (uint32_t)opt->open_values_max, &o->fold);
    if (err == WN_OK) err = wn_commit_new(o->fold, &o->filling);
    if (err == WN_OK) err = wn_commit_new(o->fold, &o->storing);
    if (err != WN_OK) return free_window(o), err;
    *out = o;
    return WN_OK;
}

static wn_err open_new(wn_windows *ws, const wn_window *w, int64_t now_s, open_window **out) {
    if (ws->n >= (size_t)ws->env.options->open_windows_max) return WN_ERR_FULL;
    WN_TRY(wn_window_check(w));
    open_window *o;
    WN_TRY(open_one(ws, w, &o));
    o->backfilled = now_s >= w->end_s + wn_grace_s((wn_kind)w->kind);
    o->meta_dirty = true;
    wn_err err = wn_windows_ledger(ws, o->text, WN_LEDGER_KEYS_BORN, o, now_s);
    if (err == WN_OK) err = add(ws, o);
    if (err != WN_OK) return free_window(o), err;
    wn_log(WN_MSG_WINDOW_OPEN, w->day, 0, 0);
    *out = o;
    return WN_OK;
}

// ---- recovery ----

static wn_err replay_base(void *ctx, wn_span part) {
    return wn_fold_unpack(((open_window *)ctx)->fold, part);
}

static wn_err replay_journal(void *ctx, wn_span record) {
    return wn_journal_replay(((open_window *)ctx)->fold, record);
}

static void take_watermark(void *ctx, const wn_batch_id *id) {
    open_window *o = ctx;
    if (o->streams_n == WN_STREAMS_MAX) return;
    o->streams[o->streams_n++] = (stream){.durable = *id, .staged = id->sequence, .committing = id->sequence};
}

// Puts back the newest intent that the published store also has.
static wn_err recover_rows(wn_windows *ws, open_window *o) {
    static const char *const names[2] = {"intent.a", "intent.b"};
    bool sealed = false;
    WN_TRY(wn_published_window(ws->env.published, &o->window, &o->tick, &sealed));
    for (int i = 0; i < 2 && o->tick != 0; i++) {
        size_t n = 0;
        uint64_t tick = 0;
        wn_err err = wn_open_store_get(o->store, names[i], NULL, 0, &n);
        if (err == WN_ERR_NOTFOUND) continue;
        WN_TRY(err);
        uint8_t *bytes = malloc(n != 0 ? n : 1);
        if (bytes == NULL) return WN_ERR_NOMEM;
        err = wn_open_store_get(o->store, names[i], bytes, n, &n);
        if (err == WN_OK) err = wn_intent_tick((wn_span){bytes, n}, &tick);
        if (err == WN_OK && tick == o->tick) err = wn_intent_apply((wn_span){bytes, n}, o->fold, &o->rows);
        wn_wipe(bytes, n);
        free(bytes);
        WN_TRY(err);
    }
    return WN_OK;
}

static wn_err recover_one(wn_windows *ws, const wn_window *w, int64_t now_s) {
    open_window *o;
    wn_err err = open_one(ws, w, &o);
    if (err == WN_OK) {
        err = wn_open_store_replay(o->store, replay_base, replay_journal, o);
        if (err == WN_OK) err = recover_rows(ws, o);
        if (err != WN_OK) free_window(o);
    }
    if (err == WN_ERR_CORRUPT || err == WN_ERR_FORMAT) {
        // Set aside: not served, not destroyed; the operator decides.
        wn_log(WN_MSG_WINDOW_CORRUPT, w->day, 0, 0);
        return WN_OK;
    }
    WN_TRY(err);
    wn_open_store_each_watermark(o->store, take_watermark, o);
    o->last_batch_s = now_s;
    err = add(ws, o);
    if (err != WN_OK) free_window(o);
    return err;
}

// The first window on disk that is sealed but not yet gone, or not yet open here.
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
    if (err != WN_OK) return wn_windows_close(ws), err;
    *out = ws;
    return WN_OK;
}

void wn_windows_close(wn_windows *ws) {
    if (ws == NULL) return;
    for (size_t i = 0; i < ws->n; i++) free_window(ws->open[i]);
    free(ws->open);
    free(ws);
}

// ---- taking batches ----

static stream *find_stream(open_window *o, const wn_batch_id *id) {
    for (size_t i = 0; i < o->streams_n; i++) {
        wn_batch_id *d = &o->streams[i].durable;
        if (d->generation == id->generation && memcmp(d->collector, id->collector, 16) == 0) return &o->streams[i];
    }
    if (o->streams_n == WN_STREAMS_MAX) return NULL;
    stream *s = &o->streams[o->streams_n++];
    memset(s, 0, sizeof *s);
    s->durable = *id;
    s->durable.sequence = 0;
    return s;
}

static wn_err epoch_index(wn_windows *ws, open_window *o, const uint8_t edge[8], int64_t now_s, uint8_t *out) {
    for (size_t i = 0; i < o->epochs_n; i++) {
        bool same = memcmp(o->epochs[i].edge, edge, 8) == 0 && memcmp(o->epochs[i].core, o->core_name, 8) == 0;
        if (same) return *out = (uint8_t)i, WN_OK;
    }
    if (o->epochs_n == WN_EPOCHS_MAX) return WN_ERR_FULL;
    if (o->epochs_n != 0) {
        wn_log(WN_MSG_EPOCH, o->window.day, 0, 0);
        WN_TRY(wn_windows_ledger(ws, o->text, WN_LEDGER_EPOCH, o, now_s));
    }
    epoch *e = &o->epochs[o->epochs_n];
    memcpy(e->edge, edge, 8);
    memcpy(e->core, o->core_name, 8);
    *out = (uint8_t)o->epochs_n++;
    o->meta_dirty = true;
    return WN_OK;
}

static wn_err gather(open_window *o, wn_batch_reader *batch, uint8_t e) {
    wn_value v;
    wn_observation obs;
    for (uint32_t i = 0; i < wn_batch_reader_values(batch); i++) {
        wn_batch_reader_value(batch, i, &v);
        WN_TRY(wn_commit_value(o->filling, &v));
    }
    while (wn_batch_reader_next(batch, &obs)) WN_TRY(wn_commit_observe(o->filling, &obs, &o->keys, e));
    wn_wipe(&obs, sizeof obs);
    for (uint32_t i = 0; i < batch->refusals_n; i++)
        WN_TRY(wn_commit_refuse(o->filling, batch->refusals[i].site, batch->refusals[i].refused));
    return WN_OK;
}

// A window that no longer exists: was this very batch counted before the seal?
static wn_answer answer_sealed(wn_windows *ws, const wn_batch_head *h) {
    uint64_t last = wn_published_final_sequence(ws->env.published, &h->window, h->id.collector, h->id.generation);
    if (h->id.sequence <= last) return WN_ANSWER_ACK;
    ws->late += h->observations;
    return WN_ANSWER_SEALED;
}

wn_answer wn_windows_take(wn_windows *ws, wn_batch_reader *batch, int64_t now_s, uint64_t *out_sequence,
                          bool *out_deferred) {
    const wn_batch_head *h = &batch->head;
    *out_deferred = false;
    *out_sequence = h->id.sequence;
    open_window *o = wn_windows_find(ws, &h->window);
    if (o == NULL) {
        wn_window_state state = wn_windows_state(ws, &h->window);
        if (state == WN_WINDOW_SEALED) return answer_sealed(ws, h);
        wn_err err = open_new(ws, &h->window, now_s, &o);
        if (err == WN_ERR_CONFIG) return WN_ANSWER_REFUSED;
        if (err != WN_OK) {
            wn_log(WN_MSG_ERROR, err, 10, 0);
            return WN_ANSWER_BUSY;
        }
    } else if (o->window.start_s != h->window.start_s || o->window.end_s != h->window.end_s) {
        return WN_ANSWER_REFUSED;
    }
    if (o->has_text_key && memcmp(o->text_key, h->text_key, sizeof o->text_key) != 0) return WN_ANSWER_REFUSED;
    stream *s = find_stream(o, &h->id);
    if (s == NULL) return WN_ANSWER_BUSY;
    if (h->id.sequence <= s->staged) {
        *out_deferred = h->id.sequence > s->durable.sequence;
        return WN_ANSWER_ACK;
    }
    if (h->id.sequence != s->staged + 1) {
        *out_sequence = s->staged + 1;
        return WN_ANSWER_EXPECT;
    }
    uint64_t memory_max = (uint64_t)ws->env.options->memory_max_mib << 20;
    if (wn_windows_bytes(ws) > memory_max) {
        wn_log(WN_MSG_MEMORY_MAX, ws->env.options->memory_max_mib, 0, 0);
        return WN_ANSWER_BUSY;
    }
    uint8_t e = 0;
    wn_err err = epoch_index(ws, o, h->edge_epoch, now_s, &e);
    if (err != WN_OK) {
        wn_log(WN_MSG_ERROR, err, 11, 0);
        return WN_ANSWER_BUSY;
    }
    // Half a batch must never count: without memory to gather it, start over
    // from what is durable.
    err = gather(o, batch, e);
    WN_ASSERT(err == WN_OK);
    o->filling_obs += h->observations;
    if (!o->has_text_key) {
        memcpy(o->text_key, h->text_key, sizeof o->text_key);
        o->has_text_key = o->meta_dirty = true;
    }
    if (h->policy_version > o->policy_version) {
        o->policy_version = h->policy_version;
        o->meta_dirty = true;
    }
    s->staged = h->id.sequence;
    o->last_batch_s = now_s;
    o->dirty = true;
    *out_deferred = true;
    return WN_ANSWER_ACK;
}

wn_window_state wn_windows_state(const wn_windows *ws, const wn_window *w) {
    if (wn_windows_find(ws, w) != NULL) return WN_WINDOW_OPEN;
    uint64_t tick = 0;
    bool is_sealed = false;
    if (wn_published_window(ws->env.published, w, &tick, &is_sealed) != WN_OK) return WN_WINDOW_NEVER;
    return is_sealed ? WN_WINDOW_SEALED : WN_WINDOW_NEVER;
}

// ---- committing ----

bool wn_windows_staged(const wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++)
        if (ws->open[i]->dirty) return true;
    return false;
}

bool wn_windows_full(const wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++)
        if (ws->open[i]->filling_obs > FILLING_OBS_MAX) return true;
    return false;
}

static wn_err stage_one(open_window *o) {
    WN_TRY(wn_commit_encode(o->filling));
    WN_TRY(wn_open_store_begin(o->store));
    for (size_t i = 0; i < wn_commit_records(o->filling); i++)
        WN_TRY(wn_open_store_journal(o->store, wn_commit_record(o->filling, i)));
    for (size_t i = 0; i < o->streams_n; i++) {
        stream *s = &o->streams[i];
        if (s->staged == s->durable.sequence) continue;
        wn_batch_id id = s->durable;
        id.sequence = s->committing = s->staged;
        WN_TRY(wn_open_store_watermark(o->store, &id));
    }
    if (o->meta_dirty) WN_TRY(put_meta(o));
    o->meta_dirty = false;
    wn_commit *t = o->storing;
    o->storing = o->filling;
    o->filling = t;
    o->filling_obs = 0;
    o->dirty = false;
    o->in_commit = true;
    return WN_OK;
}

wn_err wn_windows_stage(wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++)
        if (ws->open[i]->dirty) WN_TRY(stage_one(ws->open[i]));
    return WN_OK;
}

wn_err wn_windows_commit(wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++)
        if (ws->open[i]->in_commit) WN_TRY(wn_open_store_commit(ws->open[i]->store));
    return WN_OK;
}

void wn_windows_committed(wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++) {
        open_window *o = ws->open[i];
        if (!o->in_commit) continue;
        wn_commit_apply(o->storing);
        for (size_t j = 0; j < o->streams_n; j++) o->streams[j].durable.sequence = o->streams[j].committing;
        o->in_commit = false;
    }
}

// ---- ticks ----

static wn_err tick_one(wn_windows *ws, open_window *o, const wn_lock_rules *rules, int64_t now_s, size_t *inout_moved) {
    wn_steps steps = {NULL, 0, 0};
    uint8_t *intent = NULL;
    size_t n = 0;
    wn_err err = wn_locks_tick(o->fold, &o->plan, rules, &o->rows, &steps);
    if (err == WN_OK && steps.n != 0) {
        err = wn_intent_encode(o->tick + 1, o->fold, &steps, &o->rows, &intent, &n);
        if (err == WN_OK) err = wn_open_store_begin(o->store);
        const char *name = (o->tick + 1) % 2 != 0 ? "intent.a" : "intent.b";
        if (err == WN_OK) err = wn_open_store_put(o->store, name, (wn_span){intent, n});
        if (err == WN_OK) err = wn_open_store_commit(o->store);
        for (size_t i = 0; err == WN_OK && i < steps.n; i++)
            wn_fold_set_baseline(o->fold, steps.step[i].cell, steps.step[i].baseline);
        if (err == WN_OK) {
            o->tick++;
            err = wn_windows_publish(ws, o, false, now_s);
        }
        *inout_moved += steps.n;
    }
    if (intent != NULL) wn_wipe(intent, n);
    free(intent);
    wn_steps_fini(&steps);
    if (err == WN_OK && wn_open_store_journal_bytes(o->store) > JOURNAL_REBASE_BYTES)
        err = wn_open_store_rebase(o->store, o->fold);
    return err;
}

wn_err wn_windows_tick(wn_windows *ws, int64_t now_s, size_t *out_rows_moved) {
    wn_lock_rules rules = {ws->env.p_percent, *ws->env.sites};
    size_t moved = 0;
    for (size_t i = 0; i < ws->n; i++) WN_TRY(tick_one(ws, ws->open[i], &rules, now_s, &moved));
    *out_rows_moved = moved;
    return WN_OK;
}

// ---- looking in ----

size_t wn_windows_count(const wn_windows *ws) {
    return ws->n;
}

void wn_windows_info(const wn_windows *ws, size_t i, wn_window_info *out) {
    const open_window *o = ws->open[i];
    *out = (wn_window_info){
        .window = o->window,
        .seals_at_s = o->backfilled ? 0 : o->window.end_s + wn_grace_s((wn_kind)o->window.kind),
        .closing = o->closing,
        .people = wn_fold_people(o->fold),
        .fold_bytes = wn_fold_bytes(o->fold),
        .file_bytes = wn_open_store_file_bytes(o->store),
        .last_batch_s = o->last_batch_s,
    };
}

uint64_t wn_windows_late(const wn_windows *ws) {
    return ws->late;
}

uint64_t wn_windows_bytes(const wn_windows *ws) {
    uint64_t n = 0;
    for (size_t i = 0; i < ws->n; i++) n += wn_fold_bytes(ws->open[i]->fold);
    return n;
}
