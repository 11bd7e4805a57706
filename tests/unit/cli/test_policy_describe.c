// SPDX-License-Identifier: Apache-2.0
// test_policy_describe.c: the page for a privacy officer says what this policy does, and names no
// organisation.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_describe.h"

static const char text[] =
    "version: 7\n"
    "date: 2026-11-20\n"
    "defaults:\n"
    "  consent: {gpc: drop}\n"
    "sites:\n"
    "  - site: shop\n"
    "    consent: {unknown: none, gpc: limit, dnt: ignore, legitimate_interest: true, vendors: [755]}\n"
    "    fields: {language: off, referrer: [profile]}\n"
    "    sensitive: [/health/**]\n"
    "    routes: [/users/:id, /about]\n"
    "    props: [{name: plan, values: [free, pro], purpose: profile}, {name: colour}, {name: amount, number: "
    "{max: 500}}]\n"
    "    surveys: [{name: nps, values: ['0', '10']}]\n"
    "    organisations: [{org: acme-incorporated, purposes: [basic]}]\n"
    "    retention_days: 730\n";

static const char *plan_text = wn_plan_default;
static char *page;
static size_t page_n;

static char *describe(const char *site, int kind) {
    char why[200];
    int line;
    wn_policy p;
    wn_plan plan;
    cr_assert_eq(wn_policy_load(text, strlen(text), &p, why, sizeof why, &line), WN_OK, "%s", why);
    cr_assert_eq(wn_plan_load(plan_text, strlen(plan_text), &plan, why, sizeof why, &line), WN_OK, "%s", why);
    wn_description d = {.policy = &p, .plan = &plan, .site = site, .kind = kind, .seal_hold_s = 86400};
    free(page);
    page = NULL;
    FILE *out = open_memstream(&page, &page_n);
    wn_policy_describe(&d, out);
    fclose(out);
    wn_policy_fini(&p);
    wn_plan_fini(&plan);
    return page;
}

static void end(void) {
    free(page);
}

static void says(const char *words) {
    cr_expect_not_null(strstr(page, words), "does not say \"%s\":\n%s", words, page);
}

TestSuite(policy_describe, .fini = end);

Test(policy_describe, says_plainly_what_is_not_honoured_and_what_is_narrowed) {
    describe("shop", WN_KIND_WEB);
    says("# What shop collects");
    says("Last updated: 2026-11-20. Policy version 7, digest ");
    says("Do Not Track is on: **it is not honoured on this site.**");
    says("(Sec-GPC) is on: whatever else was agreed to, only `basic` remains, and that only when it was "
         "agreed to.");
    says("Nothing is known of a choice: nothing is counted");
    says("legitimate interest is enough for `basic`");
    says("By a TCF string, `share` also needs consent to each of these vendors: 755.");
    says("- **language**: not collected here.");
    says("Purpose: `basic` and `profile`. (Narrowed here");
    says("- `/health/**`");
    says("`/users/:id`: what stands in its varying parts is never kept.");
    says("- Page template `/about`.\n");
    says("Property `plan`: one of `free`, `pro`; also needs `profile`.");
    says("Property `colour`: any short word");
    says("Property `amount`: a whole number, of which an event adds at most 500 to a sum over a crowd");
    says("Survey `nps`: one of `0`, `10`.");
    says("1 organisation has narrower rules for its members");
    says("2 hours after its end");
    says("730 days");
    says("Nobody outside");
    cr_expect_null(strstr(page, "acme"), "an organisation is named:\n%s", page);
}

Test(policy_describe, without_a_site_it_says_what_holds_for_the_others) {
    describe(NULL, WN_KIND_N);
    says("# What this installation collects");
    says("(Sec-GPC) is on: nothing is counted");
    says("Do Not Track is on: whatever else was agreed to, only `basic` remains.");
    says("Nothing is known of a choice: only `basic` is granted.");
    says("a vendor's legitimate interest grants nothing");
    says("None are named.");
    says("2 hours (sites) or 3 days (apps)");
    says("no end is set");
    says("- shop: see `winnow policy describe --site shop`");
    cr_expect_null(strstr(page, "organisation has"));
}

Test(policy_describe, every_field_purpose_and_table_is_on_the_page) {
    describe(NULL, WN_KIND_N);
    static const char *const names[] = {
#define FIELD(name, type, purpose, transform, max, from, doc) "\n- **" #name "**: ",
#include "fields.def"
#undef FIELD
#define PURPOSE(name, dflt, doc) "\n- `" #name "`: " doc,
#include "purposes.def"
#undef PURPOSE
        "\n- **traffic**: ",
        "\n- **events**: ",
    };
    for (size_t i = 0; i < WN_COUNT(names); i++) says(names[i]);
    wn_plan plan;
    char why[200], words[64];
    int line;
    cr_assert_eq(wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line),
                 WN_OK);
    for (size_t i = 0; i < plan.n; i++) {
        snprintf(words, sizeof words, "\n- **%s**: ", plan.table[i].id);
        says(words);
        const char *at = strstr(page, words), *purpose = at != NULL ? strstr(at, ". Purpose: `") : NULL;
        cr_expect(purpose != NULL && purpose < strchr(at + 1, '\n'), "%s has no purpose", plan.table[i].id);
    }
    wn_plan_fini(&plan);
    says("Purpose: `measure` and `share`. With noise, once, when the day is sealed. A person counts in at "
         "most 1 row; a "
         "row needs 50 people, and is shown from 174 on.\n");
    says("Shows people, events, sessions, bounces, time on site. A row needs 10 people.\n");
}

#define TABLES                                                                                               \
    "version: 1\nnoise: {people: signed}\ntables:\n"                                                         \
    "  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view, event], measures: [people, "     \
    "number2]}\n"                                                                                            \
    "  - {id: out, doc: All, purpose: basic, dimensions: [], of: [view], measures: [people], profile: "      \
    "noise, cells: 1,"                                                                                       \
    " receivers: [partner, other]}\n"

Test(policy_describe, names_receivers_and_what_they_get) {
    plan_text = TABLES;
    describe(NULL, WN_KIND_N);
    says("Shows people, the sum of the second declared number.");
    says("A person with a signed id, and nobody else, counts in at most 1 row;");
    says(" Goes to partner, other.\n");
    says("\n- partner\n- other\n");
    cr_expect_null(strstr(page, "Nobody outside"));
    cr_expect_null(strstr(page, "bounds nothing"));
    plan_text =
        TABLES "  - {id: more, doc: All, purpose: basic, dimensions: [hour], of: [view], measures: [people], "
               "receivers: [other], contract: C-1}\n";
    describe(NULL, WN_KIND_N);
    says("\n- partner\n- other: gets tables with noise beside tables without; the noise bounds nothing for "
         "it\n");
}

static void never(const char *words) {
    cr_expect_null(strstr(page, words), "says \"%s\":\n%s", words, page);
}

Test(policy_describe, of_a_site_that_counts_nobody_unasked_no_sentence_says_otherwise) {
    describe("shop", WN_KIND_WEB);
    never("Granted unless refused");
    never("absent: basic");
    never("only `basic` is granted");
    says("analytics_storage grants or denies `measure` and `basic`");
    says("behind the open-value lock. Only when agreed to.");
}

Test(policy_describe, says_where_a_field_comes_from_and_what_is_read_all_the_same) {
    describe("shop", WN_KIND_WEB);
    static const char *const lines[] = {"\n- **ip**: ", "\n- **user_agent**: "};
    for (size_t i = 0; i < WN_COUNT(lines); i++) {
        const char *line = strstr(page, lines[i]);
        cr_assert_not_null(line);
        const char *taken = strstr(line + 1, "Taken from every request; stated in a body");
        cr_expect(taken && taken < strchr(line + 1, '\n'), "%s", line);
    }
    says("check that keeps children out");
    says("The keyed prefix is made for every counted event");
    says("compared with the site's and its path with the sensitive pages in any case");
    says("an event that holds anything else is refused and counted");
    describe(NULL, WN_KIND_N);
    says("unless the event states one.");
}

Test(policy_describe, opting_out_children_and_platforms_have_their_place) {
    describe("shop", WN_KIND_WEB);
    says("## Opting out");
    says("winnow_opt_out=1");
    says("## Children");
    says("clicks that lead to them");
    says("\n- IAB TCF: ");
    says("\n- IAB GPP: ");
    says("\n- US Privacy: ");
    says("\n- Google consent mode: ");
    says("\n- App tracking transparency");
    says("\n- \"C0002\": `basic` and `measure`.");
    says("\n- \"location\": `locate`.");
    says("Collected, and shown by no table of this plan: `time_zone`,");
    never("`url`,");
    describe(NULL, WN_KIND_N);
    says("A TCF string never grants `share`: no vendor is named.");
    never("all named vendors");
}
