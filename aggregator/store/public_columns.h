// SPDX-License-Identifier: Apache-2.0
// public_columns.h: published rows by column, and back. Pure.
#pragma once

#include "published.h"
#include "vault.h"

// measures: the head's; without a locked one nothing is stored for them.
// Appends to out. Labels must end within their arrays, and a locked figure
// without its bit is not stored: wn_public_rows_hold comes first.
WN_MUST_USE wn_err wn_public_columns_encode(const wn_public_row *rows, size_t n, uint8_t measures,
                                            wn_vault_buf *out);
// Reads exactly n rows from exactly these bytes; else WN_ERR_FORMAT, and rows are anything.
WN_MUST_USE wn_err wn_public_columns_decode(wn_span in, uint8_t measures, wn_public_row *rows, size_t n);
