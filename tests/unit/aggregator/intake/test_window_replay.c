// SPDX-License-Identifier: Apache-2.0
// A daemon that was killed acks while it replays: nothing counts twice, nothing
// is lost, and nothing is published before a window is whole.
#include "clock.h"
#include "store_support.h"
#include "windows_impl.h"

#define NOW (20777LL * 86400 + 40000)
#define SITE "example"

static char *folder, *open_dir;
static wn_window day;
static wn_options options;
static wn_site site;
static wn_sites sites = {&site, 1};
static const wn_sites *borrowed = &sites;
static wn_plan plan;
static wn_slots *slots;
static wn_published *published;
static wn_kept identity;
static wn_windows *ws;
static wn_batch_reader reader;
static uint8_t bytes[WN_BATCH_BYTES_MAX];

// One life of the daemon; the kept identity keys outlive it.
static void live(int64_t replay_ms) {
    char path[300];
    snprintf(path, sizeof path, "%s/slots", folder);
    cr_assert_eq(wn_slots_open(path, false, &slots), WN_OK);
    cr_assert_eq(wn_published_open(folder, test_key, false, MAP_BYTES, &published), WN_OK);
    wn_windows_env env = {.options = &options,
                          .sites = &borrowed,
                          .plan = &plan,
                          .slots = slots,
                          .identity = &identity,
                          .published = published,
                          .open_dir = open_dir,
                          .p_percent = 20,
                          .replay_ms = replay_ms};
    cr_assert_eq(wn_windows_open(&env, NOW, &ws), WN_OK);
}

static void killed(void) {
    wn_windows_close(ws);
    wn_published_close(published);
    wn_slots_close(slots);
}

static void setup(void) {
    char why[100];
    int line = 0;
    folder = folder_new();
    cr_assert(asprintf(&open_dir, "%s/open", folder) > 0);
    cr_assert_eq(mkdir(open_dir, 0700), 0);
    day = window_of_day(20777);
    wn_options_defaults(&options);
    snprintf(site.name, sizeof site.name, SITE);
    site.tag = wn_site_tag(SITE);
    cr_assert_eq(wn_plan_load(wn_plan_default, strlen(wn_plan_default), &plan, why, sizeof why, &line),
                 WN_OK);
    cr_assert_eq(wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &identity), WN_OK);
    live(0);
}

static void teardown(void) {
    killed();
    wn_plan_fini(&plan);
    free(open_dir);
    folder_free(folder);
}

TestSuite(window_replay, .init = setup, .fini = teardown);

// Views by people [first, first + n), each from a network of their own.
static wn_answer take(uint64_t sequence, unsigned first, unsigned n, bool *out_deferred) {
    wn_batch_builder *b = NULL;
    const wn_value *none[WN_OPEN_N] = {NULL};
    wn_batch_head head = {.id = {.collector = "collector-------", .generation = 5, .sequence = sequence},
                          .window = day,
                          .policy_version = 1};
    size_t size = 0;
    cr_assert_eq(wn_batch_builder_new(&b), WN_OK);
    for (unsigned i = first; i < first + n; i++) {
        wn_observation o = {.prefix = i + 1, .site = site.tag, .kind = WN_OBS_VIEW};
        memcpy(o.person, &i, sizeof i);
        cr_assert_eq(wn_batch_builder_add(b, &o, none), WN_OK);
    }
    cr_assert_eq(wn_batch_builder_finish(b, &head, bytes, sizeof bytes, &size), WN_OK);
    wn_batch_builder_free(b);
    cr_assert_eq(wn_batch_reader_init(&reader, (wn_span){bytes, size}), WN_OK);
    return wn_windows_take(ws, &reader, (wn_span){bytes, size}, NOW, &sequence, out_deferred);
}

static void commit(void) {
    cr_assert_eq(wn_windows_stage(ws, NOW), WN_OK);
    cr_assert_eq(wn_windows_commit(ws), WN_OK);
    wn_windows_committed(ws);
}

static void sent(uint64_t sequence, unsigned first, unsigned n) {
    bool deferred = false;
    cr_assert_eq(take(sequence, first, n, &deferred), WN_ANSWER_ACK);
    cr_assert(deferred, "an ack waits for its commit");
    commit();
}

// Is this batch durable? Asking again must neither count it nor wait.
static bool durable(uint64_t sequence, unsigned first, unsigned n) {
    bool deferred = true;
    return take(sequence, first, n, &deferred) == WN_ANSWER_ACK && !deferred;
}

static wn_cell everybody(void) {
    static const uint64_t none[2] = {0, 0};
    const wn_fold *f = ws->open[0]->fold;
    size_t at = wn_fold_find(f, site.tag, 0, none, 0);
    wn_cell c;
    cr_assert_neq(at, SIZE_MAX);
    wn_fold_cell(f, at, &c);
    return c;
}

static void whole(void) {
    cr_assert_eq(wn_windows_work(ws, INT64_MAX), WN_OK);
    cr_assert_not(wn_windows_replaying(ws));
    for (int i = 0; i < 100 && wn_windows_staged(ws); i++) commit();
    cr_assert_not(wn_windows_staged(ws));
    cr_assert_eq(wn_windows_work(ws, INT64_MAX), WN_OK);
}

static bool key_there(void) {
    uint8_t key[32];
    return wn_slots_get(slots, "held", key) == WN_OK;
}

Test(window_replay, what_is_acked_before_the_fold_is_whole_counts_once) {
    sent(1, 0, 30);
    sent(2, 20, 30); // people 0..49, 60 views
    cr_assert_not(key_there());
    killed();
    live(0);
    cr_assert(wn_windows_replaying(ws));
    sent(3, 40, 21); // people 0..60, 81 views
    cr_assert(durable(3, 40, 21));
    cr_assert(durable(2, 20, 30));
    killed(); // again, with a batch held
    live(0);
    cr_assert(durable(3, 40, 21), "an ack survives the next kill");
    sent(4, 0, 8);
    whole();
    cr_assert_eq(everybody().people, 61);
    cr_assert_eq(everybody().events, 89);
    sent(5, 100, 1);
    cr_assert_eq(everybody().people, 62);
    killed(); // what was held is in the journal now, and only there
    live(60000);
    whole();
    cr_assert_eq(everybody().people, 62);
    cr_assert_eq(everybody().events, 90);
}

Test(window_replay, what_was_taken_but_not_committed_is_asked_for_again) {
    bool deferred = false;
    uint64_t sequence = 3;
    sent(1, 0, 30);
    killed();
    live(0);
    cr_assert_eq(take(2, 0, 30, &deferred), WN_ANSWER_ACK);
    cr_assert(deferred);
    cr_assert_eq(take(2, 0, 30, &deferred), WN_ANSWER_ACK);
    cr_assert(deferred, "taken, and not durable");
    cr_assert_eq(take(sequence + 1, 0, 1, &deferred), WN_ANSWER_EXPECT);
    killed();
    live(0);
    sent(2, 30, 5); // as nobody was told otherwise
    whole();
    cr_assert_eq(everybody().people, 35);
    cr_assert_eq(everybody().events, 35);
}

Test(window_replay, a_window_that_becomes_whole_with_batches_in_hand_counts_them_once) {
    bool deferred = false;
    sent(1, 0, 30);
    killed();
    live(0);
    sent(2, 30, 5);
    cr_assert_eq(take(3, 35, 5, &deferred), WN_ANSWER_ACK); // held, in memory
    cr_assert_eq(wn_windows_work(ws, INT64_MAX), WN_OK);
    cr_assert_eq(take(4, 40, 5, &deferred), WN_ANSWER_ACK); // gathered
    whole();
    cr_assert(durable(4, 40, 5));
    cr_assert_eq(everybody().people, 45);
    cr_assert_eq(everybody().events, 45);
}

static bool take_row(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    (void)head;
    if (n == 1) *(uint32_t *)ctx = rows[0].people;
    return true;
}

static uint32_t shown(void) {
    uint32_t people = 0;
    cr_assert_eq(wn_published_scan(published, SITE, "traffic", day.start_s, day.end_s, take_row, &people),
                 WN_OK);
    return people;
}

Test(window_replay, nothing_is_published_from_half_a_fold) {
    static const uint8_t nobody[1][16] = {{0}};
    size_t moved = 0;
    uint64_t tick = 0;
    bool is_sealed = true;
    sent(1, 0, 30);
    cr_assert_eq(wn_windows_tick(ws, NOW, &moved), WN_OK);
    cr_assert_gt(moved, 0);
    cr_assert_eq(shown(), 30);
    for (uint64_t i = 2; i < 12; i++) sent(i, (unsigned)i * 100, 30);
    killed();
    live(0);
    cr_assert_eq(wn_windows_close_begin(ws, &day, true, NOW), WN_OK);
    wn_window_info info;
    for (int record = 0; record < 11; record++) {
        wn_windows_info(ws, 0, &info);
        cr_assert_lt(info.replayed_percent, 100);
        moved = 0;
        cr_assert_eq(wn_windows_tick(ws, NOW, &moved), WN_OK);
        cr_assert_eq(moved, 0);
        cr_assert_not(wn_windows_drained(ws, &day, nobody, 0, NOW + options.seal_hold_s + 1));
        cr_assert_eq(wn_published_window(published, &day, &tick, &is_sealed), WN_OK);
        cr_assert(tick == 1 && !is_sealed);
        cr_assert_eq(wn_windows_work(ws, 0), WN_OK); // one record
    }
    whole();
    wn_windows_info(ws, 0, &info);
    cr_assert_eq(info.replayed_percent, 100);
    cr_assert(wn_windows_drained(ws, &day, nobody, 0, NOW + options.seal_hold_s + 1));
    cr_assert_eq(wn_windows_tick(ws, NOW, &moved), WN_OK);
    cr_assert_gt(moved, 0);
    cr_assert_eq(shown(), 330);
}

Test(window_replay, the_key_of_what_is_held_dies_when_it_has_been_folded) {
    sent(1, 0, 30);
    killed();
    live(0);
    cr_assert_not(key_there());
    sent(2, 30, 1);
    cr_assert(key_there());
    cr_assert_eq(wn_windows_work(ws, INT64_MAX), WN_OK);
    cr_assert(key_there(), "whole, but it still waits");
    killed();
    live(60000);
    cr_assert(key_there());
    whole();
    cr_assert_not(key_there());
    cr_assert_eq(everybody().people, 31);
}

Test(window_replay, what_is_held_is_not_read_under_another_key) {
    static const char *const names[] = {"held", NULL};
    bool deferred = false;
    uint8_t key[32];
    sent(1, 0, 30);
    killed();
    live(0);
    sent(2, 30, 1);
    cr_assert_eq(wn_slots_forget(slots, names), WN_OK);
    cr_assert_eq(wn_slots_make(slots, "held", key), WN_OK);
    killed();
    live(60000);
    cr_assert_eq(wn_windows_stage(ws, NOW), WN_OK);
    cr_assert_eq(wn_windows_count(ws), 0);
    cr_assert_eq(wn_windows_bad(ws), 1);
    cr_assert_eq(take(3, 0, 1, &deferred), WN_ANSWER_SEALED);
    cr_assert_eq(wn_windows_work(ws, INT64_MAX), WN_OK);
    cr_assert_not(key_there());
}

Test(window_replay, a_window_found_damaged_while_it_replays_is_set_aside_and_the_others_go_on) {
    static const uint8_t second[8] = {0, 0, 0, 0, 0, 0, 0, 2};
    MDB_val gone = {8, (void *)(uintptr_t)second};
    char text[WN_WINDOW_TEXT_BYTES], path[400];
    bool deferred = false;
    for (uint64_t i = 1; i < 4; i++) sent(i, 0, 30);
    wn_window bad = day;
    day = window_of_day(20776);
    sent(1, 0, 30);
    killed();
    wn_window_text(&bad, text);
    snprintf(path, sizeof path, "%s/%s", open_dir, text);
    raw_edit(path, "journal", raw_delete, &gone);
    live(0);
    cr_assert_eq(wn_windows_bad(ws), 0);
    sent(2, 30, 1);
    whole();
    cr_assert_eq(wn_windows_bad(ws), 1);
    cr_assert_eq(wn_windows_count(ws), 1);
    cr_assert_eq(everybody().people, 31);
    day = bad;
    cr_assert_eq(take(4, 0, 1, &deferred), WN_ANSWER_SEALED);
}
