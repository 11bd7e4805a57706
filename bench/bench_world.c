// SPDX-License-Identifier: Apache-2.0
// Why this file: figures of different programs can be compared only when all
// of them are given the same events.
#include "bench_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traffic_world.h"

#define PAGES 2000 // of a site
#define AGENTS 2000
#define DOMAINS 400
#define EVENT_BYTES 640 // more than any event has

typedef struct moment {
    int64_t at_s;
    uint32_t visitor;
    uint16_t site, page, came; // came: 0 from nowhere, else 1 + domain
    uint16_t step;             // of the visit
} moment;

static uint64_t seed_of(uint64_t a, uint64_t b) {
    uint64_t s = (a + 1) * 0x9E3779B97F4A7C15u ^ (b + 1) * 0xD1342543DE82EF95u;
    for (int i = 0; i < 3; i++) wn_traffic_random(&s);
    return s | 1;
}

// Rank 0..n-1, weight 1 / (1 + rank).
typedef struct zipf {
    uint32_t n;
    uint32_t sum[PAGES];
} zipf;

static void zipf_init(zipf *z, uint32_t n) {
    double all = 0, part = 0;
    z->n = n;
    for (uint32_t i = 0; i < n; i++) all += 1.0 / (1 + i);
    for (uint32_t i = 0; i < n; i++) {
        part += 1.0 / (1 + i);
        z->sum[i] = (uint32_t)(part / all * 4294967295.0);
    }
}

static uint16_t zipf_draw(const zipf *z, uint64_t *r) {
    uint32_t x = (uint32_t)(wn_traffic_random(r) >> 32), low = 0, high = z->n - 1;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (z->sum[mid] < x) low = mid + 1;
        else high = mid;
    }
    return (uint16_t)low;
}

void wn_bench_site_name(unsigned site, char out[16]) {
    snprintf(out, 16, "site-%02u", site % 100);
}

// Letters only: digits would be taken for ids and coarsened away.
static const char *letters(uint64_t n, char out[16]) {
    char *p = out + 15;
    *p = '\0';
    do {
        *--p = (char)('a' + n % 26);
        n /= 26;
    } while (n && p > out);
    return p;
}

static int by_time(const void *a, const void *b) {
    const moment *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    if (x->visitor != y->visitor) return x->visitor < y->visitor ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

static void make_moments(moment *m, size_t n, int64_t day_s, uint32_t days) {
    static zipf pages, sites, domains;
    uint64_t r = 0x57494E4E4F57u;
    zipf_init(&pages, PAGES);
    zipf_init(&sites, WN_BENCH_SITES);
    zipf_init(&domains, DOMAINS);
    for (size_t i = 0; i < n;) {
        uint32_t visitor = wn_traffic_below(&r, WN_BENCH_VISITORS), views = 1 + wn_traffic_below(&r, 9);
        uint16_t site = zipf_draw(&sites, &r);
        uint16_t came = wn_traffic_below(&r, 3) == 0 ? 0 : (uint16_t)(1 + zipf_draw(&domains, &r));
        int64_t at = day_s + wn_traffic_below(&r, days) * (int64_t)86400 + wn_traffic_below(&r, 84000);
        for (uint16_t step = 0; step < views && i < n; step++, i++) {
            m[i] = (moment){at, visitor, site, zipf_draw(&pages, &r), step ? 0 : came, step};
            at += 5 + wn_traffic_below(&r, 200);
        }
    }
    qsort(m, n, sizeof *m, by_time);
}

static void make_address(uint32_t visitor, char out[46]) {
    uint64_t r = seed_of(visitor, 7);
    uint32_t a = (uint32_t)(wn_traffic_random(&r) >> 24), first = 24 + a % 160;
    if (visitor % 5 == 0)
        snprintf(out, 46, "2a%02x:%x:%x::%x", a & 15, a >> 16 & 0xfff, a >> 8 & 0xffff, visitor & 0xffff);
    else
        snprintf(out, 46, "%u.%u.%u.%u", first == 127 ? 128 : first, a >> 8 & 255, a >> 16 & 255,
                 1 + (a >> 24) % 254);
}

static int make_agent(uint64_t which, char *out, size_t cap) {
    static const char *const systems[] = {"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7",
                                          "X11; Linux x86_64", "Linux; Android 10; K"};
    uint32_t kind = which % 8, major = 100 + (uint32_t)(which / 8 % 40), minor = (uint32_t)(which / 320);
    const char *on = systems[kind % 4];
    if (kind == 5)
        return snprintf(out, cap, "Mozilla/5.0 (%s; rv:%u.0) Gecko/20100101 Firefox/%u.%u", on, major, major,
                        minor);
    if (kind == 6)
        return snprintf(
            out, cap,
            "Mozilla/5.0 (iPhone; CPU iPhone OS %u_%u like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/%u.%u Mobile/15E148 Safari/604.1",
            major % 5 + 14, minor, major % 5 + 14, major);
    return snprintf(
        out, cap, "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.%u.0 Safari/537.36%s",
        on, major, minor, kind == 7 ? " Edg/139.0" : "");
}

static void put(wn_bench_event *e, char *at, size_t *used, wn_bench_field f, int n) {
    e->at[f] = (uint16_t)*used;
    e->n[f] = n < 0 ? 0 : (uint16_t)n;
    *used += e->n[f];
    (void)at;
}

static size_t write_event(wn_bench_event *e, char *to, const moment *m, size_t serial, bool unique) {
    static const char *const languages[] = {"en-US", "de-DE", "fr-FR", "en-GB",
                                            "es-ES", "ja-JP", "pt-BR", "it-IT"};
    static const char *const screens[] = {"1920x1080", "390x844", "1440x900", "412x915", "2560x1440"};
    static const char *const tags[] = {"utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
                                       "utm_source=google&utm_medium=cpc&utm_campaign=brand"};
    static const char *const names[] = {"signup", "download", "search", "play", "share"};
    uint64_t r = seed_of(m->visitor, 1);
    uint32_t agent =
        (uint32_t)((uint64_t)wn_traffic_below(&r, AGENTS) * wn_traffic_below(&r, AGENTS) / AGENTS);
    uint32_t language = wn_traffic_below(&r, 8), screen = wn_traffic_below(&r, 5);
    char site[16], one[16], other[16], address[46];
    uint64_t mix = seed_of(serial, 2);
    bool tagged = m->came && m->came % 8 == 3, deed = wn_traffic_below(&mix, 8) == 0;
    size_t used = 0;
#define LEFT to + used, EVENT_BYTES - used
#define PUT(field, ...) put(e, to, &used, field, snprintf(LEFT, __VA_ARGS__))
    e->text = to;
    e->site = m->site;
    e->serial = (uint32_t)serial;
    e->measures = m->visitor % 2 == 0;
    wn_bench_site_name(m->site, site);
    make_address(m->visitor, address);
    PUT(WN_BENCH_SITE, "%s", site);
    PUT(WN_BENCH_NAME, "%s", deed ? names[wn_traffic_below(&mix, 5)] : "pageview");
    if (unique) PUT(WN_BENCH_URL, "https://%s.example/articles/%s", site, letters(serial * 977 + 40000, one));
    else
        PUT(WN_BENCH_URL, "https://%s.example/section-%s/%s%s%s", site, letters(m->page % 26u, one),
            letters(m->page * 31u + 700, other), tagged ? "?" : "", tagged ? tags[m->came % 2] : "");
    if (unique) PUT(WN_BENCH_REFERRER, "https://www.%s.com/some/page", letters(serial * 631 + 40000, one));
    else if (m->came)
        PUT(WN_BENCH_REFERRER, "https://www.%s.com/some/page", letters(m->came * 631u + 40000, one));
    else if (m->step) PUT(WN_BENCH_REFERRER, "https://%s.example/", site);
    PUT(WN_BENCH_TIME, "%" PRId64, m->at_s);
    if (e->measures) PUT(WN_BENCH_ID, "v%08x-%04x-4000", m->visitor * 2654435761u, m->visitor & 0xffff);
    PUT(WN_BENCH_LANGUAGE, "%s", languages[language]);
    PUT(WN_BENCH_SCREEN, "%s", screens[screen]);
    PUT(WN_BENCH_IP, "%s", address);
    put(e, to, &used, WN_BENCH_AGENT, make_agent(unique ? serial : agent, LEFT));
    return used;
}

bool wn_bench_world_make(size_t events, int64_t day_s, uint32_t days, bool unique, wn_bench_world *out) {
    moment *m = malloc(events * sizeof *m);
    wn_bench_world w = {
        .event = calloc(events, sizeof *w.event), .n = events, .arena = malloc(events * 400 + EVENT_BYTES)};
    bool well = m && w.event && w.arena;
    if (well) make_moments(m, events, day_s, days);
    for (size_t i = 0; well && i < events; i++) {
        well = w.bytes <= events * 400;
        if (well) w.bytes += write_event(&w.event[i], w.arena + w.bytes, &m[i], i, unique);
    }
    free(m);
    if (well) *out = w;
    else wn_bench_world_fini(&w);
    return well;
}

void wn_bench_world_fini(wn_bench_world *w) {
    free(w->event);
    free(w->arena);
    *w = (wn_bench_world){0};
}
