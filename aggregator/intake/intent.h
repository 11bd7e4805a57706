// SPDX-License-Identifier: Apache-2.0
// intent.h: what a tick is about to publish, stored in the open window first.
//
// After a crash the newest intent whose tick the published store also has is
// the state of the world: its baselines and rows are put back.
#pragma once

#include "locks.h"

// Encodes tick, every cell's baseline and all current rows. *out is malloc'ed, given.
WN_MUST_USE wn_err wn_intent_encode(uint64_t tick, const wn_fold *f, const wn_steps *steps,
                                    const wn_rows *rows, uint8_t **out, size_t *out_bytes);
WN_MUST_USE wn_err wn_intent_tick(wn_span bytes, uint64_t *out_tick);
// Sets the fold's baselines and fills `rows` (empty on entry). After an error
// `rows` is as before; some baselines may be set.
WN_MUST_USE wn_err wn_intent_apply(wn_span bytes, wn_fold *f, wn_rows *rows);
