// SPDX-License-Identifier: Apache-2.0
// filter_rig.c: see filter_rig.h.
#include "filter_rig.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"

const char rig_chrome[] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                          "Chrome/120.0.0.0 Safari/537.36";
const char rig_iphone[] = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
                          "(KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1";

static bool country(void *ctx, const wn_address *a, char out[2]) {
    (void)a;
    const rig *r = ctx;
    if (r->country == NULL) return false;
    memcpy(out, r->country, 2);
    return true;
}

static const wn_edge_window *window(void *ctx, const wn_site *site, int64_t t_s) {
    (void)site;
    const rig *r = ctx;
    bool holds = r->has_window && t_s >= r->window.window.start_s && t_s < r->window.window.end_s;
    return holds ? &r->window : NULL;
}

static const wn_site *site(void *ctx, const char *name, size_t n) {
    const rig *r = ctx;
    return n == strlen(r->site.name) && memcmp(name, r->site.name, n) == 0 ? &r->site : NULL;
}

static size_t region(void *ctx, const wn_address *a, char out[WN_REGION_BYTES]) {
    (void)a;
    const rig *r = ctx;
    if (r->region == NULL) return 0;
    strcpy(out, r->region);
    return strlen(r->region);
}

static char sensitive[][WN_POLICY_TEXT_MAX + 1] = {"/health/**"};
static char routes[][WN_POLICY_TEXT_MAX + 1] = {"/users/:id/orders"};
static char plans[][WN_POLICY_WORD_MAX + 1] = {"free", "pro"};
static char flags[][WN_POLICY_WORD_MAX + 1] = {"true", "false"};
static char marks[][WN_POLICY_WORD_MAX + 1] = {"0", "10"};
static wn_policy_list props[] = {
    {.name = "plan", .purpose = 1u << WN_PURPOSE_basic, .values = plans, .values_n = 2},
    {.name = "beta", .purpose = 1u << WN_PURPOSE_profile, .values = flags, .values_n = 2},
    {.name = "note", .purpose = 1u << WN_PURPOSE_basic},
    {.name = "phone", .purpose = 1u << WN_PURPOSE_basic}, // as only an older policy can have it
};
static wn_policy_list numbers[] = {
    {.name = "amount", .number_max = 500},
    {.name = "minutes", .purpose = 1u << WN_PURPOSE_profile, .number_max = UINT16_MAX},
};
static wn_policy_list surveys[] = {
    {.name = "nps", .purpose = 1u << WN_PURPOSE_profile, .values = marks, .values_n = 2}};
static wn_policy_org orgs[] = {{"narrow", 1u << WN_PURPOSE_basic}, {"silent", 0}};
static wn_policy_category categories[] = {{"Ana", 1u << WN_PURPOSE_basic | 1u << WN_PURPOSE_measure}};

const wn_site_policy rig_site_policy = {
    .gpc = WN_SIGNAL_LIMIT,
    .dnt = WN_SIGNAL_LIMIT,
    .counts_unknown = true,
    .sensitive = sensitive,
    .sensitive_n = WN_COUNT(sensitive),
    .routes = routes,
    .routes_n = WN_COUNT(routes),
    .props = props,
    .props_n = WN_COUNT(props),
    .numbers = numbers,
    .numbers_n = WN_COUNT(numbers),
    .surveys = surveys,
    .surveys_n = WN_COUNT(surveys),
    .orgs = orgs,
    .orgs_n = WN_COUNT(orgs),
    .categories = categories,
    .categories_n = WN_COUNT(categories),
};

static void policies(void *ctx, const wn_site *s, const wn_edge_window *w, const wn_site_policy *out[2]) {
    const rig *r = ctx;
    (void)s;
    if (!r->has_policy) return; // as they were: the default
    out[0] = w != NULL ? &r->policy[0] : &r->policy[1];
    out[1] = &r->policy[1];
}

void rig_init(rig *r) {
    memset(r, 0, sizeof *r);
    WN_ASSERT(wn_crypt_init() == WN_OK);
    strcpy(r->site.name, "example");
    r->site.tag = wn_site_tag("example");
    strcpy(r->site.zone, "Etc/UTC");
    strcpy(r->site.hosts[0], "example.com");
    strcpy(r->site.hosts[1], "shop.example.com");
    r->site.hosts_n = 2;
    strcpy(r->window.window.zone, "Etc/UTC");
    r->window.window.day = RIG_START_S / 86400;
    r->window.window.start_s = RIG_START_S;
    r->window.window.end_s = RIG_START_S + 86400;
    memset(r->window.key_edge, 1, 32);
    memset(r->window.key_text, 2, 32);
    memset(r->window.key_prefix, 3, 16);
    memset(r->window.key_org, 4, 16);
    r->window.open = true;
    r->has_window = true;
    r->policy[0] = r->policy[1] = rig_site_policy;
    r->look = (wn_lookups){
        .ctx = r, .country = country, .region = region, .policies = policies, .window = window, .site = site};
    r->sender.now_s = RIG_NOW_S;
    memset(r->dedupe_key, 5, 32);
    r->event = malloc(wn_event_bytes());
    r->scratch = malloc(wn_scratch_bytes());
    WN_ASSERT(r->event && r->scratch);
    wn_event_init(r->event);
    uint8_t key[32];
    memset(key, 6, sizeof key);
    wn_scratch_init(r->scratch, key);
}

void rig_fini(rig *r) {
    wn_event_wipe(r->event);
    wn_scratch_wipe(r->scratch);
    free(r->event);
    free(r->scratch);
}

void rig_clear(rig *r) {
    wn_event_wipe(r->event);
}

wn_verdict rig_set_bytes(rig *r, wn_field f, const void *p, size_t n) {
    return wn_event_set(r->event, f, p, n);
}

wn_verdict rig_set(rig *r, const char *field, const char *value) {
    wn_field f = wn_field_by_name(field, strlen(field));
    WN_ASSERT(f < WN_FIELD_N);
    return wn_event_set(r->event, f, value, strlen(value));
}

void rig_address(rig *r, const char *text) {
    r->sender.address = NULL;
    if (text == NULL) return;
    WN_ASSERT(wn_address_parse(text, strlen(text), &r->address));
    r->sender.address = &r->address;
}

void rig_agent(rig *r, const char *ua) {
    r->sender.user_agent = (wn_span){(const uint8_t *)ua, strlen(ua)};
}

void rig_view(rig *r) {
    rig_clear(r);
    rig_set(r, "site", "example");
    rig_set(r, "name", "pageview");
    rig_set(r, "url", "https://example.com/");
    rig_address(r, "192.0.2.7");
    rig_agent(r, rig_chrome);
}

void rig_sign(rig *r, const char *user_id) {
    uint8_t mac[32];
    char hex[65];
    memset(r->site.sign_key, 7, 32);
    r->site.has_sign_key = true;
    crypto_auth_hmacsha256(mac, (const uint8_t *)user_id, strlen(user_id), r->site.sign_key);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    rig_set(r, "user_sig", hex);
}

wn_verdict rig_run(rig *r) {
    return wn_filter(r->event, &r->sender, &r->look, r->dedupe_key, r->scratch, &r->trace, &r->out);
}

const char *rig_open(const rig *r, wn_dim_open dim) {
    static char text[WN_OPEN_TEXT_MAX + 1];
    size_t n = 0;
    text[0] = '\0';
    if (r->out.obs.open[dim] == 0) return text;
    WN_ASSERT(r->out.values[dim] && wn_value_id(r->out.values[dim]) == r->out.obs.open[dim]);
    WN_ASSERT(wn_value_open(r->window.key_text, r->out.values[dim], text, &n) == WN_OK);
    return text;
}

const char *rig_closed(const rig *r, wn_dim_closed dim) {
    static char label[32];
    wn_closed_label(dim, r->out.obs.closed[dim], label);
    return label;
}

static bool shares_run(const void *hay, size_t hay_bytes, const uint8_t *value, size_t value_bytes,
                       size_t n) {
    for (size_t i = 0; i + n <= value_bytes; i++)
        if (hay_bytes >= n && memmem(hay, hay_bytes, value + i, n)) return true;
    return false;
}

bool rig_leaks(const rig *r, const void *value, size_t value_bytes, size_t n) {
    if (shares_run(&r->out.obs, sizeof r->out.obs, value, value_bytes, n)) return true;
    if (shares_run(r->out.batch_key, sizeof r->out.batch_key, value, value_bytes, n)) return true;
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++) {
        const char *text = rig_open(r, (wn_dim_open)dim);
        if (shares_run(text, strlen(text), value, value_bytes, n)) return true;
    }
    for (size_t i = 0; i < r->trace.n; i++)
        if (shares_run(r->trace.step[i].out, strlen(r->trace.step[i].out), value, value_bytes, n))
            return true;
    return false;
}
