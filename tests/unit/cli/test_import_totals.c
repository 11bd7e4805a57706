// SPDX-License-Identifier: Apache-2.0
// An import's figures must add up, or say that they do not.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "import_totals.h"

static wn_reply reply(void (*write)(msgpack_packer *pk)) {
    msgpack_sbuffer b;
    msgpack_packer pk;
    wn_reply r = {.held = true};
    msgpack_sbuffer_init(&b);
    msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
    write(&pk);
    zmq_msg_init_size(&r.msg, b.size);
    memcpy(zmq_msg_data(&r.msg), b.data, b.size);
    msgpack_sbuffer_destroy(&b);
    return r;
}

static void put(msgpack_packer *pk, const char *s) {
    msgpack_pack_str(pk, strlen(s));
    msgpack_pack_str_body(pk, s, strlen(s));
}

static void good(msgpack_packer *pk) {
    msgpack_pack_map(pk, 6);
    put(pk, "ok"), msgpack_pack_true(pk);
    put(pk, "lines"), msgpack_pack_uint64(pk, 10);
    put(pk, "counted"), msgpack_pack_uint64(pk, 4);
    put(pk, "late"), msgpack_pack_uint64(pk, 1);
    put(pk, "reasons"), msgpack_pack_map(pk, 2);
    put(pk, "asset"), msgpack_pack_uint64(pk, 3);
    put(pk, "bot"), msgpack_pack_uint64(pk, 2);
    put(pk, "windows"), msgpack_pack_array(pk, 2);
    put(pk, "2026-11-20.web.UTC"), put(pk, "2026-11-21.web.UTC");
}

// A chunk that was cut by a kill: a part of it had counted before.
static void repeated(msgpack_packer *pk) {
    msgpack_pack_map(pk, 4);
    put(pk, "ok"), msgpack_pack_true(pk);
    put(pk, "lines"), msgpack_pack_uint64(pk, 7);
    put(pk, "counted"), msgpack_pack_uint64(pk, 2);
    put(pk, "repeated"), msgpack_pack_uint64(pk, 5);
}

static void lies(msgpack_packer *pk) {
    msgpack_pack_map(pk, 3);
    put(pk, "ok"), msgpack_pack_true(pk);
    put(pk, "lines"), msgpack_pack_uint64(pk, 10);
    put(pk, "counted"), msgpack_pack_uint64(pk, 9);
}

static void nonsense(msgpack_packer *pk) {
    msgpack_pack_map(pk, 3);
    put(pk, "lines"), msgpack_pack_uint64(pk, 1);
    put(pk, "counted"), msgpack_pack_uint64(pk, 1);
    put(pk, "reasons"), msgpack_pack_uint64(pk, 1);
}

static void empty(msgpack_packer *pk) {
    msgpack_pack_map(pk, 0);
}

static bool add(wn_totals *t, void (*write)(msgpack_packer *pk), uint32_t lines) {
    wn_reply r = reply(write);
    bool well = wn_totals_chunk(t, &r, lines);
    wn_reply_fini(&r);
    return well;
}

Test(import_totals, answers_not_understood_are_refused) {
    wn_totals t = {0};
    cr_assert(!add(&t, empty, 1));
    cr_assert(!add(&t, nonsense, 1));
    cr_assert(!add(&t, good, 11), "another number of lines than was sent");
    wn_totals_fini(&t);
}

Test(import_totals, a_lost_line_shows) {
    wn_totals t = {0};
    cr_assert(add(&t, lies, 10));
    cr_assert(!wn_totals_add_up(&t));
    wn_totals_fini(&t);
}

Test(import_totals, chunks_add_up_and_windows_stand_once) {
    wn_totals t = {0};
    for (int i = 0; i < 3; i++) cr_assert(add(&t, good, 10));
    cr_assert(add(&t, repeated, 7));
    cr_assert(wn_totals_add_up(&t));
    cr_assert_eq(t.lines, 37);
    cr_assert_eq(t.counted, 14);
    cr_assert_eq(t.late, 3);
    cr_assert_eq(t.repeated, 5);
    cr_assert_eq(t.reasons_n, 2);
    cr_assert_eq(t.reason[0].n, 9);
    cr_assert_eq(t.windows_n, 2);
    wn_totals_fini(&t);
}

Test(import_totals, the_first_and_the_last_day_are_named) {
    wn_totals t = {0};
    char *text = NULL;
    size_t n = 0;
    cr_assert(add(&t, good, 10));
    FILE *out = open_memstream(&text, &n);
    cr_assert(wn_totals_print(&t, out));
    fclose(out);
    cr_assert_not_null(strstr(text, "days       2026-11-20 to 2026-11-21\n"), "%s", text);
    free(text);
    t.windows_n = 1;
    out = open_memstream(&text, &n);
    cr_assert(wn_totals_print(&t, out));
    fclose(out);
    cr_assert_not_null(strstr(text, "days       2026-11-20\n"), "%s", text);
    free(text);
    wn_totals_fini(&t);
}
