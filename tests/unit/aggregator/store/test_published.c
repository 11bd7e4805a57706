// SPDX-License-Identifier: Apache-2.0
// The published store: rows come back as released, a sealed window never
// changes, the ledger is chained, a second process may read at any time.
#include <inttypes.h>
#include <sys/wait.h>

#include "published.h"
#include "store_support.h"

static char *folder;
static wn_published *store;

static void setup(void) {
    folder = folder_new();
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
}

static void teardown(void) {
    wn_published_close(store);
    folder_free(folder);
}

TestSuite(published, .init = setup, .fini = teardown);

static void reopen(void) {
    wn_published_close(store);
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
}

static void env_folder(char out[256]) {
    snprintf(out, 256, "%s/published", folder);
}

static wn_public_head head_of(const char *site, const char *table, int32_t day, bool sealed) {
    wn_public_head h = {.window = window_of_day(day),
                        .plan_version = 3,
                        .policy_version = 2,
                        .plan_digest = {9, 8, 7},
                        .tick = 288,
                        .published_s = 1795300000,
                        .sealed = sealed,
                        .k = 20,
                        .measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS,
                        .dims_n = 1,
                        .dims = {WN_CLOSED_N + WN_DIM_route, WN_DIM_NONE}};
    snprintf(h.site, sizeof h.site, "%s", site);
    snprintf(h.table, sizeof h.table, "%s", table);
    return h;
}

static wn_public_row row_of(const char *label, uint32_t people) {
    wn_public_row r = {.people = people, .events = 3u * people, .sessions = 2};
    snprintf(r.label[0], sizeof r.label[0], "%s", label);
    return r;
}

static void publish(const char *site, const char *table, int32_t day, uint32_t people, bool sealed) {
    wn_public_head h = head_of(site, table, day, sealed);
    wn_public_row r = row_of("/", people);
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_OK);
    cr_assert_eq(wn_published_tick(store, &h.window, h.tick, sealed, h.published_s), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
}

typedef struct seen {
    size_t n, stop_at;
    int32_t days[64];
    uint32_t people[64];
    char site[64][WN_SITE_NAME_BYTES], table[64][32];
} seen;

static bool see(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    seen *s = ctx;
    cr_assert_lt(s->n, WN_COUNT(s->days));
    s->days[s->n] = head->window.day;
    s->people[s->n] = n ? rows[0].people : 0;
    snprintf(s->site[s->n], sizeof s->site[0], "%s", head->site);
    snprintf(s->table[s->n], sizeof s->table[0], "%s", head->table);
    return ++s->n != s->stop_at;
}

static seen scanned(const char *site, const char *table, int32_t from_day, int32_t to_day) {
    seen s = {0};
    wn_err err = wn_published_scan(store, site, table, window_of_day(from_day).start_s,
                                   window_of_day(to_day).start_s, see, &s);
    cr_assert_eq(err, WN_OK);
    return s;
}

Test(published, refuses_what_stands_outside_a_transaction) {
    wn_public_head h = head_of("a", "pages", 20000, false);
    wn_ledger_entry e = {.what = WN_LEDGER_INSTALL};
    wn_batch_id id = {.sequence = 1};
    cr_assert_eq(wn_published_rows(store, &h, NULL, 0), WN_ERR_STATE);
    cr_assert_eq(wn_published_ledger(store, &e), WN_ERR_STATE);
    cr_assert_eq(wn_published_tick(store, &h.window, 1, false, 0), WN_ERR_STATE);
    cr_assert_eq(wn_published_final_watermark(store, &h.window, &id, 0), WN_ERR_STATE);
    cr_assert_eq(wn_published_counts(store, 1, &h.window, 0, 0), WN_ERR_STATE);
    cr_assert_eq(wn_published_expire(store, 0), WN_ERR_STATE);
    cr_assert_eq(wn_published_commit(store), WN_ERR_STATE);
}

static bool see_whole(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    wn_public_head want = head_of("shop.example", "pages", 20777, true);
    cr_assert(wn_window_same(&h->window, &want.window));
    cr_assert(h->window.start_s == want.window.start_s && h->window.end_s == want.window.end_s);
    cr_assert(h->plan_version == 3 && h->policy_version == 2 && h->tick == 288 &&
              h->published_s == 1795300000);
    cr_assert_arr_eq(h->plan_digest, want.plan_digest, 32);
    cr_assert(h->sealed && h->k == 20 && h->measures == 3 && h->dims_n == 1 && h->dims[0] == want.dims[0]);
    cr_assert_eq(h->dims[1], WN_DIM_NONE);
    cr_assert_str_eq(h->site, "shop.example");
    cr_assert_str_eq(h->table, "pages");
    cr_assert_eq(n, 3);
    cr_assert_str_eq(rows[0].label[0], "/");
    cr_assert(rows[0].people == 240 && rows[0].events == UINT64_MAX && rows[0].sessions == 1);
    cr_assert_eq(strlen(rows[1].label[0]), WN_OPEN_TEXT_MAX);
    cr_assert_str_eq(rows[1].label[1], "second");
    cr_assert(rows[2].is_other && !rows[0].is_other && !rows[1].is_other);
    cr_assert_eq(rows[2].people, UINT32_MAX);
    *(bool *)ctx = true;
    return true;
}

Test(published, gives_back_head_and_rows_as_released) {
    wn_public_head h = head_of("shop.example", "pages", 20777, true);
    wn_public_row rows[3] = {row_of("/", 240), row_of("", 20), row_of("other", 20)};
    bool called = false;
    rows[0].events = UINT64_MAX;
    rows[0].sessions = 1;
    memset(rows[1].label[0], 'x', WN_OPEN_TEXT_MAX);
    strcpy(rows[1].label[1], "second");
    rows[2].is_other = true;
    rows[2].people = UINT32_MAX;
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_rows(store, &h, rows, 3), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    reopen();
    cr_assert_eq(wn_published_scan(store, "shop.example", "pages", 0, INT64_MAX, see_whole, &called), WN_OK);
    cr_assert(called);
}

// Else a window would tell that at least one person came.
Test(published, a_table_without_a_row_leaves_no_record_and_takes_away_an_earlier_one) {
    wn_public_head h = head_of("a", "pages", 20000, false);
    wn_public_row r = row_of("x", 20);
    for (size_t n = 0; n < 4; n++) { // none, one, none again
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_rows(store, &h, &r, n % 2), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
        cr_assert_eq(scanned("a", "pages", 0, 30000).n, n % 2, "step %zu", n);
    }
}

Test(published, refuses_a_head_it_could_not_read_back) {
    wn_public_head good = head_of("a", "pages", 20000, false), h;
    wn_public_row r = row_of("x", 20);
    cr_assert_eq(wn_published_begin(store), WN_OK);
    h = good, h.dims_n = 3;
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_ERR_FORMAT);
    h = good, h.dims[0] = WN_DIM_N;
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_ERR_FORMAT);
    h = good, memset(h.site, 'a', sizeof h.site);
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_ERR_FORMAT);
    memset(r.label[0], 'a', sizeof r.label[0]);
    cr_assert_eq(wn_published_rows(store, &good, &r, 1), WN_ERR_FORMAT);
    cr_assert_eq(wn_published_rows(store, &good, NULL, 0), WN_OK);
    wn_published_abort(store);
    cr_assert_eq(scanned(NULL, NULL, 0, 30000).n, 0);
}

Test(published, scans_one_table_in_order_of_time_and_half_open) {
    for (int32_t day = 20040; day > 20000; day--) publish("a", "pages", day, (uint32_t)day, false);
    publish("a", "events", 20010, 1, false);
    publish("b", "pages", 20010, 2, false);
    publish("a", "pages", -3, 20, false);
    seen s = scanned("a", "pages", 20005, 20035);
    cr_assert_eq(s.n, 30);
    for (size_t i = 0; i < s.n; i++) {
        cr_assert_eq(s.days[i], 20005 + (int32_t)i);
        cr_assert_eq(s.people[i], (uint32_t)s.days[i]);
    }
    s = scanned("a", "pages", -10, 30000);
    cr_assert_eq(s.n, 41);
    cr_assert_eq(s.days[0], -3);
    cr_assert_eq(scanned("a", "pages", 20005, 20005).n, 0);
    cr_assert_eq(scanned("c", "pages", -10, 30000).n, 0);
    seen stopped = {.stop_at = 2};
    cr_assert_eq(wn_published_scan(store, "a", "pages", 0, INT64_MAX, see, &stopped), WN_OK);
    cr_assert_eq(stopped.n, 2);
}

Test(published, scans_all_sites_or_tables_when_none_is_named) {
    static const char *const sites[] = {"a", "b"}, *const tables[] = {"pages", "events", "hours"};
    for (size_t i = 0; i < 2; i++)
        for (size_t t = 0; t < 3; t++)
            for (int32_t day = 20000; day < 20004; day++) publish(sites[i], tables[t], day, 20, false);
    cr_assert_eq(scanned(NULL, NULL, 20000, 20004).n, 24);
    cr_assert_eq(scanned("a", NULL, 20001, 20003).n, 6);
    seen s = scanned(NULL, "events", 20001, 20003);
    cr_assert_eq(s.n, 4);
    for (size_t i = 0; i < s.n; i++) cr_assert_str_eq(s.table[i], "events");
    cr_assert(strcmp(s.site[0], s.site[1]) == 0 && s.days[0] < s.days[1],
              "in order within one site and table");
}

Test(published, a_sealed_window_never_changes) {
    wn_public_head h = head_of("a", "pages", 20000, true);
    wn_public_row r = row_of("/", 60);
    uint64_t tick;
    bool sealed = true;
    cr_assert_eq(wn_published_window(store, &h.window, &tick, &sealed), WN_OK);
    cr_assert(tick == 0 && !sealed);
    publish("a", "pages", 20000, 20, false);
    publish("a", "pages", 20000, 40, true);
    reopen();
    cr_assert_eq(wn_published_window(store, &h.window, &tick, &sealed), WN_OK);
    cr_assert(tick == 288 && sealed);
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_ERR_SEALED);
    cr_assert_eq(wn_published_tick(store, &h.window, 289, false, 0), WN_ERR_SEALED);
    wn_published_abort(store);
    seen s = scanned("a", "pages", 20000, 20001);
    cr_assert(s.n == 1 && s.people[0] == 40);
}

Test(published, windows_of_two_zones_and_kinds_stand_apart) {
    wn_public_head h = head_of("a", "pages", 20000, false);
    wn_public_row r = row_of("/", 20);
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_OK);
    h.window.kind = WN_KIND_APP;
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_OK);
    strcpy(h.window.zone, "Europe/Paris");
    cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    cr_assert_eq(scanned("a", "pages", 20000, 20001).n, 3);
}

Test(published, final_watermarks_live_seven_days_and_sealed_markers_for_ever) {
    wn_window w = window_of_day(20000);
    wn_batch_id id = {.collector = "collector-------", .generation = 4, .sequence = 77};
    uint64_t tick;
    bool sealed = false;
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_final_watermark(store, &w, &id, 1000), WN_OK);
    cr_assert_eq(wn_published_tick(store, &w, 9, true, 1000), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    cr_assert_eq(wn_published_final_sequence(store, &w, id.collector, 4), 77);
    cr_assert_eq(wn_published_final_sequence(store, &w, id.collector, 5), 0);
    for (int64_t late = 0; late < 2; late++) {
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_expire(store, 1000 + WN_FINAL_KEEP_S + late), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
        cr_assert_eq(wn_published_final_sequence(store, &w, id.collector, 4), late ? 0 : 77);
    }
    cr_assert_eq(wn_published_window(store, &w, &tick, &sealed), WN_OK);
    cr_assert(sealed);
}

typedef struct counts {
    size_t n;
    int64_t start_s[4];
    uint64_t refused, capped;
} counts;

static void see_counts(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped) {
    counts *c = ctx;
    c->start_s[c->n++] = start_s;
    c->refused += refused;
    c->capped += capped;
}

Test(published, counts_are_those_of_the_site_and_range) {
    wn_window days[] = {window_of_day(20000), window_of_day(20001), window_of_day(20002)};
    counts c = {0};
    cr_assert_eq(wn_published_begin(store), WN_OK);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(wn_published_counts(store, wn_site_tag("a"), &days[i], 20u << i, 10u << i), WN_OK);
    cr_assert_eq(wn_published_counts(store, wn_site_tag("b"), &days[1], 999, 999), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    cr_assert_eq(wn_published_counts_scan(store, "a", days[1].start_s, days[2].start_s + 1, see_counts, &c),
                 WN_OK);
    cr_assert(c.n == 2 && c.start_s[0] == days[1].start_s && c.start_s[1] == days[2].start_s);
    cr_assert(c.refused == 120 && c.capped == 60);
}

Test(published, p_percent_is_drawn_once_between_20_and_35) {
    uint32_t first, again;
    cr_assert_eq(wn_published_p_percent(store, &first), WN_OK);
    cr_assert(first >= 20 && first <= 35);
    reopen();
    cr_assert_eq(wn_published_p_percent(store, &again), WN_OK);
    cr_assert_eq(first, again);
    unsigned distinct = 0, known[64] = {0};
    for (unsigned i = 0; i < 60; i++) { // 60 alike: 1 in 16^59
        char sub[64];
        wn_published *p;
        snprintf(sub, sizeof sub, "%s/%u", folder, i);
        cr_assert_eq(mkdir(sub, 0700), 0);
        cr_assert_eq(wn_published_open(sub, test_key, false, MAP_BYTES, &p), WN_OK);
        cr_assert_eq(wn_published_p_percent(p, &again), WN_OK);
        cr_assert(again >= 20 && again <= 35);
        distinct += !known[again]++;
        wn_published_close(p);
    }
    cr_assert_gt(distinct, 1);
}

// ---- ledger ----

static void ledger_add(unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        wn_ledger_entry e = {.number = 999, .at_s = 100 + i, .what = WN_LEDGER_RELEASE, .rows = i};
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_ledger(store, &e), WN_OK);
        cr_assert_eq(wn_published_ledger(store, &e), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_ledger(store, &e), WN_OK);
        wn_published_abort(store); // leaves no hole
    }
}

static wn_ledger_check verified(const uint8_t quoted[32]) {
    wn_ledger_check c;
    cr_assert_eq(wn_published_ledger_verify(store, quoted, &c), WN_OK);
    return c;
}

Test(published, numbers_and_chains_the_ledger_across_reopening) {
    cr_assert(verified(NULL).ok);
    ledger_add(3);
    reopen();
    ledger_add(2);
    wn_ledger_check c = verified(NULL);
    cr_assert(c.ok && c.count == 10);
    cr_assert(verified(c.head).ok);
}

static void ledger_damage(uint8_t number) {
    uint8_t bytes[8] = {0, 0, 0, 0, 0, 0, 0, number};
    char path[256];
    MDB_val key = {8, bytes};
    env_folder(path);
    wn_published_close(store);
    raw_edit(path, "ledger", raw_delete, &key);
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
}

Test(published, sees_a_ledger_entry_that_is_missing) {
    ledger_add(3);
    ledger_damage(4);
    wn_ledger_check c = verified(NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_MISSING && c.bad_number == 4);
}

Test(published, sees_a_cut_end_by_the_quoted_head_alone) {
    ledger_add(3);
    wn_ledger_check whole = verified(NULL);
    ledger_damage(6);
    cr_assert(verified(NULL).ok);
    wn_ledger_check c = verified(whole.head);
    cr_assert(!c.ok && c.fault == WN_LEDGER_CUT && c.bad_number == 6);
}

static void flip_last_byte(MDB_txn *txn, MDB_dbi dbi, void *ctx) {
    MDB_cursor *cursor;
    MDB_val key, val;
    cr_assert_eq(mdb_cursor_open(txn, dbi, &cursor), 0);
    for (size_t left = *(size_t *)ctx + 1; left > 0; left--)
        cr_assert_eq(mdb_cursor_get(cursor, &key, &val, MDB_NEXT), 0);
    uint8_t *copy = malloc(val.mv_size);
    memcpy(copy, val.mv_data, val.mv_size);
    copy[val.mv_size - 1] ^= 1;
    MDB_val damaged = {val.mv_size, copy};
    cr_assert_eq(mdb_cursor_put(cursor, &key, &damaged, MDB_CURRENT), 0);
    mdb_cursor_close(cursor);
    free(copy);
}

static void damage(const char *db, size_t nth) {
    char path[256];
    env_folder(path);
    wn_published_close(store);
    raw_edit(path, db, flip_last_byte, &nth);
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
}

Test(published, a_damaged_ledger_entry_is_not_served) {
    ledger_add(3);
    damage("ledger", 5);
    wn_ledger_check c = verified(NULL);
    cr_assert(!c.ok && c.fault == WN_LEDGER_MISSING && c.bad_number == 6);
    wn_ledger_entry e = {.what = WN_LEDGER_PLAN};
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_ledger(store, &e), WN_ERR_CORRUPT, "no entry follows an unknown one");
    wn_published_abort(store);
}

Test(published, the_head_to_quote_is_the_last_entry) {
    static const uint8_t zeros[32];
    wn_ledger_entry e = {.what = WN_LEDGER_INSTALL};
    wn_ledger_check check;
    uint64_t number = 9;
    uint8_t head[32] = {1};
    cr_assert_eq(wn_published_ledger_head(store, &number, head), WN_OK);
    cr_assert(number == 0 && memcmp(head, zeros, 32) == 0);
    for (uint64_t i = 1; i <= 3; i++) {
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_ledger(store, &e), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
        cr_assert_eq(wn_published_ledger_head(store, &number, head), WN_OK);
        cr_assert_eq(wn_published_ledger_verify(store, head, &check), WN_OK);
        cr_assert(check.ok && check.head_known && number == i && memcmp(head, check.head, 32) == 0);
    }
    damage("ledger", 2);
    number = 9;
    cr_assert_eq(wn_published_ledger_head(store, &number, head), WN_ERR_CORRUPT);
    cr_assert_eq(number, 9);
}

Test(published, a_damaged_record_is_left_out_and_others_are_served) {
    for (int32_t day = 20000; day < 20010; day++) publish("a", "pages", day, (uint32_t)day, false);
    damage("rows", 4);
    seen s = {0};
    cr_assert_eq(wn_published_scan(store, "a", "pages", 0, INT64_MAX, see, &s), WN_ERR_CORRUPT);
    cr_assert_eq(s.n, 9);
    for (size_t i = 0; i < s.n; i++) cr_assert_neq(s.days[i], 20004);
    cr_assert_eq(scanned("a", "pages", 20005, 20010).n, 5, "a range beside it is whole");
}

Test(published, opens_under_its_own_key_only) {
    uint8_t wrong[32] = {1};
    wn_published *p = NULL;
    wn_published_close(store);
    cr_assert_eq(wn_published_open(folder, wrong, false, MAP_BYTES, &p), WN_ERR_CORRUPT);
    cr_assert_null(p);
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
}

Test(published, no_label_or_name_reaches_the_file) {
    wn_public_head h = head_of("planted-site.example", "planted_table", 20000, true);
    wn_public_row r = row_of("/planted/label", 20);
    char path[256];
    for (unsigned i = 0; i < 100; i++) {
        wn_ledger_entry e = {.what = WN_LEDGER_RELEASE, .window = "2026-planted-window", .profile = "crowd"};
        h.window.day++;
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_rows(store, &h, &r, 1), WN_OK);
        cr_assert_eq(wn_published_ledger(store, &e), WN_OK);
        cr_assert_eq(wn_published_tick(store, &h.window, 1, true, 5), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
    }
    env_folder(path);
    cr_assert_not(file_holds(path, "data.mdb", "planted", 7));
    cr_assert_not(file_holds(path, "data.mdb", "crowd", 5));
    cr_assert_not(file_holds(path, "data.mdb", "Berlin", 6));
    cr_assert_not(file_holds(path, "data.mdb", test_key, 8));
    cr_assert(file_holds(path, "data.mdb", "winnow published 3", 18), "the search sees what is there");
}

// ---- a second process ----

Test(published, a_reader_without_a_store_makes_none) {
    char sub[64], path[128];
    struct stat st;
    wn_published *p = NULL;
    snprintf(sub, sizeof sub, "%s/none", folder);
    snprintf(path, sizeof path, "%s/published", sub);
    cr_assert_eq(wn_published_open(sub, test_key, true, MAP_BYTES, &p), WN_ERR_NOTFOUND);
    cr_assert_eq(mkdir(sub, 0700), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(wn_published_open(sub, test_key, true, MAP_BYTES, &p), WN_ERR_NOTFOUND);
    cr_assert_null(p);
    strcat(path, "/lock.mdb");
    cr_assert_neq(stat(path, &st), 0);
}

static void read_as_child(int go, int done) {
    wn_published *p;
    char turn;
    if (wn_published_open(folder, test_key, true, MAP_BYTES, &p)) _exit(1);
    if (wn_published_begin(p) != WN_ERR_STATE) _exit(2);
    for (size_t want = 1; read(go, &turn, 1) == 1; want++) {
        seen s = {0};
        if (wn_published_scan(p, "a", "pages", 0, INT64_MAX, see, &s) || s.n != want) _exit(3);
        if (write(done, &turn, 1) != 1) _exit(4);
    }
    wn_published_close(p);
    _exit(0);
}

Test(published, a_second_process_reads_while_the_map_grows) {
    int go[2], done[2], status;
    char turn = 't';
    wn_published_close(store);
    folder_remove(folder);
    cr_assert_eq(mkdir(folder, 0700), 0);
    cr_assert_eq(wn_published_open(folder, test_key, false, 64u << 10, &store), WN_OK);
    cr_assert_eq(pipe(go), 0);
    cr_assert_eq(pipe(done), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        read_as_child(go[0], done[1]);
    }
    close(go[0]);
    close(done[1]);
    wn_public_row *rows = calloc(5000, sizeof *rows);
    for (unsigned i = 0; i < 5000; i++) {
        rows[i] = row_of("", 20);
        snprintf(rows[i].label[0], sizeof rows[i].label[0], "/page/%u", i);
    }
    for (int32_t day = 20000; day < 20020; day++) {
        wn_public_head h = head_of("a", "pages", day, false);
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_rows(store, &h, rows, 5000), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
        cr_assert_eq(write(go[1], &turn, 1), 1);
        cr_assert_eq(read(done[0], &turn, 1), 1, "the reader failed on day %d", day);
    }
    cr_assert_gt(wn_published_file_bytes(store), 1u << 20);
    close(go[1]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "reader %d", WEXITSTATUS(status));
    free(rows);
}

Test(published, a_transfer_is_of_one_receiver_site_table_and_window) {
    wn_transfer t = {.rows_done = 1u << 20, .refused = 3, .doubtful = UINT32_MAX, .done = true}, out;
    wn_window w = window_of_day(20003), other = window_of_day(20004);
    cr_assert_eq(wn_published_transfer_put(store, "partner", "shop", "pages", &w, &t), WN_ERR_STATE);
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_transfer_put(store, "partner", "shop", "pages", &w, &t), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    cr_assert_eq(wn_published_transfer(store, "partner", "shop", "pages", &w, &out), WN_OK);
    cr_assert(out.rows_done == t.rows_done && out.refused == 3 && out.doubtful == UINT32_MAX && out.done);
    const char *const of[][3] = {
        {"partner", "shop", "page"}, {"partner", "shopp", "ages"}, {"partne", "rshop", "pages"}};
    for (size_t i = 0; i < WN_COUNT(of); i++) {
        cr_assert_eq(wn_published_transfer(store, of[i][0], of[i][1], of[i][2], &w, &out), WN_OK);
        cr_assert(out.rows_done == 0 && !out.done);
    }
    cr_assert_eq(wn_published_transfer(store, "partner", "shop", "pages", &other, &out), WN_OK);
    cr_assert(out.rows_done == 0 && !out.done);
    for (unsigned bits = 0; bits < 8; bits++) {
        t.begun = bits & 1;
        t.done = bits & 2;
        t.unsure = bits & 4;
        cr_assert_eq(wn_published_begin(store), WN_OK);
        cr_assert_eq(wn_published_transfer_put(store, "partner", "shop", "pages", &w, &t), WN_OK);
        cr_assert_eq(wn_published_commit(store), WN_OK);
        cr_assert_eq(wn_published_transfer(store, "partner", "shop", "pages", &w, &out), WN_OK);
        cr_assert(out.begun == t.begun && out.done == t.done && out.unsure == t.unsure);
    }
}
