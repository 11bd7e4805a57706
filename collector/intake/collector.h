// SPDX-License-Identifier: Apache-2.0
// collector.h: the daemon's one struct, for main.c, collector_start.c and
// collector_verbs.c only.
#pragma once

#include "admin.h"
#include "closing.h"
#include "control.h"
#include "http_intake.h"
#include "import.h"
#include "purging.h"
#include "sdk_intake.h"
#include "uplink.h"

#define WN_COLLECTOR_FORMAT 1 // of the state directory
#define WN_STOP_MS 10000      // at most, from SIGTERM to the end
#define WN_SESSION_SWEEP_MS 30000
#define WN_REVIEW_MS 600000 // of windows whose closing was missed

typedef struct wn_collector {
    wn_options o;
    char role_dir[300];
    wn_site_list *sites;
    wn_policy policy; // until the policies take it
    wn_policies *policies;
    wn_slots *slots;
    wn_kept identity, session_memory;
    uint8_t id[16];
    wn_edge *edge;
    wn_spool *spool;
    wn_sessions_table *sessions;
    wn_pipeline *pipeline;
    wn_metrics metrics;
    void *zmq;
    wn_zap *zap;
    wn_curve uplink_key;
    wn_uplink *uplink; // NULL until the aggregator's key is known
    wn_control *control;
    wn_sdk *sdk;
    wn_http *http;
    wn_admin *admin;
    wn_import *import;
    wn_closing *closing;
    wn_purge_list *purges;
    uint8_t purge_key[WN_KEY_BYTES];
    wn_purging *purging;
    int signal_fd;
    int64_t started_s, started_ms;
    uint64_t late_delivered; // observations that reached the aggregator after the seal
    bool uplink_waits;       // something was given to the uplink outside its turn
    bool stopping, failed;
} wn_collector;

// Everything but the loop. On failure prints what to do; wn_collector_close is due either way.
WN_MUST_USE wn_err wn_collector_open(wn_collector *d);
void wn_collector_close(wn_collector *d);
// The aggregator's key may appear later than this daemon: tries, and is fine with failing.
void wn_collector_try_uplink(wn_collector *d);
// Reads sites.yaml and policy.yaml; on a mistake in either both old ones stay and the line is told.
// out_file: which (static words).
WN_MUST_USE wn_err wn_collector_load(wn_collector *d, char *why, size_t why_bytes, int *out_line,
                                     const char **out_file);
void wn_collector_reload(wn_collector *d);
const wn_metrics *wn_collector_metrics(wn_collector *d); // brought up to date
bool wn_collector_well(const wn_collector *d);

extern const wn_control_verb wn_collector_verbs[];
extern const size_t wn_collector_verbs_n;
void wn_collector_purge_begun(void *ctx, uint64_t asker, const char *no);
void wn_collector_import_done(void *ctx, uint64_t asker, const wn_import_result *r);
