// SPDX-License-Identifier: Apache-2.0
// winnow-bench-feed: writes the work in the form another program takes.
//
//   --form beacon   HTTP requests for wrk, one event a POST     (bench_http.lua reads them)
//   --form batch    HTTP requests for wrk, 20 events a POST
//   --form gif      the same beacons as GETs of an empty gif, for nginx
//   --form tsv      one line an event, already cut into dimensions, for ClickHouse
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_line.h"
#include "bench_world.h"
#include "filter.h"

#define BATCH 20

static void field(FILE *to, const wn_bench_event *e, wn_bench_field f, const char *name) {
    if (e->n[f]) fprintf(to, ",\"%s\":\"%.*s\"", name, (int)e->n[f], e->text + e->at[f]);
}

static void event(FILE *to, const wn_bench_event *e) {
    fprintf(to, "{\"site\":\"%.*s\"", (int)e->n[WN_BENCH_SITE], e->text + e->at[WN_BENCH_SITE]);
    field(to, e, WN_BENCH_NAME, "name");
    field(to, e, WN_BENCH_URL, "url");
    field(to, e, WN_BENCH_REFERRER, "referrer");
    fprintf(to, ",\"time\":%.*s", (int)e->n[WN_BENCH_TIME], e->text + e->at[WN_BENCH_TIME]);
    field(to, e, WN_BENCH_ID, "anonymous_id");
    if (e->measures) fputs(",\"purposes\":[\"basic\",\"measure\"]", to);
    field(to, e, WN_BENCH_LANGUAGE, "language");
    field(to, e, WN_BENCH_SCREEN, "screen");
    fputc('}', to);
}

static void head(FILE *to, const wn_bench_event *e, const char *line) {
    fprintf(to, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: %.*s\r\nX-Forwarded-For: %.*s\r\n", line,
            (int)e->n[WN_BENCH_AGENT], e->text + e->at[WN_BENCH_AGENT], (int)e->n[WN_BENCH_IP],
            e->text + e->at[WN_BENCH_IP]);
}

static void posts(const wn_bench_world *w, size_t each) {
    for (size_t i = 0; i + each <= w->n; i += each) {
        char *body = NULL, *request = NULL;
        size_t body_n = 0, request_n = 0;
        FILE *b = open_memstream(&body, &body_n);
        if (each > 1) fputc('[', b);
        for (size_t j = 0; j < each; j++) {
            if (j) fputc(',', b);
            event(b, &w->event[i + j]);
        }
        if (each > 1) fputc(']', b);
        fclose(b);
        FILE *r = open_memstream(&request, &request_n);
        head(r, &w->event[i], "POST /v1/events");
        fprintf(r, "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s", body_n, body);
        fclose(r);
        printf("%zu\n%s", request_n, request);
        free(body);
        free(request);
    }
}

static void gifs(const wn_bench_world *w) {
    for (size_t i = 0; i < w->n; i++) {
        const wn_bench_event *e = &w->event[i];
        char line[700], *request = NULL;
        size_t n = 0;
        snprintf(line, sizeof line, "GET /e.gif?s=%.*s&n=%.*s&u=%.*s&r=%.*s", (int)e->n[WN_BENCH_SITE],
                 e->text + e->at[WN_BENCH_SITE], (int)e->n[WN_BENCH_NAME], e->text + e->at[WN_BENCH_NAME],
                 (int)e->n[WN_BENCH_URL], e->text + e->at[WN_BENCH_URL], (int)e->n[WN_BENCH_REFERRER],
                 e->text + e->at[WN_BENCH_REFERRER]);
        FILE *r = open_memstream(&request, &n);
        head(r, e, line);
        fprintf(r, "\r\n");
        fclose(r);
        printf("%zu\n%s", n, request);
        free(request);
    }
}

static const char *after_host(const char *url, size_t n, size_t *out_n) {
    const char *p = n > 8 ? memchr(url + 8, '/', n - 8) : NULL;
    const char *end = p ? memchr(p, '?', n - (size_t)(p - url)) : NULL;
    if (!end) end = url + n;
    *out_n = p ? (size_t)(end - p) : 0;
    return p ? p : "";
}

// What the filter would make of them, so that only the counting is compared.
static void tsv(const wn_bench_world *w) {
    for (size_t i = 0; i < w->n; i++) {
        const wn_bench_event *e = &w->event[i];
#define F(f) (int)e->n[f], e->text + e->at[f]
        size_t path_n;
        const char *path = after_host(e->text + e->at[WN_BENCH_URL], e->n[WN_BENCH_URL], &path_n);
        char domain[WN_OPEN_TEXT_MAX + 1] = "", source[33] = "", campaign[33] = "", host[256];
        const char *url = e->text + e->at[WN_BENCH_URL], *ref = e->text + e->at[WN_BENCH_REFERRER];
        if (e->n[WN_BENCH_REFERRER] && wn_url_host(ref, e->n[WN_BENCH_REFERRER], host, sizeof host))
            (void)wn_domain_registrable(host, strlen(host), domain);
        (void)wn_url_utm(url, e->n[WN_BENCH_URL], "source", source);
        (void)wn_url_utm(url, e->n[WN_BENCH_URL], "campaign", campaign);
        wn_agent agent;
        wn_agent_parse(e->text + e->at[WN_BENCH_AGENT], e->n[WN_BENCH_AGENT], &agent);
        printf("%.*s\t%.*s\t%.*s\t%.*s\t%s\t%u\t%s\t%s\t%.2s\t%.2s\t%u\t%u\t%u\t%.*s\t%.*s\n",
               F(WN_BENCH_TIME), F(WN_BENCH_SITE), F(WN_BENCH_IP), (int)path_n, path, domain,
               wn_channel(domain, source, ""), source, campaign, e->text + e->at[WN_BENCH_LANGUAGE] + 3,
               e->text + e->at[WN_BENCH_LANGUAGE], agent.browser, agent.system, agent.device,
               F(WN_BENCH_SCREEN), F(WN_BENCH_NAME));
    }
}

int main(int argc, char **argv) {
    wn_bench_options o;
    wn_bench_world w;
    if (!wn_bench_options_read(argc, argv, &o)) return 2;
    if (!wn_bench_world_make(o.events, o.day_s, o.days, false, &w)) return 1;
    if (strcmp(o.form, "beacon") == 0) posts(&w, 1);
    else if (strcmp(o.form, "batch") == 0) posts(&w, BATCH);
    else if (strcmp(o.form, "gif") == 0) gifs(&w);
    else if (strcmp(o.form, "tsv") == 0) tsv(&w);
    else return fprintf(stderr, "winnow-bench-feed: --form is beacon, batch, gif or tsv\n"), 2;
    wn_bench_world_fini(&w);
    return fflush(stdout) == 0 ? 0 : 1;
}
