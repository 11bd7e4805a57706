// SPDX-License-Identifier: Apache-2.0
// fold_without.c: writes the records of a fold that never saw the people who go,
// and reads them back: so it is the fold that any replay of them gives.
#include "fold_without.h"

#include <stdlib.h>

#include "fold_state.h"
#include "record.h"

typedef struct sieve {
    const wn_fold *f;
    wn_fold_gone gone;
    void *ctx;
    uint8_t *touched;
    uint32_t *prefix, *org; // new numbers; WN_NONE: nobody is of it any more
    wn_record_out out;
} sieve;

// `org`: of those who named none later, or WN_NONE.
static bool person_goes(const wn_fold *f, wn_fold_gone gone, void *ctx, const wn_naming *who, uint32_t org) {
    const wn_pool *p = &f->pool;
    uint64_t site = wn_pool_site(p, who->site)->tag;
    if (gone(ctx, site, who->epoch, org == WN_NONE ? 0 : wn_network_at(&p->orgs, org)->id)) return true;
#ifdef WN_MUTANT_PURGE_COUNTED_ONLY
    org = wn_pool_named_org(p, who);
    return org != WN_NONE && gone(ctx, site, who->epoch, wn_network_at(&p->orgs, org)->id);
#endif
    const wn_naming *n;
    for (wn_index_walk w = wn_namings_begin(p, who); (n = wn_namings_next(p, who, &w)) != NULL;)
        if (gone(ctx, site, who->epoch, wn_network_at(&p->orgs, n->org)->id)) return true;
    return false;
}

static bool goes(const wn_fold *f, wn_fold_gone gone, void *ctx, const wn_member_state *m) {
    wn_naming who = wn_fold_who(&f->pool, m);
    return person_goes(f, gone, ctx, &who, m->org);
}

static bool member_goes(const sieve *s, const wn_member_state *m) {
    return goes(s->f, s->gone, s->ctx, m);
}

// Whoever is in a naming is there with all that they named.
static bool naming_goes(const sieve *s, const wn_naming *n) {
    return person_goes(s->f, s->gone, s->ctx, n, n->org);
}

// A refusal counts nobody, but on a site that goes there is none.
static bool site_goes(const sieve *s, const wn_site_state *site) {
    return s->gone(s->ctx, site->tag, 0, 0);
}

// Which networks are still somebody's, numbered anew in their old order.
static void number_networks(sieve *s) {
    const wn_pool *p = &s->f->pool;
    for (uint32_t i = 0; i < p->prefixes.n; i++) s->prefix[i] = WN_NONE;
    for (uint32_t i = 0; i < p->orgs.n; i++) s->org[i] = WN_NONE;
    for (uint32_t i = 0; i < p->members_n; i++) {
        const wn_member_state *m = wn_pool_member(p, i);
        if (member_goes(s, m)) {
            s->touched[m->cell] = 1;
#ifndef WN_MUTANT_PURGE_KEPT
            continue;
#endif
        }
        s->prefix[m->prefix] = 0;
        if (m->org != WN_NONE) s->org[m->org] = 0;
    }
    for (uint32_t i = 0; i < p->namings_n; i++)
        if (!naming_goes(s, wn_pool_naming(p, i))) s->org[wn_pool_naming(p, i)->org] = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->prefixes.n; i++)
        if (s->prefix[i] == 0) s->prefix[i] = n++;
    n = 0;
    for (uint32_t i = 0; i < p->orgs.n; i++)
        if (s->org[i] == 0) s->org[i] = n++;
}

static wn_err write_networks(sieve *s, wn_run run, const wn_networks *all, const uint32_t *number) {
    for (uint32_t i = 0; i < all->n; i++)
        if (number[i] != WN_NONE) WN_TRY(wn_record_network(&s->out, run, wn_network_at(all, i)));
    return WN_OK;
}

static wn_err write_members(sieve *s) {
    const wn_pool *p = &s->f->pool;
    for (uint32_t i = 0; i < p->members_n; i++) {
        wn_member_state m = *wn_pool_member(p, i);
#ifndef WN_MUTANT_PURGE_KEPT
        if (member_goes(s, &m)) continue;
#endif
        m.prefix = s->prefix[m.prefix];
        if (m.org != WN_NONE) m.org = s->org[m.org];
        WN_TRY(wn_record_join(&s->out, &m));
    }
    return WN_OK;
}

static wn_err write_namings(sieve *s) {
    const wn_pool *p = &s->f->pool;
    for (uint32_t i = 0; i < p->namings_n; i++) {
        wn_naming n = *wn_pool_naming(p, i);
        if (naming_goes(s, &n)) continue;
        n.org = s->org[n.org];
        WN_TRY(wn_record_naming(&s->out, &n));
    }
    return WN_OK;
}

static wn_err write_rest(sieve *s) {
    const wn_pool *p = &s->f->pool;
    wn_record_reset(&s->out, s->f->plan.table, (wn_record_state){0});
    for (uint32_t i = 0; i < p->sites_n; i++) WN_TRY(wn_record_site(&s->out, wn_pool_site(p, i)->tag));
    for (uint32_t i = 0; i < p->sites_n; i++) {
        const wn_site_state *site = wn_pool_site(p, i);
        if ((site->refused > 0 || site->capped > 0) && !site_goes(s, site))
            WN_TRY(wn_record_count(&s->out, i, site->refused, site->capped));
    }
    for (uint32_t i = 0; i < p->values.n; i++) WN_TRY(wn_record_value(&s->out, wn_pool_value(p, i)));
    number_networks(s);
    WN_TRY(write_networks(s, WN_RUN_PREFIX, &p->prefixes, s->prefix));
    WN_TRY(write_networks(s, WN_RUN_ORG, &p->orgs, s->org));
    for (uint32_t i = 0; i < p->cells_n; i++) WN_TRY(wn_record_cell(&s->out, wn_pool_cell(p, i)));
    WN_TRY(write_members(s));
    WN_TRY(write_namings(s));
    wn_record_end(&s->out);
    return WN_OK;
}

static wn_err read_back(sieve *s, wn_fold **out) {
    const wn_fold *f = s->f;
    WN_TRY(wn_fold_new(&f->plan, f->ids_per_prefix_max, f->open_values_max, out));
    for (size_t i = 0; i < s->out.records; i++) WN_TRY(wn_fold_unpack(*out, wn_record_at(&s->out, i)));
    for (uint32_t i = 0; i < f->pool.cells_n; i++) {
        uint32_t before = wn_pool_cell(&f->pool, i)->baseline, left = wn_pool_cell(&(*out)->pool, i)->people;
        wn_fold_set_baseline(*out, i, before < left ? before : left);
    }
    return WN_OK;
}

wn_err wn_fold_without(const wn_fold *f, wn_fold_gone gone, void *ctx, uint8_t *touched, wn_fold **out) {
    sieve s = {.f = f, .gone = gone, .ctx = ctx, .touched = touched};
    wn_fold *made = NULL;
    s.prefix = calloc(f->pool.prefixes.n + 1, sizeof *s.prefix);
    s.org = calloc(f->pool.orgs.n + 1, sizeof *s.org);
    wn_err err = s.prefix != NULL && s.org != NULL ? write_rest(&s) : WN_ERR_NOMEM;
    if (err == WN_OK) err = read_back(&s, &made);
    wn_record_fini(&s.out);
    free(s.prefix);
    free(s.org);
    if (err != WN_OK) return wn_fold_free(made), err;
    *out = made;
    return WN_OK;
}

bool wn_fold_holds(const wn_fold *f, wn_fold_gone gone, void *ctx) {
    for (uint32_t i = 0; i < f->pool.members_n; i++)
        if (goes(f, gone, ctx, wn_pool_member(&f->pool, i))) return true;
    for (uint32_t i = 0; i < f->pool.namings_n; i++) {
        const wn_naming *n = wn_pool_naming(&f->pool, i);
        if (person_goes(f, gone, ctx, n, n->org)) return true;
    }
    return false;
}

bool wn_fold_knows_org(const wn_fold *f, uint64_t site, uint64_t org) {
    uint32_t at = wn_pool_find_site(&f->pool, site);
    return at != WN_NONE && wn_networks_find(&f->pool.orgs, at, org) != WN_NONE;
}
