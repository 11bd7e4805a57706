// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "canary_forms.h"

Test(canary_kinds, same_seed_and_number_give_the_same_identifier) {
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        char a[WN_CANARY_TEXT_MAX], b[WN_CANARY_TEXT_MAX];
        wn_canary_make(5, (wn_canary_kind)k, 77, a);
        wn_canary_make(5, (wn_canary_kind)k, 77, b);
        cr_assert_str_eq(a, b);
    }
}

Test(canary_kinds, seed_number_and_kind_each_change_it) {
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        char a[WN_CANARY_TEXT_MAX], b[WN_CANARY_TEXT_MAX];
        wn_canary_make(5, (wn_canary_kind)k, 77, a);
        wn_canary_make(5, (wn_canary_kind)k, 78, b);
        cr_assert_str_neq(a, b);
        wn_canary_make(6, (wn_canary_kind)k, 77, b);
        cr_assert_str_neq(a, b);
        wn_canary_make(5, (wn_canary_kind)((k + 1) % WN_CANARY_KIND_N), 77, b);
        cr_assert_str_neq(a, b);
    }
}

Test(canary_kinds, every_identifier_is_long_enough_to_look_for) {
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        for (uint32_t n = 0; n < 2000; n++) {
            char id[WN_CANARY_TEXT_MAX];
            wn_canary_make(1, (wn_canary_kind)k, n, id);
            cr_assert_geq(strlen(id), WN_CANARY_PATTERN_MIN + 1u, "%s %u",
                          wn_canary_kind_name((wn_canary_kind)k), n);
        }
    }
}

Test(canary_kinds, cards_pass_luhn) {
    for (uint32_t n = 0; n < 500; n++) {
        char id[WN_CANARY_TEXT_MAX];
        wn_canary_make(3, WN_CANARY_card, n, id);
        int sum = 0;
        for (size_t i = 0; i < 16; i++) {
            int d = id[15 - i] - '0';
            sum += i % 2 == 0 ? d : d * 2 > 9 ? d * 2 - 9 : d * 2;
        }
        cr_assert_eq(sum % 10, 0, "%s", id);
        cr_assert_eq(strlen(id), 16u);
    }
}

Test(canary_kinds, names_of_kinds_lead_back) {
    cr_assert_eq(wn_canary_kind_by_name("emai", 4), WN_CANARY_KIND_N);
    cr_assert_eq(wn_canary_kind_by_name("emailx", 6), WN_CANARY_KIND_N);
    for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
        const char *name = wn_canary_kind_name((wn_canary_kind)k);
        cr_assert_eq(wn_canary_kind_by_name(name, strlen(name)), (wn_canary_kind)k);
    }
}
