// SPDX-License-Identifier: Apache-2.0
// winnow-traffic: a plausible day of traffic for one site, for the demo, the
// tests and the benchmarks. The same options give the same bytes.
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "traffic_http.h"
#include "traffic_world.h"

typedef enum mode { MODE_NDJSON, MODE_HTTP, MODE_LOG } mode;

typedef struct options {
    wn_traffic_options world;
    mode mode;
    const char *site, *url;
    char host[128];
    int64_t day_s; // start of the day, UTC; -1: no times in events
    bool state_org;
    uint32_t tries;
} options;

static const char help[] =
    "winnow-traffic: writes or sends a made-up day of traffic\n"
    "  --site NAME        site (demo)\n"
    "  --host HOST        host of its pages (NAME, or NAME.example when NAME has no dot)\n"
    "  --date YYYY-MM-DD  the day, UTC. Without it events carry no time; log lines are of today\n"
    "  --hours A-B        only these hours of the day (0-24)\n"
    "  --people N         people (500)\n"
    "  --orgs M           organisations that share networks (0)\n"
    "  --org-share PERCENT  people who belong to one of them (40)\n"
    "  --state-org        name the organisation in events (ndjson; believed only from a server key)\n"
    "  --refuse PERCENT   people who agree to nothing (0)\n"
    "  --seed S           another day (1)\n"
    "  --mode MODE        ndjson: events for a server key; log: combined log lines; http: send them\n"
    "  --url URL          the collector, on this machine (http://127.0.0.1:8090)\n"
    "  --tries N          tries of one POST (12)\n";

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *out) {
    char *end;
    uint64_t v = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || v < min || v > max) return false;
    *out = v;
    return true;
}

static bool read_date(const char *text, int64_t *out_s) {
    struct tm t = {0};
    const char *end = strptime(text, "%Y-%m-%d", &t);
    if (!end || *end) return false;
    *out_s = timegm(&t);
    return *out_s >= 0;
}

static bool read_hours(const char *text, wn_traffic_options *out) {
    unsigned a, b;
    if (sscanf(text, "%2u-%2u", &a, &b) != 2 || a >= b || b > 24) return false;
    out->first_s = a * 3600;
    out->last_s = b * 3600;
    return true;
}

static bool read_mode(const char *text, mode *out) {
    static const char *const names[] = {"ndjson", "http", "log"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (mode)i;
        return true;
    }
    return false;
}

// 0: go on; otherwise 1 + exit status.
static int read_options(int argc, char **argv, options *o) {
    static const struct option list[] = {
        {"site", 1, NULL, 's'},      {"host", 1, NULL, 'H'},      {"date", 1, NULL, 'd'},
        {"hours", 1, NULL, 'r'},     {"people", 1, NULL, 'p'},    {"orgs", 1, NULL, 'o'},
        {"org-share", 1, NULL, 'O'}, {"state-org", 0, NULL, 'g'}, {"refuse", 1, NULL, 'f'},
        {"seed", 1, NULL, 'S'},      {"mode", 1, NULL, 'm'},      {"url", 1, NULL, 'u'},
        {"tries", 1, NULL, 't'},     {"help", 0, NULL, 'h'},      {NULL, 0, NULL, 0}};
    *o = (options){.world = {.seed = 1, .people = 500, .org_percent = 40, .last_s = 86400},
                   .site = "demo",
                   .url = "http://127.0.0.1:8090",
                   .day_s = -1,
                   .tries = 12};
    int c;
    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
        uint64_t v = 0;
        bool ok = true;
        switch (c) {
        case 's': o->site = optarg; break;
        case 'H': snprintf(o->host, sizeof o->host, "%s", optarg); break;
        case 'd': ok = read_date(optarg, &o->day_s); break;
        case 'r': ok = read_hours(optarg, &o->world); break;
        case 'p':
            ok = number(optarg, 1, 10000000, &v);
            o->world.people = (uint32_t)v;
            break;
        case 'o':
            ok = number(optarg, 0, 1000000, &v);
            o->world.orgs = (uint32_t)v;
            break;
        case 'O':
            ok = number(optarg, 0, 100, &v);
            o->world.org_percent = (uint32_t)v;
            break;
        case 'g': o->state_org = true; break;
        case 'f':
            ok = number(optarg, 0, 100, &v);
            o->world.refuse_percent = (uint32_t)v;
            break;
        case 'S': ok = number(optarg, 0, UINT64_MAX, &o->world.seed); break;
        case 'm': ok = read_mode(optarg, &o->mode); break;
        case 'u': o->url = optarg; break;
        case 't':
            ok = number(optarg, 1, 1000, &v);
            o->tries = (uint32_t)v;
            break;
        case 'h': fputs(help, stdout); return 1;
        default: fputs(help, stderr); return 1 + 2;
        }
        if (ok) continue;
        fprintf(stderr, "winnow-traffic: %s is not a value this option takes\n%s", optarg, help);
        return 1 + 2;
    }
    if (strlen(o->site) > 63 ||
        strspn(o->site, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(o->site)) {
        fprintf(stderr, "winnow-traffic: a site name is at most 63 of a-z 0-9 . _ -\n");
        return 1 + 2;
    }
    if (!o->host[0])
        snprintf(o->host, sizeof o->host, "%s%s", o->site, strchr(o->site, '.') ? "" : ".example");
    return 0;
}

// ---- events as JSON ----

static void put_event(FILE *to, const options *o, const wn_traffic_person *p, const wn_traffic_hit *h,
                      bool server) {
    static const char *const names[] = {"pageview", "signup", "download"};
    fprintf(to, "{");
    if (server) fprintf(to, "\"site\":\"%s\",", o->site);
    fprintf(to, "\"name\":\"%s\",\"url\":\"https://%s%s\"", names[h->kind], o->host, h->path);
    if (h->referrer[0] == '/') fprintf(to, ",\"referrer\":\"https://%s%s\"", o->host, h->referrer);
    else if (h->referrer[0]) fprintf(to, ",\"referrer\":\"%s\"", h->referrer);
    if (o->day_s >= 0) fprintf(to, ",\"time\":%" PRId64, o->day_s + h->at_s);
    fprintf(to, ",\"language\":\"%s\",\"screen\":\"%s\"", p->language, p->screen);
    if (p->refuses) fprintf(to, ",\"purposes\":[]");
    else if (p->gpc && server) fprintf(to, ",\"purposes\":[\"basic\"]");
    if (h->kind == WN_TRAFFIC_SIGNUP)
        fprintf(to, ",\"props\":{\"plan\":\"%s\"}", h->serial % 3 ? "free" : "team");
    if (server) {
        fprintf(to, ",\"ip\":\"%s\",\"user_agent\":\"%s\"", p->address, p->agent);
        if (o->state_org && p->org) fprintf(to, ",\"org\":\"org-%u\"", p->org);
    }
    fprintf(to, "}");
}

static void put_ndjson(const options *o, const wn_traffic_world *w) {
    for (size_t i = 0; i < w->hits_n; i++) {
        put_event(stdout, o, &w->person[w->hit[i].person], &w->hit[i], true);
        putchar('\n');
    }
}

// ---- log lines ----

static void put_line(const options *o, const char *address, uint32_t at_s, const char *request, int status,
                     const char *referrer, const char *agent) {
    time_t t = (time_t)(o->day_s + at_s);
    struct tm tm;
    char when[40];
    gmtime_r(&t, &tm);
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", &tm);
    bool own = referrer[0] == '/';
    printf("%s - - [%s] \"%s\" %d %u \"%s%s%s\" \"%s\"\n", address, when, request, status,
           status == 304 ? 0 : 2048u, own ? "https://" : "", own ? o->host : "", referrer[0] ? referrer : "-",
           agent);
}

// What stands beside page views in a real log; the importer must refuse all of it by reason.
static void put_noise(const options *o, uint64_t *r, const wn_traffic_person *p, const wn_traffic_hit *h) {
    static const char *const assets[] = {"/style.css?v=3", "/app.js", "/img/logo.png", "/favicon.ico",
                                         "/fonts/a.WOFF2"};
    static const char *const robots[] = {
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "curl/8.5.0",
        "python-requests/2.31.0"};
    char request[160];
    for (uint32_t n = wn_traffic_below(r, 3); n > 0; n--) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1", assets[wn_traffic_below(r, 5)]);
        put_line(o, p->address, h->at_s, request, 200, h->path, p->agent);
    }
    char robot[46];
    snprintf(robot, sizeof robot, "66.249.66.%u", wn_traffic_below(r, 200));
    switch (wn_traffic_below(r, 60)) {
    case 0: put_line(o, robot, h->at_s, "GET / HTTP/1.1", 200, "", robots[wn_traffic_below(r, 4)]); break;
    case 1:
        put_line(o, robot, h->at_s, "GET /docs/ HTTP/1.1", 200, "", robots[wn_traffic_below(r, 4)]);
        break;
    case 2: put_line(o, p->address, h->at_s, "POST /login HTTP/1.1", 302, h->path, p->agent); break;
    case 3: put_line(o, p->address, h->at_s, "GET /wp-login.php HTTP/1.1", 404, "", p->agent); break;
    case 4: put_line(o, p->address, h->at_s, "HEAD / HTTP/1.1", 200, "", p->agent); break;
    case 5: put_line(o, p->address, h->at_s, "GET /old HTTP/1.1", 301, "", p->agent); break;
    default: break;
    }
    if (wn_traffic_below(r, 400) == 0) printf("%s - - [broken\n", p->address);
}

static void put_log(const options *o, const wn_traffic_world *w) {
    uint64_t r = (o->world.seed * 0xD1342543DE82EF95ull) | 1;
    for (size_t i = 0; i < w->hits_n; i++) {
        const wn_traffic_hit *h = &w->hit[i];
        const wn_traffic_person *p = &w->person[h->person];
        char request[160];
        bool post = h->kind == WN_TRAFFIC_SIGNUP;
        snprintf(request, sizeof request, "%s %s HTTP/1.1", post ? "POST" : "GET", h->path);
        int status = post ? 303 : wn_traffic_below(&r, 40) == 0 ? 304 : 200;
        put_line(o, p->address, h->at_s, request, status, h->referrer, p->agent);
        put_noise(o, &r, p, h);
    }
}

// ---- over HTTP: one POST a visit, in the order in which visits begin ----

typedef struct totals {
    uint64_t posts, events, accepted, refused_events, failed;
} totals;

static uint64_t accepted_of(const char *body) {
    const char *at = strstr(body, "\"accepted\":");
    return at ? strtoull(at + 11, NULL, 10) : 0;
}

static bool post_visit(const options *o, const wn_traffic_world *w, const size_t *at, size_t n,
                       wn_traffic_http *http, totals *sum) {
    const wn_traffic_person *p = &w->person[w->hit[at[0]].person];
    char *body = NULL, *request = NULL;
    size_t body_n = 0, request_n = 0;
    FILE *to = open_memstream(&body, &body_n);
    if (!to) return false;
    // The same batch has the same id however often it is sent.
    fprintf(to, "{\"batch_id\":\"t%016" PRIx64 "%08" PRIx32 "\",\"site\":\"%s\",\"events\":[", o->world.seed,
            w->hit[at[0]].session, o->site);
    for (size_t i = 0; i < n; i++) {
        if (i) fputc(',', to);
        put_event(to, o, p, &w->hit[at[i]], false);
    }
    fputs("]}", to);
    if (fclose(to) != 0 || !(to = open_memstream(&request, &request_n))) {
        free(body);
        return false;
    }
    fprintf(to,
            "POST /v1/events HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: text/plain;charset=UTF-8\r\n"
            "X-Forwarded-For: %s\r\nUser-Agent: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
            http->host, http->port, p->address, p->agent, p->gpc ? "Sec-GPC: 1\r\n" : "", body_n, body);
    bool ok = fclose(to) == 0;
    free(body);
    const char *answer = "";
    int status = ok ? wn_traffic_http_send(http, request, request_n, &answer) : 0;
    free(request);
    sum->posts++;
    sum->events += n;
    if (p->refuses) sum->refused_events += n;
    if (status == 200) sum->accepted += accepted_of(answer);
    else sum->failed++;
    if (status != 200 && sum->failed == 1)
        fprintf(stderr, "winnow-traffic: a POST was answered %d (0: not at all)\n", status);
    return status != 0;
}

static int send_all(const options *o, const wn_traffic_world *w) {
    static wn_traffic_http http;
    if (!wn_traffic_http_init(&http, o->url, o->tries)) {
        fprintf(stderr, "winnow-traffic: --url must be http://127.0.0.1:PORT (only this machine)\n");
        return 2;
    }
    // Hits of one visit, chained in order of time: first[visit], next[hit].
    size_t *first = calloc(w->sessions_n + 1u, sizeof *first), *next = calloc(w->hits_n + 1u, sizeof *next);
    size_t *last = calloc(w->sessions_n + 1u, sizeof *last);
    totals sum = {0};
    bool ok = first && next && last;
    for (size_t i = 0; ok && i < w->hits_n; i++) {
        uint32_t s = w->hit[i].session;
        if (last[s]) next[last[s] - 1] = i + 1;
        else first[s] = i + 1;
        last[s] = i + 1;
    }
    for (size_t i = 0; ok && i < w->hits_n; i++) {
        size_t at[32], n = 0; // 8 views and as many deeds at most
        if (first[w->hit[i].session] != i + 1) continue;
        for (size_t j = i + 1; j && n < 32; j = next[j - 1]) at[n++] = j - 1;
        ok = post_visit(o, w, at, n, &http, &sum);
    }
    free(first);
    free(next);
    free(last);
    wn_traffic_http_fini(&http);
    printf("{\"posts\":%" PRIu64 ",\"events\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"of_refusers\":%" PRIu64
           ",\"retried\":%" PRIu64 ",\"failed\":%" PRIu64 "}\n",
           sum.posts, sum.events, sum.accepted, sum.refused_events, http.retried, sum.failed);
    return ok && sum.failed == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    options o;
    int stop = read_options(argc, argv, &o);
    if (stop) return stop - 1;
    if (o.mode == MODE_LOG && o.day_s < 0) o.day_s = time(NULL) / 86400 * 86400;
    wn_traffic_world w;
    if (!wn_traffic_world_make(&o.world, &w)) {
        fprintf(stderr, "winnow-traffic: out of memory\n");
        return 1;
    }
    int status = 0;
    if (o.mode == MODE_NDJSON) put_ndjson(&o, &w);
    else if (o.mode == MODE_LOG) put_log(&o, &w);
    else status = send_all(&o, &w);
    wn_traffic_world_fini(&w);
    if (fflush(stdout) != 0) status = 1;
    return status;
}
