// SPDX-License-Identifier: Apache-2.0
// windows.c: filling, committing and ticking the open windows.
#include "windows.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "intent.h"
#include "log.h"
#include "windows_impl.h"

#define FILLING_OBS_MAX (WN_COMMIT_OBS_MAX - WN_BATCH_OBS_MAX)
#define JOURNAL_REBASE_BYTES (64u << 20)

open_window *wn_windows_find(const wn_windows *ws, const wn_window *w) {
    for (size_t i = 0; i < ws->n; i++)
        if (wn_window_same(&ws->open[i]->window, w)) return ws->open[i];
    return NULL;
}

// ---- taking batches ----

stream *wn_windows_stream(open_window *o, const wn_batch_id *id) {
    for (size_t i = 0; i < o->streams_n; i++) {
        wn_batch_id *d = &o->streams[i].durable;
        if (d->generation == id->generation && memcmp(d->collector, id->collector, 16) == 0)
            return &o->streams[i];
    }
    if (o->streams_n == WN_OPEN_MARKS_MAX) return NULL;
    if (o->streams_n == o->streams_cap) {
        size_t cap = o->streams_cap != 0 ? 2 * o->streams_cap : 16;
        stream *more = realloc(o->streams, cap * sizeof *more);
        if (more == NULL) return NULL;
        o->streams = more;
        o->streams_cap = cap;
    }
    stream *s = &o->streams[o->streams_n++];
    memset(s, 0, sizeof *s);
    s->durable = *id;
    s->durable.sequence = 0;
    return s;
}

wn_err wn_windows_epoch(wn_windows *ws, open_window *o, const uint8_t edge[8], int64_t now_s, uint8_t *out) {
    for (size_t i = 0; i < o->epochs_n; i++) {
        bool same =
            memcmp(o->epochs[i].edge, edge, 8) == 0 && memcmp(o->epochs[i].core, o->core_name, 8) == 0;
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

wn_err wn_windows_gather(open_window *o, wn_batch_reader *batch, uint8_t e) {
    wn_value v;
    wn_observation obs;
    for (uint32_t i = 0; i < wn_batch_reader_values(batch); i++) {
        wn_batch_reader_value(batch, i, &v);
        WN_TRY(wn_commit_value(o->filling, &v));
    }
    while (wn_batch_reader_next(batch, &obs)) {
        if (obs.kind == WN_OBS_PURGE) wn_windows_purge_mark(o, &obs, batch->head.edge_epoch);
        else if (!wn_window_purges_refuse(&o->purges, obs.site, obs.org))
            WN_TRY(wn_commit_observe(o->filling, &obs, &o->keys, e));
    }
    wn_wipe(&obs, sizeof obs);
    for (uint32_t i = 0; i < batch->refusals_n; i++)
        if (!wn_window_purges_site(&o->purges, batch->refusals[i].site))
            WN_TRY(wn_commit_refuse(o->filling, batch->refusals[i].site, batch->refusals[i].refused));
    return WN_OK;
}

// A collector that lost its state comes with another key; the old one still opens the old texts.
static bool take_text_key(open_window *o, const uint8_t key[32]) {
    for (size_t i = 0; i < o->text_keys_n; i++)
        if (memcmp(o->text_key[i], key, sizeof o->text_key[i]) == 0) return true;
    if (o->text_keys_n == WN_TEXT_KEYS_MAX) return false;
    memcpy(o->text_key[o->text_keys_n++], key, sizeof o->text_key[0]);
    o->meta_dirty = true;
    return true;
}

// A collector that lost its state goes on under its newest policy; the window keeps what it began with.
static void take_policy(open_window *o, const wn_batch_head *h) {
    if (o->policy_version != 0) {
        if (h->policy_id != o->policy_id && !o->policies_told)
            wn_log(WN_MSG_POLICY_OTHER, o->window.day, h->policy_version, o->policy_version);
        o->policies_told = o->policies_told || h->policy_id != o->policy_id;
        return;
    }
    o->policy_version = h->policy_version;
    o->policy_id = h->policy_id;
    o->meta_dirty = true;
}

// A window that no longer exists: was this very batch counted before the seal?
static wn_answer answer_sealed(wn_windows *ws, const wn_batch_head *h) {
    uint64_t last =
        wn_published_final_sequence(ws->env.published, &h->window, h->id.collector, h->id.generation);
    if (h->id.sequence <= last) return WN_ANSWER_ACK;
    ws->late += h->observations;
    return WN_ANSWER_SEALED;
}

wn_answer wn_windows_take(wn_windows *ws, wn_batch_reader *batch, wn_span bytes, int64_t now_s,
                          uint64_t *out_sequence, bool *out_deferred) {
    const wn_batch_head *h = &batch->head;
    *out_deferred = false;
    *out_sequence = h->id.sequence;
    open_window *o = wn_windows_find(ws, &h->window);
    if (o == NULL) {
        wn_window_state state = wn_windows_state(ws, &h->window);
        if (state == WN_WINDOW_SEALED) return answer_sealed(ws, h);
        wn_err err = wn_windows_open_new(ws, &h->window, now_s, &o);
        if (err == WN_ERR_CONFIG) return WN_ANSWER_REFUSED;
        if (err != WN_OK) {
            wn_log(WN_MSG_ERROR, err, 10, 0);
            return WN_ANSWER_BUSY;
        }
    } else if (o->window.start_s != h->window.start_s || o->window.end_s != h->window.end_s) {
        return WN_ANSWER_REFUSED;
    }
    if (!take_text_key(o, h->text_key)) return WN_ANSWER_REFUSED;
    stream *s = wn_windows_stream(o, &h->id);
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
    wn_err err = wn_windows_epoch(ws, o, h->edge_epoch, now_s, &e);
    if (err != WN_OK) {
        wn_log(WN_MSG_ERROR, err, 11, 0);
        return WN_ANSWER_BUSY;
    }
    if (!o->replayed) {
        // Caps and numbers need the whole fold: until then the batch itself is what becomes durable.
        err = wn_windows_hold(ws, o, bytes);
        if (err != WN_OK) {
            wn_log(WN_MSG_ERROR, err, 12, 0);
            return WN_ANSWER_BUSY;
        }
    } else {
        // Half a batch must never count: without memory to gather it the daemon
        // ends here, and starts over from what is durable.
        err = wn_windows_gather(o, batch, e);
        WN_ASSERT(err == WN_OK);
    }
    o->filling_obs += h->observations;
    take_policy(o, h);
    // Without room for the entry it comes with the next batch.
    if (!o->policy_noted) {
        err = wn_published_policy(ws->env.published, o->policy_id, o->policy_version, now_s);
        if (err != WN_OK) wn_log(WN_MSG_ERROR, err, 14, 0);
        o->policy_noted = err == WN_OK;
    }
    s->staged = h->id.sequence;
    o->last_batch_s = now_s;
    o->dirty = true;
    *out_deferred = true;
    return WN_ANSWER_ACK;
}

wn_window_state wn_windows_state(const wn_windows *ws, const wn_window *w) {
    if (wn_windows_find(ws, w) != NULL) return WN_WINDOW_OPEN;
    for (size_t i = 0; i < ws->bad_n; i++)
        if (wn_window_same(&ws->bad[i], w)) return WN_WINDOW_SEALED;
    uint64_t tick = 0;
    bool is_sealed = false;
    // When the marker cannot be read nothing may count twice.
    if (wn_published_window(ws->env.published, w, &tick, &is_sealed) != WN_OK) return WN_WINDOW_SEALED;
    return is_sealed ? WN_WINDOW_SEALED : WN_WINDOW_NEVER;
}

// ---- committing ----

bool wn_windows_staged(const wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++) {
        const open_window *o = ws->open[i];
        if (o->dirty || (o->replayed && o->held_left != 0)) return true;
    }
    return false;
}

bool wn_windows_full(const wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++) {
        const open_window *o = ws->open[i];
        // What was held comes in beside what comes now.
        uint32_t most = o->replayed && o->held_left != 0 ? FILLING_OBS_MAX / 2 : FILLING_OBS_MAX;
        if (o->filling_obs > most) return true;
    }
    return false;
}

// What was held goes through the fold in the transaction that drops it.
static wn_err stage_fold(wn_windows *ws, open_window *o, int64_t now_s) {
    uint64_t n = 0;
    if (o->held_left != 0) WN_TRY(wn_windows_take_held(ws, o, now_s, &n));
    WN_TRY(wn_commit_encode(o->filling));
    WN_TRY(wn_open_store_begin(o->store));
    WN_TRY(wn_open_store_held_drop(o->store, n));
    o->held_left -= n;
    for (size_t i = 0; i < wn_commit_records(o->filling); i++)
        WN_TRY(wn_open_store_journal(o->store, wn_commit_record(o->filling, i)));
    wn_commit *t = o->storing;
    o->storing = o->filling;
    o->filling = t;
    return WN_OK;
}

static wn_err stage_one(wn_windows *ws, open_window *o, int64_t now_s) {
    o->applies = o->replayed;
    WN_TRY(o->replayed ? stage_fold(ws, o, now_s) : wn_open_store_begin(o->store));
    WN_TRY(wn_windows_put_held(o));
    for (size_t i = 0; i < o->streams_n; i++) {
        stream *s = &o->streams[i];
        if (s->staged == s->durable.sequence) continue;
        wn_batch_id id = s->durable;
        id.sequence = s->committing = s->staged;
        WN_TRY(wn_open_store_watermark(o->store, &id));
    }
    if (o->meta_dirty) WN_TRY(wn_windows_put_meta(o));
    o->meta_dirty = false;
    o->filling_obs = 0;
    o->dirty = false;
    o->in_commit = true;
    return WN_OK;
}

wn_err wn_windows_stage(wn_windows *ws, int64_t now_s) {
    for (size_t i = ws->n; i-- > 0;) {
        open_window *o = ws->open[i];
        if (!o->dirty && (!o->replayed || o->held_left == 0)) continue;
        wn_err err = stage_one(ws, o, now_s);
        if (err == WN_ERR_CORRUPT) wn_windows_set_aside(ws, o); // what it held
        else WN_TRY(err);
    }
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
        if (o->applies) wn_commit_apply(o->storing);
        for (size_t j = 0; j < o->streams_n; j++) o->streams[j].durable.sequence = o->streams[j].committing;
        o->in_commit = false;
    }
}

// ---- ticks ----

// A site that declared organisations once in this window keeps to it, whatever its settings say later.
wn_lock_rules wn_windows_rules(const wn_windows *ws, open_window *o) {
    const wn_sites *sites = *ws->env.sites;
    for (size_t i = 0; i < sites->n; i++) {
        bool known = !sites->site[i].organisations;
        for (size_t j = 0; j < o->declare_n && !known; j++) known = o->declare[j] == sites->site[i].tag;
        if (known || o->declare_n == WN_SITES_MAX) continue;
        o->declare[o->declare_n++] = sites->site[i].tag;
        o->meta_dirty = true;
    }
    return (wn_lock_rules){ws->env.p_percent, sites, o->declare, o->declare_n, o->purges.frozen,
                           o->purges.frozen_n};
}

static wn_err tick_one(wn_windows *ws, open_window *o, int64_t now_s, size_t *inout_moved) {
    wn_lock_rules rules = wn_windows_rules(ws, o);
    wn_steps steps = {NULL, 0, 0};
    uint8_t *intent = NULL;
    size_t n = 0;
    wn_err err = wn_locks_tick(o->fold, &o->plan, &rules, &o->rows, &steps);
    if (err == WN_OK && steps.n != 0) {
        err = wn_intent_encode(o->tick + 1, o->fold, &steps, &o->rows, &intent, &n);
        if (err == WN_OK) err = wn_open_store_begin(o->store);
        const char *name = (o->tick + 1) % 2 != 0 ? "intent.a" : "intent.b";
        if (err == WN_OK) err = wn_open_store_put(o->store, name, (wn_span){intent, n});
        if (err == WN_OK && o->meta_dirty) err = wn_windows_put_meta(o);
        o->meta_dirty = false;
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
    size_t moved = 0;
    for (size_t i = 0; i < ws->n; i++)
        if (ws->open[i]->replayed && !ws->open[i]->purges.asked)
            WN_TRY(tick_one(ws, ws->open[i], now_s, &moved));
    *out_rows_moved = moved;
    return WN_OK;
}

// ---- looking in ----

int64_t wn_windows_seals_at(const open_window *o) {
    return o->backfilled ? 0 : o->window.end_s + wn_grace_s((wn_kind)o->window.kind);
}

size_t wn_windows_count(const wn_windows *ws) {
    return ws->n;
}

static unsigned percent(const open_window *o) {
    if (o->replayed) return 100;
    return o->replay.all == 0 ? 0 : (unsigned)(o->replay.done * 99 / o->replay.all);
}

void wn_windows_info(const wn_windows *ws, size_t i, wn_window_info *out) {
    const open_window *o = ws->open[i];
    *out = (wn_window_info){
        .window = o->window,
        .seals_at_s = wn_windows_seals_at(o),
        .due_ms = o->due_ms,
        .closing = o->closing,
        .replayed_percent = percent(o),
        .people = wn_fold_people(o->fold),
        .fold_bytes = wn_fold_bytes(o->fold),
        .file_bytes = wn_open_store_file_bytes(o->store),
        .last_batch_s = o->last_batch_s,
    };
}

size_t wn_windows_bad(const wn_windows *ws) {
    return ws->bad_n;
}

uint64_t wn_windows_late(const wn_windows *ws) {
    return ws->late;
}

uint64_t wn_windows_bytes(const wn_windows *ws) {
    uint64_t n = 0;
    for (size_t i = 0; i < ws->n; i++) n += wn_fold_bytes(ws->open[i]->fold);
    return n;
}
