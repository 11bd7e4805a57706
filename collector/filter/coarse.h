// SPDX-License-Identifier: Apache-2.0
// coarse.h: the small coarsenings: closed lists, classes, names and times.
#pragma once

#include "filter.h"

uint16_t wn_language_code(wn_span text);                    // BCP 47 tag or Accept-Language; 0: unlisted
uint16_t wn_country_code(wn_span two_letters);              // 0: unlisted
uint16_t wn_zone_area(wn_span zone);                        // "Europe/Vienna"; 0: unlisted
uint16_t wn_screen_class(wn_span text);                     // "1920" or "1920x1080"; 0: no width
uint16_t wn_system_of_name(wn_span name);                   // systems.def; 0: none stated
uint16_t wn_system_major(uint16_t system, wn_span version); // coarse: agent_version.h
bool wn_count(wn_span text, uint64_t *out);                 // decimal digits, at most 18; a fraction is cut
bool wn_event_time(wn_span text, int64_t *out_s);           // Unix seconds, milliseconds or RFC 3339
// Lower case, [a-z0-9_ .:-]{1,40}; ":x" for anything else or what may name somebody. 0: empty.
#define WN_EVENT_NAME_MAX 40
size_t wn_event_name(wn_span text, char out[WN_EVENT_NAME_MAX + 1]);
// A device's model, lower case: a word of model_words.def and what may follow it; 0: anything else.
#define WN_MODEL_MAX 32
size_t wn_model(wn_span text, char out[WN_MODEL_MAX + 1]);
