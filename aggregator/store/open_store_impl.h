// SPDX-License-Identifier: Apache-2.0
// open_store_impl.h: inside of an open window's store, for the open_*.c files alone.
#pragma once

#include "open_store.h"
#include "vault.h"

enum { DB_JOURNAL, DB_BASE, DB_FACTS, DB_MARKS, DB_HELD }; // marks: watermarks and the state record
enum { WN_PART_HEAD_BYTES = 4 };                           // before each part in a record of the base

typedef struct state {
    uint64_t commits;
    uint64_t journal_first, journal_next, journal_bytes;
    uint64_t base_first, base_next;
    uint64_t facts, marks; // records, the state's own included
    uint64_t held_first, held_next;
} state;

typedef struct mark {
    wn_batch_id id;     // sequence as recorded
    uint64_t committed; // 0: not yet
} mark;

struct wn_open_store {
    wn_vault *vault;
    state now, recorded;
    mark *marks;
    size_t marks_n, marks_cap;
    char path[];
};
