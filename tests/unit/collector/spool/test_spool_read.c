// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "spool_rig.h"

// Delivers until nothing waits; the numbers must begin at 1 and have no gap.
static void deliver(spool_rig *r, uint64_t generation, uint64_t first_mark, uint64_t last_mark) {
    wn_spool_record rec;
    uint64_t mark;
    for (uint64_t i = first_mark; i <= last_mark; i++) {
        cr_assert(rig_next(r, &rec, &mark));
        cr_assert_eq(mark, i);
        cr_assert_neq(rec.id.generation, generation, "still under the lost generation");
        cr_assert_eq(rec.id.sequence, i - first_mark + 1);
    }
}

Test(spool_read, a_lost_generation_goes_on_under_another_from_one) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = {.sequence = 0};
    for (uint64_t i = 1; i <= 6; i++) id = rig_add(&r, &a, i, (unsigned)i * 3);
    rig_commit(&r);
    wn_spool_ack(r.spool, &a, id.generation, 2);
    cr_assert_eq(wn_spool_restart(r.spool, &a, id.generation + 1), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_spool_restart(r.spool, &a, id.generation), WN_OK);
    uint64_t txn = wn_spool_txn(r.spool), done;
    cr_assert_eq(rig_wait(&r, &done), WN_OK);
    cr_assert_eq(done, txn - 1, "it spent a transaction number");
    wn_spool_rewind(r.spool);
    deliver(&r, id.generation, 3, 6);

    // New batches begin a generation of their own, behind.
    wn_batch_id next = rig_add(&r, &a, 7, 1);
    cr_assert(next.sequence == 1 && next.generation != id.generation);
    rig_commit(&r);

    // The name is durable: a restart sends the same ids, or the aggregator counts twice.
    wn_spool_record rec;
    uint64_t mark;
    wn_spool_rewind(r.spool);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 3);
    wn_batch_id named = rec.id;
    rig_close(&r);
    rig_open(&r);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 3);
    cr_assert(rec.id.generation == named.generation && rec.id.sequence == 1);
    wn_spool_rewind(r.spool);
    deliver(&r, id.generation, 3, 6);
    cr_assert_eq(wn_spool_oldest(r.spool, &a, id.generation), 0, "the old name is still known");
    cr_assert_eq(wn_spool_oldest(r.spool, &a, named.generation), 1);
    wn_spool_ack(r.spool, &a, named.generation, 4);
    cr_assert_eq(wn_spool_waiting(r.spool), 1);
    uint64_t g, s;
    wn_spool_ack(r.spool, &a, next.generation, 1);
    cr_assert(wn_spool_window_drained(r.spool, &a, &g, &s));
    cr_assert(g == next.generation && s == 1);
    rig_end(&r);
}

Test(spool_read, a_generation_may_be_lost_twice) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = {.sequence = 0};
    for (uint64_t i = 1; i <= 4; i++) id = rig_add(&r, &a, i, 1);
    rig_commit(&r);
    uint64_t done, generation = id.generation, mark;
    wn_spool_record rec;
    for (uint64_t i = 1; i <= 3; i++) {
        wn_spool_ack(r.spool, &a, generation, i == 1 ? 1 : 1);
        cr_assert_eq(wn_spool_restart(r.spool, &a, generation), WN_OK);
        cr_assert_eq(rig_wait(&r, &done), WN_OK);
        wn_spool_rewind(r.spool);
        cr_assert(rig_next(&r, &rec, &mark) && mark == i + 1);
        cr_assert(rec.id.generation != generation && rec.id.sequence == 1);
        generation = rec.id.generation;
    }
    rig_close(&r);
    rig_open(&r);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 4);
    cr_assert_eq(rec.id.generation, generation);
    cr_assert_eq(wn_spool_waiting(r.spool), 1);
    rig_end(&r);
}

Test(spool_read, batches_being_filled_when_their_generation_is_lost_are_not_lost) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    wn_spool_ack(r.spool, &a, id.generation, 1);
    rig_add(&r, &a, 2, 1);
    uint64_t done, mark;
    cr_assert_eq(wn_spool_restart(r.spool, &a, id.generation), WN_OK);
    cr_assert_eq(rig_wait(&r, &done), WN_OK);
    rig_commit(&r);
    rig_close(&r);
    rig_open(&r);
    wn_spool_record rec;
    cr_assert(rig_next(&r, &rec, &mark) && mark == 2);
    cr_assert(rec.id.generation != id.generation && rec.id.sequence == 1);
    rig_end(&r);
}

Test(spool_read, an_ack_moves_no_other_window) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    wn_batch_id ia = rig_add(&r, &a, 1, 1);
    rig_add(&r, &b, 2, 1);
    rig_commit(&r);
    wn_spool_ack(r.spool, &a, ia.generation, 1);
    wn_spool_record rec;
    uint64_t mark;
    cr_assert(rig_next(&r, &rec, &mark) && mark == 2);
    cr_assert_not(rig_next(&r, &rec, &mark));
    rig_end(&r);
}

Test(spool_read, what_does_not_fit_stays_the_next_one) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    cr_assert_eq(wn_spool_ready(r.spool), 0);
    for (uint64_t i = 1; i <= 3; i++) rig_add(&r, &a, i, (unsigned)i * 50);
    cr_assert_eq(wn_spool_ready(r.spool), 0, "not yet durable");
    rig_commit(&r);
    uint64_t all = wn_spool_ready(r.spool), mark;
    wn_spool_record rec;
    cr_assert_gt(all, 0);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 1);
    cr_assert_lt(wn_spool_ready(r.spool), all);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 2);
    size_t n = rec.n;
    wn_spool_rewind(r.spool);
    cr_assert_eq(wn_spool_ready(r.spool), all);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 1);
    cr_assert_not(wn_spool_next_within(r.spool, n - 1, 100, &rec));
    cr_assert_not(wn_spool_next_within(r.spool, n, 99, &rec));
    cr_assert_not(wn_spool_next_within(r.spool, 1, 100, &rec));
    cr_assert(wn_spool_next_within(r.spool, n, 100, &rec));
    cr_assert(rec.n == n && rec.id.sequence == 2);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 3);
    cr_assert_eq(wn_spool_ready(r.spool), 0);
    cr_assert_not(wn_spool_next(r.spool, &rec));
    rig_end(&r);
}
