// SPDX-License-Identifier: Apache-2.0
// A child fills the spool and is killed at any moment, again and again: what it
// was told is durable must be there once and whole, and nothing by halves.
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spool_rig.h"

enum { KILLS = 100, TXNS_A_LIFE = 12, MARKS_MAX = KILLS * TXNS_A_LIFE * 2 };

static void hash_of(uint64_t txn, uint8_t out[16]) {
    memset(out, 0, 16);
    memcpy(out, &txn, sizeof txn);
    out[15] = 1;
}

// Each transaction: one batch in each of two windows, marked with its number, and a memory.
static void fill(spool_rig *r, int report) {
    rig_open(r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    for (int i = 0; i < TXNS_A_LIFE; i++) {
        uint64_t txn = wn_spool_txn(r->spool);
        uint8_t h[16];
        hash_of(txn, h);
        rig_add(r, &a, txn, 1 + (unsigned)(txn % 7));
        rig_add(r, &b, txn, 1 + (unsigned)(txn % 150));
        cr_assert(wn_spool_remember(r->spool, WN_MEMORY_12H, h, r->now_s));
        cr_assert(wn_spool_submit(r->spool));
        uint64_t done = 0;
        while (done < txn) cr_assert_eq(rig_wait(r, &done), WN_OK);
        cr_assert_eq(write(report, &done, sizeof done), (ssize_t)sizeof done);
    }
}

static void spin(long most_us) {
    struct timespec start, now;
    long us = random() % most_us;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 < us);
}

static uint64_t newest_told;
static uint8_t seen[MARKS_MAX][2];

static void check(spool_rig *r) {
    rig_open(r);
    memset(seen, 0, sizeof seen);
    uint64_t last = wn_spool_last_txn(r->spool), mark;
    cr_assert_geq(last, newest_told, "told durable and gone");
    cr_assert_leq(last, newest_told + 1, "transactions from nowhere");
    wn_spool_record rec;
    while (rig_next(r, &rec, &mark)) {
        cr_assert(mark >= 1 && mark <= last);
        unsigned which = rec.window.day == 20778;
        cr_assert_eq(rec.id.sequence, mark, "out of order or a hole");
        cr_assert_eq(rec.observations, 1 + mark % (which ? 150 : 7));
        seen[mark][which]++;
    }
    for (uint64_t i = 1; i <= last; i++) {
        cr_assert(seen[i][0] == 1 && seen[i][1] == 1, "transaction %lu by halves or twice", (unsigned long)i);
        uint8_t h[16];
        hash_of(i, h);
        cr_assert(wn_spool_known(r->spool, WN_MEMORY_12H, h));
    }
    uint8_t h[16];
    hash_of(last + 1, h);
    cr_assert_not(wn_spool_known(r->spool, WN_MEMORY_12H, h), "a repeat of what was never kept");
    newest_told = last;
    rig_close(r);
}

Test(spool_kill, what_was_told_durable_is_there_once_and_whole, .timeout = 240) {
    spool_rig r = {0};
    srandom(20261120);
    rig_make(&r);
    rig_close(&r);
    for (int k = 0; k < KILLS; k++) {
        int report[2];
        cr_assert_eq(pipe(report), 0);
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            close(report[0]);
            fill(&r, report[1]);
            _exit(0);
        }
        close(report[1]);
        uint64_t txn;
        for (long left = random() % TXNS_A_LIFE; left > 0; left--) {
            if (read(report[0], &txn, sizeof txn) != (ssize_t)sizeof txn) break;
            newest_told = txn;
        }
        spin(1500);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(report[0], &txn, sizeof txn) == (ssize_t)sizeof txn) newest_told = txn;
        close(report[0]);
        check(&r);
    }
    cr_assert_gt(newest_told, KILLS);
    rig_end(&r);
}
