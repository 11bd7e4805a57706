// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "spool_rig.h"

static void file_limit(rlim_t bytes) {
    struct rlimit lim;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &lim), 0);
    lim.rlim_cur = bytes < lim.rlim_max ? bytes : lim.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

Test(spool_sync, a_full_disk_is_an_error_and_never_done_and_ends_when_there_is_room) {
    signal(SIGXFSZ, SIG_IGN);
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    uint64_t first = rig_commit(&r), txn = 0;
    file_limit(4096);
    rig_add(&r, &a, 2, 300);
    cr_assert(wn_spool_submit(r.spool));
    cr_assert_eq(rig_wait(&r, &txn), WN_ERR_FULL);
    cr_assert_eq(wn_spool_done(r.spool, &txn), WN_ERR_FULL);
    cr_assert_eq(wn_spool_last_txn(r.spool), first);
    wn_batch_id id;
    cr_assert_eq(rig_try_add(&r, &a, 3, 1, &id), WN_ERR_FULL);
    wn_spool_record rec;
    uint64_t mark;
    cr_assert(rig_next(&r, &rec, &mark) && mark == 1);
    cr_assert_not(rig_next(&r, &rec, &mark), "sent what is not durable");
    file_limit(RLIM_INFINITY);
    cr_assert_eq(rig_wait(&r, &txn), WN_OK);
    cr_assert_eq(txn, first + 1, "the waiting transaction is lost");
    cr_assert(rig_next(&r, &rec, &mark) && mark == 2);
    rig_add(&r, &a, 3, 1);
    rig_commit(&r);
    rig_close(&r);
    rig_open(&r);
    cr_assert_eq(r.cut, 0);
    for (uint64_t i = 1; i <= 3; i++) cr_assert(rig_next(&r, &rec, &mark) && mark == i);
    rig_end(&r);
}

Test(spool_sync, closing_on_a_full_disk_leaves_only_what_was_done) {
    signal(SIGXFSZ, SIG_IGN);
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    uint64_t first = rig_commit(&r), txn;
    file_limit(4096);
    rig_add(&r, &a, 2, 300);
    cr_assert(wn_spool_submit(r.spool));
    cr_assert_eq(rig_wait(&r, &txn), WN_ERR_FULL);
    wn_spool_close(r.spool);
    r.spool = NULL;
    file_limit(RLIM_INFINITY);
    rig_close(&r);
    rig_open(&r);
    cr_assert_eq(wn_spool_last_txn(r.spool), first);
    cr_assert_eq(wn_spool_waiting(r.spool), 1);
    rig_end(&r);
}

Test(spool_sync, the_loop_fills_the_next_while_one_is_synced) {
    spool_rig r = {.sync_delay_ms = 100};
    rig_make(&r);
    wn_window a = rig_window(20777);
    int64_t start_ms = wn_monotonic_ms();
    rig_add(&r, &a, 1, 1);
    uint64_t one = wn_spool_txn(r.spool), txn;
    cr_assert(wn_spool_submit(r.spool));
    cr_assert_eq(wn_spool_txn(r.spool), one + 1);
    rig_add(&r, &a, 2, 1);
    cr_assert_not(wn_spool_submit(r.spool), "submitted into a running sync");
    cr_assert_eq(rig_wait(&r, &txn), WN_OK);
    cr_assert_eq(txn, one);
    cr_assert_geq(wn_monotonic_ms() - start_ms, 100, "the delay before the sync is not kept");
    cr_assert_eq(rig_commit(&r), one + 1);
    rig_end(&r);
}

Test(spool_sync, closing_waits_for_a_running_sync) {
    spool_rig r = {.sync_delay_ms = 50};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    uint64_t txn = wn_spool_txn(r.spool);
    cr_assert(wn_spool_submit(r.spool));
    rig_close(&r);
    rig_open(&r);
    cr_assert_eq(wn_spool_last_txn(r.spool), txn);
    rig_end(&r);
}

Test(spool_sync, the_eventfd_is_clear_once_done_was_asked) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    struct pollfd p = {.fd = wn_spool_fd(r.spool), .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 0), 0);
    rig_end(&r);
}
