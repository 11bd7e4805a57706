// SPDX-License-Identifier: Apache-2.0
// event_map.h: where a decoder stands inside a map (`props`, `consent`): the
// key that is in force at each level, and which keys stood there before. The
// decoders share it, so that JSON and msgpack hand over the same pairs.
#pragma once

#include "filter.h"

// Nesting of maps and lists in a body or message, its own outermost counted.
#define WN_EVENT_DEPTH_MAX 8
#define WN_MAP_KEYS_MAX 256 // of the maps that are open, one inside the other

typedef struct wn_map_level {
    bool list;
    uint8_t key_of;      // level whose key is in force here: a list has its own
    uint8_t key_n;       // bytes; the key itself is in wn_event_map.key
    bool key_dropped;    // too long to be handed over
    uint16_t keys_first; // of this map's keys in wn_event_map.keys
} wn_map_level;

typedef struct wn_event_map {
    wn_field field;
    unsigned levels, beyond; // beyond: nested deeper than any event may be
    bool deep;               // the inner levels are handed over, too
    uint16_t keys_n, keys_most;
    wn_map_level level[WN_EVENT_DEPTH_MAX];
    uint8_t key[WN_EVENT_DEPTH_MAX][WN_PAIR_BYTES_MAX];
    uint64_t keys[WN_MAP_KEYS_MAX]; // hashes, to see one that stands twice
} wn_event_map;

void wn_event_map_begin(wn_event_map *m, wn_field field, bool deep);
typedef enum wn_map_key { WN_MAP_NEW, WN_MAP_TWICE, WN_MAP_TOO_MANY, WN_MAP_TOO_LONG } wn_map_key;
wn_map_key wn_event_map_key(wn_event_map *m, wn_span key);
// True when a value here is handed over; with the key in force.
bool wn_event_map_value(const wn_event_map *m, wn_span *out_key);
void wn_event_map_open(wn_event_map *m, bool list);
bool wn_event_map_close(wn_event_map *m); // true: the outermost one closed
// Overwrites what was read since the last wipe.
void wn_event_map_wipe(wn_event_map *m);
