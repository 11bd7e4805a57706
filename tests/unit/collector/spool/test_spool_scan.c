// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"
#include "spool_rig.h"

static const char *const first = "0000000001.seg";

static off_t size_of(const spool_rig *r, const char *name) {
    char path[160];
    struct stat st;
    rig_path(r, name, path);
    cr_assert_eq(stat(path, &st), 0);
    return st.st_size;
}

static void flip(const spool_rig *r, const char *name, off_t at) {
    char path[160];
    uint8_t byte;
    rig_path(r, name, path);
    int fd = open(path, O_RDWR);
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void cut(const spool_rig *r, const char *name, off_t n) {
    char path[160];
    rig_path(r, name, path);
    cr_assert_eq(truncate(path, n), 0);
}

static void remove_file(const spool_rig *r, const char *name) {
    char path[160];
    rig_path(r, name, path);
    cr_assert_eq(unlink(path), 0);
}

// The marks of everything that can be sent now, each acked, as a bit set.
static unsigned deliver_all(spool_rig *r) {
    wn_spool_record rec;
    uint64_t mark, done;
    unsigned seen = 0;
    for (;;) {
        while (rig_next(r, &rec, &mark)) {
            cr_assert_eq(seen & 1u << mark, 0, "sent twice");
            seen |= 1u << mark;
            wn_spool_ack(r->spool, &rec.window, rec.id.generation, rec.id.sequence);
        }
        if (wn_spool_idle(r->spool)) return seen;
        cr_assert_eq(rig_wait(r, &done), WN_OK);
    }
}

Test(spool_scan, an_unfinished_tail_goes_wherever_it_was_cut) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    const uint8_t h[16] = "a hash of 16 byt";
    rig_add(&r, &a, 1, 1);
    uint64_t txn = rig_commit(&r);
    off_t before = size_of(&r, first);
    rig_add(&r, &a, 2, 1);
    rig_add(&r, &b, 3, 1);
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_12H, h, r.now_s));
    rig_commit(&r);
    off_t after = size_of(&r, first);
    rig_close(&r);
    cr_assert_eq(after - before, 3 * (WN_RECORD_HEAD_BYTES + 512));
    remove_file(&r, "ids.a"); // as after a power cut between the two files
    for (off_t n = after - 1; n >= before; n -= 61) {
        cut(&r, first, n);
        rig_open(&r);
        cr_assert_eq(r.cut, (uint64_t)(n - before), "cut at %ld", (long)n);
        cr_assert_eq(wn_spool_last_txn(r.spool), txn);
        cr_assert_eq(wn_spool_waiting(r.spool), 1);
        cr_assert_not(wn_spool_known(r.spool, WN_MEMORY_12H, h));
        wn_spool_record rec;
        uint64_t mark;
        cr_assert(rig_next(&r, &rec, &mark) && mark == 1);
        cr_assert_not(rig_next(&r, &rec, &mark));
        rig_close(&r);
        cr_assert_eq(size_of(&r, first), before);
        cut(&r, first, after); // zeros where the tail was: what a power cut may leave
        rig_open(&r);
        cr_assert_eq(r.cut, (uint64_t)(after - before));
        rig_close(&r);
        cut(&r, first, after);
    }
    rig_open(&r);
    cr_assert_eq(rig_add(&r, &a, 4, 1).sequence, 2, "the number of a cut record was never used");
    rig_commit(&r);
    cr_assert_eq(deliver_all(&r), 1u << 1 | 1u << 4);
    rig_end(&r);
}

Test(spool_scan, a_newest_transaction_that_is_not_authentic_goes) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    rig_add(&r, &a, 2, 1);
    rig_commit(&r);
    off_t end = size_of(&r, first);
    rig_close(&r);
    flip(&r, first, end - 100);
    rig_open(&r);
    cr_assert_eq(r.cut, WN_RECORD_HEAD_BYTES + 512);
    cr_assert_eq(deliver_all(&r), 1u << 1);
    rig_end(&r);
}

Test(spool_scan, a_ruined_record_in_the_middle_loses_itself_only) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777), b = rig_window(20778);
    off_t third = 0;
    for (unsigned i = 1; i <= 5; i++) {
        if (i == 3) third = size_of(&r, first);
        rig_add(&r, &a, i, 1);
        rig_add(&r, &b, i + 10, 1);
        rig_commit(&r);
    }
    rig_close(&r);
    flip(&r, first, third + WN_RECORD_HEAD_BYTES + 60);
    rig_open(&r);
    cr_assert_eq(r.cut, 0);
    wn_spool_record rec;
    uint64_t mark, done, last_generation = 0, next = 0;
    unsigned seen = 0;
    while (wn_spool_waiting(r.spool) > 0) {
        if (!rig_next(&r, &rec, &mark)) {
            cr_assert_eq(rig_wait(&r, &done), WN_OK);
            continue;
        }
        seen |= 1u << mark;
        if (mark < 10) { // no gap: after the ruined one numbers begin again, in another generation
            if (rec.id.generation != last_generation) next = 1;
            cr_assert_eq(rec.id.sequence, next++);
            last_generation = rec.id.generation;
        }
        wn_spool_ack(r.spool, &rec.window, rec.id.generation, rec.id.sequence);
    }
    cr_assert_eq(seen, 0xF836u, "marks 1 2 4 5 and 11 to 15, got %x", seen);
    cr_assert_eq(wn_spool_unreadable(r.spool), 1);
    uint64_t g, s;
    cr_assert(wn_spool_window_drained(r.spool, &a, &g, &s));
    cr_assert(g == last_generation && s == 2);
    rig_end(&r);
}

Test(spool_scan, another_version_is_refused_and_left_alone) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    rig_close(&r);
    off_t n = size_of(&r, first);
    flip(&r, first, 8);
    char slots[80];
    snprintf(slots, sizeof slots, "%s/slots", r.dir);
    wn_slots *keys;
    wn_spool *s;
    uint64_t cut_bytes;
    const uint8_t collector[16] = {0};
    cr_assert_eq(wn_slots_open(slots, false, &keys), WN_OK);
    wn_err err = wn_spool_open(r.spool_dir, keys, collector, 1 << 30, 0, 0, &s, &cut_bytes);
    cr_assert_eq(err, WN_ERR_VERSION, "%s", wn_err_text(err));
    wn_slots_close(keys);
    cr_assert_eq(size_of(&r, first), n);
    flip(&r, first, 8);
    rig_open(&r);
    cr_assert_eq(deliver_all(&r), 1u << 1);
    rig_end(&r);
}

Test(spool_scan, a_segment_cut_while_it_was_made_is_no_obstacle) {
    for (off_t n = 0; n < WN_SEGMENT_HEAD_BYTES; n += 47) {
        spool_rig r = {0};
        rig_make(&r);
        wn_window a = rig_window(20777);
        rig_add(&r, &a, 1, 1);
        uint64_t txn = rig_commit(&r);
        rig_close(&r);
        char path[160];
        rig_path(&r, "0000000002.seg", path);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        cr_assert_eq(ftruncate(fd, n), 0);
        close(fd);
        rig_open(&r);
        cr_assert_eq(r.cut, (uint64_t)n);
        cr_assert_eq(wn_spool_last_txn(r.spool), txn);
        rig_add(&r, &a, 2, 1);
        rig_commit(&r);
        cr_assert_eq(deliver_all(&r), 1u << 1 | 1u << 2);
        rig_end(&r);
    }
}

Test(spool_scan, a_restart_goes_on_in_the_generation_of_what_waits) {
    spool_rig r = {0};
    rig_make(&r);
    wn_window a = rig_window(20777);
    wn_batch_id one = rig_add(&r, &a, 1, 1);
    rig_commit(&r);
    rig_close(&r);
    rig_open(&r);
    cr_assert_eq(wn_spool_waiting(r.spool), 1);
    wn_batch_id two = rig_add(&r, &a, 2, 1);
    cr_assert(two.generation == one.generation && two.sequence == 2);
    rig_commit(&r);
    cr_assert_eq(deliver_all(&r), 1u << 1 | 1u << 2);
    rig_end(&r);
}

Test(spool_scan, memories_come_back_from_the_log_alone_and_from_their_files_alone) {
    spool_rig r = {0};
    rig_make(&r);
    const uint8_t h[16] = "a hash of 16 byt", i[16] = "an import's hash";
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_12H, h, r.now_s));
    cr_assert(wn_spool_remember(r.spool, WN_MEMORY_IMPORT, i, r.now_s));
    rig_commit(&r);
    rig_close(&r);
    remove_file(&r, "ids.a");
    remove_file(&r, "ids.b");
    remove_file(&r, "imports");
    rig_open(&r);
    cr_assert(wn_spool_known(r.spool, WN_MEMORY_12H, h) && wn_spool_known(r.spool, WN_MEMORY_IMPORT, i));
    rig_close(&r);
    remove_file(&r, first);
    rig_open(&r);
    cr_assert(wn_spool_known(r.spool, WN_MEMORY_12H, h) && wn_spool_known(r.spool, WN_MEMORY_IMPORT, i));
    rig_end(&r);
}

Test(spool_scan, a_lost_segment_in_between_does_not_block_what_follows) {
    spool_rig r = {.bytes_max = 1 << 20};
    rig_make(&r);
    wn_window a = rig_window(20777);
    for (unsigned i = 1; i <= 9; i++) {
        rig_add(&r, &a, i, 900);
        rig_commit(&r);
    }
    cr_assert_gt(rig_files(&r, ".seg"), 2);
    rig_close(&r);
    remove_file(&r, "0000000002.seg");
    rig_open(&r);
    wn_spool_record rec;
    uint64_t mark, done;
    unsigned seen = 0;
    while (wn_spool_waiting(r.spool) > 0) {
        if (!rig_next(&r, &rec, &mark)) {
            cr_assert_eq(rig_wait(&r, &done), WN_OK);
            continue;
        }
        seen |= 1u << mark;
        wn_spool_ack(r.spool, &rec.window, rec.id.generation, rec.id.sequence);
    }
    cr_assert(seen & 1u << 1 && seen & 1u << 9);
    cr_assert_eq((unsigned)__builtin_popcount(seen) + wn_spool_unreadable(r.spool), 9);
    rig_end(&r);
}
