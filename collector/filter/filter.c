// SPDX-License-Identifier: Apache-2.0
// filter.c: the story of one event, from what its sender said to what may be
// counted. Form is checked first, then consent; only then is anything coarsened.
#include "filter.h"

#include <string.h>

#include "agents.h"
#include "channels.h"
#include "coarse.h"
#include "crypt.h"
#include "event_body.h"
#include "scratch.h"
#include "walls.h"
#include "work.h"

#define FUTURE_S 300

static void set_text(wn_work *w, wn_dim_open dim, const char *s, size_t n) {
    memcpy(w->text[dim].s, s, n);
    w->text[dim].s[n] = '\0';
    w->text[dim].n = n;
}

// ---- form ----

static wn_verdict check_rights(const wn_work *w) {
    if (w->sender->server_key) return WN_KEEP;
#ifndef WN_MUTANT_BODY_IP_BELIEVED
    if (wn_event_has(w->e, WN_FIELD_ip)) return WN_VERDICT_not_allowed;
#endif
    return wn_event_has(w->e, WN_FIELD_user_agent) ? WN_VERDICT_not_allowed : WN_KEEP;
}

static wn_verdict find_site(wn_work *w) {
    wn_span name = wn_event_get(w->e, WN_FIELD_site);
    const wn_site *only = w->sender->site;
    if (only == NULL) {
        if (name.n == 0) return WN_VERDICT_missing_field;
        w->site = w->look->site(w->look->ctx, (const char *)name.p, name.n);
        return w->site ? WN_KEEP : WN_VERDICT_unknown_site;
    }
    if (name.n > 0 && (strlen(only->name) != name.n || memcmp(only->name, name.p, name.n) != 0))
        return WN_VERDICT_not_allowed;
    w->site = only;
    return WN_KEEP;
}

static wn_verdict read_name(wn_work *w) {
    wn_span given = wn_event_get(w->e, WN_FIELD_name);
    wn_text *name = &w->text[WN_DIM_event];
    name->n = wn_event_name(given, name->s);
    if (name->n == 0) return WN_VERDICT_missing_field;
    w->kind = name->n == 8 && memcmp(name->s, "pageview", 8) == 0 ? WN_OBS_VIEW : WN_OBS_EVENT;
    return WN_KEEP;
}

static bool own_host(const wn_site *site, const char *host, size_t n) {
    size_t www = wn_host_www(host, n);
    for (size_t i = 0; i < site->hosts_n; i++) {
        const char *own = site->hosts[i];
        size_t own_bytes = strlen(own), own_www = wn_host_www(own, own_bytes);
        if (own_bytes - own_www == n - www && memcmp(own + own_www, host + www, n - www) == 0) return true;
    }
    return false;
}

static wn_verdict read_url(wn_work *w) {
    w->url = wn_event_get(w->e, WN_FIELD_url);
    if (w->url.n == 0) w->url = w->sender->page;
    if (w->url.n == 0) return w->kind == WN_OBS_VIEW ? WN_VERDICT_missing_field : WN_KEEP;
    if (!wn_url_split((const char *)w->url.p, w->url.n, &w->parts)) return WN_VERDICT_malformed;
    bool readable = wn_host_lower(w->parts.host, w->page, &w->page_n);
    if (w->site->hosts_n == 0 || w->parts.host.n == 0) return WN_KEEP;
    return readable && own_host(w->site, w->page, w->page_n) ? WN_KEEP : WN_VERDICT_foreign_host;
}

static wn_verdict read_time(wn_work *w) {
    w->at_s = w->sender->now_s;
    wn_span time = wn_event_get(w->e, WN_FIELD_time);
    if (time.n > 0 && !wn_event_time(time, &w->at_s)) return WN_VERDICT_malformed;
    return w->at_s > w->sender->now_s + FUTURE_S ? WN_VERDICT_future : WN_KEEP;
}

static wn_verdict read_address(wn_work *w) {
    wn_span ip = wn_event_get(w->e, WN_FIELD_ip);
    if (ip.n > 0) {
        w->has_address = wn_address_parse((const char *)ip.p, ip.n, &w->address);
        return w->has_address ? WN_KEEP : WN_VERDICT_malformed;
    }
    w->has_address = w->sender->address != NULL;
    if (w->has_address) w->address = *w->sender->address;
    return WN_KEEP;
}

#define CHECK(expr)                                                                                          \
    do {                                                                                                     \
        wn_verdict check_ = (expr);                                                                          \
        if (check_ != WN_KEEP) return check_;                                                                \
    } while (0)

static wn_verdict check_form(wn_work *w) {
    CHECK((wn_verdict)w->e->verdict);
    CHECK(check_rights(w));
    CHECK(find_site(w));
    CHECK(read_name(w));
    CHECK(read_url(w));
    CHECK(read_time(w));
    return read_address(w);
}

// ---- consent, window, robots ----

static wn_verdict check_person(wn_work *w) {
    w->window = w->look->window(w->look->ctx, w->site, w->at_s);
    bool late = w->window == NULL || !w->window->open || w->at_s < w->window->window.start_s ||
                w->at_s >= w->window->window.end_s;
    if (late) w->window = NULL;
    w->grants = wn_consent_decide(w->e, w->sender->gpc, w->sender->dnt);
    if (!WN_WALL_FILTER) w->grants = (wn_grants){.bits = 0xff};
    if (w->grants.refused) return WN_VERDICT_refused;
    if (late) return WN_VERDICT_late;
    wn_span agent = wn_event_get(w->e, WN_FIELD_user_agent);
    if (agent.n == 0) agent = w->sender->user_agent;
    if (agent.n > 0) wn_scratch_agent(w->scratch, agent, &w->agent);
    return w->agent.bot ? WN_VERDICT_bot : WN_KEEP;
}

// ---- coarsening ----

static void set_closed(wn_work *w) {
    uint16_t *closed = w->obs->closed;
    closed[WN_DIM_hour] = (uint16_t)(1 + (w->at_s - w->window->window.start_s) / 3600);
    closed[WN_DIM_browser] = w->agent.browser;
    closed[WN_DIM_system] = w->agent.system;
    closed[WN_DIM_device] = w->agent.device;
    closed[WN_DIM_screen] = wn_screen_class(wn_event_get(w->e, WN_FIELD_screen));
    wn_span language = wn_event_get(w->e, WN_FIELD_language);
    closed[WN_DIM_language] = wn_language_code(language.n ? language : w->sender->accept_language);
    closed[WN_DIM_country] = wn_country_code(wn_event_get(w->e, WN_FIELD_country));
    uint8_t code[2];
    if (closed[WN_DIM_country] == 0 && w->has_address && w->look->country != NULL &&
        w->look->country(w->look->ctx, &w->address, (char *)code))
        closed[WN_DIM_country] = wn_country_code((wn_span){code, 2});
}

static bool ends_in_domain(const char *host, size_t n, const char *domain, size_t domain_bytes) {
    if (n < domain_bytes || memcmp(host + n - domain_bytes, domain, domain_bytes) != 0) return false;
    return n == domain_bytes || host[n - domain_bytes - 1] == '.';
}

static bool same_domain(const wn_work *w, const char *domain, size_t domain_bytes) {
    for (size_t i = 0; i < w->site->hosts_n; i++)
        if (ends_in_domain(w->site->hosts[i], strlen(w->site->hosts[i]), domain, domain_bytes)) return true;
    return ends_in_domain(w->page, w->page_n, domain, domain_bytes);
}

static uint16_t read_domain(wn_work *w, const char *host, size_t n) {
    wn_host_class class = wn_scratch_host(w->scratch, host, n);
    if (class.start == WN_HOST_NO_DOMAIN) return WN_CHANNEL_direct;
    w->internal = same_domain(w, host + class.start, n - class.start);
    if (!w->internal) set_text(w, WN_DIM_referrer, host + class.start, n - class.start);
    return class.channel;
}

// Answers the channel of the referring site; direct when there is none.
static uint16_t read_referrer(wn_work *w) {
    wn_span ref = wn_event_get(w->e, WN_FIELD_referrer);
    wn_url_parts parts;
    char host[WN_HOST_BYTES];
    size_t n = 0;
    if (ref.n == 0 || !wn_url_split((const char *)ref.p, ref.n, &parts) || !parts.web ||
        !wn_host_lower(parts.host, host, &n))
        return WN_CHANNEL_direct;
    uint16_t channel = WN_CHANNEL_direct;
    w->internal = own_host(w->site, host, n) || (w->page_n == n && memcmp(w->page, host, n) == 0);
    if (!w->internal) channel = read_domain(w, host, n);
    wn_wipe(host, n);
    return channel;
}

static void read_tags(wn_work *w) {
    static const struct {
        wn_dim_open dim;
        const char *key;
    } tags[] = {
        {WN_DIM_source, "source"},
        {WN_DIM_medium, "medium"},
        {WN_DIM_campaign, "campaign"},
    };
    if (w->parts.query.n == 0 || memmem(w->parts.query.p, w->parts.query.n, "utm_", 4) == NULL) return;
    char value[33];
    for (size_t i = 0; i < WN_COUNT(tags); i++)
        if (wn_query_utm(w->parts.query, tags[i].key, value)) set_text(w, tags[i].dim, value, strlen(value));
}

static void set_channel(wn_work *w, uint16_t by_referrer) {
    uint16_t *channel = &w->obs->closed[WN_DIM_channel];
    if (w->internal) return;
    const char *source = w->text[WN_DIM_source].n ? w->text[WN_DIM_source].s : "";
    const char *medium = w->text[WN_DIM_medium].n ? w->text[WN_DIM_medium].s : "";
    if (source[0] == '\0' && w->text[WN_DIM_campaign].n > 0) source = "-"; // a campaign of no listed source
    if (wn_channel_of_tags(source, medium, channel)) return;
    // An action inside a page says nothing about how the visit came.
    if (w->kind == WN_OBS_EVENT && by_referrer == WN_CHANNEL_direct) return;
    *channel = by_referrer;
}

static void coarsen(wn_work *w) {
    set_closed(w);
    if (w->url.n > 0) {
        wn_text *route = &w->text[WN_DIM_route];
        route->n = wn_parts_route(&w->parts, route->s);
        read_tags(w);
    }
    set_channel(w, read_referrer(w));
    if (!WN_WALL_FILTER) wn_unwalled_texts(w);
}

static void seal_texts(const wn_work *w, wn_filtered *out) {
    const uint8_t *key = w->window->key_text;
    wn_scratch_begin(w->scratch, key);
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++) {
        const wn_text *t = &w->text[dim];
        if (t->n == 0) continue;
        const wn_value *value =
            wn_scratch_value(w->scratch, dim, key, (wn_span){(const uint8_t *)t->s, t->n});
        out->values[dim] = value;
        out->obs.open[dim] = wn_value_id(value);
    }
}

static void set_batch_key(const wn_work *w, const uint8_t dedupe_key[32], wn_filtered *out) {
    wn_span id = wn_event_get(w->e, WN_FIELD_batch_id);
    if (id.n == 0) return;
    uint8_t text[8 + 64];
    memcpy(text, &w->site->tag, 8);
    memcpy(text + 8, id.p, id.n);
    wn_prf(dedupe_key, (wn_span){text, 8 + id.n}, out->batch_key, sizeof out->batch_key);
    wn_wipe(text, 8 + id.n);
    out->has_batch_id = true;
}

static void observe(wn_work *w, const uint8_t dedupe_key[32], wn_filtered *out) {
    coarsen(w);
    wn_person_set(w);
    out->obs.site = w->site->tag;
    out->obs.kind = (uint8_t)w->kind;
    if (wn_granted(w->grants, WN_PURPOSE_share)) out->obs.flags |= WN_OBS_SHARE;
    out->at_s = w->at_s;
    seal_texts(w, out);
    set_batch_key(w, dedupe_key, out);
}

// A call, because gcc's inlined `rep stos` costs more than all the stores.
__attribute__((noinline)) static void zero(void *p, size_t n) {
    memset(p, 0, n);
}

wn_verdict wn_filter(const wn_event *e, const wn_sender *sender, const wn_lookups *look,
                     const uint8_t dedupe_key[32], wn_scratch *scratch, wn_trace *trace, wn_filtered *out) {
    wn_text text[WN_OPEN_N];
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++) text[dim].n = 0;
    wn_work w;
    zero(out, sizeof *out);
    zero(&w, offsetof(wn_work, page));
    w.e = e;
    w.sender = sender;
    w.look = look;
    w.scratch = scratch;
    w.text = text;
    w.obs = &out->obs;
    wn_verdict verdict = check_form(&w);
    if (verdict == WN_KEEP) verdict = check_person(&w);
    out->site = w.site;
    if (verdict == WN_KEEP || verdict == WN_VERDICT_refused) out->window = w.window;
    if (verdict == WN_KEEP) observe(&w, dedupe_key, out);
    if (trace != NULL) wn_explain(&w, verdict, trace);
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++)
        if (text[dim].n > 0) wn_wipe(text[dim].s, text[dim].n);
    wn_wipe(&w.address, sizeof w.address);
    if (w.page_n > 0) wn_wipe(w.page, w.page_n);
    return verdict;
}
