// SPDX-License-Identifier: Apache-2.0
// backup_walk.c: reads the file; believes nothing before it is authentic.
#include "backup_walk.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_form.h"

typedef struct reader {
    int fd;
    off_t at;
    wn_boxes stream;
    uint8_t head[WN_BACKUP_HEAD_BYTES];
    uint8_t *plain, *box;
    size_t n, used; // of plain
    bool last;      // the last box is open
    crypto_generichash_state digest;
    wn_vault_buf value;
    wn_public_codec codec;
    wn_public_row *rows;
    size_t rows_cap;
    wn_ledger_check ledger;
    wn_backup_progress progress;
    void *progress_ctx;
    wn_backup_info info;
} reader;

// Exactly n bytes; a file that ends before is cut.
static wn_err raw(reader *r, uint8_t *out, size_t n) {
    for (size_t have = 0; have < n;) {
        ssize_t done = pread(r->fd, out + have, n - have, r->at + (off_t)have);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return WN_ERR_IO;
        if (done == 0) return WN_ERR_CORRUPT;
        have += (size_t)done;
    }
    r->at += (off_t)n;
    r->info.bytes += n;
    crypto_generichash_update(&r->digest, out, n);
    return WN_OK;
}

static wn_err next_box(reader *r) {
    uint8_t length[4];
    if (r->last) return WN_ERR_CORRUPT;
    WN_TRY(raw(r, length, sizeof length));
    uint64_t n = wn_get_le(length, sizeof length);
    if (n < WN_BOXES_OVERHEAD || n > WN_BACKUP_BOX_BYTES + WN_BOXES_OVERHEAD) return WN_ERR_CORRUPT;
    WN_TRY(raw(r, r->box, n));
    WN_TRY(wn_boxes_pull(&r->stream, (wn_span){r->head, sizeof r->head}, (wn_span){r->box, n}, r->plain,
                         &r->last));
    r->n = n - WN_BOXES_OVERHEAD;
    r->used = 0;
    if (r->progress) r->progress(r->progress_ctx, r->info.bytes);
    return WN_OK;
}

static wn_err take(reader *r, uint8_t *out, size_t n) {
    while (n > 0) {
        if (r->used == r->n) {
            WN_TRY(next_box(r));
            continue;
        }
        size_t part = r->n - r->used < n ? r->n - r->used : n;
        memcpy(out, r->plain + r->used, part);
        r->used += part;
        out += part;
        n -= part;
    }
    return WN_OK;
}

// A value grows with the bytes that are there, whatever its length claims.
static wn_err take_record(reader *r, uint8_t *out_what) {
    uint8_t head[WN_BACKUP_RECORD_BYTES];
    WN_TRY(take(r, head, sizeof head));
    size_t n = wn_get_le(head + 1, 4);
    if (n > WN_VAULT_VALUE_MAX) return WN_ERR_CORRUPT;
    r->value.n = 0;
    while (r->value.n < n) {
        size_t part = n - r->value.n < WN_BACKUP_BOX_BYTES ? n - r->value.n : WN_BACKUP_BOX_BYTES;
        if (r->value.n + part > r->value.cap)
            WN_TRY(wn_vault_buf_fit(&r->value, 2 * r->value.n + WN_BACKUP_BOX_BYTES));
        WN_TRY(take(r, r->value.p + r->value.n, part));
        r->value.n += part;
    }
    *out_what = head[0];
    return WN_OK;
}

static wn_err read_record(reader *r, wn_backup_record *out) {
    wn_span v = {r->value.p, r->value.n};
    out->value = v;
    switch (out->db) {
    case DB_LEDGER:
        if (wn_ledger_decode(v, &out->entry) || !wn_ledger_check_entry(&r->ledger, &out->entry) ||
            !r->ledger.ok)
            return WN_ERR_CORRUPT;
        return WN_OK;
    case DB_ROWS:
        WN_TRY(wn_public_rows_decode(&r->codec, v, &out->head, &r->rows, &r->rows_cap, &out->rows));
        out->window = out->head.window;
        out->site = wn_site_tag(out->head.site);
        r->info.rows += out->rows;
        return WN_OK;
    case DB_WINDOWS:
        if (v.n <= MARKER_BYTES) return WN_ERR_CORRUPT;
        r->info.windows++;
        v = (wn_span){v.p + MARKER_BYTES, v.n - MARKER_BYTES};
        return wn_published_take_window(v, &out->window) ? WN_OK : WN_ERR_CORRUPT;
    case DB_COUNTS:
        if (v.n <= COUNT_BYTES) return WN_ERR_CORRUPT;
        out->site = wn_get_le(v.p + 16, 8);
        v = (wn_span){v.p + COUNT_BYTES, v.n - COUNT_BYTES};
        return wn_published_take_window(v, &out->window) ? WN_OK : WN_ERR_CORRUPT;
    default: return WN_ERR_CORRUPT;
    }
}

static wn_err ends_well(reader *r) {
    uint8_t more;
    const uint8_t *p = r->value.p;
    if (r->value.n != WN_BACKUP_LAST_BYTES || !r->last || r->used != r->n) return WN_ERR_CORRUPT;
    if (pread(r->fd, &more, 1, r->at) != 0) return WN_ERR_CORRUPT; // something was put behind it
    if (wn_get_le(p, 8) != r->ledger.count || memcmp(p + 8, r->ledger.head, 32) != 0) return WN_ERR_CORRUPT;
    if (wn_get_le(p + 40, 8) != r->info.rows || wn_get_le(p + 48, 8) != r->info.windows)
        return WN_ERR_CORRUPT;
    r->info.ledger_number = r->ledger.count;
    memcpy(r->info.ledger_head, r->ledger.head, 32);
    crypto_generichash_final(&r->digest, r->info.digest, sizeof r->info.digest);
    return WN_OK;
}

static wn_err read_head(reader *r, const uint8_t key[WN_KEY_BYTES]) {
    uint8_t want[WN_BACKUP_HEAD_BYTES], stream_head[WN_BOXES_HEAD_BYTES], what = 0;
    wn_backup_head(want);
    wn_err err = raw(r, r->head, sizeof r->head);
    if (err == WN_ERR_CORRUPT || memcmp(r->head, wn_backup_magic, sizeof wn_backup_magic) != 0)
        return WN_ERR_FORMAT;
    WN_TRY(err);
    if (memcmp(r->head, want, sizeof want) != 0) return WN_ERR_VERSION;
    WN_TRY(raw(r, stream_head, sizeof stream_head));
    WN_TRY(wn_boxes_open(&r->stream, key, stream_head));
    WN_TRY(take_record(r, &what));
    if (what != WN_BACKUP_FIRST || r->value.n != 8) return WN_ERR_CORRUPT;
    r->info.made_at_s = (int64_t)wn_get_le(r->value.p, 8);
    return WN_OK;
}

static wn_err walk(reader *r, const uint8_t key[WN_KEY_BYTES], wn_backup_visit visit, void *ctx) {
    r->plain = malloc(WN_BACKUP_BOX_BYTES);
    r->box = malloc(WN_BACKUP_BOX_BYTES + WN_BOXES_OVERHEAD);
    if (r->plain == NULL || r->box == NULL) return WN_ERR_NOMEM;
    crypto_generichash_init(&r->digest, NULL, 0, sizeof r->info.digest);
    wn_ledger_check_begin(&r->ledger, NULL);
    WN_TRY(read_head(r, key));
    wn_backup_record *rec = malloc(sizeof *rec);
    if (rec == NULL) return WN_ERR_NOMEM;
    wn_err err = WN_OK;
    for (uint8_t what = 0; err == WN_OK;) {
        err = take_record(r, &what);
        if (err == WN_OK && what == WN_BACKUP_LAST) break;
        *rec = (wn_backup_record){.db = what};
        if (err == WN_OK) err = read_record(r, rec);
        if (err == WN_ERR_FORMAT) err = WN_ERR_CORRUPT;
        if (err == WN_OK && visit) err = visit(ctx, rec);
    }
    free(rec);
    WN_TRY(err);
    return ends_well(r);
}

wn_err wn_backup_walk(int fd, const uint8_t key[WN_KEY_BYTES], wn_backup_visit visit, void *ctx,
                      wn_backup_progress progress, void *progress_ctx, wn_backup_info *out) {
    reader r = {.fd = fd, .progress = progress, .progress_ctx = progress_ctx};
    wn_err err = walk(&r, key, visit, ctx);
    if (err == WN_OK) *out = r.info;
    wn_wipe(&r.stream, sizeof r.stream);
    if (r.plain) wn_wipe(r.plain, WN_BACKUP_BOX_BYTES);
    free(r.plain);
    free(r.box);
    free(r.rows);
    wn_vault_buf_fini(&r.value);
    wn_public_codec_fini(&r.codec);
    return err;
}
