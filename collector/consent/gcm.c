// SPDX-License-Identifier: Apache-2.0
// gcm.c: Google Consent Mode as it stands in GA4's requests. The letters are
// not documented; what is not known to mean "granted" or "not set" is denied.
#include <string.h>

#include "consent_signals.h"

// gcd: "1", a digit, then a letter and digit each. Newer tags add a fifth
// letter, not read; there is room for as many again.
enum { GCD_LETTERS_MIN = 4, GCD_LETTERS_MAX = 8, GCS_BYTES = 4 };
enum gcd_place { AD_STORAGE, ANALYTICS_STORAGE, AD_USER_DATA, AD_PERSONALIZATION };

static wn_signal granted(bool yes, uint8_t bits) {
    return yes ? (wn_signal){bits, 0, false} : wn_signal_refusing(bits);
}

static bool digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static wn_signal read_gcs(wn_span v, uint8_t analytics) {
    if (v.p == NULL) return WN_SIGNAL_SILENT;
    if (v.n != GCS_BYTES || v.p[0] != 'G' || v.p[1] != '1') return WN_SIGNAL_DOUBT;
    for (size_t i = 2; i < GCS_BYTES; i++)
        if (v.p[i] != '0' && v.p[i] != '1' && v.p[i] != '-') return WN_SIGNAL_DOUBT;
    return v.p[3] == '-' ? WN_SIGNAL_SILENT : granted(v.p[3] == '1', analytics);
}

static bool read_letters(wn_span v, uint8_t letters[GCD_LETTERS_MAX]) {
    size_t at = 2, n = 0;
    if (v.n < 2 || v.p[0] != '1' || !digit(v.p[1])) return false;
    while (at < v.n) {
        if (n == GCD_LETTERS_MAX || v.p[at] < 'a' || v.p[at] > 'z') return false;
        letters[n++] = v.p[at++];
        size_t from = at;
        while (at < v.n && digit(v.p[at])) at++;
        if (at == from || (n < GCD_LETTERS_MIN && at - from != 1)) return false;
    }
    return n >= GCD_LETTERS_MIN;
}

static wn_signal letter(uint8_t c, uint8_t bits) {
    return c == 'l' ? WN_SIGNAL_SILENT : granted(memchr("trnv", c, 4) != NULL, bits);
}

wn_signal wn_gcm_read(wn_span gcs, wn_span gcd, bool analytics_opt_in) {
    uint8_t letters[GCD_LETTERS_MAX];
    const uint8_t analytics = (uint8_t)(WN_SIGNAL_measure | (analytics_opt_in ? WN_SIGNAL_basic : 0));
    wn_signal s = read_gcs(gcs, analytics);
    if (gcd.p == NULL) return s;
    if (gcd.n > WN_SIGNAL_TEXT_BYTES_MAX || !read_letters(gcd, letters)) return WN_SIGNAL_DOUBT;
    s = wn_signal_strictest(s, letter(letters[ANALYTICS_STORAGE], analytics));
    return wn_signal_strictest(s, letter(letters[AD_USER_DATA], WN_SIGNAL_share));
}

wn_signal wn_gcm_word_read(wn_span v) {
    if (v.p == NULL) return WN_SIGNAL_SILENT;
    if (v.n == 7 && memcmp(v.p, "GRANTED", 7) == 0) return granted(true, WN_SIGNAL_share);
    if (v.n == 6 && memcmp(v.p, "DENIED", 6) == 0) return granted(false, WN_SIGNAL_share);
    return WN_SIGNAL_DOUBT;
}
