// SPDX-License-Identifier: Apache-2.0
// err.h: what can go wrong in the world. A refusal by policy is a wn_verdict
// (verdict.h), a fault of ours a WN_ASSERT; the three are never mixed.
#pragma once

#define WN_MUST_USE __attribute__((warn_unused_result))

typedef enum wn_err {
#define ERR(name, text) WN_ERR_##name,
#include "errors.def"
#undef ERR
    WN_ERR_N
} wn_err;

#define WN_OK WN_ERR_OK

// One sentence for people; never holds data. Static storage.
const char *wn_err_text(wn_err err);
