// SPDX-License-Identifier: Apache-2.0
// fuzz_gpp.c: any bytes as a list of sections in force, a newline, a GPP string.
#include <string.h>

#include "consent_signals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(wn_span gpp, wn_span sid) {
    const wn_tcf_terms t = {.now_s = 1795262400, .vendors = {8}};
    wn_signal s = wn_gpp_read(gpp, sid, &t);
    WN_ASSERT((s.yes & s.no) == 0);
    WN_ASSERT(!s.doubt || (s.yes == 0 && s.no == WN_SIGNAL_ALL));
    if (s.doubt || gpp.p == NULL) return;
    for (size_t cut = gpp.n > 32 ? gpp.n - 32 : 0; cut < gpp.n; cut++)
        WN_ASSERT((wn_gpp_read((wn_span){gpp.p, cut}, sid, &t).yes & ~s.yes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const wn_span none = {NULL, 0};
    const uint8_t *line = n > 0 ? memchr(data, '\n', n) : NULL;
    if (line == NULL) {
        check((wn_span){data, n}, none);
        return 0;
    }
    wn_span sid = {data, (size_t)(line - data)}, gpp = {line + 1, n - sid.n - 1};
    check(gpp, sid);
    check(gpp, none);
    check(none, sid);
    return 0;
}
