// SPDX-License-Identifier: Apache-2.0
// agent_print.c: what the filter makes of user agents, one a line. Out: browser,
// system, device, robot (0 or 1), browser and system with their coarse majors; TAB between.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "winnow/agent_version.h"

static void print(const char *ua, size_t n) {
    char browser[32], system[32], device[32], browser_version[32], system_version[32];
    wn_agent a;
    wn_agent_parse(ua, n, &a);
    wn_closed_label(WN_DIM_browser, a.browser, browser);
    wn_closed_label(WN_DIM_system, a.system, system);
    wn_closed_label(WN_DIM_device, a.device, device);
    wn_browser_version_label(wn_version_value(a.browser, a.browser_major), browser_version);
    wn_system_version_label(wn_version_value(a.system, a.system_major), system_version);
    printf("%s\t%s\t%s\t%d\t%s\t%s\n", browser, system, device, a.bot, browser_version, system_version);
}

int main(void) {
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) print(line, (size_t)n - (line[n - 1] == '\n'));
    free(line);
    return ferror(stdout) || fflush(stdout) != 0;
}
