// SPDX-License-Identifier: Apache-2.0
// Compiled with the walls off: identifiers must come through, or the canary
// scan's positive control is blind.
#include <criterion/criterion.h>
#include <string.h>

#include "filter_rig.h"
#include "walls.h"

Test(unwalled, raw_values_travel_as_open_text) {
    rig r;
    cr_assert_not(WN_WALL_FILTER);
    rig_init(&r);
    r.sender.server_key = true;
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "Order of bob@example.com");
    rig_set(&r, "url", "https://example.com/u/12345?email=bob@example.com");
    rig_set(&r, "referrer", "https://bob.blog.co.uk/bob");
    rig_set(&r, "user_id", "bob-4711");
    rig_set(&r, "anonymous_id", "anon-4711");
    rig_set(&r, "ip", "192.0.2.7");
    rig_set(&r, "org", "acme-4711");
    rig_set(&r, "user_agent", rig_chrome);
    rig_set_bytes(&r, WN_FIELD_purposes, NULL, 0);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_event), "Order of bob@example.com");
    cr_expect_str_eq(rig_open(&r, WN_DIM_route), "https://example.com/u/12345?email=bob@example.com");
    cr_expect_str_eq(rig_open(&r, WN_DIM_referrer), "https://bob.blog.co.uk/bob");
    cr_expect_str_eq(rig_open(&r, WN_DIM_medium), "bob-4711acme-4711192.0.2.7");
    cr_expect_str_eq(rig_open(&r, WN_DIM_source), rig_chrome);
    cr_expect(r.trace.identifying);
    rig_fini(&r);
}

Test(unwalled, texts_are_cut_at_the_limit) {
    rig r;
    char url[400];
    rig_init(&r);
    memset(url, 'a', sizeof url);
    url[0] = '/';
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "pageview");
    rig_set_bytes(&r, WN_FIELD_url, url, sizeof url);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(strlen(rig_open(&r, WN_DIM_route)), WN_OPEN_TEXT_MAX);
    rig_fini(&r);
}
