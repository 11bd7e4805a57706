// SPDX-License-Identifier: Apache-2.0
// Why: a figure is read by its head: by which rules it was released, and how
// many people it may stand for. What does not fit together is no record.
//
//   site, table, zone, kind, day, start, end, plan_version, policy_version, plan_digest,
//   tick, published, sealed, k, measures, [dimension…], profile, share, [receiver…]
//   with noise also: rho, signed_only, l0, variance (2), threshold (2)
#include "public_head.h"

#include <string.h>

#define MICRO 1000000u

static bool ended(const char *text, size_t cap) {
    return memchr(text, 0, cap) != NULL;
}

// ---- what holds ----

static bool dims_hold(const wn_public_head *h) {
    if (h->dims_n > WN_COUNT(h->dims)) return false;
    for (unsigned i = 0; i < h->dims_n; i++)
        if (h->dims[i] >= WN_DIM_N) return false;
    return true;
}

static bool measures_hold(const wn_public_head *h) {
    static const unsigned known =
        WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | WN_MEASURE_SESSIONS | WN_MEASURES_LOCKED;
    static const unsigned both = WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2;
    if ((h->measures & ~known) != 0 || (h->measures & both) == both) return false;
    return h->profile != WN_PROFILE_NOISE || h->measures == WN_MEASURE_PEOPLE;
}

static bool receiver_holds(const char name[WN_RECEIVER_BYTES]) {
    if (!ended(name, WN_RECEIVER_BYTES) || name[0] < 'a' || name[0] > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == 0;
}

static bool receivers_hold(const wn_public_head *h) {
    if (h->receivers_n > WN_RECEIVERS_MAX || (h->receivers_n != 0 && !h->share)) return false;
    for (unsigned i = 0; i < h->receivers_n; i++) {
        if (!receiver_holds(h->receiver[i])) return false;
        for (unsigned j = 0; j < i; j++)
            if (strcmp(h->receiver[i], h->receiver[j]) == 0) return false;
    }
    return true;
}

static uint64_t divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint32_t wn_public_threshold(const wn_public_head *h) {
    for (unsigned i = 0; i < h->dims_n; i++)
        if (wn_dim_is_open(h->dims[i])) return h->noise.threshold_open;
    return h->noise.threshold_closed;
}

static bool noise_holds(const wn_public_head *h) {
    const wn_noise_terms *t = &h->noise;
    if (h->profile != WN_PROFILE_NOISE) return true;
    if (t->rho_micro == 0 || t->rho_micro > WN_RHO_MICRO_MAX) return false;
    if (t->l0 == 0 || t->l0 > WN_NOISE_CELLS_MAX * (t->signed_only ? 1u : 2u)) return false;
    uint64_t num = (uint64_t)t->l0 * MICRO, den = 2 * (uint64_t)t->rho_micro, both = divisor(num, den);
    return t->variance_num == num / both && t->variance_den == den / both && wn_public_threshold(h) > h->k;
}

bool wn_public_head_holds(const wn_public_head *h) {
    return ended(h->site, sizeof h->site) && ended(h->table, sizeof h->table) &&
           ended(h->window.zone, sizeof h->window.zone) && h->window.kind < WN_KIND_N && h->site[0] &&
           h->table[0] && h->profile < WN_PROFILE_N && dims_hold(h) && measures_hold(h) &&
           receivers_hold(h) && noise_holds(h);
}

static bool locked_hold(const wn_public_head *h, const wn_public_row *r) {
    static const unsigned numbers = WN_MEASURE_NUMBER1 | WN_MEASURE_NUMBER2;
    if ((r->locked & ~(h->measures & WN_MEASURES_LOCKED)) != 0 || (r->locked != 0 && !h->sealed))
        return false;
    return (r->bounces == 0 || (r->locked & WN_MEASURE_BOUNCES) != 0) &&
           (r->seconds == 0 || (r->locked & WN_MEASURE_TIME) != 0) &&
           (r->number == 0 || (r->locked & numbers) != 0);
}

static bool noise_row_holds(const wn_public_head *h, const wn_public_row *r) {
    if (h->profile != WN_PROFILE_NOISE) return true;
    return h->sealed && !r->is_other && r->events == 0 && r->sessions == 0 &&
           r->people >= wn_public_threshold(h);
}

bool wn_public_rows_hold(const wn_public_head *h, const wn_public_row *rows, size_t n) {
#ifdef WN_MUTANT_ROWS_UNCHECKED
    n = 0;
#endif
    for (size_t i = 0; i < n; i++) {
        const wn_public_row *r = &rows[i];
        if (!ended(r->label[0], sizeof r->label[0]) || !ended(r->label[1], sizeof r->label[1]) ||
            !locked_hold(h, r) || !noise_row_holds(h, r))
            return false;
    }
    return true;
}

// ---- writing ----

static void pack_text(msgpack_packer *pk, const char *text) {
    size_t n = strlen(text);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

static void pack_bool(msgpack_packer *pk, bool x) {
    if (x) msgpack_pack_true(pk);
    else msgpack_pack_false(pk);
}

static void pack_noise(msgpack_packer *pk, const wn_noise_terms *t) {
    msgpack_pack_uint32(pk, t->rho_micro);
    pack_bool(pk, t->signed_only);
    msgpack_pack_uint32(pk, t->l0);
    msgpack_pack_uint64(pk, t->variance_num);
    msgpack_pack_uint64(pk, t->variance_den);
    msgpack_pack_uint32(pk, t->threshold_closed);
    msgpack_pack_uint32(pk, t->threshold_open);
}

void wn_public_head_pack(msgpack_packer *pk, const wn_public_head *h) {
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
    pack_bool(pk, h->sealed);
    msgpack_pack_uint8(pk, h->k);
    msgpack_pack_uint8(pk, h->measures);
    msgpack_pack_array(pk, h->dims_n);
    for (unsigned i = 0; i < h->dims_n; i++) pack_text(pk, wn_dim_name(h->dims[i]));
    msgpack_pack_uint8(pk, h->profile);
    pack_bool(pk, h->share);
    msgpack_pack_array(pk, h->receivers_n);
    for (unsigned i = 0; i < h->receivers_n; i++) pack_text(pk, h->receiver[i]);
    if (h->profile == WN_PROFILE_NOISE) pack_noise(pk, &h->noise);
}

// ---- reading ----

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
    if (!wn_mp_str(m, cap - 1, &s) || s.n == 0) return;
    if (memchr(s.p, 0, s.n) != NULL) m->bad = true; // would come back shorter
    memcpy(out, s.p, s.n);
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

static void read_receivers(wn_mp *m, wn_public_head *h) {
    uint32_t n = 0;
    (void)wn_mp_array(m, WN_RECEIVERS_MAX, &n);
    for (uint32_t i = 0; i < n; i++) read_text(m, h->receiver[i], sizeof h->receiver[i]);
    h->receivers_n = (uint8_t)n;
}

static void read_noise(wn_mp *m, wn_noise_terms *t) {
    t->rho_micro = (uint32_t)read_uint(m, UINT32_MAX);
    (void)wn_mp_bool(m, &t->signed_only);
    t->l0 = (uint32_t)read_uint(m, UINT32_MAX);
    t->variance_num = read_uint(m, UINT64_MAX);
    t->variance_den = read_uint(m, UINT64_MAX);
    t->threshold_closed = (uint32_t)read_uint(m, UINT32_MAX);
    t->threshold_open = (uint32_t)read_uint(m, UINT32_MAX);
}

void wn_public_head_read(wn_mp *m, wn_public_head *h) {
    *h = (wn_public_head){0};
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
    h->profile = (uint8_t)read_uint(m, WN_PROFILE_N - 1);
    (void)wn_mp_bool(m, &h->share);
    read_receivers(m, h);
    if (h->profile == WN_PROFILE_NOISE) read_noise(m, &h->noise);
    if (!m->bad && !wn_public_head_holds(h)) m->bad = true;
}
