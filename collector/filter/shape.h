// SPDX-License-Identifier: Apache-2.0
// shape.h: does a word look like it names one person, device or thing?
#pragma once

#include "winnow/base.h"

// A path segment that must become ":x" (R11, URL row).
bool wn_shape_segment(const uint8_t *s, size_t n);
// The same for an event name, which may also be cut at ' ' and ':'.
bool wn_shape_name(const uint8_t *s, size_t n);
// A tag ([a-z0-9_-]) with the shape of a phone number, device id or UUID.
bool wn_shape_identifier(const char *s, size_t n);
