// SPDX-License-Identifier: Apache-2.0
// traits.h: what is said about a person or device, as a row of a closed list.
// Values are row numbers from 1; 0 is unknown, or refused.
//
// Pure: no I/O, clock, allocation or global state. Any thread. Rule R11.
#pragma once

#include "winnow/base.h"

typedef enum wn_age {
    WN_AGE_unknown,
#define AGE_BAND(id, label, years_min) WN_AGE_##id,
#include "age_bands.def"
#undef AGE_BAND
    WN_AGE_N
} wn_age;
// From an age in years ("42"), or a birthday: YYYY-MM-DD, YYYYMMDD, also with
// '/' or '.', DD.MM.YYYY, either order of D/M/YYYY, YYYY-MM, YYYY; what follows
// a 'T' or ' ' is not read. A text with several readings is read as the youngest.
//   today  local date of the window, days since 1970-01-01
// Unknown: days that do not exist, births to come, ages over 120.
wn_age wn_age_band(wn_span text, int32_t today);
// Where only a birthday makes sense: years alone ("13") are unknown.
wn_age wn_birthday_band(wn_span text, int32_t today);

// Family of a job title; the last row, `other`, when no word of it is listed. 0: no word, unreadable.
uint16_t wn_job_family(wn_span title);
uint16_t wn_connection(wn_span text);  // 0: not listed
uint16_t wn_maker(wn_span text);       // the last row when not listed
uint16_t wn_size_band(uint64_t count); // 0: none
