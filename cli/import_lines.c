// SPDX-License-Identifier: Apache-2.0
// import_lines.c: zlib reads both kinds of file by their first bytes.
#include "import_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BYTES (256u << 10)
#define ZLIB_BYTES (64u << 10)                                  // zlib reads past its own buffer into ours
#define HAND_BYTES ((size_t)WN_IMPORT_CHUNK_BYTES + READ_BYTES) // a read goes behind the last line

struct wn_import_lines {
    gzFile file;
    uint64_t size;
    uint8_t *rest; // READ_BYTES: what was read behind the chunk before
    size_t rest_n;
    bool ended;
};

// ---- a chunk in hand ----

wn_err wn_import_hand_open(wn_import_hand *out) {
    void *p =
        mmap(NULL, HAND_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return WN_ERR_NOMEM;
    (void)madvise(p, HAND_BYTES, MADV_DONTDUMP);
    (void)madvise(p, HAND_BYTES, MADV_HUGEPAGE);
    *out = (wn_import_hand){.bytes = p};
    return WN_OK;
}

void wn_import_hand_close(wn_import_hand *h) {
    if (!h->bytes) return;
    wn_wipe(h->bytes, h->most);
    munmap(h->bytes, HAND_BYTES);
    *h = (wn_import_hand){.bytes = NULL};
}

bool wn_import_hand_piece(const wn_import_hand *h, size_t *inout_at, wn_span *out) {
    size_t at = *inout_at, n = h->n - at;
    if (n == 0) return false;
    if (n > WN_IMPORT_PIECE_BYTES) {
        n = WN_IMPORT_PIECE_BYTES;
        while (h->bytes[at + n - 1] != '\n') n--; // a line is far shorter than a piece
    }
    *out = (wn_span){h->bytes + at, n};
    *inout_at = at + n;
    return true;
}

// ---- the file ----

wn_err wn_import_lines_open(const char *path, wn_import_lines **out) {
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? WN_ERR_NOTFOUND : WN_ERR_IO;
    struct stat st;
    bool known = fstat(fd, &st) == 0;
    wn_import_lines *l = known && !S_ISDIR(st.st_mode) ? calloc(1, sizeof *l) : NULL;
    if (l) l->rest = malloc(READ_BYTES);
    if (l && l->rest) l->file = gzdopen(fd, "rb");
    if (!l || !l->rest || !l->file) {
        close(fd);
        wn_import_lines_close(l);
        return known && S_ISDIR(st.st_mode) ? WN_ERR_FORMAT : WN_ERR_NOMEM;
    }
    l->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    gzbuffer(l->file, ZLIB_BYTES);
    *out = l;
    return WN_OK;
}

void wn_import_lines_close(wn_import_lines *l) {
    if (!l) return;
    if (l->file) gzclose(l->file);
    if (l->rest) wn_wipe(l->rest, READ_BYTES);
    free(l->rest);
    free(l);
}

// What the chunk before left over, else from the file; 0 bytes at its end.
static wn_err refill(wn_import_lines *l, uint8_t *to, size_t *out_n) {
    *out_n = 0;
    if (l->rest_n != 0) {
        memcpy(to, l->rest, l->rest_n);
        *out_n = l->rest_n;
        l->rest_n = 0;
        return WN_OK;
    }
    if (l->ended) return WN_OK;
    int n = gzread(l->file, to, READ_BYTES);
    int code = Z_OK;
    (void)gzerror(l->file, &code);
    if (n < 0 || (n == 0 && code == Z_BUF_ERROR)) return code == Z_ERRNO ? WN_ERR_IO : WN_ERR_FORMAT;
    l->ended = n == 0;
    *out_n = (size_t)n;
    return WN_OK;
}

typedef struct filling {
    wn_import_hand *h;
    size_t read, end; // bytes at h->n..end are read and not yet taken, from `read` on
    size_t line_n;    // bytes of the unfinished line that are kept
    bool unfinished;
} filling;

// Takes the next line of what is read, or all there is of one, in place; what is too long of it
// falls out. Answers whether the line is whole.
static bool take_line(filling *f) {
    uint8_t *from = f->h->bytes + f->read;
    size_t left = f->end - f->read;
    const uint8_t *newline = memchr(from, '\n', left);
    size_t n = newline ? (size_t)(newline - from) : left;
    size_t room = WN_IMPORT_LINE_BYTES - 1 - f->line_n, take = n < room ? n : room;
    if (f->h->n != f->read) memmove(f->h->bytes + f->h->n, from, take);
    f->h->n += take;
    f->line_n += take;
    f->read += n + (newline ? 1 : 0);
    f->unfinished = newline == NULL;
    return newline != NULL;
}

static void end_line(filling *f) {
    f->h->bytes[f->h->n++] = '\n';
    f->h->lines++;
    f->line_n = 0;
    f->unfinished = false;
}

static bool full(const filling *f) {
    return f->h->lines == WN_IMPORT_CHUNK_LINES ||
           (!f->unfinished && f->h->n > WN_IMPORT_CHUNK_BYTES - WN_IMPORT_LINE_BYTES);
}

wn_err wn_import_lines_chunk(wn_import_lines *l, wn_import_hand *out) {
    filling f = {.h = out};
    out->n = out->lines = 0;
    while (!full(&f)) {
        size_t n = 0;
        wn_err err = refill(l, out->bytes + out->n, &n);
        if (err != WN_OK) return out->n = out->lines = 0, err;
        if (n == 0) break;
        f.read = out->n;
        f.end = out->n + n;
        if (f.end > out->most) out->most = f.end;
        while (f.read < f.end && !full(&f))
            if (take_line(&f)) end_line(&f);
    }
    if (f.unfinished) end_line(&f); // the last line of a file may lack its end
    l->rest_n = f.end - f.read;
    if (l->rest_n != 0) memcpy(l->rest, out->bytes + f.read, l->rest_n);
    return WN_OK;
}

void wn_import_lines_progress(const wn_import_lines *l, uint64_t *out_done, uint64_t *out_size) {
    z_off_t at = gzoffset(l->file);
    *out_done = at > 0 ? (uint64_t)at : 0;
    *out_size = l->size;
}
