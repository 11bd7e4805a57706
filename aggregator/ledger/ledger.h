// SPDX-License-Identifier: Apache-2.0
// ledger.h: the hash-chained record of what was published and destroyed (R9).
//
// digest = BLAKE2b-256(previous digest ‖ canonical msgpack of the entry). Pure.
#pragma once

#include "winnow/window.h"

typedef enum wn_ledger_what {
    WN_LEDGER_INSTALL = 1, // first entry
    WN_LEDGER_RELEASE = 2, // a window sealed: rows published
    WN_LEDGER_KEYS_BORN = 3,
    WN_LEDGER_KEYS_DEAD = 4,
    WN_LEDGER_EPOCH = 5, // a second epoch in an open window
    WN_LEDGER_PLAN = 6,  // a plan took effect
    WN_LEDGER_POLICY = 7,
    WN_LEDGER_TRANSFER = 8, // rows that a receiver took
    WN_LEDGER_BACKUP = 9,
    WN_LEDGER_RESTORE = 10,
    WN_LEDGER_PURGE_ASKED = 11,
    WN_LEDGER_PURGED = 12,
    WN_LEDGER_EXPIRED = 13, // rows past their retention were deleted
    WN_LEDGER_SENDING = 14, // rows that go to a receiver from now on: written before the first byte leaves
} wn_ledger_what;

enum {                                      // wn_ledger_entry.notes
    WN_LEDGER_CROWD_BESIDE_NOISE = 1u << 0, // a receiver gets both of one site: no claim about epsilon (R9)
    WN_LEDGER_ORGANISATION = 1u << 1,       // a purge: of one organisation of `site`, never named here
    WN_LEDGER_ANNOUNCED = 1u << 2,          // a transfer: an entry before it says that it was being sent
    WN_LEDGER_DOUBTFUL = 1u << 3,           // a transfer: of some of its rows nobody knows whether they came
};

#define WN_LEDGER_SITE_BYTES 64
#define WN_LEDGER_RECEIVER_BYTES 32
#define WN_LEDGER_TABLE_BYTES 32
typedef struct wn_ledger_entry {
    uint64_t number; // from 1
    int64_t at_s;
    uint8_t what;
    char window[WN_WINDOW_TEXT_BYTES]; // "" where none
    uint32_t plan_version, policy_version;
    char profile[8]; // "crowd", "noise" or ""
    uint32_t k_closed, k_open;
    uint32_t rho_micro;                      // noise: the window's budget in millionths
    uint32_t delta_nano;                     // noise: in thousand-millionths
    uint64_t rows;                           // published rows
    char site[WN_LEDGER_SITE_BYTES];         // "": of all, or of none
    char receiver[WN_LEDGER_RECEIVER_BYTES]; // of a transfer or backup
    char table[WN_LEDGER_TABLE_BYTES];       // of a transfer; "": several, or none
    uint32_t notes;                          // WN_LEDGER_CROWD_BESIDE_NOISE …
    uint8_t content[32];                     // BLAKE2b-256 of the rows, plan or file; a policy's id and zeros
    uint8_t digest[32];                      // of this entry, chained
} wn_ledger_entry;

const char *wn_ledger_what_text(uint8_t what); // "unknown" for what this version does not write
// Words of the notes with a space between them; "" for none.
#define WN_LEDGER_NOTES_TEXT 64
void wn_ledger_notes_text(uint32_t notes, char out[WN_LEDGER_NOTES_TEXT]);
// Sets e->digest from the previous one (32 zero bytes before the first).
void wn_ledger_chain(wn_ledger_entry *e, const uint8_t previous[32]);
bool wn_ledger_follows(const wn_ledger_entry *e, uint64_t number, const uint8_t previous[32]);
#define WN_LEDGER_BYTES_MAX 512
size_t wn_ledger_encode(const wn_ledger_entry *e, uint8_t out[WN_LEDGER_BYTES_MAX]);
// WN_ERR_FORMAT, or WN_ERR_VERSION for entries of another version.
WN_MUST_USE wn_err wn_ledger_decode(wn_span bytes, wn_ledger_entry *out);

// ---- verifying: feed every entry in order, then end ----
typedef enum wn_ledger_fault {
    WN_LEDGER_SOUND = 0,
    WN_LEDGER_CHANGED,   // an entry, or the one before it, is not what was chained
    WN_LEDGER_MISSING,   // a number is left out
    WN_LEDGER_REORDERED, // a number comes again or too late
    WN_LEDGER_CUT,       // the head that was quoted is not in the chain: its end was cut off
} wn_ledger_fault;

typedef struct wn_ledger_check {
    bool ok;
    wn_ledger_fault fault; // the first one
    uint64_t bad_number;   // where; 0 when ok
    uint64_t count;        // sound entries from the first
    uint8_t head[32];      // digest of the last sound entry; zeros for none
    bool head_known;       // the quoted head was met
    uint8_t quoted[32];
    bool has_quoted;
} wn_ledger_check;

// quoted: a head written down earlier (an export, a backup), or NULL. It may be
// the digest of any entry, for the ledger has grown since.
void wn_ledger_check_begin(wn_ledger_check *c, const uint8_t quoted[32]);
// Answers false when no further entry can change the answer.
bool wn_ledger_check_entry(wn_ledger_check *c, const wn_ledger_entry *e);
void wn_ledger_check_end(wn_ledger_check *c);
const char *wn_ledger_fault_text(wn_ledger_fault fault);
