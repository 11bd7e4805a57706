// SPDX-License-Identifier: Apache-2.0
// key_names.h: does a property of this name hold an identifier, whatever its
// value looks like? Rows of identifier_keys.def and click_ids.def.
#pragma once

#include "winnow/base.h"

#define WN_KEY_CHARS_MAX 256
#define WN_KEY_LETTER 0x80 // stands for a letter of another script

// ASCII and WN_KEY_LETTER; a longer name is taken for one.
bool wn_key_names(const uint8_t *name, size_t n);
