// SPDX-License-Identifier: Apache-2.0
// forward.c: what each destination still has to get, and how it stands with it.
#include "forward_bound.h"

#include <stdlib.h>
#include <string.h>

bool wn_bound_is_of(const wn_public_head *a, const wn_public_head *b) {
    return wn_window_same(&a->window, &b->window) && strcmp(a->site, b->site) == 0 &&
           strcmp(a->table, b->table) == 0;
}

void wn_bound_unload(bound *b) {
    free(b->rows); // published: nothing to wipe
    b->rows = NULL;
    b->rows_n = 0;
    b->loaded = b->gone = false;
    b->pending = 0;
}

// A secret is read once, before this process is confined: without it only another process can send.
static void stand_anew(bound *b) {
    b->stopped = b->d->secret_file[0] != '\0' && b->d->secret[0] == '\0';
    b->reason = b->stopped ? WN_REASON_SECRET : WN_REASON_NONE;
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
        (void)!wn_destination_secret(b[i].d); // wiped when it cannot be used
        stand_anew(&b[i]);
    }
    *out = f;
    return WN_OK;
}

void wn_forward_free(wn_forward *f) {
    if (f == NULL) return;
    for (size_t i = 0; i < f->to.n; i++) {
        wn_bound_unload(&f->bound[i]);
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
    for (size_t i = 0; i < b->suspects_n; i++)
        if (wn_bound_is_of(&b->suspects[i].head, h)) return true;
    return false;
}

// What is owed is known better here than in the store.
static wn_err progress_of(const wn_forward *f, const bound *b, const wn_public_head *h, wn_progress *out) {
    for (size_t i = b->owed_n; i > 0; i--) {
        if (!wn_bound_is_of(&b->owed[i - 1].head, h)) continue;
        *out = b->owed[i - 1].p;
        return WN_OK;
    }
    return f->env.progress(f->env.ctx, b->d, h, out);
}

static bool look_at(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n) {
    looking *l = ctx;
    (void)rows;
    for (size_t i = 0; i < l->f->to.n && l->err == WN_OK; i++) {
        bound *b = &l->f->bound[i];
        wn_progress p = {0};
        if (n == 0 || !wn_destination_takes(b->d, head) || is_suspect(b, head)) continue;
        if (b->loaded && wn_bound_is_of(&b->head, head)) {
            b->gone = false;
            continue;
        }
        l->err = progress_of(l->f, b, head, &p);
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

// The job whose rows are loaded stays the first: what is known of it, nobody else knows.
static void begin_look(bound *b) {
#ifdef WN_MUTANT_FORWARD_FORGETS_OWED
    b->owed_n = 0;
#endif
    if (b->loaded) b->jobs[0] = b->jobs[b->at];
    b->jobs_n = b->loaded;
    b->at = 0;
    b->gone = b->loaded;
}

static void end_look(bound *b) {
    size_t first = b->loaded; // which is kept
    if (b->jobs_n > first + 1) qsort(b->jobs + first, b->jobs_n - first, sizeof(job), compare_jobs);
    if (!b->gone || b->under_way > 0) return;
    wn_bound_unload(b); // purged, or past its retention: nothing more of it leaves
    b->at++;
}

wn_err wn_forward_look(wn_forward *f, const wn_published *p) {
    looking l = {f, WN_OK};
    if (f->to.n == 0) return WN_OK;
    for (size_t i = 0; i < f->to.n; i++) begin_look(&f->bound[i]);
    wn_err err = wn_published_scan(p, NULL, NULL, INT64_MIN, INT64_MAX, look_at, &l);
    for (size_t i = 0; i < f->to.n; i++) end_look(&f->bound[i]);
    // What is damaged is passed over, and told by whoever reads it for a report.
    if (l.err != WN_OK) return l.err;
    return err == WN_ERR_CORRUPT ? WN_OK : err;
}

// ---- turning ----

wn_err wn_forward_turn(wn_forward *f, const wn_published *p, int64_t *out_next_s) {
    wn_err first = WN_OK; // of one destination: the others are served all the same
    *out_next_s = INT64_MAX;
    for (size_t i = 0; i < f->to.n; i++) {
        bound *b = &f->bound[i];
        wn_err err = wn_bound_turn(f, b, p);
        if (first == WN_OK) first = err;
        if (b->stopped || b->at >= b->jobs_n || b->under_way > 0) continue;
        if (b->again_at_s < *out_next_s) *out_next_s = b->again_at_s;
    }
    return first;
}

wn_err wn_forward_answered(wn_forward *f, size_t destination, const wn_sink_answer *a) {
    WN_ASSERT(destination < f->to.n);
    return wn_bound_answered(f, &f->bound[destination], a);
}

wn_err wn_forward_settle(wn_forward *f) {
    wn_err first = WN_OK;
    for (size_t i = 0; i < f->to.n; i++) {
        wn_err err = wn_bound_pay(f, &f->bound[i]);
        if (first == WN_OK) first = err;
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
    bool waits = b->under_way == 0 && b->again_at_s > f->env.now_s(f->env.ctx);
    if (b->stopped) out->state = WN_FORWARD_STOPPED;
    else if (b->owed_n > 0) out->state = WN_FORWARD_WAITING;
    else if (b->at >= b->jobs_n) out->state = WN_FORWARD_IDLE;
    else out->state = waits ? WN_FORWARD_WAITING : WN_FORWARD_SENDING;
    if (out->state == WN_FORWARD_STOPPED || out->state == WN_FORWARD_WAITING) out->reason = b->reason;
    if (b->owed_n > 0) out->reason = WN_REASON_LEDGER;
}

void wn_forward_again(wn_forward *f) {
    for (size_t i = 0; i < f->to.n; i++) {
        bound *b = &f->bound[i];
        b->again_at_s = 0;
        b->failures = 0;
        if (b->under_way == 0) stand_anew(b);
    }
}
