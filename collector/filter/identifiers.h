// SPDX-License-Identifier: Apache-2.0
// identifiers.h: the second net: does a text hold something shaped like an
// identifier? Never the control: a net that finds nothing proves nothing, and a
// doubt counts as found.
//
// Pure: no I/O, clock, allocation or global state. Any thread. Linear time.
// Rule R11.
#pragma once

#include "winnow/base.h"

typedef enum wn_identifier_kind {
#define IDENTIFIER_KIND(name, doc) WN_IDENTIFIER_##name,
#include "identifier_kinds.def"
#undef IDENTIFIER_KIND
    WN_IDENTIFIER_N
} wn_identifier_kind;
const char *wn_identifier_name(wn_identifier_kind k);

// True when `text`, a key or a value, holds one; the first found goes to *out
// (may be NULL). Escapes are undone first, look-alikes of ASCII read as ASCII.
bool wn_identifier_in(wn_span text, wn_identifier_kind *out);
// The same; out_steps: characters looked at, for the test that time is linear.
bool wn_identifier_count(wn_span text, wn_identifier_kind *out, size_t *out_steps);

// True when a property or query parameter of this name holds an identifier,
// whatever its value looks like: rows of identifier_keys.def and click_ids.def.
// A name over WN_IDENTIFIER_KEY_MAX bytes, or unreadable, is taken for one.
#define WN_IDENTIFIER_KEY_MAX 128
bool wn_identifier_key(wn_span key);
