// SPDX-License-Identifier: Apache-2.0
// import_chunk.c: raw log bytes, held no longer than their chunk.
#include "import_chunk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MOVES_A_LINE 2

static void *space(size_t n) {
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, n, MADV_DONTDUMP);
    madvise(p, n, MADV_HUGEPAGE); // a chunk comes and goes: fewer faults
    return p;
}

wn_err wn_import_raw_open(wn_import_raw *r, size_t bytes_max, size_t lines_max) {
    *r = (wn_import_raw){.bytes_max = bytes_max, .lines_max = lines_max};
    r->bytes = space(bytes_max);
    r->line = space(lines_max * sizeof *r->line);
    if (r->bytes != NULL && r->line != NULL) return WN_OK;
    wn_import_raw_close(r);
    return WN_ERR_NOMEM;
}

void wn_import_raw_close(wn_import_raw *r) {
    if (r->bytes != NULL) {
        wn_wipe(r->bytes, r->n);
        munmap(r->bytes, r->bytes_max);
    }
    if (r->line != NULL) munmap(r->line, r->lines_max * sizeof *r->line);
    *r = (wn_import_raw){.bytes = NULL};
}

void wn_import_raw_wipe(wn_import_raw *r) {
    wn_wipe(r->bytes, r->n);
    madvise(r->bytes, r->bytes_max, MADV_DONTNEED);
    madvise(r->line, r->lines_max * sizeof *r->line, MADV_DONTNEED);
    r->n = r->newlines = r->lines_n = r->cut_at = 0;
}

wn_err wn_import_raw_add(wn_import_raw *r, wn_span bytes) {
    size_t newlines = 0;
    if (bytes.n == 0) return WN_OK;
    if (bytes.n > r->bytes_max - r->n) return WN_ERR_FULL;
    for (const uint8_t *p = bytes.p, *end = p + bytes.n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL;
         p++)
        newlines++;
    size_t open_line = bytes.p[bytes.n - 1] != '\n'; // might be the last one
    if (r->newlines + newlines + open_line > r->lines_max) return WN_ERR_FULL;
    memcpy(r->bytes + r->n, bytes.p, bytes.n);
    r->n += bytes.n;
    r->newlines += newlines;
    return WN_OK;
}

bool wn_import_raw_cut(wn_import_raw *r, wn_line_format format, size_t lines, wn_line *scratch) {
    while (r->cut_at < r->n && lines-- != 0) {
        const uint8_t *start = r->bytes + r->cut_at;
        const uint8_t *newline = memchr(start, '\n', r->n - r->cut_at);
        size_t n = newline != NULL ? (size_t)(newline - start) : r->n - r->cut_at;
        wn_chunk_line *l = &r->line[r->lines_n];
        *l = (wn_chunk_line){WN_LINE_UNREADABLE, (uint32_t)r->cut_at, (uint32_t)n};
        r->cut_at += n + (newline != NULL);
        if (wn_line_parse(format, (const char *)start, n, scratch)) l->time_s = scratch->time_s;
        r->lines_n++;
    }
    wn_line_wipe(scratch);
    return r->cut_at >= r->n;
}

static int by_time(const void *a, const void *b) {
    const wn_chunk_line *x = a, *y = b;
    if (x->time_s != y->time_s) return x->time_s < y->time_s ? -1 : 1;
    return x->offset < y->offset ? -1 : 1;
}

// Servers write nearly in order: a line moves past the few that stand before their time.
// False where that would take long; what is then done is no loss.
static bool insert_all(wn_chunk_line *line, size_t n) {
    for (size_t i = 1, moves = 0; i < n; i++) {
        if (line[i - 1].time_s <= line[i].time_s) continue;
        wn_chunk_line l = line[i];
        size_t at = i;
        for (; at > 0 && by_time(&line[at - 1], &l) > 0; at--, moves++) line[at] = line[at - 1];
        line[at] = l;
        if (moves > MOVES_A_LINE * n) return false;
    }
    return true;
}

void wn_import_raw_sort(wn_import_raw *r, size_t from, size_t to) {
    if (!insert_all(r->line + from, to - from)) qsort(r->line + from, to - from, sizeof *r->line, by_time);
}
