// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "filter_rig.h"

static rig r;

static void start(void) {
    rig_init(&r);
    rig_view(&r);
}

static void stop(void) {
    rig_fini(&r);
}

TestSuite(explain, .init = start, .fini = stop);

static const wn_trace_step *step(wn_field f, const char *outcome) {
    for (size_t i = 0; i < r.trace.n; i++)
        if (r.trace.step[i].field == f && strcmp(r.trace.step[i].outcome, outcome) == 0)
            return &r.trace.step[i];
    return NULL;
}

Test(explain, tells_of_each_field_what_became_of_it) {
    rig_clear(&r);
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "pageview");
    rig_set(&r, "url", "https://example.com/u/12345?utm_source=google");
    rig_set(&r, "referrer", "https://bob.blog.co.uk/x");
    rig_set(&r, "user_id", "bob.smith");
    rig_set(&r, "org", "acme");
    rig_set(&r, "props", "");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    const wn_trace_step *s = step(WN_FIELD_url, "route");
    cr_assert_not_null(s);
    cr_expect_str_eq(s->out, "/u/:x");
    cr_expect_str_eq(s->transform, "URL_TO_ROUTE");
    cr_expect_str_eq(s->purpose, "basic");
    cr_assert_not_null(step(WN_FIELD_url, "source"));
    cr_expect_str_eq(step(WN_FIELD_referrer, "referrer")->out, "blog.co.uk");
    cr_expect_str_eq(step(WN_FIELD_referrer, "channel")->out, "search");
    cr_expect_str_eq(step(WN_FIELD_user_id, "dropped: needs measure")->purpose, "measure");
    cr_expect_not_null(step(WN_FIELD_org, "dropped: not believed"));
    cr_expect_not_null(step(WN_FIELD_props, "dropped: the policy does not declare it"));
    cr_expect_str_eq(step(WN_FIELD_user_agent, "browser")->out, "Chrome");
    cr_expect_not_null(step(WN_FIELD_ip, "keyed: network prefix"));
    cr_expect_not(r.trace.identifying);
}

Test(explain, shows_nothing_of_a_refused_event) {
    rig_set(&r, "user_id", "bob.smith");
    wn_event_doubt_consent(r.event);
    cr_assert_eq(rig_run(&r), WN_VERDICT_refused);
    for (size_t i = 0; i < r.trace.n; i++) {
        cr_expect_str_eq(r.trace.step[i].outcome, "dropped with the event");
        cr_expect_str_eq(r.trace.step[i].out, "");
    }
    cr_expect_eq(r.trace.n, 4);
}

Test(explain, has_room_for_every_field_at_once) {
    r.sender.server_key = true;
    r.country = "FR";
    rig_clear(&r);
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        static const char *const values[WN_FIELD_N] = {
            [WN_FIELD_site] = "example",
            [WN_FIELD_name] = "pageview",
            [WN_FIELD_ip] = "192.0.2.1",
            [WN_FIELD_time] = "1700006400",
            [WN_FIELD_url] = "/?utm_source=a&utm_medium=b&utm_campaign=c",
            [WN_FIELD_referrer] = "https://bing.com/",
            [WN_FIELD_purposes] = "basic",
            [WN_FIELD_child] = "0",
            [WN_FIELD_age] = "40",
            [WN_FIELD_birthday] = "1970-01-01",
            [WN_FIELD_gdpr] = "0",
            [WN_FIELD_gpp] = "DBAA",
            [WN_FIELD_gpp_sid] = "-1",
            [WN_FIELD_ad_tracking] = "1",
            [WN_FIELD_us_privacy] = "1YNN",
            [WN_FIELD_gcs] = "G111",
            [WN_FIELD_gcd] = "13t3t3t2t5",
            [WN_FIELD_att] = "3",
        };
        if (f == WN_FIELD_tcf || f == WN_FIELD_consent || f == WN_FIELD_props) continue;
        rig_set(&r, wn_field_name((wn_field)f), values[f] ? values[f] : "1");
    }
    cr_assert_eq(rig_run(&r), WN_KEEP);
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        bool told = false;
        for (size_t i = 0; i < r.trace.n; i++) told |= r.trace.step[i].field == f;
        cr_expect(told || f == WN_FIELD_tcf || f == WN_FIELD_consent || f == WN_FIELD_props, "%s",
                  wn_field_name((wn_field)f));
    }
}

Test(explain, says_when_an_identifier_would_stay) {
    rig_clear(&r);
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "pageview");
    rig_set(&r, "url", "/u/robertson");
    rig_set(&r, "user_id", "robertson");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect(r.trace.identifying);
}
