// SPDX-License-Identifier: Apache-2.0
// terms.h: a search term or other free text, as it may be counted.
//
// Pure: no I/O, clock, allocation or global state. Any thread. Linear time.
// Rule R11.
#pragma once

#include "winnow/base.h"

#define WN_TERM_BYTES_MAX 40
#define WN_TERM_TOKENS_MAX 4
#define WN_TERM_INPUT_MAX 512 // a longer text is refused: what it holds past this nobody searched for

// Escapes undone, NFKC, case folded, blanks evened out; the first 4 tokens that
// fit 40 bytes whole. 0 when the text, the whole or the part, holds anything
// shaped like an identifier, no UTF-8, unassigned characters, no token, or a
// first token over 40 bytes. Judged before it is cut. Writes a NUL.
// The term of a term is itself. Still an open value: locked and sealed as such.
size_t wn_term(wn_span text, char out[WN_TERM_BYTES_MAX + 1]);
