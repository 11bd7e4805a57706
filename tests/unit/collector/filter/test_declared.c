// SPDX-License-Identifier: Apache-2.0
// test_declared.c: numbers that the policy declares. Each is bound, and nothing
// but the number travels.
#include <criterion/criterion.h>
#include <string.h>

#include "filter_rig.h"
#include "work.h"

static rig r;

static void setup(void) {
    rig_init(&r);
    r.has_policy = true;
}
static void teardown(void) {
    rig_fini(&r);
}
TestSuite(declared, .init = setup, .fini = teardown);

static wn_span span(const char *text) {
    return (wn_span){(const uint8_t *)text, strlen(text)};
}

Test(declared, a_number_is_cut_towards_zero_and_to_its_bound) {
    static const struct {
        const char *text;
        uint16_t max, want;
    } rows[] = {
        {"0", 500, 0},
        {"1", 500, 1},
        {"499", 500, 499},
        {"500", 500, 500},
        {"501", 500, 500},
        {"1", 1, 1},
        {"2", 1, 1},
        {"65534", 65535, 65534},
        {"65535", 65535, 65535},
        {"65536", 65535, 65535},
        {"655360", 65535, 65535},
        {"4294967296", 65535, 65535}, // 2^32
        {"18446744073709551616", 65535, 65535},
        {"6601234567", 65535, 65535}, // a telephone number is the bound
        {"00012", 500, 12},
        {"49.99", 500, 49},
        {"0.999999", 500, 0},
        {"499.999999", 500, 499},
        {"1e2", 500, 100},
        {"1E+2", 500, 100},
        {"1.25e2", 500, 125},
        {"1.25e1", 500, 12},
        {"1250e-2", 500, 12},
        {"1e-1", 500, 0},
        {"1e-999999999999", 500, 0},
        {"1e999999999999", 500, 500},
        {"0e999999999999", 500, 0},
        {"0.00001e7", 500, 100},
        {"0.00001e9999", 500, 500},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        uint16_t got = 7;
        cr_assert(wn_number_whole(span(rows[i].text), rows[i].max, &got), "%s", rows[i].text);
        cr_expect_eq(got, rows[i].want, "%s: %u", rows[i].text, got);
    }
}

Test(declared, below_zero_and_what_is_no_number_is_refused) {
    static const char *const rows[] = {"",     "-1",  "-0.5", "-0",   "+1",    ".5",  "1.",
                                       "1.e2", "1e",  "1e+",  "e5",   "1 ",    " 1",  "1,5",
                                       "0x10", "inf", "nan",  "1e5x", "1.5.5", "--1", "1e1.5"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        uint16_t got = 7;
        cr_expect_not(wn_number_whole(span(rows[i]), 500, &got), "%s is %u", rows[i], got);
        cr_expect_eq(got, 7, "%s", rows[i]);
    }
}

Test(declared, the_longest_number_that_a_pair_may_hold_is_read) {
    char text[WN_PAIR_BYTES_MAX + 2];
    uint16_t got = 0;
    memset(text, '9', sizeof text);
    cr_expect(wn_number_whole((wn_span){(uint8_t *)text, WN_PAIR_BYTES_MAX}, 500, &got));
    cr_expect_eq(got, 500);
    cr_expect_not(wn_number_whole((wn_span){(uint8_t *)text, WN_PAIR_BYTES_MAX + 1}, 500, &got));
}

static void pair(const char *key, wn_pair_type type, const char *value) {
    cr_assert_eq(wn_event_pair(r.event, WN_FIELD_props, span(key), type, span(value)), WN_KEEP);
}

static void run(wn_pair_type type, const char *amount, const char *minutes, bool profile) {
    rig_clear(&r);
    rig_view(&r);
    if (profile) rig_set(&r, "purposes", "basic"), rig_set(&r, "purposes", "profile");
    rig_set_bytes(&r, WN_FIELD_props, NULL, 0);
    pair("amount", type, amount);
    pair("minutes", type, minutes);
    cr_assert_eq(rig_run(&r), WN_KEEP);
}

Test(declared, numbers_stand_in_the_order_of_their_declaration_and_need_their_purpose) {
    run(WN_PAIR_NUMBER, "12.5", "90", true);
    cr_expect(r.out.obs.number[0] == 12 && r.out.obs.number[1] == 90);
    run(WN_PAIR_NUMBER, "12.5", "90", false);
    cr_expect(r.out.obs.number[0] == 12 && r.out.obs.number[1] == 0, "minutes needs profile");
    for (unsigned d = 0; d < WN_OPEN_N; d++)
        cr_expect(d < WN_DIM_prop1 || r.out.obs.open[d] == 0, "a number is no dimension");
}

Test(declared, text_and_flags_are_no_numbers) {
    run(WN_PAIR_TEXT, "12", "90", true);
    cr_expect(r.out.obs.number[0] == 0 && r.out.obs.number[1] == 0);
    run(WN_PAIR_TRUE, "", "", true);
    cr_expect(r.out.obs.number[0] == 0 && r.out.obs.number[1] == 0);
}

Test(declared, what_is_above_its_bound_counts_as_the_bound) {
    run(WN_PAIR_NUMBER, "6601234567", "6601234567", true);
    cr_expect_eq(r.out.obs.number[0], 500);
    cr_expect_eq(r.out.obs.number[1], 65535);
}

Test(declared, both_policies_bind_a_number) {
    wn_policy_list lower[2];
    memcpy(lower, rig_site_policy.numbers, sizeof lower);
    lower[0].number_max = 20;
    lower[1].purpose = 0;
    for (int i = 0; i < 2; i++) {
        r.policy[0] = r.policy[1] = rig_site_policy;
        r.policy[i].numbers = lower;
        run(WN_PAIR_NUMBER, "400", "90", false);
        cr_expect_eq(r.out.obs.number[0], 20, "the smaller bound holds");
        cr_expect_eq(r.out.obs.number[1], 0, "the other policy still asks for profile");
        r.policy[i].numbers_n = 0;
        run(WN_PAIR_NUMBER, "400", "90", true);
        cr_expect(r.out.obs.number[0] == 0 && r.out.obs.number[1] == 0, "one policy declares none");
    }
    // A word in one and a number in the other is neither.
    wn_policy_list word = {.name = "amount", .values_n = 0, .purpose = 1u << WN_PURPOSE_basic};
    r.policy[0] = r.policy[1] = rig_site_policy;
    r.policy[1].props = &word, r.policy[1].props_n = 1, r.policy[1].numbers_n = 0;
    run(WN_PAIR_NUMBER, "400", "90", true);
    cr_expect(r.out.obs.number[0] == 0 && r.out.obs.open[WN_DIM_prop1] == 0);
}
