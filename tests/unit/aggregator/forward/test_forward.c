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

static const char *const kinds[] = {"clickhouse", "file", "ga4", "hubspot", "mixpanel", "webhook"};

static void start_kind(size_t i, size_t rows) {
    if (i > 0) rig_down(), rig_up();
    the.has_secret = true;
    rig_publish("pages", DAY, rows, "partner");
    rig_start(kinds[i], "partner", NULL);
    rig_look();
}

static bool is_ga4(size_t i) {
    return strcmp(kinds[i], "ga4") == 0;
}

// Of every kind, files among them: what goes again after a kill goes to the same place with the same
// bytes. To a receiver that knows no repeats it never goes again, and is counted as doubtful.
Test(forward, a_repeat_is_the_same_request_of_every_kind_or_none) {
    static char url[sizeof the.last_url], body[sizeof the.last_body];
    for (size_t i = 0; i < WN_COUNT(kinds); i++) {
        start_kind(i, 5);
        the.records_pass = the.records_fail = 1;
        cr_assert_eq(rig_turn(), WN_ERR_TIMEOUT, "%s", kinds[i]);
        cr_assert(the.requests == 1 && the.rows_in_last == 5, "%s", kinds[i]);
        memcpy(url, the.last_url, sizeof url);
        memcpy(body, the.last_body, sizeof body);
        rig_start(kinds[i], "partner", NULL); // killed before anybody knew of the answer
        the.now_s += 60;
        rig_look();
        cr_assert_eq(rig_turn(), WN_OK);
        const rig_kept *k = rig_find("partner", "pages", DAY);
        cr_assert(k->p.done && k->times_done == 1 && k->p.rows_done == 5, "%s", kinds[i]);
        cr_assert_eq(k->p.doubtful, is_ga4(i) ? 5 : 0, "%s", kinds[i]);
        cr_assert_eq(the.requests, is_ga4(i) ? 1 : 2, "%s", kinds[i]);
        cr_assert_str_eq(the.last_url, url);
        cr_assert_str_eq(the.last_body, body);
    }
}

// While the aggregator is away what is owed is told again, and again, and the rows are not sent again,
// however often anybody looks.
Test(forward, who_cannot_remember_does_not_send_again) {
    for (size_t i = 0; i < WN_COUNT(kinds); i++) {
        start_kind(i, 60);
        the.records_pass = 1;
        the.records_fail = 7;
        for (int turn = 0; turn < 7; turn++) {
            cr_assert_eq(rig_turn(), WN_ERR_TIMEOUT, "%s", kinds[i]);
            cr_assert_eq(the.requests, 1, "%s: sent again on turn %d", kinds[i], turn);
            rig_look();
            cr_assert(rig_info(0).reason == WN_REASON_LEDGER && rig_info(0).state == WN_FORWARD_WAITING);
        }
        rig_run(FOREVER);
        const rig_kept *k = rig_find("partner", "pages", DAY);
        cr_assert(k->p.done && k->times_done == 1 && k->times_begun == 1 && k->p.rows_done == 60, "%s",
                  kinds[i]);
        cr_assert_eq(k->p.doubtful, 0, "%s", kinds[i]);
        all_once("partner", "pages", DAY, 60);
    }
}

// The first record that is lost is the one before the second request: nothing of it leaves.
Test(forward, to_one_that_knows_no_repeats_nothing_leaves_that_is_not_counted_as_doubtful) {
    start_kind(2, 60);
    cr_assert(is_ga4(2));
    the.answers_later = true;
    cr_assert(rig_turn() == WN_OK && the.requests == 1);
    const rig_kept *k = rig_find("partner", "pages", DAY);
    cr_assert(k->p.doubtful == 25 && k->p.rows_done == 25, "it left, and nobody said that it might be there");
    cr_assert_eq(rig_answer_now(0, 204), WN_OK);
    cr_assert(k->p.doubtful == 0 && k->p.rows_done == 25);
    the.records_fail = 3;
    for (int i = 0; i < 3; i++) cr_assert(rig_turn() == WN_ERR_TIMEOUT && the.requests == 1);
    cr_assert(rig_turn() == WN_OK && the.requests == 2 && k->p.doubtful == 25 && k->p.rows_done == 50);
    rig_start("ga4", "partner", NULL); // killed while it was under way: not again
    rig_look();
    the.answers_later = false;
    rig_run(FOREVER);
    cr_assert(the.requests == 3 && the.rows_in_last == 10 && k->p.done && k->p.doubtful == 25);
}

static rig_answer answer_not_now(const char *body, size_t n, size_t rows) {
    (void)body, (void)n, (void)rows;
    return (rig_answer){503, -1, false, ""};
}

// Refused for sure, it is not doubtful: it goes again, after a kill too.
Test(forward, what_was_refused_for_sure_is_taken_back_from_the_doubtful) {
    start_kind(2, 10);
    the.answers_later = true;
    the.answer = answer_not_now;
    cr_assert(rig_turn() == WN_OK && rig_answer_now(0, 503) == WN_OK);
    const rig_kept *k = rig_find("partner", "pages", DAY);
    cr_assert(k->p.doubtful == 0 && k->p.rows_done == 0 && k->p.begun);
    rig_start("ga4", "partner", NULL);
    rig_look();
    the.answers_later = false;
    the.answer = NULL;
    rig_run(FOREVER);
    all_once("partner", "pages", DAY, 10);
    cr_assert(k->p.done && k->p.doubtful == 0 && k->times_begun == 1);
}

// What began before a backup, and may have come since, goes again after a restore to those alone who know a
// repeat; to the others it is doubtful, and done.
Test(forward, what_a_restore_found_begun_does_not_go_again_to_one_that_knows_no_repeats) {
    for (size_t i = 0; i < WN_COUNT(kinds); i++) {
        start_kind(i, 60);
        the.kept_n = 1;
        the.kept[0] = (rig_kept){.table = "pages", .day = DAY, .times_begun = 1};
        strcpy(the.kept[0].receiver, "partner");
        the.kept[0].p = (wn_progress){.begun = true, .unsure = true};
        rig_look();
        rig_run(FOREVER);
        const rig_kept *k = rig_find("partner", "pages", DAY);
        cr_assert(k->p.done && k->times_done == 1 && k->times_begun == 1 && k->p.rows_done == 60, "%s",
                  kinds[i]);
        cr_assert_eq(k->p.doubtful, is_ga4(i) ? 60 : 0, "%s", kinds[i]);
        cr_assert_eq(the.requests == 0, is_ga4(i), "%s", kinds[i]);
        cr_assert_eq(rig_info(0).rows_doubtful, is_ga4(i) ? 60 : 0, "%s", kinds[i]);
        if (!is_ga4(i)) all_once("partner", "pages", DAY, 60);
    }
}

// One that is silent keeps nobody else waiting, and what is under way outlives a look.
Test(forward, a_silent_receiver_holds_up_itself_alone) {
    rig_publish("pages", DAY, 3, "partner");
    rig_publish("terms", DAY, 3, "other");
    rig_publish("terms", DAY + 1, 3, "other");
    rig_start("clickhouse", "partner", "other");
    rig_look();
    the.answers_later = true;
    cr_assert(rig_turn() == WN_OK && the.requests == 2);
    for (int day = 0; day < 2; day++) { // the other's, one after the other
        rig_look();
        cr_assert_eq(rig_answer_now(1, 200), WN_OK);
        cr_assert_eq(rig_turn(), WN_OK);
        cr_assert_eq(the.requests, 3);
    }
    cr_assert(rig_info(0).state == WN_FORWARD_SENDING && rig_info(1).state == WN_FORWARD_IDLE);
    cr_assert(rig_find("other", "terms", DAY)->p.done && rig_find("other", "terms", DAY + 1)->p.done);
    cr_assert(rig_answer_now(0, 200) == WN_OK && rig_find("partner", "pages", DAY)->p.done);
    cr_assert(rig_info(0).state == WN_FORWARD_IDLE && the.requests == 3);
}

Test(forward, of_a_window_that_was_purged_while_it_went_nothing_more_goes) {
    rig_publish("pages", DAY, 2500, "partner");
    rig_start("clickhouse", "partner", NULL);
    rig_look();
    the.answers_later = true;
    cr_assert(rig_turn() == WN_OK && the.requests == 1);
    cr_assert(wn_published_begin(the.store) == WN_OK &&
              wn_published_forget_site(the.store, wn_site_tag("example")) == WN_OK &&
              wn_published_commit(the.store) == WN_OK);
    rig_look();
    cr_assert_eq(rig_answer_now(0, 200), WN_OK);
    rig_run(FOREVER);
    cr_assert(the.requests == 1 && rig_info(0).state == WN_FORWARD_IDLE);
    cr_assert_eq(rig_find("partner", "pages", DAY)->p.rows_done, 2000, "what it got is known");
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
