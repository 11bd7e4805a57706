// SPDX-License-Identifier: Apache-2.0
// noise.c: who keeps which cells, and which cells then show what.
//
// A person may change at most `cells` cells of a table (the sensitivity that the noise is made for), and
// which ones must not depend on anybody else: so it is neither the first cells nor the largest, but those
// that come first under a key. Everybody's choice is made here, for the fold counts exactly and keeps all.
#include "noise.h"

#include <stdlib.h>

#include "crypt.h"
#include "gauss.h"
#include "lock_run.h"
#include "walls.h"

typedef struct ref { // a cell of a noise table
    uint64_t site, value[2];
    uint32_t cell;
    uint32_t first, kept; // members: number of its first one; how many keep it
    uint8_t table, epoch;
} ref;

typedef struct member {
    uint64_t key; // the person; then, among one person's cells, the order of keeping
    uint32_t ref, number;
} member;

typedef struct sealing {
    const wn_fold *f;
    const wn_plan *plan;
    const wn_lock_rules *rules;
    wn_rows *rows;
    uint8_t keep_key[16], name_key[32], draw_key[WN_GAUSS_SEED_BYTES];
    ref *refs; // by site, table, value, epoch
    size_t refs_n;
    member *members, *spare; // of the table at hand
    bool *keeps;             // by a member's number
    size_t members_n, members_cap;
    wn_crowd *crowd;
} sealing;

static int compare_refs(const void *a, const void *b) {
    const ref *x = a, *y = b;
    int d = wn_order(x->site, y->site);
    if (d == 0) d = wn_order(x->table, y->table);
    if (d == 0) d = wn_order(x->value[0], y->value[0]);
    if (d == 0) d = wn_order(x->value[1], y->value[1]);
    return d != 0 ? d : wn_order(x->epoch, y->epoch);
}

static wn_err collect(sealing *s) {
    size_t cells = wn_fold_cells(s->f), n = 0;
    wn_cell c;
    for (size_t i = 0; i < cells; i++) {
        wn_fold_cell(s->f, i, &c);
        n += !wn_lock_of_crowd(s->plan, &c);
    }
    s->refs = calloc(n + 1, sizeof *s->refs);
    if (s->refs == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < cells; i++) {
        wn_fold_cell(s->f, i, &c);
        if (wn_lock_of_crowd(s->plan, &c)) continue;
        s->refs[s->refs_n++] = (ref){.site = c.site,
                                     .value = {c.value[0], c.value[1]},
                                     .cell = c.index,
                                     .table = c.table,
                                     .epoch = c.epoch};
    }
    qsort(s->refs, s->refs_n, sizeof *s->refs, compare_refs);
    return WN_OK;
}

// ---- who keeps what ----

enum { DIGIT_BITS = 11, DIGITS = 3 };

typedef struct visit {
    sealing *s;
    uint32_t ref;
} visit;

static void forget_members(sealing *s) {
    wn_wipe(s->members, s->members_cap * sizeof *s->members);
    wn_wipe(s->spare, s->members_cap * sizeof *s->spare);
    free(s->members);
    free(s->spare);
    free(s->keeps);
    s->members = s->spare = NULL;
    s->keeps = NULL;
    s->members_n = s->members_cap = 0;
}

static wn_err members_fit(sealing *s, size_t n) {
    s->members_n = 0;
    if (n > UINT32_MAX) return WN_ERR_FULL;
    if (n > s->members_cap) {
        forget_members(s);
        s->members = calloc(n, sizeof *s->members);
        s->spare = calloc(n, sizeof *s->spare);
        s->keeps = calloc(n, sizeof *s->keeps);
        if (s->members == NULL || s->spare == NULL || s->keeps == NULL)
            return forget_members(s), WN_ERR_NOMEM;
        s->members_cap = n;
    }
    if (n > 0) memset(s->keeps, 0, n * sizeof *s->keeps);
    return WN_OK;
}

static void visit_member(void *ctx, const wn_member *m) {
    visit *v = ctx;
    uint32_t n = (uint32_t)v->s->members_n++;
    v->s->members[n] = (member){.key = m->person, .ref = v->ref, .number = n};
}

// n cells of one table of one site.
static wn_err gather(sealing *s, ref *refs, size_t n) {
    size_t people = 0;
    wn_cell c;
    for (size_t i = 0; i < n; i++) {
        wn_fold_cell(s->f, refs[i].cell, &c);
        people += c.people;
    }
    WN_TRY(members_fit(s, people));
    for (size_t i = 0; i < n; i++) {
        visit v = {.s = s, .ref = (uint32_t)(&refs[i] - s->refs)};
        refs[i].first = (uint32_t)s->members_n;
        wn_fold_members(s->f, refs[i].cell, 0, visit_member, &v);
    }
    WN_ASSERT(s->members_n == people);
    return WN_OK;
}

// By person, then epoch: another epoch's pseudonym is another person's.
static int compare_members(const void *a, const void *b, void *refs) {
    const member *x = a, *y = b;
    int d = wn_order(x->key, y->key);
    return d != 0 ? d : wn_order(((const ref *)refs)[x->ref].epoch, ((const ref *)refs)[y->ref].epoch);
}

static int compare_keys(const void *a, const void *b) {
    const member *x = a, *y = b;
    int d = wn_order(x->key, y->key);
    return d != 0 ? d : wn_order(x->ref, y->ref);
}

static uint64_t order_of(const sealing *s, const member *m) {
    const ref *r = &s->refs[m->ref];
#ifdef WN_MUTANT_CAP_BY_ARRIVAL
    return r->cell;
#endif
    uint64_t in[4] = {m->key, r->epoch, r->value[0], r->value[1]};
    uint64_t order = wn_prf64(s->keep_key, (wn_span){(const uint8_t *)in, sizeof in});
    wn_wipe(in, sizeof in);
    return order;
}

// n members are one person's.
static void keep(sealing *s, member *m, size_t n, size_t cells) {
#ifdef WN_MUTANT_NOISE_CAP_OFF
    cells = n;
#endif
    if (!WN_WALL_LOCKS) cells = n;
    if (n > cells) {
        for (size_t i = 0; i < n; i++) m[i].key = order_of(s, &m[i]);
        qsort(m, n, sizeof *m, compare_keys);
        n = cells;
    }
    for (size_t i = 0; i < n; i++) {
        s->keeps[m[i].number] = true;
        s->refs[m[i].ref].kept++;
    }
}

// Brings together what agrees in the last DIGITS × DIGIT_BITS bits of its person: nearly always one person's
// cells, for pseudonyms are random. Ten million members take a fifth of a comparison sort's time.
static void sort_nearly(sealing *s) {
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t at[1u << DIGIT_BITS] = {0};
        unsigned shift = digit * DIGIT_BITS, mask = (1u << DIGIT_BITS) - 1;
        for (size_t i = 0; i < s->members_n; i++) at[s->members[i].key >> shift & mask]++;
        for (size_t d = 0, before = 0, n; d <= mask; d++, before += n) {
            n = at[d];
            at[d] = before;
        }
        for (size_t i = 0; i < s->members_n; i++)
            s->spare[at[s->members[i].key >> shift & mask]++] = s->members[i];
        member *sorted = s->spare;
        s->spare = s->members;
        s->members = sorted;
    }
}

static bool nearly(const member *a, const member *b) {
    return ((a->key ^ b->key) & (((uint64_t)1 << DIGITS * DIGIT_BITS) - 1)) == 0;
}

static void choose(sealing *s, size_t cells) {
    sort_nearly(s);
    member *m = s->members;
    for (size_t i = 0, lot; i < s->members_n; i += lot) {
        bool mixed = false;
        for (lot = 1; i + lot < s->members_n && nearly(&m[i], &m[i + lot]); lot++)
            mixed |= compare_members(&m[i], &m[i + lot], s->refs) != 0;
        if (mixed) qsort_r(&m[i], lot, sizeof *m, compare_members, s->refs);
        for (size_t j = 0, n; j < lot; j += n) {
            for (n = 1; j + n < lot; n++)
                if (compare_members(&m[i + j], &m[i + j + n], s->refs) != 0) break;
            keep(s, &m[i + j], n, cells);
        }
    }
}

// ---- what is released ----

typedef struct keepers {
    sealing *s;
    uint32_t number;
    wn_err err;
} keepers;

static void visit_keeper(void *ctx, const wn_member *m) {
    keepers *k = ctx;
    if (k->s->keeps[k->number++] && k->err == WN_OK) k->err = wn_crowd_add(k->s->crowd, m);
}

static wn_err keepers_hold(sealing *s, const ref *r, uint32_t k, bool *out) {
    keepers v = {.s = s, .number = r->first, .err = WN_OK};
    wn_crowd_reset(s->crowd, wn_lock_declares(s->rules, r->site));
    wn_fold_members(s->f, r->cell, 0, visit_keeper, &v);
    WN_TRY(v.err);
    *out = wn_crowd_holds(s->crowd, k, s->rules->p_percent);
    return WN_OK;
}

static int64_t draw(const sealing *s, const ref *r) {
    if (!WN_WALL_LOCKS) return 0;
    uint64_t in[4] = {r->site, r->table, r->value[0], r->value[1]}, den = s->plan->noise.variance_den;
    uint8_t name[WN_GAUSS_NAME_BYTES];
    wn_gauss_stream stream;
#ifdef WN_MUTANT_SIGMA_HALVED
    den *= 4;
#endif
    wn_prf(s->name_key, (wn_span){(const uint8_t *)in, sizeof in}, name, sizeof name);
    wn_gauss_stream_init(&stream, s->draw_key, name);
    int64_t x = wn_gauss_draw(&stream, s->plan->noise.variance_num, den);
    wn_gauss_stream_wipe(&stream);
    return x;
}

static uint32_t threshold_of(const sealing *s, const wn_table *t) {
    bool open = false;
    for (unsigned d = 0; d < t->dims_n; d++) open |= wn_dim_is_open(t->dims[d]);
    if (!WN_WALL_LOCKS) return 1;
    return open ? s->plan->noise.threshold_open : s->plan->noise.threshold_closed;
}

// The same cell in each epoch: n of them. The one that most people keep stands, the earlier on a tie.
static wn_err release(sealing *s, const ref *r, size_t n) {
    const wn_table *t = &s->plan->table[r->table];
    const ref *most = r;
    uint32_t k = wn_lock_k(t), count;
    bool holds = false;
    for (size_t i = 1; i < n; i++)
        if (r[i].kept > most->kept) most = &r[i];
    count = most->kept;
#ifdef WN_MUTANT_NOISE_SECOND_EPOCH_ADDED
    for (size_t i = 0; i < n; i++) count += &r[i] == most ? 0 : r[i].kept;
#endif
    if (r->value[0] == WN_VALUE_OVERFLOW) return WN_OK; // one person's values and another's
#ifdef WN_MUTANT_THRESHOLD_NOISY_ONLY
    k = 0;
#endif
    if (count < k) return WN_OK;
    WN_TRY(keepers_hold(s, most, k, &holds));
    if (!holds) return WN_OK;
    int64_t value = count + draw(s, most);
    if (value < (int64_t)threshold_of(s, t)) return WN_OK;
    WN_TRY(wn_rows_reserve(s->rows, s->rows->n + 1));
    s->rows->row[s->rows->n++] = (wn_row){
        .site = r->site, .table = r->table, .value = {r->value[0], r->value[1]}, .people = (uint32_t)value};
    return WN_OK;
}

static wn_err seal_table(sealing *s, ref *refs, size_t n) {
    WN_TRY(gather(s, refs, n));
    choose(s, s->plan->table[refs->table].cells);
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n; same++)
            if (refs[i].value[0] != refs[i + same].value[0] || refs[i].value[1] != refs[i + same].value[1])
                break;
        WN_TRY(release(s, &refs[i], same));
    }
    return WN_OK;
}

static wn_err seal_all(sealing *s) {
    WN_TRY(collect(s));
    WN_TRY(wn_crowd_new(&s->crowd));
    for (size_t i = 0, n; i < s->refs_n; i += n) {
        for (n = 1; i + n < s->refs_n; n++)
            if (s->refs[i + n].site != s->refs[i].site || s->refs[i + n].table != s->refs[i].table) break;
        WN_TRY(seal_table(s, &s->refs[i], n));
    }
    return WN_OK;
}

static void derive(const uint8_t seed[WN_NOISE_SEED_BYTES], const char *what, uint8_t *out, size_t n) {
    wn_prf(seed, (wn_span){(const uint8_t *)what, strlen(what)}, out, n);
}

wn_err wn_noise_seal(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                     const uint8_t seed[WN_NOISE_SEED_BYTES], wn_rows *rows) {
    sealing s = {.f = f, .plan = plan, .rules = rules, .rows = rows};
    rows->n = 0;
    if (plan->noise.rho_micro == 0) return WN_OK;
    derive(seed, "noise: keep", s.keep_key, sizeof s.keep_key);
    derive(seed, "noise: name", s.name_key, sizeof s.name_key);
    derive(seed, "noise: draw", s.draw_key, sizeof s.draw_key);
    wn_err err = seal_all(&s);
    if (err != WN_OK) rows->n = 0;
    forget_members(&s);
    wn_crowd_free(s.crowd);
    free(s.refs);
    wn_wipe(&s, sizeof s);
    return err;
}
