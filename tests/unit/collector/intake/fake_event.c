// SPDX-License-Identifier: Apache-2.0
// fake_event.c: an event that can be read.
#include "fake_event.h"

#include <string.h>

size_t wn_event_bytes(void) {
    return sizeof(wn_event);
}

void wn_event_init(wn_event *e) {
    memset(e, 0, sizeof *e);
}

void wn_event_wipe(wn_event *e) {
    memset(e, 0, sizeof *e);
}

void wn_event_refuse(wn_event *e, wn_verdict why) {
    if (e->why == WN_KEEP) e->why = why;
}

void wn_event_doubt_consent(wn_event *e) {
    e->doubt = true;
}

wn_verdict wn_event_set(wn_event *e, wn_field f, const void *p, size_t n) {
    bool list = f == WN_FIELD_purposes;
    if (e->has[f] && !(list && p != NULL)) return wn_event_refuse(e, WN_VERDICT_duplicate_field), e->why;
    e->has[f] = true;
    if (n > wn_field_bytes_max(f)) return wn_event_refuse(e, WN_VERDICT_too_long), e->why;
    if (list) {
        if (p != NULL && e->items_n < WN_COUNT(e->items)) memcpy(e->items[e->items_n++], p, n < 63 ? n : 63);
        return WN_KEEP;
    }
    if (n != 0) memcpy(e->text[f], p, n);
    e->n[f] = n;
    return WN_KEEP;
}

static wn_event *begin(void *ctx) {
    fake_log *l = ctx;
    if (l->events_max != 0 && l->begun >= l->events_max) {
        l->begun++;
        return NULL;
    }
    l->begun++;
    wn_event_init(&l->current);
    return &l->current;
}

static void end(void *ctx) {
    fake_log *l = ctx;
    if (l->events_max != 0 && l->begun > l->events_max) {
        l->skipped++;
        return;
    }
    if (l->ended < WN_COUNT(l->event)) l->event[l->ended] = l->current;
    if (l->ended < FAKE_EVENTS_MAX) l->why[l->ended] = l->current.why;
    l->ended++;
}

static void cut(void *ctx) {
    ((fake_log *)ctx)->cut++;
}

wn_event_sink fake_sink(fake_log *log) {
    return (wn_event_sink){log, begin, end, cut};
}

const char *fake_text(const wn_event *e, wn_field f) {
    return e->has[f] ? e->text[f] : NULL;
}
