// SPDX-License-Identifier: Apache-2.0
// pattern.h: page patterns of a policy: "/health/**", "/users/:id/orders".
#pragma once

#include "policy.h"

// A pattern is '/'-rooted segments; '*' and ':name' stand for one segment, a
// final "**" for any rest, nothing included. Compared without regard to case,
// with escapes undone as often as a route's, "." and ".." resolved, '\' as '/',
// parameters behind ';' cut and empty segments skipped; without control
// characters, blanks around a segment and dots behind it; letters beyond ASCII
// by compatibility and case folding.
// The first that matches; n when none does.
size_t wn_pattern_first(const char (*patterns)[WN_POLICY_TEXT_MAX + 1], size_t n, wn_span path);
