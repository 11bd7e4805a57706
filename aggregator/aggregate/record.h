// SPDX-License-Identifier: Apache-2.0
// record.h: how a change of the fold is written down, for journal and base alike.
//
// A record is a head (version; how many sites, prefixes, organisations, cells
// and members the fold has before it, and its weight) and runs: tag, 4-byte count,
// items. Numbers of the fold stand for pseudonyms wherever they can, so a
// person seen again costs two bytes. Private to aggregate/.
#pragma once

#include "fold.h"
#include "pool.h"

#define WN_RECORD_VERSION 3

typedef enum wn_run {
    WN_RUN_SITE = 1,   // tag
    WN_RUN_COUNT = 2,  // site, refused, capped
    WN_RUN_VALUE = 3,  // nonce, n, bytes
    WN_RUN_PREFIX = 4, // site, id
    WN_RUN_ORG = 5,    // site, id
    WN_RUN_CELL = 6,   // site, epoch, table and overflow bit, values
    WN_RUN_JOIN = 7,   // flags, cell when it changes, person, prefix, organisation, amounts when large
    WN_RUN_REPEAT = 8, // member (ascending, as differences; low bit: one event), else amounts
    WN_RUN_NAMING = 9, // organisation, table and bit for one that does not count, epoch, person
} wn_run;

// Amounts are a byte that says which there are (events, sessions, bounces,
// seconds, number, from bit 0 on) and those, never 0.
#define WN_AMOUNTS_N 5

enum { // first byte of a join; bits 4-5 events, 6-7 sessions unless LARGE
    WN_JOIN_SIGNED = 1,
    WN_JOIN_ORG = 2,
    WN_JOIN_CELL = 4,
    WN_JOIN_LARGE = 8,
    WN_JOIN_EVENTS_SHIFT = 4,
    WN_JOIN_SESSIONS_SHIFT = 6,
    WN_JOIN_SMALL_MAX = 3
};
#define WN_CELL_OVERFLOW 0x80u // with the table's number
#define WN_NAMING_BESIDE 0x80u // as well: they are counted as another organisation's

typedef struct wn_record_state {
    uint32_t sites, prefixes, orgs, cells, members;
    uint64_t weight;
} wn_record_state;
wn_record_state wn_record_state_of(const wn_fold *f);

// Writes items into as many records as they need.
typedef struct wn_record_out {
    const wn_table *tables;
    wn_growing bytes, starts; // starts: size_t each, one a record
    size_t used, records;
    wn_record_state state; // before the next item
    uint8_t run;           // open run, 0 for none
    size_t count_at;       // where its count stands
    uint32_t count;
    uint32_t last_cell, last_member; // what differences are taken from
} wn_record_out;

void wn_record_reset(wn_record_out *o, const wn_table *tables, wn_record_state state); // wipes
void wn_record_fini(wn_record_out *o);
wn_span wn_record_at(const wn_record_out *o, size_t i);

WN_MUST_USE wn_err wn_record_site(wn_record_out *o, uint64_t tag);
WN_MUST_USE wn_err wn_record_count(wn_record_out *o, uint32_t site, uint64_t refused, uint64_t capped);
WN_MUST_USE wn_err wn_record_value(wn_record_out *o, const wn_value *v);
WN_MUST_USE wn_err wn_record_network(wn_record_out *o, wn_run run, const wn_network *n);
WN_MUST_USE wn_err wn_record_cell(wn_record_out *o, const wn_cell_state *c);
// Behind the organisation; of one person, the one that counts first.
WN_MUST_USE wn_err wn_record_naming(wn_record_out *o, const wn_naming *n);
WN_MUST_USE wn_err wn_record_join(wn_record_out *o, const wn_member_state *m);
// Members must ascend; the amounts are what the clamps leave of them, and not all 0.
WN_MUST_USE wn_err wn_record_repeat(wn_record_out *o, uint32_t member, const wn_amounts *more);
void wn_record_end(wn_record_out *o); // after the last item
