// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "channels.h"

Test(channel, tags_win_over_the_referrer_and_listed_sources_over_campaigns) {
    static const struct {
        const char *domain, *source, *medium;
        uint16_t want;
    } rows[] = {
        {"", "", "", WN_CHANNEL_direct},
        {"example.org", "", "", WN_CHANNEL_referral},
        {"google.com", "", "", WN_CHANNEL_search},
        {"google.co.uk", "", "", WN_CHANNEL_search},
        {"notgoogle.com", "", "", WN_CHANNEL_referral},
        {"googleadservices.com", "", "", WN_CHANNEL_referral},
        {"bing.com", "", "", WN_CHANNEL_search},
        {"bing.de", "", "", WN_CHANNEL_referral},
        {"t.co", "", "", WN_CHANNEL_social},
        {"mail.ru", "", "", WN_CHANNEL_mail},
        {"chatgpt.com", "", "", WN_CHANNEL_ai},
        {"google.com", "google", "cpc", WN_CHANNEL_paid},
        {"", "x", "paid_social", WN_CHANNEL_paid},
        {"", "", "ppc", WN_CHANNEL_paid},
        {"", "spring", "email", WN_CHANNEL_mail},
        {"", "", "e-mail", WN_CHANNEL_mail},
        {"bing.com", "spring", "banner", WN_CHANNEL_campaign},
        {"", "google", "organic", WN_CHANNEL_search},
        {"", "facebook", "", WN_CHANNEL_social},
        {"", "web", "", WN_CHANNEL_campaign},
        {"bing.com", "", "banner", WN_CHANNEL_search},
        {"", "-", "", WN_CHANNEL_campaign},
        {"bing.com", "google", "", WN_CHANNEL_search},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        cr_expect_eq(wn_channel(rows[i].domain, rows[i].source, rows[i].medium), rows[i].want, "%zu", i);
}
