// SPDX-License-Identifier: Apache-2.0
// A window closes in one order only: durable, delivered, wiped, told.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "closing.h"
#include "intake_rig.h"
#include "pipeline_body.h"

static rig r;
static wn_closing *closing;
static size_t told;
static uint64_t told_sequence;
static bool keys_gone_when_told;
static wn_window window;

static bool key_there(const char *kind) {
    char text[WN_WINDOW_TEXT_BYTES], name[WN_SLOT_NAME_BYTES];
    uint8_t key[32];
    wn_window_text(&window, text);
    snprintf(name, sizeof name, "%s/%s", kind, text);
    return wn_slots_get(r.slots, name, key) == WN_OK;
}

static void on_closed(void *ctx, const wn_window *w, uint64_t generation, uint64_t sequence) {
    (void)ctx, (void)generation;
    char text[WN_WINDOW_TEXT_BYTES];
    cr_expect(wn_window_same(w, &window));
    wn_window_text(w, text);
    told++;
    told_sequence = sequence;
    keys_gone_when_told = !key_there("text") && !key_there("spool") && !wn_identity_has(&r.identity, text) &&
                          wn_edge_find(r.edge, w) == NULL;
}

static size_t asked;

static void on_ask(void *ctx, const wn_window *w) {
    (void)ctx;
    cr_expect(wn_window_same(w, &window));
    asked++;
}

static void setup(void) {
    rig_open(&r);
    told = asked = 0;
    wn_closing_parts parts = {r.edge, r.spool, r.sessions, r.pipeline, NULL, on_closed, on_ask};
    cr_assert_eq(wn_closing_open(&parts, &closing), WN_OK);
    const wn_site *shop = wn_sites_by_name(&r.sites->sites, "shop", 4);
    window = wn_edge_window_at(r.edge, shop, r.now_s, r.now_s, false)->window;
}

static void teardown(void) {
    wn_closing_close(closing);
    rig_close(&r);
}

TestSuite(closing, .init = setup, .fini = teardown);

static uint32_t view(void) {
    wn_sender s = rig_sender();
    wn_request *q = wn_request_begin(r.pipeline, &s, NULL);
    uint64_t token;
    rig_event(q, "site", "shop", "name", "pageview", "url", "/a", NULL);
    cr_assert_eq(wn_request_commit(q, (wn_span){NULL, 0}, 0, &token), WN_COMMIT_DONE);
    uint32_t kept = wn_request_outcome(q)->kept;
    wn_request_free(q);
    return kept;
}

static void turns(int n) {
    for (int i = 0; i < n; i++) {
        rig_sync(&r);
        wn_closing_turn(closing);
    }
}

Test(closing, tells_last_after_everything_is_delivered_and_wiped) {
    view();
    rig_sync(&r);
    cr_expect(key_there("text") && key_there("spool"));
    wn_closing_begin(closing, &window);
    cr_expect_eq(view(), 0, "late from now on");
    turns(10);
    cr_expect_eq(told, 0, "not delivered");
    cr_expect(key_there("text") && key_there("spool"));
    rig_stored s = rig_read(&r);
    cr_expect_eq(s.views, 1);
    cr_expect_eq(s.sessions, 1, "the visit ended with the window");
    rig_deliver(&r);
    turns(1);
    cr_assert_eq(told, 1);
    cr_expect(keys_gone_when_told);
    cr_expect_eq(told_sequence, s.batches);
    cr_expect_eq(wn_closing_count(closing), 0);
    cr_expect_eq(view(), 0, "and it does not open again");
    rig_sync(&r);
    cr_expect_eq(rig_read(&r).batches, 0);
}

// Agents and hosts are cached under no window's key.
Test(closing, takes_what_its_events_left_in_the_caches) {
    size_t n = wn_scratch_bytes(), kept = 0;
    uint8_t *before = malloc(n);
    view();
    memcpy(before, r.pipeline->scratch, n);
    wn_closing_begin(closing, &window);
    turns(4);
    rig_deliver(&r);
    turns(1);
    cr_assert_eq(told, 1);
    const uint8_t *after = (const uint8_t *)r.pipeline->scratch;
    for (size_t i = 0; i + 8 <= n; i += 8) {
        static const uint8_t empty[8];
        kept += memcmp(before + i, empty, 8) != 0 && memcmp(before + i, after + i, 8) == 0;
    }
    cr_expect_eq(kept, 0, "%zu words stayed", kept);
    free(before);
}

Test(closing, what_was_committed_but_not_durable_is_not_forgotten) {
    view();
    wn_closing_begin(closing, &window);
    wn_closing_turn(closing);
    cr_expect_eq(told, 0);
    turns(4);
    cr_expect_eq(rig_read(&r).views, 1);
    cr_expect_eq(rig_read(&r).sessions, 1);
    rig_deliver(&r);
    turns(1);
    cr_expect_eq(told, 1);
}

Test(closing, asked_twice_is_told_again_and_begun_once) {
    view();
    wn_closing_begin(closing, &window);
    wn_closing_begin(closing, &window);
    cr_expect_eq(wn_closing_count(closing), 1);
    turns(4);
    rig_deliver(&r);
    turns(1);
    cr_expect_eq(told, 1);
    uint64_t sequence = told_sequence;
    wn_closing_begin(closing, &window);
    turns(1);
    cr_expect_eq(told, 2);
    cr_expect_eq(told_sequence, sequence);
}

Test(closing, a_window_without_events_is_told_at_once) {
    wn_window other = window;
    other.day -= 1, other.start_s -= 86400, other.end_s -= 86400;
    window = other;
    wn_closing_begin(closing, &window);
    turns(1);
    cr_expect_eq(told, 1);
    cr_expect_eq(told_sequence, 0);
}

Test(closing, a_missed_closing_is_found_by_asking) {
    int64_t late_s = window.end_s + 7200 + WN_CLOSING_REVIEW_S;
    view();
    rig_sync(&r);
    wn_closing_review(closing, late_s);
    cr_expect_eq(asked, 0, "not while something is undelivered");
    rig_deliver(&r);
    wn_closing_review(closing, late_s - 1);
    cr_expect_eq(asked, 0, "not so soon");
    wn_closing_state(closing, &window, WN_WINDOW_SEALED);
    cr_expect_eq(wn_closing_count(closing), 0, "nobody asked");
    wn_closing_review(closing, late_s);
    cr_expect_eq(asked, 1);
    wn_closing_state(closing, &window, WN_WINDOW_OPEN);
    cr_expect_eq(wn_closing_count(closing), 0);
    wn_closing_review(closing, late_s);
    wn_closing_state(closing, &window, WN_WINDOW_SEALED);
    cr_expect_eq(wn_closing_count(closing), 1);
    turns(4);
    rig_deliver(&r);
    turns(1);
    cr_expect_eq(told, 1);
    cr_expect(keys_gone_when_told);
}
