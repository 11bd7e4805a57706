// SPDX-License-Identifier: Apache-2.0
// policy.c: looking into a policy that was read, and which may follow which.
#include "policy.h"

#include <stdio.h>
#include <string.h>

#include "purge_list.h"

const wn_site_policy *wn_policy_of(const wn_policy *p, const char *site) {
    size_t low = 0, high = p->sites_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(p->sites[middle].site, site);
        if (order == 0) return &p->sites[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return &p->defaults;
}

void wn_policy_id_text(uint64_t id, char out[17]) {
    for (unsigned i = 0; i < 8; i++) snprintf(out + 2 * i, 3, "%02x", (unsigned)(id >> (8 * i) & 0xFF));
}

bool wn_policy_id_parse(const char *text, uint64_t *out) {
    static const char digits[] = "0123456789abcdef";
    uint64_t id = 0;
    if (strlen(text) != 16 || strspn(text, digits) != 16) return false;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t high = (uint64_t)(strchr(digits, text[2 * i]) - digits);
        uint64_t low = (uint64_t)(strchr(digits, text[2 * i + 1]) - digits);
        id |= (high << 4 | low) << (8 * i);
    }
    *out = id;
    return true;
}

size_t wn_org_plain(const void *org, size_t n, uint8_t *out) {
    const uint8_t *p = org;
    while (n > 1 && p[0] == ' ') p++, n--;
    while (n > 1 && p[n - 1] == ' ') n--;
    for (size_t i = 0; i < n; i++) out[i] = wn_lower(p[i]);
    return n;
}

static uint8_t org_of(const wn_site_policy *s, const uint8_t *org, size_t n) {
    size_t low = 0, high = s->orgs_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2, len = strlen(s->orgs[middle].org);
        int order = memcmp(s->orgs[middle].org, org, len < n ? len : n);
        if (order == 0) order = (len > n) - (len < n);
        if (order == 0) return s->orgs[middle].purposes;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return WN_PURPOSES_ALL;
}

uint8_t wn_policy_org_of(const wn_site_policy *s, const void *org, size_t n) {
    uint8_t plain[WN_PURGE_ORG_BYTES_MAX];
    if (s->orgs_n == 0 || n > sizeof plain) return WN_PURPOSES_ALL;
    uint8_t purposes = org_of(s, plain, wn_org_plain(org, n, plain));
    wn_wipe(plain, n);
    return purposes;
}

#define POLICY_FILE "policy.yaml"

wn_err wn_policy_follows(const wn_policy *now, const wn_policy *next, char *why, size_t why_bytes) {
    if (memcmp(now->digest, next->digest, sizeof now->digest) == 0 || next->version > now->version)
        return WN_OK;
    if (next->built_in) {
        snprintf(why, why_bytes,
                 POLICY_FILE " is gone; version %u of %s was in force: write one of version %llu or higher",
                 now->version, now->date, (unsigned long long)now->version + 1);
        return WN_ERR_CONFIG;
    }
    snprintf(why, why_bytes,
             "the text changed but its version %u is not above %u, which is in force: raise version to %llu",
             next->version, now->version, (unsigned long long)now->version + 1);
    return WN_ERR_CONFIG;
}

bool wn_policy_names_file(const char *why) {
    return strncmp(why, POLICY_FILE, strlen(POLICY_FILE)) == 0;
}

bool wn_policy_dated_before(const wn_policy *now, const wn_policy *next) {
    return strcmp(next->date, now->date) < 0;
}
