// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "session.h"

enum { SESSIONS_MAX = 1024 };

typedef struct rig {
    wn_kept mem;
    wn_sessions_table *t;
} rig;

static void reopen(rig *g, uint64_t last_txn) {
    wn_sessions_close(g->t);
    cr_assert_eq(wn_sessions_open(&g->mem, SESSIONS_MAX, last_txn, &g->t), WN_OK);
}

static void make(rig *g) {
    size_t n = wn_sessions_bytes(SESSIONS_MAX);
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    *g = (rig){.mem = {.p = p, .bytes = n, .fresh = true, .kept = true}};
    reopen(g, 0);
}

static void end(rig *g) {
    wn_sessions_close(g->t);
    munmap(g->mem.p, g->mem.bytes);
}

static wn_observation event(uint64_t person, wn_obs_kind kind, uint64_t route) {
    wn_observation o = {.kind = (uint8_t)kind, .site = 7};
    uint64_t h[2] = {person * UINT64_C(0x9E3779B97F4A7C15), person * UINT64_C(0xC2B2AE3D27D4EB4F)};
    memcpy(o.person, h, sizeof o.person);
    o.open[WN_DIM_route] = route;
    return o;
}

static bool touch(rig *g, uint64_t txn, uint32_t slot, uint64_t person, uint64_t route, int64_t at_s) {
    wn_observation o = event(person, WN_OBS_VIEW, route);
    return wn_sessions_touch(g->t, txn, slot, &o, at_s);
}

static unsigned drain(rig *g, uint64_t txn, wn_observation *out, unsigned max) {
    unsigned n = 0;
    uint32_t slot;
    while (n < max && wn_sessions_drain(g->t, txn, &slot, &out[n])) n++;
    return n;
}

Test(session, nothing_happens_before_the_transaction_is_durable) {
    rig g;
    make(&g);
    wn_observation o;
    cr_assert(touch(&g, 5, 0, 1, 1, 1000));
    wn_sessions_apply(g.t, 4);
    cr_assert_eq(wn_sessions_count(g.t), 0);
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    cr_assert_eq(drain(&g, 6, &o, 1), 0);
    cr_assert_not(wn_sessions_window_empty(g.t, 0), "a pending touch counts");
    wn_sessions_apply(g.t, 5);
    cr_assert_eq(wn_sessions_count(g.t), 1);
    wn_sessions_apply(g.t, 5);
    cr_assert_eq(wn_sessions_count(g.t), 1);
    end(&g);
}

Test(session, closes_idle_ones_of_its_window_only) {
    rig g;
    make(&g);
    wn_observation o[4];
    touch(&g, 1, 0, 1, 1, 1000);
    touch(&g, 1, 0, 2, 1, 2000);
    touch(&g, 1, 9, 3, 1, 1000);
    wn_sessions_apply(g.t, 1);
    cr_assert_eq(wn_sessions_count(g.t), 3);
    cr_assert(wn_sessions_expire(g.t, 0, 1000));
    cr_assert_eq(wn_sessions_count(g.t), 3, "idle since 1000 is not idle since before 1000");
    cr_assert(wn_sessions_expire(g.t, 0, 1001));
    cr_assert_eq(wn_sessions_count(g.t), 2);
    cr_assert_eq(drain(&g, 2, o, 4), 1);
    cr_assert_not(wn_sessions_window_empty(g.t, 0));
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    cr_assert_eq(drain(&g, 2, o, 4), 1);
    cr_assert_not(wn_sessions_window_empty(g.t, 0), "drained but not durable");
    wn_sessions_apply(g.t, 2);
    cr_assert(wn_sessions_window_empty(g.t, 0));
    cr_assert_not(wn_sessions_window_empty(g.t, 9));
    end(&g);
}

static int by_bytes(const void *a, const void *b) {
    return memcmp(a, b, sizeof(wn_observation));
}

typedef struct seen {
    int64_t at_s;
    uint64_t person, route;
    wn_obs_kind kind;
} seen;

static unsigned sessions_of(const seen *s, const unsigned *order, unsigned n, wn_observation *out) {
    rig g;
    make(&g);
    for (unsigned i = 0; i < n; i++) {
        const seen *e = &s[order[i]];
        wn_observation o = event(e->person, e->kind, e->route);
        o.closed[WN_DIM_hour] = (uint16_t)(1 + e->at_s / 3600);
        o.prefix = order[i];
        cr_assert(wn_sessions_touch(g.t, 1 + i / 2, 0, &o, e->at_s));
        if (i % 3 == 0) wn_sessions_apply(g.t, i / 2);
    }
    wn_sessions_apply(g.t, n);
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    unsigned got = drain(&g, n + 1, out, n);
    qsort(out, got, sizeof *out, by_bytes);
    end(&g);
    return got;
}

static void permute(const seen *s, unsigned *order, unsigned k, unsigned n, const wn_observation *want,
                    unsigned want_n) {
    if (k == n) {
        wn_observation got[8];
        unsigned got_n = sessions_of(s, order, n, got);
        cr_assert_eq(got_n, want_n);
        cr_assert_eq(memcmp(got, want, got_n * sizeof *got), 0, "the order of events changed the sessions");
        return;
    }
    for (unsigned i = k; i < n; i++) {
        unsigned t = order[k];
        order[k] = order[i];
        order[i] = t;
        permute(s, order, k + 1, n, want, want_n);
        order[i] = order[k];
        order[k] = t;
    }
}

Test(session, order_of_events_changes_nothing, .timeout = 120) {
    // Bridges (1800 apart), near misses (1801), ties, two people.
    static const seen sets[][6] = {
        {{0, 1, 1, WN_OBS_VIEW},
         {1800, 1, 2, WN_OBS_VIEW},
         {3600, 1, 3, WN_OBS_EVENT},
         {5401, 1, 4, WN_OBS_VIEW},
         {5401, 2, 9, WN_OBS_VIEW},
         {7000, 1, 5, WN_OBS_VIEW}},
        {{500, 1, 1, WN_OBS_VIEW},
         {500, 1, 2, WN_OBS_VIEW},
         {500, 1, 1, WN_OBS_EVENT},
         {4000, 1, 3, WN_OBS_VIEW},
         {2200, 1, 4, WN_OBS_EVENT},
         {2300, 1, 4, WN_OBS_VIEW}},
    };
    static const unsigned counts[] = {3, 1};
    for (size_t k = 0; k < WN_COUNT(sets); k++) {
        unsigned order[] = {0, 1, 2, 3, 4, 5};
        wn_observation want[8];
        unsigned n = sessions_of(sets[k], order, 6, want);
        cr_assert_eq(n, counts[k], "set %zu: %u sessions", k, n);
        permute(sets[k], order, 0, 6, want, n);
    }
}

Test(session, full_buckets_close_their_oldest_early) {
    rig g;
    make(&g);
    // One person, visits an hour apart: all in its two buckets.
    const unsigned room = 2 * WN_SESSION_BUCKET;
    for (unsigned i = 0; i <= room; i++) cr_assert(touch(&g, 1, 0, 1, i + 1, 100000 + 3600 * (int64_t)i));
    wn_sessions_apply(g.t, 1);
    cr_assert_eq(wn_sessions_evicted(g.t), 1);
    cr_assert_eq(wn_sessions_count(g.t), room);
    wn_observation o[2];
    cr_assert_eq(drain(&g, 2, o, 2), 1);
    cr_assert_eq(o[0].open[WN_DIM_entry], 1, "not the oldest");
    end(&g);
}

Test(session, the_table_takes_nine_tenths_of_its_size_before_any_is_closed_early) {
    rig g;
    make(&g);
    for (unsigned i = 1; i <= SESSIONS_MAX * 9 / 10; i++) cr_assert(touch(&g, 1, 0, i, 1, 1000));
    wn_sessions_apply(g.t, 1);
    cr_assert_eq(wn_sessions_evicted(g.t), 0);
    cr_assert_eq(wn_sessions_count(g.t), SESSIONS_MAX * 9 / 10);
    end(&g);
}

Test(session, the_pending_log_has_a_limit) {
    rig g;
    make(&g);
    for (unsigned i = 0; i < WN_SESSION_PENDING_MAX; i++) cr_assert(touch(&g, 1, 0, 1, 1, 1000));
    cr_assert_not(touch(&g, 1, 0, 1, 1, 1000));
    wn_sessions_apply(g.t, 1);
    cr_assert_eq(wn_sessions_count(g.t), 1);
    cr_assert(touch(&g, 2, 0, 1, 1, 1000));
    end(&g);
}

Test(session, a_full_queue_stops_closing_and_loses_nothing) {
    rig g;
    make(&g);
    uint64_t txn = 1, people = 0;
    wn_observation o;
    uint32_t slot;
    bool room = true;
    while (room) { // 512 at a time, so that no bucket of 16 overflows often
        for (int i = 0; i < 512; i++) cr_assert(touch(&g, txn, 0, ++people, 1, 1000));
        wn_sessions_apply(g.t, txn++);
        room = wn_sessions_expire(g.t, 0, INT64_MAX);
    }
    cr_assert_gt(people, WN_SESSION_QUEUE_MAX);
    uint64_t got = 0;
    while (wn_sessions_drain(g.t, txn, &slot, &o)) got++;
    cr_assert_eq(got, WN_SESSION_QUEUE_MAX);
    cr_assert_not(wn_sessions_expire(g.t, 0, INT64_MAX), "drained is not yet gone");
    wn_sessions_apply(g.t, txn++);
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    while (wn_sessions_drain(g.t, txn, &slot, &o)) got++;
    cr_assert_eq(got, people);
    wn_sessions_apply(g.t, txn);
    cr_assert(wn_sessions_window_empty(g.t, 0));
    end(&g);
}

Test(session, a_full_queue_holds_back_touches_that_need_an_eviction) {
    rig g;
    make(&g);
    uint64_t txn = 1, people = 0;
    bool room = true;
    while (room) {
        for (int i = 0; i < 512; i++) touch(&g, txn, 0, ++people, 1, 1000);
        wn_sessions_apply(g.t, txn++);
        room = wn_sessions_expire(g.t, 0, INT64_MAX);
    }
    for (unsigned i = 0; i < 3 * WN_SESSION_BUCKET; i++) touch(&g, txn, 5, 1, i, 100000 + 3600 * (int64_t)i);
    wn_sessions_apply(g.t, txn);
    wn_observation o;
    uint32_t slot;
    uint64_t in5 = 0;
    for (int round = 0; round < 3; round++) {
        txn++;
        while (wn_sessions_drain(g.t, txn, &slot, &o)) in5 += slot == 5;
        wn_sessions_apply(g.t, txn);
        wn_sessions_expire(g.t, 5, INT64_MAX);
    }
    while (wn_sessions_drain(g.t, ++txn, &slot, &o)) in5 += slot == 5;
    cr_assert_eq(in5, 3 * WN_SESSION_BUCKET);
    end(&g);
}

Test(session, reopening_applies_what_is_durable_and_drops_the_rest) {
    rig g;
    make(&g);
    touch(&g, 1, 0, 1, 1, 1000);
    touch(&g, 2, 0, 2, 1, 1000);
    touch(&g, 3, 0, 3, 1, 1000);
    reopen(&g, 2);
    cr_assert_eq(wn_sessions_count(g.t), 2);
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    wn_observation o[3];
    cr_assert_eq(drain(&g, 3, o, 3), 2);
    reopen(&g, 2);
    cr_assert_eq(drain(&g, 3, o, 3), 2, "their transaction was lost: they are there again");
    reopen(&g, 3);
    cr_assert_eq(drain(&g, 4, o, 3), 0, "their transaction is durable");
    cr_assert(wn_sessions_window_empty(g.t, 0));
    end(&g);
}

Test(session, a_lost_drain_is_not_taken_for_a_later_transaction_of_that_number) {
    rig g;
    make(&g);
    touch(&g, 1, 0, 1, 1, 1000);
    wn_sessions_apply(g.t, 1);
    wn_sessions_expire(g.t, 0, INT64_MAX);
    wn_observation o;
    cr_assert_eq(drain(&g, 2, &o, 1), 1);
    reopen(&g, 1); // transaction 2 was lost; another one gets its number
    reopen(&g, 2);
    cr_assert_eq(drain(&g, 3, &o, 1), 1);
    end(&g);
}

Test(session, undrain_gives_back_what_the_spool_had_no_room_for) {
    rig g;
    make(&g);
    touch(&g, 1, 0, 1, 1, 1000);
    touch(&g, 1, 0, 2, 1, 1000);
    wn_sessions_apply(g.t, 1);
    wn_sessions_expire(g.t, 0, INT64_MAX);
    wn_observation a[2], b[2];
    cr_assert_eq(drain(&g, 2, a, 1), 1);
    cr_assert_eq(drain(&g, 3, a + 1, 1), 1);
    wn_sessions_undrain(g.t, 3);
    wn_sessions_apply(g.t, 2);
    cr_assert_eq(drain(&g, 3, b, 2), 1);
    cr_assert_eq(memcmp(a + 1, b, sizeof *b), 0);
    end(&g);
}

Test(session, another_version_is_refused_and_another_size_begun_anew) {
    rig g;
    make(&g);
    touch(&g, 1, 0, 1, 1, 1000);
    wn_sessions_table *t;
    cr_assert_eq(wn_sessions_open(&g.mem, SESSIONS_MAX * 2, 1, &t), WN_ERR_STATE,
                 "more than the memory holds");
    ((uint8_t *)g.mem.p)[8] ^= 2;
    cr_assert_eq(wn_sessions_open(&g.mem, SESSIONS_MAX, 1, &t), WN_ERR_VERSION);
    ((uint8_t *)g.mem.p)[8] ^= 2;
    cr_assert_eq(wn_sessions_open(&g.mem, SESSIONS_MAX / 2, 1, &t), WN_OK);
    cr_assert_eq(wn_sessions_count(t), 0);
    wn_sessions_close(t);
    end(&g);
}

Test(session, no_pseudonym_stays_once_its_session_is_gone) {
    rig g;
    make(&g);
    static const uint8_t person[16] = "canary-pseudonym";
    for (int i = 0; i < 3; i++) {
        wn_observation o = {.kind = WN_OBS_VIEW};
        memcpy(o.person, person, sizeof o.person);
        wn_sessions_touch(g.t, 1, 0, &o, 1000 + i * 1000);
    }
    cr_assert_not_null(memmem(g.mem.p, g.mem.bytes, person, sizeof person), "the scan is blind");
    wn_sessions_apply(g.t, 1);
    wn_sessions_expire(g.t, 0, INT64_MAX);
    wn_observation out;
    cr_assert_eq(drain(&g, 2, &out, 1), 1);
    wn_sessions_apply(g.t, 2);
    cr_assert_null(memmem(g.mem.p, g.mem.bytes, person, sizeof person));
    end(&g);
}

static void name(rig *g, uint64_t txn, uint32_t slot, uint64_t person, uint64_t org, int64_t at_s) {
    wn_observation o = event(person, WN_OBS_VIEW, 1);
    o.org = org;
    cr_assert(wn_sessions_touch(g->t, txn, slot, &o, at_s));
}

// Persons 1 to 4: 1 names 50 late, 2 names 60 and then 50, 3 names 60, 4 none; each as a touch, as a session,
// as a finished one and in another session that names nothing.
Test(session, a_purge_takes_all_of_whoever_named_the_organisation) {
    rig g;
    make(&g);
    static const uint64_t names[5][2] = {{0, 0}, {0, 50}, {60, 50}, {60, 60}, {0, 0}};
    wn_observation o[32];
    for (uint64_t person = 1; person <= 4; person++) {
        name(&g, 1, 0, person, 0, 1000); // finished before anything was named
        name(&g, 1, 0, person, names[person][0], 5000);
        name(&g, 1, 0, person, names[person][1], 5001);
        name(&g, 1, 9, person, names[person][1], 5001); // another window's
    }
    wn_sessions_apply(g.t, 1);
    cr_assert(wn_sessions_expire(g.t, 0, 4000));
    for (uint64_t person = 1; person <= 4; person++) name(&g, 2, 0, person, 0, 5002); // not durable yet
    cr_assert_eq(wn_sessions_count(g.t), 8);
    wn_sessions_purge(g.t, 0, 8, 50);
    wn_sessions_purge(g.t, 0, 7, 70);
    cr_assert_eq(wn_sessions_count(g.t), 7, "who names several organisations may have named this one");
    wn_sessions_purge(g.t, 0, 7, 50);
    cr_assert_eq(wn_sessions_count(g.t), 6);
    reopen(&g, 2);
    wn_sessions_apply(g.t, 2);
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    unsigned n = drain(&g, 3, o, 32), of[5] = {0};
    cr_assert_eq(n, 4);
    for (unsigned i = 0; i < n; i++)
        for (uint64_t person = 1; person <= 4; person++) {
            wn_observation like = event(person, WN_OBS_VIEW, 1);
            of[person] += memcmp(like.person, o[i].person, sizeof like.person) == 0;
        }
    cr_assert(of[1] == 0 && of[2] == 0 && of[3] == 2 && of[4] == 2);
    cr_assert(wn_sessions_expire(g.t, 9, INT64_MAX));
    cr_assert_eq(drain(&g, 3, o, 32), 4, "another window's stay");
    name(&g, 4, 0, 3, 0, 9000);
    wn_sessions_purge(g.t, 0, 7, 0);
    wn_sessions_apply(g.t, 4);
    cr_assert_eq(wn_sessions_count(g.t), 0, "a whole site");
    end(&g);
}

Test(session, a_purge_leaves_other_windows_and_what_the_spool_holds) {
    rig g;
    wn_observation o;
    make(&g);
    name(&g, 1, 0, 1, 2, 1000);
    name(&g, 1, 5, 2, 2, 1000);
    wn_sessions_apply(g.t, 1);
    cr_assert(wn_sessions_expire(g.t, 0, INT64_MAX));
    cr_assert_eq(drain(&g, 2, &o, 1), 1);
    wn_sessions_apply(g.t, 2); // durable in the spool: the aggregator takes it out there
    wn_sessions_purge(g.t, 0, 7, 2);
    cr_assert(wn_sessions_window_empty(g.t, 0));
    cr_assert_not(wn_sessions_window_empty(g.t, 5));
    cr_assert_eq(wn_sessions_count(g.t), 1);
    end(&g);
}
