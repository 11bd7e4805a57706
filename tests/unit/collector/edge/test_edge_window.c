// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "clock.h"
#include "crypt.h"
#include "edge_window.h"

Test(edge_window, refuses_what_names_no_window) {
    static const char *const bad[] = {"",
                                      "2026-11-20",
                                      "2026-11-20.web.",
                                      "2026-11-20.web.Nowhere_City",
                                      "2026-02-30.web.UTC",
                                      "2026-11-20.wob.UTC",
                                      "2026-11-20-web.UTC",
                                      "2026-11-20.web.UTC ",
                                      "2026-11-20.web.Europe/Berlin",
                                      "x026-11-20.web.UTC"};
    wn_window w;
    for (size_t i = 0; i < WN_COUNT(bad); i++) cr_expect_not(wn_edge_window_parse(bad[i], &w), "%s", bad[i]);
}

Test(edge_window, reads_back_what_was_written) {
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
                                        "America/Argentina/ComodRivadavia", "America/Port-au-Prince"};
    for (size_t i = 0; i < WN_COUNT(zones); i++) {
        for (unsigned kind = 0; kind < WN_KIND_N; kind++) {
            const wn_zone *z = wn_zone_find(zones[i]);
            cr_assert_not_null(z, "%s", zones[i]);
            wn_window w, back;
            char text[WN_WINDOW_TEXT_BYTES];
            wn_zone_window_of_day(z, (wn_kind)kind, 20777, &w);
            wn_window_text(&w, text);
            cr_assert(wn_edge_window_parse(text, &back), "%s", text);
            cr_assert(wn_window_same(&w, &back) && w.start_s == back.start_s && w.end_s == back.end_s);
        }
    }
}

Test(edge_window, derived_keys_differ_from_each_other_and_from_the_key) {
    wn_edge_window a = {.slot = 1}, b = {.slot = 1};
    cr_assert_eq(wn_crypt_init(), WN_OK);
    memset(a.key_edge, 7, sizeof a.key_edge);
    memset(b.key_edge, 8, sizeof b.key_edge);
    wn_edge_window_derive(&a);
    wn_edge_window_derive(&b);
    cr_assert_neq(memcmp(a.key_prefix, a.key_org, 16), 0);
    cr_assert_neq(memcmp(a.key_prefix, a.epoch, 8), 0);
    cr_assert_neq(memcmp(a.key_org, a.epoch, 8), 0);
    cr_assert_neq(memcmp(a.epoch, a.key_edge, 8), 0);
    cr_assert_neq(memcmp(a.key_prefix, b.key_prefix, 16), 0);
    cr_assert_neq(memcmp(a.epoch, b.epoch, 8), 0);
}
