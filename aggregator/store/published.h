// SPDX-License-Identifier: Apache-2.0
// published.h: the one store that reports, API and destinations read.
//
// LMDB, values encrypted under an installation key. (site, table, window
// start) → packed rows, so that 30 days of one table are one short scan. Also:
// sites' labels, sealed markers, final watermarks (7 days), the ledger.
// Nothing outside release and seal writes rows, and a sealed window never changes.
//
// One thread at a time; commit may run on another one while the owner waits. A
// second process may read while one writes.
#pragma once

#include "ledger.h"
#include "locks.h"
#include "policy.h"
#include "slots.h"
#include "winnow/wire.h"

#define WN_PUBLISHED_FORMAT 3
#define WN_PUBLIC_ROWS_MAX (1u << 20) // of one (site, table, window)
#define WN_FINAL_KEEP_S (7 * 86400)   // final watermarks of sealed windows

typedef struct wn_published wn_published;

// A published row with its labels written out.
typedef struct wn_public_row {
    char label[2][WN_OPEN_TEXT_MAX + 1]; // "" where unused; "other" with is_other
    bool is_other;
    uint32_t people;
    uint64_t events, sessions;
    uint64_t bounces, seconds, number; // where `locked` has the measure's bit; else not published
    uint8_t locked;
} wn_public_row;

typedef struct wn_public_head { // of one (site, table, window)
    wn_window window;
    uint32_t plan_version, policy_version;
    uint8_t plan_digest[32];
    uint64_t tick; // counts publications of the window
    int64_t published_s;
    bool sealed;
    uint8_t k, measures, dims_n;
    uint8_t dims[2];
    char table[32], site[WN_SITE_NAME_BYTES];
    uint8_t profile;      // wn_profile
    bool share;           // counts those alone who granted `share`
    wn_noise_terms noise; // with profile noise: what its people are to be read with
    uint8_t receivers_n;  // who may be sent this window's rows
    char receiver[WN_RECEIVERS_MAX][WN_RECEIVER_BYTES];
} wn_public_head;
// Of a noise table: no row is under it. Its dimensions say which of the two.
uint32_t wn_public_threshold(const wn_public_head *h);

// DIR is STATE/aggregator. `key` names the installation key in the slots
// ("published"). read_only: for report, ledger; never creates: WN_ERR_NOTFOUND.
WN_MUST_USE wn_err wn_published_open(const char *dir, const uint8_t key[32], bool read_only, size_t map_bytes,
                                     wn_published **out);
void wn_published_close(wn_published *p);
// The same for a program that only reads, beside a running aggregator: takes the
// key from DIR/keys/slots. WN_ERR_NOTFOUND: nothing was ever published there.
WN_MUST_USE wn_err wn_published_read(const char *dir, wn_published **out);
// True when the file that was opened so is gone, or another stands in its place (a restore):
// what is read here from then on is of the past.
bool wn_published_replaced(const wn_published *p);

// One transaction a tick or seal, recorded in memory until commit. When commit
// fails nothing is written and all is kept: commit again, or abort.
// rows and tick answer WN_ERR_SEALED for a window sealed by an earlier commit.
// A table without a row leaves no record, and takes away that of an earlier tick: a day on which one
// person came reads like one on which nobody did.
WN_MUST_USE wn_err wn_published_begin(wn_published *p);
WN_MUST_USE wn_err wn_published_rows(wn_published *p, const wn_public_head *head, const wn_public_row *rows,
                                     size_t n);
// Appends; sets number and digest itself.
WN_MUST_USE wn_err wn_published_ledger(wn_published *p, const wn_ledger_entry *e);
WN_MUST_USE wn_err wn_published_tick(wn_published *p, const wn_window *w, uint64_t tick, bool sealed,
                                     int64_t now_s);
WN_MUST_USE wn_err wn_published_final_watermark(wn_published *p, const wn_window *w, const wn_batch_id *id,
                                                int64_t now_s);
WN_MUST_USE wn_err wn_published_counts(wn_published *p, uint64_t site, const wn_window *w,
                                       uint64_t refused_floored, uint64_t capped_floored);
// Deletes a site's rows and counts of all windows, sealed ones too (R16).
WN_MUST_USE wn_err wn_published_forget_site(wn_published *p, uint64_t tag);
WN_MUST_USE wn_err wn_published_commit(wn_published *p); // synced
void wn_published_abort(wn_published *p);

// A restore took place: whatever window began before it and is not known counts as sealed from then on (R16).
WN_MUST_USE wn_err wn_published_restored(wn_published *p, int64_t now_s);
// Newest tick of a window (0: none) and whether it is sealed.
WN_MUST_USE wn_err wn_published_window(const wn_published *p, const wn_window *w, uint64_t *out_tick,
                                       bool *out_sealed);
// Sequence a sealed window ended with, for 7 days; 0 when not known.
uint64_t wn_published_final_sequence(const wn_published *p, const wn_window *w, const uint8_t collector[16],
                                     uint64_t generation);
// Drops final watermarks older than 7 days; sealed markers stay. Inside a transaction.
WN_MUST_USE wn_err wn_published_expire(wn_published *p, int64_t now_s);

// Visits (site, table, window start in [from_s, to_s)) in order of time.
// fn answers false to stop. rows are borrowed for the call. site or table NULL:
// all of them, then in order of time within one (site, table). Records that fail
// their authentication are passed over; then WN_ERR_CORRUPT after all others.
typedef bool (*wn_public_visit)(void *ctx, const wn_public_head *head, const wn_public_row *rows, size_t n);
WN_MUST_USE wn_err wn_published_scan(const wn_published *p, const char *site, const char *table,
                                     int64_t from_s, int64_t to_s, wn_public_visit fn, void *ctx);
WN_MUST_USE wn_err wn_published_counts_scan(
    const wn_published *p, const char *site, int64_t from_s, int64_t to_s,
    void (*fn)(void *ctx, int64_t start_s, uint64_t refused, uint64_t capped), void *ctx);
WN_MUST_USE wn_err wn_published_ledger_each(const wn_published *p,
                                            bool (*fn)(void *ctx, const wn_ledger_entry *e), void *ctx);
// The same from an entry's number on.
WN_MUST_USE wn_err wn_published_ledger_from(const wn_published *p, uint64_t number,
                                            bool (*fn)(void *ctx, const wn_ledger_entry *e), void *ctx);
// The last entry's number and digest, for whoever quotes it (R9); 0 and zeros before the first.
WN_MUST_USE wn_err wn_published_ledger_head(const wn_published *p, uint64_t *out_number,
                                            uint8_t out_digest[32]);
// Walks the ledger; quoted as in wn_ledger_check_begin. An entry that fails its
// authentication counts as missing.
WN_MUST_USE wn_err wn_published_ledger_verify(const wn_published *p, const uint8_t quoted[32],
                                              wn_ledger_check *out);
// Names what the store holds: another one after every commit, and after another ledger's store took its
// place.
WN_MUST_USE wn_err wn_published_state(const wn_published *p, uint8_t out[32]);

// ---- transfers: how far a sealed (site, table, window) has come to a receiver (R9) ----
typedef struct wn_transfer {
    uint32_t rows_done; // sent or set aside, from the first
    uint32_t refused, doubtful;
    bool begun; // the ledger says that these rows may have left
    bool done;
    bool unsure; // as a restore found it in the ledger: how far it came since, nobody knows
} wn_transfer;
// {0} when nothing is known.
WN_MUST_USE wn_err wn_published_transfer(wn_published *p, const char *receiver, const char *site,
                                         const char *table, const wn_window *w, wn_transfer *out);
// Inside a transaction, with the ledger's entry when it is done.
WN_MUST_USE wn_err wn_published_transfer_put(wn_published *p, const char *receiver, const char *site,
                                             const char *table, const wn_window *w, const wn_transfer *t);
// Puts the cursor of a transfer that begins and its ledger entry into the running transaction, which
// must be durable before a byte of the `rows` leaves: what was sent for half, or was refused, is listed
// all the same. WN_ERR_FORMAT: not begun, or no receiver's name.
WN_MUST_USE wn_err wn_published_transfer_begun(wn_published *p, const char *receiver,
                                               const wn_public_head *head, const wn_transfer *t,
                                               uint64_t rows, const uint8_t content[32], int64_t now_s);
// Puts the cursor of a transfer that is done and its ledger entry into the running
// transaction. content: digest of what was sent. WN_ERR_FORMAT: not done, or no receiver's name.
WN_MUST_USE wn_err wn_published_transfer_done(wn_published *p, const char *receiver,
                                              const wn_public_head *head, const wn_transfer *t,
                                              const uint8_t content[32], int64_t now_s);

// ---- what the ledger is told, each in a transaction of its own ----
WN_MUST_USE wn_err wn_published_note(wn_published *p, const wn_ledger_entry *e);
WN_MUST_USE wn_err wn_published_install(wn_published *p, int64_t now_s); // only as the first entry
// Unless the newest plan in the ledger is this one.
WN_MUST_USE wn_err wn_published_plan(wn_published *p, const wn_plan *plan, int64_t now_s);
// Unless the ledger knows this policy.
WN_MUST_USE wn_err wn_published_policy(wn_published *p, uint64_t id, uint32_t version, int64_t now_s);

// Verifies the ledger against the head at PATH and keeps that head up to date after
// every commit from here on. WN_ERR_CORRUPT: out says at fault where. WN_ERR_NOTFOUND:
// the ledger has entries and the head is not there.
WN_MUST_USE wn_err wn_published_keep_head(wn_published *p, const char *path, wn_ledger_check *out);
// Takes the ledger as it stands for whole: an operator's word.
WN_MUST_USE wn_err wn_published_accept_head(wn_published *p, const char *path);

// ---- retention (L-R3): rows and counts of windows that ended long ago ----
// Inside a transaction. Deletes, for each site, what ended more than its policy's
// retention_days before now_s, with one ledger entry a site that lost rows; sealed markers stay.
// LMDB's freed pages keep the boxes of what was deleted, here and by forget_site, until they are used again;
// their key, the installation's, does not die.
WN_MUST_USE wn_err wn_published_retain(wn_published *p, const wn_policy *policy, int64_t now_s,
                                       uint64_t *out_rows);
uint64_t wn_published_file_bytes(const wn_published *p);
// A secret number 20..35 drawn once at install (R4's p%).
WN_MUST_USE wn_err wn_published_p_percent(wn_published *p, uint32_t *out);
