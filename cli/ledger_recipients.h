// SPDX-License-Identifier: Apache-2.0
// ledger_recipients.h: who got what, gathered from the ledger (L-G1, L-T2).
#pragma once

#include <stdio.h>

#include "ledger.h"

typedef enum wn_list_format { WN_LIST_TABLE, WN_LIST_CSV, WN_LIST_NDJSON } wn_list_format;

typedef struct wn_recipients wn_recipients;
wn_recipients *wn_recipients_new(void);
void wn_recipients_free(wn_recipients *r);
// Takes every entry; those that say nothing of a receiver change nothing. A backup is
// a receiver too: whoever holds the file. `rows` are those that were sent or may have been,
// `taken` those of which the receiver said so. False without memory.
bool wn_recipients_add(wn_recipients *r, const wn_ledger_entry *e);
void wn_recipients_print(const wn_recipients *r, wn_list_format format, FILE *out);
// Names, a line each, those that rows of the site were sent to; answers how many. Backups are not among them.
size_t wn_recipients_print_site(const wn_recipients *r, const char *site, FILE *out);
// "2026-11-28T09:00:00Z".
void wn_ledger_time_text(int64_t at_s, char out[32]);
