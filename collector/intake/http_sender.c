// SPDX-License-Identifier: Apache-2.0
// http_sender.c: the heads of a request that the filter is told of; one walk
// over them, and nothing else of them is read.
#include "http_sender.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "http_optout.h"

#define FORWARDED_BYTES_MAX 1024

typedef struct heads {
    const char *user_agent, *accept_language, *referer, *origin;
    char forwarded[FORWARDED_BYTES_MAX];
    size_t forwarded_n;
    const char *forwarded_last;
    wn_span tcf, us_privacy;
    bool forwarded_seen, forwarded_long, gpc, dnt, doubt, opted_out;
} heads;

// Several X-Forwarded-For lines are one list; a list too long for us is read
// from its right end, which is the end that counts.
static void forwarded_add(heads *h, const char *value) {
    size_t n = strlen(value);
    h->forwarded_seen = true;
    h->forwarded_last = value;
    if (h->forwarded_n + n + 1 > sizeof h->forwarded) {
        h->forwarded_long = true;
        return;
    }
    if (h->forwarded_n != 0) h->forwarded[h->forwarded_n++] = ',';
    memcpy(h->forwarded + h->forwarded_n, value, n);
    h->forwarded_n += n;
}

// "0" is off, "1" is on; several lines or a list are on when one of them is.
// Whatever else stands there said something that we do not understand.
static bool read_signal(heads *h, const char *value) {
    bool on = false;
    for (;;) {
        value += strspn(value, " \t");
        char first = *value;
        if (first != '0' && first != '1') h->doubt = true;
        else value++;
        on |= first == '1';
        value += strspn(value, " \t");
        if (*value == '\0') return on;
        if (*value != ',') {
            h->doubt = true;
            return on;
        }
        value++;
    }
}

// ---- cookies ----

static wn_span trimmed(const char *p, size_t n) {
    while (n != 0 && (*p == ' ' || *p == '\t')) p++, n--;
    while (n != 0 && (p[n - 1] == ' ' || p[n - 1] == '\t')) n--;
    return (wn_span){(const uint8_t *)p, n};
}

// A platform's cookie may stand there once for the host and once for its domain,
// but not saying two things; and what no field could hold nobody can read.
static void platform_cookie(heads *h, wn_span *at, wn_span value, wn_field field) {
    bool other = at->p != NULL && (at->n != value.n || memcmp(at->p, value.p, value.n) != 0);
    if (value.n == 0 || value.n > wn_field_bytes_max(field) || other) h->doubt = true;
    else *at = value;
}

// However it is written and whatever it says: read too often it refuses, read too rarely it counts somebody.
static bool is_optout(wn_span pair) {
    const char *at = (const char *)pair.p, *end = at + pair.n;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma == NULL ? end : comma;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        wn_span name = trimmed(at, (size_t)((equals == NULL ? stop : equals) - at));
        if (name.n == strlen(WN_OPTOUT_COOKIE) &&
            strncasecmp((const char *)name.p, WN_OPTOUT_COOKIE, name.n) == 0)
            return true;
        at = comma == NULL ? end : comma + 1;
    }
    return false;
}

static void one_cookie(heads *h, wn_span pair) {
    h->opted_out |= is_optout(pair);
    const char *text = (const char *)pair.p, *equals = memchr(text, '=', pair.n);
    if (equals == NULL) return;
    wn_span name = trimmed(text, (size_t)(equals - text));
    wn_span value = trimmed(equals + 1, pair.n - (size_t)(equals - text) - 1);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (wn_span){value.p + 1, value.n - 2};
    if (wn_span_is(name, "euconsent-v2")) platform_cookie(h, &h->tcf, value, WN_FIELD_tcf);
    else if (wn_span_is(name, "usprivacy")) platform_cookie(h, &h->us_privacy, value, WN_FIELD_us_privacy);
}

static void read_cookies(heads *h, const char *value) {
    for (;;) {
        size_t n = strcspn(value, ";");
        one_cookie(h, (wn_span){(const uint8_t *)value, n});
        if (value[n] == '\0') return;
        value += n + 1;
    }
}

static enum MHD_Result read_head(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value) {
    (void)kind;
    heads *h = ctx;
    if (value == NULL) value = "";
    switch (key[0] | 0x20) {
    case 'u':
        if (strcasecmp(key, "User-Agent") == 0) h->user_agent = value;
        break;
    case 'a':
        if (strcasecmp(key, "Accept-Language") == 0) h->accept_language = value;
        break;
    case 'r':
        if (strcasecmp(key, "Referer") == 0) h->referer = value;
        break;
    case 'c':
        if (strcasecmp(key, "Cookie") == 0) read_cookies(h, value);
        break;
    case 'o':
        if (strcasecmp(key, "Origin") == 0) h->origin = value;
        break;
    case 'x':
        if (strcasecmp(key, "X-Forwarded-For") == 0) forwarded_add(h, value);
        break;
    case 's':
        if (strcasecmp(key, "Sec-GPC") == 0) h->gpc |= read_signal(h, value);
        break;
    case 'd':
        if (strcasecmp(key, "DNT") == 0) h->dnt |= read_signal(h, value);
        break;
    default: break;
    }
    return MHD_YES;
}

static wn_span span_of(const char *text) {
    return text == NULL ? (wn_span){NULL, 0} : (wn_span){(const uint8_t *)text, strlen(text)};
}

static void heads_clear(heads *h) {
    memset(h, 0, offsetof(heads, forwarded));
    h->forwarded_n = 0;
    h->forwarded_last = NULL;
    h->tcf = h->us_privacy = (wn_span){NULL, 0};
    h->forwarded_seen = h->forwarded_long = h->gpc = h->dnt = h->doubt = h->opted_out = false;
}

// The peer's address as the filter takes it; false for other families.
static bool peer_address(const struct sockaddr *a, wn_address *out) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a->sa_family == AF_INET) {
        memcpy(out->b, mapped, sizeof mapped);
        memcpy(out->b + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
        return true;
    }
    if (a->sa_family != AF_INET6) return false;
    memcpy(out->b, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    return true;
}

static bool peer_of(struct MHD_Connection *c, wn_address *out) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info != NULL && peer_address(info->client_addr, out);
}

bool wn_http_sender_opted_out(struct MHD_Connection *c) {
    heads h;
    heads_clear(&h);
    MHD_get_connection_values(c, MHD_HEADER_KIND, read_head, &h);
    wn_wipe(h.forwarded, h.forwarded_n);
    return h.opted_out;
}

bool wn_http_sender_https(struct MHD_Connection *c, const wn_pipeline *p) {
    const char *scheme = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Forwarded-Proto");
    wn_address peer;
    bool trusted = peer_of(c, &peer) && wn_pipeline_trusts(p, &peer);
    wn_wipe(&peer, sizeof peer);
    if (!trusted || scheme == NULL) return false;
    wn_span first = trimmed(scheme, strcspn(scheme, ",")); // what the browser itself spoke
    return first.n == 5 && strncasecmp((const char *)first.p, "https", 5) == 0;
}

wn_request *wn_http_sender_begin(struct MHD_Connection *c, wn_pipeline *p, bool pixel,
                                 const char **out_origin) {
    heads h;
    heads_clear(&h);
    MHD_get_connection_values(c, MHD_HEADER_KIND, read_head, &h);
    *out_origin = h.origin;

    wn_address peer, client;
    wn_span forwarded = {(const uint8_t *)h.forwarded, h.forwarded_n};
#ifndef WN_MUTANT_FORWARDED_CUT
    if (h.forwarded_long) forwarded = span_of(h.forwarded_last);
#endif
    if (!h.forwarded_seen) forwarded = (wn_span){NULL, 0};
    bool known = peer_of(c, &peer) && wn_pipeline_client(p, &peer, forwarded, &client);
    wn_sender sender = {
        .address = known ? &client : NULL,
        .user_agent = span_of(h.user_agent),
        .accept_language = span_of(h.accept_language),
        .page = pixel ? span_of(h.referer) : (wn_span){NULL, 0},
        .tcf = h.tcf,
        .us_privacy = h.us_privacy,
        .opted_out = h.opted_out,
        .gpc = h.gpc,
        .dnt = h.dnt,
        .doubt = h.doubt,
    };
    wn_request *r = wn_request_begin(p, &sender, NULL);
    wn_wipe(h.forwarded, h.forwarded_n);
    wn_wipe(&peer, sizeof peer);
    wn_wipe(&client, sizeof client);
    return r;
}
