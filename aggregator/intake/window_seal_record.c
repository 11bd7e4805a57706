// SPDX-License-Identifier: Apache-2.0
// window_seal_record.c: the seed and the time of a seal, kept in the window's own store.
//
// Noise that is drawn twice can be averaged away (R8). So the seed is durable before the first draw, under
// the window's storage key, and dies with it; a daemon that was killed in between draws the same, byte for
// byte.
#include "crypt.h"
#include "windows_impl.h"

#define FACT "seal"
enum { VERSION = 1, RECORD_BYTES = 1 + WN_NOISE_SEED_BYTES + 8 };

wn_err wn_windows_seal_find(open_window *o) {
    uint8_t bytes[RECORD_BYTES];
    size_t n = 0;
#ifdef WN_MUTANT_NOISE_PER_QUERY
    return WN_OK;
#endif
    wn_err err = wn_open_store_get(o->store, FACT, bytes, sizeof bytes, &n);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    if (err == WN_ERR_FULL) return WN_ERR_FORMAT;
    WN_TRY(err);
    if (n != sizeof bytes || bytes[0] != VERSION) return WN_ERR_FORMAT;
    memcpy(o->seal.seed, bytes + 1, sizeof o->seal.seed);
    memcpy(&o->seal.at_s, bytes + 1 + sizeof o->seal.seed, sizeof o->seal.at_s);
    o->seal.made = true;
    wn_wipe(bytes, sizeof bytes);
    return WN_OK;
}

// Without a random seed, or when it cannot be made durable, nothing is sealed.
wn_err wn_windows_seal_make(open_window *o, int64_t now_s) {
    uint8_t bytes[RECORD_BYTES] = {VERSION};
    if (o->seal.made) return WN_OK;
    WN_TRY(wn_random(bytes + 1, WN_NOISE_SEED_BYTES));
    memcpy(bytes + 1 + WN_NOISE_SEED_BYTES, &now_s, sizeof now_s);
    wn_err err = wn_open_store_begin(o->store);
    if (err == WN_OK) err = wn_open_store_put(o->store, FACT, (wn_span){bytes, sizeof bytes});
    if (err == WN_OK && o->meta_dirty) err = wn_windows_put_meta(o); // the lock rules are the same again, too
    if (err == WN_OK) err = wn_open_store_commit(o->store);
    if (err == WN_OK) {
        memcpy(o->seal.seed, bytes + 1, sizeof o->seal.seed);
        o->seal.at_s = now_s;
        o->seal.made = true;
        o->meta_dirty = false;
    } else {
        wn_open_store_abort(o->store);
    }
    wn_wipe(bytes, sizeof bytes);
    return err;
}
