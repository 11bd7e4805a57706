// SPDX-License-Identifier: Apache-2.0
// The index finds every item it was given, through all its growth, and no other.
#include <criterion/criterion.h>

#include "pool.h"

static wn_pool pool;

static void teardown(void) {
    wn_pool_fini(&pool);
}

TestSuite(pool, .fini = teardown);

static uint32_t find(uint32_t cell, uint64_t person) {
    return wn_pool_find_member(&pool, wn_member_hash(cell, person), cell, person);
}

static void add(uint32_t cell, uint64_t person) {
    uint32_t at = WN_NONE, want = pool.members_n;
    wn_member_state m = {.person = person,
                         .cell = cell,
                         .next = WN_NONE,
                         .prefix = 3,
                         .org = WN_NONE,
                         .events = 2,
                         .bounces = 4,
                         .seconds = 500,
                         .number = 600};
    cr_assert_eq(wn_pool_add_member(&pool, &m, &at), WN_OK);
    cr_assert_eq(at, want);
    const wn_member_state *got = wn_pool_member(&pool, at);
    cr_assert(got->person == person && got->cell == cell && got->next == WN_NONE && got->prefix == 3 &&
              got->org == WN_NONE && got->events == 2 && got->sessions == 0 && got->signed_id == 0);
    cr_assert(got->bounces == 4 && got->seconds == 500 && got->number == 600);
}

Test(pool, an_empty_index_finds_nothing) {
    uint32_t site;
    cr_assert_eq(find(0, 0), WN_NONE);
    cr_assert_eq(wn_pool_find_site(&pool, 1), WN_NONE);
    cr_assert_eq(wn_index_peek(&pool.member_index, 1), WN_NONE);
    cr_assert_eq(wn_pool_add_site(&pool, 1, &site), WN_OK);
    cr_assert_eq(wn_pool_find_site(&pool, 2), WN_NONE);
}

// 0 to 2^17 is many growths, with bits of the hash above the number and without most of them.
Test(pool, every_member_is_found_through_all_growth_and_no_other) {
    enum { MEMBERS = 131073 };
    for (uint32_t i = 0; i < MEMBERS; i++) {
        add(i % 7, i / 7 * UINT64_C(0x9E3779B97F4A7C15));
        if ((i & (i - 1)) != 0 && i != MEMBERS - 1) continue; // before and after each growth
        for (uint32_t j = 0; j <= i; j++)
            cr_assert_eq(find(j % 7, j / 7 * UINT64_C(0x9E3779B97F4A7C15)), j, "%u of %u", j, i);
        for (uint32_t j = 0; j < 1000; j++) cr_assert_eq(find(7, j), WN_NONE);
    }
}

// The same place for all, and for some the same bits above it: only the key tells them apart.
Test(pool, items_of_one_place_are_told_apart_by_their_keys) {
    wn_index ix = {.cap = 64};
    cr_assert_eq(wn_growing_reserve(&ix.slots, ix.cap * sizeof(uint32_t)), WN_OK);
    for (uint32_t i = 0; i < 32; i++)
        wn_index_put(&ix, (uint64_t)(i & 3) << 60 | 62, i); // wraps round the end
    for (uint64_t above = 0; above < 5; above++) {
        uint32_t n = 0;
        for (wn_index_walk w = wn_index_begin(&ix, above << 60 | 62); wn_index_next(&w); n++)
            cr_assert(w.at < 32 && (w.at & 3) == above && w.at == 4 * n + above);
        cr_assert_eq(n, above < 4 ? 8 : 0);
    }
    wn_growing_fini(&ix.slots, ix.cap * sizeof(uint32_t));
}

Test(pool, a_full_pool_takes_no_more) {
    uint32_t at;
    wn_member_state m = {.person = 1};
    pool.members_n = WN_POOL_MEMBERS_MAX;
    cr_assert_eq(wn_pool_add_member(&pool, &m, &at), WN_ERR_FULL);
    pool.members_n = 0;
}
