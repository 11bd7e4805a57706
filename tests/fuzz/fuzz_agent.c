// SPDX-License-Identifier: Apache-2.0
// fuzz_agent.c: any bytes as a user agent give listed classes, and the same
// again in upper case.
#include <string.h>

#include "filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_agent a, b;
    char upper[1024];
    wn_agent_parse((const char *)data, n, &a);
    WN_ASSERT(wn_closed_valid(WN_DIM_browser, a.browser));
    WN_ASSERT(wn_closed_valid(WN_DIM_system, a.system));
    WN_ASSERT(wn_closed_valid(WN_DIM_device, a.device));
    if (n > sizeof upper) return 0;
    for (size_t i = 0; i < n; i++)
        upper[i] = (char)(data[i] >= 'a' && data[i] <= 'z' ? data[i] - ('a' - 'A') : data[i]);
    wn_agent_parse(upper, n, &b);
    WN_ASSERT(a.browser == b.browser && a.system == b.system && a.device == b.device && a.bot == b.bot);
    return 0;
}
