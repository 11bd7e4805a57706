// SPDX-License-Identifier: Apache-2.0
// test_mp.c: the cursor believes nothing that the bytes cannot hold.
#include <criterion/criterion.h>
#include <msgpack.h>
#include <string.h>

#include "mp.h"

static wn_mp over(const void *p, size_t n) {
    wn_mp m;
    wn_mp_init(&m, (wn_span){p, n});
    return m;
}

Test(mp, refuses_counts_the_bytes_cannot_hold) {
    uint32_t n = 7;
    wn_span s;
    const uint8_t array[] = {0xdd, 0xff, 0xff, 0xff, 0xff}, map[] = {0x82, 0x01, 0x02, 0x03};
    const uint8_t str[] = {0xdb, 0x7f, 0xff, 0xff, 0xff, 'a'}, bin[] = {0xc4, 3, 1, 2};
    wn_mp m = over(array, sizeof array);
    cr_assert(!wn_mp_array(&m, UINT32_MAX, &n) && m.bad);
    m = over(map, sizeof map);
    cr_assert(!wn_mp_map(&m, UINT32_MAX, &n) && m.bad);
    m = over(str, sizeof str);
    cr_assert(!wn_mp_str(&m, SIZE_MAX, &s) && m.bad);
    m = over(bin, sizeof bin);
    cr_assert(!wn_mp_bin(&m, SIZE_MAX, &s) && m.bad);
    cr_assert_eq(n, 7u, "outputs are written only on success");
}

Test(mp, keeps_its_limits_at_their_edges) {
    uint64_t v;
    uint32_t n;
    wn_span s;
    const uint8_t two[] = {0x92, 1, 2}, abc[] = {0xa3, 'a', 'b', 'c'}, nine[] = {9};
    wn_mp m = over(two, sizeof two);
    cr_assert(wn_mp_array(&m, 2, &n));
    m = over(two, sizeof two);
    cr_assert(!wn_mp_array(&m, 1, &n));
    m = over(abc, sizeof abc);
    cr_assert(wn_mp_str(&m, 3, &s) && s.n == 3 && wn_mp_done(&m));
    m = over(abc, sizeof abc);
    cr_assert(!wn_mp_str(&m, 2, &s));
    m = over(nine, 1);
    cr_assert(wn_mp_uint(&m, 9, &v) && v == 9);
    m = over(nine, 1);
    cr_assert(!wn_mp_uint(&m, 8, &v));
}

Test(mp, sticks_to_the_first_error) {
    uint64_t v = 5;
    const uint8_t bytes[] = {0xc3, 1};
    wn_mp m = over(bytes, sizeof bytes);
    cr_assert(!wn_mp_uint(&m, 9, &v));
    bool b;
    cr_assert(!wn_mp_bool(&m, &b) && !wn_mp_done(&m) && v == 5);
    cr_assert_eq(wn_mp_peek(&m), WN_MP_END);
}

Test(mp, skip_is_bounded_in_depth) {
    uint8_t nested[64];
    memset(nested, 0x91, sizeof nested);
    nested[63] = 0xc0;
    wn_mp m = over(nested, sizeof nested);
    cr_assert(wn_mp_skip(&m, 63) && wn_mp_done(&m));
    m = over(nested, sizeof nested);
    cr_assert(!wn_mp_skip(&m, 62) && m.bad);
}

Test(mp, refuses_the_reserved_byte_and_short_heads) {
    for (unsigned first = 0; first < 256; first++) {
        uint8_t one[1] = {(uint8_t)first};
        wn_mp m = over(one, 1);
        bool whole = first < 0x80 || first == 0x80 || first == 0x90 || first == 0xa0 || first == 0xc0 ||
                     first == 0xc2 || first == 0xc3 || first >= 0xe0;
        cr_assert_eq(wn_mp_skip(&m, 4), whole, "first byte %02x", first);
    }
}

Test(mp, reads_what_msgpack_c_writes) {
    msgpack_sbuffer b;
    msgpack_packer pk;
    msgpack_sbuffer_init(&b);
    msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
    static const int64_t ints[] = {0,         1,  127, 128, 255,  256,    65535,    65536,
                                   INT64_MAX, -1, -32, -33, -129, -32769, INT64_MIN};
    for (size_t i = 0; i < WN_COUNT(ints); i++) msgpack_pack_int64(&pk, ints[i]);
    msgpack_pack_double(&pk, 2.5);
    msgpack_pack_float(&pk, 0.5f);
    msgpack_pack_nil(&pk);
    wn_mp m = over(b.data, b.size);
    for (size_t i = 0; i < WN_COUNT(ints); i++) {
        int64_t v = 99;
        cr_assert(wn_mp_int(&m, &v) && v == ints[i]);
    }
    double x;
    cr_assert(wn_mp_double(&m, &x) && x == 2.5);
    cr_assert(wn_mp_double(&m, &x) && x == 0.5);
    cr_assert(wn_mp_nil(&m) && wn_mp_done(&m));
    msgpack_sbuffer_destroy(&b);
}
