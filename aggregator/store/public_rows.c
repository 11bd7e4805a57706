// SPDX-License-Identifier: Apache-2.0
// Why: a report reads a month of one table in one scan, so a window's rows are
// one record: a head of msgpack values, then the rows by column, each column in
// units of what all its numbers are multiples of.
//
//   version, method, [length of the body before it was deflated,] body
//   body: head, n, then the columns
//
// A sealed window's body is deflated, for it stays; one that still grows is
// written anew at every tick and is not. To compress before encrypting tells
// by the length something of what is within: that does no harm here, and here
// alone, since every byte of a record has been published.
#include "public_rows.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "public_columns.h"
#include "public_head.h"
#include "walls.h"

enum {
    VERSION = 3,
    HEAD_BYTES = 2, // version and method
    METHOD_PLAIN = 0,
    METHOD_DEFLATE = 1,
    LENGTH_BYTES = 4,
};
// Deflate makes no more than this of a byte: a length beyond is a lie.
#define INFLATE_MOST 1040

typedef struct sink {
    wn_vault_buf *buf;
    wn_err err;
} sink;

static int sink_write(void *ctx, const char *bytes, size_t n) {
    sink *s = ctx;
    if (s->err) return -1;
    if (n > s->buf->cap - s->buf->n) s->err = wn_vault_buf_fit(s->buf, 2 * (s->buf->n + n) + 1024);
    if (s->err) return -1;
    memcpy(s->buf->p + s->buf->n, bytes, n);
    s->buf->n += n;
    return 0;
}

static wn_err encode_body(const wn_public_head *head, const wn_public_row *rows, size_t n,
                          wn_vault_buf *out) {
    sink s = {out, WN_OK};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, sink_write);
    wn_public_head_pack(&pk, head);
    msgpack_pack_uint32(&pk, (uint32_t)n);
    WN_TRY(s.err);
    return wn_public_columns_encode(rows, n, head->measures, out);
}

// What stands in out from `body` on, made smaller if it can be. *out_deflated says.
static wn_err deflate_body(wn_public_codec *c, wn_vault_buf *out, size_t body, bool *out_deflated) {
    if (!c->deflating) {
        if (deflateInit2(&c->deflate, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            return WN_ERR_NOMEM;
        c->deflating = true;
    }
    z_stream *z = &c->deflate;
    size_t n = out->n - body;
    if (n > UINT32_MAX / 2 || deflateReset(z) != Z_OK) return WN_ERR_STATE;
    c->plain.n = 0;
    WN_TRY(wn_vault_buf_fit(&c->plain, n));
    z->next_in = out->p + body;
    z->avail_in = (uInt)n;
    z->next_out = c->plain.p;
    z->avail_out = n > LENGTH_BYTES ? (uInt)(n - LENGTH_BYTES) : 0;
    *out_deflated = z->avail_out != 0 && deflate(z, Z_FINISH) == Z_STREAM_END;
    if (!*out_deflated) return WN_OK;
    for (unsigned i = 0; i < LENGTH_BYTES; i++) out->p[body + i] = (uint8_t)(n >> (8 * i));
    memcpy(out->p + body + LENGTH_BYTES, c->plain.p, z->total_out);
    out->n = body + LENGTH_BYTES + z->total_out;
    return WN_OK;
}

wn_err wn_public_rows_encode(wn_public_codec *c, const wn_public_head *head, const wn_public_row *rows,
                             size_t n, wn_vault_buf *out) {
    if (n > WN_PUBLIC_ROWS_MAX) return WN_ERR_FULL;
    if (!wn_public_head_holds(head) || !wn_public_rows_hold(head, rows, n)) return WN_ERR_FORMAT;
    static const uint8_t start[HEAD_BYTES] = {VERSION, METHOD_PLAIN};
    sink s = {out, WN_OK};
    (void)sink_write(&s, (const char *)start, sizeof start);
    WN_TRY(s.err);
    size_t body = out->n;
    WN_TRY(encode_body(head, rows, n, out));
    bool deflated = false;
    // The scan of the build without a cipher is to find the text that it finds nowhere else.
    if (head->sealed && WN_WALL_CIPHER) WN_TRY(deflate_body(c, out, body, &deflated));
    if (deflated) out->p[body - 1] = METHOD_DEFLATE;
    return WN_OK;
}

void wn_public_codec_fini(wn_public_codec *c) {
    if (c->deflating) deflateEnd(&c->deflate);
    if (c->inflating) inflateEnd(&c->inflate);
    wn_vault_buf_fini(&c->plain);
    *c = (wn_public_codec){0};
}

// ---- reading ----

static wn_err inflate_body(wn_public_codec *c, wn_span in, wn_span *out) {
    size_t n = 0;
    if (in.n < LENGTH_BYTES || in.n > UINT32_MAX) return WN_ERR_FORMAT;
    for (unsigned i = 0; i < LENGTH_BYTES; i++) n |= (size_t)in.p[i] << (8 * i);
    in = (wn_span){in.p + LENGTH_BYTES, in.n - LENGTH_BYTES};
    if (n > in.n * INFLATE_MOST) return WN_ERR_FORMAT;
    if (!c->inflating && inflateInit2(&c->inflate, -MAX_WBITS) != Z_OK) return WN_ERR_NOMEM;
    c->inflating = true;
    z_stream *z = &c->inflate;
    if (inflateReset(z) != Z_OK) return WN_ERR_STATE;
    c->plain.n = 0;
    WN_TRY(wn_vault_buf_fit(&c->plain, n + 1));
    z->next_in = (Bytef *)(uintptr_t)in.p;
    z->avail_in = (uInt)in.n;
    z->next_out = c->plain.p;
    z->avail_out = (uInt)n;
    int code = inflate(z, Z_FINISH);
    if (code == Z_MEM_ERROR) return WN_ERR_NOMEM;
    if (code != Z_STREAM_END || z->avail_in != 0 || z->avail_out != 0) return WN_ERR_FORMAT;
    *out = (wn_span){c->plain.p, n};
    return WN_OK;
}

static wn_err body_of(wn_public_codec *c, wn_span bytes, wn_span *out) {
    if (bytes.n < HEAD_BYTES) return WN_ERR_FORMAT;
    if (bytes.p[0] != VERSION) return WN_ERR_VERSION;
    wn_span body = {bytes.p + HEAD_BYTES, bytes.n - HEAD_BYTES};
    switch (bytes.p[1]) {
    case METHOD_PLAIN: *out = body; return WN_OK;
    case METHOD_DEFLATE: return inflate_body(c, body, out);
    default: return WN_ERR_FORMAT;
    }
}

wn_err wn_public_rows_decode(wn_public_codec *c, wn_span bytes, wn_public_head *out_head,
                             wn_public_row **inout_rows, size_t *inout_cap, size_t *out_n) {
    wn_mp m;
    wn_span body;
    wn_public_head head;
    WN_TRY(body_of(c, bytes, &body));
    wn_mp_init(&m, body);
    wn_public_head_read(&m, &head);
    uint64_t n = 0;
    if (!wn_mp_uint(&m, WN_PUBLIC_ROWS_MAX, &n) || n > (size_t)(m.end - m.p))
        return WN_ERR_FORMAT; // a row takes a byte or more
    if (n > *inout_cap) {
        wn_public_row *grown = realloc(*inout_rows, n * sizeof *grown);
        if (!grown) return WN_ERR_NOMEM;
        *inout_rows = grown;
        *inout_cap = n;
    }
    WN_TRY(wn_public_columns_decode((wn_span){m.p, (size_t)(m.end - m.p)}, head.measures, *inout_rows, n));
    if (!wn_public_rows_hold(&head, *inout_rows, n)) return WN_ERR_FORMAT;
    *out_head = head;
    *out_n = n;
    return WN_OK;
}
