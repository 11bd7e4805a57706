// SPDX-License-Identifier: Apache-2.0
// backup_restore.c: brings a backup back beside what is here. Why so carefully: a restore
// that forgets a purge undoes it, and one that reopens a window publishes it twice.
#include <stdlib.h>
#include <string.h>

#include "backup_form.h"
#include "backup_walk.h"
#include "clock.h"

enum { DAY_S = 86400, OPEN_DAYS_MAX = 5 }; // a window lasts a day, then at most 72 h of grace

typedef struct digests { // of a ledger, in order
    uint8_t (*at)[32];
    size_t n, cap;
} digests;

typedef struct restore {
    wn_published *p;
    const wn_restore_ask *ask;
    int64_t now_s, made_at_s;
    digests here, there;
    uint64_t number_here;
    wn_restored done;
    wn_err err;
} restore;

static wn_err remember(digests *d, const uint8_t digest[32]) {
    if (d->n == d->cap) {
        size_t cap = d->cap != 0 ? 2 * d->cap : 256;
        void *more = realloc(d->at, cap * sizeof *d->at);
        if (more == NULL) return WN_ERR_NOMEM;
        d->at = more;
        d->cap = cap;
    }
    memcpy(d->at[d->n++], digest, 32);
    return WN_OK;
}

static bool remember_here(void *ctx, const wn_ledger_entry *e) {
    restore *r = ctx;
    r->err = remember(&r->here, e->digest);
    return r->err == WN_OK;
}

static wn_err remember_there(void *ctx, const wn_backup_record *rec) {
    return rec->db == DB_LEDGER ? remember(&((restore *)ctx)->there, rec->entry.digest) : WN_OK;
}

// Chains that agree in one entry agree in all before it.
static bool forked(const restore *r) {
    size_t n = r->here.n < r->there.n ? r->here.n : r->there.n;
    return n != 0 && memcmp(r->here.at[n - 1], r->there.at[n - 1], 32) != 0;
}

static bool names(const wn_purge_list *l, uint64_t site, int64_t made_at_s) {
    for (size_t i = 0; l != NULL && i < wn_purge_list_count(l); i++) {
        const wn_purge *p = wn_purge_list_at(l, i);
        bool its = p->kind == WN_PURGE_SITE && p->tag == site;
        if (its && (p->done_at_s == 0 || p->done_at_s >= made_at_s)) return true;
    }
    return false;
}

static bool is_purged(const restore *r, uint64_t site) {
#ifdef WN_MUTANT_RESTORE_WITHOUT_PURGE_LIST
    return names(NULL, site, r->made_at_s);
#else
    for (size_t i = 0; i < WN_RESTORE_LISTS; i++)
        if (names(r->ask->purges[i], site, r->made_at_s)) return true;
    return false;
#endif
}

#ifndef WN_MUTANT_RESTORE_WITHOUT_PURGE_LIST
static bool has_list(const wn_restore_ask *ask) {
    bool has = false;
    for (size_t i = 0; i < WN_RESTORE_LISTS; i++) has = has || ask->purges[i] != NULL;
    return has;
}
#endif

static wn_err known_here(const restore *r, const wn_window *w, bool *out_known, bool *out_sealed) {
    uint64_t tick = 0;
    uint8_t key[NAME_BYTES];
    wn_vault_buf buf = {0};
    wn_published_window_name(r->p, w, key, sizeof key);
    wn_err err = wn_vault_get(r->p->vault, DB_WINDOWS, SPAN_OF(key), &buf);
    wn_vault_buf_fini(&buf);
    *out_known = err == WN_OK;
    *out_sealed = false;
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    WN_TRY(err);
    return wn_published_window(r->p, w, &tick, out_sealed);
}

// Marks a window that was begun: what comes for it is late from here on.
static wn_err end_window(restore *r, const wn_window *w, uint64_t tick) {
    return wn_published_tick(r->p, w, tick, true, r->now_s);
}

static wn_err end_if_unknown(restore *r, const wn_window *w) {
    bool known, sealed;
    WN_TRY(known_here(r, w, &known, &sealed));
    return known ? WN_OK : end_window(r, w, 0);
}

// ---- windows that are here, and those that may have been open in between ----

static bool end_born(void *ctx, const wn_ledger_entry *e) {
    restore *r = ctx;
    wn_window w;
    if (e->what != WN_LEDGER_KEYS_BORN || !wn_window_parse(e->window, &w)) return true;
    r->err = end_if_unknown(r, &w);
    return r->err == WN_OK;
}

static bool end_open(void *ctx, wn_span key, wn_err state, wn_span value) {
    restore *r = ctx;
    wn_window w;
    (void)key;
    if (state || value.n <= MARKER_BYTES) return r->err = WN_ERR_CORRUPT, false;
    if (value.p[16] != 0) return true;
    if (!wn_published_take_window((wn_span){value.p + MARKER_BYTES, value.n - MARKER_BYTES}, &w))
        return r->err = WN_ERR_CORRUPT, false;
    r->err = end_window(r, &w, wn_get_le(value.p, 8));
    return r->err == WN_OK;
}

static wn_err end_since(restore *r) {
    const wn_window *kinds = r->ask->kinds;
    for (size_t i = 0; i < r->ask->kinds_n; i++) {
        const wn_zone *z = wn_zone_find(kinds[i].zone);
        wn_window w, now;
        if (z == NULL) return WN_ERR_CONFIG;
        wn_zone_window(z, (wn_kind)kinds[i].kind, r->now_s, &now);
        wn_zone_window(z, (wn_kind)kinds[i].kind, r->made_at_s, &w);
        for (int32_t day = w.day - OPEN_DAYS_MAX; day <= now.day; day++) {
            wn_zone_window_of_day(z, (wn_kind)kinds[i].kind, day, &w);
            if (w.start_s < w.end_s) WN_TRY(end_if_unknown(r, &w));
        }
    }
    return WN_OK;
}

// ---- the backup's records ----

static wn_err bring_entry(restore *r, const wn_backup_record *rec) {
    const wn_ledger_entry *e = &rec->entry;
    wn_published *p = r->p;
    uint8_t key[8];
    wn_window w;
    if (e->number <= r->number_here) return WN_OK;
    wn_vault_be64(e->number, key);
    WN_TRY(wn_vault_put(p->vault, DB_LEDGER, SPAN_OF(key), rec->value));
    p->ledger_loaded = true;
    p->ledger_number = e->number;
    memcpy(p->ledger_digest, e->digest, sizeof p->ledger_digest);
    r->done.entries++;
    // What a receiver has must not go there again, nor, where repeats are not known, what it may have.
    if ((e->what == WN_LEDGER_TRANSFER || e->what == WN_LEDGER_SENDING) && wn_window_parse(e->window, &w)) {
#ifdef WN_MUTANT_RESTORE_SURE
        wn_transfer t = {.begun = true};
#else
        wn_transfer t = {.begun = true, .unsure = true};
#endif
        if (e->what == WN_LEDGER_TRANSFER) t = (wn_transfer){.rows_done = (uint32_t)e->rows, .done = true};
        WN_TRY(wn_published_transfer_put(p, e->receiver, e->site, e->table, &w, &t));
    }
    return end_born(r, e) ? WN_OK : r->err;
}

static wn_err bring(void *ctx, const wn_backup_record *rec) {
    restore *r = ctx;
    wn_published *p = r->p;
    row_key row;
    count_key count;
    bool known, sealed;
    if (rec->db == DB_LEDGER) return bring_entry(r, rec);
    WN_TRY(known_here(r, &rec->window, &known, &sealed));
    if (known) {
        r->done.windows_kept += rec->db == DB_WINDOWS;
        return WN_OK;
    }
    if (rec->db == DB_WINDOWS) {
        r->done.windows++;
        return wn_published_tick(p, &rec->window, wn_get_le(rec->value.p, 8), true,
                                 (int64_t)wn_get_le(rec->value.p + 8, 8));
    }
    if (is_purged(r, rec->site)) {
        r->done.rows_purged += rec->rows;
        return WN_OK;
    }
    if (rec->db == DB_COUNTS) {
        wn_published_count_key(p, rec->site, &rec->window, &count);
        return wn_vault_put(p->vault, DB_COUNTS, SPAN_OF(count), rec->value);
    }
    wn_published_row_key(p, &rec->head, &row);
    r->done.rows += rec->rows;
    return wn_vault_put(p->vault, DB_ROWS, SPAN_OF(row), rec->value);
}

// The markers of the backup come after those made here, and stand.
static wn_err record_all(restore *r, const wn_backup_info *was) {
    static const wn_span none;
    wn_backup_info info;
    WN_TRY(end_since(r));
    WN_TRY(wn_published_ledger_each(r->p, end_born, r));
    WN_TRY(r->err);
    WN_TRY(wn_vault_scan(r->p->vault, DB_WINDOWS, none, none, end_open, r));
    WN_TRY(r->err);
    WN_TRY(wn_backup_walk(r->ask->fd, r->ask->key, bring, r, NULL, NULL, &info));
    if (memcmp(info.digest, was->digest, sizeof info.digest) != 0) return WN_ERR_CORRUPT; // changed meanwhile
#ifndef WN_MUTANT_RESTORE_UNSEALED
    WN_TRY(wn_published_restored(r->p, r->now_s));
#endif
    wn_ledger_entry e = {.at_s = r->now_s, .what = WN_LEDGER_RESTORE, .rows = r->done.rows};
    memcpy(e.content, was->digest, sizeof e.content);
    return wn_published_ledger(r->p, &e);
}

static wn_err run(restore *r, wn_restore_fault *fault) {
    const wn_restore_ask *ask = r->ask;
    wn_backup_info info;
    wn_ledger_check check;
    *fault = WN_RESTORE_FILE;
    WN_TRY(wn_backup_walk(ask->fd, ask->key, remember_there, r, ask->progress, ask->ctx, &info));
    r->made_at_s = info.made_at_s;
    *fault = WN_RESTORE_LEDGER_HERE;
    WN_TRY(wn_published_ledger_verify(r->p, NULL, &check));
    if (!check.ok) return WN_ERR_CORRUPT;
    WN_TRY(wn_published_ledger_each(r->p, remember_here, r));
    WN_TRY(r->err);
    r->number_here = r->here.n;
    *fault = WN_RESTORE_FORK;
    if (forked(r)) return WN_ERR_STATE;
    *fault = WN_RESTORE_READY;
    if (ask->ready != NULL) WN_TRY(ask->ready(ask->ctx));
    *fault = WN_RESTORE_STORE;
    WN_TRY(wn_published_begin(r->p));
    wn_err err = record_all(r, &info);
    if (err == WN_OK) err = wn_published_commit(r->p);
    if (err != WN_OK) wn_published_abort(r->p);
    return err;
}

wn_err wn_restore(wn_published *p, const wn_restore_ask *ask, wn_restored *out, wn_restore_fault *out_fault) {
    restore r = {.p = p, .ask = ask, .now_s = ask->now_s};
    *out_fault = WN_RESTORE_NO_PURGE_LIST;
#ifndef WN_MUTANT_RESTORE_WITHOUT_PURGE_LIST
    if (!has_list(ask)) return WN_ERR_STATE;
#endif
    wn_err err = run(&r, out_fault);
    free(r.here.at);
    free(r.there.at);
    if (err != WN_OK) return err;
    *out_fault = WN_RESTORE_WELL;
    *out = r.done;
    return WN_OK;
}
