// SPDX-License-Identifier: Apache-2.0
// Readers' keys: what a file may say, what a key opens, and that no key is in the file.
#include "api_keys.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "crypt.h"

static char folder[] = "/tmp/wn_api_keys_XXXXXX";
static char path[64];
static char why[300];
static int line;

static void setup(void) {
    strcpy(folder, "/tmp/wn_api_keys_XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/api_keys.yaml", folder);
    cr_assert_eq(wn_crypt_init(), WN_OK);
}

static void teardown(void) {
    unlink(path);
    rmdir(folder);
}

TestSuite(api_keys, .init = setup, .fini = teardown);

static wn_err load(const char *text, wn_api_keys *out) {
    if (text) {
        FILE *f = fopen(path, "w");
        cr_assert(f);
        fputs(text, f);
        fclose(f);
    }
    return wn_api_keys_load(path, out, why, sizeof why, &line);
}

#define HASH "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""

Test(api_keys, no_file_is_no_key_and_an_empty_one_asks_for_a_key) {
    wn_api_keys k;
    cr_assert_eq(load(NULL, &k), WN_OK);
    cr_expect(!k.there && k.n == 0);
    static const char *const empty[] = {"", "keys: []\n", "# nothing\n", "{}\n"};
    for (size_t i = 0; i < WN_COUNT(empty); i++) {
        cr_expect_eq(load(empty[i], &k), WN_OK, "%zu: %s", i, why);
        cr_expect(k.there && k.n == 0, "%zu", i);
        wn_api_keys_fini(&k);
    }
}

Test(api_keys, refuses_what_could_open_more_than_was_meant) {
    static const char *const bad[] = {
        "keys: [{name: a}]\n",
        "keys: [{name: a, hash: 12}]\n",
        "keys: [{name: \"a b\", hash: " HASH "}]\n",
        "keys: [{name: a, hash: " HASH ", sites: []}]\n",
        "keys: [{name: a, hash: " HASH ", tables: []}]\n",
        "keys: [{name: a, hash: " HASH ", site: [x]}]\n",
        "keys: [{name: a, hash: " HASH ", sites: [\"-x\"]}]\n",
        "keys: [{name: a, hash: " HASH ", tables: [\"\"]}]\n",
        "keys: [{name: a, hash: " HASH ", receiver: \"\"}]\n",
        "keys: [{name: a, hash: " HASH ", made: yesterday}]\n",
        "keys: [{name: a, hash: " HASH "}, {name: a, hash: " HASH "}]\n",
        "key: []\n",
        "keys: {}\n",
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        wn_api_keys k;
        cr_expect_eq(load(bad[i], &k), WN_ERR_CONFIG, "%zu", i);
        cr_expect(k.there && why[0], "%zu", i);
        cr_expect(!strstr(why, "00112233"), "%zu: quotes a hash", i);
        wn_api_keys_fini(&k);
    }
}

Test(api_keys, comes_back_as_it_was_saved_and_holds_no_key) {
    char text[WN_API_KEY_TEXT_BYTES], file[2000] = "";
    wn_api_key one = {
        .name = "sales", .made = "2026-11-20", .sites_n = 1, .tables_n = 2, .receiver = "partner"};
    strcpy(one.site[0], "shop.example");
    strcpy(one.table[0], "pages");
    strcpy(one.table[1], "countries_share");
    cr_assert_eq(wn_api_key_draw(text, one.hash), WN_OK);
    cr_assert_eq(strlen(text), WN_API_KEY_TEXT_BYTES - 1);
    cr_assert_eq(strncmp(text, "wn_", 3), 0);
    wn_api_keys saved = {&one, 1, true}, k;
    cr_assert_eq(wn_api_keys_save(path, &saved), WN_OK);
    cr_assert_eq(load(NULL, &k), WN_OK, "%s", why);
    cr_assert(k.there && k.n == 1);
    cr_expect_eq(memcmp(&k.key[0], &one, sizeof one), 0);
    FILE *f = fopen(path, "r");
    cr_assert(f && fread(file, 1, sizeof file - 1, f) > 0);
    fclose(f);
    cr_expect(!strstr(file, text + 3));

    const uint8_t *bytes = (const uint8_t *)text;
    cr_expect_eq(wn_api_keys_find(&k, (wn_span){bytes, strlen(text)}), &k.key[0]);
    cr_expect_null(wn_api_keys_find(&k, (wn_span){bytes, strlen(text) - 1}));
    cr_expect_null(wn_api_keys_find(&k, (wn_span){bytes + 3, strlen(text) - 3}));
    cr_expect_null(wn_api_keys_find(&k, (wn_span){bytes, 0}));
    text[10] ^= 1;
    cr_expect_null(wn_api_keys_find(&k, (wn_span){bytes, strlen(text)}));
    char longer[300];
    memset(longer, 'a', sizeof longer);
    cr_expect_null(wn_api_keys_find(&k, (wn_span){(const uint8_t *)longer, sizeof longer}));
    wn_api_keys_fini(&k);
}

Test(api_keys, an_analyst_reads_what_is_listed_or_all) {
    wn_api_key k = {.name = "a"};
    cr_expect(wn_api_key_reads_site(&k, "x") &&
              wn_api_key_reads_table(&k, "pages", WN_PROFILE_CROWD, NULL, 0));
    cr_expect(wn_api_key_reads_table(&k, "pages", WN_PROFILE_NOISE, NULL, 0));
    strcpy(k.site[k.sites_n++], "shop");
    strcpy(k.table[k.tables_n++], "pages");
    cr_expect(wn_api_key_reads_site(&k, "shop") && !wn_api_key_reads_site(&k, "shop2"));
    cr_expect(wn_api_key_reads_table(&k, "pages", WN_PROFILE_CROWD, NULL, 0));
    cr_expect(!wn_api_key_reads_table(&k, "page", WN_PROFILE_CROWD, NULL, 0));
}

// R9: what epsilon says holds against who sees no crowd rows.
Test(api_keys, a_receiver_reads_no_crowd_rows_but_those_listed) {
    static const char mine[1][WN_RECEIVER_BYTES] = {"partner"}, others[1][WN_RECEIVER_BYTES] = {"other"};
    wn_api_key k = {.name = "a", .receiver = "partner"};
    cr_expect(!wn_api_key_reads_table(&k, "pages", WN_PROFILE_CROWD, NULL, 0));
    cr_expect(!wn_api_key_reads_table(&k, "pages", WN_PROFILE_CROWD, mine, 1));
    cr_expect(wn_api_key_reads_table(&k, "pages_noise", WN_PROFILE_NOISE, mine, 1));
    cr_expect(!wn_api_key_reads_table(&k, "pages_noise", WN_PROFILE_NOISE, others, 1));
    cr_expect(!wn_api_key_reads_table(&k, "pages_noise", WN_PROFILE_NOISE, NULL, 0));
    strcpy(k.table[k.tables_n++], "pages");
    cr_expect(wn_api_key_reads_table(&k, "pages", WN_PROFILE_CROWD, mine, 1));
    cr_expect(!wn_api_key_reads_table(&k, "pages_noise", WN_PROFILE_NOISE, mine, 1), "a list is a list");
}

// A list in a key opens nothing that the plan does not name the receiver for.
Test(api_keys, a_receiver_reads_nothing_that_does_not_name_it) {
    static const char two[2][WN_RECEIVER_BYTES] = {"other", "partner"},
                      others[1][WN_RECEIVER_BYTES] = {"other"};
    wn_api_key k = {.name = "a", .receiver = "partner", .table = {"pages"}, .tables_n = 1};
    for (uint8_t profile = 0; profile < WN_PROFILE_N; profile++) {
        cr_expect(!wn_api_key_reads_table(&k, "pages", profile, NULL, 0));
        cr_expect(!wn_api_key_reads_table(&k, "pages", profile, others, 1));
        cr_expect(!wn_api_key_reads_table(&k, "pages", profile, two, 1), "the second is not there");
        cr_expect(wn_api_key_reads_table(&k, "pages", profile, two, 2));
    }
}
