// SPDX-License-Identifier: Apache-2.0
// canary_make: events, HTTP requests and log lines that carry a marked
// identifier in every place an identifier could stand, and the list of needles.
//
// Writes into a folder: needles.tsv, events.ndjson (events of a server key),
// http.jsonl ({"method","target","headers","body"} a line), access.log.
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "canary_kinds.h"

static const char help[] =
    "canary_make --out DIR [--site NAME] [--host HOST] [--count N] [--seed S] [--time UNIX] [--rotations R]\n"
    "  --count N      identifiers of each kind (1000)\n"
    "  --time UNIX    time of the events and of the log's first line; without it events carry none\n"
    "  --rotations R  events a person, each with the identifiers one place on (2; one a kind covers every "
    "pair)\n";

typedef struct options {
    const char *out, *site, *host;
    uint32_t count, rotations;
    uint64_t seed;
    int64_t time_s; // 0: none
} options;

// One made-up person: an identifier of each kind.
typedef struct person {
    char id[WN_CANARY_KIND_N][WN_CANARY_TEXT_MAX];
    uint32_t n, rotation;
} person;

static const char *pick(const person *p, unsigned place) {
    return p->id[(place + p->rotation + p->n) % WN_CANARY_KIND_N];
}

// ---- writing ----

static void put_json(FILE *to, const char *t) {
    fputc('"', to);
    for (; *t; t++) {
        if (*t == '"' || *t == '\\') fprintf(to, "\\%c", *t);
        else if ((unsigned char)*t < 32) fprintf(to, "\\u%04x", *t);
        else fputc(*t, to);
    }
    fputc('"', to);
}

// Into a URL: what would end the part is escaped; every other person has '@' escaped too.
static void put_url(char **at, const char *end, const char *t, bool strict) {
    for (; *t && end - *at > 4; t++) {
        bool escape = strchr(" \"<>%\\^`{|}/?#[]", *t) || (strict && strchr("@:+", *t));
        if (escape) *at += snprintf(*at, (size_t)(end - *at), "%%%02X", (unsigned)(unsigned char)*t);
        else *(*at)++ = *t;
    }
    **at = 0;
}

// format: "%U" stands for the next place's identifier, "%H" for the host.
static unsigned url(const person *p, unsigned place, const char *format, const char *host, char *out,
                    size_t cap) {
    const char *end = out + cap;
    for (; *format && end - out > 4; format++) {
        if (format[0] == '%' && format[1] == 'U') put_url(&out, end, pick(p, place++), p->n % 2), format++;
        else if (format[0] == '%' && format[1] == 'H')
            out += snprintf(out, (size_t)(end - out), "%s", host), format++;
        else *out++ = *format;
    }
    *out = 0;
    return place;
}

static const char page_url[] = "https://%U@%H/account/%U/items/%U?email=%U&q=%U&utm_campaign=%U#at=%U";
static const char referrer_url[] = "https://%U@from.example/u/%U?id=%U#%U";

static void put_member(FILE *to, const char *name, const char *value) {
    fputc(',', to);
    put_json(to, name);
    fputc(':', to);
    put_json(to, value);
}

// A consent string that grants is itself one in millions: it is read, and stays nowhere.
static void put_consent(FILE *to, const person *p) {
    const char *tcf = p->id[WN_CANARY_consent];
    char text[WN_CANARY_TEXT_MAX + 16];
    snprintf(text, sizeof text, "DBABMA~%s", tcf);
    switch (p->n % 4) {
    case 1: put_member(to, "tcf", tcf); return;
    case 2: put_member(to, "gpp", text), put_member(to, "gpp_sid", "2"); return;
    default: return;
    }
}

// A telephone or card number as a JSON number: the policy's bound is what stops it.
static void put_digits(FILE *to, const char *text) {
    text += strcspn(text, "123456789");
    if (*text == '\0') fputc('0', to);
    for (; *text != '\0'; text++)
        if (*text >= '0' && *text <= '9') fputc(*text, to);
}

// Properties, a survey and a page's route that the policy declares, where a longer word refuses nothing.
static void put_declared(FILE *to, const person *p, unsigned place) {
    const char *id = pick(p, place), *other = pick(p, place + 1);
    put_member(to, "survey", strlen(id) <= 32 ? "nps" : "none");
    put_member(to, "answer", strlen(id) <= 32 ? id : "10");
    fprintf(to, ",\"props\":{\"note\":");
    put_json(to, pick(p, place + 2));
    put_member(to, "plan", id);
    put_member(to, "team", other);
    put_member(to, "beta", "true");
    fputs(",\"amount\":", to);
    put_digits(to, p->id[place % 2 == 0 ? WN_CANARY_phone : WN_CANARY_card]);
    put_member(to, pick(p, place + 3), "as a key");
    fprintf(to, ",\"deep\":{\"list\":[");
    put_json(to, pick(p, place + 4));
    fprintf(to, "]}}");
}

// A page that the policy calls sensitive, one with a template and one without, with what was agreed to and
// not.
static const char *const pages[] = {
    "https://%H/health/%U?u=%U", "https://%H/HEALTH/%U/%U",   "/health/%U#%U",
    "https://%H/orders/%U?u=%U", "https://%H/team/%U/%U/all", "https://%H/%U/orders/%U"};
#define PAGES_N (sizeof pages / sizeof pages[0])

static void put_page(FILE *to, const options *o, const person *p, unsigned which) {
    char text[2048];
    fprintf(to, "{\"site\":\"%s\",\"name\":\"pageview\"", o->site);
    url(p, which, pages[which], o->host, text, sizeof text);
    put_member(to, which % 2 ? "link" : "url", text);
    if (which % 2) put_member(to, "url", "/home");
    put_member(to, "search_term", pick(p, which + 2));
    put_consent(to, p);
    fprintf(to, ",\"purposes\":[\"basic\",\"measure\",\"profile\"%s]}", p->n % 2 ? ",\"sensitive\"" : "");
}

// Every field holds an identifier; the event is one that a filter would keep.
static void put_event(FILE *to, const options *o, const person *p, bool server) {
    static const char *const purposes[] = {"[\"basic\",\"measure\",\"locate\",\"share\",\"profile\"]",
                                           "[\"basic\"]", "[]"};
    char text[2048];
    fprintf(to, "{\"site\":\"%s\",\"name\":\"pageview\"", o->site);
    unsigned place = url(p, 0, page_url, o->host, text, sizeof text);
    put_member(to, "url", text);
    place = url(p, place, referrer_url, o->host, text, sizeof text);
    put_member(to, "referrer", text);
    if (o->time_s) fprintf(to, ",\"time\":%" PRId64, o->time_s);
    put_member(to, "user_id", pick(p, place++));
    put_member(to, "anonymous_id", pick(p, place++));
    put_member(to, "device_id", pick(p, place++));
    put_declared(to, p, place);
    place += 5;
    put_consent(to, p);
    put_member(to, "language", "de-DE");
    put_member(to, "screen", "1280x800");
    snprintf(text, sizeof text, "%u/%u %.48s", p->n, p->rotation, p->id[WN_CANARY_gaid]);
    put_member(to, "batch_id", text);
    if (p->n % 3 != 2 || p->rotation) fprintf(to, ",\"purposes\":%s", purposes[p->n % 5 == 4 ? 2 : p->n % 2]);
    if (server) {
        put_member(to, "org", p->n % 7 ? pick(p, place) : "acme"); // which the policy narrows
        place++;
        put_member(to, "ip", p->id[p->rotation % 2 ? WN_CANARY_ipv6 : WN_CANARY_ipv4]);
        snprintf(text, sizeof text,
                 "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 (%s; %s)",
                 pick(p, place), pick(p, place + 1));
        put_member(to, "user_agent", text);
    }
    fputc('}', to);
}

// Every field the catalogue knows, one that it does not, and the identifier itself as a field: each
// alone in an event, for many refuse it.
typedef enum field_type { NAME, TEXT, TIME, HEX, BOOL, LIST, MAP, ADDR, FLAG } field_type;
static const struct {
    const char *name;
    field_type type;
} fields[] = {
#define FIELD(name, type, purpose, transform, max, from, doc) {#name, type},
#include "fields.def"
#undef FIELD
    {"email", TEXT},
    {NULL, TEXT},
};
#define ODD_N (sizeof fields / sizeof fields[0])

// Identifiers as keys and values, flat and nested, in the shapes consent platforms use.
static void put_map(FILE *to, const person *p, unsigned which) {
    static const char *const shapes[] = {"{\"%s\":\"%s\"}",
                                         "{\"categoryPreferences\":{\"%s\":true,\"Analytics\":\"%s\"}}",
                                         "{\"allowedConsentIds\":[\"%s\"],\"deniedConsentIds\":[\"%s\"]}",
                                         "{\"%s\":true,\"%s\":false}", "{\"note\":\"%s\",\"team\":\"%s\"}"};
    switch (p->n % 5) {
    case 0: fprintf(to, shapes[0], pick(p, which), pick(p, which + 1)); return;
    case 1: fprintf(to, shapes[1], pick(p, which), pick(p, which + 1)); return;
    case 2: fprintf(to, shapes[2], pick(p, which), pick(p, which + 1)); return;
    case 3: fprintf(to, shapes[3], pick(p, which), pick(p, which + 1)); return;
    default: fprintf(to, shapes[4], pick(p, which), pick(p, which + 1)); return;
    }
}

static void put_odd_event(FILE *to, const options *o, const person *p, unsigned which) {
    const char *id = pick(p, which), *field = fields[which].name ? fields[which].name : pick(p, which + 3);
    bool name = strcmp(field, "name") == 0, site = strcmp(field, "site") == 0,
         url = strcmp(field, "url") == 0;
    bool purposes = strcmp(field, "purposes") == 0;
    fprintf(to, "{");
    if (!site) fprintf(to, "\"site\":\"%s\",", o->site);
    if (!name) fprintf(to, "\"name\":\"%s\",", strcmp(field, "campaign") ? "opened" : "email_open");
    if (!url) fprintf(to, "\"url\":\"https://%s/\",", o->host);
    if (!purposes) {
        fprintf(to, "\"purposes\":[\"basic\",\"locate\",\"share\",\"profile\",");
        put_json(to, which % 2 ? "measure" : id); // a purpose that is none
        fprintf(to, "],");
    }
    if (strcmp(field, "answer") == 0) fprintf(to, "\"survey\":\"nps\",");
    if (strcmp(field, "survey") == 0) fprintf(to, "\"answer\":\"10\",");
    put_json(to, field);
    fprintf(to, ":");
    if (fields[which].type == MAP) put_map(to, p, which);
    if (fields[which].type == LIST) fprintf(to, "[\"basic\",\"%s\"]", id);
    if (fields[which].type != MAP && fields[which].type != LIST) put_json(to, id);
    fprintf(to, "}");
}

// ---- the three intakes ----

static void put_header(FILE *to, const char *name, const char *value) {
    char line[1200];
    snprintf(line, sizeof line, "%s: %s", name, value);
    fputc(',', to);
    put_json(to, line);
}

// Cookies and headers that are read: what stands in them refuses, or is no matter of ours.
static void put_strange_headers(FILE *to, const person *p) {
    char text[1024];
    static const char *const named[] = {"euconsent-v2", "usprivacy", "winnow_opt_out"};
    snprintf(text, sizeof text, "%s=%s; _ga=%s", named[p->n % 3],
             p->n % 6 == 0 ? p->id[WN_CANARY_consent] : pick(p, 1), pick(p, 2));
    put_header(to, "Cookie", text);
    snprintf(text, sizeof text, "https://%s.example", pick(p, 3));
    if (p->n % 2) put_header(to, "Origin", text);
    put_header(to, "Accept", pick(p, 4));
    put_header(to, "X-Forwarded-Proto", pick(p, 5));
    put_header(to, "Sec-Fetch-Site", pick(p, 6));
    if (p->n % 8 == 1) put_header(to, "DNT", pick(p, 7));
    if (p->n % 8 == 2) put_header(to, "Sec-GPC", pick(p, 7));
}

static void put_request(FILE *to, const options *o, const person *p, const char *method, const char *target,
                        const char *body, bool strange) {
    char text[1024];
    fprintf(to, "{\"method\":\"%s\",\"target\":", method);
    put_json(to, target);
    fprintf(to, ",\"headers\":[\"Host: %s\"", o->host);
    put_header(to, "X-Forwarded-For", p->id[p->n % 2 ? WN_CANARY_ipv6 : WN_CANARY_ipv4]);
    snprintf(text, sizeof text,
             "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (%s)", pick(p, 3));
    put_header(to, "User-Agent", text);
    url(p, 4, referrer_url, o->host, text, sizeof text);
    put_header(to, "Referer", text);
    snprintf(text, sizeof text, "session=%s; uid=%s", pick(p, 5), pick(p, 6));
    put_header(to, "Cookie", text);
    snprintf(text, sizeof text, "Bearer %s", pick(p, 7));
    put_header(to, "Authorization", text);
    put_header(to, "X-Device-Id", pick(p, 8));
    snprintf(text, sizeof text, "de-DE, %s;q=0.5", pick(p, 9));
    put_header(to, "Accept-Language", text);
    if (strange) put_strange_headers(to, p);
    else if (p->n % 7 == 3) put_header(to, "Sec-GPC", "1");
    fprintf(to, "],\"body\":");
    put_json(to, body);
    fprintf(to, "}\n");
}

static const char *const parameters[] = {
#define PIXEL(name, field) name,
#include "pixel.def"
#undef PIXEL
};

// An opened mail with something in every parameter, then each parameter of some person, on the pixel and
// beside a body.
static void put_pixels(FILE *to, const options *o, const person *p) {
    char target[2048], format[256];
    url(p, 0,
        "&n=email_open&u=https%3A%2F%2F%H%2F%U&r=https%3A%2F%2F%U.example%2F%U&w=1280&c=%U"
        "&l=%2Fa%2F%U&x=https%3A%2F%2Fx.example%2F%U&f=%U&to=%U",
        o->host, target, sizeof target);
    char whole[2400], consent[2 * WN_CANARY_TEXT_MAX];
    snprintf(consent, sizeof consent, p->n % 2 ? "&gdpr_consent=%s" : "&gpp_sid=2&gpp=DBABMA~%s",
             p->id[WN_CANARY_consent]);
    snprintf(whole, sizeof whole, "/p.gif?site=%s%s%s", o->site, target, p->n % 3 ? consent : "");
    put_request(to, o, p, "GET", whole, "", false);
    const char *name = parameters[p->n % (sizeof parameters / sizeof parameters[0])];
    snprintf(format, sizeof format, "/p.gif?site=%s&%s=%%U", o->site, name);
    url(p, 8, format, o->host, target, sizeof target);
    put_request(to, o, p, "GET", target, "", true);
    snprintf(format, sizeof format, "/v1/events?%s=%%U&%s=%%U", name, pick(p, 5));
    url(p, 9, format, o->host, target, sizeof target);
    snprintf(format, sizeof format, "{\"site\":\"%s\",\"name\":\"tagged\",\"url\":\"https://%s/\"}", o->site,
             o->host);
    put_request(to, o, p, "POST", target, format, p->n % 2);
}

static void put_optout(FILE *to, const options *o, const person *p) {
    static const char *const ways[][2] = {
        {"POST", "/v1/opt-out"}, {"GET", "/v1/opt-out"}, {"DELETE", "/v1/opt-out"}, {"POST", "/v1/opt-in"}};
    char target[1024], body[300] = "", format[64];
    unsigned way = p->n % 4;
    snprintf(format, sizeof format, "%s?id=%%U&%%U=1", ways[way][1]);
    url(p, 2, format, o->host, target, sizeof target);
    if (strcmp(ways[way][0], "POST") == 0) snprintf(body, sizeof body, "id=%s", pick(p, 7));
    put_request(to, o, p, ways[way][0], target, body, true);
}

static void put_http(FILE *to, const options *o, const person *p) {
    char *body = NULL, target[2048], part[1024];
    size_t n = 0;
    FILE *b = open_memstream(&body, &n);
    if (!b) abort();
    fprintf(b, "{\"batch_id\":");
    snprintf(part, sizeof part, "%u/%u %.40s", p->n, p->rotation, p->id[WN_CANARY_idfa]);
    put_json(b, part);
    fprintf(b, ",\"site\":\"%s\",\"events\":[", o->site);
    put_event(b, o, p, false);
    if (p->rotation == 0) {
        for (unsigned i = 0; i < ODD_N; i++) {
            fputc(',', b);
            put_odd_event(b, o, p, i);
        }
        for (unsigned i = 0; i < PAGES_N; i++) {
            fputc(',', b);
            put_page(b, o, p, i);
        }
    }
    fprintf(b, "]}");
    fclose(b);
    url(p, 0, "/v1/events?email=%U&token=%U", o->host, target, sizeof target);
    put_request(to, o, p, "POST", target, body, false);
    free(body);
    if (p->rotation) return;
    put_pixels(to, o, p);
    put_optout(to, o, p);
    url(p, 2, "https%3A%2F%2F%H%2Fmail%2F%U%3Fu%3D%U", o->host, part, sizeof part);
    snprintf(target, sizeof target, "/p.gif?site=%s&u=%s", o->site, part);
    put_request(to, o, p, "GET", target, "", false);
    url(p, 4, "/u/%U/%U", o->host, target, sizeof target); // no such path
    put_request(to, o, p, "GET", target, "", false);
    snprintf(part, sizeof part, "{\"site\":\"%s\",\"name\":\"cut\",\"url\":\"https://%s/%.64s", o->site,
             o->host, pick(p, 6));
    put_request(to, o, p, "POST", "/v1/events", part, false); // not JSON: cut short
}

static void put_log(FILE *to, const options *o, const person *p) {
    char target[2048], referrer[1024], agent[512], user[WN_CANARY_TEXT_MAX], when[40];
    time_t t = (time_t)(o->time_s + p->n % 3600);
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", &tm);
    static const char *const targets[] = {
        "/account/%U/%U?email=%U&q=%U&utm_source=%U", "/account/%U/items/%U?email=%U&q=%U&utm_source=%U",
        "/health/%U/%U?email=%U&q=%U&utm_source=%U", "/orders/%U?a=%U&email=%U&q=%U&utm_source=%U"};
    url(p, 0, targets[(p->n / 5 + p->rotation) % 4], o->host, target, sizeof target);
    url(p, 5, referrer_url, o->host, referrer, sizeof referrer);
    snprintf(agent, sizeof agent,
             "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0 %s",
             pick(p, 9));
    snprintf(user, sizeof user, "%s", p->id[p->n % 2 ? WN_CANARY_user_id : WN_CANARY_email]);
    const char *address = p->id[p->rotation % 2 ? WN_CANARY_ipv6 : WN_CANARY_ipv4];
    unsigned shape = (p->n + p->rotation) % 5; // two kept, one of each refusal
    fprintf(to, "%s - %s [%s] \"%s %s HTTP/1.1%s %s 512 \"%s\" \"%s%s\n", address, user, when,
            shape == 2 ? "POST" : "GET", target, shape == 4 ? "" : "\"", shape == 3 ? "404" : "200", referrer,
            agent, shape == 4 ? "" : "\"");
}

static FILE *open_in(const options *o, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", o->out, name);
    FILE *f = fopen(path, "w");
    if (!f) fprintf(stderr, "canary_make: cannot write %s\n", path);
    return f;
}

static bool put_needles(const options *o) {
    FILE *f = open_in(o, "needles.tsv");
    if (!f) return false;
    char id[WN_CANARY_TEXT_MAX];
    for (uint32_t i = 0; i < o->count; i++) {
        for (unsigned k = 0; k < WN_CANARY_KIND_N; k++) {
            wn_canary_make(o->seed, (wn_canary_kind)k, i, id);
            fprintf(f, "%s\t%s\n", wn_canary_kind_name((wn_canary_kind)k), id);
        }
        wn_canary_make(~o->seed, WN_CANARY_ipv4, i, id);
        fprintf(f, "decoy\t%s\n", id);
    }
    return fclose(f) == 0;
}

static bool put_all(const options *o) {
    FILE *events = open_in(o, "events.ndjson"), *http = open_in(o, "http.jsonl"),
         *log = open_in(o, "access.log");
    bool ok = events && http && log;
    for (uint32_t n = 0; ok && n < o->count; n++) {
        person p = {.n = n};
        for (unsigned k = 0; k < WN_CANARY_KIND_N; k++)
            wn_canary_make(o->seed, (wn_canary_kind)k, n, p.id[k]);
        for (p.rotation = 0; p.rotation < o->rotations; p.rotation++) {
            put_event(events, o, &p, true);
            fputc('\n', events);
            put_http(http, o, &p);
            put_log(log, o, &p);
        }
        p.rotation = 0;
        for (unsigned i = 0; i < ODD_N; i++) {
            put_odd_event(events, o, &p, i);
            fputc('\n', events);
        }
        for (unsigned i = 0; i < PAGES_N; i++) {
            put_page(events, o, &p, i);
            fputc('\n', events);
        }
    }
    FILE *const all[] = {events, http, log};
    for (size_t i = 0; i < 3; i++) ok = (!all[i] || fclose(all[i]) == 0) && ok;
    return ok;
}

int main(int argc, char **argv) {
    static const struct option list[] = {
        {"out", 1, NULL, 'o'},       {"site", 1, NULL, 's'}, {"host", 1, NULL, 'H'},
        {"count", 1, NULL, 'c'},     {"seed", 1, NULL, 'S'}, {"time", 1, NULL, 't'},
        {"rotations", 1, NULL, 'r'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    options o = {.site = "canary", .host = "canary.example", .count = 1000, .rotations = 2, .seed = 1};
    for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        switch (c) {
        case 'o': o.out = optarg; break;
        case 's': o.site = optarg; break;
        case 'H': o.host = optarg; break;
        case 'c': o.count = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'S': o.seed = strtoull(optarg, NULL, 10); break;
        case 't': o.time_s = strtoll(optarg, NULL, 10); break;
        case 'r': o.rotations = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'h': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    if (!o.out || o.count == 0 || o.count > 1000000 || o.rotations == 0 || o.rotations > 100) {
        fputs(help, stderr);
        return 2;
    }
    if (o.time_s) wn_canary_now(o.time_s);
    return put_needles(&o) && put_all(&o) ? 0 : 1;
}
