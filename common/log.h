// SPDX-License-Identifier: Apache-2.0
// log.h: a message id and integers. A string cannot be logged by type (R14).
#pragma once

#include "walls.h"
#include "winnow/base.h"

typedef enum wn_msg {
#define MSG(name, level, text) WN_MSG_##name,
#include "messages.def"
#undef MSG
    WN_MSG_N
} wn_msg;

typedef enum wn_level { WN_LEVEL_ERROR, WN_LEVEL_WARN, WN_LEVEL_INFO, WN_LEVEL_DEBUG } wn_level;

void wn_log_level(wn_level level); // default INFO
// Writes one line to stderr: time, level, message with the integers put where
// its text says {0}, {1}, {2}; as the words of a wn_err where it says {0e}. Integers must say nothing about a
// person.
void wn_log(wn_msg msg, int64_t a, int64_t b, int64_t c);
// Operator's own words (paths, config values) are printed by main.c before the
// daemon serves, never from here.

#ifdef WN_WALLS_OFF
// What the type of wn_log keeps out: raw text in a log line. Exists in the
// wall-off build alone, so that the canary scan can show that it reads logs.
void wn_log_text(wn_msg msg, wn_span text);
#endif
