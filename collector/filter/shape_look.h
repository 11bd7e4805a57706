// SPDX-License-Identifier: Apache-2.0
// shape_look.h: the second look at a path's segment or a tag: only at those with
// a digit, a capital inside or brackets. Each is linear in n.
#pragma once

#include "winnow/base.h"

// A piece of letters, or of letters and one digit, that changes case as no word does.
bool wn_shape_token(const uint8_t *s, size_t n);
// Pieces of digits or hex that together are an IPv4 address, a hardware address or a telephone number.
bool wn_shape_numbers(const uint8_t *s, size_t n);
// base64, base64url or base32 of a text with '@' between two words.
bool wn_shape_packed(const uint8_t *s, size_t n);
// A mail address whose '@' is spelled: "(at)", "-at-".
bool wn_shape_address(const uint8_t *s, size_t n);
