// SPDX-License-Identifier: Apache-2.0
// BUDGET: the sealer is killed at each of its system calls, and what is started
// after it ends what was begun: one sealed version with the rows of a seal that
// nobody cut off, one release in the ledger, no key left.
//
// What one reader may have seen stays: rows that stand in the store after the
// kill, under the sealed marker, are the rows at the end, byte for byte. That
// holds for noise as well, of which no two runs would draw the same.
#include <signal.h>
#include <sodium.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "window_rig.h"

#define CALLS_MAX 5000

static window_rig rig;
static char *home, base[300], trial[300];
static wn_window day, later;
static uint8_t kept[WN_IDENTITY_BYTES];

// ---- what a window ended with ----

typedef struct ending {
    bool sealed;
    uint64_t tick;
    size_t heads, rows;
    uint8_t crowd[32], all[32]; // digests of heads and rows: of crowd tables, of all
    unsigned releases, deaths;
    uint8_t content[32]; // as the ledger names it
    bool sound;
    bool noise;
} ending;

typedef struct reading {
    ending *out;
    crypto_generichash_state crowd, all;
} reading;

static void hash_both(reading *r, bool crowd, const void *p, size_t n) {
    crypto_generichash_update(&r->all, p, n);
    if (crowd) crypto_generichash_update(&r->crowd, p, n);
}

static bool see_rows(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    reading *r = ctx;
    bool crowd = h->profile == WN_PROFILE_CROWD;
    if (!wn_window_same(&h->window, &day)) return true;
    r->out->noise = r->out->noise || !crowd;
    r->out->heads++;
    r->out->rows += n;
    uint64_t head[] = {
        h->tick,         (uint64_t)h->published_s, h->sealed,  h->k,     h->measures,       h->dims_n,
        h->plan_version, h->policy_version,        h->profile, h->share, h->noise.rho_micro};
    hash_both(r, crowd, h->table, sizeof h->table);
    hash_both(r, crowd, head, sizeof head);
    for (size_t i = 0; i < n; i++) {
        uint64_t figure[] = {rows[i].people,  rows[i].events, rows[i].sessions, rows[i].bounces,
                             rows[i].seconds, rows[i].number, rows[i].locked,   rows[i].is_other};
        hash_both(r, crowd, rows[i].label[0], strlen(rows[i].label[0]) + 1);
        hash_both(r, crowd, rows[i].label[1], strlen(rows[i].label[1]) + 1);
        hash_both(r, crowd, figure, sizeof figure);
    }
    return true;
}

static bool see_entry(void *ctx, const wn_ledger_entry *e) {
    ending *out = ctx;
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(&day, text);
    if (strcmp(e->window, text) != 0) return true;
    if (e->what == WN_LEDGER_RELEASE && strcmp(e->profile, "noise") != 0) {
        out->releases++;
        memcpy(out->content, e->content, sizeof out->content);
    }
    out->deaths += e->what == WN_LEDGER_KEYS_DEAD;
    return true;
}

static ending read_ending(const wn_published *p) {
    ending out = {0};
    reading r = {.out = &out};
    wn_ledger_check check;
    crypto_generichash_init(&r.crowd, NULL, 0, 32);
    crypto_generichash_init(&r.all, NULL, 0, 32);
    cr_assert_eq(wn_published_window(p, &day, &out.tick, &out.sealed), WN_OK);
    cr_assert_eq(wn_published_scan(p, RIG_SITE, NULL, 0, INT64_MAX, see_rows, &r), WN_OK);
    cr_assert_eq(wn_published_ledger_each(p, see_entry, &out), WN_OK);
    cr_assert_eq(wn_published_ledger_verify(p, NULL, &check), WN_OK);
    out.sound = check.ok;
    crypto_generichash_final(&r.crowd, out.crowd, 32);
    crypto_generichash_final(&r.all, out.all, 32);
    return out;
}

// ---- lives ----

static void seal_day(void) {
    uint64_t rows = 0;
    if (wn_windows_find(rig.ws, &day) == NULL) return; // what was left of it is buried at the start
    cr_assert_eq(wn_windows_close_begin(rig.ws, &day, true, RIG_NOW), WN_OK);
    cr_assert_eq(wn_windows_seal(rig.ws, &day, RIG_NOW, &rows), WN_OK);
}

static void begin_trial(void) {
    memcpy(rig.identity.p, kept, sizeof kept);
    rig_copy(base, trial);
}

static ending end_trial(void) {
    char text[WN_WINDOW_TEXT_BYTES], path[800], name[WN_WINDOW_TEXT_BYTES + 8];
    uint8_t key[32];
    cr_assert_eq(rig_open(&rig, trial), WN_OK);
    seal_day();
    ending e = read_ending(rig.published);
    wn_window_text(&day, text);
    snprintf(name, sizeof name, "open/%s", text);
    snprintf(path, sizeof path, "%s/open/%s", trial, text);
    cr_assert_eq(access(path, F_OK), -1, "the window's files are gone");
    cr_assert_eq(wn_slots_get(rig.slots, name, key), WN_ERR_NOTFOUND, "its storage key is gone");
    cr_assert_not(wn_identity_has(&rig.identity, text), "its identity key is gone");
    wn_window_text(&later, text);
    cr_assert(wn_identity_has(&rig.identity, text), "the other window's keys are not");
    cr_assert_not_null(wn_windows_find(rig.ws, &later), "nor is that window");
    rig_close(&rig);
    folder_remove(trial);
    return e;
}

static void setup(void) {
    size_t moved = 0;
    home = folder_new();
    snprintf(base, sizeof base, "%s/base", home);
    snprintf(trial, sizeof trial, "%s/trial", home);
    cr_assert_eq(mkdir(base, 0700), 0);
    day = window_of_day(20777);
    later = window_of_day(20778);
    rig_init(&rig);
    cr_assert_eq(rig_open(&rig, base), WN_OK);
    rig_send(&rig, &day, 1, 0, 60);
    rig_send(&rig, &later, 1, 0, 30);
    cr_assert_eq(wn_windows_tick(rig.ws, RIG_NOW, &moved), WN_OK);
    cr_assert_gt(moved, 5);
    rig_send(&rig, &day, 2, 50, 90);
    rig_close(&rig);
    memcpy(kept, rig.identity.p, sizeof kept);
}

static void teardown(void) {
    rig_fini(&rig);
    folder_free(home);
}

TestSuite(seal_kill, .init = setup, .fini = teardown);

// ---- the tracer ----

// Up to the mark it runs; then its n-th system call never happens. False when it ended before.
static bool run_to_call(unsigned n) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || rig_open(&rig, trial) != WN_OK) _exit(1);
        raise(SIGSTOP);
        seal_day();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSTOPPED(status), "no mark was met: %x", status);
    cr_assert_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(long)PTRACE_O_TRACESYSGOOD), 0);
    for (unsigned stops = 0;;) { // entry, exit, entry …
        cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            cr_assert_eq(WEXITSTATUS(status), 0);
            return false;
        }
        cr_assert(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80), "status %x", status);
        if (++stops == 2 * n - 1) break;
    }
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return true;
}

// What a reader finds after the kill.
static ending after_kill(void) {
    wn_published *p;
    cr_assert_eq(wn_published_open(trial, test_key, true, MAP_BYTES, &p), WN_OK);
    ending e = read_ending(p);
    wn_published_close(p);
    return e;
}

static void compare(const ending *is, const ending *want, unsigned n) {
    cr_assert(is->sealed && is->tick == want->tick, "call %u", n);
    cr_assert(is->heads == want->heads && (is->noise || is->rows == want->rows), "call %u", n);
    cr_assert_eq(memcmp(is->crowd, want->crowd, 32), 0, "call %u: other rows", n);
    if (!is->noise) cr_assert_eq(memcmp(is->content, want->content, 32), 0, "call %u", n);
    cr_assert_eq(is->releases, 1, "call %u: %u releases", n, is->releases);
    cr_assert_geq(is->deaths, 1, "call %u", n);
    cr_assert(is->sound, "call %u", n);
}

Test(seal_kill, at_every_system_call_of_the_sealer_one_version_comes_out, .timeout = 100000) {
    begin_trial();
    ending want = end_trial();
    cr_assert(want.sealed && want.sound && want.releases == 1 && want.deaths == 1);
    cr_assert_gt(want.rows, 15);
    const char *text = getenv("WN_CRASH_STRIDE");
    unsigned stride = text != NULL ? (unsigned)atoi(text) : 1, sealed = 0, open = 0, n = 1;
    for (; n < CALLS_MAX; n += stride) {
        begin_trial();
        if (!run_to_call(n)) break;
        ending seen = after_kill(), is = end_trial();
        compare(&is, &want, n);
        if (seen.sealed) cr_assert_eq(memcmp(seen.all, is.all, 32), 0, "call %u: drawn twice", n);
        sealed += seen.sealed;
        open += !seen.sealed;
    }
    fprintf(stderr, "seal_kill: %u system calls; %u kills before the marker, %u after\n", n - 1, open,
            sealed);
    cr_assert_lt(n, CALLS_MAX);
    cr_assert_gt(open * stride, 5);
    cr_assert_gt(sealed * stride, 10, "the end of the keys is cut off too");
}

Test(seal_kill, a_seal_that_cannot_be_published_leaves_the_window_as_it_was) {
    begin_trial();
    ending want = end_trial();
    begin_trial();
    cr_assert_eq(rig_open(&rig, trial), WN_OK);
    open_window *o = wn_windows_find(rig.ws, &day);
    size_t n = o->rows.n;
    uint64_t tick = o->tick, rows = 0;
    wn_row *was = malloc(n * sizeof *was + 1);
    cr_assert_not_null(was);
    memcpy(was, o->rows.row, n * sizeof *was);
    cr_assert_eq(wn_windows_close_begin(rig.ws, &day, true, RIG_NOW), WN_OK);
    cr_assert_eq(wn_published_begin(rig.published), WN_OK); // so that its own cannot begin
    cr_assert_neq(wn_windows_seal(rig.ws, &day, RIG_NOW, &rows), WN_OK);
    wn_published_abort(rig.published);
    cr_assert_eq(wn_windows_find(rig.ws, &day), o);
    cr_assert(o->tick == tick && o->noise.n == 0 && o->rows.n == n);
    cr_assert_eq(memcmp(o->rows.row, was, n * sizeof *was), 0, "rows of a seal that never was");
    free(was);
    rig_close(&rig);
    ending is = end_trial();
    compare(&is, &want, 0);
}
