// SPDX-License-Identifier: Apache-2.0
// fuzz_tcf.c: any bytes as a TC string.
#include <string.h>

#include "tcf_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_cut(wn_span text, const wn_tcf_terms *t, uint8_t granted) {
    for (size_t cut = text.n > 64 ? text.n - 64 : 0; cut < text.n; cut++) {
        wn_signal s = wn_tcf_read((wn_span){text.p, cut}, t);
        WN_ASSERT((s.yes & ~granted) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const wn_tcf_terms t = {
        .now_s = 1795262400, .li_allowed = true, .vendors = {8, 755, 65535}, .purpose_one_countries = {"DE"}};
    wn_span text = {data, n};
    wn_signal s = wn_tcf_read(text, &t);
    wn_tcf_fields f;
    const uint8_t spoken = WN_SIGNAL_basic | WN_SIGNAL_measure | WN_SIGNAL_locate | WN_SIGNAL_share;
    WN_ASSERT((s.yes & s.no) == 0 && (s.yes & ~spoken) == 0);
    WN_ASSERT(!s.doubt || (s.yes == 0 && s.no == WN_SIGNAL_ALL));
    if (n > 0 && !wn_tcf_fields_read(text, t.vendors, &f)) WN_ASSERT(s.doubt);
    if (s.doubt) return 0;
    WN_ASSERT(n > 0 && memchr(data, '=', n) == NULL);
    check_cut(text, &t, s.yes);
    return 0;
}
