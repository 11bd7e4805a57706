// SPDX-License-Identifier: Apache-2.0
// sites.yaml: what must be refused, and that what is saved comes back.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char why[400], folder[] = "/tmp/wn-sites-XXXXXX", path[64];
static int line;

static void setup(void) {
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sites.yaml", folder);
}

static void teardown(void) {
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "a temporary file was left");
}

static wn_err load(const char *text, wn_sites *out) {
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
    return wn_sites_load(path, out, why, sizeof why, &line);
}

#define SITE(name, zone, rest) "  - name: \"" name "\"\n    zone: " zone "\n" rest

Test(conf_sites, refuses_each_mistake_with_its_line_and_words, .init = setup, .fini = teardown) {
    static const struct {
        const char *text, *says;
        int line;
    } bad[] = {
        {"sites: 3\n", "SEQUENCE", 1},
        {"site:\n", "Unexpected key: site", 1},
        {"sites:\n  - zone: UTC\n", "name", 0},
        {"sites:\n  - name: shop\n", "zone", 0},
        {"sites:\n" SITE("", "UTC", ""), "a-z", 2},
        {"sites:\n" SITE("Shop", "UTC", ""), "a-z", 2},
        {"sites:\n" SITE(".shop", "UTC", ""), "a-z", 2},
        {"sites:\n" SITE("a/../b", "UTC", ""), "a-z", 2},
        {"sites:\n" SITE("a234567890123456789012345678901234567890123456789012345678901234", "UTC", ""), "63",
         2},
        {"sites:\n" SITE("ok", "UTC", "") SITE("shop", "Mars/Olympus", ""), "Mars/Olympus", 5},
        {"sites:\n" SITE("shop", "../UTC", ""), "zone", 3},
        {"sites:\n" SITE("shop", "UTC", "    kind: phone\n"), "web and app", 4},
        {"sites:\n" SITE("shop", "UTC", "    colour: red\n"), "Unexpected key: colour", 4},
        {"sites:\n" SITE("shop", "UTC", "") SITE("shop", "UTC", ""), "two sites are called shop", 4},
        {"sites:\n" SITE("shop", "UTC", "    hosts: [\"https://shop.example\"]\n"), "without scheme", 4},
        {"sites:\n" SITE("shop", "UTC", "    hosts: [\"shop.example:80\"]\n"), "without scheme", 4},
        {"sites:\n" SITE("shop", "UTC", "    hosts: [a,b,c,d,e,f,g,h,i]\n"), "Excessive entries", 4},
        {"sites:\n" SITE("shop", "UTC", "    organisations: perhaps\n"), "true and false", 4},
        {"sites:\n" SITE("shop", "UTC", "    keys: [{key: short}]\n"), "Z85", 4},
        {"sites:\n" SITE("shop", "UTC", "    keys: [{key: \"" KEY_A "\", server: nope}]\n"), "true or false",
         4},
        {"sites:\n" SITE("shop", "UTC", "    keys: [{key: \"" KEY_A "\"}, {key: \"" KEY_A "\"}]\n"), "twice",
         4},
        {"sites:\n" SITE("shop", "UTC", "    sign_key: " HEX "0\n"), "64 hexadecimal", 4},
        {"sites:\n" SITE("shop", "UTC", "    sign_key: x" HEX "\n"), "64 hexadecimal", 4},
        {"sites:\n" SITE("shop", "UTC", "    name: shop\n"), "already seen", 0},
        {"sites: [}\n", "", 1},
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        wn_sites s;
        cr_expect_eq(load(bad[i].text, &s), WN_ERR_CONFIG, "%zu: taken", i);
        cr_expect(strstr(why, bad[i].says), "%zu: says %s", i, why);
        cr_expect(why[0], "%zu: says nothing", i);
        if (bad[i].line) cr_expect_eq(line, bad[i].line, "%zu: line %d, not %d", i, line, bad[i].line);
    }
}

Test(conf_sites, words_about_a_signing_key_never_quote_it, .init = setup, .fini = teardown) {
    wn_sites s;
    cr_assert_eq(load("sites:\n" SITE("shop", "UTC", "    sign_key: 00zz99\n"), &s), WN_ERR_CONFIG);
    cr_assert_null(strstr(why, "zz99"));
}

Test(conf_sites, missing_and_empty_files_are_no_sites, .init = setup, .fini = teardown) {
    wn_sites s = {.n = 9};
    cr_assert_eq(wn_sites_load(path, &s, why, sizeof why, &line), WN_OK);
    cr_assert_eq(s.n, 0);
    cr_assert_eq(load("# nothing\n", &s), WN_OK);
    cr_assert_eq(s.n, 0);
    cr_assert_eq(load("sites: []\n", &s), WN_OK);
    cr_assert_eq(s.n, 0);
    cr_assert_null(wn_sites_by_name(&s, "shop", 4));
    wn_sites_fini(&s);
}

Test(conf_sites, what_is_saved_comes_back_private, .init = setup, .fini = teardown) {
    wn_sites a, b;
    cr_assert_eq(
        load("sites:\n" SITE("shop", "Europe/Berlin",
                             "    organisations: true\n    hosts: [WWW.Shop.example, cdn.shop.example.]\n"
                             "    keys:\n      - {key: \"" KEY_A "\", server: true}\n      - key: \"" KEY_B
                             "\"\n"
                             "    sign_key: " HEX "\n") SITE("app.1", "UTC", "    kind: app\n"),
             &a),
        WN_OK, "%s", why);
    cr_assert_eq(wn_sites_save(path, &a), WN_OK);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(wn_sites_load(path, &b, why, sizeof why, &line), WN_OK, "%s", why);
    cr_assert_eq(b.n, 2);
    cr_assert_eq(memcmp(a.site, b.site, 2 * sizeof *a.site), 0);
    const wn_site *shop = wn_sites_by_name(&b, "shop", 4);
    cr_assert(shop);
    cr_assert_eq(wn_sites_by_tag(&b, shop->tag), shop);
    cr_assert_str_eq(shop->hosts[0], "www.shop.example");
    cr_assert_str_eq(shop->hosts[1], "cdn.shop.example");
    cr_assert(shop->organisations && shop->has_sign_key && shop->keys[0].server && !shop->keys[1].server);
    cr_assert_str_eq(shop->keys[1].key, KEY_B);
    cr_assert_eq(shop->sign_key[31], 0x1f);
    cr_assert_eq(wn_sites_by_name(&b, "app.1", 5)->kind, WN_KIND_APP);
    cr_assert_null(wn_sites_by_name(&b, "app.2", 5));
    cr_assert_null(wn_sites_by_name(&b, "shop", 3));
    cr_assert_null(wn_sites_by_name(&b, "", 0));
    wn_sites_fini(&a);
    wn_sites_fini(&b);
}

Test(conf_sites, saving_where_it_cannot_leaves_the_old_file) {
    wn_sites s = {0};
    cr_assert_eq(wn_sites_save("/nonexistent/sites.yaml", &s), WN_ERR_IO);
}

Test(conf_sites, takes_1024_sites_and_refuses_1025, .init = setup, .fini = teardown) {
    for (int n = WN_SITES_MAX; n <= WN_SITES_MAX + 1; n++) {
        FILE *f = fopen(path, "w");
        fputs("sites:\n", f);
        for (int i = 0; i < n; i++) fprintf(f, "  - {name: s%d, zone: UTC}\n", i);
        fclose(f);
        wn_sites s;
        wn_err err = wn_sites_load(path, &s, why, sizeof why, &line);
        cr_assert_eq(err, n == WN_SITES_MAX ? WN_OK : WN_ERR_CONFIG);
        if (err != WN_OK) continue;
        for (size_t i = 1; i < s.n; i++) cr_assert_lt(s.site[i - 1].tag, s.site[i].tag);
        for (int i = 0; i < n; i++) {
            char name[16];
            int len = snprintf(name, sizeof name, "s%d", i);
            cr_assert(wn_sites_by_name(&s, name, (size_t)len));
        }
        wn_sites_fini(&s);
    }
}
