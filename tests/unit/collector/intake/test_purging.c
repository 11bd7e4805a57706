// SPDX-License-Identifier: Apache-2.0
// A purge in the collector: marks, then the list, then the filter's word; the aggregator is asked until it is
// done.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "intake_rig.h"
#include "pipeline_body.h"
#include "purging.h"

static rig r;
static wn_purging *purging;
static wn_purge_list *list;
static char path[96];
static const uint8_t key[32] = {4};
static unsigned begun, asked, asked_drained;
static const char *no;

static void on_ask(void *ctx, const wn_purge *p, bool drained) {
    (void)ctx, (void)p;
    asked++;
    asked_drained += drained;
}

static void on_begun(void *ctx, uint64_t asker, const char *why) {
    (void)ctx;
    cr_expect_eq(asker, 42);
    begun++;
    no = why;
}

static void start(void) {
    wn_purging_parts parts = {.list = list,
                              .key = key,
                              .edge = r.edge,
                              .spool = r.spool,
                              .pipeline = r.pipeline,
                              .ask = on_ask,
                              .begun = on_begun};
    r.pipeline->parts.purges = list;
    memcpy(r.pipeline->parts.purge_key, key, sizeof key);
    cr_assert_eq(wn_purging_open(&parts, &purging), WN_OK);
}

static void setup(void) {
    rig_open(&r);
    snprintf(path, sizeof path, "%s/purges", r.dir);
    cr_assert_eq(wn_purge_list_open(path, true, &list), WN_OK);
    begun = asked = asked_drained = 0;
    start();
}

static void teardown(void) {
    wn_purging_close(purging);
    wn_purge_list_close(list);
    unlink(path);
    rig_close(&r);
}

TestSuite(purging, .init = setup, .fini = teardown);

static wn_span text(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

static wn_verdict view(const char *org) {
    wn_sender s = rig_sender();
    s.server_key = true;
    wn_request *q = wn_request_begin(r.pipeline, &s, NULL);
    uint64_t token;
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", "ip", "81.2.3.4", "user_agent", RIG_UA,
              "org", org, NULL);
    cr_assert_eq(wn_request_commit(q, (wn_span){NULL, 0}, 0, &token), WN_COMMIT_DONE);
    wn_verdict v = rig_only_verdict(q);
    wn_request_free(q);
    return v;
}

static void begin_acme(void) {
    cr_assert_null(wn_purging_begin(purging, text("shop"), text("Acme"), 42));
    rig_sync(&r);
    wn_purging_turn(purging, 0);
    cr_assert_eq(begun, 1);
    cr_assert_null(no, "%s", no);
}

Test(purging, nobody_is_answered_before_the_marks_are_durable) {
    cr_assert_eq(view("Acme"), WN_KEEP);
    cr_assert_null(wn_purging_begin(purging, text("shop"), text("Acme"), 42));
    cr_expect_str_eq(wn_purging_begin(purging, text("shop"), text("Bolt"), 42),
                     "another purge is just beginning; try again");
    wn_purging_turn(purging, 0);
    cr_expect_eq(begun, 0);
    cr_expect_eq(wn_purge_list_count(list), 0);
    rig_sync(&r);
    wn_purging_turn(purging, 0);
    cr_assert_eq(begun, 1);
    cr_expect_null(no);
    cr_assert_eq(wn_purge_list_count(list), 1);
    const wn_purge *p = wn_purge_list_at(list, 0);
    cr_expect(p->kind == WN_PURGE_ORG && p->done_at_s == 0 && strcmp(p->site, "shop") == 0);
    wn_observation mark = rig_read(&r).last;
    cr_expect_eq(mark.kind, WN_OBS_PURGE, "behind all that was taken before");
    cr_expect_arr_eq(mark.person, p->name, sizeof mark.person);
}

Test(purging, what_it_names_is_refused_from_then_on_also_after_a_kill) {
    begin_acme();
    cr_expect_eq(view("Acme"), WN_VERDICT_purged);
    cr_expect_eq(view(" aCME"), WN_VERDICT_purged, "however it is spelled");
    cr_expect_eq(view("acm"), WN_KEEP);
    cr_expect_eq(view("Bolt"), WN_KEEP);
    wn_purging_close(purging);
    wn_purge_list_close(list);
    rig_restart(&r);
    cr_assert_eq(wn_purge_list_open(path, true, &list), WN_OK);
    start();
    cr_expect_eq(view("Acme"), WN_VERDICT_purged);
    asked = 0;
    wn_purging_turn(purging, 1);
    cr_expect_eq(asked, 1, "and the aggregator is asked again");
}

Test(purging, the_aggregator_is_asked_until_it_says_done_and_hears_when_all_is_delivered) {
    view("Acme");
    begin_acme();
    cr_expect(asked == 1 && asked_drained == 0, "told at once, but not that all is there");
    wn_purging_turn(purging, WN_PURGING_ASK_MS - 1);
    cr_expect_eq(asked, 1);
    wn_purging_turn(purging, WN_PURGING_ASK_MS);
    cr_expect(asked == 2 && asked_drained == 0);
    rig_deliver(&r);
    wn_purging_turn(purging, 2 * WN_PURGING_ASK_MS);
    cr_expect(asked == 3 && asked_drained == 1);
    uint8_t name[32], other[32] = {1};
    memcpy(name, wn_purge_list_at(list, 0)->name, sizeof name);
    wn_purging_done(purging, other);
    cr_expect_eq(wn_purge_list_at(list, 0)->done_at_s, 0, "another's answer");
    wn_purging_done(purging, name);
    cr_expect_neq(wn_purge_list_at(list, 0)->done_at_s, 0);
    wn_purging_turn(purging, 3 * WN_PURGING_ASK_MS);
    cr_expect_eq(asked, 3, "done");
    cr_expect_eq(view("Acme"), WN_VERDICT_purged, "for good");
}

Test(purging, what_cannot_be_a_name_begins_nothing) {
    char site[WN_SITE_NAME_BYTES + 8], org[WN_PURGE_ORG_BYTES_MAX + 2];
    memset(site, 'a', sizeof site);
    memset(org, 'o', sizeof org);
    wn_span none = {NULL, 0};
    cr_expect_not_null(wn_purging_begin(purging, none, none, 42));
    cr_expect_not_null(
        wn_purging_begin(purging, (wn_span){(const uint8_t *)site, WN_SITE_NAME_BYTES}, none, 42));
    cr_expect_not_null(wn_purging_begin(purging, text("no site"), none, 42));
    cr_expect_not_null(wn_purging_begin(purging, text("shop"),
                                        (wn_span){(const uint8_t *)org, WN_PURGE_ORG_BYTES_MAX + 1}, 42));
    cr_expect_null(
        wn_purging_begin(purging, text("shop"), (wn_span){(const uint8_t *)org, WN_PURGE_ORG_BYTES_MAX}, 42));
}

Test(purging, a_full_list_says_so_and_nothing_begins) {
    for (unsigned i = 0; i < WN_PURGES_MAX; i++) {
        wn_purge p = {.kind = WN_PURGE_SITE, .tag = wn_site_tag("old"), .site = "old", .asked_at_s = 1};
        memcpy(p.name, &i, sizeof i);
        cr_assert_eq(wn_purge_list_add(list, &p), WN_OK);
        cr_assert_eq(wn_purge_list_done(list, p.name, 2), WN_OK);
    }
    cr_assert_null(wn_purging_begin(purging, text("shop"), text("Acme"), 42));
    rig_sync(&r);
    wn_purging_turn(purging, 0);
    cr_assert_eq(begun, 1);
    cr_assert_not_null(no);
    cr_expect_not_null(strstr(no, "full"), "%s", no);
    cr_expect_eq(view("Acme"), WN_KEEP);
}
