// SPDX-License-Identifier: Apache-2.0
// A byte flipped anywhere in the published store: each window's rows are those
// that were published, or are not served and the reader is told; the others stay.
// The same for a daemon that starts on it and goes on writing.
#include <sys/wait.h>

#include "published.h"
#include "store_support.h"

#define SITE "example"
#define META_BYTES 8192 // LMDB's two root pages, looked at more closely

enum { WINDOWS = 4, TABLES = 3, ROWS = 5 };
static const char *const table_name[TABLES] = {"traffic", "pages", "countries"};

static wn_public_row row_of(unsigned window, unsigned table, unsigned i) {
    wn_public_row r = {.people = 10 * (1 + window * 31 + table * 7 + i)};
    r.events = 3 * r.people;
    r.sessions = r.people;
    snprintf(r.label[0], sizeof r.label[0], "/w%u-t%u-r%u", window, table, i);
    return r;
}

static void put_window(wn_published *p, unsigned w) {
    wn_ledger_entry e = {.at_s = 1000 + w, .what = WN_LEDGER_RELEASE, .profile = "crowd", .rows = ROWS};
    wn_public_head h = {.window = window_of_day(20000 + (int32_t)w),
                        .tick = 1,
                        .published_s = 1000 + w,
                        .sealed = true,
                        .k = 10,
                        .measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | WN_MEASURE_SESSIONS,
                        .dims_n = 1,
                        .dims = {WN_DIM_country, WN_DIM_NONE},
                        .site = SITE};
    wn_window_text(&h.window, e.window);
    cr_assert_eq(wn_published_begin(p), WN_OK);
    for (unsigned t = 0; t < TABLES; t++) {
        wn_public_row rows[ROWS];
        for (unsigned i = 0; i < ROWS; i++) rows[i] = row_of(w, t, i);
        strcpy(h.table, table_name[t]);
        cr_assert_eq(wn_published_rows(p, &h, rows, ROWS), WN_OK);
    }
    cr_assert_eq(wn_published_ledger(p, &e), WN_OK);
    cr_assert_eq(wn_published_tick(p, &h.window, 1, true, 1000), WN_OK);
    cr_assert_eq(wn_published_commit(p), WN_OK);
}

static void fill(const char *folder) {
    wn_published *p;
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &p), WN_OK);
    for (unsigned w = 0; w < WINDOWS; w++) put_window(p, w);
    wn_published_close(p);
}

typedef struct seen {
    bool at[WINDOWS][TABLES];
    unsigned heads, entries;
    bool wrong;
} seen;

static bool see_rows(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    seen *s = ctx;
    unsigned w = (unsigned)(h->window.day - 20000), t = 0;
    while (t < TABLES && strcmp(h->table, table_name[t]) != 0) t++;
    s->wrong = s->wrong || w >= WINDOWS || t == TABLES || n != ROWS || s->at[w][t] || !h->sealed ||
               strcmp(h->site, SITE) != 0 || h->k != 10;
    for (size_t i = 0; i < n && !s->wrong; i++) {
        wn_public_row want = row_of(w, t, (unsigned)i);
        s->wrong = rows[i].people != want.people || rows[i].events != want.events ||
                   rows[i].sessions != want.sessions || rows[i].is_other ||
                   strcmp(rows[i].label[0], want.label[0]) != 0;
    }
    if (!s->wrong) s->at[w][t] = true;
    s->heads++;
    return !s->wrong;
}

static bool see_entry(void *ctx, const wn_ledger_entry *e) {
    seen *s = ctx;
    if (e->what != WN_LEDGER_RELEASE) return true;
    unsigned w = (unsigned)(e->at_s - 1000);
    s->wrong = s->wrong || w >= WINDOWS || e->rows != ROWS || strcmp(e->profile, "crowd") != 0;
    s->entries++;
    return true;
}

enum { SAME, REFUSED, PART, OTHER };

// Exit status of a child that reads everything, and, as a daemon would, writes one window more.
static int read_all(const char *folder, bool writes) {
    wn_published *p;
    seen s = {0};
    wn_ledger_check check;
    bool faults = false;
    if (wn_published_open(folder, test_key, !writes, MAP_BYTES, &p) != WN_OK) return REFUSED;
    faults |= wn_published_scan(p, SITE, NULL, 0, INT64_MAX, see_rows, &s) != WN_OK;
    faults |= wn_published_ledger_each(p, see_entry, &s) != WN_OK;
    faults |= wn_published_ledger_verify(p, NULL, &check) != WN_OK || !check.ok;
    for (unsigned w = 0; w < WINDOWS; w++) {
        uint64_t tick = 0;
        bool is_sealed = false;
        wn_window day = window_of_day(20000 + (int32_t)w);
        wn_err err = wn_published_window(p, &day, &tick, &is_sealed);
        faults |= err != WN_OK;
        // A window that was sealed never looks as if it had not been.
        if (err == WN_OK && !(is_sealed && tick == 1)) return OTHER;
    }
    if (writes) {
        wn_window next = window_of_day(20000 + WINDOWS);
        wn_err err = wn_published_begin(p);
        if (err == WN_OK) err = wn_published_tick(p, &next, 1, false, 2000);
        if (err == WN_OK) err = wn_published_commit(p);
        faults |= err != WN_OK;
    }
    wn_published_close(p);
    if (s.wrong) return OTHER;
    if (s.heads == WINDOWS * TABLES && s.entries == WINDOWS) return faults ? PART : SAME;
    return faults ? PART : OTHER; // something is missing and nobody was told
}

static void flip_byte(const char *path, size_t at, uint8_t mask) {
    FILE *f = fopen(path, "r+b");
    cr_assert(f && fseek(f, (long)at, SEEK_SET) == 0);
    int byte = fgetc(f);
    cr_assert(byte != EOF && fseek(f, (long)at, SEEK_SET) == 0);
    fputc(byte ^ mask, f);
    cr_assert_eq(fclose(f), 0);
}

// What a daemon wrote is undone; truncating would make the file system write it out each time.
static void put_back(const char *path, const uint8_t *bytes, size_t n) {
    FILE *f = fopen(path, "r+b");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
    cr_assert_eq(truncate(path, (off_t)n), 0);
}

static void flip_all(bool writes, size_t meta_stride, size_t stride) {
    static const uint8_t masks[] = {0x01, 0x80, 0xFF, 0x10};
    char *folder = folder_new(), env[300], path[400];
    size_t n, outcome[4] = {0};
    fill(folder);
    snprintf(env, sizeof env, "%s/published", folder);
    snprintf(path, sizeof path, "%s/data.mdb", env);
    uint8_t *bytes = file_read(env, "data.mdb", &n);
    for (size_t at = 1; at < n; at += at < META_BYTES ? meta_stride : stride) {
        int status;
        flip_byte(path, at, masks[at % WN_COUNT(masks)]);
        pid_t pid = fork();
        cr_assert_geq(pid, 0);
        if (pid == 0) _exit(read_all(folder, writes));
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFEXITED(status), "flip at %zu: signal %d", at, WTERMSIG(status));
        cr_assert_lt(WEXITSTATUS(status), OTHER, "flip at %zu of %zu: something else was served", at, n);
        outcome[WEXITSTATUS(status)]++;
        if (writes) put_back(path, bytes, n);
        else flip_byte(path, at, masks[at % WN_COUNT(masks)]);
    }
    fprintf(stderr, "published_flip: %zu bytes: %zu the same, %zu refused whole, %zu in part\n", n,
            outcome[SAME], outcome[REFUSED], outcome[PART]);
    cr_assert_gt(outcome[SAME], 0, "free pages do not matter");
    cr_assert_gt(outcome[PART], 4, "other windows are served");
    free(bytes);
    folder_free(folder);
}

Test(published_flip, a_reader_is_never_served_other_rows, .timeout = 10000) {
    flip_all(false, 11, 97);
}

Test(published_flip, a_daemon_that_starts_on_it_neither_serves_nor_spoils, .timeout = 10000) {
    flip_all(true, 83, 331);
}
