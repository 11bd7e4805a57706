// SPDX-License-Identifier: Apache-2.0
// An open window's store: what was committed comes back whole, in order and
// only under its key; nothing else does.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "open_store.h"
#include "store_support.h"

// A fold of the test's own: parts of any size, and a pack that fails.
struct wn_fold {
    size_t part_bytes[4];
    size_t n;
    wn_err after;
};

wn_err wn_fold_pack(const wn_fold *f, wn_err (*sink)(void *ctx, wn_span part), void *ctx) {
    for (size_t i = 0; i < f->n; i++) {
        uint8_t *part = malloc(f->part_bytes[i] + 1);
        memset(part, (int)('a' + i), f->part_bytes[i]);
        wn_err err = sink(ctx, (wn_span){part, f->part_bytes[i]});
        free(part);
        if (err) return err;
    }
    return f->after;
}

typedef struct seen {
    size_t base_n, journal_n;
    size_t base_bytes[8];
    uint8_t first[64]; // first byte of each journal record
    size_t bytes[64];
    bool mixed;
} seen;

static bool uniform(wn_span s) {
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] != s.p[0]) return false;
    return true;
}

static wn_err see_base(void *ctx, wn_span part) {
    seen *s = ctx;
    cr_assert_lt(s->base_n, WN_COUNT(s->base_bytes));
    s->mixed |= !uniform(part) || (part.n && part.p[0] != 'a' + s->base_n);
    s->base_bytes[s->base_n++] = part.n;
    return WN_OK;
}

static wn_err see_journal(void *ctx, wn_span record) {
    seen *s = ctx;
    cr_assert_lt(s->journal_n, WN_COUNT(s->first));
    s->mixed |= !uniform(record);
    s->first[s->journal_n] = record.n ? record.p[0] : 0;
    s->bytes[s->journal_n++] = record.n;
    return WN_OK;
}

static wn_err refuse(void *ctx, wn_span record) {
    (void)ctx;
    (void)record;
    return WN_ERR_STATE;
}

static char *folder;
static wn_window day;

static void setup(void) {
    folder = folder_new();
    day = window_of_day(20777);
}

static void teardown(void) {
    folder_free(folder);
}

TestSuite(open_store, .init = setup, .fini = teardown);

static wn_open_store *opened(size_t map_bytes) {
    wn_open_store *s;
    cr_assert_eq(wn_open_store_open(folder, &day, test_key, map_bytes, &s), WN_OK);
    return s;
}

static void env_folder(char out[256]) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window_text(&day, text);
    snprintf(out, 256, "%s/%s", folder, text);
}

static void record(wn_open_store *s, uint8_t byte, size_t n) {
    uint8_t *bytes = malloc(n + 1);
    memset(bytes, byte, n);
    cr_assert_eq(wn_open_store_journal(s, (wn_span){bytes, n}), WN_OK);
    free(bytes);
}

static void commit_record(wn_open_store *s, uint8_t byte, size_t n, uint64_t sequence) {
    wn_batch_id id = {.collector = "collector-------", .generation = 5, .sequence = sequence};
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    record(s, byte, n);
    cr_assert_eq(wn_open_store_watermark(s, &id), WN_OK);
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
}

static seen replayed(wn_open_store *s) {
    seen got = {0};
    cr_assert_eq(wn_open_store_replay(s, see_base, see_journal, &got), WN_OK);
    cr_assert_not(got.mixed);
    return got;
}

static const uint8_t collector[16] = "collector-------";

Test(open_store, refuses_what_stands_outside_a_transaction) {
    wn_open_store *s = opened(MAP_BYTES);
    wn_batch_id id = {.sequence = 1};
    wn_fold fold = {0};
    cr_assert_eq(wn_open_store_put(s, "plan", (wn_span){collector, 1}), WN_ERR_STATE);
    cr_assert_eq(wn_open_store_journal(s, (wn_span){collector, 1}), WN_ERR_STATE);
    cr_assert_eq(wn_open_store_watermark(s, &id), WN_ERR_STATE);
    cr_assert_eq(wn_open_store_commit(s), WN_ERR_STATE);
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    cr_assert_eq(wn_open_store_begin(s), WN_ERR_STATE);
    cr_assert_eq(wn_open_store_rebase(s, &fold), WN_ERR_STATE);
    wn_open_store_abort(s);
    cr_assert_eq(replayed(s).journal_n, 0);
    wn_open_store_close(s);
}

Test(open_store, holds_its_limits_at_the_edge) {
    wn_open_store *s = opened(MAP_BYTES);
    uint8_t *big = calloc(1, WN_OPEN_RECORD_BYTES_MAX + 1);
    char name[WN_OPEN_FACT_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    size_t n;
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    cr_assert_eq(wn_open_store_journal(s, (wn_span){big, WN_OPEN_RECORD_BYTES_MAX + 1}), WN_ERR_FULL);
    cr_assert_eq(wn_open_store_journal(s, (wn_span){big, WN_OPEN_RECORD_BYTES_MAX}), WN_OK);
    cr_assert_eq(wn_open_store_journal(s, (wn_span){NULL, 0}), WN_OK);
    cr_assert_eq(wn_open_store_put(s, name, (wn_span){big, 1}), WN_ERR_FULL);
    cr_assert_eq(wn_open_store_put(s, name + 1, (wn_span){big, 1}), WN_OK);
    cr_assert_eq(wn_open_store_put(s, "big", (wn_span){big, WN_OPEN_FACT_BYTES_MAX + 1u}), WN_ERR_FULL);
    cr_assert_eq(wn_open_store_put(s, "none", (wn_span){NULL, 0}), WN_OK);
    wn_batch_id zero = {.sequence = 0};
    cr_assert_eq(wn_open_store_watermark(s, &zero), WN_ERR_FORMAT);
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
    cr_assert_eq(wn_open_store_get(s, "none", big, 1, &n), WN_OK);
    cr_assert_eq(n, 0);
    cr_assert_eq(wn_open_store_get(s, name, big, 1, &n), WN_ERR_FULL);
    seen got = replayed(s);
    cr_assert_eq(got.journal_n, 2);
    cr_assert_eq(got.bytes[0], WN_OPEN_RECORD_BYTES_MAX);
    cr_assert_eq(got.bytes[1], 0);
    free(big);
    wn_open_store_close(s);
}

Test(open_store, gives_back_committed_records_in_order_after_reopening) {
    wn_open_store *s = opened(MAP_BYTES);
    for (uint8_t i = 1; i <= 20; i++) commit_record(s, i, 100u * i, i);
    wn_open_store_close(s);
    s = opened(MAP_BYTES);
    seen got = replayed(s);
    cr_assert_eq(got.journal_n, 20);
    for (uint8_t i = 1; i <= 20; i++) {
        cr_assert_eq(got.first[i - 1], i);
        cr_assert_eq(got.bytes[i - 1], 100u * i);
    }
    cr_assert_eq(wn_open_store_sequence(s, collector, 5), 20);
    cr_assert_eq(wn_open_store_sequence(s, collector, 6), 0);
    cr_assert_eq(wn_open_store_journal_bytes(s), 21000);
    cr_assert_eq(wn_open_store_replay(s, see_base, refuse, &got), WN_ERR_STATE);
    wn_open_store_close(s);
}

static void keep_mark(void *ctx, const wn_batch_id *id) {
    *(wn_batch_id *)ctx = *id;
}

Test(open_store, watermarks_rise_with_the_transaction_and_fall_with_its_abort) {
    wn_open_store *s = opened(MAP_BYTES);
    commit_record(s, 1, 10, 7);
    wn_batch_id id = {.collector = "collector-------", .generation = 5, .sequence = 9}, other = id, got = {0};
    other.generation = 6;
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    record(s, 2, 10);
    cr_assert_eq(wn_open_store_watermark(s, &id), WN_OK);
    cr_assert_eq(wn_open_store_watermark(s, &other), WN_OK);
    id.sequence = 8;
    cr_assert_eq(wn_open_store_watermark(s, &id), WN_OK, "a lower one changes nothing");
    cr_assert_eq(wn_open_store_sequence(s, collector, 5), 9);
    cr_assert_eq(wn_open_store_sequence(s, collector, 6), 9);
    wn_open_store_each_watermark(s, keep_mark, &got);
    cr_assert_eq(got.sequence, 7, "only what is committed");
    cr_assert_eq(got.generation, 5);
    wn_open_store_abort(s);
    cr_assert_eq(wn_open_store_sequence(s, collector, 5), 7);
    cr_assert_eq(wn_open_store_sequence(s, collector, 6), 0);
    commit_record(s, 3, 10, 8);
    seen all = replayed(s);
    cr_assert_eq(all.journal_n, 2);
    cr_assert_eq(all.first[1], 3, "an aborted record leaves no hole");
    wn_open_store_close(s);
}

Test(open_store, facts_are_those_last_committed) {
    wn_open_store *s = opened(MAP_BYTES);
    uint8_t out[8];
    size_t n = 99;
    cr_assert_eq(wn_open_store_get(s, "plan", out, sizeof out, &n), WN_ERR_NOTFOUND);
    cr_assert_eq(n, 99, "outputs are written on success only");
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    cr_assert_eq(wn_open_store_put(s, "plan", (wn_span){(const uint8_t *)"first", 5}), WN_OK);
    cr_assert_eq(wn_open_store_put(s, "plan", (wn_span){(const uint8_t *)"2nd", 3}), WN_OK);
    cr_assert_eq(wn_open_store_get(s, "plan", out, sizeof out, &n), WN_ERR_NOTFOUND);
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
    cr_assert_eq(wn_open_store_get(s, "plan", NULL, 0, &n), WN_OK);
    cr_assert_eq(n, 3);
    cr_assert_eq(wn_open_store_get(s, "plan", out, 2, &n), WN_ERR_FULL);
    cr_assert_eq(wn_open_store_get(s, "plan", out, 3, &n), WN_OK);
    cr_assert_arr_eq(out, "2nd", 3);
    wn_open_store_close(s);
}

Test(open_store, opens_under_its_own_key_and_window_only) {
    wn_open_store *none = NULL;
    char from[256], to[256];
    uint8_t wrong[32];
    wn_open_store_close(opened(MAP_BYTES)); // holds nothing yet
    memcpy(wrong, test_key, sizeof wrong);
    wrong[31] ^= 1;
    cr_assert_eq(wn_open_store_open(folder, &day, wrong, MAP_BYTES, &none), WN_ERR_CORRUPT);
    env_folder(from);
    day.day++;
    env_folder(to);
    cr_assert_eq(rename(from, to), 0);
    cr_assert_eq(wn_open_store_open(folder, &day, test_key, MAP_BYTES, &none), WN_ERR_CORRUPT);
    cr_assert_null(none);
}

static void other_format(MDB_txn *txn, MDB_dbi dbi, void *ctx) {
    MDB_val key = {6, "format"}, val = {strlen(ctx), ctx};
    cr_assert_eq(mdb_put(txn, dbi, &key, &val, 0), 0);
}

Test(open_store, names_another_format_and_refuses_it) {
    static const struct {
        const char *text;
        wn_err err;
    } cases[] = {{"winnow open 1", WN_ERR_VERSION},
                 {"winnow open 21", WN_ERR_VERSION},
                 {"winnow published 1", WN_ERR_CORRUPT},
                 {"winnow open ", WN_ERR_CORRUPT},
                 {"", WN_ERR_CORRUPT},
                 {"winnow open 2", WN_OK}};
    char path[256];
    wn_open_store_close(opened(MAP_BYTES));
    env_folder(path);
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_open_store *s = NULL;
        raw_edit(path, NULL, other_format, (void *)(uintptr_t)cases[i].text);
        cr_assert_eq(wn_open_store_open(folder, &day, test_key, MAP_BYTES, &s), cases[i].err, "%zu", i);
        wn_open_store_close(s);
    }
}

Test(open_store, is_readable_by_its_owner_alone) {
    char path[300];
    struct stat st;
    umask(0);
    wn_open_store_close(opened(MAP_BYTES));
    env_folder(path);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    strcat(path, "/data.mdb");
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(open_store, grows_a_full_map_and_loses_nothing) {
    wn_open_store *s = opened(64u << 10);
    for (uint8_t i = 1; i <= 12; i++) commit_record(s, i, 300000, i);
    wn_fold fold = {{3000000, 10, 0, 200000}, 4, WN_OK};
    cr_assert_eq(wn_open_store_rebase(s, &fold), WN_OK);
    commit_record(s, 13, 1u << 20, 13);
    wn_open_store_close(s);
    s = opened(64u << 10);
    seen got = replayed(s);
    cr_assert_eq(got.base_n, 4);
    cr_assert_eq(got.journal_n, 1);
    cr_assert_eq(got.first[0], 13);
    cr_assert_gt(wn_open_store_file_bytes(s), 3000000);
    wn_open_store_close(s);
}

Test(open_store, rebase_replaces_base_and_journal_at_once) {
    wn_open_store *s = opened(MAP_BYTES);
    for (unsigned round = 0; round < 3; round++) {
        commit_record(s, 9, 50, round + 1);
        wn_fold fold = {{5, 70000, 250000, 600000}, 4, WN_OK};
        cr_assert_eq(wn_open_store_rebase(s, &fold), WN_OK);
        cr_assert_eq(wn_open_store_journal_bytes(s), 0);
        seen got = replayed(s);
        cr_assert_eq(got.journal_n, 0);
        cr_assert_eq(got.base_n, 4);
        for (size_t i = 0; i < 4; i++) cr_assert_eq(got.base_bytes[i], fold.part_bytes[i]);
    }
    commit_record(s, 4, 10, 9);
    wn_open_store_close(s);
    s = opened(MAP_BYTES);
    seen got = replayed(s);
    cr_assert_eq(got.base_n, 4);
    cr_assert_eq(got.first[0], 4);
    cr_assert_eq(wn_open_store_sequence(s, collector, 5), 9);
    wn_open_store_close(s);
}

Test(open_store, a_rebase_that_fails_changes_nothing) {
    wn_open_store *s = opened(MAP_BYTES);
    commit_record(s, 1, 50, 1);
    wn_fold fold = {{5, 70000}, 2, WN_ERR_NOMEM};
    cr_assert_eq(wn_open_store_rebase(s, &fold), WN_ERR_NOMEM);
    commit_record(s, 2, 50, 2);
    seen got = replayed(s);
    cr_assert_eq(got.base_n, 0);
    cr_assert_eq(got.journal_n, 2);
    wn_open_store_close(s);
}

Test(open_store, sees_a_journal_record_that_is_gone) {
    static const uint8_t keys[][8] = {
        {0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 0, 0, 3}};
    for (size_t i = 0; i < WN_COUNT(keys); i++) {
        char path[256];
        seen got = {0};
        MDB_val key = {8, (void *)(uintptr_t)keys[i]};
        day.day = 20000 + (int32_t)i;
        wn_open_store *s = opened(MAP_BYTES);
        for (uint8_t n = 1; n <= 3; n++) commit_record(s, n, 10, n);
        wn_open_store_close(s);
        env_folder(path);
        raw_edit(path, "journal", raw_delete, &key);
        s = opened(MAP_BYTES);
        cr_assert_eq(wn_open_store_replay(s, see_base, see_journal, &got), WN_ERR_CORRUPT);
        cr_assert_eq(got.journal_n, i, "records after the hole are not served");
        wn_open_store_close(s);
    }
}

static void swap_two(MDB_txn *txn, MDB_dbi dbi, void *ctx) {
    uint8_t one[8] = {0, 0, 0, 0, 0, 0, 0, 1}, two[8] = {0, 0, 0, 0, 0, 0, 0, 2}, copy[4096];
    MDB_val a = {8, one}, b = {8, two}, x, y;
    (void)ctx;
    cr_assert_eq(mdb_get(txn, dbi, &a, &x), 0);
    size_t n = x.mv_size;
    cr_assert_leq(n, sizeof copy);
    memcpy(copy, x.mv_data, n);
    cr_assert_eq(mdb_get(txn, dbi, &b, &y), 0);
    uint8_t *second = malloc(y.mv_size);
    memcpy(second, y.mv_data, y.mv_size);
    MDB_val from_two = {y.mv_size, second}, from_one = {n, copy};
    cr_assert_eq(mdb_put(txn, dbi, &a, &from_two, 0), 0);
    cr_assert_eq(mdb_put(txn, dbi, &b, &from_one, 0), 0);
    free(second);
}

Test(open_store, a_box_moved_to_another_key_is_not_authentic) {
    char path[256];
    seen got = {0};
    wn_open_store *s = opened(MAP_BYTES);
    for (uint8_t n = 1; n <= 2; n++) commit_record(s, n, 10, n);
    wn_open_store_close(s);
    env_folder(path);
    raw_edit(path, "journal", swap_two, NULL);
    s = opened(MAP_BYTES);
    cr_assert_eq(wn_open_store_replay(s, see_base, see_journal, &got), WN_ERR_CORRUPT);
    cr_assert_eq(got.journal_n, 0);
    wn_open_store_close(s);
}

static void check_sizes(MDB_txn *txn, MDB_dbi dbi, void *ctx) {
    MDB_cursor *cursor;
    MDB_val key, val;
    cr_assert_eq(mdb_cursor_open(txn, dbi, &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &val, MDB_NEXT) == 0) {
        size_t plain = val.mv_size - WN_BOX_OVERHEAD;
        cr_assert(plain >= 512 && (plain & (plain - 1)) == 0, "a stored size tells %zu", plain);
        ++*(size_t *)ctx;
    }
    mdb_cursor_close(cursor);
}

Test(open_store, stored_sizes_are_powers_of_two) {
    static const char *const dbs[] = {"journal", "base", "meta", "marks", "held"};
    static const size_t sizes[] = {0, 1, 507, 508, 509, 1020, 1021, 5000};
    char path[256];
    size_t n = 0;
    wn_open_store *s = opened(MAP_BYTES);
    for (size_t i = 0; i < WN_COUNT(sizes); i++) commit_record(s, 1, sizes[i], i + 1);
    wn_fold fold = {{5000, 7}, 2, WN_OK};
    cr_assert_eq(wn_open_store_rebase(s, &fold), WN_OK);
    for (size_t i = 0; i < WN_COUNT(sizes); i++) commit_record(s, 1, sizes[i], i + 20);
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    cr_assert_eq(wn_open_store_put(s, "p", (wn_span){collector, 9}), WN_OK);
    cr_assert_eq(wn_open_store_hold(s, (wn_span){collector, 9}), WN_OK);
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
    wn_open_store_close(s);
    env_folder(path);
    for (size_t i = 0; i < WN_COUNT(dbs); i++) raw_edit(path, dbs[i], check_sizes, &n);
    cr_assert_eq(n, 8 + 1 + 1 + 2 + 1);
}

Test(open_store, no_planted_text_and_no_key_reaches_the_files) {
    static const char planted[] = "jane.doe@example.org/secret-path", name[] = "fact-name-in-the-clear";
    char path[256];
    wn_batch_id id = {.generation = UINT64_C(0x6E6F697461726567), .sequence = 3};
    memcpy(id.collector, "COLLECTOR-ID-16B", 16);
    wn_open_store *s = opened(64u << 10);
    for (unsigned i = 0; i < 200; i++) { // pages are freed and used again
        cr_assert_eq(wn_open_store_begin(s), WN_OK);
        cr_assert_eq(wn_open_store_journal(s, (wn_span){(const uint8_t *)planted, sizeof planted}), WN_OK);
        cr_assert_eq(wn_open_store_put(s, name, (wn_span){(const uint8_t *)planted, sizeof planted}), WN_OK);
        id.sequence++;
        cr_assert_eq(wn_open_store_watermark(s, &id), WN_OK);
        cr_assert_eq(wn_open_store_commit(s), WN_OK);
        wn_fold fold = {{300}, 1, WN_OK};
        if (i % 50 == 49) cr_assert_eq(wn_open_store_rebase(s, &fold), WN_OK);
    }
    wn_open_store_close(s);
    env_folder(path);
    uint8_t base[32];
    memset(base, 'a', sizeof base);
    cr_assert_not(file_holds(path, "data.mdb", planted, 8));
    cr_assert_not(file_holds(path, "data.mdb", planted + 16, 8));
    cr_assert_not(file_holds(path, "data.mdb", name, 8));
    cr_assert_not(file_holds(path, "data.mdb", "COLLECTOR-ID-16B", 8));
    cr_assert_not(file_holds(path, "data.mdb", &id.generation, 8));
    cr_assert_not(file_holds(path, "data.mdb", base, sizeof base));
    cr_assert_not(file_holds(path, "data.mdb", test_key, 8));
    cr_assert_not(file_holds(path, "lock.mdb", planted, 8));
    cr_assert_not(file_holds(path, "lock.mdb", test_key, 8));
    cr_assert(file_holds(path, "data.mdb", "winnow open 2", 13), "the search sees what is there");
}

static void *commit_there(void *s) {
    static wn_err err;
    err = wn_open_store_commit(s);
    return &err;
}

Test(open_store, commits_on_another_thread) {
    wn_open_store *s = opened(64u << 10);
    for (uint8_t i = 1; i <= 8; i++) {
        pthread_t thread;
        void *err;
        cr_assert_eq(wn_open_store_begin(s), WN_OK);
        record(s, i, 60000);
        cr_assert_eq(pthread_create(&thread, NULL, commit_there, s), 0);
        cr_assert_eq(pthread_join(thread, &err), 0);
        cr_assert_eq(*(wn_err *)err, WN_OK);
    }
    cr_assert_eq(replayed(s).journal_n, 8);
    wn_open_store_close(s);
}

Test(open_store, a_commit_that_fails_on_disk_may_be_tried_again) {
    wn_open_store *s = opened(MAP_BYTES);
    commit_record(s, 1, 10, 1);
    struct rlimit old, small;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 200000;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    record(s, 2, 400000);
    wn_batch_id id = {.collector = "collector-------", .generation = 5, .sequence = 2};
    cr_assert_eq(wn_open_store_watermark(s, &id), WN_OK);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_assert_neq(wn_open_store_commit(s), WN_OK);
    cr_assert_neq(wn_open_store_commit(s), WN_OK);
    cr_assert_eq(replayed(s).journal_n, 1);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
    wn_open_store_close(s);
    s = opened(MAP_BYTES);
    cr_assert_eq(replayed(s).journal_n, 2);
    cr_assert_eq(wn_open_store_sequence(s, collector, 5), 2);
    wn_open_store_close(s);
}

static void count_day(void *ctx, const wn_window *w) {
    *(int64_t *)ctx += w->day;
}

Test(open_store, destroy_leaves_no_file_and_works_without_the_key) {
    char path[256];
    struct stat st;
    int64_t days = 0;
    env_folder(path);
    cr_assert_eq(wn_open_store_destroy(opened(MAP_BYTES)), WN_OK);
    cr_assert_neq(stat(path, &st), 0);
    cr_assert_eq(wn_open_store_remove(folder, &day), WN_OK, "not there is fine");
    wn_open_store_close(opened(MAP_BYTES));
    cr_assert_eq(wn_open_store_each_window(folder, count_day, &days), WN_OK);
    cr_assert_eq(days, day.day);
    cr_assert_eq(wn_open_store_remove(folder, &day), WN_OK);
    cr_assert_neq(stat(path, &st), 0);
}

Test(open_store, lists_windows_and_passes_over_other_names) {
    static const char *const zones[] = {"UTC", "America/Argentina/Buenos_Aires", "Europe/Berlin"};
    static const char *const strays[] = {"2026-11-20.web",         "2026-02-30.web.UTC",
                                         "2026-11-20.tv.UTC",      "lost+found",
                                         "2026-11-20.web.No_Such", "2026-11-20.web.UTC.old"};
    int64_t days = 0;
    for (size_t i = 0; i < WN_COUNT(zones); i++) {
        snprintf(day.zone, sizeof day.zone, "%s", zones[i]);
        day.day = (int32_t)(20000 + i);
        day.kind = i % 2 ? WN_KIND_APP : WN_KIND_WEB;
        wn_open_store_close(opened(MAP_BYTES));
    }
    for (size_t i = 0; i < WN_COUNT(strays); i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, strays[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
    }
    cr_assert_eq(wn_open_store_each_window(folder, count_day, &days), WN_OK);
    cr_assert_eq(days, 60003);
    cr_assert_eq(wn_open_store_each_window("/nonexistent/folder", count_day, &days), WN_OK);
    cr_assert_eq(days, 60003);
}

// ---- in steps, and what is held meanwhile ----

Test(open_store, a_replay_in_steps_gives_every_record_once_and_in_order) {
    wn_open_store *s = opened(MAP_BYTES);
    wn_fold fold = {.part_bytes = {300000, 200000}, .n = 2};
    cr_assert_eq(wn_open_store_rebase(s, &fold), WN_OK);
    for (uint8_t n = 1; n <= 5; n++) commit_record(s, n, 10, n);
    wn_open_replay at = {0};
    seen got = {0};
    bool done = false;
    size_t steps = 0;
    for (; !done; steps++) {
        cr_assert_lt(steps, 20);
        cr_assert_eq(wn_open_store_replay_step(s, &at, 0, see_base, see_journal, &got, &done), WN_OK);
        cr_assert_leq(got.base_n + got.journal_n, steps + 1, "one record a step");
        cr_assert_eq(at.all, 7);
    }
    cr_assert_eq(got.base_n, 2);
    cr_assert_eq(got.journal_n, 5);
    cr_assert_eq(at.done, 7);
    for (size_t i = 0; i < 5; i++) cr_assert_eq(got.first[i], i + 1);
    wn_open_store_close(s);
}

Test(open_store, a_replay_in_steps_sees_a_record_that_is_gone_or_one_too_many) {
    static const uint8_t keys[][8] = {
        {0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 0, 0, 3}};
    for (size_t i = 0; i < WN_COUNT(keys); i++) {
        char path[256];
        MDB_val key = {8, (void *)(uintptr_t)keys[i]};
        day.day = 20000 + (int32_t)i;
        wn_open_store *s = opened(MAP_BYTES);
        for (uint8_t n = 1; n <= 3; n++) commit_record(s, n, 10, n);
        wn_open_store_close(s);
        env_folder(path);
        raw_edit(path, "journal", raw_delete, &key);
        s = opened(MAP_BYTES);
        wn_open_replay at = {0};
        seen got = {0};
        bool done = false;
        wn_err err = WN_OK;
        for (size_t n = 0; n < 9 && !err && !done; n++)
            err = wn_open_store_replay_step(s, &at, 0, see_base, see_journal, &got, &done);
        cr_assert_eq(err, WN_ERR_CORRUPT);
        cr_assert_not(done);
        wn_open_store_close(s);
    }
}

static bool see_held(void *ctx, wn_span value) {
    seen *s = ctx;
    return see_journal(s, value) == WN_OK && s->journal_n < 5;
}

static void hold_byte(wn_open_store *s, uint8_t byte) {
    uint8_t bytes[9];
    memset(bytes, byte, sizeof bytes);
    cr_assert_eq(wn_open_store_hold(s, (wn_span){bytes, sizeof bytes}), WN_OK);
}

Test(open_store, what_is_held_stays_in_order_until_it_is_dropped_with_its_journal_record) {
    wn_open_store *s = opened(MAP_BYTES);
    seen got = {0};
    uint8_t byte = 1;
    cr_assert_eq(wn_open_store_hold(s, (wn_span){&byte, 1}), WN_ERR_STATE, "outside a transaction");
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    hold_byte(s, 9);
    wn_open_store_abort(s);
    cr_assert_eq(wn_open_store_held(s), 0);
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    for (uint8_t n = 1; n <= 3; n++) hold_byte(s, n);
    cr_assert_eq(wn_open_store_held(s), 0, "not before the commit");
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
    wn_open_store_close(s);
    s = opened(MAP_BYTES);
    cr_assert_eq(wn_open_store_held(s), 3);
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    cr_assert_eq(wn_open_store_held_drop(s, 2), WN_OK);
    record(s, 7, 10);
    wn_open_store_abort(s);
    cr_assert_eq(wn_open_store_held(s), 3);
    cr_assert_eq(wn_open_store_begin(s), WN_OK);
    cr_assert_eq(wn_open_store_held_drop(s, 2), WN_OK);
    record(s, 7, 10);
    cr_assert_eq(wn_open_store_commit(s), WN_OK);
    wn_open_store_close(s);
    s = opened(MAP_BYTES);
    cr_assert_eq(wn_open_store_held(s), 1);
    cr_assert_eq(wn_open_store_held_each(s, see_held, &got), WN_OK);
    cr_assert(got.journal_n == 1 && got.first[0] == 3 && got.bytes[0] == 9);
    cr_assert_eq(replayed(s).journal_n, 1);
    wn_open_store_close(s);
}

Test(open_store, sees_a_held_batch_that_is_gone) {
    static const uint8_t keys[][8] = {{0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 2}};
    for (size_t i = 0; i < WN_COUNT(keys); i++) {
        char path[256];
        seen got = {0};
        MDB_val key = {8, (void *)(uintptr_t)keys[i]};
        day.day = 20000 + (int32_t)i;
        wn_open_store *s = opened(MAP_BYTES);
        cr_assert_eq(wn_open_store_begin(s), WN_OK);
        hold_byte(s, 1);
        hold_byte(s, 2);
        cr_assert_eq(wn_open_store_commit(s), WN_OK);
        wn_open_store_close(s);
        env_folder(path);
        raw_edit(path, "held", raw_delete, &key);
        s = opened(MAP_BYTES);
        cr_assert_eq(wn_open_store_held_each(s, see_held, &got), WN_ERR_CORRUPT);
        wn_open_store_close(s);
    }
}
