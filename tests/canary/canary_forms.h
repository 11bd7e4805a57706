// SPDX-License-Identifier: Apache-2.0
// canary_forms.h: every way of writing an identifier that a scan looks for.
#pragma once

#include "canary_kinds.h"

// name of a way of writing
#define CANARY_FORMS(X)                                                                                      \
    X(raw)                                                                                                   \
    X(cased)                                                                                                 \
    X(packed)                                                                                                \
    X(url) X(html) X(json) X(hex) X(base64) X(base64url) X(utf16) X(md5) X(sha1) X(sha256) X(blake2b)

typedef enum wn_canary_form {
#define X(name) WN_CANARY_FORM_##name,
    CANARY_FORMS(X)
#undef X
        WN_CANARY_FORM_N
} wn_canary_form;

#define WN_CANARY_PATTERN_MIN 8 // shorter ones would be found by chance
#define WN_CANARY_PATTERN_MAX 1024

const char *wn_canary_form_name(wn_canary_form form);

// Gives every pattern of one identifier (MIN..MAX bytes; some twice). IPv4 as
// four packed bytes is too short and not among them: see wn_canary_find.
typedef void (*wn_canary_pattern_fn)(void *ctx, wn_canary_form form, const uint8_t *p, size_t n);
void wn_canary_forms(wn_canary_kind kind, const char *text, wn_canary_pattern_fn fn, void *ctx);
