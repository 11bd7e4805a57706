// SPDX-License-Identifier: Apache-2.0
// What a body may look like, and that a fault costs what it should and no more.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "fake_event.h"

static fake_log *fed;
static wn_json *json;

static void setup(void) {
    fed = calloc(1, sizeof *fed);
    cr_assert_eq(wn_json_new(&json), WN_OK);
}

static void teardown(void) {
    wn_json_free(json);
    free(fed);
}

// Feeds the text in pieces of `step` bytes; true when the body was whole.
static bool body_in(const char *text, size_t n, size_t step) {
    static wn_event_sink sink;
    memset(fed, 0, offsetof(fake_log, current));
    sink = fake_sink(fed);
    wn_json_reset(json);
    wn_json_begin(json, &sink);
    for (size_t at = 0; at < n; at += step) {
        // A copy of its own, so that a decoder that keeps a pointer into a chunk is caught.
        size_t piece = n - at < step ? n - at : step;
        uint8_t *copy = malloc(piece);
        memcpy(copy, text + at, piece);
        bool well = wn_json_feed(json, (wn_span){copy, piece});
        memset(copy, 'X', piece);
        free(copy);
        if (!well) return false;
    }
    return wn_json_end(json);
}

static bool body(const char *text) {
    return body_in(text, strlen(text), SIZE_MAX);
}

TestSuite(event_json, .init = setup, .fini = teardown);

Test(event_json, refuses_bodies_that_are_no_events) {
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "\"a\"",
        "null",
        "true",
        "{",
        "[",
        "{}}",
        "[]]",
        "{\"site\":}",
        "[{\"site\":\"a\"},",
        "{\"events\":1}",
        "{\"events\":{}}",
        "{\"events\":null}",
        "{\"events\":[],\"events\":[]}",
        "{\"name\":\"a\",\"events\":[]}",
        "{\"events\":[],\"name\":\"a\"}",
        "{\"events\":[],\"site\":\"a\"}",
        "{\"site\":1,\"events\":[]}",
        "{\"site\":{},\"events\":[]}",
        "{\"batch_id\":[],\"events\":[]}",
        "{\"events\":[],\"batch_id\":7}",
        "{\"batch_id\":\"a\",\"events\":[],\"batch_id\":\"b\"}",
        "{\"site\":\"0123456789012345678901234567890123456789012345678901234567890123\",\"events\":[]}",
    };
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        cr_expect_not(body(bad[i]), "taken: %s", bad[i]);
        cr_expect_eq(fed->begun, fed->ended + fed->cut, "an event stayed open: %s", bad[i]);
    }
}

Test(event_json, keeps_what_stood_before_a_syntax_error) {
    cr_expect_not(body("[{\"site\":\"a\"},{\"site\":\"b\"},{\"site\":\"c\",}]"));
    cr_expect_eq(fed->ended, 2);
    cr_expect_eq(fed->cut, 1);
    cr_expect_str_eq(fake_text(&fed->event[1], WN_FIELD_site), "b");
}

Test(event_json, a_fault_of_one_event_costs_that_event) {
    static const struct {
        const char *event;
        wn_verdict why;
    } cases[] = {
        {"{\"colour\":\"red\"}", WN_VERDICT_unknown_field},
        {"{\"gpc\":\"1\"}", WN_VERDICT_unknown_field}, // only the request itself says that
        {"{\"url\":\"/a\",\"url\":\"/b\"}", WN_VERDICT_duplicate_field},
        {"{\"url\":null,\"url\":\"/b\"}", WN_VERDICT_duplicate_field},
        {"{\"url\":true}", WN_VERDICT_malformed},
        {"{\"url\":{}}", WN_VERDICT_malformed},
        {"{\"url\":[\"/\"]}", WN_VERDICT_malformed},
        {"{\"props\":\"a\"}", WN_VERDICT_malformed},
        {"{\"props\":[]}", WN_VERDICT_malformed},
        {"{\"props\":{\"a\":[[[[[[1]]]]]]}}", WN_VERDICT_too_deep},
        {"{\"colour\":[[[[[[[]]]]]]]}", WN_VERDICT_unknown_field},
    };
    char text[512];
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        snprintf(text, sizeof text, "[{\"site\":\"a\"},%s,{\"site\":\"c\"}]", cases[i].event);
        cr_expect(body(text), "%s", cases[i].event);
        cr_assert_eq(fed->ended, 3, "%s", cases[i].event);
        cr_expect_eq(fed->why[0], WN_KEEP);
        cr_expect_eq(fed->why[1], cases[i].why, "%s: %s", cases[i].event, wn_verdict_name(fed->why[1]));
        cr_expect_eq(fed->why[2], WN_KEEP);
    }
}

Test(event_json, nests_to_eight_and_no_deeper) {
    // array 1, event 2, props 3
    cr_expect(body("[{\"props\":{\"a\":[[[[[]]]]]}}]"));
    cr_expect_eq(fed->why[0], WN_KEEP);
    cr_expect(body("[{\"props\":{\"a\":[[[[[[]]]]]]}}]"));
    cr_expect_eq(fed->why[0], WN_VERDICT_too_deep);
}

Test(event_json, a_body_nests_to_thirty_two_and_no_deeper) {
    for (size_t deep = 32; deep <= 33; deep++) {
        char text[256] = "[{\"site\":\"a\"},{\"props\":{\"a\":";
        size_t n = strlen(text), lists = deep - 3;
        memset(text + n, '[', lists);
        memset(text + n + lists, ']', lists);
        strcpy(text + n + 2 * lists, "}},{\"site\":\"c\"}]");
        cr_expect_eq(body(text), deep == 32);
        cr_expect_eq(fed->begun, deep == 32 ? 3 : 2);
        cr_expect_eq(fed->cut, deep == 32 ? 0 : 1);
        cr_expect_eq(fed->why[0], WN_KEEP);
        if (deep == 32) cr_expect_eq(fed->why[1], WN_VERDICT_too_deep);
        if (deep == 32) cr_expect_eq(fed->why[2], WN_KEEP);
    }
}

// What is read of it is seen by the memory that its nesting would take.
Test(event_json, a_megabyte_of_brackets_is_put_away_at_once) {
    static const char *const units[] = {"[", "{\"a\":"};
    static char text[1u << 20];
    for (size_t u = 0; u < 2; u++) {
        size_t unit = strlen(units[u]);
        for (size_t at = 0; at + unit <= sizeof text; at += unit) memcpy(text + at, units[u], unit);
        wn_json_reset(json);
        size_t bare = wn_json_bytes(json);
        cr_expect_not(body_in(text, sizeof text, SIZE_MAX));
        cr_expect_eq(wn_json_bytes(json), bare);
        cr_expect_eq(fed->begun, 1);
        static wn_event_sink sink;
        wn_json_reset(json);
        sink = fake_sink(fed);
        wn_json_begin(json, &sink);
        size_t read = 0;
        while (read < sizeof text && wn_json_feed(json, (wn_span){(const uint8_t *)text + read, 1})) read++;
        cr_expect_eq(read, 32 * unit, "%zu bytes were read", read);
        cr_expect_not(wn_json_end(json));
    }
}

Test(event_json, props_have_a_size) {
    char text[6000];
    for (int over = 0; over < 2; over++) {
        int n = snprintf(text, sizeof text, "{\"props\":{\"k\":\"");
        memset(text + n, 'v', 4095u + (unsigned)over);
        strcpy(text + n + 4095 + over, "\"}}");
        cr_expect(body(text));
        cr_expect_eq(fed->why[0], over ? WN_VERDICT_too_long : WN_KEEP);
        cr_expect_str_eq(fake_pairs(&fed->event[0]), "", "a value that long is none that was declared");
    }
}

// A category that is neither agreed to nor refused may be the one that was refused.
Test(event_json, a_null_in_consent_is_a_doubt_and_in_properties_nothing) {
    static const char *const consents[] = {"{\"consent\":{\"C0002\":null}}",
                                           "{\"consent\":{\"deniedConsentIds\":[null]}}"};
    for (size_t i = 0; i < WN_COUNT(consents); i++) {
        cr_expect(body(consents[i]));
        cr_expect(fed->event[0].doubt, "%s", consents[i]);
    }
    cr_expect(body("{\"props\":{\"a\":null}}"));
    cr_expect_not(fed->event[0].doubt);
}

// What of each map is handed over, key by key.
Test(event_json, maps_come_as_pairs) {
    static const struct {
        const char *event, *pairs;
    } cases[] = {
        {"{\"props\":{}}", ""},
        {"{\"props\":{\"a\":\"x\",\"b\":1.50,\"c\":true,\"d\":false,\"e\":null,\"\":\"\"}}",
         "props.a=x;props.b=#1.50;props.c=t;props.d=f;props.="},
        // of properties the outermost level only
        {"{\"props\":{\"a\":{\"b\":1,\"c\":[2]},\"d\":[3,{\"e\":4}],\"f\":5}}",
         "props.a{;props.d{;props.f=#5"},
        // of consent all of them; in a list the list's key stands, also behind a map inside it
        {"{\"consent\":{\"categoryPreferences\":{\"C0001\":true,\"C0002\":false}}}",
         "consent.categoryPreferences{;consent.C0001=t;consent.C0002=f;consent.}"},
        {"{\"consent\":{\"allowedConsentIds\":[\"a\",\"b\"],\"deniedConsentIds\":[]}}",
         "consent.allowedConsentIds{;consent.allowedConsentIds=a;consent.allowedConsentIds=b;"
         "consent.};consent.deniedConsentIds{;consent.}"},
        {"{\"consent\":{\"k\":[{\"m\":1},[2],3],\"z\":{}}}",
         "consent.k{;consent.k{;consent.m=#1;consent.};consent.k{;consent.k=#2;consent.};consent.k=#3;consent.};"
         "consent.z{;consent.}"},
        {"{\"props\":{\"a\":1},\"consent\":{\"a\":true}}", "props.a=#1;consent.a=t"},
    };
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        cr_expect(body(cases[i].event), "%s", cases[i].event);
        cr_assert_eq(fed->ended, 1);
        cr_expect_eq(fed->why[0], WN_KEEP, "%s", cases[i].event);
        cr_expect_not(fed->event[0].doubt, "%s", cases[i].event);
        cr_expect_str_eq(fake_pairs(&fed->event[0]), cases[i].pairs, "%s: %s", cases[i].event,
                         fake_pairs(&fed->event[0]));
        cr_expect(fed->event[0].has[i < 3 || i == 6 ? WN_FIELD_props : WN_FIELD_consent]);
    }
}

Test(event_json, a_key_twice_in_a_map_is_a_mistake_or_a_doubt) {
    static const struct {
        const char *event;
        wn_verdict why;
        bool doubt;
    } cases[] = {
        {"{\"props\":{\"a\":1,\"a\":1}}", WN_VERDICT_duplicate_field, false},
        {"{\"props\":{\"a\":null,\"b\":2,\"a\":1}}", WN_VERDICT_duplicate_field, false},
        {"{\"props\":{\"a\":{\"b\":1,\"b\":2}}}", WN_KEEP, false}, // nobody reads that
        {"{\"props\":{\"a\":{\"a\":1}}}", WN_KEEP, false},
        {"{\"consent\":{\"a\":true,\"a\":true}}", WN_KEEP, true},
        {"{\"consent\":{\"a\":true,\"b\":{},\"a\":null}}", WN_KEEP, true},
        {"{\"consent\":{\"x\":{\"a\":true,\"b\":1,\"a\":false}}}", WN_KEEP, true},
        {"{\"consent\":{\"x\":[{\"a\":1},{\"a\":1}],\"y\":{\"a\":1},\"a\":{\"x\":1}}}", WN_KEEP, false},
        {"{\"consent\":{\"a\":1},\"consent\":{\"a\":1}}", WN_VERDICT_duplicate_field, false},
    };
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        cr_expect(body(cases[i].event));
        cr_expect_eq(fed->why[0], cases[i].why, "%s", cases[i].event);
        cr_expect_eq(fed->event[0].doubt, cases[i].doubt, "%s", cases[i].event);
    }
}

// A key or a value, in `props` or in `consent`, as long as a pair takes it, and a byte longer.
Test(event_json, what_is_too_long_for_a_pair_is_dropped_and_of_consent_doubted) {
    char text[1024], word[WN_PAIR_BYTES_MAX + 2];
    for (int i = 0; i < 8; i++) {
        bool over = i & 1, key = i & 2, consent = i & 4;
        size_t n = WN_PAIR_BYTES_MAX + over;
        memset(word, 'w', n);
        word[n] = '\0';
        snprintf(text, sizeof text, "{\"%s\":{\"%s\":\"%s\",\"b\":1}}", consent ? "consent" : "props",
                 key ? word : "a", key ? "v" : word);
        cr_expect(body(text));
        cr_expect_eq(fed->why[0], WN_KEEP, "%s", text);
        cr_expect_eq(fed->event[0].pairs_n, over ? 1 : 2, "%s", text);
        cr_expect_eq(fed->event[0].doubt, over && consent, "%s", text);
    }
    cr_expect(body("{\"props\":{\"a\":1},\"consent\":{\"a\":true}}"), "and the next body is well");
    cr_expect_eq(fed->event[0].pairs_n, 2);
}

Test(event_json, a_map_may_have_so_many_keys) {
    char text[8192];
    for (int i = 0; i < 6; i++) {
        unsigned keys = WN_MAP_KEYS_MAX + (unsigned)(i & 1);
        int n = snprintf(text, sizeof text, "{\"%s\":{", i & 2 ? "consent" : "props");
        if (i & 4) n += snprintf(text + n, sizeof text - (size_t)n, "\"deep\":{"); // keys of its own
        for (unsigned k = 0; k < keys - ((i & 4) != 0); k++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s\"%x\":null", k == 0 ? "" : ",", k);
        snprintf(text + n, sizeof text - (size_t)n, i & 4 ? "}}}" : "}}");
        cr_expect(body(text));
        bool read = !(i & 4) || (i & 2); // of properties the outermost level only
        cr_expect_eq(fed->why[0], (i & 1) && read ? WN_VERDICT_too_many : WN_KEEP, "%d: %s", i,
                     wn_verdict_name(fed->why[0]));
    }
}

Test(event_json, booleans_come_in_three_dresses) {
    static const char *const yes[] = {"true", "1", "\"true\""}, *const no[] = {"false", "0", "\"false\""},
                             *const neither[] = {"2",       "-1",       "1.0", "10", "\"\"",  "\"1\"",
                                                 "\"yes\"", "\"TRUE\"", "{}",  "[]", "[true]"};
    char text[128];
    for (int field = 0; field < 2; field++) {
        wn_field f = field ? WN_FIELD_ad_tracking : WN_FIELD_child;
        for (size_t i = 0; i < 6; i++) {
            snprintf(text, sizeof text, "{\"%s\":%s}", wn_field_name(f), i < 3 ? yes[i] : no[i - 3]);
            cr_expect(body(text));
            cr_expect_eq(fed->why[0], WN_KEEP, "%s", text);
            cr_expect_str_eq(fake_text(&fed->event[0], f), i < 3 ? "1" : "0", "%s", text);
        }
        for (size_t i = 0; i < WN_COUNT(neither); i++) {
            snprintf(text, sizeof text, "{\"%s\":%s}", wn_field_name(f), neither[i]);
            cr_expect(body(text));
            cr_expect_eq(fed->why[0], field ? WN_KEEP : WN_VERDICT_malformed, "%s", text);
            cr_expect_eq(fed->event[0].doubt, field, "%s", text);
        }
        snprintf(text, sizeof text, "{\"%s\":null}", wn_field_name(f));
        cr_expect(body(text));
        cr_expect_not(fed->event[0].has[f]);
    }
}

// Every signal of consent, and the fields that are none.
Test(event_json, a_signal_of_the_wrong_type_is_doubt_and_a_field_is_malformed) {
    char text[128];
    for (unsigned i = 0; i < WN_FIELD_N; i++) {
        wn_field f = (wn_field)i;
        if (wn_field_from(f) == 'H') continue;
        bool map = wn_filling_shape(f) == WN_SHAPE_MAP;
        snprintf(text, sizeof text, "[{\"%s\":%s},{}]", wn_field_name(f), map ? "[]" : "{\"a\":[]}");
        cr_expect(body(text));
        cr_assert_eq(fed->ended, 2);
        bool consent = wn_filling_about_consent(f);
        cr_expect_eq(fed->event[0].doubt, consent, "%s", text);
        cr_expect_eq(fed->why[0], consent ? WN_KEEP : WN_VERDICT_malformed, "%s", text);
    }
    cr_expect(wn_filling_about_consent(WN_FIELD_consent) && wn_filling_about_consent(WN_FIELD_tcf) &&
              wn_filling_about_consent(WN_FIELD_purposes) && !wn_filling_about_consent(WN_FIELD_child));
}

Test(event_json, an_element_that_is_no_event_is_counted_as_one) {
    cr_expect(body("[1,{\"site\":\"a\"},\"x\",[{}],null]"));
    cr_expect_eq(fed->begun, 5);
    cr_expect_eq(fed->cut, 4);
    cr_expect_eq(fed->ended, 1);
}

Test(event_json, unreadable_consent_is_doubt_and_an_empty_list_is_none) {
    static const char *const doubtful[] = {
        "{\"purposes\":\"basic\"}",
        "{\"purposes\":{}}",
        "{\"purposes\":1}",
        "{\"purposes\":[1]}",
        "{\"purposes\":[\"basic\",[\"measure\"]]}",
        "{\"purposes\":[\"basic\",{}]}",
        "{\"purposes\":[null]}",
        "{\"purposes\":true}",
    };
    for (size_t i = 0; i < WN_COUNT(doubtful); i++) {
        cr_expect(body(doubtful[i]), "%s", doubtful[i]);
        cr_assert_eq(fed->ended, 1);
        cr_expect(fed->event[0].doubt, "%s", doubtful[i]);
    }
    cr_expect(body("{\"purposes\":[]}"));
    cr_expect(fed->event[0].has[WN_FIELD_purposes] && fed->event[0].items_n == 0 && !fed->event[0].doubt);
    cr_expect(body("{\"purposes\":null}"));
    cr_expect_not(fed->event[0].has[WN_FIELD_purposes]);
    cr_expect(body("{\"purposes\":[\"basic\",\"measure\"],\"site\":\"a\"}"));
    cr_expect_eq(fed->event[0].items_n, 2);
    cr_expect_str_eq(fed->event[0].items[1], "measure");
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_site), "a");
}

Test(event_json, a_bare_event_has_its_own_site_and_batch_id) {
    cr_expect(body("{\"batch_id\":\"b1\",\"site\":\"a\",\"time\":1700000000.5,\"screen\":1920}"));
    cr_assert_eq(fed->ended, 1);
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_batch_id), "b1");
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_site), "a");
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_time), "1700000000.5");
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_screen), "1920");
    cr_expect_eq(wn_json_batch_id(json).n, 0);
    cr_expect(body("{\"site\":\"a\",\"site\":\"b\"}"));
    cr_expect_eq(fed->why[0], WN_VERDICT_duplicate_field);
    cr_expect(body("{\"site\":7}"));
    cr_expect_eq(fed->why[0], WN_VERDICT_malformed);
    cr_expect(body("{}"));
    cr_expect_eq(fed->ended, 1);
}

Test(event_json, an_envelope_lends_its_site) {
    cr_expect(body("{\"batch_id\":\"id\",\"site\":\"a\",\"events\":[{\"name\":\"x\"},{\"site\":\"b\"},{"
                   "\"site\":null}]}"));
    cr_assert_eq(fed->ended, 3);
    cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_site), "a");
    cr_expect_str_eq(fake_text(&fed->event[1], WN_FIELD_site), "b");
    cr_expect_str_eq(fake_text(&fed->event[2], WN_FIELD_site), "a");
    cr_expect_not(fed->event[0].has[WN_FIELD_batch_id]);
    wn_span id = wn_json_batch_id(json);
    cr_assert_eq(id.n, 2);
    cr_expect_eq(memcmp(id.p, "id", 2), 0);
    cr_expect(body("{\"events\":[{}],\"batch_id\":\"late\"}"));
    cr_expect_eq(wn_json_batch_id(json).n, 4);
}

Test(event_json, pieces_make_no_difference) {
    static const char text[] =
        "{\"batch_id\":\"b\\u0031\",\"site\":\"a\",\"events\":[{\"url\":\"/p\\u00e4th\\/"
        "\\ud83d\\ude00\",\"time\":12345,"
        "\"purposes\":[\"basic\",\"measure\"],\"props\":{\"x\":[1,2,{\"y\":null}],\"pl\\u00e4n\":"
        "\"gr\\u00f6\\u00dfer\",\"n\":-12.5},"
        "\"consent\":{\"c\\u0041\":{\"x\":[true,\"long\"]}},\"referrer\":\"\"}]}";
    for (size_t step = 1; step < sizeof text; step++) {
        cr_assert(body_in(text, sizeof text - 1, step), "step %zu", step);
        cr_assert_eq(fed->ended, 1);
        cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_url), "/p\xc3\xa4th/\xf0\x9f\x98\x80");
        cr_expect_eq(fed->event[0].items_n, 2);
        cr_expect_str_eq(fake_text(&fed->event[0], WN_FIELD_time), "12345");
        cr_expect_eq(wn_json_batch_id(json).n, 2);
        cr_expect_str_eq(fake_pairs(&fed->event[0]), "props.x{;props.pl\xc3\xa4n=gr\xc3\xb6\xc3\x9f"
                                                     "er;props.n=#-12.5;consent.cA{;"
                                                     "consent.x{;consent.x=t;consent.x=long;consent.};consent.}");
    }
}

Test(event_json, bad_utf8_is_left_to_the_filter) {
    cr_expect(body("[{\"url\":\"/\xff\xfe\"},{\"site\":\"a\"}]"));
    cr_expect_eq(fed->ended, 2);
}

Test(event_json, events_past_the_limit_go_nowhere) {
    static wn_event_sink sink;
    memset(fed, 0, sizeof *fed);
    fed->events_max = 2;
    sink = fake_sink(fed);
    const char *text = "[{\"site\":\"a\"},{\"site\":\"b\"},{\"colour\":1,\"purposes\":[3],\"props\":{}},{}]";
    wn_json_reset(json);
    wn_json_begin(json, &sink);
    cr_expect(wn_json_feed(json, (wn_span){(const uint8_t *)text, strlen(text)}) && wn_json_end(json));
    cr_expect_eq(fed->ended, 2);
    cr_expect_eq(fed->skipped, 2);
}

Test(event_json, gives_its_memory_back) {
    size_t before = wn_json_bytes(json);
    size_t n = 300000;
    char *text = malloc(n + 64);
    int k = sprintf(text, "{\"url\":\"");
    memset(text + k, '\\', n);
    for (size_t i = 1; i < n; i += 2) text[(size_t)k + i] = 'n';
    strcpy(text + k + n, "\"}");
    cr_expect(body_in(text, strlen(text), 1000));
    cr_expect_eq(fed->why[0], WN_VERDICT_too_long);
    cr_expect_gt(wn_json_bytes(json), before + 100000);
    wn_json_reset(json);
    cr_expect_eq(wn_json_bytes(json), before);
    free(text);
}
