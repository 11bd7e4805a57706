// SPDX-License-Identifier: Apache-2.0
// A flipped byte anywhere in the file: the data that was stored, or a refusal,
// never other data.
#include <sys/wait.h>

#include "open_store.h"
#include "store_support.h"

#define RECORDS 12
#define STRIDE 101
#define META_BYTES 8192 // LMDB's two root pages, looked at more closely

struct wn_fold {
    int unused;
};

wn_err wn_fold_pack(const wn_fold *f, wn_err (*sink)(void *ctx, wn_span part), void *ctx) {
    uint8_t part[3000];
    (void)f;
    memset(part, 'b', sizeof part);
    return sink(ctx, (wn_span){part, sizeof part});
}

static void record_of(unsigned n, uint8_t out[2000]) {
    for (unsigned i = 0; i < 2000; i++) out[i] = (uint8_t)(n * 31 + i * 7);
}

typedef struct seen {
    unsigned base, journal;
} seen;

static wn_err see_base(void *ctx, wn_span part) {
    seen *s = ctx;
    if (part.n != 3000 || part.p[0] != 'b' || part.p[2999] != 'b') _exit(2);
    s->base++;
    return WN_OK;
}

static wn_err see_journal(void *ctx, wn_span record) {
    seen *s = ctx;
    uint8_t want[2000];
    record_of(++s->journal, want);
    if (record.n != 150u * s->journal || memcmp(record.p, want, record.n) != 0) _exit(2);
    return WN_OK;
}

static const uint8_t collector[16] = "collector-------";

static void fill(const char *folder, const wn_window *day) {
    wn_open_store *s;
    wn_fold fold = {0};
    cr_assert_eq(wn_open_store_open(folder, day, test_key, MAP_BYTES, &s), WN_OK);
    cr_assert_eq(wn_open_store_rebase(s, &fold), WN_OK);
    for (unsigned n = 1; n <= RECORDS; n++) {
        uint8_t record[2000];
        wn_batch_id id = {.generation = 1, .sequence = n};
        memcpy(id.collector, collector, 16);
        record_of(n, record);
        cr_assert_eq(wn_open_store_begin(s), WN_OK);
        cr_assert_eq(wn_open_store_journal(s, (wn_span){record, 150u * n}), WN_OK);
        cr_assert_eq(wn_open_store_put(s, "count", (wn_span){record, n}), WN_OK);
        cr_assert_eq(wn_open_store_hold(s, (wn_span){record, n}), WN_OK);
        cr_assert_eq(wn_open_store_watermark(s, &id), WN_OK);
        cr_assert_eq(wn_open_store_commit(s), WN_OK);
    }
    wn_open_store_close(s);
}

static bool see_held(void *ctx, wn_span value) {
    uint8_t want[2000];
    unsigned n = ++*(unsigned *)ctx;
    record_of(n, want);
    if (value.n != n || memcmp(value.p, want, n) != 0) _exit(2);
    return true;
}

enum { SAME = 0, REFUSED = 1, OTHER = 2 };

// Exit status of a child that reads everything.
static int read_all(const char *folder, const wn_window *day) {
    wn_open_store *s;
    seen got = {0};
    uint8_t fact[64], want[2000];
    size_t n = 0;
    if (wn_open_store_open(folder, day, test_key, MAP_BYTES, &s)) return REFUSED;
    if (wn_open_store_replay(s, see_base, see_journal, &got)) return REFUSED;
    unsigned held = 0;
    if (wn_open_store_held_each(s, see_held, &held)) return REFUSED;
    uint64_t sequence = wn_open_store_sequence(s, collector, 1);
    wn_err err = wn_open_store_get(s, "count", fact, sizeof fact, &n);
    wn_open_store_close(s);
    if (sequence != got.journal || held != got.journal) return OTHER;
    if (err && err != WN_ERR_NOTFOUND) return REFUSED;
    record_of(got.journal, want);
    if (err ? got.journal != 0 : n != got.journal || memcmp(fact, want, n) != 0) return OTHER;
    return got.journal == RECORDS && got.base == 1 ? SAME : OTHER;
}

static void flip_write(const char *env, const uint8_t *bytes, size_t n, size_t at, uint8_t mask) {
    char path[512];
    snprintf(path, sizeof path, "%s/data.mdb", env);
    FILE *f = fopen(path, "r+b"); // truncating would make the file system write it out each time
    cr_assert(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    cr_assert_eq(fseek(f, (long)at, SEEK_SET), 0);
    fputc(bytes[at] ^ mask, f);
    cr_assert_eq(fclose(f), 0);
}

Test(open_store_flip, never_serves_other_data) {
    static const uint8_t masks[] = {0x01, 0x80, 0xFF, 0x10};
    char *folder = folder_new(), env[256], text[WN_WINDOW_TEXT_BYTES];
    wn_window day = window_of_day(20777);
    size_t n, outcomes[2] = {0};
    wn_window_text(&day, text);
    snprintf(env, sizeof env, "%s/%s", folder, text);
    fill(folder, &day);
    uint8_t *bytes = file_read(env, "data.mdb", &n);
    for (size_t at = 3; at < n; at += at < META_BYTES ? 7 : STRIDE) {
        int status;
        flip_write(env, bytes, n, at, masks[at % WN_COUNT(masks)]);
        pid_t pid = fork();
        cr_assert_geq(pid, 0);
        if (pid == 0) _exit(read_all(folder, &day));
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFEXITED(status), "flip at %zu: signal %d", at, WTERMSIG(status));
        int outcome = WEXITSTATUS(status);
        cr_assert(outcome == SAME || outcome == REFUSED, "flip at %zu gave %d", at, outcome);
        outcomes[outcome]++;
    }
    cr_assert_gt(outcomes[SAME], 0, "free pages do not matter");
    cr_assert_gt(outcomes[REFUSED], 100);
    free(bytes);
    folder_free(folder);
}
