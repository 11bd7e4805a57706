// SPDX-License-Identifier: Apache-2.0
// domain.c: the registrable domain of a host, by the ICANN section of the public
// suffix list only: under the private section `alice.github.io` would be a value.
#include <libpsl.h>
#include <string.h>

#include "filter.h"
#include "url_parts.h"

static bool is_suffix(const char *name) {
    return psl_is_public_suffix2(psl_builtin(), name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 1;
}

// Names of the DNS's own machinery; they hold addresses.
static bool is_reverse(const char *host, size_t n) {
    return n >= 5 && memcmp(host + n - 5, ".arpa", 5) == 0;
}

bool wn_domain_registrable(const char *host, size_t n, char out[WN_OPEN_TEXT_MAX + 1]) {
    char name[WN_HOST_BYTES];
    size_t bytes = 0;
    if (!wn_host_lower((wn_span){(const uint8_t *)host, n}, name, &bytes)) return false;
    // Left to right: the first name whose parent is a suffix is the one. A host
    // that ends in no listed suffix (addresses, localhost, printer.corp) has none.
    const char *found = NULL;
    for (const char *at = name, *dot = NULL; !is_suffix(at) && (dot = strchr(at, '.')) != NULL; at = dot + 1)
        if (is_suffix(dot + 1)) {
            found = at;
            break;
        }
    size_t found_bytes = found ? bytes - (size_t)(found - name) : 0;
    bool fine = found && found_bytes <= WN_OPEN_TEXT_MAX && !is_reverse(name, bytes);
    if (fine) memcpy(out, found, found_bytes + 1);
    wn_wipe(name, bytes);
    return fine;
}
