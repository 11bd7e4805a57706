// SPDX-License-Identifier: Apache-2.0
// window_seal.c: publishing a window's rows, and its end.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "noise_terms.h"
#include "walls.h"
#include "windows_impl.h"

// ---- rows with their labels ----

static void label_of(const open_window *o, unsigned dim, uint64_t value, char out[WN_OPEN_TEXT_MAX + 1]) {
    if (!wn_dim_is_open(dim)) {
        char label[32];
        wn_closed_label(dim, (uint16_t)value, label);
        snprintf(out, WN_OPEN_TEXT_MAX + 1, "%s", label);
        return;
    }
    size_t n = 0;
    const wn_value *v = wn_fold_value_of(o->fold, value);
    for (size_t i = 0; v != NULL && i < o->text_keys_n; i++)
        if (wn_value_open(o->text_key[i], v, out, &n) == WN_OK) return;
    snprintf(out, WN_OPEN_TEXT_MAX + 1, "unknown");
}

static int by_people(const void *a, const void *b) {
    const wn_public_row *x = a, *y = b;
    if (x->is_other != y->is_other) return x->is_other - y->is_other;
    if (x->people != y->people) return x->people < y->people ? 1 : -1;
    int d = strcmp(x->label[0], y->label[0]);
    return d != 0 ? d : strcmp(x->label[1], y->label[1]);
}

static int by_label(const void *a, const void *b) {
    const wn_public_row *x = a, *y = b;
    if (x->is_other != y->is_other) return x->is_other - y->is_other;
    int d = strcmp(x->label[0], y->label[0]);
    return d != 0 ? d : strcmp(x->label[1], y->label[1]);
}

static int by_label_and_people(const void *a, const void *b) {
    int d = by_label(a, b);
    return d != 0 ? d : by_people(a, b);
}

// Two text keys give one page two cells, perhaps of the same people: the larger stands.
static size_t without_twins(wn_public_row *rows, size_t n) {
    size_t kept = 0;
    qsort(rows, n, sizeof *rows, by_label_and_people);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || by_label(&rows[kept - 1], &rows[i]) != 0) rows[kept++] = rows[i];
    return kept;
}

// ---- finding the rows of a table ----

// Row numbers in order of (site, table), and one table's rows filled in.
typedef struct publication {
    const wn_rows *rows;
    uint32_t *at;
    wn_public_row *row; // room for the table with the most
} publication;

static int compare_tables(const wn_row *x, uint64_t site, uint8_t table) {
    if (x->site != site) return x->site < site ? -1 : 1;
    return x->table - table;
}

static int by_table(const void *a, const void *b, void *rows) {
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const wn_row *y = (const wn_row *)rows + j;
    int d = compare_tables((const wn_row *)rows + i, y->site, y->table);
    return d != 0 ? d : (i > j) - (i < j);
}

static size_t table_end(const publication *p, size_t first) {
    const wn_row *r = &p->rows->row[p->at[first]];
    size_t end = first + 1;
    while (end < p->rows->n && compare_tables(&p->rows->row[p->at[end]], r->site, r->table) == 0) end++;
    return end;
}

// Its part of `at`: [*out_first, returned); empty when it shows no row.
static size_t table_rows(const publication *p, uint64_t site, uint8_t table, size_t *out_first) {
    size_t low = 0, high = p->rows->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_tables(&p->rows->row[p->at[mid]], site, table) < 0) low = mid + 1;
        else high = mid;
    }
    *out_first = low;
    bool any = low < p->rows->n && compare_tables(&p->rows->row[p->at[low]], site, table) == 0;
    return any ? table_end(p, low) : low;
}

static void publication_fini(publication *p) {
    free(p->at);
    free(p->row);
}

static wn_err publication_make(const wn_rows *rows, publication *out) {
    publication p = {.rows = rows, .at = calloc(rows->n + 1, sizeof *p.at)};
    if (p.at == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < rows->n; i++) p.at[i] = (uint32_t)i;
    qsort_r(p.at, rows->n, sizeof *p.at, by_table, rows->row);
    size_t most = 1;
    for (size_t i = 0, end; i < rows->n; i = end) {
        end = table_end(&p, i);
        if (end - i > most) most = end - i;
    }
    p.row = calloc(most, sizeof *p.row);
    if (p.row == NULL) return publication_fini(&p), WN_ERR_NOMEM;
    *out = p;
    return WN_OK;
}

// Fills pub->row with what the table shows, `other` last.
static size_t collect_rows(const open_window *o, uint64_t site, uint8_t table, const publication *pub) {
    const wn_table *t = &o->plan.table[table];
    size_t n = 0, first = 0, end = table_rows(pub, site, table, &first);
    for (size_t i = first; i < end; i++) {
        const wn_row *r = &pub->rows->row[pub->at[i]];
        wn_public_row *p = &pub->row[n++];
        memset(p, 0, sizeof *p);
        p->is_other = r->is_other;
        p->people = r->people;
        if ((t->measures & WN_MEASURE_EVENTS) != 0) p->events = r->events;
        if ((t->measures & WN_MEASURE_SESSIONS) != 0) p->sessions = r->sessions;
        p->bounces = r->bounces;
        p->seconds = r->seconds;
        p->number = r->number;
        p->locked = r->locked;
        for (unsigned d = 0; d < t->dims_n && !r->is_other; d++)
            label_of(o, t->dims[d], r->value[d], p->label[d]);
        if (r->is_other) memcpy(p->label[0], "other", 6);
    }
    if (o->text_keys_n > 1) n = without_twins(pub->row, n);
    qsort(pub->row, n, sizeof *pub->row, by_people);
    return n;
}

// What one ledger entry stands for.
typedef struct content {
    crypto_generichash_state hash;
    uint64_t rows;
} content;

static void name_receivers(const wn_plan *plan, const wn_table *t, wn_public_head *h) {
    for (size_t i = 0; i < plan->receivers_n; i++)
        if ((t->receivers >> i & 1u) != 0)
            memcpy(h->receiver[h->receivers_n++], plan->receiver[i], sizeof h->receiver[0]);
}

static void add_content(content *c, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    crypto_generichash_update(&c->hash, (const uint8_t *)h->site, strlen(h->site) + 1);
    crypto_generichash_update(&c->hash, (const uint8_t *)h->table, strlen(h->table) + 1);
    for (size_t i = 0; i < n; i++) {
        for (unsigned d = 0; d < 2; d++) // the words alone: what lies behind them is not published
            crypto_generichash_update(&c->hash, (const uint8_t *)rows[i].label[d],
                                      strlen(rows[i].label[d]) + 1);
        uint64_t counts[] = {rows[i].people,  rows[i].events, rows[i].sessions, rows[i].bounces,
                             rows[i].seconds, rows[i].number, rows[i].locked};
        crypto_generichash_update(&c->hash, (const uint8_t *)counts, sizeof counts);
    }
    c->rows += n;
}

static wn_err publish_table(wn_windows *ws, const open_window *o, const wn_site *site, uint8_t table,
                            bool is_sealed, int64_t now_s, const publication pubs[WN_PROFILE_N],
                            content contents[WN_PROFILE_N]) {
    const wn_table *t = &o->plan.table[table];
    if (t->profile == WN_PROFILE_NOISE && !is_sealed) return WN_OK; // drawn once, at the seal
    wn_public_head h = {
        .window = o->window,
        .plan_version = o->plan.version,
        .policy_version = o->policy_version,
        .tick = o->tick,
        .published_s = now_s,
        .sealed = is_sealed,
        .k = t->k,
        .measures = t->measures,
        .dims_n = t->dims_n,
        .dims = {t->dims[0], t->dims[1]},
        .profile = t->profile,
        .share = t->share,
    };
    if (t->profile == WN_PROFILE_NOISE) h.noise = o->plan.noise;
    if (t->profile == WN_PROFILE_NOISE && !WN_WALL_LOCKS) // exact, and everybody
        h.k = 0, h.noise.threshold_closed = h.noise.threshold_open = 1;
    name_receivers(&o->plan, t, &h);
    memcpy(h.plan_digest, o->plan.digest, sizeof h.plan_digest);
    memcpy(h.table, t->id, sizeof h.table);
    memcpy(h.site, site->name, sizeof h.site);
    const publication *pub = &pubs[t->profile];
    size_t n = collect_rows(o, site->tag, table, pub);
    add_content(&contents[t->profile], &h, pub->row, n);
    return wn_published_rows(ws->env.published, &h, pub->row, n);
}

static bool in_earlier_epoch(const open_window *o, const wn_cell *c) {
    for (uint8_t e = 0; e < c->epoch; e++)
        if (wn_fold_find(o->fold, c->site, c->table, c->value, e) != SIZE_MAX) return true;
    return false;
}

// Every site that has people in the window, once: table 0 holds everybody.
static bool next_site(const open_window *o, size_t *inout_cell, uint64_t *out_site) {
    wn_cell c;
    for (; *inout_cell < wn_fold_cells(o->fold); (*inout_cell)++) {
        wn_fold_cell(o->fold, *inout_cell, &c);
        if (c.table != 0 || in_earlier_epoch(o, &c)) continue;
        *out_site = c.site;
        (*inout_cell)++;
        return true;
    }
    return false;
}

static wn_err publish_all(wn_windows *ws, open_window *o, bool is_sealed, int64_t now_s,
                          content contents[WN_PROFILE_N]) {
    publication pubs[WN_PROFILE_N] = {{0}};
    WN_TRY(publication_make(&o->rows, &pubs[WN_PROFILE_CROWD]));
    wn_err err = publication_make(&o->noise, &pubs[WN_PROFILE_NOISE]);
    for (size_t i = 0; i < WN_PROFILE_N; i++) {
        contents[i].rows = 0;
        crypto_generichash_init(&contents[i].hash, NULL, 0, 32);
    }
    size_t cell = 0;
    uint64_t tag = 0;
    while (err == WN_OK && next_site(o, &cell, &tag)) {
        const wn_site *site = wn_sites_by_tag(*ws->env.sites, tag);
        // Removed by the operator, or purged: nothing of it is published.
        if (site == NULL || wn_window_purges_site(&o->purges, tag)) continue;
        for (size_t t = 0; err == WN_OK && t < o->plan.n; t++)
            err = publish_table(ws, o, site, (uint8_t)t, is_sealed, now_s, pubs, contents);
        if (err == WN_OK && is_sealed) {
            // In multiples of k, like everything that says something about people.
            uint64_t refused = wn_fold_refused(o->fold, tag) / WN_K_CLOSED * WN_K_CLOSED;
            uint64_t capped = wn_fold_capped(o->fold, tag) / WN_K_CLOSED * WN_K_CLOSED;
            err = wn_published_counts(ws->env.published, tag, &o->window, refused, capped);
        }
    }
    for (size_t i = 0; i < WN_PROFILE_N; i++) publication_fini(&pubs[i]);
    return err;
}

// An entry a profile; noise has one as soon as it has a budget, for the budget is spent whatever came out.
static wn_err tell_ledger(wn_published *p, const open_window *o, int64_t now_s,
                          content contents[WN_PROFILE_N]) {
    wn_ledger_entry e = {
        .at_s = now_s,
        .what = WN_LEDGER_RELEASE,
        .plan_version = o->plan.version,
        .policy_version = o->policy_version,
        .profile = "crowd",
        .k_closed = WN_K_CLOSED,
        .k_open = WN_K_OPEN,
        .rows = contents[WN_PROFILE_CROWD].rows,
    };
    memcpy(e.window, o->text, sizeof e.window);
    crypto_generichash_final(&contents[WN_PROFILE_CROWD].hash, e.content, sizeof e.content);
    WN_TRY(wn_published_ledger(p, &e));
    if (o->plan.noise.rho_micro == 0) return WN_OK;
    memcpy(e.profile, "noise", 6);
    e.k_closed = WN_K_NOISE_CLOSED;
    e.k_open = WN_K_NOISE_OPEN;
    e.rho_micro = o->plan.noise.rho_micro;
    e.delta_nano = WN_DELTA_THRESHOLD_NANO + WN_DELTA_CONVERSION_NANO;
    e.rows = contents[WN_PROFILE_NOISE].rows;
    e.notes = wn_plan_mixes(&o->plan) ? WN_LEDGER_CROWD_BESIDE_NOISE : 0;
    crypto_generichash_final(&contents[WN_PROFILE_NOISE].hash, e.content, sizeof e.content);
    return wn_published_ledger(p, &e);
}

wn_err wn_windows_publish(wn_windows *ws, open_window *o, bool is_sealed, int64_t now_s) {
    wn_published *p = ws->env.published;
    content contents[WN_PROFILE_N];
    WN_TRY(wn_published_begin(p));
    wn_err err = publish_all(ws, o, is_sealed, now_s, contents);
    if (err == WN_OK && is_sealed) err = tell_ledger(p, o, now_s, contents);
#ifdef WN_MUTANT_RELEASE_APART
    if (err == WN_OK && is_sealed) err = wn_published_commit(p);
    if (err == WN_OK && is_sealed) err = wn_published_begin(p);
#endif
    for (size_t i = 0; err == WN_OK && is_sealed && i < o->streams_n; i++)
        err = wn_published_final_watermark(p, &o->window, &o->streams[i].durable, now_s);
    if (err == WN_OK) err = wn_published_tick(p, &o->window, o->tick, is_sealed, now_s);
    if (err == WN_OK) err = wn_published_commit(p);
    if (err != WN_OK) wn_published_abort(p);
    return err;
}

wn_err wn_windows_ledger(wn_windows *ws, const char text[WN_WINDOW_TEXT_BYTES], uint8_t what,
                         const open_window *o, int64_t now_s) {
    wn_published *p = ws->env.published;
    wn_ledger_entry e = {.at_s = now_s, .what = what};
    memcpy(e.window, text, sizeof e.window);
    if (o != NULL) {
        e.plan_version = o->plan.version;
        e.policy_version = o->policy_version;
        memcpy(e.profile, "crowd", 6);
    }
    WN_TRY(wn_published_begin(p));
    wn_err err = wn_published_ledger(p, &e);
    if (err == WN_OK) err = wn_published_commit(p);
    if (err != WN_OK) wn_published_abort(p);
    return err;
}

// ---- the end ----

wn_err wn_windows_close_begin(wn_windows *ws, const wn_window *w, bool forced, int64_t now_s) {
    open_window *o = wn_windows_find(ws, w);
    if (o == NULL) return WN_ERR_NOTFOUND;
    o->forced = o->forced || forced;
    if (o->closing) return WN_OK;
    o->closing = true;
    o->closing_since_s = now_s;
    return WN_OK;
}

void wn_windows_collector_closed(wn_windows *ws, const uint8_t collector[16], const wn_window *w,
                                 uint64_t generation, uint64_t sequence) {
    open_window *o = wn_windows_find(ws, w);
    if (o == NULL || !o->closing) return;
    closed_by *c = NULL;
    for (size_t i = 0; i < o->closed_n && c == NULL; i++)
        if (memcmp(o->closed[i].collector, collector, 16) == 0) c = &o->closed[i];
    if (c == NULL && o->closed_n < WN_COUNT(o->closed)) c = &o->closed[o->closed_n++];
    if (c == NULL) return;
    memcpy(c->collector, collector, 16);
    c->generation = generation;
    c->sequence = sequence;
}

// Said closed, and everything it says it sent is here and durable.
static bool collector_done(const open_window *o, const uint8_t id[16]) {
    for (size_t i = 0; i < o->closed_n; i++) {
        const closed_by *c = &o->closed[i];
        if (memcmp(c->collector, id, 16) != 0) continue;
        if (c->sequence == 0) return true;
        for (size_t j = 0; j < o->streams_n; j++) {
            const wn_batch_id *d = &o->streams[j].durable;
            if (d->generation == c->generation && memcmp(d->collector, id, 16) == 0)
                return d->sequence >= c->sequence;
        }
    }
    return false;
}

bool wn_windows_drained(const wn_windows *ws, const wn_window *w, const uint8_t (*ids)[16], size_t n,
                        int64_t now_s) {
    const open_window *o = wn_windows_find(ws, w);
    if (o == NULL || !o->closing || !o->replayed || o->purges.asked) return false;
    // A window that is due waits from its due time, however often this daemon
    // was started since; one that somebody asked for, from then.
    int64_t due_s = wn_windows_seals_at(o), since_s = o->closing_since_s;
    if (due_s != 0 && due_s < since_s) since_s = due_s;
    if (now_s - since_s >= ws->env.options->seal_hold_s) return true;
    for (size_t i = 0; i < n; i++)
        if (!collector_done(o, ids[i])) return false;
    for (size_t i = 0; i < o->streams_n && !o->forced; i++)
        if (!collector_done(o, o->streams[i].durable.collector)) return false;
    return true;
}

wn_err wn_windows_bury(wn_windows *ws, const wn_window *w, int64_t now_s) {
    char text[WN_WINDOW_TEXT_BYTES], name[WN_WINDOW_TEXT_BYTES + 8];
    wn_window_text(w, text);
    snprintf(name, sizeof name, "open/%s", text);
    WN_TRY(wn_open_store_remove(ws->env.open_dir, w));
    wn_identity_forget(ws->env.identity, text);
    WN_TRY(wn_windows_ledger(ws, text, WN_LEDGER_KEYS_DEAD, NULL, now_s));
    const char *names[] = {name, NULL};
    return wn_slots_forget(ws->env.slots, names);
}

wn_err wn_windows_bury_bad(wn_windows *ws, int64_t now_s) {
    for (size_t i = ws->bad_n; i-- > 0;) {
        const wn_window *w = &ws->bad[i];
        if (now_s < w->end_s + wn_grace_s((wn_kind)w->kind) + ws->env.options->seal_hold_s) continue;
        WN_TRY(wn_windows_bury(ws, w, now_s));
        ws->bad[i] = ws->bad[--ws->bad_n];
    }
    return WN_OK;
}

static wn_err copy_rows(const wn_rows *from, wn_rows *out) {
    out->row = calloc(from->n + 1, sizeof *out->row);
    if (out->row == NULL) return WN_ERR_NOMEM;
    if (from->n > 0) memcpy(out->row, from->row, from->n * sizeof *out->row);
    out->n = from->n;
    out->cap = from->n + 1;
    return WN_OK;
}

// The window is as it was: a tick or the next try begins with what is published, not with `other` and
// measures.
static void not_sealed(open_window *o, wn_rows *live) {
    wn_rows sealed = o->rows;
    o->rows = *live;
    *live = sealed;
    o->noise.n = 0;
    o->tick--;
}

wn_err wn_windows_seal(wn_windows *ws, const wn_window *w, int64_t now_s, uint64_t *out_rows) {
    open_window *o = wn_windows_find(ws, w);
    if (o == NULL) return WN_ERR_NOTFOUND;
    WN_ASSERT(o->replayed && o->held_left == 0 && !o->dirty && !o->in_commit);
    wn_lock_rules rules = wn_windows_rules(ws, o);
    wn_steps steps = {NULL, 0, 0};
    WN_TRY(wn_windows_seal_make(o, now_s));
    wn_rows live = {NULL, 0, 0};
    WN_TRY(copy_rows(&o->rows, &live));
    wn_err err = wn_noise_seal(o->fold, &o->plan, &rules, o->seal.seed, &o->noise);
    if (err == WN_OK) err = wn_locks_seal(o->fold, &o->plan, &rules, &o->rows, &steps);
    wn_steps_fini(&steps);
    o->tick++;
    if (err == WN_OK) err = wn_windows_publish(ws, o, true, o->seal.at_s);
    if (err != WN_OK) not_sealed(o, &live);
    wn_rows_fini(&live);
    WN_TRY(err);
    *out_rows = o->rows.n + o->noise.n;
    wn_window window = o->window;
    wn_windows_drop(ws, o);
    return wn_windows_bury(ws, &window, now_s);
}
