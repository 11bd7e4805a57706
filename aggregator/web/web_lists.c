// SPDX-License-Identifier: Apache-2.0
// Why: what there is to ask for, as far as this reader may ask, and what the
// public may know of where it goes.
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "days.h"
#include "report_text.h"
#include "web.h"

#define JSON "application/json"

// As a report calls their columns.
static const struct {
    uint8_t measure;
    const char *name;
} measures[] = {
    {WN_MEASURE_PEOPLE, "people"},       {WN_MEASURE_EVENTS, "events"}, {WN_MEASURE_SESSIONS, "sessions"},
    {WN_MEASURE_BOUNCES, "bounces"},     {WN_MEASURE_TIME, "time_s"},   {WN_MEASURE_NUMBER1, "number1_sum"},
    {WN_MEASURE_NUMBER2, "number2_sum"},
};

// Opens what an answer is written to; close_and_say answers with it.
typedef struct page {
    FILE *out;
    char *text;
    size_t n;
} page;

static bool page_open(page *p) {
    *p = (page){0};
    p->out = open_memstream(&p->text, &p->n);
    return p->out;
}

// A list that did not change since is not sent again: its tag is of its content.
static enum MHD_Result close_and_say(wn_web_ask *a, page *p) {
    char etag[WN_WEB_ETAG_BYTES];
    enum MHD_Result done;
    if (fclose(p->out) != 0) return free(p->text), MHD_NO;
    wn_web_etag_of((wn_span){(const uint8_t *)p->text, p->n}, etag);
    if (wn_web_unchanged(a, etag, &done)) return free(p->text), done;
    return wn_web_say_text(a, MHD_HTTP_OK, p->text, p->n, JSON, etag);
}

const wn_site *wn_web_site(const wn_web_ask *a, const char *name, wn_problem *out_problem) {
    const wn_sites *s = &a->web->conf.sites;
    const wn_site *only = NULL;
    size_t may = 0;
    if (name[0]) {
        const wn_site *site = wn_sites_by_name(s, name, strlen(name));
        if (site && wn_web_reads_site(&a->reader, name)) return site;
        (void)wn_problem_set(out_problem, WN_PROBLEM_unknown_site,
                             "/api/v1/sites lists those that this key reads");
        return NULL;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (!wn_web_reads_site(&a->reader, s->site[i].name)) continue;
        only = &s->site[i];
        may++;
    }
    if (may == 1) return only;
    (void)wn_problem_set(out_problem, WN_PROBLEM_bad_parameter,
                         may ? "Say which site with site=NAME; /api/v1/sites lists them"
                             : "There is no site yet; add one with `winnow site add NAME`");
    return NULL;
}

static int by_name(const void *x, const void *y) {
    const wn_site *const *a = x, *const *b = y;
    return strcmp((*a)->name, (*b)->name);
}

enum MHD_Result wn_web_sites(wn_web_ask *a) {
    const wn_sites *s = &a->web->conf.sites;
    page p;
    char day[11];
    if (a->pairs_n) {
        (void)wn_problem_set(&a->problem, WN_PROBLEM_bad_parameter, "This takes no parameters");
        return wn_web_say_problem(a, &a->problem);
    }
    const wn_site **sorted = calloc(s->n + 1, sizeof(const wn_site *));
    if (!sorted || !page_open(&p)) return free(sorted), MHD_NO;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (wn_web_reads_site(&a->reader, s->site[i].name)) sorted[n++] = &s->site[i];
    qsort(sorted, n, sizeof(const wn_site *), by_name);
    fprintf(p.out, "{\"tick_s\":%d,\"sites\":[", (int)a->web->o.tick_s);
    for (size_t i = 0; i < n; i++) {
        wn_day_text(wn_dates_today(sorted[i]), day);
        fprintf(p.out, "%s\n{\"name\":\"%s\",\"zone\":\"%s\",\"kind\":\"%s\",\"today\":\"%s\"}", i ? "," : "",
                sorted[i]->name, sorted[i]->zone, sorted[i]->kind == WN_KIND_APP ? "app" : "web", day);
    }
    fputs("]}\n", p.out);
    free(sorted);
    return close_and_say(a, &p);
}

static void strings(FILE *out, const char *name, const char *const *text, size_t n) {
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) fprintf(out, "%s\"%s\"", i ? "," : "", text[i]);
    fputc(']', out);
}

static void table_write(const wn_plan *plan, const wn_table *t, FILE *out) {
    const char *list[WN_COUNT(measures) + WN_RECEIVERS_MAX];
    size_t n = 0;
    fprintf(out, "{\"id\":\"%s\",\"doc\":", t->id);
    wn_report_text_json(out, t->doc);
    for (; n < t->dims_n; n++) list[n] = wn_dim_name(t->dims[n]);
    strings(out, "dimensions", list, n);
    n = 0;
    for (size_t i = 0; i < WN_COUNT(measures); i++)
        if ((t->measures | WN_MEASURE_PEOPLE) & measures[i].measure) list[n++] = measures[i].name;
    strings(out, "measures", list, n);
    fprintf(out, ",\"k\":%u,\"profile\":\"%s\",\"share\":%s", (unsigned)t->k,
            t->profile == WN_PROFILE_NOISE ? "noise" : "crowd", t->share ? "true" : "false");
    n = 0;
    for (size_t i = 0; i < plan->receivers_n; i++)
        if (t->receivers & 1u << i) list[n++] = plan->receiver[i];
    strings(out, "receivers", list, n);
    fputc('}', out);
}

enum MHD_Result wn_web_tables(wn_web_ask *a) {
    const wn_plan *plan = &a->web->conf.plan;
    char name[WN_SITE_NAME_BYTES];
    page p;
    bool first = true;
    // One plan for every site: the site is only looked at.
    if (!wn_web_site_parse(a->pair, a->pairs_n, name, &a->problem) ||
        (name[0] && !wn_web_site(a, name, &a->problem)))
        return wn_web_say_problem(a, &a->problem);
    if (!page_open(&p)) return MHD_NO;
    fprintf(p.out, "{\"plan_version\":%u,\"tables\":[", (unsigned)plan->version);
    for (size_t i = 0; i < plan->n; i++) {
        if (!wn_web_reads_table(&a->reader, plan, &plan->table[i])) continue;
        fputs(first ? "\n" : ",\n", p.out);
        table_write(plan, &plan->table[i], p.out);
        first = false;
    }
    fputs("]}\n", p.out);
    return close_and_say(a, &p);
}

static const struct {
    const char *name, *doc;
} purposes[] = {
#define PURPOSE(name, granted, doc) {#name, doc},
#include "purposes.def"
#undef PURPOSE
};

// Of the plan as it is written; then what was sent before and stands there no more.
static void write_tables(FILE *out, const wn_web *w, const char *receiver) {
    const wn_plan *plan = &w->conf.plan;
    uint32_t bit = 0;
    bool first = true;
    for (size_t i = 0; i < plan->receivers_n; i++)
        if (strcmp(plan->receiver[i], receiver) == 0) bit = 1u << i;
    fputs(",\"tables\":[", out);
    for (size_t t = 0; t < plan->n; t++) {
        if (!(plan->table[t].receivers & bit)) continue;
        fprintf(out, "%s\"%s\"", first ? "" : ",", plan->table[t].id);
        first = false;
    }
    fputc(']', out);
    first = true;
    for (size_t i = 0; i < w->facts.n; i++) {
        const wn_web_sent *s = &w->facts.sent[i];
        int at = wn_plan_table(plan, s->table);
        if (strcmp(s->receiver, receiver) != 0 || (at >= 0 && plan->table[at].receivers & bit)) continue;
        fprintf(out, "%s\"%s\"", first ? ",\"sent_before\":[" : ",", s->table);
        first = false;
    }
    fputs(first ? "}" : "]}", out);
}

static bool is_destination(const wn_web_conf *c, const char *name) {
    for (size_t i = 0; i < c->receivers_n; i++)
        if (strcmp(c->receiver[i].name, name) == 0) return true;
    return false;
}

static bool is_planned(const wn_plan *plan, const char *name) {
    for (size_t i = 0; i < plan->receivers_n; i++)
        if (strcmp(plan->receiver[i], name) == 0) return true;
    return false;
}

static void field_date(FILE *out, const char *name, int64_t at_s) {
    char text[11];
    wn_day_text((int32_t)(at_s / 86400), text);
    fprintf(out, ",\"%s\":\"%s\"", name, text);
}

// Of a receiver that nothing is set up for: when it was last sent anything. False: never.
static bool write_last(FILE *out, const wn_web_facts *f, const char *receiver) {
    int64_t last_s = 0;
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->sent[i].receiver, receiver) == 0 && f->sent[i].last_s > last_s)
            last_s = f->sent[i].last_s;
    if (last_s) field_date(out, "last_sent", last_s);
    return last_s != 0;
}

static bool is_first_of(const wn_web_facts *f, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (strcmp(f->sent[i].receiver, f->sent[at].receiver) == 0) return false;
    return true;
}

// Who is sent rows, by what right; then whom the plan names for whom nothing is set up yet:
// who comes and fetches with a key of its own; then who was sent rows and is neither any more.
static void write_destinations(FILE *out, const wn_web *w) {
    const wn_web_conf *c = &w->conf;
    const wn_web_facts *f = &w->facts;
    bool first = true;
    for (size_t i = 0; i < c->receivers_n; i++) {
        const wn_web_receiver *r = &c->receiver[i];
        fprintf(out, "%s\n{\"name\":\"%s\",\"kind\":\"%s\",\"basis\":", first ? "" : ",", r->name, r->kind);
        wn_report_text_json(out, r->basis);
        write_tables(out, w, r->name);
        first = false;
    }
    for (size_t i = 0; i < c->plan.receivers_n; i++) {
        if (is_destination(c, c->plan.receiver[i])) continue;
        fprintf(out, "%s\n{\"name\":\"%s\"", first ? "" : ",", c->plan.receiver[i]);
        if (write_last(out, f, c->plan.receiver[i])) fputs(",\"configured\":false", out);
        write_tables(out, w, c->plan.receiver[i]);
        first = false;
    }
    for (size_t i = 0; i < f->n; i++) {
        const char *name = f->sent[i].receiver;
        if (is_destination(c, name) || is_planned(&c->plan, name) || !is_first_of(f, i)) continue;
        fprintf(out, "%s\n{\"name\":\"%s\",\"configured\":false", first ? "" : ",", name);
        (void)write_last(out, f, name);
        write_tables(out, w, name);
        first = false;
    }
}

// What the ledger says is in force; where a file says otherwise, that too, as what comes next.
static void write_force(FILE *out, const wn_web *w) {
    const wn_web_conf *c = &w->conf;
    const wn_web_fact *policy = &w->facts.policy, *plan = &w->facts.plan;
    uint64_t id = 0;
    for (unsigned i = 8; i-- > 0;) id = id << 8 | policy->content[i];
    bool same = !policy->known || (id == c->policy_id && policy->version == c->policy_version);
    // Of a text that is no longer there the ledger has the number, and when it began.
    fprintf(out, "\"policy\":{\"version\":%u", (unsigned)(same ? c->policy_version : policy->version));
    if (same) fprintf(out, ",\"date\":\"%s\"", c->policy_date);
    else fputs(",\"date\":null", out);
    if (policy->known) field_date(out, "since", policy->since_s);
    fputc('}', out);
    if (!same)
        fprintf(out, ",\"policy_next\":{\"version\":%u,\"date\":\"%s\"}", (unsigned)c->policy_version,
                c->policy_date);
    same = !plan->known || memcmp(plan->content, c->plan.digest, sizeof plan->content) == 0;
    fprintf(out, ",\n\"plan\":{\"version\":%u", (unsigned)(same ? c->plan.version : plan->version));
    if (plan->known) field_date(out, "since", plan->since_s);
    fputc('}', out);
    if (!same) fprintf(out, ",\"plan_next\":{\"version\":%u}", (unsigned)c->plan.version);
}

enum MHD_Result wn_web_public(wn_web_ask *a) {
    page p;
    wn_err err = wn_web_facts_read(&a->web->facts, a->web->store);
    if (err) { // said in part it would be less than the truth
        (void)wn_problem_set(&a->problem, WN_PROBLEM_store_damaged, "%s", wn_err_text(err));
        return wn_web_say_problem(a, &a->problem);
    }
    if (!page_open(&p)) return MHD_NO;
    fputc('{', p.out);
    write_force(p.out, a->web);
    fputs(",\n\"purposes\":[", p.out);
    for (size_t i = 0; i < WN_COUNT(purposes); i++) {
        fprintf(p.out, "%s\n{\"name\":\"%s\",\"doc\":", i ? "," : "", purposes[i].name);
        wn_report_text_json(p.out, purposes[i].doc);
        fputc('}', p.out);
    }
    fputs("],\n\"destinations\":[", p.out);
    write_destinations(p.out, a->web);
    fputs("]}\n", p.out);
    return close_and_say(a, &p);
}

enum MHD_Result wn_web_health(wn_web_ask *a) {
    uint8_t state[32];
    bool well = wn_published_state(a->web->store, state) == WN_OK;
    char *text = strdup(well ? "ok\n" : "ill\n");
    if (!text) return MHD_NO;
    return wn_web_say_text(a, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text, strlen(text),
                           "text/plain; charset=utf-8", NULL);
}
