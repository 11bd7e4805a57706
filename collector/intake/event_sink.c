// SPDX-License-Identifier: Apache-2.0
// event_sink.c: the rules all decoders share about keys and their values.
#include "event_sink.h"

#include <string.h>

_Static_assert(WN_FIELD_N <= 64, "wn_filling.seen has one bit a field");

enum type { NAME, TEXT, TIME, HEX, BOOL, LIST, MAP, ADDR, FLAG };

typedef struct row {
    uint8_t type;
    const char *transform;
} row;

static const row rows[WN_FIELD_N] = {
#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = {type, #transform},
#include "fields.def"
#undef FIELD
};

void wn_filling_init(wn_filling *f, const wn_event_sink *sink) {
    f->sink = sink;
    f->event = NULL;
    f->begun = false;
    f->seen = f->told = 0;
    f->map.keys_most = 0;
}

void wn_filling_begin(wn_filling *f) {
    f->event = f->sink->begin(f->sink->ctx);
    f->begun = true;
    f->seen = f->told = 0;
}

wn_shape wn_filling_shape(wn_field field) {
    if (field >= WN_FIELD_N) return WN_SHAPE_NEVER;
    switch (rows[field].type) {
    case FLAG: return WN_SHAPE_NEVER;
    case LIST: return WN_SHAPE_LIST;
    case MAP: return WN_SHAPE_MAP;
    case BOOL: return WN_SHAPE_BOOL;
    default: return WN_SHAPE_TEXT;
    }
}

bool wn_filling_about_consent(wn_field field) {
    return field < WN_FIELD_N && strcmp(rows[field].transform, "CONSENT") == 0;
}

bool wn_filling_stated(const wn_filling *f, wn_field field) {
    return (f->told >> field & 1) != 0;
}

bool wn_filling_field(wn_filling *f, wn_field field) {
    uint64_t bit = UINT64_C(1) << field;
    if (f->seen & bit) {
        wn_filling_refuse(f, WN_VERDICT_duplicate_field);
        return false;
    }
    f->seen |= bit;
    return true;
}

wn_field wn_filling_key(wn_filling *f, const void *name, size_t n) {
    wn_field field = wn_field_by_name(name, n);
    if (field == WN_FIELD_N || wn_field_from(field) == 'H') {
        wn_filling_refuse(f, WN_VERDICT_unknown_field);
        return WN_FIELD_N;
    }
    return wn_filling_field(f, field) ? field : WN_FIELD_N;
}

void wn_filling_text(wn_filling *f, wn_field field, const void *p, size_t n) {
    f->told |= UINT64_C(1) << field;
    if (f->event != NULL) (void)wn_event_set(f->event, field, p, n);
}

// 1, 0 or -1 for what is neither.
static int truth(wn_pair_type type, const char *p, size_t n) {
    if (type == WN_PAIR_TRUE || type == WN_PAIR_FALSE) return type == WN_PAIR_TRUE;
    if (type == WN_PAIR_NUMBER && n == 1 && (*p == '0' || *p == '1')) return *p == '1';
    if (type == WN_PAIR_TEXT && n == 4 && memcmp(p, "true", 4) == 0) return 1;
    return type == WN_PAIR_TEXT && n == 5 && memcmp(p, "false", 5) == 0 ? 0 : -1;
}

void wn_filling_value(wn_filling *f, wn_field field, wn_pair_type type, const void *p, size_t n) {
    wn_shape shape = wn_filling_shape(field);
    int yes = shape == WN_SHAPE_BOOL ? truth(type, p, n) : -1;
    bool text = shape == WN_SHAPE_TEXT && (type == WN_PAIR_TEXT || type == WN_PAIR_NUMBER);
    if (text) wn_filling_text(f, field, p, n);
    else if (yes >= 0) wn_filling_text(f, field, yes ? "1" : "0", 1);
    else wn_filling_wrong(f, field);
}

void wn_filling_commas(wn_filling *f, wn_field field, const char *p, size_t n) {
    wn_filling_open(f, field);
    for (size_t i = 0, begin = 0; p != NULL && i <= n; i++) {
        if (i < n && p[i] != ',') continue;
        size_t end = i;
        while (begin < end && p[begin] == ' ') begin++;
        while (begin < end && p[end - 1] == ' ') end--;
        if (begin < end) wn_filling_text(f, field, p + begin, end - begin);
        begin = i + 1;
    }
}

void wn_filling_open(wn_filling *f, wn_field field) {
    f->told |= UINT64_C(1) << field;
    if (f->event != NULL) (void)wn_event_set(f->event, field, NULL, 0);
}

void wn_filling_wrong(wn_filling *f, wn_field field) {
    if (f->event == NULL) return;
    if (wn_filling_about_consent(field)) wn_event_doubt_consent(f->event);
    else wn_event_refuse(f->event, WN_VERDICT_malformed);
}

void wn_filling_refuse(wn_filling *f, wn_verdict why) {
    if (f->event != NULL) wn_event_refuse(f->event, why);
}

static void lend(wn_filling *f, const wn_lent *l) {
    if (wn_filling_stated(f, l->field)) return;
    if (l->twice) wn_filling_refuse(f, WN_VERDICT_duplicate_field);
    else if (wn_filling_shape(l->field) == WN_SHAPE_LIST)
        wn_filling_commas(f, l->field, (const char *)l->text.p, l->text.n);
    else wn_filling_text(f, l->field, l->text.p, l->text.n);
}

void wn_filling_end(wn_filling *f, wn_span default_site) {
    if (default_site.n != 0 && !wn_filling_stated(f, WN_FIELD_site))
        wn_filling_text(f, WN_FIELD_site, default_site.p, default_site.n);
    for (size_t i = 0; i < f->sink->lent_n; i++) lend(f, &f->sink->lent[i]);
    wn_event_map_wipe(&f->map);
    f->event = NULL;
    f->begun = false;
    f->sink->end(f->sink->ctx);
}

void wn_filling_cut(wn_filling *f) {
    if (!f->begun) return;
    wn_event_map_wipe(&f->map);
    f->event = NULL;
    f->begun = false;
    f->sink->cut(f->sink->ctx);
}

// ---- maps ----

// Of properties the outermost level is enough: only scalars can be declared.
void wn_filling_map(wn_filling *f, wn_field field) {
    wn_filling_open(f, field);
    wn_event_map_begin(&f->map, field, wn_filling_about_consent(field));
}

// Of a property one value less is no harm; of consent it may be the one that denies.
static void lost(wn_filling *f) {
    if (f->event != NULL && wn_filling_about_consent(f->map.field)) wn_event_doubt_consent(f->event);
}

void wn_filling_map_key(wn_filling *f, wn_span key) {
    bool consent = wn_filling_about_consent(f->map.field);
    switch (wn_event_map_key(&f->map, key)) {
    case WN_MAP_NEW: return;
    case WN_MAP_TOO_LONG: lost(f); return;
    case WN_MAP_TOO_MANY: wn_filling_refuse(f, WN_VERDICT_too_many); return;
    case WN_MAP_TWICE:
        if (!consent) wn_filling_refuse(f, WN_VERDICT_duplicate_field);
        lost(f);
        return;
    }
}

void wn_filling_map_value(wn_filling *f, wn_pair_type type, wn_span value) {
    wn_span key;
    if (f->event == NULL || !wn_event_map_value(&f->map, &key)) return;
    if (value.n > WN_PAIR_BYTES_MAX) lost(f);
    else (void)wn_event_pair(f->event, f->map.field, key, type, value);
}

void wn_filling_map_open(wn_filling *f, bool list) {
    wn_filling_map_value(f, list ? WN_PAIR_LIST : WN_PAIR_MAP, (wn_span){NULL, 0});
    wn_event_map_open(&f->map, list);
}

bool wn_filling_map_close(wn_filling *f) {
    bool whole = wn_event_map_close(&f->map);
    // Of consent it counts what stands inside what.
    if (!whole && f->event != NULL && wn_filling_about_consent(f->map.field))
        (void)wn_event_pair(f->event, f->map.field, (wn_span){NULL, 0}, WN_PAIR_END, (wn_span){NULL, 0});
    return whole;
}

void wn_filling_map_odd(wn_filling *f) {
    lost(f);
}
