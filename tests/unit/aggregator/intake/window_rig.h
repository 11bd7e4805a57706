// SPDX-License-Identifier: Apache-2.0
// window_rig.h: the aggregator's windows over real stores in a folder, fed with
// batches, for tests that end the process or damage what it wrote.
#pragma once

#include "store_support.h"
#include "windows_impl.h"

#define RIG_NOW (20777LL * 86400 + 40000)
#define RIG_SITE "example"

typedef struct window_rig {
    char folder[300], open_dir[320];
    wn_options options;
    wn_site site;
    wn_sites sites;
    const wn_sites *borrowed;
    wn_plan plan;
    wn_kept identity; // outlives a life, as a keeper's memory does
    wn_slots *slots;
    wn_published *published;
    wn_windows *ws;
} window_rig;

// Plan, options and kept memory; no folder yet.
void rig_init(window_rig *r);
void rig_fini(window_rig *r);
// One life of the daemon over `folder` (which exists): everything opened, folds whole.
wn_err rig_open(window_rig *r, const char *folder);
void rig_close(window_rig *r); // as a kill leaves it

// A batch of views and finished sessions by people [first, first + n), each from
// a network of their own, on a few pages; made durable. From the second batch on
// they name organisations: whoever was in an earlier one, too, names theirs late.
void rig_send(window_rig *r, const wn_window *day, uint64_t sequence, unsigned first, unsigned n);
// Copies the files below `from` to the new folder `to`.
void rig_copy(const char *from, const char *to);
