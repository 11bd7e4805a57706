// SPDX-License-Identifier: Apache-2.0
// spool_cut.h: has everything been delivered that the spool held at some moment?
#pragma once

#include "spool.h"

typedef struct wn_spool_cut wn_spool_cut;

// What is added from now on does not matter. NULL without memory; freed with free().
wn_spool_cut *wn_spool_cut_take(const wn_spool *s);
bool wn_spool_cut_delivered(const wn_spool *s, const wn_spool_cut *c);
