// SPDX-License-Identifier: Apache-2.0
// filter_rig.h: a filter with one site, one window and fixed keys, for tests.
#pragma once

#include "filter.h"

#define RIG_START_S 1700006400 // 2023-11-15T00:00:00Z
#define RIG_NOW_S (RIG_START_S + 36000)

typedef struct rig {
    wn_site site; // "example": example.com, shop.example.com
    wn_edge_window window;
    bool has_window;          // false: the look-up answers NULL
    const char *country;      // NULL: unknown
    const char *region;       // NULL: unknown
    bool has_policy;          // false: the default rules
    wn_site_policy policy[2]; // of the window, and the newest; both as rig_policy tells
    wn_sender sender;
    wn_address address;
    wn_lookups look;
    wn_event *event;
    wn_scratch *scratch;
    uint8_t dedupe_key[32];
    wn_trace trace;
    wn_filtered out;
} rig;

// The policy of the tests. Declares the properties plan (free, pro), beta (true, false; needs
// profile) and note (any), the numbers amount (at most 500) and minutes (needs profile), the survey nps (0,
// 10); "/health/**" is sensitive,
// "/users/:id/orders" a route, the category "Ana" basic and measure; of organisation
// "narrow" only basic may be read, of "silent" nothing.
extern const wn_site_policy rig_site_policy;

void rig_init(rig *r);
void rig_fini(rig *r);
// Forgets the event; the caches stay.
void rig_clear(rig *r);
wn_verdict rig_set(rig *r, const char *field, const char *value);
wn_verdict rig_set_bytes(rig *r, wn_field f, const void *p, size_t n);
// A page view of https://example.com/ by 192.0.2.7.
void rig_view(rig *r);
void rig_address(rig *r, const char *text); // NULL: none
void rig_agent(rig *r, const char *ua);
void rig_sign(rig *r, const char *user_id); // sets user_sig; the site gets its key
wn_verdict rig_run(rig *r);
// The opened text of a dimension of the last run; "" when absent. Static storage.
const char *rig_open(const rig *r, wn_dim_open dim);
const char *rig_closed(const rig *r, wn_dim_closed dim);
// True when a run of `n` bytes of `value` stands in the last result, opened values included.
bool rig_leaks(const rig *r, const void *value, size_t value_bytes, size_t n);

extern const char rig_chrome[], rig_iphone[];
