// SPDX-License-Identifier: Apache-2.0
// Boxes refuse whatever was touched; PRFs equal independent implementations.
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "crypt.h"

#define TEXT(s) ((wn_span){(const uint8_t *)(s), sizeof(s) - 1})

static const uint8_t key[WN_KEY_BYTES] = {1, 2, 3, 4};

static void setup(void) {
    cr_assert_eq(wn_crypt_init(), WN_OK);
    cr_assert_eq(wn_crypt_init(), WN_OK, "a second call is fine");
}

TestSuite(crypt, .init = setup);

Test(crypt, refuses_a_box_with_any_bit_flipped) {
    uint8_t box[5 + WN_BOX_OVERHEAD], out[5];
    wn_box_seal(key, TEXT("window"), TEXT("plain"), box);
    for (size_t bit = 0; bit < sizeof box * 8; bit++) {
        box[bit / 8] ^= (uint8_t)(1u << bit % 8);
        wn_err err = wn_box_open(key, TEXT("window"), (wn_span){box, sizeof box}, out);
        cr_assert_eq(err, WN_ERR_CORRUPT, "bit %zu", bit);
        box[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert_eq(wn_box_open(key, TEXT("window"), (wn_span){box, sizeof box}, out), WN_OK);
    cr_assert_arr_eq(out, "plain", 5);
}

Test(crypt, refuses_a_box_cut_at_any_length) {
    uint8_t box[5 + WN_BOX_OVERHEAD], out[5];
    wn_box_seal(key, TEXT(""), TEXT("plain"), box);
    for (size_t n = 0; n < sizeof box; n++) {
        cr_assert_eq(wn_box_open(key, TEXT(""), (wn_span){box, n}, out), WN_ERR_CORRUPT, "%zu bytes", n);
    }
}

Test(crypt, refuses_another_key_and_other_associated_data) {
    uint8_t box[5 + WN_BOX_OVERHEAD], out[5], other[WN_KEY_BYTES] = {1, 2, 3, 5};
    wn_box_seal(key, TEXT("a"), TEXT("plain"), box);
    cr_assert_eq(wn_box_open(other, TEXT("a"), (wn_span){box, sizeof box}, out), WN_ERR_CORRUPT);
    cr_assert_eq(wn_box_open(key, TEXT("b"), (wn_span){box, sizeof box}, out), WN_ERR_CORRUPT);
    cr_assert_eq(wn_box_open(key, (wn_span){NULL, 0}, (wn_span){box, sizeof box}, out), WN_ERR_CORRUPT);
}

Test(crypt, box_of_nothing_holds_only_its_overhead) {
    uint8_t box[WN_BOX_OVERHEAD], out[1] = {7};
    wn_box_seal(key, (wn_span){NULL, 0}, (wn_span){NULL, 0}, box);
    cr_assert_eq(wn_box_open(key, (wn_span){NULL, 0}, (wn_span){box, sizeof box}, out), WN_OK);
    cr_assert_eq(out[0], 7);
}

Test(crypt, same_text_never_gives_the_same_box_nor_shows_in_it) {
    uint8_t a[16 + WN_BOX_OVERHEAD], b[16 + WN_BOX_OVERHEAD];
    wn_box_seal(key, TEXT(""), TEXT("0123456789abcdef"), a);
    wn_box_seal(key, TEXT(""), TEXT("0123456789abcdef"), b);
    cr_assert_neq(memcmp(a, b, 24), 0, "nonces");
    cr_assert_neq(memcmp(a + 24, b + 24, 32), 0);
    cr_assert_null(memmem(a, sizeof a, "01234567", 8));
}

Test(crypt, opens_what_libsodium_sealed) {
    uint8_t box[5 + WN_BOX_OVERHEAD] = {9, 8, 7}, out[5];
    wn_span plain = TEXT("plain"), aad = TEXT("a");
    crypto_aead_xchacha20poly1305_ietf_encrypt(box + 24, NULL, plain.p, plain.n, aad.p, aad.n, NULL, box,
                                               key);
    cr_assert_eq(wn_box_open(key, TEXT("a"), (wn_span){box, sizeof box}, out), WN_OK);
    cr_assert_arr_eq(out, "plain", 5);
}

Test(crypt, pads_to_powers_of_two_from_512) {
    static const size_t cases[][2] = {{0, 512},
                                      {1, 512},
                                      {511, 512},
                                      {512, 512},
                                      {513, 1024},
                                      {1024, 1024},
                                      {1025, 2048},
                                      {1 << 20, 1 << 20},
                                      {(1 << 20) + 1, 1 << 21},
                                      {SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1}};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        cr_assert_eq(wn_padded(cases[i][0]), cases[i][1], "row %zu", i);
    }
}

// Expected bytes: Python's hashlib.blake2b(bytes(range(32)) + b"winnow", digest_size=n).
Test(crypt, prf_is_blake2b_of_key_and_input) {
    static const uint8_t n16[] = {0xc8, 0x91, 0x1e, 0xa9, 0x8f, 0xf4, 0x3f, 0xf6,
                                  0x18, 0x80, 0xb0, 0x40, 0xff, 0x2a, 0xf8, 0x54};
    static const uint8_t n32_head[] = {0xc7, 0x04, 0x09, 0x71}, n64_tail[] = {0x3d, 0xf1, 0xb0, 0xc6, 0x84};
    static const uint8_t empty_head[] = {0xcb, 0x2f, 0x51, 0x60}, long_head[] = {0x9e, 0xd2, 0xb6, 0xeb},
                         edge_head[] = {0xfd, 0x82, 0x66, 0x60};
    uint8_t k[32], out[65] = {0};
    for (unsigned i = 0; i < 32; i++) k[i] = (uint8_t)i;
    wn_prf(k, TEXT("winnow"), out, 8);
    cr_assert_arr_eq(out, n16, 8);
    cr_assert_eq(out[8], 0, "wrote past its length");
    wn_prf(k, TEXT("winnow"), out, 16);
    cr_assert_arr_eq(out, n16, 16);
    wn_prf(k, TEXT("winnow"), out, 32);
    cr_assert_arr_eq(out, n32_head, 4);
    wn_prf(k, TEXT("winnow"), out, 64);
    cr_assert_arr_eq(out + 59, n64_tail, 5);
    cr_assert_eq(out[64], 0, "wrote past its length");
    wn_prf(k, (wn_span){NULL, 0}, out, 32);
    cr_assert_arr_eq(out, empty_head, 4);
    uint8_t xs[97];
    memset(xs, 'x', sizeof xs);
    wn_prf(k, (wn_span){xs, 96}, out, 32);
    cr_assert_arr_eq(out, edge_head, 4);
    wn_prf(k, (wn_span){xs, 97}, out, 32);
    cr_assert_arr_eq(out, long_head, 4);
}

// The two vectors of the SipHash paper and its reference code.
Test(crypt, prf64_is_siphash_2_4) {
    uint8_t k[16], in[15];
    for (unsigned i = 0; i < 16; i++) k[i] = (uint8_t)i;
    for (unsigned i = 0; i < 15; i++) in[i] = (uint8_t)i;
    cr_assert_eq(wn_prf64(k, (wn_span){in, 15}), UINT64_C(0xa129ca6149be45e5));
    cr_assert_eq(wn_prf64(k, (wn_span){NULL, 0}), UINT64_C(0x726fdb47dd0e0e31));
}

Test(crypt, random_bytes_differ_and_stay_inside) {
    uint8_t a[33] = {0}, b[33] = {0};
    cr_assert_eq(wn_random(a, 32), WN_OK);
    cr_assert_eq(wn_random(b, 32), WN_OK);
    cr_assert_eq(wn_random(NULL, 0), WN_OK);
    cr_assert_neq(memcmp(a, b, 32), 0);
    cr_assert_eq(a[32] | b[32], 0);
}

Test(base, wipes) {
    uint8_t bytes[4] = {1, 2, 3, 4};
    wn_wipe(bytes, 3);
    cr_assert_arr_eq(bytes, ((uint8_t[]){0, 0, 0, 4}), 4);
    wn_wipe(NULL, 0);
}

Test(base, every_error_has_a_sentence) {
    for (unsigned i = 0; i < WN_ERR_N; i++) cr_assert_gt(strlen(wn_err_text((wn_err)i)), 3);
    cr_assert_str_eq(wn_err_text(WN_OK), "no error");
}
