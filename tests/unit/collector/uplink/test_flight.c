// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "flight.h"

static wn_flown batch(int32_t day, uint64_t generation, uint64_t sequence) {
    return (wn_flown){.window = {.zone = "UTC", .day = day}, .generation = generation, .sequence = sequence};
}

Test(flight, settles_up_to_and_only_in_its_stream) {
    wn_flight f = {.n = 0};
    wn_flown list[] = {batch(1, 5, 1), batch(1, 5, 2), batch(2, 5, 1), batch(1, 6, 1), batch(1, 5, 3)};
    for (size_t i = 0; i < WN_COUNT(list); i++) wn_flight_push(&f, &list[i]);
    cr_assert_eq(wn_flight_settle(&f, &list[0].window, 5, 2), 2);
    cr_assert_eq(wn_flight_settle(&f, &list[0].window, 5, 2), 0, "settled twice");
    cr_assert_eq(wn_flight_unsettled(&f), 3);
    wn_flight_drop_unsettled(&f);
    cr_assert_eq(f.n, 2);
    cr_assert_not_null(wn_flight_find(&f, &list[0].window, 5, 2));
    cr_assert_null(wn_flight_find(&f, &list[2].window, 5, 1));
    wn_flight_take_out(&f, 0);
    cr_assert(f.n == 1 && f.list[0].sequence == 2);
}

Test(flight, counts_the_messages_that_still_wait_for_an_answer) {
    wn_flight f = {.n = 0};
    cr_assert_eq(wn_flight_messages(&f), 0);
    for (uint64_t i = 1; i <= 6; i++) {
        wn_flown b = batch((int32_t)(i % 2), 5, i);
        b.message = (i + 2) / 3;
        wn_flight_push(&f, &b);
    }
    cr_assert_eq(wn_flight_messages(&f), 2);
    cr_assert_eq(wn_flight_settle(&f, &f.list[0].window, 5, 6), 3);
    cr_assert_eq(wn_flight_messages(&f), 2);
    cr_assert_eq(wn_flight_settle(&f, &f.list[1].window, 5, 2), 1);
    cr_assert_eq(wn_flight_messages(&f), 1, "a message is out of the way when all of it is");
    cr_assert_eq(wn_flight_settle(&f, &f.list[1].window, 5, 6), 2);
    cr_assert(wn_flight_messages(&f) == 0 && f.n == 6);
}
