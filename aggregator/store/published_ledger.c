// SPDX-License-Identifier: Apache-2.0
// Why: one function for each thing the ledger is told about, so that nothing is
// told in two ways; and the head that is kept elsewhere.
#include <stdio.h>
#include <string.h>

#include "published_impl.h"

wn_err wn_published_keep_head(wn_published *p, const char *path, wn_ledger_check *out) {
    uint64_t number = 0, kept_number = 0;
    uint8_t digest[32], kept[32];
    if (strlen(path) >= sizeof p->head_path) return WN_ERR_FULL;
    wn_err has = wn_head_read(path, &kept_number, kept);
    if (has != WN_OK && has != WN_ERR_NOTFOUND) return has;
    WN_TRY(wn_published_ledger_verify(p, has == WN_OK ? kept : NULL, out));
    if (!out->ok) return WN_ERR_CORRUPT;
    if (has == WN_ERR_NOTFOUND && out->count != 0) return WN_ERR_NOTFOUND;
    WN_TRY(wn_published_ledger_head(p, &number, digest));
    WN_TRY(wn_head_write(path, number, digest)); // the last commit may have been cut off before it
    memcpy(p->head_path, path, strlen(path) + 1);
    return WN_OK;
}

wn_err wn_published_accept_head(wn_published *p, const char *path) {
    uint64_t number = 0;
    uint8_t digest[32];
    WN_TRY(wn_published_ledger_head(p, &number, digest));
    return wn_head_replace(path, number, digest);
}

wn_err wn_published_note(wn_published *p, const wn_ledger_entry *e) {
    WN_TRY(wn_published_begin(p));
    wn_err err = wn_published_ledger(p, e);
    if (err == WN_OK) err = wn_published_commit(p);
    if (err != WN_OK) wn_published_abort(p);
    return err;
}

typedef struct sought {
    uint8_t what;
    uint32_t version;
    const uint8_t *content;
    bool newest, any; // the newest of that kind says the same; any does
} sought;

static bool seek(void *ctx, const wn_ledger_entry *e) {
    sought *s = ctx;
    if (e->what != s->what) return true;
    uint32_t version = s->what == WN_LEDGER_PLAN ? e->plan_version : e->policy_version;
    s->newest = version == s->version && memcmp(e->content, s->content, sizeof e->content) == 0;
    s->any = s->any || s->newest;
    return true;
}

wn_err wn_published_install(wn_published *p, int64_t now_s) {
    uint64_t number = 0;
    uint8_t digest[32];
    WN_TRY(wn_published_ledger_head(p, &number, digest));
    if (number != 0) return WN_OK;
    return wn_published_note(p, &(wn_ledger_entry){.at_s = now_s, .what = WN_LEDGER_INSTALL});
}

wn_err wn_published_plan(wn_published *p, const wn_plan *plan, int64_t now_s) {
    sought s = {.what = WN_LEDGER_PLAN, .version = plan->version, .content = plan->digest};
    WN_TRY(wn_published_ledger_each(p, seek, &s));
    if (s.newest) return WN_OK;
    wn_ledger_entry e = {.at_s = now_s, .what = WN_LEDGER_PLAN, .plan_version = plan->version};
    if (wn_plan_mixes(plan)) e.notes = WN_LEDGER_CROWD_BESIDE_NOISE;
    memcpy(e.content, plan->digest, sizeof e.content);
    return wn_published_note(p, &e);
}

wn_err wn_published_policy(wn_published *p, uint64_t id, uint32_t version, int64_t now_s) {
    wn_ledger_entry e = {.at_s = now_s, .what = WN_LEDGER_POLICY, .policy_version = version};
    for (unsigned i = 0; i < 8; i++) e.content[i] = (uint8_t)(id >> (8 * i)); // as the digest begins
    sought s = {.what = e.what, .version = version, .content = e.content};
    WN_TRY(wn_published_ledger_each(p, seek, &s));
    return s.any ? WN_OK : wn_published_note(p, &e);
}

static wn_err transfer_entry(wn_published *p, wn_ledger_entry *e, const char *receiver,
                             const wn_public_head *head, const uint8_t content[32]) {
    static const char *const profile[WN_PROFILE_N] = {"crowd", "noise"};
    if (receiver[0] == 0 || head->profile >= WN_PROFILE_N) return WN_ERR_FORMAT;
    int n = snprintf(e->receiver, sizeof e->receiver, "%s", receiver);
    if (n < 0 || (size_t)n >= sizeof e->receiver) return WN_ERR_FORMAT;
    e->plan_version = head->plan_version;
    e->policy_version = head->policy_version;
    wn_window_text(&head->window, e->window);
    snprintf(e->profile, sizeof e->profile, "%s", profile[head->profile]);
    snprintf(e->site, sizeof e->site, "%s", head->site);
    snprintf(e->table, sizeof e->table, "%s", head->table);
    memcpy(e->content, content, sizeof e->content);
    return wn_published_ledger(p, e);
}

wn_err wn_published_transfer_begun(wn_published *p, const char *receiver, const wn_public_head *head,
                                   const wn_transfer *t, uint64_t rows, const uint8_t content[32],
                                   int64_t now_s) {
    wn_ledger_entry e = {.at_s = now_s, .what = WN_LEDGER_SENDING, .rows = rows};
    if (!t->begun) return WN_ERR_FORMAT;
    WN_TRY(transfer_entry(p, &e, receiver, head, content));
    return wn_published_transfer_put(p, receiver, head->site, head->table, &head->window, t);
}

wn_err wn_published_transfer_done(wn_published *p, const char *receiver, const wn_public_head *head,
                                  const wn_transfer *t, const uint8_t content[32], int64_t now_s) {
    if (!t->done || t->refused > t->rows_done) return WN_ERR_FORMAT;
    wn_ledger_entry e = {.at_s = now_s,
                         .what = WN_LEDGER_TRANSFER,
                         .rows = t->rows_done - t->refused,
                         .notes = (t->begun ? WN_LEDGER_ANNOUNCED : 0u) |
                                  (t->doubtful > 0 ? WN_LEDGER_DOUBTFUL : 0u)};
    WN_TRY(transfer_entry(p, &e, receiver, head, content));
    return wn_published_transfer_put(p, receiver, head->site, head->table, &head->window, t);
}
