// SPDX-License-Identifier: Apache-2.0
// Why: the public page is asked for by everybody, so each entry is read once.
#include "web_facts.h"

#include <stdlib.h>
#include <string.h>

static void fact_take(wn_web_fact *f, uint32_t version, const wn_ledger_entry *e) {
    *f = (wn_web_fact){.known = true, .version = version, .since_s = e->at_s};
    memcpy(f->content, e->content, sizeof f->content);
}

static wn_err sent_take(wn_web_facts *f, const wn_ledger_entry *e) {
    wn_web_sent *s = f->sent, *end = s + f->n;
    while (s != end && (strcmp(s->receiver, e->receiver) != 0 || strcmp(s->table, e->table) != 0)) s++;
    if (s == end && f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 16;
        wn_web_sent *grown = realloc(f->sent, cap * sizeof *grown);
        if (!grown) return WN_ERR_NOMEM;
        f->sent = grown;
        f->cap = cap;
    }
    s = f->sent + (s == end ? f->n++ : (size_t)(s - f->sent));
    memcpy(s->receiver, e->receiver, sizeof s->receiver);
    memcpy(s->table, e->table, sizeof s->table);
    s->last_s = e->at_s;
    return WN_OK;
}

static bool take(void *ctx, const wn_ledger_entry *e) {
    wn_web_facts *f = ctx;
    if (f->number && e->number == f->number) { // where it was
        if (memcmp(e->digest, f->digest, sizeof f->digest) == 0) return true;
        f->err = WN_ERR_STATE; // of another ledger
        return false;
    }
    if (e->what == WN_LEDGER_PLAN) fact_take(&f->plan, e->plan_version, e);
    if (e->what == WN_LEDGER_POLICY) fact_take(&f->policy, e->policy_version, e);
    if (e->what == WN_LEDGER_SENDING || e->what == WN_LEDGER_TRANSFER) f->err = sent_take(f, e);
    if (f->err) return false;
    f->number = e->number;
    memcpy(f->digest, e->digest, sizeof f->digest);
    return true;
}

static wn_err read_on(wn_web_facts *f, const wn_published *p) {
    f->err = WN_OK;
    wn_err err = wn_published_ledger_from(p, f->number, take, f);
    return f->err ? f->err : err;
}

wn_err wn_web_facts_read(wn_web_facts *f, const wn_published *p) {
    uint64_t number = 0;
    uint8_t digest[32];
    wn_err err = wn_published_ledger_head(p, &number, digest);
    if (err) return err;
    if (number == f->number && memcmp(digest, f->digest, sizeof digest) == 0) return WN_OK;
    if (number < f->number) wn_web_facts_fini(f);
    err = read_on(f, p);
    if (err != WN_ERR_STATE) return err;
    wn_web_facts_fini(f);
    return read_on(f, p);
}

void wn_web_facts_fini(wn_web_facts *f) {
    free(f->sent);
    *f = (wn_web_facts){0};
}
