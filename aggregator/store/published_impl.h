// SPDX-License-Identifier: Apache-2.0
// published_impl.h: the published store's insides, for published*.c and backup*.c only.
#pragma once

#include "head_file.h"
#include "public_rows.h"
#include "published.h"
#include <sys/types.h>

#include "vault.h"

enum { DB_ROWS, DB_LEDGER, DB_WINDOWS, DB_FINALS, DB_COUNTS, DB_FACTS, DB_TRANSFERS, DBS_N };
enum { NAME_BYTES = 16, PART_BYTES = 8 };
// What stands in a value before its window.
enum { COUNT_BYTES = 24, MARKER_BYTES = 17, WINDOW_BYTES_MAX = 16 + WN_WINDOW_TEXT_BYTES };

struct wn_published {
    wn_vault *vault;
    wn_vault_buf buf;
    wn_public_codec codec; // for writing
    uint8_t key[WN_KEY_BYTES];
    bool ledger_loaded;     // of this transaction:
    uint64_t ledger_number; // last entry, recorded or stored
    uint8_t ledger_digest[32];
    char head_path[WN_HEAD_PATH_BYTES]; // "": the head is kept nowhere else
    char read_path[320];                // of wn_published_read; "" else
    dev_t read_dev;
    ino_t read_ino;
};

// ---- keys: (site, table, window start, window), all but the start keyed ----

typedef struct row_key {
    uint8_t site[PART_BYTES], table[PART_BYTES], start[PART_BYTES], window[PART_BYTES];
} row_key;

typedef struct count_key {
    uint8_t site[PART_BYTES], start[PART_BYTES], window[PART_BYTES];
} count_key;

#define SPAN_OF(object) ((wn_span){(const uint8_t *)&(object), sizeof(object)})

// published_keys.c. `what` parts the names of one kind from those of another.
void wn_published_name(const wn_published *p, char what, wn_span rest, uint8_t *out, size_t out_bytes);
void wn_published_site_part(const wn_published *p, uint64_t tag, uint8_t out[PART_BYTES]);
void wn_published_table_part(const wn_published *p, const char *table, uint8_t out[PART_BYTES]);
void wn_published_start_part(int64_t start_s, uint8_t out[PART_BYTES]); // times before 1970 sort first
int64_t wn_published_start_of(const uint8_t part[PART_BYTES]);
void wn_published_window_name(const wn_published *p, const wn_window *w, uint8_t *out, size_t out_bytes);
void wn_published_row_key(const wn_published *p, const wn_public_head *head, row_key *out);
void wn_published_count_key(const wn_published *p, uint64_t site, const wn_window *w, count_key *out);
void wn_published_final_name(const wn_published *p, const wn_window *w, const uint8_t collector[16],
                             uint64_t generation, uint8_t out[NAME_BYTES]);
void wn_published_fact_name(const wn_published *p, const char *fact, uint8_t out[NAME_BYTES]);
// A window as it stands at the end of counts and markers: at most WINDOW_BYTES_MAX.
size_t wn_published_put_window(const wn_window *w, uint8_t *out);
bool wn_published_take_window(wn_span in, wn_window *out);
