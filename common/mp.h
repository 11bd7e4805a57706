// SPDX-License-Identifier: Apache-2.0
// mp.h: a bounded cursor over msgpack. Builds nothing, allocates nothing.
//
// The first error sticks: after it every read answers false and leaves its
// output alone, so a parser may read a record through and check mp->bad once.
// Writing is msgpack-c's packer.
#pragma once

#include "winnow/base.h"

typedef enum wn_mp_type {
    WN_MP_NIL,
    WN_MP_BOOL,
    WN_MP_UINT,
    WN_MP_INT,
    WN_MP_FLOAT,
    WN_MP_STR,
    WN_MP_BIN,
    WN_MP_ARRAY,
    WN_MP_MAP,
    WN_MP_EXT,
    WN_MP_END
} wn_mp_type;

typedef struct wn_mp {
    const uint8_t *p, *end;
    bool bad;
} wn_mp;

void wn_mp_init(wn_mp *m, wn_span bytes);
wn_mp_type wn_mp_peek(const wn_mp *m); // WN_MP_END at the end, when bad, or on a reserved byte
bool wn_mp_nil(wn_mp *m);              // consumes a nil if there is one (else false, not an error)
bool wn_mp_bool(wn_mp *m, bool *out);
bool wn_mp_uint(wn_mp *m, uint64_t max, uint64_t *out); // > max is an error
bool wn_mp_int(wn_mp *m, int64_t *out);                 // any integer that fits
bool wn_mp_double(wn_mp *m, double *out);               // float 32/64 or any integer
bool wn_mp_str(wn_mp *m, size_t bytes_max, wn_span *out);
bool wn_mp_bin(wn_mp *m, size_t bytes_max, wn_span *out);
bool wn_mp_bin_exact(wn_mp *m, size_t bytes, void *out); // copies
bool wn_mp_array(wn_mp *m, uint32_t max, uint32_t *out_n);
bool wn_mp_map(wn_mp *m, uint32_t max, uint32_t *out_n);
bool wn_mp_skip(wn_mp *m,
                unsigned depth_max); // one whole value, bounded depth, counts checked against bytes left
bool wn_mp_done(const wn_mp *m);     // not bad and exactly at the end
