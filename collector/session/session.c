// SPDX-License-Identifier: Apache-2.0
// session.c: the table of open sessions in memory that outlives the process.
//
// Every change of more than one word is first written down whole (`redo`),
// then marked, then done: whoever opens the memory after a kill does a marked
// change again, and nobody sees half of one. Stores keep program order; a kill
// falls between two of them.
#include "session.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "visit.h"

enum { VERSION = 1, PUTS_MAX = 2 };

static const uint8_t magic[8] = {'W', 'N', 'V', 'I', 'S', 'I', 'T', 'S'};

typedef struct item {
    uint64_t txn; // pending: of the events; queue: of the batch it was drained into, 0: none
    wn_visit visit;
} item;

typedef struct redo {
    uint32_t armed, puts_n;
    struct put {
        uint64_t index;
        wn_visit visit; // slot 0: frees the entry
    } put[PUTS_MAX];
    bool push;
    wn_visit pushed;
    uint64_t pending_head, queue_tail, evicted; // values after
} redo;

typedef struct kept {
    uint8_t magic[8];
    uint32_t version, spare;
    uint64_t entries;
    uint64_t pending_head, pending_tail; // counters; their rest names the place in the ring
    uint64_t queue_head, queue_tail;
    uint64_t evicted;
    redo redo;
    item pending[WN_SESSION_PENDING_MAX];
    item queue[WN_SESSION_QUEUE_MAX];
    wn_visit visit[];
} kept;

struct wn_sessions_table {
    kept *k;
    size_t buckets, count;
    uint64_t drained;                      // queue items before it stand in a transaction
    uint32_t live[WN_SESSION_WINDOWS_MAX]; // touches, sessions and queued ones of each window
    uint32_t *print;                       // of each entry; 0: free
    uint16_t *slot;                        // window slot + 1 of each entry
};

// Keeps the compiler from moving stores across; the processor's order is the program's.
static void step(void) {
    atomic_signal_fence(memory_order_seq_cst);
}

static size_t entries_of(size_t sessions_max) {
    return (sessions_max + WN_SESSION_BUCKET - 1) / WN_SESSION_BUCKET * WN_SESSION_BUCKET;
}

size_t wn_sessions_bytes(size_t sessions_max) {
    return sizeof(kept) + entries_of(sessions_max) * sizeof(wn_visit);
}

// ---- places ----

static item *pending_at(kept *k, uint64_t i) {
    return &k->pending[i % WN_SESSION_PENDING_MAX];
}

static item *queue_at(kept *k, uint64_t i) {
    return &k->queue[i % WN_SESSION_QUEUE_MAX];
}

static bool queue_full(const kept *k) {
    return k->queue_tail - k->queue_head == WN_SESSION_QUEUE_MAX;
}

static uint64_t mix(const wn_visit *v, size_t at) {
    uint64_t h; // P0 is a keyed hash already; the window tells equal ones apart
    memcpy(&h, v->person + at, sizeof h);
    return (h ^ v->slot * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xBF58476D1CE4E5B9);
}

// A session may stand in either of two buckets: a new one takes the emptier, so
// that the table fills to its end before any overflows.
static void buckets_of(const wn_sessions_table *t, const wn_visit *v, size_t out[2]) {
    out[0] = (size_t)((mix(v, 0) >> 32) * t->buckets >> 32) * WN_SESSION_BUCKET;
    out[1] = (size_t)((mix(v, 8) & UINT32_MAX) * t->buckets >> 32) * WN_SESSION_BUCKET;
}

static uint32_t print_of(const wn_visit *v) {
    return (uint32_t)(mix(v, 8) >> 32) | 1;
}

static void note(wn_sessions_table *t, size_t i) {
    const wn_visit *v = &t->k->visit[i];
    t->count += (size_t)(v->slot != 0);
    t->count -= (size_t)(t->slot[i] != 0);
    t->slot[i] = v->slot;
    t->print[i] = v->slot != 0 ? print_of(v) : 0;
}

// ---- changes ----

static redo *redo_begin(wn_sessions_table *t) {
    redo *r = &t->k->redo;
    r->puts_n = 0;
    r->push = false;
    r->pending_head = t->k->pending_head;
    r->queue_tail = t->k->queue_tail;
    r->evicted = t->k->evicted;
    return r;
}

static void redo_put(redo *r, size_t index, const wn_visit *v) {
    r->put[r->puts_n].index = index;
    r->put[r->puts_n].visit = *v;
    r->puts_n++;
}

static void redo_push(redo *r, const wn_visit *v) {
    r->push = true;
    r->pushed = *v;
    r->queue_tail++;
}

// May run any number of times: it writes what is to be, never a difference.
static void redo_run(kept *k) {
    const redo *r = &k->redo;
    for (uint32_t i = 0; i < r->puts_n; i++) k->visit[r->put[i].index] = r->put[i].visit;
    if (r->push) {
        item *q = queue_at(k, r->queue_tail - 1);
        q->txn = 0;
        q->visit = r->pushed;
    }
    k->queue_tail = r->queue_tail;
    k->pending_head = r->pending_head;
    k->evicted = r->evicted;
}

static void redo_commit(wn_sessions_table *t) {
    redo *r = &t->k->redo;
    step();
    r->armed = 1;
    step();
    redo_run(t->k);
    step();
    r->armed = 0;
    step();
    for (uint32_t i = 0; i < r->puts_n; i++) note(t, (size_t)r->put[i].index);
}

// What the redo record copied is wiped when a run of changes is over.
static void redo_wipe(kept *k) {
    wn_wipe(k->redo.put, sizeof k->redo.put);
    wn_wipe(&k->redo.pushed, sizeof k->redo.pushed);
}

static const wn_visit nobody;

// The place for a new session: in the bucket with more room, or that of the session
// idle longest, which is closed early. False when the queue has no room for it.
static bool make_room(wn_sessions_table *t, redo *r, const size_t buckets[2], size_t *out) {
    size_t oldest = buckets[0], most_free = 0;
    for (int b = 0; b < 2; b++) {
        size_t free_n = 0, free_at = 0;
        for (size_t i = buckets[b]; i < buckets[b] + WN_SESSION_BUCKET; i++) {
            if (t->print[i] == 0) {
                free_n++;
                free_at = i;
            } else if (t->print[oldest] == 0 || t->k->visit[i].last_s < t->k->visit[oldest].last_s) {
                oldest = i;
            }
        }
        if (free_n <= most_free) continue;
        most_free = free_n;
        *out = free_at;
    }
    if (most_free > 0) return true;
    if (queue_full(t->k)) return false;
    redo_push(r, &t->k->visit[oldest]);
    r->evicted++;
    *out = oldest;
    return true;
}

// Puts the oldest pending touch into the table.
static bool apply_one(wn_sessions_table *t) {
    kept *k = t->k;
    item *p = pending_at(k, k->pending_head);
    size_t buckets[2], place = 0, joined = 0;
    if (p->visit.slot == 0) { // purged
        k->pending_head++;
        step();
        return true;
    }
    buckets_of(t, &p->visit, buckets);
    uint32_t print = print_of(&p->visit);
    redo *r = redo_begin(t);
    wn_visit v = p->visit;
    for (int b = 0; b < (buckets[0] == buckets[1] ? 1 : 2); b++) {
        for (size_t i = buckets[b]; i < buckets[b] + WN_SESSION_BUCKET; i++) {
            // Sessions of one person lie more than 30 minutes apart: a touch joins two at most.
            if (t->print[i] != print || !wn_visit_joins(&k->visit[i], &p->visit) || joined == 2) continue;
            wn_visit_merge(&v, &k->visit[i]);
            if (joined++ == 0) place = i;
            else redo_put(r, i, &nobody);
        }
    }
    if (joined == 0 && !make_room(t, r, buckets, &place)) return false;
    redo_put(r, place, &v);
    r->pending_head++;
    redo_commit(t);
    t->live[v.slot - 1] -= (uint32_t)joined; // the touch became a session, or part of one or two
    wn_wipe(p, sizeof *p);
    wn_wipe(&v, sizeof v);
    return true;
}

bool wn_sessions_touch(wn_sessions_table *t, uint64_t txn, uint32_t window_slot, const wn_observation *obs,
                       int64_t at_s) {
    kept *k = t->k;
    WN_ASSERT(window_slot < WN_SESSION_WINDOWS_MAX);
    if (k->pending_tail - k->pending_head == WN_SESSION_PENDING_MAX) return false;
    WN_ASSERT(k->pending_tail == k->pending_head || pending_at(k, k->pending_tail - 1)->txn <= txn);
    item *p = pending_at(k, k->pending_tail);
    p->txn = txn;
    wn_visit_begin(&p->visit, window_slot, obs, at_s);
    step();
    k->pending_tail++;
    step();
    t->live[window_slot]++;
    return true;
}

static void forget_drained(wn_sessions_table *t, uint64_t txn) {
    kept *k = t->k;
    while (k->queue_head < t->drained && queue_at(k, k->queue_head)->txn <= txn) {
        item *q = queue_at(k, k->queue_head);
        if (q->visit.slot != 0) t->live[q->visit.slot - 1]--;
        k->queue_head++;
        step();
        wn_wipe(q, sizeof *q);
    }
}

// Asks the caches for the prints of a touch further on, then for the sessions that look like a nearer one's.
enum { FAR = 16, NEAR = 6 };

static void announce(const wn_sessions_table *t) {
    kept *k = t->k;
    size_t buckets[2];
    if (k->pending_tail - k->pending_head > FAR) {
        buckets_of(t, &pending_at(k, k->pending_head + FAR)->visit, buckets);
        for (int b = 0; b < 2; b++) __builtin_prefetch(&t->print[buckets[b]]);
    }
    if (k->pending_tail - k->pending_head <= NEAR) return;
    const wn_visit *v = &pending_at(k, k->pending_head + NEAR)->visit;
    uint32_t print = print_of(v);
    buckets_of(t, v, buckets);
    for (int b = 0; b < 2; b++) {
        for (size_t i = buckets[b]; i < buckets[b] + WN_SESSION_BUCKET; i++) {
            if (t->print[i] != print) continue;
            __builtin_prefetch(&k->visit[i]);
            __builtin_prefetch((const uint8_t *)&k->visit[i] + sizeof(wn_visit) - 1);
        }
    }
}

void wn_sessions_apply(wn_sessions_table *t, uint64_t txn) {
    kept *k = t->k;
    forget_drained(t, txn);
    while (k->pending_head < k->pending_tail && pending_at(k, k->pending_head)->txn <= txn) {
        announce(t);
        if (!apply_one(t)) break;
    }
    redo_wipe(k);
}

bool wn_sessions_expire(wn_sessions_table *t, uint32_t window_slot, int64_t idle_before_s) {
    kept *k = t->k;
    bool done = true;
    for (size_t i = 0; i < t->buckets * WN_SESSION_BUCKET && done; i++) {
        if (t->slot[i] != window_slot + 1 || k->visit[i].last_s >= idle_before_s) continue;
        done = !queue_full(k);
        if (!done) break;
        redo *r = redo_begin(t);
        redo_push(r, &k->visit[i]);
        redo_put(r, i, &nobody);
        redo_commit(t);
    }
    redo_wipe(k);
    return done;
}

bool wn_sessions_drain(wn_sessions_table *t, uint64_t txn, uint32_t *out_window_slot, wn_observation *out) {
    WN_ASSERT(txn > 0);
    while (t->drained != t->k->queue_tail) {
        item *q = queue_at(t->k, t->drained++);
        q->txn = txn;
        step();
        if (q->visit.slot == 0) continue; // purged
        *out_window_slot = q->visit.slot - 1u;
        wn_visit_observation(&q->visit, out);
        return true;
    }
    return false;
}

// ---- purges ----

typedef struct leaving { // whose sessions go
    uint16_t slot;
    uint64_t site, org;
    uint8_t (*person)[16]; // who named the organisation, in order
    size_t n;
    bool everybody;
} leaving;

static int by_person(const void *a, const void *b) {
    return memcmp(a, b, 16);
}

static bool of_site(const leaving *l, const wn_visit *v) {
    return v->slot == l->slot && v->site == l->site;
}

static bool leaves(const leaving *l, const wn_visit *v) {
    if (!of_site(l, v)) return false;
    return l->everybody || bsearch(v->person, l->person, l->n, sizeof *l->person, by_person) != NULL;
}

static void note_leaving(leaving *l, const wn_visit *v) {
    if (of_site(l, v) && wn_visit_names(v, l->org)) memcpy(l->person[l->n++], v->person, 16);
}

// Somebody who named it in one session may have another that does not: both go. Without memory to tell, all
// do.
static void find_leaving(const wn_sessions_table *t, leaving *l) {
    kept *k = t->k;
    size_t entries = t->buckets * WN_SESSION_BUCKET, live = t->live[l->slot - 1];
    l->person = calloc(live + 1, sizeof *l->person);
    l->everybody = l->org == 0 || l->person == NULL;
    if (l->everybody) return;
    for (uint64_t i = k->pending_head; i < k->pending_tail; i++) note_leaving(l, &pending_at(k, i)->visit);
    for (uint64_t i = k->queue_head; i < k->queue_tail; i++) note_leaving(l, &queue_at(k, i)->visit);
    for (size_t i = 0; i < entries; i++)
        if (t->slot[i] == l->slot) note_leaving(l, &k->visit[i]);
    WN_ASSERT(l->n <= live);
    qsort(l->person, l->n, sizeof *l->person, by_person);
}

// A place in a ring stays, nobody's: slot 0 goes in first, so that a kill leaves no half of a session.
static void drop_item(wn_sessions_table *t, item *x, const leaving *l) {
    if (!leaves(l, &x->visit)) return;
    x->visit.slot = 0;
    step();
    wn_wipe(&x->visit, sizeof x->visit);
    t->live[l->slot - 1]--;
}

void wn_sessions_purge(wn_sessions_table *t, uint32_t window_slot, uint64_t site, uint64_t org) {
    kept *k = t->k;
    leaving l = {.slot = (uint16_t)(window_slot + 1), .site = site, .org = org};
    find_leaving(t, &l);
    for (uint64_t i = k->pending_head; i < k->pending_tail; i++) drop_item(t, pending_at(k, i), &l);
    for (uint64_t i = k->queue_head; i < k->queue_tail; i++) drop_item(t, queue_at(k, i), &l);
    for (size_t i = 0; i < t->buckets * WN_SESSION_BUCKET; i++) {
        if (t->slot[i] != l.slot || !leaves(&l, &k->visit[i])) continue;
        redo *r = redo_begin(t);
        redo_put(r, i, &nobody);
        redo_commit(t);
        t->live[l.slot - 1]--;
    }
    redo_wipe(k);
    if (l.person != NULL) wn_wipe(l.person, l.n * sizeof *l.person);
    free(l.person);
}

void wn_sessions_undrain(wn_sessions_table *t, uint64_t txn) {
    while (t->drained > t->k->queue_head && queue_at(t->k, t->drained - 1)->txn == txn) {
        queue_at(t->k, --t->drained)->txn = 0;
    }
    step();
}

bool wn_sessions_window_empty(const wn_sessions_table *t, uint32_t window_slot) {
    WN_ASSERT(window_slot < WN_SESSION_WINDOWS_MAX);
    return t->live[window_slot] == 0;
}

size_t wn_sessions_count(const wn_sessions_table *t) {
    return t->count;
}

uint64_t wn_sessions_evicted(const wn_sessions_table *t) {
    return t->k->evicted;
}

// ---- opening ----

// Fresh memory is zero already.
static void begin_anew(kept *k, size_t bytes, size_t entries, bool fresh) {
    memset(k->magic, 0, sizeof k->magic); // a kill from here on leaves memory that is begun anew
    step();
    if (!fresh) {
        wn_wipe(k, bytes);
        memset(k, 0, bytes);
    }
    k->version = VERSION;
    k->entries = entries;
    step();
    memcpy(k->magic, magic, sizeof magic);
    step();
}

static wn_err check(const kept *k) {
    bool ok = k->pending_tail - k->pending_head <= WN_SESSION_PENDING_MAX &&
              k->queue_tail - k->queue_head <= WN_SESSION_QUEUE_MAX && k->redo.puts_n <= PUTS_MAX;
    for (uint32_t i = 0; ok && i < k->redo.puts_n; i++) ok = k->redo.put[i].index < k->entries;
    return ok ? WN_OK : WN_ERR_CORRUPT;
}

// Brings the memory to what the spool holds.
static void repair(kept *k, uint64_t last_txn) {
    if (k->redo.armed) redo_run(k);
    step();
    k->redo.armed = 0;
    redo_wipe(k);
    while (k->pending_tail > k->pending_head && pending_at(k, k->pending_tail - 1)->txn > last_txn) {
        wn_wipe(pending_at(k, k->pending_tail - 1), sizeof(item));
        k->pending_tail--;
        step();
    }
    while (k->queue_head < k->queue_tail) {
        const item *q = queue_at(k, k->queue_head);
        if (q->txn == 0 || q->txn > last_txn) break;
        k->queue_head++;
        step();
        wn_wipe(queue_at(k, k->queue_head - 1), sizeof(item));
    }
    // The transactions of the others are lost: they go into new ones.
    for (uint64_t i = k->queue_head; i < k->queue_tail; i++) queue_at(k, i)->txn = 0;
    // A kill may have left a pseudonym just outside a ring.
    if (k->pending_tail - k->pending_head < WN_SESSION_PENDING_MAX) {
        wn_wipe(pending_at(k, k->pending_head - 1), sizeof(item));
        wn_wipe(pending_at(k, k->pending_tail), sizeof(item));
    }
    if (k->queue_tail - k->queue_head < WN_SESSION_QUEUE_MAX) {
        wn_wipe(queue_at(k, k->queue_head - 1), sizeof(item));
        wn_wipe(queue_at(k, k->queue_tail), sizeof(item));
    }
}

// Of one that was purged a kill may have left the rest.
static bool count_item(wn_sessions_table *t, item *x) {
    uint16_t slot = x->visit.slot;
    if (slot > WN_SESSION_WINDOWS_MAX) return false;
    if (slot == 0) wn_wipe(&x->visit, sizeof x->visit);
    else t->live[slot - 1]++;
    return true;
}

// Memory begun anew holds nobody, and is left untouched: its pages come with the sessions.
static wn_err index_all(wn_sessions_table *t, bool anew) {
    kept *k = t->k;
    t->print = calloc(k->entries, sizeof *t->print);
    t->slot = calloc(k->entries, sizeof *t->slot);
    if (t->print == NULL || t->slot == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < k->entries && !anew; i++) {
        if (k->visit[i].slot > WN_SESSION_WINDOWS_MAX) return WN_ERR_CORRUPT;
        note(t, i);
        if (k->visit[i].slot != 0) t->live[k->visit[i].slot - 1]++;
    }
    for (uint64_t i = k->pending_head; i < k->pending_tail; i++) {
        if (!count_item(t, pending_at(k, i))) return WN_ERR_CORRUPT;
    }
    for (uint64_t i = k->queue_head; i < k->queue_tail; i++) {
        if (!count_item(t, queue_at(k, i))) return WN_ERR_CORRUPT;
    }
    return WN_OK;
}

wn_err wn_sessions_open(wn_kept *mem, size_t sessions_max, uint64_t last_txn, wn_sessions_table **out) {
    size_t entries = entries_of(sessions_max), bytes = wn_sessions_bytes(sessions_max);
    if (sessions_max == 0 || mem->bytes < bytes) return WN_ERR_STATE;
    kept *k = mem->p;
    bool ours = memcmp(k->magic, magic, sizeof magic) == 0;
    if (ours && k->version != VERSION) return WN_ERR_VERSION;
    bool anew = !ours || k->entries != entries;
    if (!anew) {
        WN_TRY(check(k));
        repair(k, last_txn);
    } else {
        begin_anew(k, bytes, entries, !ours && mem->fresh);
    }

    wn_sessions_table *t = calloc(1, sizeof *t);
    if (t == NULL) return WN_ERR_NOMEM;
    t->k = k;
    t->buckets = entries / WN_SESSION_BUCKET;
    t->drained = k->queue_head;
    wn_err err = index_all(t, anew);
    if (err != WN_OK) {
        wn_sessions_close(t);
        return err;
    }
    wn_sessions_apply(t, last_txn);
    *out = t;
    return WN_OK;
}

void wn_sessions_close(wn_sessions_table *t) {
    if (t == NULL) return;
    free(t->print);
    free(t->slot);
    free(t);
}
