// SPDX-License-Identifier: Apache-2.0
// fuzz_consent_small.c: any bytes as each of the short signals: US Privacy,
// Consent Mode, tracking status, advertising id, a consent category.
#include <string.h>

#include "consent_signals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(wn_signal s, uint8_t may_grant) {
    WN_ASSERT((s.yes & s.no) == 0 && (s.yes & ~may_grant) == 0);
    WN_ASSERT(!s.doubt || (s.yes == 0 && s.no == WN_SIGNAL_ALL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const wn_span all = {data, n}, none = {NULL, 0};
    const uint8_t *line = n > 0 ? memchr(data, '\n', n) : NULL;
    wn_span head = {data, line != NULL ? (size_t)(line - data) : n};
    wn_span tail = line != NULL ? (wn_span){line + 1, n - head.n - 1} : none;
    wn_categories c;
    check(wn_usp_read(all), 0);
    check(wn_gcm_read(all, none, false), WN_SIGNAL_measure);
    check(wn_gcm_read(none, all, false), WN_SIGNAL_measure | WN_SIGNAL_share);
    check(wn_gcm_read(head, tail, true), WN_SIGNAL_basic | WN_SIGNAL_measure | WN_SIGNAL_share);
    check(wn_gcm_word_read(all), WN_SIGNAL_share);
    check(wn_att_read(head, tail), 0);
    if (wn_zero_advertising_id(all)) WN_ASSERT(n >= 1 && n <= 64);
    wn_categories_init(&c);
    wn_categories_begin(&c, true);
    wn_categories_add(&c, head, true);
    wn_categories_add(&c, tail, false);
    check(wn_categories_end(&c), WN_SIGNAL_ALL);
    return 0;
}
