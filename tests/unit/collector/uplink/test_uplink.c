// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fake_aggregator.h"
#include "log.h"

static void expect_once(const fake_aggregator *f, unsigned first, unsigned last) {
    for (unsigned i = first; i <= last; i++)
        cr_expect_eq(f->counted[i], 1, "batch %u counted %u times", i, f->counted[i]);
}

static void fill(fake_aggregator *f, unsigned first, unsigned last, unsigned days) {
    for (unsigned i = first; i <= last; i++) {
        wn_window w = rig_window(20777 + (int32_t)(i % days));
        rig_add(f->rig, &w, i, 1 + i % 5);
    }
    rig_commit(f->rig);
}

static void turns(fake_aggregator *f, int n) {
    while (n-- > 0) fake_turn(f);
}

Test(uplink, says_hello_first_and_delivers_everything_once) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    cr_assert_not(wn_uplink_up(f.uplink));
    fill(&f, 1, 100, 3);
    fake_deliver(&f);
    expect_once(&f, 1, 100);
    cr_assert(f.first_was_hello && f.hellos >= 1);
    cr_assert(wn_uplink_up(f.uplink));
    cr_assert_eq(wn_uplink_acked(f.uplink), 100);
    cr_assert_eq(f.batches, 100, "sent more than once without need");
    fake_end(&f);
}

Test(uplink, never_has_more_than_eight_messages_in_flight) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.hold = true;
    wn_window w = rig_window(20777);
    for (unsigned i = 1; i <= 20; i++) rig_add(&r, &w, i, WN_BATCH_OBS_MAX);
    rig_commit(&r);
    turns(&f, 100);
    cr_assert_eq(f.batches, WN_UPLINK_FLIGHT);
    cr_assert_eq(f.bundles, 0, "a large batch goes alone");
    f.hold = false;
    fake_deliver(&f);
    expect_once(&f, 1, 20);
    fake_end(&f);
}

Test(uplink, small_batches_gather_behind_a_message_and_go_as_one) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.hold = true;
    fill(&f, 1, 1, 1);
    for (int i = 0; i < 200 && f.batches == 0; i++) fake_turn(&f);
    cr_assert_eq(f.batches, 1, "it waited though nothing was under way");
    for (unsigned i = 2; i <= 21; i++) {
        fill(&f, i, i, 2);
        turns(&f, 2);
    }
    turns(&f, 50);
    cr_assert_eq(f.batches, 1, "it did not gather");
    f.hold = false;
    fake_deliver(&f);
    expect_once(&f, 1, 21);
    cr_assert_eq(f.batches, 21, "sent more than once without need");
    cr_assert(f.bundles == 1 && f.bundled == 20, "%u in %u bundles", f.bundled, f.bundles);
    cr_assert_eq(f.expects, 0, "not in the order of the spool");
    fake_end(&f);
}

Test(uplink, a_bundle_is_bounded_by_batches_observations_and_bytes) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    wn_window w = rig_window(20777);
    f.hold = true;
    // The fake checks each bundle; here, that each bound was reached.
    unsigned size[] = {1, WN_BATCH_OBS_MAX / 4, WN_BATCH_OBS_MAX / 10 + 1};
    unsigned most[] = {WN_BUNDLE_BATCHES_MAX, 4, 9};
    for (unsigned k = 0; k < WN_COUNT(size); k++) {
        unsigned first = 1 + k * 100, last = first + most[k];
        for (unsigned i = first; i <= last; i++) rig_add(&r, &w, i, size[k]);
        rig_commit(&r);
        f.bundled_most = 0;
        f.hold = false;
        fake_deliver(&f);
        f.hold = true;
        expect_once(&f, first, last);
        cr_expect_eq(f.bundled_most, most[k], "%u of %u observations", f.bundled_most, size[k]);
    }
    cr_assert_eq(f.expects, 0);
    fake_end(&f);
}

Test(uplink, whole_bundles_are_lost_and_counted_once_all_the_same, .timeout = 120) {
    for (unsigned seed = 1; seed <= 3; seed++) {
        srandom(seed);
        spool_rig r = {0};
        fake_aggregator f;
        fake_make(&f, &r);
        f.lose_messages = 30;
        f.lose_answers = 10;
        f.shuffle = 50;
        for (unsigned i = 1; i <= 200; i += 5) {
            fill(&f, i, i + 4, 3);
            turns(&f, 1);
        }
        fake_deliver(&f);
        expect_once(&f, 1, 200);
        cr_assert_gt(f.bundles, 3);
        fake_end(&f);
    }
}

Test(uplink, a_lost_batch_is_sent_again_after_expect) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.lose_marks[0] = 3;
    f.lose_marks[1] = 30;
    fill(&f, 1, 60, 2);
    int64_t start_ms = f.now_ms;
    fake_deliver(&f);
    expect_once(&f, 1, 60);
    cr_assert_lt(f.now_ms - start_ms, 2 * WN_UPLINK_SILENCE_MS, "it waited for silence instead");
    cr_assert_leq(f.batches, 60 + 8 * WN_UPLINK_FLIGHT, "%u batches sent for 60", f.batches);
    fake_end(&f);
}

Test(uplink, survives_losses_and_answers_in_any_order, .timeout = 120) {
    for (unsigned seed = 1; seed <= 5; seed++) {
        srandom(seed);
        spool_rig r = {0};
        fake_aggregator f;
        fake_make(&f, &r);
        f.lose_batches = 10;
        f.lose_answers = 10;
        f.shuffle = 50;
        fill(&f, 1, 120, 3);
        fake_deliver(&f);
        expect_once(&f, 1, 120);
        fake_end(&f);
    }
}

Test(uplink, silence_for_five_seconds_sends_again_and_ten_is_down) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.mute = true;
    fill(&f, 1, 8, 1);
    while (f.batches < 8) fake_turn(&f);
    int64_t sent_ms = f.now_ms;
    while (f.now_ms < sent_ms + WN_UPLINK_SILENCE_MS - 100) fake_turn(&f);
    cr_assert_eq(f.batches, 8, "sent again too early");
    while (f.now_ms < sent_ms + WN_UPLINK_SILENCE_MS + 200) fake_turn(&f);
    cr_assert_eq(f.batches, 16);
    cr_assert(wn_uplink_up(f.uplink));
    while (f.now_ms < sent_ms + 10200) fake_turn(&f);
    cr_assert_not(wn_uplink_up(f.uplink));
    f.mute = false;
    fake_deliver(&f);
    cr_assert(wn_uplink_up(f.uplink));
    expect_once(&f, 1, 8);
    fake_end(&f);
}

Test(uplink, an_aggregator_that_is_down_blocks_nothing_and_gets_all_when_it_is_back) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    fill(&f, 1, 20, 2);
    while (f.batches < 5) fake_turn(&f);
    fake_down(&f);
    fill(&f, 21, 40, 2);
    int64_t start_ms = wn_monotonic_ms();
    for (int i = 0; i < 2000 && wn_uplink_up(f.uplink); i++) fake_turn(&f);
    cr_assert_not(wn_uplink_up(f.uplink));
    cr_assert_lt(wn_monotonic_ms() - start_ms, 5000);
    unsigned hellos = f.hellos;
    fake_up(&f);
    fake_deliver(&f);
    cr_assert_gt(f.hellos, hellos, "no hello after the reconnect");
    expect_once(&f, 1, 40);
    fake_end(&f);
}

Test(uplink, what_was_staged_but_not_durable_is_sent_again) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    fill(&f, 1, 8, 1);
    f.hold = true;
    while (f.batches < 8) fake_turn(&f);
    fake_down(&f); // counted, unsynced: gone
    memset(f.counted, 0, sizeof f.counted);
    f.hold = false;
    fake_up(&f);
    fake_deliver(&f);
    expect_once(&f, 1, 8);
    fake_end(&f);
}

Test(uplink, expect_is_no_ack) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.hold = true;
    fill(&f, 1, 6, 1);
    while (f.batches < 6) fake_turn(&f);
    wn_window w = rig_window(20777);
    f.hold = false;
    f.held_n = 0;
    f.mute = true;
    fake_tell(
        &f, &(wn_uplink_msg){
                .what = WN_ANSWER_EXPECT, .window = w, .generation = f.streams[0].generation, .sequence = 7});
    turns(&f, 50);
    cr_assert_eq(wn_spool_waiting(r.spool), 6, "staged is not durable");
    fake_end(&f);
}

Test(uplink, a_lost_generation_goes_on_under_another, .timeout = 60) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    fill(&f, 1, 20, 2);
    fake_deliver(&f);
    fake_down(&f);
    f.streams_n = 0; // restored from an older backup: it knows nothing
    fake_up(&f);
    fill(&f, 21, 40, 2);
    fake_deliver(&f);
    expect_once(&f, 1, 40);
    fake_end(&f);
}

Test(uplink, a_sealed_window_is_late_once_and_out_of_the_way) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.sealed_day = 20778;
    f.lose_answers = 20;
    srandom(7);
    unsigned want = 0;
    for (unsigned i = 1; i <= 40; i++) want += i % 2 == 1 ? 1 + i % 5 : 0;
    fill(&f, 1, 40, 2);
    fake_deliver(&f);
    cr_assert_eq(f.late_calls, 20);
    cr_assert_eq(f.late, want);
    for (unsigned i = 1; i <= 40; i++) cr_expect_eq(f.counted[i], i % 2 == 0, "%u", i);
    fake_end(&f);
}

Test(uplink, the_log_says_that_observations_came_late_and_not_how_many) {
    spool_rig r = {0};
    fake_aggregator f;
    char text[4096], *line;
    FILE *log = tmpfile();
    int real = dup(STDERR_FILENO);
    fake_make(&f, &r);
    f.sealed_day = 20778;
    fill(&f, 1, 2, 2);
    fflush(stderr);
    wn_log_level(WN_LEVEL_WARN);
    dup2(fileno(log), STDERR_FILENO);
    fake_deliver(&f);
    dup2(real, STDERR_FILENO);
    cr_assert_gt(f.late, 0);
    rewind(log);
    text[fread(text, 1, sizeof text - 1, log)] = '\0';
    fclose(log);
    close(real);
    cr_assert_not_null(line = strstr(text, "observations arrived after"), "%s", text);
    line[strcspn(line, "\n")] = '\0';
    cr_expect_null(strpbrk(line - 5, "0123456789"), "%s", line);
    fake_end(&f);
}

Test(uplink, a_refused_batch_is_set_aside_and_the_next_goes_on, .timeout = 60) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.refuse_mark = 5;
    fill(&f, 1, 20, 1);
    fake_deliver(&f);
    cr_assert_eq(wn_uplink_refused(f.uplink), 1);
    cr_assert_eq(f.counted[5], 0);
    expect_once(&f, 1, 4);
    expect_once(&f, 6, 20);
    fake_end(&f);
}

Test(uplink, an_unnamed_refusal_costs_only_the_batch_it_meant, .timeout = 60) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.unnamed_mark = 5;
    fill(&f, 1, 20, 1);
    fake_deliver(&f);
    cr_assert_eq(wn_uplink_refused(f.uplink), 1);
    cr_assert_eq(f.counted[5], 0);
    expect_once(&f, 1, 4);
    expect_once(&f, 6, 20);
    fake_end(&f);
}

Test(uplink, a_busy_aggregator_is_left_alone_for_a_second) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    f.busy = 8;
    fill(&f, 1, 8, 1);
    while (f.batches < 8) fake_turn(&f);
    int64_t busy_ms = f.now_ms;
    while (f.now_ms < busy_ms + WN_UPLINK_BUSY_MS - 100) fake_turn(&f);
    cr_assert_eq(f.batches, 8);
    fake_deliver(&f);
    cr_assert_lt(f.now_ms, busy_ms + 3 * WN_UPLINK_BUSY_MS);
    expect_once(&f, 1, 8);
    fake_end(&f);
}

Test(uplink, closing_comes_through_and_closed_goes_back) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    while (f.hellos == 0) fake_turn(&f);
    wn_window w = rig_window(20777);
    fake_tell(&f, &(wn_uplink_msg){.what = WN_ANSWER_CLOSING, .window = w});
    for (int i = 0; i < 200 && f.closed.what == 0; i++) fake_turn(&f);
    cr_assert_eq(f.closings, 1);
    cr_assert(f.closed.what == WN_ASK_CLOSED && f.closed.generation == 77 && f.closed.sequence == 88);
    cr_assert(wn_window_same(&f.closed.window, &w));
    fake_end(&f);
}

Test(uplink, a_question_is_asked_until_it_is_answered) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    wn_window w = rig_window(20700);
    f.mute = true;
    cr_assert(wn_uplink_ask(f.uplink, &w));
    cr_assert(wn_uplink_ask(f.uplink, &w));
    while (f.asks == 0) fake_turn(&f);
    fake_down(&f);
    turns(&f, 20);
    f.mute = false;
    fake_up(&f);
    for (int i = 0; i < 2000 && f.states == 0; i++) fake_turn(&f);
    cr_assert_eq(f.states, 1);
    cr_assert_eq(f.state, WN_WINDOW_NEVER);
    turns(&f, 600);
    cr_assert_eq(f.states, 1);
    fake_end(&f);
}

Test(uplink, questions_have_a_limit) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    for (unsigned i = 0; i < WN_UPLINK_ASKS_MAX; i++) {
        wn_window w = rig_window(1000 + (int32_t)i);
        cr_assert(wn_uplink_ask(f.uplink, &w));
    }
    wn_window w = rig_window(999);
    cr_assert_not(wn_uplink_ask(f.uplink, &w));
    fake_end(&f);
}

Test(uplink, garbage_from_the_aggregator_is_ignored) {
    spool_rig r = {0};
    fake_aggregator f;
    fake_make(&f, &r);
    while (f.hellos == 0) fake_turn(&f);
    static const uint8_t junk[3][4] = {{0xff, 0xff, 0xff, 0xff}, {0x96, 1, 1, 1}, {0}};
    for (int i = 0; i < 3; i++) {
        zmq_send(f.door, f.last_peer.peer, f.last_peer.peer_n, ZMQ_SNDMORE);
        zmq_send(f.door, junk[i], i == 2 ? 0 : 4, 0);
    }
    wn_window w = rig_window(20777);
    fake_tell(&f, &(wn_uplink_msg){.what = 99, .window = w});
    fake_tell(&f,
              &(wn_uplink_msg){.what = WN_ANSWER_ACK, .window = w, .generation = 5, .sequence = UINT64_MAX});
    fake_tell(&f, &(wn_uplink_msg){.what = WN_ANSWER_STATE, .window = w, .sequence = 9});
    fill(&f, 1, 10, 1);
    fake_deliver(&f);
    expect_once(&f, 1, 10);
    cr_assert_eq(f.states, 0);
    fake_end(&f);
}
