// SPDX-License-Identifier: Apache-2.0
// json_pack.h: one JSON object as msgpack, as an SDK would send it.
#pragma once

#include <msgpack.h>

#include "winnow/base.h"

#define WN_JSON_DEPTH_MAX 32
#define WN_JSON_BYTES_MAX 65536u

// Appends the object to `out`. On a mistake appends nothing and says why in
// static words. The collector judges the fields; this only translates.
bool wn_json_pack(const char *text, size_t n, msgpack_sbuffer *out, const char **why);
