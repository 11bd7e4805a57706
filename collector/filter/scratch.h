// SPDX-License-Identifier: Apache-2.0
// scratch.h: caches of the filter. Entries are found by keyed hashes and hold no
// raw text: classes of agents, cuts of hosts, and sealed values. Nothing about a
// person is cached: a pseudonym must not outlive its window's key.
#pragma once

#include "filter.h"

typedef struct wn_host_class {
    uint8_t start;   // where the registrable domain begins in the lower-case host; WN_HOST_NO_DOMAIN
    uint8_t channel; // of that domain
} wn_host_class;
#define WN_HOST_NO_DOMAIN 0xFFu

void wn_scratch_agent(wn_scratch *s, wn_span ua, wn_agent *out);
wn_host_class wn_scratch_host(wn_scratch *s, const char *host, size_t n);

// Begins a call: pointers of the last one die.
void wn_scratch_begin(wn_scratch *s, const uint8_t key_text[32]);
// The sealed value of `text` for the window's key, for open dimension `slot`.
// Lives until the next begin, whatever else is asked in between.
const wn_value *wn_scratch_value(wn_scratch *s, unsigned slot, const uint8_t key_text[32], wn_span text);
