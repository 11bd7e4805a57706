// SPDX-License-Identifier: Apache-2.0
// transfers.c: what winnow-forward tells: how far a window has come to a receiver.
// Progress and the ledger's entries are one transaction. The first is told before a byte
// leaves, so that nobody got what the ledger does not name; the second when all is there, and
// then nothing of it is sent again (R9, L-T2).
#include <string.h>

#include "aggregator.h"
#include "clock.h"

typedef struct told {
    char receiver[WN_LEDGER_RECEIVER_BYTES], site[WN_LEDGER_SITE_BYTES], table[32];
    char window[WN_WINDOW_TEXT_BYTES];
    wn_window w;
    wn_transfer t;
    uint64_t rows, profile, plan_version, policy_version;
    uint8_t content[32];
    bool has_content;
} told;

static bool read_text(wn_mp *m, char *out, size_t cap) {
    wn_span s = {NULL, 0};
    if (!wn_mp_str(m, cap - 1, &s) || s.n == 0 || memchr(s.p, 0, s.n) != NULL) return m->bad = true, false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

static void read_number(wn_mp *m, uint64_t max, uint64_t *out) {
    (void)wn_mp_uint(m, max, out); // an error stays in the cursor
}

static void read_pair(wn_mp *m, wn_span key, told *t) {
    uint64_t n = 0;
    if (wn_span_is(key, "receiver")) read_text(m, t->receiver, sizeof t->receiver);
    else if (wn_span_is(key, "site")) read_text(m, t->site, sizeof t->site);
    else if (wn_span_is(key, "table")) read_text(m, t->table, sizeof t->table);
    else if (wn_span_is(key, "window")) read_text(m, t->window, sizeof t->window);
    else if (wn_span_is(key, "rows_done")) read_number(m, UINT32_MAX, &n), t->t.rows_done = (uint32_t)n;
    else if (wn_span_is(key, "refused")) read_number(m, UINT32_MAX, &n), t->t.refused = (uint32_t)n;
    else if (wn_span_is(key, "doubtful")) read_number(m, UINT32_MAX, &n), t->t.doubtful = (uint32_t)n;
    else if (wn_span_is(key, "begun")) (void)wn_mp_bool(m, &t->t.begun);
    else if (wn_span_is(key, "done")) (void)wn_mp_bool(m, &t->t.done);
    else if (wn_span_is(key, "rows")) read_number(m, UINT32_MAX, &t->rows);
    else if (wn_span_is(key, "profile")) read_number(m, WN_PROFILE_N - 1, &t->profile);
    else if (wn_span_is(key, "plan_version")) read_number(m, UINT32_MAX, &t->plan_version);
    else if (wn_span_is(key, "policy_version")) read_number(m, UINT32_MAX, &t->policy_version);
    else if (wn_span_is(key, "content")) t->has_content = wn_mp_bin_exact(m, sizeof t->content, t->content);
    else m->bad = true;
}

static bool is_whole(const told *t) {
    return t->receiver[0] != '\0' && t->site[0] != '\0' && t->table[0] != '\0' && t->window[0] != '\0' &&
           t->has_content && t->t.rows_done <= t->rows && t->t.refused <= t->rows;
}

static wn_err put(wn_published *p, const told *t, const wn_public_head *head, bool begins) {
    const wn_transfer *x = &t->t;
    if (begins) WN_TRY(wn_published_transfer_begun(p, t->receiver, head, x, t->rows, t->content, wn_now_s()));
    if (x->done) return wn_published_transfer_done(p, t->receiver, head, x, t->content, wn_now_s());
    return begins ? WN_OK : wn_published_transfer_put(p, t->receiver, t->site, t->table, &t->w, x);
}

static wn_err keep(aggregator *d, const told *t, bool begins) {
    wn_public_head head = {.window = t->w,
                           .plan_version = (uint32_t)t->plan_version,
                           .policy_version = (uint32_t)t->policy_version,
                           .profile = (uint8_t)t->profile};
    memcpy(head.site, t->site, sizeof head.site);
    memcpy(head.table, t->table, sizeof head.table);
    WN_TRY(wn_published_begin(d->published));
    wn_err err = put(d->published, t, &head, begins);
    if (err == WN_OK) err = wn_published_commit(d->published);
    if (err != WN_OK) wn_published_abort(d->published);
    return err;
}

bool wn_aggregator_transferred(void *ctx, uint64_t token, wn_mp *body, void *packer) {
    aggregator *d = ctx;
    told t = {.rows = 0};
    (void)token;
    while (!body->bad && wn_mp_peek(body) != WN_MP_END) {
        wn_span key = {NULL, 0};
        if (!wn_mp_str(body, 32, &key)) break;
        read_pair(body, key, &t);
    }
    if (body->bad || !is_whole(&t) || !wn_window_parse(t.window, &t.w)) {
        wn_put_result(packer, false, "not a transfer");
        return true;
    }
    wn_transfer before;
    wn_err err = wn_published_transfer(d->published, t.receiver, t.site, t.table, &t.w, &before);
    // Told twice, because the answer was lost: it is in the ledger once.
    bool begins = t.t.begun && !before.begun;
    t.t.begun = t.t.begun || before.begun;
    if (err == WN_OK && !before.done) err = keep(d, &t, begins);
    wn_put_result(packer, err == WN_OK, wn_err_text(err));
    return true;
}
