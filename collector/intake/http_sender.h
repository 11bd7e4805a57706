// SPDX-License-Identifier: Apache-2.0
// http_sender.h: who sent an HTTP request, as far as the filter may know.
#pragma once

#include <microhttpd.h>

#include "pipeline.h"

// Begins a request for this sender: address by the proxy rule, User-Agent,
// Accept-Language, Sec-GPC and DNT, three cookies (of consent platforms
// `euconsent-v2` and `usprivacy`, of ours the opt-out), for a pixel the Referer
// as its page. NULL: full. What is borrowed lives as long as the connection's request.
wn_request *wn_http_sender_begin(struct MHD_Connection *c, wn_pipeline *p, bool pixel,
                                 const char **out_origin);

bool wn_http_sender_opted_out(struct MHD_Connection *c); // the opt-out cookie stands there
// The browser spoke https, by the word of a trusted proxy.
bool wn_http_sender_https(struct MHD_Connection *c, const wn_pipeline *p);
