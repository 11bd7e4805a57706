// SPDX-License-Identifier: Apache-2.0
// public_columns.h: published rows by column, and back. Pure.
#pragma once

#include "published.h"
#include "vault.h"

// Appends to out. Labels must end within their arrays.
WN_MUST_USE wn_err wn_public_columns_encode(const wn_public_row *rows, size_t n, wn_vault_buf *out);
// Reads exactly n rows from exactly these bytes; else WN_ERR_FORMAT, and rows are anything.
WN_MUST_USE wn_err wn_public_columns_decode(wn_span in, wn_public_row *rows, size_t n);
