// SPDX-License-Identifier: Apache-2.0
// forward_kit.h: a crowd table and a noise table of one sealed day, as the published store gives them.
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sink.h"

#define DAY 20777 // 2026-11-20
#define DAY_START_S ((int64_t)DAY * 86400 - 3600)
#define DAY_END_S ((int64_t)DAY * 86400 + 82800)

static inline wn_public_head crowd_head(void) {
    return (wn_public_head){.window = {.zone = "Europe/Berlin",
                                       .kind = WN_KIND_WEB,
                                       .day = DAY,
                                       .start_s = DAY_START_S,
                                       .end_s = DAY_END_S},
                            .plan_version = 3,
                            .policy_version = 2,
                            .tick = 288,
                            .published_s = DAY_END_S + 7200,
                            .sealed = true,
                            .k = 20,
                            .measures = WN_MEASURE_PEOPLE | WN_MEASURE_EVENTS | WN_MEASURE_SESSIONS |
                                        WN_MEASURE_BOUNCES | WN_MEASURE_TIME | WN_MEASURE_NUMBER2,
                            .dims_n = 1,
                            .dims = {WN_CLOSED_N + WN_DIM_route, WN_DIM_NONE},
                            .share = true,
                            .receivers_n = 1,
                            .receiver = {"partner"},
                            .table = "pages",
                            .site = "example"};
}

static inline wn_public_head noise_head(void) {
    wn_public_head h = crowd_head();
    h.profile = WN_PROFILE_NOISE;
    h.measures = WN_MEASURE_PEOPLE;
    h.dims_n = 2;
    h.dims[0] = WN_DIM_device;
    h.dims[1] = WN_DIM_system;
    h.noise = (wn_noise_terms){.rho_micro = 30000,
                               .signed_only = true,
                               .l0 = 12,
                               .variance_num = 200,
                               .variance_den = 1,
                               .threshold_closed = 106,
                               .threshold_open = 136};
    snprintf(h.table, sizeof h.table, "noise_devices");
    return h;
}

// One with all its measures published, one with none of the locked, and what is left over.
static const wn_public_row crowd_rows[3] = {
    {.label = {"/a"},
     .people = 40,
     .events = 120,
     .sessions = 60,
     .bounces = 20,
     .seconds = 900,
     .number = 500,
     .locked = WN_MEASURE_BOUNCES | WN_MEASURE_TIME | WN_MEASURE_NUMBER2},
    {.label = {"/b"}, .people = 20, .events = 21, .sessions = 20},
    {.is_other = true, .people = 20, .events = 33, .sessions = 20},
};
static const wn_public_row noise_row = {.label = {"phone", "Android"}, .people = 138};

static inline wn_destination destination_of(const char *kind) {
    wn_destination d = {.since_day = INT32_MIN};
    snprintf(d.name, sizeof d.name, "partner");
    snprintf(d.kind, sizeof d.kind, "%s", kind);
    snprintf(d.basis, sizeof d.basis, "a contract");
    return d;
}
