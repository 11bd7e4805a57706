// SPDX-License-Identifier: Apache-2.0
// attack_world.h: days of a small site and every state of its rows that was
// published: 200 people of 10 organisations, through the real fold and locks.
//
// Beside what the attacker sees stands the truth, which only judges the answers.
#pragma once

#include "fold_kit.h"
#include "locks.h"

enum {
    ATTACK_PEOPLE = 200,
    ATTACK_KNOWN_AT_MOST = 250, // what the attacker knows of that
    ATTACK_ORGS = 10,
    ATTACK_HOURS = 8,
    ATTACK_STATES = ATTACK_HOURS, // a tick after each hour, after the last the seal
    ATTACK_COUNTRIES = 5,
    ATTACK_DEVICES = 4,
    ATTACK_BROWSERS = 4,
    ATTACK_ROUTES = 6,
    ATTACK_ROUTE = 1000, // its open value is ATTACK_ROUTE + 1 …
    ATTACK_CLAMP = 20,
};

// total · country · device · country × device · browser · hour · route
enum {
    ATTACK_T_ALL,
    ATTACK_T_COUNTRY,
    ATTACK_T_DEVICE,
    ATTACK_T_CROSS,
    ATTACK_T_BROWSER,
    ATTACK_T_HOUR,
    ATTACK_T_ROUTE,
    ATTACK_TABLES
};

typedef struct attack_cell {
    uint8_t table;
    uint64_t value[2];
} attack_cell;
// 1 + 5 + 4 + 20 + 4 + 8 + 6 cells, table by table in order of value.
enum {
    ATTACK_CELLS = 1 + ATTACK_COUNTRIES + ATTACK_DEVICES + ATTACK_COUNTRIES * ATTACK_DEVICES +
                   ATTACK_BROWSERS + ATTACK_HOURS + ATTACK_ROUTES
};
extern const size_t attack_first[ATTACK_TABLES + 1]; // first cell of each table; last: ATTACK_CELLS
attack_cell attack_cell_at(size_t i);

// A row as it was published; people 0: there was none.
typedef struct attack_row {
    uint32_t people;
    uint64_t events;
} attack_row;

typedef struct attack_day {
    uint32_t k[ATTACK_TABLES];
    uint32_t p_percent;
    // what everybody sees
    attack_row shown[ATTACK_STATES][ATTACK_CELLS];
    attack_row other[ATTACK_TABLES]; // at the seal
    // the truth
    uint32_t people[ATTACK_STATES][ATTACK_CELLS];
    uint64_t events[ATTACK_STATES][ATTACK_CELLS];
    uint32_t org[ATTACK_STATES][ATTACK_CELLS][ATTACK_ORGS]; // people of each organisation; of the late: as it
                                                            // was known, under other numbers in each state
    // Who joined at the step that a cell took then, by the organisation they had named by then; last: none
    // yet.
    uint32_t joined[ATTACK_STATES][ATTACK_CELLS][ATTACK_ORGS + 1];
} attack_day;

// How the people of a world are.
typedef struct attack_kind {
    uint64_t seed;
    bool always;   // the same people every day, each with the same traits, in another order
    bool declares; // the site declares organisations
    bool late; // a third name theirs an hour after they came or later; the machine is started anew on the way
} attack_kind;

// Lives the number-th day of the world.
void attack_live(const attack_kind *kind, unsigned number, attack_day *out);
