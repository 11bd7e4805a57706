// SPDX-License-Identifier: Apache-2.0
// come_from.c: how a visit came: the referring site's domain, the campaign's
// tags, and the channel that follows from both.
#include <string.h>

#include "channels.h"
#include "event_body.h"
#include "scratch.h"
#include "work.h"

static bool ends_in_domain(const char *host, size_t n, const char *domain, size_t domain_bytes) {
    if (n < domain_bytes || memcmp(host + n - domain_bytes, domain, domain_bytes) != 0) return false;
    return n == domain_bytes || host[n - domain_bytes - 1] == '.';
}

static bool same_domain(const wn_work *w, const char *domain, size_t domain_bytes) {
    for (size_t i = 0; i < w->site->hosts_n; i++)
        if (ends_in_domain(w->site->hosts[i], strlen(w->site->hosts[i]), domain, domain_bytes)) return true;
    return ends_in_domain(w->page, w->page_n, domain, domain_bytes);
}

static uint16_t read_domain(wn_work *w, const char *host, size_t n) {
    wn_host_class class = wn_scratch_host(w->scratch, host, n);
    if (class.start == WN_HOST_NO_DOMAIN) return class.channel;
    w->internal = same_domain(w, host + class.start, n - class.start);
    if (!w->internal) wn_work_text(w, WN_DIM_referrer, host + class.start, n - class.start);
    return class.channel;
}

// Answers the channel of the referring site; direct when there is none.
static uint16_t read_referrer(wn_work *w) {
    wn_span ref = wn_work_get(w, WN_FIELD_referrer);
    wn_url_parts parts;
    char host[WN_HOST_BYTES];
    size_t n = 0;
    if (ref.n == 0 || !wn_url_split((const char *)ref.p, ref.n, &parts) || !parts.web ||
        !wn_host_lower(parts.host, host, &n))
        return WN_CHANNEL_direct;
    uint16_t channel = WN_CHANNEL_direct;
    w->internal = wn_form_own_host(w->site, host, n) || (w->page_n == n && memcmp(w->page, host, n) == 0);
    if (!w->internal) channel = read_domain(w, host, n);
    wn_wipe(host, n);
    return channel;
}

static void read_tags(wn_work *w) {
    static const struct {
        wn_dim_open dim;
        const char *key;
    } tags[] = {
        {WN_DIM_source, "source"},
        {WN_DIM_medium, "medium"},
        {WN_DIM_campaign, "campaign"},
    };
    wn_span query = w->parts.query;
    if (w->url.n == 0 || query.n == 0 || memmem(query.p, query.n, "utm_", 4) == NULL) return;
    char value[33];
    for (size_t i = 0; i < WN_COUNT(tags); i++)
        if (wn_query_utm(query, tags[i].key, value)) wn_work_text(w, tags[i].dim, value, strlen(value));
}

// A campaign that the event names itself: of an opened mail, or of an app's link.
static void read_campaign(wn_work *w) {
    wn_span given = wn_work_get(w, WN_FIELD_campaign);
    char tag[33];
    if (given.n == 0 || !wn_tag(given, tag)) return;
    // A mail goes to one recipient, and its sender may have numbered them.
    if (!w->mail || !wn_tag_numbered(tag)) wn_work_text(w, WN_DIM_campaign, tag, strlen(tag));
}

static void set_channel(wn_work *w, uint16_t by_referrer) {
    uint16_t *channel = &w->obs->closed[WN_DIM_channel];
    if (w->internal) return;
    if (w->mail) {
        *channel = WN_CHANNEL_mail;
        return;
    }
    const char *source = w->text[WN_DIM_source].n ? w->text[WN_DIM_source].s : "";
    const char *medium = w->text[WN_DIM_medium].n ? w->text[WN_DIM_medium].s : "";
    if (source[0] == '\0' && w->text[WN_DIM_campaign].n > 0) source = "-"; // a campaign of no listed source
    if (wn_channel_of_tags(source, medium, channel)) return;
    // An action inside a page says nothing about how the visit came.
    if (w->kind == WN_OBS_EVENT && by_referrer == WN_CHANNEL_direct) return;
    *channel = by_referrer;
}

void wn_come_from(wn_work *w) {
    read_tags(w);
    read_campaign(w);
    set_channel(w, read_referrer(w));
}
