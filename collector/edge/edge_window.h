// SPDX-License-Identifier: Apache-2.0
// edge_window.h: reading a window back from its text, and one window's keys.
// Pure but for the zone data.
#pragma once

#include "filter.h"

// The window that wn_window_text wrote. False when no such zone or date is known here.
bool wn_edge_window_parse(const char *text, wn_window *out);
// Fills out->key_prefix, key_org and epoch from out->key_edge, each under a label of its own.
void wn_edge_window_derive(wn_edge_window *out);
