// SPDX-License-Identifier: Apache-2.0
// agent.c: a user agent becomes browser, system, their major versions and device
// class. Its words are signs (agent_words.c), and the rules of agent_rules.def
// judge them in order, as rows. A family is named only by a rule; hundreds of
// browsers call themselves Chrome and add their own name, so most rules of today's
// families want no product that is not listed: Other, never a wrong family.
#include <string.h>

#include "agent_words.h"
#include "winnow/agent_version.h"

#define N(sign) (UINT64_C(1) << WN_NAME_##sign)
#define P(sign) (UINT64_C(1) << WN_PLACE_##sign)

// WebKit's users that are not Safari and do not say what they are.
#define NOT_APPLE (P(SYMBIAN) | P(BLACKBERRY) | P(WEBOS) | P(TIZEN) | P(KAIOS) | P(CONSOLE))

typedef struct browser_rule {
    uint64_t names, places, without_names, without_places;
    uint16_t family;
    uint8_t major; // name
} browser_rule;

typedef struct system_rule {
    uint64_t places, without;
    uint16_t family;
    uint8_t major; // place
} system_rule;

typedef struct device_rule {
    uint64_t places, without;
    uint16_t class;
} device_rule;

#define BROWSER_RULE(names, places, no_names, no_places, id, sign)                                           \
    {names, places, no_names, no_places, WN_BROWSER_##id, WN_NAME_##sign},
#define SYSTEM_RULE(...)
#define DEVICE_RULE(...)
static const browser_rule browser_rules[] = {
#include "agent_rules.def"
};
#undef BROWSER_RULE
#undef SYSTEM_RULE
#define BROWSER_RULE(...)
#define SYSTEM_RULE(places, without, id, sign) {places, without, WN_SYSTEM_##id, WN_PLACE_##sign},
static const system_rule system_rules[] = {
#include "agent_rules.def"
};
#undef SYSTEM_RULE
#undef DEVICE_RULE
#define SYSTEM_RULE(...)
#define DEVICE_RULE(places, without, id) {places, without, WN_DEVICE_##id},
static const device_rule device_rules[] = {
#include "agent_rules.def"
};

static bool holds(uint64_t signs, uint64_t all_of, uint64_t none_of) {
    return (signs & all_of) == all_of && (signs & none_of) == 0;
}

static void judge_browser(const wn_agent_signs *s, wn_agent *a) {
    a->browser = WN_BROWSER_other;
    for (size_t i = 0; i < WN_COUNT(browser_rules); i++) {
        const browser_rule *r = &browser_rules[i];
        if (!holds(s->names, r->names, r->without_names) || !holds(s->places, r->places, r->without_places))
            continue;
        a->browser = r->family;
        a->browser_major = wn_major_coarse(wn_browser_newest(r->family), s->name_major[r->major]);
        return;
    }
}

static void judge_system(const wn_agent_signs *s, wn_agent *a) {
    a->system = WN_SYSTEM_other;
    for (size_t i = 0; i < WN_COUNT(system_rules); i++) {
        const system_rule *r = &system_rules[i];
        if (!holds(s->places, r->places, r->without)) continue;
        a->system = r->family;
        a->system_major = wn_major_coarse(wn_system_newest(r->family), s->place_major[r->major]);
        return;
    }
}

static void judge_device(const wn_agent_signs *s, wn_agent *a) {
    a->device = WN_DEVICE_other;
    for (size_t i = 0; i < WN_COUNT(device_rules); i++) {
        const device_rule *r = &device_rules[i];
        if (!holds(s->places, r->places, r->without)) continue;
        a->device = r->class;
        return;
    }
}

void wn_agent_parse(const char *ua, size_t n, wn_agent *out) {
    char lower[WN_AGENT_BYTES_MAX];
    wn_agent_signs signs;
    *out = (wn_agent){0};
    if (n == 0 || (n == 1 && ua[0] == '-')) return;
    if (n > sizeof lower) n = sizeof lower;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(ua[i] >= 'A' && ua[i] <= 'Z' ? ua[i] + ('a' - 'A') : ua[i]);
    wn_agent_words(lower, n, &signs);
    wn_agent agent = {.bot = signs.robot};
    judge_browser(&signs, &agent);
    judge_system(&signs, &agent);
    judge_device(&signs, &agent);
    *out = agent;
    wn_wipe(lower, n);
}
