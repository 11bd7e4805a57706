// SPDX-License-Identifier: Apache-2.0
// slots_keys: prints every live storage key of a slots file as `name hex`, so
// that a test can look for them after they were forgotten. Tests only.
#include <stdio.h>
#include <sodium.h>

#include "crypt.h"
#include "slots.h"

static void print(void *ctx, const char *name) {
    uint8_t key[32];
    char hex[65];
    if (wn_slots_get(ctx, name, key) != WN_OK) return;
    printf("%s %s\n", name, sodium_bin2hex(hex, sizeof hex, key, sizeof key));
}

int main(int argc, char **argv) {
    wn_slots *s = NULL;
    if (argc != 2 || wn_crypt_init() != WN_OK) return 2;
    if (wn_slots_open(argv[1], true, &s) != WN_OK) return 1;
    wn_slots_each(s, print, s);
    wn_slots_close(s);
    return 0;
}
