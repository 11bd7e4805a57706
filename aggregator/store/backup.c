// SPDX-License-Identifier: Apache-2.0
// backup.c: writes the file.
#include "backup.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_walk.h"
#include "backup_form.h"

typedef struct writer {
    int fd;
    wn_boxes stream;
    uint8_t head[WN_BACKUP_HEAD_BYTES];
    uint8_t *plain, *box;
    size_t n; // in plain
    crypto_generichash_state digest;
    wn_public_codec codec;
    wn_public_row *rows;
    size_t rows_cap;
    wn_ledger_check ledger;
    wn_backup_progress progress;
    void *progress_ctx;
    wn_backup_info info;
    wn_err err;
} writer;

static void raw(writer *w, const uint8_t *p, size_t n) {
    crypto_generichash_update(&w->digest, p, n);
    w->info.bytes += n;
    while (n > 0 && w->err == WN_OK) {
        ssize_t done = write(w->fd, p, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) w->err = errno == ENOSPC || errno == EDQUOT ? WN_ERR_FULL : WN_ERR_IO;
        else p += done, n -= (size_t)done;
    }
}

static void flush(writer *w, bool last) {
    uint8_t length[4];
    size_t n = w->n + WN_BOXES_OVERHEAD;
    wn_put_le(length, n, sizeof length);
    wn_boxes_push(&w->stream, (wn_span){w->head, sizeof w->head}, (wn_span){w->plain, w->n}, last, w->box);
    raw(w, length, sizeof length);
    raw(w, w->box, n);
    w->n = 0;
    if (w->progress) w->progress(w->progress_ctx, w->info.bytes);
}

static void put(writer *w, const uint8_t *p, size_t n) {
    while (n > 0 && w->err == WN_OK) {
        size_t part = WN_BACKUP_BOX_BYTES - w->n < n ? WN_BACKUP_BOX_BYTES - w->n : n;
        memcpy(w->plain + w->n, p, part);
        w->n += part;
        p += part;
        n -= part;
        if (w->n == WN_BACKUP_BOX_BYTES) flush(w, false);
    }
}

static void record(writer *w, uint8_t what, wn_span value) {
    uint8_t head[WN_BACKUP_RECORD_BYTES];
    head[0] = what;
    wn_put_le(head + 1, value.n, 4);
    put(w, head, sizeof head);
    put(w, value.p, value.n);
}

static bool visit(void *ctx, unsigned db, wn_span key, wn_err state, wn_span value) {
    writer *w = ctx;
    wn_ledger_entry e;
    wn_public_head head;
    size_t n = 0;
    (void)key;
    if (state) return w->err = state, false;
    if (db == DB_LEDGER) {
        w->err = wn_ledger_decode(value, &e);
        if (!w->err && (!wn_ledger_check_entry(&w->ledger, &e) || !w->ledger.ok)) w->err = WN_ERR_CORRUPT;
    } else if (db == DB_ROWS) {
        w->err = wn_public_rows_decode(&w->codec, value, &head, &w->rows, &w->rows_cap, &n);
        w->info.rows += n;
    } else if (db == DB_WINDOWS) {
        w->info.windows++;
    }
    if (w->err == WN_OK) record(w, (uint8_t)db, value);
    return w->err == WN_OK;
}

static wn_err write_all(writer *w, const wn_published *p, const uint8_t key[WN_KEY_BYTES], int64_t now_s) {
    static const unsigned dbs[] = {DB_LEDGER, DB_WINDOWS, DB_COUNTS, DB_ROWS};
    uint8_t stream_head[WN_BOXES_HEAD_BYTES], first[8], last[WN_BACKUP_LAST_BYTES];
    w->plain = malloc(WN_BACKUP_BOX_BYTES);
    w->box = malloc(WN_BACKUP_BOX_BYTES + WN_BOXES_OVERHEAD);
    if (w->plain == NULL || w->box == NULL) return WN_ERR_NOMEM;
    crypto_generichash_init(&w->digest, NULL, 0, sizeof w->info.digest);
    wn_ledger_check_begin(&w->ledger, NULL);
    wn_backup_head(w->head);
    wn_boxes_begin(&w->stream, key, stream_head);
    raw(w, w->head, sizeof w->head);
    raw(w, stream_head, sizeof stream_head);
    wn_put_le(first, (uint64_t)now_s, sizeof first);
    record(w, WN_BACKUP_FIRST, (wn_span){first, sizeof first});
    WN_TRY(wn_vault_snapshot(p->vault, dbs, WN_COUNT(dbs), visit, w));
    WN_TRY(w->err);
    wn_put_le(last, w->ledger.count, 8);
    memcpy(last + 8, w->ledger.head, 32);
    wn_put_le(last + 40, w->info.rows, 8);
    wn_put_le(last + 48, w->info.windows, 8);
    record(w, WN_BACKUP_LAST, (wn_span){last, sizeof last});
    flush(w, true);
    WN_TRY(w->err);
    return fsync(w->fd) == 0 ? WN_OK : WN_ERR_IO;
}

wn_err wn_backup_write(const wn_published *p, const uint8_t key[WN_KEY_BYTES], int fd, int64_t now_s,
                       wn_backup_progress progress, void *ctx, wn_backup_info *out) {
    writer w = {.fd = fd, .progress = progress, .progress_ctx = ctx, .info = {.made_at_s = now_s}};
    wn_err err = write_all(&w, p, key, now_s);
    if (err == WN_OK) {
        w.info.ledger_number = w.ledger.count;
        memcpy(w.info.ledger_head, w.ledger.head, 32);
        crypto_generichash_final(&w.digest, w.info.digest, sizeof w.info.digest);
        *out = w.info;
    }
    wn_wipe(&w.stream, sizeof w.stream);
    if (w.plain) wn_wipe(w.plain, WN_BACKUP_BOX_BYTES);
    free(w.plain);
    free(w.box);
    free(w.rows);
    wn_public_codec_fini(&w.codec);
    return err;
}

wn_err wn_backup_check(int fd, const uint8_t key[WN_KEY_BYTES], wn_backup_progress progress, void *ctx,
                       wn_backup_info *out) {
    return wn_backup_walk(fd, key, NULL, NULL, progress, ctx, out);
}
