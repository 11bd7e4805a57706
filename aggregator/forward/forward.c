// SPDX-License-Identifier: Apache-2.0
// forward.c: the jobs of each destination, one request at a time.
#include "forward.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"

typedef struct job {
    char site[WN_SITE_NAME_BYTES], table[32];
    wn_window window;
    wn_progress progress;
} job;

typedef struct suspect { // sent to the end, and nothing of it taken
    wn_public_head head;
    uint32_t refused, pending; // of these not yet counted
    uint64_t rows;
    uint8_t content[32];
} suspect;

typedef struct bound {
    wn_destination *d;
    const wn_sink *sink;
    job *jobs; // by window, site, table
    size_t jobs_n, jobs_cap, at;
    bool loaded; // rows of jobs[at]
    wn_public_head head;
    wn_public_row *rows;
    size_t rows_n;
    uint8_t content[32];
    size_t batch_max;
    uint32_t pending; // refused one by one since the last row that was taken
    suspect suspects[WN_FORWARD_SUSPECTS_MAX];
    size_t suspects_n;
    unsigned failures;
    int64_t again_at_s;
    bool stopped;
    int last_status;
    uint64_t sent, refused, doubtful;
} bound;

struct wn_forward {
    wn_forward_env env;
    wn_destinations to;
    bound *bound;
};

static void unload(bound *b) {
    free(b->rows); // published: nothing to wipe
    b->rows = NULL;
    b->rows_n = 0;
    b->loaded = false;
    b->pending = 0;
}

wn_err wn_forward_new(const wn_forward_env *env, wn_destinations *to, wn_forward **out) {
    wn_forward *f = calloc(1, sizeof *f);
    bound *b = calloc(to->n != 0 ? to->n : 1, sizeof *b);
    if (f == NULL || b == NULL) {
        free(f);
        free(b);
        return WN_ERR_NOMEM;
    }
    f->env = *env;
    f->to = *to;
    *to = (wn_destinations){0};
    f->bound = b;
    for (size_t i = 0; i < f->to.n; i++) {
        b[i].d = &f->to.to[i];
        b[i].sink = wn_sink_by_kind(b[i].d->kind);
        WN_ASSERT(b[i].sink != NULL); // checked when it was read
        b[i].batch_max = b[i].sink->rows_max;
        b[i].stopped = wn_destination_secret(b[i].d) != WN_OK;
    }
    *out = f;
    return WN_OK;
}

void wn_forward_free(wn_forward *f) {
    if (f == NULL) return;
    for (size_t i = 0; i < f->to.n; i++) {
        unload(&f->bound[i]);
        free(f->bound[i].jobs);
    }
    free(f->bound);
    wn_destinations_fini(&f->to);
    free(f);
}

// ---- looking ----

typedef struct looking {
    wn_forward *f;
    wn_err err;
} looking;

static wn_err add_job(bound *b, const wn_public_head *h, const wn_progress *p) {
    if (b->jobs_n == b->jobs_cap) {
        size_t cap = b->jobs_cap != 0 ? b->jobs_cap * 2 : 64;
        job *more = realloc(b->jobs, cap * sizeof *more);
        if (more == NULL) return WN_ERR_NOMEM;
        b->jobs = more;
        b->jobs_cap = cap;
    }
    job *j = &b->jobs[b->jobs_n++];
    *j = (job){.window = h->window, .progress = *p};
    memcpy(j->site, h->site, sizeof j->site);
    memcpy(j->table, h->table, sizeof j->table);
    return WN_OK;
}

static bool is_suspect(const bound *b, const wn_public_head *h) {
    for (size_t i = 0; i < b->suspects_n; i++) {
        const wn_public_head *s = &b->suspects[i].head;
        if (wn_window_same(&s->window, &h->window) && strcmp(s->site, h->site) == 0 &&
            strcmp(s->table, h->table) == 0)
            return true;
    }
    return false;
}

static bool look_at(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    looking *l = ctx;
    (void)rows;
    for (size_t i = 0; i < l->f->to.n && l->err == WN_OK; i++) {
        bound *b = &l->f->bound[i];
        wn_progress p = {0};
        if (n == 0 || !wn_destination_takes(b->d, head) || is_suspect(b, head)) continue;
        l->err = l->f->env.progress(l->f->env.ctx, b->d, head, &p);
        if (l->err == WN_OK && !p.done) l->err = add_job(b, head, &p);
    }
    return l->err == WN_OK;
}

static int compare_jobs(const void *a, const void *b) {
    const job *x = a, *y = b;
    if (x->window.start_s != y->window.start_s) return x->window.start_s < y->window.start_s ? -1 : 1;
    int d = strcmp(x->site, y->site);
    return d != 0 ? d : strcmp(x->table, y->table);
}

wn_err wn_forward_look(wn_forward *f, const wn_published *p) {
    looking l = {f, WN_OK};
    for (size_t i = 0; i < f->to.n; i++) {
        unload(&f->bound[i]);
        f->bound[i].jobs_n = f->bound[i].at = 0;
    }
    if (f->to.n == 0) return WN_OK;
    wn_err err = wn_published_scan(p, NULL, NULL, INT64_MIN, INT64_MAX, look_at, &l);
    for (size_t i = 0; i < f->to.n; i++)
        if (f->bound[i].jobs_n > 1) qsort(f->bound[i].jobs, f->bound[i].jobs_n, sizeof(job), compare_jobs);
    // What is damaged is passed over, and told by whoever reads it for a report.
    if (l.err != WN_OK) return l.err;
    return err == WN_ERR_CORRUPT ? WN_OK : err;
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

static wn_err keep(wn_forward *f, bound *b, const wn_progress *p) {
    return f->env.record(f->env.ctx, b->d, &b->head, p, b->rows_n, b->content);
}

// Something was taken: so the destination is right, and what it refused before was the rows' fault.
static wn_err settle_suspects(wn_forward *f, bound *b) {
    while (b->suspects_n > 0) {
        const suspect *s = &b->suspects[b->suspects_n - 1];
        wn_progress p = {.rows_done = (uint32_t)s->rows, .refused = s->refused, .begun = true, .done = true};
        WN_TRY(f->env.record(f->env.ctx, b->d, &s->head, &p, s->rows, s->content));
        b->refused += s->pending;
        b->suspects_n--;
    }
    return WN_OK;
}

static void suspect_job(bound *b, const wn_progress *p) {
    suspect *s = &b->suspects[b->suspects_n++];
    *s = (suspect){
        .head = b->head, .refused = p->refused + b->pending, .pending = b->pending, .rows = b->rows_n};
    memcpy(s->content, b->content, sizeof s->content);
    b->stopped = b->suspects_n == WN_FORWARD_SUSPECTS_MAX;
    if (b->stopped) b->suspects_n = 0; // all of it is tried again
}

static wn_err end_if_done(wn_forward *f, bound *b, wn_progress *p) {
    if (p->rows_done < b->rows_n) return WN_OK;
    if (b->pending > 0) {
        suspect_job(b, p);
    } else {
        p->done = true;
        WN_TRY(keep(f, b, p));
    }
    unload(b);
    b->at++;
    return WN_OK;
}

static wn_err taken(wn_forward *f, bound *b, wn_progress *p, size_t n, const wn_sink_verdict *v) {
    WN_TRY(settle_suspects(f, b));
    p->rows_done += (uint32_t)n;
    p->refused += (uint32_t)v->refused_n + b->pending;
    b->refused += v->refused_n + b->pending;
    b->pending = 0;
    if (v->doubtful) p->doubtful += (uint32_t)n;
    if (v->doubtful) b->doubtful += n;
    b->sent += n - v->refused_n;
    b->failures = 0;
    b->batch_max = b->batch_max * 2 < b->sink->rows_max ? b->batch_max * 2 : b->sink->rows_max;
    if (p->rows_done < b->rows_n) WN_TRY(keep(f, b, p));
    return end_if_done(f, b, p);
}

// None of these rows was taken; whether they or the destination are at fault, the next will show.
static wn_err none_taken(wn_forward *f, bound *b, wn_progress *p, size_t n) {
    p->rows_done += (uint32_t)n;
    b->pending += (uint32_t)n;
    return end_if_done(f, b, p);
}

static wn_err smaller(wn_forward *f, bound *b, wn_progress *p, size_t n) {
    if (n == 1) return none_taken(f, b, p, n);
    b->batch_max = n / 2;
    return WN_OK;
}

// The vendor would put this window on another day: it is set aside whole.
static wn_err too_old(wn_forward *f, bound *b, wn_progress *p) {
    uint32_t rest = (uint32_t)b->rows_n - p->rows_done;
    p->refused += rest + b->pending;
    b->refused += rest + b->pending;
    b->pending = 0;
    p->rows_done = (uint32_t)b->rows_n;
    return end_if_done(f, b, p);
}

// Nothing leaves of a window that the ledger does not name as being sent.
static wn_err begin(wn_forward *f, bound *b, wn_progress *p) {
#ifdef WN_MUTANT_FORWARD_WITHOUT_LEDGER
    return WN_OK;
#endif
    if (p->begun) return WN_OK;
    wn_progress begun = *p;
    begun.begun = true;
    WN_TRY(keep(f, b, &begun));
    p->begun = true;
    return WN_OK;
}

static wn_err send_batch(wn_forward *f, bound *b, size_t n, wn_progress *p) {
    wn_sink_batch batch = {.to = b->d,
                           .head = &b->head,
                           .rows = b->rows + p->rows_done,
                           .n = n,
                           .first = p->rows_done,
                           .now_s = f->env.now_s(f->env.ctx)};
    wn_sink_request r = {0};
    wn_sink_answer a = {.retry_after_s = -1};
    wn_err err = b->sink->write(&batch, &r);
    wn_err told = err == WN_OK ? begin(f, b, p) : WN_OK;
    if (err == WN_OK && told == WN_OK) f->env.send(f->env.ctx, b->d, b->sink, &r, &a);
    wn_sink_request_fini(&r);
    WN_TRY(told);
    if (err == WN_ERR_FULL) return smaller(f, b, p, n);
    if (err == WN_ERR_STATE) return too_old(f, b, p);
    if (err == WN_ERR_CONFIG) return b->stopped = true, WN_OK;
    WN_TRY(err);
    wn_sink_verdict *v = malloc(sizeof *v);
    if (v == NULL) return WN_ERR_NOMEM;
    b->last_status = a.status;
    b->sink->judge(&batch, &a, v);
    switch (v->fate) {
    case WN_FATE_TAKEN: err = v->refused_n < n ? taken(f, b, p, n, v) : none_taken(f, b, p, n); break;
    case WN_FATE_AGAIN: wait_for(f, b, v->wait_s); break;
    case WN_FATE_SMALLER: err = smaller(f, b, p, n); break;
    case WN_FATE_STOP:
    case WN_FATE_N: b->stopped = true; break;
    }
    free(v);
    return err;
}

static wn_err turn_one(wn_forward *f, bound *b, const wn_published *p) {
    if (b->stopped || b->at >= b->jobs_n || b->again_at_s > f->env.now_s(f->env.ctx)) return WN_OK;
    if (!b->loaded) WN_TRY(load_job(f, b, p));
    if (!b->loaded) return WN_OK;
    wn_progress *progress = &b->jobs[b->at].progress;
    if (progress->rows_done > b->rows_n) progress->rows_done = (uint32_t)b->rows_n; // not of this record
    size_t left = b->rows_n - progress->rows_done;
    if (left == 0) return end_if_done(f, b, progress);
    return send_batch(f, b, left < b->batch_max ? left : b->batch_max, progress);
}

wn_err wn_forward_turn(wn_forward *f, const wn_published *p, int64_t *out_next_s) {
    wn_err first = WN_OK; // of one destination: the others are served all the same
    *out_next_s = INT64_MAX;
    for (size_t i = 0; i < f->to.n; i++) {
        bound *b = &f->bound[i];
        wn_err err = turn_one(f, b, p);
        if (first == WN_OK) first = err;
        if (b->stopped || b->at >= b->jobs_n) continue;
        if (b->again_at_s < *out_next_s) *out_next_s = b->again_at_s;
    }
    return first;
}

// ---- looking in ----

size_t wn_forward_count(const wn_forward *f) {
    return f->to.n;
}

void wn_forward_info_of(const wn_forward *f, size_t i, wn_forward_info *out) {
    const bound *b = &f->bound[i];
    *out = (wn_forward_info){.again_at_s = b->again_at_s,
                             .last_status = b->last_status,
                             .windows_left = b->jobs_n - b->at + b->suspects_n,
                             .rows_sent = b->sent,
                             .rows_refused = b->refused,
                             .rows_doubtful = b->doubtful};
    memcpy(out->name, b->d->name, sizeof out->name);
    memcpy(out->kind, b->d->kind, sizeof out->kind);
    if (b->stopped) out->state = WN_FORWARD_STOPPED;
    else if (b->at >= b->jobs_n) out->state = WN_FORWARD_IDLE;
    else out->state = b->again_at_s > f->env.now_s(f->env.ctx) ? WN_FORWARD_WAITING : WN_FORWARD_SENDING;
}

void wn_forward_again(wn_forward *f) {
    for (size_t i = 0; i < f->to.n; i++) {
        bound *b = &f->bound[i];
        b->again_at_s = 0;
        b->failures = 0;
        b->stopped = wn_destination_secret(b->d) != WN_OK;
    }
}
