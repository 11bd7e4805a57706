// SPDX-License-Identifier: Apache-2.0
// fuzz_url.c: any bytes as a page address, through every reader of one.
#include <string.h>

#include "filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_route(const char *url, size_t n) {
    char once[WN_OPEN_TEXT_MAX + 1], twice[WN_OPEN_TEXT_MAX + 1];
    size_t bytes = wn_url_route(url, n, once);
    if (bytes == 0) return;
    WN_ASSERT(bytes <= WN_OPEN_TEXT_MAX && once[0] == '/' && once[bytes] == '\0');
    for (size_t i = 0; i < bytes; i++) {
        WN_ASSERT(once[i] >= 0x20 && once[i] < 0x7f);
        WN_ASSERT(!strchr("?#;@%=&\\", once[i]));
    }
    WN_ASSERT(wn_url_route(once, bytes, twice) == bytes && memcmp(once, twice, bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const char *url = (const char *)data;
    char host[256], tag[33], domain[WN_OPEN_TEXT_MAX + 1];
    static const char *const keys[] = {"source", "medium", "campaign"};
    wn_address address;
    check_route(url, n);
    if (wn_url_host(url, n, host, sizeof host)) wn_domain_registrable(host, strlen(host), domain);
    if (wn_domain_registrable(url, n, domain)) wn_channel(domain, "", "");
    for (size_t i = 0; i < WN_COUNT(keys); i++)
        if (wn_url_utm(url, n, keys[i], tag))
            WN_ASSERT(strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(tag));
    (void)wn_address_parse(url, n, &address);
    return 0;
}
