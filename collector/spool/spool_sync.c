// SPDX-License-Identifier: Apache-2.0
// spool_sync.c: write, fdatasync, and only then `done`.
#include "spool_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_MS = 200 };

static wn_err error_of(int code) {
    return code == ENOSPC || code == EDQUOT || code == EFBIG ? WN_ERR_FULL : WN_ERR_IO;
}

static wn_err write_all(int fd, const uint8_t *p, size_t n, uint64_t at) {
    while (n > 0) {
        ssize_t k = pwrite(fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return error_of(errno);
        p += k;
        n -= (size_t)k;
        at += (uint64_t)k;
    }
    return WN_OK;
}

static wn_err open_segment(wn_spool_sync *y, const wn_transaction *t) {
    if (y->fd >= 0 && y->number == t->segment) return WN_OK;
    char name[WN_SEGMENT_NAME_BYTES];
    wn_segment_name(t->segment, name);
    int flags = O_WRONLY | O_CLOEXEC | (t->create ? O_CREAT | O_TRUNC : 0);
    int fd = openat(y->dir_fd, name, flags, 0600);
    if (fd < 0) return error_of(errno);
    if (y->fd >= 0) close(y->fd);
    y->fd = fd;
    y->number = t->segment;
    return WN_OK;
}

static wn_err write_segment(wn_spool_sync *y, const wn_transaction *t) {
    WN_TRY(open_segment(y, t));
    wn_err err = WN_OK;
    if (t->create) {
        uint8_t head[WN_SEGMENT_HEAD_BYTES];
        wn_segment_head_encode(&(wn_segment_head){t->segment, t->txn_before}, head);
        err = write_all(y->fd, head, sizeof head, 0);
    }
    if (err == WN_OK) err = write_all(y->fd, t->bytes, t->n, t->offset);
    if (err == WN_OK) return WN_OK;
    // Gives the room back; the next try writes the same place again.
    if (ftruncate(y->fd, t->create ? 0 : (off_t)t->offset) != 0) return WN_ERR_IO;
    return err;
}

static void nap(int64_t ms) {
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static int64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Everything of one transaction. WN_ERR_FULL may be tried again from the start.
static wn_err run_job(wn_spool_sync *y, const wn_transaction *t, size_t *inout_ops_done,
                      int64_t *out_took_ns) {
    WN_TRY(write_segment(y, t));
    int64_t began_ns = clock_ns();
    nap(y->delay_ms);
    if (fdatasync(y->fd) != 0) return error_of(errno);
    *out_took_ns = clock_ns() - began_ns;
    if (t->create && fsync(y->dir_fd) != 0) return WN_ERR_IO;
    return wn_recall_write(&y->files, t->ops, t->ops_n, inout_ops_done);
}

static void tell(wn_spool_sync *y) {
    uint64_t one = 1;
    ssize_t k = write(y->event_fd, &one, sizeof one);
    (void)k; // fails only when the count is full: readable then, too
}

static void wait_retry(wn_spool_sync *y) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += RETRY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&y->wake, &y->lock, &until);
}

// Under the lock, which it lets go while it works.
static void work_off(wn_spool_sync *y) {
    wn_transaction *t = y->job;
    size_t ops_done = 0;
    int64_t took_ns = 0;
    for (;;) {
        pthread_mutex_unlock(&y->lock);
        wn_err err = run_job(y, t, &ops_done, &took_ns);
        pthread_mutex_lock(&y->lock);
        bool changed = err != y->err;
        y->err = err;
        if (err == WN_OK) break;
        if (changed) tell(y);
        pthread_cond_broadcast(&y->calm);
        while (err != WN_ERR_FULL && !y->stop) pthread_cond_wait(&y->wake, &y->lock);
        if (y->stop) return;
        wait_retry(y);
        if (y->stop) return;
    }
    y->done_txn = t->number;
    y->took_ns = took_ns;
    y->done_segment = t->segment;
    y->done_end = t->offset + t->n;
    y->job = NULL;
    // The loop asks for the lock as soon as it is told.
    pthread_mutex_unlock(&y->lock);
    tell(y);
    pthread_mutex_lock(&y->lock);
}

static void unlink_some(wn_spool_sync *y) {
    uint32_t number = y->unlinks[0];
    y->unlinking = true;
    pthread_mutex_unlock(&y->lock);
    wn_err err = wn_recall_sync(&y->files);
    if (err == WN_OK) {
        char name[WN_SEGMENT_NAME_BYTES];
        wn_segment_name(number, name);
        unlinkat(y->dir_fd, name, 0); // if it fails the segment is read and delivered again: known there
    }
    pthread_mutex_lock(&y->lock);
    y->unlinking = false;
    if (err != WN_OK) {
        y->err = err;
        tell(y);
        return;
    }
    y->unlinks_n--;
    for (size_t i = 0; i < y->unlinks_n; i++) y->unlinks[i] = y->unlinks[i + 1];
}

static void *run(void *ctx) {
    wn_spool_sync *y = ctx;
    pthread_mutex_lock(&y->lock);
    for (;;) {
        bool sound = y->err == WN_OK;
        if (y->job != NULL && sound) {
            work_off(y);
        } else if (y->unlinks_n > 0 && sound) {
            unlink_some(y);
        } else {
            pthread_cond_broadcast(&y->calm);
            if (y->stop) break;
            pthread_cond_wait(&y->wake, &y->lock);
        }
    }
    pthread_mutex_unlock(&y->lock);
    return NULL;
}

wn_err wn_spool_sync_start(wn_spool_sync *y) {
    pthread_condattr_t attr;
    pthread_mutex_init(&y->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&y->wake, &attr);
    pthread_cond_init(&y->calm, &attr);
    pthread_condattr_destroy(&attr);
    y->fd = -1;
    y->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (y->event_fd < 0) return WN_ERR_IO;
    if (pthread_create(&y->thread, NULL, run, y) != 0) return WN_ERR_NOMEM;
    y->started = true;
    return WN_OK;
}

void wn_spool_sync_stop(wn_spool_sync *y) {
    if (y->started) {
        pthread_mutex_lock(&y->lock);
        y->stop = true;
        pthread_cond_signal(&y->wake);
        pthread_mutex_unlock(&y->lock);
        pthread_join(y->thread, NULL);
    }
    pthread_mutex_destroy(&y->lock);
    pthread_cond_destroy(&y->wake);
    pthread_cond_destroy(&y->calm);
    if (y->fd >= 0) close(y->fd);
    if (y->event_fd >= 0) close(y->event_fd);
    free(y->unlinks);
}

bool wn_spool_sync_busy(wn_spool_sync *y) {
    pthread_mutex_lock(&y->lock);
    bool busy = y->job != NULL;
    pthread_mutex_unlock(&y->lock);
    return busy;
}

wn_err wn_spool_sync_error(wn_spool_sync *y) {
    pthread_mutex_lock(&y->lock);
    wn_err err = y->err;
    pthread_mutex_unlock(&y->lock);
    return err;
}

void wn_spool_sync_give(wn_spool_sync *y, wn_transaction *t) {
    pthread_mutex_lock(&y->lock);
    WN_ASSERT(y->job == NULL);
    y->job = t;
    pthread_mutex_unlock(&y->lock);
    pthread_cond_signal(&y->wake);
}

wn_err wn_spool_sync_unlink(wn_spool_sync *y, uint32_t number) {
    wn_err err = WN_OK;
    pthread_mutex_lock(&y->lock);
    if (y->unlinks_n == y->unlinks_cap) {
        size_t cap = y->unlinks_cap == 0 ? 16 : y->unlinks_cap * 2;
        uint32_t *more = realloc(y->unlinks, cap * sizeof *more);
        if (more == NULL) err = WN_ERR_NOMEM;
        else {
            y->unlinks = more;
            y->unlinks_cap = cap;
        }
    }
    if (err == WN_OK) {
        y->unlinks[y->unlinks_n++] = number;
        pthread_cond_signal(&y->wake);
    }
    pthread_mutex_unlock(&y->lock);
    return err;
}

wn_err wn_spool_sync_wait(wn_spool_sync *y) {
    pthread_mutex_lock(&y->lock);
    while (y->err == WN_OK && (y->job != NULL || y->unlinks_n > 0 || y->unlinking)) {
        pthread_cond_wait(&y->calm, &y->lock);
    }
    wn_err err = y->err;
    pthread_mutex_unlock(&y->lock);
    return err;
}
