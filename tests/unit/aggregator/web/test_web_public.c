// SPDX-License-Identifier: Apache-2.0
// The public page says what was done, not what a file says will be.
#include <stdlib.h>
#include <string.h>

#include "web_rig.h"

TestSuite(web_public, .init = rig_setup, .fini = rig_teardown);

#define DAY_S ((int64_t)DAY * 86400)

static char *page(void) {
    char *answer = rig_get("/.well-known/winnow.json", "");
    cr_assert_eq(rig_status(answer), 200, "%s", answer);
    return answer;
}

static void says(const char *words) {
    char *is = page();
    cr_expect(strstr(is, words), "no %s in\n%s", words, is);
    free(is);
}

static void says_not(const char *words) {
    char *is = page();
    cr_expect(!strstr(is, words), "%s in\n%s", words, is);
    free(is);
}

static void sent(uint8_t what, const char *receiver, const char *table, int64_t at_s) {
    wn_ledger_entry e = {.at_s = at_s, .what = what};
    strcpy(e.receiver, receiver);
    strcpy(e.table, table);
    rig_note(&e);
}

Test(web_public, before_anything_was_collected_the_files_are_what_there_is) {
    rig_open();
    says("\"plan\":{\"version\":2}");
    says("{\"policy\":{\"version\":1,\"date\":\"");
    says("\"name\":\"hook\",\"tables\":[\"n_all\"]}");
    says_not("_next");
    says_not("since");
}

Test(web_public, what_is_in_force_is_what_the_ledger_says) {
    wn_ledger_entry plan = {.at_s = DAY_S, .what = WN_LEDGER_PLAN, .plan_version = 2};
    wn_ledger_entry policy = {.at_s = DAY_S + 86400, .what = WN_LEDGER_POLICY, .policy_version = 1};
    memcpy(plan.content, rig_web.conf.plan.digest, 32);
    for (unsigned i = 0; i < 8; i++) policy.content[i] = (uint8_t)(rig_web.conf.policy_id >> (8 * i));
    rig_note(&plan);
    rig_note(&policy);
    rig_open();
    says("\"plan\":{\"version\":2,\"since\":\"2026-11-20\"}");
    says("\",\"since\":\"2026-11-21\"}");
    says_not("_next");
    // The files change, and no daemon has taken them up.
    rig_plan("version: 3\ntables:\n  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view], "
             "measures: "
             "[people]}\n");
    rig_file("policy.yaml", "version: 7\ndate: 2026-11-25\n");
    says("\"plan\":{\"version\":2,\"since\":\"2026-11-20\"},\"plan_next\":{\"version\":3}");
    says("{\"policy\":{\"version\":1,\"date\":null,\"since\":\"2026-11-21\"},\"policy_next\":{\"version\":7,"
         "\"date\":"
         "\"2026-11-25\"}");
    // They do, in a while.
    plan.plan_version = 3;
    memcpy(plan.content, rig_web.conf.plan.digest, 32);
    rig_note(&plan);
    says("\"plan\":{\"version\":3,\"since\":\"2026-11-20\"},\n");
    says_not("plan_next");
}

Test(web_public, who_was_sent_rows_stays_on_the_page) {
    rig_open();
    sent(WN_LEDGER_SENDING, "hook", "n_all", DAY_S);
    sent(WN_LEDGER_SENDING, "hook", "c_old", DAY_S);
    sent(WN_LEDGER_TRANSFER, "gone", "pages", DAY_S);
    sent(WN_LEDGER_SENDING, "gone", "traffic", DAY_S + 3 * 86400); // begun, and perhaps no more
    says("\"name\":\"hook\",\"last_sent\":\"2026-11-20\",\"configured\":false,\"tables\":[\"n_all\"],\"sent_"
         "before\":["
         "\"c_old\"]}");
    says("\"name\":\"gone\",\"configured\":false,\"last_sent\":\"2026-11-23\",\"tables\":[],\"sent_before\":["
         "\"pages\","
         "\"traffic\"]}");
    sent(WN_LEDGER_TRANSFER, "gone", "pages", DAY_S + 4 * 86400); // read on from there
    says("\"last_sent\":\"2026-11-24\",\"tables\":[],\"sent_before\":[\"pages\",\"traffic\"]}");
    rig_file("destinations.yaml",
             "destinations:\n  - {name: hook, kind: file, basis: contract, path: /tmp/none}\n");
    says("\"name\":\"hook\",\"kind\":\"file\",\"basis\":\"contract\",\"tables\":[\"n_all\"],\"sent_before\":["
         "\"c_old\"]}");
    rig_plan("version: 3\ntables:\n  - {id: traffic, doc: All, purpose: basic, dimensions: [], of: [view], "
             "measures: "
             "[people]}\n");
    says("\"name\":\"hook\",\"kind\":\"file\",\"basis\":\"contract\",\"tables\":[],\"sent_before\":[\"n_"
         "all\",\"c_old\"]}");
}

// A restored store has another ledger, whose numbers may be the same.
Test(web_public, another_ledger_is_read_from_its_beginning) {
    rig_open();
    sent(WN_LEDGER_SENDING, "gone", "pages", DAY_S);
    says("\"gone\"");
    rig_web.facts.digest[0] ^= 1;
    rig_web.facts.sent[0].receiver[0] = 'X';
    sent(WN_LEDGER_SENDING, "more", "pages", DAY_S);
    says("\"gone\"");
    says("\"more\"");
    says_not("Xone");
    rig_web.facts.number = 9;
    rig_web.facts.sent[0].receiver[0] = 'X';
    says_not("Xone");
}
