// SPDX-License-Identifier: Apache-2.0
// spool_read.c: delivery: a cursor over durable records, acks, and what may go.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool_private.h"

// ---- names as the aggregator knows them ----

static uint64_t shown_generation(const wn_stream *st) {
    return st->alias != 0 ? st->alias : st->generation;
}

static wn_stream *find_shown(const wn_spool *s, const wn_window *w, uint64_t generation) {
    char window[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, window);
    for (size_t i = 0; i < s->streams_n; i++) {
        wn_stream *st = &s->streams[i];
        if (!st->used || st->dead || shown_generation(st) != generation) continue;
        if (strcmp(st->window, window) == 0) return st;
    }
    return NULL;
}

// ---- what may go ----

static bool holds(const wn_segment *seg, uint32_t stream) {
    for (size_t i = 0; i < seg->held_n; i++) {
        if (seg->held[i].stream == stream) return true;
    }
    return false;
}

static bool may_go(const wn_spool *s, size_t index) {
    const wn_segment *seg = &s->segments[index];
    for (size_t i = 0; i < seg->held_n; i++) {
        if (s->streams[seg->held[i].stream].acked < seg->held[i].last) return false;
    }
    for (size_t i = 0; i < seg->rebased_n; i++) {
        for (size_t k = 0; k < s->segments_n; k++) {
            if (k != index && holds(&s->segments[k], seg->rebased[i])) return false;
        }
    }
    return true;
}

static bool in_txn(const wn_transaction *t, uint32_t stream) {
    for (size_t i = 0; i < t->held_n; i++) {
        if (t->held[i].stream == stream) return true;
    }
    return false;
}

static void release_streams(wn_spool *s) {
    for (uint32_t i = 0; i < s->streams_n; i++) {
        wn_stream *st = &s->streams[i];
        if (!st->used || st->current || in_txn(&s->txn[0], i) || in_txn(&s->txn[1], i)) continue;
        bool needed = false;
        for (size_t k = 0; k < s->segments_n && !needed; k++) {
            needed = holds(&s->segments[k], i);
            for (size_t r = 0; r < s->segments[k].rebased_n; r++) needed |= s->segments[k].rebased[r] == i;
        }
        if (needed) continue;
        wn_wipe(st->key, sizeof st->key);
        st->used = false;
    }
}

void wn_spool_reap(wn_spool *s) {
    bool gone = false;
    for (size_t i = 0; i + 1 < s->segments_n;) {
        wn_segment *seg = &s->segments[i];
        if (!may_go(s, i) || wn_spool_sync_unlink(&s->sync, seg->number) != WN_OK) {
            i++;
            continue;
        }
        if (seg->number == s->read_number) wn_spool_read_close(s);
        s->bytes -= seg->bytes;
        free(seg->held);
        free(seg->rebased);
        s->segments_n--;
        memmove(seg, seg + 1, (s->segments_n - i) * sizeof *seg);
        gone = true;
    }
    if (gone) release_streams(s);
    // A full segment that is delivered makes room even when nothing new comes.
    const wn_segment *last = s->segments_n > 0 ? &s->segments[s->segments_n - 1] : NULL;
    bool done = last != NULL && last->bytes >= s->segment_bytes && may_go(s, s->segments_n - 1);
    if (done && !s->rolling && !wn_spool_sync_busy(&s->sync) && wn_spool_sync_error(&s->sync) == WN_OK) {
        wn_err err = wn_spool_roll(s);
        (void)err; // no memory: the next ack tries again
    }
}

wn_err wn_spool_settle(wn_spool *s) {
    WN_TRY(wn_spool_sync_wait(&s->sync));
    const wn_segment *last = s->segments_n > 0 ? &s->segments[s->segments_n - 1] : NULL;
    if (last == NULL || last->bytes == WN_SEGMENT_HEAD_BYTES || !may_go(s, s->segments_n - 1)) return WN_OK;
    WN_TRY(wn_spool_roll(s));
    WN_TRY(wn_spool_sync_wait(&s->sync));
    wn_spool_reap(s);
    return wn_spool_sync_wait(&s->sync);
}

// ---- acks ----

static void ack_stream(wn_spool *s, wn_stream *st, uint64_t sequence) {
    if (sequence <= st->acked) return;
    s->waiting -= sequence - st->acked;
    st->acked = sequence;
    wn_spool_reap(s);
}

void wn_spool_ack(wn_spool *s, const wn_window *w, uint64_t generation, uint64_t sequence) {
    wn_stream *st = find_shown(s, w, generation);
    if (st == NULL) return;
    uint64_t most = st->last - st->alias_base;
    ack_stream(s, st, (sequence < most ? sequence : most) + st->alias_base);
}

uint64_t wn_spool_oldest(const wn_spool *s, const wn_window *w, uint64_t generation) {
    const wn_stream *st = find_shown(s, w, generation);
    return st != NULL ? st->acked + 1 - st->alias_base : 0;
}

bool wn_spool_window_drained(const wn_spool *s, const wn_window *w, uint64_t *out_generation,
                             uint64_t *out_sequence) {
    char window[WN_WINDOW_TEXT_BYTES];
    wn_window_text(w, window);
    const wn_stream *newest = NULL;
    for (size_t i = 0; i < s->streams_n; i++) {
        const wn_stream *st = &s->streams[i];
        if (!st->used || st->dead || strcmp(st->window, window) != 0) continue;
        if (st->acked < st->last) return false;
        if (newest == NULL || st->order > newest->order) newest = st;
    }
    *out_generation = newest != NULL ? shown_generation(newest) : 0;
    *out_sequence = newest != NULL ? newest->last - newest->alias_base : 0;
    return true;
}

// ---- a generation that the aggregator has lost ----

// Written beside the transaction being filled, under the number before: what is
// promised of that one must not be handed over early.
static wn_err rebase(wn_spool *s, wn_stream *st, uint64_t base) {
    if (wn_spool_sync_busy(&s->sync)) return WN_ERR_BUSY;
    enum { BOX_BYTES = 512 };
    uint8_t plain[BOX_BYTES - WN_BOX_OVERHEAD] = {0};
    uint64_t alias = 0;
    while (alias == 0) WN_TRY(wn_random(&alias, sizeof alias));
    wn_put64(plain, alias);
    wn_put64(plain + 8, base);
    wn_record_head rec = {.kind = WN_RECORD_REBASE,
                          .last = true,
                          .box_bytes = BOX_BYTES,
                          .txn = s->fill->number - 1,
                          .generation = st->generation};
    memcpy(rec.window, st->window, sizeof rec.window);

    wn_transaction *t = &s->aside;
    wn_segment *seg;
    WN_TRY(wn_spool_grow((void **)&t->bytes, &t->cap, WN_RECORD_HEAD_BYTES + BOX_BYTES, 1));
    WN_TRY(wn_spool_place(s, false, WN_RECORD_HEAD_BYTES + BOX_BYTES, &seg));
    WN_TRY(
        wn_spool_grow((void **)&seg->rebased, &seg->rebased_cap, seg->rebased_n + 1, sizeof *seg->rebased));
    wn_record_head_encode(&rec, t->bytes);
    wn_box_seal(st->key, (wn_span){t->bytes, WN_RECORD_HEAD_BYTES}, (wn_span){plain, sizeof plain},
                t->bytes + WN_RECORD_HEAD_BYTES);
    t->n = WN_RECORD_HEAD_BYTES + BOX_BYTES;
    t->number = t->txn_before = s->fill->number - 1;
    seg->rebased[seg->rebased_n++] = wn_spool_stream_index(s, st);
    wn_spool_enter(s, t, seg);
    st->alias = alias;
    st->alias_base = base;
    st->alias_segment = seg->number;
    st->alias_end = seg->bytes;
    st->current = false; // a new batch of the window begins a generation of its own
    return WN_OK;
}

wn_err wn_spool_restart(wn_spool *s, const wn_window *w, uint64_t generation) {
    wn_stream *st = find_shown(s, w, generation);
    if (st == NULL) return WN_ERR_NOTFOUND;
    return rebase(s, st, st->acked);
}

// ---- the cursor ----

typedef struct durable {
    uint64_t txn, end;
    uint32_t segment;
} durable;

static durable durable_now(wn_spool *s) {
    wn_spool_sync *y = &s->sync;
    pthread_mutex_lock(&y->lock);
    durable d = {y->done_txn, y->done_end, y->done_segment};
    pthread_mutex_unlock(&y->lock);
    return d;
}

void wn_spool_rewind(wn_spool *s) {
    s->at_segment = 0;
    s->at_offset = WN_SEGMENT_HEAD_BYTES;
    for (size_t i = 0; i < s->streams_n; i++) s->streams[i].seen = 0;
}

static wn_segment *cursor_segment(wn_spool *s) {
    for (size_t i = 0; i < s->segments_n; i++) {
        wn_segment *seg = &s->segments[i];
        if (seg->number < s->at_segment) continue;
        if (seg->number > s->at_segment) {
            s->at_segment = seg->number;
            s->at_offset = WN_SEGMENT_HEAD_BYTES;
        }
        return seg;
    }
    return NULL;
}

void wn_spool_read_close(wn_spool *s) {
    if (s->read_fd >= 0) close(s->read_fd);
    s->read_fd = -1;
    s->read_number = 0;
    s->ahead_n = 0;
}

static bool read_open(wn_spool *s, uint32_t number) {
    if (s->read_fd >= 0 && s->read_number == number) return true;
    wn_spool_read_close(s);
    char name[WN_SEGMENT_NAME_BYTES];
    wn_segment_name(number, name);
    s->read_fd = openat(s->sync.dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (s->read_fd >= 0) s->read_number = number;
    return s->read_fd >= 0;
}

static size_t read_some(int fd, uint8_t *p, size_t n, uint64_t at) {
    size_t got = 0;
    while (got < n) {
        ssize_t k = pread(fd, p + got, n - got, (off_t)(at + got));
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) break;
        got += (size_t)k;
    }
    return got;
}

// `n` durable bytes of the open segment, which is durable up to `end`; NULL: they cannot be read.
// Borrowed until the next call. Small records are read many at a time.
static const uint8_t *read_at(wn_spool *s, uint64_t at, size_t n, uint64_t end) {
    if (at + n > end) return NULL;
    if (n > WN_READ_AHEAD_BYTES) return read_some(s->read_fd, s->box, n, at) == n ? s->box : NULL;
    if (at < s->ahead_at || at + n > s->ahead_at + s->ahead_n) {
        size_t want = end - at < WN_READ_AHEAD_BYTES ? (size_t)(end - at) : WN_READ_AHEAD_BYTES;
        s->ahead_at = at;
        s->ahead_n = read_some(s->read_fd, s->ahead, want, at);
        if (s->ahead_n < n) return NULL;
    }
    return s->ahead + (at - s->ahead_at);
}

static const wn_value *value_of(const wn_batch_reader *r, uint64_t id, wn_value *hold) {
    for (uint32_t i = 0; i < wn_batch_reader_values(r); i++) {
        wn_batch_reader_value(r, i, hold);
        if (wn_value_id(hold) == id) return hold;
    }
    return NULL;
}

// The batch again under the id it has now.
static wn_err rename_batch(wn_spool *s, wn_span batch, const wn_batch_id *id, size_t *out_n) {
    if (s->reader == NULL) s->reader = malloc(sizeof *s->reader);
    if (s->rebuilt == NULL) s->rebuilt = malloc(WN_BATCH_BYTES_MAX);
    if (s->reader == NULL || s->rebuilt == NULL) return WN_ERR_NOMEM;
    if (s->builder == NULL) WN_TRY(wn_batch_builder_new(&s->builder));
    wn_batch_reader *r = s->reader;
    WN_TRY(wn_batch_reader_init(r, batch));
    wn_batch_builder_reset(s->builder);
    for (uint32_t i = 0; i < r->refusals_n; i++) {
        WN_TRY(wn_batch_builder_refuse(s->builder, r->refusals[i].site, r->refusals[i].refused));
    }
    wn_observation obs;
    while (wn_batch_reader_next(r, &obs)) {
        wn_value hold[WN_OPEN_N];
        const wn_value *values[WN_OPEN_N] = {NULL};
        for (unsigned i = 0; i < WN_OPEN_N; i++) {
            if (obs.open[i] != 0) values[i] = value_of(r, obs.open[i], &hold[i]);
        }
        WN_TRY(wn_batch_builder_add(s->builder, &obs, values));
    }
    wn_batch_head head = r->head;
    head.id = *id;
    wn_err err = wn_batch_builder_finish(s->builder, &head, s->rebuilt, WN_BATCH_BYTES_MAX, out_n);
    wn_batch_builder_reset(s->builder);
    wn_wipe(&head, sizeof head);
    wn_wipe(r, sizeof *r);
    return err;
}

// Decrypts and checks a record.
static wn_err open_record(wn_spool *s, const wn_stream *st, const wn_record_head *h,
                          const uint8_t *head_bytes, const uint8_t *box_bytes, wn_spool_record *out) {
    wn_span box = {box_bytes, h->box_bytes};
    size_t plain_n = h->box_bytes - WN_BOX_OVERHEAD;
    WN_TRY(wn_box_open(st->key, (wn_span){head_bytes, WN_RECORD_HEAD_BYTES}, box, s->plain));
    s->plain_n = plain_n;
    wn_plain_head p;
    WN_TRY(wn_plain_head_decode(s->plain, plain_n, &p));
    wn_spool_record r = {.window = p.window,
                         .observations = p.observations,
                         .bytes = s->plain + WN_PLAIN_HEAD_BYTES,
                         .n = p.batch_bytes};
    memcpy(r.id.collector, s->collector, sizeof r.id.collector);
    r.id.generation = shown_generation(st);
    r.id.sequence = h->sequence - st->alias_base;
    if (st->alias != 0) {
        WN_TRY(rename_batch(s, (wn_span){r.bytes, r.n}, &r.id, &r.n));
        r.bytes = s->rebuilt;
        s->rebuilt_n = r.n;
    }
    *out = r;
    return WN_OK;
}

typedef enum step { STEP_FOUND, STEP_SKIP, STEP_STOP, STEP_RUINED } step;

// Records up to `sequence` can never be sent. What was before them is delivered
// first; what follows goes on under a new generation, since the aggregator takes no gap.
static void give_up(wn_spool *s, wn_stream *st, uint64_t before, uint64_t sequence) {
    if (st->acked < before) return;
    if (st->last > sequence && rebase(s, st, sequence) != WN_OK) return;
    s->unreadable += sequence - st->acked;
    ack_stream(s, st, sequence);
}

typedef struct limits {
    size_t bytes;
    uint32_t observations;
} limits;

// Looks at the record under the cursor; moves past it unless it must wait.
static step step_record(wn_spool *s, uint64_t end, const durable *d, const limits *most,
                        wn_spool_record *out) {
    uint8_t head_bytes[WN_RECORD_HEAD_BYTES];
    wn_record_head h;
    const uint8_t *p = read_at(s, s->at_offset, sizeof head_bytes, end);
    if (p == NULL) return STEP_RUINED;
    memcpy(head_bytes, p, sizeof head_bytes);
    if (wn_record_head_decode((wn_span){head_bytes, sizeof head_bytes}, &h) != WN_OK) return STEP_RUINED;
    if (h.txn > d->txn) return STEP_STOP;
    uint64_t next = s->at_offset + WN_RECORD_HEAD_BYTES + h.box_bytes;
    wn_stream *st = h.kind == WN_RECORD_BATCH ? wn_spool_stream(s, h.window, h.generation) : NULL;
    if (st == NULL || st->dead || h.sequence <= st->acked) {
        if (st != NULL) st->seen = h.sequence;
        s->at_offset = next;
        return STEP_SKIP;
    }
    bool named =
        st->alias_segment < d->segment || (st->alias_segment == d->segment && st->alias_end <= d->end);
    if (!named) return STEP_STOP;
    uint64_t before = st->seen > st->acked ? st->seen : st->acked;
    if (h.sequence > before + 1) {
        give_up(s, st, before, h.sequence - 1); // a ruined segment took those between
        return STEP_STOP;
    }
    if (h.box_bytes / 4 > most->bytes) return STEP_STOP; // padding at most doubles
    p = read_at(s, s->at_offset + WN_RECORD_HEAD_BYTES, h.box_bytes, end);
    wn_spool_record r;
    if (p == NULL || open_record(s, st, &h, head_bytes, p, &r) != WN_OK) {
        give_up(s, st, h.sequence - 1, h.sequence);
        return STEP_STOP;
    }
    if (r.n > most->bytes || r.observations > most->observations) return STEP_STOP;
    st->seen = h.sequence;
    s->at_offset = next;
    *out = r;
    return STEP_FOUND;
}

void wn_spool_forget_record(wn_spool *s) {
    wn_wipe(s->plain, s->plain_n);
    if (s->rebuilt != NULL) wn_wipe(s->rebuilt, s->rebuilt_n);
    s->plain_n = s->rebuilt_n = 0;
}

bool wn_spool_next_within(wn_spool *s, size_t bytes_max, uint32_t observations_max, wn_spool_record *out) {
    wn_spool_forget_record(s);
    durable d = durable_now(s);
    limits most = {bytes_max, observations_max};
    step last = STEP_SKIP;
    while (last == STEP_SKIP) {
        const wn_segment *seg = cursor_segment(s);
        if (seg == NULL || seg->number > d.segment) return false;
        uint64_t end = seg->number == d.segment ? d.end : seg->bytes;
        bool known_empty = s->at_offset + WN_RECORD_HEAD_BYTES > end;
        bool open = !known_empty && read_open(s, seg->number);
        while (open && last == STEP_SKIP && s->at_offset + WN_RECORD_HEAD_BYTES <= end) {
            last = step_record(s, end, &d, &most, out);
        }
        if (last == STEP_FOUND) return true;
        if (last == STEP_STOP) return false;
        if (seg->number >= d.segment) return false;
        s->at_segment = seg->number + 1;
        s->at_offset = WN_SEGMENT_HEAD_BYTES;
        last = STEP_SKIP;
    }
    return false;
}

bool wn_spool_next(wn_spool *s, wn_spool_record *out) {
    return wn_spool_next_within(s, WN_BATCH_BYTES_MAX, WN_BATCH_OBS_MAX, out);
}

uint64_t wn_spool_ready(const wn_spool *s) {
    durable d = durable_now((wn_spool *)(uintptr_t)s);
    uint64_t n = 0;
    for (size_t i = s->segments_n; i-- > 0 && s->segments[i].number >= s->at_segment;) {
        const wn_segment *seg = &s->segments[i];
        if (seg->number > d.segment) continue;
        uint64_t end = seg->number == d.segment ? d.end : seg->bytes;
        uint64_t at = seg->number == s->at_segment ? s->at_offset : WN_SEGMENT_HEAD_BYTES;
        if (end > at) n += end - at;
    }
    return n;
}
