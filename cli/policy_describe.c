// SPDX-License-Identifier: Apache-2.0
// policy_describe.c: rows to sentences.
#include "policy_describe.h"

#include <string.h>

#include "clock.h"

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

static void days(FILE *out, int64_t seconds) {
    int64_t hours = seconds / 3600;
    if (hours % 24 == 0 && hours > 24) fprintf(out, "%lld days", (long long)(hours / 24));
    else fprintf(out, "%lld hours", (long long)hours);
}

// ---- sections ----

static bool transform_is(size_t f, const char *transform) {
    return strcmp(fields[f].transform, transform) == 0;
}

// Has no purpose, since nothing of it is kept. NULL: it has one.
static const char *kept_nowhere(size_t f) {
    // What a signal does is the policy's to say, not the row's.
    if (fields[f].from[0] == 'H') return "Taken from the request itself; see what a person's choice does.";
    bool unread =
        transform_is(f, "DROPPED") || transform_is(f, "IDENTIFIER") || transform_is(f, "ADVERTISING_ID");
    if (unread || strncmp(fields[f].transform, "CONSENT", 7) == 0) return fields[f].doc;
    return NULL;
}

static void describe_fields(const wn_site_policy *s, FILE *out) {
    fputs("\n## What is collected, why, and what becomes of it\n\n"
          "An event may hold these fields and no others. Whatever else arrives is dropped and counted.\n\n",
          out);
    for (size_t f = 0; f < WN_FIELD_N; f++) {
        if (s->fields_off >> f & 1) {
            fprintf(out, "- **%s**: not collected here. What arrives of it is treated as absent.\n",
                    fields[f].name);
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
        if (fields[f].from[0] == 'S') fputs(" Believed only from the operator's own servers and logs.", out);
        fputs("\n", out);
    }
}

static void describe_purposes(FILE *out) {
    fputs("\n## The purposes\n\n", out);
    for (size_t i = 0; i < WN_PURPOSE_N; i++)
        fprintf(out, "- `%s`: %s %s\n", purposes[i].name, purposes[i].doc,
                purposes[i].granted ? "Granted unless refused." : "Only when agreed to.");
}

static void describe_signal(FILE *out, const char *signal, wn_signal_mode mode) {
    fprintf(out, "- %s: ", signal);
    switch (mode) {
    case WN_SIGNAL_IGNORE: fputs("**it is not honoured on this site.** It changes nothing.\n", out); break;
    case WN_SIGNAL_LIMIT: fputs("whatever else was agreed to, only `basic` remains.\n", out); break;
    case WN_SIGNAL_DROP: fputs("nothing is counted; the event is dropped.\n", out); break;
    }
}

static void describe_consent(const wn_site_policy *s, FILE *out) {
    fputs("\n## What a person's choice does\n\n", out);
    describe_signal(out, "Global Privacy Control (Sec-GPC) is on", s->gpc);
    describe_signal(out, "Do Not Track is on", s->dnt);
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
    if (s->vendors_n != 0) {
        fputs("- `share` also needs consent to each of these TCF vendors:", out);
        for (size_t i = 0; i < s->vendors_n; i++) fprintf(out, "%s %u", i == 0 ? "" : ",", s->vendors[i]);
        fputs(".\n", out);
    }
    for (size_t i = 0; i < s->categories_n; i++) {
        fprintf(out, "- The consent category \"%s\" grants ", s->categories[i].id);
        print_purposes(out, s->categories[i].purposes);
        fputs(".\n", out);
    }
    if (s->orgs_n != 0)
        fprintf(out, "- %zu organisation%s narrower rules for %s members, whatever these agree to.\n",
                s->orgs_n, s->orgs_n == 1 ? " has" : "s have", s->orgs_n == 1 ? "its" : "their");
}

static void describe_pages(const wn_site_policy *s, FILE *out) {
    fputs("\n## Sensitive pages\n\n", out);
    if (s->sensitive_n == 0) {
        fputs("None are named. If pages tell of health, faith, politics or the like, name them under "
              "`sensitive`.\n",
              out);
        return;
    }
    fputs("Visits to these pages are dropped unless the person agreed to `sensitive`:\n\n", out);
    for (size_t i = 0; i < s->sensitive_n; i++) fprintf(out, "- `%s`\n", s->sensitive[i]);
}

static void describe_list(const wn_policy_list *l, const char *what, FILE *out) {
    fprintf(out, "- %s `%s`: ", what, l->name);
    if (l->values_n == 0) fputs("any short word, kept sealed until a crowd shares it; needs `measure`", out);
    else fputs("one of", out);
    for (size_t i = 0; i < l->values_n; i++) fprintf(out, "%s `%s`", i == 0 ? "" : ",", l->values[i]);
    if (l->purpose != 0) {
        fputs("; also needs ", out);
        print_purposes(out, l->purpose);
    }
    fputs(".\n", out);
}

static void describe_declared(const wn_site_policy *s, FILE *out) {
    if (s->props_n + s->surveys_n + s->routes_n == 0) return;
    fputs("\n## What the site declares\n\n", out);
    for (size_t i = 0; i < s->props_n; i++) describe_list(&s->props[i], "Property", out);
    for (size_t i = 0; i < s->surveys_n; i++) describe_list(&s->surveys[i], "Survey", out);
    for (size_t i = 0; i < s->routes_n; i++) {
        bool varies = strpbrk(s->routes[i], ":*") != NULL;
        fprintf(out, "- Page template `%s`%s.\n", s->routes[i],
                varies ? ": what stands in its varying parts is never kept" : "");
    }
}

static void describe_tables(const wn_plan *p, FILE *out) {
    fprintf(out,
            "\n## What is shown\n\n"
            "Only tables of this list, one a day, and only rows that a crowd shares. Counts are \"at least\" "
            "figures: "
            "whole multiples of the number of people a row needs. A row also "
            "needs at least four organisations (or networks, where none are declared), none of which "
            "dominates. Plan version %u.\n\n",
            p->version);
    for (size_t i = 0; i < p->n; i++) {
        const wn_table *t = &p->table[i];
        fprintf(out, "- **%s**: %s", t->id, t->doc);
        for (unsigned d = 0; d < t->dims_n; d++)
            fprintf(out, "%s %s", d == 0 ? ", by" : " and", wn_dim_name(t->dims[d]));
        fprintf(out, ". A row needs %u people.\n", t->k);
    }
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
                "- Published rows, which describe crowds: %u days. The operator deletes them; this version "
                "does not do "
                "it by itself.\n",
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
    describe_purposes(out);
    describe_consent(s, out);
    describe_pages(s, out);
    describe_declared(s, out);
    describe_tables(d->plan, out);
    describe_time(d, s, out);
    fputs("\n## Who receives it\n\n"
          "The operator and those who may read its reports. Nobody outside: this version knows no "
          "destination.\n",
          out);
    if (d->site == NULL) describe_sites(p, out);
}
