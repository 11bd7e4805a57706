// SPDX-License-Identifier: Apache-2.0
// http_sender.c: the heads of a request that the filter is told of; one walk
// over them, and nothing else of them is read.
#include "http_sender.h"

#include <string.h>
#include <strings.h>

#include "http_listen.h"

#define FORWARDED_BYTES_MAX 1024

typedef struct heads {
    const char *user_agent, *accept_language, *referer, *origin;
    char forwarded[FORWARDED_BYTES_MAX];
    size_t forwarded_n;
    const char *forwarded_last;
    bool forwarded_seen, forwarded_long, gpc, dnt, doubt;
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

wn_request *wn_http_sender_begin(struct MHD_Connection *c, wn_pipeline *p, bool pixel,
                                 const char **out_origin) {
    heads h;
    memset(&h, 0, offsetof(heads, forwarded));
    h.forwarded_n = 0;
    h.forwarded_last = NULL;
    h.forwarded_seen = h.forwarded_long = h.gpc = h.dnt = h.doubt = false;
    MHD_get_connection_values(c, MHD_HEADER_KIND, read_head, &h);
    *out_origin = h.origin;

    wn_address peer, client;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    wn_span forwarded = {(const uint8_t *)h.forwarded, h.forwarded_n};
    if (h.forwarded_long) forwarded = span_of(h.forwarded_last);
    if (!h.forwarded_seen) forwarded = (wn_span){NULL, 0};
    bool known = info != NULL && wn_peer_address(info->client_addr, &peer) &&
                 wn_pipeline_client(p, &peer, forwarded, &client);
    wn_sender sender = {
        .address = known ? &client : NULL,
        .user_agent = span_of(h.user_agent),
        .accept_language = span_of(h.accept_language),
        .page = pixel ? span_of(h.referer) : (wn_span){NULL, 0},
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
