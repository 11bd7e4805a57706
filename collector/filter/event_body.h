// SPDX-License-Identifier: Apache-2.0
// event_body.h: the inside of wn_event. Included by the filter's own files
// only: everybody else can fill an event but cannot read it.
#pragma once

#include "filter.h"

// Room for every field at its longest. Of `props` and `purposes` nothing is copied.
enum {
    WN_EVENT_UNCOPIED_BYTES = 4096 + 256,
    WN_EVENT_ARENA_BYTES = 0
#define FIELD(name, type, purpose, transform, max, from, doc) +(max)
#include "fields.def"
#undef FIELD
                           - WN_EVENT_UNCOPIED_BYTES
};

struct wn_event {
    uint32_t set;  // a bit a field that stood there
    uint16_t used; // bytes of the arena
    uint16_t list_bytes;
    uint8_t granted; // bits of wn_purpose, as the list said
    uint8_t verdict; // first refusal; WN_KEEP
    bool list_begun;
    bool doubt; // a consent signal nobody can read
    uint16_t off[WN_FIELD_N], n[WN_FIELD_N];
    uint8_t arena[WN_EVENT_ARENA_BYTES];
};

_Static_assert(WN_FIELD_N <= 32, "wn_event.set holds a bit a field");
_Static_assert(WN_PURPOSE_N <= 8, "grants are one byte");
_Static_assert(WN_EVENT_ARENA_BYTES < 65536, "offsets are 16 bits");

// {NULL, 0} when the field is absent or empty.
static inline wn_span wn_event_get(const wn_event *e, wn_field f) {
    if (!(e->set & (1u << f)) || e->n[f] == 0) return (wn_span){NULL, 0};
    return (wn_span){e->arena + e->off[f], e->n[f]};
}

static inline bool wn_event_has(const wn_event *e, wn_field f) {
    return (e->set & (1u << f)) != 0;
}
