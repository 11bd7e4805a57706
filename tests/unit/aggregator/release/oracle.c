// SPDX-License-Identifier: Apache-2.0
// oracle.c: slow on purpose.
#include "oracle.h"

static bool same_cell(const oracle_entry *a, const oracle_entry *b) {
    return a->site == b->site && a->table == b->table && a->value[0] == b->value[0] &&
           a->value[1] == b->value[1];
}

static uint64_t who_of(const wn_observation *obs) {
    uint64_t who = 0;
    memcpy(&who, obs->person, 8);
    return who;
}

static bool is_open(const wn_table *t) {
    for (unsigned d = 0; d < t->dims_n; d++)
        if (t->dims[d] >= WN_CLOSED_N) return true;
    return false;
}

static oracle_entry *find(oracle *o, const oracle_entry *like) {
    for (size_t i = 0; i < o->n; i++)
        if (same_cell(&o->entry[i], like) && o->entry[i].epoch == like->epoch && o->entry[i].who == like->who)
            return &o->entry[i];
    return NULL;
}

static bool cell_exists(const oracle *o, const oracle_entry *like) {
    for (size_t i = 0; i < o->n; i++)
        if (same_cell(&o->entry[i], like) && o->entry[i].epoch == like->epoch) return true;
    return false;
}

// Cells (an epoch's own) of this site and table, overflow aside, of which nobody was ever part of a step.
static uint32_t unshown_cells(const oracle *o, const oracle_entry *like) {
    uint32_t n = 0;
    for (size_t i = 0; i < o->n; i++) {
        const oracle_entry *e = &o->entry[i];
        if (e->site != like->site || e->table != like->table || e->value[0] == WN_VALUE_OVERFLOW) continue;
        bool first = true, stepped = false;
        for (size_t j = 0; j < o->n; j++) {
            if (!same_cell(&o->entry[j], e) || o->entry[j].epoch != e->epoch) continue;
            if (j < i) first = false;
            if (o->entry[j].stepped) stepped = true;
        }
        if (first && !stepped) n++;
    }
    return n;
}

static void count(oracle *o, const wn_observation *obs, unsigned t, unsigned epoch) {
    const wn_table *table = &o->plan->table[t];
    bool session = obs->kind == WN_OBS_SESSION, named = (table->kinds >> obs->kind & 1) != 0;
    bool adds_person = t == 0 || named;
    bool counted = named || (session && (table->measures & WN_MEASURE_SESSIONS) != 0);
    if (!counted && t != 0) return;
    oracle_entry e = {.site = obs->site,
                      .who = who_of(obs),
                      .prefix = obs->prefix,
                      .org = obs->org,
                      .table = t,
                      .epoch = epoch,
                      .is_signed = (obs->flags & WN_OBS_SIGNED) != 0};
    for (unsigned d = 0; d < table->dims_n; d++) {
        e.value[d] = table->dims[d] < WN_CLOSED_N ? obs->closed[table->dims[d]]
                                                  : obs->open[table->dims[d] - WN_CLOSED_N];
        if (e.value[d] == 0) return;
    }
    if (is_open(table) && !cell_exists(o, &e) &&
        (!adds_person || unshown_cells(o, &e) >= o->open_values_max)) {
        e.value[0] = e.value[1] = WN_VALUE_OVERFLOW;
        o->overflowed++;
    }
    oracle_entry *there = find(o, &e);
    if (there == NULL && !adds_person) return;
    if (there == NULL) {
        // Their networks are what the window first saw of them.
        const oracle_entry like = {.site = e.site, .who = e.who, .epoch = epoch};
        const oracle_entry *known = find(o, &like);
        if (known != NULL) {
            e.prefix = known->prefix;
            e.org = known->org;
            e.is_signed = known->is_signed;
        }
        if (o->n == o->cap) {
            o->cap = o->cap > 0 ? 2 * o->cap : 256;
            o->entry = realloc(o->entry, o->cap * sizeof *o->entry);
        }
        there = &o->entry[o->n++];
        *there = e;
    }
    if (counted && !session && there->events < table->clamp) there->events++;
    if (counted && session && there->sessions < 20) there->sessions++;
}

void oracle_observe(oracle *o, const wn_observation *obs, unsigned epoch) {
    const oracle_entry like = {.site = obs->site, .who = who_of(obs), .epoch = epoch};
    uint32_t ids = 0;
    for (size_t i = 0; i < o->n; i++)
        ids += o->entry[i].site == obs->site && o->entry[i].table == 0 && !o->entry[i].is_signed &&
               o->entry[i].prefix == obs->prefix;
    if ((obs->flags & WN_OBS_SIGNED) == 0 && find(o, &like) == NULL && ids >= o->ids_per_prefix_max) {
        o->capped++;
        return;
    }
    for (unsigned t = 0; t < o->plan->n; t++) count(o, obs, t, epoch);
}

// ---- R4 over a list of people ----
static uint32_t distinct(const uint64_t *v, size_t n) {
    uint32_t d = 0;
    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++) seen |= v[j] == v[i];
        d += !seen;
    }
    return d;
}

static bool hides(const oracle *o, const oracle_entry *e, size_t n, uint32_t k) {
    if (n == 0) return false;
    bool declares = true;
    for (size_t i = 0; i < o->rules->sites->n; i++)
        if (o->rules->sites->site[i].tag == e[0].site) declares = o->rules->sites->site[i].organisations;
    uint64_t *prefix = calloc(n, sizeof *prefix), *org = calloc(n, sizeof *org);
    size_t unsigned_n = 0, signed_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_signed) signed_n++;
        else prefix[unsigned_n++] = e[i].prefix;
        org[i] = e[i].org != 0 ? 2 * e[i].org : declares ? 0 : 2 * e[i].prefix + 1;
    }
    bool people_rule = signed_n + distinct(prefix, unsigned_n) >= k;
    bool four = distinct(org, n) >= 4;
    // x1, x2, x3: take out the largest organisation three times.
    size_t left = n, x1 = 0;
    for (unsigned turn = 0; turn < 3; turn++) {
        size_t best = 0;
        uint64_t which = 0;
        for (size_t i = 0; i < left; i++) {
            size_t size = 0;
            for (size_t j = 0; j < left; j++) size += org[j] == org[i];
            if (size > best) {
                best = size;
                which = org[i];
            }
        }
        size_t kept = 0;
        for (size_t i = 0; i < left; i++)
            if (best == 0 || org[i] != which) org[kept++] = org[i];
        left = kept;
        if (turn == 0) x1 = best;
    }
    free(prefix);
    free(org);
    return people_rule && four && 100 * left >= o->rules->p_percent * x1;
}

// Copies the people of a cell; new_only: those who joined since its last step.
static size_t people_in(const oracle *o, const oracle_entry *like, unsigned epoch, bool new_only,
                        oracle_entry *out) {
    size_t n = 0;
    for (size_t i = 0; i < o->n; i++)
        if (same_cell(&o->entry[i], like) && o->entry[i].epoch == epoch && !(new_only && o->entry[i].stepped))
            out[n++] = o->entry[i];
    return n;
}

static wn_row *row_of(oracle *o, const oracle_entry *like) {
    for (size_t i = 0; i < o->rows_n; i++) {
        wn_row *r = &o->row[i];
        if (r->site == like->site && r->table == like->table && r->value[0] == like->value[0] &&
            r->value[1] == like->value[1] && r->is_other == 0)
            return r;
    }
    return NULL;
}

static wn_row *new_row(oracle *o, const oracle_entry *like) {
    if (o->rows_n == o->rows_cap) {
        o->rows_cap = o->rows_cap > 0 ? 2 * o->rows_cap : 64;
        o->row = realloc(o->row, o->rows_cap * sizeof *o->row);
    }
    wn_row *r = &o->row[o->rows_n++];
    *r = (wn_row){
        .site = like->site, .table = (uint8_t)like->table, .value = {like->value[0], like->value[1]}};
    return r;
}

enum { ORACLE_EPOCHS = 3 };

static void tick_cell(oracle *o, const oracle_entry *like, oracle_entry *all, oracle_entry *fresh) {
    uint32_t k = o->plan->table[like->table].k;
    unsigned epoch = 0;
    size_t most = 0;
    for (unsigned e = 0; e < ORACLE_EPOCHS; e++) {
        size_t n = people_in(o, like, e, false, all);
        if (n > most) {
            most = n;
            epoch = e;
        }
    }
    wn_row *r = row_of(o, like);
    if (most / k * k < k || (r != NULL && most / k * k <= r->people)) return;
    size_t n = people_in(o, like, epoch, false, all), joined = people_in(o, like, epoch, true, fresh);
    if (!hides(o, all, n, k) || !hides(o, fresh, joined, k)) return;
    cr_assert_geq(joined, k, "a step of fewer than k people");
    if (r == NULL) r = new_row(o, like);
    uint64_t events = 0;
    for (size_t i = 0; i < n; i++) events += all[i].events;
    r->people = (uint32_t)(most / k * k);
    if (events / k * k > r->events) r->events = events / k * k;
    for (size_t i = 0; i < o->n; i++)
        if (same_cell(&o->entry[i], like) && o->entry[i].epoch == epoch) o->entry[i].stepped = true;
    o->steps++;
}

static bool first_of_cell(const oracle *o, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (same_cell(&o->entry[j], &o->entry[i])) return false;
    return true;
}

void oracle_tick(oracle *o) {
    oracle_entry *all = calloc(o->n + 1, sizeof *all), *fresh = calloc(o->n + 1, sizeof *fresh);
    for (size_t i = 0; i < o->n; i++)
        if (o->entry[i].value[0] != WN_VALUE_OVERFLOW && first_of_cell(o, i))
            tick_cell(o, &o->entry[i], all, fresh);
    free(all);
    free(fresh);
}

// At the seal only: the sessions of the people whom the row shows.
static void seal_sessions(oracle *o) {
    for (size_t i = 0; i < o->rows_n; i++) {
        wn_row *r = &o->row[i];
        uint32_t k = o->plan->table[r->table].k;
        for (unsigned e = 0; e < ORACLE_EPOCHS; e++) {
            uint64_t sessions = 0;
            for (size_t j = 0; j < o->n; j++)
                if (o->entry[j].stepped && o->entry[j].epoch == e && row_of(o, &o->entry[j]) == r)
                    sessions += o->entry[j].sessions;
            if (sessions / k * k > r->sessions) r->sessions = sessions / k * k;
        }
    }
}

// Everybody of an epoch in a row that is hidden or given up, each once, shares summed and clamped.
static size_t hidden_people(oracle *o, uint64_t site, unsigned table, unsigned epoch, const bool *given_up,
                            oracle_entry *out) {
    size_t n = 0;
    for (size_t i = 0; i < o->n; i++) {
        const oracle_entry *e = &o->entry[i];
        if (e->site != site || e->table != table || e->epoch != epoch) continue;
        const wn_row *r = row_of(o, e);
        if (r != NULL && !given_up[r - o->row]) continue;
        size_t j = 0;
        while (j < n && out[j].who != e->who) j++;
        if (j == n) {
            out[n++] = *e;
            continue;
        }
        out[j].events += e->events;
        out[j].sessions += e->sessions;
    }
    for (size_t j = 0; j < n; j++) {
        if (out[j].events > o->plan->table[table].clamp) out[j].events = o->plan->table[table].clamp;
        if (out[j].sessions > 20) out[j].sessions = 20;
    }
    return n;
}

static wn_row *smallest_left(oracle *o, uint64_t site, unsigned table, const bool *given_up) {
    wn_row *best = NULL;
    for (size_t i = 0; i < o->rows_n; i++) {
        wn_row *r = &o->row[i];
        if (r->site != site || r->table != table || r->is_other != 0 || given_up[i]) continue;
        bool smaller =
            best == NULL || r->people < best->people ||
            (r->people == best->people && (r->value[0] < best->value[0] ||
                                           (r->value[0] == best->value[0] && r->value[1] < best->value[1])));
        if (smaller) best = r;
    }
    return best;
}

static void seal_table(oracle *o, uint64_t site, unsigned table) {
    uint32_t k = o->plan->table[table].k;
    bool *given_up = calloc(o->rows_n + 1, sizeof *given_up);
    oracle_entry *people = calloc(o->n + 1, sizeof *people);
    for (bool any = false;;) {
        unsigned epoch = 0;
        size_t most = 0;
        for (unsigned e = 0; e < ORACLE_EPOCHS; e++) {
            size_t n = hidden_people(o, site, table, e, given_up, people);
            if (n > most) {
                most = n;
                epoch = e;
            }
        }
        any |= most > 0;
        if (!any) break;
        size_t n = hidden_people(o, site, table, epoch, given_up, people);
        if (hides(o, people, n, k)) {
            wn_row other = {
                .site = site, .table = (uint8_t)table, .is_other = 1, .people = (uint32_t)(n / k * k)};
            for (size_t i = 0; i < n; i++) {
                other.events += people[i].events;
                other.sessions += people[i].sessions;
            }
            other.events = other.events / k * k;
            other.sessions = other.sessions / k * k;
            size_t kept = 0;
            for (size_t i = 0; i < o->rows_n; i++) {
                o->absorbed += given_up[i];
                if (!given_up[i]) o->row[kept++] = o->row[i];
            }
            o->rows_n = kept;
            const oracle_entry like = {.site = site, .table = table};
            *new_row(o, &like) = other;
            o->others++;
            break;
        }
        const wn_row *next = smallest_left(o, site, table, given_up);
        if (next == NULL) break;
        given_up[next - o->row] = true;
    }
    free(given_up);
    free(people);
}

void oracle_seal(oracle *o) {
    oracle_tick(o);
    seal_sessions(o);
    for (size_t s = 0; s < o->rules->sites->n; s++)
        for (unsigned t = 1; t < o->plan->n; t++) seal_table(o, o->rules->sites->site[s].tag, t);
}

void oracle_fini(oracle *o) {
    free(o->entry);
    free(o->row);
    *o = (oracle){0};
}
