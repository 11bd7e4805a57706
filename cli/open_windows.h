// SPDX-License-Identifier: Apache-2.0
// open_windows.h: the windows that the aggregator's status says are open.
#pragma once

#include "cli_ask.h"
#include "winnow/window.h"

typedef struct wn_open_window {
    char name[WN_WINDOW_TEXT_BYTES];
    int64_t seals_at_s; // 0: on `winnow seal` alone (it was filled from logs)
    int64_t file_bytes;
    bool closing, replaying; // replaying: after a restart, not whole yet
    int64_t replayed_percent;
} wn_open_window;

typedef struct wn_open_windows { // a cursor over a status reply, which it borrows
    wn_mp m;
    uint32_t left;
} wn_open_windows;

// False when the reply names no windows at all.
bool wn_open_windows_begin(const wn_reply *r, wn_open_windows *out);
// False at the end, and at the first thing that is not understood.
bool wn_open_windows_next(wn_open_windows *w, wn_open_window *out);
// When it seals, in words: "seals in 3 h".
void wn_open_window_when(const wn_open_window *w, int64_t now_s, char out[48]);
// "12 s", "3 min", "2 h", "4 days".
void wn_open_window_span(int64_t s, char out[24]);

// Asks the aggregator, without a word on stderr. Negative: it does not say. name NULL: how many
// windows are open; else whether the one of this name is.
int wn_open_windows_ask(wn_cli *c, const char *name);
