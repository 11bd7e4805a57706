// SPDX-License-Identifier: Apache-2.0
// fuzz_term.c: any bytes as free text, and as the other coarsened texts.
#include <string.h>

#include "crash.h"
#include "identifiers.h"
#include "terms.h"
#include "traits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_term(wn_span text) {
    char once[WN_TERM_BYTES_MAX + 1], twice[WN_TERM_BYTES_MAX + 1];
    size_t bytes = wn_term(text, once), tokens = 1;
    if (bytes == 0) return;
    WN_ASSERT(bytes <= WN_TERM_BYTES_MAX && once[bytes] == '\0' && once[0] != ' ' && once[bytes - 1] != ' ');
    for (size_t i = 0; i < bytes; i++) tokens += once[i] == ' ';
    WN_ASSERT(tokens <= WN_TERM_TOKENS_MAX);
    WN_ASSERT(!wn_identifier_in(text, NULL));
    WN_ASSERT(!wn_identifier_in((wn_span){(const uint8_t *)once, bytes}, NULL));
    WN_ASSERT(wn_term((wn_span){(const uint8_t *)once, bytes}, twice) == bytes &&
              memcmp(once, twice, bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_span text = {data, n};
    char class[WN_CRASH_CLASS_MAX + 1], version[WN_APP_VERSION_MAX + 1];
    check_term(text);
    size_t bytes = wn_crash_class(text, class);
    WN_ASSERT(bytes == 0 || (bytes == n && memcmp(class, data, n) == 0));
    bytes = wn_app_version(text, version);
    WN_ASSERT(bytes == 0 || strspn(version, "0123456789.") == bytes);
    WN_ASSERT(wn_age_band(text, 20590) < WN_AGE_N);
    (void)wn_job_family(text);
    (void)wn_maker(text);
    (void)wn_connection(text);
    return 0;
}
