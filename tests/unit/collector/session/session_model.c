// SPDX-License-Identifier: Apache-2.0
// session_model.c: see session_model.h.
#include "session_model.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Event i of transaction t is the same in each life.
static void event_of(uint64_t t, unsigned i, wn_observation *out, int64_t *out_at_s) {
    uint64_t h = (t * TOUCHES + i) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    uint64_t person = h % PEOPLE;
    *out = (wn_observation){.kind = h >> 8 & 1 ? WN_OBS_VIEW : WN_OBS_EVENT, .site = 7, .prefix = person};
    memset(out->person, (int)person + 1, sizeof out->person);
    out->open[WN_DIM_route] = 1 + (h >> 16) % 5;
    // Time goes on with transactions, a little shuffled; gaps are often near 30 minutes.
    *out_at_s = 1000000 + (int64_t)t * 220 + (int64_t)(h >> 24) % 400;
}

// No event of this transaction or a later one can lie 30 minutes from what is idle since before.
static int64_t idle_before(uint64_t txn) {
    return 1000000 + (int64_t)txn * 220 - WN_SESSION_IDLE_S - 1;
}

void *model_shared(size_t n) {
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

int model_live(wn_kept *mem, fake_spool *s, uint64_t txns) {
    uint64_t txn = atomic_load(&s->durable), end = txn + txns;
    while (s->out_n > 0 && s->out[s->out_n - 1].txn > txn) s->out_n--;
    wn_sessions_table *t;
    if (wn_sessions_open(mem, SESSIONS_MAX, txn, &t) != WN_OK) return 1;
    for (txn++; txn <= end; txn++) {
        int64_t at_s = 0;
        wn_observation o;
        uint32_t slot;
        for (unsigned i = 0; i < TOUCHES; i++) {
            event_of(txn, i, &o, &at_s);
            if (!wn_sessions_touch(t, txn, 0, &o, at_s)) return 2;
        }
        wn_sessions_expire(t, 0, idle_before(txn));
        while (wn_sessions_drain(t, txn, &slot, &o)) {
            s->out[s->out_n].obs = o;
            s->out[s->out_n].txn = txn;
            s->out_n++;
        }
        atomic_store(&s->durable, txn);
        wn_sessions_apply(t, txn);
    }
    wn_sessions_close(t);
    return 0;
}

static int by_bytes(const void *a, const void *b) {
    return memcmp(a, b, sizeof(wn_observation));
}

size_t model_sessions(uint64_t last, wn_observation *out) {
    size_t n = 0, bytes = wn_sessions_bytes(SESSIONS_MAX);
    wn_kept mem = {.p = calloc(1, bytes), .bytes = bytes, .fresh = true};
    wn_sessions_table *t;
    cr_assert_eq(wn_sessions_open(&mem, SESSIONS_MAX, 0, &t), WN_OK);
    uint32_t slot;
    for (uint64_t txn = 1; txn <= last; txn++) {
        for (unsigned i = 0; i < TOUCHES; i++) {
            wn_observation o;
            int64_t at_s;
            event_of(txn, i, &o, &at_s);
            cr_assert(wn_sessions_touch(t, txn, 0, &o, at_s));
        }
        wn_sessions_apply(t, txn);
        wn_sessions_expire(t, 0, txn == last ? INT64_MAX : idle_before(txn + 1));
        while (wn_sessions_drain(t, txn + 1, &slot, &out[n])) n++;
    }
    cr_assert_eq(wn_sessions_evicted(t), 0, "the model knows no evictions");
    wn_sessions_close(t);
    free(mem.p);
    qsort(out, n, sizeof *out, by_bytes);
    return n;
}

size_t model_left(wn_kept *mem, const fake_spool *s, wn_observation *out) {
    uint64_t last = atomic_load(&((fake_spool *)(uintptr_t)s)->durable);
    wn_sessions_table *t;
    cr_assert_eq(wn_sessions_open(mem, SESSIONS_MAX, last, &t), WN_OK);
    size_t n = 0;
    for (uint64_t i = 0; i < s->out_n && s->out[i].txn <= last; i++) out[n++] = s->out[i].obs;
    uint32_t slot;
    cr_assert(wn_sessions_expire(t, 0, INT64_MAX));
    while (wn_sessions_drain(t, last + 1, &slot, &out[n])) n++;
    wn_sessions_apply(t, last + 1);
    cr_assert(wn_sessions_window_empty(t, 0));
    cr_assert_eq(wn_sessions_evicted(t), 0);
    wn_sessions_close(t);
    qsort(out, n, sizeof *out, by_bytes);
    return n;
}
