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

// One key of the envelope; false when it stands twice or is wrong.
static bool envelope_value(wn_mp *m, wn_span key, wn_message *out, uint64_t *inout_version,
                           unsigned *inout_seen) {
    static const char *const names[] = {"v", "batch_id", "site", "events"};
    unsigned which = 0;
    while (which < WN_COUNT(names) && !wn_span_is(key, names[which])) which++;
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

#define NUMBER_BYTES_MAX 40

// snprintf costs more than all the rest of a number.
static size_t integer_text(int64_t i, char text[NUMBER_BYTES_MAX]) {
    char digits[NUMBER_BYTES_MAX];
    size_t at = sizeof digits;
    uint64_t left = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (i < 0) digits[--at] = '-';
    memcpy(text, digits + at, sizeof digits - at);
    wn_wipe(digits + at, sizeof digits - at);
    return sizeof digits - at;
}

// A number as JSON would have it; 0: none that is second, width or flag.
static size_t number_text(wn_mp *m, char text[NUMBER_BYTES_MAX]) {
    int64_t i = 0;
    double d = 0;
    wn_mp before = *m;
    if (wn_mp_peek(m) != WN_MP_FLOAT && wn_mp_int(m, &i)) return integer_text(i, text);
    *m = before;
    // 17 digits keep a double; above 2^53 it is no second and no width.
    if (!wn_mp_double(m, &d) || !isfinite(d) || fabs(d) >= 9e15) return 0;
    size_t n = (size_t)snprintf(text, NUMBER_BYTES_MAX, "%.6f", d);
    while (text[n - 1] == '0' && text[n - 2] != '.') n--;
    return n;
}

// A scalar; false for what JSON does not know, and for numbers out of range. Reads past it.
static bool scalar(wn_mp *m, wn_pair_type *out_type, wn_span *out, char text[NUMBER_BYTES_MAX]) {
    wn_mp_type type = wn_mp_peek(m);
    bool yes = false;
    *out = (wn_span){(const uint8_t *)text, 0};
    if (type == WN_MP_STR) {
        *out_type = WN_PAIR_TEXT;
        return wn_mp_str(m, UINT32_MAX, out);
    }
    if (type == WN_MP_BOOL) {
        bool well = wn_mp_bool(m, &yes);
        *out_type = yes ? WN_PAIR_TRUE : WN_PAIR_FALSE;
        return well;
    }
    wn_mp after = *m;
    (void)wn_mp_skip(&after, FRAME_DEPTH_MAX);
    bool number = type == WN_MP_UINT || type == WN_MP_INT || type == WN_MP_FLOAT;
    *out_type = WN_PAIR_NUMBER;
    out->n = number ? number_text(m, text) : 0;
    *m = after;
    return out->n != 0;
}

// Skips a value whose contents are dropped; how deep it is still counts.
//   below  levels it may have
static void dropped_value(wn_filling *f, wn_mp *m, unsigned below) {
    wn_mp probe = *m;
    if (!wn_mp_skip(&probe, below)) wn_filling_refuse(f, WN_VERDICT_too_deep);
    (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
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
            dropped_value(f, m, EVENT_DEPTH_BELOW - 1);
        }
    }
}

// A map, or a list inside one; that it ends was settled when the frame was checked.
//   below  levels it may have
static void map_contents(wn_filling *f, wn_mp *m, unsigned below) {
    if (below == 0) wn_filling_refuse(f, WN_VERDICT_too_deep);
    bool list = wn_mp_peek(m) == WN_MP_ARRAY;
    uint32_t n = 0;
    if (list ? !wn_mp_array(m, UINT32_MAX, &n) : !wn_mp_map(m, UINT32_MAX, &n)) return;
    for (uint32_t i = 0; i < n && !m->bad; i++) {
        wn_span key = {NULL, 0}, value;
        char text[NUMBER_BYTES_MAX];
        wn_pair_type type;
        if (!list && wn_mp_peek(m) != WN_MP_STR) { // no key that could be meant
            wn_filling_map_odd(f);
            (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
            (void)wn_mp_skip(m, FRAME_DEPTH_MAX);
            continue;
        }
        if (!list && wn_mp_str(m, UINT32_MAX, &key)) wn_filling_map_key(f, key);
        if (wn_mp_nil(m)) {
            wn_filling_map_odd(f); // of consent: neither yes nor no
            continue;
        }
        wn_mp_type next = wn_mp_peek(m);
        if (next == WN_MP_MAP || next == WN_MP_ARRAY) {
            wn_filling_map_open(f, next == WN_MP_ARRAY);
            map_contents(f, m, below == 0 ? 0 : below - 1);
            (void)wn_filling_map_close(f);
        } else if (scalar(m, &type, &value, text)) {
            wn_filling_map_value(f, type, value);
        } else {
            wn_filling_map_odd(f);
        }
        wn_wipe(text, sizeof text);
    }
}

static void map_value(wn_filling *f, wn_field field, wn_mp *m) {
    const uint8_t *start = m->p;
    wn_filling_map(f, field);
    map_contents(f, m, EVENT_DEPTH_BELOW);
    (void)wn_filling_map_close(f);
    if ((size_t)(m->p - start) > wn_field_bytes_max(field)) wn_filling_refuse(f, WN_VERDICT_too_long);
}

static void field_value(wn_filling *f, wn_field field, wn_mp *m) {
    char text[NUMBER_BYTES_MAX];
    wn_span value;
    wn_pair_type type;
    wn_mp_type next = wn_mp_peek(m);
    wn_shape shape = wn_filling_shape(field);
    if (wn_mp_nil(m)) return;
    if (field == WN_FIELD_N) {
        dropped_value(f, m, EVENT_DEPTH_BELOW);
    } else if (shape == WN_SHAPE_LIST && next == WN_MP_ARRAY) {
        list_value(f, field, m);
    } else if (shape == WN_SHAPE_MAP && next == WN_MP_MAP) {
        map_value(f, field, m);
    } else if (next == WN_MP_MAP || next == WN_MP_ARRAY) {
        wn_filling_wrong(f, field);
        dropped_value(f, m, EVENT_DEPTH_BELOW);
    } else {
        if (scalar(m, &type, &value, text)) wn_filling_value(f, field, type, value.p, value.n);
        else wn_filling_wrong(f, field);
        wn_wipe(text, sizeof text);
    }
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
