// SPDX-License-Identifier: Apache-2.0
// window_replay.c: an acking daemon while its folds are being rebuilt.
//
// A journal record needs the whole fold: its numbers follow on the fold's, and
// the cap by prefix asks who is there. So what comes during a replay is made
// durable as it came. A batch still says who did what together, which no
// journal record does; therefore it is sealed under a key that is forgotten as
// soon as all that was held has gone through the folds, within the same seconds.
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crypt.h"
#include "intent.h"
#include "log.h"
#include "windows_impl.h"

#define HELD_SLOT "held"

// ---- replay ----

static wn_err replay_base(void *ctx, wn_span part) {
    return wn_fold_unpack(((open_window *)ctx)->fold, part);
}

static wn_err replay_journal(void *ctx, wn_span record) {
    return wn_journal_replay(((open_window *)ctx)->fold, record);
}

// Puts back the newest intent that the published store also has.
static wn_err recover_rows(wn_windows *ws, open_window *o) {
    static const char *const names[2] = {"intent.a", "intent.b"};
    bool sealed = false;
    WN_TRY(wn_published_window(ws->env.published, &o->window, &o->tick, &sealed));
    bool found = o->tick == 0;
    for (int i = 0; i < 2 && !found; i++) {
        size_t n = 0;
        uint64_t tick = 0;
        wn_err err = wn_open_store_get(o->store, names[i], NULL, 0, &n);
        if (err == WN_ERR_NOTFOUND) continue;
        WN_TRY(err);
        uint8_t *bytes = malloc(n != 0 ? n : 1);
        if (bytes == NULL) return WN_ERR_NOMEM;
        err = wn_open_store_get(o->store, names[i], bytes, n, &n);
        if (err == WN_OK) err = wn_intent_tick((wn_span){bytes, n}, &tick);
        found = err == WN_OK && tick == o->tick;
        if (found) err = wn_intent_apply((wn_span){bytes, n}, o->fold, &o->rows);
        wn_wipe(bytes, n);
        free(bytes);
        WN_TRY(err);
    }
    return found ? WN_OK : WN_ERR_CORRUPT; // without its baselines a step could be small
}

static wn_err replay_some(wn_windows *ws, open_window *o, int64_t until_ms) {
    bool done = false;
    WN_TRY(wn_open_store_replay_step(o->store, &o->replay, until_ms, replay_base, replay_journal, o, &done));
    if (!done) return WN_OK;
    WN_TRY(recover_rows(ws, o));
    o->replayed = true;
    uint64_t held = o->held_left + o->held_n;
    if (held != 0) wn_log(WN_MSG_WINDOW_WHOLE, o->window.day, (int64_t)held, 0);
    return WN_OK;
}

// The one that was written to last: most of what comes is for it.
static open_window *next_one(const wn_windows *ws) {
    open_window *best = NULL;
    for (size_t i = 0; i < ws->n; i++) {
        open_window *o = ws->open[i];
        if (!o->replayed && (best == NULL || o->last_batch_s > best->last_batch_s)) best = o;
    }
    return best;
}

bool wn_windows_replaying(const wn_windows *ws) {
    return next_one(ws) != NULL;
}

static wn_err forget_key(wn_windows *ws) {
    if (!ws->has_held_key) return WN_OK;
    for (size_t i = 0; i < ws->n; i++)
        if (!ws->open[i]->replayed || ws->open[i]->held_n != 0 || ws->open[i]->held_left != 0) return WN_OK;
    static const char *const names[] = {HELD_SLOT, NULL};
    WN_TRY(wn_slots_forget(ws->env.slots, names));
    wn_wipe(ws->held_key, sizeof ws->held_key);
    ws->has_held_key = false;
    return WN_OK;
}

wn_err wn_windows_work(wn_windows *ws, int64_t until_ms) {
    open_window *o;
    while ((o = next_one(ws)) != NULL) {
        wn_err err = replay_some(ws, o, until_ms);
        if (err == WN_ERR_CORRUPT || err == WN_ERR_FORMAT) wn_windows_set_aside(ws, o);
        else WN_TRY(err);
        if (wn_monotonic_ms() >= until_ms) break;
    }
    return forget_key(ws);
}

// ---- what comes meanwhile ----

wn_err wn_windows_held_key(wn_windows *ws) {
    wn_err err = wn_slots_get(ws->env.slots, HELD_SLOT, ws->held_key);
    ws->has_held_key = err == WN_OK;
    return err == WN_ERR_NOTFOUND ? WN_OK : err;
}

static wn_span place_of(const open_window *o) {
    return (wn_span){(const uint8_t *)o->text, strlen(o->text)};
}

wn_err wn_windows_hold(wn_windows *ws, open_window *o, wn_span batch) {
    if (!ws->has_held_key) {
        WN_TRY(wn_slots_make(ws->env.slots, HELD_SLOT, ws->held_key));
        ws->has_held_key = true;
    }
    if (o->held_n == o->held_cap) {
        size_t cap = o->held_cap != 0 ? 2 * o->held_cap : 64;
        held_batch *more = realloc(o->held, cap * sizeof *more);
        if (more == NULL) return WN_ERR_NOMEM;
        o->held = more;
        o->held_cap = cap;
    }
    held_batch h = {.bytes = batch.n + WN_BOX_OVERHEAD};
    h.box = malloc(h.bytes);
    if (h.box == NULL) return WN_ERR_NOMEM;
    wn_box_seal(ws->held_key, place_of(o), batch, h.box);
    o->held[o->held_n++] = h;
    return WN_OK;
}

wn_err wn_windows_put_held(open_window *o) {
    for (size_t i = 0; i < o->held_n; i++)
        WN_TRY(wn_open_store_hold(o->store, (wn_span){o->held[i].box, o->held[i].bytes}));
    o->held_left += o->held_n;
    for (size_t i = 0; i < o->held_n; i++) free(o->held[i].box);
    o->held_n = 0;
    return WN_OK;
}

void wn_windows_free_held(open_window *o) {
    for (size_t i = 0; i < o->held_n; i++) free(o->held[i].box);
    free(o->held);
    o->held = NULL;
    o->held_n = o->held_cap = 0;
}

typedef struct taking {
    wn_windows *ws;
    open_window *o;
    int64_t now_s;
    uint64_t obs, n;
    wn_err err;
} taking;

static wn_err take_plain(taking *t, wn_span plain) {
    wn_batch_reader *r = &t->ws->reader;
    if (wn_batch_reader_init(r, plain) != WN_OK || !wn_window_same(&r->head.window, &t->o->window))
        return WN_ERR_CORRUPT;
    uint8_t e = 0;
    wn_err err = wn_windows_epoch(t->ws, t->o, r->head.edge_epoch, t->now_s, &e);
    if (err == WN_ERR_FULL) { // the machine lost its memory since, once too often
        t->ws->late += r->head.observations;
        return WN_OK;
    }
    WN_TRY(err);
    t->obs += r->head.observations;
    return wn_windows_gather(t->o, r, e);
}

static bool take_box(void *ctx, wn_span box) {
    taking *t = ctx;
    if (t->obs + WN_BATCH_OBS_MAX > WN_COMMIT_OBS_MAX) return false;
    if (!t->ws->has_held_key || box.n <= WN_BOX_OVERHEAD) return t->err = WN_ERR_CORRUPT, false;
    size_t n = box.n - WN_BOX_OVERHEAD;
    uint8_t *plain = malloc(n);
    t->err = plain == NULL ? WN_ERR_NOMEM : wn_box_open(t->ws->held_key, place_of(t->o), box, plain);
    if (t->err == WN_OK) t->err = take_plain(t, (wn_span){plain, n});
    if (plain != NULL) wn_wipe(plain, n);
    free(plain);
    wn_wipe(&t->ws->reader, sizeof t->ws->reader);
    t->n += t->err == WN_OK;
    return t->err == WN_OK;
}

wn_err wn_windows_take_held(wn_windows *ws, open_window *o, int64_t now_s, uint64_t *out_n) {
    taking t = {ws, o, now_s, o->filling_obs, 0, WN_OK};
    WN_TRY(wn_open_store_held_each(o->store, take_box, &t));
    *out_n = t.n;
    return t.err;
}
