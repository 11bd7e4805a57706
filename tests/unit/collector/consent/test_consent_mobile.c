// SPDX-License-Identifier: Apache-2.0
// test_consent_mobile.c: tracking status and advertising ids.
#include <criterion/criterion.h>
#include <string.h>

#include "consent_signals.h"

static wn_span span(const char *text) {
    return (wn_span){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static wn_signal read(const char *status, const char *flag) {
    return wn_att_read(span(status), span(flag));
}

Test(consent_mobile, an_unknown_status_is_a_doubt) {
    static const char *const rows[] = {"",
                                       "4",
                                       "-1 2",
                                       "03",
                                       "yes",
                                       "authorised",
                                       "authorized!",
                                       "denieddenieddenied",
                                       "notdeterminednot",
                                       "notdeterminednota"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) cr_expect(read(rows[i], NULL).doubt, "'%s'", rows[i]);
    static const char *const flags[] = {"", "2", "yes", "truetruetruetruetrue"};
    for (size_t i = 0; i < WN_COUNT(flags); i++) cr_expect(read(NULL, flags[i]).doubt, "'%s'", flags[i]);
    cr_expect(read("3", "").doubt);
}

Test(consent_mobile, only_authorized_refuses_nothing_and_none_grants) {
    static const char *const refusals[] = {"0",
                                           "1",
                                           "2",
                                           "denied",
                                           "Denied",
                                           "restricted",
                                           "notDetermined",
                                           "not-determined",
                                           "NOT_DETERMINED",
                                           "unavailable"};
    for (size_t i = 0; i < WN_COUNT(refusals); i++) {
        wn_signal s = read(refusals[i], "true");
        cr_expect(!s.doubt && s.yes == 0 && s.no == WN_SIGNAL_share, "%s", refusals[i]);
    }
    static const char *const fine[] = {"3", "authorized", "Authorized", NULL};
    for (size_t i = 0; i < WN_COUNT(fine); i++) {
        wn_signal s = read(fine[i], NULL);
        cr_expect(!s.doubt && s.yes == 0 && s.no == 0);
        s = read(fine[i], "false");
        cr_expect(!s.doubt && s.yes == 0 && s.no == WN_SIGNAL_share);
        s = read(fine[i], "0");
        cr_expect_eq(s.no, WN_SIGNAL_share);
        s = read(fine[i], "1");
        cr_expect_eq(s.no, 0);
    }
}

Test(consent_mobile, the_id_of_nobody) {
    cr_expect(wn_zero_advertising_id(span("00000000-0000-0000-0000-000000000000")));
    cr_expect(wn_zero_advertising_id(span("{00000000-0000-0000-0000-000000000000}")));
    cr_expect(wn_zero_advertising_id(span("00000000000000000000000000000000")));
    cr_expect(wn_zero_advertising_id(span(" 00000000-0000-0000-0000-000000000000 ")));
    cr_expect(wn_zero_advertising_id(span("00000000_0000_0000_0000_000000000000")));
    cr_expect(wn_zero_advertising_id(span("0000000000000000")));
    cr_expect(wn_zero_advertising_id(span("0")));
    static const char *const rows[] = {NULL,
                                       "",
                                       "-",
                                       "00000000-0000-0000-0000-000000000001",
                                       "00000000-0000-0000-0000-00000000000O",
                                       "0x0000",
                                       "-----------------------------------------------------------------"};
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_not(wn_zero_advertising_id(span(rows[i])), "'%s'", rows[i] != NULL ? rows[i] : "absent");
    char text[65];
    memset(text, '-', sizeof text);
    memset(text, '0', 32);
    cr_expect(wn_zero_advertising_id((wn_span){(uint8_t *)text, 64}));
    cr_expect_not(wn_zero_advertising_id((wn_span){(uint8_t *)text, 65}));
}
