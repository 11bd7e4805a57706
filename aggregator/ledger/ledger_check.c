// SPDX-License-Identifier: Apache-2.0
// Why: a chain that nobody walks proves nothing. This walk names the first
// entry at fault and how it is at fault; a cut end shows only against a head
// that was written down elsewhere.
#include "ledger.h"

#include <string.h>

const char *wn_ledger_fault_text(wn_ledger_fault fault) {
    switch (fault) {
    case WN_LEDGER_SOUND: return "sound";
    case WN_LEDGER_CHANGED: return "changed";
    case WN_LEDGER_MISSING: return "missing";
    case WN_LEDGER_REORDERED: return "out of order";
    case WN_LEDGER_CUT: return "cut off before the quoted head";
    }
    return "unknown";
}

void wn_ledger_check_begin(wn_ledger_check *c, const uint8_t quoted[32]) {
    *c = (wn_ledger_check){.ok = true, .has_quoted = quoted != NULL};
    if (quoted) memcpy(c->quoted, quoted, 32);
    c->head_known = quoted && memcmp(c->quoted, c->head, 32) == 0; // quoted when it was empty
}

static bool at_fault(wn_ledger_check *c, wn_ledger_fault fault, uint64_t number) {
    c->ok = false;
    c->fault = fault;
    c->bad_number = number;
    return false;
}

// An entry that was missed and comes later was moved, not lost.
static bool look_for_missing(wn_ledger_check *c, const wn_ledger_entry *e) {
    if (c->fault != WN_LEDGER_MISSING || e->number > c->bad_number) return c->fault == WN_LEDGER_MISSING;
    if (e->number == c->bad_number) c->fault = WN_LEDGER_REORDERED;
    return false;
}

bool wn_ledger_check_entry(wn_ledger_check *c, const wn_ledger_entry *e) {
    if (!c->ok) return look_for_missing(c, e);
    uint64_t expected = c->count + 1;
    if (e->number > expected) {
        (void)at_fault(c, WN_LEDGER_MISSING, expected);
        return true;
    }
    if (e->number < expected) return at_fault(c, WN_LEDGER_REORDERED, e->number);
    if (!wn_ledger_follows(e, expected, c->head)) return at_fault(c, WN_LEDGER_CHANGED, expected);
    c->count = expected;
    memcpy(c->head, e->digest, 32);
    if (c->has_quoted && memcmp(c->quoted, c->head, 32) == 0) c->head_known = true;
    return true;
}

void wn_ledger_check_end(wn_ledger_check *c) {
    if (c->ok && c->has_quoted && !c->head_known) (void)at_fault(c, WN_LEDGER_CUT, c->count + 1);
}
