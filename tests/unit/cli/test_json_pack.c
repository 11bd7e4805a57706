// SPDX-License-Identifier: Apache-2.0
// JSON lines as msgpack: what is refused, and that nothing is lost between.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_pack.h"
#include "mp.h"

static msgpack_sbuffer b;
static const char *why;

static void setup(void) {
    msgpack_sbuffer_init(&b);
}
static void teardown(void) {
    msgpack_sbuffer_destroy(&b);
}

static bool pack(const char *text) {
    why = "";
    return wn_json_pack(text, strlen(text), &b, &why);
}

Test(json_pack, refuses_what_is_no_object_and_appends_nothing, .init = setup, .fini = teardown) {
    static const char *const bad[] = {"",
                                      "3",
                                      "[]",
                                      "\"x\"",
                                      "null",
                                      "{",
                                      "{\"a\":1",
                                      "{\"a\":1}}",
                                      "{} {}",
                                      "{a:1}",
                                      "nonsense",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        cr_expect(!pack(bad[i]), "%s", bad[i]);
        cr_expect(why[0], "%s", bad[i]);
        cr_expect_eq(b.size, 0, "%s", bad[i]);
    }
    cr_assert(!wn_json_pack("{}\0", 3, &b, &why));
}

Test(json_pack, depth_and_size_hold_at_their_edges, .init = setup, .fini = teardown) {
    char text[256];
    for (size_t depth = WN_JSON_DEPTH_MAX - 2; depth <= WN_JSON_DEPTH_MAX + 1; depth++) {
        size_t at = (size_t)snprintf(text, sizeof text, "{\"a\":");
        for (size_t i = 1; i < depth; i++) text[at++] = '[';
        for (size_t i = 1; i < depth; i++) text[at++] = ']';
        snprintf(text + at, sizeof text - at, "}");
        cr_expect_eq(pack(text), depth <= WN_JSON_DEPTH_MAX, "%zu: %s", depth, why);
    }
    char *large = malloc(WN_JSON_BYTES_MAX + 2);
    for (size_t n = WN_JSON_BYTES_MAX; n <= WN_JSON_BYTES_MAX + 1; n++) {
        memset(large, ' ', n);
        large[0] = '{';
        large[n - 1] = '}';
        cr_expect_eq(wn_json_pack(large, n, &b, &why), n == WN_JSON_BYTES_MAX);
    }
    free(large);
}

Test(json_pack, values_come_over_as_they_are, .init = setup, .fini = teardown) {
    wn_mp m;
    uint32_t n;
    wn_span s;
    int64_t i;
    double d;
    bool flag = true;
    cr_assert(pack("{\"s\":\"\\u00e9\",\"i\":-9007199254740993,\"d\":1.5,\"b\":false,\"n\":null,\"l\":[\"x\"]"
                   ",\"m\":{}}"));
    wn_mp_init(&m, (wn_span){(uint8_t *)b.data, b.size});
    cr_assert(wn_mp_map(&m, 10, &n) && n == 7);
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_str(&m, 9, &s) && s.n == 2 && memcmp(s.p, "\xc3\xa9", 2) == 0);
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_int(&m, &i) && i == -9007199254740993);
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_double(&m, &d) && d > 1.49 && d < 1.51);
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_bool(&m, &flag) && !flag);
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_nil(&m));
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_array(&m, 9, &n) && n == 1 && wn_mp_str(&m, 1, &s));
    cr_assert(wn_mp_str(&m, 1, &s) && wn_mp_map(&m, 9, &n) && n == 0);
    cr_assert(wn_mp_done(&m));
}

Test(json_pack, keys_that_stand_twice_are_left_for_the_collector_to_judge, .init = setup, .fini = teardown) {
    wn_mp m;
    uint32_t n;
    cr_assert(pack("{\"a\":1,\"a\":2}"));
    wn_mp_init(&m, (wn_span){(uint8_t *)b.data, b.size});
    cr_assert(wn_mp_map(&m, 10, &n));
    cr_assert_eq(n, 2);
}
