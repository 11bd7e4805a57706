// SPDX-License-Identifier: Apache-2.0
// mobile.c: what phones say about tracking.
#include <string.h>

#include "consent_signals.h"

enum { STATUS_BYTES_MAX = 16, ID_BYTES_MAX = 64 };

// Lower case without the hyphens, underscores and blanks that SDKs put in. 0: none, or too long.
static size_t bare(wn_span v, char out[STATUS_BYTES_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '-' || v.p[i] == '_' || v.p[i] == ' ') continue;
        if (n == STATUS_BYTES_MAX) return 0;
        out[n++] = (char)(v.p[i] >= 'A' && v.p[i] <= 'Z' ? v.p[i] | 0x20 : v.p[i]);
    }
    return n;
}

static bool is(const char *word, size_t n, const char *name) {
    return n == strlen(name) && memcmp(word, name, n) == 0;
}

static wn_signal read_status(wn_span v) {
    static const char *const refusals[] = {"0",          "1",      "2",          "notdetermined",
                                           "restricted", "denied", "unavailable"};
    char word[STATUS_BYTES_MAX];
    if (v.p == NULL) return WN_SIGNAL_SILENT;
    size_t n = bare(v, word);
    if (is(word, n, "3") || is(word, n, "authorized")) return WN_SIGNAL_SILENT;
    for (size_t i = 0; i < WN_COUNT(refusals); i++)
        if (is(word, n, refusals[i])) return wn_signal_refusing(WN_SIGNAL_share);
    return WN_SIGNAL_DOUBT;
}

static wn_signal read_flag(wn_span v) {
    char word[STATUS_BYTES_MAX];
    if (v.p == NULL) return WN_SIGNAL_SILENT;
    size_t n = bare(v, word);
    if (is(word, n, "true") || is(word, n, "1")) return WN_SIGNAL_SILENT;
    if (is(word, n, "false") || is(word, n, "0")) return wn_signal_refusing(WN_SIGNAL_share);
    return WN_SIGNAL_DOUBT;
}

wn_signal wn_att_read(wn_span status, wn_span ad_tracking) {
    return wn_signal_strictest(read_status(status), read_flag(ad_tracking));
}

bool wn_zero_advertising_id(wn_span id) {
    size_t zeros = 0;
    if (id.n > ID_BYTES_MAX) return false;
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] != '\0' && strchr("-_{} ", id.p[i]) != NULL) continue;
        if (id.p[i] != '0') return false;
        zeros++;
    }
    return zeros > 0;
}
