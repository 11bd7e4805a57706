// SPDX-License-Identifier: Apache-2.0
// event_body.h: the inside of wn_event. Included by the filter's own files
// only: everybody else can fill an event but cannot read it.
#pragma once

#include "filter.h"

// Room for every field at its longest; of `purposes` nothing is copied. What of
// a map is kept stands as pairs, in less room than the map had in any encoding.
enum {
    WN_EVENT_UNCOPIED_BYTES = 256,
    WN_EVENT_ARENA_BYTES = 0
#define FIELD(name, type, purpose, transform, max, from, doc) +(max)
#include "fields.def"
#undef FIELD
                           - WN_EVENT_UNCOPIED_BYTES
};

struct wn_event {
    uint64_t set;  // a bit a field that stood there
    uint16_t used; // bytes of the arena
    uint16_t list_bytes;
    uint8_t granted; // bits of wn_purpose, as the list said
    uint8_t verdict; // first refusal; WN_KEEP
    bool list_begun;
    bool doubt; // a consent signal nobody can read
    uint16_t off[WN_FIELD_N], n[WN_FIELD_N];
    uint8_t arena[WN_EVENT_ARENA_BYTES];
};

_Static_assert(WN_EVENT_ARENA_BYTES < 65536, "offsets are 16 bits");

static inline bool wn_event_has(const wn_event *e, wn_field f) {
    return (e->set >> f & 1) != 0;
}

// {NULL, 0} when the field is absent or empty.
static inline wn_span wn_event_get(const wn_event *e, wn_field f) {
    if (!wn_event_has(e, f) || e->n[f] == 0) return (wn_span){NULL, 0};
    return (wn_span){e->arena + e->off[f], e->n[f]};
}

// The pairs of a map, one after the other.
typedef struct wn_pair {
    wn_pair_type type;
    wn_span key, value;
} wn_pair;
// False at the end. *inout_at begins with 0.
bool wn_event_pair_next(const wn_event *e, wn_field f, size_t *inout_at, wn_pair *out);
