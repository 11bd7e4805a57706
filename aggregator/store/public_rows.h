// SPDX-License-Identifier: Apache-2.0
// public_rows.h: one (site, table, window) of published rows as bytes, and back.
#pragma once

#include <zlib.h>

#include "published.h"
#include "vault.h"

// What is kept from record to record; {0} at first.
typedef struct wn_public_codec {
    z_stream deflate, inflate;
    bool deflating, inflating;
    wn_vault_buf plain;
} wn_public_codec;
void wn_public_codec_fini(wn_public_codec *c);

// Appends to out. WN_ERR_FORMAT for a head or row that would not be read back (public_head.h).
WN_MUST_USE wn_err wn_public_rows_encode(wn_public_codec *c, const wn_public_head *head,
                                         const wn_public_row *rows, size_t n, wn_vault_buf *out);
// *inout_rows is grown with realloc (capacity *inout_cap) and stays the caller's.
// WN_ERR_FORMAT for bytes that no encode made, WN_ERR_VERSION for another version's.
WN_MUST_USE wn_err wn_public_rows_decode(wn_public_codec *c, wn_span bytes, wn_public_head *out_head,
                                         wn_public_row **inout_rows, size_t *inout_cap, size_t *out_n);
