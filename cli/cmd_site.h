// SPDX-License-Identifier: Apache-2.0
// cmd_site.h: changing sites.yaml, for `site`, for `up` (a first site) and `send` (its key).
#pragma once

#include "cli_ask.h"

// Loads, lets fn change, saves when fn answers true; under a lock. s->site has room for one more.
typedef bool (*wn_site_edit_fn)(void *ctx, wn_sites *s);
bool wn_site_edit(wn_cli *c, wn_site_edit_fn fn, void *ctx);

const char *wn_site_local_zone(char out[WN_ZONE_BYTES]);
// zone NULL: this machine's. kind NULL: web. False after a message.
bool wn_site_make(const char *name, const char *zone, const char *kind, wn_site *out);
bool wn_site_append(void *wn_site_to_add, wn_sites *s);

typedef struct wn_site_new_key {
    const char *site, *key;
    bool server;
} wn_site_new_key;
bool wn_site_add_key(void *wn_site_new_key_to_add, wn_sites *s); // fine when it is there
