// SPDX-License-Identifier: Apache-2.0
// cli_published.h: the published store, opened read-only beside a running aggregator.
#pragma once

#include "cli.h"
#include "published.h"

// False after a message. Says what to do when nothing was ever published.
bool wn_cli_published(const wn_cli *c, wn_published **out);

// The store and its keys, opened for writing while no aggregator runs.
typedef struct wn_store_owned {
    wn_slots *slots;
    wn_published *published;
} wn_store_owned;
// False after a message: it runs, or the store cannot be opened. Makes what is missing.
bool wn_cli_own_store(wn_cli *c, wn_store_owned *out);
void wn_cli_disown_store(wn_store_owned *s);
