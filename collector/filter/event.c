// SPDX-License-Identifier: Apache-2.0
// event.c: filling and wiping an event. A value costs a copy of its own bytes,
// a wipe what was written, so that short events are cheap.
#include "event_body.h"

#include <string.h>

#include "rows.h"

size_t wn_event_bytes(void) {
    return (sizeof(wn_event) + 15) & ~(size_t)15;
}

static void clear_head(wn_event *e) {
    e->set = 0;
    e->used = 0;
    e->list_bytes = 0;
    e->granted = 0;
    e->verdict = WN_KEEP;
    e->list_begun = false;
    e->doubt = false;
}

void wn_event_init(wn_event *e) {
    clear_head(e);
}

void wn_event_wipe(wn_event *e) {
    wn_wipe(e->arena, e->used);
    clear_head(e);
}

void wn_event_refuse(wn_event *e, wn_verdict why) {
    WN_ASSERT(why < WN_VERDICT_N);
    if (e->verdict == WN_KEEP) e->verdict = (uint8_t)why;
}

void wn_event_doubt_consent(wn_event *e) {
    e->doubt = true;
}

static wn_verdict refuse(wn_event *e, wn_verdict why) {
    wn_event_refuse(e, why);
    return why;
}

// The list comes item by item, so here a repeat is a second beginning (p NULL).
static wn_verdict set_purpose(wn_event *e, const void *p, size_t n) {
    if (p == NULL && e->list_begun) return refuse(e, WN_VERDICT_duplicate_field);
    e->list_begun = true;
    e->set |= WN_FIELD_BIT(WN_FIELD_purposes);
    if (n == 0) return WN_KEEP;
    if (n > wn_field_bytes_max(WN_FIELD_purposes) - e->list_bytes) return refuse(e, WN_VERDICT_too_long);
    e->list_bytes = (uint16_t)(e->list_bytes + n);
    unsigned purpose = wn_purpose_by_name(p, n);
    if (purpose < WN_PURPOSE_N) e->granted = (uint8_t)(e->granted | 1u << purpose);
    return WN_KEEP;
}

wn_verdict wn_event_set(wn_event *e, wn_field f, const void *p, size_t n) {
    WN_ASSERT(f < WN_FIELD_N && (p != NULL || n == 0));
    if (f == WN_FIELD_purposes) return set_purpose(e, p, n);
    if (wn_event_has(e, f)) return refuse(e, WN_VERDICT_duplicate_field);
    if (n > wn_field_bytes_max(f)) return refuse(e, WN_VERDICT_too_long);
    e->set |= WN_FIELD_BIT(f);
    e->off[f] = e->used;
    e->n[f] = 0;
    if (n == 0) return WN_KEEP;
    WN_ASSERT(n <= sizeof e->arena - e->used);
    memcpy(e->arena + e->used, p, n);
    e->n[f] = (uint16_t)n;
    e->used = (uint16_t)(e->used + n);
    return WN_KEEP;
}

// type, key bytes, value bytes, then both.
#define PAIR_HEAD 3

wn_verdict wn_event_pair(wn_event *e, wn_field f, wn_span key, wn_pair_type type, wn_span value) {
    WN_ASSERT(f < WN_FIELD_N && wn_event_has(e, f) && type < WN_PAIR_N);
    WN_ASSERT(e->off[f] + e->n[f] == e->used);
    if (key.n > WN_PAIR_BYTES_MAX || value.n > WN_PAIR_BYTES_MAX) return WN_KEEP;
    size_t n = PAIR_HEAD + key.n + value.n;
    if (n > wn_field_bytes_max(f) - e->n[f]) return refuse(e, WN_VERDICT_too_long);
    uint8_t *to = e->arena + e->used;
    to[0] = (uint8_t)type;
    to[1] = (uint8_t)key.n;
    to[2] = (uint8_t)value.n;
    if (key.n > 0) memcpy(to + PAIR_HEAD, key.p, key.n);
    if (value.n > 0) memcpy(to + PAIR_HEAD + key.n, value.p, value.n);
    e->n[f] = (uint16_t)(e->n[f] + n);
    e->used = (uint16_t)(e->used + n);
    return WN_KEEP;
}

bool wn_event_pair_next(const wn_event *e, wn_field f, size_t *inout_at, wn_pair *out) {
    wn_span all = wn_event_get(e, f);
    if (*inout_at >= all.n) return false;
    const uint8_t *p = all.p + *inout_at;
    *out = (wn_pair){(wn_pair_type)p[0], {p + PAIR_HEAD, p[1]}, {p + PAIR_HEAD + p[1], p[2]}};
    *inout_at += PAIR_HEAD + (size_t)p[1] + p[2];
    return true;
}
