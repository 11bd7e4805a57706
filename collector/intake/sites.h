// SPDX-License-Identifier: Apache-2.0
// sites.h: the site list in use, shared by requests that began before a reload.
#pragma once

#include "conf.h"

#define WN_SITES_SEEN 256

typedef struct wn_site_list { // refcounted; the loop thread only
    wn_sites sites;
    unsigned refs;
    uint64_t version;                   // grows with every reload
    const wn_site *seen[WN_SITES_SEEN]; // by a cheap hash of the name: what was found last
} wn_site_list;

// Takes the sites; one reference is the caller's.
WN_MUST_USE wn_err wn_site_list_new(wn_sites *takes, uint64_t version, wn_site_list **out);
// WN_ERR_CONFIG when a reload would end with no site at all: a file that is gone, not a decision.
WN_MUST_USE wn_err wn_site_list_check(const wn_site_list *now, const wn_sites *next, char *why,
                                      size_t why_bytes);
wn_site_list *wn_site_list_hold(wn_site_list *l);
void wn_site_list_drop(wn_site_list *l); // NULL fine; the last one frees

// As wn_sites_by_name, for every event.
const wn_site *wn_site_list_find(wn_site_list *l, const char *name, size_t n);

// What a CURVE key may write to.
typedef struct wn_key_rights {
    const wn_site *only; // the one site that lists it; NULL: none or several
    size_t sites_n;
    bool server; // a server key wherever it is listed
} wn_key_rights;
wn_key_rights wn_site_list_rights(const wn_site_list *l, const char *key);
bool wn_site_lists_key(const wn_site *s, const char *key);
// True when some site lists the host of this origin ("https://example.org") by name.
bool wn_site_list_names(const wn_site_list *l, const char *origin, size_t n);
// True when a page of this origin belongs to some site: also to one that lists no host.
bool wn_site_list_origin(const wn_site_list *l, const char *origin, size_t n);
