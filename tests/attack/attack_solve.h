// SPDX-License-Identifier: Apache-2.0
// attack_solve.h: what somebody who sees every published state can work out, by
// linear programming over the true counts.
//
// The attacker knows plan, k, every list of values, that there are no more than 250
// people, when each row moved, and how rows come about (R5). Unknowns are the people
// (and, where they add up, the events) of the finest cells at every state:
// country × device, browser, hour, route. Everything published becomes a line
// between them. What is true in fractions is true in whole numbers, so a bound
// is rounded inwards.
#pragma once

#include "attack_world.h"

typedef struct attack_bounds {
    int64_t least, most; // most INT64_MAX: none
} attack_bounds;

// How much the attacker takes for granted.
typedef enum attack_mood {
    ATTACK_SURE, // only what must be so: an organisation's rule may hold any row back
    ATTACK_BOLD, // that it never does: what did not move has not gathered k newcomers.
                 // Wrong now and then; then nothing, or something else than the truth, fits.
} attack_mood;

typedef struct attack attack;

// Days of one world. With kind.always the attacker knows that every day's last
// state counts the same people, and solves for all of them at once.
attack *attack_new(const attack_kind *kind, const attack_day *days, unsigned n, attack_mood mood);
void attack_free(attack *a);
// Nothing fits what was published: the mood was wrong.
bool attack_contradicts(attack *a);
// People of a cell at a state; of those who joined between two states; of a
// table's rows that are not shown at the seal (where `other` counts them).
attack_bounds attack_cell_people(attack *a, unsigned day, unsigned state, size_t cell);
attack_bounds attack_joined(attack *a, unsigned day, unsigned from, unsigned to, size_t cell);
attack_bounds attack_hidden_people(attack *a, unsigned day, unsigned table);
