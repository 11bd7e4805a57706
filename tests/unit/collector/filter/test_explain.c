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
    cr_expect_str_eq(step(WN_FIELD_url, "channel")->out,
                     "search"); // the tag decided, not the page it came from
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

static void typed(const char *key, wn_pair_type type, const char *value) {
    cr_assert_eq(wn_event_pair(r.event, WN_FIELD_props, (wn_span){(const uint8_t *)key, strlen(key)}, type,
                               (wn_span){(const uint8_t *)value, strlen(value)}),
                 WN_KEEP);
}

static void pair(const char *key, const char *value) {
    typed(key, WN_PAIR_TEXT, value);
}

static void told(wn_field f, const char *outcome, const char *out) {
    const wn_trace_step *s = step(f, outcome);
    cr_assert_not_null(s, "%s: not \"%s\"", wn_field_name(f), outcome);
    cr_expect_str_eq(s->out, out);
}

Test(explain, a_purpose_the_policy_asks_for_is_named_of_either_policy) {
    r.has_policy = true;
    for (int i = 0; i < 2; i++) {
        r.policy[0] = r.policy[1] = rig_site_policy;
        r.policy[i].needs[WN_FIELD_referrer] = 1u << WN_PURPOSE_profile;
        r.policy[i].fields_off = UINT64_C(1) << WN_FIELD_screen;
        rig_clear(&r);
        rig_view(&r);
        rig_set(&r, "referrer", "https://bing.com/");
        rig_set(&r, "screen", "1440");
        cr_assert_eq(rig_run(&r), WN_KEEP);
        told(WN_FIELD_referrer, "dropped: needs profile (policy)", "");
        told(WN_FIELD_screen, "dropped: the site's policy shuts it", "");
    }
}

Test(explain, says_why_a_declared_property_does_not_pass) {
    r.has_policy = true;
    cr_assert_eq(wn_event_set(r.event, WN_FIELD_props, NULL, 0), WN_KEEP);
    pair("plan", "gold");
    pair("beta", "true");
    pair("note", "hello");
    pair("other", "x");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_props, "dropped: not one of its listed values", "plan");
    told(WN_FIELD_props, "dropped: needs profile", "beta");
    told(WN_FIELD_props, "dropped: needs measure", "note");
    told(WN_FIELD_props, "dropped: others, which the policy does not declare", "");
}

Test(explain, says_what_becomes_of_a_number) {
    static const struct {
        const char *text;
        wn_pair_type type;
        const char *outcome, *out;
    } rows[] = {{"65000", WN_PAIR_NUMBER, "number1", "amount=500"},
                {"7.9", WN_PAIR_NUMBER, "number1", "amount=7"},
                {"0.5", WN_PAIR_NUMBER, "dropped: nothing to add", "amount"},
                {"-7", WN_PAIR_NUMBER, "dropped: not a number from 0 on", "amount"},
                {"7", WN_PAIR_TEXT, "dropped: not a number from 0 on", "amount"}};
    r.has_policy = true;
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        rig_clear(&r);
        rig_view(&r);
        cr_assert_eq(wn_event_set(r.event, WN_FIELD_props, NULL, 0), WN_KEEP);
        typed("amount", rows[i].type, rows[i].text);
        typed("minutes", WN_PAIR_NUMBER, "3");
        cr_assert_eq(rig_run(&r), WN_KEEP);
        told(WN_FIELD_props, rows[i].outcome, rows[i].out);
        told(WN_FIELD_props, "dropped: needs profile", "minutes");
    }
}

Test(explain, says_why_an_answer_does_not_pass) {
    r.has_policy = true;
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "profile");
    rig_set(&r, "survey", "nps");
    rig_set(&r, "answer", "7");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_answer, "dropped: not one of its listed values", "");
    rig_clear(&r);
    rig_view(&r);
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "profile");
    rig_set(&r, "survey", "unheard");
    rig_set(&r, "answer", "7");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_survey, "dropped: the policy does not declare it", "");
}

Test(explain, of_a_mail_it_says_what_is_used_of_the_request) {
    rig_clear(&r);
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "email_open");
    rig_set(&r, "campaign", "spring");
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "referrer", "https://bing.com/");
    rig_address(&r, "192.0.2.7");
    rig_agent(&r, rig_chrome);
    r.country = "FR";
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_ip, "keyed: network prefix", "");
    told(WN_FIELD_user_agent, "keyed: browser and system, to tell people of one network apart", "");
    told(WN_FIELD_time, "hour", "10:00");
    told(WN_FIELD_purposes, "read", "");
    told(WN_FIELD_campaign, "campaign", "spring");
    told(WN_FIELD_name, "channel", "mail");
    told(WN_FIELD_referrer, "dropped: an opened mail counts with its campaign alone", "");
    cr_expect_null(step(WN_FIELD_ip, "country"));
    cr_expect_null(step(WN_FIELD_ip, "dropped: an opened mail counts with its campaign alone"));
}

Test(explain, a_value_is_told_of_the_field_that_gave_it) {
    r.country = "FR";
    rig_clear(&r);
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "pageview");
    rig_set(&r, "url", "https://example.com/?utm_medium=email&utm_source=news&utm_campaign=spring");
    rig_set(&r, "referrer", "https://bing.com/");
    rig_set(&r, "country", "AT");
    rig_set(&r, "os", "Android");
    rig_set(&r, "os_version", "16");
    rig_set(&r, "campaign", "autumn");
    rig_set(&r, "age", "42");
    rig_set(&r, "birthday", "1970-01-01");
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "profile");
    rig_address(&r, "192.0.2.7");
    rig_agent(&r, rig_chrome);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_country, "country", "AT");
    cr_expect_null(step(WN_FIELD_ip, "country"));
    told(WN_FIELD_os, "system", "Android");
    cr_expect_null(step(WN_FIELD_user_agent, "system"));
    cr_expect_null(step(WN_FIELD_user_agent, "system_version"));
    told(WN_FIELD_user_agent, "browser", "Chrome");
    told(WN_FIELD_campaign, "campaign", "autumn");
    cr_expect_null(step(WN_FIELD_url, "campaign"));
    told(WN_FIELD_url, "channel", "mail");
    cr_expect_null(step(WN_FIELD_referrer, "channel"));
    told(WN_FIELD_age, "age", "40 to 49");
    told(WN_FIELD_birthday, "dropped: age stands before it", "");
    rig_clear(&r);
    rig_view(&r);
    rig_set(&r, "country", "??");
    rig_set(&r, "os_version", "16");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_ip, "country", "FR");
    cr_expect_null(step(WN_FIELD_country, "country"));
    told(WN_FIELD_os_version, "dropped: no os stands beside it", "");
}

Test(explain, a_link_without_a_domain_is_said_to_have_none) {
    rig_set(&r, "exit_link", "https://localhost/x");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_exit_link, "dropped: no registrable domain", "");
}

Test(explain, names_the_organisations_rule_that_took_a_purpose) {
    r.has_policy = true;
    r.sender.server_key = true;
    rig_set(&r, "purposes", "basic");
    rig_set(&r, "purposes", "measure");
    rig_set(&r, "user_id", "bob.smith");
    rig_set(&r, "org", "narrow");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_user_id, "dropped: needs measure (the organisation's rule)", "");
    cr_expect_eq(r.trace.granted, 1u << WN_PURPOSE_basic);
    cr_expect_eq(r.trace.taken_by_org, 1u << WN_PURPOSE_measure);
    // What was not agreed to is not the rule's doing.
    rig_set(&r, "job_title", "Senior Nurse");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    told(WN_FIELD_job_title, "dropped: needs profile", "");
}
