// SPDX-License-Identifier: Apache-2.0
#include "web_confine.h"

#include "confine.h"
#include "log.h"

void wn_web_confine(void) {
    const wn_confine_rule rules[] = {
        {"/usr/share/zoneinfo", false},
#ifdef WN_TEST_CLOCK
        {"/tmp", false}, // a test's clock; a sanitizer's look for leaks
        {"/proc", false},
#endif
    };
    if (!wn_confine(rules, WN_COUNT(rules))) wn_log(WN_MSG_WEB_NO_LANDLOCK, 0, 0, 0);
}
