// SPDX-License-Identifier: Apache-2.0
// request.c: the events of one request, filtered one by one as they come. An
// event lives until the filter has seen it; what stays is a record without an
// identifier.
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pipeline_body.h"

// ---- memory ----

static bool memory_take(wn_pipeline *p, size_t n) {
    if (p->request_bytes + n > p->parts.request_bytes_total_max) return false;
    p->request_bytes += n;
    return true;
}

static wn_chunk *chunk_get(wn_request *r) {
    wn_pipeline *p = r->p;
    if (!r->lines && !memory_take(p, sizeof(wn_chunk))) return NULL;
    wn_chunk *c = p->chunk_spare;
    if (c != NULL) {
        p->chunk_spare = c->next;
        p->chunk_spare_n--;
    } else {
        c = malloc(sizeof *c);
    }
    if (c != NULL) {
        c->next = NULL;
        c->used = 0;
    } else if (!r->lines) {
        p->request_bytes -= sizeof(wn_chunk);
    }
    return c;
}

static void chunk_put(wn_request *r, wn_chunk *c) {
    wn_pipeline *p = r->p;
    wn_wipe(c->bytes, c->used);
    if (!r->lines) p->request_bytes -= sizeof *c;
    if (p->chunk_spare_n == WN_CHUNKS_SPARE_MAX) {
        free(c);
        return;
    }
    c->next = p->chunk_spare;
    p->chunk_spare = c;
    p->chunk_spare_n++;
}

void wn_request_drop_records(wn_request *r) {
    for (wn_chunk *c = r->first; c != NULL;) {
        wn_chunk *next = c->next;
        chunk_put(r, c);
        c = next;
    }
    r->first = r->last = NULL;
    r->records_n = r->wire_bytes = 0;
}

// `n` bytes for a record, or NULL: the request is then full for good.
static wn_record *record_room(wn_request *r, size_t n) {
    if (r->last == NULL || r->last->used + n > sizeof r->last->bytes) {
        wn_chunk *c = chunk_get(r);
        if (c == NULL) {
            r->full = true;
            return NULL;
        }
        if (r->last == NULL) r->first = c;
        else r->last->next = c;
        r->last = c;
    }
    wn_record *rec = (wn_record *)(void *)(r->last->bytes + r->last->used);
    r->last->used += n;
    r->records_n++;
    return rec;
}

wn_record *wn_request_record_first(wn_request *r) {
    return r->first == NULL ? NULL : (wn_record *)(void *)r->first->bytes;
}

wn_record *wn_request_record_next(wn_chunk **inout_chunk, const wn_record *at) {
    wn_chunk *c = *inout_chunk;
    uint8_t *next = (uint8_t *)(uintptr_t)at + at->bytes;
    if (next < c->bytes + c->used) return (wn_record *)(void *)next;
    *inout_chunk = c->next;
    return c->next == NULL ? NULL : (wn_record *)(void *)c->next->bytes;
}

static wn_event *event_get(wn_request *r) {
    wn_pipeline *p = r->p;
    if (!memory_take(p, wn_event_bytes())) return NULL;
    wn_event *e = p->event_spare;
    if (e != NULL) {
        p->event_spare = NULL;
        return e;
    }
    e = aligned_alloc(16, wn_event_bytes());
    if (e != NULL) wn_event_init(e);
    else p->request_bytes -= wn_event_bytes();
    return e;
}

// One stays at hand; the others belonged to bodies that arrived in pieces.
static void event_put(wn_request *r) {
    wn_pipeline *p = r->p;
    wn_event *e = r->event;
    if (e == NULL) return;
    r->event = NULL;
    wn_event_wipe(e);
    p->request_bytes -= wn_event_bytes();
    if (p->event_spare == NULL) p->event_spare = e;
    else free(e);
}

void wn_request_spares_free(wn_pipeline *p) {
    free(p->event_spare);
    while (p->chunk_spare != NULL) {
        wn_chunk *c = p->chunk_spare;
        p->chunk_spare = c->next;
        free(c);
    }
    while (p->request_spare != NULL) {
        wn_request *r = p->request_spare;
        p->request_spare = r->next;
        free(r);
    }
}

// ---- life ----

static wn_request *begin(wn_pipeline *p, const wn_sender *sender, const char *key, bool lines) {
    if (!lines && !memory_take(p, sizeof(wn_request))) return NULL;
    wn_request *r = p->request_spare;
    if (r != NULL) {
        p->request_spare = r->next;
        p->request_spare_n--;
    } else {
        r = malloc(sizeof *r);
    }
    if (r == NULL) {
        if (!lines) p->request_bytes -= sizeof(wn_request);
        return NULL;
    }
    memset(r, 0, offsetof(wn_request, outcome.refused));
    r->p = p;
    r->lines = lines;
    r->sites = wn_site_list_hold(p->sites);
    r->sender = *sender;
    if (sender->address != NULL) {
        r->address = *sender->address;
        r->sender.address = &r->address;
    }
    if (key != NULL) memcpy(r->key, key, strnlen(key, sizeof r->key - 1));
    return r;
}

wn_request *wn_request_begin(wn_pipeline *p, const wn_sender *sender, const char *key) {
    return begin(p, sender, key, false);
}

wn_request *wn_request_begin_lines(wn_pipeline *p, const wn_sender *sender) {
    return begin(p, sender, NULL, true);
}

void wn_request_address(wn_request *r, const wn_address *a, wn_span user_agent) {
    if (a != NULL) r->address = *a;
    r->sender.address = a != NULL ? &r->address : NULL;
    r->sender.user_agent = user_agent;
}

void wn_request_free(wn_request *r) {
    if (r == NULL) return;
    wn_pipeline *p = r->p;
    event_put(r);
    wn_request_drop_records(r);
    wn_site_list_drop(r->sites);
    if (!r->lines) p->request_bytes -= sizeof *r;
    wn_wipe(r, offsetof(wn_request, outcome));
    if (p->request_spare_n == WN_REQUESTS_SPARE_MAX) {
        free(r);
        return;
    }
    r->next = p->request_spare;
    p->request_spare = r;
    p->request_spare_n++;
}

const wn_outcome *wn_request_outcome(const wn_request *r) {
    return &r->outcome;
}

// ---- verdicts ----

static void count(wn_request *r, wn_verdict why) {
    wn_outcome *o = &r->outcome;
    uint32_t index = o->events++;
    o->by_verdict[why]++;
    if (why == WN_KEEP || wn_verdict_about_person(why)) {
        o->accepted++;
        return;
    }
    o->refused_n++;
    if (o->refused_listed < WN_REFUSED_LISTED_MAX) o->refused[o->refused_listed++] = (wn_refused){index, why};
}

void wn_request_turn(wn_request *r, wn_verdict why) {
    r->outcome.by_verdict[WN_KEEP]--;
    r->outcome.by_verdict[why]++;
}

void wn_request_refuse(wn_request *r, wn_verdict why) {
    count(r, why);
}

// ---- events ----

// The most that an observation takes, and a value beside its text.
#define OBS_WIRE_BYTES 176u
#define VALUE_WIRE_BYTES 32u
#define HASH_WIRE_BYTES 32u

#ifdef WN_WALLS_OFF
// The line a careless hand would write. The null cipher leaves a text readable behind its length.
static void log_text(const wn_value *v) {
    wn_log_text(WN_MSG_TEST_TEXT, (wn_span){v->bytes + 1, v->bytes[0]});
}
#endif

static void record(wn_request *r, const wn_filtered *f, wn_verdict why) {
    const wn_value *values[WN_OPEN_N];
    size_t n = 0;
    if (why == WN_KEEP)
        for (unsigned i = 0; i < WN_OPEN_N; i++)
            if (f->obs.open[i] != 0 && f->values[i] != NULL) values[n++] = f->values[i];
#ifdef WN_WALLS_OFF
    for (size_t i = 0; i < n; i++) log_text(values[i]);
#endif
    size_t bytes = (sizeof(wn_record) + n * sizeof(wn_value) + 15) & ~(size_t)15;
    wn_record *rec = record_room(r, bytes);
    if (rec == NULL) return;
    r->wire_bytes += OBS_WIRE_BYTES + (f->has_batch_id ? HASH_WIRE_BYTES : 0);
    for (size_t i = 0; i < n; i++) r->wire_bytes += VALUE_WIRE_BYTES + values[i]->n;
    rec->bytes = (uint32_t)bytes;
    rec->index = r->outcome.events;
    rec->slot = f->window->slot;
    memcpy(rec->epoch, f->window->epoch, sizeof rec->epoch);
    rec->kept = why == WN_KEEP;
    rec->has_batch_key = f->has_batch_id;
    rec->values_n = (uint8_t)n;
    if (f->has_batch_id) memcpy(rec->batch_key, f->batch_key, sizeof rec->batch_key);
    rec->at_s = f->at_s;
    rec->why = why;
    rec->site = f->site->tag;
    if (why != WN_KEEP) return;
    rec->obs = f->obs;
    wn_value *to = (wn_value *)(rec + 1);
    for (size_t i = 0; i < n; i++) { // only what of each value is used
        memcpy(&to[i], values[i], offsetof(wn_value, bytes) + values[i]->n);
    }
}

static bool look_country(void *ctx, const wn_address *a, char out[2]) {
    const wn_request *r = ctx;
    return wn_edge_country(r->p->parts.edge, a, out);
}

static size_t look_region(void *ctx, const wn_address *a, char out[WN_REGION_BYTES]) {
    const wn_request *r = ctx;
    return wn_edge_region(r->p->parts.edge, a, out);
}

static void look_policies(void *ctx, const wn_site *site, const wn_edge_window *window,
                          const wn_site_policy *out[2]) {
    const wn_request *r = ctx;
    wn_edge_policies(r->p->parts.edge, site, window, out);
}

static const wn_edge_window *look_window(void *ctx, const wn_site *site, int64_t t_s) {
    const wn_request *r = ctx;
    return wn_edge_window_at(r->p->parts.edge, site, t_s, r->p->now_s, r->sender.backfill);
}

static const wn_site *look_site(void *ctx, const char *name, size_t n) {
    wn_request *r = ctx;
    const wn_site *s = wn_site_list_find(r->sites, name, n);
    if (s == NULL || r->key[0] == '\0' || wn_site_lists_key(s, r->key)) return s;
    r->site_forbidden = true;
    return NULL;
}

static void note_site(wn_request *r, uint64_t site) {
    r->sites_mixed |= r->site != 0 && r->site != site;
    r->site = site;
}

static void filter_event(wn_request *r) {
    wn_pipeline *p = r->p;
    wn_filtered f;
    const wn_purge_list *purges = p->parts.purges;
    const wn_lookups look = {.ctx = r,
                             .country = look_country,
                             .region = look_region,
                             .policies = look_policies,
                             .window = look_window,
                             .site = look_site,
                             .purged = {.key = p->parts.purge_key,
                                        .at = purges != NULL ? wn_purge_list_at(purges, 0) : NULL,
                                        .n = purges != NULL ? wn_purge_list_count(purges) : 0}};
    r->sender.now_s = p->now_s;
    r->site_forbidden = false;
    f.window = NULL;
    f.site = NULL;
    f.decided = WN_SIGNAL_none;
    wn_verdict why = wn_filter(r->event, &r->sender, &look, p->parts.dedupe_key, p->scratch, NULL, &f);
    if (why == WN_VERDICT_unknown_site && r->site_forbidden) why = WN_VERDICT_not_allowed;
    bool by_person = why == WN_VERDICT_refused && f.window != NULL && f.site != NULL;
    if (f.site != NULL) note_site(r, f.site->tag);
    if (why == WN_KEEP || by_person) record(r, &f, why);
    count(r, why);
    // Of the others consent was not asked, or it decided nothing.
    if (why == WN_KEEP || why == WN_VERDICT_refused || why == WN_VERDICT_sensitive)
        r->outcome.by_signal[f.decided]++;
    wn_wipe(&f.obs, sizeof f.obs);
}

static uint32_t events_max(const wn_request *r) {
    return r->lines ? WN_REQUEST_LINES_MAX : WN_REQUEST_EVENTS_MAX;
}

static wn_event *sink_begin(void *ctx) {
    wn_request *r = ctx;
    WN_ASSERT(r->event == NULL && !r->committed);
    if (r->outcome.events >= events_max(r) || r->full) return NULL;
    r->event = event_get(r);
    if (r->event == NULL) r->full = true;
    else if (r->sender.doubt) wn_event_doubt_consent(r->event);
    return r->event;
}

static void sink_end(void *ctx) {
    wn_request *r = ctx;
    if (r->event == NULL) {
        count(r, WN_VERDICT_too_many);
        return;
    }
    filter_event(r);
    event_put(r);
}

static void sink_cut(void *ctx) {
    wn_request *r = ctx;
    event_put(r);
    count(r, WN_VERDICT_malformed);
}

wn_event_sink wn_request_sink(wn_request *r) {
    return (wn_event_sink){r, sink_begin, sink_end, sink_cut, NULL, 0};
}
