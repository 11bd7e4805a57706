// SPDX-License-Identifier: Apache-2.0
// mp.c: the msgpack cursor. One place reads a head (type, argument); every
// read checks it against the bytes left before anything is believed.
#include "mp.h"

#include <string.h>

typedef struct head {
    wn_mp_type type;
    uint64_t arg;      // value of an integer, length of the others; bits of a float
    const uint8_t *at; // after the head
    bool is_double;
} head;

void wn_mp_init(wn_mp *m, wn_span bytes) {
    m->p = bytes.p;
    m->end = bytes.p + bytes.n;
    m->bad = false;
}

static uint64_t big_endian(const uint8_t *p, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

static uint64_t sign_extended(uint64_t v, size_t n) {
    if (n == 8) return v;
    uint64_t sign = UINT64_C(1) << (8 * n - 1);
    return (v ^ sign) - sign;
}

// Reads a head of `n` argument bytes; WN_MP_END when they are not there.
static head head_with(const wn_mp *m, wn_mp_type type, size_t n) {
    head h = {WN_MP_END, 0, NULL, false};
    if ((size_t)(m->end - m->p) < 1 + n) return h;
    h.type = type;
    h.arg = big_endian(m->p + 1, n);
    h.at = m->p + 1 + n;
    return h;
}

static head head_signed(const wn_mp *m, size_t n) {
    head h = head_with(m, WN_MP_INT, n);
    if (h.type == WN_MP_END) return h;
    h.arg = sign_extended(h.arg, n);
    if ((int64_t)h.arg >= 0) h.type = WN_MP_UINT;
    return h;
}

static head head_ext(const wn_mp *m, size_t n, uint64_t fixed) {
    head h = head_with(m, WN_MP_EXT, n);
    if (h.type == WN_MP_END) return h;
    h.arg = (n != 0 ? h.arg : fixed) + 1; // and the type byte
    return h;
}

static head head_long(const wn_mp *m) {
    head none = {WN_MP_END, 0, NULL, false};
    uint8_t b = *m->p;
    head one = {WN_MP_UINT, b, m->p + 1, false};
    switch (b) {
    case 0xc0: return one.type = WN_MP_NIL, one;
    case 0xc2: return one.type = WN_MP_BOOL, one.arg = 0, one;
    case 0xc3: return one.type = WN_MP_BOOL, one.arg = 1, one;
    case 0xc4: return head_with(m, WN_MP_BIN, 1);
    case 0xc5: return head_with(m, WN_MP_BIN, 2);
    case 0xc6: return head_with(m, WN_MP_BIN, 4);
    case 0xc7: return head_ext(m, 1, 0);
    case 0xc8: return head_ext(m, 2, 0);
    case 0xc9: return head_ext(m, 4, 0);
    case 0xca: return head_with(m, WN_MP_FLOAT, 4);
    case 0xcb: {
        head h = head_with(m, WN_MP_FLOAT, 8);
        h.is_double = true;
        return h;
    }
    case 0xcc: return head_with(m, WN_MP_UINT, 1);
    case 0xcd: return head_with(m, WN_MP_UINT, 2);
    case 0xce: return head_with(m, WN_MP_UINT, 4);
    case 0xcf: return head_with(m, WN_MP_UINT, 8);
    case 0xd0: return head_signed(m, 1);
    case 0xd1: return head_signed(m, 2);
    case 0xd2: return head_signed(m, 4);
    case 0xd3: return head_signed(m, 8);
    case 0xd4: return head_ext(m, 0, 1);
    case 0xd5: return head_ext(m, 0, 2);
    case 0xd6: return head_ext(m, 0, 4);
    case 0xd7: return head_ext(m, 0, 8);
    case 0xd8: return head_ext(m, 0, 16);
    case 0xd9: return head_with(m, WN_MP_STR, 1);
    case 0xda: return head_with(m, WN_MP_STR, 2);
    case 0xdb: return head_with(m, WN_MP_STR, 4);
    case 0xdc: return head_with(m, WN_MP_ARRAY, 2);
    case 0xdd: return head_with(m, WN_MP_ARRAY, 4);
    case 0xde: return head_with(m, WN_MP_MAP, 2);
    case 0xdf: return head_with(m, WN_MP_MAP, 4);
    default: return none; // 0xc1 is reserved
    }
}

// Nearly all heads are one byte.
static inline head head_of(const wn_mp *m) {
    if (m->bad || m->p >= m->end) return (head){WN_MP_END, 0, NULL, false};
    uint8_t b = *m->p;
    head one = {WN_MP_UINT, b, m->p + 1, false};
    if (b < 0x80) return one;
    if (b < 0x90) return one.type = WN_MP_MAP, one.arg = b & 0x0f, one;
    if (b < 0xa0) return one.type = WN_MP_ARRAY, one.arg = b & 0x0f, one;
    if (b < 0xc0) return one.type = WN_MP_STR, one.arg = b & 0x1f, one;
    if (b >= 0xe0) return one.type = WN_MP_INT, one.arg = sign_extended(b, 1), one;
    return head_long(m);
}

static bool fail(wn_mp *m) {
    m->bad = true;
    return false;
}

wn_mp_type wn_mp_peek(const wn_mp *m) {
    return head_of(m).type;
}

bool wn_mp_nil(wn_mp *m) {
    if (m->bad || m->p >= m->end || *m->p != 0xc0) return false;
    m->p++;
    return true;
}

bool wn_mp_bool(wn_mp *m, bool *out) {
    head h = head_of(m);
    if (h.type != WN_MP_BOOL) return fail(m);
    m->p = h.at;
    *out = h.arg != 0;
    return true;
}

bool wn_mp_uint(wn_mp *m, uint64_t max, uint64_t *out) {
    head h = head_of(m);
    if (h.type != WN_MP_UINT || h.arg > max) return fail(m);
    m->p = h.at;
    *out = h.arg;
    return true;
}

bool wn_mp_int(wn_mp *m, int64_t *out) {
    head h = head_of(m);
    bool fits = h.type == WN_MP_INT || (h.type == WN_MP_UINT && h.arg <= INT64_MAX);
    if (!fits) return fail(m);
    m->p = h.at;
    *out = (int64_t)h.arg;
    return true;
}

bool wn_mp_double(wn_mp *m, double *out) {
    head h = head_of(m);
    double v;
    if (h.type == WN_MP_UINT) {
        v = (double)h.arg;
    } else if (h.type == WN_MP_INT) {
        v = (double)(int64_t)h.arg;
    } else if (h.type == WN_MP_FLOAT && h.is_double) {
        memcpy(&v, &h.arg, sizeof v);
    } else if (h.type == WN_MP_FLOAT) {
        uint32_t bits = (uint32_t)h.arg;
        float f;
        memcpy(&f, &bits, sizeof f);
        v = (double)f;
    } else {
        return fail(m);
    }
    m->p = h.at;
    *out = v;
    return true;
}

static bool bytes_of(wn_mp *m, wn_mp_type type, size_t bytes_max, wn_span *out) {
    head h = head_of(m);
    if (h.type != type || h.arg > bytes_max || h.arg > (uint64_t)(m->end - h.at)) return fail(m);
    out->p = h.at;
    out->n = (size_t)h.arg;
    m->p = h.at + h.arg;
    return true;
}

bool wn_mp_str(wn_mp *m, size_t bytes_max, wn_span *out) {
    return bytes_of(m, WN_MP_STR, bytes_max, out);
}

bool wn_mp_bin(wn_mp *m, size_t bytes_max, wn_span *out) {
    return bytes_of(m, WN_MP_BIN, bytes_max, out);
}

bool wn_mp_bin_exact(wn_mp *m, size_t bytes, void *out) {
    wn_span s;
    if (!wn_mp_bin(m, bytes, &s) || s.n != bytes) return fail(m);
    memcpy(out, s.p, bytes);
    return true;
}

// Each element takes at least one byte (two for a map's pair), so a count that
// the bytes left cannot hold is refused before anybody acts on it.
static bool count_of(wn_mp *m, wn_mp_type type, uint32_t max, uint64_t bytes_each, uint32_t *out_n) {
    head h = head_of(m);
    if (h.type != type || h.arg > max || h.arg * bytes_each > (uint64_t)(m->end - h.at)) return fail(m);
    m->p = h.at;
    *out_n = (uint32_t)h.arg;
    return true;
}

bool wn_mp_array(wn_mp *m, uint32_t max, uint32_t *out_n) {
    return count_of(m, WN_MP_ARRAY, max, 1, out_n);
}

bool wn_mp_map(wn_mp *m, uint32_t max, uint32_t *out_n) {
    return count_of(m, WN_MP_MAP, max, 2, out_n);
}

bool wn_mp_skip(wn_mp *m, unsigned depth_max) {
    head h = head_of(m);
    switch (h.type) {
    case WN_MP_END: return fail(m);
    case WN_MP_STR:
    case WN_MP_BIN:
    case WN_MP_EXT:
        if (h.arg > (uint64_t)(m->end - h.at)) return fail(m);
        m->p = h.at + h.arg;
        return true;
    case WN_MP_ARRAY:
    case WN_MP_MAP: {
        uint64_t n = h.type == WN_MP_MAP ? 2 * h.arg : h.arg;
        if (depth_max == 0 || n > (uint64_t)(m->end - h.at)) return fail(m);
        m->p = h.at;
        for (uint64_t i = 0; i < n; i++)
            if (!wn_mp_skip(m, depth_max - 1)) return false;
        return true;
    }
    default: m->p = h.at; return true;
    }
}

bool wn_mp_done(const wn_mp *m) {
    return !m->bad && m->p == m->end;
}
