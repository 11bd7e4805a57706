// SPDX-License-Identifier: Apache-2.0
// channel.c: how a visit came, from listed sources and two tags.
#include <string.h>

#include "channels.h"

#define CHANNEL_SOURCE(domain, channel) {domain, sizeof(domain) - 1, WN_CHANNEL_##channel},
static const struct source {
    const char *text;
    size_t n;
    uint16_t channel;
} sources[] = {
#include "channel_sources.def"
};
#undef CHANNEL_SOURCE

uint16_t wn_channel_of_domain(const char *domain) {
    if (domain[0] == '\0') return WN_CHANNEL_direct;
    const char *dot = strchr(domain, '.');
    size_t word = dot ? (size_t)(dot - domain) + 1 : 0, n = strlen(domain);
    for (size_t i = 0; i < WN_COUNT(sources); i++) {
        const struct source *s = &sources[i];
        bool any_suffix = s->text[s->n - 1] == '.';
        if (s->n == (any_suffix ? word : n) && memcmp(s->text, domain, s->n) == 0 && word > 0)
            return s->channel;
    }
    return WN_CHANNEL_referral;
}

static uint16_t channel_of_word(const char *word) {
    for (size_t i = 0; i < WN_COUNT(sources); i++)
        if (strcmp(sources[i].text, word) == 0) return sources[i].channel;
    return WN_CHANNEL_campaign;
}

bool wn_channel_of_tags(const char *source, const char *medium, uint16_t *out) {
    static const char *const mail[] = {"email", "e-mail", "mail", "newsletter"};
    if (strcmp(medium, "cpc") == 0 || strcmp(medium, "ppc") == 0 || strncmp(medium, "paid", 4) == 0) {
        *out = WN_CHANNEL_paid;
        return true;
    }
    for (size_t i = 0; i < WN_COUNT(mail); i++)
        if (strcmp(medium, mail[i]) == 0) {
            *out = WN_CHANNEL_mail;
            return true;
        }
    if (source[0] == '\0') return false;
    *out = channel_of_word(source);
    return true;
}

uint16_t wn_channel(const char *ref_domain, const char *utm_source, const char *utm_medium) {
    uint16_t channel = 0;
    if (wn_channel_of_tags(utm_source, utm_medium, &channel)) return channel;
    return wn_channel_of_domain(ref_domain);
}
