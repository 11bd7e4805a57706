// SPDX-License-Identifier: Apache-2.0
// http_answer.h: what the beacon endpoint says, with CORS on every answer
//: an allowed origin is echoed, never `*`; the only cookie there is says that a
// browser opted out (http_optout.h).
#pragma once

#include <microhttpd.h>

#include "pipeline.h"

typedef struct wn_answers wn_answers;

WN_MUST_USE wn_err wn_answers_new(wn_answers **out);
void wn_answers_free(wn_answers *a);
void wn_answers_forget(wn_answers *a); // the site list changed: origins are judged anew

// Every function queues one response. origin: the request's Origin header, or NULL.
enum MHD_Result wn_answer_outcome(wn_answers *a, struct MHD_Connection *c, const wn_site_list *sites,
                                  const char *origin, unsigned status, const wn_outcome *o);
// {"error": text}; text is ours, never the sender's. retry_s: 0 for none.
enum MHD_Result wn_answer_error(struct MHD_Connection *c, const wn_site_list *sites, const char *origin,
                                unsigned status, const char *text, const char *allow, unsigned retry_s);
enum MHD_Result wn_answer_preflight(struct MHD_Connection *c, const wn_site_list *sites, const char *origin,
                                    const char *methods);
enum MHD_Result wn_answer_pixel(wn_answers *a, struct MHD_Connection *c);
enum MHD_Result wn_answer_script(wn_answers *a, struct MHD_Connection *c, const char *if_none_match,
                                 bool gzip);
enum MHD_Result wn_answer_health(struct MHD_Connection *c, bool well);

// Parts, for answers made elsewhere. A copy of the bytes; type: NULL for none.
struct MHD_Response *wn_answer_new(const void *bytes, size_t n, const char *type);
bool wn_answer_origin_allowed(const wn_site_list *sites, const char *origin);
void wn_answer_cors(struct MHD_Response *r, const wn_site_list *sites, const char *origin);
enum MHD_Result wn_answer_send(struct MHD_Connection *c, unsigned status, struct MHD_Response *r);

// The JSON of an outcome; WN_OUTCOME_TEXT_MAX bytes always suffice.
#define WN_OUTCOME_TEXT_MAX 8192
size_t wn_outcome_text(const wn_outcome *o, const char *error, char *out, size_t cap);
