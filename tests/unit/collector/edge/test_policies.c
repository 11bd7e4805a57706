// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "log.h"
#include "policies.h"

#define POLICY(version) "version: " #version "\ndate: 2026-11-20\n"

static char root[40], dir[64], why[200];
static wn_policies *p;

static void setup(void) {
    wn_log_level(WN_LEVEL_ERROR);
    cr_assert_eq(wn_crypt_init(), WN_OK);
    strcpy(root, "/tmp/wn-policies-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    snprintf(dir, sizeof dir, "%s/policy", root);
}

static void teardown(void) {
    char command[64];
    wn_policies_close(p);
    snprintf(command, sizeof command, "rm -rf %s", root);
    cr_expect_eq(system(command), 0);
}

TestSuite(policies, .init = setup, .fini = teardown);

static wn_err open_with(const char *text) {
    int line;
    wn_policy policy;
    wn_policies_close(p);
    p = NULL;
    cr_assert_eq(wn_policy_load(text, strlen(text), &policy, why, sizeof why, &line), WN_OK, "%s", why);
    wn_err err = wn_policies_open(dir, &policy, why, sizeof why, &p);
    wn_policy_fini(&policy);
    return err;
}

static wn_err put(const char *text) {
    int line;
    wn_policy policy;
    cr_assert_eq(wn_policy_load(text, strlen(text), &policy, why, sizeof why, &line), WN_OK, "%s", why);
    wn_err err = wn_policies_put(p, &policy, why, sizeof why);
    wn_policy_fini(&policy);
    return err;
}

static uint32_t begin(const char *window) {
    uint64_t id = 0;
    uint32_t version = 0;
    cr_assert_eq(wn_policies_begin(p, window, &id, &version), WN_OK);
    return version;
}

static size_t files(void) {
    DIR *d = opendir(dir);
    size_t n = 0;
    cr_assert_not_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) n += strstr(e->d_name, ".yaml") != NULL;
    closedir(d);
    return n;
}

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

Test(policies, a_changed_text_with_an_old_version_is_refused_at_reload_and_at_start) {
    cr_assert_eq(open_with(POLICY(2)), WN_OK);
    cr_assert_eq(put(POLICY(2) "# x\n"), WN_ERR_CONFIG);
    cr_assert_not_null(strstr(why, "raise version to 3"), "%s", why);
    cr_assert_eq(put(POLICY(1)), WN_ERR_CONFIG);
    cr_assert_eq(wn_policies_newest(p)->version, 2u);
    cr_assert_eq(put(POLICY(2)), WN_OK, "the same text is no change");
    cr_assert_eq(open_with(POLICY(1)), WN_ERR_CONFIG, "the last run ended under version 2");
    cr_assert_not_null(strstr(why, "raise version to 3"), "%s", why);
    cr_assert_eq(open_with(POLICY(2)), WN_OK);
    cr_assert_eq(open_with(POLICY(3)), WN_OK);
    cr_assert_eq(files(), 1);
}

Test(policies, each_window_keeps_what_it_began_with_and_old_texts_go_with_their_last_window) {
    cr_assert_eq(open_with(POLICY(1)), WN_OK);
    cr_assert_eq(begin("a"), 1);
    cr_assert_eq(put(POLICY(2)), WN_OK);
    cr_assert_eq(put(POLICY(3)), WN_OK);
    cr_assert_eq(files(), 2, "nobody began with version 2");
    cr_assert_eq(begin("b"), 3);
    cr_assert_eq(begin("a"), 1);
    cr_assert_eq(begin("c"), 3);
    cr_assert_eq(open_with(POLICY(4)), WN_OK);
    cr_assert_eq(files(), 3);
    cr_assert(begin("a") == 1 && begin("b") == 3 && begin("c") == 3 && begin("d") == 4);
    wn_policies_end(p, "b");
    cr_assert_eq(files(), 3, "c began with it, too");
    wn_policies_end(p, "c");
    cr_assert_eq(files(), 2);
    wn_policies_end(p, "c");
    wn_policies_end(p, "a");
    wn_policies_end(p, "d");
    cr_assert_eq(files(), 1, "the newest stays");
    cr_assert_eq(begin("a"), 4);
}

Test(policies, what_is_on_disk_is_the_owners_alone_and_holds_the_text) {
    struct stat st;
    char path[128], text[64] = "", id[17];
    cr_assert_eq(open_with(POLICY(7)), WN_OK);
    begin("a");
    wn_policy_id_text(wn_policies_newest(p)->id, id);
    snprintf(path, sizeof path, "%s/%s.yaml", dir, id);
    cr_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    cr_assert_eq(fread(text, 1, sizeof text - 1, f), strlen(POLICY(7)));
    fclose(f);
    cr_assert_str_eq(text, POLICY(7));
    cr_assert(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
}

Test(policies, without_a_disk_nothing_changes) {
    cr_assert_eq(open_with(POLICY(1)), WN_OK);
    cr_assert_eq(begin("a"), 1);
    char gone[80];
    uint64_t id = 0;
    uint32_t version = 0;
    snprintf(gone, sizeof gone, "%s.gone", dir);
    cr_assert_eq(rename(dir, gone), 0);
    cr_assert_eq(put(POLICY(2)), WN_ERR_IO);
    cr_assert_neq(why[0], '\0');
    cr_assert_eq(wn_policies_newest(p)->version, 1u);
    cr_assert_eq(wn_policies_begin(p, "b", &id, &version), WN_ERR_IO,
                 "no window opens under a policy that could be lost");
    cr_assert_eq(rename(gone, dir), 0);
    cr_assert_eq(put(POLICY(2)), WN_OK);
    cr_assert_eq(begin("b"), 2);
    cr_assert_eq(begin("a"), 1);
}

Test(policies, a_torn_or_strange_list_of_windows_is_refused) {
    static const char *const bad[] = {
        "a",
        "a 0123456789abcdef 1",
        "a 0123456789abcde 1\n",
        "a 0123456789abcdeF 1\n",
        "a 0123456789abcdef 0\n",
        "a 0123456789abcdef 4294967296\n",
        "a 0123456789abcdef x\n",
        " 0123456789abcdef 1\n",
        "a 0123456789abcdef 1\na 0123456789abcdef 1\n",
        "a 0123456789abcdef\n",
        "\n",
    };
    cr_assert_eq(open_with(POLICY(1)), WN_OK);
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        write_file("windows", bad[i]);
        cr_expect_eq(open_with(POLICY(1)), WN_ERR_CORRUPT, "case %zu", i);
    }
    write_file("windows", "");
    cr_expect_eq(open_with(POLICY(1)), WN_OK);
}

Test(policies, files_that_are_none_of_its_own_or_altered_count_for_nothing) {
    cr_assert_eq(open_with(POLICY(1)), WN_OK);
    write_file("0123456789abcdef.yaml", POLICY(9));
    write_file("0123456789abcdee.yaml", "not: a policy\n");
    write_file("0123456789abcdee.yaml.new", POLICY(9));
    cr_assert_eq(open_with(POLICY(2)), WN_OK);
    cr_assert_eq(wn_policies_count(p), 1);
    write_file("windows", "a 0123456789abcdef 9\n");
    cr_assert_eq(open_with(POLICY(2)), WN_OK);
    uint64_t id = 0;
    uint32_t version = 0;
    cr_assert_eq(wn_policies_begin(p, "a", &id, &version), WN_ERR_CORRUPT);
    cr_assert_eq(version, 9u);
}

Test(policies, an_event_finds_both_policies_of_its_site_also_after_a_reload) {
    static const wn_site shop = {.name = "shop", .tag = 1},
                         same_slot = {.name = "blog", .tag = 1 + (UINT64_C(1) << 20)};
    const wn_site_policy *of[2], *other[2];
    cr_assert_eq(open_with(POLICY(1) "sites: [{site: shop, retention_days: 1}]\n"), WN_OK);
    uint64_t first = wn_policies_newest(p)->id;
    begin("a");
    wn_policies_of(p, &shop, first, of);
    cr_assert(of[0] == of[1] && of[0]->retention_days == 1);
    wn_policies_of(p, &same_slot, first, other);
    cr_assert_eq(other[0]->retention_days, 0);
    cr_assert_eq(put(POLICY(2) "sites: [{site: shop, retention_days: 2}]\n"), WN_OK);
    wn_policies_of(p, &shop, first, of);
    cr_assert(of[0]->retention_days == 1 && of[1]->retention_days == 2);
    wn_policies_of(p, &shop, wn_policies_newest(p)->id, of);
    cr_assert(of[0] == of[1] && of[1]->retention_days == 2);
    wn_policies_of(p, &shop, 12345, of);
    cr_assert(of[0] == of[1] && of[1]->retention_days == 2, "a lost policy: the newest holds");
}

Test(policies, the_built_in_policy_needs_no_disk) {
    cr_assert_eq(wn_policies_builtin(&p), WN_OK);
    cr_assert_geq(begin("a"), 1u);
    cr_assert_eq(put("version: 1000000\ndate: 2026-11-20\n"), WN_OK);
    cr_assert_eq(begin("b"), 1000000u);
}

Test(policies, the_last_in_force_is_found_without_a_change) {
    wn_policy last;
    cr_expect_eq(wn_policies_last(dir, &last), WN_ERR_NOTFOUND);
    cr_assert_eq(open_with(POLICY(2)), WN_OK);
    begin("2026-11-20.web.UTC");
    cr_assert_eq(put(POLICY(9)), WN_OK);
    size_t before = files();
    cr_assert_eq(wn_policies_last(dir, &last), WN_OK);
    cr_expect_eq(last.version, 9);
    cr_expect_eq(files(), before);
    wn_policy_fini(&last);
}
