// SPDX-License-Identifier: Apache-2.0
// gpp_parts.h: the parts of a GPP string. Included by this folder and its tests only.
#pragma once

#include "consent_signals.h"

#define WN_GPP_SECTION_MAX 63 // highest section id; the registry is at 27

// Sets of sections: bit = id. False when the header cannot be read whole.
bool wn_gpp_header_read(wn_span text, uint64_t *out_sections);
// "-1" is the empty set. False when it is no list of ids.
bool wn_gpp_sid_read(wn_span text, uint64_t *out_sections);

// True when every part between dots is of the alphabet and none is empty.
bool wn_gpp_spelt(wn_span section);

// The core of one that gpp_sections.def lays out, in its order.
#define WN_GPP_US_ITEMS_MAX 128
typedef struct wn_gpp_us_core {
    uint8_t version;
    bool newer; // than any known: no items were read
    uint8_t items, value[WN_GPP_US_ITEMS_MAX], role[WN_GPP_US_ITEMS_MAX];
} wn_gpp_us_core;
bool wn_gpp_us_core_read(unsigned id, wn_span core, wn_gpp_us_core *out);

// A section of the US family that gpp_sections.def lays out; doubt when unreadable.
bool wn_gpp_us_known(unsigned id);
// Not whole: of a newer version, or without the GPC sub-section, which a string
// cut off at the dot has lost.
//   gpc_drops  Gpc = 1 refuses everything, not all but `basic`
wn_signal wn_gpp_us_read(unsigned id, wn_span section, bool gpc_drops, bool *out_whole);
// One that it does not.
wn_signal wn_gpp_us_unknown(wn_span section, bool gpc_drops);
