// SPDX-License-Identifier: Apache-2.0
// forward_rig.h: a published store of its own, and a receiver that answers as the test says.
#pragma once

#include "forward.h"
#include "forward_kit.h"
#include "store_support.h"

#define RIG_SENT_MAX 4096
#define RIG_KEPT_MAX 64
#define RIG_BODY_MAX 65536

typedef struct rig_kept { // what the aggregator would hold
    char receiver[WN_RECEIVER_BYTES], site[WN_SITE_NAME_BYTES], table[32];
    int32_t day;
    wn_progress p;
    uint64_t rows;
    unsigned times_begun, times_done; // entries in the ledger
    uint32_t plan_version;
    uint8_t content[32];
} rig_kept;

typedef struct rig_answer {
    int status;
    int64_t retry_after_s;
    bool maybe_sent;
    const char *body;
} rig_answer;

typedef struct rig {
    char *folder;
    wn_published *store;
    wn_forward *forward;
    int64_t now_s;
    char id[RIG_SENT_MAX][WN_ROW_ID_BYTES]; // of rows that were taken, in order
    size_t ids_n, requests, rows_in_last;
    char last_url[sizeof((wn_sink_request *)0)->url], last_body[RIG_BODY_MAX]; // cut at its size
    rig_kept kept[RIG_KEPT_MAX];
    size_t kept_n;
    bool has_secret;                     // destinations have one to sign with
    unsigned records_pass, records_fail; // after so many that arrive, so many of the next records are lost
    bool answers_later;                  // no request is answered at once: see rig_answer_now
    size_t last_destination;
    rig_answer (*answer)(const char *body, size_t n, size_t rows); // NULL: 200
} rig;

extern rig the;

void rig_up(void);
void rig_down(void);
// n rows "/0", "/1", … of a sealed day's table, which names `receiver` (NULL: nobody).
void rig_publish(const char *table, int32_t day, size_t n, const char *receiver);
// Forwarders for one or two destinations of a kind: as after a (re)start.
void rig_start(const char *kind, const char *name, const char *second);
void rig_look(void);
// The answer to what is under way; 0: none came, though it may have arrived.
wn_err rig_answer_now(size_t destination, int status);
wn_err rig_turn(void); // one; the clock stands
// Turns until nothing is due before the clock's limit, moving the clock to what is next.
void rig_run(int64_t until_s);
rig_kept *rig_find(const char *receiver, const char *table, int32_t day); // NULL
bool rig_only_begun(size_t n); // so many windows are in the ledger as being sent, and no more is known of any
size_t rig_times(const char *id);
void rig_id(const char *receiver, const char *table, int32_t day, size_t i, char out[WN_ROW_ID_BYTES]);
wn_forward_info rig_info(size_t i);
