// SPDX-License-Identifier: Apache-2.0
// Acked means durable, counted once: a child that commits and rebases is killed
// at any moment; what is opened after is exactly a prefix of what it did, with
// journal, facts and watermark of the same commit, and no acked one is missing.
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "open_store.h"
#include "store_support.h"

#define KILLS 50
#define REBASE_EVERY 9

struct wn_fold { // as far as the store can tell: how many records it holds
    uint64_t count;
};

wn_err wn_fold_pack(const wn_fold *f, wn_err (*sink)(void *ctx, wn_span part), void *ctx) {
    uint8_t part[4000] = {0};
    memcpy(part, &f->count, sizeof f->count);
    for (unsigned i = 0; i < 20; i++) WN_TRY(sink(ctx, (wn_span){part, sizeof part}));
    return WN_OK;
}

static wn_err see_base(void *ctx, wn_span part) {
    uint64_t *count = ctx;
    memcpy(count, part.p, sizeof *count);
    return WN_OK;
}

static wn_err see_journal(void *ctx, wn_span record) {
    uint64_t *count = ctx, number;
    memcpy(&number, record.p, sizeof number);
    if (number != *count + 1) return WN_ERR_GAP;
    *count = number;
    return WN_OK;
}

static const uint8_t collector[16] = "collector-------";

static wn_err commit_one(wn_open_store *s, uint64_t number) {
    uint8_t record[20000];
    memset(record, (int)number, sizeof record);
    memcpy(record, &number, sizeof number);
    wn_batch_id id = {.generation = 1, .sequence = number};
    memcpy(id.collector, collector, 16);
    WN_TRY(wn_open_store_begin(s));
    WN_TRY(wn_open_store_journal(s, (wn_span){record, 16 + number % 7 * 3000}));
    WN_TRY(wn_open_store_put(s, "count", (wn_span){record, sizeof number}));
    WN_TRY(wn_open_store_watermark(s, &id));
    return wn_open_store_commit(s);
}

static void child(const char *folder, const wn_window *day, int ack) {
    wn_open_store *s;
    uint64_t number = 0;
    if (wn_open_store_open(folder, day, test_key, 64u << 10, &s)) _exit(1);
    if (wn_open_store_replay(s, see_base, see_journal, &number)) _exit(2);
    for (;;) {
        number++;
        if (commit_one(s, number)) _exit(3);
        if (write(ack, &number, sizeof number) != sizeof number) _exit(4);
        wn_fold fold = {number};
        if (number % REBASE_EVERY == 0 && wn_open_store_rebase(s, &fold)) _exit(5);
    }
}

// Answers the last number acked before the kill.
static uint64_t run_and_kill(const char *folder, const wn_window *day, unsigned acks, unsigned turns,
                             uint64_t acked) {
    int fds[2], status;
    cr_assert_eq(pipe(fds), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        close(fds[0]);
        child(folder, day, fds[1]);
    }
    close(fds[1]);
    for (unsigned i = 0; i < acks; i++)
        cr_assert_eq(read(fds[0], &acked, sizeof acked), (ssize_t)sizeof acked);
    for (unsigned i = 0; i < turns; i++) sched_yield(); // so that kills fall on different moments of a commit
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status), "child ended by itself: %d", WEXITSTATUS(status));
    while (read(fds[0], &acked, sizeof acked) == (ssize_t)sizeof acked) continue;
    close(fds[0]);
    return acked;
}

Test(open_store_kill, holds_exactly_a_prefix_that_covers_every_ack) {
    char *folder = folder_new();
    wn_window day = window_of_day(20777);
    uint64_t acked = 0;
    for (unsigned i = 0; i < KILLS; i++) {
        wn_open_store *s;
        uint64_t replayed = 0, fact = 0;
        size_t n = 0;
        acked = run_and_kill(folder, &day, i % 5, i * 37 % 400, acked);
        cr_assert_eq(wn_open_store_open(folder, &day, test_key, 64u << 10, &s), WN_OK, "kill %u", i);
        cr_assert_eq(wn_open_store_replay(s, see_base, see_journal, &replayed), WN_OK, "kill %u", i);
        wn_err err = wn_open_store_get(s, "count", (uint8_t *)&fact, sizeof fact, &n);
        cr_assert(err == WN_OK || (err == WN_ERR_NOTFOUND && replayed == 0));
        cr_assert_eq(fact, replayed, "kill %u", i);
        cr_assert_eq(wn_open_store_sequence(s, collector, 1), replayed, "kill %u", i);
        cr_assert_geq(replayed, acked, "kill %u", i);
        cr_assert_leq(replayed, acked + 1, "kill %u: at most the commit whose ack was cut", i);
        wn_open_store_close(s);
        acked = replayed; // seen once, it must stay
    }
    cr_assert_gt(acked, KILLS);
    folder_free(folder);
}
