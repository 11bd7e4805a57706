// SPDX-License-Identifier: Apache-2.0
// tcf_fields.c: the layout of a TC string. All of it is read, also what nobody
// asks for: a string that is wrong anywhere is not believed anywhere.
#include "tcf_fields.h"

#include "bits.h"

enum segment { SEGMENT_CORE, SEGMENT_DISCLOSED, SEGMENT_ALLOWED, SEGMENT_PUBLISHER };
enum { TCF_VERSION = 2, CMP_ID_MIN = 2, RESTRICTION_CONSENT = 1, RESTRICTION_UNDEFINED = 3 };

// The first bit on the wire becomes the lowest.
static uint32_t take_set(wn_bits *b, unsigned count) {
    uint32_t bits = (uint32_t)wn_bits_take(b, count), set = 0;
    for (unsigned i = 0; i < count; i++, bits >>= 1) set = set << 1 | (bits & 1);
    return set;
}

static void take_letters(wn_bits *b, char out[2]) {
    for (int i = 0; i < 2; i++) {
        unsigned letter = (unsigned)wn_bits_take(b, 6);
        if (letter > 'Z' - 'A') b->bad = true;
        out[i] = (char)('A' + letter);
    }
}

// One entry of a list of ranges: which of `vendors` lie in it.
static uint8_t take_range(wn_bits *b, const uint16_t vendors[], uint32_t id_max) {
    bool many = wn_bits_take(b, 1) != 0;
    uint32_t start = (uint32_t)wn_bits_take(b, 16), end = many ? (uint32_t)wn_bits_take(b, 16) : start;
    if (start == 0 || end < start || end > id_max) b->bad = true;
    uint8_t in = 0;
    for (unsigned v = 0; v < WN_TCF_VENDORS_MAX && !b->bad; v++)
        if (vendors[v] >= start && vendors[v] <= end) in |= (uint8_t)(1u << v);
    return in;
}

static uint8_t take_ranges(wn_bits *b, const uint16_t vendors[], uint32_t id_max) {
    unsigned entries = (unsigned)wn_bits_take(b, 12);
    uint8_t in = 0;
    for (unsigned i = 0; i < entries && !b->bad; i++) in |= take_range(b, vendors, id_max);
    return in;
}

static uint8_t take_vendors(wn_bits *b, const uint16_t vendors[]) {
    uint32_t id_max = (uint32_t)wn_bits_take(b, 16);
    if (wn_bits_take(b, 1) != 0) return take_ranges(b, vendors, id_max);
    uint8_t in = 0;
    for (unsigned v = 0; v < WN_TCF_VENDORS_MAX; v++)
        if (vendors[v] != 0 && vendors[v] <= id_max && wn_bits_peek(b, vendors[v] - 1u))
            in |= (uint8_t)(1u << v);
    wn_bits_skip(b, id_max);
    return in;
}

static void take_restrictions(wn_bits *b, const uint16_t vendors[], wn_tcf_fields *f) {
    unsigned count = (unsigned)wn_bits_take(b, 12);
    for (unsigned i = 0; i < count && !b->bad; i++) {
        unsigned purpose = (unsigned)wn_bits_take(b, 6), type = (unsigned)wn_bits_take(b, 2);
        uint8_t in = take_ranges(b, vendors, UINT16_MAX);
        if (purpose == 0 || purpose > WN_TCF_PURPOSES || type == RESTRICTION_UNDEFINED) b->bad = true;
        if (!b->bad && type != RESTRICTION_CONSENT) f->unconsentable[purpose - 1] |= in;
    }
}

static bool read_core(wn_span text, const uint16_t vendors[], wn_tcf_fields *f) {
    wn_bits b = wn_bits_over(text);
    if (wn_bits_take(&b, 6) != TCF_VERSION) return false;
    f->created_ds = wn_bits_take(&b, 36);
    f->updated_ds = wn_bits_take(&b, 36);
    f->cmp_id = (uint16_t)wn_bits_take(&b, 12);
    f->cmp_version = (uint16_t)wn_bits_take(&b, 12);
    f->screen = (uint8_t)wn_bits_take(&b, 6);
    take_letters(&b, f->language);
    f->list_version = (uint16_t)wn_bits_take(&b, 12);
    f->policy = (uint8_t)wn_bits_take(&b, 6);
    bool service_specific = wn_bits_take(&b, 1) != 0;
    f->nonstandard_texts = wn_bits_take(&b, 1) != 0;
    f->features = (uint16_t)take_set(&b, WN_TCF_FEATURES);
    f->purposes = take_set(&b, WN_TCF_PURPOSES);
    f->purposes_li = take_set(&b, WN_TCF_PURPOSES);
    f->one_treatment = wn_bits_take(&b, 1) != 0;
    take_letters(&b, f->country);
    f->vendors = take_vendors(&b, vendors);
    f->vendors_li = take_vendors(&b, vendors);
    take_restrictions(&b, vendors, f);
    return wn_bits_ended(&b) && service_specific && f->cmp_id >= CMP_ID_MIN && f->created_ds <= f->updated_ds;
}

// A segment after the core. Of an unknown kind only the alphabet is checked: it
// can take nothing away that `share` does not need elsewhere.
static bool read_segment(wn_span text, const uint16_t vendors[], wn_tcf_fields *f, unsigned *seen) {
    wn_bits b = wn_bits_over(text);
    unsigned type = (unsigned)wn_bits_take(&b, 3);
    if (b.bad || (*seen & 1u << type)) return false;
    *seen |= 1u << type;
    switch (type) {
    case SEGMENT_DISCLOSED: f->disclosed = take_vendors(&b, vendors); return wn_bits_ended(&b);
    case SEGMENT_ALLOWED: (void)take_vendors(&b, vendors); return wn_bits_ended(&b);
    case SEGMENT_PUBLISHER:
        wn_bits_skip(&b, 2 * WN_TCF_PURPOSES);
        wn_bits_skip(&b, 2 * (size_t)wn_bits_take(&b, 6));
        return wn_bits_ended(&b);
    default: return true;
    }
}

bool wn_tcf_fields_read(wn_span text, const uint16_t vendors[WN_TCF_VENDORS_MAX], wn_tcf_fields *out) {
    if (text.n > WN_SIGNAL_TEXT_BYTES_MAX) return false;
    wn_tcf_fields f = {0};
    bool more;
    unsigned seen = 1u << SEGMENT_CORE;
    if (!read_core(wn_bits_cut(&text, '.', &more), vendors, &f)) return false;
    while (more)
        if (!read_segment(wn_bits_cut(&text, '.', &more), vendors, &f, &seen)) return false;
    *out = f;
    return true;
}
