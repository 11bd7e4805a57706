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
