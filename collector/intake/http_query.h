// SPDX-License-Identifier: Apache-2.0
// http_query.h: what a request's query string states (pixel.def).
#pragma once

#include <microhttpd.h>

#include "event_sink.h"

// One event whose fields are the parameters.
void wn_query_event(struct MHD_Connection *c, const wn_event_sink *sink);

// Each parameter about consent and age, once. Borrowed from the connection.
#define WN_QUERY_LENT_MAX 16
size_t wn_query_lent(struct MHD_Connection *c, wn_lent out[WN_QUERY_LENT_MAX]);
