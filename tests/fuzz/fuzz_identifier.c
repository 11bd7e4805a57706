// SPDX-License-Identifier: Apache-2.0
// fuzz_identifier.c: any bytes as a value and as a key. Time stays linear, and
// what blanks surround is found as well.
#include <string.h>

#include "identifiers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define STEPS_A_BYTE 120

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_identifier_kind kind = WN_IDENTIFIER_N;
    size_t steps = 0;
    bool hit = wn_identifier_count((wn_span){data, n}, &kind, &steps);
    WN_ASSERT(hit == (kind < WN_IDENTIFIER_N));
    WN_ASSERT(n > 4096 || steps <= (n + 1) * STEPS_A_BYTE);
    (void)wn_identifier_key((wn_span){data, n});
    return 0;
}
