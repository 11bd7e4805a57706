// SPDX-License-Identifier: Apache-2.0
// What the collector answers when its settings are read again.
#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector.h"
#include "log.h"

static wn_collector d;
static char file[64], policy_file[64], text[400];
static bool well;

static void setup(void) {
    wn_sites one = {calloc(1, sizeof *one.site), 1};
    wn_log_level(WN_LEVEL_ERROR);
    strcpy(one.site->name, "shop");
    cr_assert_eq(wn_site_list_new(&one, 1, &d.sites), WN_OK);
    strcpy(d.o.config_dir, "/tmp/wn-verbs-XXXXXX");
    cr_assert_not_null(mkdtemp(d.o.config_dir));
    snprintf(file, sizeof file, "%.40s/sites.yaml", d.o.config_dir);
    snprintf(policy_file, sizeof policy_file, "%.40s/policy.yaml", d.o.config_dir);
    cr_assert_eq(wn_policies_builtin(&d.policies), WN_OK);
}

static void teardown(void) {
    unlink(file);
    unlink(policy_file);
    wn_policies_close(d.policies);
    rmdir(d.o.config_dir);
    wn_site_list_drop(d.sites);
}

TestSuite(collector_verbs, .init = setup, .fini = teardown);

static void write_file(const char *path, const char *yaml) {
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs(yaml, f) >= 0 && fclose(f) == 0);
}

static void write_sites(const char *yaml) {
    write_file(file, yaml);
}

static const char *reload(void) {
    msgpack_sbuffer buf;
    msgpack_packer pk;
    wn_mp m;
    wn_span key, said = {NULL, 0};
    uint32_t pairs;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    for (size_t i = 0; i < wn_collector_verbs_n; i++)
        if (strcmp(wn_collector_verbs[i].verb, "reload") == 0)
            cr_assert(wn_collector_verbs[i].run(&d, 1, NULL, &pk));
    wn_mp_init(&m, (wn_span){(const uint8_t *)buf.data, buf.size});
    cr_assert(wn_mp_map(&m, 2, &pairs) && wn_mp_str(&m, 8, &key) && wn_mp_bool(&m, &well));
    cr_assert(wn_mp_str(&m, 8, &key) && wn_mp_str(&m, sizeof text - 1, &said));
    snprintf(text, sizeof text, "%.*s", (int)said.n, (const char *)said.p);
    msgpack_sbuffer_destroy(&buf);
    return text;
}

Test(collector_verbs, a_reload_never_ends_without_a_site_and_says_why) {
    const wn_site_list *before = d.sites;
    static const char *const nothing[] = {NULL, "", "sites: []\n"};
    for (size_t i = 0; i < WN_COUNT(nothing); i++) {
        if (nothing[i] != NULL) write_sites(nothing[i]);
        reload();
        cr_expect_not(well);
        cr_expect_eq(d.sites, before);
        cr_expect_eq(d.sites->sites.n, 1);
        cr_expect_not_null(strstr(text, "the old one stays"), "%s", text);
    }
    unlink(file);
    reload();
    cr_expect_str_eq(text, "sites.yaml: no site is left in it, and 1 are being counted; the old one stays");
    write_sites("sites:\n  - name: shop\n    zone: Nowhere/Land\n");
    reload();
    cr_expect_not(well);
    cr_expect_not_null(strstr(text, "sites.yaml, line 3: "), "%s", text);
    write_sites("sites:\n  - name: blog\n    zone: UTC\n");
    reload();
    cr_expect(well, "%s", text);
    cr_expect_str_eq(d.sites->sites.site[0].name, "blog");
}

Test(collector_verbs, a_bad_policy_keeps_the_old_one_and_the_old_sites_and_says_why) {
    const wn_site_list *before = d.sites;
    const wn_policy *policy = wn_policies_newest(d.policies);
    write_sites("sites:\n  - name: blog\n    zone: UTC\n");
    static const struct {
        const char *yaml, *words;
    } bad[] = {
        {"version: 1000000\ndate: 2026-11-20\ndefaults: {consent: {gpc: maybe}}\n",
         "policy.yaml, line 3: gpc"},
        {"version: 1\ndate: 2026-11-20\n", "policy.yaml: the text changed but its version 1 is not above"},
        {"", "policy.yaml, line 1: empty"},
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        write_file(policy_file, bad[i].yaml);
        reload();
        cr_expect_not(well);
        cr_expect_not_null(strstr(text, bad[i].words), "%s", text);
        cr_expect_not_null(strstr(text, "the old one stays"), "%s", text);
        cr_expect_eq(d.sites, before);
        cr_expect_eq(wn_policies_newest(d.policies), policy);
    }
    write_file(policy_file, "version: 1000000\ndate: 2026-11-20\n");
    reload();
    cr_expect(well, "%s", text);
    cr_expect_eq(wn_policies_newest(d.policies)->version, 1000000u);
    cr_expect_neq(d.sites, before);
    unlink(policy_file); // a policy that vanishes would widen what is in force
    reload();
    cr_expect_not(well);
    cr_expect_str_eq(text,
                     "policy.yaml is gone; version 1000000 of 2026-11-20 was in force: write one of version "
                     "1000001 or higher; the old one stays");
}
