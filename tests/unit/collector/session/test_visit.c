// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "visit.h"

static wn_observation event(wn_obs_kind kind, uint64_t route) {
    wn_observation o = {.kind = (uint8_t)kind, .site = 7, .prefix = 11, .person = "person a"};
    o.open[WN_DIM_route] = route;
    return o;
}

static wn_visit visit(wn_obs_kind kind, uint64_t route, int64_t at_s) {
    wn_observation o = event(kind, route);
    wn_visit v;
    wn_visit_begin(&v, 3, &o, at_s);
    return v;
}

Test(visit, joins_up_to_thirty_minutes_and_not_a_second_more) {
    wn_visit a = visit(WN_OBS_VIEW, 1, 10000), b = visit(WN_OBS_VIEW, 1, 10000 + WN_SESSION_IDLE_S);
    wn_visit c = visit(WN_OBS_VIEW, 1, 10001 + WN_SESSION_IDLE_S);
    cr_assert(wn_visit_joins(&a, &b) && wn_visit_joins(&b, &a));
    cr_assert_not(wn_visit_joins(&a, &c));
    cr_assert_not(wn_visit_joins(&c, &a));
}

Test(visit, never_joins_across_people_sites_or_windows) {
    wn_visit a = visit(WN_OBS_VIEW, 1, 10000), b = a;
    cr_assert(wn_visit_joins(&a, &b));
    b.person[15] ^= 1;
    cr_assert_not(wn_visit_joins(&a, &b));
    b = a;
    b.slot++;
    cr_assert_not(wn_visit_joins(&a, &b));
    b = a;
    b.site++;
    cr_assert_not(wn_visit_joins(&a, &b));
}

Test(visit, is_a_bounce_only_with_one_view_and_nothing_else) {
    wn_observation o;
    wn_visit v = visit(WN_OBS_VIEW, 1, 10000), w = visit(WN_OBS_EVENT, 0, 10005),
             u = visit(WN_OBS_VIEW, 2, 10009);
    wn_visit_observation(&v, &o);
    cr_assert(o.flags & WN_OBS_BOUNCED);
    cr_assert_eq(o.seconds, 0);
    wn_visit_observation(&w, &o);
    cr_assert_not(o.flags & WN_OBS_BOUNCED);
    cr_assert(o.open[WN_DIM_entry] == 0 && o.open[WN_DIM_exit] == 0);
    wn_visit_merge(&w, &v);
    wn_visit_observation(&w, &o);
    cr_assert_not(o.flags & WN_OBS_BOUNCED);
    wn_visit_merge(&v, &u);
    wn_visit_observation(&v, &o);
    cr_assert_not(o.flags & WN_OBS_BOUNCED);
}

Test(visit, time_is_clamped_at_thirty_minutes) {
    wn_visit v = visit(WN_OBS_VIEW, 1, 10000), b = visit(WN_OBS_VIEW, 1, 11799),
             c = visit(WN_OBS_VIEW, 1, 13000);
    wn_observation o;
    wn_visit_merge(&v, &b);
    wn_visit_observation(&v, &o);
    cr_assert_eq(o.seconds, 1799);
    wn_visit_merge(&v, &c);
    wn_visit_observation(&v, &o);
    cr_assert_eq(o.seconds, 1800);
}

Test(visit, is_signed_or_shared_only_when_every_event_is) {
    wn_observation a = event(WN_OBS_VIEW, 1), b = a, o;
    a.flags = WN_OBS_SIGNED | WN_OBS_SHARE;
    b.flags = WN_OBS_SIGNED;
    wn_visit va, vb;
    wn_visit_begin(&va, 0, &a, 100);
    wn_visit_begin(&vb, 0, &b, 200);
    wn_visit_merge(&va, &vb);
    wn_visit_observation(&va, &o);
    cr_assert_eq(o.flags, WN_OBS_SIGNED);
}

Test(visit, carries_the_first_events_dimensions_the_first_entry_and_the_last_exit) {
    wn_observation a = event(WN_OBS_EVENT, 50), b = event(WN_OBS_VIEW, 60), c = event(WN_OBS_VIEW, 70), o;
    a.closed[WN_DIM_country] = 'D' << 8 | 'E';
    a.closed[WN_DIM_hour] = 4;
    a.open[WN_DIM_referrer] = 900;
    a.open[WN_DIM_source] = 901;
    a.open[WN_DIM_medium] = 902;
    a.open[WN_DIM_campaign] = 903;
    a.org = 5;
    b.closed[WN_DIM_hour] = 5;
    b.open[WN_DIM_event] = 77;
    wn_visit v[3];
    wn_visit_begin(&v[0], 0, &c, 300);
    wn_visit_begin(&v[1], 0, &a, 100);
    wn_visit_begin(&v[2], 0, &b, 200);
    wn_visit_merge(&v[0], &v[1]);
    wn_visit_merge(&v[0], &v[2]);
    wn_visit_observation(&v[0], &o);
    cr_assert_eq(o.kind, WN_OBS_SESSION);
    cr_assert(o.closed[WN_DIM_country] == ('D' << 8 | 'E') && o.closed[WN_DIM_hour] == 4 && o.org == 5);
    cr_assert(o.open[WN_DIM_referrer] == 900 && o.open[WN_DIM_source] == 901);
    cr_assert(o.open[WN_DIM_medium] == 902 && o.open[WN_DIM_campaign] == 903);
    cr_assert(o.open[WN_DIM_entry] == 60 && o.open[WN_DIM_exit] == 70);
    cr_assert(o.open[WN_DIM_route] == 0 && o.open[WN_DIM_event] == 0);
    cr_assert_eq(o.seconds, 200);
}

Test(visit, merging_is_commutative_and_associative_even_in_ties) {
    srandom(1);
    for (int round = 0; round < 20000; round++) {
        wn_visit v[3];
        for (int i = 0; i < 3; i++) {
            wn_observation o = event(random() % 2 ? WN_OBS_VIEW : WN_OBS_EVENT, (uint64_t)random() % 3);
            o.closed[WN_DIM_device] = (uint16_t)(random() % 2);
            o.flags = (uint8_t)(random() % 4);
            o.prefix = (uint64_t)random() % 2;
            o.org = (uint64_t)random() % 3;
            wn_visit_begin(&v[i], 0, &o, 1000 + random() % 3);
        }
        wn_visit ab_c = v[0], c_ba = v[2], bc = v[1], ba = v[1];
        wn_visit_merge(&ab_c, &v[1]);
        wn_visit_merge(&ab_c, &v[2]);
        wn_visit_merge(&ba, &v[0]);
        wn_visit_merge(&c_ba, &ba);
        wn_visit_merge(&bc, &v[2]);
        wn_visit_merge(&bc, &v[0]);
        wn_observation x, y, z;
        wn_visit_observation(&ab_c, &x);
        wn_visit_observation(&c_ba, &y);
        wn_visit_observation(&bc, &z);
        cr_assert(memcmp(&x, &y, sizeof x) == 0 && memcmp(&x, &z, sizeof x) == 0, "round %d", round);
    }
}

Test(visit, is_of_an_organisation_that_any_event_names) {
    wn_visit v[4], all;
    for (unsigned i = 0; i < 4; i++) {
        wn_observation o = event(WN_OBS_VIEW, 1);
        o.org = i % 2 == 0 ? 0 : 4 + i; // none, 5, none, 7
        wn_visit_begin(&v[i], 0, &o, 1000 + i);
    }
    all = v[0];
    cr_expect(!wn_visit_names(&all, 5) && !wn_visit_names(&all, 7));
    for (unsigned i = 1; i < 3; i++) wn_visit_merge(&all, &v[i]);
    wn_observation o;
    wn_visit_observation(&all, &o);
    cr_expect(o.org == 5 && wn_visit_names(&all, 5) && !wn_visit_names(&all, 7), "it was signed in late");
    wn_visit_merge(&all, &v[3]);
    wn_visit_observation(&all, &o);
    cr_expect(o.org != 0 && wn_visit_names(&all, 5) && wn_visit_names(&all, 7));
}

Test(visit, counts_stop_at_their_limit) {
    wn_visit v = visit(WN_OBS_VIEW, 1, 100), one = v;
    for (int i = 0; i < 70000; i++) wn_visit_merge(&v, &one);
    cr_assert_eq(v.views, UINT16_MAX);
}

Test(visit, seconds_outside_the_table_are_taken_to_its_ends) {
    cr_assert_eq(visit(WN_OBS_VIEW, 1, -5).start_s, 0);
    cr_assert_eq(visit(WN_OBS_VIEW, 1, INT64_MAX).start_s, UINT32_MAX);
}
