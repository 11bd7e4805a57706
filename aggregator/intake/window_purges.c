// SPDX-License-Identifier: Apache-2.0
// window_purges.c: [[[site, org, name, edge, of, epochs, done]…], frozen cells as bits, cells]
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "mp.h"
#include "pool.h"
#include "window_purge.h"

enum { FIELDS = 7 };

void wn_window_purges_fini(wn_window_purges *p) {
    free(p->at);
    free(p->frozen);
    *p = (wn_window_purges){.n = 0};
}

static bool same(const wn_window_purge *a, const wn_window_purge *b) {
    return a->site == b->site && a->org == b->org && a->of == b->of &&
           memcmp(a->name, b->name, sizeof a->name) == 0 && memcmp(a->edge, b->edge, sizeof a->edge) == 0;
}

wn_err wn_window_purges_ask(wn_window_purges *p, const wn_window_purge *ask) {
    size_t i = 0;
    while (i < p->n && !same(&p->at[i], ask)) i++;
    if (i == WN_WINDOW_PURGES_MAX) return WN_ERR_FULL;
    if (i == p->cap) {
        size_t cap = p->cap != 0 ? 2 * p->cap : 8;
        wn_window_purge *more = realloc(p->at, cap * sizeof *more);
        if (more == NULL) return WN_ERR_NOMEM;
        p->at = more;
        p->cap = cap;
    }
    p->at[i] = *ask;
    p->at[i].done = false;
    if (i == p->n) p->n++;
    p->asked = true;
    return WN_OK;
}

const wn_window_purge *wn_window_purges_find(const wn_window_purges *p, uint64_t site, const uint8_t *name) {
    const wn_window_purge *found = NULL;
    for (size_t i = 0; i < p->n; i++) {
        const wn_window_purge *x = &p->at[i];
        if (x->site != site || memcmp(x->name, name, sizeof x->name) != 0) continue;
        if (found == NULL || !x->done) found = x; // all of a name must be done
    }
    return found;
}

bool wn_window_purges_site(const wn_window_purges *p, uint64_t site) {
    return wn_window_purges_refuse(p, site, 0);
}

bool wn_window_purges_refuse(const wn_window_purges *p, uint64_t site, uint64_t org) {
    for (size_t i = 0; i < p->n; i++) {
        const wn_window_purge *x = &p->at[i];
        if (x->site != site) continue;
        if (x->of == WN_PURGE_OF_SITE || (x->of == WN_PURGE_OF_ORG && org != 0 && x->org == org)) return true;
    }
    return false;
}

wn_err wn_window_purges_encode(const wn_window_purges *p, uint8_t **out, size_t *out_bytes) {
    size_t bits_n = (p->frozen_n + 7) / 8;
    uint8_t *bits = calloc(bits_n + 1, 1);
    if (bits == NULL) return WN_ERR_NOMEM;
    for (size_t i = 0; i < p->frozen_n; i++) bits[i / 8] |= (uint8_t)((p->frozen[i] != 0) << i % 8);
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, 3);
    msgpack_pack_array(&pk, p->n);
    for (size_t i = 0; i < p->n; i++) {
        const wn_window_purge *x = &p->at[i];
        msgpack_pack_array(&pk, FIELDS);
        msgpack_pack_uint64(&pk, x->site);
        msgpack_pack_uint64(&pk, x->org);
        wn_put_bin(&pk, x->name, sizeof x->name);
        wn_put_bin(&pk, x->edge, sizeof x->edge);
        msgpack_pack_uint8(&pk, x->of);
        msgpack_pack_uint8(&pk, x->epochs);
        if (x->done) msgpack_pack_true(&pk);
        else msgpack_pack_false(&pk);
    }
    wn_put_bin(&pk, bits, bits_n);
    msgpack_pack_uint64(&pk, p->frozen_n);
    free(bits);
    *out_bytes = buf.size;
    *out = (uint8_t *)msgpack_sbuffer_release(&buf);
    return *out != NULL ? WN_OK : WN_ERR_NOMEM;
}

static bool read_one(wn_mp *m, wn_window_purge *out) {
    uint32_t n = 0;
    uint64_t of = 0, epochs = 0;
    bool ok = wn_mp_array(m, FIELDS, &n) && n == FIELDS && wn_mp_uint(m, UINT64_MAX, &out->site) &&
              wn_mp_uint(m, UINT64_MAX, &out->org) && wn_mp_bin_exact(m, sizeof out->name, out->name) &&
              wn_mp_bin_exact(m, sizeof out->edge, out->edge) && wn_mp_uint(m, WN_PURGE_OF_LOST, &of) &&
              of >= WN_PURGE_OF_SITE && wn_mp_uint(m, UINT8_MAX, &epochs) && wn_mp_bool(m, &out->done);
    out->of = (uint8_t)of;
    out->epochs = (uint8_t)epochs;
    return ok;
}

static wn_err read_frozen(wn_mp *m, wn_window_purges *out) {
    wn_span bits;
    uint64_t cells = 0;
    if (!wn_mp_bin(m, WN_POOL_CELLS_MAX / 8, &bits) || !wn_mp_uint(m, WN_POOL_CELLS_MAX, &cells) ||
        bits.n != (cells + 7) / 8)
        return WN_ERR_FORMAT;
    if (cells == 0) return WN_OK;
    out->frozen = calloc((size_t)cells, 1);
    if (out->frozen == NULL) return WN_ERR_NOMEM;
    out->frozen_n = (size_t)cells;
    for (size_t i = 0; i < out->frozen_n; i++) out->frozen[i] = bits.p[i / 8] >> i % 8 & 1;
    return WN_OK;
}

wn_err wn_window_purges_decode(wn_span bytes, wn_window_purges *out) {
    wn_mp m;
    uint32_t n = 0;
    wn_window_purges p = {.n = 0};
    wn_mp_init(&m, bytes);
    if (!wn_mp_array(&m, 3, &n) || n != 3 || !wn_mp_array(&m, WN_WINDOW_PURGES_MAX, &n)) return WN_ERR_FORMAT;
    wn_err err = WN_OK;
    for (uint32_t i = 0; i < n && err == WN_OK; i++) {
        wn_window_purge x = {.site = 0};
        err = read_one(&m, &x) ? wn_window_purges_ask(&p, &x) : WN_ERR_FORMAT;
        if (err == WN_OK) p.at[p.n - 1].done = x.done;
    }
    if (err == WN_OK) err = read_frozen(&m, &p);
    if (err == WN_OK && (!wn_mp_done(&m) || p.n != n)) err = WN_ERR_FORMAT;
    p.asked = false;
    for (size_t i = 0; i < p.n; i++) p.asked = p.asked || !p.at[i].done;
    if (err != WN_OK) return wn_window_purges_fini(&p), err;
    *out = p;
    return WN_OK;
}
