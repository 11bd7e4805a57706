// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "filter_rig.h"

static rig r;

static void start(void) {
    rig_init(&r);
    rig_view(&r);
}

static void stop(void) {
    rig_fini(&r);
}

TestSuite(person, .init = start, .fini = stop);

typedef struct seen {
    uint8_t person[16];
    uint64_t prefix, org;
    uint8_t flags;
} seen;

static seen run(void) {
    cr_assert_eq(rig_run(&r), WN_KEEP);
    seen s = {.prefix = r.out.obs.prefix, .org = r.out.obs.org, .flags = r.out.obs.flags};
    memcpy(s.person, r.out.obs.person, 16);
    return s;
}

static bool same(const seen *a, const seen *b) {
    return memcmp(a->person, b->person, 16) == 0;
}

static seen from(const char *address, const char *ua) {
    rig_view(&r);
    rig_address(&r, address);
    rig_agent(&r, ua);
    return run();
}

static seen known_as(const char *field, const char *id, bool measure) {
    rig_view(&r);
    rig_set(&r, "purposes", "basic");
    if (measure) rig_set(&r, "purposes", "measure");
    rig_set(&r, field, id);
    return run();
}

Test(person, without_an_id_is_address_browser_and_system) {
    seen a = from("192.0.2.7", rig_chrome), b = from("192.0.2.8", rig_chrome),
         c = from("192.0.2.7", rig_iphone);
    seen d = from("192.0.2.7", rig_chrome), e = from("::ffff:192.0.2.7", rig_chrome);
    cr_expect(same(&a, &d) && same(&a, &e));
    cr_expect(!same(&a, &b) && !same(&a, &c));
    cr_expect(a.prefix == b.prefix && a.prefix == e.prefix);
}

Test(person, of_version_six_is_a_64_and_its_prefix_a_48) {
    seen a = from("2001:db8:1:2::1", rig_chrome), b = from("2001:db8:1:2:ffff::9", rig_chrome);
    seen c = from("2001:db8:1:3::1", rig_chrome), d = from("2001:db8:2:2::1", rig_chrome);
    cr_expect(same(&a, &b) && !same(&a, &c) && !same(&a, &d));
    cr_expect(a.prefix == c.prefix && a.prefix != d.prefix);
    seen nat64 = from("64:ff9b::192.0.2.7", rig_chrome), v4 = from("192.0.2.7", rig_chrome);
    cr_expect(!same(&nat64, &v4) && nat64.prefix != v4.prefix);
}

Test(person, prefix_of_version_four_is_a_24) {
    cr_expect_eq(from("192.0.2.0", rig_chrome).prefix, from("192.0.2.255", rig_iphone).prefix);
    cr_expect_neq(from("192.0.2.0", rig_chrome).prefix, from("192.0.3.0", rig_chrome).prefix);
}

Test(person, without_an_address_all_are_one_prefix) {
    seen a = from(NULL, rig_chrome), b = from(NULL, rig_iphone), zero = from("::", rig_chrome),
         v4 = from("0.0.0.0", rig_chrome);
    cr_expect(a.prefix == b.prefix && a.prefix == zero.prefix && a.prefix != v4.prefix);
    cr_expect_not(same(&a, &b));
}

Test(person, id_is_read_under_measure_only) {
    seen nobody = from("192.0.2.7", rig_chrome);
    static const char *const fields[] = {"user_id", "anonymous_id", "device_id"};
    seen ids[3];
    for (size_t i = 0; i < 3; i++) {
        seen denied = known_as(fields[i], "u1", false), granted = known_as(fields[i], "u1", true);
        cr_expect(same(&denied, &nobody), "%s", fields[i]);
        cr_expect(!same(&granted, &nobody), "%s", fields[i]);
        cr_expect_eq(granted.prefix, nobody.prefix);
        seen empty = known_as(fields[i], "", true);
        cr_expect(same(&empty, &nobody));
        ids[i] = granted;
    }
    cr_expect(!same(&ids[0], &ids[1]) && !same(&ids[1], &ids[2]) && !same(&ids[0], &ids[2]));
}

Test(person, id_order_is_user_anonymous_device) {
    seen user = known_as("user_id", "u", true), anonymous = known_as("anonymous_id", "a", true);
    rig_view(&r);
    rig_set(&r, "device_id", "d");
    rig_set(&r, "anonymous_id", "a");
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "measure");
    seen two = run();
    cr_expect(same(&two, &anonymous));
    rig_set(&r, "user_id", "u");
    seen three = run();
    cr_expect(same(&three, &user));
}

Test(person, differs_by_site_and_by_window) {
    seen a = known_as("user_id", "u", true), b;
    r.site.tag++;
    b = known_as("user_id", "u", true);
    cr_expect(!same(&a, &b));
    r.site.tag--;
    r.window.key_edge[31]++;
    b = known_as("user_id", "u", true);
    cr_expect(!same(&a, &b));
    cr_expect_eq(a.prefix, b.prefix);
    r.window.key_prefix[15]++;
    b = known_as("user_id", "u", true);
    cr_expect_neq(a.prefix, b.prefix);
}

static seen signed_as(const char *id, const char *signed_id, bool measure) {
    rig_view(&r);
    rig_set(&r, "purposes", "basic");
    if (measure) rig_set(&r, "purposes", "measure");
    rig_set(&r, "user_id", id);
    rig_set(&r, "org", "acme");
    rig_sign(&r, signed_id);
    return run();
}

Test(person, is_an_account_only_when_the_sites_key_signed_the_id) {
    seen good = signed_as("u1", "u1", true);
    cr_expect_eq(good.flags, WN_OBS_SIGNED);
    cr_expect_neq(good.org, 0);
    seen wrong = signed_as("u1", "u2", true);
    cr_expect(wrong.flags == 0 && wrong.org == 0);
    seen denied = signed_as("u1", "u1", false);
    cr_expect(denied.flags == 0 && denied.org == 0);
    rig_view(&r);
    rig_set(&r, "user_id", "u1");
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "measure");
    rig_sign(&r, "u1");
    r.site.has_sign_key = false;
    cr_expect_eq(run().flags, 0);
}

Test(person, bad_signatures_are_none) {
    static const char *const bad[] = {"", "00", "zz",
                                      "g000000000000000000000000000000000000000000000000000000000000000",
                                      "0000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        rig_view(&r);
        rig_set(&r, "user_id", "u1");
        rig_set(&r, "purposes", "basic");
        rig_set(&r, "purposes", "measure");
        rig_set(&r, "user_sig", bad[i]);
        r.site.has_sign_key = true;
        cr_expect_eq(run().flags, 0, "%s", bad[i]);
    }
}

Test(person, a_signature_of_an_anonymous_id_is_none) {
    rig_view(&r);
    rig_set(&r, "anonymous_id", "u1");
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "measure");
    rig_sign(&r, "u1");
    cr_expect_eq(run().flags, 0);
}

Test(person, organisation_is_believed_from_a_server_key) {
    rig_view(&r);
    rig_set(&r, "org", "acme");
    cr_expect_eq(run().org, 0);
    r.sender.server_key = true;
    uint64_t acme = run().org;
    cr_expect_neq(acme, 0);
    rig_view(&r);
    rig_set(&r, "org", "acme");
    r.site.tag++;
    cr_expect_neq(run().org, acme);
    r.site.tag--;
    rig_view(&r);
    rig_set(&r, "org", "acmf");
    cr_expect_neq(run().org, acme);
    rig_view(&r);
    rig_set(&r, "org", "");
    cr_expect_eq(run().org, 0);
}

// One machine's IPv4 network must not be many because it is written as IPv6.
Test(person, an_address_made_of_another_counts_as_that) {
    seen v4 = from("198.51.100.7", rig_chrome), other = from("198.51.101.7", rig_chrome);
    static const char *const made[] = {"2002:c633:6401::1", "2002:c633:64ff:9::1", "2001:0:5e00:1::39cc:9bf0",
                                       "2001:0:5e01:2::39cc:9bfe", "::ffff:198.51.100.9"};
    for (size_t i = 0; i < WN_COUNT(made); i++)
        cr_expect_eq(from(made[i], rig_chrome).prefix, v4.prefix, "%s", made[i]);
    cr_expect_eq(from("2002:c633:6501::1", rig_chrome).prefix, other.prefix);
    cr_expect_neq(from("2001:1:c633:6401::1", rig_chrome).prefix, v4.prefix);
    cr_expect_eq(from("fe80:1::1", rig_chrome).prefix, from("fe80:2::1", rig_chrome).prefix);
    cr_expect_eq(from("febf:1::1", rig_chrome).prefix, from("fe80::1", rig_chrome).prefix);
    cr_expect_neq(from("fec0:1::1", rig_chrome).prefix, from("fec0:2::1", rig_chrome).prefix);
}

Test(person, an_organisation_is_one_in_any_case_and_with_blanks_around_it) {
    wn_span names[] = {
        {(const uint8_t *)"acme", 4}, {(const uint8_t *)" ACME ", 6}, {(const uint8_t *)"Acme", 4}};
    uint64_t acme = wn_org_pseudonym(&r.window, 1, names[0]);
    for (size_t i = 1; i < WN_COUNT(names); i++) cr_expect_eq(wn_org_pseudonym(&r.window, 1, names[i]), acme);
    cr_expect_neq(wn_org_pseudonym(&r.window, 1, (wn_span){(const uint8_t *)"acme2", 5}), acme);
    cr_expect_neq(wn_org_pseudonym(&r.window, 2, names[0]), acme);
    cr_expect_neq(wn_org_pseudonym(&r.window, 1, (wn_span){(const uint8_t *)"ac me", 5}), acme);
    (void)wn_org_pseudonym(&r.window, 1, (wn_span){(const uint8_t *)"  ", 2});
}

Test(person, browser_and_system_each_tell_people_of_one_address_apart) {
    static const char firefox[] =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
                      mac[] =
                          "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like "
                          "Gecko) Chrome/120.0.0.0 Safari/537.36";
    seen a = from("192.0.2.7", rig_chrome), browser = from("192.0.2.7", firefox),
         system = from("192.0.2.7", mac);
    cr_expect(!same(&a, &browser) && !same(&a, &system));
}

// It stands for everybody who has none.
Test(person, a_zero_advertising_id_is_nobody_s_and_proves_nothing) {
    static const char zero[] = "00000000-0000-0000-0000-000000000000";
    static const char *const fields[] = {"user_id", "anonymous_id", "device_id"};
    seen nobody = from("192.0.2.7", rig_chrome);
    for (size_t i = 0; i < 3; i++) {
        seen given = known_as(fields[i], zero, true);
        cr_expect(same(&given, &nobody), "%s", fields[i]);
    }
    seen proven = signed_as(zero, zero, true);
    cr_expect(proven.flags == 0 && proven.org == 0);
}

Test(person, an_id_never_meets_an_address) {
    seen network = from("192.0.2.7", rig_chrome);
    uint8_t id[6] = {
        192, 0, 2, 7, (uint8_t)r.out.obs.closed[WN_DIM_browser], (uint8_t)r.out.obs.closed[WN_DIM_system]};
    rig_view(&r);
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "measure");
    rig_set_bytes(&r, WN_FIELD_user_id, id, sizeof id);
    seen user = run();
    cr_expect(!same(&user, &network));
}
