// SPDX-License-Identifier: Apache-2.0
// fuzz_agent.c: any bytes as a user agent give listed classes, and the same
// again in upper case.
#include <string.h>

#include "filter.h"
#include "winnow/agent_version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_agent a, b;
    char upper[1024];
    wn_agent_parse((const char *)data, n, &a);
    WN_ASSERT(wn_closed_valid(WN_DIM_browser, a.browser));
    WN_ASSERT(wn_closed_valid(WN_DIM_system, a.system));
    WN_ASSERT(wn_closed_valid(WN_DIM_device, a.device));
    WN_ASSERT(wn_browser_version_valid(wn_version_value(a.browser, a.browser_major)));
    WN_ASSERT(wn_system_version_valid(wn_version_value(a.system, a.system_major)));
    if (n > sizeof upper) return 0;
    for (size_t i = 0; i < n; i++)
        upper[i] = (char)(data[i] >= 'a' && data[i] <= 'z' ? data[i] - ('a' - 'A') : data[i]);
    wn_agent_parse(upper, n, &b);
    WN_ASSERT(a.browser == b.browser && a.system == b.system && a.device == b.device && a.bot == b.bot);
    WN_ASSERT(a.browser_major == b.browser_major && a.system_major == b.system_major);
    return 0;
}
