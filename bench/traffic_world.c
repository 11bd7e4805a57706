// SPDX-License-Identifier: Apache-2.0
// Why this file: demo, tests and benchmarks need a day that looks like one: a
// few popular pages and a long tail, some identifying paths, a daily curve.
#include "traffic_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

// Networks of one country: prefix, how many bits of it are fixed, languages.
typedef struct place {
    uint32_t weight;
    uint32_t v4; // first address
    uint8_t v4_bits;
    const char *v6; // first 32 bits as text; every /48 below is taken as theirs
    const char *language;
} place;
static const place places[] = {
    {24, 0x49000000u, 8, "2601:0", "en-US"},    {14, 0x54800000u, 10, "2003:c", "de-DE"},
    {10, 0x56800000u, 10, "2a00:23c", "en-GB"}, {9, 0x5A000000u, 9, "2a01:cb0", "fr-FR"},
    {7, 0x7E000000u, 8, "2400:241", "ja-JP"},   {6, 0x58000000u, 11, "2a02:900", "es-ES"},
    {6, 0x4F000000u, 10, "2a01:200", "it-IT"},  {5, 0x46400000u, 12, "2604:3d0", "en-CA"},
    {5, 0x75C00000u, 10, "2409:400", "hi-IN"},  {5, 0xB1000000u, 10, "2804:14", "pt-BR"},
    {4, 0x53000000u, 11, "2a01:110", "pl-PL"},  {3, 0x01800000u, 11, "2001:800", "en-AU"},
    {2, 0x5AE00000u, 12, "2001:204", "sv-SE"},
};

typedef struct weighted {
    uint32_t weight;
    const char *text;
} weighted;
#define WIN "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
#define KIT "AppleWebKit/537.36 (KHTML, like Gecko) "
static const weighted desktop_agents[] = {
    {30, WIN ") " KIT "Chrome/139.0.0.0 Safari/537.36"},
    {12, WIN ") " KIT "Chrome/138.0.0.0 Safari/537.36"},
    {10, WIN ") " KIT "Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0"},
    {9, WIN "; rv:141.0) Gecko/20100101 Firefox/141.0"},
    {11,
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
     "Safari/605.1.15"},
    {9, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " KIT "Chrome/139.0.0.0 Safari/537.36"},
    {4, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
    {3, "Mozilla/5.0 (X11; Linux x86_64) " KIT "Chrome/139.0.0.0 Safari/537.36"},
    {2, "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " KIT "Chrome/138.0.0.0 Safari/537.36"},
    {2, WIN ") " KIT "Chrome/137.0.0.0 Safari/537.36 OPR/121.0.0.0"},
    {1, "Mozilla/5.0 (Windows NT 6.1; Win64; x64) " KIT "Chrome/109.0.0.0 Safari/537.36"},
};
static const weighted phone_agents[] = {
    {20, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.5 Mobile/15E148 Safari/604.1"},
    {7, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.7 Mobile/15E148 Safari/604.1"},
    {24, "Mozilla/5.0 (Linux; Android 10; K) " KIT "Chrome/139.0.0.0 Mobile Safari/537.36"},
    {6, "Mozilla/5.0 (Linux; Android 15; SM-S921B) " KIT
        "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"},
    {4, "Mozilla/5.0 (Android 14; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0"},
    {3, "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 "
        "Mobile/15E148 Safari/604.1"},
};
static const weighted desktop_screens[] = {
    {40, "1920x1080"}, {15, "1536x864"}, {12, "1440x900"},
    {10, "2560x1440"}, {8, "1366x768"},  {5, "3840x2160"},
};
static const weighted phone_screens[] = {
    {20, "390x844"}, {18, "412x915"}, {14, "393x873"}, {10, "360x800"}, {6, "430x932"}, {3, "820x1180"},
};
static const weighted referrers[] = {
    {340, ""},
    {290, "https://www.google.com/"},
    {40, "https://www.bing.com/search?q=winnow"},
    {35, "https://duckduckgo.com/"},
    {40, "https://t.co/a8Xk2QzP"},
    {35, "https://m.facebook.com/"},
    {45, "https://news.ycombinator.com/item?id=41234567"},
    {30, "https://www.reddit.com/r/selfhosted/"},
    {35, "https://github.com/"},
    {20, "https://en.wikipedia.org/wiki/Web_analytics"},
    {20, "https://www.linkedin.com/feed/"},
    {18, "https://chatgpt.com/"},
    {12, "https://mail.google.com/mail/u/0/"},
    {10, "https://search.yahoo.co.jp/"},
    {15, "https://dev.to/anna/counting-without-watching"},
    {15, "https://planet.example.org/feeds?reader=anna%40example.org"},
};
static const weighted campaigns[] = {
    {5, "utm_source=newsletter&utm_medium=email&utm_campaign=autumn"},
    {4, "utm_source=google&utm_medium=cpc&utm_campaign=brand"},
    {2, "utm_source=partner&utm_medium=referral&utm_campaign=launch"},
    {1, "utm_source=linkedin&utm_medium=social&utm_campaign=launch"},
};
static const char *const pages[] = {
    "/",
    "/pricing",
    "/docs/",
    "/blog/",
    "/download",
    "/docs/quickstart",
    "/features",
    "/about",
    "/blog/counting-crowds",
    "/docs/install",
    "/contact",
    "/docs/privacy",
    "/login",
    "/blog/why-ten",
    "/docs/api/events",
    "/changelog",
    "/docs/plan",
    "/jobs",
    "/blog/2025/11/report",
    "/docs/faq",
    "/legal/privacy",
    "/legal/terms",
    "/docs/windows",
    "/docs/locks",
    "/search",
    "/cart",
    "/checkout",
    "/blog/a-day-in-the-life",
    "/docs/zeromq",
    "/press",
    "/partners",
    "/docs/cli/report",
    "/docs/cli/import",
    "/security",
    "/customers",
    "/events/",
    "/blog/tags/privacy",
    "/support",
    "/docs/ledger",
    "/sitemap",
};
// Share of a day's visits that begin in each hour.
static const uint32_t hours[24] = {14, 10, 8,  7,  8,  12, 20, 34, 50, 62, 66, 64,
                                   58, 62, 66, 64, 60, 56, 54, 56, 58, 50, 36, 22};

uint64_t wn_traffic_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545F4914F6CDD1Dull;
}

uint32_t wn_traffic_below(uint64_t *state, uint32_t n) {
    return (uint32_t)(((wn_traffic_random(state) >> 32) * n) >> 32);
}

static const char *pick(uint64_t *r, const weighted *list, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += list[i].weight;
    uint32_t at = wn_traffic_below(r, sum);
    size_t i = 0;
    while (at >= list[i].weight) at -= list[i++].weight;
    return list[i].text;
}

static const place *pick_place(uint64_t *r) {
    uint32_t at = wn_traffic_below(r, 100);
    for (size_t i = 0; i < COUNT(places); i++) {
        if (at < places[i].weight) return &places[i];
        at -= places[i].weight;
    }
    return &places[0];
}

// Members of an organisation share a /24 or a /48: its state comes from its number.
static void give_address(uint64_t *r, const place *p, uint64_t *network, bool v6, char out[46]) {
    uint64_t net = wn_traffic_random(network);
    uint32_t host = wn_traffic_below(r, 254) + 1;
    if (v6) {
        snprintf(out, 46, "%s%x:%x:%x::%x", p->v6, (unsigned)(net & 0xf), (unsigned)(net >> 48),
                 (unsigned)(net >> 8 & 0xff) + 1, host);
        return;
    }
    uint32_t a = p->v4 | ((uint32_t)(net >> 32) & (UINT32_MAX >> p->v4_bits) & ~0xffu) | host;
    snprintf(out, 46, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void make_person(uint64_t *r, const wn_traffic_options *o, wn_traffic_person *out) {
    memset(out, 0, sizeof *out);
    uint64_t network = wn_traffic_random(r) | 1;
    const place *p = pick_place(r);
    bool v6 = wn_traffic_below(r, 100) < 22;
    if (o->orgs > 0 && wn_traffic_below(r, 100) < o->org_percent) {
        // Half of the members work in the largest fifth of the organisations.
        uint32_t large = o->orgs / 5 + 1;
        out->org = 1 + (wn_traffic_below(r, 2) ? wn_traffic_below(r, large) : wn_traffic_below(r, o->orgs));
        uint64_t own = (o->seed + 0x9E3779B97F4A7C15ull * (out->org + 1)) | 1;
        for (int i = 0; i < 8; i++) wn_traffic_random(&own);
        p = pick_place(&own);
        network = own;
        v6 = false;
    }
    give_address(r, p, &network, v6, out->address);
    bool phone = out->org ? wn_traffic_below(r, 10) == 0 : wn_traffic_below(r, 2) == 0;
    out->agent =
        phone ? pick(r, phone_agents, COUNT(phone_agents)) : pick(r, desktop_agents, COUNT(desktop_agents));
    out->screen = phone ? pick(r, phone_screens, COUNT(phone_screens))
                        : pick(r, desktop_screens, COUNT(desktop_screens));
    out->language = wn_traffic_below(r, 8) ? p->language : "en-US";
    out->refuses = wn_traffic_below(r, 100) < o->refuse_percent;
    out->gpc = wn_traffic_below(r, 100) < 6;
}

// Zipf with exponent 1 over the pages; one view in thirty has a path that identifies.
static void make_path(uint64_t *r, char out[72]) {
    uint32_t odd = wn_traffic_below(r, 300);
    if (odd < 5) snprintf(out, 72, "/user/%u", 10000 + wn_traffic_below(r, 89999));
    else if (odd < 8) snprintf(out, 72, "/reset/%016" PRIx64, wn_traffic_random(r));
    else if (odd < 10) snprintf(out, 72, "/orders/2026-%06u/invoice", wn_traffic_below(r, 1000000));
    if (odd < 10) return;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < COUNT(pages); i++) sum += 10000 / (i + 1);
    uint32_t at = wn_traffic_below(r, sum), i = 0;
    while (at >= 10000 / (i + 1)) at -= 10000 / (++i);
    const char *page = pages[i];
    if (strcmp(page, "/search") == 0)
        snprintf(out, 72, "/search?q=how+to+count+%u", wn_traffic_below(r, 1000));
    else if (odd < 16) snprintf(out, 72, "%s?sid=%08x", page, wn_traffic_below(r, UINT32_MAX));
    else snprintf(out, 72, "%s", page);
}

static uint32_t start_of_visit(uint64_t *r, const wn_traffic_options *o) {
    for (;;) {
        uint32_t at = wn_traffic_below(r, o->last_s - o->first_s) + o->first_s;
        if (wn_traffic_below(r, 66) < hours[at / 3600 % 24]) return at;
    }
}

static bool add_hit(wn_traffic_world *w, size_t *cap, const wn_traffic_hit *h) {
    if (w->hits_n == *cap) {
        size_t grown = *cap ? *cap * 2 : 1024;
        wn_traffic_hit *p = realloc(w->hit, grown * sizeof *p);
        if (!p) return false;
        w->hit = p;
        *cap = grown;
    }
    w->hit[w->hits_n] = *h;
    w->hit[w->hits_n].serial = (uint32_t)w->hits_n;
    w->hits_n++;
    return true;
}

static bool make_visit(uint64_t *r, const wn_traffic_options *o, uint32_t person, wn_traffic_world *w,
                       size_t *cap) {
    wn_traffic_hit h = {.at_s = start_of_visit(r, o), .person = person, .session = w->sessions_n++};
    uint32_t views = 1;
    while (views < 8 && wn_traffic_below(r, 100) < 62) views++;
    const char *referrer = pick(r, referrers, COUNT(referrers));
    if (wn_traffic_below(r, 25) == 0) {
        snprintf(h.referrer, sizeof h.referrer, "https://blog.site-%u.example/post",
                 wn_traffic_below(r, 400));
    } else {
        snprintf(h.referrer, sizeof h.referrer, "%s", referrer);
    }
    for (uint32_t i = 0; i < views && h.at_s < o->last_s; i++) {
        make_path(r, h.path);
        size_t n = strlen(h.path);
        if (i == 0 && wn_traffic_below(r, 12) == 0 && !strchr(h.path, '?') && n < 8) {
            snprintf(h.path + n, sizeof h.path - n, "?%s", pick(r, campaigns, COUNT(campaigns)));
        }
        h.kind = WN_TRAFFIC_VIEW;
        if (!add_hit(w, cap, &h)) return false;
        snprintf(h.referrer, sizeof h.referrer, "%.*s", (int)strcspn(h.path, "?"), h.path);
        uint32_t deed = wn_traffic_below(r, 60);
        h.at_s += 5 + wn_traffic_below(r, 30);
        if (deed < 2 && h.at_s < o->last_s) {
            h.kind = deed == 0 ? WN_TRAFFIC_SIGNUP : WN_TRAFFIC_DOWNLOAD;
            if (deed == 1) snprintf(h.path, sizeof h.path, "/files/winnow-0.%u.zip", wn_traffic_below(r, 3));
            if (!add_hit(w, cap, &h)) return false;
        }
        h.at_s += wn_traffic_below(r, 20) ? wn_traffic_below(r, 240) : wn_traffic_below(r, 2400);
    }
    return true;
}

static int by_time(const void *a, const void *b) {
    const wn_traffic_hit *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

bool wn_traffic_world_make(const wn_traffic_options *o, wn_traffic_world *out) {
    wn_traffic_world w = {.person = calloc(o->people, sizeof *w.person), .people_n = o->people};
    size_t cap = 0;
    bool ok = w.person != NULL;
    uint64_t r = (o->seed * 0x9E3779B97F4A7C15ull) | 1;
    for (int i = 0; i < 8; i++) wn_traffic_random(&r); // small seeds start alike
    for (uint32_t i = 0; ok && i < o->people; i++) {
        make_person(&r, o, &w.person[i]);
        uint32_t visits = wn_traffic_below(&r, 4) == 0 ? 2 : 1;
        if (wn_traffic_below(&r, 16) == 0) visits++;
        while (ok && visits-- > 0) ok = make_visit(&r, o, i, &w, &cap);
    }
    if (!ok) {
        wn_traffic_world_fini(&w);
        return false;
    }
    qsort(w.hit, w.hits_n, sizeof *w.hit, by_time);
    *out = w;
    return true;
}

void wn_traffic_world_fini(wn_traffic_world *w) {
    free(w->person);
    free(w->hit);
    memset(w, 0, sizeof *w);
}
