// SPDX-License-Identifier: Apache-2.0
// fuzz_json.c: any bytes as the body of POST /v1/events, whole and in pieces:
// both must give the same events.
#include <stdlib.h>
#include <string.h>

#include "event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct memory_sink {
    wn_event *event;
    bool open;
    size_t begun, ended, cut;
} memory_sink;

static wn_event *begin(void *ctx) {
    memory_sink *s = ctx;
    WN_ASSERT(!s->open);
    s->open = true;
    s->begun++;
    return s->begun % 5 == 0 ? NULL : s->event; // some are past the limit
}

static void end(void *ctx) {
    memory_sink *s = ctx;
    WN_ASSERT(s->open);
    s->open = false;
    s->ended++;
    wn_event_wipe(s->event);
}

static void cut(void *ctx) {
    end(ctx);
    ((memory_sink *)ctx)->ended--;
    ((memory_sink *)ctx)->cut++;
}

static bool decode(const uint8_t *data, size_t n, size_t step, memory_sink *out) {
    static wn_json *json;
    static wn_event *event;
    if (json == NULL && wn_json_new(&json) != WN_OK) abort();
    if (event == NULL) {
        event = malloc(wn_event_bytes());
        wn_event_init(event);
    }
    *out = (memory_sink){.event = event};
    wn_event_sink sink = {out, begin, end, cut, NULL, 0};
    wn_json_begin(json, &sink);
    bool whole = true;
    for (size_t at = 0; at < n && whole; at += step) {
        size_t piece = n - at < step ? n - at : step;
        uint8_t *copy = malloc(piece);
        memcpy(copy, data + at, piece);
        whole = wn_json_feed(json, (wn_span){copy, piece});
        free(copy);
    }
    whole = wn_json_end(json) && whole;
    WN_ASSERT(!out->open && out->begun == out->ended + out->cut);
    WN_ASSERT(wn_json_batch_id(json).n <= 64);
    size_t bytes = wn_json_bytes(json);
    wn_json_reset(json);
    WN_ASSERT(wn_json_bytes(json) <= bytes);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    memory_sink all, pieces;
    if (n < 1) return 0;
    size_t step = 1 + data[0] % 16;
    bool a = decode(data + 1, n - 1, n, &all), b = decode(data + 1, n - 1, step, &pieces);
    WN_ASSERT(a == b && all.ended == pieces.ended && all.begun == pieces.begun);
    return 0;
}
