// SPDX-License-Identifier: Apache-2.0
// Acked means durable and counted once; refused means that nothing was kept.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "intake_rig.h"

static rig r;

static void setup(void) {
    rig_open(&r);
}

static void teardown(void) {
    rig_close(&r);
}

TestSuite(pipeline, .init = setup, .fini = teardown);

static wn_span none = {NULL, 0};

static wn_span span(const char *s) {
    return (wn_span){(const uint8_t *)s, strlen(s)};
}

static wn_request *begin(void) {
    wn_sender s = rig_sender();
    wn_request *q = wn_request_begin(r.pipeline, &s, NULL);
    cr_assert_not_null(q);
    return q;
}

static uint64_t commit(wn_request *q, wn_span id) {
    uint64_t token = 0;
    cr_assert_eq(wn_request_commit(q, id, 0, &token), WN_COMMIT_DONE);
    return token;
}

// One page view; the outcome's accepted.
static uint32_t view(const char *url, const char *batch_id) {
    wn_request *q = begin();
    if (batch_id != NULL)
        rig_event(q, "site", "shop", "name", "pageview", "url", url, "batch_id", batch_id, NULL);
    else rig_event(q, "site", "shop", "name", "pageview", "url", url, NULL);
    commit(q, none);
    uint32_t accepted = wn_request_outcome(q)->accepted;
    wn_request_free(q);
    return accepted;
}

Test(pipeline, an_abandoned_request_leaves_nothing) {
    wn_request *q = begin();
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
    wn_event_sink sink = wn_request_sink(q);
    cr_assert_not_null(sink.begin(sink.ctx)); // and one half filled
    wn_request_free(q);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).batches, 0);
    cr_expect_eq(wn_pipeline_count(r.pipeline)->events, 0);
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
    cr_expect_eq(wn_sessions_count(r.sessions), 0);
}

Test(pipeline, nothing_to_store_is_answered_at_once) {
    wn_request *q = begin();
    rig_event(q, "site", "nobody", "name", "pageview", "url", "/", NULL);
    rig_event(q, "site", "shop", "name", "pageview", NULL);
    cr_expect_eq(commit(q, none), 0);
    const wn_outcome *o = wn_request_outcome(q);
    cr_expect_eq(o->events, 2);
    cr_expect_eq(o->accepted, 0);
    cr_expect_eq(o->refused_n, 2);
    cr_expect_eq(o->refused[0].why, WN_VERDICT_unknown_site);
    cr_expect_eq(o->refused[1].index, 1);
    cr_expect_eq(o->refused[1].why, WN_VERDICT_missing_field);
    wn_request_free(q);
    cr_expect_eq(wn_pipeline_pending(r.pipeline), 0);
}

Test(pipeline, a_token_is_reached_only_when_the_events_are_durable) {
    wn_request *q = begin();
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
    uint64_t token = commit(q, none);
    cr_expect_gt(token, wn_pipeline_durable(r.pipeline));
    wn_request_free(q);
    wn_pipeline_turn(r.pipeline);
    rig_wait_done(&r);
    cr_expect_geq(wn_pipeline_durable(r.pipeline), token);
    cr_expect_eq(rig_read(&r).views, 1);
    cr_expect_eq(wn_sessions_count(r.sessions), 1);
}

Test(pipeline, a_kill_before_the_sync_counts_nothing_and_a_kill_after_it_all) {
    view("/a", NULL);
    rig_restart(&r);
    cr_expect_eq(rig_read(&r).batches, 0);
    cr_expect_eq(wn_sessions_count(r.sessions), 0);
    view("/a", NULL);
    rig_sync(&r);
    rig_restart(&r);
    cr_expect_eq(rig_read(&r).views, 1);
    cr_expect_eq(wn_sessions_count(r.sessions), 1);
}

Test(pipeline, an_event_with_a_batch_id_counts_once) {
    cr_expect_eq(view("/a", "one"), 1);
    cr_expect_eq(view("/a", "one"), 1, "a repeat is success");
    rig_sync(&r);
    cr_expect_eq(view("/a", "one"), 1);
    rig_sync(&r);
    rig_restart(&r);
    cr_expect_eq(view("/a", "one"), 1);
    cr_expect_eq(view("/a", "two"), 1);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).views, 2);
    cr_expect_eq(wn_pipeline_count(r.pipeline)->repeated, 1, "since the restart");
}

Test(pipeline, a_request_with_a_batch_id_counts_once) {
    for (int i = 0; i < 3; i++) {
        wn_request *q = begin();
        rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
        rig_event(q, "site", "shop", "name", "click", "url", "/a", NULL);
        uint64_t token = commit(q, span("batch"));
        cr_expect_eq(wn_request_outcome(q)->repeat, i > 0);
        cr_expect_eq(wn_request_outcome(q)->accepted, 2);
        // A repeat of what is not yet durable waits for it too.
        if (i == 1) cr_expect_gt(token, wn_pipeline_durable(r.pipeline));
        if (i == 2) cr_expect_eq(token, 0);
        wn_request_free(q);
        if (i == 1) rig_sync(&r);
    }
    cr_expect_eq(rig_read(&r).views, 1);
    cr_expect_eq(rig_read(&r).events, 1);
}

static uint64_t tag_of(const char *site) {
    return wn_sites_by_name(&r.sites->sites, site, strlen(site))->tag;
}

static size_t views_of(const char *site) {
    static wn_batch_reader reader;
    wn_spool_record rec;
    wn_observation obs;
    size_t n = 0;
    wn_spool_rewind(r.spool);
    while (wn_spool_next(r.spool, &rec)) {
        cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){rec.bytes, rec.n}), WN_OK);
        while (wn_batch_reader_next(&reader, &obs)) n += obs.kind == WN_OBS_VIEW && obs.site == tag_of(site);
    }
    return n;
}

// A request of one page view at each site named; the outcome stays with the caller.
static wn_outcome views_at(const char *const *sites, const char *request_id, const char *event_id) {
    wn_request *q = begin();
    for (; *sites != NULL; sites++)
        rig_event(q, "site", *sites, "name", "pageview", "url", "/a", event_id == NULL ? NULL : "batch_id",
                  event_id, NULL);
    commit(q, request_id == NULL ? none : span(request_id));
    wn_outcome o = *wn_request_outcome(q);
    wn_request_free(q);
    rig_sync(&r);
    return o;
}

Test(pipeline, batch_ids_of_different_sites_are_different) {
    static const char *const shop[] = {"shop", NULL}, *const blog[] = {"blog", NULL};
    cr_expect_not(views_at(shop, "same", NULL).repeat);
    cr_expect_not(views_at(blog, "same", NULL).repeat, "another site's id");
    cr_expect(views_at(shop, "same", NULL).repeat);
    cr_expect(views_at(blog, "same", NULL).repeat);
    cr_expect_eq(views_of("shop"), 1);
    cr_expect_eq(views_of("blog"), 1);
    for (int i = 0; i < 2; i++) views_at(shop, NULL, "same"), views_at(blog, NULL, "same");
    cr_expect_eq(views_of("shop"), 2, "ids of events are of their site, too");
    cr_expect_eq(views_of("blog"), 2);
}

Test(pipeline, a_request_of_several_sites_repeats_at_each_by_itself) {
    static const char *const shop[] = {"shop", "shop", NULL}, *const both[] = {"shop", "blog", "shop", NULL},
                             *const all[] = {"app", "blog", "shop", "nobody", NULL};
    views_at(shop, "id", NULL);
    wn_outcome o = views_at(both, "id", NULL);
    cr_expect_not(o.repeat);
    cr_expect_eq(o.accepted, 3, "a repeat is success");
    cr_expect_eq(o.repeated, 2);
    cr_expect_eq(o.kept, 1);
    o = views_at(all, "id", NULL);
    cr_expect_eq(o.repeated, 2);
    cr_expect_eq(o.kept, 1);
    o = views_at(all, "id", NULL);
    cr_expect(o.repeat);
    cr_expect_eq(o.kept, 0);
    cr_expect_eq(views_of("shop"), 2);
    cr_expect_eq(views_of("blog"), 1);
    cr_expect_eq(views_of("app"), 1);
}

Test(pipeline, a_slot_used_again_knows_no_batch_of_the_window_before) {
    view("/a", NULL);
    rig_sync(&r);
    const wn_site *shop = wn_sites_by_name(&r.sites->sites, "shop", 4);
    const wn_edge_window *w = wn_edge_window_at(r.edge, shop, r.now_s, r.now_s, false);
    uint32_t slot = w->slot;
    wn_window gone = w->window, next;
    cr_assert_eq(wn_pipeline_newest(r.pipeline, slot).sequence, 1);
    cr_assert_eq(wn_edge_forget(r.edge, &gone), WN_OK);
    cr_expect_eq(wn_pipeline_newest(r.pipeline, slot).sequence, 0);
    wn_zone_window(wn_zone_find("UTC"), WN_KIND_WEB, r.now_s - 40 * 86400, &next);
    cr_assert_eq(wn_edge_allow(r.edge, &next), WN_OK);
    cr_assert_eq(wn_edge_find(r.edge, &next)->slot, slot, "the test wants the slot again");
    cr_expect_eq(wn_pipeline_newest(r.pipeline, slot).sequence, 0);
}

Test(pipeline, a_reload_to_no_site_at_all_is_refused) {
    wn_sites none_left = {NULL, 0};
    wn_site_list *empty;
    char why[256] = "";
    cr_expect_eq(wn_site_list_check(r.sites, &none_left, why, sizeof why), WN_ERR_CONFIG);
    cr_expect_not_null(strstr(why, "3 are being counted"));
    cr_expect_eq(wn_site_list_check(r.sites, &r.sites->sites, why, sizeof why), WN_OK);
    cr_assert_eq(wn_site_list_new(&none_left, 1, &empty), WN_OK);
    cr_expect_eq(wn_site_list_check(empty, &none_left, why, sizeof why), WN_OK, "there was none before");
    wn_site_list_drop(empty);
}

Test(pipeline, batch_ids_of_different_senders_are_different) {
    for (uint64_t scope = 1; scope <= 2; scope++) {
        uint64_t token;
        wn_request *q = begin();
        rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
        cr_assert_eq(wn_request_commit(q, span("same"), scope, &token), WN_COMMIT_DONE);
        cr_expect_not(wn_request_outcome(q)->repeat);
        wn_request_free(q);
    }
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).views, 2);
}

Test(pipeline, a_refusing_person_gets_plain_success_and_one_counter) {
    wn_request *q = begin();
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", "purposes", "", NULL);
    cr_expect_neq(commit(q, none), 0, "the counter is to be durable");
    cr_expect_eq(rig_only_verdict(q), WN_VERDICT_refused);
    cr_expect_eq(wn_request_outcome(q)->accepted, 1);
    cr_expect_eq(wn_request_outcome(q)->refused_listed, 0);
    wn_request_free(q);
    rig_sync(&r);
    rig_stored s = rig_read(&r);
    cr_expect_eq(s.refusals, 1);
    cr_expect_eq(s.views, 0);
    cr_expect_eq(wn_sessions_count(r.sessions), 0);
}

Test(pipeline, late_events_get_plain_success) {
    wn_request *q = begin();
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", "time", "1400000000", NULL);
    commit(q, none);
    cr_expect_eq(rig_only_verdict(q), WN_VERDICT_late);
    cr_expect_eq(wn_request_outcome(q)->accepted, 1);
    wn_request_free(q);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).batches, 0);
}

Test(pipeline, an_event_whose_window_closes_before_the_commit_is_late) {
    wn_request *q = begin();
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
    cr_expect_eq(rig_only_verdict(q), WN_KEEP);
    const wn_edge_window *w =
        wn_edge_window_at(r.edge, wn_sites_by_name(&r.sites->sites, "shop", 4), r.now_s, r.now_s, false);
    wn_window window = w->window;
    wn_edge_stop(r.edge, &window);
    commit(q, none);
    cr_expect_eq(rig_only_verdict(q), WN_VERDICT_late);
    cr_expect_eq(wn_request_outcome(q)->accepted, 1);
    wn_request_free(q);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).batches, 0);
}

Test(pipeline, takes_a_thousand_events_and_refuses_the_next) {
    wn_request *q = begin();
    for (int i = 0; i < WN_REQUEST_EVENTS_MAX + 2; i++)
        rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
    commit(q, none);
    const wn_outcome *o = wn_request_outcome(q);
    cr_expect_eq(o->kept, WN_REQUEST_EVENTS_MAX);
    cr_expect_eq(o->by_verdict[WN_VERDICT_too_many], 2);
    cr_expect_eq(o->refused[0].index, WN_REQUEST_EVENTS_MAX);
    wn_request_free(q);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).views, WN_REQUEST_EVENTS_MAX);
}

Test(pipeline, lists_a_hundred_refusals_and_counts_the_rest) {
    wn_request *q = begin();
    for (int i = 0; i < WN_REFUSED_LISTED_MAX + 1; i++) rig_event(q, "site", "shop", NULL);
    commit(q, none);
    cr_expect_eq(wn_request_outcome(q)->refused_listed, WN_REFUSED_LISTED_MAX);
    cr_expect_eq(wn_request_outcome(q)->refused_n, WN_REFUSED_LISTED_MAX + 1);
    wn_request_free(q);
}

Test(pipeline, fills_several_batches_in_one_transaction) {
    for (int i = 0; i < 5; i++) {
        wn_request *q = begin();
        for (int k = 0; k < WN_REQUEST_EVENTS_MAX; k++) {
            char url[32];
            snprintf(url, sizeof url, "/a/%d", i * 1000 + k);
            rig_event(q, "site", k % 2 ? "shop" : "app", "name", "pageview", "url", url, NULL);
        }
        commit(q, none);
        wn_request_free(q);
    }
    wn_pipeline_turn(r.pipeline);
    rig_wait_done(&r);
    rig_stored s = rig_read(&r);
    cr_expect_eq(s.views, 5000);
    cr_expect_geq(s.batches, 6);
    cr_expect_eq(wn_pipeline_count(r.pipeline)->transactions, 1);
}

Test(pipeline, what_comes_while_the_disk_is_busy_goes_with_the_next_transaction) {
    view("/a", NULL);
    wn_pipeline_turn(r.pipeline);
    cr_assert(wn_pipeline_busy(r.pipeline));
    view("/b", NULL);
    wn_pipeline_turn(r.pipeline);
    cr_expect(wn_pipeline_dirty(r.pipeline), "it waits");
    rig_wait_done(&r);
    cr_expect_eq(rig_read(&r).views, 1);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).views, 2);
    cr_expect_eq(wn_pipeline_count(r.pipeline)->transactions, 2);
}

Test(pipeline, a_person_s_visit_is_stored_once_when_it_ends) {
    view("/a", NULL);
    view("/b", NULL);
    rig_sync(&r);
    const wn_edge_window *w =
        wn_edge_window_at(r.edge, wn_sites_by_name(&r.sites->sites, "shop", 4), r.now_s, r.now_s, false);
    cr_expect(wn_pipeline_expire(r.pipeline, w->slot, r.now_s - WN_SESSION_IDLE_S));
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).sessions, 0, "not idle yet");
    cr_expect(wn_pipeline_expire(r.pipeline, w->slot, INT64_MAX));
    rig_sync(&r);
    rig_stored s = rig_read(&r);
    cr_expect_eq(s.views, 2);
    cr_expect_eq(s.sessions, 1);
    cr_expect_eq(wn_sessions_count(r.sessions), 0);
    cr_expect(wn_pipeline_window_settled(r.pipeline, w->slot));
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).sessions, 1);
}

Test(pipeline, memory_of_requests_has_a_limit) {
    wn_sender s = rig_sender();
    wn_request *q[4096];
    size_t n = 0;
    while (n < WN_COUNT(q)) {
        q[n] = wn_request_begin(r.pipeline, &s, NULL);
        if (q[n] == NULL) break;
        rig_event(q[n], "site", "shop", "name", "pageview", "url", "/a", NULL);
        n++;
    }
    cr_expect_lt(n, 1024u, "8 MiB hold no more");
    cr_expect_leq(wn_pipeline_request_bytes(r.pipeline), r.parts.request_bytes_total_max);
    uint64_t token;
    size_t full = 0, done = 0;
    for (size_t i = 0; i < n; i++) {
        wn_commit c = wn_request_commit(q[i], none, 0, &token);
        full += c == WN_COMMIT_FULL;
        done += c == WN_COMMIT_DONE;
        wn_request_free(q[i]);
    }
    cr_expect_gt(full, 0, "the last ones found no room for an event");
    cr_expect_eq(full + done, n);
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).views, done);
    cr_expect_eq(wn_pipeline_request_bytes(r.pipeline), 0);
}

Test(pipeline, a_full_spool_keeps_nothing_of_a_request) {
    r.parts.spool_bytes_max = 1u << 20;
    rig_restart(&r);
    size_t done = 0;
    wn_commit c = WN_COMMIT_DONE;
    for (int i = 0; i < 100 && c == WN_COMMIT_DONE; i++) {
        uint64_t token;
        wn_request *q = begin();
        for (int k = 0; k < 500; k++) rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
        c = wn_request_commit(q, none, 0, &token);
        done += c == WN_COMMIT_DONE ? 500 : 0;
        wn_request_free(q);
        rig_sync(&r);
    }
    cr_expect_eq(c, WN_COMMIT_FULL);
    cr_expect_gt(done, 0);
    cr_expect_eq(rig_read(&r).views, done);
    cr_expect_leq(wn_spool_bytes(r.spool), r.parts.spool_bytes_max);
    rig_deliver(&r);
    rig_sync(&r);
    cr_expect_eq(view("/a", NULL), 1, "there is room again");
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).views, 1);
}

Test(pipeline, a_key_writes_to_its_own_sites_only) {
    wn_site *shop = (wn_site *)(uintptr_t)wn_sites_by_name(&r.sites->sites, "shop", 4);
    wn_site *app = (wn_site *)(uintptr_t)wn_sites_by_name(&r.sites->sites, "app", 3);
    const char *key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    strcpy(shop->keys[shop->keys_n++].key, key);
    strcpy(app->keys[app->keys_n++].key, key);
    app->keys[0].server = true;
    wn_key_rights rights = wn_site_list_rights(r.sites, key);
    cr_expect_eq(rights.sites_n, 2);
    cr_expect_null(rights.only);
    cr_expect_not(rights.server, "not everywhere");
    static const struct {
        const char *site;
        wn_verdict why;
    } cases[] = {{"shop", WN_KEEP},
                 {"app", WN_KEEP},
                 {"blog", WN_VERDICT_not_allowed},
                 {"x", WN_VERDICT_unknown_site}};
    for (size_t i = 0; i < WN_COUNT(cases); i++) {
        wn_sender s = rig_sender();
        wn_request *q = wn_request_begin(r.pipeline, &s, key);
        rig_event(q, "site", cases[i].site, "name", "x", NULL);
        cr_expect_eq(rig_only_verdict(q), cases[i].why, "%s", cases[i].site);
        wn_request_free(q);
    }
}

Test(pipeline, a_reload_leaves_requests_their_sites) {
    wn_request *q = begin();
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
    wn_sites nothing = {NULL, 0};
    wn_site_list *fresh;
    cr_assert_eq(wn_site_list_new(&nothing, 2, &fresh), WN_OK);
    wn_pipeline_sites(r.pipeline, fresh);
    wn_site_list_drop(r.sites);
    r.sites = fresh;
    rig_event(q, "site", "shop", "name", "pageview", "url", "/b", NULL);
    commit(q, none);
    cr_expect_eq(wn_request_outcome(q)->kept, 2);
    wn_request_free(q);
    cr_expect_eq(view("/c", NULL), 0);
}
