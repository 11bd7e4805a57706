// SPDX-License-Identifier: Apache-2.0
// recall.c: the hash sets and their append-only files (32 bytes of head, then
// 16 bytes a hash). Garbage left by a power cut matches nothing.
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"
#include "spool.h"

enum { VERSION = 1, HEAD_BYTES = 32, SET_CAP_MIN = 64, READ_BYTES = 1 << 16 };

static const uint8_t magic[8] = {'W', 'N', 'R', 'E', 'C', 'A', 'L', 'L'};
static const char *const names[WN_RECALL_FILES] = {"ids.a", "ids.b", "imports"};
static const uint8_t none[16];

// ---- sets ----

// The place of the hash, or the free place where it belongs. cap > n.
static size_t set_find(const wn_recall_set *s, const uint8_t hash[16]) {
    size_t i = (size_t)(wn_get64(hash) * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (s->cap - 1);
    while (memcmp(s->slot[i], none, 16) != 0 && memcmp(s->slot[i], hash, 16) != 0) i = (i + 1) & (s->cap - 1);
    return i;
}

static bool set_has(const wn_recall_set *s, const uint8_t hash[16]) {
    return s->cap != 0 && memcmp(s->slot[set_find(s, hash)], hash, 16) == 0;
}

static wn_err set_grow(wn_recall_set *s) {
    size_t cap = s->cap == 0 ? SET_CAP_MIN : s->cap * 2;
    wn_recall_set bigger = {.slot = calloc(cap, 16), .n = s->n, .cap = cap};
    if (bigger.slot == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < s->cap; i++) {
        if (memcmp(s->slot[i], none, 16) != 0)
            memcpy(bigger.slot[set_find(&bigger, s->slot[i])], s->slot[i], 16);
    }
    free(s->slot);
    *s = bigger;
    return WN_OK;
}

// At most half full, so that a search is short.
static wn_err set_add(wn_recall_set *s, const uint8_t hash[16]) {
    if (2 * (s->n + 1) > s->cap) WN_TRY(set_grow(s));
    size_t i = set_find(s, hash);
    if (memcmp(s->slot[i], hash, 16) == 0) return WN_OK;
    memcpy(s->slot[i], hash, 16);
    s->n++;
    return WN_OK;
}

static void set_reset(wn_recall_set *s) {
    free(s->slot);
    *s = (wn_recall_set){.slot = NULL};
}

// The all-zero hash marks a free place; no keyed hash is all zero but by chance.
static const uint8_t *real(const uint8_t hash[16]) {
    static const uint8_t one[16] = {1};
    return memcmp(hash, none, 16) == 0 ? one : hash;
}

// ---- the loop's side ----

bool wn_recall_known(const wn_recall *r, bool import, const uint8_t hash[16]) {
    const uint8_t *h = real(hash);
    if (import) return set_has(&r->set[WN_RECALL_IMPORTS], h);
    return set_has(&r->set[0], h) || set_has(&r->set[1], h);
}

wn_err wn_recall_add(wn_recall *r, bool import, const uint8_t hash[16], int64_t now_s,
                     wn_recall_op out_ops[2], size_t *out_n) {
    *out_n = 0;
    if (wn_recall_known(r, import, hash)) return WN_OK;
    if (import && r->set[WN_RECALL_IMPORTS].n >= WN_SPOOL_IMPORTS_MAX) return WN_ERR_FULL;

    size_t n = 0;
    bool over =
        now_s - r->start_s[r->current] >= WN_RECALL_LIFE_S || r->set[r->current].n >= WN_SPOOL_IDS_MAX;
    if (!import && over) {
        r->current ^= 1;
        r->start_s[r->current] = now_s;
        set_reset(&r->set[r->current]);
        out_ops[n++] = (wn_recall_op){.file = r->current, .rotate = true, .at_s = now_s};
    }
    uint8_t file = import ? WN_RECALL_IMPORTS : r->current;
    wn_recall_op *op = &out_ops[n++];
    *op = (wn_recall_op){.file = file, .at_s = now_s};
    memcpy(op->hash, real(hash), 16);
    wn_err err = set_add(&r->set[file], op->hash);
    *out_n = err == WN_OK ? n : n - 1; // a rotation stands even then
    return err;
}

// ---- the files' side ----

static wn_err write_at(int fd, const void *p, size_t n, uint64_t at) {
    const uint8_t *bytes = p;
    while (n > 0) {
        ssize_t k = pwrite(fd, bytes, n, (off_t)at);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? WN_ERR_FULL : WN_ERR_IO;
        bytes += k;
        n -= (size_t)k;
        at += (uint64_t)k;
    }
    return WN_OK;
}

static wn_err begin_file(wn_recall_files *f, unsigned file, int64_t start_s) {
    uint8_t head[HEAD_BYTES] = {0};
    memcpy(head, magic, sizeof magic);
    wn_put32(head + 8, VERSION);
    wn_put64(head + 16, (uint64_t)start_s);
    if (ftruncate(f->fd[file], 0) != 0) return WN_ERR_IO;
    WN_TRY(write_at(f->fd[file], head, sizeof head, 0));
    f->end[file] = HEAD_BYTES;
    f->dirty[file] = true;
    return WN_OK;
}

wn_err wn_recall_write(wn_recall_files *f, const wn_recall_op *ops, size_t n, size_t *inout_done) {
    for (; *inout_done < n; (*inout_done)++) {
        const wn_recall_op *op = &ops[*inout_done];
        WN_ASSERT(op->file < WN_RECALL_FILES);
        if (op->rotate) {
            WN_TRY(begin_file(f, op->file, op->at_s));
            continue;
        }
        WN_TRY(write_at(f->fd[op->file], op->hash, 16, f->end[op->file]));
        f->end[op->file] += 16;
        f->dirty[op->file] = true;
    }
    return WN_OK;
}

wn_err wn_recall_sync(wn_recall_files *f) {
    for (unsigned i = 0; i < WN_RECALL_FILES; i++) {
        if (!f->dirty[i]) continue;
        if (fdatasync(f->fd[i]) != 0) return WN_ERR_IO;
        f->dirty[i] = false;
    }
    return WN_OK;
}

// Reads the hashes of one file into its set; *out_start_s from its head.
static wn_err read_file(int fd, wn_recall_set *set, size_t max, int64_t *out_start_s, uint64_t *out_end) {
    uint8_t head[HEAD_BYTES];
    ssize_t k = pread(fd, head, sizeof head, 0);
    if (k != HEAD_BYTES || memcmp(head, magic, sizeof magic) != 0) return WN_ERR_FORMAT;
    if (wn_get32(head + 8) != VERSION) return WN_ERR_VERSION;
    uint8_t *chunk = malloc(READ_BYTES);
    if (chunk == NULL) return WN_ERR_NOMEM;
    uint64_t at = HEAD_BYTES;
    wn_err err = WN_OK;
    while (err == WN_OK && (k = pread(fd, chunk, READ_BYTES, (off_t)at)) >= 16) {
        size_t whole = (size_t)k / 16 * 16; // half a hash at the end was cut off
        for (size_t i = 0; i < whole && err == WN_OK; i += 16) {
            if (set->n < max) err = set_add(set, real(chunk + i));
        }
        at += whole;
    }
    free(chunk);
    if (err != WN_OK) return err;
    *out_start_s = (int64_t)wn_get64(head + 16);
    *out_end = at;
    return WN_OK;
}

static wn_err open_file(int dir_fd, unsigned file, int64_t now_s, wn_recall *r, wn_recall_files *f) {
    f->fd[file] = openat(dir_fd, names[file], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->fd[file] < 0) return WN_ERR_IO;
    int64_t start_s = 0;
    size_t max = file == WN_RECALL_IMPORTS ? WN_SPOOL_IMPORTS_MAX : WN_SPOOL_IDS_MAX;
    wn_err err = read_file(f->fd[file], &r->set[file], max, &start_s, &f->end[file]);
    bool dead = file != WN_RECALL_IMPORTS && now_s - start_s >= 2 * WN_RECALL_LIFE_S;
    if (err == WN_ERR_FORMAT || (err == WN_OK && dead)) {
        set_reset(&r->set[file]);
        // The generation that is begun second is the older one: ids.a starts out current.
        start_s = file == 1 ? INT64_MIN / 2 : now_s;
        err = begin_file(f, file, start_s);
    }
    if (file != WN_RECALL_IMPORTS) r->start_s[file] = start_s;
    return err;
}

wn_err wn_recall_open(int dir_fd, int64_t now_s, wn_recall *out_r, wn_recall_files *out_f) {
    wn_recall r = {.current = 0};
    wn_recall_files f = {.fd = {-1, -1, -1}};
    for (unsigned i = 0; i < WN_RECALL_FILES; i++) {
        wn_err err = open_file(dir_fd, i, now_s, &r, &f);
        if (err != WN_OK) {
            wn_recall_close(&r, &f);
            return err;
        }
    }
    r.current = r.start_s[1] > r.start_s[0] ? 1 : 0;
    *out_r = r;
    *out_f = f;
    return WN_OK;
}

void wn_recall_close(wn_recall *r, wn_recall_files *f) {
    for (unsigned i = 0; i < WN_RECALL_FILES; i++) {
        set_reset(&r->set[i]);
        if (f->fd[i] >= 0) close(f->fd[i]);
        f->fd[i] = -1;
    }
}
