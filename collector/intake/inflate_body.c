// SPDX-License-Identifier: Apache-2.0
// inflate_body.c: zlib with memory that is wiped. A bomb ends at bytes_max.
#include "inflate_body.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PIECE_BYTES 4096
#define EITHER_HEADER (15 + 32) // gzip or zlib, the largest window

typedef struct block {
    _Alignas(16) size_t bytes;
} block;

struct wn_inflate {
    z_stream z;
    bool whole;
    size_t out_bytes, heap_bytes;
};

static void *memory_get(void *ctx, unsigned n, unsigned each) {
    wn_inflate *z = ctx;
    size_t whole = sizeof(block) + (size_t)n * each;
    block *b = malloc(whole);
    if (b == NULL) return NULL;
    b->bytes = whole;
    z->heap_bytes += whole;
    return b + 1;
}

static void memory_free(void *ctx, void *p) {
    wn_inflate *z = ctx;
    block *b = (block *)p - 1;
    z->heap_bytes -= b->bytes;
    wn_wipe(p, b->bytes - sizeof *b);
    free(b);
}

wn_err wn_inflate_new(wn_inflate **out) {
    wn_inflate *z = calloc(1, sizeof *z);
    if (z == NULL) return WN_ERR_NOMEM;
    z->z.zalloc = memory_get;
    z->z.zfree = memory_free;
    z->z.opaque = z;
    if (inflateInit2(&z->z, EITHER_HEADER) != Z_OK) {
        free(z);
        return WN_ERR_NOMEM;
    }
    *out = z;
    return WN_OK;
}

void wn_inflate_free(wn_inflate *z) {
    if (z == NULL) return;
    inflateEnd(&z->z);
    free(z);
}

wn_err wn_inflate_feed(wn_inflate *z, wn_span bytes, size_t bytes_max, bool (*fn)(void *ctx, wn_span piece),
                       void *ctx) {
    uint8_t piece[PIECE_BYTES];
    wn_err err = WN_OK;
    z->z.next_in = (uint8_t *)(uintptr_t)bytes.p;
    z->z.avail_in = (unsigned)bytes.n;
    while (err == WN_OK) {
        if (z->whole) {
            if (z->z.avail_in != 0) err = WN_ERR_FORMAT;
            break;
        }
        z->z.next_out = piece;
        z->z.avail_out = sizeof piece;
        int code = inflate(&z->z, Z_NO_FLUSH);
        size_t n = sizeof piece - z->z.avail_out;
        if (code == Z_BUF_ERROR && n == 0) break; // wants more
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) err = WN_ERR_FORMAT;
        z->whole = code == Z_STREAM_END;
        z->out_bytes += n;
        if (z->out_bytes > bytes_max) err = WN_ERR_FULL;
        if (err == WN_OK && n != 0 && !fn(ctx, (wn_span){piece, n})) err = WN_ERR_FORMAT;
    }
    wn_wipe(piece, sizeof piece);
    return err;
}

bool wn_inflate_whole(const wn_inflate *z) {
    return z->whole;
}

size_t wn_inflate_bytes(const wn_inflate *z) {
    return sizeof *z + z->heap_bytes;
}
