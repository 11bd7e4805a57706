// SPDX-License-Identifier: Apache-2.0
// visit.c: how events become a session. Ties in time are broken by content.
#include "visit.h"

#include <string.h>

#include "session.h"

static uint32_t clamp_second(int64_t t_s) {
    if (t_s < 0) return 0;
    return t_s > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)t_s;
}

static uint16_t add_capped(uint16_t a, uint16_t b) {
    uint32_t sum = (uint32_t)a + b;
    return sum > UINT16_MAX ? UINT16_MAX : (uint16_t)sum;
}

void wn_visit_begin(wn_visit *v, uint32_t window_slot, const wn_observation *obs, int64_t at_s) {
    memset(v, 0, sizeof *v); // ties compare whole structs
    memcpy(v->person, obs->person, sizeof v->person);
    v->site = obs->site;
    v->start_s = v->last_s = v->first_view_s = v->last_view_s = clamp_second(at_s);
    memcpy(v->lead.closed, obs->closed, sizeof v->lead.closed);
    v->lead.referrer = obs->open[WN_DIM_referrer];
    v->lead.source = obs->open[WN_DIM_source];
    v->lead.medium = obs->open[WN_DIM_medium];
    v->lead.campaign = obs->open[WN_DIM_campaign];
    v->lead.prefix = obs->prefix;
    v->lead.org = obs->org;
    v->flags = obs->flags & (uint8_t)(WN_OBS_SIGNED | WN_OBS_SHARE);
    v->slot = (uint16_t)(window_slot + 1);
    bool view = obs->kind == WN_OBS_VIEW;
    v->views = view;
    v->customs = !view;
    if (view) v->entry = v->exit = obs->open[WN_DIM_route];
}

bool wn_visit_joins(const wn_visit *a, const wn_visit *b) {
    if (a->slot != b->slot || a->site != b->site || memcmp(a->person, b->person, sizeof a->person) != 0)
        return false;
    int64_t gap = a->start_s > b->last_s   ? (int64_t)a->start_s - b->last_s
                  : b->start_s > a->last_s ? (int64_t)b->start_s - a->last_s
                                           : 0;
    return gap <= WN_SESSION_IDLE_S;
}

static bool earlier(uint32_t a_s, uint64_t a, uint32_t b_s, uint64_t b) {
    return a_s < b_s || (a_s == b_s && a < b);
}

static void merge_views(wn_visit *v, const wn_visit *from) {
    if (from->views == 0) return;
    bool none = v->views == 0;
    if (none || earlier(from->first_view_s, from->entry, v->first_view_s, v->entry)) {
        v->first_view_s = from->first_view_s;
        v->entry = from->entry;
    }
    if (none || earlier(v->last_view_s, v->exit, from->last_view_s, from->exit)) {
        v->last_view_s = from->last_view_s;
        v->exit = from->exit;
    }
    v->views = add_capped(v->views, from->views);
}

static uint64_t merge_orgs(wn_visit *v, const wn_visit *from) {
#ifdef WN_MUTANT_SESSION_ORG_FIRST
    return from->start_s < v->start_s ? from->lead.org : v->lead.org;
#endif
    uint64_t a = v->lead.org, b = from->lead.org;
    v->several |= from->several | (a != 0 && b != 0 && a != b);
    return a > b ? a : b;
}

bool wn_visit_names(const wn_visit *v, uint64_t org) {
    return v->lead.org == org || v->several != 0;
}

void wn_visit_merge(wn_visit *v, const wn_visit *from) {
    uint64_t org = merge_orgs(v, from);
    int tie = memcmp(&from->lead, &v->lead, sizeof v->lead);
    if (from->start_s < v->start_s || (from->start_s == v->start_s && tie < 0)) v->lead = from->lead;
    v->lead.org = org;
    if (from->start_s < v->start_s) v->start_s = from->start_s;
    if (from->last_s > v->last_s) v->last_s = from->last_s;
    merge_views(v, from);
    v->customs = add_capped(v->customs, from->customs);
    v->flags &= from->flags;
}

void wn_visit_observation(const wn_visit *v, wn_observation *out) {
    wn_observation o = {
        .prefix = v->lead.prefix, .org = v->lead.org, .site = v->site, .kind = WN_OBS_SESSION};
    memcpy(o.person, v->person, sizeof o.person);
    memcpy(o.closed, v->lead.closed, sizeof v->lead.closed);
    bool bounced = v->views == 1 && v->customs == 0;
    o.flags = (uint8_t)(v->flags | (bounced ? WN_OBS_BOUNCED : 0));
    uint32_t seconds = v->last_s - v->start_s;
    o.seconds = (uint16_t)(seconds < WN_SESSION_IDLE_S ? seconds : WN_SESSION_IDLE_S);
    o.open[WN_DIM_entry] = v->entry;
    o.open[WN_DIM_exit] = v->exit;
    o.open[WN_DIM_referrer] = v->lead.referrer;
    o.open[WN_DIM_source] = v->lead.source;
    o.open[WN_DIM_medium] = v->lead.medium;
    o.open[WN_DIM_campaign] = v->lead.campaign;
    *out = o;
}
