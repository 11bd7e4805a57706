// SPDX-License-Identifier: Apache-2.0
// increments.h: one observation becomes one increment a table; pure.
//
// P0 ends here: each table sees its own pseudonym P_t = PRF(K_core ‖ table, P0).
#pragma once

#include "conf.h"

// One person's contribution to one cell.
typedef struct wn_increment {
    uint64_t site;
    uint64_t value[2]; // closed value or open id of each dimension; 0 where unused
    uint64_t person;   // P_t, 8 bytes
    uint64_t prefix;
    uint64_t org;
    uint8_t table;     // index in the plan
    uint8_t epoch;     // 0 first; another pair of K_edge, K_core has its own cells
    uint8_t signed_id; // 0 or 1
    uint8_t events;
    uint8_t sessions;
    uint8_t bounces;  // 0 or 1; never without a session
    uint16_t seconds; // of the session, at most WN_SESSION_SECONDS_MAX
    uint16_t number;  // of the table's number
} wn_increment;
#define WN_SESSION_SECONDS_MAX 1800

// Per-table keys of a window, derived once from K_core.
typedef struct wn_table_keys {
    uint8_t key[WN_TABLES_MAX][16];
} wn_table_keys;
void wn_table_keys_derive(const uint8_t k_core[32], wn_table_keys *out);

// The person's name in a table.
uint64_t wn_table_person(const wn_table_keys *keys, unsigned table, const uint8_t person[16]);

// Writes at most plan->n increments, table 0 first; returns how many. A table
// whose dimension is absent (0) in the observation gets none.
//
// Table 0 gets one of every observation, even one it does not count in events:
// it holds everybody, so that the cap by prefix sees everybody (R12). Any
// other table takes a view or event that its `kinds` names, and a session when
// `kinds` names sessions or `measures` something that sessions have. A session
// adds its person to a table only where `kinds` names sessions
// (wn_increment_joins); elsewhere it adds to somebody who is already counted.
// bounces, seconds and number are filled where `measures` asks for them alone.
//
// A table of `share` takes only what carries WN_OBS_SHARE (R3); a table with
// noise takes signed ids alone where the plan says so (R6).
size_t wn_increments_of(const wn_observation *obs, const wn_plan *plan, const wn_table_keys *keys,
                        uint8_t epoch, wn_increment out[WN_TABLES_MAX]);

// Does this increment count its person, if the cell does not hold them yet?
static inline bool wn_increment_joins(const wn_increment *inc, uint8_t kinds) {
    return inc->table == 0 || inc->events > 0 || (kinds & (1u << WN_OBS_SESSION)) != 0;
}
