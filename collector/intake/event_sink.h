// SPDX-License-Identifier: Apache-2.0
// event_sink.h: how a decoder hands over events, one at a time, whatever the
// bytes were (JSON, msgpack, a query string). It fills each through
// wn_event_set and cannot read it back.
#pragma once

#include "event_map.h"
#include "filter.h"

// What the request states for each event that does not state it itself.
typedef struct wn_lent {
    wn_field field;
    wn_span text;
    bool twice; // it stood there again
} wn_lent;

typedef struct wn_event_sink {
    void *ctx;
    // The event to fill next. NULL: this one is past a limit, its fields go nowhere.
    wn_event *(*begin)(void *ctx);
    // The event last begun is whole.
    void (*end)(void *ctx);
    // What was begun broke off: it counts as malformed, its bytes are wiped.
    void (*cut)(void *ctx);
    const wn_lent *lent;
    size_t lent_n;
} wn_event_sink;

typedef enum wn_shape { WN_SHAPE_TEXT, WN_SHAPE_BOOL, WN_SHAPE_LIST, WN_SHAPE_MAP, WN_SHAPE_NEVER } wn_shape;

// The event being filled.
typedef struct wn_filling {
    const wn_event_sink *sink;
    wn_event *event; // NULL: skipped
    bool begun;
    uint64_t seen; // bit a field, so that a name standing twice is seen
    uint64_t told; // and those that had a value
    wn_event_map map;
} wn_filling;

void wn_filling_init(wn_filling *f, const wn_event_sink *sink);
void wn_filling_begin(wn_filling *f);
// The field of a key; WN_FIELD_N (and the event refused) when no sender may
// state it or when it stood before.
wn_field wn_filling_key(wn_filling *f, const void *name, size_t n);
// The same of a field known; false: it stood before.
bool wn_filling_field(wn_filling *f, wn_field field);
bool wn_filling_stated(const wn_filling *f, wn_field field); // with a value
wn_shape wn_filling_shape(wn_field field);
bool wn_filling_about_consent(wn_field field); // present but unreadable refuses everything
// A scalar as the field's value; of the wrong type it is wn_filling_wrong. Neither MAP, LIST nor END.
void wn_filling_value(wn_filling *f, wn_field field, wn_pair_type type, const void *p, size_t n);
void wn_filling_text(wn_filling *f, wn_field field, const void *p, size_t n);
// A list written as text with commas; it stands there even when nothing is in it.
void wn_filling_commas(wn_filling *f, wn_field field, const char *p, size_t n);
// A list begins: it stands there, even when it turns out empty.
void wn_filling_open(wn_filling *f, wn_field field);
// A value of the wrong type: an unreadable consent refuses all, anything else the event.
void wn_filling_wrong(wn_filling *f, wn_field field);
void wn_filling_refuse(wn_filling *f, wn_verdict why);
// Completes the event; default_site is used when it named none.
void wn_filling_end(wn_filling *f, wn_span default_site);
void wn_filling_cut(wn_filling *f); // fine when none is begun

// ---- a map as a field's value: between begin and the close that ends it nothing else is set ----
void wn_filling_map(wn_filling *f, wn_field field);
void wn_filling_map_key(wn_filling *f, wn_span key);
void wn_filling_map_value(wn_filling *f, wn_pair_type type, wn_span value); // nil: not called
void wn_filling_map_open(wn_filling *f, bool list);
bool wn_filling_map_close(wn_filling *f); // true: the outermost one closed
void wn_filling_map_odd(wn_filling *f);   // a key or value of no type we know
