// SPDX-License-Identifier: Apache-2.0
// purge_list.h: what was to be forgotten for good: STATE/ROLE/keys/purges.
//
// It lies outside every backup, so that a restore brings nothing back that was
// purged; a restore without it refuses. An organisation stands in it as a keyed
// digest alone. Daemons append records and sync them; one that was
// cut off by a crash is dropped at the next opening, since nobody was told of it.
#pragma once

#include "conf.h"
#include "crypt.h"

// Entries in an installation's life: those that are done stay, for a restore and the filter refuse by them.
#define WN_PURGES_MAX 4096
#define WN_PURGE_SLOT "purge"       // the key of the digests, among the storage keys
#define WN_PURGE_LATE_S (48 * 3600) // a purge takes at most so long …
#define WN_PURGE_WARN_S (40 * 3600) // … and is told about before that

typedef enum wn_purge_kind { WN_PURGE_SITE = 1, WN_PURGE_ORG = 2 } wn_purge_kind;

typedef struct wn_purge {
    uint8_t kind;
    char site[WN_SITE_NAME_BYTES]; // a name of the operator's own
    uint64_t tag;                  // wn_site_tag(site)
    uint8_t name[32];              // wn_purge_name: tells purges apart, says nothing
    int64_t asked_at_s, done_at_s; // 0: not yet
} wn_purge;

typedef struct wn_purge_list wn_purge_list;

// make: a missing file becomes an empty list (a first start). Without it the file
// is only read, and nothing is made or locked. A file of no bytes is an empty list: an
// operator's word that nothing was ever purged. WN_ERR_NOTFOUND: no such file. WN_ERR_VERSION: of another
// Winnow. WN_ERR_CORRUPT: a record before the last is damaged.
WN_MUST_USE wn_err wn_purge_list_open(const char *path, bool make, wn_purge_list **out);
void wn_purge_list_close(wn_purge_list *l); // NULL fine

// A daemon's opening: PATH and the key in its slots. Both or neither: when the key
// is there and the file is not, somebody lost it, and WN_ERR_STATE says so.
typedef struct wn_slots wn_slots;
WN_MUST_USE wn_err wn_purge_list_begin(const char *path, wn_slots *slots, uint8_t out_key[WN_KEY_BYTES],
                                       wn_purge_list **out);

// The digest of an organisation of a site, of its name as wn_org_plain has it; of
// a whole site with org {NULL, 0}.
#define WN_PURGE_ORG_BYTES_MAX 128 // as the field `org`
void wn_purge_name(const uint8_t key[WN_KEY_BYTES], uint64_t tag, wn_span org, uint8_t out[32]);

// Durable when it returns. An entry of this name that is not done yet is left as it
// is. WN_ERR_FULL at WN_PURGES_MAX.
WN_MUST_USE wn_err wn_purge_list_add(wn_purge_list *l, const wn_purge *p);
WN_MUST_USE wn_err wn_purge_list_done(wn_purge_list *l, const uint8_t name[32], int64_t now_s);

// A restore's: PATH holds from here on what it held and what stands in `from` besides, whole or not
// at all (0600, synced). No daemon may have it open. WN_ERR_FULL at WN_PURGES_MAX.
WN_MUST_USE wn_err wn_purge_list_keep(const wn_purge_list *from, const char *path);

size_t wn_purge_list_count(const wn_purge_list *l);
size_t wn_purge_list_orgs(const wn_purge_list *l);                  // entries of organisations
const wn_purge *wn_purge_list_at(const wn_purge_list *l, size_t i); // in order of asking; until the next add
const wn_purge *wn_purge_list_find(const wn_purge_list *l, const uint8_t name[32]); // the newest; NULL
const wn_purge *wn_purge_list_site(const wn_purge_list *l, uint64_t tag);           // the whole site's; NULL
// Whole hours of the oldest open purge when it is time to tell about it: from
// WN_PURGE_WARN_S on, once an hour. 0: not now. inout_told_s: 0 at first.
int64_t wn_purge_list_late_hours(const wn_purge_list *l, int64_t now_s, int64_t *inout_told_s);
// When the oldest that is not done was asked for; 0: all are done.
int64_t wn_purge_list_oldest_open(const wn_purge_list *l);
