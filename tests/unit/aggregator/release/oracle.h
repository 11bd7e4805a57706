// SPDX-License-Identifier: Apache-2.0
// oracle.h: what the locks should publish, said a second time in the plainest
// way: lists and loops over whole observations, no cells, no joining order.
#pragma once

#include "fold_kit.h"
#include "locks.h"

// One person in one (site, table, value) of an epoch; the epoch is part of who they are.
typedef struct oracle_entry {
    uint64_t site, value[2], who, prefix, org;
    unsigned table, epoch, events, sessions, bounces, seconds, number;
    bool is_signed, stepped; // stepped: was there at the last step of its cell
} oracle_entry;

typedef enum oracle_why {
    ORACLE_SHOWN,
    ORACLE_FEW,
    ORACLE_OTHERS,
    ORACLE_PERSON,
    ORACLE_ORG,
    ORACLE_WHY_N
} oracle_why;
enum { ORACLE_BOUNCES, ORACLE_TIME, ORACLE_NUMBER, ORACLE_MEASURES_N };

typedef struct oracle {
    const wn_plan *plan;
    const wn_lock_rules *rules;
    uint32_t ids_per_prefix_max, open_values_max;
    oracle_entry *entry;
    size_t n, cap;
    wn_row *row;
    size_t rows_n, rows_cap;
    // what the world has exercised
    size_t steps, absorbed, others, overflowed, capped, unshared, unsigned_noise, named_late, named_another;
    size_t why[ORACLE_MEASURES_N][ORACLE_WHY_N]; // how often a measure of a row was shown, or not
} oracle;

void oracle_fini(oracle *o);
void oracle_observe(oracle *o, const wn_observation *obs, unsigned epoch);
void oracle_tick(oracle *o);
void oracle_seal(oracle *o); // tick, then `other`
