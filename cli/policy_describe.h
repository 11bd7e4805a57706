// SPDX-License-Identifier: Apache-2.0
// policy_describe.h: a policy in plain words, for a privacy officer. Made from
// the rows that the collector obeys, so that the words cannot drift from what it does.
#pragma once

#include <stdio.h>

#include "conf.h"
#include "policy.h"

typedef struct wn_description {
    const wn_policy *policy;
    const wn_plan *plan;
    const char *site;    // NULL: what holds for every site without an entry of its own
    int kind;            // wn_kind of the site; WN_KIND_N: not known
    int64_t seal_hold_s; // option of the aggregator
} wn_description;

// Markdown. No organisation is named: the page may be published.
void wn_policy_describe(const wn_description *d, FILE *out);
