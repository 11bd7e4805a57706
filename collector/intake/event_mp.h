// SPDX-License-Identifier: Apache-2.0
// event_mp.h: the msgpack message of a ZeroMQ sender:
// {"v": 1, "batch_id": str, "site": str (optional), "events": [map, …]}.
#pragma once

#include "event_sink.h"
#include "mp.h"

#define WN_MESSAGE_VERSION 1

typedef struct wn_message { // borrows the bytes
    wn_span batch_id, site;
    uint32_t events_n;
    wn_mp events; // at the first event
} wn_message;

// Checks the whole frame before anything is decoded, so that a malformed one
// leaves nothing. WN_ERR_VERSION for another `v`; WN_ERR_FULL above
// events_max (both tell the batch_id); WN_ERR_FORMAT for the rest.
WN_MUST_USE wn_err wn_message_open(wn_span bytes, uint32_t events_max, wn_message *out);
// Hands all events to the sink.
void wn_message_events(const wn_message *m, const wn_event_sink *sink);
