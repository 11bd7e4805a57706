// SPDX-License-Identifier: Apache-2.0
// policy_describe.c: rows to sentences.
#include "policy_describe.h"

#include <string.h>
#include <strings.h>

#include "clock.h"
#include "filter.h"

#define FIELD(name, type, purpose, transform, max, from, doc)                                                \
    {#name, WN_PURPOSE_##purpose, #transform, #from, doc},
static const struct {
    const char *name;
    wn_purpose purpose;
    const char *transform, *from, *doc;
} fields[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define PURPOSE(name, dflt, doc) {#name, dflt, doc},
static const struct {
    const char *name;
    bool granted;
    const char *doc;
} purposes[WN_PURPOSE_N] = {
#include "purposes.def"
};
#undef PURPOSE

// "`basic` and `measure`"; "nothing" for no bit.
static void print_purposes(FILE *out, uint8_t bits) {
    size_t left = 0;
    for (size_t i = 0; i < WN_PURPOSE_N; i++) left += bits >> i & 1;
    if (left == 0) fputs("nothing", out);
    for (size_t i = 0; i < WN_PURPOSE_N; i++) {
        if (!(bits >> i & 1)) continue;
        left--;
        fprintf(out, "`%s`%s", purposes[i].name, left == 0 ? "" : left == 1 ? " and " : ", ");
    }
}

static bool transform_is(size_t f, const char *transform) {
    return strcmp(fields[f].transform, transform) == 0;
}

static void days(FILE *out, int64_t seconds) {
    int64_t hours = seconds / 3600;
    if (hours % 24 == 0 && hours > 24) fprintf(out, "%lld days", (long long)(hours / 24));
    else fprintf(out, "%lld hours", (long long)hours);
}

// ---- sections ----

// Has no purpose, since nothing of it is kept. NULL: it has one.
static const char *kept_nowhere(size_t f) {
    // What a signal does is the policy's to say, not the row's.
    if (fields[f].from[0] == 'H') return "Taken from the request itself; see what a person's choice does.";
    bool unread =
        transform_is(f, "DROPPED") || transform_is(f, "IDENTIFIER") || transform_is(f, "ADVERTISING_ID");
    if (unread || strncmp(fields[f].transform, "CONSENT", 7) == 0) return fields[f].doc;
    return NULL;
}

// What is looked at of a field although nothing of it is kept: of everybody, whatever was agreed to.
static const char *checked(size_t f) {
    if (transform_is(f, "AGE_BAND")) return " Read of every event for the check that keeps children out.";
    if (transform_is(f, "IP_TO_COUNTRY"))
        return " The keyed prefix is made for every counted event: the locks need it.";
    if (transform_is(f, "AGENT_TO_FAMILY"))
        return " Read of every event to know robots, and to tell people of one network apart.";
    if (transform_is(f, "CHILD")) return " Read of every event.";
    if (transform_is(f, "URL_TO_ROUTE"))
        return " Its host is compared with the site's and its path with the sensitive pages in any case.";
    if (transform_is(f, "LINK_TO_ROUTE")) return " Compared with the sensitive pages in any case.";
    return "";
}

// Where it comes from when the event does not say it, and who may say it.
static const char *taken_from(size_t f) {
    if (fields[f].from[0] == 'S')
        return " Taken from every request; stated in a body it is believed only from the operator's own "
               "servers.";
    if (transform_is(f, "LANGUAGE"))
        return " Taken from every request (Accept-Language) unless the event states one.";
    if (transform_is(f, "TIME_TO_HOUR")) return " Unless stated: when the request came.";
    return "";
}

static void describe_fields(const wn_site_policy *s, FILE *out) {
    fputs("\n## What is collected, why, and what becomes of it\n\n"
          "An event may hold these fields and no others: an event that holds anything else is refused and "
          "counted.\n\n",
          out);
    for (size_t f = 0; f < WN_FIELD_N; f++) {
        if (s->fields_off >> f & 1) {
            fprintf(out, "- **%s**: not collected here. What arrives of it is treated as absent.%s\n",
                    fields[f].name, checked(f));
            continue;
        }
        const char *alone = kept_nowhere(f);
        if (alone != NULL) {
            fprintf(out, "- **%s**: %s\n", fields[f].name, alone);
            continue;
        }
        fprintf(out, "- **%s**: %s Purpose: ", fields[f].name, fields[f].doc);
        print_purposes(out, (uint8_t)(1u << fields[f].purpose | s->needs[f]));
        fputs(".", out);
        if (s->needs[f] != 0) fputs(" (Narrowed here: every one of them must be agreed to.)", out);
        fprintf(out, "%s%s\n", taken_from(f), checked(f));
    }
}

static void describe_purposes(const wn_site_policy *s, FILE *out) {
    fputs("\n## The purposes\n\n", out);
    for (size_t i = 0; i < WN_PURPOSE_N; i++)
        fprintf(out, "- `%s`: %s %s\n", purposes[i].name, purposes[i].doc,
                purposes[i].granted && s->counts_unknown ? "Granted unless refused."
                                                         : "Only when agreed to.");
}

static void describe_signal(FILE *out, const char *signal, wn_signal_mode mode, bool counts_unknown) {
    fprintf(out, "- %s: ", signal);
    switch (mode) {
    case WN_SIGNAL_IGNORE: fputs("**it is not honoured on this site.** It changes nothing.\n", out); break;
    case WN_SIGNAL_LIMIT:
        fprintf(out, "whatever else was agreed to, only `basic` remains%s.\n",
                counts_unknown ? "" : ", and that only when it was agreed to");
        break;
    case WN_SIGNAL_DROP: fputs("nothing is counted; the event is dropped.\n", out); break;
    }
}

static void describe_consent(const wn_site_policy *s, FILE *out) {
    fputs("\n## What a person's choice does\n\n", out);
    describe_signal(out, "Global Privacy Control (Sec-GPC) is on", s->gpc, s->counts_unknown);
    describe_signal(out, "Do Not Track is on", s->dnt, s->counts_unknown);
    fprintf(out, "- Nothing is known of a choice: %s\n",
            s->counts_unknown ? "only `basic` is granted." : "nothing is counted; the event is dropped.");
    fputs("- Everything is refused, or a choice cannot be read: nothing is counted; the event is dropped.\n"
          "- A refused event leaves one counter of the site and day greater by one, shown in steps of ten or "
          "more. Nothing recognises who refused. The sender sees plain success.\n",
          out);
    if (s->legitimate_interest)
        fputs("- A TCF string: a vendor's legitimate interest is enough for `basic`; consent is needed for "
              "the rest.\n",
              out);
    else fputs("- A TCF string: only consent counts; a vendor's legitimate interest grants nothing.\n", out);
    if (s->vendors_n == 0) fputs("- A TCF string never grants `share`: no vendor is named.\n", out);
    else {
        fputs("- By a TCF string, `share` also needs consent to each of these vendors:", out);
        for (size_t i = 0; i < s->vendors_n; i++) fprintf(out, "%s %u", i == 0 ? "" : ",", s->vendors[i]);
        fputs(".\n", out);
    }
    if (s->orgs_n != 0)
        fprintf(out, "- %zu organisation%s narrower rules for %s members, whatever these agree to.\n",
                s->orgs_n, s->orgs_n == 1 ? " has" : "s have", s->orgs_n == 1 ? "its" : "their");
}

// What the readers of collector/consent/ make of each.
static void describe_strings(const wn_site_policy *s, FILE *out) {
    fputs("\n## What consent platforms say\n\n"
          "All signals of an event are read; what one of them denies is denied, and one that cannot be read "
          "refuses everything.\n\n",
          out);
    fprintf(
        out,
        "- IAB TCF: purposes 8 or 9 grant `basic`, with purpose 1 `measure`, special feature 1 `locate`%s; "
        "what it "
        "does not grant it denies. Where the GDPR is said to apply and no string stands there, everything is "
        "refused. A string older than 13 months grants nothing.\n",
        s->vendors_n != 0 ? ", and all named vendors `share`" : "");
    fputs("- IAB GPP: the sections in force are read, the strictest wins; an opt-out of sale, sharing or "
          "targeted "
          "advertising denies `share`, one of precise location `locate`; a section that is not known denies "
          "both and "
          "keeps the string from granting anything; a child under 13 refuses everything.\n"
          "- US Privacy: an opt-out of sale denies `share`; it grants nothing.\n",
          out);
    fprintf(out,
            "- Google consent mode: analytics_storage grants or denies `measure`%s, ad_user_data `share`.\n",
            s->counts_unknown ? "" : " and `basic`");
    fputs("- App tracking transparency, and Android's advertising switch: anything but \"authorized\" denies "
          "`share`, "
          "as a zero advertising id does; they grant nothing.\n",
          out);
}

static bool replaced(const wn_site_policy *s, const char *id) {
    for (size_t i = 0; i < s->categories_n; i++)
        if (strcasecmp(s->categories[i].id, id) == 0) return true;
    return false;
}

static void describe_categories(const wn_site_policy *s, FILE *out) {
    static const struct {
        const char *id;
        uint8_t bit;
    } rows[] = {
#define CONSENT_CATEGORY(id, purpose) {id, 1u << WN_PURPOSE_##purpose},
#include "consent_categories.def"
#undef CONSENT_CATEGORY
    };
    fputs(
        "\n## Consent categories\n\nOf the categories that consent platforms name, agreed to or refused. One "
        "that "
        "is not listed says nothing. A purpose is granted when none of its named categories was refused.\n\n",
        out);
    for (size_t i = 0; i < s->categories_n; i++) {
        fprintf(out, "- \"%s\": ", s->categories[i].id);
        print_purposes(out, s->categories[i].purposes);
        fputs(". Named by this site.\n", out);
    }
    for (size_t i = 0; i < WN_COUNT(rows);) {
        uint8_t bits = 0;
        size_t first = i;
        for (; i < WN_COUNT(rows) && strcmp(rows[i].id, rows[first].id) == 0; i++) bits |= rows[i].bit;
        if (replaced(s, rows[first].id)) continue;
        fprintf(out, "- \"%s\": ", rows[first].id);
        print_purposes(out, bits);
        fputs(".\n", out);
    }
}

static void describe_opting_out(FILE *out) {
    fputs("\n## Opting out\n\n"
          "`/v1/opt-out` is a page with two buttons that needs neither script nor style. It keeps the choice "
          "in the "
          "browser, as the cookie `winnow_opt_out=1`, which is the same for everybody; on our side nothing "
          "is stored "
          "about it. A browser that sends it is not counted: the event is dropped. The cookie is made for "
          "ten years; "
          "some browsers keep one for 400 days at most, and none outlives the deletion of the site's "
          "cookies.\n",
          out);
}

static void describe_children(FILE *out) {
    fputs("\n## Children\n\n"
          "An event is dropped before anything else of it is looked at when it says `child`, or states an "
          "`age` or "
          "a `birthday` of under 13 years, or one that cannot be read. A GPP string that tells of a known "
          "child under "
          "13 refuses it as well. Nobody is asked for an age, and none is guessed.\n",
          out);
}

static void describe_pages(const wn_site_policy *s, FILE *out) {
    fputs("\n## Sensitive pages\n\n", out);
    if (s->sensitive_n == 0) {
        fputs("None are named. If pages tell of health, faith, politics or the like, name them under "
              "`sensitive`.\n",
              out);
        return;
    }
    fputs("Visits to these pages, and clicks that lead to them, are dropped unless the person agreed to "
          "`sensitive`. "
          "Those who did are counted and never forwarded:\n\n",
          out);
    for (size_t i = 0; i < s->sensitive_n; i++) fprintf(out, "- `%s`\n", s->sensitive[i]);
}

static void describe_list(const wn_policy_list *l, const char *what, FILE *out) {
    fprintf(out, "- %s `%s`: ", what, l->name);
    if (l->number_max != 0)
        fprintf(
            out,
            "a whole number, of which an event adds at most %u to a sum over a crowd; never shown by itself",
            l->number_max);
    else if (l->values_n == 0)
        fputs("any short word, kept sealed until a crowd shares it; needs `measure`", out);
    else fputs("one of", out);
    for (size_t i = 0; i < l->values_n; i++) fprintf(out, "%s `%s`", i == 0 ? "" : ",", l->values[i]);
    if (l->purpose != 0) {
        fputs("; also needs ", out);
        print_purposes(out, l->purpose);
    }
    fputs(".\n", out);
}

static void describe_declared(const wn_site_policy *s, FILE *out) {
    if (s->props_n + s->numbers_n + s->surveys_n + s->routes_n == 0) return;
    fputs("\n## What the site declares\n\n", out);
    for (size_t i = 0; i < s->props_n; i++) describe_list(&s->props[i], "Property", out);
    for (size_t i = 0; i < s->numbers_n; i++) describe_list(&s->numbers[i], "Property", out);
    for (size_t i = 0; i < s->surveys_n; i++) describe_list(&s->surveys[i], "Survey", out);
    for (size_t i = 0; i < s->routes_n; i++) {
        bool varies = strpbrk(s->routes[i], ":*") != NULL;
        fprintf(out, "- Page template `%s`%s.\n", s->routes[i],
                varies ? ": what stands in its varying parts is never kept" : "");
    }
}

// Whom the plan lets a table go to.
static void describe_receivers_of(const wn_plan *p, const wn_table *t, FILE *out) {
    const char *comma = " Goes to";
    for (size_t r = 0; r < p->receivers_n; r++) {
        if (!(t->receivers >> r & 1)) continue;
        fprintf(out, "%s %s", comma, p->receiver[r]);
        comma = ",";
    }
    if (t->receivers != 0) fputs(".", out);
}

static void describe_measures(const wn_table *t, FILE *out) {
    static const struct {
        uint8_t bit;
        const char *words;
    } rows[] = {{WN_MEASURE_EVENTS, "events"},
                {WN_MEASURE_SESSIONS, "sessions"},
                {WN_MEASURE_BOUNCES, "bounces"},
                {WN_MEASURE_TIME, "time on site"},
                {WN_MEASURE_NUMBER1, "the sum of the first declared number"},
                {WN_MEASURE_NUMBER2, "the sum of the second declared number"}};
    fputs(" Shows people", out);
    for (size_t i = 0; i < WN_COUNT(rows); i++)
        if (t->measures & rows[i].bit) fprintf(out, ", %s", rows[i].words);
    fputs(".", out);
}

static void describe_noise_table(const wn_plan *p, const wn_table *t, FILE *out) {
    bool open = t->k == WN_K_NOISE_OPEN;
    fprintf(out,
            " With noise, once, when the day is sealed. %s counts in at most %u row%s; a row needs %u "
            "people, and is "
            "shown from %u on.",
            p->noise.signed_only ? "A person with a signed id, and nobody else," : "A person", t->cells,
            t->cells == 1 ? "" : "s", t->k, open ? p->noise.threshold_open : p->noise.threshold_closed);
}

static void describe_tables(const wn_plan *p, FILE *out) {
    fprintf(out,
            "\n## What is shown\n\n"
            "Only tables of this list, one a day, and only rows that a crowd shares. Counts are \"at least\" "
            "figures: "
            "whole multiples of the number of people a row needs; bounces, time and sums appear when the day "
            "is sealed, "
            "and only where a crowd has some and a crowd has none. With noise, a figure is the number of "
            "people and a "
            "random number, drawn once. A row also "
            "needs at least four organisations (or networks, where none are declared), none of which "
            "dominates. Plan version %u.\n\n",
            p->version);
    for (size_t i = 0; i < p->n; i++) {
        const wn_table *t = &p->table[i];
        fprintf(out, "- **%s**: %s", t->id, t->doc);
        for (unsigned d = 0; d < t->dims_n; d++)
            fprintf(out, "%s %s", d == 0 ? ", by" : " and", wn_dim_name(t->dims[d]));
        fputs(". Purpose: ", out);
        print_purposes(out, (uint8_t)(1u << t->purpose | (t->share ? 1u << WN_PURPOSE_share : 0)));
        fputs(".", out);
        if (t->profile == WN_PROFILE_NOISE) describe_noise_table(p, t, out);
        else {
            describe_measures(t, out);
            fprintf(out, " A row needs %u people.", t->k);
        }
        describe_receivers_of(p, t, out);
        fputs("\n", out);
    }
}

static void describe_receivers(const wn_plan *p, FILE *out) {
    fputs("\n## Who receives it\n\nThe operator and those who may read its reports.", out);
    if (p->receivers_n == 0) {
        fputs(" Nobody outside: the plan names no receiver.\n", out);
        return;
    }
    fputs(" Outside, these receivers, of whom each gets the tables named above, which count only people who "
          "agreed to "
          "`share`:\n\n",
          out);
    for (size_t r = 0; r < p->receivers_n; r++)
        fprintf(out, "- %s%s\n", p->receiver[r],
                wn_plan_crowd_beside_noise(p, r, NULL, NULL)
                    ? ": gets tables with noise beside tables without; the noise bounds nothing for it"
                    : "");
}

// Fields that become something no table asks for.
static void describe_unshown(const wn_plan *p, const wn_site_policy *s, FILE *out) {
    uint64_t shown = 0;
    bool any = false;
    for (size_t i = 0; i < p->n; i++)
        for (unsigned d = 0; d < p->table[i].dims_n; d++) shown |= UINT64_C(1) << p->table[i].dims[d];
    for (size_t f = 0; f < WN_FIELD_N; f++) {
        uint64_t dims = wn_field_dims((wn_field)f);
        if (dims == 0 || (dims & shown) != 0 || (s->fields_off >> f & 1)) continue;
        fprintf(out, "%s`%s`",
                any ? ", " : "\nCollected, and shown by no table of this plan: ", fields[f].name);
        any = true;
    }
    if (any) fputs(".\n", out);
}

static void describe_time(const wn_description *d, const wn_site_policy *s, FILE *out) {
    fputs("\n## How long\n\n", out);
    fputs(
        "- Network addresses, identifiers and full page addresses: until the event is read, in memory only.\n"
        "- What links events of one person within a day: encrypted; its keys die when the day is sealed, ",
        out);
    if (d->kind != WN_KIND_APP) days(out, wn_grace_s(WN_KIND_WEB));
    if (d->kind == WN_KIND_N) fputs(" (sites) or ", out);
    if (d->kind != WN_KIND_WEB) days(out, wn_grace_s(WN_KIND_APP));
    if (d->kind == WN_KIND_N) fputs(" (apps)", out);
    fputs(" after its end, later by at most ", out);
    days(out, d->seal_hold_s);
    fputs(" while a collector is away.\n", out);
    if (s->retention_days == 0) fputs("- Published rows, which describe crowds: no end is set.\n", out);
    else
        fprintf(out,
                "- Published rows, which describe crowds: %u days after the end of their day; then they are deleted.\n",
                s->retention_days);
}

static void describe_sites(const wn_policy *p, FILE *out) {
    if (p->sites_n == 0) return;
    fputs("\n## Sites with rules of their own\n\n", out);
    for (size_t i = 0; i < p->sites_n; i++)
        fprintf(out, "- %s: see `winnow policy describe --site %s`\n", p->sites[i].site, p->sites[i].site);
}

static void print_digest(const wn_policy *p, FILE *out) {
    for (size_t i = 0; i < sizeof p->digest; i++) fprintf(out, "%02x", p->digest[i]);
}

void wn_policy_describe(const wn_description *d, FILE *out) {
    const wn_policy *p = d->policy;
    const wn_site_policy *s = d->site != NULL ? wn_policy_of(p, d->site) : &p->defaults;
    fprintf(out, "# What %s collects, and why\n\n", d->site != NULL ? d->site : "this installation");
    fprintf(out, "Last updated: %s. Policy version %u, digest ", p->date, p->version);
    print_digest(p, out);
    fputs(".\n", out);
    describe_fields(s, out);
    describe_purposes(s, out);
    describe_consent(s, out);
    describe_strings(s, out);
    describe_categories(s, out);
    describe_opting_out(out);
    describe_children(out);
    describe_pages(s, out);
    describe_declared(s, out);
    describe_tables(d->plan, out);
    describe_unshown(d->plan, s, out);
    describe_time(d, s, out);
    describe_receivers(d->plan, out);
    if (d->site == NULL) describe_sites(p, out);
}
