// SPDX-License-Identifier: Apache-2.0
// fold_pack.c: the whole fold in the form of a journal that builds it at once,
// so that a base needs no reader of its own.
#include "fold_state.h"
#include "record.h"

static wn_err write_pool(const wn_pool *p, wn_record_out *o) {
    for (uint32_t i = 0; i < p->sites_n; i++) WN_TRY(wn_record_site(o, wn_pool_site(p, i)->tag));
    for (uint32_t i = 0; i < p->sites_n; i++) {
        const wn_site_state *s = wn_pool_site(p, i);
        if (s->refused > 0 || s->capped > 0) WN_TRY(wn_record_count(o, i, s->refused, s->capped));
    }
    for (uint32_t i = 0; i < p->values.n; i++) WN_TRY(wn_record_value(o, wn_pool_value(p, i)));
    for (uint32_t i = 0; i < p->prefixes.n; i++)
        WN_TRY(wn_record_network(o, WN_RUN_PREFIX, wn_network_at(&p->prefixes, i)));
    for (uint32_t i = 0; i < p->orgs.n; i++)
        WN_TRY(wn_record_network(o, WN_RUN_ORG, wn_network_at(&p->orgs, i)));
    for (uint32_t i = 0; i < p->cells_n; i++) WN_TRY(wn_record_cell(o, wn_pool_cell(p, i)));
    for (uint32_t i = 0; i < p->members_n; i++) WN_TRY(wn_record_join(o, wn_pool_member(p, i)));
    for (uint32_t i = 0; i < p->namings_n; i++) WN_TRY(wn_record_naming(o, wn_pool_naming(p, i)));
    wn_record_end(o);
    return WN_OK;
}

wn_err wn_fold_pack(const wn_fold *f, wn_err (*sink)(void *ctx, wn_span part), void *ctx) {
    wn_record_out o = {0};
    wn_record_reset(&o, f->plan.table, (wn_record_state){0});
    wn_err err = write_pool(&f->pool, &o);
    for (size_t i = 0; i < o.records && err == WN_OK; i++) err = sink(ctx, wn_record_at(&o, i));
    wn_record_fini(&o);
    return err;
}
