// SPDX-License-Identifier: Apache-2.0
// bench_world.h: the work that everything is measured with: events
// of 50 sites by 10^5 visitors, zipf pages, about 300 bytes each, one day,
// in order of time. The same numbers give the same events.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WN_BENCH_SITES 50
#define WN_BENCH_VISITORS 100000
#define WN_BENCH_EVENTS 1000000

typedef enum wn_bench_field {
    WN_BENCH_SITE,
    WN_BENCH_NAME,
    WN_BENCH_URL,
    WN_BENCH_REFERRER,
    WN_BENCH_TIME,
    WN_BENCH_ID,
    WN_BENCH_LANGUAGE,
    WN_BENCH_SCREEN,
    WN_BENCH_IP,
    WN_BENCH_AGENT,
    WN_BENCH_FIELD_N
} wn_bench_field;

typedef struct wn_bench_event {
    const char *text; // the fields' bytes, one after the other, without NULs
    uint16_t at[WN_BENCH_FIELD_N], n[WN_BENCH_FIELD_N]; // n 0: absent
    bool measures;                                      // agreed to `measure`, so that the id counts
    uint16_t site;
    uint32_t serial;
} wn_bench_event;

typedef struct wn_bench_world {
    wn_bench_event *event;
    size_t n;
    size_t bytes; // of all fields
    char *arena;
} wn_bench_world;

// day_s: start of the day, UTC; days: how many the events are spread over.
// unique: no page, agent and referrer occurs twice, so that no cache helps.
// False when out of memory.
bool wn_bench_world_make(size_t events, int64_t day_s, uint32_t days, bool unique, wn_bench_world *out);
void wn_bench_world_fini(wn_bench_world *w);
void wn_bench_site_name(unsigned site, char out[16]);
