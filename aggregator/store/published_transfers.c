// SPDX-License-Identifier: Apache-2.0
// Why: what a receiver has must not go to it again, through restarts and restores.
#include <sodium.h>
#include <string.h>

#include "bytes.h"
#include "published_impl.h"

enum { TRANSFER_BYTES = 13 };

static void transfer_name(const wn_published *p, const char *receiver, const char *site, const char *table,
                          const wn_window *w, uint8_t out[NAME_BYTES]) {
    char window[WN_WINDOW_TEXT_BYTES];
    uint8_t digest[24];
    crypto_generichash_state h;
    wn_window_text(w, window);
    crypto_generichash_init(&h, NULL, 0, sizeof digest);
    const char *const parts[] = {receiver, site, table, window};
    for (size_t i = 0; i < WN_COUNT(parts); i++)
        crypto_generichash_update(&h, (const uint8_t *)parts[i], strlen(parts[i]) + 1);
    crypto_generichash_final(&h, digest, sizeof digest);
    wn_published_name(p, 'x', SPAN_OF(digest), out, NAME_BYTES);
}

wn_err wn_published_transfer(wn_published *p, const char *receiver, const char *site, const char *table,
                             const wn_window *w, wn_transfer *out) {
    uint8_t key[NAME_BYTES];
    transfer_name(p, receiver, site, table, w, key);
    *out = (wn_transfer){0};
    wn_err err = wn_vault_get(p->vault, DB_TRANSFERS, SPAN_OF(key), &p->buf);
    if (err == WN_ERR_NOTFOUND) return WN_OK;
    WN_TRY(err);
    if (p->buf.n != TRANSFER_BYTES || p->buf.p[12] > 7) return WN_ERR_CORRUPT;
    *out = (wn_transfer){.rows_done = (uint32_t)wn_get_le(p->buf.p, 4),
                         .refused = (uint32_t)wn_get_le(p->buf.p + 4, 4),
                         .doubtful = (uint32_t)wn_get_le(p->buf.p + 8, 4),
                         .begun = (p->buf.p[12] & 2) != 0,
                         .unsure = (p->buf.p[12] & 4) != 0,
                         .done = (p->buf.p[12] & 1) != 0};
    return WN_OK;
}

wn_err wn_published_transfer_put(wn_published *p, const char *receiver, const char *site, const char *table,
                                 const wn_window *w, const wn_transfer *t) {
    uint8_t key[NAME_BYTES], value[TRANSFER_BYTES];
    if (!wn_vault_begun(p->vault)) return WN_ERR_STATE;
    transfer_name(p, receiver, site, table, w, key);
    wn_put_le(value, t->rows_done, 4);
    wn_put_le(value + 4, t->refused, 4);
    wn_put_le(value + 8, t->doubtful, 4);
    value[12] = (uint8_t)(t->done | t->begun << 1 | t->unsure << 2);
    return wn_vault_put(p->vault, DB_TRANSFERS, SPAN_OF(key), SPAN_OF(value));
}
