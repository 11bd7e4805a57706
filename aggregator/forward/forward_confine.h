// SPDX-License-Identifier: Apache-2.0
// forward_confine.h: from here on this process opens the folders that it writes to, the aggregator's keys by
// which that is asked, and what libcurl needs of the system: libraries, resolver, certificates. Nothing of
// CONFIG: destinations.yaml comes from opener.h, and secrets were read before.
#pragma once

#include "watch.h"

// To be called before the first thread: it binds those that come after. role_dir is its own, written to;
// aggregator_dir/keys holds what it asks with. Logs a kernel without Landlock, and a CONFIG that lies
// where the system's files do.
void wn_forward_confine(wn_watch *w, const char *config_dir, const char *role_dir,
                        const char *aggregator_dir);
#define WN_FORWARD_KEY_PATH 400
// The aggregator's key number i; false: there are no more.
bool wn_forward_key(const char *aggregator_dir, size_t i, char out[WN_FORWARD_KEY_PATH]);
