// SPDX-License-Identifier: Apache-2.0
// edge.c: the windows this collector counts in, and their two keys: K_edge in
// kept memory, K_text among the storage keys. Beside them the policy each began with.
#include "edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "clock.h"
#include "country.h"
#include "edge_window.h"
#include "log.h"
#include "proxies.h"

#define CACHE_SLOTS 512u
#define TOMBS_MAX 1024u

_Static_assert(WN_EDGE_WINDOWS_MAX == WN_IDENTITIES_MAX, "a slot is a place in the table of identities");

typedef struct entry {
    wn_edge_window w;
    int64_t accept_until_s; // live events no more
    bool used, stopped;
    bool allowed; // imports may fill it whatever its age
} entry;

// The windows a site used last: two, since events of yesterday come among today's.
typedef struct cached {
    uint64_t tag, version;
    uint8_t kind;
    char zone[WN_ZONE_BYTES];
    const entry *recent[2];
} cached;

typedef struct tomb { // a window that may not be opened again
    wn_window window;
    int64_t until_s;
} tomb;

struct wn_edge {
    wn_slots *keys;
    wn_kept *identity;
    wn_policies *policies;
    wn_country *country;
    wn_proxies proxies;
    uint64_t epochs;
    wn_err told;      // the failure to open a window that was logged last
    uint64_t version; // counts changes of the table: what is cached under another one is void
    cached cache[CACHE_SLOTS];
    entry entries[WN_EDGE_WINDOWS_MAX];
    tomb tombs[TOMBS_MAX];
    size_t tombs_n;
};

// ---- looking up ----

static bool acceptable(const entry *n, int64_t t_s, int64_t now_s, bool backfill) {
    if (n->stopped) return false;
    if (now_s < n->accept_until_s && t_s <= now_s + WN_EDGE_AHEAD_S) return true;
    return backfill && n->allowed;
}

static bool holds(const entry *n, int64_t t_s) {
    return n != NULL && t_s >= n->w.window.start_s && t_s < n->w.window.end_s;
}

static entry *find(const wn_edge *e, const wn_window *w) {
    for (size_t i = 0; i < WN_EDGE_WINDOWS_MAX; i++) {
        const entry *n = &e->entries[i];
        if (n->used && wn_window_same(&n->w.window, w)) return (entry *)(uintptr_t)n;
    }
    return NULL;
}

static int64_t accept_until(const wn_window *w) {
    return w->end_s + wn_grace_s((wn_kind)w->kind);
}

static bool entombed(const wn_edge *e, const wn_window *w) {
    for (size_t i = 0; i < e->tombs_n; i++) {
        if (wn_window_same(&e->tombs[i].window, w)) return true;
    }
    return false;
}

static void entomb(wn_edge *e, const wn_window *w) {
    if (entombed(e, w)) return;
    size_t kept = 0;
    int64_t now_s = wn_now_s();
    for (size_t i = 0; i < e->tombs_n; i++) {
        if (e->tombs[i].until_s > now_s) e->tombs[kept++] = e->tombs[i];
    }
    if (kept == TOMBS_MAX) { // the one that matters least goes
        memmove(e->tombs, e->tombs + 1, (TOMBS_MAX - 1) * sizeof *e->tombs);
        kept--;
    }
    e->tombs[kept++] = (tomb){*w, accept_until(w)};
    e->tombs_n = kept;
}

// ---- opening ----

static uint32_t slot_of(const wn_edge *e, const char *window) {
    const wn_identity *table = e->identity->p;
    for (uint32_t i = 0; i < WN_IDENTITIES_MAX; i++) {
        if (strncmp(table[i].window, window, sizeof table[i].window) == 0) return i;
    }
    wn_assert_failed(__FILE__, __LINE__);
}

// Finds or draws both keys, after its policy is on disk. K_edge first: killed
// in between, the window has an edge key without text, which is no second epoch.
static wn_err open_window(wn_edge *e, const wn_window *w, bool found, entry **out) {
    char text[WN_WINDOW_TEXT_BYTES], name[WN_SLOT_NAME_BYTES];
    wn_window_text(w, text);
    snprintf(name, sizeof name, "text/%s", text);
    wn_edge_window made = {.window = *w, .open = true};
    wn_err had_text = wn_slots_get(e->keys, name, made.key_text);
    if (had_text != WN_OK && had_text != WN_ERR_NOTFOUND) return had_text;

    wn_err policy = wn_policies_begin(e->policies, text, &made.policy_id, &made.policy_version);
    if (policy != WN_OK && policy != WN_ERR_CORRUPT) return policy;
    bool fresh = false;
    wn_err err = wn_identity_key(e->identity, text, made.key_edge, &fresh);
    if (err == WN_OK && had_text != WN_OK) err = wn_slots_make(e->keys, name, made.key_text);
    if (err != WN_OK) {
        if (fresh) wn_identity_forget(e->identity, text);
        if (had_text != WN_OK) wn_policies_end(e->policies, text);
        wn_wipe(&made, sizeof made);
        return err;
    }
    wn_edge_window_derive(&made);
    made.slot = slot_of(e, text);
    if (had_text == WN_OK && fresh) {
        e->epochs++;
        wn_log(WN_MSG_EPOCH, w->day, 0, 0);
    }
    if (!found) wn_log(WN_MSG_WINDOW_OPEN, w->day, 0, 0);
    entry *n = &e->entries[made.slot];
    *n = (entry){.w = made, .accept_until_s = accept_until(w), .used = true};
    if (policy != WN_OK) { // what its people were promised is not known any more
        wn_log(WN_MSG_ERROR, policy, 15, 0);
        n->stopped = true;
        n->w.open = false;
    }
    wn_wipe(&made, sizeof made);
    e->version++;
    *out = n;
    return WN_OK;
}

static const wn_edge_window *slow_lookup(wn_edge *e, cached *c, const wn_site *site, int64_t t_s,
                                         int64_t now_s, bool backfill) {
    const wn_zone *z = wn_zone_find(site->zone);
    if (z == NULL) return NULL;
    wn_window w;
    wn_zone_window(z, (wn_kind)site->kind, t_s, &w);
    entry *n = find(e, &w);
    if (n == NULL) {
        bool live = now_s < accept_until(&w) && t_s <= now_s + WN_EDGE_AHEAD_S;
        if (!live || entombed(e, &w)) return NULL;
        wn_err err = open_window(e, &w, false, &n);
        if (err != WN_OK && err != e->told) wn_log(WN_MSG_ERROR, err, w.day, 0);
        e->told = err;
        if (err != WN_OK) return NULL;
    }
    bool same = c->version == e->version && c->tag == site->tag && c->kind == site->kind &&
                strncmp(c->zone, site->zone, WN_ZONE_BYTES) == 0;
    const entry *second = same ? c->recent[0] : NULL;
    *c = (cached){.tag = site->tag, .version = e->version, .kind = site->kind, .recent = {n, second}};
    memcpy(c->zone, site->zone, strnlen(site->zone, WN_ZONE_BYTES - 1));
    return acceptable(n, t_s, now_s, backfill) ? &n->w : NULL;
}

const wn_edge_window *wn_edge_window_at(wn_edge *e, const wn_site *site, int64_t t_s, int64_t now_s,
                                        bool backfill) {
    cached *c = &e->cache[(site->tag ^ site->tag >> 32) & (CACHE_SLOTS - 1)];
    bool same = c->version == e->version && c->tag == site->tag && c->kind == site->kind &&
                strncmp(c->zone, site->zone, WN_ZONE_BYTES) == 0;
    for (unsigned i = 0; same && i < 2; i++) {
        const entry *n = c->recent[i];
        if (holds(n, t_s)) return acceptable(n, t_s, now_s, backfill) ? &n->w : NULL;
    }
    return slow_lookup(e, c, site, t_s, now_s, backfill);
}

wn_err wn_edge_allow(wn_edge *e, const wn_window *w) {
    entry *n = find(e, w);
    if (entombed(e, w) || (n != NULL && n->stopped)) return WN_ERR_SEALED;
    WN_TRY(wn_window_check(w));
    if (n == NULL) WN_TRY(open_window(e, w, false, &n));
    n->allowed = true;
    return WN_OK;
}

const wn_edge_window *wn_edge_find(const wn_edge *e, const wn_window *w) {
    const entry *n = find(e, w);
    return n != NULL ? &n->w : NULL;
}

const wn_edge_window *wn_edge_slot(const wn_edge *e, uint32_t slot) {
    return slot < WN_EDGE_WINDOWS_MAX && e->entries[slot].used ? &e->entries[slot].w : NULL;
}

void wn_edge_policies(const wn_edge *e, const wn_site *site, const wn_edge_window *w,
                      const wn_site_policy *out[2]) {
    uint64_t id = w != NULL ? w->policy_id : wn_policies_newest(e->policies)->id;
    wn_policies_of(e->policies, site, id, out);
}

uint64_t wn_edge_epochs(const wn_edge *e) {
    return e->epochs;
}

// ---- closing ----

void wn_edge_stop(wn_edge *e, const wn_window *w) {
    entry *n = find(e, w);
    if (n == NULL) {
        entomb(e, w);
        return;
    }
    n->stopped = true;
    n->w.open = false;
}

wn_err wn_edge_forget(wn_edge *e, const wn_window *w) {
    char text[WN_WINDOW_TEXT_BYTES], name[WN_SLOT_NAME_BYTES];
    wn_window_text(w, text);
    snprintf(name, sizeof name, "text/%s", text);
    entomb(e, w);
    entry *n = find(e, w);
    if (n != NULL) {
        wn_wipe(n, sizeof *n);
        n->used = false;
        e->version++;
    }
    wn_identity_forget(e->identity, text);
    const char *names[] = {name, NULL};
    wn_err err = wn_slots_forget(e->keys, names);
    if (err == WN_OK)
        wn_policies_end(e->policies, text); // after the keys: without it the window would change policy
    return err;
}

// ---- addresses ----

bool wn_edge_has_geo(const wn_edge *e) {
    return e->country != NULL;
}

bool wn_edge_country(wn_edge *e, const wn_address *a, char out[2]) {
    return e->country != NULL && wn_country_of(e->country, a, out);
}

size_t wn_edge_region(wn_edge *e, const wn_address *a, char out[WN_REGION_BYTES]) {
    return e->country != NULL ? wn_country_region(e->country, a, out) : 0;
}

bool wn_edge_client(const wn_edge *e, const wn_address *peer, const char *forwarded_for, size_t n,
                    wn_address *out) {
    return wn_proxies_client(&e->proxies, peer, forwarded_for, n, out);
}

bool wn_edge_trusts(const wn_edge *e, const wn_address *peer) {
    return wn_proxies_trusted(&e->proxies, peer);
}

// ---- start and end ----

typedef struct names {
    char (*list)[WN_SLOT_NAME_BYTES];
    size_t n;
} names;

static void collect(void *ctx, const char *name) {
    names *all = ctx;
    if (strncmp(name, "text/", 5) != 0 || all->n == WN_SLOTS_MAX) return;
    snprintf(all->list[all->n++], WN_SLOT_NAME_BYTES, "%s", name + 5);
}

static wn_err reopen(wn_edge *e, const char *text) {
    wn_window w;
    entry *n;
    if (!wn_edge_window_parse(text, &w) || find(e, &w) != NULL) return WN_OK;
    wn_err err = open_window(e, &w, true, &n);
    return err == WN_ERR_FULL ? WN_OK : err; // no place for it: its events will be late, not all others
}

// Windows with an edge key, then those that only have a text key: after a
// reboot these begin a second epoch.
static wn_err find_windows(wn_edge *e) {
    const wn_identity *table = e->identity->p;
    for (size_t i = 0; i < WN_IDENTITIES_MAX; i++) {
        char text[sizeof table[i].window];
        memcpy(text, table[i].window, sizeof text);
        text[sizeof text - 1] = '\0';
        if (text[0] != '\0') WN_TRY(reopen(e, text));
    }
    names all = {.list = calloc(WN_SLOTS_MAX, WN_SLOT_NAME_BYTES)};
    if (all.list == NULL) return WN_ERR_NOMEM;
    wn_slots_each(e->keys, collect, &all);
    wn_err err = WN_OK;
    for (size_t i = 0; i < all.n && err == WN_OK; i++) err = reopen(e, all.list[i]);
    free(all.list);
    return err;
}

static bool window_is_open(void *ctx, const char *window) {
    wn_window w;
    return wn_edge_window_parse(window, &w) && find(ctx, &w) != NULL;
}

wn_err wn_edge_open(const wn_options *o, wn_slots *keys, wn_kept *identity, wn_policies *policies,
                    wn_edge **out) {
    if (identity->bytes != WN_IDENTITY_BYTES) return WN_ERR_STATE;
    wn_edge *e = calloc(1, sizeof *e);
    if (e == NULL) return WN_ERR_NOMEM;
    if (sodium_mlock(e, sizeof *e) != 0) wn_log(WN_MSG_MLOCK, (int64_t)sizeof *e, 0, 0);
    e->keys = keys;
    e->identity = identity;
    e->policies = policies;
    e->version = 1;
    wn_err err = wn_proxies_parse(o->trusted_proxies, &e->proxies);
    if (err == WN_OK) err = find_windows(e);
    if (err == WN_OK) wn_policies_keep(policies, window_is_open, e);
    if (err != WN_OK) {
        wn_edge_close(e);
        return err;
    }
    char country_db[WN_COUNTRY_PATH_BYTES];
    wn_country_place(o, country_db);
    e->country = wn_country_open(country_db);
    *out = e;
    return WN_OK;
}

void wn_edge_close(wn_edge *e) {
    if (e == NULL) return;
    wn_country_close(e->country);
    wn_wipe(e->entries, sizeof e->entries);
    sodium_munlock(e, sizeof *e); // wipes, too
    free(e);
}
