// SPDX-License-Identifier: Apache-2.0
// fake_event.c: an event that can be read.
#include "fake_event.h"

#include <stdio.h>
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

static uint16_t keep(wn_event *e, wn_span s) {
    size_t at = e->pool_n;
    if (s.n != 0) memcpy(e->pool + at, s.p, s.n);
    e->pool_n += s.n + 1;
    return (uint16_t)at;
}

// The filter's own rule on room: three bytes a pair beside key and value.
wn_verdict wn_event_pair(wn_event *e, wn_field f, wn_span key, wn_pair_type type, wn_span value) {
    WN_ASSERT(e->has[f] && key.n <= WN_PAIR_BYTES_MAX && value.n <= WN_PAIR_BYTES_MAX);
    size_t n = 3 + key.n + value.n;
    if (n > wn_field_bytes_max(f) - e->pair_bytes[f]) return wn_event_refuse(e, WN_VERDICT_too_long), e->why;
    e->pair_bytes[f] += n;
    uint16_t at = keep(e, key);
    e->pairs[e->pairs_n++] = (fake_pair){f, type, at, (uint16_t)key.n, keep(e, value), (uint16_t)value.n};
    return WN_KEEP;
}

const char *fake_pairs(const wn_event *e) {
    static char all[65536];
    size_t n = 0;
    all[0] = '\0';
    for (size_t i = 0; i < e->pairs_n; i++) {
        const fake_pair *p = &e->pairs[i];
        const char *mark = p->type == WN_PAIR_TEXT                             ? "="
                           : p->type == WN_PAIR_NUMBER                         ? "=#"
                           : p->type == WN_PAIR_MAP || p->type == WN_PAIR_LIST ? "{"
                           : p->type == WN_PAIR_END                            ? "}"
                           : p->type == WN_PAIR_TRUE                           ? "=t"
                                                                               : "=f";
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s.%s%s%s", i == 0 ? "" : ";",
                              wn_field_name(p->field), e->pool + p->key, mark, e->pool + p->text);
    }
    return all;
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
    return (wn_event_sink){log, begin, end, cut, log->lent, log->lent_n};
}

const char *fake_text(const wn_event *e, wn_field f) {
    return e->has[f] ? e->text[f] : NULL;
}
