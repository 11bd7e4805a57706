// SPDX-License-Identifier: Apache-2.0
// crypt.h: Winnow's few uses of libsodium, so that the null cipher of the
// wall-off build and the padding rule stand in one place.
#pragma once

#include "winnow/base.h"

#define WN_KEY_BYTES 32
#define WN_BOX_OVERHEAD (24 + 16) // nonce ‖ … ‖ tag

// Once per process before anything else here. WN_ERR_ENTROPY on failure.
WN_MUST_USE wn_err wn_crypt_init(void);
WN_MUST_USE wn_err wn_random(void *out, size_t n);

// out (plain.n + WN_BOX_OVERHEAD) = random nonce ‖ XChaCha20-Poly1305(plain), bound to `aad`.
void wn_box_seal(const uint8_t key[WN_KEY_BYTES], wn_span aad, wn_span plain, uint8_t *out);
// out gets box.n - WN_BOX_OVERHEAD bytes. WN_ERR_CORRUPT when not authentic.
WN_MUST_USE wn_err wn_box_open(const uint8_t key[WN_KEY_BYTES], wn_span aad, wn_span box, uint8_t *out);

// Smallest power of two ≥ max(n, 512): what a stored record is padded to.
size_t wn_padded(size_t n);

// BLAKE2b of key ‖ in, out_bytes 8..64: a MAC, as BLAKE2 knows no length extension,
// and one compression where its keyed mode takes two (inputs up to 96 bytes).
void wn_prf(const uint8_t key[WN_KEY_BYTES], wn_span in, uint8_t *out, size_t out_bytes);
// SipHash-2-4 under a 16-byte key.
uint64_t wn_prf64(const uint8_t key[16], wn_span in);

// A long stream of messages, in order, none missing: the last says so. Bound to `aad` each.
#define WN_BOXES_HEAD_BYTES 24
#define WN_BOXES_OVERHEAD 17
typedef struct wn_boxes {
    _Alignas(16) uint8_t state[64]; // secret: wn_wipe it
} wn_boxes;
void wn_boxes_begin(wn_boxes *s, const uint8_t key[WN_KEY_BYTES], uint8_t out_head[WN_BOXES_HEAD_BYTES]);
// out gets plain.n + WN_BOXES_OVERHEAD bytes.
void wn_boxes_push(wn_boxes *s, wn_span aad, wn_span plain, bool last, uint8_t *out);
WN_MUST_USE wn_err wn_boxes_open(wn_boxes *s, const uint8_t key[WN_KEY_BYTES],
                                 const uint8_t head[WN_BOXES_HEAD_BYTES]);
// out gets box.n - WN_BOXES_OVERHEAD bytes. WN_ERR_CORRUPT when not authentic or out of order.
WN_MUST_USE wn_err wn_boxes_pull(wn_boxes *s, wn_span aad, wn_span box, uint8_t *out, bool *out_last);
