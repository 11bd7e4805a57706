// SPDX-License-Identifier: Apache-2.0
// bench_store.h: a published store in a state directory, as `winnow report` finds it.
#pragma once

#include "published.h"

WN_MUST_USE wn_err wn_bench_store_open(const char *state, wn_published **out);
