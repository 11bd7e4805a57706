// SPDX-License-Identifier: Apache-2.0
// restore_keep.c: lists first, then keys: a list without its key still refuses sites.
#include "restore_keep.h"

#include <stdio.h>
#include <string.h>

#include "backup.h"

static wn_err keep_list(const char *dir, const wn_purge_list *purges) {
#ifdef WN_MUTANT_PURGE_LIST_NOT_KEPT
    return dir != NULL && purges != NULL ? WN_OK : WN_ERR_STATE;
#else
    char path[400];
    int n = snprintf(path, sizeof path, "%s/keys/purges", dir);
    return n < 0 || (size_t)n >= sizeof path ? WN_ERR_FULL : wn_purge_list_keep(purges, path);
#endif
}

// same: the slot holds this key from now on.
static wn_err keep_key(wn_slots *slots, const char *name, const uint8_t key[WN_KEY_BYTES], bool *out_same) {
    uint8_t now[WN_KEY_BYTES];
    wn_err err = wn_slots_put(slots, name, key);
    if (err != WN_OK && err != WN_ERR_STATE) return err;
    err = wn_slots_get(slots, name, now);
    *out_same = err == WN_OK && memcmp(now, key, sizeof now) == 0;
    wn_wipe(now, sizeof now);
    return err;
}

// Organisations that the collector's list does not name yet: they came from outside, under the key of then.
static wn_err new_orgs(const char *dir, const wn_purge_list *l, size_t *out) {
    char path[400];
    wn_purge_list *here = NULL;
    int n = snprintf(path, sizeof path, "%s/keys/purges", dir);
    if (n < 0 || (size_t)n >= sizeof path) return WN_ERR_FULL;
    wn_err err = wn_purge_list_open(path, false, &here);
    if (err != WN_OK && err != WN_ERR_NOTFOUND) return err;
    *out = 0;
    for (size_t i = 0; i < wn_purge_list_count(l); i++) {
        const wn_purge *p = wn_purge_list_at(l, i);
        *out += p->kind == WN_PURGE_ORG && (here == NULL || wn_purge_list_find(here, p->name) == NULL);
    }
    wn_purge_list_close(here);
    return WN_OK;
}

static wn_err keep_purge_key(const char *dir, const uint8_t key[WN_KEY_BYTES], bool *out_same) {
    char path[400];
    wn_slots *slots = NULL;
    int n = snprintf(path, sizeof path, "%s/keys/slots", dir);
    if (n < 0 || (size_t)n >= sizeof path) return WN_ERR_FULL;
    WN_TRY(wn_slots_open(path, false, &slots));
    wn_err err = keep_key(slots, WN_PURGE_SLOT, key, out_same);
    wn_slots_close(slots);
    return err;
}

wn_err wn_restore_keep(const char *aggregator_dir, const char *collector_dir, wn_slots *slots,
                       const wn_purge_list *purges, const wn_backup_keys *keys, wn_restore_kept *out) {
    wn_restore_kept kept = {.other_backup_key = false};
    bool same = true, knows_orgs = false;
    WN_TRY(new_orgs(collector_dir, purges, &kept.orgs_unknown));
    WN_TRY(keep_list(aggregator_dir, purges));
    WN_TRY(keep_list(collector_dir, purges));
    if (keys != NULL) WN_TRY(keep_key(slots, WN_BACKUP_SLOT, keys->backup, &same));
    kept.other_backup_key = !same;
    if (keys != NULL && keys->has_purge) WN_TRY(keep_purge_key(collector_dir, keys->purge, &knows_orgs));
    if (knows_orgs) kept.orgs_unknown = 0;
    *out = kept;
    return WN_OK;
}
