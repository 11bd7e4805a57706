// SPDX-License-Identifier: Apache-2.0
// fuzz_policy.c: any text as a policy: refused in words, or a policy that keeps
// its limits and widens nothing.
#include <stdlib.h>
#include <string.h>

#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_lists(const wn_policy_list *list, size_t n, bool values_needed) {
    for (size_t i = 0; i < n; i++) {
        WN_ASSERT(list[i].name[0] != '\0' && list[i].values_n <= WN_POLICY_VALUES_MAX);
        WN_ASSERT(list[i].purpose <= WN_PURPOSES_ALL && (!values_needed || list[i].values_n != 0));
        for (size_t v = 0; v < list[i].values_n; v++) WN_ASSERT(list[i].values[v][0] != '\0');
    }
}

static void check_site(const wn_site_policy *s) {
    WN_ASSERT(s->gpc <= WN_SIGNAL_DROP && s->dnt <= WN_SIGNAL_DROP);
    WN_ASSERT((s->fields_off >> (WN_FIELD_N - 1) >> 1) == 0);
    for (size_t i = 0; i < WN_FIELD_N; i++) WN_ASSERT(s->needs[i] <= WN_PURPOSES_ALL);
    const wn_field kept[] = {WN_FIELD_gpc, WN_FIELD_dnt, WN_FIELD_purposes, WN_FIELD_site};
    for (size_t i = 0; i < WN_COUNT(kept); i++)
        WN_ASSERT((s->fields_off >> kept[i] & 1) == 0 && s->needs[kept[i]] == 0);
    WN_ASSERT(s->sensitive_n <= WN_POLICY_PATTERNS_MAX && s->routes_n <= WN_POLICY_ROUTES_MAX);
    for (size_t i = 0; i < s->sensitive_n; i++) WN_ASSERT(s->sensitive[i][0] == '/');
    for (size_t i = 0; i < s->routes_n; i++) WN_ASSERT(s->routes[i][0] == '/');
    WN_ASSERT(s->props_n <= WN_POLICY_PROPS_MAX && s->surveys_n <= WN_POLICY_SURVEYS_MAX);
    check_lists(s->props, s->props_n, false);
    check_lists(s->surveys, s->surveys_n, true);
    WN_ASSERT(s->vendors_n <= WN_POLICY_VENDORS_MAX && s->categories_n <= WN_POLICY_CATEGORIES_MAX);
    WN_ASSERT(s->orgs_n <= WN_POLICY_ORGS_MAX);
    for (size_t i = 0; i < s->orgs_n; i++)
        WN_ASSERT(wn_policy_org_of(s, s->orgs[i].org, strlen(s->orgs[i].org)) == s->orgs[i].purposes);
}

static void check(const wn_policy *p, const char *text, size_t n) {
    WN_ASSERT(p->version >= 1 && p->date[4] == '-' && p->date[10] == '\0');
    WN_ASSERT(p->text_bytes == n && memcmp(p->text, text, n) == 0 && p->sites_n <= WN_POLICY_SITES_MAX);
    check_site(&p->defaults);
    for (size_t i = 0; i < p->sites_n; i++) {
        check_site(&p->sites[i]);
        WN_ASSERT((p->defaults.fields_off & ~p->sites[i].fields_off) == 0);
        WN_ASSERT(p->sites[i].sensitive_n >= p->defaults.sensitive_n);
        WN_ASSERT(wn_policy_of(p, p->sites[i].site) == &p->sites[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_policy p;
    char why[200] = "";
    int line = 0;
    char *text = malloc(n + 1);
    if (text == NULL) abort();
    if (n != 0) memcpy(text, data, n);
    text[n] = '\0';
    if (wn_policy_load(text, n, &p, why, sizeof why, &line) == WN_OK) {
        check(&p, text, n);
        wn_policy_fini(&p);
    } else {
        WN_ASSERT(memchr(why, '\0', sizeof why) != NULL && why[0] != '\0' && line >= 0);
    }
    free(text);
    return 0;
}
