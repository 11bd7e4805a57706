// SPDX-License-Identifier: Apache-2.0
// event_mp.c: msgpack events, read with a bounded cursor.
#include "event_mp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ENVELOPE_KEYS_MAX 8
#define EVENT_KEYS_MAX 64
#define KEY_BYTES_MAX 64
#define LIST_ITEMS_MAX 64
#define FRAME_DEPTH_MAX 32 // deeper is no message at all; an event above WN_EVENT_DEPTH_MAX is refused alone
#define EVENT_DEPTH_BELOW                                                                                    \
    (WN_EVENT_DEPTH_MAX - 3) // envelope, events and the event's own map are the first three

static bool is(wn_span s, const char *text) {
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

// One key of the envelope; false when it stands twice or is wrong.
static bool envelope_value(wn_mp *m, wn_span key, wn_message *out, uint64_t *inout_version,
                           unsigned *inout_seen) {
    static const char *const names[] = {"v", "batch_id", "site", "events"};
    unsigned which = 0;
    while (which < WN_COUNT(names) && !is(key, names[which])) which++;
    if (which == WN_COUNT(names) || (*inout_seen & 1u << which)) return false;
    *inout_seen |= 1u << which;
    if (which == 0) return wn_mp_uint(m, UINT64_MAX, inout_version);
    if (which == 1) return wn_mp_str(m, wn_field_bytes_max(WN_FIELD_batch_id), &out->batch_id);
    if (which == 2) return wn_mp_nil(m) || wn_mp_str(m, wn_field_bytes_max(WN_FIELD_site), &out->site);
    if (!wn_mp_array(m, UINT32_MAX, &out->events_n)) return false;
    out->events = *m;
    for (uint32_t i = 0; i < out->events_n; i++)
        if (!wn_mp_skip(m, FRAME_DEPTH_MAX)) return false;
    return true;
}

wn_err wn_message_open(wn_span bytes, uint32_t events_max, wn_message *out) {
    wn_message msg = {.events_n = 0};
    wn_mp m;
    uint32_t pairs = 0;
    uint64_t version = WN_MESSAGE_VERSION;
    unsigned seen = 0;
    wn_mp_init(&m, bytes);
    if (!wn_mp_map(&m, ENVELOPE_KEYS_MAX, &pairs)) return WN_ERR_FORMAT;
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key = {NULL, 0};
        if (!wn_mp_str(&m, KEY_BYTES_MAX, &key) || !envelope_value(&m, key, &msg, &version, &seen))
            return WN_ERR_FORMAT;
    }
    if (!wn_mp_done(&m)) return WN_ERR_FORMAT;
    if (!(seen & 1u) || msg.batch_id.n == 0 || !(seen & 8u)) return WN_ERR_FORMAT;
    *out = msg;
    if (version != WN_MESSAGE_VERSION) return WN_ERR_VERSION;
    return msg.events_n > events_max ? WN_ERR_FULL : WN_OK;
}

// Into the end of `text`; where it begins there.
static size_t integer_text(int64_t i, char text[40]) {
    size_t at = 40;
    uint64_t left = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do text[--at] = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (i < 0) text[--at] = '-';
    return at;
}

static void number_text(wn_filling *f, wn_field field, wn_mp *m) {
    char text[40];
    int64_t i = 0;
    double d = 0;
    wn_mp before = *m;
    size_t at = 0, end = 0;
    if (wn_mp_peek(m) != WN_MP_FLOAT && wn_mp_int(m, &i)) {
        at = integer_text(i, text);
        end = sizeof text;
    } else {
        *m = before;
        // 17 digits keep a double; above 2^53 it is no second and no width.
        if (wn_mp_double(m, &d) && isfinite(d) && fabs(d) < 9e15)
            end = (size_t)snprintf(text, sizeof text, "%.6f", d);
    }
    if (end > 0) wn_filling_text(f, field, text + at, end - at);
    else wn_filling_wrong(f, field);
    wn_wipe(text, sizeof text);
}

static void list_value(wn_filling *f, wn_field field, wn_mp *m) {
    uint32_t n = 0;
    wn_filling_open(f, field);
    if (!wn_mp_array(m, UINT32_MAX, &n)) return;
    if (n > LIST_ITEMS_MAX) wn_filling_wrong(f, field);
    for (uint32_t i = 0; i < n; i++) {
        wn_span item = {NULL, 0};
        if (wn_mp_peek(m) == WN_MP_STR && wn_mp_str(m, UINT32_MAX, &item)) {
            wn_filling_text(f, field, item.p, item.n);
        } else {
            wn_filling_wrong(f, field);
            (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
        }
    }
}

// Skips a value whose contents are dropped; its depth and size still count.
static void dropped_value(wn_filling *f, wn_field field, wn_mp *m) {
    wn_mp probe = *m;
    const uint8_t *start = m->p;
    if (!wn_mp_skip(&probe, EVENT_DEPTH_BELOW)) wn_filling_refuse(f, WN_VERDICT_too_deep);
    (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
    if (field != WN_FIELD_N && (size_t)(m->p - start) > wn_field_bytes_max(field))
        wn_filling_refuse(f, WN_VERDICT_too_long);
}

static void field_value(wn_filling *f, wn_field field, wn_mp *m) {
    wn_span text = {NULL, 0};
    wn_mp_type type = wn_mp_peek(m);
    if (wn_mp_nil(m)) return;
    if (field == WN_FIELD_N) {
        dropped_value(f, field, m);
        return;
    }
    switch (wn_filling_shape(field)) {
    case WN_SHAPE_TEXT:
        if (type == WN_MP_STR && wn_mp_str(m, UINT32_MAX, &text)) {
            wn_filling_text(f, field, text.p, text.n);
            return;
        }
        if (type == WN_MP_UINT || type == WN_MP_INT || type == WN_MP_FLOAT) {
            number_text(f, field, m);
            return;
        }
        break;
    case WN_SHAPE_LIST:
        if (type == WN_MP_ARRAY) {
            list_value(f, field, m);
            return;
        }
        break;
    case WN_SHAPE_MAP:
        if (type == WN_MP_MAP) {
            wn_filling_open(f, field);
            dropped_value(f, field, m);
            return;
        }
        break;
    case WN_SHAPE_NEVER: break;
    }
    wn_filling_wrong(f, field);
    dropped_value(f, WN_FIELD_N, m);
}

static void one_event(wn_filling *f, wn_mp *m, wn_span site) {
    uint32_t pairs = 0;
    wn_filling_begin(f);
    if (wn_mp_peek(m) != WN_MP_MAP || !wn_mp_map(m, UINT32_MAX, &pairs)) {
        (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
        wn_filling_cut(f);
        return;
    }
    if (pairs > EVENT_KEYS_MAX) wn_filling_refuse(f, WN_VERDICT_too_many);
    for (uint32_t i = 0; i < pairs; i++) {
        wn_span key = {NULL, 0};
        wn_field field = WN_FIELD_N;
        if (wn_mp_peek(m) == WN_MP_STR && wn_mp_str(m, UINT32_MAX, &key)) {
            field = wn_filling_key(f, key.p, key.n);
        } else {
            wn_filling_refuse(f, WN_VERDICT_unknown_field);
            (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
        }
        field_value(f, field, m);
    }
    wn_filling_end(f, site);
}

void wn_message_events(const wn_message *m, const wn_event_sink *sink) {
    wn_filling f;
    wn_mp at = m->events;
    wn_filling_init(&f, sink);
    for (uint32_t i = 0; i < m->events_n; i++) {
        wn_mp before = at;
        one_event(&f, &at, m->site);
        // Where an event ends was settled when the frame was checked; a reader
        // that disagrees with it must not go on.
        at = before;
        WN_ASSERT(wn_mp_skip(&at, FRAME_DEPTH_MAX));
    }
}
