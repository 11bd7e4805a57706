// SPDX-License-Identifier: Apache-2.0
// Each published row comes to each receiver that its table names, once; after a kill at any moment
// nothing is lost and what goes again has the same name.
#include "forward_rig.h"

TestSuite(forward, .init = rig_up, .fini = rig_down);

#define FOREVER (INT64_MAX / 2)

static void all_once(const char *receiver, const char *table, int32_t day, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char id[WN_ROW_ID_BYTES];
        rig_id(receiver, table, day, i, id);
        cr_assert_eq(rig_times(id), 1, "%s %s day %d row %zu: %zu times", receiver, table, day, i,
                     rig_times(id));
    }
}

Test(forward, brings_what_names_the_receiver_and_nothing_else) {
    rig_publish("pages", DAY, 120, "partner");
    rig_publish("pages", DAY + 1, 3, "partner");
    rig_publish("terms", DAY, 5, "other");
    rig_publish("events", DAY, 7, NULL);
    rig_publish("empty", DAY, 0, "partner");
    rig_start("clickhouse", "partner", "other");
    rig_look();
    cr_assert(rig_info(0).windows_left == 2 && rig_info(1).windows_left == 1);
    rig_run(FOREVER);
    cr_assert_eq(the.ids_n, 128);
    all_once("partner", "pages", DAY, 120);
    all_once("partner", "pages", DAY + 1, 3);
    all_once("other", "terms", DAY, 5);
    cr_assert_eq(the.kept_n, 3);
    for (size_t i = 0; i < the.kept_n; i++) cr_assert(the.kept[i].p.done && the.kept[i].times_done == 1);
    cr_assert(rig_info(0).state == WN_FORWARD_IDLE && rig_info(0).rows_sent == 123 &&
              rig_info(0).windows_left == 0);
    // What is done is done, after a look and after a restart.
    rig_look();
    rig_run(FOREVER);
    rig_start("clickhouse", "partner", "other");
    rig_look();
    rig_run(FOREVER);
    cr_assert_eq(the.ids_n, 128);
}

Test(forward, the_oldest_goes_first_in_requests_of_the_sink_s_size) {
    rig_publish("pages", DAY + 1, 10, "partner");
    rig_publish("pages", DAY, 2500, "partner");
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    cr_assert(rig_turn() == WN_OK && the.rows_in_last == 2000 &&
              rig_find("partner", "pages", DAY)->p.rows_done == 2000);
    cr_assert_not(rig_find("partner", "pages", DAY)->p.done);
    cr_assert(rig_turn() == WN_OK && the.rows_in_last == 500 && rig_find("partner", "pages", DAY)->p.done);
    cr_assert(rig_turn() == WN_OK && the.rows_in_last == 10);
}

Test(forward, resumes_where_it_was) {
    rig_publish("pages", DAY, 2300, "partner");
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    cr_assert_eq(rig_turn(), WN_OK);
    rig_start("clickhouse", "partner", NULL); // killed after the record
    rig_look();
    rig_run(FOREVER);
    cr_assert_eq(the.ids_n, 2300);
    all_once("partner", "pages", DAY, 2300);
}

Test(forward, what_goes_again_after_a_kill_between_send_and_record_has_the_same_names) {
    rig_publish("pages", DAY, 60, "partner");
    uint8_t content[32];
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    the.records_pass = 1;
    the.records_fail = 1; // sent, and then nobody remembers
    cr_assert_eq(rig_turn(), WN_ERR_TIMEOUT);
    cr_assert(the.ids_n == 60 && rig_only_begun(1));
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    rig_run(FOREVER);
    cr_assert_eq(the.ids_n, 120);
    for (size_t i = 0; i < 60; i++) cr_assert_str_eq(the.id[i], the.id[60 + i]);
    const rig_kept *k = rig_find("partner", "pages", DAY);
    cr_assert(k->times_begun == 1 && k->times_done == 1 && k->rows == 60 && k->p.rows_done == 60);
    // The ledger names the content: the same for the same rows, another for others.
    memcpy(content, k->content, 32);
    the.kept_n = 0;
    rig_look();
    rig_run(FOREVER);
    cr_assert_arr_eq(rig_find("partner", "pages", DAY)->content, content, 32);
    rig_publish("pages", DAY + 1, 60, "partner");
    rig_look();
    rig_run(FOREVER);
    cr_assert_arr_neq(rig_find("partner", "pages", DAY + 1)->content, content, 32);
}

// Of every kind, files among them: what goes again goes to the same place with the same bytes.
Test(forward, a_repeat_is_the_same_request_of_every_kind) {
    static const char *const kinds[] = {"clickhouse", "file", "ga4", "hubspot", "mixpanel", "webhook"};
    static char url[sizeof the.last_url], body[sizeof the.last_body];
    for (size_t i = 0; i < WN_COUNT(kinds); i++) {
        if (i > 0) rig_down(), rig_up();
        the.has_secret = true;
        rig_publish("pages", DAY, 5, "partner");
        rig_start(kinds[i], "partner", NULL);
        rig_look();
        the.records_pass = the.records_fail = 1;
        cr_assert_eq(rig_turn(), WN_ERR_TIMEOUT, "%s", kinds[i]);
        cr_assert(the.requests == 1 && the.rows_in_last == 5, "%s: %zu, %zu %s", kinds[i], the.requests, the.rows_in_last, the.last_body);
        memcpy(url, the.last_url, sizeof url);
        memcpy(body, the.last_body, sizeof body);
        rig_start(kinds[i], "partner", NULL);
        the.now_s += 60;
        rig_look();
        cr_assert_eq(rig_turn(), WN_OK);
        cr_assert(the.requests == 2 && rig_find("partner", "pages", DAY)->p.done, "%s", kinds[i]);
        cr_assert_str_eq(the.last_url, url);
        cr_assert_str_eq(the.last_body, body);
    }
}

Test(forward, an_aggregator_that_is_away_holds_up_one_destination_not_the_other) {
    rig_publish("pages", DAY, 3, "partner");
    rig_publish("terms", DAY, 3, "other");
    rig_start("clickhouse", "partner", "other");
    rig_look();
    the.records_fail = 1;
    cr_assert_eq(rig_turn(), WN_ERR_TIMEOUT);
    cr_assert(rig_find("partner", "pages", DAY) == NULL && rig_find("other", "terms", DAY)->p.done);
    cr_assert_eq(the.ids_n, 3, "what the ledger does not name stays here");
    rig_look();
    rig_run(FOREVER);
    cr_assert(rig_find("partner", "pages", DAY)->p.done && the.ids_n == 6);
}

static rig_answer answer_half(const char *body, size_t n, size_t rows) {
    (void)body, (void)n, (void)rows;
    if (the.requests % 2 == 1) return (rig_answer){200, -1, false, ""};
    the.records_fail = 1000; // the rest is a long silence
    return (rig_answer){0, -1, true, ""};
}

// Whatever becomes of a window, the ledger names all of its rows from before the first byte on: the
// half that was taken, and the rest that may have been.
Test(forward, the_ledger_names_what_may_have_left_before_it_leaves) {
    rig_publish("pages", DAY, 2500, "partner");
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    the.records_fail = 1;
    cr_assert_eq(rig_turn(), WN_ERR_TIMEOUT);
    cr_assert(the.requests == 0 && the.kept_n == 0, "no ledger, no byte");
    the.answer = answer_half;
    cr_assert(rig_turn() == WN_OK && rig_turn() == WN_OK && the.requests == 2);
    const rig_kept *k = rig_find("partner", "pages", DAY);
    cr_assert(k->times_begun == 1 && k->rows == 2500 && k->p.rows_done == 2000 && !k->p.done);
    the.answer = NULL;
    the.records_fail = 0;
    rig_start("clickhouse", "partner", NULL); // killed
    rig_look();
    rig_run(FOREVER);
    cr_assert(k->times_begun == 1 && k->times_done == 1 && k->p.rows_done == 2500);
    all_once("partner", "pages", DAY, 2500);
}

Test(forward, a_window_that_was_purged_meanwhile_is_passed_over) {
    rig_publish("pages", DAY, 3, "partner");
    rig_publish("pages", DAY + 1, 3, "partner");
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    cr_assert(wn_published_begin(the.store) == WN_OK &&
              wn_published_forget_site(the.store, wn_site_tag("example")) == WN_OK &&
              wn_published_commit(the.store) == WN_OK);
    rig_run(FOREVER);
    cr_assert(the.requests == 0 && the.kept_n == 0 && rig_info(0).windows_left == 0);
}

Test(forward, a_table_with_a_new_receiver_starts_empty) {
    rig_publish("pages", DAY, 3, NULL); // sealed under a plan that named nobody
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    rig_publish("pages", DAY + 1, 3, "partner");
    rig_look();
    rig_run(FOREVER);
    cr_assert_eq(the.ids_n, 3);
    all_once("partner", "pages", DAY + 1, 3);
}
