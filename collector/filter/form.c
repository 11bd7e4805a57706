// SPDX-License-Identifier: Apache-2.0
// form.c: the form of an event: who may say what, of which site, when and where.
// A mistake here is about bytes, not about a person, and is told to the sender.
#include <string.h>

#include "coarse.h"
#include "event_body.h"
#include "work.h"

#define FUTURE_S 300

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

static bool is(const wn_text *name, const char *word) {
    size_t n = strlen(word);
    return name->n == n && memcmp(name->s, word, n) == 0;
}

static wn_verdict read_name(wn_work *w) {
    wn_span given = wn_event_get(w->e, WN_FIELD_name);
    wn_text *name = &w->text[WN_DIM_event];
    name->n = wn_event_name(given, name->s);
    if (name->n == 0) return WN_VERDICT_missing_field;
    w->kind = is(name, "pageview") ? WN_OBS_VIEW : WN_OBS_EVENT;
    w->mail = is(name, "email_open");
    return WN_KEEP;
}

bool wn_form_own_host(const wn_site *site, const char *host, size_t n) {
    size_t www = wn_host_www(host, n), bytes = n - www;
    for (size_t i = 0; i < site->hosts_n; i++) {
        const char *own = site->hosts[i];
        size_t own_www = own[0] == 'w' ? wn_host_www(own, strlen(own)) : 0;
        if (bytes >= sizeof site->hosts[0] - own_www) continue;
        if (memcmp(own + own_www, host + www, bytes) == 0 && own[own_www + bytes] == '\0') return true;
    }
    return false;
}

// An opened mail has no page: an address in it could name its reader.
static wn_verdict read_url(wn_work *w) {
    if (w->mail) return WN_KEEP;
    w->url = wn_event_get(w->e, WN_FIELD_url);
    if (w->url.n == 0) w->url = w->sender->page;
    if (w->url.n == 0) return w->kind == WN_OBS_VIEW ? WN_VERDICT_missing_field : WN_KEEP;
    if (!wn_url_split((const char *)w->url.p, w->url.n, &w->parts)) return WN_VERDICT_malformed;
    bool readable = wn_host_lower(w->parts.host, w->page, &w->page_n);
    if (w->site->hosts_n == 0 || w->parts.host.n == 0) return WN_KEEP;
    return readable && wn_form_own_host(w->site, w->page, w->page_n) ? WN_KEEP : WN_VERDICT_foreign_host;
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

wn_verdict wn_form_check(wn_work *w) {
    CHECK((wn_verdict)w->e->verdict);
    CHECK(check_rights(w));
    CHECK(find_site(w));
    CHECK(read_name(w));
    CHECK(read_url(w));
    CHECK(read_time(w));
    return read_address(w);
}
