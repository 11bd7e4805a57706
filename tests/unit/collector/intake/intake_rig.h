// SPDX-License-Identifier: Apache-2.0
// intake_rig.h: a pipeline with everything real behind it, in a directory of its own.
#pragma once

#include "pipeline.h"

#define RIG_UA                                                                                               \
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

typedef struct rig {
    char dir[64];
    wn_options options;
    wn_slots *slots;
    wn_kept identity, session_memory;
    wn_policies *policies;
    wn_edge *edge;
    wn_spool *spool;
    wn_sessions_table *sessions;
    wn_site_list *sites;
    wn_pipeline *pipeline;
    wn_pipeline_parts parts;
    int64_t now_s;
} rig;

// Sites: "shop" (any host), "blog" (blog.example), both web in UTC; "app", kind app in UTC.
void rig_open(rig *r);
void rig_close(rig *r);
// As a kill and a start of the daemon: what was not durable is gone. Kept memory stays.
void rig_restart(rig *r);
// Turns until everything committed is durable.
void rig_sync(rig *r);
void rig_wait_done(rig *r); // for the transaction under way only

typedef struct rig_stored {
    size_t batches, views, events, sessions, refusals;
    wn_observation last;
} rig_stored;
// What lies durable in the spool, read as the uplink does; nothing is acknowledged.
rig_stored rig_read(rig *r);
// As if the aggregator had taken all of it.
void rig_deliver(rig *r);

wn_sender rig_sender(void);
// Fills one event of a request: field, text, …, NULL.
void rig_event(wn_request *r, ...);
wn_verdict rig_only_verdict(const wn_request *r); // of a request with one event
