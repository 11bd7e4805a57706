// SPDX-License-Identifier: Apache-2.0
// cmd_explain.c: `winnow explain`: what becomes of each field, by which row,
// shown by the filter that the collector runs.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explain_run.h"
#include "explain_matrix.h"
#include "cli.h"
#include "report_text.h"

#define SHOWN_IN_FULL 5 // events of a file; the rest is counted

#define IN_WIDTH 40
#define OUT_WIDTH 36

// The given values of the field a step speaks of, in one line.
static void given_text(const wn_explained *e, const char *field, char *out, size_t cap) {
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < e->given_n && at + 1 < cap; i++) {
        // "props, declared" is of props.
        size_t n = strcspn(e->given[i].field, ",");
        if (strlen(field) != n || memcmp(e->given[i].field, field, n) != 0) continue;
        const char *key = e->given[i].key;
        at += (size_t)snprintf(out + at, cap - at, "%s%s%s%s", at ? ", " : "", key ? key : "", key ? "=" : "",
                               e->given[i].value);
    }
}

// A text that a client wrote, harmless to a terminal, and blanks up to the width.
static void put_cell(const char *text, size_t width, size_t width_max) {
    for (size_t n = wn_report_text_plain(stdout, text, width_max); n < width; n++) putchar(' ');
}

static void print_purposes(uint8_t bits) {
#define PURPOSE(name, dflt, doc) #name,
    static const char *const names[] = {
#include "purposes.def"
    };
#undef PURPOSE
    if (bits == 0) fputs("none", stdout);
    const char *comma = "";
    for (size_t i = 0; i < WN_PURPOSE_N; i++) {
        if (!(bits >> i & 1)) continue;
        printf("%s%s", comma, names[i]);
        comma = ", ";
    }
    putchar('\n');
}

// Of an event that was refused before anybody asked about consent there is nothing to say.
static void print_consent(const wn_explained *e) {
    bool asked = e->verdict == WN_KEEP || e->verdict == WN_VERDICT_refused ||
                 e->verdict == WN_VERDICT_sensitive || e->verdict == WN_VERDICT_late;
    if (!asked) return;
    fputs("purposes      ", stdout);
    print_purposes(e->trace.granted);
    if (e->trace.taken_by_org) {
        fputs("taken away    by the organisation's rule: ", stdout);
        print_purposes(e->trace.taken_by_org);
    }
    if (e->decided == WN_SIGNAL_none) puts("decided by    no signal: the site's rule for that");
    else printf("decided by    %s\n", wn_signal_name((wn_signal_kind)e->decided));
    printf("may be forwarded: %s\n", e->trace.shared ? "yes" : "no");
}

static void print_one(const wn_explained *e) {
    const char *last = "";
    printf("%-13s %-*s    %-*s %s\n", "field", IN_WIDTH, "in", OUT_WIDTH, "out", "row");
    for (size_t i = 0; i < e->trace.n; i++) {
        const wn_trace_step *s = &e->trace.step[i];
        char in[512], out[220];
        const char *name = wn_field_name(s->field);
        bool again = strcmp(name, last) == 0;
        given_text(e, name, in, sizeof in);
        wn_explained_text(s, out, sizeof out);
        printf("%-13s ", again ? "" : name);
        put_cell(again ? "" : in, IN_WIDTH, IN_WIDTH);
        fputs(" -> ", stdout);
        put_cell(out, again ? 0 : OUT_WIDTH, 0);
        if (again) putchar('\n');
        else printf(" %s, %s\n", s->transform, s->purpose);
        wn_wipe(in, sizeof in);
        last = name;
    }
    print_consent(e);
    printf("verdict       %s: %s\n", wn_verdict_name(e->verdict), wn_verdict_text(e->verdict));
    if (e->verdict != WN_KEEP) puts("              nothing of it travels or is stored; one counter grows");
}

// Answers whether something identifying would stay.
static bool judge(const wn_explained *e) {
    if (e->leak) printf("FAULT: a part of `%s` stands in what would travel\n", e->leak);
    if (e->trace.identifying) puts("FAULT: the filter itself says that something identifying stays");
    return e->leak || e->trace.identifying;
}

typedef struct tally {
    uint64_t events, bad, found;
    uint64_t by_verdict[WN_VERDICT_N];
} tally;

// line_kind: 'j' JSON, 'l' log line, '?' by its first character.
static void explain_text(wn_bench *b, const wn_explain_sender *s, const char *text, size_t n, char kind,
                         tally *t) {
    wn_explained *e = calloc(1, sizeof *e);
    const char *why = "";
    if (!e) return;
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r')) n--;
    t->events++;
    bool json = kind == 'j' || (kind == '?' && n > 0 && text[0] == '{');
    bool well = json ? wn_bench_json(b, s, text, n, e, &why) : wn_bench_line(b, s, text, n, e, &why);
    if (!well) {
        t->bad++;
        if (t->events <= SHOWN_IN_FULL) printf("verdict       malformed: %s\n", why);
    } else {
        t->by_verdict[e->verdict]++;
        bool leaks = e->leak || e->trace.identifying;
        if (leaks || t->events <= SHOWN_IN_FULL) print_one(e);
        if (judge(e)) t->found++;
        else if (t->events <= SHOWN_IN_FULL) puts("check         nothing that identifies stays");
        if (t->events < SHOWN_IN_FULL) putchar('\n');
    }
    wn_explained_fini(e);
    free(e);
}

static bool explain_file(wn_bench *b, const wn_explain_sender *s, const char *path, tally *t) {
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    if (!f) return wn_cli_failed("%s cannot be read: %s", path, strerror(errno)), false;
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
        if (n == 1) continue;
        explain_text(b, s, line, (size_t)n, '?', t);
    }
    if (line) wn_wipe(line, cap);
    free(line);
    if (f != stdin) fclose(f);
    printf("%llu events:", (unsigned long long)t->events);
    for (size_t i = 0; i < WN_VERDICT_N; i++) {
        if (t->by_verdict[i])
            printf(" %s %llu", wn_verdict_name((wn_verdict)i), (unsigned long long)t->by_verdict[i]);
    }
    putchar('\n');
    if (t->bad) printf("%llu are neither events nor log lines\n", (unsigned long long)t->bad);
    return true;
}

// The named site, or one made up when there is none of that name.
static void pick_site(const wn_cli *c, const char *name, wn_site *out) {
    wn_sites sites;
    *out = (wn_site){.kind = WN_KIND_WEB, .zone = "UTC"};
    snprintf(out->name, sizeof out->name, "%s", name && !wn_site_name_check(name) ? name : "site");
    out->tag = wn_site_tag(out->name);
    if (!wn_cli_sites(c, &sites)) return;
    const wn_site *site = name           ? wn_sites_by_name(&sites, name, strlen(name))
                          : sites.n == 1 ? &sites.site[0]
                                         : NULL;
    if (site) *out = *site;
    wn_sites_fini(&sites);
}

// "a,b" of known purposes; false after a message.
static bool purposes_known(const char *list) {
#define PURPOSE(name, dflt, doc) #name,
    static const char *const names[] = {
#include "purposes.def"
    };
#undef PURPOSE
    if (list == NULL || list[0] == '\0') return true;
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ","), i = 0;
        while (i < WN_PURPOSE_N && (strlen(names[i]) != n || memcmp(p, names[i], n) != 0)) i++;
        if (i == WN_PURPOSE_N) {
            char allowed[120] = "";
            for (size_t j = 0; j < WN_PURPOSE_N; j++) {
                strcat(allowed, j == 0 ? "" : j + 1 < WN_PURPOSE_N ? ", " : " and ");
                strcat(allowed, names[j]);
            }
            (void)wn_cli_misused(&wn_cmd_explain, "--purposes \"%.*s\": allowed are %s, with commas between",
                                 (int)(n < 40 ? n : 40), p, allowed);
            return false;
        }
        p += n;
        if (*p == '\0') return true;
    }
}

// Nothing but options of every command beside it.
static bool matrix_alone(const wn_args *a) {
    size_t flags = 0;
    for (size_t i = 0; i < a->flags_n; i++) flags += a->times[i] > 0;
    return flags == 1 && a->words == 0;
}

static wn_country *open_countries(const wn_cli *c, const char *ip) {
    char path[WN_COUNTRY_PATH_BYTES];
    wn_country_place(&c->o, path);
    wn_country *out = access(path, R_OK) == 0 ? wn_country_open(path) : NULL;
    if (out == NULL && ip != NULL)
        puts("No country database is here: countries are the collector's to look up.");
    return out;
}

static int run(wn_cli *c, const wn_args *a) {
    wn_bench *b = NULL;
    wn_site site;
    tally t = {0};
    const char *event = wn_args_get(a, "event"), *line = wn_args_get(a, "log-line"),
               *ip = wn_args_get(a, "ip");
    wn_address address;
    if (wn_args_has(a, "matrix") && !matrix_alone(a))
        return wn_cli_misused(
            &wn_cmd_explain, "--matrix stands alone: its events are made up and no site's policy is applied");
    if (wn_args_has(a, "matrix")) return wn_matrix_print(stdout) ? WN_EXIT_OK : WN_EXIT_FAILED;
    if ((event != NULL) + (line != NULL) + (a->words > 0) != 1) {
        return wn_cli_misused(&wn_cmd_explain, "give one of --event, --log-line, FILE and --matrix");
    }
    if (ip && !wn_address_parse(ip, strlen(ip), &address)) {
        return wn_cli_misused(&wn_cmd_explain,
                              "--ip \"%.50s\": an IPv4 or IPv6 address; example: --ip 192.0.2.7", ip);
    }
    if (!purposes_known(wn_args_get(a, "purposes"))) return WN_EXIT_USAGE;
    pick_site(c, wn_args_get(a, "site"), &site);
    wn_policy policy;
    if (!wn_cli_policy(c, &policy)) return WN_EXIT_FAILED;
    wn_explain_sender s = {.site = &site,
                           .policy = wn_policy_of(&policy, site.name),
                           .dnt = wn_args_has(a, "dnt"),
                           .opted_out = wn_args_has(a, "opted-out"),
                           .ip = ip,
                           .tcf_cookie = wn_args_get(a, "tcf-cookie"),
                           .us_privacy_cookie = wn_args_get(a, "us-privacy-cookie"),
                           .user_agent = wn_args_get(a, "user-agent"),
                           .purposes = wn_args_get(a, "purposes"),
                           .gpc = wn_args_has(a, "gpc"),
                           .server = wn_args_has(a, "server")};
    wn_err err = wn_bench_new(&b);
    if (err != WN_OK) {
        wn_policy_fini(&policy);
        return wn_cli_failed("%s", wn_err_text(err));
    }
    bool well = true;
    s.countries = open_countries(c, ip);
    if (event) explain_text(b, &s, event, strlen(event), 'j', &t);
    else if (line) explain_text(b, &s, line, strlen(line), 'l', &t);
    else well = explain_file(b, &s, a->word[0], &t);
    wn_bench_free(b);
    wn_country_close(s.countries);
    wn_wipe(&site, sizeof site);
    wn_policy_fini(&policy);
    if (t.found) return WN_EXIT_FOUND;
    return well && (t.bad == 0 || a->words) ? WN_EXIT_OK : WN_EXIT_FAILED;
}

static const wn_flag flags[] = {
    {"event", "JSON", "One event as POST /v1/events takes it."},
    {"log-line", "LINE", "One line of an access log."},
    {"site", "NAME", "The site it goes to. A name that is not listed is made up for the occasion."},
    {"ip", "IP", "The address it came from."},
    {"user-agent", "UA", "The User-Agent header of the request."},
    {"purposes", "LIST", "Purposes agreed to, with commas, for an event that says none; empty: none at all."},
    {"gpc", NULL, "The request said Sec-GPC: 1."},
    {"dnt", NULL, "The request said DNT: 1."},
    {"tcf-cookie", "STRING", "The cookie euconsent-v2 of the request, heard beside the event's own `tcf`."},
    {"us-privacy-cookie", "STRING",
     "The cookie usprivacy of the request, heard beside the event's own `us_privacy`."},
    {"opted-out", NULL, "The browser had the opt-out flag."},
    {"server", NULL, "It comes under a server key, which may state ip, user_agent and org."},
    {"matrix", NULL, "Alone: prints what becomes of every field under every purpose, by a made-up policy."},
};

const wn_command wn_cmd_explain = {
    .name = "explain",
    .usage = "--event JSON | --log-line LINE | FILE | --matrix",
    .doc = "Shows what becomes of each field of an event, and checks that nothing identifying stays.",
    .more = "Runs the collector's own filter under throw-away keys and the site's policy; nothing is sent or "
            "stored. "
            "Beside each field: the purposes that were granted, which signal decided, and whether the event "
            "may be "
            "forwarded. The exit code "
            "is 3 if a run of"
            " 6 bytes of an identifying value stands in what would travel.\n"
            " winnow explain --event "
            "'{\"name\":\"pageview\",\"url\":\"https://shop.example/a?mail=x@y.example\"}' --ip 192.0.2.7",
    .flags = flags,
    .flags_n = WN_COUNT(flags),
    .words_max = 1,
    .run = run,
};
