// SPDX-License-Identifier: Apache-2.0
// filter.c: the story of one event, from what its sender said to what may be
// counted: its form, whether it may count, what it becomes, and under which keys.
#include "filter.h"

#include <string.h>

#include "crypt.h"
#include "event_body.h"
#include "scratch.h"
#include "walls.h"
#include "work.h"

static void seal_texts(const wn_work *w, wn_filtered *out) {
    const uint8_t *key = w->window->key_text;
    wn_scratch_begin(w->scratch, key);
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++) {
        const wn_text *t = &w->text[dim];
        if (t->n == 0) continue;
        const wn_value *value =
            wn_scratch_value(w->scratch, dim, key, (wn_span){(const uint8_t *)t->s, t->n});
        out->values[dim] = value;
        out->obs.open[dim] = wn_value_id(value);
    }
}

static void set_batch_key(const wn_work *w, const uint8_t dedupe_key[32], wn_filtered *out) {
    wn_span id = wn_event_get(w->e, WN_FIELD_batch_id);
    if (id.n == 0) return;
    uint8_t text[16 + 64];
    memcpy(text, &w->sender->scope, 8);
    memcpy(text + 8, &w->site->tag, 8);
    memcpy(text + 16, id.p, id.n);
    wn_prf(dedupe_key, (wn_span){text, 16 + id.n}, out->batch_key, sizeof out->batch_key);
    wn_wipe(text, 16 + id.n);
    out->has_batch_id = true;
}

static void observe(wn_work *w, const uint8_t dedupe_key[32], wn_filtered *out) {
    wn_coarsen(w);
    if (!WN_WALL_FILTER) wn_unwalled_texts(w);
    wn_person_set(w);
    out->obs.site = w->site->tag;
    out->obs.kind = (uint8_t)w->kind;
    // A sensitive page never reaches a receiver, whatever was agreed to.
    if (wn_granted(w->grants, WN_PURPOSE_share) && !w->sensitive) out->obs.flags |= WN_OBS_SHARE;
    out->at_s = w->at_s;
    seal_texts(w, out);
    set_batch_key(w, dedupe_key, out);
}

// A call, because gcc's inlined `rep stos` costs more than all the stores.
__attribute__((noinline)) static void zero(void *p, size_t n) {
    memset(p, 0, n);
}

wn_verdict wn_filter(const wn_event *e, const wn_sender *sender, const wn_lookups *look,
                     const uint8_t dedupe_key[32], wn_scratch *scratch, wn_trace *trace, wn_filtered *out) {
    wn_text text[WN_OPEN_N];
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++) text[dim].n = 0;
    wn_work w;
    zero(out, sizeof *out);
    zero(&w, offsetof(wn_work, page));
    w.e = e;
    w.sender = sender;
    w.look = look;
    w.scratch = scratch;
    w.text = text;
    w.obs = &out->obs;
    wn_verdict verdict = wn_form_check(&w);
    if (verdict == WN_KEEP) verdict = wn_permit(&w);
    out->decided = w.grants.by;
    out->site = w.site;
    if (verdict == WN_KEEP || verdict == WN_VERDICT_refused) out->window = w.window;
    if (verdict == WN_KEEP) observe(&w, dedupe_key, out);
    if (trace != NULL) wn_explain(&w, verdict, trace);
    for (unsigned dim = 0; dim < WN_OPEN_N; dim++)
        if (text[dim].n > 0) wn_wipe(text[dim].s, text[dim].n);
    wn_wipe(&w.address, sizeof w.address);
    if (w.page_n > 0) wn_wipe(w.page, w.page_n);
    return verdict;
}
