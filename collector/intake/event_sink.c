// SPDX-License-Identifier: Apache-2.0
// event_sink.c: the rules both decoders share about keys and their values.
#include "event_sink.h"

_Static_assert(WN_FIELD_N <= 64, "wn_filling.seen has one bit a field");

enum type { NAME, TEXT, TIME, HEX, LIST, MAP, ADDR, FLAG };

static const uint8_t field_type[WN_FIELD_N] = {
#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = type,
#include "fields.def"
#undef FIELD
};

void wn_filling_init(wn_filling *f, const wn_event_sink *sink) {
    *f = (wn_filling){.sink = sink};
}

void wn_filling_begin(wn_filling *f) {
    f->event = f->sink->begin(f->sink->ctx);
    f->begun = true;
    f->named = false;
    f->seen = 0;
}

wn_shape wn_filling_shape(wn_field field) {
    if (field >= WN_FIELD_N || field_type[field] == FLAG) return WN_SHAPE_NEVER;
    if (field_type[field] == LIST) return WN_SHAPE_LIST;
    return field_type[field] == MAP ? WN_SHAPE_MAP : WN_SHAPE_TEXT;
}

wn_field wn_filling_key(wn_filling *f, const void *name, size_t n) {
    wn_field field = wn_field_by_name(name, n);
    if (field == WN_FIELD_N || wn_field_from(field) == 'H') {
        wn_filling_refuse(f, WN_VERDICT_unknown_field);
        return WN_FIELD_N;
    }
    uint64_t bit = UINT64_C(1) << field;
    if (f->seen & bit) {
        wn_filling_refuse(f, WN_VERDICT_duplicate_field);
        return WN_FIELD_N;
    }
    f->seen |= bit;
    return field;
}

void wn_filling_text(wn_filling *f, wn_field field, const void *p, size_t n) {
    f->named |= field == WN_FIELD_site;
    if (f->event != NULL) (void)wn_event_set(f->event, field, p, n);
}

void wn_filling_open(wn_filling *f, wn_field field) {
    if (f->event != NULL) (void)wn_event_set(f->event, field, NULL, 0);
}

void wn_filling_wrong(wn_filling *f, wn_field field) {
    if (f->event == NULL) return;
    if (field == WN_FIELD_purposes) wn_event_doubt_consent(f->event);
    else wn_event_refuse(f->event, WN_VERDICT_malformed);
}

void wn_filling_refuse(wn_filling *f, wn_verdict why) {
    if (f->event != NULL) wn_event_refuse(f->event, why);
}

void wn_filling_end(wn_filling *f, wn_span default_site) {
    if (!f->named && default_site.n != 0) wn_filling_text(f, WN_FIELD_site, default_site.p, default_site.n);
    f->event = NULL;
    f->begun = false;
    f->sink->end(f->sink->ctx);
}

void wn_filling_cut(wn_filling *f) {
    if (!f->begun) return;
    f->event = NULL;
    f->begun = false;
    f->sink->cut(f->sink->ctx);
}
