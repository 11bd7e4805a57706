// SPDX-License-Identifier: Apache-2.0
// coarsen.c: the filter's coarsenings on lines, for counting a log again by
// other means. In: url TAB referrer TAB user agent. Out: route, referrer domain,
// browser, system, device, robot (0 or 1), channel; TAB between.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

static const char *label(unsigned dim, uint16_t value) {
    static char out[4][32];
    static unsigned at;
    char *text = out[at++ % 4];
    wn_closed_label(dim, value, text);
    return text;
}

static void coarsen(const char *url, const char *ref, const char *ua) {
    char route[WN_OPEN_TEXT_MAX + 1] = "", domain[WN_OPEN_TEXT_MAX + 1] = "", own[256] = "", host[256] = "";
    char own_domain[WN_OPEN_TEXT_MAX + 1] = "", source[33] = "", medium[33] = "", campaign[33] = "";
    wn_url_route(url, strlen(url), route);
    bool web = strncasecmp(ref, "http://", 7) == 0 || strncasecmp(ref, "https://", 8) == 0;
    if (web && wn_url_host(ref, strlen(ref), host, sizeof host))
        wn_domain_registrable(host, strlen(host), domain);
    if (wn_url_host(url, strlen(url), own, sizeof own)) wn_domain_registrable(own, strlen(own), own_domain);
    bool internal = own[0] && (strcmp(own, host) == 0 || (domain[0] && strcmp(own_domain, domain) == 0));
    wn_url_utm(url, strlen(url), "source", source);
    wn_url_utm(url, strlen(url), "medium", medium);
    if (!source[0] && wn_url_utm(url, strlen(url), "campaign", campaign)) strcpy(source, "-");
    uint16_t channel = internal ? 0 : wn_channel(domain, source, medium);
    wn_agent a;
    wn_agent_parse(ua, strlen(ua), &a);
    printf("%s\t%s\t%s\t%s\t%s\t%d\t%s\n", route, internal ? "" : domain, label(WN_DIM_browser, a.browser),
           label(WN_DIM_system, a.system), label(WN_DIM_device, a.device), a.bot,
           label(WN_DIM_channel, channel));
}

int main(void) {
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        if (line[n - 1] == '\n') line[n - 1] = '\0';
        char *ref = strchr(line, '\t'), *ua = ref ? strchr(ref + 1, '\t') : NULL;
        if (ua == NULL) {
            fprintf(stderr, "coarsen: a line has fewer than three columns\n");
            free(line);
            return 1;
        }
        *ref = *ua = '\0';
        coarsen(line, ref + 1, ua + 1);
    }
    free(line);
    return ferror(stdout) || fflush(stdout) != 0;
}
