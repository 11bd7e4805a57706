// SPDX-License-Identifier: Apache-2.0
// usp.c: the US Privacy string: version, notice given, opted out of sale, LSPA.
#include "consent_signals.h"

enum { USP_BYTES = 4, OPT_OUT_AT = 2 };

static bool is_answer(uint8_t c) {
    return c == 'Y' || c == 'y' || c == 'N' || c == 'n' || c == '-';
}

wn_signal wn_usp_read(wn_span text) {
    if (text.p == NULL) return WN_SIGNAL_SILENT;
    if (text.n != USP_BYTES || text.p[0] != '1') return WN_SIGNAL_DOUBT;
    for (size_t i = 1; i < USP_BYTES; i++)
        if (!is_answer(text.p[i])) return WN_SIGNAL_DOUBT;
    bool opted_out = text.p[OPT_OUT_AT] == 'Y' || text.p[OPT_OUT_AT] == 'y';
    return opted_out ? wn_signal_refusing(WN_SIGNAL_share) : WN_SIGNAL_SILENT;
}
