// SPDX-License-Identifier: Apache-2.0
// web_facts.h: what the ledger says is in force, and who was ever sent rows.
//
// The files of the configuration say what an operator wants; the daemons take them up when they are told,
// and a window keeps what it began with. The public is told what was done, which the ledger has.
#pragma once

#include "published.h"

typedef struct wn_web_fact {
    bool known; // else nothing was collected yet
    uint32_t version;
    int64_t since_s;
    uint8_t content[32]; // a plan's digest; a policy's id and zeros
} wn_web_fact;

typedef struct wn_web_sent { // one for each receiver and table
    char receiver[WN_LEDGER_RECEIVER_BYTES], table[WN_LEDGER_TABLE_BYTES];
    int64_t last_s;
} wn_web_sent;

typedef struct wn_web_facts {
    uint64_t number; // of the last entry that was read
    uint8_t digest[32];
    wn_web_fact plan, policy;
    wn_web_sent *sent; // in order of their first time
    size_t n, cap;
    wn_err err;
} wn_web_facts;

// Reads on from where it was. On an error: as far as it could be read.
WN_MUST_USE wn_err wn_web_facts_read(wn_web_facts *f, const wn_published *p);
void wn_web_facts_fini(wn_web_facts *f);
