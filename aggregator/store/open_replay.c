// SPDX-License-Identifier: Apache-2.0
// open_replay.c: the way back from an open window's store, in steps, so that a
// daemon that was killed answers while its windows are rebuilt; and what it
// takes meanwhile.
#include "clock.h"
#include "open_store_impl.h"

// ---- base, then journal ----

typedef struct replay {
    wn_err (*base)(void *ctx, wn_span part);
    wn_err (*journal)(void *ctx, wn_span record);
    void *ctx;
    wn_open_replay *at;
    int64_t until_ms;
    bool cut; // by until_ms
    wn_err err;
} replay;

static wn_err replay_number(replay *r, wn_span key, wn_err opened) {
    WN_TRY(opened);
    if (key.n != 8 || wn_vault_of_be64(key.p) != r->at->next) return WN_ERR_CORRUPT;
    r->at->next++;
    r->at->done++;
    return WN_OK;
}

static bool go_on(replay *r) {
    if (r->err) return false;
    r->cut = wn_monotonic_ms() >= r->until_ms;
    return !r->cut;
}

static bool replay_journal(void *ctx, wn_span key, wn_err opened, wn_span value) {
    replay *r = ctx;
    r->err = replay_number(r, key, opened);
    if (!r->err) r->err = r->journal(r->ctx, value);
    return go_on(r);
}

static wn_err bundle_read(const replay *r, wn_span in) {
    while (in.n) {
        if (in.n < WN_PART_HEAD_BYTES) return WN_ERR_CORRUPT;
        size_t n = 0;
        for (unsigned i = 0; i < WN_PART_HEAD_BYTES; i++) n |= (size_t)in.p[i] << (8 * i);
        in = (wn_span){in.p + WN_PART_HEAD_BYTES, in.n - WN_PART_HEAD_BYTES};
        if (n > in.n) return WN_ERR_CORRUPT;
        WN_TRY(r->base(r->ctx, (wn_span){in.p, n}));
        in = (wn_span){in.p + n, in.n - n};
    }
    return WN_OK;
}

static bool replay_base(void *ctx, wn_span key, wn_err opened, wn_span value) {
    replay *r = ctx;
    r->err = replay_number(r, key, opened);
    if (!r->err) r->err = bundle_read(r, value);
    return go_on(r);
}

// The first step looks from the very begin: a record before `first` is one too many.
static wn_err replay_db(const wn_open_store *s, unsigned db, uint64_t first, uint64_t next, wn_vault_visit fn,
                        replay *r) {
    uint8_t key[8];
    if (r->at->next == 0) r->at->next = first;
    wn_vault_be64(r->at->next, key);
    wn_span from = r->at->next == first ? (wn_span){NULL, 0} : (wn_span){key, sizeof key};
    WN_TRY(wn_vault_scan(s->vault, db, from, (wn_span){NULL, 0}, fn, r));
    WN_TRY(r->err);
    if (r->cut) return WN_OK;
    return r->at->next == next ? WN_OK : WN_ERR_CORRUPT;
}

wn_err wn_open_store_replay_step(const wn_open_store *s, wn_open_replay *inout_at, int64_t until_ms,
                                 wn_err (*base)(void *ctx, wn_span part),
                                 wn_err (*journal)(void *ctx, wn_span record), void *ctx, bool *out_done) {
    replay r = {.base = base, .journal = journal, .ctx = ctx, .at = inout_at, .until_ms = until_ms};
    *out_done = false;
    inout_at->all = s->now.base_next - s->now.base_first + s->now.journal_next - s->now.journal_first;
    if (!inout_at->in_journal) {
        WN_TRY(replay_db(s, DB_BASE, s->now.base_first, s->now.base_next, replay_base, &r));
        if (r.cut) return WN_OK;
        inout_at->in_journal = true;
        inout_at->next = 0;
    }
    WN_TRY(replay_db(s, DB_JOURNAL, s->now.journal_first, s->now.journal_next, replay_journal, &r));
    *out_done = !r.cut;
    return WN_OK;
}

wn_err wn_open_store_replay(const wn_open_store *s, wn_err (*base)(void *ctx, wn_span part),
                            wn_err (*journal)(void *ctx, wn_span record), void *ctx) {
    wn_open_replay at = {0};
    bool done;
    return wn_open_store_replay_step(s, &at, INT64_MAX, base, journal, ctx, &done);
}

// ---- what is held until the replay is through ----

uint64_t wn_open_store_held(const wn_open_store *s) {
    return s->now.held_next - s->now.held_first;
}

wn_err wn_open_store_hold(wn_open_store *s, wn_span value) {
    uint8_t key[8];
    if (value.n > WN_OPEN_HELD_BYTES_MAX) return WN_ERR_FULL;
    wn_vault_be64(s->recorded.held_next, key);
    WN_TRY(wn_vault_put(s->vault, DB_HELD, (wn_span){key, sizeof key}, value));
    s->recorded.held_next++;
    return WN_OK;
}

wn_err wn_open_store_held_drop(wn_open_store *s, uint64_t n) {
    WN_ASSERT(n <= s->recorded.held_next - s->recorded.held_first);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t key[8];
        wn_vault_be64(s->recorded.held_first, key);
        WN_TRY(wn_vault_del(s->vault, DB_HELD, (wn_span){key, sizeof key}));
        s->recorded.held_first++;
    }
    return WN_OK;
}

typedef struct held_scan {
    bool (*fn)(void *ctx, wn_span value);
    void *ctx;
    uint64_t next, end;
    bool stopped;
    wn_err err;
} held_scan;

static bool held_visit(void *ctx, wn_span key, wn_err opened, wn_span value) {
    held_scan *h = ctx;
    h->err = opened;
    if (!h->err && (key.n != 8 || wn_vault_of_be64(key.p) != h->next || h->next == h->end))
        h->err = WN_ERR_CORRUPT;
    if (h->err) return false;
    h->next++;
    h->stopped = !h->fn(h->ctx, value);
    return !h->stopped;
}

wn_err wn_open_store_held_each(const wn_open_store *s, bool (*fn)(void *ctx, wn_span value), void *ctx) {
    held_scan h = {fn, ctx, s->now.held_first, s->now.held_next, false, WN_OK};
    WN_TRY(wn_vault_scan(s->vault, DB_HELD, (wn_span){NULL, 0}, (wn_span){NULL, 0}, held_visit, &h));
    WN_TRY(h.err);
    return h.stopped || h.next == h.end ? WN_OK : WN_ERR_CORRUPT;
}
