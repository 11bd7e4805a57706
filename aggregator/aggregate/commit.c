// SPDX-License-Identifier: Apache-2.0
// commit.c: what is gathered, and the way from gathered to applied.
#include "commit.h"

#include <stdlib.h>
#include <string.h>

#include "commit_state.h"

wn_err wn_commit_new(wn_fold *f, wn_commit **out) {
    wn_commit *c = calloc(1, sizeof *c);
    if (c == NULL) return WN_ERR_NOMEM;
    c->f = f;
    c->block = calloc(1, sizeof *c->block);
    if (c->block == NULL) {
        free(c);
        return WN_ERR_NOMEM;
    }
    *out = c;
    return WN_OK;
}

void wn_commit_free(wn_commit *c) {
    if (c == NULL) return;
    wn_growing_fini(&c->obs, c->obs_n * sizeof(pending));
    wn_growing_fini(&c->refusals, c->refusals_n * sizeof(refusal));
    wn_growing_fini(&c->capped, c->capped_n * sizeof(uint32_t));
    wn_growing_fini(&c->open_cells, c->capped_n * WN_TABLES_MAX * sizeof(uint32_t));
    wn_growing_fini(&c->repeats, c->repeats_n * sizeof(uint64_t));
    wn_growing_fini(&c->extras, c->extras_n * sizeof(uint64_t));
    wn_growing_fini(&c->order, c->order_n * sizeof(uint64_t));
    wn_pool_fini(&c->texts);
    wn_pool_fini(&c->add);
    wn_networks_fini(&c->claims);
    wn_record_fini(&c->out);
    wn_wipe(c->block, sizeof *c->block);
    free(c->block);
    free(c);
}

// Forgets what encode made.
static void unencode(wn_commit *c) {
    wn_pool_reset(&c->add);
    wn_networks_reset(&c->claims);
    wn_wipe(c->repeats.p, c->repeats_n * sizeof(uint64_t));
    wn_wipe(c->extras.p, c->extras_n * sizeof(uint64_t));
    wn_wipe(c->order.p, c->order_n * sizeof(uint64_t));
    c->repeats_n = c->extras_n = c->order_n = 0;
    c->base = wn_record_state_of(c->f);
    wn_record_reset(&c->out, c->f->plan.table, c->base);
}

void wn_commit_reset(wn_commit *c) {
    unencode(c);
    wn_wipe(c->obs.p, c->obs_n * sizeof(pending));
    wn_pool_reset(&c->texts);
    c->obs_n = c->refusals_n = 0;
}

bool wn_commit_empty(const wn_commit *c) {
    return c->obs_n == 0 && c->refusals_n == 0 && c->texts.values.n == 0;
}

wn_err wn_commit_observe(wn_commit *c, const wn_observation *obs, const wn_table_keys *keys, uint8_t epoch) {
    if (c->obs_n == WN_COMMIT_OBS_MAX) return WN_ERR_FULL;
    WN_TRY(wn_growing_reserve(&c->obs, (c->obs_n + 1) * sizeof(pending)));
    *pending_at(c, c->obs_n++) = (pending){.obs = *obs, .keys = keys, .epoch = epoch};
    return WN_OK;
}

wn_err wn_commit_value(wn_commit *c, const wn_value *v) {
    if (v->n == 0 || v->n > WN_VALUE_SEALED_MAX) return WN_OK;
    uint64_t id = wn_value_id(v);
    if (wn_pool_find_value(&c->f->pool, id) != NULL || wn_pool_find_value(&c->texts, id) != NULL)
        return WN_OK;
    return wn_pool_add_value(&c->texts, v);
}

wn_err wn_commit_refuse(wn_commit *c, uint64_t site, uint32_t refused) {
    for (size_t i = 0; i < c->refusals_n; i++) {
        if (refusal_at(c, i)->site != site) continue;
        refusal_at(c, i)->refused += refused;
        return WN_OK;
    }
    WN_TRY(wn_growing_reserve(&c->refusals, (c->refusals_n + 1) * sizeof(refusal)));
    *refusal_at(c, c->refusals_n++) = (refusal){.site = site, .refused = refused};
    return WN_OK;
}

static wn_err clear_counters(wn_commit *c) {
    c->capped_n = c->base.sites;
    WN_TRY(wn_growing_reserve(&c->capped, c->capped_n * sizeof(uint32_t)));
    WN_TRY(wn_growing_reserve(&c->open_cells, c->capped_n * WN_TABLES_MAX * sizeof(uint32_t)));
    if (c->capped.bytes > 0) memset(c->capped.p, 0, c->capped.bytes);
    if (c->open_cells.bytes > 0) memset(c->open_cells.p, 0, c->open_cells.bytes);
    return WN_OK;
}

wn_err wn_commit_encode(wn_commit *c) {
    unencode(c);
    WN_TRY(clear_counters(c));
    WN_TRY(wn_commit_take(c));
    WN_TRY(wn_commit_write(c));
    WN_TRY(wn_pool_reserve(&c->f->pool, &c->texts)); // values
    return wn_pool_reserve(&c->f->pool, &c->add);    // all else
}

size_t wn_commit_records(const wn_commit *c) {
    return c->out.records;
}
wn_span wn_commit_record(const wn_commit *c, size_t i) {
    return wn_record_at(&c->out, i);
}

void wn_commit_apply(wn_commit *c) {
    for (size_t i = 0; i < c->out.records; i++) {
        // Our own bytes, for the state they were written for, with memory reserved.
        wn_err err = wn_journal_replay(c->f, wn_record_at(&c->out, i));
        WN_ASSERT(err == WN_OK);
    }
    wn_commit_reset(c);
}
