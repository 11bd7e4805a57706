// SPDX-License-Identifier: Apache-2.0
// Bytes that are no record are refused, whichever byte is wrong.
#include "fold_kit.h"
#include "record.h"

static wn_plan plan;
static void setup(void) {
    kit_plan(&plan);
}
TestSuite(record, .init = setup);

// A record with every kind of run, for an empty fold.
static size_t good_record(uint8_t *out, size_t cap) {
    wn_record_out o = {0};
    wn_record_reset(&o, plan.table, (wn_record_state){0});
    wn_value v = {.nonce = {1}, .n = 48};
    wn_network p = {.id = 5, .site = 0}, g = {.id = 6, .site = 0}, g2 = {.id = 8, .site = 0};
    wn_cell_state cell = {.value = {3, 0}, .table = KIT_T_COUNTRY},
                  over = {.value = {WN_VALUE_OVERFLOW, WN_VALUE_OVERFLOW}, .table = KIT_T_ROUTE};
    wn_cell_state both = {.value = {300, 1ull << 40}, .table = KIT_T_BOTH, .epoch = 1};
    wn_member_state m = {.person = 77,
                         .cell = 2,
                         .prefix = 0,
                         .org = 0,
                         .events = 1,
                         .signed_id = 1,
                         .number = KIT_NUMBER_CLAMP};
    cr_assert(wn_record_site(&o, 7) == WN_OK && wn_record_count(&o, 0, 300, 2) == WN_OK &&
              wn_record_value(&o, &v) == WN_OK);
    cr_assert(wn_record_network(&o, WN_RUN_PREFIX, &p) == WN_OK &&
              wn_record_network(&o, WN_RUN_ORG, &g) == WN_OK &&
              wn_record_network(&o, WN_RUN_ORG, &g2) == WN_OK);
    cr_assert(wn_record_cell(&o, &cell) == WN_OK && wn_record_cell(&o, &over) == WN_OK &&
              wn_record_cell(&o, &both) == WN_OK);
    cr_assert_eq(wn_record_join(&o, &m), WN_OK);
    m = (wn_member_state){
        .person = 78, .cell = 0, .org = WN_NONE, .events = 20, .sessions = 20, .bounces = 20, .seconds = 300};
    cr_assert_eq(wn_record_join(&o, &m), WN_OK);
    m = (wn_member_state){.person = 79, .cell = 0, .org = WN_NONE, .events = 3, .sessions = 3};
    cr_assert_eq(wn_record_join(&o, &m), WN_OK);
    const wn_amounts once = {.events = 1},
                     rest = {.events = 17, .sessions = 17, .bounces = 20, .seconds = 36000};
    cr_assert_eq(wn_record_repeat(&o, 0, &once), WN_OK);
    cr_assert_eq(wn_record_repeat(&o, 2, &rest), WN_OK);
    const wn_naming counts = {.person = 77, .table = KIT_T_BOTH, .epoch = 1, .counts = 1},
                    beside = {.person = 77, .org = 1, .table = KIT_T_BOTH, .epoch = 1};
    cr_assert_eq(wn_record_naming(&o, &counts), WN_OK);
    cr_assert_eq(wn_record_naming(&o, &beside), WN_OK);
    wn_record_end(&o);
    cr_assert_eq(o.records, 1);
    wn_span r = wn_record_at(&o, 0);
    cr_assert_leq(r.n, cap);
    memcpy(out, r.p, r.n);
    size_t n = r.n;
    wn_record_fini(&o);
    return n;
}

static wn_err replay(const uint8_t *p, size_t n) {
    wn_fold *f = kit_fold(&plan, 64, 16);
    wn_err err = wn_journal_replay(f, (wn_span){p, n});
    wn_fold_free(f);
    return err;
}

Test(record, a_whole_one_is_taken) {
    uint8_t bytes[1024];
    size_t n = good_record(bytes, sizeof bytes);
    static kit_members all;
    wn_fold *f = kit_fold(&plan, 64, 16);
    cr_assert_eq(wn_journal_replay(f, (wn_span){bytes, n}), WN_OK);
    cr_assert_eq(wn_fold_cells(f), 3);
    cr_assert(wn_fold_refused(f, 7) == 300 && wn_fold_capped(f, 7) == 2 && wn_fold_value_of(f, 1) != NULL);
    wn_cell c;
    wn_fold_cell(f, 2, &c);
    cr_assert(c.table == KIT_T_BOTH && c.epoch == 1 && c.value[0] == 300 && c.value[1] == 1ull << 40 &&
              c.people == 1 && c.events == 2);
    wn_fold_cell(f, 0, &c);
    cr_assert(c.people == 2 && c.events == 40 && c.sessions == 40);
    kit_members_of(f, 2, 0, &all);
    cr_assert(all.n == 1 && all.m[0].person == 77 && all.m[0].signed_id == 1 && all.m[0].org != 0 &&
              all.m[0].number == KIT_NUMBER_CLAMP);
    kit_members_of(f, 0, 0, &all);
    cr_assert(all.m[0].bounces == 20 && all.m[0].seconds == 300);
    cr_assert(all.m[1].bounces == 20 && all.m[1].seconds == 36000 && all.m[1].number == 0);
    wn_fold_free(f);
}

Test(record, every_truncation_inside_a_run_is_refused) {
    uint8_t bytes[1024];
    size_t n = good_record(bytes, sizeof bytes), taken = 0;
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut + 1); // its own end, so that a sanitizer sees a step past it
        memcpy(copy, bytes, cut);
        wn_err err = replay(copy, cut);
        taken += err == WN_OK;
        cr_assert(err == WN_OK || err == WN_ERR_FORMAT);
        free(copy);
    }
    cr_assert_eq(taken, 9, "only a cut before one of the 9 runs leaves a record");
}

Test(record, changed_bytes_never_break_the_fold) {
    uint8_t bytes[1024];
    size_t n = good_record(bytes, sizeof bytes), refused = 0;
    for (size_t at = 0; at < n; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1u << bit);
            wn_err err = replay(bytes, n);
            refused += err != WN_OK;
            cr_assert(err == WN_OK || err == WN_ERR_FORMAT || err == WN_ERR_STATE || err == WN_ERR_VERSION);
            bytes[at] ^= (uint8_t)(1u << bit);
        }
    }
    cr_assert_gt(refused, n);
}

// A head for the empty fold, then `tail`.
static wn_err replay_runs(const uint8_t *tail, size_t n) {
    uint8_t bytes[256] = {WN_RECORD_VERSION};
    memcpy(bytes + 7, tail, n);
    return replay(bytes, 7 + n);
}
#define SITE WN_RUN_SITE, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0
#define PREFIX WN_RUN_PREFIX, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0
#define CELL WN_RUN_CELL, 1, 0, 0, 0, 0, 0, KIT_T_COUNTRY, 3
#define ORG WN_RUN_ORG, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0
#define ORG2 WN_RUN_ORG, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0
#define NAMING WN_RUN_NAMING, 1, 0, 0, 0
#define NAMING2 WN_RUN_NAMING, 2, 0, 0, 0
#define PERSON 9, 0, 0, 0, 0, 0, 0, 0
#define REFUSED(...)                                                                                         \
    do {                                                                                                     \
        const uint8_t bytes_[] = {__VA_ARGS__};                                                              \
        cr_assert_eq(replay_runs(bytes_, sizeof bytes_), WN_ERR_FORMAT, #__VA_ARGS__);                       \
    } while (0)
#define TAKEN(...)                                                                                           \
    do {                                                                                                     \
        const uint8_t bytes_[] = {__VA_ARGS__};                                                              \
        cr_assert_eq(replay_runs(bytes_, sizeof bytes_), WN_OK, #__VA_ARGS__);                               \
    } while (0)

Test(record, refuses_what_does_not_hold_together) {
    TAKEN(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0);
    REFUSED(0, 1, 0, 0, 0); // no such run
    REFUSED(10, 1, 0, 0, 0, 0);
    TAKEN(SITE, ORG, NAMING, 0, KIT_T_COUNTRY, 3, PERSON);
    REFUSED(SITE, NAMING, 0, KIT_T_COUNTRY, 3, PERSON);                         // of no organisation
    REFUSED(SITE, ORG, NAMING, 0, KIT_TABLES, 3, PERSON);                       // of no table
    REFUSED(SITE, ORG, NAMING, 0, KIT_T_COUNTRY | WN_NAMING_BESIDE, 3, PERSON); // beside none
    REFUSED(SITE, ORG, NAMING2, 0, KIT_T_COUNTRY, 3, PERSON, 0, KIT_T_COUNTRY, 3, PERSON); // twice
    TAKEN(SITE, ORG2, NAMING2, 0, 1, 3, PERSON, 1, 1 | WN_NAMING_BESIDE, 3, PERSON);
    REFUSED(SITE, ORG2, NAMING2, 0, 1, 3, PERSON, 1, 1, 3, PERSON); // two that count
    REFUSED(SITE, WN_RUN_COUNT, 0, 0, 0, 0);                        // an empty run
    REFUSED(SITE, SITE);                                            // twice
    REFUSED(PREFIX);                                                // of no site
    REFUSED(SITE, PREFIX, PREFIX);
    REFUSED(SITE, CELL, CELL);
    REFUSED(SITE, WN_RUN_COUNT, 1, 0, 0, 0, 1, 0, 0);       // of a site that is not there
    REFUSED(SITE, WN_RUN_COUNT, 1, 0, 0, 0, 0, 0x80, 0, 0); // not the shortest number
    REFUSED(SITE, WN_RUN_COUNT, 1, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2,
            0);                                                                 // over 64 bits
    REFUSED(SITE, WN_RUN_CELL, 1, 0, 0, 0, 0, 0, KIT_TABLES);                   // no such table
    REFUSED(SITE, WN_RUN_CELL, 1, 0, 0, 0, 0, 0, KIT_T_COUNTRY, 0);             // no value
    REFUSED(SITE, WN_RUN_CELL, 1, 0, 0, 0, 0, 0, KIT_T_COUNTRY, 0x80, 0x80, 4); // value over 16 bits
    REFUSED(SITE, WN_RUN_CELL, 1, 0, 0, 0, 0, 0,
            KIT_T_COUNTRY | WN_CELL_OVERFLOW); // closed values do not overflow
    REFUSED(SITE, WN_RUN_CELL, 1, 0, 0, 0, 0, 0, KIT_T_ROUTE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF);
    REFUSED(SITE, WN_RUN_VALUE, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0);                                                                 // n = 0
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, 0, PERSON, 0);               // names no cell
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 2, PERSON, 0); // cell 1 of 1
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 1, PERSON, 0); // cell -1
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 1); // prefix 1 of 1
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL | WN_JOIN_ORG, 0, PERSON, 0,
            0); // no organisations
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 2, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0, 0, PERSON,
            0);                                  // the same person twice
    REFUSED(SITE, WN_RUN_REPEAT, 1, 0, 0, 0, 1); // nobody is there
    TAKEN(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0, WN_RUN_REPEAT, 1, 0, 0, 0,
          0, 1, 20);
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0, WN_RUN_REPEAT, 1, 0, 0,
            0, 0, 1, 21);
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0, WN_RUN_REPEAT, 2, 0, 0,
            0, 1, 1); // no ascent
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0, WN_RUN_REPEAT, 1, 0, 0,
            0, 3);
}

// A person who joins one cell of table `t` with these amounts.
#define LARGE(t, ...)                                                                                        \
    SITE, PREFIX, WN_RUN_CELL, 1, 0, 0, 0, 0, 0, t, 3, WN_RUN_JOIN, 1, 0, 0, 0,                              \
        WN_JOIN_CELL | WN_JOIN_LARGE, 0, PERSON, 0, __VA_ARGS__
enum { EVENTS = 1, SESSIONS = 2, BOUNCES = 4, SECONDS = 8, NUMBER = 16 };

Test(record, amounts_are_within_their_clamps_and_no_session_s_part_is_without_one) {
    TAKEN(LARGE(KIT_T_COUNTRY, EVENTS | SESSIONS, 20, 20));
    REFUSED(LARGE(KIT_T_COUNTRY, EVENTS, 21));
    REFUSED(LARGE(KIT_T_COUNTRY, EVENTS | SESSIONS, 20, 21));
    REFUSED(LARGE(KIT_T_COUNTRY, 0));                          // nothing at all
    REFUSED(LARGE(KIT_T_COUNTRY, EVENTS, 0));                  // named, and none
    REFUSED(LARGE(KIT_T_COUNTRY, EVENTS | NUMBER << 1, 1, 1)); // no such amount
    TAKEN(LARGE(KIT_T_COUNTRY, SESSIONS | BOUNCES | SECONDS, 20, 20, 0xA0, 0x99, 2));
    REFUSED(LARGE(KIT_T_COUNTRY, SESSIONS | SECONDS, 20, 0xA1, 0x99, 2)); // 36,001 s
    REFUSED(LARGE(KIT_T_COUNTRY, SESSIONS | BOUNCES, 1, 2));
    REFUSED(LARGE(KIT_T_COUNTRY, BOUNCES, 1));
    TAKEN(LARGE(KIT_T_COUNTRY, SESSIONS | SECONDS, 1, 0x88, 14)); // 1,800 s
    REFUSED(LARGE(KIT_T_COUNTRY, SESSIONS | SECONDS, 1, 0x89, 14));
    REFUSED(LARGE(KIT_T_COUNTRY, EVENTS | NUMBER, 1, 1)); // of a table without
    REFUSED(SITE, PREFIX, WN_RUN_CELL, 1, 0, 0, 0, 0, 0, KIT_T_ALL, WN_RUN_JOIN, 1, 0, 0, 0,
            WN_JOIN_CELL | WN_JOIN_LARGE, 0, PERSON, 0, SESSIONS | SECONDS, 1, 1);
    REFUSED(SITE, PREFIX, CELL, WN_RUN_JOIN, 1, 0, 0, 0,
            WN_JOIN_CELL | WN_JOIN_LARGE | 1 << WN_JOIN_EVENTS_SHIFT, 0, PERSON, 0, EVENTS, 9); // said twice
    const uint8_t route[] = {SITE,        PREFIX,
                             WN_RUN_CELL, 1,
                             0,           0,
                             0,           0,
                             0,           KIT_T_ROUTE,
                             9,           0,
                             0,           0,
                             0,           0,
                             0,           0,
                             WN_RUN_JOIN, 1,
                             0,           0,
                             0,           WN_JOIN_CELL | WN_JOIN_LARGE,
                             0,           PERSON,
                             0,           EVENTS | NUMBER,
                             1,           KIT_NUMBER_CLAMP};
    uint8_t over[sizeof route];
    memcpy(over, route, sizeof route);
    over[sizeof over - 1]++;
    cr_assert_eq(replay_runs(route, sizeof route), WN_OK);
    cr_assert_eq(replay_runs(over, sizeof over), WN_ERR_FORMAT);
    // What a repeat adds counts with what was there.
    TAKEN(LARGE(KIT_T_COUNTRY, SESSIONS | SECONDS, 1, 0x88, 14), WN_RUN_REPEAT, 1, 0, 0, 0, 0,
          SESSIONS | BOUNCES | SECONDS, 1, 2, 0x88, 14);
    REFUSED(LARGE(KIT_T_COUNTRY, SESSIONS | SECONDS, 1, 0x88, 14), WN_RUN_REPEAT, 1, 0, 0, 0, 0, SECONDS, 1);
    REFUSED(LARGE(KIT_T_COUNTRY, SESSIONS | BOUNCES, 1, 1), WN_RUN_REPEAT, 1, 0, 0, 0, 0, BOUNCES, 1);
}

Test(record, network_of_another_site_is_refused) {
    REFUSED(SITE, WN_RUN_SITE, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, WN_RUN_PREFIX, 1, 0, 0, 0, 1, 5, 0, 0, 0,
            0, 0, 0, 0, CELL, WN_RUN_JOIN, 1, 0, 0, 0, WN_JOIN_CELL, 0, PERSON, 0);
}

Test(record, another_version_state_or_size_is_named) {
    uint8_t *bytes = calloc(1, WN_JOURNAL_BYTES_MAX + 1);
    size_t n = good_record(bytes, WN_JOURNAL_BYTES_MAX);
    bytes[0]++;
    cr_assert_eq(replay(bytes, n), WN_ERR_VERSION);
    bytes[0]--;
    for (unsigned i = 1; i <= 6; i++) {
        bytes[i]++;
        cr_assert_eq(replay(bytes, n), WN_ERR_STATE);
        bytes[i]--;
    }
    cr_assert_eq(replay(bytes, n), WN_OK);
    cr_assert_eq(replay(bytes, WN_JOURNAL_BYTES_MAX + 1), WN_ERR_FORMAT);
    free(bytes);
}

Test(record, sites_end_at_their_limit) {
    wn_fold *f = kit_fold(&plan, 64, 16);
    for (uint64_t tag = 1; tag <= WN_POOL_SITES_MAX; tag++) cr_assert_eq(wn_fold_count(f, tag, 1, 0), WN_OK);
    cr_assert_eq(wn_fold_count(f, WN_POOL_SITES_MAX + 1, 1, 0), WN_ERR_FULL);
    cr_assert_eq(wn_fold_count(f, 1, 1, 0), WN_OK);
    wn_fold_free(f);
}
