// SPDX-License-Identifier: Apache-2.0
// traffic_world.h: a made-up day of people on one site: who they are and what
// they do when. The same options and seed give the same day, byte for byte.
//
// Addresses lie in real public ranges of several countries, so that country
// look-ups have work; they are only ever data, nothing connects to them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wn_traffic_options {
    uint64_t seed;
    uint32_t people;          // ≥ 1
    uint32_t orgs;            // organisations
    uint32_t org_percent;     // people who belong to one, when there are any
    uint32_t refuse_percent;  // people who agree to nothing
    uint32_t first_s, last_s; // seconds of the day, half open
} wn_traffic_options;

typedef struct wn_traffic_person {
    char address[46];
    const char *agent;
    const char *language;
    const char *screen;
    uint32_t org; // 0: none
    bool refuses, gpc;
} wn_traffic_person;

typedef enum wn_traffic_kind { WN_TRAFFIC_VIEW, WN_TRAFFIC_SIGNUP, WN_TRAFFIC_DOWNLOAD } wn_traffic_kind;

typedef struct wn_traffic_hit {
    uint32_t at_s;    // second of the day
    uint32_t person;  // index
    uint32_t session; // number of the visit, from 0
    uint32_t serial;  // unique, in order of making; ties are broken by it
    uint8_t kind;
    char path[72];     // with query
    char referrer[88]; // "" none, "/…" a page of the site itself
} wn_traffic_hit;

typedef struct wn_traffic_world {
    wn_traffic_person *person;
    size_t people_n;
    wn_traffic_hit *hit; // in order of time
    size_t hits_n;
    uint32_t sessions_n;
} wn_traffic_world;

// False when out of memory.
bool wn_traffic_world_make(const wn_traffic_options *o, wn_traffic_world *out);
void wn_traffic_world_fini(wn_traffic_world *w);

// xorshift64*: one state word, never 0.
uint64_t wn_traffic_random(uint64_t *state);
uint32_t wn_traffic_below(uint64_t *state, uint32_t n); // n ≥ 1
