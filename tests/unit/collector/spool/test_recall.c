// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recall.h"
#include "segment.h"
#include "spool.h"

typedef struct rig {
    char dir[40];
    int fd;
    wn_recall r;
    wn_recall_files f;
} rig;

#define T0 INT64_C(1795600000)

static void reopen(rig *g, int64_t now_s) {
    cr_assert_eq(wn_recall_open(g->fd, now_s, &g->r, &g->f), WN_OK);
}

static void make(rig *g, int64_t now_s) {
    strcpy(g->dir, "/tmp/winnow-recall-XXXXXX");
    cr_assert_not_null(mkdtemp(g->dir));
    g->fd = open(g->dir, O_RDONLY | O_DIRECTORY);
    reopen(g, now_s);
}

static void end(rig *g) {
    wn_recall_close(&g->r, &g->f);
    static const char *const names[] = {"ids.a", "ids.b", "imports"};
    for (size_t i = 0; i < 3; i++) unlinkat(g->fd, names[i], 0);
    close(g->fd);
    rmdir(g->dir);
}

static void hash_of(uint64_t n, uint8_t out[16]) {
    wn_put64(out, n * UINT64_C(0x9E3779B97F4A7C15) + 1);
    wn_put64(out + 8, n);
}

static void add(rig *g, bool import, uint64_t n, int64_t now_s) {
    uint8_t h[16];
    wn_recall_op ops[2];
    size_t got, done = 0;
    hash_of(n, h);
    cr_assert_eq(wn_recall_add(&g->r, import, h, now_s, ops, &got), WN_OK);
    cr_assert_eq(wn_recall_write(&g->f, ops, got, &done), WN_OK);
    cr_assert_eq(done, got);
}

static bool known(const rig *g, bool import, uint64_t n) {
    uint8_t h[16];
    hash_of(n, h);
    return wn_recall_known(&g->r, import, h);
}

Test(recall, knows_nothing_at_first_and_keeps_kinds_apart) {
    rig g;
    make(&g, T0);
    cr_assert_not(known(&g, false, 1));
    add(&g, false, 1, T0);
    cr_assert(known(&g, false, 1));
    cr_assert_not(known(&g, true, 1));
    cr_assert_not(known(&g, false, 2));
    end(&g);
}

Test(recall, an_id_lives_twelve_hours_and_is_gone_after_twenty_four) {
    rig g;
    make(&g, T0);
    add(&g, false, 1, T0 + WN_RECALL_LIFE_S - 1); // last second of the first generation
    add(&g, false, 2, T0 + WN_RECALL_LIFE_S);
    cr_assert(known(&g, false, 1));
    add(&g, false, 3, T0 + 2 * WN_RECALL_LIFE_S - 1);
    cr_assert(known(&g, false, 1), "forgotten before its 12 hours");
    add(&g, false, 4, T0 + 2 * WN_RECALL_LIFE_S);
    cr_assert_not(known(&g, false, 1));
    cr_assert(known(&g, false, 2) && known(&g, false, 3) && known(&g, false, 4));
    end(&g);
}

Test(recall, files_bring_it_back) {
    rig g;
    make(&g, T0);
    for (uint64_t i = 0; i < 1000; i++) add(&g, i % 3 == 0, i, T0);
    add(&g, false, 5000, T0 + WN_RECALL_LIFE_S);
    wn_recall_close(&g.r, &g.f);
    reopen(&g, T0 + WN_RECALL_LIFE_S + 5);
    for (uint64_t i = 0; i < 1000; i++) cr_assert(known(&g, i % 3 == 0, i));
    cr_assert(known(&g, false, 5000));
    // The newest generation is still the one that grows.
    add(&g, false, 5001, T0 + 2 * WN_RECALL_LIFE_S - 1);
    cr_assert(known(&g, false, 1));
    wn_recall_close(&g.r, &g.f);
    reopen(&g, T0 + 4 * WN_RECALL_LIFE_S);
    cr_assert_not(known(&g, false, 1));
    cr_assert_not(known(&g, false, 5000));
    cr_assert(known(&g, true, 0), "imports never expire");
    end(&g);
}

Test(recall, half_a_hash_at_the_end_is_left_out) {
    rig g;
    make(&g, T0);
    add(&g, false, 1, T0);
    add(&g, false, 2, T0);
    cr_assert_eq(ftruncate(g.f.fd[0], (off_t)g.f.end[0] - 3), 0);
    wn_recall_close(&g.r, &g.f);
    reopen(&g, T0);
    cr_assert(known(&g, false, 1));
    cr_assert_not(known(&g, false, 2));
    add(&g, false, 3, T0);
    wn_recall_close(&g.r, &g.f);
    reopen(&g, T0);
    cr_assert(known(&g, false, 1) && known(&g, false, 3));
    end(&g);
}

Test(recall, another_version_is_refused_and_garbage_begun_anew) {
    rig g;
    make(&g, T0);
    add(&g, false, 1, T0);
    uint8_t two = 2;
    cr_assert_eq(pwrite(g.f.fd[0], &two, 1, 8), 1);
    wn_recall_close(&g.r, &g.f);
    cr_assert_eq(wn_recall_open(g.fd, T0, &g.r, &g.f), WN_ERR_VERSION);
    int fd = openat(g.fd, "ids.a", O_WRONLY | O_TRUNC);
    cr_assert_eq(write(fd, "garbage", 7), 7);
    close(fd);
    reopen(&g, T0);
    cr_assert_not(known(&g, false, 1));
    end(&g);
}

Test(recall, a_full_generation_begins_the_next_early) {
    rig g;
    make(&g, T0);
    wn_recall_op ops[2];
    size_t got;
    uint8_t h[16];
    for (uint64_t i = 0; i < WN_SPOOL_IDS_MAX; i++) {
        hash_of(i, h);
        cr_assert_eq(wn_recall_add(&g.r, false, h, T0, ops, &got), WN_OK);
        cr_assert_eq(got, 1);
    }
    hash_of(WN_SPOOL_IDS_MAX, h);
    cr_assert_eq(wn_recall_add(&g.r, false, h, T0, ops, &got), WN_OK);
    cr_assert(got == 2 && ops[0].rotate);
    cr_assert(known(&g, false, 0) && known(&g, false, WN_SPOOL_IDS_MAX));
    end(&g);
}

Test(recall, imports_have_a_limit_and_say_so) {
    rig g;
    make(&g, T0);
    wn_recall_op ops[2];
    size_t got;
    uint8_t h[16];
    for (uint64_t i = 0; i < WN_SPOOL_IMPORTS_MAX; i++) {
        hash_of(i, h);
        cr_assert_eq(wn_recall_add(&g.r, true, h, T0, ops, &got), WN_OK);
    }
    hash_of(WN_SPOOL_IMPORTS_MAX, h);
    cr_assert_eq(wn_recall_add(&g.r, true, h, T0, ops, &got), WN_ERR_FULL);
    hash_of(3, h);
    cr_assert_eq(wn_recall_add(&g.r, true, h, T0, ops, &got), WN_OK, "a known one needs no room");
    cr_assert_eq(got, 0);
    end(&g);
}

Test(recall, the_all_zero_hash_is_a_hash_too) {
    rig g;
    make(&g, T0);
    uint8_t zero[16] = {0};
    wn_recall_op ops[2];
    size_t got;
    cr_assert_not(wn_recall_known(&g.r, false, zero));
    cr_assert_eq(wn_recall_add(&g.r, false, zero, T0, ops, &got), WN_OK);
    cr_assert(wn_recall_known(&g.r, false, zero));
    end(&g);
}
