// SPDX-License-Identifier: Apache-2.0
// rows.c: the catalogue of fields and verdicts as tables.
#include "rows.h"

#include <string.h>

#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = (max),
static const uint16_t bytes_max[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = #name,
static const char *const field_names[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = #transform,
static const char *const transforms[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = #purpose,
static const char *const purposes[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = 1u << WN_PURPOSE_##purpose,
static const uint8_t purpose_bits[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD

#define C 'C'
#define S 'S'
#define H 'H'
#define FIELD(name, type, purpose, transform, max, from, doc) [WN_FIELD_##name] = (from),
static const char froms[WN_FIELD_N] = {
#include "fields.def"
};
#undef FIELD
#undef C
#undef S
#undef H

#define PURPOSE(name, dflt, doc) [WN_PURPOSE_##name] = #name,
static const char *const purpose_names[WN_PURPOSE_N] = {
#include "purposes.def"
};
#undef PURPOSE

#define VERDICT(name, class, text) [WN_VERDICT_##name] = #name,
static const char *const verdict_names[WN_VERDICT_N] = {
#include "verdicts.def"
};
#undef VERDICT

#define VERDICT(name, class, text) [WN_VERDICT_##name] = text,
static const char *const verdict_texts[WN_VERDICT_N] = {
#include "verdicts.def"
};
#undef VERDICT

#define FORM false
#define PERSON true
#define VERDICT(name, class, text) [WN_VERDICT_##name] = class,
static const bool verdict_person[WN_VERDICT_N] = {
#include "verdicts.def"
};
#undef VERDICT
#undef FORM
#undef PERSON

wn_field wn_field_by_name(const char *name, size_t n) {
    for (unsigned f = 0; f < WN_FIELD_N; f++)
        if (strlen(field_names[f]) == n && memcmp(field_names[f], name, n) == 0) return (wn_field)f;
    return WN_FIELD_N;
}

const char *wn_field_name(wn_field f) {
    WN_ASSERT(f < WN_FIELD_N);
    return field_names[f];
}

size_t wn_field_bytes_max(wn_field f) {
    WN_ASSERT(f < WN_FIELD_N);
    return bytes_max[f];
}

char wn_field_from(wn_field f) {
    WN_ASSERT(f < WN_FIELD_N);
    return froms[f];
}

const char *wn_field_transform(wn_field f) {
    WN_ASSERT(f < WN_FIELD_N);
    return transforms[f];
}

const char *wn_field_purpose(wn_field f) {
    WN_ASSERT(f < WN_FIELD_N);
    return purposes[f];
}

uint8_t wn_field_purposes(wn_field f) {
    WN_ASSERT(f < WN_FIELD_N);
    return purpose_bits[f];
}

#define SIGNAL(id, doc) [WN_SIGNAL_##id] = #id,
static const char *const signal_names[WN_SIGNAL_N] = {
#include "signals.def"
};
#undef SIGNAL

const char *wn_signal_name(wn_signal_kind k) {
    WN_ASSERT(k < WN_SIGNAL_N);
    return signal_names[k];
}

unsigned wn_purpose_by_name(const char *name, size_t n) {
    for (unsigned i = 0; i < WN_PURPOSE_N; i++)
        if (strlen(purpose_names[i]) == n && memcmp(purpose_names[i], name, n) == 0) return i;
    return WN_PURPOSE_N;
}

const char *wn_verdict_name(wn_verdict v) {
    WN_ASSERT(v < WN_VERDICT_N);
    return verdict_names[v];
}

const char *wn_verdict_text(wn_verdict v) {
    WN_ASSERT(v < WN_VERDICT_N);
    return verdict_texts[v];
}

bool wn_verdict_about_person(wn_verdict v) {
    WN_ASSERT(v < WN_VERDICT_N);
    return verdict_person[v];
}
