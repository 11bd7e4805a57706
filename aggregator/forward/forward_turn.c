// SPDX-License-Identifier: Apache-2.0
// forward_turn.c: one destination's requests and answers, one under way at a time, and what it owes.
#include "forward_bound.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"

// ---- what is owed ----

static bool same_progress(const wn_progress *a, const wn_progress *b) {
    return a->rows_done == b->rows_done && a->refused == b->refused && a->doubtful == b->doubtful &&
           a->begun == b->begun && a->done == b->done;
}

static void owe(bound *b, const wn_public_head *head, const wn_progress *p, uint64_t rows,
                const uint8_t content[32]) {
    size_t i = 0;
    while (i < b->owed_n && !wn_bound_is_of(&b->owed[i].head, head)) i++;
    WN_ASSERT(i < OWED_MAX); // nothing is sent while something is owed
    b->owed[i] = (owed){.head = *head, .p = *p, .rows = rows};
    memcpy(b->owed[i].content, content, sizeof b->owed[i].content);
    if (i == b->owed_n) b->owed_n++;
}

wn_err wn_bound_pay(wn_forward *f, bound *b) {
    while (b->owed_n > 0) {
        const owed *o = &b->owed[0];
        WN_TRY(f->env.record(f->env.ctx, b->d, &o->head, &o->p, o->rows, o->content));
        if (b->loaded && wn_bound_is_of(&b->head, &o->head)) b->said = o->p;
        memmove(&b->owed[0], &b->owed[1], --b->owed_n * sizeof b->owed[0]);
    }
    return WN_OK;
}

// ---- one job's rows ----

typedef struct loading {
    bound *b;
    const job *j;
    bool found;
    wn_err err;
} loading;

static bool load_rows(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    loading *l = ctx;
    if (!wn_window_same(&head->window, &l->j->window) || n == 0) return true;
    l->found = true;
    l->b->rows = malloc(n * sizeof *rows);
    if (l->b->rows == NULL) {
        l->err = WN_ERR_NOMEM;
        return false;
    }
    memcpy(l->b->rows, rows, n * sizeof *rows);
    l->b->rows_n = n;
    l->b->head = *head;
    return false;
}

// What the ledger names the rows by: their ids and all that is sent of them.
static wn_err digest_rows(bound *b, int64_t now_s) {
    wn_sink_batch all = {.to = b->d, .head = &b->head, .rows = b->rows, .n = b->rows_n, .now_s = now_s};
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof b->content);
    for (size_t i = 0; i < b->rows_n; i++) {
        char *text = NULL, id[WN_ROW_ID_BYTES];
        size_t n = 0;
        FILE *f = open_memstream(&text, &n);
        if (f == NULL) return WN_ERR_NOMEM;
        wn_row_json(&all, i, 0, false, f);
        if (fclose(f) != 0) return free(text), WN_ERR_NOMEM;
        wn_row_id(&all, i, id);
        crypto_generichash_update(&h, (const uint8_t *)id, sizeof id);
        crypto_generichash_update(&h, (const uint8_t *)text, n);
        free(text);
    }
    crypto_generichash_final(&h, b->content, sizeof b->content);
    return WN_OK;
}

static wn_err load_job(wn_forward *f, bound *b, const wn_published *p) {
    const job *j = &b->jobs[b->at];
    loading l = {b, j, false, WN_OK};
    wn_err err =
        wn_published_scan(p, j->site, j->table, j->window.start_s, j->window.start_s + 1, load_rows, &l);
    if (l.err != WN_OK) return l.err;
    if (!l.found) { // gone since: purged, past its retention, or damaged
        b->at++;
        return err == WN_ERR_CORRUPT ? WN_OK : err;
    }
    b->loaded = true;
    b->said = j->progress;
    b->batch_max = b->sink->rows_max;
    return digest_rows(b, f->env.now_s(f->env.ctx));
}

// ---- answers ----

static void wait_for(const wn_forward *f, bound *b, int64_t wait_s) {
    uint8_t jitter = 0;
    int64_t step_s = b->failures < 12 ? INT64_C(2) << b->failures : WN_FORWARD_WAIT_MAX_S;
    if (step_s > WN_FORWARD_WAIT_MAX_S) step_s = WN_FORWARD_WAIT_MAX_S;
    if (wait_s > step_s)
        step_s = wait_s < WN_FORWARD_RETRY_AFTER_MAX_S ? wait_s : WN_FORWARD_RETRY_AFTER_MAX_S;
    // So that many do not come back at once; without randomness they all come a second later.
    if (wn_random(&jitter, 1) != WN_OK) jitter = 0;
    b->failures++;
    b->again_at_s = f->env.now_s(f->env.ctx) + step_s + 1 + jitter % 5;
}

static void owe_loaded(bound *b, const wn_progress *p) {
    owe(b, &b->head, p, b->rows_n, b->content);
}

// Something was taken: so the destination is right, and what it refused before was the rows' fault.
static void settle_suspects(bound *b) {
    while (b->suspects_n > 0) {
        const suspect *s = &b->suspects[--b->suspects_n];
        wn_progress p = {.rows_done = (uint32_t)s->rows, .refused = s->refused, .begun = true, .done = true};
        owe(b, &s->head, &p, s->rows, s->content);
        b->refused += s->pending;
    }
}

static void suspect_job(bound *b, const wn_progress *p) {
    suspect *s = &b->suspects[b->suspects_n++];
    *s = (suspect){
        .head = b->head, .refused = p->refused + b->pending, .pending = b->pending, .rows = b->rows_n};
    memcpy(s->content, b->content, sizeof s->content);
    if (b->suspects_n < WN_FORWARD_SUSPECTS_MAX) return;
    b->stopped = true;
    b->reason = WN_REASON_ROWS;
    b->suspects_n = 0; // all of it is tried again
}

static void end_if_done(bound *b, wn_progress *p) {
    if (p->rows_done < b->rows_n) return;
    if (b->pending > 0) {
        suspect_job(b, p);
    } else {
        p->done = true;
        owe_loaded(b, p);
    }
    wn_bound_unload(b);
    b->at++;
}

static void taken(wn_forward *f, bound *b, wn_progress *p, size_t n, const wn_sink_verdict *v) {
    if (!v->doubtful) settle_suspects(b);
    p->rows_done += (uint32_t)n;
    p->refused += (uint32_t)v->refused_n + b->pending;
    b->refused += v->refused_n + b->pending;
    b->pending = 0;
    b->sent += n - v->refused_n;
    if (v->doubtful) {
        p->doubtful += (uint32_t)n;
        b->doubtful += n;
        wait_for(f, b, 0); // else one that is silent would use up window after window
    } else {
        b->failures = 0;
        b->batch_max = b->batch_max * 2 < b->sink->rows_max ? b->batch_max * 2 : b->sink->rows_max;
    }
    end_if_done(b, p);
}

// None of these rows was taken; whether they or the destination are at fault, the next will show.
static void none_taken(bound *b, wn_progress *p, size_t n) {
    p->rows_done += (uint32_t)n;
    b->pending += (uint32_t)n;
    end_if_done(b, p);
}

static void smaller(bound *b, wn_progress *p, size_t n) {
    if (n == 1) none_taken(b, p, n);
    else b->batch_max = n / 2;
}

// The vendor would put this window on another day: it is set aside whole.
static void too_old(bound *b, wn_progress *p) {
    uint32_t rest = (uint32_t)b->rows_n - p->rows_done;
    p->refused += rest + b->pending;
    b->refused += rest + b->pending;
    b->pending = 0;
    p->rows_done = (uint32_t)b->rows_n;
    end_if_done(b, p);
}

static void stop(bound *b, wn_reason reason) {
    b->stopped = true;
    b->reason = reason;
}

// What is known of the loaded job: up to the rows whose refusal proves nothing yet.
static void owe_what_changed(bound *b, const wn_progress *p) {
    wn_progress known = *p;
    known.rows_done -= b->pending;
    if (!same_progress(&known, &b->said)) owe_loaded(b, &known);
}

static wn_sink_batch batch_of(const wn_forward *f, const bound *b, size_t n) {
    const wn_progress *p = &b->jobs[b->at].progress;
    return (wn_sink_batch){.to = b->d,
                           .head = &b->head,
                           .rows = b->rows + p->rows_done,
                           .n = n,
                           .first = p->rows_done,
                           .now_s = f->env.now_s(f->env.ctx)};
}

static void judge(wn_forward *f, bound *b, const wn_sink_answer *a, wn_sink_verdict *v) {
    size_t n = b->under_way;
    wn_progress *p = &b->jobs[b->at].progress;
    wn_sink_batch batch = batch_of(f, b, n);
    b->under_way = 0;
    b->last_status = a->status;
    b->reason = a->status == 0 ? a->reason : WN_REASON_STATUS;
    b->sink->judge(&batch, a, v);
    switch (v->fate) {
    case WN_FATE_TAKEN:
        if (v->refused_n < n) taken(f, b, p, n, v);
        else none_taken(b, p, n);
        break;
    case WN_FATE_AGAIN: wait_for(f, b, v->wait_s); break;
    case WN_FATE_SMALLER: smaller(b, p, n); break;
    case WN_FATE_STOP:
    case WN_FATE_N: stop(b, b->reason); break;
    }
    if (!b->loaded) return;
    owe_what_changed(b, p);
    if (!b->gone) return;
    wn_bound_unload(b);
    b->at++;
}

wn_err wn_bound_answered(wn_forward *f, bound *b, const wn_sink_answer *a) {
    WN_ASSERT(b->loaded && b->under_way > 0);
    wn_sink_verdict *v = malloc(sizeof *v);
    if (v == NULL) return WN_ERR_NOMEM;
    judge(f, b, a, v);
    free(v);
    return wn_bound_pay(f, b);
}

// ---- a request ----

// Nothing leaves of a window that the ledger does not name as being sent; and to a receiver that knows
// no repeats no row leaves that is not counted as doubtful, whatever happens between here and its answer.
static wn_err announce(wn_forward *f, bound *b, size_t n, wn_progress *p) {
    wn_progress said = *p;
#ifdef WN_MUTANT_FORWARD_WITHOUT_LEDGER
    return WN_OK;
#endif
    said.begun = p->begun = true;
    said.rows_done -= b->pending;
#ifdef WN_MUTANT_FORWARD_DOUBT_LATE
    bool once = false;
#else
    bool once = b->sink->once;
#endif
    if (once) {
        said.rows_done += b->pending + (uint32_t)n;
        said.refused += b->pending;
        said.doubtful += (uint32_t)n;
    }
    if (!same_progress(&said, &b->said)) owe_loaded(b, &said);
    return wn_bound_pay(f, b);
}

static wn_err send_batch(wn_forward *f, bound *b, size_t n, wn_progress *p) {
    wn_sink_batch batch = batch_of(f, b, n);
    wn_sink_request r = {0};
    wn_sink_answer a = {.retry_after_s = -1};
    wn_err err = b->sink->write(&batch, &r), told = err == WN_OK ? announce(f, b, n, p) : WN_OK;
    bool now = false;
    if (err == WN_OK && told == WN_OK) {
        b->under_way = n;
        now = f->env.send(f->env.ctx, (size_t)(b - f->bound), b->d, b->sink, &r, &a);
    }
    wn_sink_request_fini(&r);
    WN_TRY(told);
    if (err == WN_ERR_FULL) smaller(b, p, n);
    else if (err == WN_ERR_STATE) too_old(b, p);
    else if (err == WN_ERR_CONFIG) stop(b, WN_REASON_REQUEST);
    else if (err != WN_OK) return err;
    else return now ? wn_bound_answered(f, b, &a) : WN_OK;
    return wn_bound_pay(f, b);
}

// A restore brings back that the window began, not how far it came: whatever is not known to have come may
// have, and a receiver that knows no repeats would count it twice.
static void doubt_rest(bound *b, wn_progress *p) {
    uint32_t rest = (uint32_t)b->rows_n - p->rows_done;
#ifdef WN_MUTANT_RESTORED_GOES_AGAIN
    return;
#endif
    if (!b->sink->once || !p->unsure) return;
    p->doubtful += rest;
    b->doubtful += rest;
    p->rows_done = (uint32_t)b->rows_n;
}

wn_err wn_bound_turn(wn_forward *f, bound *b, const wn_published *p) {
    WN_TRY(wn_bound_pay(f, b)); // before anything else of it
    if (b->under_way > 0 || b->stopped || b->at >= b->jobs_n) return WN_OK;
    if (b->again_at_s > f->env.now_s(f->env.ctx)) return WN_OK;
    if (!b->loaded) WN_TRY(load_job(f, b, p));
    if (!b->loaded) return WN_OK;
    wn_progress *progress = &b->jobs[b->at].progress;
    if (progress->rows_done > b->rows_n) progress->rows_done = (uint32_t)b->rows_n; // not of this record
    doubt_rest(b, progress);
    size_t left = b->rows_n - progress->rows_done;
    if (left > 0) return send_batch(f, b, left < b->batch_max ? left : b->batch_max, progress);
    end_if_done(b, progress);
    return wn_bound_pay(f, b);
}
