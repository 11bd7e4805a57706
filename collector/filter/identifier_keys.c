// SPDX-License-Identifier: Apache-2.0
// identifier_keys.c: a property's name, read as a detector reads, before the rows judge it.
#include "identifiers.h"
#include "key_names.h"
#include "plain.h"

_Static_assert(WN_KEY_LETTER == WN_PLAIN_LETTER, "both read a text alike");
_Static_assert(WN_KEY_CHARS_MAX == WN_IDENTIFIER_KEY_MAX * 2, "a character becomes one or more");

bool wn_identifier_key(wn_span key) {
    if (key.n > WN_IDENTIFIER_KEY_MAX) return true;
    uint8_t t[WN_PLAIN_MAX];
    size_t n = 0;
    wn_plain_result folded = wn_plain(key, t, &n);
    bool hit = folded != WN_PLAIN_DONE || wn_key_names(t, n);
    wn_wipe(t, folded == WN_PLAIN_DONE ? n : sizeof t);
    return hit;
}
