// SPDX-License-Identifier: Apache-2.0
// measures.h: what the seal adds to the rows: sessions, and each measure that
// has a lock of its own (R4). Private to release/.
#pragma once

#include "locks.h"

// `rows`, as the last tick left them with `steps` (not yet applied to the
// fold), get sessions and, where the lock of one holds, bounces, seconds and
// number with their bits in `locked`. After an error some rows have them.
WN_MUST_USE wn_err wn_measures_show(const wn_fold *f, const wn_plan *plan, const wn_lock_rules *rules,
                                    const wn_steps *steps, wn_rows *rows);
