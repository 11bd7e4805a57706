// SPDX-License-Identifier: Apache-2.0
// fold_without.h: the window's fold without certain people, as if they had never
// been there (R16); and whether any of them still is.
#pragma once

#include "fold.h"

// Does somebody of this organisation go? `org` is its pseudonym under the keys of this epoch, 0 for none. Who
// named more than one goes with any of them. A site whose undeclared people go, goes whole.
typedef bool (*wn_fold_gone)(void *ctx, uint64_t site, uint8_t epoch, uint64_t org);

// Makes *out: cells keep their numbers, those who stay their order; networks and
// organisations that nobody is of, or named, any more are not in it. Baselines are those of
// `f`, but never above the people left. touched (wn_fold_cells(f) bytes) becomes 1
// for each cell that somebody left; others stay as they are.
WN_MUST_USE wn_err wn_fold_without(const wn_fold *f, wn_fold_gone gone, void *ctx, uint8_t *touched,
                                   wn_fold **out);
bool wn_fold_holds(const wn_fold *f, wn_fold_gone gone, void *ctx); // any of them as a member
// Is the pseudonym itself still in it?
bool wn_fold_knows_org(const wn_fold *f, uint64_t site, uint64_t org);
