// SPDX-License-Identifier: Apache-2.0
// crypt.c: libsodium behind five functions, so that the null cipher of the
// wall-off build, the nonce rule and the padding rule stand in one place.
#include "crypt.h"

#include <endian.h>
#include <string.h>

#include <sodium.h>

#include "walls.h"

enum {
    NONCE_BYTES = 24,
    TAG_BYTES = 16,
    PADDED_MIN_BYTES = 512,
    PRF_MIN_BYTES = 8,
    PRF_MAX_BYTES = 64,
    PRF_BLOCK_BYTES = 128
};

_Static_assert(WN_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(NONCE_BYTES + TAG_BYTES == WN_BOX_OVERHEAD, "overhead");
_Static_assert(PRF_MAX_BYTES == crypto_generichash_BYTES_MAX, "prf");

wn_err wn_crypt_init(void) {
    // 0: done now, 1: was done before.
    return sodium_init() < 0 ? WN_ERR_ENTROPY : WN_OK;
}

wn_err wn_random(void *out, size_t n) {
    // libsodium takes getrandom(2) and ends the process when the kernel fails,
    // so bytes that are not random are never returned; init reports the rest.
    WN_TRY(wn_crypt_init());
    if (n > 0) randombytes_buf(out, n);
    return WN_OK;
}

void wn_box_seal(const uint8_t key[WN_KEY_BYTES], wn_span aad, wn_span plain, uint8_t *out) {
    randombytes_buf(out, NONCE_BYTES);
    if (!WN_WALL_CIPHER) {
        if (plain.n > 0) memcpy(out + NONCE_BYTES, plain.p, plain.n);
        memset(out + NONCE_BYTES + plain.n, 0, TAG_BYTES);
        return;
    }
    int rc = crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, plain.p, plain.n, aad.p,
                                                        aad.n, NULL, out, key);
    WN_ASSERT(rc == 0);
}

wn_err wn_box_open(const uint8_t key[WN_KEY_BYTES], wn_span aad, wn_span box, uint8_t *out) {
    if (box.n < WN_BOX_OVERHEAD) return WN_ERR_CORRUPT;
    const uint8_t *body = box.p + NONCE_BYTES;
    if (!WN_WALL_CIPHER) {
        if (box.n > WN_BOX_OVERHEAD) memcpy(out, body, box.n - WN_BOX_OVERHEAD);
        return WN_OK;
    }
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, body, box.n - NONCE_BYTES, aad.p,
                                                        aad.n, box.p, key);
    return rc == 0 ? WN_OK : WN_ERR_CORRUPT;
}

_Static_assert(sizeof(crypto_secretstream_xchacha20poly1305_state) <= sizeof(wn_boxes), "state");
_Static_assert(WN_BOXES_HEAD_BYTES == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "head");
_Static_assert(WN_BOXES_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES, "overhead");

static crypto_secretstream_xchacha20poly1305_state *state_of(wn_boxes *s) {
    return (void *)s->state;
}

void wn_boxes_begin(wn_boxes *s, const uint8_t key[WN_KEY_BYTES], uint8_t out_head[WN_BOXES_HEAD_BYTES]) {
    WN_ASSERT(crypto_secretstream_xchacha20poly1305_init_push(state_of(s), out_head, key) == 0);
}

void wn_boxes_push(wn_boxes *s, wn_span aad, wn_span plain, bool last, uint8_t *out) {
    uint8_t tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
    if (!WN_WALL_CIPHER) {
        memset(out, 0, WN_BOXES_OVERHEAD);
        out[0] = tag;
        if (plain.n > 0) memcpy(out + WN_BOXES_OVERHEAD, plain.p, plain.n);
        return;
    }
    int rc = crypto_secretstream_xchacha20poly1305_push(state_of(s), out, NULL, plain.p, plain.n, aad.p,
                                                        aad.n, tag);
    WN_ASSERT(rc == 0);
}

wn_err wn_boxes_open(wn_boxes *s, const uint8_t key[WN_KEY_BYTES], const uint8_t head[WN_BOXES_HEAD_BYTES]) {
    int rc = crypto_secretstream_xchacha20poly1305_init_pull(state_of(s), head, key);
    return rc == 0 ? WN_OK : WN_ERR_CORRUPT;
}

wn_err wn_boxes_pull(wn_boxes *s, wn_span aad, wn_span box, uint8_t *out, bool *out_last) {
    uint8_t tag = 0;
    if (box.n < WN_BOXES_OVERHEAD) return WN_ERR_CORRUPT;
    if (!WN_WALL_CIPHER) {
        memcpy(out, box.p + WN_BOXES_OVERHEAD, box.n - WN_BOXES_OVERHEAD);
        *out_last = box.p[0] != 0;
        return WN_OK;
    }
    int rc =
        crypto_secretstream_xchacha20poly1305_pull(state_of(s), out, NULL, &tag, box.p, box.n, aad.p, aad.n);
    if (rc != 0) return WN_ERR_CORRUPT;
    *out_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return WN_OK;
}

size_t wn_padded(size_t n) {
    WN_ASSERT(n <= SIZE_MAX / 2 + 1);
    size_t padded = PADDED_MIN_BYTES;
    while (padded < n) padded *= 2;
    return padded;
}

void wn_prf(const uint8_t key[WN_KEY_BYTES], wn_span in, uint8_t *out, size_t out_bytes) {
    WN_ASSERT(out_bytes >= PRF_MIN_BYTES && out_bytes <= PRF_MAX_BYTES);
    // Below libsodium's least length: cut the least one.
    uint8_t whole[PRF_MAX_BYTES], block[PRF_BLOCK_BYTES];
    size_t n = out_bytes > crypto_generichash_BYTES_MIN ? out_bytes : crypto_generichash_BYTES_MIN;
    memcpy(block, key, WN_KEY_BYTES);
    if (in.n <= sizeof block - WN_KEY_BYTES) {
        if (in.n > 0) memcpy(block + WN_KEY_BYTES, in.p, in.n);
        WN_ASSERT(crypto_generichash(whole, n, block, WN_KEY_BYTES + in.n, NULL, 0) == 0);
        wn_wipe(block, WN_KEY_BYTES + in.n);
    } else {
        crypto_generichash_state state;
        WN_ASSERT(crypto_generichash_init(&state, NULL, 0, n) == 0);
        WN_ASSERT(crypto_generichash_update(&state, block, WN_KEY_BYTES) == 0);
        WN_ASSERT(crypto_generichash_update(&state, in.p, in.n) == 0);
        WN_ASSERT(crypto_generichash_final(&state, whole, n) == 0);
        wn_wipe(&state, sizeof state);
        wn_wipe(block, WN_KEY_BYTES);
    }
    memcpy(out, whole, out_bytes);
    wn_wipe(whole, n);
}

uint64_t wn_prf64(const uint8_t key[16], wn_span in) {
    _Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");
    uint8_t sum[8];
    uint64_t out;
    (void)crypto_shorthash(sum, in.p, in.n, key);
    memcpy(&out, sum, sizeof out);
    return le64toh(out);
}
