// SPDX-License-Identifier: Apache-2.0
// A malformed frame leaves nothing; a bad event costs itself.
#include <criterion/criterion.h>
#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "event_mp.h"
#include "fake_event.h"

static fake_log *fed;
static msgpack_sbuffer buf;
static msgpack_packer pk;

static void setup(void) {
    fed = calloc(1, sizeof *fed);
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
}

static void teardown(void) {
    msgpack_sbuffer_destroy(&buf);
    free(fed);
}

TestSuite(event_mp, .init = setup, .fini = teardown);

static void text(const char *s) {
    msgpack_pack_str_with_body(&pk, s, strlen(s));
}

static void head(uint32_t events) {
    msgpack_sbuffer_clear(&buf);
    msgpack_pack_map(&pk, 4);
    text("v"), msgpack_pack_int(&pk, 1);
    text("batch_id"), text("b1");
    text("site"), text("shop");
    text("events"), msgpack_pack_array(&pk, events);
}

static wn_err decode(void) {
    wn_message m;
    static wn_event_sink sink;
    memset(fed, 0, offsetof(fake_log, current));
    sink = fake_sink(fed);
    wn_err err = wn_message_open((wn_span){(const uint8_t *)buf.data, buf.size}, 3, &m);
    if (err == WN_OK) wn_message_events(&m, &sink);
    return err;
}

Test(event_mp, every_cut_of_a_good_message_is_malformed) {
    head(1);
    msgpack_pack_map(&pk, 2);
    text("name"), text("pageview");
    text("props"), msgpack_pack_map(&pk, 1), text("a"), msgpack_pack_nil(&pk);
    size_t whole = buf.size;
    cr_expect_eq(decode(), WN_OK);
    cr_expect_eq(fed->ended, 1);
    for (size_t n = 0; n < whole; n++) {
        buf.size = n;
        cr_expect_eq(decode(), WN_ERR_FORMAT, "cut at %zu", n);
        cr_expect_eq(fed->begun, 0);
    }
    buf.size = whole;
    msgpack_pack_nil(&pk);
    cr_expect_eq(decode(), WN_ERR_FORMAT, "a byte too many");
}

Test(event_mp, refuses_envelopes_that_are_not_right) {
    // not a map; no events; no batch_id; no v; a key twice; an unknown key; batch_id empty or no text; 4
    // events
    msgpack_pack_array(&pk, 0);
    cr_expect_eq(decode(), WN_ERR_FORMAT);
    for (int missing = 0; missing < 3; missing++) {
        msgpack_sbuffer_clear(&buf);
        msgpack_pack_map(&pk, 2);
        if (missing != 0) text("v"), msgpack_pack_int(&pk, 1);
        if (missing != 1) text("batch_id"), text("b");
        if (missing != 2) text("events"), msgpack_pack_array(&pk, 0);
        cr_expect_eq(decode(), WN_ERR_FORMAT, "missing %d", missing);
    }
    msgpack_sbuffer_clear(&buf);
    msgpack_pack_map(&pk, 4);
    text("v"), msgpack_pack_int(&pk, 1), text("batch_id"), text("b"), text("events"),
        msgpack_pack_array(&pk, 0);
    size_t three = buf.size;
    text("v"), msgpack_pack_int(&pk, 1);
    cr_expect_eq(decode(), WN_ERR_FORMAT, "a key twice");
    buf.size = three;
    text("hello"), msgpack_pack_int(&pk, 1);
    cr_expect_eq(decode(), WN_ERR_FORMAT, "an unknown key");
    head(4);
    for (int i = 0; i < 4; i++) msgpack_pack_map(&pk, 0);
    cr_expect_eq(decode(), WN_ERR_FULL);
    head(3);
    for (int i = 0; i < 3; i++) msgpack_pack_map(&pk, 0);
    cr_expect_eq(decode(), WN_OK);
    cr_expect_eq(fed->ended, 3);
    msgpack_sbuffer_clear(&buf);
    msgpack_pack_map(&pk, 3);
    text("v"), msgpack_pack_int(&pk, 2), text("batch_id"), text("b"), text("events"),
        msgpack_pack_array(&pk, 0);
    cr_expect_eq(decode(), WN_ERR_VERSION);
}

static void one_field(const char *name) {
    head(2);
    msgpack_pack_map(&pk, 1);
    text(name);
}

static wn_verdict first_verdict(void) {
    msgpack_pack_map(&pk, 0);
    cr_assert_eq(decode(), WN_OK);
    cr_assert_eq(fed->ended, 2);
    cr_expect_eq(fed->why[1], WN_KEEP);
    cr_expect_str_eq(fake_text(&fed->event[1], WN_FIELD_site), "shop");
    return fed->why[0];
}

Test(event_mp, a_fault_of_one_event_costs_that_event) {
    one_field("colour"), text("red");
    cr_expect_eq(first_verdict(), WN_VERDICT_unknown_field);
    one_field("dnt"), text("1");
    cr_expect_eq(first_verdict(), WN_VERDICT_unknown_field);
    one_field("url"), msgpack_pack_true(&pk);
    cr_expect_eq(first_verdict(), WN_VERDICT_malformed);
    one_field("url"), msgpack_pack_bin(&pk, 1), msgpack_pack_bin_body(&pk, "/", 1);
    cr_expect_eq(first_verdict(), WN_VERDICT_malformed);
    one_field("props"), msgpack_pack_array(&pk, 0);
    cr_expect_eq(first_verdict(), WN_VERDICT_malformed);
    one_field("url"), msgpack_pack_nil(&pk);
    cr_expect_eq(first_verdict(), WN_KEEP);
    one_field("time"), msgpack_pack_double(&pk, (double)NAN);
    cr_expect_eq(first_verdict(), WN_VERDICT_malformed);
    one_field("time"), msgpack_pack_uint64(&pk, UINT64_MAX);
    cr_expect_eq(first_verdict(), WN_VERDICT_malformed);
    head(2), msgpack_pack_map(&pk, 2), text("url"), text("/a"), text("url"), text("/b");
    cr_expect_eq(first_verdict(), WN_VERDICT_duplicate_field);
    head(2), msgpack_pack_map(&pk, 1), msgpack_pack_int(&pk, 7), msgpack_pack_int(&pk, 8);
    cr_expect_eq(first_verdict(), WN_VERDICT_unknown_field);
}

Test(event_mp, an_element_that_is_no_map_is_counted_as_malformed) {
    head(3), msgpack_pack_int(&pk, 7), msgpack_pack_map(&pk, 0), msgpack_pack_array(&pk, 1), text("x");
    cr_expect_eq(decode(), WN_OK);
    cr_expect_eq(fed->cut, 2);
    cr_expect_eq(fed->ended, 1);
}

Test(event_mp, nests_to_eight_and_no_deeper) {
    for (int deep = 5; deep <= 6; deep++) { // envelope, events, event, then props and what is in it
        one_field("props");
        for (int i = 1; i < deep; i++) msgpack_pack_map(&pk, 1), text("k");
        msgpack_pack_map(&pk, 0);
        cr_expect_eq(first_verdict(), deep == 5 ? WN_KEEP : WN_VERDICT_too_deep, "%d", deep);
    }
}

Test(event_mp, numbers_come_as_their_text) {
    head(1), msgpack_pack_map(&pk, 2), text("time"), msgpack_pack_int(&pk, -5), text("screen"),
        msgpack_pack_int(&pk, 1920);
    cr_expect_eq(decode(), WN_OK);
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_time), "-5");
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_screen), "1920");
    static const struct {
        int64_t n;
        const char *text;
    } edges[] = {{0, "0"},
                 {9, "9"},
                 {10, "10"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < WN_COUNT(edges); i++) {
        head(1), msgpack_pack_map(&pk, 1), text("time"), msgpack_pack_int64(&pk, edges[i].n);
        cr_expect_eq(decode(), WN_OK);
        cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_time), edges[i].text);
    }
    head(1), msgpack_pack_map(&pk, 1), text("time"), msgpack_pack_double(&pk, 1700000000.25);
    cr_expect_eq(decode(), WN_OK);
    cr_expect_eq(atoll(fake_text(&fed->event[0], WN_FIELD_time)), 1700000000);
}

Test(event_mp, unreadable_consent_is_doubt) {
    one_field("purposes"), text("basic");
    (void)first_verdict();
    cr_expect(fed->event[0].doubt);
    one_field("purposes"), msgpack_pack_array(&pk, 2), text("basic"), msgpack_pack_int(&pk, 1);
    (void)first_verdict();
    cr_expect(fed->event[0].doubt);
    one_field("purposes"), msgpack_pack_array(&pk, 0);
    (void)first_verdict();
    cr_expect(fed->event[0].has[WN_FIELD_purposes] && !fed->event[0].doubt && fed->event[0].items_n == 0);
    one_field("purposes"), msgpack_pack_array(&pk, 2), text("basic"), text("share");
    (void)first_verdict();
    cr_expect_eq(fed->event[0].items_n, 2);
}

static const char *pairs(void) {
    (void)first_verdict();
    return fake_pairs(&fed->event[0]);
}

Test(event_mp, maps_come_as_pairs) {
    one_field("props"), msgpack_pack_map(&pk, 7);
    text("a"), text("x"), text("b"), msgpack_pack_int(&pk, -3), text("c"), msgpack_pack_double(&pk, 1.5);
    text("d"), msgpack_pack_true(&pk), text("e"), msgpack_pack_nil(&pk);
    text("f"), msgpack_pack_array(&pk, 1), text("y"), text("g"), msgpack_pack_double(&pk, 2);
    cr_expect_str_eq(pairs(), "props.a=x;props.b=#-3;props.c=#1.5;props.d=t;props.f{;props.g=#2.0");
    one_field("consent"), msgpack_pack_map(&pk, 1), text("k"), msgpack_pack_array(&pk, 3);
    msgpack_pack_map(&pk, 1), text("m"), msgpack_pack_false(&pk), msgpack_pack_array(&pk, 0), text("z");
    cr_expect_str_eq(pairs(), "consent.k{;consent.k{;consent.m=f;consent.};consent.k{;consent.};consent.k=z;consent.}");
    cr_expect_not(fed->event[0].doubt);
    one_field("props"), msgpack_pack_map(&pk, 2), text("a"), text("1"), text("a"), text("2");
    cr_expect_eq(first_verdict(), WN_VERDICT_duplicate_field);
    one_field("consent"), msgpack_pack_map(&pk, 2), text("a"), text("1"), text("a"), text("1");
    cr_expect_eq(first_verdict(), WN_KEEP);
    cr_expect(fed->event[0].doubt);
}

// What JSON does not know: a key or a value that is no text, no number and no flag.
Test(event_mp, oddities_in_a_map_are_dropped_and_of_consent_doubted) {
    for (int consent = 0; consent < 2; consent++) {
        for (int odd = 0; odd < 6; odd++) {
            one_field(consent ? "consent" : "props"), msgpack_pack_map(&pk, 2);
            if (odd == 0) msgpack_pack_int(&pk, 7), msgpack_pack_map(&pk, 1), text("in"), text("side");
            if (odd == 1) text("a"), msgpack_pack_bin(&pk, 1), msgpack_pack_bin_body(&pk, "x", 1);
            if (odd == 2) text("a"), msgpack_pack_double(&pk, (double)INFINITY);
            if (odd == 3) text("a"), msgpack_pack_uint64(&pk, UINT64_MAX);
            if (odd == 4) text("a"), msgpack_pack_ext(&pk, 1, 5), msgpack_pack_ext_body(&pk, "x", 1);
            if (odd == 5) msgpack_pack_nil(&pk), text("x");
            text("b"), msgpack_pack_true(&pk);
            cr_expect_eq(first_verdict(), WN_KEEP, "%d", odd);
            cr_expect_str_eq(fake_pairs(&fed->event[0]), consent ? "consent.b=t" : "props.b=t", "%d", odd);
            cr_expect_eq(fed->event[0].doubt, consent, "%d", odd);
        }
    }
}

Test(event_mp, a_map_has_a_size) {
    static char long_text[2048];
    memset(long_text, 'v', sizeof long_text);
    // map 1, key 2, head of the text 3
    for (size_t over = 0; over < 2; over++) {
        one_field("consent"), msgpack_pack_map(&pk, 1), text("k");
        msgpack_pack_str_with_body(&pk, long_text, 2048 - 6 + over);
        cr_expect_eq(first_verdict(), over ? WN_VERDICT_too_long : WN_KEEP);
        cr_expect(fed->event[0].doubt, "of consent nothing may be lost");
    }
}

Test(event_mp, booleans_come_in_three_dresses) {
    one_field("child"), msgpack_pack_true(&pk);
    cr_expect_eq(first_verdict(), WN_KEEP);
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_child), "1");
    one_field("ad_tracking"), msgpack_pack_int(&pk, 0);
    cr_expect_eq(first_verdict(), WN_KEEP);
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_ad_tracking), "0");
    one_field("ad_tracking"), text("false");
    cr_expect_eq(first_verdict(), WN_KEEP);
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_ad_tracking), "0");
    one_field("child"), msgpack_pack_double(&pk, 1);
    cr_expect_eq(first_verdict(), WN_VERDICT_malformed);
    one_field("ad_tracking"), msgpack_pack_int(&pk, 2);
    cr_expect_eq(first_verdict(), WN_KEEP);
    cr_expect(fed->event[0].doubt);
}
