// SPDX-License-Identifier: Apache-2.0
// permit.c: whether an event counts at all, and which of its fields may be read
// afterwards. What is not permitted here is absent to every later step.
#include <sodium.h>
#include <string.h>

#include "event_body.h"
#include "pattern.h"
#include "rows.h"
#include "scratch.h"
#include "traits.h"
#include "walls.h"
#include "work.h"

// What is read of an opened mail: its campaign, never its recipient.
#define MAIL_FIELDS                                                                                          \
    (WN_FIELD_BIT(WN_FIELD_site) | WN_FIELD_BIT(WN_FIELD_name) | WN_FIELD_BIT(WN_FIELD_time) |               \
     WN_FIELD_BIT(WN_FIELD_campaign) | WN_FIELD_BIT(WN_FIELD_batch_id))

#define AGE_FIELDS                                                                                           \
    (WN_FIELD_BIT(WN_FIELD_child) | WN_FIELD_BIT(WN_FIELD_age) | WN_FIELD_BIT(WN_FIELD_birthday))

// What a request may say in an event's stead.
#define SENDER_FIELDS                                                                                        \
    (WN_FIELD_BIT(WN_FIELD_ip) | WN_FIELD_BIT(WN_FIELD_user_agent) | WN_FIELD_BIT(WN_FIELD_language) |       \
     WN_FIELD_BIT(WN_FIELD_url) | WN_FIELD_BIT(WN_FIELD_time) | WN_FIELD_BIT(WN_FIELD_gpc) |                 \
     WN_FIELD_BIT(WN_FIELD_dnt) | WN_FIELD_BIT(WN_FIELD_tcf) | WN_FIELD_BIT(WN_FIELD_us_privacy))

static const wn_site_policy default_policy = {
    .gpc = WN_SIGNAL_LIMIT, .dnt = WN_SIGNAL_LIMIT, .counts_unknown = true};

static void find_policies(wn_work *w) {
    w->policy[0] = w->policy[1] = &default_policy;
    if (w->look->policies != NULL) w->look->policies(w->look->ctx, w->site, w->window, w->policy);
}

static bool find_window(wn_work *w) {
    w->window = w->look->window(w->look->ctx, w->site, w->at_s);
    bool late = w->window == NULL || !w->window->open || w->at_s < w->window->window.start_s ||
                w->at_s >= w->window->window.end_s;
    if (late) w->window = NULL;
    return !late;
}

// An age that nobody can read may be a child's.
static bool of_a_child(const wn_work *w, wn_field f) {
    wn_span text = wn_event_get(w->e, f);
    if (text.n == 0) return false;
    int32_t today = (int32_t)(w->at_s / 86400);
    wn_age age = f == WN_FIELD_birthday ? wn_birthday_band(text, today) : wn_age_band(text, today);
    return age == WN_AGE_child || age == WN_AGE_unknown;
}

// A child's event is dropped before anything else of it is looked at.
static bool is_child(const wn_work *w) {
#ifdef WN_MUTANT_CHILD_COUNTED
    return false;
#endif
    if ((w->e->set & AGE_FIELDS) == 0) return false;
    wn_span said = wn_event_get(w->e, WN_FIELD_child);
    if (said.n > 0 && !(said.n == 1 && said.p[0] == '0')) return true;
    return of_a_child(w, WN_FIELD_age) || of_a_child(w, WN_FIELD_birthday);
}

// Every purpose of the field was granted, and no policy shuts it.
static uint64_t permitted(const wn_work *w) {
    const wn_site_policy *a = w->policy[0], *b = w->policy[1];
#ifdef WN_MUTANT_POLICY_WIDENS
    a = b;
#endif
    uint64_t out = (w->e->set | SENDER_FIELDS) & ~(a->fields_off | b->fields_off);
    if (w->mail) out &= MAIL_FIELDS;
    for (uint64_t left = out; left != 0; left &= left - 1) {
        wn_field f = (wn_field)__builtin_ctzll(left);
        unsigned needs = wn_field_purposes(f) | a->needs[f] | b->needs[f];
#ifdef WN_MUTANT_PURPOSES_IGNORED
        needs = 0;
#endif
        if ((needs & ~(unsigned)w->grants.bits) != 0) out &= ~WN_FIELD_BIT(f);
    }
    return out;
}

static void permit(wn_work *w) {
    w->permitted = permitted(w);
    w->readable = w->permitted & w->e->set;
}

// What a policy says of one organisation's people can only take away: whoever names it is bound by it,
// with proof or without, and whether or not the field may be read for anything else.
static void narrow_by_org(wn_work *w) {
    wn_span org = wn_event_get(w->e, WN_FIELD_org);
    if (org.n == 0) return;
    uint8_t bits = w->grants.bits & wn_policy_org_of(w->policy[0], org.p, org.n) &
                   wn_policy_org_of(w->policy[1], org.p, org.n);
    if (bits == w->grants.bits) return;
    bool refused = !(bits & 1u << WN_PURPOSE_basic);
    w->grants = (wn_grants){.bits = bits, .refused = refused, .by = WN_SIGNAL_site};
}

static bool sensitive_path(const wn_site_policy *p, wn_span path) {
    return p->sensitive_n > 0 && wn_pattern_first((const char(*)[WN_POLICY_TEXT_MAX + 1]) p->sensitive,
                                                  p->sensitive_n, path) < p->sensitive_n;
}

// The page, and where a click led to; of both policies.
static bool is_sensitive(const wn_work *w) {
    const wn_site_policy *a = w->policy[0], *b = w->policy[1];
    if (a->sensitive_n == 0 && b->sensitive_n == 0) return false;
    wn_span path = w->parts.path, link = wn_event_get(w->e, WN_FIELD_link);
    if (w->url.n > 0 && (sensitive_path(a, path) || (b != a && sensitive_path(b, path)))) return true;
    wn_url_parts to;
    if (link.n == 0 || !wn_url_split((const char *)link.p, link.n, &to)) return false;
    return sensitive_path(a, to.path) || sensitive_path(b, to.path);
}

static wn_verdict judge(wn_work *w, bool late) {
    w->grants = wn_consent_decide(w->e, w->sender, w->policy);
    if (!WN_WALL_FILTER) w->grants = (wn_grants){.bits = WN_PURPOSES_ALL};
    if (!w->grants.refused && WN_WALL_FILTER) narrow_by_org(w);
    if (w->grants.refused) return WN_VERDICT_refused;
    permit(w);
    wn_person_believe(w);
    w->sensitive = is_sensitive(w);
#ifdef WN_MUTANT_SENSITIVE_KEPT
    w->sensitive = false;
#endif
    if (w->sensitive && !wn_granted(w->grants, WN_PURPOSE_sensitive)) return WN_VERDICT_sensitive;
    return late ? WN_VERDICT_late : WN_KEEP;
}

static bool is_robot(wn_work *w) {
    wn_span agent = wn_event_get(w->e, WN_FIELD_user_agent);
    if (agent.n == 0) agent = w->sender->user_agent;
    if (agent.n > 0) wn_scratch_agent(w->scratch, agent, &w->agent);
    return w->agent.bot;
}

// Whoever names a purged organisation, with proof or without. The whole list is gone through, so that
// nobody learns from the time where in it a name stands.
static bool is_purged(const wn_work *w) {
    const wn_purged *list = &w->look->purged;
    wn_span org = wn_event_get(w->e, WN_FIELD_org);
    uint8_t name[32] = {0};
    unsigned found = 0;
    if (list->n == 0) return false;
    if (org.n > 0) wn_purge_name(list->key, w->site->tag, org, name);
    for (size_t i = 0; i < list->n; i++) {
        const wn_purge *p = &list->at[i];
        bool its = p->kind == WN_PURGE_SITE || (org.n > 0 && sodium_memcmp(p->name, name, sizeof name) == 0);
        found |= p->tag == w->site->tag && its;
    }
    wn_wipe(name, sizeof name);
    return found != 0;
}

wn_verdict wn_permit(wn_work *w) {
    if (is_child(w)) return WN_VERDICT_child;
    if (is_purged(w)) return WN_VERDICT_purged;
    if (is_robot(w)) return WN_VERDICT_bot; // and no person: it refuses nothing
    bool late = !find_window(w);
    find_policies(w);
    wn_verdict verdict = judge(w, late);
    if (verdict != WN_KEEP) return verdict;
    // A page that the policy shuts is as if it had not been stated; so are its tags.
    if (!wn_work_permits(w, WN_FIELD_url)) w->url = (wn_span){NULL, 0};
    return WN_KEEP;
}
