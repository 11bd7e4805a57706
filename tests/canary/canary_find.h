// SPDX-License-Identifier: Apache-2.0
// canary_find.h: finds any of millions of patterns in bytes, in one pass.
//
// One 8-byte piece of each pattern (its anchor) stands in a hash set; every
// offset is tested by one Bloom look-up, then compared in full. Four-byte
// packed IPv4 addresses are counted apart, against decoys: they turn up by chance.
#pragma once

#include <stdbool.h>

#include "canary_forms.h"

typedef struct wn_canary_set wn_canary_set;

wn_canary_set *wn_canary_set_new(void); // aborts when out of memory, as all below
void wn_canary_set_free(wn_canary_set *s);
// A pattern of WN_CANARY_PATTERN_MIN..MAX bytes; one that is there already is dropped.
void wn_canary_set_add(wn_canary_set *s, uint32_t needle, wn_canary_form form, const uint8_t *p, size_t n);
// All patterns of one identifier; IPv4 also as four packed bytes in both orders.
void wn_canary_set_add_needle(wn_canary_set *s, uint32_t needle, wn_canary_kind kind, const char *text);
// An address that was never sent. Ignored where one that was sent stands.
void wn_canary_set_add_decoy(wn_canary_set *s, const char *ipv4);
// After the last add, before the first scan.
void wn_canary_set_close(wn_canary_set *s);
size_t wn_canary_set_patterns(const wn_canary_set *s);

typedef struct wn_canary_ipv4_counts {
    uint64_t sent, decoys;
} wn_canary_ipv4_counts;

// fn may be called more than once for one place (forms overlap).
typedef void (*wn_canary_hit_fn)(void *ctx, uint32_t needle, wn_canary_form form, size_t at);
void wn_canary_set_scan(const wn_canary_set *s, const uint8_t *p, size_t n, wn_canary_hit_fn fn, void *ctx);
// Adds to *inout. Call after the last needle and decoy.
void wn_canary_set_count_ipv4(const wn_canary_set *s, const uint8_t *p, size_t n,
                              wn_canary_ipv4_counts *inout);
// sent − decoys > 4 σ of what equal chance would give.
bool wn_canary_ipv4_leaks(const wn_canary_ipv4_counts *c);
