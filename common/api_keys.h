// SPDX-License-Identifier: Apache-2.0
// api_keys.h: who may read published rows over HTTP (CONFIG/api_keys.yaml).
//
// A key is 32 random bytes, so that nobody guesses it however fast a guess is
// tried: its BLAKE2b-256 is what is kept, and no slow hash would add anything.
#pragma once

#include "conf.h"

#define WN_API_KEYS_MAX 256
#define WN_API_KEY_NAME_BYTES 64 // [a-zA-Z0-9_-], NUL included
#define WN_API_KEY_SITES_MAX 64
#define WN_API_KEY_TEXT_BYTES 47 // "wn_", 43 characters of base64url, NUL

typedef struct wn_api_key {
    char name[WN_API_KEY_NAME_BYTES];
    char made[11]; // the day, UTC
    uint8_t hash[32];
    char site[WN_API_KEY_SITES_MAX][WN_SITE_NAME_BYTES];
    size_t sites_n; // 0: every site
    char table[WN_TABLES_MAX][32];
    size_t tables_n; // 0: every table; of a receiver, those with noise that name it
    // A receiver's key reads rows that name the receiver, and crowd rows only of
    // tables that are listed here as well: what epsilon claims holds only against
    // who sees no crowd rows, and it is the plan that says who does (R9). "": an analyst's.
    char receiver[WN_RECEIVER_BYTES];
} wn_api_key;

typedef struct wn_api_keys {
    wn_api_key *key;
    size_t n;
    bool there; // the file exists: then a key is needed, even when it lists none
} wn_api_keys;

// A missing file is no key and not `there`. On a mistake: WN_ERR_CONFIG, line and words in `why`.
WN_MUST_USE wn_err wn_api_keys_load(const char *path, wn_api_keys *out, char *why, size_t why_bytes,
                                    int *out_line);
WN_MUST_USE wn_err wn_api_keys_save(const char *path, const wn_api_keys *k); // 0600, write+sync+rename
void wn_api_keys_fini(wn_api_keys *k);

// Draws a key: its text, to be shown once, and its hash.
WN_MUST_USE wn_err wn_api_key_draw(char out_text[WN_API_KEY_TEXT_BYTES], uint8_t out_hash[32]);
// The key whose hash `text` has, or NULL. Compares with every one, each in constant time.
const wn_api_key *wn_api_keys_find(const wn_api_keys *k, wn_span text);

// NULL when right, else what is allowed.
const char *wn_api_key_name_check(const char *name);
bool wn_api_key_reads_site(const wn_api_key *k, const char *site);
// Rows of this table as it was published: by profile and receivers of the window (head) or the plan.
bool wn_api_key_reads_table(const wn_api_key *k, const char *table, uint8_t profile,
                            const char (*receiver)[WN_RECEIVER_BYTES], size_t receivers_n);
