// SPDX-License-Identifier: Apache-2.0
// fake_aggregator.h: an aggregator with bad days, behind a real CURVE door in
// this process. It counts each batch by its mark; correct is once each.
#pragma once

#include "spool_rig.h"
#include "uplink.h"
#include "zdoor.h"

enum { FAKE_STREAMS_MAX = 64, FAKE_MARKS_MAX = 1024, FAKE_HELD_MAX = 256 };

typedef struct fake_stream {
    wn_window window;
    uint64_t generation, staged, durable;
} fake_stream;

typedef struct fake_aggregator {
    spool_rig *rig;
    void *ctx, *door;
    wn_zap *zap;
    wn_curve server, client;
    char endpoint[100];
    wn_uplink *uplink;
    int64_t now_ms; // the uplink's clock: goes on 10 ms a turn

    // its bad days
    unsigned lose_batches, lose_messages, lose_answers, shuffle; // per cent of chance
    unsigned lose_marks[8];                                      // these once, without a word
    bool mute, hold;                                             // hold: keeps acks back
    unsigned busy;                                               // so many batches are answered BUSY
    uint64_t refuse_mark, unnamed_mark;
    int32_t sealed_day;

    // what it saw
    fake_stream streams[FAKE_STREAMS_MAX];
    unsigned streams_n;
    unsigned counted[FAKE_MARKS_MAX];
    unsigned batches, observations, bundles, bundled, bundled_most, expects;
    unsigned hellos, first_was_hello, messages, asks;
    wn_uplink_msg closed;

    // answers on their way
    struct {
        uint8_t peer[16];
        size_t peer_n;
        wn_uplink_msg msg;
    } held[FAKE_HELD_MAX], last_peer;
    unsigned held_n;

    // what the collector was told
    unsigned late, late_calls, closings, states;
    wn_window_state state;
} fake_aggregator;

void fake_make(fake_aggregator *f, spool_rig *r);
void fake_end(fake_aggregator *f);
void fake_down(fake_aggregator *f); // closes its door; unsynced batches are gone
void fake_up(fake_aggregator *f);
// One turn of both sides.
void fake_turn(fake_aggregator *f);
// Turns until the spool waits for nothing; fails after too many.
void fake_deliver(fake_aggregator *f);
void fake_tell(fake_aggregator *f, const wn_uplink_msg *m);
