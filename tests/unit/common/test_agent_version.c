// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "winnow/agent_version.h"

Test(agent_version, a_coined_version_is_none) {
    cr_expect_eq(wn_major_coarse(150, 163), WN_MAJOR_NONE);
    cr_expect_eq(wn_major_coarse(150, 999), WN_MAJOR_NONE);
    cr_expect_eq(wn_major_coarse(150, UINT32_MAX), WN_MAJOR_NONE);
    cr_expect_eq(wn_major_coarse(150, 0), WN_MAJOR_NONE);
    cr_expect_eq(wn_major_coarse(0, 5), WN_MAJOR_NONE, "a family without versions");
}

Test(agent_version, twelve_are_kept_and_twelve_newer) {
    cr_expect_eq(wn_major_coarse(150, 162), 162);
    cr_expect_eq(wn_major_coarse(150, 150), 150);
    cr_expect_eq(wn_major_coarse(150, 139), 139);
    cr_expect_eq(wn_major_coarse(150, 138), WN_MAJOR_OLDER);
    cr_expect_eq(wn_major_coarse(150, 1), WN_MAJOR_OLDER);
    cr_expect_eq(wn_major_coarse(12, 1), 1);
    cr_expect_eq(wn_major_coarse(13, 1), WN_MAJOR_OLDER);
}

// Every value that is valid, and no more of them than the rows allow.
Test(agent_version, the_set_is_closed) {
    size_t browsers = 0, systems = 0, browsers_max = 1, systems_max = 1;
    for (unsigned v = 0; v <= UINT16_MAX; v++) {
        char label[32];
        if (wn_browser_version_valid((uint16_t)v)) {
            browsers++;
            wn_browser_version_label((uint16_t)v, label);
            cr_expect_eq(label[0] == '\0', v == 0);
        }
        if (wn_system_version_valid((uint16_t)v)) {
            systems++;
            wn_system_version_label((uint16_t)v, label);
            cr_expect_eq(label[0] == '\0', v == 0);
        }
    }
    enum { EACH = 1 + 1 + 2 * WN_MAJORS_KEPT }; // no version, older, and the numbers
#define BROWSER(id, label, newest) browsers_max += newest ? EACH : 1;
#include "browsers.def"
#define SYSTEM(id, label, newest) systems_max += newest ? EACH : 1;
#include "systems.def"
    cr_expect_leq(browsers, browsers_max);
    cr_expect_leq(systems, systems_max);
    cr_expect_gt(browsers, 100);
    cr_expect_gt(systems, 40);
    cr_expect_not(wn_browser_version_valid(1), "no family");
    cr_expect_not(wn_browser_version_valid(UINT16_MAX));
}

Test(agent_version, is_labelled) {
    char label[32];
    wn_browser_version_label(wn_version_value(1, wn_browser_newest(1)), label);
    cr_expect(strncmp(label, "Chrome 1", 8) == 0, "%s", label);
    wn_browser_version_label(wn_version_value(1, WN_MAJOR_OLDER), label);
    cr_expect_str_eq(label, "Chrome older");
    wn_browser_version_label(wn_version_value(1, WN_MAJOR_NONE), label);
    cr_expect_str_eq(label, "Chrome");
    wn_system_version_label(wn_version_value(2, WN_MAJOR_NONE), label);
    cr_expect_str_eq(label, "macOS");
    cr_expect_eq(wn_version_value(0, 5), 0);
    wn_system_version_label(0, label);
    cr_expect_str_eq(label, "");
}
