// SPDX-License-Identifier: Apache-2.0
// edge.h: what the pure filter is given: open windows with their keys, the
// country database, the proxy rule.
#pragma once

#include "filter.h"
#include "keeper.h"
#include "region.h"
#include "slots.h"

#define WN_EDGE_WINDOWS_MAX 512
#define WN_EDGE_AHEAD_S 300 // how far ahead of now an event may lie

// A window's slot is its place in the kept memory's table of identities: it
// stays the same through a kill, as the session table needs it.
typedef struct wn_edge wn_edge;

// identity: kept memory for K_edge (WN_IDENTITY_BYTES); keys: storage keys
// ("text/<window>" lives there: it must survive power loss as the spool does). Both kept.
// WN_ERR_CONFIG: trusted_proxies is not a list of networks. Windows whose keys are found are open again.
WN_MUST_USE wn_err wn_edge_open(const wn_options *o, wn_slots *keys, wn_kept *identity, wn_edge **out);
void wn_edge_close(wn_edge *e); // wipes copies; the kept memory stays; NULL fine

// The window holding t for this site, opened (keys drawn) when it may be:
// live: start ≤ t, now < end + grace and t ≤ now + 300. backfill: any window
// that wn_edge_allow named. NULL otherwise, and for windows being closed.
const wn_edge_window *wn_edge_window_at(wn_edge *e, const wn_site *site, int64_t t_s, int64_t now_s,
                                        bool backfill);
// The aggregator said that this past window was never sealed: imports may fill it.
// Opens it (WN_ERR_FULL at the limit); WN_ERR_SEALED when it was stopped or forgotten here.
WN_MUST_USE wn_err wn_edge_allow(wn_edge *e, const wn_window *w);
const wn_edge_window *wn_edge_find(const wn_edge *e, const wn_window *w); // NULL when not open here
const wn_edge_window *wn_edge_slot(const wn_edge *e, uint32_t slot);      // NULL when free
// From now on events of this window are late; keys stay until forgotten.
void wn_edge_stop(wn_edge *e, const wn_window *w);
// Wipes K_edge and K_text, frees the slot; the window stays refused while its time could still be accepted.
WN_MUST_USE wn_err wn_edge_forget(wn_edge *e, const wn_window *w);
uint64_t wn_edge_epochs(const wn_edge *e); // K_edge drawn anew although K_text existed: second epochs

// Country of an address: two upper-case letters. False when unknown or no database.
bool wn_edge_country(wn_edge *e, const wn_address *a, char out[2]);
// Its region, as "DE-BY": see country.h. The length; 0 when unknown.
size_t wn_edge_region(wn_edge *e, const wn_address *a, char out[WN_REGION_BYTES]);
bool wn_edge_has_geo(const wn_edge *e);

// The proxy rule: `peer` when it is not a trusted proxy, else the rightmost
// untrusted address of X-Forwarded-For (several headers joined with commas); false when that is unreadable or
// missing for a proxy peer (a trusted peer without the header is itself the client).
bool wn_edge_client(const wn_edge *e, const wn_address *peer, const char *forwarded_for, size_t n,
                    wn_address *out);
bool wn_edge_trusts(const wn_edge *e, const wn_address *peer); // it is a trusted proxy
