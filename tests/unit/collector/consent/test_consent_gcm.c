// SPDX-License-Identifier: Apache-2.0
// test_consent_gcm.c: Google Consent Mode.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "consent_signals.h"

enum { B = WN_SIGNAL_basic, M = WN_SIGNAL_measure, S = WN_SIGNAL_share };

static wn_span span(const char *text) {
    return (wn_span){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

static wn_signal read(const char *gcs, const char *gcd) {
    return wn_gcm_read(span(gcs), span(gcd), false);
}

#define EXPECT(signal, yes_bits, no_bits)                                                                    \
    do {                                                                                                     \
        wn_signal got_ = (signal);                                                                           \
        cr_expect(!got_.doubt && got_.yes == (yes_bits) && got_.no == (no_bits), "%x %x %d", got_.yes,       \
                  got_.no, got_.doubt);                                                                      \
    } while (0)

Test(consent_gcm, unreadable_gcs) {
    static const char *const rows[] = {"",     "G",    "G1",   "G11",  "G1111", "G211",
                                       "g111", "G1 1", "G12-", "G1x1", "111"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) cr_expect(read(rows[i], NULL).doubt, "'%s'", rows[i]);
}

Test(consent_gcm, unreadable_gcd) {
    static const char *const rows[] = {"",
                                       "1",
                                       "13",
                                       "13t",
                                       "13t3t3t3t",
                                       "13t3t3t5",
                                       "23t3t3t3t5",
                                       "1xt3t3t3t5",
                                       "13T3t3t3t5",
                                       "13t3t3t3tt5",
                                       "13tt3t3t5",
                                       "13t33t3t3t5",
                                       "13t3t3t3t5l",
                                       "13t3t3t3t5 ",
                                       " 13t3t3t3t5",
                                       "13t3t3t3t-",
                                       "13t3t3t3t5l1l1l1l1l1"};
    for (size_t i = 0; i < WN_COUNT(rows); i++) cr_expect(read(NULL, rows[i]).doubt, "'%s'", rows[i]);
    cr_expect(read("G111", "").doubt);
    cr_expect(read("", "13t3t3t3t5").doubt);
}

Test(consent_gcm, absent_says_nothing) {
    EXPECT(read(NULL, NULL), 0, 0);
    EXPECT(read("G1--", NULL), 0, 0);
}

Test(consent_gcm, gcs_speaks_of_analytics_storage) {
    EXPECT(read("G111", NULL), M, 0);
    EXPECT(read("G101", NULL), M, 0);
    EXPECT(read("G110", NULL), 0, M);
    EXPECT(read("G100", NULL), 0, M);
    EXPECT(read("G10-", NULL), 0, 0);
}

// Every letter in every place: granted t r n v, not set l, all others denied.
Test(consent_gcm, letters_of_gcd) {
    for (char c = 'a'; c <= 'z'; c++) {
        char text[16];
        bool yes = strchr("trnv", c) != NULL, silent = c == 'l';
        snprintf(text, sizeof text, "13l3%c3l2l5", c);
        EXPECT(read(NULL, text), yes ? M : 0, yes || silent ? 0 : M);
        snprintf(text, sizeof text, "13l3l3%c2l5", c);
        EXPECT(read(NULL, text), yes ? S : 0, yes || silent ? 0 : S);
        snprintf(text, sizeof text, "13%c3l3l2%c5", c, c);
        EXPECT(read(NULL, text), 0, 0);
    }
}

Test(consent_gcm, more_letters_are_not_read) {
    EXPECT(read(NULL, "13t3t3t3t5l1"), M | S, 0);
    EXPECT(read(NULL, "13t3t3t3t5p1"), M | S, 0);
    EXPECT(read(NULL, "13t3t3t3t55"), M | S, 0);
    EXPECT(read(NULL, "13t3t3t3t5l1l1l1l1"), M | S, 0);
}

Test(consent_gcm, the_stricter_of_both) {
    EXPECT(read("G111", "13p3p3p2p5"), 0, M | S);
    EXPECT(read("G100", "13t3t3t3t5"), S, M);
    EXPECT(read("G111", "13l3l3l3l1"), M, 0);
}

Test(consent_gcm, analytics_by_opt_in_is_basic_too) {
    EXPECT(wn_gcm_read(span("G100"), span(NULL), true), 0, B | M);
    EXPECT(wn_gcm_read(span("G101"), span("13l3t3l3l5"), true), B | M, 0);
}

Test(consent_gcm, words_of_the_measurement_protocol) {
    EXPECT(wn_gcm_word_read(span("GRANTED")), S, 0);
    EXPECT(wn_gcm_word_read(span("DENIED")), 0, S);
    EXPECT(wn_gcm_word_read(span(NULL)), 0, 0);
    static const char *const rows[] = {"", "granted", "GRANTED ", "GRANT", "DENIEDX", "true"};
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect(wn_gcm_word_read(span(rows[i])).doubt, "'%s'", rows[i]);
}
