// SPDX-License-Identifier: Apache-2.0
// conf_policy.h: what the readers of policy.yaml share. Private to common/conf_policy*.c.
#pragma once

#include "conf_nodes.h"
#include "policy.h"

// One entry being read: the defaults, or a site that began as a copy of them.
typedef struct wn_policy_reading {
    wn_policy *policy; // owns what is made
    wn_site_policy *site;
    const wn_site_policy *defaults; // what the site inherits; NULL while these are read
    bool no_memory;
} wn_policy_reading;

// n items of zeroed memory that live as long as the policy; NULL sets no_memory.
void *wn_policy_room(wn_policy_reading *r, size_t n, size_t bytes);
// One purpose as a bit.
bool wn_policy_purpose(wn_nodes *d, const yaml_node_t *at, const char *what, uint8_t *out);
// A list of purposes as bits; may be empty where `may_be_empty`.
bool wn_policy_purposes(wn_nodes *d, const yaml_node_t *at, const char *what, bool may_be_empty,
                        uint8_t *out);
// [a-z0-9_-]{1,WN_POLICY_WORD_MAX} into `out`.
bool wn_policy_word(wn_nodes *d, const yaml_node_t *at, const char *what, char out[WN_POLICY_WORD_MAX + 1]);
// 1 to WN_POLICY_TEXT_MAX bytes without control characters into `out`.
bool wn_policy_text(wn_nodes *d, const yaml_node_t *at, const char *what, char out[WN_POLICY_TEXT_MAX + 1]);

// conf_policy_pages.c
bool wn_policy_read_sensitive(wn_nodes *d, const yaml_node_t *at, void *ctx);
bool wn_policy_read_routes(wn_nodes *d, const yaml_node_t *at, void *ctx);
// conf_policy_lists.c
bool wn_policy_read_props(wn_nodes *d, const yaml_node_t *at, void *ctx);
bool wn_policy_read_surveys(wn_nodes *d, const yaml_node_t *at, void *ctx);
bool wn_policy_read_orgs(wn_nodes *d, const yaml_node_t *at, void *ctx);
bool wn_policy_read_categories(wn_nodes *d, const yaml_node_t *at, void *ctx);
bool wn_policy_read_vendors(wn_nodes *d, const yaml_node_t *at, void *ctx);
