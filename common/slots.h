// SPDX-License-Identifier: Apache-2.0
// slots.h: storage keys on disk, in one preallocated file.
//
// Each key is wrapped by a wrapping key that stands in the same root-only
// file; forgetting a key writes a new wrapping key and the re-wrapped rest to
// free slots, syncs, then zeroes the old slots in place and syncs again.
// Nothing is renamed or unlinked, so no copy stays in freed blocks.
//
// With $CREDENTIALS_DIRECTORY/winnow-key (32 bytes or more; systemd's
// LoadCredentialEncrypted=) the wrapping key is itself wrapped by its BLAKE2b: the
// disk alone opens nothing. Once so, it opens with that credential alone: WN_ERR_CREDENTIAL.
#pragma once

#include "winnow/base.h"

#define WN_SLOT_NAME_BYTES 96 // incl. NUL
#define WN_SLOTS_MAX 1024     // named limit of live keys

typedef struct wn_slots wn_slots;

// Opens or makes `path` (0600). Zeroes leftovers of a cut-off rotation.
// Holds an flock: a second opener for writing gets WN_ERR_BUSY. read_only
// needs the file to exist and takes no lock.
WN_MUST_USE wn_err wn_slots_open(const char *path, bool read_only, wn_slots **out);
void wn_slots_close(wn_slots *s); // wipes; NULL fine
// WN_ERR_NOTFOUND when there is none.
WN_MUST_USE wn_err wn_slots_get(const wn_slots *s, const char *name, uint8_t out[32]);
// Finds or makes (random) and syncs.
WN_MUST_USE wn_err wn_slots_make(wn_slots *s, const char *name, uint8_t out[32]);
// Adds a given key (replaces nothing: WN_ERR_STATE if the name exists) and syncs.
WN_MUST_USE wn_err wn_slots_put(wn_slots *s, const char *name, const uint8_t key[32]);
// Forgets the names that match (NULL-terminated list; missing names are fine)
// and replaces the wrapping key. Done only when synced.
WN_MUST_USE wn_err wn_slots_forget(wn_slots *s, const char *const *names);
// Calls fn for each name.
void wn_slots_each(const wn_slots *s, void (*fn)(void *ctx, const char *name), void *ctx);
