// SPDX-License-Identifier: Apache-2.0
// region.c: a closed list, so that no file's idea of a region can name a village.
#include "region.h"

#include <string.h>

#define REGION(country, codes) {country, codes},
static const struct {
    char country[3];
    const char *codes;
} rows[] = {
#include "regions.def"
};
#undef REGION

static bool stands_in(const char *codes, const char *code, size_t n) {
    for (const char *p = codes; *p != '\0';) {
        size_t bytes = strcspn(p, " ");
        if (bytes == n && memcmp(p, code, n) == 0) return true;
        p += bytes + (p[bytes] == ' ');
    }
    return false;
}

bool wn_region_listed(const char country[2], const char *code, size_t n) {
    if (n == 0 || n > 3) return false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (memcmp(rows[i].country, country, 2) == 0) return stands_in(rows[i].codes, code, n);
    return false;
}
