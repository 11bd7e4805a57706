// SPDX-License-Identifier: Apache-2.0
// fake_event.h: stands in for the filter's wn_event, so that a test of a
// decoder can read back what was set. Linked instead of collector/filter/event.c.
#pragma once

#include "event_sink.h"

#define FAKE_EVENTS_MAX 2048
#define FAKE_BYTES 4200
#define FAKE_PAIRS_MAX 1100

typedef struct fake_pair {
    wn_field field;
    wn_pair_type type;
    uint16_t key, key_n, text, n; // in wn_event.pool, each with a NUL behind it
} fake_pair;

struct wn_event {
    bool has[WN_FIELD_N];
    size_t n[WN_FIELD_N];
    char text[WN_FIELD_N][FAKE_BYTES];
    char items[8][64]; // of purposes
    size_t items_n;
    fake_pair pairs[FAKE_PAIRS_MAX]; // of all maps
    size_t pairs_n, pair_bytes[WN_FIELD_N], pool_n;
    char pool[10240];
    wn_verdict why;
    bool doubt;
};

typedef struct fake_log {
    size_t begun, ended, cut, skipped;
    wn_event event[4]; // copies of the first ones that ended
    wn_verdict why[FAKE_EVENTS_MAX];
    size_t events_max; // begin answers NULL beyond
    const wn_lent *lent;
    size_t lent_n;
    wn_event current;
} fake_log;

wn_event_sink fake_sink(fake_log *log);
// Its pairs as "props.key=text;consent.key{;…": t, f for booleans, # before a number, { for what opens.
const char *fake_pairs(const wn_event *e);
const char *fake_text(const wn_event *e, wn_field f); // NULL: not set
