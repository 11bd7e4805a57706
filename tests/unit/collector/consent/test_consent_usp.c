// SPDX-License-Identifier: Apache-2.0
// test_consent_usp.c: US Privacy strings.
#include <criterion/criterion.h>
#include <string.h>

#include "consent_signals.h"

static wn_signal read(const char *text) {
    return wn_usp_read((wn_span){(const uint8_t *)text, text != NULL ? strlen(text) : 0});
}

Test(consent_usp, anything_else_is_a_doubt) {
    static const char *const rows[] = {"",     "1",    "1YN",  "1YNNN", "2YNN",  "0YNN", "YYNN",    "1YN ",
                                       "1XNN", "1YXN", "1YNX", " 1YNN", "1YNN ", "1Y N", "1YN\xff", "----"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) cr_expect(read(rows[i]).doubt, "'%s'", rows[i]);
    cr_expect(wn_usp_read((wn_span){(const uint8_t *)"1Y\0N", 4}).doubt);
}

// All 125 strings of the right letters.
Test(consent_usp, only_the_opt_out_of_sale_says_something) {
    static const char letters[] = "YyNn-";
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++)
            for (int c = 0; c < 5; c++) {
                const char text[] = {'1', letters[a], letters[b], letters[c], '\0'};
                wn_signal s = read(text);
                cr_expect_eq(s.doubt, false);
                cr_expect_eq(s.yes, 0);
                cr_expect_eq(s.no, b < 2 ? WN_SIGNAL_share : 0, "%s", text);
            }
}

Test(consent_usp, absent_says_nothing) {
    wn_signal s = read(NULL);
    cr_expect(!s.doubt && s.yes == 0 && s.no == 0);
}
