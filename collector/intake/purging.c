// SPDX-License-Identifier: Apache-2.0
// purging.c: marks first, then the list, then the aggregator, until it is done.
#include "purging.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "spool_cut.h"

_Static_assert(WN_PURGES_MAX == 4096, "the words of begin_turn");

typedef struct beginning { // the one that is being asked for: the only place that knows an organisation's
                           // name
    bool set;
    wn_purge purge;
    uint8_t org[WN_PURGE_ORG_BYTES_MAX];
    size_t org_n;
    uint64_t asker, token;
} beginning;

struct wn_purging {
    wn_purging_parts parts;
    beginning now;
    wn_spool_cut *cut[WN_PURGES_MAX]; // of the list's entries; NULL: not taken in this life
    bool drained[WN_PURGES_MAX];
    int64_t ask_at_ms, told_s;
};

wn_err wn_purging_open(const wn_purging_parts *parts, wn_purging **out) {
    wn_purging *g = calloc(1, sizeof *g);
    if (g == NULL) return WN_ERR_NOMEM;
    g->parts = *parts;
    *out = g;
    return WN_OK;
}

void wn_purging_close(wn_purging *g) {
    if (g == NULL) return;
    for (size_t i = 0; i < WN_COUNT(g->cut); i++) free(g->cut[i]);
    wn_wipe(g, sizeof *g);
    free(g);
}

// ---- beginning ----

static wn_err mark(wn_purging *g) {
    beginning *b = &g->now;
    return wn_pipeline_purge(g->parts.pipeline, b->purge.tag, (wn_span){b->org, b->org_n}, b->purge.name,
                             &b->token);
}

const char *wn_purging_begin(wn_purging *g, wn_span site, wn_span org, uint64_t asker) {
    beginning *b = &g->now;
    char name[WN_SITE_NAME_BYTES] = "";
    if (b->set) return "another purge is just beginning; try again";
    if (site.n == 0 || site.n >= sizeof name) return "no such name of a site is possible";
    memcpy(name, site.p, site.n);
    if (wn_site_name_check(name) != NULL) return "no such name of a site is possible";
    if (org.n > WN_PURGE_ORG_BYTES_MAX) return "no organisation has so long a name: 128 bytes are the most";
    *b = (beginning){.set = true, .asker = asker, .org_n = org.n};
    b->purge = (wn_purge){.kind = org.n > 0 ? WN_PURGE_ORG : WN_PURGE_SITE,
                          .tag = wn_site_tag(name),
                          .asked_at_s = wn_pipeline_now(g->parts.pipeline)};
    memcpy(b->purge.site, name, sizeof name);
    if (org.n > 0) memcpy(b->org, org.p, org.n);
    wn_purge_name(g->parts.key, b->purge.tag, org, b->purge.name);
    if (mark(g) == WN_OK) return NULL;
    wn_wipe(b, sizeof *b);
    return "the spool takes nothing just now: see `winnow status`, then try again";
}

static void begun(wn_purging *g, const char *no) {
    uint64_t asker = g->now.asker;
    wn_wipe(&g->now, sizeof g->now);
    g->ask_at_ms = 0;
    g->parts.begun(g->parts.ctx, asker, no);
}

static void begin_turn(wn_purging *g) {
    beginning *b = &g->now;
    wn_pipeline *p = g->parts.pipeline;
    if (!b->set || wn_pipeline_durable(p) < b->token) return;
    // A window that opened meanwhile took events under a filter that did not know.
    if (!wn_pipeline_purged_all(p, b->purge.tag, (wn_span){b->org, b->org_n})) {
        (void)!mark(g);
        return;
    }
    wn_err err = wn_purge_list_add(g->parts.list, &b->purge);
    if (err == WN_ERR_FULL && wn_purge_list_count(g->parts.list) == WN_PURGES_MAX)
        begun(g, "the list of purges is full with 4096, and nothing was purged. Refuse the organisation in "
                 "policy.yaml "
                 "(organisations, purposes: []), or take the site out of sites.yaml; what is open ends at "
                 "its seal");
    else if (err == WN_ERR_FULL) begun(g, "the disk is full: nothing was purged");
    else if (err != WN_OK) begun(g, "keys/purges cannot be written: nothing was purged");
    else begun(g, NULL);
}

// ---- to the end ----

void wn_purging_done(wn_purging *g, const uint8_t name[32]) {
    wn_purge_list *l = g->parts.list;
    const wn_purge *p = wn_purge_list_find(l, name);
    if (p == NULL || p->done_at_s != 0) return;
    wn_err err = wn_purge_list_done(l, name, wn_now_s());
    if (err != WN_OK) wn_log(WN_MSG_PURGE_UNSAVED, err, 0, 0); // told again at the next asking
    else wn_log(WN_MSG_PURGE_DONE, 0, 0, 0);
}

static bool drained(wn_purging *g, size_t i) {
    if (g->drained[i]) return true;
    if (g->cut[i] == NULL) g->cut[i] = wn_spool_cut_take(g->parts.spool);
    g->drained[i] = g->cut[i] != NULL && wn_spool_cut_delivered(g->parts.spool, g->cut[i]);
    if (g->drained[i]) free(g->cut[i]), g->cut[i] = NULL;
    return g->drained[i];
}

void wn_purging_turn(wn_purging *g, int64_t now_ms) {
    const wn_purge_list *l = g->parts.list;
    begin_turn(g);
    if (now_ms < g->ask_at_ms || wn_purge_list_oldest_open(l) == 0) return;
    g->ask_at_ms = now_ms + WN_PURGING_ASK_MS;
    int64_t hours = wn_purge_list_late_hours(l, wn_now_s(), &g->told_s);
    if (hours > 0) wn_log(WN_MSG_PURGE_LATE, hours, WN_PURGE_LATE_S / 3600, 0);
    for (size_t i = 0; i < wn_purge_list_count(l); i++) {
        const wn_purge *p = wn_purge_list_at(l, i);
        if (p->done_at_s == 0) g->parts.ask(g->parts.ctx, p, drained(g, i));
    }
}
