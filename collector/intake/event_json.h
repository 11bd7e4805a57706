// SPDX-License-Identifier: Apache-2.0
// event_json.h: the JSON body of POST /v1/events, decoded as its chunks arrive.
//
// A body is one event {…}, an array of events, or an envelope {"batch_id": …,
// "site": …, "events": […]}, in which `site` stands before `events`. What is
// wrong with one event refuses that event; what is wrong with the syntax ends
// the body, and the events before it stay.
#pragma once

#include "event_sink.h"

typedef struct wn_json wn_json;

WN_MUST_USE wn_err wn_json_new(wn_json **out);
void wn_json_free(wn_json *j);  // NULL fine; wipes
void wn_json_reset(wn_json *j); // wipes what the last body left
// The sink is kept until reset.
void wn_json_begin(wn_json *j, const wn_event_sink *sink);
// False from the first syntax error on. Strings given to the sink are gone after the call.
bool wn_json_feed(wn_json *j, wn_span chunk);
bool wn_json_end(wn_json *j);
// The envelope's batch_id; {NULL, 0} when it has none. Lives until reset.
wn_span wn_json_batch_id(const wn_json *j);
// Memory held, the decoder itself included.
size_t wn_json_bytes(const wn_json *j);
