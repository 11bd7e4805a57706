// SPDX-License-Identifier: Apache-2.0
// fuzz_mp.c: any reads of any bytes through the msgpack cursor. The first byte
// says how many steps follow; the rest is what they read.
#include <string.h>

#include "mp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { NIL, BOOL, UINT, INT, DOUBLE, STR, BIN, EXACT, ARRAY, MAP, SKIP, STEPS };

// One read as `step` says: low bits what, high bits the limit.
static bool step_once(wn_mp *m, uint8_t step, wn_span all) {
    size_t limit = (size_t)step / STEPS * 8;
    bool b, ok = false;
    uint64_t u = 0;
    int64_t i;
    double d;
    wn_span s = {all.p, 0};
    uint32_t count = 0;
    uint8_t exact[256];
    switch (step % STEPS) {
    case NIL: return wn_mp_nil(m) || !m->bad;
    case BOOL: return wn_mp_bool(m, &b);
    case UINT:
        ok = wn_mp_uint(m, limit, &u);
        WN_ASSERT(u <= limit);
        return ok;
    case INT: return wn_mp_int(m, &i);
    case DOUBLE: return wn_mp_double(m, &d);
    case STR: ok = wn_mp_str(m, limit, &s); break;
    case BIN: ok = wn_mp_bin(m, limit, &s); break;
    case EXACT: return wn_mp_bin_exact(m, limit, exact);
    case ARRAY: ok = wn_mp_array(m, (uint32_t)limit, &count); break;
    case MAP: ok = wn_mp_map(m, (uint32_t)limit, &count); break;
    default: return wn_mp_skip(m, (unsigned)(limit / 8));
    }
    WN_ASSERT(s.n <= limit && s.p >= all.p && s.p + s.n <= all.p + all.n);
    WN_ASSERT(count <= limit && count <= (size_t)(m->end - m->p));
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) return 0;
    size_t steps = data[0] < n - 1 ? data[0] : n - 1;
    wn_span bytes = {data + 1 + steps, n - 1 - steps};
    wn_mp m;
    wn_mp_init(&m, bytes);
    for (size_t i = 0; i < steps; i++) {
        const uint8_t *before = m.p;
        bool was_bad = m.bad, had = wn_mp_peek(&m) != WN_MP_END;
        bool ok = step_once(&m, data[1 + i], bytes);
        WN_ASSERT(m.p >= before && m.p <= m.end);
        WN_ASSERT(m.p == before || had);   // nothing is read where nothing stands
        WN_ASSERT(!was_bad || m.bad);      // the first error sticks
        WN_ASSERT(ok || m.bad || was_bad); // and no read fails without one
    }
    WN_ASSERT(!wn_mp_done(&m) || (m.p == m.end && !m.bad));
    return 0;
}
