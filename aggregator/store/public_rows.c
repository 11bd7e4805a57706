// SPDX-License-Identifier: Apache-2.0
// Why: a report reads a month of one table in one scan, so a window's rows are
// one flat run of msgpack values with no key repeated: about 20 bytes a row.
#include "public_rows.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "mp.h"

enum {
    VERSION = 1,
    ROW_OTHER = 4,
    ROW_FLAGS_MAX = 6
}; // a row's flags: labels written (0..2), plus ROW_OTHER

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

static void pack_text(msgpack_packer *pk, const char *text) {
    size_t n = strlen(text);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

static bool ended(const char *text, size_t cap) {
    return memchr(text, 0, cap) != NULL;
}

static bool head_fits(const wn_public_head *h) {
    return ended(h->site, sizeof h->site) && ended(h->table, sizeof h->table) &&
           ended(h->window.zone, sizeof h->window.zone) && h->window.kind < WN_KIND_N && h->dims_n <= 2 &&
           h->site[0] && h->table[0];
}

static void pack_head(msgpack_packer *pk, const wn_public_head *h) {
    msgpack_pack_uint8(pk, VERSION);
    pack_text(pk, h->site);
    pack_text(pk, h->table);
    pack_text(pk, h->window.zone);
    msgpack_pack_uint8(pk, h->window.kind);
    msgpack_pack_int32(pk, h->window.day);
    msgpack_pack_int64(pk, h->window.start_s);
    msgpack_pack_int64(pk, h->window.end_s);
    msgpack_pack_uint32(pk, h->plan_version);
    msgpack_pack_uint32(pk, h->policy_version);
    msgpack_pack_bin(pk, sizeof h->plan_digest);
    msgpack_pack_bin_body(pk, h->plan_digest, sizeof h->plan_digest);
    msgpack_pack_uint64(pk, h->tick);
    msgpack_pack_int64(pk, h->published_s);
    if (h->sealed) msgpack_pack_true(pk);
    else msgpack_pack_false(pk);
    msgpack_pack_uint8(pk, h->k);
    msgpack_pack_uint8(pk, h->measures);
    msgpack_pack_array(pk, h->dims_n);
    for (unsigned i = 0; i < h->dims_n; i++) pack_text(pk, wn_dim_name(h->dims[i]));
}

static void pack_row(msgpack_packer *pk, const wn_public_row *r) {
    unsigned labels = r->label[1][0] ? 2 : r->label[0][0] ? 1 : 0;
    msgpack_pack_uint8(pk, (uint8_t)(labels | (r->is_other ? ROW_OTHER : 0)));
    for (unsigned i = 0; i < labels; i++) pack_text(pk, r->label[i]);
    msgpack_pack_uint32(pk, r->people);
    msgpack_pack_uint64(pk, r->events);
    msgpack_pack_uint64(pk, r->sessions);
}

wn_err wn_public_rows_encode(const wn_public_head *head, const wn_public_row *rows, size_t n,
                             wn_vault_buf *out) {
    if (n > WN_PUBLIC_ROWS_MAX) return WN_ERR_FULL;
    if (!head_fits(head)) return WN_ERR_FORMAT;
    for (unsigned i = 0; i < head->dims_n; i++)
        if (head->dims[i] >= WN_DIM_N) return WN_ERR_FORMAT;
    sink s = {out, WN_OK};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, sink_write);
    pack_head(&pk, head);
    msgpack_pack_uint32(&pk, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        if (!ended(rows[i].label[0], WN_OPEN_TEXT_MAX + 1) || !ended(rows[i].label[1], WN_OPEN_TEXT_MAX + 1))
            return WN_ERR_FORMAT;
        pack_row(&pk, &rows[i]);
    }
    return s.err;
}

// ---- reading; a fault stays in the cursor ----

static uint64_t read_uint(wn_mp *m, uint64_t max) {
    uint64_t x = 0;
    (void)wn_mp_uint(m, max, &x);
    return x;
}

static int64_t read_int(wn_mp *m) {
    int64_t x = 0;
    (void)wn_mp_int(m, &x);
    return x;
}

static void read_text(wn_mp *m, char *out, size_t cap) {
    wn_span s;
    out[0] = 0;
    if (!wn_mp_str(m, cap - 1, &s)) return;
    if (s.n) memcpy(out, s.p, s.n);
    out[s.n] = 0;
}

static void read_dims(wn_mp *m, wn_public_head *h) {
    uint32_t n = 0;
    h->dims[0] = h->dims[1] = WN_DIM_NONE;
    (void)wn_mp_array(m, 2, &n);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        read_text(m, name, sizeof name);
        h->dims[i] = (uint8_t)wn_dim_by_name(name);
        if (h->dims[i] == WN_DIM_NONE) m->bad = true;
    }
    h->dims_n = (uint8_t)n;
}

static void read_head(wn_mp *m, wn_public_head *h) {
    read_text(m, h->site, sizeof h->site);
    read_text(m, h->table, sizeof h->table);
    read_text(m, h->window.zone, sizeof h->window.zone);
    h->window.kind = (uint8_t)read_uint(m, WN_KIND_N - 1);
    h->window.day = (int32_t)read_int(m);
    h->window.start_s = read_int(m);
    h->window.end_s = read_int(m);
    h->plan_version = (uint32_t)read_uint(m, UINT32_MAX);
    h->policy_version = (uint32_t)read_uint(m, UINT32_MAX);
    (void)wn_mp_bin_exact(m, sizeof h->plan_digest, h->plan_digest);
    h->tick = read_uint(m, UINT64_MAX);
    h->published_s = read_int(m);
    (void)wn_mp_bool(m, &h->sealed);
    h->k = (uint8_t)read_uint(m, UINT8_MAX);
    h->measures = (uint8_t)read_uint(m, UINT8_MAX);
    read_dims(m, h);
}

static void read_row(wn_mp *m, wn_public_row *r) {
    unsigned flags = (unsigned)read_uint(m, ROW_FLAGS_MAX);
    unsigned labels = flags & 3u;
    r->is_other = (flags & ROW_OTHER) != 0;
    r->label[0][0] = r->label[1][0] = 0;
    if (labels > 2) m->bad = true;
    for (unsigned i = 0; i < labels && i < 2; i++) read_text(m, r->label[i], sizeof r->label[i]);
    r->people = (uint32_t)read_uint(m, UINT32_MAX);
    r->events = read_uint(m, UINT64_MAX);
    r->sessions = read_uint(m, UINT64_MAX);
}

wn_err wn_public_rows_decode(wn_span bytes, wn_public_head *out_head, wn_public_row **inout_rows,
                             size_t *inout_cap, size_t *out_n) {
    wn_mp m;
    wn_public_head head = {0};
    wn_mp_init(&m, bytes);
    uint64_t version = read_uint(&m, UINT32_MAX);
    if (!m.bad && version != VERSION) return WN_ERR_VERSION;
    read_head(&m, &head);
    size_t n = (size_t)read_uint(&m, WN_PUBLIC_ROWS_MAX);
    if (m.bad || n > (size_t)(m.end - m.p) / 4) return WN_ERR_FORMAT; // a row takes 4 bytes or more
    if (n > *inout_cap) {
        wn_public_row *grown = realloc(*inout_rows, n * sizeof *grown);
        if (!grown) return WN_ERR_NOMEM;
        *inout_rows = grown;
        *inout_cap = n;
    }
    for (size_t i = 0; i < n && !m.bad; i++) read_row(&m, &(*inout_rows)[i]);
    if (!wn_mp_done(&m)) return WN_ERR_FORMAT;
    *out_head = head;
    *out_n = n;
    return WN_OK;
}
