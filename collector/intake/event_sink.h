// SPDX-License-Identifier: Apache-2.0
// event_sink.h: how a decoder hands over events, one at a time, whatever the
// bytes were (JSON, msgpack). It fills each through wn_event_set and cannot
// read it back.
#pragma once

#include "filter.h"

// Nesting of maps and arrays in a body or message, its own outermost counted.
#define WN_EVENT_DEPTH_MAX 8

typedef struct wn_event_sink {
    void *ctx;
    // The event to fill next. NULL: this one is past a limit, its fields go nowhere.
    wn_event *(*begin)(void *ctx);
    // The event last begun is whole.
    void (*end)(void *ctx);
    // What was begun broke off: it counts as malformed, its bytes are wiped.
    void (*cut)(void *ctx);
} wn_event_sink;

typedef enum wn_shape { WN_SHAPE_TEXT, WN_SHAPE_LIST, WN_SHAPE_MAP, WN_SHAPE_NEVER } wn_shape;

// The event being filled.
typedef struct wn_filling {
    const wn_event_sink *sink;
    wn_event *event;   // NULL: skipped
    bool begun, named; // named: it said its site
    uint64_t seen;     // bit a field, so that a name standing twice is seen
} wn_filling;

void wn_filling_init(wn_filling *f, const wn_event_sink *sink);
void wn_filling_begin(wn_filling *f);
// The field of a key; WN_FIELD_N (and the event refused) when no sender may
// state it or when it stood before.
wn_field wn_filling_key(wn_filling *f, const void *name, size_t n);
wn_shape wn_filling_shape(wn_field field);
void wn_filling_text(wn_filling *f, wn_field field, const void *p, size_t n);
// A list or map begins: it stands there, even when it turns out empty.
void wn_filling_open(wn_filling *f, wn_field field);
// A value of the wrong type: an unreadable consent refuses all, anything else the event.
void wn_filling_wrong(wn_filling *f, wn_field field);
void wn_filling_refuse(wn_filling *f, wn_verdict why);
// Completes the event; default_site is used when it named none.
void wn_filling_end(wn_filling *f, wn_span default_site);
void wn_filling_cut(wn_filling *f); // fine when none is begun
