// SPDX-License-Identifier: Apache-2.0
// gpp_header.c: which sections a GPP string holds, and which are in force.
#include "bits.h"
#include "gpp_parts.h"

enum { HEADER_TYPE = 3, HEADER_VERSION = 1, FIBONACCI_BITS_MAX = 12 };

// Weights 1 2 3 5 8 .. from the left; two ones end it. At least 1.
static unsigned take_fibonacci(wn_bits *b) {
    unsigned value = 0, weight = 1, next = 2;
    bool last = false;
    for (int i = 0; i < FIBONACCI_BITS_MAX; i++) {
        bool bit = wn_bits_take(b, 1) != 0;
        if (bit && last) return value;
        if (bit) value += weight;
        last = bit;
        unsigned sum = weight + next;
        weight = next;
        next = sum;
    }
    b->bad = true;
    return 0;
}

bool wn_gpp_header_read(wn_span text, uint64_t *out_sections) {
    wn_bits b = wn_bits_over(text);
    if (wn_bits_take(&b, 6) != HEADER_TYPE || wn_bits_take(&b, 6) != HEADER_VERSION) return false;
    unsigned count = (unsigned)wn_bits_take(&b, 12), id = 0;
    uint64_t sections = 0;
    for (unsigned i = 0; i < count && !b.bad; i++) {
        bool group = wn_bits_take(&b, 1) != 0;
        unsigned start = id + take_fibonacci(&b), end = group ? start + take_fibonacci(&b) : start;
        if (end > WN_GPP_SECTION_MAX) return false;
        for (id = start; id < end; id++) sections |= UINT64_C(1) << id;
        sections |= UINT64_C(1) << end;
    }
    if (!wn_bits_ended(&b)) return false;
    *out_sections = sections;
    return true;
}

bool wn_gpp_sid_read(wn_span text, uint64_t *out_sections) {
    uint64_t sections = 0;
    unsigned id = 0, digits = 0;
    if (text.n == 2 && text.p[0] == '-' && text.p[1] == '1') {
        *out_sections = 0;
        return true;
    }
    for (size_t i = 0; i <= text.n; i++) {
        bool end = i == text.n || text.p[i] == ',' || text.p[i] == '_';
        if (!end && (text.p[i] < '0' || text.p[i] > '9' || ++digits > 2)) return false;
        if (!end) id = id * 10 + (text.p[i] - '0');
        if (!end) continue;
        if (digits == 0 || id == 0 || id > WN_GPP_SECTION_MAX) return false;
        sections |= UINT64_C(1) << id;
        id = digits = 0;
    }
    *out_sections = sections;
    return true;
}

bool wn_gpp_spelt(wn_span section) {
    bool more = true;
    while (more)
        if (wn_bits_over(wn_bits_cut(&section, '.', &more)).bad) return false;
    return true;
}
