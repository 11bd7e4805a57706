// SPDX-License-Identifier: Apache-2.0
// http_optout.h: the flag by which a browser says that it is not to be counted
// (R2): a first-party cookie that is the same for everybody. Nothing
// is stored on our side.
#pragma once

#include <microhttpd.h>

#include "pipeline.h"

#define WN_OPTOUT_COOKIE "winnow_opt_out"
#define WN_OPTOUT_METHODS "GET, POST, DELETE, OPTIONS"

// /v1/opt-out: GET a page that needs neither script nor style, POST sets the
// flag, DELETE clears it; /v1/opt-in: POST clears it, for forms.
bool wn_optout_path(const char *path);
enum MHD_Result wn_optout_answer(struct MHD_Connection *c, wn_pipeline *p, const char *method,
                                 const char *path);
