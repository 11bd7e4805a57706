// SPDX-License-Identifier: Apache-2.0
// fuzz_event_mp.c: any bytes as a message of the ZeroMQ door.
#include <stdlib.h>

#include "event_mp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct memory_sink {
    wn_event *event;
    bool open;
    size_t begun;
} memory_sink;

static wn_event *begin(void *ctx) {
    memory_sink *s = ctx;
    WN_ASSERT(!s->open);
    s->open = true;
    s->begun++;
    return s->begun % 5 == 0 ? NULL : s->event;
}

static void end(void *ctx) {
    memory_sink *s = ctx;
    WN_ASSERT(s->open);
    s->open = false;
    wn_event_wipe(s->event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static wn_event *event;
    wn_message m;
    if (event == NULL) {
        event = malloc(wn_event_bytes());
        wn_event_init(event);
    }
    if (wn_message_open((wn_span){data, n}, 1000, &m) != WN_OK) return 0;
    WN_ASSERT(m.batch_id.n >= 1 && m.batch_id.n <= 64 && m.events_n <= 1000);
    memory_sink s = {.event = event};
    wn_event_sink sink = {&s, begin, end, end, NULL, 0};
    wn_message_events(&m, &sink);
    WN_ASSERT(!s.open && s.begun == m.events_n);
    return 0;
}
