// SPDX-License-Identifier: Apache-2.0
// window_purge.h: what of an open window was purged (R16), for the window*.c files only.
#pragma once

#include "fold_without.h"
#include "winnow/base.h"

#define WN_WINDOW_PURGES_MAX 8192 // twice what a purge list holds: a mark under each of two keys
#define WN_PURGE_PREFIX_BYTES 16  // of a purge's name, as a mark carries it

typedef enum wn_purge_of {
    WN_PURGE_OF_SITE = 1, // everybody
    WN_PURGE_OF_ORG = 2,  // one organisation, under one edge key
    WN_PURGE_OF_LOST = 3, // no collector has the key any more: all who declared one, once
} wn_purge_of;

typedef struct wn_window_purge {
    uint64_t site, org;
    uint8_t name[WN_PURGE_PREFIX_BYTES];
    uint8_t edge[8]; // names the key that made `org`
    uint8_t of;      // wn_purge_of
    uint8_t epochs;  // the window had when it was asked: older ones than `edge` cannot be told apart
    bool done;       // taken out of the fold
} wn_window_purge;

// The fact "purge" of a window's store: what was asked, and which cells are frozen.
typedef struct wn_window_purges {
    wn_window_purge *at;
    size_t n, cap;
    uint8_t *frozen; // a byte a cell, as wn_lock_rules has it
    size_t frozen_n;
    bool asked; // something is not done yet
} wn_window_purges;

void wn_window_purges_fini(wn_window_purges *p);
// Asked again, one that was done begins anew. WN_ERR_FULL at WN_WINDOW_PURGES_MAX.
WN_MUST_USE wn_err wn_window_purges_ask(wn_window_purges *p, const wn_window_purge *ask);
const wn_window_purge *wn_window_purges_find(const wn_window_purges *p, uint64_t site, const uint8_t *name);
bool wn_window_purges_site(const wn_window_purges *p, uint64_t site); // the whole of it
// Does what an observation says of this site and organisation no longer count?
bool wn_window_purges_refuse(const wn_window_purges *p, uint64_t site, uint64_t org);
// Gives bytes to free.
WN_MUST_USE wn_err wn_window_purges_encode(const wn_window_purges *p, uint8_t **out, size_t *out_bytes);
// Into an empty one. WN_ERR_FORMAT.
WN_MUST_USE wn_err wn_window_purges_decode(wn_span bytes, wn_window_purges *out);
