// SPDX-License-Identifier: Apache-2.0
// head_file.h: the ledger's head, kept outside the published store
// (aggregator/keys/head, 0600), so that a store that was cut or swapped shows (R9).
//
// Two sectors written in turn, in place and synced: one of them is always whole.
#pragma once

#include "winnow/base.h"

#define WN_HEAD_PATH_BYTES 400

// The newest of both. WN_ERR_NOTFOUND: no such file; WN_ERR_CORRUPT: neither is whole.
WN_MUST_USE wn_err wn_head_read(const char *path, uint64_t *out_number, uint8_t out_digest[32]);
// Makes the file when it is missing.
WN_MUST_USE wn_err wn_head_write(const char *path, uint64_t number, const uint8_t digest[32]);
// Forgets a head that is ahead of the store, then writes this one: an operator's word.
WN_MUST_USE wn_err wn_head_replace(const char *path, uint64_t number, const uint8_t digest[32]);
