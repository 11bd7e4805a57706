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
    const unsigned of_sessions = WN_MEASURE_SESSIONS | WN_MEASURE_BOUNCES | WN_MEASURE_TIME;
    bool session = obs->kind == WN_OBS_SESSION, named = (table->kinds >> obs->kind & 1) != 0;
    bool adds_person = t == 0 || named;
    bool counted = named || (session && (table->measures & of_sessions) != 0);
    if (!counted && t != 0) return;
    if (table->share && (obs->flags & WN_OBS_SHARE) == 0) {
        o->unshared++;
        return;
    }
    if (table->profile == WN_PROFILE_NOISE && o->plan->noise.signed_only &&
        (obs->flags & WN_OBS_SIGNED) == 0) {
        o->unsigned_noise++;
        return;
    }
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
    if (is_open(table) && table->profile != WN_PROFILE_NOISE && !cell_exists(o, &e) &&
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
    if (counted && session && (obs->flags & WN_OBS_BOUNCED) != 0 && there->bounces < 20) there->bounces++;
    if (counted && session) there->seconds += obs->seconds;
    if (there->seconds > 20 * 1800) there->seconds = 20 * 1800;
    if (counted && !session && (table->measures & WN_MEASURE_NUMBER1) != 0) there->number += obs->number[0];
    if (counted && !session && (table->measures & WN_MEASURE_NUMBER2) != 0) there->number += obs->number[1];
    if (there->number > table->number_clamp) there->number = table->number_clamp;
}

void oracle_observe(oracle *o, const wn_observation *obs, unsigned epoch) {
    const oracle_entry like = {.site = obs->site, .who = who_of(obs), .epoch = epoch};
    uint32_t ids = 0;
    for (size_t i = 0; i < o->n; i++)
        ids += o->entry[i].site == obs->site && o->entry[i].table == 0 && !o->entry[i].is_signed &&
               o->entry[i].prefix == obs->prefix;
    if ((obs->flags & WN_OBS_SIGNED) == 0 && find(o, &like) == NULL && ids >= o->ids_per_prefix_max) {
        o->capped += obs->kind != WN_OBS_SESSION; // a visit's end is no event
        return;
    }
    // Whoever had named no organisation is of this one, wherever they are.
    for (size_t i = 0; i < o->n && obs->org != 0; i++) {
        oracle_entry *e = &o->entry[i];
        if (e->site != obs->site || e->epoch != epoch || e->who != who_of(obs)) continue;
        if (e->table == 0 && e->org == 0) o->named_late++;
        if (e->table == 0 && e->org != 0 && e->org != obs->org) o->named_another++;
        if (e->org == 0) e->org = obs->org;
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

static bool site_declares(const oracle *o, uint64_t site) {
    for (size_t i = 0; i < o->rules->sites->n; i++)
        if (o->rules->sites->site[i].tag == site) return o->rules->sites->site[i].organisations;
    return true;
}

static uint64_t org_of(const oracle_entry *e, bool declares) {
    return e->org != 0 ? 2 * e->org : declares ? 0 : 2 * e->prefix + 1;
}

static bool hides(const oracle *o, const oracle_entry *e, size_t n, uint32_t k) {
    if (n == 0) return false;
    bool declares = site_declares(o, e[0].site);
    uint64_t *prefix = calloc(n, sizeof *prefix), *org = calloc(n, sizeof *org);
    size_t unsigned_n = 0, signed_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_signed) signed_n++;
        else prefix[unsigned_n++] = e[i].prefix;
        org[i] = org_of(&e[i], declares);
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

// Multiples of k, the fewest that are 35 % of one person's most or more.
static uint64_t step_of_events(const oracle *o, unsigned table) {
    const wn_table *t = &o->plan->table[table];
    uint64_t step = t->k;
    while (step * 20 < (uint64_t)t->clamp * 7) step += t->k;
    return step;
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
    uint64_t events_step = step_of_events(o, like->table);
    if (events / events_step * events_step > r->events) r->events = events / events_step * events_step;
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
        if (o->entry[i].value[0] != WN_VALUE_OVERFLOW && first_of_cell(o, i) &&
            o->plan->table[o->entry[i].table].profile != WN_PROFILE_NOISE)
            tick_cell(o, &o->entry[i], all, fresh);
    free(all);
    free(fresh);
}

// ---- at the seal only: measures of the people whom the row shows ----
static unsigned amount_of(const oracle_entry *e, unsigned measure) {
    return measure == ORACLE_BOUNCES ? e->bounces : measure == ORACLE_TIME ? e->seconds : e->number;
}

static int descending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

// All but the three largest of these add at least p% of the largest.
static bool p_rule(const oracle *o, uint64_t *v, size_t n) {
    uint64_t rest = 0;
    qsort(v, n, sizeof *v, descending);
    for (size_t i = 3; i < n; i++) rest += v[i];
    return n == 0 || 100 * rest >= o->rules->p_percent * v[0];
}

static oracle_why locked_by(const oracle *o, const oracle_entry *in, size_t n, const oracle_entry *out,
                            size_t out_n, unsigned measure, uint32_t k) {
    if (!hides(o, in, n, k)) return ORACLE_FEW;
    if (measure != ORACLE_TIME && !hides(o, out, out_n, k)) return ORACLE_OTHERS;
    uint64_t *v = calloc(n, sizeof *v);
    bool declares = site_declares(o, in[0].site);
    for (size_t i = 0; i < n; i++) v[i] = amount_of(&in[i], measure);
    bool people = p_rule(o, v, n);
    for (size_t i = 0; i < n; i++) { // an organisation's sum stands at its first person
        v[i] = 0;
        bool first = true;
        for (size_t j = 0; j < i; j++) first &= org_of(&in[j], declares) != org_of(&in[i], declares);
        for (size_t j = i; j < n && first; j++)
            if (org_of(&in[j], declares) == org_of(&in[i], declares)) v[i] += amount_of(&in[j], measure);
    }
    bool orgs = p_rule(o, v, n);
    free(v);
    return !people ? ORACLE_PERSON : !orgs ? ORACLE_ORG : ORACLE_SHOWN;
}

static void seal_measure(oracle *o, wn_row *r, const oracle_entry *all, size_t n, unsigned measure) {
    uint32_t k = o->plan->table[r->table].k;
    oracle_entry *in = calloc(n + 1, sizeof *in), *out = calloc(n + 1, sizeof *out);
    size_t in_n = 0, out_n = 0;
    uint64_t sum = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned amount = amount_of(&all[i], measure);
        sum += amount;
        if (amount > most) most = amount;
        if (amount > 0) in[in_n++] = all[i];
        else if (measure != ORACLE_BOUNCES || all[i].sessions > 0) out[out_n++] = all[i];
    }
    oracle_why why = locked_by(o, in, in_n, out, out_n, measure, k);
    o->why[measure][why]++;
    uint64_t step = measure == ORACLE_TIME ? 10 : k;
    while (step * 100 < 35 * most) step *= 2;
    uint64_t *to = measure == ORACLE_BOUNCES ? &r->bounces
                   : measure == ORACLE_TIME  ? &r->seconds
                                             : &r->number;
    const unsigned bits[] = {WN_MEASURE_BOUNCES, WN_MEASURE_TIME, WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2};
    if (why == ORACLE_SHOWN) {
        *to = sum / step * step;
        r->locked |= (uint8_t)(o->plan->table[r->table].measures & bits[measure]);
    }
    free(in);
    free(out);
}

// The people of the epoch that most are shown of.
static size_t shown_people(oracle *o, const wn_row *r, oracle_entry *out) {
    size_t most = 0;
    unsigned epoch = 0;
    for (unsigned turn = 0; turn <= ORACLE_EPOCHS; turn++) {
        unsigned e = turn < ORACLE_EPOCHS ? turn : epoch;
        size_t n = 0;
        for (size_t j = 0; j < o->n; j++)
            if (o->entry[j].stepped && o->entry[j].epoch == e && row_of(o, &o->entry[j]) == r)
                out[n++] = o->entry[j];
        if (n > most) {
            most = n;
            epoch = e;
        }
    }
    return most;
}

static void seal_measures(oracle *o) {
    oracle_entry *all = calloc(o->n + 1, sizeof *all);
    for (size_t i = 0; i < o->rows_n; i++) {
        wn_row *r = &o->row[i];
        uint32_t k = o->plan->table[r->table].k;
        unsigned measures = o->plan->table[r->table].measures;
        size_t n = shown_people(o, r, all);
        uint64_t sessions = 0;
        for (size_t j = 0; j < n; j++) sessions += all[j].sessions;
        r->sessions =
            hides(o, all, n, k) ? sessions / k * k : 0; // some may have named another organisation since
        if ((measures & WN_MEASURE_BOUNCES) != 0) seal_measure(o, r, all, n, ORACLE_BOUNCES);
        if ((measures & WN_MEASURE_TIME) != 0) seal_measure(o, r, all, n, ORACLE_TIME);
        if ((measures & (WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2)) != 0)
            seal_measure(o, r, all, n, ORACLE_NUMBER);
    }
    free(all);
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
            uint64_t events_step = step_of_events(o, table);
            other.events = other.events / events_step * events_step;
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
    seal_measures(o);
    for (size_t s = 0; s < o->rules->sites->n; s++)
        for (unsigned t = 1; t < o->plan->n; t++)
            if (o->plan->table[t].profile != WN_PROFILE_NOISE) seal_table(o, o->rules->sites->site[s].tag, t);
}

void oracle_fini(oracle *o) {
    free(o->entry);
    free(o->row);
    *o = (oracle){0};
}
