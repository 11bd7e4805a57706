// SPDX-License-Identifier: Apache-2.0
// fuzz_wire.c: any bytes as a frame between collector and aggregator. A batch
// is taken whole or not at all; a message reads back as it was written.
#include <string.h>

#include "winnow/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_batch(wn_span bytes) {
    static wn_batch_reader r;
    wn_observation o;
    wn_value v;
    uint32_t seen = 0;
    if (wn_batch_reader_init(&r, bytes) != WN_OK) return;
    WN_ASSERT(wn_wire_is_batch(bytes));
    WN_ASSERT(r.sites_n <= WN_BATCH_SITES_MAX && r.refusals_n <= WN_BATCH_SITES_MAX);
    WN_ASSERT(wn_batch_reader_values(&r) <= WN_BATCH_VALUES_MAX && r.head.observations <= WN_BATCH_OBS_MAX);
    for (uint32_t i = 0; i < wn_batch_reader_values(&r); i++) {
        wn_batch_reader_value(&r, i, &v);
        WN_ASSERT(v.n <= WN_VALUE_SEALED_MAX && wn_value_id(&v) == r.value_id[i]);
    }
    for (; wn_batch_reader_next(&r, &o); seen++) {
        WN_ASSERT(o.kind >= WN_OBS_VIEW && o.kind <= WN_OBS_PURGE && (o.flags & ~WN_OBS_FLAGS_ALL) == 0);
        for (unsigned d = 0; d < WN_CLOSED_N; d++) WN_ASSERT(wn_closed_valid(d, o.closed[d]));
        for (unsigned i = 0; i < WN_NUMBERS_N; i++) WN_ASSERT(o.kind != WN_OBS_SESSION || o.number[i] == 0);
    }
    WN_ASSERT(seen == r.head.observations && r.p == r.end);
}

static void read_message(wn_span bytes) {
    wn_uplink_msg m, again;
    uint8_t out[WN_UPLINK_MSG_BYTES_MAX];
    memset(&m, 0, sizeof m);
    memset(&again, 0, sizeof again);
    if (wn_uplink_msg_decode(bytes, &m) != WN_OK) return;
    WN_ASSERT(!wn_wire_is_batch(bytes));
    size_t bytes_n = wn_uplink_msg_encode(&m, out);
    WN_ASSERT(wn_uplink_msg_decode((wn_span){out, bytes_n}, &again) == WN_OK);
    WN_ASSERT(m.what == again.what && memcmp(m.collector, again.collector, sizeof m.collector) == 0);
    WN_ASSERT(strcmp(m.window.zone, again.window.zone) == 0 && m.window.kind == again.window.kind);
    WN_ASSERT(m.window.day == again.window.day && m.window.start_s == again.window.start_s);
    WN_ASSERT(m.window.end_s == again.window.end_s);
    WN_ASSERT(m.generation == again.generation && m.sequence == again.sequence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    wn_span bytes = {data, n};
    read_batch(bytes);
    read_message(bytes);
    return 0;
}
