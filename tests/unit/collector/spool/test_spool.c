// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_rig.h"

Test(spool, an_empty_one_has_nothing_and_submits_nothing) {
    spool_rig r = {0};
    rig_make(&r);
    wn_spool_record rec;
    uint64_t mark, g = 5, s = 5, txn = wn_spool_txn(r.spool);
    cr_assert_eq(r.cut, 0);
    cr_assert_eq(wn_spool_last_txn(r.spool), 0);
    cr_assert_not(rig_next(&r, &rec, &mark));
    cr_assert(wn_spool_submit(r.spool) && wn_spool_idle(r.spool));
    cr_assert_eq(wn_spool_txn(r.spool), txn);
    wn_window w = rig_window(20777);
    cr_assert(wn_spool_window_drained(r.spool, &w, &g, &s));
    cr_assert(g == 0 && s == 0);
    struct stat st;
    cr_assert_eq(stat(r.spool_dir, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    rig_end(&r);
}

Test(spool, sends_in_order_and_numbers_each_window_from_one) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    wn_batch_id a1 = rig_add(&r, &a, 1, 3), b1 = rig_add(&r, &b, 2, 1), a2 = rig_add(&r, &a, 3, 1024);
    cr_assert(a1.sequence == 1 && b1.sequence == 1 && a2.sequence == 2);
    cr_assert(a1.generation == a2.generation && a1.generation != b1.generation && a1.generation != 0);
    wn_spool_record rec;
    uint64_t mark;
    cr_assert_not(rig_next(&r, &rec, &mark), "sent before it was durable");
    cr_assert_not(wn_spool_idle(r.spool));
    rig_commit(&r);
    cr_assert(wn_spool_idle(r.spool));
    static const unsigned counts[] = {3, 1, 1024};
    for (uint64_t i = 0; i < 3; i++) {
        cr_assert(rig_next(&r, &rec, &mark));
        cr_assert_eq(mark, i + 1);
        cr_assert_eq(rec.observations, counts[i]);
    }
    cr_assert_not(rig_next(&r, &rec, &mark));
    cr_assert_eq(wn_spool_waiting(r.spool), 3);
    wn_spool_ack(r.spool, &a, a1.generation, 1);
    cr_assert_eq(wn_spool_waiting(r.spool), 2);
    cr_assert_eq(wn_spool_oldest(r.spool, &a, a1.generation), 2);
    wn_spool_rewind(r.spool);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 2);
    cr_assert(rig_next(&r, &rec, &mark) && mark == 3);
    rig_end(&r);
}

Test(spool, acks_of_strangers_and_beyond_the_end_do_no_harm) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    wn_batch_id id = rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    wn_spool_ack(r.spool, &a, id.generation + 1, 1);
    wn_spool_ack(r.spool, &b, id.generation, 1);
    cr_assert_eq(wn_spool_waiting(r.spool), 1);
    wn_spool_ack(r.spool, &a, id.generation, UINT64_MAX);
    cr_assert_eq(wn_spool_waiting(r.spool), 0);
    wn_spool_ack(r.spool, &a, id.generation, 1);
    cr_assert_eq(wn_spool_waiting(r.spool), 0);
    cr_assert_eq(rig_add(&r, &a, 2, 1).sequence, 2, "the watermark must not run ahead");
    rig_end(&r);
}

Test(spool, a_window_is_drained_only_when_all_of_it_is_acked) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = rig_add(&r, &a, 1, 1);
    uint64_t g, s;
    cr_assert_not(wn_spool_window_drained(r.spool, &a, &g, &s), "not even submitted");
    rig_commit(&r);
    cr_assert_not(wn_spool_window_drained(r.spool, &a, &g, &s));
    wn_spool_ack(r.spool, &a, id.generation, 1);
    cr_assert(wn_spool_window_drained(r.spool, &a, &g, &s));
    cr_assert(g == id.generation && s == 1);
    rig_end(&r);
}

Test(spool, is_full_above_its_bytes_and_has_room_again_after_acks) {
    spool_rig r = {.bytes_max = 1 << 20};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id, last = {.sequence = 0};
    wn_err err;
    while ((err = rig_try_add(&r, &a, 1, 500, &id)) == WN_OK) {
        last = id;
        rig_commit(&r);
    }
    cr_assert_eq(err, WN_ERR_FULL);
    cr_assert_leq(wn_spool_bytes(r.spool), r.bytes_max);
    cr_assert_geq(wn_spool_bytes(r.spool), r.bytes_max / 2);
    wn_spool_record rec;
    uint64_t mark, n = 0, done;
    while (rig_next(&r, &rec, &mark)) n++;
    cr_assert_eq(n, last.sequence, "the refused batch left something");
    wn_spool_ack(r.spool, &a, last.generation, last.sequence);
    while (wn_spool_bytes(r.spool) > r.bytes_max / 2) cr_assert_eq(rig_wait(&r, &done), WN_OK);
    cr_assert_eq(rig_add(&r, &a, 2, 500).sequence, last.sequence + 1, "a refused batch took a number");
    rig_commit(&r);
    rig_end(&r);
}

Test(spool, one_transaction_has_a_limit) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id;
    wn_err err;
    unsigned n = 0;
    while ((err = rig_try_add(&r, &a, n, 1024, &id)) == WN_OK) n++;
    cr_assert_eq(err, WN_ERR_FULL);
    cr_assert_gt(n, 16);
    rig_commit(&r);
    rig_add(&r, &a, n, 1024);
    rig_commit(&r);
    wn_spool_record rec;
    uint64_t mark;
    for (unsigned i = 0; i <= n; i++) {
        cr_assert(rig_next(&r, &rec, &mark));
        cr_assert_eq(mark, i);
    }
    rig_end(&r);
}

Test(spool, delivered_segments_go_and_the_newest_stays) {
    spool_rig r = {.bytes_max = 1 << 20};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = {.sequence = 0};
    for (unsigned i = 0; i < 6; i++) {
        id = rig_add(&r, &a, i, 900);
        rig_commit(&r);
    }
    cr_assert_gt(rig_files(&r, ".seg"), 1);
    uint64_t txn = wn_spool_last_txn(r.spool);
    wn_spool_ack(r.spool, &a, id.generation, id.sequence);
    rig_close(&r);
    cr_assert_eq(rig_files(&r, ".seg"), 1);
    rig_open(&r);
    cr_assert_eq(wn_spool_last_txn(r.spool), txn, "transaction numbers went back");
    rig_end(&r);
}

Test(spool, numbers_go_on_when_every_record_is_gone) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = rig_add(&r, &a, 1, 1);
    uint64_t txn = rig_commit(&r);
    wn_spool_ack(r.spool, &a, id.generation, 1);
    cr_assert_eq(wn_spool_forget(r.spool, &a), WN_OK);
    cr_assert_eq(wn_spool_txn(r.spool), txn + 1, "forgetting spent a number");
    rig_close(&r);
    rig_open(&r);
    cr_assert_eq(wn_spool_last_txn(r.spool), txn);
    cr_assert_eq(wn_spool_waiting(r.spool), 0);
    wn_batch_id next = rig_add(&r, &a, 2, 1);
    cr_assert(next.sequence == 1 && next.generation != id.generation);
    rig_end(&r);
}

Test(spool, a_clean_end_leaves_nothing_that_was_delivered) {
    spool_rig r = {0};
    rig_make(&r);
    const uint8_t hash[16] = {7};
    wn_window a = rig_window(20777);
    wn_batch_id id = rig_add(&r, &a, 1, 1);
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_12H, hash, 1000));
    uint64_t txn = rig_commit(&r), empty = 0;
    for (int i = 0; i < 3; i++) {
        if (i == 1) wn_spool_ack(r.spool, &a, id.generation, 1);
        cr_assert_eq(wn_spool_settle(r.spool), WN_OK);
        cr_expect_eq(rig_files(&r, ".seg"), 1);
        if (i == 1) empty = wn_spool_bytes(r.spool);
        if (i == 2) cr_expect_eq(wn_spool_bytes(r.spool), empty);
        rig_close(&r);
        rig_open(&r);
        cr_expect_eq(wn_spool_waiting(r.spool), i == 0, "%d", i);
        cr_expect_eq(wn_spool_last_txn(r.spool), txn, "numbers went back");
        cr_expect(wn_spool_known(r.spool, WN_MEMORY_12H, hash));
    }
    rig_add(&r, &a, 2, 1);
    cr_expect_eq(rig_commit(&r), txn + 1);
    cr_expect_eq(wn_spool_waiting(r.spool), 1);
    rig_end(&r);
}

static bool has_key(const spool_rig *r, const char *name) {
    uint8_t key[32];
    return wn_slots_get(r->keys, name, key) == WN_OK;
}

Test(spool, forgetting_takes_the_key_and_the_files) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id id = rig_add(&r, &a, 1, 3);
    rig_commit(&r);
    cr_assert(has_key(&r, "spool/2026-11-20.web.UTC"));
    char path[160];
    rig_path(&r, "0000000001.seg", path);
    cr_assert_eq(access(path, F_OK), 0);
    wn_spool_ack(r.spool, &a, id.generation, 1);
    cr_assert_eq(wn_spool_forget(r.spool, &a), WN_OK);
    cr_assert_not(has_key(&r, "spool/2026-11-20.web.UTC"));
    cr_assert_neq(access(path, F_OK), 0, "the segment is still there");
    rig_end(&r);
}

Test(spool, forgetting_one_window_keeps_what_others_have_undelivered) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    rig_add(&r, &a, 1, 3);
    wn_batch_id b1 = rig_add(&r, &b, 2, 3);
    rig_add(&r, &a, 3, 3);
    rig_commit(&r);
    cr_assert_eq(wn_spool_forget(r.spool, &a), WN_OK);
    cr_assert_eq(wn_spool_waiting(r.spool), 1);
    for (int life = 0; life < 2; life++) {
        wn_spool_record rec;
        uint64_t mark;
        wn_spool_rewind(r.spool);
        cr_assert(rig_next(&r, &rec, &mark) && mark == 2);
        cr_assert_not(rig_next(&r, &rec, &mark), "a forgotten window was sent");
        if (life == 0) {
            rig_close(&r);
            rig_open(&r);
            cr_assert_eq(wn_spool_waiting(r.spool), 1);
        }
    }
    char path[160];
    rig_path(&r, "0000000001.seg", path);
    cr_assert_eq(access(path, F_OK), 0);
    wn_spool_ack(r.spool, &b, b1.generation, 1);
    rig_close(&r);
    cr_assert_neq(access(path, F_OK), 0, "noise stays although nobody needs it");
    rig_end(&r);
}

Test(spool, a_window_forgotten_and_met_again_begins_anew) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    wn_batch_id old = rig_add(&r, &a, 1, 3);
    rig_add(&r, &b, 2, 3);
    rig_commit(&r);
    cr_assert_eq(wn_spool_forget(r.spool, &a), WN_OK);
    wn_batch_id id = rig_add(&r, &a, 3, 3);
    cr_assert(id.sequence == 1 && id.generation != old.generation);
    rig_commit(&r);
    rig_close(&r);
    rig_open(&r);
    wn_spool_record rec;
    uint64_t mark;
    bool seen2 = false, seen3 = false;
    for (int i = 0; i < 4; i++) {
        while (rig_next(&r, &rec, &mark)) {
            cr_assert_neq(mark, 1);
            seen2 |= mark == 2;
            seen3 |= mark == 3;
        }
    }
    cr_assert(seen2 && seen3);
    rig_end(&r);
}

static bool file_holds(const char *path, const char *needle) {
    static char bytes[1 << 20];
    int fd = open(path, O_RDONLY);
    if (fd < 0) return false;
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    return n > 0 && memmem(bytes, (size_t)n, needle, strlen(needle)) != NULL;
}

Test(spool, the_disk_holds_no_pseudonym_in_the_clear_and_no_count) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    char path[160];
    struct stat one, three;
    rig_path(&r, "0000000001.seg", path);
    cr_assert_eq(access(path, F_OK), 0);
    cr_assert_not(file_holds(path, "canary-pseudonym"));
    cr_assert(file_holds(path, "2026-11-20.web.UTC"), "the scan is blind");
    cr_assert_eq(stat(path, &one), 0);
    rig_add(&r, &a, 1, 2);
    rig_commit(&r);
    cr_assert_eq(stat(path, &three), 0);
    cr_assert_eq(three.st_size - one.st_size, one.st_size - 48,
                 "the size of a record tells how many it holds");
    rig_end(&r);
}

Test(spool, memories_are_known_at_once_and_after_a_restart) {
    spool_rig r = {0};
    rig_make(&r);
    const uint8_t h[16] = "a hash of 16 byt", other[16] = "another hash 16b";
    cr_assert_not(wn_spool_known(r.spool, WN_MEMORY_12H, h));
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_12H, h, r.now_s));
    cr_assert(wn_spool_known(r.spool, WN_MEMORY_12H, h), "a repeat within one turn");
    cr_assert_not(wn_spool_known(r.spool, WN_MEMORY_IMPORT, h));
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_IMPORT, other, r.now_s));
    cr_assert_not(wn_spool_idle(r.spool));
    rig_commit(&r);
    rig_close(&r);
    rig_open(&r);
    cr_assert(wn_spool_known(r.spool, WN_MEMORY_12H, h));
    cr_assert(wn_spool_known(r.spool, WN_MEMORY_IMPORT, other));
    rig_close(&r);
    r.now_s += 24 * 3600;
    rig_open(&r);
    cr_assert_not(wn_spool_known(r.spool, WN_MEMORY_12H, h));
    cr_assert(wn_spool_known(r.spool, WN_MEMORY_IMPORT, other));
    rig_end(&r);
}

Test(spool, a_transaction_that_was_never_submitted_leaves_nothing) {
    spool_rig r = {0};
    rig_make(&r);
    const uint8_t h[16] = "a hash of 16 byt";
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_12H, h, r.now_s));
    rig_close(&r);
    rig_open(&r);
    cr_assert_eq(wn_spool_waiting(r.spool), 0);
    cr_assert_not(wn_spool_known(r.spool, WN_MEMORY_12H, h));
    rig_end(&r);
}
