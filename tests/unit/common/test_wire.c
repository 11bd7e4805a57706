// SPDX-License-Identifier: Apache-2.0
// test_wire.c: a batch is taken whole or not at all.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"
#include "winnow/wire.h"

static wn_batch_head head = {
    .id = {.generation = UINT64_C(0xfedcba9876543210), .sequence = 7},
    .window = {.zone = "Europe/Berlin",
               .kind = WN_KIND_WEB,
               .day = 20777,
               .start_s = 1795129200,
               .end_s = 1795215600},
    .policy_version = 3,
    .policy_id = UINT64_C(0x8877665544332211),
};

static wn_observation sample(uint32_t i) {
    wn_observation o = {.prefix = i * 7919u, .site = 42 + i % 3, .kind = WN_OBS_VIEW};
    memcpy(o.person, &i, sizeof i);
    o.closed[WN_DIM_hour] = (uint16_t)(1 + i % 25);
    o.closed[WN_DIM_country] = 'D' << 8 | 'E';
    if (i % 4 >= 2) o.number[0] = (uint16_t)(UINT16_MAX - i);
    if (i % 4 == 1 || i % 4 == 3) o.number[1] = (uint16_t)(1 + i);
    return o;
}

static wn_batch_builder *builder(void) {
    wn_batch_builder *b = NULL;
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_eq(wn_batch_builder_new(&b), WN_OK);
    return b;
}

// A batch of n observations, each with a route of its own number.
static size_t encoded(uint32_t n, uint8_t *out) {
    wn_batch_builder *b = builder();
    static const uint8_t key[32] = {1};
    for (uint32_t i = 0; i < n; i++) {
        wn_observation o = sample(i);
        wn_value v;
        const wn_value *values[WN_OPEN_N] = {NULL};
        char text[16];
        int len = snprintf(text, sizeof text, "/page/%u", i % 10);
        wn_value_seal(key, (wn_span){(uint8_t *)text, (size_t)len}, &v);
        o.open[WN_DIM_route] = wn_value_id(&v);
        values[WN_DIM_route] = &v;
        cr_assert_eq(wn_batch_builder_add(b, &o, values), WN_OK);
    }
    cr_assert_eq(wn_batch_builder_refuse(b, 42, 5), WN_OK);
    size_t bytes = 0;
    cr_assert_eq(wn_batch_builder_finish(b, &head, out, WN_BATCH_BYTES_MAX, &bytes), WN_OK);
    wn_batch_builder_free(b);
    return bytes;
}

static uint8_t *bytes;
static wn_batch_reader *reader;

static void setup(void) {
    bytes = malloc(WN_BATCH_BYTES_MAX);
    reader = malloc(sizeof *reader);
}
static void teardown(void) {
    free(bytes);
    free(reader);
}

Test(wire, any_cut_is_refused, .init = setup, .fini = teardown) {
    size_t n = encoded(20, bytes);
    for (size_t i = 0; i < n; i++) {
        uint8_t *exact = malloc(i + 1); // so that a sanitizer sees a read past the end
        memcpy(exact, bytes, i);
        cr_assert_neq(wn_batch_reader_init(reader, (wn_span){exact, i}), WN_OK, "cut at %zu of %zu", i, n);
        free(exact);
    }
    bytes[n] = 0xc0;
    cr_assert_neq(wn_batch_reader_init(reader, (wn_span){bytes, n + 1}), WN_OK, "one byte too many");
}

Test(wire, any_flip_is_refused_or_gives_valid_observations, .init = setup, .fini = teardown) {
    size_t n = encoded(20, bytes), refused = 0;
    for (size_t i = 0; i < n * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
        if (wn_batch_reader_init(reader, (wn_span){bytes, n}) == WN_OK) {
            wn_observation o;
            while (wn_batch_reader_next(reader, &o)) {
                cr_assert(o.kind >= WN_OBS_VIEW && o.kind <= WN_OBS_PURGE);
                for (unsigned d = 0; d < WN_CLOSED_N; d++) cr_assert(wn_closed_valid(d, o.closed[d]));
            }
        } else {
            refused++;
        }
        bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    cr_assert_gt(refused, n, "structure, enums and versions are checked");
}

Test(wire, holds_its_limit_of_observations, .init = setup, .fini = teardown) {
    wn_batch_builder *b = builder();
    const wn_value *none[WN_OPEN_N] = {NULL};
    for (uint32_t i = 0; i < WN_BATCH_OBS_MAX; i++) {
        wn_observation o = sample(i);
        cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_OK);
    }
    wn_observation o = sample(0);
    cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_ERR_FULL);
    size_t n = 0;
    cr_assert_eq(wn_batch_builder_finish(b, &head, bytes, WN_BATCH_BYTES_MAX, &n), WN_OK);
    cr_assert_eq(wn_batch_reader_init(reader, (wn_span){bytes, n}), WN_OK);
    cr_assert_eq(reader->head.observations, WN_BATCH_OBS_MAX);
    wn_batch_builder_free(b);
}

Test(wire, holds_its_limit_of_sites) {
    wn_batch_builder *b = builder();
    for (uint64_t i = 0; i < WN_BATCH_SITES_MAX; i++)
        cr_assert_eq(wn_batch_builder_refuse(b, i + 1, 1), WN_OK);
    cr_assert_eq(wn_batch_builder_refuse(b, WN_BATCH_SITES_MAX + 1, 1), WN_ERR_FULL);
    wn_batch_builder_free(b);
}

Test(wire, gives_back_what_went_in, .init = setup, .fini = teardown) {
    size_t n = encoded(100, bytes);
    static const uint8_t key[32] = {1};
    cr_assert_eq(wn_batch_reader_init(reader, (wn_span){bytes, n}), WN_OK);
    cr_assert(wn_window_same(&reader->head.window, &head.window));
    cr_assert_eq(reader->head.id.generation, head.id.generation);
    cr_assert_eq(reader->head.id.sequence, head.id.sequence);
    cr_assert_eq(reader->head.policy_version, head.policy_version);
    cr_assert_eq(reader->head.policy_id, head.policy_id);
    cr_assert_eq(wn_batch_reader_values(reader), 10u, "a text goes once a batch");
    cr_assert(reader->refusals_n == 1 && reader->refusals[0].site == 42 && reader->refusals[0].refused == 5);
    wn_observation o;
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert(wn_batch_reader_next(reader, &o));
        wn_observation want = sample(i);
        want.open[WN_DIM_route] = o.open[WN_DIM_route];
        cr_assert_arr_eq(&o, &want, sizeof o);
        wn_value v = {.n = 0};
        for (uint32_t j = 0; j < 10 && wn_value_id(&v) != o.open[WN_DIM_route]; j++)
            wn_batch_reader_value(reader, j, &v);
        char text[WN_OPEN_TEXT_MAX + 1], expect[16];
        size_t len = 0;
        cr_assert_eq(wn_value_open(key, &v, text, &len), WN_OK);
        snprintf(expect, sizeof expect, "/page/%u", i % 10);
        cr_assert_str_eq(text, expect);
    }
    cr_assert(!wn_batch_reader_next(reader, &o));
}

// The batch of one observation; its numbers stand last.
static size_t one(uint8_t kind, uint16_t first, uint16_t second, uint8_t *out) {
    wn_batch_builder *b = builder();
    const wn_value *none[WN_OPEN_N] = {NULL};
    wn_observation o = sample(0);
    size_t n = 0;
    o.kind = kind;
    o.number[0] = first, o.number[1] = second;
    cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_OK);
    cr_assert_eq(wn_batch_builder_finish(b, &head, out, WN_BATCH_BYTES_MAX, &n), WN_OK);
    wn_batch_builder_free(b);
    return n;
}

Test(wire, numbers_take_no_room_behind_the_last_and_come_back, .init = setup, .fini = teardown) {
    static const uint16_t rows[][2] = {{0, 0}, {1, 0}, {UINT16_MAX, 0}, {0, 1}, {0, UINT16_MAX}, {500, 127}};
    size_t none = one(WN_OBS_EVENT, 0, 0, bytes);
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_observation o;
        size_t n = one(WN_OBS_EVENT, rows[i][0], rows[i][1], bytes);
        cr_expect_eq(n == none, i == 0, "row %zu", i);
        cr_assert_eq(wn_batch_reader_init(reader, (wn_span){bytes, n}), WN_OK, "row %zu", i);
        cr_assert(wn_batch_reader_next(reader, &o));
        cr_expect(o.number[0] == rows[i][0] && o.number[1] == rows[i][1], "row %zu", i);
    }
}

Test(wire, numbers_are_bounded_and_written_in_one_way, .init = setup, .fini = teardown) {
    static const struct {
        const char *tail; // what replaces the empty list at the end
        size_t n;
        wn_err want;
    } rows[] = {
        {"\x90", 1, WN_OK},
        {"\x91\x05", 2, WN_OK},
        {"\x92\x00\x05", 3, WN_OK},
        {"\x91\x00", 2, WN_ERR_FORMAT}, // ends with one that is not there
        {"\x92\x05\x00", 3, WN_ERR_FORMAT},
        {"\x93\x01\x01\x01", 4, WN_ERR_FORMAT}, // one more than there are
        {"\x91\xcd\xff\xff", 4, WN_OK},
        {"\x91\xce\x00\x01\x00\x00", 6, WN_ERR_FORMAT}, // 65536
        {"\x91\xff", 2, WN_ERR_FORMAT},                 // -1
        {"\xc0", 1, WN_ERR_FORMAT},
    };
    size_t n = one(WN_OBS_VIEW, 0, 0, bytes);
    cr_assert_eq(bytes[n - 1], 0x90);
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        memcpy(bytes + n - 1, rows[i].tail, rows[i].n);
        cr_expect_eq(wn_batch_reader_init(reader, (wn_span){bytes, n - 1 + rows[i].n}), rows[i].want,
                     "row %zu", i);
    }
}

Test(wire, a_session_carries_no_number, .init = setup, .fini = teardown) {
    wn_observation o;
    size_t n = one(WN_OBS_SESSION, 5, 6, bytes);
    cr_assert_eq(wn_batch_reader_init(reader, (wn_span){bytes, n}), WN_OK);
    cr_assert(wn_batch_reader_next(reader, &o));
    cr_expect(o.number[0] == 0 && o.number[1] == 0);
    cr_assert_eq(bytes[n - 1], 0x90);
    memcpy(bytes + n - 1, "\x91\x05", 2);
    cr_expect_eq(wn_batch_reader_init(reader, (wn_span){bytes, n + 1}), WN_ERR_FORMAT);
}

Test(wire, another_version_is_refused_by_its_name, .init = setup, .fini = teardown) {
    size_t n = encoded(1, bytes);
    cr_assert_eq(bytes[1], WN_WIRE_VERSION);
    for (uint8_t v = 0; v < 8; v++) {
        bytes[1] = v;
        wn_err want = v == WN_WIRE_VERSION ? WN_OK : WN_ERR_VERSION;
        cr_expect_eq(wn_batch_reader_init(reader, (wn_span){bytes, n}), want, "version %u", v);
    }
}

Test(wire, an_altered_text_does_not_open) {
    static const uint8_t key[32] = {1};
    wn_value v;
    char text[WN_OPEN_TEXT_MAX + 1];
    size_t n;
    cr_assert_eq(wn_crypt_init(), WN_OK);
    wn_value_seal(key, (wn_span){(const uint8_t *)"/pricing", 8}, &v);
    for (size_t i = 0; i < v.n; i++) {
        v.bytes[i] ^= 1;
        cr_assert_eq(wn_value_open(key, &v, text, &n), WN_ERR_CORRUPT);
        v.bytes[i] ^= 1;
    }
    cr_assert_eq(wn_value_open(key, &v, text, &n), WN_OK);
    cr_assert_str_eq(text, "/pricing");
}

Test(wire, a_purge_names_itself_and_its_site) {
    wn_uplink_msg m = {.what = WN_ASK_PURGE, .generation = 1764000000, .sequence = WN_PURGE_ASK_ALL}, got;
    uint8_t out[WN_UPLINK_MSG_BYTES_MAX];
    memset(m.name, 0xA5, sizeof m.name);
    memset(m.site, 'x', sizeof m.site - 1); // the longest
    m.window = head.window;
    memset(m.window.zone, 'z', sizeof m.window.zone - 1);
    size_t n = wn_uplink_msg_encode(&m, out);
    cr_assert_eq(wn_uplink_msg_decode((wn_span){out, n}, &got), WN_OK);
    cr_assert_arr_eq(got.name, m.name, sizeof m.name);
    cr_assert_str_eq(got.site, m.site);
    cr_assert(got.generation == m.generation && got.sequence == m.sequence);
    for (size_t i = 0; i < n; i++) cr_assert_neq(wn_uplink_msg_decode((wn_span){out, i}, &got), WN_OK);
    out[2] = WN_ASK_CLOSED; // which has no such fields
    cr_assert_eq(wn_uplink_msg_decode((wn_span){out, n}, &got), WN_ERR_FORMAT);
}

Test(wire, messages_come_back_and_cuts_do_not) {
    wn_uplink_msg m = {.what = WN_ANSWER_EXPECT,
                       .window = head.window,
                       .generation = 5,
                       .sequence = UINT64_MAX},
                  got;
    uint8_t out[WN_UPLINK_MSG_BYTES_MAX];
    size_t n = wn_uplink_msg_encode(&m, out);
    cr_assert_eq(wn_uplink_msg_decode((wn_span){out, n}, &got), WN_OK);
    cr_assert(got.what == m.what && got.sequence == m.sequence && wn_window_same(&got.window, &m.window));
    for (size_t i = 0; i < n; i++) cr_assert_neq(wn_uplink_msg_decode((wn_span){out, i}, &got), WN_OK);
    out[1] = WN_WIRE_VERSION + 1;
    cr_assert_eq(wn_uplink_msg_decode((wn_span){out, n}, &got), WN_ERR_VERSION);
}
