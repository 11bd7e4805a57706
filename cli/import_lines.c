// SPDX-License-Identifier: Apache-2.0
// import_lines.c: zlib reads both kinds of file by their first bytes.
#include "import_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BYTES (256u << 10)

struct wn_import_lines {
    gzFile file;
    uint64_t size;
    uint8_t *read; // READ_BYTES
    size_t read_at, read_n;
    uint8_t *chunk;
    size_t chunk_n, chunk_cap;
    bool ended;
};

wn_err wn_import_lines_open(const char *path, wn_import_lines **out) {
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    struct stat st;
    bool known = fstat(fd, &st) == 0;
    wn_import_lines *l = known && !S_ISDIR(st.st_mode) ? calloc(1, sizeof *l) : NULL;
    if (l) l->read = malloc(READ_BYTES);
    if (l && l->read) l->file = gzdopen(fd, "rb");
    if (!l || !l->read || !l->file) {
        close(fd);
        wn_import_lines_close(l);
        return known && S_ISDIR(st.st_mode) ? WN_ERR_FORMAT : WN_ERR_NOMEM;
    }
    l->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    gzbuffer(l->file, READ_BYTES);
    *out = l;
    return WN_OK;
}

void wn_import_lines_close(wn_import_lines *l) {
    if (!l) return;
    if (l->file) gzclose(l->file);
    if (l->read) wn_wipe(l->read, READ_BYTES);
    if (l->chunk) wn_wipe(l->chunk, l->chunk_cap);
    free(l->read);
    free(l->chunk);
    free(l);
}

// Grows without leaving the lines in freed memory.
static wn_err append(wn_import_lines *l, const uint8_t *p, size_t n) {
    if (n == 0) return WN_OK;
    if (l->chunk_n + n > l->chunk_cap) {
        size_t cap = l->chunk_cap ? l->chunk_cap * 2 : 4u << 20;
        while (cap < l->chunk_n + n) cap *= 2;
        uint8_t *more = malloc(cap);
        if (!more) return WN_ERR_NOMEM;
        if (l->chunk_n) memcpy(more, l->chunk, l->chunk_n);
        if (l->chunk) wn_wipe(l->chunk, l->chunk_n);
        free(l->chunk);
        l->chunk = more;
        l->chunk_cap = cap;
    }
    memcpy(l->chunk + l->chunk_n, p, n);
    l->chunk_n += n;
    return WN_OK;
}

static wn_err refill(wn_import_lines *l) {
    int n = gzread(l->file, l->read, READ_BYTES);
    int code = Z_OK;
    (void)gzerror(l->file, &code);
    if (n < 0 || (n == 0 && code == Z_BUF_ERROR)) return code == Z_ERRNO ? WN_ERR_IO : WN_ERR_FORMAT;
    l->read_at = 0;
    l->read_n = (size_t)n;
    l->ended = n == 0;
    return WN_OK;
}

wn_err wn_import_lines_chunk(wn_import_lines *l, uint32_t *out_lines) {
    uint32_t lines = 0;
    size_t line_n = 0; // bytes of the unfinished line that are kept
    bool unfinished = false;
    if (l->chunk) wn_wipe(l->chunk, l->chunk_n);
    l->chunk_n = 0;
    while (lines < WN_IMPORT_CHUNK_LINES && !l->ended &&
           (unfinished || l->chunk_n <= WN_IMPORT_CHUNK_BYTES - WN_IMPORT_LINE_BYTES)) {
        if (l->read_at == l->read_n) {
            WN_TRY(refill(l));
            continue;
        }
        const uint8_t *from = l->read + l->read_at;
        size_t left = l->read_n - l->read_at;
        const uint8_t *newline = memchr(from, '\n', left);
        size_t n = newline ? (size_t)(newline - from) : left;
        size_t room = WN_IMPORT_LINE_BYTES - 1 - line_n, take = n < room ? n : room;
        WN_TRY(append(l, from, take));
        line_n += take;
        unfinished = true;
        l->read_at += n + (newline ? 1 : 0);
        if (!newline) continue;
        WN_TRY(append(l, (const uint8_t *)"\n", 1));
        lines++;
        line_n = 0;
        unfinished = false;
    }
    if (unfinished) { // the last line of a file may lack its end
        WN_TRY(append(l, (const uint8_t *)"\n", 1));
        lines++;
    }
    *out_lines = lines;
    return WN_OK;
}

bool wn_import_lines_piece(const wn_import_lines *l, size_t *inout_at, wn_span *out) {
    size_t at = *inout_at, n = l->chunk_n - at;
    if (n == 0) return false;
    if (n > WN_IMPORT_PIECE_BYTES) {
        n = WN_IMPORT_PIECE_BYTES;
        while (l->chunk[at + n - 1] != '\n') n--; // a line is far shorter than a piece
    }
    *out = (wn_span){l->chunk + at, n};
    *inout_at = at + n;
    return true;
}

void wn_import_lines_progress(const wn_import_lines *l, uint64_t *out_done, uint64_t *out_size) {
    z_off_t at = gzoffset(l->file);
    *out_done = at > 0 ? (uint64_t)at : 0;
    *out_size = l->size;
}
