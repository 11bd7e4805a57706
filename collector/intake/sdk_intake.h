// SPDX-License-Identifier: Apache-2.0
// sdk_intake.h: the ZeroMQ door for servers and SDKs (CURVE, listed keys only).
//
// A peer's key decides which sites it may write to. Each message is answered
// once it is durable: {"batch_id", "accepted", "refused": [[index, reason]],
// "repeat"} or {"batch_id", "error"}.
#pragma once

#include "metrics.h"
#include "pipeline.h"
#include "zdoor.h"

#define WN_SDK_DOMAIN "sdk"
#define WN_SDK_PENDING_MAX 1024 // messages that wait for the disk; above it none is read

typedef struct wn_sdk wn_sdk;

// Binds; all but `own` are kept.
WN_MUST_USE wn_err wn_sdk_open(void *zmq_ctx, wn_zap *zap, const char *endpoint, const wn_curve *own,
                               wn_pipeline *pipeline, wn_metrics *metrics, wn_sdk **out);
void wn_sdk_close(wn_sdk *s);
void *wn_sdk_socket(const wn_sdk *s);
// Reads what is there; sends the answers that are due.
void wn_sdk_turn(wn_sdk *s);
// True when messages may wait that the last turn did not read.
bool wn_sdk_ready(const wn_sdk *s);
unsigned wn_sdk_waiting(const wn_sdk *s);
// The site list changed: its keys are the ones let in.
WN_MUST_USE wn_err wn_sdk_reloaded(wn_sdk *s);
void wn_sdk_quiesce(wn_sdk *s); // reads no more
