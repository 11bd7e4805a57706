// SPDX-License-Identifier: Apache-2.0
// explain_run.c: feeds the filter as the collector does, and keeps what went
// in, so that both sides can be shown and compared.
#include "explain_run.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "clock.h"
#include "crypt.h"
#include "event_json.h"
#include "logline.h"

struct wn_bench {
    wn_event *event;
    wn_scratch *scratch;
    uint8_t key[32];
    wn_edge_window window;
    // of the call under way
    const wn_explain_sender *sender;
    wn_explained *out;
    bool names_purposes, ran;
    int64_t now_s;
};

wn_err wn_bench_new(wn_bench **out) {
    wn_bench *b = calloc(1, sizeof *b);
    if (!b) return WN_ERR_NOMEM;
    b->event = aligned_alloc(16, (wn_event_bytes() + 15) / 16 * 16);
    b->scratch = aligned_alloc(16, (wn_scratch_bytes() + 15) / 16 * 16);
    wn_err err = b->event && b->scratch ? wn_random(b->key, sizeof b->key) : WN_ERR_NOMEM;
    if (err == WN_OK) err = wn_random(&b->window.key_edge, sizeof b->window.key_edge);
    if (err == WN_OK) err = wn_random(&b->window.key_text, sizeof b->window.key_text);
    if (err == WN_OK) err = wn_random(&b->window.key_prefix, sizeof b->window.key_prefix);
    if (err == WN_OK) err = wn_random(&b->window.key_org, sizeof b->window.key_org);
    if (err != WN_OK) {
        free(b->event);
        free(b->scratch);
        free(b);
        return err;
    }
    wn_event_init(b->event);
    wn_scratch_init(b->scratch, b->key);
    *out = b;
    return WN_OK;
}

void wn_bench_free(wn_bench *b) {
    if (!b) return;
    wn_event_wipe(b->event);
    wn_scratch_wipe(b->scratch);
    free(b->event);
    free(b->scratch);
    wn_wipe(b, sizeof *b);
    free(b);
}

// ---- what the filter asks for ----
static bool country(void *ctx, const wn_address *a, char out[2]) {
    const wn_bench *b = ctx;
    return b->sender->countries && wn_country_of(b->sender->countries, a, out);
}

static size_t region(void *ctx, const wn_address *a, char out[WN_REGION_BYTES]) {
    const wn_bench *b = ctx;
    return b->sender->countries ? wn_country_region(b->sender->countries, a, out) : 0;
}

// Any time may be explained: its window is made for it.
static const wn_edge_window *window(void *ctx, const wn_site *site, int64_t t_s) {
    wn_bench *b = ctx;
    const wn_zone *zone = wn_zone_find(site->zone);
    if (!zone) return NULL;
    wn_zone_window(zone, (wn_kind)site->kind, t_s, &b->window.window);
    b->window.open = true;
    return &b->window;
}

static void policies(void *ctx, const wn_site *of, const wn_edge_window *w, const wn_site_policy *out[2]) {
    const wn_bench *b = ctx;
    (void)of, (void)w;
    out[0] = out[1] = b->sender->policy;
}

static const wn_site *site(void *ctx, const char *name, size_t n) {
    const wn_bench *b = ctx;
    const wn_site *s = b->sender->site;
    return strlen(s->name) == n && memcmp(s->name, name, n) == 0 ? s : NULL;
}

static void check(wn_bench *b, const wn_filtered *f) {
    wn_check c = {0};
    char text[WN_OPEN_N][WN_OPEN_TEXT_MAX + 1];
    wn_check_output(&c, &f->obs, sizeof f->obs);
    for (size_t i = 0; i < WN_OPEN_N; i++) {
        size_t n = 0;
        if (!f->obs.open[i] || !f->values[i] ||
            wn_value_open(b->window.key_text, f->values[i], text[i], &n) != WN_OK)
            continue;
        wn_check_output(&c, text[i], n);
    }
    for (size_t i = 0; i < b->out->given_n && !b->out->leak; i++) {
        const wn_given *g = &b->out->given[i];
        if (wn_check_field(&c, g->field, g->value, g->n)) b->out->leak = g->field;
    }
    wn_wipe(text, sizeof text);
}

static wn_span text_span(const char *text) {
    return text ? (wn_span){(const uint8_t *)text, strlen(text)} : (wn_span){NULL, 0};
}

static void run_filter(wn_bench *b, wn_span ip, wn_span user_agent, bool log_line) {
    const wn_explain_sender *s = b->sender;
    wn_address address;
    bool has_address = ip.n > 0 && wn_address_parse((const char *)ip.p, ip.n, &address);
    wn_lookups look = {.ctx = b,
                       .country = country,
                       .region = region,
                       .policies = s->policy ? policies : NULL,
                       .window = window,
                       .site = site};
    wn_sender sender = {.address = has_address ? &address : NULL,
                        .user_agent = user_agent,
                        .tcf = text_span(s->tcf_cookie),
                        .us_privacy = text_span(s->us_privacy_cookie),
                        .gpc = s->gpc,
                        .dnt = s->dnt,
                        .opted_out = s->opted_out,
                        .server_key = s->server,
                        .backfill = log_line,
                        .site = s->site,
                        .now_s = b->now_s};
    wn_filtered f;
    memset(&f, 0, sizeof f);
    b->out->verdict = wn_filter(b->event, &sender, &look, b->key, b->scratch, &b->out->trace, &f);
    b->out->decided = f.decided;
    b->ran = true;
    if (b->out->verdict == WN_KEEP) check(b, &f);
    wn_wipe(&f, sizeof f);
}

static void add_keyed(wn_explained *e, const char *field, const char *key, const char *value, size_t n) {
    if (e->given_n == WN_GIVEN_MAX) return;
    char *copy = malloc(n + 1);
    if (!copy) return;
    memcpy(copy, value, n);
    copy[n] = '\0';
    e->given[e->given_n++] = (wn_given){field, key ? strdup(key) : NULL, copy, n};
}

static void add_given(wn_explained *e, const char *field, const char *value, size_t n) {
    add_keyed(e, field, NULL, value, n);
}

static void add_sender(const wn_explain_sender *s, wn_explained *e) {
    if (s->ip) add_given(e, "ip", s->ip, strlen(s->ip));
    if (s->user_agent) add_given(e, "user_agent", s->user_agent, strlen(s->user_agent));
    if (s->tcf_cookie) add_given(e, "tcf", s->tcf_cookie, strlen(s->tcf_cookie));
    if (s->us_privacy_cookie) add_given(e, "us_privacy", s->us_privacy_cookie, strlen(s->us_privacy_cookie));
}

static void set_purposes(wn_bench *b) {
    const char *p = b->sender->purposes;
    if (!p || b->names_purposes) return;
    do {
        size_t n = strcspn(p, ",");
        (void)wn_event_set(b->event, WN_FIELD_purposes, p, n);
        p += n + (p[n] == ',');
    } while (*p);
}

// ---- JSON ----
static wn_event *json_begin(void *ctx) {
    wn_bench *b = ctx;
    return b->ran ? NULL : b->event;
}

static void json_end(void *ctx) {
    wn_bench *b = ctx;
    if (b->ran) return;
    set_purposes(b);
    run_filter(b, text_span(b->sender->ip), text_span(b->sender->user_agent), false);
}

static void json_cut(void *ctx) {
    (void)ctx;
}

// Every text and number below v, as given. key: of the property it stands in, or NULL.
static void collect(wn_bench *b, const char *field, const char *key, yajl_val v) {
    if (YAJL_IS_STRING(v)) add_keyed(b->out, field, key, v->u.string, strlen(v->u.string));
    else if (YAJL_IS_NUMBER(v)) add_keyed(b->out, field, key, v->u.number.r, strlen(v->u.number.r));
    else if (YAJL_IS_TRUE(v)) add_keyed(b->out, field, key, "true", 4);
    else if (YAJL_IS_FALSE(v)) add_keyed(b->out, field, key, "false", 5);
    else if (YAJL_IS_ARRAY(v)) {
        for (size_t i = 0; i < v->u.array.len; i++) collect(b, field, key, v->u.array.values[i]);
    } else if (YAJL_IS_OBJECT(v)) {
        for (size_t i = 0; i < v->u.object.len; i++) collect(b, field, key, v->u.object.values[i]);
    }
}

static const char *field_word(const char *name) {
    wn_field f = wn_field_by_name(name, strlen(name));
    return f == WN_FIELD_N ? "(unknown field)" : wn_field_name(f);
}

// Of a declared property the value may travel, and a listed one as it is; everything else of `props` never
// does.
static const char *prop_word(const wn_bench *b, const char *name) {
    const wn_site_policy *p = b->sender->policy;
    for (size_t i = 0; p && i < p->props_n; i++)
        if (strcmp(p->props[i].name, name) == 0)
            return p->props[i].values_n > 0 ? "props, listed" : "props, declared";
    for (size_t i = 0; p && i < p->numbers_n; i++)
        if (strcmp(p->numbers[i].name, name) == 0) return "props, declared";
    return wn_field_name(WN_FIELD_props);
}

static void collect_field(wn_bench *b, const char *name, yajl_val v) {
    if (strcmp(name, wn_field_name(WN_FIELD_props)) != 0 || !YAJL_IS_OBJECT(v)) {
        collect(b, field_word(name), NULL, v);
        return;
    }
    for (size_t i = 0; i < v->u.object.len; i++)
        collect(b, prop_word(b, v->u.object.keys[i]), v->u.object.keys[i], v->u.object.values[i]);
}

bool wn_bench_json(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, wn_explained *out,
                   const char **why) {
    wn_json *json = NULL;
    wn_event_sink sink = {b, json_begin, json_end, json_cut, NULL, 0};
    *out = (wn_explained){.verdict = WN_VERDICT_malformed};
    b->sender = s;
    b->out = out;
    b->ran = b->names_purposes = false;
    b->now_s = s->now_s ? s->now_s : wn_now_s();
    char *copy = n < 1u << 20 && !memchr(text, '\0', n) ? malloc(n + 1) : NULL;
    if (copy) memcpy(copy, text, n), copy[n] = '\0';
    yajl_val tree = copy ? yajl_tree_parse(copy, NULL, 0) : NULL;
    if (YAJL_IS_OBJECT(tree)) {
        for (size_t i = 0; i < tree->u.object.len; i++) {
            b->names_purposes = b->names_purposes || strcmp(tree->u.object.keys[i], "purposes") == 0;
            collect_field(b, tree->u.object.keys[i], tree->u.object.values[i]);
        }
    }
    bool object = YAJL_IS_OBJECT(tree);
    yajl_tree_free(tree);
    if (copy) wn_wipe(copy, n);
    free(copy);
    if (!object) {
        *why = "not one JSON object";
        return false;
    }
    add_sender(s, out);
    bool well = wn_json_new(&json) == WN_OK;
    if (well) {
        wn_json_begin(json, &sink);
        well = wn_json_feed(json, (wn_span){(const uint8_t *)text, n}) && wn_json_end(json);
    }
    wn_json_free(json);
    wn_event_wipe(b->event);
    if (!b->ran) *why = "not an event";
    return well && b->ran;
}

// ---- log lines ----
static void set(wn_bench *b, wn_field f, const char *p, size_t n) {
    if (n == 0) return;
    add_given(b->out, wn_field_name(f), p, n);
    wn_verdict v = wn_event_set(b->event, f, p, n);
    if (v != WN_KEEP) wn_event_refuse(b->event, v);
}

bool wn_bench_line(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, wn_explained *out,
                   const char **why) {
    static const wn_line_format formats[] = {WN_LINE_COMBINED, WN_LINE_VHOST_COMBINED, WN_LINE_COMMON};
    wn_line *l = malloc(sizeof *l);
    bool parsed = false, download = false;
    *out = (wn_explained){.verdict = WN_VERDICT_malformed};
    b->sender = s;
    b->out = out;
    b->ran = false;
    b->names_purposes = false;
    b->now_s = s->now_s ? s->now_s : wn_now_s();
    for (size_t i = 0; l && i < WN_COUNT(formats) && !parsed; i++)
        parsed = wn_line_parse(formats[i], text, n, l);
    if (!parsed) {
        free(l);
        *why = "not a line of a combined, common or vhost-combined log";
        return false;
    }
    out->verdict = wn_line_judge(l, &download);
    if (out->verdict == WN_KEEP) {
        char url[WN_LINE_URL_MAX], time_text[24];
        size_t url_n = wn_line_url(l, url);
        int time_n = snprintf(time_text, sizeof time_text, "%lld", (long long)l->time_s);
        const char *name = download ? "download" : "pageview";
        set(b, WN_FIELD_name, name, strlen(name));
        set(b, WN_FIELD_url, url, url_n);
        set(b, WN_FIELD_time, time_text, (size_t)time_n);
        set(b, WN_FIELD_referrer, l->referrer.p, l->referrer.n);
        add_given(b->out, "ip", (const char *)l->client.p, l->client.n);
        add_given(b->out, "user_agent", l->user_agent.p, l->user_agent.n);
        set_purposes(b);
        wn_span client = l->client, agent = {(const uint8_t *)l->user_agent.p, l->user_agent.n};
        run_filter(b, client, agent, true);
        wn_wipe(url, sizeof url);
    }
    wn_event_wipe(b->event);
    wn_line_wipe(l);
    free(l);
    return true;
}

void wn_explained_text(const wn_trace_step *s, char *out, size_t cap) {
    bool dropped = strncmp(s->outcome, "dropped", 7) == 0;
    snprintf(out, cap, !s->out[0] ? "%s%s" : dropped ? "%s (%s)" : "%s %s", s->outcome, s->out);
}

void wn_explained_fini(wn_explained *e) {
    for (size_t i = 0; i < e->given_n; i++) {
        wn_wipe(e->given[i].value, e->given[i].n);
        free(e->given[i].value);
        if (e->given[i].key) wn_wipe(e->given[i].key, strlen(e->given[i].key));
        free(e->given[i].key);
    }
    wn_wipe(e, sizeof *e);
}
