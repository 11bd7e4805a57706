// SPDX-License-Identifier: Apache-2.0
// The purge list at its edges: what is cut off, damaged, full, lost or asked twice.
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purge_list.h"
#include "slots.h"

static char dir[] = "/tmp/winnow-purges-XXXXXX", path[64], slots_path[64];
static const uint8_t key[32] = {7};

static void begin(void) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/purges", dir);
    snprintf(slots_path, sizeof slots_path, "%s/slots", dir);
}

static void end(void) {
    unlink(path), unlink(slots_path), rmdir(dir);
}

TestSuite(purge_list, .init = begin, .fini = end);

static wn_span text(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

static wn_purge purge(const char *site, const char *org, int64_t asked_at_s) {
    wn_purge p = {.kind = org != NULL ? WN_PURGE_ORG : WN_PURGE_SITE, .asked_at_s = asked_at_s};
    strcpy(p.site, site);
    p.tag = wn_site_tag(site);
    wn_purge_name(key, p.tag, org != NULL ? text(org) : (wn_span){NULL, 0}, p.name);
    return p;
}

static wn_purge_list *opened(bool make) {
    wn_purge_list *l = NULL;
    cr_assert_eq(wn_purge_list_open(path, make, &l), WN_OK);
    return l;
}

static off_t size_of_file(void) {
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    return st.st_size;
}

Test(purge_list, is_missing_until_a_daemon_makes_it) {
    wn_purge_list *l = NULL;
    cr_expect_eq(wn_purge_list_open(path, false, &l), WN_ERR_NOTFOUND);
    l = opened(true);
    cr_expect_eq(wn_purge_list_count(l), 0);
    cr_expect_eq(wn_purge_list_oldest_open(l), 0);
    wn_purge_list_close(l);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    wn_purge_list_close(opened(false));
}

Test(purge_list, keeps_what_was_asked_and_done) {
    wn_purge_list *l = opened(true);
    wn_purge a = purge("shop", NULL, 100), b = purge("shop", "Acme", 50);
    cr_assert_eq(wn_purge_list_add(l, &a), WN_OK);
    cr_assert_eq(wn_purge_list_add(l, &b), WN_OK);
    cr_assert_eq(wn_purge_list_add(l, &b), WN_OK);
    cr_expect_eq(wn_purge_list_count(l), 2, "asked twice is asked once");
    cr_expect_eq(wn_purge_list_oldest_open(l), 50);
    cr_assert_eq(wn_purge_list_done(l, b.name, 60), WN_OK);
    cr_assert_eq(wn_purge_list_done(l, b.name, 61), WN_OK);
    wn_purge_list_close(l);
    l = opened(false);
    cr_assert_eq(wn_purge_list_count(l), 2);
    cr_expect_eq(wn_purge_list_find(l, b.name)->done_at_s, 60);
    cr_expect_str_eq(wn_purge_list_find(l, b.name)->site, "shop");
    cr_expect_eq(wn_purge_list_site(l, a.tag)->asked_at_s, 100);
    cr_expect_null(wn_purge_list_site(l, wn_site_tag("other")));
    cr_expect_eq(wn_purge_list_oldest_open(l), 100);
    cr_expect_eq(wn_purge_list_add(l, &a), WN_OK, "open already: nothing to write");
    cr_expect_eq(wn_purge_list_done(l, a.name, 1), WN_ERR_STATE, "only a daemon writes");
    wn_purge_list_close(l);
}

Test(purge_list, asked_again_after_it_was_done_begins_anew) {
    wn_purge_list *l = opened(true);
    wn_purge p = purge("shop", "Acme", 10);
    cr_assert_eq(wn_purge_list_add(l, &p), WN_OK);
    cr_assert_eq(wn_purge_list_done(l, p.name, 20), WN_OK);
    p.asked_at_s = 30;
    cr_assert_eq(wn_purge_list_add(l, &p), WN_OK);
    cr_expect_eq(wn_purge_list_count(l), 2);
    cr_expect_eq(wn_purge_list_find(l, p.name)->done_at_s, 0);
    wn_purge_list_close(l);
}

Test(purge_list, names_tell_sites_and_organisations_apart_and_say_nothing) {
    wn_purge a = purge("shop", NULL, 1), b = purge("shop", "Acme", 1), c = purge("shop", "acme2", 1),
             d = purge("other", "Acme", 1);
    cr_expect(memcmp(a.name, b.name, 32) != 0 && memcmp(b.name, c.name, 32) != 0 &&
              memcmp(b.name, d.name, 32) != 0);
    wn_purge same = purge("shop", " ACME", 1);
    cr_expect_arr_eq(b.name, same.name, 32);
    wn_purge_list *l = opened(true);
    cr_assert_eq(wn_purge_list_add(l, &b), WN_OK);
    wn_purge_list_close(l);
    uint8_t bytes[512];
    FILE *f = fopen(path, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    cr_expect_null(memmem(bytes, n, "Acme", 4));
}

Test(purge_list, a_record_cut_off_at_any_byte_is_dropped_and_written_over) {
    wn_purge_list *l = opened(true);
    off_t empty = size_of_file();
    wn_purge a = purge("shop", "Acme", 1), b = purge("shop", "Bolt", 2);
    cr_assert_eq(wn_purge_list_add(l, &a), WN_OK);
    off_t one = size_of_file();
    cr_assert_eq(wn_purge_list_add(l, &b), WN_OK);
    wn_purge_list_close(l);
    for (off_t cut = one + (one - empty) - 1; cut >= one; cut--) {
        cr_assert_eq(truncate(path, cut), 0);
        l = opened(true);
        cr_assert_eq(wn_purge_list_count(l), 1, "cut at %lld", (long long)cut);
        cr_assert_eq(size_of_file(), one);
        cr_assert_eq(wn_purge_list_add(l, &b), WN_OK);
        wn_purge_list_close(l);
    }
    for (off_t cut = empty - 1; cut >= 0; cut--) { // while it was made
        cr_assert_eq(truncate(path, cut), 0);
        wn_purge_list_close(opened(true));
        cr_assert_eq(size_of_file(), empty);
    }
}

static void flip(off_t at) {
    int fd = open(path, O_RDWR);
    uint8_t byte = 0;
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

Test(purge_list, damage_before_the_last_record_is_refused_byte_for_byte) {
    wn_purge_list *l = opened(true), *none = NULL;
    off_t empty = size_of_file();
    wn_purge a = purge("shop", "Acme", 1), b = purge("shop", "Bolt", 2);
    cr_assert_eq(wn_purge_list_add(l, &a), WN_OK);
    off_t one = size_of_file();
    cr_assert_eq(wn_purge_list_add(l, &b), WN_OK);
    wn_purge_list_close(l);
    for (off_t at = 0; at < one; at++) {
        flip(at);
        wn_err err = wn_purge_list_open(path, true, &none);
        cr_expect_eq(err, at >= 8 && at < empty ? WN_ERR_VERSION : WN_ERR_CORRUPT, "byte %lld: %d",
                     (long long)at, err);
        flip(at);
    }
    l = opened(true);
    cr_expect_eq(wn_purge_list_count(l), 2);
    wn_purge_list_close(l);
}

Test(purge_list, is_full_at_its_limit_and_still_ends_what_it_has) {
    wn_purge_list *l = opened(true);
    char org[16];
    for (int i = 0; i < WN_PURGES_MAX; i++) {
        snprintf(org, sizeof org, "org %d", i);
        wn_purge p = purge("shop", org, i + 1);
        cr_assert_eq(wn_purge_list_add(l, &p), WN_OK);
    }
    wn_purge more = purge("shop", "one more", 1), first = purge("shop", "org 0", 1);
    cr_expect_eq(wn_purge_list_add(l, &more), WN_ERR_FULL);
    cr_expect_eq(wn_purge_list_done(l, first.name, 9), WN_OK);
    wn_purge_list_close(l);
    l = opened(true);
    cr_expect_eq(wn_purge_list_count(l), WN_PURGES_MAX);
    cr_expect_eq(wn_purge_list_oldest_open(l), 2);
    wn_purge_list_close(l);
}

Test(purge_list, tells_of_a_late_purge_from_40_hours_on_once_an_hour) {
    wn_purge_list *l = opened(true);
    int64_t told_s = 0, asked_s = 1795300000;
    wn_purge p = purge("shop", "Acme", asked_s), q = purge("shop", "Bolt", asked_s + 50);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s, &told_s), 0, "none");
    cr_assert_eq(wn_purge_list_add(l, &q), WN_OK);
    cr_assert_eq(wn_purge_list_add(l, &p), WN_OK);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + WN_PURGE_WARN_S - 1, &told_s), 0);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + WN_PURGE_WARN_S, &told_s), 40);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + WN_PURGE_WARN_S + 3599, &told_s), 0, "told");
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + WN_PURGE_WARN_S + 3600, &told_s), 41);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + WN_PURGE_LATE_S + 3600, &told_s), 49, "and goes on");
    told_s = 0;
    cr_assert_eq(wn_purge_list_done(l, p.name, 1), WN_OK);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + 50 + WN_PURGE_WARN_S - 1, &told_s), 0,
                 "the next oldest");
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + 50 + WN_PURGE_WARN_S, &told_s), 40);
    told_s = 0;
    cr_assert_eq(wn_purge_list_done(l, q.name, 1), WN_OK);
    cr_expect_eq(wn_purge_list_late_hours(l, asked_s + 50 + 10 * WN_PURGE_WARN_S, &told_s), 0,
                 "all are done");
    wn_purge_list_close(l);
}

Test(purge_list, of_no_bytes_is_empty_and_a_reader_makes_nothing) {
    wn_purge_list *l = NULL;
    close(open(path, O_CREAT | O_WRONLY, 0600));
    l = opened(false);
    cr_expect_eq(wn_purge_list_count(l), 0);
    wn_purge_list_close(l);
    cr_expect_eq(size_of_file(), 0);
    cr_assert_eq(truncate(path, 5), 0);
    cr_expect_eq(wn_purge_list_open(path, false, &l), WN_ERR_CORRUPT, "cut off is not empty");
}

Test(purge_list, a_lost_file_is_seen_by_its_key) {
    wn_slots *s = NULL;
    wn_purge_list *l = NULL;
    uint8_t first[32], again[32];
    cr_assert_eq(wn_slots_open(slots_path, false, &s), WN_OK);
    cr_assert_eq(wn_purge_list_begin(path, s, first, &l), WN_OK);
    wn_purge_list_close(l);
    cr_assert_eq(wn_purge_list_begin(path, s, again, &l), WN_OK);
    cr_expect_arr_eq(first, again, 32);
    wn_purge_list_close(l);
    unlink(path);
    cr_expect_eq(wn_purge_list_begin(path, s, again, &l), WN_ERR_STATE);
    close(open(path, O_CREAT | O_WRONLY, 0600)); // the operator's word
    cr_assert_eq(wn_purge_list_begin(path, s, again, &l), WN_OK);
    wn_purge_list_close(l);
    wn_slots_close(s);
}
