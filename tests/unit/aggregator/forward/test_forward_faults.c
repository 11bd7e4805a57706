// SPDX-License-Identifier: Apache-2.0
// What becomes of rows when receivers refuse, ask to wait, lie silent or are set up wrongly.
#include "forward_rig.h"

TestSuite(forward_faults, .init = rig_up, .fini = rig_down);

#define FOREVER (INT64_MAX / 2)

static const char *poison[4]; // rows that spoil a request
static int poisoned_with;     // status
static size_t rows_fit;       // more are too many: 413
static int failures_left;     // of any request: 500
static rig_answer script;

static rig_answer answer_poison(const char *body, size_t n, size_t rows) {
    (void)n;
    if (failures_left > 0) return failures_left--, (rig_answer){500, -1, false, ""};
    if (rows_fit != 0 && rows > rows_fit) return (rig_answer){413, -1, false, ""};
    for (size_t i = 0; i < WN_COUNT(poison); i++)
        if (poison[i] != NULL && strstr(body, poison[i]) != NULL)
            return (rig_answer){poisoned_with, -1, false, ""};
    return (rig_answer){200, -1, false, ""};
}

static rig_answer answer_script(const char *body, size_t n, size_t rows) {
    (void)body, (void)n, (void)rows;
    return script;
}

static void all_once_but(size_t n, size_t refused) {
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        char id[WN_ROW_ID_BYTES];
        rig_id("partner", "pages", DAY, i, id);
        cr_assert_leq(rig_times(id), 1, "row %zu came %zu times", i, rig_times(id));
        missing += rig_times(id) == 0;
    }
    cr_assert_eq(missing, refused, "%zu of %zu are missing", missing, n);
}

static void start(size_t rows) {
    memset(poison, 0, sizeof poison);
    rows_fit = 0;
    failures_left = 0;
    the.answer = answer_poison;
    rig_publish("pages", DAY, rows, "partner");
    rig_start("clickhouse", "partner", NULL);
    rig_look();
}

Test(forward_faults, what_is_too_large_is_halved_and_then_grows_again) {
    static const size_t fits[] = {1, 7, 100, 999};
    for (size_t i = 0; i < WN_COUNT(fits); i++) {
        if (i > 0) rig_down(), rig_up();
        start(1000);
        rows_fit = fits[i];
        rig_run(FOREVER);
        all_once_but(1000, 0);
        cr_assert(rig_find("partner", "pages", DAY)->p.refused == 0);
    }
}

Test(forward_faults, a_row_that_spoils_its_request_is_set_aside_alone) {
    static const struct {
        const char *poison[4];
        size_t refused;
    } rows[] = {{{"/0000"}, 1},
                {{"/0099"}, 1},
                {{"/0050", "/0051", "/0007"}, 3},
                {{"/0000", "/0001", "/0098", "/0099"}, 4}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        if (i > 0) rig_down(), rig_up();
        start(100);
        memcpy(poison, rows[i].poison, sizeof poison);
        poisoned_with = i % 2 ? 422 : 400;
        rig_run(FOREVER);
        all_once_but(100, rows[i].refused);
        if (strcmp(rows[i].poison[0], "/0099") == 0 ||
            i == 3) { // last: whose fault it was, the next window shows
            rig_publish("pages", DAY + 1, 1, "partner");
            rig_look();
            memset(poison, 0, sizeof poison);
            rig_run(FOREVER);
        }
        const rig_kept *k = rig_find("partner", "pages", DAY);
        cr_assert(k != NULL && k->p.done && k->times_done == 1 && k->p.refused == rows[i].refused &&
                  k->rows == 100);
        cr_assert_eq(rig_info(0).rows_refused, rows[i].refused);
    }
}

// Three windows of which nothing is taken: it is not the rows. None of them is lost.
Test(forward_faults, a_destination_that_takes_nothing_is_stopped_and_loses_nothing) {
    start(3);
    rig_publish("pages", DAY + 1, 3, "partner");
    poison[0] = "/"; // all
    poisoned_with = 400;
    rig_run(FOREVER);
    cr_assert(rig_info(0).state == WN_FORWARD_IDLE && rig_info(0).windows_left == 1,
              "one window is no proof");
    rig_publish("pages", DAY + 2, 3, "partner");
    rig_look();
    rig_run(FOREVER);
    cr_assert(rig_info(0).state == WN_FORWARD_STOPPED);
    size_t requests = the.requests;
    rig_look();
    rig_run(FOREVER);
    cr_assert(the.requests == requests && rig_only_begun(3) && the.ids_n == 0, "stopped is stopped");
    poison[0] = NULL; // the operator has mended it
    wn_forward_again(the.forward);
    rig_look();
    rig_run(FOREVER);
    all_once_but(3, 0);
    cr_assert(the.ids_n == 9 && the.kept_n == 3);
}

Test(forward_faults, two_windows_refused_whole_are_set_aside_once_another_is_taken) {
    start(3);
    poison[0] = "2026-11-20\"", poison[1] = "2026-11-21\"";
    poisoned_with = 400;
    rig_publish("pages", DAY + 1, 2, "partner");
    rig_publish("pages", DAY + 2, 4, "partner");
    rig_look();
    rig_run(FOREVER);
    cr_assert_eq(the.ids_n, 4);
    for (int32_t day = DAY; day <= DAY + 2; day++) {
        const rig_kept *k = rig_find("partner", "pages", day);
        cr_assert(k != NULL && k->times_done == 1 && k->rows == (day == DAY ? 3 : day == DAY + 1 ? 2 : 4));
        cr_assert_eq(k->p.refused, day == DAY + 2 ? 0 : k->rows);
        cr_assert_eq(k->plan_version, (uint32_t)day, "each of its own plan");
    }
}

static rig_answer answer_partial(const char *body, size_t n, size_t rows) {
    (void)body, (void)n;
    if (rows == 1) return (rig_answer){207, -1, false, "{\"errors\":[]}"};
    return (rig_answer){207, -1, false, ""};
}

// Named or not, a receiver that refuses every row is suspected as one that refuses the request.
Test(forward_faults, rows_refused_by_name_to_the_last_prove_nothing_either) {
    the.answer = answer_partial;
    for (int32_t day = DAY; day < DAY + 3; day++) rig_publish("pages", day, 2, "partner");
    rig_start("hubspot", "partner", NULL);
    rig_look();
    for (int i = 0; i < 100 && rig_info(0).state != WN_FORWARD_STOPPED; i++) cr_assert_eq(rig_turn(), WN_OK);
    cr_assert(rig_info(0).state == WN_FORWARD_STOPPED && rig_only_begun(3));
}

Test(forward_faults, no_password_no_more_requests) {
    static const int statuses[] = {401, 403, 404, 410, 302};
    for (size_t i = 0; i < WN_COUNT(statuses); i++) {
        if (i > 0) rig_down(), rig_up();
        start(3);
        the.answer = answer_script;
        script = (rig_answer){statuses[i], -1, false, ""};
        rig_run(FOREVER);
        cr_assert(the.requests == 1 && rig_info(0).state == WN_FORWARD_STOPPED &&
                  rig_info(0).last_status == statuses[i]);
        the.answer = NULL;
        the.now_s += 86400;
        rig_look();
        rig_run(FOREVER);
        cr_assert_eq(the.requests, 1);
        wn_forward_again(the.forward);
        rig_run(FOREVER);
        all_once_but(3, 0);
    }
}

Test(forward_faults, waits_double_to_an_hour_and_begin_anew_after_success) {
    start(3);
    the.answer = answer_script;
    script = (rig_answer){503, -1, false, ""};
    int64_t step = 2;
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(rig_turn(), WN_OK);
        int64_t wait = rig_info(0).again_at_s - the.now_s;
        cr_assert(wait > step && wait <= step + 5, "%d: %lld after %lld", i, (long long)wait,
                  (long long)step);
        cr_assert_eq(rig_info(0).state, WN_FORWARD_WAITING);
        the.now_s += wait - 1;
        size_t requests = the.requests;
        cr_assert(rig_turn() == WN_OK && the.requests == requests, "too early");
        the.now_s++;
        step = step * 2 < WN_FORWARD_WAIT_MAX_S ? step * 2 : WN_FORWARD_WAIT_MAX_S;
    }
    the.answer = NULL;
    rig_run(FOREVER);
    all_once_but(3, 0);
    the.answer = answer_script;
    rig_publish("pages", DAY + 1, 1, "partner");
    rig_look();
    cr_assert_eq(rig_turn(), WN_OK);
    cr_assert_leq(rig_info(0).again_at_s - the.now_s, 7);
}

Test(forward_faults, what_the_receiver_asks_is_kept_up_to_a_day) {
    static const int64_t rows[][2] = {{0, 2},         {1, 2},         {100, 100},
                                      {86400, 86400}, {86401, 86400}, {INT64_MAX, 86400}};
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        if (i > 0) rig_down(), rig_up();
        start(3);
        the.answer = answer_script;
        script = (rig_answer){429, rows[i][0], false, ""};
        cr_assert_eq(rig_turn(), WN_OK);
        int64_t wait = rig_info(0).again_at_s - the.now_s;
        cr_assert(wait > rows[i][1] && wait <= rows[i][1] + 5, "%lld: %lld", (long long)rows[i][0],
                  (long long)wait);
    }
}

Test(forward_faults, no_answer_sends_the_same_again) {
    start(3);
    the.answer = answer_script;
    script = (rig_answer){0, -1, true, ""};
    cr_assert_eq(rig_turn(), WN_OK);
    cr_assert(rig_info(0).state == WN_FORWARD_WAITING && rig_info(0).last_status == 0 && rig_only_begun(1));
    the.answer = NULL;
    rig_run(FOREVER);
    all_once_but(3, 0);
}

// One that knows no repeats and says nothing: a batch of a window in so long, not all of them at once.
Test(forward_faults, a_silent_one_that_knows_no_repeats_is_waited_for) {
    the.has_secret = true;
    rig_publish("pages", DAY, 60, "partner");
    rig_publish("pages", DAY + 1, 60, "partner");
    rig_start("ga4", "partner", NULL);
    rig_look();
    the.answer = answer_script;
    script = (rig_answer){0, -1, true, ""};
    int64_t step = 2;
    for (size_t i = 1; i <= 6; i++) {
        cr_assert(rig_turn() == WN_OK && the.requests == i);
        cr_assert_eq(rig_turn(), WN_OK);
        cr_assert_eq(the.requests, i, "it is not waited for");
        wn_forward_info info = rig_info(0);
        int64_t wait = info.again_at_s - the.now_s;
        cr_assert(wait > step && wait <= step + 5, "%zu: %lld", i, (long long)wait);
        if (i < 6) cr_assert(info.state == WN_FORWARD_WAITING && info.reason == WN_REASON_SILENT);
        the.now_s = info.again_at_s;
        step *= 2;
    }
    const rig_kept *k = rig_find("partner", "pages", DAY);
    cr_assert(k->p.done && k->p.doubtful == 60 && rig_info(0).rows_doubtful == 120);
}

// A destination whose secret cannot be read is stopped; the others are served.
Test(forward_faults, a_missing_secret_stops_its_own_destination) {
    rig_publish("pages", DAY, 3, "partner");
    rig_start("webhook", "partner", NULL); // a webhook without a secret: the sink has no key to sign with
    rig_look();
    rig_run(FOREVER);
    cr_assert(rig_info(0).state == WN_FORWARD_STOPPED && the.requests == 0 && the.kept_n == 0);
    cr_assert_eq(rig_info(0).reason, WN_REASON_REQUEST);
}

Test(forward_faults, failures_in_between_change_nothing) {
    start(200);
    poison[0] = "/0010";
    poisoned_with = 400;
    for (int i = 0; i < 12; i++) {
        failures_left = i % 3;
        rig_run(the.now_s + 1);
        the.now_s += 4000;
        if (i % 4 == 3) { // restarted in the middle
            rig_start("clickhouse", "partner", NULL);
            rig_look();
        }
    }
    rig_run(FOREVER);
    all_once_but(200, 1);
    cr_assert(rig_find("partner", "pages", DAY)->times_done == 1);
}
