// SPDX-License-Identifier: Apache-2.0
// What outlasts a restore onto nothing: purge lists of both roles, and the keys; what is here stays.
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "restore_keep.h"

static char dir[] = "/tmp/winnow-restore-XXXXXX";
static char aggregator[64], collector[64], file[64];
static wn_slots *slots;
static wn_purge_list *given;
static const uint8_t then[32] = {1}; // the key of the collector that is gone

static void make(char out[64], const char *name) {
    char keys[80];
    snprintf(out, 64, "%s/%s", dir, name);
    snprintf(keys, sizeof keys, "%s/keys", out);
    cr_assert(mkdir(out, 0700) == 0 && mkdir(keys, 0700) == 0);
}

static void path_of(char out[96], const char *role, const char *name) {
    snprintf(out, 96, "%s/keys/%s", role, name);
}

static wn_purge purge(const char *site, const char *org, const uint8_t key[32]) {
    wn_purge p = {.kind = org ? WN_PURGE_ORG : WN_PURGE_SITE, .tag = wn_site_tag(site), .asked_at_s = 10};
    snprintf(p.site, sizeof p.site, "%s", site);
    wn_span name = {(const uint8_t *)org, org ? strlen(org) : 0};
    wn_purge_name(key, p.tag, name, p.name);
    return p;
}

static void begin(void) {
    char path[96];
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_not_null(mkdtemp(dir));
    make(aggregator, "aggregator");
    make(collector, "collector");
    path_of(path, aggregator, "slots");
    cr_assert_eq(wn_slots_open(path, false, &slots), WN_OK);
    snprintf(file, sizeof file, "%s/kept", dir);
    cr_assert_eq(wn_purge_list_open(file, true, &given), WN_OK);
    wn_purge done = purge("gone", NULL, then), open = purge("shop", "Acme", then);
    cr_assert_eq(wn_purge_list_add(given, &done), WN_OK);
    cr_assert_eq(wn_purge_list_done(given, done.name, 20), WN_OK);
    cr_assert_eq(wn_purge_list_add(given, &open), WN_OK);
}

static void end(void) {
    char command[128];
    wn_slots_close(slots);
    wn_purge_list_close(given);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(restore_keep, .init = begin, .fini = end);

static wn_restore_kept keep(const wn_backup_keys *keys) {
    wn_restore_kept kept = {.orgs_unknown = 99};
    cr_assert_eq(wn_restore_keep(aggregator, collector, slots, given, keys, &kept), WN_OK);
    return kept;
}

static wn_purge_list *list_of(const char *role) {
    char path[96];
    wn_purge_list *l = NULL;
    struct stat st;
    path_of(path, role, "purges");
    cr_assert_eq(wn_purge_list_open(path, false, &l), WN_OK, "%s", path);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    return l;
}

static void expect_both(size_t n) {
    const char *const roles[] = {aggregator, collector};
    for (size_t i = 0; i < 2; i++) {
        wn_purge gone = purge("gone", NULL, then), acme = purge("shop", "Acme", then);
        wn_purge_list *l = list_of(roles[i]);
        cr_assert_eq(wn_purge_list_count(l), n);
        cr_assert_eq(wn_purge_list_find(l, gone.name)->done_at_s, 20);
        cr_assert_eq(wn_purge_list_find(l, gone.name)->asked_at_s, 10);
        cr_assert_eq(wn_purge_list_find(l, acme.name)->done_at_s, 0, "an open one ends here");
        wn_purge_list_close(l);
    }
}

Test(restore_keep, both_roles_know_what_was_purged_and_by_which_key) {
    wn_backup_keys keys = {.backup = {5}, .purge = {1}, .has_purge = true};
    char path[96];
    uint8_t key[32];
    wn_slots *s = NULL;
    wn_purge_list *l = NULL;
    wn_restore_kept kept = keep(&keys);
    cr_assert(!kept.other_backup_key && kept.orgs_unknown == 0);
    expect_both(2);
    cr_assert_eq(wn_slots_get(slots, WN_BACKUP_SLOT, key), WN_OK);
    cr_assert_arr_eq(key, keys.backup, 32);
    // As the collector begins: Acme is refused under its name of then.
    path_of(path, collector, "slots");
    cr_assert_eq(wn_slots_open(path, false, &s), WN_OK);
    path_of(path, collector, "purges");
    cr_assert_eq(wn_purge_list_begin(path, s, key, &l), WN_OK);
    wn_purge acme = purge("shop", "Acme", key);
    cr_assert_not_null(wn_purge_list_find(l, acme.name));
    wn_purge_list_close(l);
    wn_slots_close(s);
    kept = keep(&keys);
    cr_assert(!kept.other_backup_key && kept.orgs_unknown == 0, "twice changes nothing");
    expect_both(2);
}

Test(restore_keep, without_its_key_an_organisation_is_said_to_be_unknown) {
    wn_backup_keys keys = {.backup = {5}};
    cr_assert_eq(keep(&keys).orgs_unknown, 1);
    cr_assert_eq(keep(NULL).orgs_unknown, 0, "its own list by now");
    expect_both(2);
}

Test(restore_keep, what_is_here_stays) {
    wn_backup_keys keys = {.backup = {5}, .purge = {1}, .has_purge = true};
    char path[96];
    uint8_t key[32], now[32];
    wn_slots *s = NULL;
    wn_purge_list *l = NULL;
    cr_assert_eq(wn_slots_make(slots, WN_BACKUP_SLOT, key), WN_OK);
    path_of(path, collector, "slots");
    cr_assert_eq(wn_slots_open(path, false, &s), WN_OK);
    path_of(path, collector, "purges");
    cr_assert_eq(wn_purge_list_begin(path, s, now, &l), WN_OK);
    wn_purge own = purge("shop", "Bolt", now), gone = purge("gone", NULL, then);
    cr_assert_eq(wn_purge_list_add(l, &own), WN_OK);
    cr_assert_eq(wn_purge_list_add(l, &gone), WN_OK); // open here, done in what is given
    wn_purge_list_close(l);
    wn_restore_kept kept = {.orgs_unknown = 0};
    cr_assert_eq(wn_restore_keep(aggregator, collector, slots, given, &keys, &kept), WN_ERR_BUSY, "it runs");
    wn_slots_close(s);
    kept = keep(&keys);
    cr_assert(kept.other_backup_key);
    cr_assert_eq(wn_slots_get(slots, WN_BACKUP_SLOT, now), WN_OK);
    cr_assert_arr_eq(key, now, 32);
    l = list_of(collector);
    cr_assert_eq(wn_purge_list_count(l), 3);
    cr_assert_not_null(wn_purge_list_find(l, own.name));
    cr_assert_eq(wn_purge_list_find(l, gone.name)->done_at_s, 0);
    wn_purge_list_close(l);
}

Test(restore_keep, a_damaged_list_here_is_not_written_over) {
    char path[96];
    uint8_t zeros[16] = {0};
    wn_restore_kept kept;
    path_of(path, aggregator, "purges");
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    cr_assert_eq(write(fd, zeros, sizeof zeros), (ssize_t)sizeof zeros);
    close(fd);
    cr_assert_eq(wn_restore_keep(aggregator, collector, slots, given, NULL, &kept), WN_ERR_CORRUPT);
    struct stat st;
    cr_assert(stat(path, &st) == 0 && st.st_size == (off_t)sizeof zeros);
}
