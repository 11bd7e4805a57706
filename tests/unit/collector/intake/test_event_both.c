// SPDX-License-Identifier: Apache-2.0
// One event, as JSON and as msgpack: the filter must be told the same. Events
// are drawn at random, good and bad; the seed is fixed.
#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "event_mp.h"
#include "fake_event.h"

#define EVENTS 20000

static uint64_t state = 0x2545F4914F6CDD1D;
static uint32_t below(uint32_t n) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (uint32_t)((state * 0x9E3779B97F4A7C15u >> 33) % n);
}

static char json[1 << 16];
static size_t json_n;
static msgpack_sbuffer packed;
static msgpack_packer pk;
static unsigned longs; // long words of this event: its size shall not decide

static void add(const char *s) {
    strcpy(json + json_n, s);
    json_n += strlen(s);
}

static void put_text(const char *s) {
    add("\""), add(s), add("\"");
    msgpack_pack_str_with_body(&pk, s, strlen(s));
}

static const char *word(void) {
    static const char *const words[] = {"",     "a",     "b", "C0002", "categoryPreferences",
                                        "true", "false", "1", "x y"};
    static char text[160];
    if (below(30) != 0 || longs == 4) return words[below(WN_COUNT(words))];
    longs++;
    size_t n = WN_PAIR_BYTES_MAX - 1 + below(3);
    memset(text, 'l', n);
    text[n] = '\0';
    return text;
}

static void put_number(void) {
    char text[40];
    int v = (int)below(5) - 1;
    double d = (double)v + 0.25 * below(4);
    if (below(2)) {
        snprintf(text, sizeof text, "%d", v);
        msgpack_pack_int(&pk, v);
    } else {
        snprintf(text, sizeof text, d * 2 == (double)(int)(d * 2) ? "%.1f" : "%.2f", d);
        msgpack_pack_double(&pk, d);
    }
    add(text);
}

static void put_value(unsigned depth);

static void put_inside(unsigned depth, bool list) {
    uint32_t n = depth > 6 ? below(2) : below(4);
    if (list) msgpack_pack_array(&pk, n);
    else msgpack_pack_map(&pk, n);
    add(list ? "[" : "{");
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0) add(",");
        if (!list) put_text(word()), add(":");
        put_value(depth + 1);
    }
    add(list ? "]" : "}");
}

static void put_value(unsigned depth) {
    uint32_t kind = below(depth > 10 ? 6 : 10);
    if (kind <= 1) put_text(word());
    if (kind == 2) put_number();
    if (kind == 3) add("true"), msgpack_pack_true(&pk);
    if (kind == 4) add("false"), msgpack_pack_false(&pk);
    if (kind == 5) add("null"), msgpack_pack_nil(&pk);
    if (kind > 5) put_inside(depth, kind > 7);
}

static void put_event(void) {
    static const wn_field often[] = {WN_FIELD_props,    WN_FIELD_consent, WN_FIELD_child,
                                     WN_FIELD_purposes, WN_FIELD_consent, WN_FIELD_ad_tracking};
    uint32_t n = 1 + below(3);
    longs = 0;
    msgpack_pack_map(&pk, n);
    add("{");
    for (uint32_t i = 0; i < n; i++) {
        wn_field f = below(3) ? often[below(WN_COUNT(often))] : (wn_field)below(WN_FIELD_N);
        if (i > 0) add(",");
        put_text(below(60) ? wn_field_name(f) : "colour"), add(":");
        if (wn_filling_shape(f) == WN_SHAPE_MAP && below(8)) put_inside(4, false);
        else put_value(4);
    }
    add("}");
}

static void decode(fake_log *a, fake_log *b) {
    static wn_json *j;
    if (j == NULL) cr_assert_eq(wn_json_new(&j), WN_OK);
    a->begun = a->ended = a->cut = b->begun = b->ended = b->cut = 0;
    wn_event_sink sink = fake_sink(a);
    wn_json_begin(j, &sink);
    cr_assert(wn_json_feed(j, (wn_span){(const uint8_t *)json, json_n}) && wn_json_end(j), "%s", json);
    wn_json_reset(j);
    wn_message m;
    sink = fake_sink(b);
    cr_assert_eq(wn_message_open((wn_span){(const uint8_t *)packed.data, packed.size}, 1, &m), WN_OK, "%s",
                 json);
    wn_message_events(&m, &sink);
    cr_assert(a->ended == 1 && b->ended == 1, "%s", json);
}

static void same(const wn_event *a, const wn_event *b) {
    cr_expect_eq(a->why, b->why, "%s: %s, %s", json, wn_verdict_name(a->why), wn_verdict_name(b->why));
    cr_expect_eq(a->doubt, b->doubt, "%s", json);
    if (a->why != WN_KEEP || a->doubt) return; // refused whole
    char pairs[8192];
    snprintf(pairs, sizeof pairs, "%s", fake_pairs(a));
    cr_expect_str_eq(pairs, fake_pairs(b), "%s", json);
    cr_expect_eq(memcmp(a->has, b->has, sizeof a->has), 0, "%s", json);
    for (unsigned f = 0; f < WN_FIELD_N; f++)
        cr_expect(a->n[f] == b->n[f] && memcmp(a->text[f], b->text[f], a->n[f]) == 0, "%s", json);
    cr_expect_eq(a->items_n, b->items_n, "%s", json);
}

Test(event_both, json_and_msgpack_tell_the_same) {
    fake_log *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    size_t kept = 0, doubted = 0, with_pairs = 0;
    bool refused[WN_VERDICT_N] = {false};
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&pk, &packed, msgpack_sbuffer_write);
    for (int i = 0; i < EVENTS; i++) {
        msgpack_sbuffer_clear(&packed);
        json_n = 0;
        msgpack_pack_map(&pk, 4);
        add("{"), put_text("site"), add(":"), put_text("shop"), add(","), put_text("batch_id"), add(":");
        put_text("b"), add(","), msgpack_pack_str_with_body(&pk, "v", 1), msgpack_pack_int(&pk, 1);
        put_text("events"), add(":["), msgpack_pack_array(&pk, 1), put_event(), add("]}");
        decode(a, b);
        same(&a->event[0], &b->event[0]);
        kept += a->why[0] == WN_KEEP && !a->event[0].doubt;
        doubted += a->event[0].doubt;
        with_pairs += a->event[0].pairs_n != 0;
        refused[a->why[0]] = true;
    }
    // The draw reaches every way to go wrong.
    cr_expect(kept > EVENTS / 10 && doubted > EVENTS / 10 && with_pairs > EVENTS / 10, "%zu %zu %zu", kept,
              doubted, with_pairs);
    cr_expect(refused[WN_VERDICT_duplicate_field] && refused[WN_VERDICT_unknown_field] &&
              refused[WN_VERDICT_malformed] && refused[WN_VERDICT_too_deep] && refused[WN_VERDICT_too_long]);
    msgpack_sbuffer_destroy(&packed);
    free(a), free(b);
}
