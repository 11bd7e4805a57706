// SPDX-License-Identifier: Apache-2.0
// import.c: the steps of a chunk. Each turn does a bounded piece of work, so
// that beacons are answered while a log is read.
#include "import.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "import_chunk.h"

#define CUT_LINES_TURN 8192
#define ASK_AGAIN_MS 5000
#define ASK_GIVE_UP_MS 120000
#define WRITTEN_LATE_S 3600 // how far a log's lines may stand out of order

typedef enum step { FILLING, CUTTING, ASKING, COUNTING, DELIVERING } step;

typedef struct past { // a window of the chunk
    wn_window window;
    bool known, delivered;
    wn_batch_id newest; // delivered up to here, the chunk is delivered
} past;

typedef struct one {
    bool used;
    uint64_t token, asker;
    uint64_t after; // the import of the lines before these; 0: none
    bool told;      // to count: its first chunk is whole
    char site[WN_SITE_NAME_BYTES];
    wn_line_format format;
    step step;
    int64_t touched_ms, asked_ms, asking_since_ms;
    wn_import_raw raw;
    crypto_onetimeauth_state digest; // of the lines walked, in the order of the file
    size_t walked;
    uint8_t first_hash[16];                  // of the first line, as that of a chunk which was counted
    bool begins_known;                       // a chunk before began with this line
    uint8_t chunk_hash[16], before_last[16]; // of all lines, and of all but the last
    size_t known_lines;                      // at the beginning, counted by a chunk before
    past window[WN_IMPORT_WINDOWS_MAX];
    size_t windows_n;
    size_t next_line;    // first line of the next part
    wn_request *request; // a part that waits for room
    uint64_t last_token;
    bool settled; // durable, so that deliveries can be looked up
    wn_import_result result;
    wn_window filled[WN_IMPORT_WINDOWS_MAX]; // of the whole import
    size_t filled_n;
} one;

struct wn_import {
    wn_import_parts parts;
    uint64_t next_token;
    uint64_t last_token; // of the part committed last
    wn_line line;        // of the part being read; wiped after it
    char url[WN_LINE_URL_MAX];
    one import[WN_IMPORTS_MAX];
};

// ---- life ----

wn_err wn_import_open(const wn_import_parts *parts, wn_import **out) {
    wn_import *i = aligned_alloc(_Alignof(wn_import), sizeof *i); // a digest's state wants it
    if (i == NULL) return WN_ERR_NOMEM;
    memset(i, 0, sizeof *i);
    i->parts = *parts;
    // Tokens of an earlier life of the daemon must not name an import of this one.
    randombytes_buf(&i->next_token, 6);
    *out = i;
    return WN_OK;
}

static void drop(one *o) {
    if (!o->used) return;
    wn_request_free(o->request);
    wn_import_raw_close(&o->raw);
    wn_wipe(o, sizeof *o);
    memset(o, 0, sizeof *o);
}

void wn_import_close(wn_import *i) {
    if (i == NULL) return;
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++) drop(&i->import[k]);
    wn_line_wipe(&i->line);
    free(i);
}

static one *find(wn_import *i, uint64_t token) {
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++)
        if (i->import[k].used && i->import[k].token == token) return &i->import[k];
    return NULL;
}

static const wn_site *site_of(const wn_import *i, const char *name) {
    return wn_sites_by_name(&wn_pipeline_site_list(i->parts.pipeline)->sites, name, strlen(name));
}

static void chunk_reset(wn_import *i, one *o) {
    wn_import_raw_wipe(&o->raw);
    o->step = FILLING;
    o->windows_n = o->next_line = o->known_lines = o->walked = 0;
    o->last_token = 0;
    o->settled = o->begins_known = false;
    memset(&o->result, 0, sizeof o->result);
    uint8_t key[crypto_onetimeauth_KEYBYTES];
    wn_span what = {(const uint8_t *)o->site, strlen(o->site)};
    wn_pipeline_hash(i->parts.pipeline, 'L', what, key);
    wn_pipeline_hash(i->parts.pipeline, 'M', what, key + 16);
    crypto_onetimeauth_init(&o->digest, key);
    wn_wipe(key, sizeof key);
}

// A free place, or that of the import which has been idle longest: its command is gone.
static one *place(wn_import *i) {
    one *oldest = NULL;
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++) {
        one *o = &i->import[k];
        if (!o->used) return o;
        if (o->step == FILLING && (oldest == NULL || o->touched_ms < oldest->touched_ms)) oldest = o;
    }
    if (oldest != NULL) drop(oldest);
    return oldest;
}

static const char *const no_import = "no such import; begin again";

const char *wn_import_begin(wn_import *i, wn_span site, wn_span format, uint64_t after, uint64_t *out_token) {
    wn_line_format f;
    const wn_site *s =
        wn_sites_by_name(&wn_pipeline_site_list(i->parts.pipeline)->sites, (const char *)site.p, site.n);
    if (s == NULL) return "no such site; add it with `winnow site add`";
    if (!wn_line_format_by_name((const char *)format.p, format.n, &f))
        return "formats are combined, common, vhost-combined";
    if (after != 0 && find(i, after) == NULL) return no_import;
    one *o = place(i);
    if (o == NULL) return "four chunks are being counted; try again when an import is done";
    if (wn_import_raw_open(&o->raw, WN_IMPORT_BYTES_MAX, WN_IMPORT_LINES_MAX) != WN_OK)
        return "out of memory";
    o->used = true;
    o->token = ++i->next_token;
    o->after = after;
    o->told = false;
    o->format = f;
    memcpy(o->site, s->name, sizeof o->site);
    o->touched_ms = wn_monotonic_ms();
    chunk_reset(i, o);
    *out_token = o->token;
    return NULL;
}

const char *wn_import_lines(wn_import *i, uint64_t token, wn_span bytes) {
    one *o = find(i, token);
    if (o == NULL) return no_import;
    if (o->step != FILLING) return "the chunk before is still being counted";
    o->touched_ms = wn_monotonic_ms();
    if (wn_import_raw_add(&o->raw, bytes) != WN_OK) return "chunk full: 131,072 lines or 64 MiB";
    return NULL;
}

const char *wn_import_chunk(wn_import *i, uint64_t token, uint64_t asker) {
    one *o = find(i, token);
    if (o == NULL) return no_import;
    if (o->step != FILLING) return "the chunk before is still being counted";
    o->asker = asker;
    o->step = CUTTING;
    o->told = true;
    return NULL;
}

const char *wn_import_end(wn_import *i, uint64_t token, void (*fn)(void *ctx, const wn_window *w),
                          void *ctx) {
    one *o = find(i, token);
    if (o == NULL) return no_import;
    if (o->step != FILLING) return "the chunk before is still being counted";
    for (size_t k = 0; k < o->filled_n; k++) fn(ctx, &o->filled[k]);
    drop(o);
    return NULL;
}

// ---- the steps ----

static void finish(wn_import *i, one *o, const char *error) {
    o->result.error = error;
    o->result.repeat = o->result.repeated != 0 && o->result.repeated == o->result.lines;
    wn_request_free(o->request);
    o->request = NULL;
    o->touched_ms = wn_monotonic_ms();
    i->parts.done(i->parts.ctx, o->asker, &o->result);
    chunk_reset(i, o);
}

static past *find_past(one *o, const wn_window *w) {
    for (size_t k = 0; k < o->windows_n; k++)
        if (wn_window_same(&o->window[k].window, w)) return &o->window[k];
    return NULL;
}

// The distinct windows of the lines, which are sorted but for one place. False: more than the limit.
static bool gather_windows(const wn_import *i, one *o) {
    const wn_site *s = site_of(i, o->site);
    const wn_zone *zone = s == NULL ? NULL : wn_zone_find(s->zone);
    if (zone == NULL) return false;
    int64_t start_s = 0, end_s = 0, now_s = wn_pipeline_now(i->parts.pipeline);
    for (size_t k = 0; k < o->raw.lines_n; k++) {
        int64_t t = o->raw.line[k].time_s;
        if (t == WN_LINE_UNREADABLE || (t >= start_s && t < end_s)) continue;
        wn_window w;
        wn_zone_window(zone, (wn_kind)s->kind, t, &w);
        start_s = w.start_s, end_s = w.end_s;
        if (find_past(o, &w) != NULL) continue;
        if (o->windows_n == WN_IMPORT_WINDOWS_MAX) return false;
        past *p = &o->window[o->windows_n++];
        *p = (past){.window = w};
        // Of a day that still takes live events the aggregator need not be asked.
        p->known = now_s < end_s + wn_grace_s((wn_kind)s->kind);
    }
    return true;
}

// Another import of the site may be about to remember what this one begins with; and the lines before
// these go first, however they came: visits end by what is read.
static bool must_wait(const wn_import *i, const one *o) {
    if (o->step != CUTTING || o->raw.cut_at != 0) return false;
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++) {
        const one *x = &i->import[k];
        if (!x->used || x == o || strcmp(x->site, o->site) != 0) continue;
        if (x->token == o->after && !x->told) return true;
        if (x->step == ASKING || x->step == COUNTING || (x->step == CUTTING && x->raw.cut_at != 0))
            return true;
    }
    return false;
}

// A keyed polynomial of the bytes so far (nobody without the key finds two of one value, and nobody
// sees it), and over it the hash that is kept: quick for the bytes of a log, and no guess for who reads it.
static void hash_here(const wn_import *i, const one *o, char domain, uint8_t out[16]) {
    crypto_onetimeauth_state upto = o->digest;
    uint8_t sum[crypto_onetimeauth_BYTES];
    crypto_onetimeauth_final(&upto, sum);
    wn_pipeline_hash(i->parts.pipeline, domain, (wn_span){sum, sizeof sum}, out);
    wn_wipe(&upto, sizeof upto);
}

// The bytes of the lines walked..to into the digest, each with its end.
static void digest_lines(one *o, size_t to) {
    if (to == o->walked) return;
    const wn_chunk_line *last = &o->raw.line[to - 1];
    size_t from = o->raw.line[o->walked].offset, end = (size_t)last->offset + last->n;
    crypto_onetimeauth_update(&o->digest, o->raw.bytes + from, end - from);
    crypto_onetimeauth_update(&o->digest, (const uint8_t *)"\n", 1);
    o->walked = to;
}

// Line by line, for the most lines that a chunk before ended with.
static void walk_known(const wn_import *i, one *o) {
    while (o->walked < o->raw.lines_n) {
        memcpy(o->before_last, o->chunk_hash, sizeof o->before_last);
        digest_lines(o, o->walked + 1);
        hash_here(i, o, 'P', o->chunk_hash);
        if (wn_pipeline_known(i->parts.pipeline, WN_MEMORY_IMPORT, o->chunk_hash)) o->known_lines = o->walked;
    }
}

// Takes the lines just cut into the digest. Where no chunk before began as this one does, none can
// have ended within it, and two hashes are all that is needed.
static void walk(const wn_import *i, one *o, bool whole) {
    if (o->walked == 0 && o->raw.lines_n != 0) {
        digest_lines(o, 1);
        hash_here(i, o, 'F', o->first_hash);
        hash_here(i, o, 'P', o->chunk_hash);
        o->begins_known = wn_pipeline_known(i->parts.pipeline, WN_MEMORY_IMPORT, o->first_hash);
        if (o->begins_known && wn_pipeline_known(i->parts.pipeline, WN_MEMORY_IMPORT, o->chunk_hash))
            o->known_lines = 1;
    }
    if (o->begins_known) {
        walk_known(i, o);
        return;
    }
    if (o->raw.lines_n < 2 || o->walked == o->raw.lines_n) return;
    digest_lines(o, o->raw.lines_n - 1); // the last one stays back: it may be the chunk's
    if (!whole) return;
    hash_here(i, o, 'P', o->before_last);
    digest_lines(o, o->raw.lines_n);
    hash_here(i, o, 'P', o->chunk_hash);
}

static void cut(wn_import *i, one *o) {
    if (must_wait(i, o)) return;
    bool whole = wn_import_raw_cut(&o->raw, o->format, CUT_LINES_TURN, &i->line);
    walk(i, o, whole);
    if (!whole) return;
    wn_import_raw_sort(&o->raw, 0, o->known_lines);
    wn_import_raw_sort(&o->raw, o->known_lines, o->raw.lines_n);
    o->result.lines = o->raw.lines_n;
    o->result.repeated = o->next_line = o->known_lines;
    if (!gather_windows(i, o)) {
        finish(i, o,
               "more days in one chunk than Winnow keeps open; sort the log by time and import it in pieces");
        return;
    }
    o->step = ASKING;
    o->asked_ms = 0;
    o->asking_since_ms = wn_monotonic_ms();
}

static void ask(wn_import *i, one *o) {
    bool all = true;
    int64_t now_ms = wn_monotonic_ms();
    bool again = o->asked_ms == 0 || now_ms - o->asked_ms >= ASK_AGAIN_MS;
    for (size_t k = 0; k < o->windows_n; k++) {
        if (o->window[k].known) continue;
        all = false;
        if (again) i->parts.ask(i->parts.ctx, &o->window[k].window);
    }
    if (again) o->asked_ms = now_ms;
    if (all) o->step = COUNTING;
    else if (now_ms - o->asking_since_ms > ASK_GIVE_UP_MS)
        finish(i, o, "the aggregator does not answer; is it running?");
}

static const char *allow_error(wn_err err) {
    if (err == WN_ERR_FULL) return "too many windows are open; end this import, then go on";
    return "a day of this log cannot be opened; are the time zone data of both daemons the same?";
}

void wn_import_state(wn_import *i, const wn_window *w, wn_window_state state) {
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++) {
        one *o = &i->import[k];
        past *p = o->used && o->step == ASKING ? find_past(o, w) : NULL;
        if (p == NULL || p->known) continue;
        p->known = true;
        if (state == WN_WINDOW_SEALED) continue; // its lines are late
        wn_err err = wn_edge_allow(i->parts.edge, w);
        if (err != WN_OK && err != WN_ERR_SEALED) finish(i, o, allow_error(err));
    }
}

void wn_import_late(wn_import *i, const wn_window *w, uint32_t observations) {
    // Chunks may be under way side by side: each late line is taken from one of them.
    for (size_t k = 0; k < WN_IMPORTS_MAX && observations != 0; k++) {
        one *o = &i->import[k];
        if (!o->used || o->step < COUNTING || find_past(o, w) == NULL) continue;
        uint32_t n = observations < o->result.counted ? observations : (uint32_t)o->result.counted;
        o->result.counted -= n;
        o->result.late += n;
        observations -= n;
    }
}

// ---- counting ----

static void put_text(wn_filling *f, wn_field field, const char *p, size_t n) {
    if (n != 0) wn_filling_text(f, field, p, n);
}

static void line_event(wn_import *i, wn_request *r, wn_filling *f, bool download) {
    const wn_line *l = &i->line;
    char when[24];
    wn_address address;
    bool known = wn_address_parse((const char *)l->client.p, l->client.n, &address);
    wn_request_address(r, known ? &address : NULL,
                       (wn_span){(const uint8_t *)l->user_agent.p, l->user_agent.n});
    size_t when_n = 0;
    for (uint64_t t = (uint64_t)(l->time_s < 0 ? 0 : l->time_s), k = 0; k == 0 || t != 0; t /= 10, k++)
        when[sizeof when - ++when_n] = (char)('0' + t % 10);
    wn_filling_begin(f);
    put_text(f, WN_FIELD_name, download ? "download" : "pageview", 8);
    size_t url_n = wn_line_url(l, i->url);
    put_text(f, WN_FIELD_url, i->url, url_n);
    put_text(f, WN_FIELD_referrer, l->referrer.p, l->referrer.n);
    put_text(f, WN_FIELD_time, when + sizeof when - when_n, when_n);
    wn_filling_end(f, (wn_span){NULL, 0});
    wn_wipe(&address, sizeof address);
    wn_wipe(i->url, url_n);
}

static void count_line(wn_import *i, one *o, wn_request *r, wn_filling *f, const wn_chunk_line *at) {
    bool download = false;
    const char *text = (const char *)o->raw.bytes + at->offset;
    wn_verdict why = WN_VERDICT_malformed;
    if (at->time_s != WN_LINE_UNREADABLE && wn_line_parse(o->format, text, at->n, &i->line))
        why = wn_line_judge(&i->line, &download);
    if (why == WN_KEEP) line_event(i, r, f, download);
    else wn_request_refuse(r, why);
}

static size_t part_end(const one *o) {
    size_t end = o->next_line + WN_REQUEST_LINES_MAX;
    return end < o->raw.lines_n ? end : o->raw.lines_n;
}

static void part_hash(const wn_import *i, const one *o, uint8_t out[16]) {
    uint8_t in[16 + 8];
    uint32_t part = (uint32_t)((o->next_line - o->known_lines) / WN_REQUEST_LINES_MAX);
    uint32_t from = (uint32_t)o->known_lines;
    memcpy(in, o->chunk_hash, 16);
    for (int k = 0; k < 4; k++)
        in[16 + k] = (uint8_t)(part >> (8 * k)), in[20 + k] = (uint8_t)(from >> (8 * k));
    wn_pipeline_hash(i->parts.pipeline, 'I', (wn_span){in, sizeof in}, out);
}

static wn_request *filter_part(wn_import *i, one *o) {
    const wn_site *site = site_of(i, o->site);
    if (site == NULL) return NULL;
    wn_sender sender = {.site = site, .backfill = true};
    wn_request *r = wn_request_begin_lines(i->parts.pipeline, &sender);
    if (r == NULL) return NULL;
    wn_event_sink sink = wn_request_sink(r);
    wn_filling f;
    wn_filling_init(&f, &sink);
    for (size_t k = o->next_line; k < part_end(o); k++) count_line(i, o, r, &f, &o->raw.line[k]);
    wn_line_wipe(&i->line);
    return r;
}

static void take_outcome(wn_import *i, one *o, const wn_outcome *out) {
    o->result.counted += out->kept;
    o->result.late += out->by_verdict[WN_VERDICT_late];
    for (unsigned v = 0; v < WN_VERDICT_N; v++) o->result.by_verdict[v] += out->by_verdict[v];
    i->parts.metrics->v[WN_METRIC_import_lines] += out->events;
}

// Lines come in the order of time, give or take what a server writes late: who
// was last seen long before them has left. Else a day's visits would crowd the
// session table, which is made for half an hour's.
// Only when every part before, of any chunk, is applied: a touch that waits may yet prolong a visit.
static void end_idle(wn_import *i, const one *o) {
    int64_t t = o->raw.line[o->next_line].time_s;
    if (t == WN_LINE_UNREADABLE || i->last_token > wn_pipeline_durable(i->parts.pipeline)) return;
    for (size_t k = 0; k < o->windows_n; k++) {
        const wn_edge_window *w = wn_edge_find(i->parts.edge, &o->window[k].window);
        if (w == NULL || t < w->window.start_s) continue;
        (void)wn_pipeline_expire(i->parts.pipeline, w->slot, t - WN_SESSION_IDLE_S - WRITTEN_LATE_S);
    }
}

static const char *const memory_full =
    "the memory of imports is full; this part may count again if it is sent again";

// With the transaction of the last part: these bytes are counted. Also without
// the last line, which a server may have been writing.
static bool remember_bytes(wn_import *i, const one *o) {
    if (o->next_line < o->raw.lines_n) return true;
    if (o->result.by_verdict[WN_VERDICT_malformed] == o->raw.lines_n - o->known_lines) return true;
    if (o->raw.lines_n > o->known_lines + 1 &&
        !wn_pipeline_remember(i->parts.pipeline, WN_MEMORY_IMPORT, o->before_last))
        return false;
    if (!o->begins_known && !wn_pipeline_remember(i->parts.pipeline, WN_MEMORY_IMPORT, o->first_hash))
        return false;
    return wn_pipeline_remember(i->parts.pipeline, WN_MEMORY_IMPORT, o->chunk_hash);
}

// Goes on behind the part just counted, or found counted.
static void next_part(wn_import *i, one *o) {
    o->next_line = part_end(o);
    if (!remember_bytes(i, o)) finish(i, o, memory_full);
    // Perhaps not yet durable: it may be of a chunk that is being counted beside this one.
    else o->last_token = wn_pipeline_pending(i->parts.pipeline);
    if (o->last_token > i->last_token) i->last_token = o->last_token;
}

static void count(wn_import *i, one *o) {
    uint8_t hash[16];
    if (o->next_line >= o->raw.lines_n) {
        if (o->known_lines == o->raw.lines_n) o->last_token = wn_pipeline_pending(i->parts.pipeline);
        o->step = DELIVERING;
        return;
    }
    part_hash(i, o, hash);
    if (o->request == NULL && wn_pipeline_known(i->parts.pipeline, WN_MEMORY_IMPORT, hash)) {
        o->result.repeated += part_end(o) - o->next_line;
        next_part(i, o);
        return;
    }
    if (o->request == NULL) end_idle(i, o);
    if (o->request == NULL) o->request = filter_part(i, o);
    if (o->request == NULL) {
        finish(i, o, "the site is gone, or memory is");
        return;
    }
    uint64_t token = 0;
    wn_commit done = wn_request_commit(o->request, (wn_span){NULL, 0}, 0, &token);
    if (done == WN_COMMIT_WAIT) return;
    // A full spool empties as the aggregator takes from it.
    if (done == WN_COMMIT_FULL) return;
    const wn_outcome *out = wn_request_outcome(o->request);
    bool readable = out->by_verdict[WN_VERDICT_malformed] < out->events;
    if (readable && !wn_pipeline_remember(i->parts.pipeline, WN_MEMORY_IMPORT, hash)) {
        finish(i, o, memory_full);
        return;
    }
    take_outcome(i, o, out);
    wn_request_free(o->request);
    o->request = NULL;
    next_part(i, o);
}

// ---- delivery ----

// After a restart nothing is known of the batches that went before.
static void note_filled(one *o, const past *p) {
    if (p->newest.sequence == 0 && o->result.repeated == 0) return;
    for (size_t k = 0; k < o->filled_n; k++)
        if (wn_window_same(&o->filled[k], &p->window)) return;
    if (o->filled_n < WN_IMPORT_WINDOWS_MAX) o->filled[o->filled_n++] = p->window;
}

// Live events go on filling a window of today, so that it may never be drained whole.
static bool delivered(const wn_import *i, const past *p) {
    uint64_t generation, sequence;
    uint64_t oldest = wn_spool_oldest(i->parts.spool, &p->window, p->newest.generation);
    if (oldest > p->newest.sequence) return true;
    return wn_spool_window_drained(i->parts.spool, &p->window, &generation, &sequence);
}

static void deliver(wn_import *i, one *o) {
    if (o->last_token > wn_pipeline_durable(i->parts.pipeline)) return;
    for (size_t k = 0; k < o->windows_n && !o->settled; k++) {
        past *p = &o->window[k];
        const wn_edge_window *here = wn_edge_find(i->parts.edge, &p->window);
        if (here == NULL) continue;
        p->newest = wn_pipeline_newest(i->parts.pipeline, here->slot);
        note_filled(o, p);
    }
    o->settled = true;
    for (size_t k = 0; k < o->windows_n; k++) {
        past *p = &o->window[k];
        p->delivered = p->delivered || delivered(i, p);
        if (!p->delivered) return;
    }
    finish(i, o, NULL);
}

void wn_import_turn(wn_import *i) {
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++) {
        one *o = &i->import[k];
        if (!o->used) continue;
        if (o->step == CUTTING) cut(i, o);
        if (o->step == ASKING) ask(i, o);
        if (o->step == COUNTING) count(i, o);
        if (o->step == DELIVERING) deliver(i, o);
    }
}

bool wn_import_active(const wn_import *i) {
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++)
        if (i->import[k].used) return true;
    return false;
}

bool wn_import_ready(const wn_import *i) {
    for (size_t k = 0; k < WN_IMPORTS_MAX; k++) {
        const one *o = &i->import[k];
        if (o->used &&
            ((o->step == CUTTING && !must_wait(i, o)) || (o->step == COUNTING && o->request == NULL)))
            return true;
    }
    return false;
}
