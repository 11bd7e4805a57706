// SPDX-License-Identifier: Apache-2.0
// catalogue.h: the fields an event may hold and the purposes a person may agree
// to, as numbers: the filter, the policy and `explain` speak of the same rows.
#pragma once

#include "winnow/base.h"

typedef enum wn_purpose {
#define PURPOSE(name, dflt, doc) WN_PURPOSE_##name,
#include "purposes.def"
#undef PURPOSE
    WN_PURPOSE_N
} wn_purpose;
#define WN_PURPOSES_ALL ((uint8_t)((1u << WN_PURPOSE_N) - 1))

typedef enum wn_field {
#define FIELD(name, type, purpose, transform, max, from, doc) WN_FIELD_##name,
#include "fields.def"
#undef FIELD
    WN_FIELD_N
} wn_field;

#define WN_FIELD_BIT(f) (UINT64_C(1) << (f))

_Static_assert(WN_PURPOSE_N <= 8, "purposes are bits of one byte");
_Static_assert(WN_FIELD_N <= 64, "fields are bits of one word");
