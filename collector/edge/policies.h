// SPDX-License-Identifier: Apache-2.0
// policies.h: the policies that open windows began with, and the newest.
//
// A window keeps the policy it began with, through kill and restart: before it
// opens, the policy's text and the window's choice are on disk. The loop thread
// only.
#pragma once

#include "conf.h"
#include "policy.h"

typedef struct wn_policies wn_policies;

// Finds what open windows began with, and makes *takes the newest.
//   dir  kept: <16 hex id>.yaml a policy, and `windows`; NULL: remembered nowhere
// WN_ERR_CONFIG: the text changed since the last run and its version did not grow (words in `why`;
// *takes stays the caller's, as on any error).
WN_MUST_USE wn_err wn_policies_open(const char *dir, wn_policy *takes, char *why, size_t why_bytes,
                                    wn_policies **out);
// The policy that was in force when the collector last ran or still is, without changing anything.
// WN_ERR_NOTFOUND: there is none; WN_ERR_AUTH: this user may not look.
WN_MUST_USE wn_err wn_policies_last(const char *dir, wn_policy *out);
// The built-in policy alone, remembered nowhere.
WN_MUST_USE wn_err wn_policies_builtin(wn_policies **out);
void wn_policies_close(wn_policies *p); // NULL fine
// A reload: durable, then the newest. On any error the old one stays, and *takes the caller's.
WN_MUST_USE wn_err wn_policies_put(wn_policies *p, wn_policy *takes, char *why, size_t why_bytes);
const wn_policy *wn_policies_newest(const wn_policies *p);

// The policy of a window, durable before this returns: the one it began with, else from now on the newest.
// WN_ERR_CORRUPT: it began with one that is lost (id and version are given all the same).
WN_MUST_USE wn_err wn_policies_begin(wn_policies *p, const char *window, uint64_t *out_id,
                                     uint32_t *out_version);
// The window is gone: so is its policy, unless another refers to it or it is the newest.
void wn_policies_end(wn_policies *p, const char *window);
// Ends every window of which `is_open` says no: a kill came before its keys were made, or after they died.
void wn_policies_keep(wn_policies *p, bool (*is_open)(void *ctx, const char *window), void *ctx);
size_t wn_policies_count(const wn_policies *p);

// out[0] of the policy with this id (the newest when it is lost), out[1] of the newest; once an event.
// Valid until the next reload or end of a window.
void wn_policies_of(wn_policies *p, const wn_site *site, uint64_t id, const wn_site_policy *out[2]);
