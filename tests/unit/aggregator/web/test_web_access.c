// SPDX-License-Identifier: Apache-2.0
// Who comes in: by loopback and name without keys, by key with them.
#include "web_access.h"

#include <criterion/criterion.h>
#include <string.h>

#include "crypt.h"

static wn_web_conf conf;
static wn_web_rules rules;
static wn_web_visitor visitor;
static wn_web_reader reader;
static wn_problem problem;
static wn_api_key key;
static char bearer[100];

static void setup(void) {
    char text[WN_API_KEY_TEXT_BYTES];
    cr_assert_eq(wn_crypt_init(), WN_OK);
    memset(&conf, 0, sizeof conf);
    key = (wn_api_key){.name = "a"};
    cr_assert_eq(wn_api_key_draw(text, key.hash), WN_OK);
    snprintf(bearer, sizeof bearer, "Bearer %s", text);
    rules = (wn_web_rules){.listen = "127.0.0.2:8093"};
    visitor = (wn_web_visitor){.loopback = true, .same_user = true, .host = "localhost:8093"};
}

TestSuite(web_access, .init = setup);

static wn_problem_kind ask(void) {
    problem = (wn_problem){0};
    bool in = wn_web_access(&rules, &conf, &visitor, &reader, &problem);
    cr_assert_eq(in, problem.kind == WN_PROBLEM_none);
    return problem.kind;
}

static void with_keys(void) {
    conf.keys = (wn_api_keys){&key, 1, true};
}

Test(web_access, without_keys_this_machine_comes_in_under_its_own_names) {
    static const char *const ours[] = {"localhost",  "localhost:8093", "LOCALHOST", "127.0.0.1:1",
                                       "[::1]:8093", "[::1]",          "127.0.0.2", "127.0.0.2:8093"};
    static const char *const foreign[] = {"evil.example",
                                          "127.0.0.1.evil.example",
                                          "localhost.evil.example",
                                          "",
                                          "127.0.0.3",
                                          "[::2]",
                                          "xlocalhost",
                                          "[::1]x",
                                          "[::1",
                                          "[::1]:80x",
                                          "localhost:80x",
                                          "[]",
                                          ":8093"};
    for (size_t i = 0; i < WN_COUNT(ours); i++) {
        visitor.host = ours[i];
        cr_expect_eq(ask(), WN_PROBLEM_none, "%s", ours[i]);
        cr_expect(reader.all);
    }
    for (size_t i = 0; i < WN_COUNT(foreign); i++) {
        visitor.host = foreign[i];
        cr_expect_eq(ask(), WN_PROBLEM_wrong_host, "%s", foreign[i]);
    }
    visitor.host = NULL;
    cr_expect_eq(ask(), WN_PROBLEM_wrong_host);
}

Test(web_access, who_is_not_of_this_machine_needs_a_key) {
    visitor.loopback = false;
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    visitor.loopback = true;
    visitor.forwarded = true;
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    visitor.forwarded = false;
    visitor.same_user = false;
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    cr_expect(strstr(problem.detail, "winnow keys api"));
    visitor.same_user = true;
    cr_expect_eq(ask(), WN_PROBLEM_none);
    rules.behind_proxy = true;
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    rules.open_to_all = true;
    visitor.loopback = false;
    visitor.host = "stats.example";
    cr_expect_eq(ask(), WN_PROBLEM_none);
}

Test(web_access, with_keys_everybody_needs_one) {
    with_keys();
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    visitor.authorization = "";
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    visitor.authorization = "Basic eDp5";
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    visitor.authorization = "Bearer ";
    cr_expect_eq(ask(), WN_PROBLEM_key_unknown);
    visitor.authorization = "Bearer wn_0000000000000000000000000000000000000000000";
    cr_expect_eq(ask(), WN_PROBLEM_key_unknown);
    visitor.authorization = bearer;
    cr_expect_eq(ask(), WN_PROBLEM_none);
    cr_expect(!reader.all && strcmp(reader.key.name, "a") == 0);
    memcpy(bearer, "bEARER", 6); // schemes are compared without case
    cr_expect_eq(ask(), WN_PROBLEM_none);
    visitor.loopback = false;
    visitor.host = "stats.example";
    cr_expect_eq(ask(), WN_PROBLEM_none);
}

Test(web_access, a_list_that_is_empty_opens_nothing) {
    conf.keys.there = true;
    cr_expect_eq(ask(), WN_PROBLEM_key_needed);
    visitor.authorization = bearer;
    cr_expect_eq(ask(), WN_PROBLEM_key_unknown);
}

Test(web_access, a_wrong_key_is_refused_where_none_is_asked_for) {
    visitor.authorization = "Bearer wn_x";
    cr_expect_eq(ask(), WN_PROBLEM_key_unknown);
}

Test(web_access, a_list_that_cannot_be_read_opens_nothing) {
    with_keys();
    conf.keys_bad = true;
    visitor.authorization = bearer;
    cr_expect_eq(ask(), WN_PROBLEM_keys_unreadable);
    rules.open_to_all = true;
    cr_expect_eq(ask(), WN_PROBLEM_keys_unreadable);
}

static wn_plan plan_of(uint8_t profile, uint8_t receivers) { // names partner second
    wn_plan p = {.receiver = {"first", "partner"}, .receivers_n = 2, .n = 1};
    strcpy(p.table[0].id, "pages");
    p.table[0].profile = profile;
    p.table[0].receivers = receivers;
    return p;
}

Test(web_access, a_window_is_judged_by_what_it_was_published_as) {
    wn_web_reader r = {.key = {.receiver = "partner"}};
    wn_public_head head = {.profile = WN_PROFILE_NOISE, .receivers_n = 1, .receiver = {"partner"}};
    wn_plan plan = plan_of(WN_PROFILE_NOISE, 3);
    strcpy(head.table, "pages");
    cr_expect(wn_web_reads_window(&r, &plan, &head) && wn_web_is_receiver(&r));
    head.profile = WN_PROFILE_CROWD; // an older plan's
    cr_expect(!wn_web_reads_window(&r, &plan, &head));
    strcpy(r.key.table[r.key.tables_n++], "pages"); // listed, and named then and now
    cr_expect(wn_web_reads_window(&r, &plan, &head));
    head.receivers_n = 0; // published before the plan named anybody
    cr_expect(!wn_web_reads_window(&r, &plan, &head));
    r.all = true;
    cr_expect(wn_web_reads_window(&r, &plan, &head) && !wn_web_is_receiver(&r));
    wn_plan_fini(&plan);
}

Test(web_access, a_plan_that_names_a_receiver_no_more_ends_its_reading) {
    wn_web_reader r = {.key = {.receiver = "partner"}}, analyst = {.key = {.name = "a"}};
    wn_public_head head = {.profile = WN_PROFILE_NOISE, .receivers_n = 1, .receiver = {"partner"}};
    wn_plan named = plan_of(WN_PROFILE_NOISE, 2), other = plan_of(WN_PROFILE_NOISE, 1), gone = {.n = 0};
    strcpy(head.table, "pages");
    cr_expect(wn_web_reads_window(&r, &named, &head));
    cr_expect(!wn_web_reads_window(&r, &other, &head));
    cr_expect(!wn_web_reads_window(&r, &gone, &head));
    cr_expect(wn_web_reads_window(&analyst, &gone, &head));
    wn_plan_fini(&named);
    wn_plan_fini(&other);
}

Test(web_access, the_plan_says_which_tables_a_receiver_is_sent) {
    wn_web_reader r = {.key = {.receiver = "second"}};
    static wn_plan plan = {.receiver = {"first", "second"}, .receivers_n = 2};
    wn_table t = {.id = "pages", .profile = WN_PROFILE_NOISE, .receivers = 1};
    cr_expect(!wn_web_reads_table(&r, &plan, &t));
    t.receivers = 2;
    cr_expect(wn_web_reads_table(&r, &plan, &t));
    t.profile = WN_PROFILE_CROWD;
    cr_expect(!wn_web_reads_table(&r, &plan, &t));
}

Test(web_access, what_only_proxies_send_is_known_in_any_case) {
    static const char *const of_proxies[] = {"X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST",
                                             "x-real-ip",       "Forwarded",         "via",
                                             "X-Forwarded-Port"};
    static const char *const others[] = {"Host", "Accept", "X-Forwarded", "Viaduct", "Authorization", ""};
    for (size_t i = 0; i < WN_COUNT(of_proxies); i++)
        cr_expect(wn_web_header_of_proxy(of_proxies[i]), "%s", of_proxies[i]);
    for (size_t i = 0; i < WN_COUNT(others); i++)
        cr_expect(!wn_web_header_of_proxy(others[i]), "%s", others[i]);
}
