// SPDX-License-Identifier: Apache-2.0
// window.h: one local day of a time zone, the unit in which Winnow counts,
// publishes and forgets.
#pragma once

#include "winnow/base.h"

#define WN_ZONE_BYTES 40        // longest zone name incl. NUL ("America/Argentina/ComodRivadavia")
#define WN_WINDOW_TEXT_BYTES 64 // "2026-11-20.web.Europe_Berlin"

// Sites of one zone and kind share windows: their grace is the same.
typedef enum wn_kind { WN_KIND_WEB = 0, WN_KIND_APP = 1, WN_KIND_N } wn_kind;

// Equal iff zone, kind and day are equal; the bounds follow from them.
typedef struct wn_window {
    char zone[WN_ZONE_BYTES]; // IANA name
    uint8_t kind;             // wn_kind
    int32_t day;              // local date as days since 1970-01-01
    int64_t start_s, end_s;   // UTC, half open
} wn_window;

// Writes "YYYY-MM-DD.kind.Zone" with '/' of the zone as '_' ('_' as "__"): a file name and an id.
void wn_window_text(const wn_window *w, char out[WN_WINDOW_TEXT_BYTES]);
// The way back, bounds included; false when it is not such a text or the zone is unknown here.
bool wn_window_parse(const char *text, wn_window *out);
bool wn_window_same(const wn_window *a, const wn_window *b);
