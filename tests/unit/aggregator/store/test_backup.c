// SPDX-License-Identifier: Apache-2.0
// Backups: what comes back is what was published; a flipped, cut or foreign file changes nothing;
// what was purged stays away; nothing that was begun can be published again. And retention, and the head.
#include <fcntl.h>

#include "backup.h"
#include "head_file.h"
#include "store_support.h"

#define NOW_S 1795300000
static char *folder, *other;
static wn_published *store, *fresh;
static int fd;
static const uint8_t key[32] = {5, 5, 5};

static void setup(void) {
    char path[256];
    folder = folder_new();
    other = folder_new();
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
    uint8_t foreign[32] = {9};
    static uint8_t kept[32];
    memcpy(kept, foreign, 32);
    cr_assert_eq(wn_published_open(other, kept, false, MAP_BYTES, &fresh), WN_OK);
    snprintf(path, sizeof path, "%s/file", folder);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert_geq(fd, 0);
}

static void teardown(void) {
    wn_published_close(store);
    wn_published_close(fresh);
    close(fd);
    folder_free(folder);
    folder_free(other);
}

TestSuite(backup, .init = setup, .fini = teardown);

static wn_window day_window(int32_t day) {
    char text[WN_WINDOW_TEXT_BYTES];
    wn_window w = window_of_day(day), real;
    wn_window_text(&w, text);
    cr_assert(wn_window_parse(text, &real));
    return real;
}

static void note(wn_published *p, uint8_t what, const wn_window *w) {
    wn_ledger_entry e = {.at_s = NOW_S, .what = what};
    if (w) wn_window_text(w, e.window);
    cr_assert_eq(wn_published_note(p, &e), WN_OK);
}

static void publish(wn_published *p, const char *site, int32_t day, uint32_t people, bool sealed) {
    wn_public_head h = {.window = day_window(day),
                        .plan_version = 1,
                        .policy_version = 1,
                        .tick = 3,
                        .published_s = NOW_S,
                        .sealed = sealed,
                        .k = 10,
                        .measures = WN_MEASURE_PEOPLE,
                        .dims = {WN_DIM_NONE, WN_DIM_NONE}};
    wn_public_row r = {.people = people};
    snprintf(h.site, sizeof h.site, "%s", site);
    snprintf(h.table, sizeof h.table, "traffic");
    note(p, WN_LEDGER_KEYS_BORN, &h.window);
    cr_assert_eq(wn_published_begin(p), WN_OK);
    cr_assert_eq(wn_published_rows(p, &h, &r, 1), WN_OK);
    cr_assert_eq(wn_published_counts(p, wn_site_tag(site), &h.window, 10, 20), WN_OK);
    cr_assert_eq(wn_published_tick(p, &h.window, 3, sealed, NOW_S), WN_OK);
    cr_assert_eq(wn_published_commit(p), WN_OK);
}

static uint32_t people_of(const wn_published *p, const char *site, int32_t day);
static bool first(void *ctx, const wn_public_head *h, const wn_public_row *rows, size_t n) {
    (void)h;
    *(uint32_t *)ctx = n ? rows[0].people : 0;
    return true;
}
static uint32_t people_of(const wn_published *p, const char *site, int32_t day) {
    uint32_t people = 0;
    wn_window w = day_window(day);
    cr_assert_eq(wn_published_scan(p, site, "traffic", w.start_s, w.start_s + 1, first, &people), WN_OK);
    return people;
}
static void add_count(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped) {
    (void)start_s;
    *(uint64_t *)ctx += refused + capped;
}
static uint64_t counts_of(const wn_published *p, const char *site) {
    uint64_t n = 0;
    cr_assert_eq(wn_published_counts_scan(p, site, 0, INT64_MAX, add_count, &n), WN_OK);
    return n;
}

static bool is_sealed(const wn_published *p, int32_t day) {
    wn_window w = day_window(day);
    uint64_t tick;
    bool sealed;
    cr_assert_eq(wn_published_window(p, &w, &tick, &sealed), WN_OK);
    return sealed;
}

static wn_ledger_check verified(const wn_published *p) {
    wn_ledger_check c;
    cr_assert_eq(wn_published_ledger_verify(p, NULL, &c), WN_OK);
    cr_assert(c.ok);
    return c;
}

static wn_backup_info back_up(int64_t at_s) {
    wn_backup_info info, again;
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    cr_assert_eq(wn_backup_write(store, key, fd, at_s, NULL, NULL, &info), WN_OK);
    cr_assert_eq(wn_backup_check(fd, key, NULL, NULL, &again), WN_OK);
    cr_assert_arr_eq(info.digest, again.digest, 32);
    cr_assert(info.rows == again.rows && info.bytes == again.bytes && again.made_at_s == at_s);
    return info;
}

static wn_purge_list *purges(void) {
    char path[256];
    wn_purge_list *l = NULL;
    snprintf(path, sizeof path, "%s/purges", other);
    cr_assert_eq(wn_purge_list_open(path, true, &l), WN_OK);
    return l;
}

static wn_err restore_to(wn_published *p, const wn_purge_list *l, int64_t now_s, wn_restored *out,
                         wn_restore_fault *fault) {
    wn_restore_ask ask = {.fd = fd, .key = key, .purges = {l}, .now_s = now_s};
    return wn_restore(p, &ask, out, fault);
}

Test(backup, comes_back_whole_into_a_store_under_another_key) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    publish(store, "a", 20000, 30, true);
    publish(store, "b", 20001, 40, true);
    wn_backup_info info = back_up(NOW_S);
    cr_assert(info.rows == 2 && info.windows == 2 && info.ledger_number == 2);
    cr_assert_eq(restore_to(fresh, l, NOW_S + 5, &done, &fault), WN_OK);
    cr_assert(done.rows == 2 && done.windows == 2 && done.entries == 2 && done.rows_purged == 0);
    cr_assert(people_of(fresh, "a", 20000) == 30 && people_of(fresh, "b", 20001) == 40);
    cr_assert_eq(counts_of(fresh, "a"), 30);
    cr_assert(is_sealed(fresh, 20000) && is_sealed(fresh, 20001));
    cr_assert_eq(verified(fresh).count, 3, "and one entry that says so");
    cr_assert_eq(restore_to(fresh, l, NOW_S + 6, &done, &fault), WN_OK, "twice changes nothing more");
    cr_assert(done.rows == 0 && done.windows_kept == 2 && done.entries == 0);
    wn_purge_list_close(l);
}

Test(backup, without_a_purge_list_nothing_comes_back) {
    wn_restored done;
    wn_restore_fault fault;
    publish(store, "a", 20000, 30, true);
    (void)back_up(NOW_S);
    cr_assert_eq(restore_to(fresh, NULL, NOW_S, &done, &fault), WN_ERR_STATE);
    cr_assert_eq(fault, WN_RESTORE_NO_PURGE_LIST);
    cr_assert_eq(people_of(fresh, "a", 20000), 0);
    cr_assert_eq(verified(fresh).count, 0);
}

Test(backup, a_site_purged_since_stays_away) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    const char *const sites[] = {"purged", "asked", "before"};
    for (size_t i = 0; i < WN_COUNT(sites); i++) {
        wn_purge p = {.kind = WN_PURGE_SITE, .tag = wn_site_tag(sites[i]), .asked_at_s = NOW_S - 100};
        snprintf(p.site, sizeof p.site, "%s", sites[i]);
        p.name[0] = (uint8_t)(i + 1);
        publish(store, sites[i], 20000 + (int32_t)i, 30, true);
        cr_assert_eq(wn_purge_list_add(l, &p), WN_OK);
        if (i != 1) cr_assert_eq(wn_purge_list_done(l, p.name, i == 0 ? NOW_S : NOW_S - 1), WN_OK);
    }
    publish(store, "kept", 20003, 40, true);
    (void)back_up(NOW_S);
    cr_assert_eq(restore_to(fresh, l, NOW_S + 9, &done, &fault), WN_OK);
    cr_assert(done.rows == 2 && done.rows_purged == 2);
    cr_assert_eq(people_of(fresh, "purged", 20000), 0);
    cr_assert_eq(people_of(fresh, "asked", 20001), 0, "a purge that is not done yet");
    cr_assert_eq(counts_of(fresh, "purged"), 0);
    cr_assert_eq(people_of(fresh, "before", 20002), 30, "rows counted after their site's purge");
    cr_assert_eq(people_of(fresh, "kept", 20003), 40);
    wn_purge_list_close(l);
}

Test(backup, what_is_here_stays_and_no_window_is_published_twice) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    wn_window kind = day_window(20000), born = day_window(20002);
    publish(store, "a", 20000, 30, true);
    publish(store, "a", 20001, 10, false);   // open at the backup
    note(store, WN_LEDGER_KEYS_BORN, &born); // and one without a tick
    (void)back_up(day_window(20002).start_s);
    publish(store, "a", 20003, 10, false); // open now, unknown to the backup
    int64_t now_s = day_window(20004).start_s + 10;
    wn_restore_ask ask = {
        .fd = fd, .key = key, .purges = {NULL, l}, .kinds = &kind, .kinds_n = 1, .now_s = now_s};
    cr_assert_eq(wn_restore(store, &ask, &done, &fault), WN_OK);
    cr_assert(done.rows == 0 && done.windows_kept == 2 && done.entries == 0);
    for (int32_t day = 20000; day <= 20004; day++) cr_assert(is_sealed(store, day), "%d", day);
    cr_assert_not(is_sealed(store, 20005), "not begun");
    wn_window w = day_window(20001);
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_tick(store, &w, 4, false, now_s), WN_ERR_SEALED);
    wn_published_abort(store);
    cr_assert_eq(people_of(store, "a", 20003), 10);
    wn_purge_list_close(l);
}

Test(backup, a_window_begun_before_a_restore_counts_as_sealed_though_nobody_knew_it) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    publish(store, "a", 20000, 30, true);
    (void)back_up(day_window(20001).start_s);
    int64_t now_s = day_window(20010).start_s + 1;
    // Of a zone or kind that no site has any more, or imported: neither ledger nor sites know them.
    wn_window old = day_window(19000), open = day_window(20010), next = day_window(20011), app = old;
    app.kind = WN_KIND_APP;
    cr_assert_not(is_sealed(fresh, 19000), "before it");
    cr_assert_eq(restore_to(fresh, l, now_s, &done, &fault), WN_OK);
    const wn_window *const begun[] = {&old, &app, &open};
    for (size_t i = 0; i < WN_COUNT(begun); i++) {
        uint64_t tick = 0;
        bool sealed = false;
        cr_assert_eq(wn_published_window(fresh, begun[i], &tick, &sealed), WN_OK);
        cr_assert(sealed, "window %zu", i);
    }
    cr_assert_not(is_sealed(fresh, 20011), "what begins after it is counted");
    cr_assert_eq(wn_published_begin(fresh), WN_OK);
    cr_assert_eq(wn_published_tick(fresh, &next, 1, false, now_s), WN_OK);
    cr_assert_eq(wn_published_commit(fresh), WN_OK);
    cr_assert_eq(restore_to(fresh, l, day_window(20011).start_s, &done, &fault), WN_OK, "a second one");
    cr_assert(is_sealed(fresh, 20010) && is_sealed(fresh, 19000));
    wn_purge_list_close(l);
}

static unsigned asked_ready;
static wn_err not_ready(void *ctx) {
    cr_assert_eq(ctx, fresh);
    cr_assert_eq(people_of(fresh, "a", 20000), 0);
    return ++asked_ready == 1 ? WN_ERR_IO : WN_OK;
}

Test(backup, what_must_be_kept_first_is_kept_before_a_row_is_back) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    publish(store, "a", 20000, 30, true);
    wn_backup_info info = back_up(NOW_S);
    wn_restore_ask ask = {
        .fd = fd, .key = key, .purges = {l}, .now_s = NOW_S, .ready = not_ready, .ctx = fresh};
    cr_assert_eq(wn_restore(fresh, &ask, &done, &fault), WN_ERR_IO);
    cr_assert_eq(fault, WN_RESTORE_READY);
    cr_assert(people_of(fresh, "a", 20000) == 0 && verified(fresh).count == 0);
    cr_assert_not(is_sealed(fresh, 20000));
    cr_assert_eq(wn_restore(fresh, &ask, &done, &fault), WN_OK);
    cr_assert(asked_ready == 2 && people_of(fresh, "a", 20000) == 30);
    cr_assert_eq(pwrite(fd, "x", 1, (off_t)info.bytes), 1);
    cr_assert_eq(wn_restore(fresh, &ask, &done, &fault), WN_ERR_CORRUPT);
    cr_assert_eq(asked_ready, 2, "a file that is not authentic changes nothing");
    wn_purge_list_close(l);
}

Test(backup, each_list_and_each_of_its_entries_keeps_a_site_away) {
    wn_restored done;
    wn_restore_fault fault;
    char path[256];
    wn_purge_list *here = purges(), *given = NULL;
    snprintf(path, sizeof path, "%s/given", other);
    cr_assert_eq(wn_purge_list_open(path, true, &given), WN_OK);
    // The newest entry of "twice" was done before the backup, an older one after it: lists were merged.
    const int64_t done_s[] = {NOW_S + 9, NOW_S - 9};
    for (uint8_t i = 0; i < 2; i++) {
        wn_purge p = {.kind = WN_PURGE_SITE, .tag = wn_site_tag("twice"), .site = "twice", .name = {i}};
        cr_assert_eq(wn_purge_list_add(here, &p), WN_OK);
        cr_assert_eq(wn_purge_list_done(here, p.name, done_s[i]), WN_OK);
    }
    wn_purge p = {.kind = WN_PURGE_SITE, .tag = wn_site_tag("given"), .site = "given", .name = {7}};
    cr_assert_eq(wn_purge_list_add(given, &p), WN_OK);
    publish(store, "twice", 20000, 30, true);
    publish(store, "given", 20001, 30, true);
    publish(store, "kept", 20002, 30, true);
    (void)back_up(NOW_S);
    wn_restore_ask ask = {.fd = fd, .key = key, .purges = {given, here, NULL}, .now_s = NOW_S};
    cr_assert_eq(wn_restore(fresh, &ask, &done, &fault), WN_OK);
    cr_assert(done.rows == 1 && done.rows_purged == 2 && people_of(fresh, "kept", 20002) == 30);
    wn_purge_list_close(here);
    wn_purge_list_close(given);
}

Test(backup, a_ledger_that_began_elsewhere_is_refused) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    publish(store, "a", 20000, 30, true);
    (void)back_up(NOW_S);
    note(fresh, WN_LEDGER_INSTALL, NULL);
    cr_assert_eq(restore_to(fresh, l, NOW_S, &done, &fault), WN_ERR_STATE);
    cr_assert_eq(fault, WN_RESTORE_FORK);
    cr_assert(people_of(fresh, "a", 20000) == 0 && verified(fresh).count == 1);
    wn_purge_list_close(l);
}

Test(backup, a_flipped_cut_or_longer_file_changes_nothing) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    for (int32_t day = 20000; day < 20004; day++) publish(store, "a", day, 30, true);
    wn_backup_info info = back_up(NOW_S), out;
    uint8_t wrong[32] = {6}, byte;
    for (off_t at = 0; at < (off_t)info.bytes; at++) {
        cr_assert_eq(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
        cr_assert_neq(wn_backup_check(fd, key, NULL, NULL, &out), WN_OK, "byte %d", (int)at);
        if (at % 97 == 0) {
            cr_assert_neq(restore_to(fresh, l, NOW_S, &done, &fault), WN_OK);
            cr_assert_eq(fault, WN_RESTORE_FILE);
        }
        byte ^= 1;
        cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    }
    cr_assert_eq(wn_backup_check(fd, wrong, NULL, NULL, &out), WN_ERR_CORRUPT);
    cr_assert_eq(pwrite(fd, "x", 1, (off_t)info.bytes), 1);
    cr_assert_eq(wn_backup_check(fd, key, NULL, NULL, &out), WN_ERR_CORRUPT, "longer");
    for (off_t n = (off_t)info.bytes - 1; n >= 0; n -= n > 300 ? 13 : 1) {
        cr_assert_eq(ftruncate(fd, n), 0);
        cr_assert_neq(wn_backup_check(fd, key, NULL, NULL, &out), WN_OK, "cut at %d", (int)n);
    }
    cr_assert_eq(verified(fresh).count, 0);
    wn_purge_list_close(l);
}

Test(backup, nothing_in_the_file_can_be_read_without_its_key) {
    publish(store, "planted-site", 20000, 30, true);
    (void)back_up(NOW_S);
    cr_assert_not(file_holds(folder, "file", "planted", 7));
    cr_assert_not(file_holds(folder, "file", "Berlin", 6));
    cr_assert_not(file_holds(folder, "file", key, 8));
    cr_assert(file_holds(folder, "file", "WNBACKUP", 8), "the search sees what is there");
}

Test(backup, of_more_than_one_box) {
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    for (int32_t day = 0; day < 700; day++) publish(store, "a", 19000 + day, 30, true);
    wn_backup_info info = back_up(NOW_S);
    cr_assert_gt(info.bytes, WN_BACKUP_BOX_BYTES);
    cr_assert_eq(restore_to(fresh, l, NOW_S, &done, &fault), WN_OK);
    cr_assert_eq(done.rows, 700);
    wn_purge_list_close(l);
}

// ---- retention ----

static uint64_t retain(const wn_policy *policy, int64_t now_s) {
    uint64_t rows = 0;
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_retain(store, policy, now_s, &rows), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    return rows;
}

Test(backup, rows_past_their_site_s_retention_go_and_markers_stay) {
    wn_site_policy own[] = {{.site = "short", .retention_days = 3},
                            {.site = "for_ever", .retention_days = 0}};
    wn_policy policy = {.defaults = {.retention_days = 10}, .sites = own, .sites_n = 2};
    const char *const sites[] = {"short", "for_ever", "plain"};
    for (size_t i = 0; i < 3; i++) publish(store, sites[i], 20000 + (int32_t)i * 100, 30, true);
    publish(store, "short", 20001, 40, true);
    int64_t end_s = day_window(20000).end_s;
    uint64_t before = verified(store).count;
    cr_assert_eq(retain(&policy, end_s + 3 * 86400), 0, "to the second");
    cr_assert_eq(verified(store).count, before, "nothing to say");
    cr_assert_eq(retain(&policy, end_s + 3 * 86400 + 1), 1);
    cr_assert_eq(verified(store).count, before + 1);
    cr_assert_eq(people_of(store, "short", 20000), 0);
    cr_assert_eq(people_of(store, "short", 20001), 40);
    cr_assert_eq(counts_of(store, "short"), 30, "of the day that stays");
    cr_assert(is_sealed(store, 20000));
    cr_assert_eq(retain(&policy, day_window(20200).end_s + 10 * 86400 + 1), 2);
    cr_assert_eq(people_of(store, "plain", 20200), 0, "the default's");
    cr_assert_eq(people_of(store, "for_ever", 20100), 30);
}

// ---- the head kept elsewhere ----

Test(backup, a_store_that_was_cut_or_swapped_is_found_by_the_head) {
    char path[256], env[256];
    wn_ledger_check c;
    uint64_t number;
    uint8_t digest[32], last[8] = {0, 0, 0, 0, 0, 0, 0, 4};
    snprintf(path, sizeof path, "%s/head", folder);
    cr_assert_eq(wn_published_keep_head(store, path, &c), WN_OK);
    cr_assert_eq(wn_published_install(store, 1), WN_OK);
    cr_assert_eq(wn_published_install(store, 1), WN_OK, "once");
    for (unsigned i = 0; i < 3; i++) note(store, WN_LEDGER_EPOCH, NULL);
    cr_assert_eq(wn_head_read(path, &number, digest), WN_OK);
    cr_assert_eq(number, 4);
    cr_assert_eq(wn_published_keep_head(fresh, path, &c), WN_ERR_CORRUPT, "another store");
    cr_assert_eq(c.fault, WN_LEDGER_CUT);
    wn_published_close(store);
    MDB_val k = {8, last};
    snprintf(env, sizeof env, "%s/published", folder);
    raw_edit(env, "ledger", raw_delete, &k);
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &store), WN_OK);
    cr_assert_eq(wn_published_keep_head(store, path, &c), WN_ERR_CORRUPT);
    cr_assert(c.fault == WN_LEDGER_CUT && c.bad_number == 4);
    cr_assert_eq(wn_published_accept_head(store, path), WN_OK);
    cr_assert_eq(wn_published_keep_head(store, path, &c), WN_OK);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(wn_published_keep_head(store, path, &c), WN_ERR_NOTFOUND);
}

Test(backup, a_torn_head_leaves_the_one_before) {
    char path[256];
    uint64_t number = 0;
    uint8_t digest[32] = {1}, out[32], byte = 0x5A;
    snprintf(path, sizeof path, "%s/head", folder);
    cr_assert_eq(wn_head_read(path, &number, out), WN_ERR_NOTFOUND);
    for (uint64_t i = 1; i <= 7; i++) cr_assert_eq(wn_head_write(path, i, digest), WN_OK);
    int f = open(path, O_RDWR);
    cr_assert_eq(pwrite(f, &byte, 1, 512 + 20), 1); // 7 stands in the second sector
    cr_assert_eq(wn_head_read(path, &number, out), WN_OK);
    cr_assert_eq(number, 6);
    cr_assert_eq(pwrite(f, &byte, 1, 20), 1);
    cr_assert_eq(wn_head_read(path, &number, out), WN_ERR_CORRUPT);
    close(f);
}

// ---- what the ledger is told ----

Test(backup, plan_policy_and_transfers_are_told_once) {
    wn_plan plan = {.version = 3, .n = 2, .receivers_n = 1, .digest = {1}};
    wn_public_head h = {.window = day_window(20000), .policy_version = 2, .site = "a", .table = "pages"};
    uint8_t content[32] = {7};
    plan.table[0].receivers = 1;
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(wn_published_plan(store, &plan, 1), WN_OK);
        cr_assert_eq(wn_published_policy(store, 77, 2, 1), WN_OK);
        cr_assert_eq(wn_published_policy(store, 78, 3, 1), WN_OK);
    }
    cr_assert_eq(verified(store).count, 3);
    plan.table[1].profile = WN_PROFILE_NOISE;
    plan.table[1].receivers = 1;
    plan.digest[0] = 2;
    cr_assert_eq(wn_published_plan(store, &plan, 1), WN_OK);
    cr_assert_eq(verified(store).count, 4);
    wn_transfer t = {.rows_done = 9, .refused = 2}, half = {.begun = true};
    wn_public_head ages = h;
    strcpy(ages.table, "ages");
    cr_assert_eq(wn_published_begin(store), WN_OK);
    cr_assert_eq(wn_published_transfer_begun(store, "partner", &ages, &t, 4, content, 5), WN_ERR_FORMAT,
                 "not begun");
    cr_assert_eq(wn_published_transfer_begun(store, "", &ages, &half, 4, content, 5), WN_ERR_FORMAT);
    cr_assert_eq(wn_published_transfer_begun(store, "partner", &ages, &half, 4, content, 5), WN_OK);
    cr_assert_eq(wn_published_transfer_done(store, "partner", &h, &t, content, 5), WN_ERR_FORMAT, "not done");
    t.done = true;
    cr_assert_eq(wn_published_transfer_done(store, "", &h, &t, content, 5), WN_ERR_FORMAT);
    cr_assert_eq(wn_published_transfer_done(store, "partner", &h, &t, content, 5), WN_OK);
    cr_assert_eq(wn_published_commit(store), WN_OK);
    cr_assert_eq(verified(store).count, 6);
    // A receiver is not sent again what it has, though the cursors are not in the backup.
    wn_restored done;
    wn_restore_fault fault;
    wn_purge_list *l = purges();
    (void)back_up(NOW_S);
    cr_assert_eq(restore_to(fresh, l, NOW_S, &done, &fault), WN_OK);
    t = (wn_transfer){0};
    cr_assert_eq(wn_published_transfer(fresh, "partner", "a", "pages", &h.window, &t), WN_OK);
    cr_assert(t.done && t.rows_done == 7 && !t.unsure);
    cr_assert_eq(wn_published_transfer(fresh, "partner", "a", "ages", &h.window, &t), WN_OK);
    cr_assert(t.begun && !t.done && t.rows_done == 0, "half sent: sent again, and not announced again");
    cr_assert(t.unsure, "and not again to one that knows no repeats");
    wn_purge_list_close(l);
}
