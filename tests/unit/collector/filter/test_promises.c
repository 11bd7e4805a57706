// SPDX-License-Identifier: Apache-2.0
// One test a promise of privacy policies that the filter keeps; the name says
// which. CMakeLists.txt breaks each rule once more, and the test must die.
#include <criterion/criterion.h>
#include <string.h>

#include "filter_rig.h"
#include "rows.h"

static rig r;

static void begin(void) {
    rig_init(&r);
    rig_view(&r);
}

static void end(void) {
    rig_fini(&r);
}

TestSuite(promises, .init = begin, .fini = end);

static void agree(const char *purposes) {
    char list[128];
    strcpy(list, purposes);
    rig_set_bytes(&r, WN_FIELD_purposes, NULL, 0);
    for (char *save = NULL, *p = strtok_r(list, " ", &save); p; p = strtok_r(NULL, " ", &save))
        rig_set(&r, "purposes", p);
}

#define EVERYTHING "basic measure locate share profile sensitive"

static uint64_t dims_of_last(void) {
    uint64_t out = 0;
    for (unsigned d = 0; d < WN_CLOSED_N; d++) out |= (uint64_t)(r.out.obs.closed[d] != 0) << d;
    for (unsigned d = 0; d < WN_OPEN_N; d++) out |= (uint64_t)(r.out.obs.open[d] != 0) << (WN_CLOSED_N + d);
    return out;
}

// A feature used, a link clicked, where from and where to, a term searched for, with how many others.
Test(promises, L_F1_what_was_used_and_clicked_is_a_closed_list_of_coarse_fields) {
    rig_set(&r, "feature", "Export");
    rig_set(&r, "link", "/users/48151623");
    rig_set(&r, "exit_link", "https://shop.example.net/cart?id=77");
    rig_set(&r, "search_term", "red shoes");
    rig_set(&r, "interaction", "4");
    agree("basic");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_feature), "export");
    cr_expect_str_eq(rig_open(&r, WN_DIM_link), "/users/:x");
    cr_expect_str_eq(rig_open(&r, WN_DIM_exit_link), "example.net");
    cr_expect_str_eq(rig_closed(&r, WN_DIM_size), "3 to 5");
    cr_expect_str_eq(rig_open(&r, WN_DIM_term), "", "a purpose that was not granted keeps its field shut");
    cr_expect_eq(wn_field_by_name("skills", 6), WN_FIELD_N, "no such field");
}

// Every identifier known by name, under every consent: nothing of it comes out.
Test(promises, L_F2_device_ids_phone_and_position_are_dropped_by_name) {
    static const struct {
        const char *field, *value;
    } ids[] = {{"idfa", "6D92078A-8246-4BA4-AE5B-76104861E7DC"},
               {"gaid", "38400000-8cf0-11bd-b23e-10b96e40000d"},
               {"windows_id", "1a9e4f2bcd0347d8a3f5e6b7c8d9e0f1"},
               {"idfv", "9C287922-EE26-4501-94B5-DDE6F83E1475"},
               {"udid", "2b6f0cc904d137be2e1730235f5664094b831186"},
               {"android_id", "9774d56d682e549c"},
               {"phone", "+43 660 1234567"},
               {"carrier", "T-Mobile Austria"},
               {"latitude", "48.20849"},
               {"longitude", "16.37208"}};
    agree(EVERYTHING);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    uint64_t without = dims_of_last();
    for (size_t i = 0; i < WN_COUNT(ids); i++) {
        rig_view(&r);
        agree(EVERYTHING);
        rig_set(&r, ids[i].field, ids[i].value);
        cr_assert_eq(rig_run(&r), WN_KEEP);
        cr_expect_not(rig_leaks(&r, ids[i].value, strlen(ids[i].value), 6), "%s", ids[i].field);
        cr_expect_eq(dims_of_last(), without, "%s became a dimension", ids[i].field);
        cr_expect_not(r.trace.identifying);
    }
}

// The same values in fields that hold text: known by their shape.
Test(promises, L_F2_identifiers_are_known_by_shape_in_any_field) {
    static const char *const ids[] = {"6D92078A-8246-4BA4-AE5B-76104861E7DC", "+43 660 1234567",
                                      "bob@example.com", "2b6f0cc904d137be2e1730235f5664094b831186"};
    static const char *const fields[] = {"feature", "search_term", "model", "crash", "campaign"};
    for (size_t i = 0; i < WN_COUNT(ids); i++)
        for (size_t k = 0; k < WN_COUNT(fields); k++) {
            rig_view(&r);
            agree(EVERYTHING);
            if (rig_set(&r, fields[k], ids[i]) != WN_KEEP) continue; // longer than the field: refused whole
            cr_assert_eq(rig_run(&r), WN_KEEP);
            cr_expect_not(rig_leaks(&r, ids[i], strlen(ids[i]), 6), "%s in %s", ids[i], fields[k]);
        }
}

Test(promises, L_F3_a_stated_country_wins_and_a_crash_has_no_text) {
    r.country = "DE";
    rig_set(&r, "country", "AT");
    rig_set(&r, "crash", "SIGSEGV");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_country), "AT");
    cr_expect_str_eq(rig_open(&r, WN_DIM_crash), "SIGSEGV");
    rig_view(&r);
    rig_set(&r, "crash", "SIGSEGV in /home/bob/x.c");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_crash), "");
}

// A unique id is one person's within a window and nobody's in the next.
Test(promises, L_F4_no_id_outlives_its_window) {
    uint8_t first[16];
    rig_set(&r, "anonymous_id", "a-1");
    agree("basic measure");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    memcpy(first, r.out.obs.person, sizeof first);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_arr_eq(first, r.out.obs.person, sizeof first);
    memset(r.window.key_edge, 9, sizeof r.window.key_edge);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_arr_neq(first, r.out.obs.person, sizeof first);
}

Test(promises, L_F5_age_band_and_job_family_need_profile_and_are_coarse) {
    rig_set(&r, "birthday", "1980-02-29");
    rig_set(&r, "job_title", "Senior Software Engineer, Team Falcon");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.closed[WN_DIM_age], 0);
    cr_expect_eq(r.out.obs.closed[WN_DIM_job], 0);
    agree("basic profile");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_age), "40 to 49");
    cr_expect_str_eq(rig_closed(&r, WN_DIM_job), "Engineering");
    cr_expect_not(rig_leaks(&r, "Falcon", 6, 6));
    static const char *const never[] = {"email", "full_name", "first_name", "card", "skills", "interests"};
    for (size_t i = 0; i < WN_COUNT(never); i++)
        cr_expect_eq(wn_field_by_name(never[i], strlen(never[i])), WN_FIELD_N, "%s", never[i]);
}

// Phone and laptop of one person, same network: two people, unless both say the same id.
Test(promises, L_F6_two_devices_stay_unlinked_without_a_shared_consented_id) {
    uint8_t phone[16], laptop[16];
    for (int with_id = 0; with_id < 3; with_id++) {
        for (int device = 0; device < 2; device++) {
            rig_view(&r);
            rig_agent(&r, device ? rig_chrome : rig_iphone);
            if (with_id) rig_set(&r, "user_id", "bob");
            agree(with_id == 2 ? "basic measure" : "basic");
            cr_assert_eq(rig_run(&r), WN_KEEP);
            memcpy(device ? laptop : phone, r.out.obs.person, sizeof phone);
        }
        bool same = memcmp(phone, laptop, sizeof phone) == 0;
        cr_expect_eq(same, with_id == 2, "%d", with_id);
    }
}

Test(promises, L_F7_an_organisation_is_believed_from_a_server_or_a_signed_id_only) {
    rig_set(&r, "org", "acme");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.org, 0);
    r.sender.server_key = true;
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_neq(r.out.obs.org, 0);
    cr_expect_not(rig_leaks(&r, "acme", 4, 4));
}

Test(promises, L_P1_every_field_has_a_purpose_and_opens_only_with_it) {
    static const struct {
        const char *field, *value;
        unsigned dim;
        const char *needs;
    } rows[] = {{"search_term", "shoes", WN_CLOSED_N + WN_DIM_term, "measure"},
                {"age", "40", WN_DIM_age, "profile"},
                {"job_title", "Nurse", WN_DIM_job, "profile"},
                {NULL, "the address", WN_CLOSED_N + WN_DIM_region, "locate"}};
    r.country = "DE", r.region = "DE-BE";
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        for (int granted = 0; granted < 2; granted++) {
            char list[64] = "basic ";
            rig_view(&r);
            if (rows[i].field != NULL) rig_set(&r, rows[i].field, rows[i].value);
            const char *others = rows[i].dim == WN_CLOSED_N + WN_DIM_region
                                     ? "basic measure profile share sensitive"
                                     : "basic locate share sensitive";
            agree(granted ? strcat(list, rows[i].needs) : others);
            cr_assert_eq(rig_run(&r), WN_KEEP);
            cr_expect_eq(dims_of_last() >> rows[i].dim & 1, granted, "%s", rows[i].value);
        }
}

// What a table must name is what its dimensions' fields were given for. A region comes of the address, which
// everybody has: the test above shows what it needs.
Test(promises, L_P1_a_dimension_has_the_purpose_of_the_fields_it_is_made_of) {
    for (unsigned dim = 0; dim < WN_DIM_N; dim++) {
        bool made = false, region = dim == WN_CLOSED_N + WN_DIM_region;
        for (unsigned f = 0; f < WN_FIELD_N; f++) {
            if ((wn_field_dims((wn_field)f) >> dim & 1) == 0) continue;
            made = true;
            cr_expect_str_eq(wn_purpose_name(wn_dim_purpose(dim)),
                             region ? "locate" : wn_field_purpose((wn_field)f), "%s of %s", wn_dim_name(dim),
                             wn_field_name((wn_field)f));
        }
        cr_expect(made, "no field becomes %s", wn_dim_name(dim));
    }
}

Test(promises, L_P2_a_search_term_with_an_identifier_in_it_is_refused_whole) {
    rig_set(&r, "search_term", "refund for bob@example.com");
    agree("basic measure");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_term), "");
}

Test(promises, L_O1_gpc_and_dnt_are_obeyed_as_the_site_s_policy_says) {
    static const wn_signal_mode modes[] = {WN_SIGNAL_IGNORE, WN_SIGNAL_LIMIT, WN_SIGNAL_DROP};
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; i < WN_COUNT(modes); i++)
            for (size_t k = 0; k < WN_COUNT(modes); k++) { // the window's policy, and the newest
                rig_view(&r);
                agree("basic share");
                r.has_policy = true;
                for (int p = 0; p < 2; p++) {
                    r.policy[p] = rig_site_policy;
                    *(which ? &r.policy[p].gpc : &r.policy[p].dnt) = modes[p ? k : i];
                }
                r.sender.gpc = which == 1;
                r.sender.dnt = which == 0;
                wn_verdict v = rig_run(&r);
                wn_signal_mode stricter = modes[i] > modes[k] ? modes[i] : modes[k];
                cr_expect_eq(v, stricter == WN_SIGNAL_DROP ? WN_VERDICT_refused : WN_KEEP);
                cr_expect_eq((r.out.obs.flags & WN_OBS_SHARE) != 0, stricter == WN_SIGNAL_IGNORE);
            }
}

// The same flag inside a GPP string (usnat with its Gpc sub-section).
Test(promises, L_O1_gpc_in_a_gpp_string_counts_as_the_header_does) {
    static const wn_signal_mode modes[] = {WN_SIGNAL_LIMIT, WN_SIGNAL_DROP};
    for (size_t i = 0; i < WN_COUNT(modes); i++) {
        rig_view(&r);
        agree("basic share");
        r.has_policy = true;
        r.policy[0].gpc = r.policy[1].gpc = modes[i];
        rig_set(&r, "gpp", "DBABLA~CEAqAAIAAABA.YA");
        cr_expect_eq(rig_run(&r), modes[i] == WN_SIGNAL_DROP ? WN_VERDICT_refused : WN_KEEP);
        cr_expect_eq(r.out.obs.flags & WN_OBS_SHARE, 0);
    }
}

// An organisation's rule binds whoever names it: no proof is asked for, and no other setting lifts it.
Test(promises, L_E1_an_organisation_s_rule_binds_whoever_names_it) {
    static const struct {
        const char *name, *org;
        uint64_t off;
        bool refused;
    } cases[] = {
        {"pageview", "silent", 0, true},
        {"email_open", "silent", 0, true},
        {"pageview", "silent", UINT64_C(1) << WN_FIELD_org, true},
        {"pageview", "narrow", 0, false},
        {"pageview", "other", 0, false},
    };
    r.has_policy = true;
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        rig_clear(&r);
        rig_set(&r, "site", "example");
        rig_set(&r, "name", cases[i].name);
        rig_set(&r, "url", "https://example.com/");
        rig_set(&r, "org", cases[i].org);
        rig_set(&r, "search_term", "shoes");
        r.policy[0].fields_off = r.policy[1].fields_off = cases[i].off;
        agree("basic measure share");
        cr_expect_eq(rig_run(&r), cases[i].refused ? WN_VERDICT_refused : WN_KEEP, "case %zu", i);
        bool narrow = strcmp(cases[i].org, "other") != 0;
        cr_expect_eq((r.out.obs.flags & WN_OBS_SHARE) == 0, narrow, "case %zu", i);
        cr_expect_eq(r.out.obs.open[WN_DIM_term] == 0, narrow, "case %zu", i);
    }
}

// A category's id is compared without case, so that no spelling finds a wider row.
Test(promises, L_O3_a_policy_s_category_is_found_in_any_case) {
    static const char *const ids[] = {"Ana", "ana", "ANA"};
    r.has_policy = true;
    for (size_t i = 0; i < WN_COUNT(ids); i++) {
        rig_view(&r);
        rig_set(&r, "search_term", "shoes");
        rig_set_bytes(&r, WN_FIELD_consent, NULL, 0);
        wn_event_pair(r.event, WN_FIELD_consent, (wn_span){(const uint8_t *)ids[i], 3}, WN_PAIR_TRUE,
                      (wn_span){NULL, 0});
        cr_assert_eq(rig_run(&r), WN_KEEP);
        cr_expect_str_eq(rig_open(&r, WN_DIM_term), "shoes", "%s", ids[i]);
    }
}

// Robots are no people: one refuses nothing, whatever the site asks for.
Test(promises, L_F3_a_robot_is_refused_as_one) {
    r.has_policy = true;
    r.policy[0].counts_unknown = r.policy[1].counts_unknown = false;
    rig_agent(&r, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
    cr_expect_eq(rig_run(&r), WN_VERDICT_bot);
}

// Refused, opted out, or nobody can read what was agreed to: one counter and nothing else.
Test(promises, L_O2_a_refused_person_leaves_one_count) {
    for (int how = 0; how < 4; how++) {
        rig_view(&r);
        rig_set(&r, "user_id", "bob");
        r.sender.opted_out = how == 0;
        if (how == 1) agree("");
        if (how == 2) wn_event_doubt_consent(r.event);
        if (how == 3) rig_set(&r, "tcf", "CPokAsAP");
        cr_expect_eq(rig_run(&r), WN_VERDICT_refused, "%d", how);
        wn_observation nothing = {0};
        cr_expect_arr_eq(&r.out.obs, &nothing, sizeof nothing);
        for (unsigned d = 0; d < WN_OPEN_N; d++) cr_expect_null(r.out.values[d]);
        cr_expect_not(r.out.has_batch_id);
    }
}

// The same for what a consent platform's category stands for.
Test(promises, L_O3_neither_policy_s_categories_widen_the_other) {
    static wn_policy_category wide[] = {{"C9", WN_PURPOSES_ALL}}, narrow[] = {{"C9", 1u << WN_PURPOSE_basic}};
    r.has_policy = true;
    for (int i = 0; i < 4; i++)
        for (int list = 0; list < 2; list++) {
            rig_view(&r);
            rig_set(&r, "search_term", "shoes");
            rig_set(&r, "age", "40");
            for (int p = 0; p < 2; p++) {
                r.policy[p].categories = i >> p & 1 ? narrow : wide;
                r.policy[p].categories_n = 1;
            }
            wn_span id = {(const uint8_t *)"C9", 2}, key = {(const uint8_t *)"allowedConsentIds", 17},
                    none = {NULL, 0};
            rig_set_bytes(&r, WN_FIELD_consent, NULL, 0);
            if (list) wn_event_pair(r.event, WN_FIELD_consent, key, WN_PAIR_LIST, none);
            wn_event_pair(r.event, WN_FIELD_consent, list ? key : id, list ? WN_PAIR_TEXT : WN_PAIR_TRUE,
                          list ? id : none);
            if (list) wn_event_pair(r.event, WN_FIELD_consent, none, WN_PAIR_END, none);
            cr_assert_eq(rig_run(&r), WN_KEEP);
            cr_expect_eq((r.out.obs.flags & WN_OBS_SHARE) != 0, i == 0, "%d %d", i, list);
            cr_expect_eq(r.out.obs.open[WN_DIM_term] != 0, i == 0, "%d %d", i, list);
            cr_expect_eq(r.out.obs.closed[WN_DIM_age] != 0, i == 0, "%d %d", i, list);
        }
}

// Rudder's list of the allowed says of the others that they are not.
Test(promises, L_O1_whom_a_list_of_the_allowed_leaves_out_is_not_allowed) {
    static const char *const left_in[] = {"C0002", "C0004"};
    for (size_t n = 0; n <= WN_COUNT(left_in); n++) {
        wn_span key = {(const uint8_t *)"allowedConsentIds", 17}, none = {NULL, 0};
        rig_view(&r);
        agree(EVERYTHING);
        rig_set_bytes(&r, WN_FIELD_consent, NULL, 0);
        wn_event_pair(r.event, WN_FIELD_consent, key, WN_PAIR_LIST, none);
        for (size_t i = 0; i < n; i++)
            wn_event_pair(r.event, WN_FIELD_consent, key, WN_PAIR_TEXT,
                          (wn_span){(const uint8_t *)left_in[i], 5});
        wn_event_pair(r.event, WN_FIELD_consent, none, WN_PAIR_END, none);
        bool keeps = rig_run(&r) == WN_KEEP;
        cr_expect_eq(keeps, n > 0, "%zu", n);
        cr_expect_eq(keeps && (r.out.obs.flags & WN_OBS_SHARE) != 0, n == 2, "%zu", n);
    }
}

// A newer policy acts at once where it narrows, and never widens a window that has begun.
Test(promises, L_O3_a_newer_policy_narrows_at_once_and_never_widens) {
    static const wn_site_policy open_one = {.counts_unknown = true};
    wn_site_policy shut_one = open_one;
    shut_one.fields_off = UINT64_C(1) << WN_FIELD_feature;
    r.has_policy = true;
    for (int i = 0; i < 4; i++) {
        rig_view(&r);
        rig_set(&r, "feature", "export");
        r.policy[0] = i & 1 ? shut_one : open_one;
        r.policy[1] = i & 2 ? shut_one : open_one;
        cr_assert_eq(rig_run(&r), WN_KEEP);
        cr_expect_str_eq(rig_open(&r, WN_DIM_feature), i == 0 ? "export" : "", "%d", i);
    }
}

// What either policy says of an organisation, a page or a list holds: a case a policy that says it.
Test(promises, L_O3_what_either_policy_takes_away_is_gone) {
    r.has_policy = true;
    for (int i = 0; i < 3; i++) { // 2: both are as they were
        for (int p = 0; p < 2; p++) r.policy[p] = rig_site_policy;
        if (i < 2) { // the other one knows nothing of the list
            r.policy[!i].props_n = r.policy[!i].surveys_n = r.policy[!i].routes_n = 0;
            r.policy[!i].sensitive_n = r.policy[!i].orgs_n = 0;
        }
        rig_clear(&r);
        rig_set(&r, "site", "example");
        rig_set(&r, "name", "pageview");
        rig_set(&r, "url", "https://example.com/users/bob/orders");
        rig_set_bytes(&r, WN_FIELD_props, NULL, 0);
        wn_event_pair(r.event, WN_FIELD_props, (wn_span){(const uint8_t *)"plan", 4}, WN_PAIR_TEXT,
                      (wn_span){(const uint8_t *)"pro", 3});
        rig_set(&r, "survey", "nps");
        rig_set(&r, "answer", "10");
        agree(EVERYTHING);
        cr_assert_eq(rig_run(&r), WN_KEEP);
        cr_expect_str_eq(rig_open(&r, WN_DIM_prop1), i < 2 ? "" : "plan=pro", "%d", i);
        cr_expect_str_eq(rig_open(&r, WN_DIM_answer), i < 2 ? "" : "nps=10", "%d", i);
        cr_expect_str_eq(rig_open(&r, WN_DIM_route), i < 2 ? "/users/bob/orders" : "/users/:id/orders", "%d",
                         i);
        rig_view(&r);
        rig_set(&r, "org", "silent");
        agree(EVERYTHING);
        cr_expect_eq(rig_run(&r), WN_VERDICT_refused, "%d", i);
        for (int link = 0; link < 2; link++) {
            rig_clear(&r);
            rig_set(&r, "site", "example");
            rig_set(&r, "name", "pageview");
            rig_set(&r, "url", link ? "/" : "/health/x");
            if (link) rig_set(&r, "link", "/health/x");
            agree("basic");
            cr_expect_eq(rig_run(&r), WN_VERDICT_sensitive, "%d %d", i, link);
        }
    }
}

// A page that the policy shuts, and a place and a device that it ties to another purpose.
Test(promises, L_O3_a_shut_page_has_no_route_and_a_tied_address_no_country) {
    r.has_policy = true;
    r.country = "DE";
    rig_clear(&r);
    rig_view(&r);
    r.policy[0].fields_off = UINT64_C(1) << WN_FIELD_url | UINT64_C(1) << WN_FIELD_language;
    r.policy[0].needs[WN_FIELD_ip] = 1u << WN_PURPOSE_locate;
    r.policy[0].needs[WN_FIELD_user_agent] = 1u << WN_PURPOSE_profile;
    r.sender.accept_language = (wn_span){(const uint8_t *)"de", 2};
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_open(&r, WN_DIM_route), "");
    cr_expect_eq(r.out.obs.closed[WN_DIM_country], 0);
    cr_expect_eq(r.out.obs.closed[WN_DIM_browser], 0);
    cr_expect_eq(r.out.obs.closed[WN_DIM_language], 0);
}

// A consent string in the event does not hide what the cookie beside it refuses.
Test(promises, L_O2_a_cookie_s_refusal_is_heard_beside_the_event_s_own_string) {
    static const char all[] = "CQtAQoAQtAQoAAfAHCENCWFsAP_gAAAAAACYF5wBIAAgAGAAgABQC8wAMADgAAAA."
                              "IJYQB4AAgA9AGQAZgD6ALzAYyA-gCWAA",
                      none[] =
                          "CQtAQoAQtAQoAAfAHCENCWFgAAAAAAAAAACYAAAAAAAA.IJYQB4AAgA9AGQAZgD6ALzAYyA-gCWAA";
    r.sender.now_s = 1795262400; // when both were given; no window of the rig's, so that what is kept is late
    rig_set(&r, "tcf", all);
    cr_expect_eq(rig_run(&r), WN_VERDICT_late);
    r.sender.tcf = (wn_span){(const uint8_t *)none, sizeof none - 1};
    cr_expect_eq(rig_run(&r), WN_VERDICT_refused);
}

Test(promises, L_C1_a_child_s_event_is_dropped_before_anything_else) {
    static const struct {
        const char *field, *value;
    } said[] = {{"child", "1"},
                {"age", "12"},
                {"birthday", "2012-06-01"},
                {"age", "12.0"},
                {"age", " 12"},
                {"age", "12.9"},
                {"age", "1.2e1"},
                {"age", "0012"},
                {"age", "8-12"},
                {"age", "<13"},
                {"birthday", " 2015-06-01"},
                {"birthday", "01/06/15"},
                {"birthday", "2031-01-01"},
                {"birthday", "13"}, // an age is no birthday
                {"birthday", "1433116800"}};
    for (size_t i = 0; i < WN_COUNT(said); i++) {
        rig_view(&r);
        agree(EVERYTHING);
        rig_set(&r, "batch_id", "b-1");
        rig_set(&r, said[i].field, said[i].value);
        cr_expect_eq(rig_run(&r), WN_VERDICT_child, "%s", said[i].field);
        wn_observation nothing = {0};
        cr_expect_arr_eq(&r.out.obs, &nothing, sizeof nothing);
        cr_expect_null(r.out.window, "counted globally, not in a window");
        cr_expect_not(r.out.has_batch_id);
    }
    rig_view(&r);
    rig_set(&r, "child", "0");
    rig_set(&r, "age", "13");
    cr_expect_eq(rig_run(&r), WN_KEEP);
}

Test(promises, L_N1_sensitive_pages_need_consent_to_that_and_are_never_shared) {
    static const char *const ways[] = {"https://example.com/health/hiv",
                                       "/HEALTH/hiv",
                                       "/%68ealth/x",
                                       "/%2568ealth/x",
                                       "//example.com//health;a=b/x",
                                       "/health",
                                       "/./health/x",
                                       "/%2e/health/x",
                                       "/x/../health/x",
                                       "/x/%2e%2e/health/x",
                                       "/x/..%2fhealth/x",
                                       "/x%2f%252e%252e%2fhealth",
                                       "/x/..;v=1/health/x",
                                       "/x\\..\\health\\x",
                                       "/health./x",
                                       "/health%20/x",
                                       "/health%20.%20",
                                       "/%20health/x",
                                       "/hea%00lth/x",
                                       "/he\talth/x",
                                       "/health%7f/x",
                                       "/x/.\n./health/x",
                                       "/x/.%0a%2e/health",
                                       "/heal%c2%adth/x",
                                       "/%ef%bd%88ealth/x",
                                       "app://health/hiv",
                                       "app://HEALTH",
                                       "app://x@health/"};
    r.has_policy = true;
    size_t hosts_n = r.site.hosts_n;
    for (size_t i = 0; i < WN_COUNT(ways); i++) {
        r.site.hosts_n = strncmp(ways[i], "app", 3) == 0 ? 0 : hosts_n; // an app's host is a name of its own
        rig_view(&r);
        rig_clear(&r);
        rig_set(&r, "site", "example");
        rig_set(&r, "name", "pageview");
        rig_set(&r, "url", ways[i]);
        agree("basic measure locate share profile");
        cr_expect_eq(rig_run(&r), WN_VERDICT_sensitive, "%s", ways[i]);
        cr_expect_eq(r.out.obs.open[WN_DIM_route], 0);
    }
    r.site.hosts_n = hosts_n;
    rig_view(&r);
    rig_set(&r, "link", "/health/hiv");
    agree(EVERYTHING);
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_eq(r.out.obs.flags & WN_OBS_SHARE, 0);
}

// A cookie's id is honoured under `measure` and never leaves the edge as it is.
Test(promises, A_2_a_persistent_id_never_leaves_the_edge) {
    rig_set(&r, "anonymous_id", "cookie-4711-persistent");
    agree("basic measure");
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_not(rig_leaks(&r, "cookie-4711-persistent", 22, 4));
}

// An access log's line takes the same way: its address becomes a country and a key.
Test(promises, A_3_an_address_is_used_once_and_gone) {
    r.country = "DE";
    cr_assert_eq(rig_run(&r), WN_KEEP);
    cr_expect_str_eq(rig_closed(&r, WN_DIM_country), "DE");
    cr_expect_not(rig_leaks(&r, r.address.b + 12, 4, 4));
    cr_expect_not(rig_leaks(&r, "192.0.2.7", 9, 6));
}
