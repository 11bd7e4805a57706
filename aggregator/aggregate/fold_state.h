// SPDX-License-Identifier: Apache-2.0
// fold_state.h: inside of the fold, for the files of aggregate/ alone.
#pragma once

#include "fold.h"
#include "pool.h"

struct wn_fold {
    wn_pool pool;
    wn_plan plan;                   // without its text
    bool open[WN_TABLES_MAX];       // a dimension of the table is open
    wn_amounts most[WN_TABLES_MAX]; // of one person in a cell of the table; 0 of what it does not measure
    uint32_t ids_per_prefix_max, open_values_max;
    size_t values_max;
    uint64_t everybody; // members of table 0
    uint64_t weight;    // grows with every change: what a record must follow
    unsigned epochs;
};

static inline bool wn_fold_is_overflow(const uint64_t value[2]) {
    return value[0] == WN_VALUE_OVERFLOW;
}

// Does a cell of this table and value count against open_values_max? In a table with noise none does: there
// one person's values may never displace another's (R6: no cap by arrival).
static inline bool wn_fold_is_bounded(const wn_fold *f, uint8_t table, const uint64_t value[2]) {
    return f->open[table] && f->plan.table[table].profile != WN_PROFILE_NOISE && !wn_fold_is_overflow(value);
}

// Who a member is, as namings have them.
static inline wn_naming wn_fold_who(const wn_pool *p, const wn_member_state *m) {
    const wn_cell_state *c = wn_pool_cell(p, m->cell);
    return (wn_naming){.person = m->person, .site = c->site, .table = c->table, .epoch = c->epoch};
}
// Their organisation, also when it was named after they joined; WN_NONE: undeclared.
static inline uint32_t wn_fold_org(const wn_pool *p, const wn_member_state *m) {
    if (m->org != WN_NONE || p->namings_n == 0) return m->org;
    wn_naming who = wn_fold_who(p, m);
    return wn_pool_named_org(p, &who);
}

// The caller has looked for the key. Only value, site, table and epoch of `key` are read.
WN_MUST_USE wn_err wn_fold_new_cell(wn_fold *f, const wn_cell_state *key, uint32_t *out);
// Appends a member to its cell. Reads all but `next`; what they add is clamped here.
WN_MUST_USE wn_err wn_fold_join(wn_fold *f, const wn_member_state *member);
// More of a person who is in the cell already.
void wn_fold_bump(wn_fold *f, uint32_t member, const wn_amounts *more);
