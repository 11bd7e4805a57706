// SPDX-License-Identifier: Apache-2.0
#include "bench_store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crypt.h"

wn_err wn_bench_store_open(const char *state, wn_published **out) {
    char path[400];
    uint8_t key[32];
    wn_slots *slots;
    snprintf(path, sizeof path, "%s/aggregator", state);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/aggregator/keys", state);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/aggregator/keys/slots", state);
    WN_TRY(wn_crypt_init());
    WN_TRY(wn_slots_open(path, false, &slots));
    wn_err err = wn_slots_make(slots, "published", key);
    wn_slots_close(slots);
    WN_TRY(err);
    static uint8_t kept[32]; // borrowed by the store until it is closed
    memcpy(kept, key, sizeof kept);
    snprintf(path, sizeof path, "%s/aggregator", state);
    return wn_published_open(path, kept, false, (size_t)1 << 30, out);
}
