// SPDX-License-Identifier: Apache-2.0
// import_totals.h: what became of every line of an import; it must add up.
#pragma once

#include <stdio.h>

#include "cli_ask.h"

#define WN_TOTALS_REASONS_MAX 32

typedef struct wn_totals {
    uint64_t lines, counted, late, repeated;
    struct {
        char name[40];
        uint64_t n;
    } reason[WN_TOTALS_REASONS_MAX];
    size_t reasons_n;
    char (*window)[WN_WINDOW_TEXT_BYTES]; // touched, each once
    size_t windows_n, windows_cap;
} wn_totals;

// Adds the collector's answer about a chunk of `lines` lines. False when it is not understood.
bool wn_totals_chunk(wn_totals *t, const wn_reply *r, uint32_t lines);
// Adds the windows an answer lists.
void wn_totals_windows(wn_totals *t, const wn_reply *r);
bool wn_totals_add_up(const wn_totals *t);
bool wn_totals_print(const wn_totals *t, FILE *out); // answers whether it adds up
void wn_totals_fini(wn_totals *t);
