// SPDX-License-Identifier: Apache-2.0
// Why this file: figures of the filter must hold for what runs in the daemon,
// so all but the intakes' decoding is the collector's own code.
#include "bench_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypt.h"

static bool country(void *ctx, const wn_address *a, char out[2]) {
    return wn_edge_country(((wn_bench_rig *)ctx)->edge, a, out);
}

static size_t region(void *ctx, const wn_address *a, char out[WN_REGION_BYTES]) {
    return wn_edge_region(((wn_bench_rig *)ctx)->edge, a, out);
}

static void policies(void *ctx, const wn_site *site, const wn_edge_window *window,
                     const wn_site_policy *out[2]) {
    wn_edge_policies(((wn_bench_rig *)ctx)->edge, site, window, out);
}

static const wn_edge_window *window(void *ctx, const wn_site *site, int64_t t_s) {
    wn_bench_rig *r = ctx;
    return wn_edge_window_at(r->edge, site, t_s, r->now_s, false);
}

static const wn_site *site(void *ctx, const char *name, size_t n) {
    return wn_site_list_find(((wn_bench_rig *)ctx)->sites, name, n);
}

static wn_err make_sites(wn_site_list **out) {
    wn_sites s = {.site = calloc(WN_BENCH_SITES, sizeof *s.site)};
    if (!s.site) return WN_ERR_NOMEM;
    for (unsigned i = 0; i < WN_BENCH_SITES; i++) {
        wn_site *w = &s.site[s.n++];
        wn_bench_site_name(i, w->name);
        w->tag = wn_site_tag(w->name);
        strcpy(w->zone, "Etc/UTC");
        w->kind = WN_KIND_APP;
        snprintf(w->hosts[0], sizeof w->hosts[0], "%.60s.example", w->name);
        w->hosts_n = 1;
    }
    wn_sites_sort(&s);
    wn_err err = wn_site_list_new(&s, 1, out);
    if (err != WN_OK) wn_sites_fini(&s);
    return err;
}

static wn_err make_policies(const char *text, wn_policies **out) {
    char why[256];
    int line = 0;
    wn_policy p;
    if (text == NULL) return wn_policies_builtin(out);
    WN_TRY(wn_policy_load(text, strlen(text), &p, why, sizeof why, &line));
    wn_err err = wn_policies_open(NULL, &p, why, sizeof why, out);
    if (err != WN_OK) wn_policy_fini(&p);
    return err;
}

void wn_bench_rig_forget(wn_bench_rig *r) {
    uint8_t key[32];
    WN_ASSERT(wn_random(key, sizeof key) == WN_OK);
    wn_scratch_init(r->scratch, key);
}

wn_err wn_bench_rig_open(const char *dir, const char *country_db, int64_t day_s, const char *policy,
                         wn_bench_rig *r) {
    char path[300];
    *r = (wn_bench_rig){.now_s = day_s + 86400 + 43200};
    wn_options_defaults(&r->options);
    snprintf(r->options.country_db, sizeof r->options.country_db, "%s", country_db);
    snprintf(path, sizeof path, "%s/slots", dir);
    WN_TRY(wn_crypt_init());
    WN_TRY(wn_slots_open(path, false, &r->slots));
    WN_TRY(wn_keeper_map(WN_KEEPER_IDENTITY, WN_IDENTITY_BYTES, &r->identity));
    WN_TRY(make_policies(policy, &r->policies));
    WN_TRY(wn_edge_open(&r->options, r->slots, &r->identity, r->policies, &r->edge));
    WN_TRY(make_sites(&r->sites));
    WN_TRY(wn_random(r->dedupe_key, sizeof r->dedupe_key));
    r->event = malloc(wn_event_bytes());
    r->scratch = malloc(wn_scratch_bytes());
    if (!r->event || !r->scratch) return WN_ERR_NOMEM;
    wn_event_init(r->event);
    wn_bench_rig_forget(r);
    r->look = (wn_lookups){
        .ctx = r, .country = country, .region = region, .policies = policies, .window = window, .site = site};
    r->sender.now_s = r->now_s;
    return WN_OK;
}

void wn_bench_rig_close(wn_bench_rig *r) {
    wn_edge_close(r->edge);
    wn_policies_close(r->policies);
    wn_slots_close(r->slots);
    wn_site_list_drop(r->sites);
    free(r->event);
    free(r->scratch);
}

static wn_span span(const wn_bench_event *e, wn_bench_field f) {
    return (wn_span){(const uint8_t *)e->text + e->at[f], e->n[f]};
}

wn_verdict wn_bench_rig_filter(wn_bench_rig *r, const wn_bench_event *e, wn_filtered *out) {
    static const wn_field fields[] = {
        [WN_BENCH_SITE] = WN_FIELD_site,         [WN_BENCH_NAME] = WN_FIELD_name,
        [WN_BENCH_URL] = WN_FIELD_url,           [WN_BENCH_REFERRER] = WN_FIELD_referrer,
        [WN_BENCH_TIME] = WN_FIELD_time,         [WN_BENCH_ID] = WN_FIELD_anonymous_id,
        [WN_BENCH_LANGUAGE] = WN_FIELD_language, [WN_BENCH_SCREEN] = WN_FIELD_screen};
    for (unsigned f = 0; f < WN_COUNT(fields); f++)
        if (e->n[f]) (void)wn_event_set(r->event, fields[f], e->text + e->at[f], e->n[f]);
    if (r->full != NULL) {
        wn_bench_full_set(r->full, e->serial, r->unique, r->event);
    } else if (e->measures) {
        (void)wn_event_set(r->event, WN_FIELD_purposes, "basic", 5);
        (void)wn_event_set(r->event, WN_FIELD_purposes, "measure", 7);
    }
    bool known = wn_address_parse(e->text + e->at[WN_BENCH_IP], e->n[WN_BENCH_IP], &r->address);
    r->sender.address = known ? &r->address : NULL;
    r->sender.user_agent = span(e, WN_BENCH_AGENT);
    wn_verdict v = wn_filter(r->event, &r->sender, &r->look, r->dedupe_key, r->scratch, NULL, out);
    wn_event_wipe(r->event);
    return v;
}
