// SPDX-License-Identifier: Apache-2.0
// event_json.c: yajl's callbacks as a small state machine. No tree is built;
// yajl's own memory comes from an arena that is wiped after each body.
#include "event_json.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define ARENA_BYTES 3072 // what yajl needs for a body that arrives whole
#define SITE_BYTES_MAX 63
#define BATCH_ID_BYTES_MAX 64
#define BODY_DEPTH_MAX 32 // deeper is no body at all; an event above WN_EVENT_DEPTH_MAX is refused alone

typedef enum where {
    AT_ROOT,     // nothing yet
    IN_ROOT_MAP, // an event, or an envelope once `events` was seen
    IN_EVENTS,   // the array of events
    IN_EVENT,
    IN_LIST,    // the purposes of an event
    IN_MAP,     // a map that is a field's value
    IN_SKIPPED, // a value that is dropped
    AT_END,
} where;

// Keys of the root that belong to an envelope as well as to an event.
typedef struct root_text {
    uint8_t bytes[BATCH_ID_BYTES_MAX];
    size_t n;
    bool seen, bad; // bad: not a string
    bool too_long;
} root_text;

struct wn_json {
    yajl_handle yajl;
    where where, after_skip;
    unsigned depth, skip_depth;
    wn_field field;        // of the key last read; WN_FIELD_N: dropped
    root_text *root_field; // of the key last read in the root map
    root_text site, batch_id;
    size_t map_bytes;   // keys and values of the map being read
    bool root_is_event; // the root map holds a field of an event
    bool events_key, events_seen;
    bool malformed;
    size_t arena_used, heap_bytes;
    _Alignas(16) uint8_t arena[ARENA_BYTES];
    wn_filling fill;
};

// ---- yajl's memory ----

typedef struct block {
    _Alignas(16) size_t bytes;
} block;

static bool in_arena(const wn_json *j, const block *b) {
    const uint8_t *p = (const uint8_t *)b;
    return p >= j->arena && p < j->arena + ARENA_BYTES;
}

static void *memory_get(void *ctx, size_t n) {
    wn_json *j = ctx;
    size_t whole = (sizeof(block) + n + 15) & ~(size_t)15;
    block *b;
    if (whole <= ARENA_BYTES - j->arena_used) {
        b = (block *)(void *)(j->arena + j->arena_used);
        j->arena_used += whole;
    } else {
        b = malloc(whole);
        WN_ASSERT(b != NULL); // yajl cannot be told
        j->heap_bytes += whole;
    }
    b->bytes = whole;
    return b + 1;
}

static void memory_free(void *ctx, void *p) {
    wn_json *j = ctx;
    if (p == NULL) return;
    block *b = (block *)p - 1;
    if (in_arena(j, b)) return; // reset wipes it
    j->heap_bytes -= b->bytes;
    wn_wipe(p, b->bytes - sizeof *b);
    free(b);
}

static void *memory_resize(void *ctx, void *p, size_t n) {
    if (p == NULL) return memory_get(ctx, n);
    const block *b = (const block *)p - 1;
    size_t room = b->bytes - sizeof *b;
    if (n <= room) return p;
    void *grown = memory_get(ctx, n);
    memcpy(grown, p, room);
    memory_free(ctx, p);
    return grown;
}

// ---- the state machine; a callback's 0 ends the body ----

enum { STOP = 0, GO = 1 };

static wn_span root_span(const root_text *t) {
    return t->seen && !t->bad && !t->too_long ? (wn_span){t->bytes, t->n} : (wn_span){NULL, 0};
}

static int stop(wn_json *j) {
    j->malformed = true;
    return STOP;
}

static void root_event_begin(wn_json *j) {
    if (j->root_is_event) return;
    j->root_is_event = true;
    wn_filling_begin(&j->fill);
}

static void root_text_set(root_text *t, const void *p, size_t n, size_t bytes_max) {
    t->too_long = n > bytes_max;
    t->n = t->too_long ? 0 : n;
    if (t->n != 0) memcpy(t->bytes, p, t->n);
}

static int root_key(wn_json *j, const void *key, size_t n) {
    j->root_field = NULL;
    j->events_key = false;
    j->field = WN_FIELD_N;
    if (n == 6 && memcmp(key, "events", 6) == 0) {
        if (j->root_is_event || j->events_seen || j->site.bad || j->site.too_long) return stop(j);
        j->events_key = true;
        return GO;
    }
    bool site = n == 4 && memcmp(key, "site", 4) == 0;
    if (site || (n == 8 && memcmp(key, "batch_id", 8) == 0)) {
        if (site && j->events_seen) return stop(j);
        j->root_field = site ? &j->site : &j->batch_id;
        if (!j->root_field->seen) {
            j->root_field->seen = true;
            return GO;
        }
        if (j->events_seen) return stop(j);
        root_event_begin(j);
        wn_filling_refuse(&j->fill, WN_VERDICT_duplicate_field);
        j->root_field = NULL;
        return GO;
    }
    if (j->events_seen) return stop(j);
    root_event_begin(j);
    j->field = wn_filling_key(&j->fill, key, n);
    return GO;
}

static int on_key(void *ctx, const unsigned char *key, size_t n) {
    wn_json *j = ctx;
    if (j->where == IN_ROOT_MAP) return root_key(j, key, n);
    if (j->where == IN_EVENT) j->field = wn_filling_key(&j->fill, key, n);
    if (j->where != IN_MAP) return GO;
    wn_filling_map_key(&j->fill, (wn_span){key, n});
    j->map_bytes += n;
    return GO;
}

#define A_NULL WN_PAIR_N // says nothing

static void field_scalar(wn_json *j, wn_pair_type type, const void *p, size_t n) {
    if (j->field != WN_FIELD_N && type != A_NULL) wn_filling_value(&j->fill, j->field, type, p, n);
}

static int scalar_value(wn_json *j, wn_pair_type type, const void *p, size_t n) {
    switch (j->where) {
    case IN_SKIPPED: return GO;
    case IN_MAP:
        j->map_bytes += n;
        if (type != A_NULL) wn_filling_map_value(&j->fill, type, (wn_span){p, n});
        else wn_filling_map_odd(&j->fill); // of consent: neither yes nor no
        return GO;
    case IN_EVENT: field_scalar(j, type, p, n); return GO;
    case IN_LIST:
        if (type == WN_PAIR_TEXT) wn_filling_text(&j->fill, j->field, p, n);
        else wn_filling_wrong(&j->fill, j->field);
        return GO;
    case IN_EVENTS: // not an event at all, but the ones beside it may be
        wn_filling_begin(&j->fill);
        wn_filling_cut(&j->fill);
        return GO;
    case IN_ROOT_MAP:
        if (j->events_key) return stop(j);
        if (j->root_field == NULL) field_scalar(j, type, p, n);
        else if (type == WN_PAIR_TEXT)
            root_text_set(j->root_field, p, n,
                          j->root_field == &j->site ? SITE_BYTES_MAX : BATCH_ID_BYTES_MAX);
        else if (type == A_NULL) j->root_field->n = 0;
        else j->root_field->bad = true;
        return j->events_seen && j->root_field != NULL && (j->root_field->bad || j->root_field->too_long)
                   ? stop(j)
                   : GO;
    case AT_ROOT:
    case AT_END: break;
    }
    return stop(j);
}

static void skip(wn_json *j, where after) {
    j->where = IN_SKIPPED;
    j->after_skip = after;
    j->skip_depth = j->depth;
}

// A map or array begins as the value of an event's field.
static void field_open(wn_json *j, wn_shape shape) {
    where here = j->where;
    if (j->field == WN_FIELD_N || wn_filling_shape(j->field) != shape) {
        if (j->field != WN_FIELD_N) wn_filling_wrong(&j->fill, j->field);
        skip(j, here);
        return;
    }
    if (shape == WN_SHAPE_MAP) wn_filling_map(&j->fill, j->field);
    else wn_filling_open(&j->fill, j->field);
    j->where = shape == WN_SHAPE_MAP ? IN_MAP : IN_LIST;
    j->after_skip = here;
    j->map_bytes = 0;
}

static int open_value(wn_json *j, wn_shape shape) {
    if (++j->depth > BODY_DEPTH_MAX) return stop(j); // yajl's own stack is slow to grow
    if (j->depth > WN_EVENT_DEPTH_MAX) wn_filling_refuse(&j->fill, WN_VERDICT_too_deep);
    switch (j->where) {
    case AT_ROOT: j->where = shape == WN_SHAPE_MAP ? IN_ROOT_MAP : IN_EVENTS; return GO;
    case IN_EVENTS:
        wn_filling_begin(&j->fill);
        if (shape == WN_SHAPE_MAP) {
            j->where = IN_EVENT;
        } else {
            wn_filling_cut(&j->fill);
            skip(j, IN_EVENTS);
        }
        return GO;
    case IN_ROOT_MAP:
        if (j->events_key) {
            if (shape != WN_SHAPE_LIST || j->batch_id.bad || j->batch_id.too_long) return stop(j);
            j->events_seen = true;
            j->where = IN_EVENTS;
            return GO;
        }
        if (j->root_field != NULL) {
            j->root_field->bad = true;
            if (j->events_seen) return stop(j);
            skip(j, IN_ROOT_MAP);
            return GO;
        }
        field_open(j, shape);
        return GO;
    case IN_EVENT: field_open(j, shape); return GO;
    case IN_LIST: {
        where after = j->after_skip; // items that are no strings: the whole list is unreadable
        wn_filling_wrong(&j->fill, j->field);
        skip(j, after);
        j->skip_depth--; // the list itself ends the skipping
        return GO;
    }
    case IN_MAP: wn_filling_map_open(&j->fill, shape == WN_SHAPE_LIST); return GO;
    case IN_SKIPPED: return GO;
    case AT_END: break;
    }
    return stop(j);
}

// The root map ended and was no envelope: it is the one event.
static void root_event_end(wn_json *j) {
    root_event_begin(j);
    root_text *both[] = {&j->site, &j->batch_id};
    const wn_field field[] = {WN_FIELD_site, WN_FIELD_batch_id};
    for (size_t i = 0; i < 2; i++) {
        if (both[i]->bad) wn_filling_refuse(&j->fill, WN_VERDICT_malformed);
        else if (both[i]->too_long) wn_filling_refuse(&j->fill, WN_VERDICT_too_long);
        else if (both[i]->seen && both[i]->n != 0)
            wn_filling_text(&j->fill, field[i], both[i]->bytes, both[i]->n);
    }
    wn_filling_end(&j->fill, (wn_span){NULL, 0});
}

static int close_value(wn_json *j) {
    unsigned closing = j->depth--;
    switch (j->where) {
    case IN_EVENT:
        wn_filling_end(&j->fill, root_span(&j->site));
        j->where = IN_EVENTS;
        return GO;
    case IN_LIST: j->where = j->after_skip; return GO;
    case IN_SKIPPED:
        if (closing == j->skip_depth) j->where = j->after_skip;
        return GO;
    case IN_MAP:
        if (!wn_filling_map_close(&j->fill)) return GO;
        j->where = j->after_skip;
        if (j->map_bytes > wn_field_bytes_max(j->field)) wn_filling_refuse(&j->fill, WN_VERDICT_too_long);
        return GO;
    case IN_EVENTS: j->where = j->events_seen ? IN_ROOT_MAP : AT_END; return GO;
    case IN_ROOT_MAP:
        if (!j->events_seen) root_event_end(j);
        j->where = AT_END;
        return GO;
    case AT_ROOT:
    case AT_END: break;
    }
    return stop(j);
}

static int on_null(void *ctx) {
    return scalar_value(ctx, A_NULL, NULL, 0);
}

static int on_bool(void *ctx, int v) {
    return scalar_value(ctx, v ? WN_PAIR_TRUE : WN_PAIR_FALSE, NULL, 0);
}

static int on_number(void *ctx, const char *p, size_t n) {
    return scalar_value(ctx, WN_PAIR_NUMBER, p, n);
}

static int on_string(void *ctx, const unsigned char *p, size_t n) {
    return scalar_value(ctx, WN_PAIR_TEXT, p, n);
}

static int on_map(void *ctx) {
    return open_value(ctx, WN_SHAPE_MAP);
}

static int on_array(void *ctx) {
    return open_value(ctx, WN_SHAPE_LIST);
}

static int on_end(void *ctx) {
    return close_value(ctx);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

// ---- life ----

wn_err wn_json_new(wn_json **out) {
    wn_json *j = calloc(1, sizeof *j);
    if (j == NULL) return WN_ERR_NOMEM;
    *out = j;
    return WN_OK;
}

void wn_json_reset(wn_json *j) {
    if (j->yajl != NULL) yajl_free(j->yajl);
    wn_event_map_wipe(&j->fill.map);
    wn_wipe(j->arena, j->arena_used);
    wn_wipe(j, offsetof(wn_json, arena));
    memset(j, 0, offsetof(wn_json, arena)); // also where the wipe is walled off
}

void wn_json_free(wn_json *j) {
    if (j == NULL) return;
    wn_json_reset(j);
    free(j);
}

void wn_json_begin(wn_json *j, const wn_event_sink *sink) {
    yajl_alloc_funcs memory = {memory_get, memory_resize, memory_free, j};
    wn_filling_init(&j->fill, sink);
    j->field = WN_FIELD_N;
    j->yajl = yajl_alloc(&callbacks, &memory, j);
    WN_ASSERT(j->yajl != NULL);
    // The filter checks UTF-8, so that one bad string costs one event, not the body.
    yajl_config(j->yajl, yajl_dont_validate_strings, 1);
}

static bool verdict(wn_json *j, yajl_status status) {
    if (status == yajl_status_ok) return true;
    j->malformed = true;
    wn_filling_cut(&j->fill);
    return false;
}

bool wn_json_feed(wn_json *j, wn_span chunk) {
    if (j->malformed) return false;
    return chunk.n == 0 || verdict(j, yajl_parse(j->yajl, chunk.p, chunk.n));
}

bool wn_json_end(wn_json *j) {
    if (j->malformed) return false;
    if (!verdict(j, yajl_complete_parse(j->yajl))) return false;
    if (j->where == AT_END) return true;
    j->malformed = true;
    return false;
}

wn_span wn_json_batch_id(const wn_json *j) {
    return j->events_seen ? root_span(&j->batch_id) : (wn_span){NULL, 0};
}

size_t wn_json_bytes(const wn_json *j) {
    return sizeof *j + j->heap_bytes;
}
