// SPDX-License-Identifier: Apache-2.0
// gpp.c: a GPP string, section by section; the strictest section wins.
//
// While any section in force is not read whole, the string grants nothing: what
// that section would refuse may be in the part that is not read, or not there. So
// a string cut off at any byte grants nothing that the whole string does not.
#include "bits.h"
#include "gpp_parts.h"

enum { TCF_EU_V2 = 2, USP_V1 = 6, US_FIRST = 7 };

static wn_signal read_section(unsigned id, wn_span text, const wn_tcf_terms *t, bool *whole) {
    *whole = true;
    if (id == TCF_EU_V2) return wn_tcf_read(text, t);
    if (id == USP_V1) return wn_usp_read(text);
    if (wn_gpp_us_known(id)) return wn_gpp_us_read(id, text, t->gpc_drops, whole);
    *whole = false;
    if (id >= US_FIRST) return wn_gpp_us_unknown(text, t->gpc_drops);
    return wn_signal_refusing(WN_SIGNAL_share | WN_SIGNAL_locate);
}

wn_signal wn_gpp_read(wn_span gpp, wn_span sid, const wn_tcf_terms *t) {
    uint64_t present = 0, in_force = 0;
    bool more;
    if (sid.p != NULL && !wn_gpp_sid_read(sid, &in_force)) return WN_SIGNAL_DOUBT;
    if (gpp.p == NULL) return in_force == 0 ? WN_SIGNAL_SILENT : WN_SIGNAL_DOUBT;
    if (gpp.n > WN_SIGNAL_TEXT_BYTES_MAX) return WN_SIGNAL_DOUBT;
    if (!wn_gpp_header_read(wn_bits_cut(&gpp, '~', &more), &present)) return WN_SIGNAL_DOUBT;
    if (sid.p == NULL) in_force = present;
    if (in_force & ~present) return WN_SIGNAL_DOUBT;

    wn_signal s = WN_SIGNAL_SILENT;
    bool all_whole = true;
    for (unsigned id = 0; id <= WN_GPP_SECTION_MAX; id++) {
        if (!(present >> id & 1u)) continue;
        if (!more) return WN_SIGNAL_DOUBT; // the header promised more
        wn_span text = wn_bits_cut(&gpp, '~', &more);
        if (!wn_gpp_spelt(text)) return WN_SIGNAL_DOUBT; // in force or not: the string is not whole
        if (!(in_force >> id & 1u)) continue;
        bool whole;
        s = wn_signal_strictest(s, read_section(id, text, t, &whole));
        all_whole = all_whole && whole;
    }
    if (!all_whole) s.yes = 0;
    return more ? WN_SIGNAL_DOUBT : s;
}
