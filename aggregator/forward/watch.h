// SPDX-License-Identifier: Apache-2.0
// watch.h: whether destinations.yaml, and what it names, are still what this process began with.
//
// A process that is confined opens nothing new, so whatever changes, it starts anew. A file that is
// not right stops all sending until it is: who was taken out of it must get nothing more.
#pragma once

#include <sys/stat.h>

#include "confine.h"
#include "destinations.h"
#include "opener.h"

#define WN_WATCH_NAMED_MAX (2 * WN_DESTINATIONS_MAX + 12)

typedef enum wn_watch_state {
    WN_WATCH_SAME,
    WN_WATCH_BAD,  // the file cannot be read as it stands
    WN_WATCH_ANEW, // changed, and right
} wn_watch_state;

typedef enum wn_watch_kind {
    WN_WATCH_SECRET, // was read before this process was confined, and is opened no more
    WN_WATCH_KEY,    // a file that is read
    WN_WATCH_SYSTEM, // the same, of the system: anew only if another stands there that may not be opened
    WN_WATCH_FOLDER, // written to
} wn_watch_kind;

typedef struct wn_watch_file {
    char path[300];
    wn_watch_kind kind;
    struct stat seen;
    bool there;
} wn_watch_file;

typedef struct wn_watch {
    wn_watch_file file;                      // destinations.yaml
    wn_watch_file named[WN_WATCH_NAMED_MAX]; // all the others
    size_t named_n;
    wn_watch_state state;
    int line; // BAD: of the mistake; 0: of all of it
    const char *config_dir, *state_dir;
    const wn_opener *opener;
} wn_watch;

// What of CONFIG the opener hands over: for wn_opener_start.
extern const char *const wn_watch_files[];
// Reads CONFIG_DIR/destinations.yaml; opener NULL: without one. All three are borrowed. Errors as
// wn_destinations_load; WN_ERR_CONFIG also for a folder that would open Winnow's own.
WN_MUST_USE wn_err wn_watch_begin(wn_watch *w, const char *config_dir, const char *state_dir,
                                  const wn_opener *opener, wn_destinations *out, char *why, size_t why_bytes,
                                  int *out_line);
// Adds another file that must stay what it is; false: no room.
WN_MUST_USE bool wn_watch_add(wn_watch *w, const char *path, wn_watch_kind kind);
wn_watch_state wn_watch_look(wn_watch *w);
// What must be opened of all that is named: files that are files and folders that are folders, each alone.
// `out` holds at least WN_WATCH_NAMED_MAX. Answers how many.
size_t wn_watch_rules(const wn_watch *w, wn_confine_rule *out);
