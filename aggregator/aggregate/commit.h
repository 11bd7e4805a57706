// SPDX-License-Identifier: Apache-2.0
// commit.h: many observations become one change of the fold, written first,
// applied after.
//
// Gather observations; encode them into journal records; make the records
// durable together with the watermarks; apply; ack. Encoding changes nothing
// in the fold, so a commit that could not be stored is simply encoded again
// or thrown away. Apply replays the very bytes that were stored and cannot
// fail. One commit may gather while the one before it is being stored, but
// encodes only after that one was applied.
//
// A record says nothing of who did what together: entries are coalesced and
// ordered by cell and per-table pseudonym, not by arrival.
#pragma once

#include "fold.h"

typedef struct wn_commit wn_commit;

#define WN_COMMIT_OBS_MAX 32768 // 32 full batches
#define WN_ORGS_OF_PERSON_MAX 8 // in a window; each is a naming a table

// Keeps `f` until free.
WN_MUST_USE wn_err wn_commit_new(wn_fold *f, wn_commit **out);
void wn_commit_free(wn_commit *c);  // wipes; NULL fine
void wn_commit_reset(wn_commit *c); // gathers anew; keeps capacity
bool wn_commit_empty(const wn_commit *c);

// `keys` is kept until encode. WN_ERR_FULL at WN_COMMIT_OBS_MAX: encode first.
WN_MUST_USE wn_err wn_commit_observe(wn_commit *c, const wn_observation *obs, const wn_table_keys *keys,
                                     uint8_t epoch);
WN_MUST_USE wn_err wn_commit_value(wn_commit *c, const wn_value *v); // n = 0: ignored
WN_MUST_USE wn_err wn_commit_refuse(wn_commit *c, uint64_t site, uint32_t refused);

// The first sight of a person in the window (an epoch) decides prefix and signature
// in every table; the first organisation they name is theirs, from the next step on,
// in every cell they stand in, also where they stood before they named it. Further ones
// are kept for a purge. An observation that names one beyond WN_ORGS_OF_PERSON_MAX is
// counted as capped and dropped whole.
// Decides the caps against the fold as it is now: an observation over its
// prefix's cap is counted as capped and dropped whole. May be called again.
WN_MUST_USE wn_err wn_commit_encode(wn_commit *c);
size_t wn_commit_records(const wn_commit *c);
wn_span wn_commit_record(const wn_commit *c, size_t i); // ≤ WN_JOURNAL_BYTES_MAX; until reset
// The fold must be as it was at encode (baselines aside). Resets.
void wn_commit_apply(wn_commit *c);
