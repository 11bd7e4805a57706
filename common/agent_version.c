// SPDX-License-Identifier: Apache-2.0
// agent_version.c: ten bits of major version under six of family.
#include "winnow/agent_version.h"

#include <stdio.h>

typedef struct family {
    const char *label;
    uint16_t newest;
} family;

#define BROWSER(id, label, newest) {label, newest},
static const family browsers[] = {
#include "browsers.def"
};
#undef BROWSER
#define SYSTEM(id, label, newest) {label, newest},
static const family systems[] = {
#include "systems.def"
};
#undef SYSTEM

enum { MAJOR_BITS = 10, MAJOR_MASK = (1 << MAJOR_BITS) - 1 };
_Static_assert(WN_COUNT(browsers) < 64 && WN_COUNT(systems) < 64, "a family has six bits");
_Static_assert(WN_MAJOR_OLDER == MAJOR_MASK && WN_MAJOR_MAX < WN_MAJOR_OLDER, "older is the last major");

typedef struct family_list {
    const family *row;
    size_t n;
} family_list;

static const family_list browser_list = {browsers, WN_COUNT(browsers)};
static const family_list system_list = {systems, WN_COUNT(systems)};

static uint16_t newest_of(const family_list *l, uint16_t f) {
    return f >= 1 && f <= l->n ? l->row[f - 1].newest : 0;
}

uint16_t wn_browser_newest(uint16_t f) {
    return newest_of(&browser_list, f);
}

uint16_t wn_system_newest(uint16_t f) {
    return newest_of(&system_list, f);
}

uint16_t wn_major_coarse(uint16_t newest, unsigned major) {
    if (newest == 0 || major == 0 || major > (unsigned)newest + WN_MAJORS_KEPT) return WN_MAJOR_NONE;
    return major + WN_MAJORS_KEPT > newest ? (uint16_t)major : WN_MAJOR_OLDER;
}

uint16_t wn_version_value(uint16_t f, uint16_t major) {
    if (f == 0) return 0;
    return (uint16_t)((unsigned)f << MAJOR_BITS | (major & MAJOR_MASK));
}

static bool valid(const family_list *l, uint16_t value) {
    if (value == 0) return true;
    uint16_t f = (uint16_t)(value >> MAJOR_BITS), major = (uint16_t)(value & MAJOR_MASK);
    if (f < 1 || f > l->n) return false;
    uint16_t newest = newest_of(l, f);
    // "older" of a family whose first majors are all among the newest does not occur.
    if (major == WN_MAJOR_OLDER) return newest > WN_MAJORS_KEPT;
    return major == WN_MAJOR_NONE || wn_major_coarse(newest, major) == major;
}

bool wn_browser_version_valid(uint16_t value) {
    return valid(&browser_list, value);
}

bool wn_system_version_valid(uint16_t value) {
    return valid(&system_list, value);
}

static void put_label(const family_list *l, uint16_t value, char out[32]) {
    out[0] = '\0';
    if (value == 0) return;
    WN_ASSERT(valid(l, value));
    const char *label = l->row[(value >> MAJOR_BITS) - 1].label;
    unsigned major = value & MAJOR_MASK;
    if (major == WN_MAJOR_NONE) snprintf(out, 32, "%s", label);
    else if (major == WN_MAJOR_OLDER) snprintf(out, 32, "%s older", label);
    else snprintf(out, 32, "%s %u", label, major);
}

void wn_browser_version_label(uint16_t value, char out[32]) {
    put_label(&browser_list, value, out);
}

void wn_system_version_label(uint16_t value, char out[32]) {
    put_label(&system_list, value, out);
}
