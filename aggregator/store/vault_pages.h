// SPDX-License-Identifier: Apache-2.0
// vault_pages.h: looks at the pages of an LMDB file before LMDB does.
//
// LMDB believes its page headers and offsets: one flipped byte there ends the
// process or brings back an older tree. Boxes are authenticated by the vault;
// this walks what lies around them. Reads no box.
#pragma once

#include "winnow/base.h"

// WN_ERR_CORRUPT when a page, node or number of the file is not as LMDB 0.9
// (data version 1) writes it. Only while nobody writes. A missing or empty file is WN_OK.
WN_MUST_USE wn_err wn_vault_pages_check(const char *data_path);
// The same of the state that transaction `txn` left, while a read of that very
// state is under way: another process may write. WN_ERR_BUSY: it wrote so much
// meanwhile that the state's root is gone, or was writing it just now; read anew.
WN_MUST_USE wn_err wn_vault_pages_check_at(const char *data_path, uint64_t txn);
