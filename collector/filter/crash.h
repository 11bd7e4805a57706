// SPDX-License-Identifier: Apache-2.0
// crash.h: crash reports of a closed shape: what kind, of which version; no
// message, no stack, no file name.
//
// Pure: no I/O, clock, allocation or global state. Any thread. Rule R11.
#pragma once

#include "winnow/base.h"

#define WN_CRASH_CLASS_MAX 64
// A listed name (SIGSEGV), or an exception class: words of letters joined by
// '.', "::" or '$', the last with a listed ending. 0: refused, as is any text
// behind the class: what is not wholly a class may be anything. Writes a NUL.
size_t wn_crash_class(wn_span text, char out[WN_CRASH_CLASS_MAX + 1]);

#define WN_APP_VERSION_MAX 14
// "major.minor" or "major.minor.patch", numbers of at most 4 digits, leading
// zeros dropped; 0: refused. Writes a NUL.
size_t wn_app_version(wn_span text, char out[WN_APP_VERSION_MAX + 1]);
