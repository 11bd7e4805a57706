// SPDX-License-Identifier: Apache-2.0
// pipeline.c: from whole requests to durable transactions, one a turn of the
// loop. What is committed while the disk is busy waits in open batches, so
// that the next transaction is larger, not later.
#include "crypt.h"
#include "log.h"
#include "pipeline_body.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_ROOM_BYTES 4096u       // head of a batch with all its sites, padded
#define SPOOL_ROOM_BYTES (64u << 10) // heads, memories: kept free below spool_bytes_max
#define TXN_ROOM_BYTES (WN_SPOOL_TXN_BYTES_MAX - (1u << 20))
#define SESSION_ROOM_BYTES 512u      // an observation of a session, encoded and padded
#define LINGER_BYTES_MAX (64u << 10) // a transaction of so much is worth its sync
#define SESSIONS_TURN_MAX 8192       // finished sessions taken into one transaction

// ---- life ----

wn_err wn_pipeline_open(const wn_pipeline_parts *parts, wn_site_list *sites, wn_pipeline **out) {
    wn_pipeline *p = calloc(1, sizeof *p);
    if (p == NULL) return WN_ERR_NOMEM;
    uint8_t key[32];
    p->parts = *parts;
    p->scratch = aligned_alloc(64, (wn_scratch_bytes() + 63) & ~(size_t)63);
    wn_err err = p->scratch == NULL ? WN_ERR_NOMEM : wn_random(key, sizeof key);
    if (err != WN_OK) {
        free(p->scratch);
        free(p);
        return err;
    }
    wn_scratch_init(p->scratch, key);
    wn_wipe(key, sizeof key);
    p->sites = wn_site_list_hold(sites);
    p->durable = p->submitted = wn_spool_last_txn(parts->spool);
    p->linger_ns = -1;
    *out = p;
    return WN_OK;
}

wn_err wn_pipeline_forget_cached(wn_pipeline *p) {
    uint8_t key[32];
    WN_TRY(wn_random(key, sizeof key));
    wn_scratch_renew(p->scratch, key);
    wn_wipe(key, sizeof key);
    return WN_OK;
}

void wn_pipeline_close(wn_pipeline *p) {
    if (p == NULL) return;
    for (size_t i = 0; i < WN_PIPELINE_BATCHES_MAX; i++) wn_batch_builder_free(p->batch[i].builder);
    wn_request_spares_free(p);
    wn_scratch_wipe(p->scratch);
    free(p->scratch);
    wn_site_list_drop(p->sites);
    wn_wipe(p, sizeof *p);
    free(p);
}

void wn_pipeline_sites(wn_pipeline *p, wn_site_list *sites) {
    wn_site_list *old = p->sites;
    p->sites = wn_site_list_hold(sites);
    wn_site_list_drop(old);
}

const wn_site_list *wn_pipeline_site_list(const wn_pipeline *p) {
    return p->sites;
}

void wn_pipeline_clock(wn_pipeline *p, int64_t now_s) {
    p->now_s = now_s;
}

int64_t wn_pipeline_now(const wn_pipeline *p) {
    return p->now_s;
}

bool wn_pipeline_client(wn_pipeline *p, const wn_address *peer, wn_span forwarded_for, wn_address *out) {
    return wn_edge_client(p->parts.edge, peer, (const char *)forwarded_for.p, forwarded_for.n, out);
}

bool wn_pipeline_trusts(const wn_pipeline *p, const wn_address *peer) {
    return wn_edge_trusts(p->parts.edge, peer);
}

// ---- batches being filled ----

static wn_err batch_close(wn_pipeline *p, wn_open_batch *b) {
    const wn_edge_window *w = wn_edge_slot(p->parts.edge, b->slot);
    WN_ASSERT(w != NULL); // a window is forgotten only when nothing of it is left here
    wn_batch_head head = {
        .window = w->window, .policy_version = w->policy_version, .policy_id = w->policy_id};
    memcpy(head.edge_epoch, w->epoch, sizeof head.edge_epoch);
    memcpy(head.text_key, w->key_text, sizeof head.text_key);
    wn_err err = wn_spool_add(p->parts.spool, b->builder, &head);
    wn_wipe(head.text_key, sizeof head.text_key);
    if (err != WN_OK) {
        if (!p->stuck) wn_log(WN_MSG_SPOOL_FULL, (int64_t)wn_spool_bytes(p->parts.spool), 0, 0);
        p->stuck = true;
        return err;
    }
    p->newest[b->slot] = head.id;
    memcpy(p->newest_epoch[b->slot], w->epoch, sizeof w->epoch);
    wn_batch_builder_reset(b->builder);
    if (p->batch_of[b->slot] == b - p->batch + 1) p->batch_of[b->slot] = 0;
    if (b - p->batch >= WN_PIPELINE_BATCHES_KEPT) {
        wn_batch_builder_free(b->builder);
        b->builder = NULL;
    }
    b->used = false;
    p->batch_n--;
    return WN_OK;
}

// All of them, or as many as the spool takes; the rest stays for the next turn.
static bool batches_close(wn_pipeline *p) {
    bool all = true;
    for (size_t i = 0; i < WN_PIPELINE_BATCHES_MAX && all; i++)
        if (p->batch[i].used) all = batch_close(p, &p->batch[i]) == WN_OK;
    p->stuck = !all;
    return all;
}

// The batch of this window with room for one more; NULL when the spool takes none.
static wn_open_batch *batch_for(wn_pipeline *p, uint32_t slot) {
    if (p->batch_of[slot] != 0) return &p->batch[p->batch_of[slot] - 1];
    if (p->batch_n >= WN_PIPELINE_BATCHES_KEPT && !p->stuck) (void)batches_close(p);
    size_t i = 0;
    while (i < WN_PIPELINE_BATCHES_MAX && p->batch[i].used) i++;
    if (i == WN_PIPELINE_BATCHES_MAX) return NULL;
    wn_open_batch *b = &p->batch[i];
    if (b->builder == NULL && wn_batch_builder_new(&b->builder) != WN_OK) return NULL;
    b->slot = slot;
    b->used = true;
    p->batch_of[slot] = (uint8_t)(i + 1);
    p->batch_n++;
    p->txn_bytes += BATCH_ROOM_BYTES;
    return b;
}

typedef struct adding {
    const wn_observation *obs; // NULL: a refusal
    const wn_value *const *values;
    uint64_t site;
} adding;

static wn_err add_to(wn_open_batch *b, const adding *a) {
    if (a->obs == NULL) return wn_batch_builder_refuse(b->builder, a->site, 1);
    return wn_batch_builder_add(b->builder, a->obs, a->values);
}

// False when the spool takes nothing more: the caller made sure that it would.
static bool batch_add(wn_pipeline *p, uint32_t slot, const adding *a) {
    wn_open_batch *b = batch_for(p, slot);
    if (b == NULL) return false;
    p->dirty = true;
    p->txn_of[slot] = wn_spool_txn(p->parts.spool);
    if (add_to(b, a) == WN_OK) return true;
    if (batch_close(p, b) != WN_OK) {
        // Whole as it is; it goes with the next turn, beside a new one.
        p->batch_of[slot] = 0;
    }
    b = batch_for(p, slot);
    return b != NULL && add_to(b, a) == WN_OK;
}

// ---- commit ----

void wn_pipeline_hash(const wn_pipeline *p, char domain, wn_span bytes, uint8_t out[16]) {
    uint8_t in[128] = {(uint8_t)domain};
    WN_ASSERT(bytes.n < sizeof in);
    memcpy(in + 1, bytes.p, bytes.n);
    wn_prf(p->parts.dedupe_key, (wn_span){in, bytes.n + 1}, out, 16);
    wn_wipe(in, sizeof in);
}

bool wn_pipeline_remember(wn_pipeline *p, wn_memory kind, const uint8_t hash[16]) {
    p->dirty = true;
    return wn_spool_remember(p->parts.spool, kind, hash, p->now_s);
}

bool wn_pipeline_known(const wn_pipeline *p, wn_memory kind, const uint8_t hash[16]) {
    return wn_spool_known(p->parts.spool, kind, hash);
}

uint64_t wn_pipeline_pending(const wn_pipeline *p) {
    if (p->dirty) return wn_spool_txn(p->parts.spool);
    return p->submitted > p->durable ? p->submitted : 0;
}

static bool still_open(const wn_pipeline *p, const wn_record *rec) {
    const wn_edge_window *w = wn_edge_slot(p->parts.edge, rec->slot);
    return w != NULL && w->open && memcmp(w->epoch, rec->epoch, sizeof w->epoch) == 0;
}

static void commit_kept(wn_pipeline *p, const wn_record *rec) {
    const wn_value *values[WN_OPEN_N] = {NULL};
    const wn_value *v = (const wn_value *)(rec + 1);
    for (unsigned i = 0, n = 0; i < WN_OPEN_N && n < rec->values_n; i++)
        if (rec->obs.open[i] != 0 && wn_value_id(&v[n]) == rec->obs.open[i]) values[i] = &v[n++];
    adding a = {&rec->obs, values, rec->site};
    WN_ASSERT(batch_add(p, rec->slot, &a));
    uint64_t txn = wn_spool_txn(p->parts.spool);
    if (wn_sessions_touch(p->parts.sessions, txn, rec->slot, &rec->obs, rec->at_s)) p->touches++;
    else p->counts.untracked++;
    p->counts.last_kept_s = p->now_s;
}

static bool was_purged(const wn_pipeline *p, uint32_t slot, uint64_t site, uint64_t org) {
    size_t n = p->purged_n < WN_PIPELINE_PURGED_MAX ? p->purged_n : WN_PIPELINE_PURGED_MAX;
    for (size_t i = 0; i < n; i++) {
        const wn_purged_one *x = &p->purged[i];
        if (x->slot == slot && x->site == site && (x->org == 0 || x->org == org)) return true;
    }
    return false;
}

static void commit_record(wn_request *r, const wn_record *rec) {
    wn_pipeline *p = r->p;
    if (p->purged_n > 0 && was_purged(p, rec->slot, rec->site, rec->kept ? rec->obs.org : 0)) {
        if (rec->kept) wn_request_turn(r, WN_VERDICT_purged);
        return;
    }
    if (rec->has_batch_key && wn_pipeline_known(p, WN_MEMORY_12H, rec->batch_key)) {
        r->outcome.repeated++;
        return;
    }
    if (!still_open(p, rec)) {
        if (rec->kept) wn_request_turn(r, WN_VERDICT_late);
        return;
    }
    if (rec->has_batch_key) wn_pipeline_remember(p, WN_MEMORY_12H, rec->batch_key);
    if (rec->kept) {
        r->outcome.kept++;
        commit_kept(p, rec);
        return;
    }
    adding a = {NULL, NULL, rec->site};
    WN_ASSERT(batch_add(p, rec->slot, &a));
}

static void count_outcome(wn_pipeline *p, const wn_outcome *o) {
    p->counts.requests++;
    p->counts.events += o->events;
    p->counts.kept += o->kept;
    p->counts.repeated += o->repeated;
    for (unsigned i = 0; i < WN_VERDICT_N; i++) p->counts.by_verdict[i] += o->by_verdict[i];
    for (unsigned i = 0; i < WN_SIGNAL_N; i++) p->counts.by_signal[i] += o->by_signal[i];
}

// ---- purges ----

static uint64_t org_in(const wn_edge_window *w, uint64_t site, wn_span org) {
    return org.n > 0 ? wn_org_pseudonym(w, site, org) : 0;
}

wn_err wn_pipeline_purge(wn_pipeline *p, uint64_t site, wn_span org, const uint8_t name[32],
                         uint64_t *out_token) {
    static const wn_value *const none[WN_OPEN_N];
    for (uint32_t slot = 0; slot < WN_EDGE_WINDOWS_MAX; slot++) {
        const wn_edge_window *w = wn_edge_slot(p->parts.edge, slot);
        if (w == NULL) continue;
        wn_observation mark = {.site = site, .org = org_in(w, site, org), .kind = WN_OBS_PURGE};
        memcpy(mark.person, name, sizeof mark.person);
        adding a = {&mark, none, site};
        wn_sessions_purge(p->parts.sessions, slot, site, mark.org);
        p->purged[p->purged_n++ % WN_PIPELINE_PURGED_MAX] = (wn_purged_one){slot, site, mark.org};
        if (p->stuck || p->txn_bytes + SESSION_ROOM_BYTES > TXN_ROOM_BYTES) return WN_ERR_BUSY;
        p->txn_bytes += SESSION_ROOM_BYTES;
        if (!batch_add(p, slot, &a)) return WN_ERR_BUSY;
    }
    *out_token = wn_pipeline_pending(p);
    return WN_OK;
}

bool wn_pipeline_purged_all(const wn_pipeline *p, uint64_t site, wn_span org) {
    for (uint32_t slot = 0; slot < WN_EDGE_WINDOWS_MAX; slot++) {
        const wn_edge_window *w = wn_edge_slot(p->parts.edge, slot);
        if (w != NULL && !was_purged(p, slot, site, org_in(w, site, org))) return false;
    }
    return true;
}

// ---- repeats of a whole request ----

static const wn_named *find_named(const wn_pipeline *p, uint64_t site) {
    for (size_t i = p->named_n; i > 0; i--)
        if (p->named[i - 1].site == site) return &p->named[i - 1];
    return NULL;
}

// Ids of senders mean something within a site only: another site's may be the same.
static void name_site(wn_pipeline *p, wn_span batch_id, uint64_t scope, uint64_t site) {
    if (find_named(p, site) != NULL) return;
    WN_ASSERT(p->named_n < WN_COUNT(p->named) && batch_id.n <= 64);
    wn_named *n = &p->named[p->named_n++];
    uint8_t scoped[16 + 64];
    memcpy(scoped, &scope, 8);
    memcpy(scoped + 8, &site, 8);
    memcpy(scoped + 16, batch_id.p, batch_id.n);
    n->site = site;
    wn_pipeline_hash(p, 'B', (wn_span){scoped, 16 + batch_id.n}, n->hash);
    n->known = wn_pipeline_known(p, WN_MEMORY_12H, n->hash);
    wn_wipe(scoped, sizeof scoped);
}

// Looks up every site the request names; what is of known ones only goes as a whole.
static void name_sites(wn_request *r, wn_span batch_id, uint64_t scope) {
    wn_pipeline *p = r->p;
    p->named_n = 0;
    if (batch_id.n == 0 || r->site == 0) return;
    if (!r->sites_mixed) name_site(p, batch_id, scope, r->site);
    wn_chunk *chunk = r->first;
    for (const wn_record *rec = wn_request_record_first(r); rec != NULL && r->sites_mixed;
         rec = wn_request_record_next(&chunk, rec))
        name_site(p, batch_id, scope, rec->site);
    bool all = p->named_n != 0;
    for (size_t i = 0; i < p->named_n; i++) all &= p->named[i].known;
    if (!all) return;
    r->outcome.repeat = true;
    r->outcome.repeated = r->outcome.accepted;
    memset(r->outcome.by_verdict, 0, sizeof r->outcome.by_verdict);
    memset(r->outcome.by_signal, 0, sizeof r->outcome.by_signal);
    wn_request_drop_records(r);
}

static void commit_records(wn_request *r) {
    wn_pipeline *p = r->p;
    wn_chunk *chunk = r->first;
    for (const wn_record *rec = wn_request_record_first(r); rec != NULL;
         rec = wn_request_record_next(&chunk, rec)) {
        const wn_named *named = find_named(p, rec->site);
        if (named != NULL && named->known) r->outcome.repeated++;
        else commit_record(r, rec);
    }
    for (size_t i = 0; i < p->named_n; i++)
        if (!p->named[i].known) wn_pipeline_remember(p, WN_MEMORY_12H, p->named[i].hash);
}

wn_commit wn_request_commit(wn_request *r, wn_span batch_id, uint64_t scope, uint64_t *out_token) {
    wn_pipeline *p = r->p;
    WN_ASSERT(!r->committed && r->event == NULL);
    if (r->full) return WN_COMMIT_FULL;
    name_sites(r, batch_id, scope);
    if (r->records_n != 0) {
        size_t most = 2 * r->wire_bytes; // the spool pads a batch to the next power of two
        uint64_t after = wn_spool_bytes(p->parts.spool) + p->txn_bytes + most + SPOOL_ROOM_BYTES;
        if (p->stuck || after > p->parts.spool_bytes_max) return WN_COMMIT_FULL;
        if (p->txn_bytes + most > TXN_ROOM_BYTES) return p->dirty ? WN_COMMIT_WAIT : WN_COMMIT_FULL;
        size_t touches = p->touches + p->touches_syncing;
        if (touches != 0 && touches + r->records_n > WN_SESSION_PENDING_MAX) return WN_COMMIT_WAIT;
        p->txn_bytes += most;
        commit_records(r);
    }
    bool waits = r->records_n != 0 || r->outcome.repeat;
    r->committed = true;
    count_outcome(p, &r->outcome);
    wn_request_drop_records(r);
    *out_token = waits ? wn_pipeline_pending(p) : 0;
    if (waits && p->dirty) wn_linger_sender(&p->linger);
    return WN_COMMIT_DONE;
}

// ---- the loop ----

// Finished sessions join the transaction that is about to be handed over.
static void drain_sessions(wn_pipeline *p) {
    static const wn_value *const none[WN_OPEN_N]; // their texts went with the events
    wn_observation obs;
    uint32_t slot;
    uint64_t txn = wn_spool_txn(p->parts.spool);
    for (size_t i = 0; i < SESSIONS_TURN_MAX; i++) {
        if (p->stuck || p->txn_bytes + SESSION_ROOM_BYTES > TXN_ROOM_BYTES) return;
        if (!wn_sessions_drain(p->parts.sessions, txn, &slot, &obs)) return;
        p->dirty = true; // also where its window is gone: the transaction makes it forgotten
        if (wn_edge_slot(p->parts.edge, slot) == NULL) continue; // its window is gone, and its key
        adding a = {&obs, none, obs.site};
        p->txn_bytes += SESSION_ROOM_BYTES;
        WN_ASSERT(batch_add(p, slot, &a));
    }
}

static int64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t wn_pipeline_linger_ns(const wn_pipeline *p) {
    return p->linger_ns;
}

static bool lingers(wn_pipeline *p) {
    int64_t left_ns = wn_linger_left(&p->linger, clock_ns());
    if (left_ns == 0 || p->txn_bytes > LINGER_BYTES_MAX) return false;
    p->linger_ns = left_ns;
    return true;
}

void wn_pipeline_turn(wn_pipeline *p) {
    p->linger_ns = -1;
    if (p->submitted > p->durable) return; // the disk is busy: let the batches grow
    if (lingers(p)) return;
    drain_sessions(p);
    if (!p->dirty || !batches_close(p)) return;
    uint64_t txn = wn_spool_txn(p->parts.spool);
    if (!wn_spool_submit(p->parts.spool)) return;
    p->submitted = txn;
    wn_linger_submitted(&p->linger);
    p->dirty = false;
    p->txn_bytes = 0;
    p->touches_syncing = p->touches;
    p->touches = 0;
}

wn_err wn_pipeline_done(wn_pipeline *p) {
    uint64_t txn = p->durable;
    wn_err err = wn_spool_done(p->parts.spool, &txn);
    if (err != WN_OK && err != WN_ERR_FULL) return err;
    if (err == WN_ERR_FULL || txn <= p->durable) return WN_OK;
    wn_sessions_apply(p->parts.sessions, txn);
    p->counts.transactions += txn - p->durable;
    p->durable = txn;
    wn_linger_done(&p->linger, wn_spool_sync_took(p->parts.spool));
    p->touches_syncing = 0;
    return WN_OK;
}

uint64_t wn_pipeline_durable(const wn_pipeline *p) {
    return p->durable;
}

bool wn_pipeline_busy(const wn_pipeline *p) {
    return p->submitted > p->durable;
}

bool wn_pipeline_dirty(const wn_pipeline *p) {
    return p->dirty;
}

bool wn_pipeline_expire(wn_pipeline *p, uint32_t slot, int64_t idle_before_s) {
    return wn_sessions_expire(p->parts.sessions, slot, idle_before_s);
}

bool wn_pipeline_window_settled(const wn_pipeline *p, uint32_t slot) {
    return p->batch_of[slot] == 0 && p->txn_of[slot] <= p->durable;
}

wn_batch_id wn_pipeline_newest(const wn_pipeline *p, uint32_t slot) {
    const wn_edge_window *w = wn_edge_slot(p->parts.edge, slot);
    bool same = w != NULL && memcmp(w->epoch, p->newest_epoch[slot], sizeof w->epoch) == 0;
    return same ? p->newest[slot] : (wn_batch_id){.sequence = 0};
}

const wn_pipeline_counts *wn_pipeline_count(const wn_pipeline *p) {
    return &p->counts;
}

size_t wn_pipeline_request_bytes(const wn_pipeline *p) {
    return p->request_bytes;
}

bool wn_pipeline_charge(wn_pipeline *p, ptrdiff_t bytes) {
    p->request_bytes = (size_t)((ptrdiff_t)p->request_bytes + bytes);
    return p->request_bytes <= p->parts.request_bytes_total_max;
}

bool wn_pipeline_stuck(const wn_pipeline *p) {
    return p->stuck;
}
