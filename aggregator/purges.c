// SPDX-License-Identifier: Apache-2.0
// purges.c: the aggregator's purge list. A collector asks for each open purge again
// and again; it is answered when every open window was searched and found clean.
#include <string.h>

#include "aggregator.h"
#include "clock.h"
#include "log.h"

#define SEARCH_MS 1000 // between two searches: a search reads whole windows back

static void answer_to(const wn_purge *p, wn_uplink_msg *out) {
    *out = (wn_uplink_msg){.what = WN_ANSWER_PURGED};
    memcpy(out->name, p->name, sizeof out->name);
    memcpy(out->site, p->site, sizeof out->site);
}

// The ledger first: an entry that it has twice is better than a purge of which it says nothing.
static wn_err begin(aggregator *d, const wn_uplink_msg *m) {
    wn_purge p = {.kind = (m->sequence & WN_PURGE_ASK_ORG) != 0 ? WN_PURGE_ORG : WN_PURGE_SITE,
                  .tag = wn_site_tag(m->site),
                  .asked_at_s = (int64_t)m->generation};
    memcpy(p.site, m->site, sizeof p.site);
    memcpy(p.name, m->name, sizeof p.name);
    if (wn_purge_list_count(d->purges) == WN_PURGES_MAX) return WN_ERR_FULL;
    WN_TRY(wn_windows_purge_asked(d->windows, &p, wn_now_s()));
    wn_log(WN_MSG_PURGE_ASKED, 0, 0, 0);
    return wn_purge_list_add(d->purges, &p);
}

static size_t place_of(const aggregator *d, const wn_purge *p) {
    for (size_t i = 0;; i++)
        if (wn_purge_list_at(d->purges, i) == p) return i;
}

wn_err wn_aggregator_purge_ask(aggregator *d, const wn_uplink_msg *m, wn_uplink_msg *out_answer,
                               bool *out_answers) {
    *out_answers = false;
    if (m->sequence > WN_PURGE_ASK_ALL || m->generation > INT64_MAX || wn_site_name_check(m->site) != NULL)
        return WN_OK;
    const wn_purge *p = wn_purge_list_find(d->purges, m->name);
    // Asked for anew after it was done: that is another one.
    if (p == NULL || (p->done_at_s != 0 && p->asked_at_s < (int64_t)m->generation)) {
        wn_err err = begin(d, m);
        if (err == WN_ERR_FULL) return wn_log(WN_MSG_PURGES_FULL, WN_PURGES_MAX, 0, 0), WN_OK;
        WN_TRY(err);
        p = wn_purge_list_find(d->purges, m->name);
    }
    if (p->done_at_s != 0) {
        answer_to(p, out_answer);
        *out_answers = true;
    } else if ((m->sequence & WN_PURGE_ASK_DRAINED) != 0) {
        d->purge_drained[place_of(d, p)] = true;
    }
    return WN_OK;
}

static wn_err search(aggregator *d) {
    for (size_t i = 0; i < wn_purge_list_count(d->purges); i++) {
        const wn_purge *p = wn_purge_list_at(d->purges, i);
        bool done = false;
        if (p->done_at_s != 0 || !d->purge_drained[i]) continue;
        WN_TRY(wn_windows_purge_end(d->windows, p, wn_now_s(), &done));
        if (!done) continue;
        WN_TRY(wn_purge_list_done(d->purges, p->name, wn_now_s()));
        wn_log(WN_MSG_PURGE_DONE, 0, 0, 0);
        wn_uplink_msg a;
        answer_to(p, &a);
        wn_collectors_tell(d->collectors, &a);
    }
    return WN_OK;
}

wn_err wn_aggregator_purge_turn(aggregator *d) {
    WN_TRY(wn_windows_purge(d->windows));
    if (wn_monotonic_ms() < d->purge_at_ms || wn_purge_list_oldest_open(d->purges) == 0) return WN_OK;
    d->purge_at_ms = wn_monotonic_ms() + SEARCH_MS;
    int64_t hours = wn_purge_list_late_hours(d->purges, wn_now_s(), &d->purge_told_s);
    if (hours > 0) wn_log(WN_MSG_PURGE_LATE, hours, WN_PURGE_LATE_S / 3600, 0);
    return search(d);
}
