// SPDX-License-Identifier: Apache-2.0
// noise.h: profile `noise`: what a window's noise tables say, once, at the seal (R6).
//
// Pure; integers only. Same fold, plan, rules and seed: same rows, whatever the order people came in and
// however often it is asked.
#pragma once

#include "locks.h"

#define WN_NOISE_SEED_BYTES 32

// Replaces `rows` by the rows of every noise table of every site, by site, table and value: `people` is n +
// X.
//   n    people who keep the cell: of a table's cells everybody keeps the `cells` ones that a function keyed
//        by the seed puts first; after an epoch change the larger epoch's n, never the sum
//   X    discrete Gaussian of plan->noise's variance, drawn for that cell's name
// A row is there iff n >= k, R4 holds for those n, and n + X >= the threshold; WN_VALUE_OVERFLOW never is.
// The seed must be random, stored before the call, and used for this window alone.
// For the call: about 80 bytes a cell and 33 a (cell, person) of the largest table. After an error `rows` is
// empty.
WN_MUST_USE wn_err wn_noise_seal(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                                 const uint8_t seed[WN_NOISE_SEED_BYTES], wn_rows *rows);
