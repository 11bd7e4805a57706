// SPDX-License-Identifier: Apache-2.0
// A child works on the kept memory and is killed. The sessions handed out with a
// durable transaction, and those still there, must be exactly those of the
// durable events.
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "session_model.h"

enum { KILLS = 150, LIFE_TXNS = 260, STEPPED_TXNS = 24, PAGE = 4096 };
_Static_assert(KILLS *LIFE_TXNS <= TXNS_MAX, "transactions for every life");

static void spin(long us) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 < us);
}

static void compare(const wn_observation *got, size_t n, const wn_observation *want, size_t want_n,
                    uint64_t last) {
    cr_assert_eq(n, want_n, "%zu sessions of %lu transactions, not %zu", n, (unsigned long)last, want_n);
    cr_assert_eq(memcmp(got, want, n * sizeof *got), 0, "sessions of %lu transactions differ",
                 (unsigned long)last);
}

Test(session_kill, kills_at_random_moments_change_no_session, .timeout = 240) {
    srandom(20261120);
    size_t bytes = wn_sessions_bytes(SESSIONS_MAX);
    wn_kept mem = {.p = model_shared(bytes), .bytes = bytes, .fresh = true, .kept = true};
    fake_spool *s = model_shared(sizeof *s);
    wn_observation *got = calloc(OUT_MAX, sizeof *got), *want = calloc(OUT_MAX, sizeof *want);
    for (int k = 0; k < KILLS; k++) {
        uint64_t before = atomic_load(&s->durable);
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            if (model_live(&mem, s, LIFE_TXNS) != 0) _exit(9);
            for (;;) pause(); // done sooner than killed
        }
        // Some die while they repair, most in the middle of work.
        while (k % 4 != 0 && atomic_load(&s->durable) == before) continue;
        spin(random() % 200);
        kill(child, SIGKILL);
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFSIGNALED(status), "a life failed");
        mem.fresh = false;
        // A copy is looked at: the next life starts from what the kill left.
        wn_kept copy = {.p = malloc(bytes), .bytes = bytes};
        memcpy(copy.p, mem.p, bytes);
        uint64_t last = atomic_load(&s->durable);
        size_t n = model_left(&copy, s, got);
        compare(got, n, want, model_sessions(last, want), last);
        free(copy.p);
    }
    cr_assert_gt(atomic_load(&s->durable), KILLS);
    free(got);
    free(want);
}

// Pages that a whole life touches: the rings are large and hardly used.
static size_t used_pages(size_t bytes, size_t *out) {
    wn_kept mem = {.p = model_shared(bytes), .bytes = bytes, .fresh = true};
    fake_spool *s = calloc(1, sizeof *s);
    cr_assert_eq(model_live(&mem, s, STEPPED_TXNS), 0);
    size_t n = 0, pages = (bytes + PAGE - 1) / PAGE;
    unsigned char *resident = malloc(pages);
    cr_assert_eq(mincore(mem.p, bytes, resident), 0);
    for (size_t i = 0; i < pages; i++) {
        if (resident[i] & 1) out[n++] = i * PAGE;
    }
    free(resident);
    free(s);
    munmap(mem.p, bytes);
    return n;
}

Test(session_kill, a_kill_between_any_two_instructions_changes_no_session, .timeout = 240) {
    size_t bytes = wn_sessions_bytes(SESSIONS_MAX);
    wn_kept mem = {.p = model_shared(bytes), .bytes = bytes, .fresh = true, .kept = true};
    wn_kept copy = {.p = calloc(1, bytes), .bytes = bytes};
    fake_spool *s = model_shared(sizeof *s);
    uint8_t *all = calloc(1, bytes);
    size_t *pages = calloc(bytes / PAGE + 1, sizeof *pages);
    size_t pages_n = used_pages(bytes, pages);
    static wn_observation want[STEPPED_TXNS + 1][STEPPED_TXNS * TOUCHES], got[STEPPED_TXNS * TOUCHES];
    size_t want_n[STEPPED_TXNS + 1];
    for (uint64_t i = 0; i <= STEPPED_TXNS; i++) want_n[i] = model_sessions(i, want[i]);

    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(7);
        raise(SIGSTOP);
        _exit(model_live(&mem, s, STEPPED_TXNS));
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 7) cr_skip_test("ptrace is not allowed here");
    uint64_t steps = 0, changes = 0;
    for (; WIFSTOPPED(status); steps++) {
        // Only where the memory changed is there something new to look at.
        bool changed = false;
        for (size_t i = 0; i < pages_n; i++) {
            size_t n = bytes - pages[i] < PAGE ? bytes - pages[i] : PAGE;
            uint8_t *now = (uint8_t *)mem.p + pages[i];
            if (memcmp(all + pages[i], now, n) == 0) continue;
            memcpy(all + pages[i], now, n);
            changed = true;
        }
        if (changed) {
            changes++;
            for (size_t i = 0; i < pages_n; i++) {
                size_t n = bytes - pages[i] < PAGE ? bytes - pages[i] : PAGE;
                memcpy((uint8_t *)copy.p + pages[i], all + pages[i], n);
            }
            uint64_t last = atomic_load(&s->durable);
            size_t n = model_left(&copy, s, got);
            compare(got, n, want[last], want_n[last], last);
        }
        cr_assert_eq(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
    }
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_eq(atomic_load(&s->durable), STEPPED_TXNS);
    cr_assert_gt(changes, 1000);
    free(all);
    free(pages);
    free(copy.p);
}
