// SPDX-License-Identifier: Apache-2.0
// test_consent_categories.c: categories that SDKs name.
#include <criterion/criterion.h>
#include <string.h>

#include "consent_signals.h"

enum {
    B = WN_SIGNAL_basic,
    M = WN_SIGNAL_measure,
    L = WN_SIGNAL_locate,
    S = WN_SIGNAL_share,
    SPOKEN = B | M | L | S
};

// "+C0002 -C0004"
static wn_signal told(bool missing_refuses, const char *text) {
    wn_categories c;
    wn_categories_init(&c);
    wn_categories_begin(&c, missing_refuses);
    while (*text != '\0') {
        size_t n = strcspn(text + 1, " ");
        wn_categories_add(&c, (wn_span){(const uint8_t *)text + 1, n}, *text == '+');
        text += 1 + n + (text[1 + n] == ' ');
    }
    return wn_categories_end(&c);
}

#define EXPECT(signal, yes_bits, no_bits)                                                                    \
    do {                                                                                                     \
        wn_signal got_ = (signal);                                                                           \
        cr_expect(!got_.doubt && got_.yes == (yes_bits) && got_.no == (no_bits), "%x %x %d", got_.yes,       \
                  got_.no, got_.doubt);                                                                      \
    } while (0)

Test(consent_categories, a_value_of_the_wrong_type_is_a_doubt) {
    wn_categories c;
    wn_categories_init(&c);
    wn_categories_doubt(&c);
    cr_expect(wn_categories_end(&c).doubt);
    wn_categories_begin(&c, false);
    wn_categories_add(&c, (wn_span){(const uint8_t *)"C0002", 5}, true);
    cr_expect(wn_categories_end(&c).doubt);
}

Test(consent_categories, absent_says_nothing) {
    wn_categories c;
    wn_categories_init(&c);
    EXPECT(wn_categories_end(&c), 0, 0);
}

Test(consent_categories, empty_refuses_all_as_segment_has_it) {
    EXPECT(told(true, ""), 0, SPOKEN);
    EXPECT(told(false, ""), 0, 0);
}

Test(consent_categories, an_unknown_category_says_nothing) {
    EXPECT(told(false, "+C0009 -Wizardry +"), 0, 0);
    EXPECT(told(false, "+C000 +C00022 +analytic +analyticss"), 0, 0);
    EXPECT(told(true, "+C0009"), 0, SPOKEN);
}

Test(consent_categories, a_denial_of_analytics_refuses_basic) {
    EXPECT(told(true, "-C0002"), 0, SPOKEN);
    EXPECT(told(false, "-Analytics"), 0, B | M);
    EXPECT(told(true, "+C0001 +C0003 +C0004"), S, B | M | L);
}

Test(consent_categories, each_category_by_its_row) {
    EXPECT(told(true, "+C0002"), B | M, L | S);
    EXPECT(told(true, "+C0002 +C0004"), B | M | S, L);
    EXPECT(told(false, "+c0004"), S, 0);
    EXPECT(told(false, "+ANALYTICS -advertising"), B | M, S);
    EXPECT(told(false, "+events -users -location"), B, M | L);
#define CONSENT_CATEGORY(name, purpose)                                                                      \
    cr_expect(told(false, "+" name).yes &WN_SIGNAL_##purpose, name);                                         \
    cr_expect(told(false, "-" name).no &WN_SIGNAL_##purpose, name);
#include "consent_categories.def"
#undef CONSENT_CATEGORY
}

Test(consent_categories, one_refusal_outweighs_any_grant_in_any_order) {
    EXPECT(told(false, "+C0002 -analytics"), 0, B | M);
    EXPECT(told(false, "-analytics +C0002"), 0, B | M);
    EXPECT(told(true, "+C0004 -marketing +C0002"), B | M, L | S);
}
