// SPDX-License-Identifier: Apache-2.0
// spool_open.c: a spool's first and last moments.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_private.h"

#define MEMORY_KEY "memory/spool"

static wn_err open_dir(const char *dir, int *out_fd) {
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) return WN_ERR_IO;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return WN_ERR_IO;
    if (fchmod(fd, 0700) != 0) {
        close(fd);
        return WN_ERR_IO;
    }
    *out_fd = fd;
    return WN_OK;
}

static wn_err open_parts(wn_spool *s, const char *dir, int64_t now_s, uint64_t *out_cut) {
    WN_TRY(open_dir(dir, &s->sync.dir_fd));
    WN_TRY(wn_slots_make(s->keys, MEMORY_KEY, s->memory_key));
    s->pending.plain = malloc(WN_PLAIN_BYTES_MAX);
    s->box = malloc(WN_RECORD_BOX_BYTES_MAX);
    s->ahead = malloc(WN_READ_AHEAD_BYTES);
    s->plain = malloc(WN_PLAIN_BYTES_MAX);
    s->streams = calloc(WN_SPOOL_STREAMS_MAX, sizeof *s->streams);
    if (s->pending.plain == NULL || s->box == NULL || s->ahead == NULL || s->plain == NULL ||
        s->streams == NULL)
        return WN_ERR_NOMEM;
    WN_TRY(wn_recall_open(s->sync.dir_fd, now_s, &s->recall, &s->sync.files));
    uint64_t txn, cut;
    WN_TRY(wn_spool_scan(s, now_s, &txn, &cut));
    if (fsync(s->sync.dir_fd) != 0) return WN_ERR_IO;
    s->sync.done_txn = s->reported_txn = txn;
    if (s->segments_n > 0) {
        s->sync.done_segment = s->segments[s->segments_n - 1].number;
        s->sync.done_end = s->segments[s->segments_n - 1].bytes;
    }
    s->fill = &s->txn[0];
    s->fill->number = txn + 1;
    WN_TRY(wn_spool_sync_start(&s->sync));
    wn_spool_rewind(s);
    *out_cut = cut;
    return WN_OK;
}

wn_err wn_spool_open(const char *dir, wn_slots *keys, const uint8_t collector[16], uint64_t bytes_max,
                     int64_t sync_delay_ms, int64_t now_s, wn_spool **out, uint64_t *out_cut) {
    wn_spool *s = calloc(1, sizeof *s);
    if (s == NULL) return WN_ERR_NOMEM;
    s->keys = keys;
    memcpy(s->collector, collector, sizeof s->collector);
    s->bytes_max = bytes_max;
    s->segment_bytes = bytes_max / 4 < WN_SEGMENT_BYTES ? bytes_max / 4 : WN_SEGMENT_BYTES;
    s->sync.delay_ms = sync_delay_ms;
    s->sync.dir_fd = s->sync.event_fd = s->sync.fd = s->read_fd = -1;
    for (unsigned i = 0; i < WN_RECALL_FILES; i++) s->sync.files.fd[i] = -1;
    uint64_t cut;
    wn_err err = open_parts(s, dir, now_s, &cut);
    if (err != WN_OK) {
        wn_spool_close(s);
        return err;
    }
    wn_spool_reap(s);
    *out = s;
    *out_cut = cut;
    return WN_OK;
}

static void wipe_free(void *p, size_t n) {
    if (p != NULL) wn_wipe(p, n);
    free(p);
}

void wn_spool_close(wn_spool *s) {
    if (s == NULL) return;
    wn_spool_sync_stop(&s->sync);
    wn_recall_close(&s->recall, &s->sync.files);
    if (s->sync.dir_fd >= 0) close(s->sync.dir_fd);
    wn_spool_read_close(s);
    for (size_t i = 0; i < 2; i++) {
        free(s->txn[i].bytes);
        free(s->txn[i].ops);
        free(s->txn[i].held);
    }
    for (size_t i = 0; i < s->segments_n; i++) {
        free(s->segments[i].held);
        free(s->segments[i].rebased);
    }
    free(s->segments);
    free(s->aside.bytes);
    wipe_free(s->streams, s->streams_n * sizeof *s->streams);
    wipe_free(s->pending.plain, WN_PLAIN_BYTES_MAX);
    free(s->box);
    free(s->ahead);
    wipe_free(s->plain, WN_PLAIN_BYTES_MAX);
    wipe_free(s->rebuilt, WN_BATCH_BYTES_MAX);
    wipe_free(s->reader, sizeof *s->reader);
    wn_batch_builder_free(s->builder);
    wn_wipe(s, sizeof *s);
    free(s);
}
