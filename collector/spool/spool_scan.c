// SPDX-License-Identifier: Apache-2.0
// spool_scan.c: the log as it is found at start. A transaction counts when its
// last record is whole; a tail without one was never acknowledged and goes.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_private.h"

typedef struct scan {
    wn_spool *s;
    int64_t now_s;
    uint64_t txn; // newest whole one
    uint64_t cut;
    uint8_t *bytes; // the segment being read
    size_t n, cap;
} scan;

static wn_err unlink_segment(const wn_spool *s, uint32_t number) {
    char name[WN_SEGMENT_NAME_BYTES];
    wn_segment_name(number, name);
    return unlinkat(s->sync.dir_fd, name, 0) == 0 ? WN_OK : WN_ERR_IO;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static wn_err list(int dir_fd, uint32_t **out, size_t *out_n) {
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        if (fd >= 0) close(fd);
        return WN_ERR_IO;
    }
    uint32_t *numbers = NULL, number;
    size_t n = 0, cap = 0;
    wn_err err = WN_OK;
    for (const struct dirent *e; err == WN_OK && (e = readdir(d)) != NULL;) {
        if (!wn_segment_number(e->d_name, &number)) continue;
        err = wn_spool_grow((void **)&numbers, &cap, n + 1, sizeof *numbers);
        if (err == WN_OK) numbers[n++] = number;
    }
    closedir(d);
    if (err != WN_OK) {
        free(numbers);
        return err;
    }
    if (n > 0) qsort(numbers, n, sizeof *numbers, by_number);
    *out = numbers;
    *out_n = n;
    return WN_OK;
}

static wn_err read_whole(scan *c, int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0) return WN_ERR_IO;
    WN_TRY(wn_spool_grow((void **)&c->bytes, &c->cap, (size_t)st.st_size + 1, 1));
    c->n = 0;
    while (c->n < (size_t)st.st_size) {
        ssize_t k = pread(fd, c->bytes + c->n, (size_t)st.st_size - c->n, (off_t)c->n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return WN_ERR_IO;
        c->n += (size_t)k;
    }
    return WN_OK;
}

// The record at `at`; its end. WN_ERR_FORMAT when it is not whole.
static wn_err record_at(const scan *c, size_t at, wn_record_head *out, size_t *out_end) {
    WN_TRY(wn_record_head_decode((wn_span){c->bytes + at, c->n - at}, out));
    size_t end = at + WN_RECORD_HEAD_BYTES + out->box_bytes;
    if (end > c->n) return WN_ERR_FORMAT;
    *out_end = end;
    return WN_OK;
}

// Ends of the last whole transaction and of the one before.
static void find_end(const scan *c, size_t *out_end, size_t *out_before) {
    size_t at = WN_SEGMENT_HEAD_BYTES, end = at, before = at;
    uint64_t whole = c->txn, open = 0;
    wn_record_head h;
    while (record_at(c, at, &h, &at) == WN_OK) {
        if (h.txn < whole || (open != 0 && h.txn != open)) break;
        open = h.txn;
        if (!h.last) continue;
        whole = h.txn;
        open = 0;
        before = end;
        end = at;
    }
    *out_end = end;
    *out_before = before;
}

static wn_err window_key(const wn_spool *s, const char *window, uint8_t out[WN_KEY_BYTES]) {
    char name[WN_SLOT_NAME_BYTES] = "spool/";
    strcat(name, window);
    return wn_slots_get(s->keys, name, out);
}

// The plaintext into s->plain. WN_ERR_NOTFOUND when its window is forgotten.
static wn_err open_box(const scan *c, size_t at, const wn_record_head *h, size_t *out_n) {
    uint8_t key[WN_KEY_BYTES];
    if (h->kind == WN_RECORD_MEMORY) memcpy(key, c->s->memory_key, sizeof key);
    else WN_TRY(window_key(c->s, h->window, key));
    const uint8_t *p = c->bytes + at;
    wn_span box = {p + WN_RECORD_HEAD_BYTES, h->box_bytes};
    wn_err err = wn_box_open(key, (wn_span){p, WN_RECORD_HEAD_BYTES}, box, c->s->plain);
    wn_wipe(key, sizeof key);
    *out_n = h->box_bytes - WN_BOX_OVERHEAD;
    return err;
}

// A power cut can leave lengths without their bytes: only the newest transaction
// can be touched, since each is synced before the next is written.
static bool authentic(const scan *c, size_t at, size_t end) {
    wn_record_head h;
    bool ok = true;
    while (ok && at < end) {
        size_t from = at, n = 0;
        if (record_at(c, from, &h, &at) != WN_OK) return false;
        ok = open_box(c, from, &h, &n) != WN_ERR_CORRUPT;
        wn_wipe(c->s->plain, n);
    }
    return ok;
}

static wn_err take_batch(scan *c, wn_segment *seg, const wn_record_head *h) {
    wn_spool *s = c->s;
    wn_stream *st = wn_spool_stream(s, h->window, h->generation);
    if (st == NULL) {
        WN_TRY(wn_spool_stream_new(s, h->window, h->generation, &st));
        st->acked = st->last = h->sequence - 1;
        st->dead = window_key(s, h->window, st->key) != WN_OK;
    }
    st->order = ++s->order;
    if (h->sequence <= st->last) return WN_OK;
    if (!st->dead) s->waiting += h->sequence - st->last;
    st->last = h->sequence;
    if (st->dead) st->acked = st->last;
    return wn_spool_hold(&seg->held, &seg->held_n, &seg->held_cap, wn_spool_stream_index(s, st), st->last);
}

static wn_err take_memories(scan *c, size_t n) {
    wn_spool *s = c->s;
    uint32_t ops_n = n >= 4 ? wn_get32(s->plain) : 0;
    if (ops_n > WN_MEMORY_RECORD_OPS_MAX || 4 + (size_t)ops_n * WN_MEMORY_OP_BYTES > n) return WN_OK;
    for (uint32_t i = 0; i < ops_n; i++) {
        const uint8_t *at = s->plain + 4 + (size_t)i * WN_MEMORY_OP_BYTES;
        int64_t at_s = (int64_t)wn_get64(at + 8);
        bool import = at[0] == WN_RECALL_IMPORTS;
        if (at[1] != 0 || (!import && at_s <= c->now_s - WN_RECALL_LIFE_S)) continue;
        wn_recall_op ops[2];
        size_t got, done = 0;
        wn_err err = wn_recall_add(&s->recall, import, at + 16, c->now_s, ops, &got);
        if (err != WN_OK && err != WN_ERR_FULL) return err;
        WN_TRY(wn_recall_write(&s->sync.files, ops, got, &done));
    }
    return WN_OK;
}

static wn_err take_rebase(scan *c, wn_segment *seg, const wn_record_head *h, size_t n) {
    wn_spool *s = c->s;
    wn_stream *st = wn_spool_stream(s, h->window, h->generation);
    if (n < 16) return WN_OK;
    uint64_t base = wn_get64(s->plain + 8);
    if (st == NULL) { // its records before are gone; those after still need the name
        WN_TRY(wn_spool_stream_new(s, h->window, h->generation, &st));
        WN_TRY(window_key(s, h->window, st->key));
        st->acked = st->last = base;
    }
    st->alias = wn_get64(s->plain);
    st->alias_base = base; // the transaction is whole: durable by now
    if (base > st->acked && base <= st->last) {
        if (!st->dead) s->waiting -= base - st->acked;
        st->acked = base;
    }
    WN_TRY(
        wn_spool_grow((void **)&seg->rebased, &seg->rebased_cap, seg->rebased_n + 1, sizeof *seg->rebased));
    seg->rebased[seg->rebased_n++] = wn_spool_stream_index(s, st);
    return WN_OK;
}

static wn_err take_records(scan *c, wn_segment *seg, size_t end) {
    size_t at = WN_SEGMENT_HEAD_BYTES;
    while (at < end) {
        wn_record_head h;
        size_t from = at, n = 0;
        WN_TRY(record_at(c, from, &h, &at));
        c->txn = h.txn;
        wn_err err = WN_OK;
        if (h.kind == WN_RECORD_BATCH) {
            err = take_batch(c, seg, &h);
        } else if (open_box(c, from, &h, &n) == WN_OK) {
            err = h.kind == WN_RECORD_MEMORY ? take_memories(c, n) : take_rebase(c, seg, &h, n);
            wn_wipe(c->s->plain, n);
        }
        if (err != WN_OK) return err;
    }
    return WN_OK;
}

static wn_err take_segment(scan *c, int fd, uint32_t number, bool newest) {
    wn_spool *s = c->s;
    WN_TRY(read_whole(c, fd));
    wn_segment_head head;
    wn_err err = wn_segment_head_decode((wn_span){c->bytes, c->n}, &head);
    if (err == WN_ERR_VERSION) return err;
    if (err != WN_OK || head.number != number) {
        c->cut += c->n; // ruined: nothing in it can be told apart
        return unlink_segment(s, number);
    }
    if (head.txn_before > c->txn) c->txn = head.txn_before;
    size_t end, before;
    find_end(c, &end, &before);
    if (newest && !authentic(c, before, end)) end = before;
    c->cut += c->n - end;
    if (newest && end < c->n && (ftruncate(fd, (off_t)end) != 0 || fdatasync(fd) != 0)) return WN_ERR_IO;

    WN_TRY(wn_spool_grow((void **)&s->segments, &s->segments_cap, s->segments_n + 1, sizeof *s->segments));
    wn_segment *seg = &s->segments[s->segments_n++];
    *seg = (wn_segment){.number = number, .bytes = newest ? end : c->n};
    s->bytes += seg->bytes;
    return take_records(c, seg, end);
}

// A segment cut off while it was made has no head; the one before it is the newest.
static wn_err drop_unmade(scan *c, const uint32_t *numbers, size_t *inout_n) {
    while (*inout_n > 0) {
        char name[WN_SEGMENT_NAME_BYTES];
        uint8_t bytes[WN_SEGMENT_HEAD_BYTES];
        wn_segment_name(numbers[*inout_n - 1], name);
        int fd = openat(c->s->sync.dir_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return WN_ERR_IO;
        ssize_t k = pread(fd, bytes, sizeof bytes, 0);
        off_t size = lseek(fd, 0, SEEK_END);
        close(fd);
        if (k < 0 || size < 0) return WN_ERR_IO;
        wn_segment_head head;
        wn_err err = wn_segment_head_decode((wn_span){bytes, (size_t)k}, &head);
        if (err == WN_ERR_VERSION) return err;
        if (err == WN_OK && head.number == numbers[*inout_n - 1]) return WN_OK;
        c->cut += (uint64_t)size;
        WN_TRY(unlink_segment(c->s, numbers[--*inout_n]));
    }
    return WN_OK;
}

// New batches of a window go on in its newest generation, if that is whole.
static void choose_current(wn_spool *s) {
    for (size_t i = 0; i < s->streams_n; i++) {
        wn_stream *st = &s->streams[i];
        bool newest = !st->dead && st->alias == 0;
        for (size_t k = 0; newest && k < s->streams_n; k++) {
            const wn_stream *other = &s->streams[k];
            newest = other->order <= st->order || strcmp(other->window, st->window) != 0;
        }
        st->current = newest;
    }
}

wn_err wn_spool_scan(wn_spool *s, int64_t now_s, uint64_t *out_txn, uint64_t *out_cut) {
    uint32_t *numbers;
    size_t n;
    WN_TRY(list(s->sync.dir_fd, &numbers, &n));
    scan c = {.s = s, .now_s = now_s};
    wn_err err = drop_unmade(&c, numbers, &n);
    for (size_t i = 0; i < n && err == WN_OK; i++) {
        char name[WN_SEGMENT_NAME_BYTES];
        wn_segment_name(numbers[i], name);
        int fd = openat(s->sync.dir_fd, name, O_RDWR | O_CLOEXEC);
        if (fd < 0) err = WN_ERR_IO;
        else {
            err = take_segment(&c, fd, numbers[i], i + 1 == n);
            close(fd);
        }
    }
    free(numbers);
    free(c.bytes);
    if (err != WN_OK) return err;
    WN_TRY(wn_recall_sync(&s->sync.files));
    choose_current(s);
    *out_txn = c.txn;
    *out_cut = c.cut;
    return WN_OK;
}
