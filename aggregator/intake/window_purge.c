// SPDX-License-Identifier: Apache-2.0
// window_purge.c: takes people out of open windows, and looks whether they are out (R16).
//
// One transaction replaces the base by a fold without them, empties the journal,
// names the frozen cells and rewrites the intents, whose baselines spoke of more
// people; only then is the fold in memory exchanged. A kill leaves the mark that
// asked for it, and it is done again.
#include "window_purge.h"

#include <stdlib.h>
#include <string.h>

#include "intent.h"
#include "log.h"
#include "windows_impl.h"

// An event may lie so far ahead of the collector's clock: a window that begins later was opened by a
// filter that knew of the purge.
#define AHEAD_S 300

// ---- who goes ----

typedef struct leaving {
    const open_window *o;
    bool asked_only; // what is not done yet; else what must never be found again
} leaving;

static bool of_org(const leaving *l, const wn_window_purge *x, uint8_t e, uint64_t org) {
    bool its_key = e < l->o->epochs_n && memcmp(l->o->epochs[e].edge, x->edge, sizeof x->edge) == 0;
    if (its_key) return org == x->org;
    // Under a key that was lost nobody can tell one organisation from another: all go.
    return l->asked_only && e < x->epochs && org != 0;
}

static bool leaves(void *ctx, uint64_t site, uint8_t e, uint64_t org) {
    const leaving *l = ctx;
    for (size_t i = 0; i < l->o->purges.n; i++) {
        const wn_window_purge *x = &l->o->purges.at[i];
        if (x->site != site || x->done == l->asked_only) continue;
        if (x->of == WN_PURGE_OF_SITE) return true;
        if (x->of == WN_PURGE_OF_ORG && org != 0 && of_org(l, x, e, org)) return true;
        if (x->of == WN_PURGE_OF_LOST && l->asked_only && org != 0) return true;
    }
    return false;
}

// ---- taking out ----

wn_err wn_windows_put_purges(open_window *o) {
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (o->purges.n == 0) return WN_OK;
    WN_TRY(wn_window_purges_encode(&o->purges, &bytes, &n));
    wn_err err = wn_open_store_put(o->store, "purge", (wn_span){bytes, n});
    wn_wipe(bytes, n);
    free(bytes);
    return err;
}

wn_err wn_windows_get_purges(open_window *o) {
    size_t n = 0;
    wn_err err = wn_open_store_get(o->store, "purge", NULL, 0, &n);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    WN_TRY(err);
    uint8_t *bytes = malloc(n + 1);
    if (bytes == NULL) return WN_ERR_NOMEM;
    err = wn_open_store_get(o->store, "purge", bytes, n, &n);
    if (err == WN_OK) err = wn_window_purges_decode((wn_span){bytes, n}, &o->purges);
    wn_wipe(bytes, n);
    free(bytes);
    return err;
}

// Rows of a site that goes whole are not published again.
static void drop_rows(open_window *o) {
    size_t kept = 0;
    for (size_t i = 0; i < o->rows.n; i++)
        if (!wn_window_purges_site(&o->purges, o->rows.row[i].site)) o->rows.row[kept++] = o->rows.row[i];
    o->rows.n = kept;
}

// Under both names, so that none is left that does not fit the fold.
static wn_err put_intents(open_window *o, const wn_fold *f) {
    wn_steps none = {NULL, 0, 0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (o->tick == 0) return WN_OK;
    WN_TRY(wn_intent_encode(o->tick, f, &none, &o->rows, &bytes, &n));
    wn_err err = wn_open_store_put(o->store, "intent.a", (wn_span){bytes, n});
    if (err == WN_OK) err = wn_open_store_put(o->store, "intent.b", (wn_span){bytes, n});
    wn_wipe(bytes, n);
    free(bytes);
    return err;
}

static wn_err store(open_window *o, const wn_fold *f) {
    WN_TRY(wn_open_store_begin(o->store));
    wn_err err = wn_windows_put_purges(o);
    if (err == WN_OK) err = put_intents(o, f);
    if (err == WN_OK) err = wn_open_store_commit_rebased(o->store, f);
    if (err != WN_OK) wn_open_store_abort(o->store);
    return err;
}

static wn_err exchange(open_window *o, wn_fold *f) {
    wn_commit *filling = NULL, *storing = NULL;
    wn_err err = wn_commit_new(f, &filling);
    if (err == WN_OK) err = wn_commit_new(f, &storing);
    if (err == WN_OK) err = store(o, f);
    if (err != WN_OK) {
        wn_commit_free(filling);
        wn_commit_free(storing);
        return err;
    }
    wn_commit_free(o->filling);
    wn_commit_free(o->storing);
    wn_fold_free(o->fold);
    o->filling = filling;
    o->storing = storing;
    o->fold = f;
    return WN_OK;
}

// Cells that were frozen before stay so; new ones of this fold are not.
static wn_err make_room(wn_window_purges *p, size_t cells) {
    if (cells <= p->frozen_n) return WN_OK;
    uint8_t *frozen = realloc(p->frozen, cells);
    if (frozen == NULL) return WN_ERR_NOMEM;
    memset(frozen + p->frozen_n, 0, cells - p->frozen_n);
    p->frozen = frozen;
    p->frozen_n = cells;
    return WN_OK;
}

static wn_err purge_one(open_window *o) {
    leaving l = {o, true};
    wn_fold *f = NULL;
    WN_ASSERT(wn_commit_empty(o->filling));
    WN_TRY(make_room(&o->purges, wn_fold_cells(o->fold)));
    WN_TRY(wn_fold_without(o->fold, leaves, &l, o->purges.frozen, &f));
    for (size_t i = 0; i < o->purges.n; i++) o->purges.at[i].done = true;
    o->purges.asked = false;
    drop_rows(o);
    wn_err err = exchange(o, f);
    if (err != WN_OK) wn_fold_free(f);
    return err;
}

static bool at_rest(const open_window *o) {
    return o->replayed && !o->dirty && !o->in_commit && o->held_left == 0 && o->held_n == 0;
}

wn_err wn_windows_purge(wn_windows *ws) {
    for (size_t i = 0; i < ws->n; i++) {
        open_window *o = ws->open[i];
        if (!o->purges.asked || !at_rest(o)) continue;
        WN_TRY(purge_one(o));
        wn_log(WN_MSG_PURGE_WINDOW, o->window.day, 0, 0);
    }
    return WN_OK;
}

// ---- asking ----

void wn_windows_purge_mark(open_window *o, const wn_observation *mark, const uint8_t edge[8]) {
    wn_window_purge x = {.site = mark->site,
                         .org = mark->org,
                         .of = mark->org != 0 ? WN_PURGE_OF_ORG : WN_PURGE_OF_SITE,
                         .epochs = (uint8_t)o->epochs_n};
    memcpy(x.name, mark->person, sizeof x.name);
    memcpy(x.edge, edge, sizeof x.edge);
    // A mark that finds no room leaves its purge open: the end looks for it.
    if (wn_window_purges_ask(&o->purges, &x) != WN_OK) wn_log(WN_MSG_PURGE_NO_ROOM, o->window.day, 0, 0);
    o->meta_dirty = true;
}

// ---- the end ----

static wn_err found_part(void *ctx, wn_span part) {
    return wn_fold_unpack(ctx, part);
}

static wn_err found_record(void *ctx, wn_span record) {
    return wn_journal_replay(ctx, record);
}

static bool found_in(const open_window *o, const wn_fold *f) {
    leaving l = {o, false};
    if (wn_fold_holds(f, leaves, &l)) return true;
    for (size_t i = 0; i < o->purges.n; i++) {
        const wn_window_purge *x = &o->purges.at[i];
        if (x->of == WN_PURGE_OF_ORG && wn_fold_knows_org(f, x->site, x->org)) return true;
    }
    return false;
}

// Reads base and journal back from the disk and looks for them there, too.
static wn_err verify(wn_windows *ws, open_window *o, bool *out_clean) {
    wn_fold *f = NULL;
    const wn_options *opt = ws->env.options;
#ifdef WN_MUTANT_PURGE_UNVERIFIED
    return WN_OK;
#endif
    if (o->purges.n == 0) return WN_OK;
    WN_TRY(wn_fold_new(&o->plan, (uint32_t)opt->ids_per_prefix_max, (uint32_t)opt->open_values_max, &f));
    wn_err err = wn_open_store_replay(o->store, found_part, found_record, f);
    *out_clean = err == WN_OK && !found_in(o, f) && !found_in(o, o->fold);
    wn_fold_free(f);
    if (err != WN_ERR_CORRUPT && err != WN_ERR_FORMAT) return err;
    wn_windows_set_aside(ws, o);
    return WN_OK;
}

static bool anybody(void *ctx, uint64_t site, uint8_t e, uint64_t org) {
    const wn_purge *p = ctx;
    (void)e;
    return site == p->tag && (p->kind == WN_PURGE_SITE || org != 0);
}

// Should this window have nothing of it any more? One that no mark named is asked here.
static wn_err carried_out(open_window *o, const wn_purge *p, bool *out) {
    *out = false;
    if (!at_rest(o)) return WN_OK;
    const wn_window_purge *x = wn_window_purges_find(&o->purges, p->tag, p->name);
    bool later = o->window.start_s > p->asked_at_s + AHEAD_S;
    *out = x != NULL ? x->done : later || !wn_fold_holds(o->fold, anybody, (void *)(uintptr_t)p);
    if (*out || x != NULL) return WN_OK;
    if (o->closing && p->kind == WN_PURGE_ORG) return WN_OK; // its seal is near, and ends it
    wn_window_purge ask = {.site = p->tag,
                           .of = p->kind == WN_PURGE_ORG ? WN_PURGE_OF_LOST : WN_PURGE_OF_SITE,
                           .epochs = (uint8_t)o->epochs_n};
    memcpy(ask.name, p->name, sizeof ask.name);
    return wn_window_purges_ask(&o->purges, &ask); // taken out at the next turn
}

static wn_err say(wn_windows *ws, const wn_purge *p, uint8_t what, int64_t now_s) {
    wn_ledger_entry e = {
        .at_s = now_s, .what = what, .notes = p->kind == WN_PURGE_ORG ? WN_LEDGER_ORGANISATION : 0};
    memcpy(e.site, p->site, sizeof e.site);
    return wn_published_ledger(ws->env.published, &e);
}

wn_err wn_windows_purge_asked(wn_windows *ws, const wn_purge *p, int64_t now_s) {
    WN_TRY(wn_published_begin(ws->env.published));
    wn_err err = say(ws, p, WN_LEDGER_PURGE_ASKED, now_s);
    if (err == WN_OK) err = wn_published_commit(ws->env.published);
    if (err != WN_OK) wn_published_abort(ws->env.published);
    return err;
}

wn_err wn_windows_purge_end(wn_windows *ws, const wn_purge *p, int64_t now_s, bool *out_done) {
    bool clean = ws->bad_n == 0; // what cannot be read cannot be searched: its burial comes first
    *out_done = false;
    for (size_t i = 0; i < ws->n && clean; i++) WN_TRY(carried_out(ws->open[i], p, &clean));
    for (size_t i = 0; i < ws->n && clean; i++) WN_TRY(verify(ws, ws->open[i], &clean));
    if (!clean) return WN_OK;
    WN_TRY(wn_published_begin(ws->env.published));
    wn_err err = p->kind == WN_PURGE_SITE ? wn_published_forget_site(ws->env.published, p->tag) : WN_OK;
    if (err == WN_OK) err = say(ws, p, WN_LEDGER_PURGED, now_s);
    if (err == WN_OK) err = wn_published_commit(ws->env.published);
    if (err != WN_OK) wn_published_abort(ws->env.published);
    *out_done = err == WN_OK;
    return err;
}
