// SPDX-License-Identifier: Apache-2.0
// agent_version.h: a family and its major version as one closed value.
//
// Pure; any thread. A family's majors are the newest twelve by the date of
// browsers.def and systems.def, and at most twelve newer ones: an old list goes on
// naming what is released after it for about a year. What is older is "older";
// what is newer still was made up, or needs a new list: it is no version at all.
#pragma once

#include "winnow/base.h"

#define WN_MAJOR_NONE 0     // not said, not kept, or beyond belief
#define WN_MAJOR_OLDER 1023 // older than the newest twelve
#define WN_MAJOR_MAX 1022
#define WN_MAJORS_KEPT 12   // newest, and at most so many newer ones

// The newest major of a family's row; 0: none is kept. family: 1 and on.
uint16_t wn_browser_newest(uint16_t family);
uint16_t wn_system_newest(uint16_t family);

// What is kept of a major version that an agent says.
uint16_t wn_major_coarse(uint16_t newest, unsigned major);

// Value of a family with its coarse major; 0 for no family.
uint16_t wn_version_value(uint16_t family, uint16_t major);
bool wn_browser_version_valid(uint16_t value);
bool wn_system_version_valid(uint16_t value);

// "Chrome 154", "Chrome older", "Chrome" where no version is known; "" for 0.
// borrows value: must be valid
void wn_browser_version_label(uint16_t value, char out[32]);
void wn_system_version_label(uint16_t value, char out[32]);
