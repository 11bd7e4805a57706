// SPDX-License-Identifier: Apache-2.0
// signal.c: how signals combine, and what they leave of a site's default.
#include "consent_signals.h"

_Static_assert(WN_SIGNAL_BITS <= 8, "a signal's sets are one byte");

wn_signal wn_signal_strictest(wn_signal a, wn_signal b) {
    if (a.doubt || b.doubt) return WN_SIGNAL_DOUBT;
    uint8_t no = a.no | b.no;
#ifdef WN_MUTANT_GRANT_OUTWEIGHS
    no &= (uint8_t) ~(a.yes | b.yes);
#endif
    return (wn_signal){(uint8_t)((a.yes | b.yes) & ~no), no, false};
}
