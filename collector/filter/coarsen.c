// SPDX-License-Identifier: Apache-2.0
// coarsen.c: fields that may be read become dimensions, coarse ones. A value
// that cannot be coarsened is absent; none is ever passed on as it came.
#include <string.h>

#include "agents.h"
#include "coarse.h"
#include "crash.h"
#include "identifiers.h"
#include "pattern.h"
#include "scratch.h"
#include "terms.h"
#include "traits.h"
#include "winnow/agent_version.h"
#include "work.h"

// ---- closed values ----

static void set_place(wn_work *w) {
    uint16_t *closed = w->obs->closed;
    closed[WN_DIM_country] = wn_country_code(wn_work_get(w, WN_FIELD_country));
    if (!w->has_address || !wn_work_permits(w, WN_FIELD_ip)) return;
    uint8_t code[2];
    bool stated = closed[WN_DIM_country] != 0;
    if (!stated && w->look->country != NULL && w->look->country(w->look->ctx, &w->address, (char *)code))
        closed[WN_DIM_country] = wn_country_code((wn_span){code, 2});
    if (!wn_granted(w->grants, WN_PURPOSE_locate) || w->look->region == NULL) return;
    char region[WN_REGION_BYTES];
    size_t n = w->look->region(w->look->ctx, &w->address, region);
    // A stated country wins: a region of another one would contradict it.
    bool agrees = n > 2 && wn_country_code((wn_span){(uint8_t *)region, 2}) == closed[WN_DIM_country];
    if (agrees) wn_work_text(w, WN_DIM_region, region, n);
}

static void set_device(wn_work *w) {
    uint16_t *closed = w->obs->closed;
    if (wn_work_permits(w, WN_FIELD_user_agent)) {
        closed[WN_DIM_browser] = w->agent.browser;
        closed[WN_DIM_system] = w->agent.system;
        closed[WN_DIM_device] = w->agent.device;
        closed[WN_DIM_browser_version] = wn_version_value(w->agent.browser, w->agent.browser_major);
        closed[WN_DIM_system_version] = wn_version_value(w->agent.system, w->agent.system_major);
    }
    closed[WN_DIM_screen] = wn_screen_class(wn_work_get(w, WN_FIELD_screen));
}

// What an app or its server states; a page view seldom has any of it.
#define STATED_FIELDS                                                                                        \
    (WN_FIELD_BIT(WN_FIELD_os) | WN_FIELD_BIT(WN_FIELD_maker) | WN_FIELD_BIT(WN_FIELD_connection) |          \
     WN_FIELD_BIT(WN_FIELD_time_zone) | WN_FIELD_BIT(WN_FIELD_interaction) | WN_FIELD_BIT(WN_FIELD_age) |    \
     WN_FIELD_BIT(WN_FIELD_birthday) | WN_FIELD_BIT(WN_FIELD_job_title))

static void set_stated(wn_work *w) {
    uint16_t *closed = w->obs->closed;
    wn_span os = wn_work_get(w, WN_FIELD_os);
    if (os.n > 0) { // an app knows better than its agent
        uint16_t system = wn_system_of_name(os);
        uint16_t major = wn_system_major(system, wn_work_get(w, WN_FIELD_os_version));
        closed[WN_DIM_system] = system;
        closed[WN_DIM_system_version] = wn_version_value(system, major);
    }
    wn_span maker = wn_work_get(w, WN_FIELD_maker);
    if (maker.n > 0) closed[WN_DIM_maker] = wn_maker(maker);
    closed[WN_DIM_connection] = wn_connection(wn_work_get(w, WN_FIELD_connection));
    closed[WN_DIM_area] = wn_zone_area(wn_work_get(w, WN_FIELD_time_zone));
    uint64_t others = 0;
    if (wn_count(wn_work_get(w, WN_FIELD_interaction), &others)) closed[WN_DIM_size] = wn_size_band(others);
    wn_span age = wn_work_get(w, WN_FIELD_age), birthday = wn_work_get(w, WN_FIELD_birthday);
    int32_t today = w->window->window.day;
    closed[WN_DIM_age] = (uint16_t)(age.n ? wn_age_band(age, today) : wn_birthday_band(birthday, today));
    closed[WN_DIM_job] = wn_job_family(wn_work_get(w, WN_FIELD_job_title));
}

static void set_closed(wn_work *w) {
    uint16_t *closed = w->obs->closed;
    closed[WN_DIM_hour] = (uint16_t)(1 + (w->at_s - w->window->window.start_s) / 3600);
    wn_span language = wn_work_get(w, WN_FIELD_language);
    if (language.n == 0 && wn_work_permits(w, WN_FIELD_language)) language = w->sender->accept_language;
    closed[WN_DIM_language] = wn_language_code(language);
    set_place(w);
    set_device(w);
    if (wn_work_has(w, STATED_FIELDS)) set_stated(w);
}

// ---- open values ----

// A template that both policies know names the page; else the general rule does.
static size_t route_of(const wn_work *w, const wn_url_parts *parts, char out[WN_OPEN_TEXT_MAX + 1]) {
    for (size_t i = 2; i-- > 0;) {
        const wn_site_policy *p = w->policy[i];
        if (p->routes_n == 0) break;
        size_t row =
            wn_pattern_first((const char(*)[WN_POLICY_TEXT_MAX + 1]) p->routes, p->routes_n, parts->path);
        if (row == p->routes_n) break;
        if (i == 1) continue;
        size_t n = strlen(p->routes[row]);
        memcpy(out, p->routes[row], n + 1);
        return n;
    }
    return wn_parts_route(parts, out);
}

static void set_link(wn_work *w) {
    wn_span link = wn_work_get(w, WN_FIELD_link), away = wn_work_get(w, WN_FIELD_exit_link);
    if (link.n == 0 && away.n == 0) return;
    wn_url_parts parts;
    char host[WN_HOST_BYTES];
    size_t n = 0;
    if (link.n > 0 && wn_url_split((const char *)link.p, link.n, &parts)) {
        bool own = parts.host.n == 0 || (wn_host_lower(parts.host, host, &n) &&
                                         (w->site->hosts_n == 0 || wn_form_own_host(w->site, host, n)));
        if (own) w->text[WN_DIM_link].n = route_of(w, &parts, w->text[WN_DIM_link].s);
    }
    if (away.n > 0 && wn_url_split((const char *)away.p, away.n, &parts) && parts.web &&
        wn_host_lower(parts.host, host, &n)) {
        wn_host_class class = wn_scratch_host(w->scratch, host, n);
        if (class.start != WN_HOST_NO_DOMAIN)
            wn_work_text(w, WN_DIM_exit_link, host + class.start, n - class.start);
    }
    wn_wipe(host, n);
}

// Coarsened words in which nothing may look like an identifier.
static void set_words(wn_work *w) {
    static const struct {
        wn_field field;
        wn_dim_open dim;
        size_t (*coarsen)(wn_span text, char out[WN_OPEN_TEXT_MAX + 1]);
        bool judged; // what it gives was asked about just now
    } rows[] = {
        {WN_FIELD_search_term, WN_DIM_term, wn_term, true},
        {WN_FIELD_feature, WN_DIM_feature, wn_event_name, false},
        {WN_FIELD_model, WN_DIM_model, wn_model, true},
        {WN_FIELD_app_version, WN_DIM_app_version, wn_app_version, false},
        {WN_FIELD_crash, WN_DIM_crash, wn_crash_class, false},
    };
    for (size_t i = 0; i < WN_COUNT(rows); i++) {
        wn_span given = wn_work_get(w, rows[i].field);
        if (given.n == 0) continue;
        wn_text *t = &w->text[rows[i].dim];
        t->n = rows[i].coarsen(given, t->s);
        if (t->n > 0 && !rows[i].judged && wn_identifier_in((wn_span){(const uint8_t *)t->s, t->n}, NULL)) {
            wn_wipe(t->s, t->n);
            t->n = 0;
        }
    }
}

#define APP_FIELDS                                                                                           \
    (WN_FIELD_BIT(WN_FIELD_link) | WN_FIELD_BIT(WN_FIELD_exit_link) | WN_FIELD_BIT(WN_FIELD_feature) |       \
     WN_FIELD_BIT(WN_FIELD_search_term) | WN_FIELD_BIT(WN_FIELD_model) |                                     \
     WN_FIELD_BIT(WN_FIELD_app_version) | WN_FIELD_BIT(WN_FIELD_crash) | WN_FIELD_BIT(WN_FIELD_props) |      \
     WN_FIELD_BIT(WN_FIELD_survey))

void wn_coarsen(wn_work *w) {
    set_closed(w);
    if (w->url.n > 0) w->text[WN_DIM_route].n = route_of(w, &w->parts, w->text[WN_DIM_route].s);
    wn_come_from(w);
    if (!wn_work_has(w, APP_FIELDS)) return; // a page view seldom has any
    set_link(w);
    set_words(w);
    wn_declared(w);
}
