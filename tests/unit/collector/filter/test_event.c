// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "event_body.h"
#include "rows.h"

static wn_event *fresh(void) {
    wn_event *e = malloc(wn_event_bytes());
    cr_assert_not_null(e);
    wn_event_init(e);
    return e;
}

Test(event, takes_every_field_at_its_longest_and_refuses_one_byte_more) {
    static const char bytes[8192];
    wn_event *e = fresh();
    for (unsigned f = 0; f < WN_FIELD_N; f++)
        cr_expect_eq(wn_event_set(e, (wn_field)f, bytes, wn_field_bytes_max((wn_field)f)), WN_KEEP, "%u", f);
    cr_expect_eq(e->used, WN_EVENT_ARENA_BYTES);
    cr_expect_eq(e->verdict, WN_KEEP);
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        wn_event_wipe(e);
        cr_expect_eq(wn_event_set(e, (wn_field)f, bytes, wn_field_bytes_max((wn_field)f) + 1),
                     WN_VERDICT_too_long);
        cr_expect_eq(e->verdict, WN_VERDICT_too_long);
    }
    free(e);
}

Test(event, refuses_a_second_value_of_any_field_and_stays_refused) {
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        if (f == WN_FIELD_purposes) continue;
        wn_event *e = fresh();
        cr_expect_eq(wn_event_set(e, (wn_field)f, "1", 1), WN_KEEP);
        cr_expect_eq(wn_event_set(e, (wn_field)f, "1", 1), WN_VERDICT_duplicate_field);
        wn_event_refuse(e, WN_VERDICT_malformed);
        cr_expect_eq(e->verdict, WN_VERDICT_duplicate_field);
        free(e);
    }
}

Test(event, an_empty_value_counts_as_a_first_one) {
    wn_event *e = fresh();
    cr_expect_eq(wn_event_set(e, WN_FIELD_url, NULL, 0), WN_KEEP);
    cr_expect_eq(wn_event_get(e, WN_FIELD_url).n, 0);
    cr_expect_eq(wn_event_set(e, WN_FIELD_url, "/", 1), WN_VERDICT_duplicate_field);
    free(e);
}

Test(event, takes_purposes_item_by_item_but_only_one_list) {
    wn_event *e = fresh();
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, NULL, 0), WN_KEEP);
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, "basic", 5), WN_KEEP);
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, "measure", 7), WN_KEEP);
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, "measure", 7), WN_KEEP);
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, "all", 3), WN_KEEP);
    cr_expect_eq(e->granted, 1u << WN_PURPOSE_basic | 1u << WN_PURPOSE_measure);
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, NULL, 0), WN_VERDICT_duplicate_field);
    free(e);
}

Test(event, refuses_a_list_of_purposes_past_its_limit) {
    wn_event *e = fresh();
    for (unsigned i = 0; i < 256 / 8; i++)
        cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, "measures", 8), WN_KEEP);
    cr_expect_eq(wn_event_set(e, WN_FIELD_purposes, "x", 1), WN_VERDICT_too_long);
    free(e);
}

Test(event, wipe_leaves_no_byte_of_a_value) {
    wn_event *e = malloc(wn_event_bytes());
    memset(e, 0, wn_event_bytes());
    wn_event_init(e);
    const char secret[] = "alice.smith.4711";
    wn_event_set(e, WN_FIELD_site, "example", 7);
    wn_event_set(e, WN_FIELD_user_id, secret, sizeof secret - 1);
    wn_event_set(e, WN_FIELD_url, secret, sizeof secret - 1);
    wn_event_wipe(e);
    cr_expect_null(memmem(e, wn_event_bytes(), secret, 4));
    cr_expect_null(memmem(e, wn_event_bytes(), "exam", 4));
    cr_expect_not(wn_event_has(e, WN_FIELD_user_id));
    cr_expect_eq(wn_event_set(e, WN_FIELD_user_id, "b", 1), WN_KEEP);
    free(e);
}

Test(rows, name_every_field_and_verdict_once) {
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        const char *name = wn_field_name((wn_field)f);
        cr_expect_eq(wn_field_by_name(name, strlen(name)), f);
        cr_expect(strchr("CSH", wn_field_from((wn_field)f)));
    }
    cr_expect_eq(wn_field_by_name("password", 8), WN_FIELD_N);
    cr_expect_eq(wn_field_by_name("sit", 3), WN_FIELD_N);
    cr_expect_eq(wn_field_by_name("", 0), WN_FIELD_N);
    cr_expect_str_eq(wn_verdict_name(WN_VERDICT_foreign_host), "foreign_host");
    cr_expect(wn_verdict_about_person(WN_VERDICT_refused) && wn_verdict_about_person(WN_VERDICT_late));
    cr_expect_not(wn_verdict_about_person(WN_VERDICT_bot));
}
