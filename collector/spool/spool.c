// SPDX-License-Identifier: Apache-2.0
// spool.c: filling transactions: numbering, encrypting, handing them to the
// sync thread. Start is spool_open.c and spool_scan.c, delivery spool_read.c.
#include "spool_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- small parts ----

wn_err wn_spool_grow(void **p, size_t *cap, size_t need, size_t size) {
    if (need <= *cap) return WN_OK;
    size_t more = *cap == 0 ? 16 : *cap;
    while (more < need) more *= 2;
    void *q = realloc(*p, more * size);
    if (q == NULL) return WN_ERR_NOMEM;
    *p = q;
    *cap = more;
    return WN_OK;
}

void wn_plain_head_encode(const wn_plain_head *h, uint8_t out[WN_PLAIN_HEAD_BYTES]) {
    memset(out, 0, WN_PLAIN_HEAD_BYTES);
    wn_put32(out, h->batch_bytes);
    wn_put32(out + 4, h->observations);
    wn_put64(out + 8, (uint64_t)h->window.start_s);
    wn_put64(out + 16, (uint64_t)h->window.end_s);
    wn_put32(out + 24, (uint32_t)h->window.day);
    out[28] = h->window.kind;
    memcpy(out + 32, h->window.zone, WN_ZONE_BYTES);
}

wn_err wn_plain_head_decode(const uint8_t *p, size_t n, wn_plain_head *out) {
    if (n < WN_PLAIN_HEAD_BYTES) return WN_ERR_FORMAT;
    wn_plain_head h = {.batch_bytes = wn_get32(p), .observations = wn_get32(p + 4)};
    h.window.start_s = (int64_t)wn_get64(p + 8);
    h.window.end_s = (int64_t)wn_get64(p + 16);
    h.window.day = (int32_t)wn_get32(p + 24);
    h.window.kind = p[28];
    memcpy(h.window.zone, p + 32, WN_ZONE_BYTES);
    bool ok = h.batch_bytes <= n - WN_PLAIN_HEAD_BYTES && h.window.kind < WN_KIND_N &&
              h.window.zone[WN_ZONE_BYTES - 1] == '\0';
    if (!ok) return WN_ERR_FORMAT;
    *out = h;
    return WN_OK;
}

wn_stream *wn_spool_stream(const wn_spool *s, const char *window, uint64_t generation) {
    for (size_t i = 0; i < s->streams_n; i++) {
        wn_stream *st = &s->streams[i];
        if (st->used && st->generation == generation && strcmp(st->window, window) == 0) return st;
    }
    return NULL;
}

wn_err wn_spool_stream_new(wn_spool *s, const char *window, uint64_t generation, wn_stream **out) {
    size_t i = 0;
    while (i < s->streams_n && s->streams[i].used) i++;
    if (i == WN_SPOOL_STREAMS_MAX) return WN_ERR_FULL;
    if (i == s->streams_n) s->streams_n++;
    wn_stream *st = &s->streams[i];
    *st = (wn_stream){.generation = generation, .order = ++s->order, .used = true};
    memcpy(st->window, window, strnlen(window, WN_WINDOW_TEXT_BYTES - 1));
    *out = st;
    return WN_OK;
}

wn_err wn_spool_hold(wn_spool_held **held, size_t *n, size_t *cap, uint32_t stream, uint64_t last) {
    for (size_t i = *n; i > 0; i--) {
        if ((*held)[i - 1].stream != stream) continue;
        (*held)[i - 1].last = last;
        return WN_OK;
    }
    WN_TRY(wn_spool_grow((void **)held, cap, *n + 1, sizeof **held));
    (*held)[(*n)++] = (wn_spool_held){stream, last};
    return WN_OK;
}

// ---- the current transaction ----

// Encrypts the pending record behind the others; room was made when it was set.
static void seal_pending(wn_spool *s, bool last) {
    wn_pending *p = &s->pending;
    wn_transaction *t = s->fill;
    p->head.last = last;
    uint8_t *at = t->bytes + t->n;
    wn_record_head_encode(&p->head, at);
    size_t plain_n = p->head.box_bytes - WN_BOX_OVERHEAD;
    wn_box_seal(p->key, (wn_span){at, WN_RECORD_HEAD_BYTES}, (wn_span){p->plain, plain_n},
                at + WN_RECORD_HEAD_BYTES);
    t->n += WN_RECORD_HEAD_BYTES + p->head.box_bytes;
    wn_wipe(p->plain, plain_n);
    wn_wipe(p->key, sizeof p->key);
    p->set = false;
}

static size_t pending_bytes(const wn_spool *s) {
    return s->pending.set ? WN_RECORD_HEAD_BYTES + s->pending.head.box_bytes : 0;
}

wn_err wn_spool_make_way(wn_spool *s, size_t box_bytes) {
    wn_transaction *t = s->fill;
    size_t need = t->n + pending_bytes(s) + WN_RECORD_HEAD_BYTES + box_bytes;
    WN_TRY(wn_spool_grow((void **)&t->bytes, &t->cap, need, 1));
    if (s->pending.set) seal_pending(s, false);
    return WN_OK;
}

void wn_spool_append(wn_spool *s, const wn_record_head *head, const uint8_t key[WN_KEY_BYTES]) {
    WN_ASSERT(!s->pending.set);
    s->pending.head = *head;
    memcpy(s->pending.key, key, WN_KEY_BYTES);
    s->pending.set = true;
}

static bool fits(const wn_spool *s, size_t box_bytes) {
    size_t txn = s->fill->n + pending_bytes(s) + WN_RECORD_HEAD_BYTES + box_bytes;
    if (txn > WN_SPOOL_TXN_BYTES_MAX) return false;
    return s->bytes + WN_SEGMENT_HEAD_BYTES + txn <= s->bytes_max;
}

uint64_t wn_spool_txn(const wn_spool *s) {
    return s->fill->number;
}

static wn_stream *current_stream(const wn_spool *s, const char *window) {
    for (size_t i = 0; i < s->streams_n; i++) {
        wn_stream *st = &s->streams[i];
        if (st->used && st->current && strcmp(st->window, window) == 0) return st;
    }
    return NULL;
}

static wn_err begin_stream(wn_spool *s, const char *window, wn_stream **out) {
    char name[WN_SLOT_NAME_BYTES] = "spool/";
    strcat(name, window);
    uint8_t key[WN_KEY_BYTES];
    uint64_t generation = 0;
    while (generation == 0) WN_TRY(wn_random(&generation, sizeof generation));
    WN_TRY(wn_slots_make(s->keys, name, key));
    wn_stream *st;
    wn_err err = wn_spool_stream_new(s, window, generation, &st);
    if (err == WN_OK) {
        memcpy(st->key, key, WN_KEY_BYTES);
        st->current = true;
        *out = st;
    }
    wn_wipe(key, sizeof key);
    return err;
}

// Encodes the batch under the next number of its stream; nothing is changed on failure.
static wn_err add_to(wn_spool *s, wn_stream *st, wn_batch_builder *b, wn_batch_head *head) {
    wn_batch_head h = *head;
    memcpy(h.id.collector, s->collector, sizeof h.id.collector);
    h.id.generation = st->generation;
    h.id.sequence = st->last + 1;
    size_t n;
    WN_TRY(wn_batch_builder_finish(b, &h, s->plain, WN_BATCH_BYTES_MAX, &n));
    size_t box_bytes = wn_padded(WN_PLAIN_HEAD_BYTES + n + WN_BOX_OVERHEAD);
    wn_err err = fits(s, box_bytes) ? WN_OK : WN_ERR_FULL;
    if (err == WN_OK) {
        uint32_t index = wn_spool_stream_index(s, st);
        err = wn_spool_make_way(s, box_bytes);
        if (err == WN_OK)
            err = wn_spool_hold(&s->fill->held, &s->fill->held_n, &s->fill->held_cap, index, st->last + 1);
    }
    if (err != WN_OK) {
        wn_wipe(s->plain, n);
        return err;
    }
    uint8_t *plain = s->pending.plain;
    wn_plain_head_encode(&(wn_plain_head){h.window, (uint32_t)n, wn_batch_builder_count(b)}, plain);
    memcpy(plain + WN_PLAIN_HEAD_BYTES, s->plain, n);
    size_t used = WN_PLAIN_HEAD_BYTES + n;
    memset(plain + used, 0, box_bytes - WN_BOX_OVERHEAD - used);
    wn_wipe(s->plain, n);
    wn_record_head rec = {.kind = WN_RECORD_BATCH,
                          .box_bytes = (uint32_t)box_bytes,
                          .txn = s->fill->number,
                          .generation = h.id.generation,
                          .sequence = h.id.sequence};
    memcpy(rec.window, st->window, sizeof rec.window);
    wn_spool_append(s, &rec, st->key);
    head->id = h.id;
    return WN_OK;
}

wn_err wn_spool_add(wn_spool *s, wn_batch_builder *b, wn_batch_head *head) {
    WN_TRY(wn_spool_sync_error(&s->sync));
    char window[WN_WINDOW_TEXT_BYTES];
    wn_window_text(&head->window, window);
    wn_stream *st = current_stream(s, window);
    if (st == NULL) {
        if (!fits(s, wn_padded(0))) return WN_ERR_FULL;
        WN_TRY(begin_stream(s, window, &st));
    }
    WN_TRY(add_to(s, st, b, head));
    st->last++;
    s->waiting++;
    return WN_OK;
}

bool wn_spool_remember(wn_spool *s, wn_memory kind, const uint8_t hash[16], int64_t now_s) {
    wn_transaction *t = s->fill;
    if (wn_spool_grow((void **)&t->ops, &t->ops_cap, t->ops_n + 2, sizeof *t->ops) != WN_OK) return false;
    size_t n;
    wn_err err = wn_recall_add(&s->recall, kind == WN_MEMORY_IMPORT, hash, now_s, t->ops + t->ops_n, &n);
    t->ops_n += n;
    return err == WN_OK;
}

bool wn_spool_known(const wn_spool *s, wn_memory kind, const uint8_t hash[16]) {
    return wn_recall_known(&s->recall, kind == WN_MEMORY_IMPORT, hash);
}

// ---- handing over ----

static size_t memory_box_bytes(size_t ops) {
    return wn_padded(4 + ops * WN_MEMORY_OP_BYTES + WN_BOX_OVERHEAD);
}

static size_t memory_ops(size_t left) {
    return left < WN_MEMORY_RECORD_OPS_MAX ? left : WN_MEMORY_RECORD_OPS_MAX;
}

// The memories of the transaction, so that the log alone can restore them.
// Room was reserved.
static void append_memories(wn_spool *s) {
    const wn_transaction *t = s->fill;
    for (size_t done = 0, n; done < t->ops_n; done += n) {
        n = memory_ops(t->ops_n - done);
        size_t box_bytes = memory_box_bytes(n);
        if (s->pending.set) seal_pending(s, false);
        uint8_t *p = s->pending.plain;
        memset(p, 0, box_bytes - WN_BOX_OVERHEAD);
        wn_put32(p, (uint32_t)n);
        for (size_t i = 0; i < n; i++) {
            const wn_recall_op *op = &t->ops[done + i];
            uint8_t *at = p + 4 + i * WN_MEMORY_OP_BYTES;
            at[0] = op->file;
            at[1] = op->rotate;
            wn_put64(at + 8, (uint64_t)op->at_s);
            memcpy(at + 16, op->hash, 16);
        }
        wn_record_head rec = {.kind = WN_RECORD_MEMORY, .box_bytes = (uint32_t)box_bytes, .txn = t->number};
        wn_spool_append(s, &rec, s->memory_key);
    }
}

wn_err wn_spool_place(wn_spool *s, bool fresh, size_t n, wn_segment **out) {
    if (s->segments_n > 0 && !fresh) {
        wn_segment *last = &s->segments[s->segments_n - 1];
        if (last->bytes + n <= s->segment_bytes || last->bytes == WN_SEGMENT_HEAD_BYTES) {
            *out = last;
            return WN_OK;
        }
    }
    WN_TRY(wn_spool_grow((void **)&s->segments, &s->segments_cap, s->segments_n + 1, sizeof *s->segments));
    *out = &s->segments[s->segments_n];
    **out = (wn_segment){.number = s->segments_n > 0 ? s->segments[s->segments_n - 1].number + 1 : 1};
    return WN_OK;
}

void wn_spool_enter(wn_spool *s, wn_transaction *t, wn_segment *seg) {
    t->create = seg->bytes == 0;
    if (t->create) {
        seg->bytes = WN_SEGMENT_HEAD_BYTES;
        s->bytes += WN_SEGMENT_HEAD_BYTES;
        s->segments_n++;
    }
    t->segment = seg->number;
    t->offset = seg->bytes;
    seg->bytes += t->n;
    s->bytes += t->n;
    wn_spool_sync_give(&s->sync, t);
}

// Everything that can fail, before anything is sealed as the last record.
static wn_err reserve(wn_spool *s, wn_segment **out) {
    wn_transaction *t = s->fill;
    size_t n = t->n + pending_bytes(s);
    for (size_t done = 0; done < t->ops_n; done += memory_ops(t->ops_n - done)) {
        n += WN_RECORD_HEAD_BYTES + memory_box_bytes(memory_ops(t->ops_n - done));
    }
    WN_TRY(wn_spool_grow((void **)&t->bytes, &t->cap, n, 1));
    wn_segment *seg;
    WN_TRY(wn_spool_place(s, false, n, &seg));
    WN_TRY(wn_spool_grow((void **)&seg->held, &seg->held_cap, seg->held_n + t->held_n, sizeof *seg->held));
    *out = seg;
    return WN_OK;
}

static bool empty(const wn_spool *s) {
    return !s->pending.set && s->fill->n == 0 && s->fill->ops_n == 0;
}

bool wn_spool_submit(wn_spool *s) {
    if (empty(s)) return true;
    wn_segment *seg;
    if (wn_spool_sync_busy(&s->sync) || reserve(s, &seg) != WN_OK) return false;

    wn_transaction *t = s->fill;
    append_memories(s);
    if (s->pending.set) seal_pending(s, true);
    for (size_t i = 0; i < t->held_n; i++) {
        wn_err err =
            wn_spool_hold(&seg->held, &seg->held_n, &seg->held_cap, t->held[i].stream, t->held[i].last);
        WN_ASSERT(err == WN_OK);
    }
    t->txn_before = t->number - 1;

    wn_transaction *next = t == &s->txn[0] ? &s->txn[1] : &s->txn[0];
    next->number = t->number + 1;
    next->n = next->ops_n = next->held_n = 0;
    s->fill = next;
    wn_spool_enter(s, t, seg);
    return true;
}

bool wn_spool_idle(const wn_spool *s) {
    return empty(s) && !wn_spool_sync_busy(&((wn_spool *)(uintptr_t)s)->sync);
}

wn_err wn_spool_done(wn_spool *s, uint64_t *out_txn) {
    uint64_t count;
    ssize_t k = read(s->sync.event_fd, &count, sizeof count);
    (void)k; // EAGAIN: nothing new
    if (s->rolling) {
        s->rolling = false;
        wn_spool_reap(s);
    }
    pthread_mutex_lock(&s->sync.lock);
    uint64_t done = s->sync.done_txn;
    wn_err err = s->sync.err;
    s->reported_ns = s->sync.took_ns;
    pthread_mutex_unlock(&s->sync.lock);
    // What became durable before the failure is told first.
    if (err != WN_OK && done == s->reported_txn) return err;
    s->reported_txn = done;
    *out_txn = done;
    return WN_OK;
}

int64_t wn_spool_sync_took(const wn_spool *s) {
    return s->reported_ns;
}

int wn_spool_fd(const wn_spool *s) {
    return s->sync.event_fd;
}

uint64_t wn_spool_bytes(const wn_spool *s) {
    return s->bytes + s->fill->n + pending_bytes(s);
}

uint64_t wn_spool_waiting(const wn_spool *s) {
    return s->waiting;
}

uint64_t wn_spool_unreadable(const wn_spool *s) {
    return s->unreadable;
}

uint64_t wn_spool_last_txn(const wn_spool *s) {
    wn_spool_sync *y = &((wn_spool *)(uintptr_t)s)->sync;
    pthread_mutex_lock(&y->lock);
    uint64_t done = y->done_txn;
    pthread_mutex_unlock(&y->lock);
    return done;
}

// Spends no transaction number: what is being filled goes to the new segment.
wn_err wn_spool_roll(wn_spool *s) {
    wn_segment *seg;
    WN_TRY(wn_spool_place(s, true, 0, &seg));
    s->aside.n = 0;
    s->aside.number = s->aside.txn_before = s->fill->number - 1;
    wn_spool_enter(s, &s->aside, seg);
    s->rolling = true;
    return WN_OK;
}

wn_err wn_spool_forget(wn_spool *s, const wn_window *w) {
    char window[WN_WINDOW_TEXT_BYTES], name[WN_SLOT_NAME_BYTES] = "spool/";
    wn_window_text(w, window);
    strcat(name, window);
    const char *names[] = {name, NULL};
    WN_TRY(wn_slots_forget(s->keys, names));

    bool in_last = false;
    const wn_segment *last = s->segments_n > 0 ? &s->segments[s->segments_n - 1] : NULL;
    for (size_t i = 0; i < s->streams_n; i++) {
        wn_stream *st = &s->streams[i];
        if (!st->used || strcmp(st->window, window) != 0) continue;
        if (!st->dead) s->waiting -= st->last - st->acked;
        st->acked = st->last;
        st->dead = true;
        st->current = false;
        wn_wipe(st->key, sizeof st->key);
        for (size_t k = 0; last != NULL && k < last->held_n; k++) in_last |= last->held[k].stream == i;
    }
    if (in_last) {
        WN_TRY(wn_spool_sync_wait(&s->sync));
        WN_TRY(wn_spool_roll(s));
        WN_TRY(wn_spool_sync_wait(&s->sync));
    }
    wn_spool_reap(s);
    return wn_spool_sync_wait(&s->sync);
}
