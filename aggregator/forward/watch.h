// SPDX-License-Identifier: Apache-2.0
// watch.h: whether destinations.yaml, and what it names, are still what this process began with.
//
// A process that is confined opens nothing new, so whatever changes, it starts anew. A file that is
// not right stops all sending until it is: who was taken out of it must get nothing more.
#pragma once

#include <sys/stat.h>

#include "confine.h"
#include "destinations.h"

#define WN_WATCH_NAMED_MAX (2 * WN_DESTINATIONS_MAX + 4)

typedef enum wn_watch_state {
    WN_WATCH_SAME,
    WN_WATCH_BAD,  // the file cannot be read as it stands
    WN_WATCH_ANEW, // changed, and right
} wn_watch_state;

typedef struct wn_watch_file {
    char path[300];
    struct stat seen;
    bool there;
} wn_watch_file;

typedef struct wn_watch {
    wn_watch_file file;                      // destinations.yaml
    wn_watch_file named[WN_WATCH_NAMED_MAX]; // secrets, folders, the aggregator's keys
    bool write[WN_WATCH_NAMED_MAX];          // a folder
    size_t named_n;
    wn_watch_state state;
    int line; // BAD: of the mistake
} wn_watch;

// Reads the file at `path`. Errors as wn_destinations_load.
WN_MUST_USE wn_err wn_watch_begin(wn_watch *w, const char *path, wn_destinations *out, char *why,
                                  size_t why_bytes, int *out_line);
// Adds another file that must stay what it is; false: no room.
bool wn_watch_add(wn_watch *w, const char *path, bool write);
wn_watch_state wn_watch_look(wn_watch *w);
// What must be opened: everything named, and `out` holds at least WN_WATCH_NAMED_MAX. Answers how many.
size_t wn_watch_rules(const wn_watch *w, wn_confine_rule *out);
