// SPDX-License-Identifier: Apache-2.0
// explain.c: tells, field by field, what became of an event. Reads what the
// filter decided and decides nothing; shows coarsened values, never the input.
#include <string.h>

#include "channels.h"
#include "coarse.h"
#include "event_body.h"
#include "rows.h"
#include "work.h"

// Which dimensions a field becomes. A field without a row is keyed, read or dropped.
static const struct {
    wn_field field;
    uint8_t dim; // as wn_dim_name counts
} becomes[] = {
#define CLOSED(field, dim) {WN_FIELD_##field, WN_DIM_##dim},
#define OPEN(field, dim) {WN_FIELD_##field, WN_CLOSED_N + WN_DIM_##dim},
    OPEN(name, event) CLOSED(name, channel)                                                  //
    OPEN(url, route) OPEN(url, entry) OPEN(url, exit) CLOSED(url, channel)                   //
    OPEN(url, source) OPEN(url, medium) OPEN(url, campaign)                                  //
    OPEN(referrer, referrer) CLOSED(referrer, channel)                                       //
    CLOSED(time, hour)                                                                       //
    CLOSED(ip, country) OPEN(ip, region)                                                     //
    CLOSED(user_agent, browser) CLOSED(user_agent, browser_version)                          //
    CLOSED(user_agent, system) CLOSED(user_agent, system_version) CLOSED(user_agent, device) //
    CLOSED(language, language) CLOSED(screen, screen) CLOSED(country, country)               //
    CLOSED(time_zone, area) CLOSED(os, system) CLOSED(os_version, system_version)            //
    OPEN(app_version, app_version) CLOSED(maker, maker) OPEN(model, model)                   //
    CLOSED(connection, connection) OPEN(campaign, campaign) CLOSED(campaign, channel)        //
    OPEN(link, link) OPEN(exit_link, exit_link) OPEN(feature, feature)                       //
    CLOSED(interaction, size) OPEN(search_term, term) OPEN(crash, crash)                     //
    OPEN(props, prop1) OPEN(props, prop2) OPEN(props, prop3) OPEN(props, prop4)              //
    CLOSED(age, age) CLOSED(birthday, age) CLOSED(job_title, job)                            //
    OPEN(survey, answer) OPEN(answer, answer)                                                //
#undef CLOSED
#undef OPEN
};

uint64_t wn_field_dims(wn_field f) {
    uint64_t out = 0;
    for (size_t i = 0; i < WN_COUNT(becomes); i++)
        if (becomes[i].field == f) out |= UINT64_C(1) << becomes[i].dim;
    return out;
}

static wn_trace_step *add(wn_trace *t, wn_field f, const char *outcome) {
    WN_ASSERT(t->n < WN_COUNT(t->step));
    wn_trace_step *step = &t->step[t->n++];
    *step = (wn_trace_step){
        .field = f, .transform = wn_field_transform(f), .purpose = wn_field_purpose(f), .outcome = outcome};
    return step;
}

static void add_dimension(const wn_work *w, wn_trace *t, wn_field f, unsigned dim) {
    char label[32];
    if (wn_dim_is_open(dim)) {
        const wn_text *text = &w->text[dim - WN_CLOSED_N];
        if (text->n > 0) memcpy(add(t, f, wn_dim_name(dim))->out, text->s, text->n);
        return;
    }
    if (w->obs->closed[dim] == 0) return;
    wn_closed_label(dim, w->obs->closed[dim], label);
    memcpy(add(t, f, wn_dim_name(dim))->out, label, strlen(label));
}

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static unsigned policy_needs(const wn_work *w, wn_field f) {
    return (unsigned)w->policy[0]->needs[f] | w->policy[1]->needs[f];
}

#define PURPOSE(name, dflt, doc) "dropped: needs " #name,
static const char *const by_row[] = {
#include "purposes.def"
};
#undef PURPOSE
#define PURPOSE(name, dflt, doc) "dropped: needs " #name " (policy)",
static const char *const by_policy[] = {
#include "purposes.def"
};
#undef PURPOSE
#define PURPOSE(name, dflt, doc) "dropped: needs " #name " (the organisation's rule)",
static const char *const by_org[] = {
#include "purposes.def"
};
#undef PURPOSE

static unsigned taken_by_org(const wn_work *w) {
    if (w->grants.by != WN_SIGNAL_site) return 0;
    return wn_consent_decide(w->e, w->sender, w->policy).bits & ~(unsigned)w->grants.bits;
}

// NULL when none of these purposes is missing.
static const char *missing(const wn_work *w, unsigned needs, const char *const words[WN_PURPOSE_N]) {
    unsigned lacks = needs & ~(unsigned)w->grants.bits;
    if (lacks == 0) return NULL;
    unsigned first = (unsigned)__builtin_ctz(lacks);
    return taken_by_org(w) >> first & 1 ? by_org[first] : words[first];
}

static const char *shut_by(const wn_work *w, wn_field f) {
    if ((w->policy[0]->fields_off | w->policy[1]->fields_off) >> f & 1)
        return "dropped: the site's policy shuts it";
    const char *why = missing(w, wn_field_purposes(f), by_row);
    if (why == NULL) why = missing(w, policy_needs(w, f), by_policy);
    if (why != NULL) return why;
    return w->mail ? "dropped: an opened mail counts with its campaign alone" : "dropped";
}

static const char *person_outcome(const wn_work *w, wn_field f) {
    if (wn_person_field(w) != f) return "dropped: another id stands before it";
    return w->signed_id ? "keyed: person, an account" : "keyed: person";
}

// What is neither a dimension nor merely dropped.
static const char *other_outcome(const wn_work *w, wn_field f) {
    const char *transform = wn_field_transform(f);
    if (is(transform, "SITE")) return "kept: the site's tag";
    if (is(transform, "PERSON_KEY")) return person_outcome(w, f);
    if (is(transform, "SIGNATURE")) return w->signed_id ? "checked: valid" : "dropped: not valid here";
    if (is(transform, "ORG_KEY")) return w->org_believed ? "keyed: organisation" : "dropped: not believed";
    if (is(transform, "DEDUPLICATE")) return "keyed: to count a repeat once";
    return NULL;
}

// Read of every event that counts, whatever else is shut: refusals, and what the locks need.
static const char *always(const wn_work *w, wn_field f) {
    const char *transform = wn_field_transform(f);
    if (is(transform, "CHILD") || is(transform, "CONSENT")) return "read";
    if (is(transform, "ADVERTISING_ID") || is(transform, "IDENTIFIER")) return "dropped: an identifier";
    if (is(transform, "IP_TO_COUNTRY")) return "keyed: network prefix";
    if (is(transform, "AGENT_TO_FAMILY") && !wn_work_permits(w, f))
        return wn_person_field(w) == WN_FIELD_N
                   ? "keyed: browser and system, to tell people of one network apart"
                   : "read: robots are refused";
    return NULL;
}

// ---- where a value comes from, when two fields could have given it ----

static bool states_country(const wn_work *w) {
    return wn_country_code(wn_work_get(w, WN_FIELD_country)) != 0;
}

static bool states_campaign(const wn_work *w) {
    char tag[33];
    wn_span given = wn_work_get(w, WN_FIELD_campaign);
    return given.n > 0 && wn_tag(given, tag);
}

static wn_field channel_from(const wn_work *w) {
    const wn_text *source = &w->text[WN_DIM_source], *medium = &w->text[WN_DIM_medium];
    const char *from = source->n > 0 ? source->s : "", *by = medium->n > 0 ? medium->s : "";
    uint16_t channel;
    if (w->mail) return WN_FIELD_name;
    if (from[0] == '\0' && w->text[WN_DIM_campaign].n > 0) from = "-"; // as come_from.c has it
    if (!wn_channel_of_tags(from, by, &channel)) return WN_FIELD_referrer;
    return source->n == 0 && medium->n == 0 && states_campaign(w) ? WN_FIELD_campaign : WN_FIELD_url;
}

static bool gave(const wn_work *w, wn_field f, unsigned dim) {
    bool states_os = wn_work_get(w, WN_FIELD_os).n > 0;
    switch (dim) {
    case WN_DIM_country: return (f == WN_FIELD_country) == states_country(w);
    case WN_DIM_system: return (f == WN_FIELD_os) == states_os;
    case WN_DIM_system_version: return (f == WN_FIELD_os_version) == states_os;
    case WN_DIM_age: return (f == WN_FIELD_age) == (wn_work_get(w, WN_FIELD_age).n > 0);
    case WN_DIM_channel: return f == channel_from(w);
    case WN_CLOSED_N + WN_DIM_campaign: return (f == WN_FIELD_campaign) == states_campaign(w);
    default: return true;
    }
}

// ---- properties and survey ----

static bool named(wn_span s, const char *word) {
    return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

static const wn_policy_list *listed(const wn_policy_list *lists, size_t n, wn_span name) {
    for (size_t i = 0; i < n; i++)
        if (named(name, lists[i].name)) return &lists[i];
    return NULL;
}

#define UNDECLARED "dropped: the policy does not declare it"

// Why a value does not pass, as declared.c decides it.
static const char *list_shuts(const wn_work *w, const wn_policy_list *list) {
    if (list == NULL) return UNDECLARED;
    bool free_word = list->values_n == 0 && list->number_max == 0;
    unsigned needs = list->purpose | (free_word ? 1u << WN_PURPOSE_measure : 0u);
    return missing(w, needs, by_row);
}

static const char *why_not(const wn_work *w, const wn_policy_list *began, const wn_policy_list *newest) {
    const char *why = list_shuts(w, began);
    if (why == NULL) why = list_shuts(w, newest);
    if (why != NULL) return why;
    return began->values_n > 0 || newest->values_n > 0
               ? "dropped: not one of its listed values"
               : "dropped: not a short word, or shaped like an identifier";
}

static const char *number_why_not(const wn_work *w, const wn_pair *p, const wn_policy_list *began) {
    const wn_site_policy *newest = w->policy[1];
    const char *why = list_shuts(w, began);
    uint16_t value = 0;
    if (why == NULL) why = list_shuts(w, listed(newest->numbers, newest->numbers_n, p->key));
    if (why != NULL) return why;
    bool number = p->type == WN_PAIR_NUMBER && wn_number_whole(p->value, began->number_max, &value);
    return number ? "dropped: nothing to add" : "dropped: not a number from 0 on";
}

// "name=500"
static void put_number(char *out, wn_span name, uint16_t value) {
    char digits[5];
    size_t n = 0;
    memcpy(out, name.p, name.n);
    out += name.n;
    *out++ = '=';
    do digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n > 0) *out++ = digits[--n];
}

// p: of a number that the window's policy declares at place i.
static void explain_number(const wn_work *w, wn_trace *t, const wn_pair *p, size_t i) {
    static const char *const places[WN_POLICY_NUMBERS_MAX] = {"number1", "number2"};
    const wn_policy_list *list = &w->policy[0]->numbers[i];
    wn_span name = {(const uint8_t *)list->name, strlen(list->name)};
    if (w->obs->number[i] != 0) put_number(add(t, WN_FIELD_props, places[i])->out, name, w->obs->number[i]);
    else memcpy(add(t, WN_FIELD_props, number_why_not(w, p, list))->out, name.p, name.n);
}

// The declared name stands beside the reason: it is the policy's word, not the sender's.
static void explain_props(const wn_work *w, wn_trace *t) {
    const wn_site_policy *began = w->policy[0], *newest = w->policy[1];
    bool stands[WN_POLICY_PROPS_MAX] = {false}, any = false, undeclared = false;
    wn_pair p;
    for (size_t at = 0; wn_event_pair_next(w->e, WN_FIELD_props, &at, &p);) {
        const wn_policy_list *list = listed(began->props, began->props_n, p.key),
                             *number = listed(began->numbers, began->numbers_n, p.key);
        if (list != NULL) stands[list - began->props] = any = true;
        else if (number != NULL) any = true, explain_number(w, t, &p, (size_t)(number - began->numbers));
        else undeclared = true;
    }
    for (size_t i = 0; i < began->props_n; i++) {
        const wn_policy_list *list = &began->props[i];
        wn_span name = {(const uint8_t *)list->name, strlen(list->name)};
        if (!stands[i] || w->text[WN_DIM_prop1 + i].n > 0) continue;
        const char *why = why_not(w, list, listed(newest->props, newest->props_n, name));
        memcpy(add(t, WN_FIELD_props, why)->out, list->name, name.n);
    }
    if (undeclared)
        add(t, WN_FIELD_props, any ? "dropped: others, which the policy does not declare" : UNDECLARED);
}

static const char *survey_shut(const wn_work *w) {
    wn_span survey = wn_work_get(w, WN_FIELD_survey), answer = wn_work_get(w, WN_FIELD_answer);
    if (survey.n == 0) return "dropped: there is no survey to it";
    if (answer.n == 0) return "dropped: there is no answer to it";
    return why_not(w, listed(w->policy[0]->surveys, w->policy[0]->surveys_n, survey),
                   listed(w->policy[1]->surveys, w->policy[1]->surveys_n, survey));
}

static const char *nothing_of(const wn_work *w, wn_field f) {
    switch (f) {
    case WN_FIELD_referrer:
        if (w->internal) return "dropped: a page of the same site";
        return "dropped: no registrable domain";
    case WN_FIELD_exit_link: return "dropped: no registrable domain";
    case WN_FIELD_link: return "dropped: no page of this site";
    case WN_FIELD_survey:
    case WN_FIELD_answer: return survey_shut(w);
    case WN_FIELD_props: return UNDECLARED;
    case WN_FIELD_os_version:
        if (wn_work_get(w, WN_FIELD_os).n == 0) return "dropped: no os stands beside it";
        break;
    case WN_FIELD_birthday:
        if (wn_work_get(w, WN_FIELD_age).n > 0) return "dropped: age stands before it";
        break;
    default: break;
    }
    return "dropped: not on its list, or shaped like an identifier";
}

static void explain_field(const wn_work *w, wn_trace *t, wn_field f) {
    const char *read = always(w, f);
    bool shut = !wn_work_permits(w, f), tells = is(wn_field_transform(f), "TIME_TO_HOUR");
    size_t before = t->n;
    if (!shut && f == WN_FIELD_referrer && w->text[WN_DIM_referrer].n == 0) add(t, f, nothing_of(w, f));
    for (size_t i = 0; i < WN_COUNT(becomes) && (!shut || tells); i++)
        if (becomes[i].field == f && gave(w, f, becomes[i].dim)) add_dimension(w, t, f, becomes[i].dim);
    if (!shut && f == WN_FIELD_props) explain_props(w, t);
    const char *other = shut ? NULL : other_outcome(w, f);
    if (read != NULL) add(t, f, read);
    if (other != NULL) add(t, f, other);
    // Of a mail's request no more than this is meant to be read; elsewhere the policy or the person shut the
    // rest.
    bool more = is(wn_field_transform(f), "IP_TO_COUNTRY") || is(wn_field_transform(f), "AGENT_TO_FAMILY");
    if (t->n == before) add(t, f, shut ? shut_by(w, f) : nothing_of(w, f));
    else if (shut && more && !w->mail) add(t, f, shut_by(w, f));
}

// Values the event did not hold and the sender's request gave.
static bool from_sender(const wn_work *w, wn_field f) {
    switch (f) {
    case WN_FIELD_ip: return w->sender->address != NULL;
    case WN_FIELD_user_agent: return w->sender->user_agent.n > 0;
    case WN_FIELD_language: return w->sender->accept_language.n > 0;
    case WN_FIELD_url: return w->sender->page.n > 0;
    case WN_FIELD_gpc: return w->sender->gpc;
    case WN_FIELD_dnt: return w->sender->dnt;
    case WN_FIELD_tcf: return w->sender->tcf.n > 0;
    case WN_FIELD_us_privacy: return w->sender->us_privacy.n > 0;
    case WN_FIELD_time: return true;
    default: return false;
    }
}

static bool holds(const wn_text *text, wn_span id) {
    return id.n >= 6 && text->n >= id.n && memmem(text->s, text->n, id.p, id.n) != NULL;
}

// A fault if it ever answers true: an identifying value stands whole in what travels.
static bool stays(const wn_work *w) {
    static const char *const identifying[] = {"PERSON_KEY",    "SIGNATURE",      "ORG_KEY",
                                              "IP_TO_COUNTRY", "DEDUPLICATE",    "AGENT_TO_FAMILY",
                                              "IDENTIFIER",    "ADVERTISING_ID", "CONSENT"};
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        bool names = false;
        for (size_t i = 0; i < WN_COUNT(identifying); i++)
            names |= is(wn_field_transform((wn_field)f), identifying[i]);
        for (unsigned dim = 0; names && dim < WN_OPEN_N; dim++)
            if (holds(&w->text[dim], wn_event_get(w->e, (wn_field)f))) return true;
    }
    return false;
}

void wn_explain(const wn_work *w, wn_verdict verdict, wn_trace *out) {
    out->n = 0;
    out->identifying = out->shared = false;
    out->granted = w->grants.refused ? 0 : w->grants.bits;
    out->taken_by_org = (uint8_t)taken_by_org(w);
    for (unsigned f = 0; f < WN_FIELD_N; f++) {
        bool given = wn_event_has(w->e, (wn_field)f);
        if (verdict != WN_KEEP) {
            if (given) add(out, (wn_field)f, "dropped with the event");
        } else if (given || from_sender(w, (wn_field)f)) {
            explain_field(w, out, (wn_field)f);
        }
    }
    if (verdict != WN_KEEP) return;
    out->identifying = stays(w);
    out->shared = (w->obs->flags & WN_OBS_SHARE) != 0;
}
