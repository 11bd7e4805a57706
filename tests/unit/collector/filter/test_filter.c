// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agents.h"
#include "channels.h"
#include "filter_rig.h"

static rig r;

static void start(void) {
    rig_init(&r);
    rig_view(&r);
}

static void stop(void) {
    rig_fini(&r);
}

TestSuite(filter, .init = start, .fini = stop);

static wn_verdict with(const char *field, const char *value) {
    rig_view(&r);
    rig_set(&r, field, value);
    return rig_run(&r);
}

// The view of rig_view with another value for a field it has.
static wn_verdict but(const char *field, const char *value) {
    rig_clear(&r);
    static const char *const base[][2] = {
        {"site", "example"}, {"name", "pageview"}, {"url", "https://example.com/"}};
    for (size_t i = 0; i < WN_COUNT(base); i++) {
        const char *v = strcmp(base[i][0], field) == 0 ? value : base[i][1];
        if (v != NULL) rig_set(&r, base[i][0], v);
    }
    return rig_run(&r);
}

Test(filter, keeps_a_plain_view) {
    r.country = "FR";
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.kind, WN_OBS_VIEW);
    cr_expect_eq(r.out.obs.flags, 0);
    cr_expect_eq(r.out.obs.site, r.site.tag);
    cr_expect_eq(r.out.obs.org, 0);
    cr_expect_eq(r.out.site, &r.site);
    cr_expect_eq(r.out.window, &r.window);
    cr_expect_eq(r.out.at_s, RIG_NOW_S);
    cr_expect_eq(r.out.obs.closed[WN_DIM_hour], 11);
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], WN_CHANNEL_direct);
    cr_expect_eq(r.out.obs.closed[WN_DIM_browser], WN_BROWSER_chrome);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_country), "FR");
    cr_expect_str_eq(rig_open(&r, WN_DIM_route), "/");
    cr_expect_str_eq(rig_open(&r, WN_DIM_event), "pageview");
    cr_expect_eq(r.out.obs.open[WN_DIM_referrer], 0);
    cr_expect_eq(r.out.obs.open[WN_DIM_entry], 0);
    cr_expect_null(r.out.values[WN_DIM_entry]);
    cr_expect_not(r.out.has_batch_id);
}

Test(filter, refuses_what_lacks_a_field_or_names_no_site) {
    cr_expect_eq(but("site", NULL), WN_VERDICT_missing_field);
    cr_expect_eq(but("site", ""), WN_VERDICT_missing_field);
    cr_expect_eq(but("site", "other"), WN_VERDICT_unknown_site);
    cr_expect_null(r.out.site);
    cr_expect_eq(but("name", NULL), WN_VERDICT_missing_field);
    cr_expect_eq(but("name", " "), WN_VERDICT_missing_field);
    cr_expect_eq(but("url", NULL), WN_VERDICT_missing_field);
    cr_expect_eq(but("url", "mailto:bob@example.com"), WN_VERDICT_malformed);
    cr_expect_null(r.out.window);
    rig_clear(&r);
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "signup");
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.kind, WN_OBS_EVENT);
    cr_expect_eq(r.out.obs.open[WN_DIM_route], 0);
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], 0);
}

Test(filter, first_refusal_of_the_intake_stands) {
    wn_event_refuse(r.event, WN_VERDICT_too_deep);
    wn_event_doubt_consent(r.event);
    cr_expect_eq(rig_run(&r), WN_VERDICT_too_deep);
    cr_expect_null(r.out.window);
    cr_expect_eq(with("url", "/"), WN_VERDICT_duplicate_field);
}

Test(filter, only_the_sites_hosts_may_be_page_hosts) {
    cr_expect_eq(but("url", "https://evil.com/"), WN_VERDICT_foreign_host);
    cr_expect_eq(but("url", "https://example.com.evil.com/"), WN_VERDICT_foreign_host);
    cr_expect_eq(but("url", "https://sub.example.com/"), WN_VERDICT_foreign_host);
    cr_expect_eq(but("url", "https://example.com@evil.com/"), WN_VERDICT_foreign_host);
    cr_expect_eq(but("url", "https://ex%61mple.com/"), WN_VERDICT_foreign_host);
    cr_expect_eq(but("url", "https://www.EXAMPLE.com:8080/"), WN_KEEP);
    cr_expect_eq(but("url", "https://shop.example.com/"), WN_KEEP);
    cr_expect_eq(but("url", "/only/a/path"), WN_KEEP);
    static const char *const www[] = {"www.example.com", "www.com"}; // as sites.yaml has them
    for (size_t i = 0; i < WN_COUNT(www); i++) cr_assert_null(wn_site_host_set(www[i], r.site.hosts[i]));
    cr_expect_eq(but("url", "https://example.com/"), WN_KEEP);
    cr_expect_eq(but("url", "https://www.com/"), WN_KEEP);
    cr_expect_eq(but("url", "https://com/"), WN_VERDICT_foreign_host);
    r.site.hosts_n = 0;
    cr_expect_eq(but("url", "https://anything.org/"), WN_KEEP);
}

Test(filter, what_was_purged_of_this_site_is_refused) {
    static const uint8_t key[32] = {1};
    wn_purge purged[2] = {{.kind = WN_PURGE_SITE, .tag = wn_site_tag("other")},
                          {.kind = WN_PURGE_ORG, .tag = r.site.tag}};
    wn_purge_name(key, r.site.tag, (wn_span){(const uint8_t *)"acme", 4}, purged[1].name);
    r.look.purged = (wn_purged){key, purged, WN_COUNT(purged)};
    cr_expect_eq(with("org", "acme"), WN_VERDICT_purged);
    cr_expect_eq(with("org", " Acme"), WN_VERDICT_purged);
    cr_expect_eq(with("org", "acme2"), WN_KEEP);
    cr_expect_eq(but("", NULL), WN_KEEP);
    purged[1].tag = purged[0].tag; // another site's
    cr_expect_eq(with("org", "acme"), WN_KEEP);
    purged[0].tag = r.site.tag;
    cr_expect_eq(but("", NULL), WN_VERDICT_purged);
}

Test(filter, page_of_the_request_serves_when_the_event_has_none) {
    r.sender.page = (wn_span){(const uint8_t *)"https://example.com/pixel", 25};
    cr_expect_eq(but("url", NULL), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_route), "/pixel");
    cr_expect_eq(rig_run(&r), WN_KEEP);
    rig_view(&r);
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_route), "/");
    r.sender.page = (wn_span){(const uint8_t *)"https://evil.com/pixel", 22};
    cr_expect_eq(but("url", NULL), WN_VERDICT_foreign_host);
}

Test(filter, a_bound_sender_writes_to_its_site_only) {
    r.sender.site = &r.site;
    cr_expect_eq(but("site", NULL), WN_KEEP);
    cr_expect_eq(but("site", "example"), WN_KEEP);
    cr_expect_eq(but("site", "exampl"), WN_VERDICT_not_allowed);
    cr_expect_eq(but("site", "other"), WN_VERDICT_not_allowed);
}

Test(filter, address_and_agent_of_a_body_need_a_server_key) {
    cr_expect_eq(with("ip", "198.51.100.1"), WN_VERDICT_not_allowed);
    cr_expect_eq(with("user_agent", rig_iphone), WN_VERDICT_not_allowed);
    cr_expect_eq(with("ip", ""), WN_VERDICT_not_allowed);
    rig_view(&r);
    rig_run(&r);
    uint64_t own = r.out.obs.prefix;
    r.sender.server_key = true;
    cr_expect_eq(with("ip", "198.51.100.1"), WN_KEEP);
    cr_expect_neq(r.out.obs.prefix, own);
    cr_expect_eq(with("ip", "not an address"), WN_VERDICT_malformed);
    cr_expect_eq(with("user_agent", rig_iphone), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_browser], WN_BROWSER_safari);
}

Test(filter, time_is_bounded_ahead_and_by_windows_behind) {
    char text[24];
    snprintf(text, sizeof text, "%d", RIG_NOW_S + 300);
    cr_expect_eq(with("time", text), WN_KEEP);
    snprintf(text, sizeof text, "%d", RIG_NOW_S + 301);
    cr_expect_eq(with("time", text), WN_VERDICT_future);
    snprintf(text, sizeof text, "%d", RIG_START_S);
    cr_expect_eq(with("time", text), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_hour], 1);
    cr_expect_eq(r.out.at_s, RIG_START_S);
    snprintf(text, sizeof text, "%d", RIG_START_S - 1);
    cr_expect_eq(with("time", text), WN_VERDICT_late);
    cr_expect_eq(with("time", "yesterday"), WN_VERDICT_malformed);
    r.window.open = false;
    cr_expect_eq(with("time", ""), WN_VERDICT_late);
    cr_expect_null(r.out.window);
}

Test(filter, the_longest_local_day_has_25_hours) {
    r.window.window.end_s = RIG_START_S + 25 * 3600;
    r.sender.now_s = RIG_START_S + 25 * 3600 - 1;
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_hour], 25);
    cr_expect(wn_closed_valid(WN_DIM_hour, 25));
}

static wn_verdict consent(const char *const *items, size_t n) {
    rig_view(&r);
    rig_set_bytes(&r, WN_FIELD_purposes, NULL, 0);
    for (size_t i = 0; i < n; i++) rig_set(&r, "purposes", items[i]);
    return rig_run(&r);
}

Test(filter, every_doubt_about_consent_refuses) {
    cr_expect_eq(consent(NULL, 0), WN_VERDICT_refused);
    cr_expect_eq(r.out.window, &r.window);
    cr_expect_eq(r.out.site, &r.site);
    cr_expect_eq(r.out.obs.prefix, 0);
    cr_expect_eq(consent((const char *const[]){"measure"}, 1), WN_VERDICT_refused);
    cr_expect_eq(consent((const char *const[]){"all"}, 1), WN_VERDICT_refused);
    cr_expect_eq(consent((const char *const[]){"Basic"}, 1), WN_VERDICT_refused);
    cr_expect_eq(consent((const char *const[]){"basic", "all"}, 2), WN_KEEP);
    rig_view(&r);
    wn_event_doubt_consent(r.event);
    cr_expect_eq(rig_run(&r), WN_VERDICT_refused);
    cr_expect_eq(with("gpc", "2"), WN_VERDICT_refused);
    cr_expect_eq(with("dnt", ""), WN_VERDICT_refused);
    cr_expect_eq(with("dnt", "0"), WN_KEEP);
    r.has_window = false;
    cr_expect_eq(consent(NULL, 0), WN_VERDICT_refused);
    cr_expect_null(r.out.window);
}

Test(filter, a_refusing_robot_leaves_no_trace_of_its_agent) {
    rig_agent(&r, "Googlebot/2.1");
    cr_expect_eq(consent(NULL, 0), WN_VERDICT_refused);
    rig_view(&r);
    rig_agent(&r, "Googlebot/2.1");
    cr_expect_eq(rig_run(&r), WN_VERDICT_bot);
    cr_expect_null(r.out.window);
}

Test(filter, signals_leave_basic_only) {
    static const char *const all[] = {"basic", "measure", "share"};
    cr_expect_eq(consent(all, 3), WN_KEEP);
    cr_expect_eq(r.out.obs.flags, WN_OBS_SHARE);
    r.sender.gpc = true;
    cr_expect_eq(consent(all, 3), WN_KEEP);
    cr_expect_eq(r.out.obs.flags, 0);
    r.sender.gpc = false;
    r.sender.dnt = true;
    cr_expect_eq(consent(all, 3), WN_KEEP);
    cr_expect_eq(r.out.obs.flags, 0);
    r.sender.dnt = false;
    rig_view(&r);
    rig_set(&r, "dnt", "1");
    for (size_t i = 0; i < 3; i++) rig_set(&r, "purposes", all[i]);
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.flags, 0);
}

Test(filter, referrer_is_a_domain_from_elsewhere) {
    static const struct {
        const char *ref, *domain;
        uint16_t channel;
    } rows[] = {
        {"", "", WN_CHANNEL_direct},
        {"https://news.blog.co.uk/bob?q=1", "blog.co.uk", WN_CHANNEL_referral},
        {"https://www.google.com/search?q=bob", "google.com", WN_CHANNEL_search},
        {"https://192.0.2.1/", "", WN_CHANNEL_direct},
        {"http://localhost/", "", WN_CHANNEL_direct},
        {"android-app://com.google.android.gm/", "", WN_CHANNEL_direct},
        {"https://example.com/a", "", 0},
        {"https://www.example.com/a", "", 0},
        {"https://help.example.com/", "", 0},
        {"https://notexample.com/", "notexample.com", WN_CHANNEL_referral},
        {"bob", "", WN_CHANNEL_direct},
        {"https://alice.github.io/", "github.io", WN_CHANNEL_referral},
        {"/inner", "", WN_CHANNEL_direct},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        cr_expect_eq(with("referrer", rows[i].ref), WN_KEEP);
        cr_expect_str_eq(rig_open(&r, WN_DIM_referrer), rows[i].domain, "%s", rows[i].ref);
        cr_expect_eq(r.out.obs.closed[WN_DIM_channel], rows[i].channel, "%s", rows[i].ref);
    }
}

Test(filter, the_pages_own_host_is_internal_where_a_site_lists_none) {
    r.site.hosts_n = 0;
    rig_clear(&r);
    rig_set(&r, "site", "example");
    rig_set(&r, "name", "pageview");
    rig_set(&r, "url", "http://localhost:3000/b");
    rig_set(&r, "referrer", "http://localhost:3000/a");
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], 0);
}

Test(filter, tags_become_source_medium_campaign_and_channel) {
    cr_expect_eq(
        but("url", "https://example.com/?utm_source=Spring&utm_medium=cpc&utm_campaign=sale_24&gclid=x"),
        WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_source), "spring");
    cr_expect_str_eq(rig_open(&r, WN_DIM_medium), "cpc");
    cr_expect_str_eq(rig_open(&r, WN_DIM_campaign), "sale_24");
    cr_expect_str_eq(rig_open(&r, WN_DIM_route), "/");
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], WN_CHANNEL_paid);
    cr_expect_eq(but("url", "/?utm_campaign=sale"), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], WN_CHANNEL_campaign);
    cr_expect_eq(but("url", "/?utm_source=google"), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], WN_CHANNEL_search);
    cr_expect_eq(but("url", "/?gclid=abc&fbclid=def"), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_channel], WN_CHANNEL_direct);
}

Test(filter, stated_values_win_over_the_requests) {
    r.country = "FR";
    r.sender.accept_language = (wn_span){(const uint8_t *)"fr-FR,fr", 8};
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_language), "fr");
    rig_view(&r);
    rig_set(&r, "country", "DE");
    rig_set(&r, "language", "de-AT");
    rig_set(&r, "screen", "1920x1080");
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_country), "DE");
    cr_expect_str_eq(rig_closed(&r, WN_DIM_language), "de");
    cr_expect_str_eq(rig_closed(&r, WN_DIM_screen), "1920 or more");
    cr_expect_eq(with("country", "XX"), WN_KEEP);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_country), "FR");
    r.country = "!!";
    cr_expect_eq(with("country", "XX"), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_country], 0);
    rig_address(&r, NULL);
    r.country = "FR";
    rig_view(&r);
    rig_address(&r, NULL);
    cr_expect_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_country], 0);
}

Test(filter, batch_ids_are_keyed_per_sender) {
    uint8_t key[3][16];
    for (uint64_t scope = 0; scope < 3; scope++) {
        r.sender.scope = scope;
        cr_expect_eq(with("batch_id", "b-1"), WN_KEEP);
        cr_expect(r.out.has_batch_id);
        memcpy(key[scope], r.out.batch_key, 16);
        for (uint64_t other = 0; other < scope; other++) cr_expect_arr_neq(key[other], key[scope], 16);
    }
    r.sender.scope = 1;
    cr_expect_eq(with("batch_id", "b-1"), WN_KEEP);
    cr_expect_arr_eq(key[1], r.out.batch_key, 16);
}

Test(filter, batch_ids_are_keyed_per_site) {
    cr_expect_eq(with("batch_id", "b-1"), WN_KEEP);
    cr_expect(r.out.has_batch_id);
    uint8_t first[16];
    memcpy(first, r.out.batch_key, 16);
    cr_expect_eq(with("batch_id", "b-1"), WN_KEEP);
    cr_expect_arr_eq(first, r.out.batch_key, 16);
    cr_expect_eq(with("batch_id", "b-2"), WN_KEEP);
    cr_expect_arr_neq(first, r.out.batch_key, 16);
    r.site.tag++;
    cr_expect_eq(with("batch_id", "b-1"), WN_KEEP);
    cr_expect_arr_neq(first, r.out.batch_key, 16);
    r.site.tag--;
    r.dedupe_key[0]++;
    cr_expect_eq(with("batch_id", "b-1"), WN_KEEP);
    cr_expect_arr_neq(first, r.out.batch_key, 16);
    cr_expect_eq(with("batch_id", ""), WN_KEEP);
    cr_expect_not(r.out.has_batch_id);
}
