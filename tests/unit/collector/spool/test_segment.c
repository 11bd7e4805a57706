// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "crypt.h"
#include "segment.h"

Test(segment, refuses_names_that_are_not_exactly_segments) {
    static const char *const bad[] = {"",
                                      "1.seg",
                                      "0000000000.seg",
                                      "00000000001.seg",
                                      "000000000a.seg",
                                      "0000000001.SEG",
                                      "0000000001.seg~",
                                      "9999999999.seg",
                                      "-000000001.seg"};
    uint32_t n = 77;
    for (size_t i = 0; i < WN_COUNT(bad); i++) cr_expect_not(wn_segment_number(bad[i], &n), "%s", bad[i]);
    cr_assert_eq(n, 77);
}

Test(segment, names_go_and_come_back) {
    static const uint32_t numbers[] = {1, 9, 4294967295u};
    for (size_t i = 0; i < WN_COUNT(numbers); i++) {
        char name[WN_SEGMENT_NAME_BYTES];
        uint32_t back = 0;
        wn_segment_name(numbers[i], name);
        cr_assert(wn_segment_number(name, &back));
        cr_assert_eq(back, numbers[i]);
    }
}

Test(segment, head_of_another_version_is_named_as_such) {
    uint8_t bytes[WN_SEGMENT_HEAD_BYTES];
    wn_segment_head h;
    wn_segment_head_encode(&(wn_segment_head){3, 44}, bytes);
    bytes[8] = WN_SEGMENT_VERSION + 1;
    cr_assert_eq(wn_segment_head_decode((wn_span){bytes, sizeof bytes}, &h), WN_ERR_VERSION);
}

Test(segment, any_flipped_byte_of_a_head_is_seen) {
    uint8_t bytes[WN_SEGMENT_HEAD_BYTES];
    wn_segment_head h;
    for (size_t i = 0; i < sizeof bytes; i++) {
        wn_segment_head_encode(&(wn_segment_head){3, 44}, bytes);
        bytes[i] ^= 0x40;
        cr_expect_neq(wn_segment_head_decode((wn_span){bytes, sizeof bytes}, &h), WN_OK, "byte %zu", i);
    }
    wn_segment_head_encode(&(wn_segment_head){3, 44}, bytes);
    cr_assert_eq(wn_segment_head_decode((wn_span){bytes, sizeof bytes - 1}, &h), WN_ERR_FORMAT);
    cr_assert_eq(wn_segment_head_decode((wn_span){bytes, sizeof bytes}, &h), WN_OK);
    cr_assert(h.number == 3 && h.txn_before == 44);
}

Test(segment, any_flipped_byte_of_a_record_head_is_seen) {
    wn_record_head h = {WN_RECORD_BATCH, true, 512, 5, 6, 7, "2026-11-20.web.UTC"}, back;
    uint8_t bytes[WN_RECORD_HEAD_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++) {
        wn_record_head_encode(&h, bytes);
        bytes[i] ^= 1;
        cr_expect_neq(wn_record_head_decode((wn_span){bytes, sizeof bytes}, &back), WN_OK, "byte %zu", i);
    }
    wn_record_head_encode(&h, bytes);
    cr_assert_eq(wn_record_head_decode((wn_span){bytes, sizeof bytes - 1}, &back), WN_ERR_FORMAT);
    cr_assert_eq(wn_record_head_decode((wn_span){bytes, sizeof bytes}, &back), WN_OK);
    cr_assert(back.last && back.txn == 5 && back.generation == 6 && back.sequence == 7 &&
              back.box_bytes == 512);
    cr_assert_str_eq(back.window, h.window);
}

Test(segment, box_lengths_outside_their_bounds_are_refused) {
    static const uint32_t bad[] = {0, WN_BOX_OVERHEAD - 1, WN_RECORD_BOX_BYTES_MAX + 1, UINT32_MAX};
    wn_record_head h = {WN_RECORD_BATCH, true, 512, 5, 6, 7, "w"}, back;
    uint8_t bytes[WN_RECORD_HEAD_BYTES];
    for (size_t i = 0; i < WN_COUNT(bad); i++) {
        h.box_bytes = bad[i];
        wn_record_head_encode(&h, bytes);
        cr_expect_eq(wn_record_head_decode((wn_span){bytes, sizeof bytes}, &back), WN_ERR_FORMAT);
    }
    h.box_bytes = WN_RECORD_BOX_BYTES_MAX;
    wn_record_head_encode(&h, bytes);
    cr_assert_eq(wn_record_head_decode((wn_span){bytes, sizeof bytes}, &back), WN_OK);
}
