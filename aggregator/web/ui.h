// SPDX-License-Identifier: Apache-2.0
// ui.h: the files of the dashboard and the API's description, which are part of
// the binary: nothing is loaded from anywhere else. See ui_embed.cmake.
#pragma once

#include "web.h"

// The route of a file, "/" being index.html; NULL when there is none of that name.
const wn_web_route *wn_ui_route(const char *path);
