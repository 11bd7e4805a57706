// SPDX-License-Identifier: Apache-2.0
// rows.h: columns of the field and purpose rows that only the filter needs.
#pragma once

#include "filter.h"

const char *wn_field_transform(wn_field f);
const char *wn_field_purpose(wn_field f);
uint8_t wn_field_purposes(wn_field f); // the same as a bit
// WN_PURPOSE_N when there is no such purpose.
unsigned wn_purpose_by_name(const char *name, size_t n);
