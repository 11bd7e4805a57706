// SPDX-License-Identifier: Apache-2.0
// sites.c: a reload puts a new list beside the old, which lives until the last
// request that borrows from it is answered.
#include "sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

wn_err wn_site_list_new(wn_sites *takes, uint64_t version, wn_site_list **out) {
    wn_site_list *l = calloc(1, sizeof *l);
    if (l == NULL) return WN_ERR_NOMEM;
    l->sites = *takes;
    l->refs = 1;
    l->version = version;
    *takes = (wn_sites){NULL, 0};
    *out = l;
    return WN_OK;
}

wn_err wn_site_list_check(const wn_site_list *now, const wn_sites *next, char *why, size_t why_bytes) {
    if (next->n != 0 || now->sites.n == 0) return WN_OK;
    snprintf(why, why_bytes, "no site is left in it, and %zu are being counted", now->sites.n);
    return WN_ERR_CONFIG;
}

wn_site_list *wn_site_list_hold(wn_site_list *l) {
    l->refs++;
    return l;
}

void wn_site_list_drop(wn_site_list *l) {
    if (l == NULL || --l->refs != 0) return;
    wn_sites_fini(&l->sites);
    free(l);
}

static const wn_site_key *key_of(const wn_site *s, const char *key) {
    for (size_t i = 0; i < s->keys_n; i++)
        if (strcmp(s->keys[i].key, key) == 0) return &s->keys[i];
    return NULL;
}

bool wn_site_lists_key(const wn_site *s, const char *key) {
    return key_of(s, key) != NULL;
}

wn_key_rights wn_site_list_rights(const wn_site_list *l, const char *key) {
    wn_key_rights r = {.server = true};
    for (size_t i = 0; i < l->sites.n; i++) {
        const wn_site_key *k = key_of(&l->sites.site[i], key);
        if (k == NULL) continue;
        r.only = r.sites_n++ == 0 ? &l->sites.site[i] : NULL;
        r.server &= k->server;
    }
    r.server &= r.sites_n != 0;
    return r;
}

static bool names_host(const wn_site *s, const char *host) {
    char listed[256];
    for (size_t h = 0; h < s->hosts_n; h++) {
        char url[8 + sizeof s->hosts[0]] = "https://";
        strcat(url, s->hosts[h]); // fits: hosts are NUL-terminated
        if (wn_url_host(url, strlen(url), listed, sizeof listed) && strcmp(listed, host) == 0) return true;
    }
    return false;
}

bool wn_site_list_names(const wn_site_list *l, const char *origin, size_t n) {
    char host[256];
    if (!wn_url_host(origin, n, host, sizeof host)) return false;
    for (size_t i = 0; i < l->sites.n; i++)
        if (names_host(&l->sites.site[i], host)) return true;
    return false;
}

bool wn_site_list_origin(const wn_site_list *l, const char *origin, size_t n) {
    char host[256];
    if (!wn_url_host(origin, n, host, sizeof host)) return false;
    for (size_t i = 0; i < l->sites.n; i++)
        if (l->sites.site[i].hosts_n == 0) return true;
    return wn_site_list_names(l, origin, n);
}

const wn_site *wn_site_list_find(wn_site_list *l, const char *name, size_t n) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    const wn_site **seen = &l->seen[hash % WN_SITES_SEEN];
    if (*seen != NULL && strlen((*seen)->name) == n && memcmp((*seen)->name, name, n) == 0) return *seen;
    const wn_site *s = wn_sites_by_name(&l->sites, name, n);
    if (s != NULL) *seen = s;
    return s;
}
